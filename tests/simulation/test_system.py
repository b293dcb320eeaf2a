"""Systems: what they take, and how actors are made anew of it."""

from typing import Any

import pytest

import libra_ray as lr
from libra_ray.messages.commands import SetTradingState
from libra_ray.model.enums import TradingState
from libra_ray.testing import Cell

ACME = lr.equity("ACME.SIM", quote="USD")


class Bare(lr.Strategy):
    """Its `__init__` takes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 7


class WithConfig(lr.Strategy):
    """Its `__init__` takes its settings, under a name of its own."""

    def __init__(self, settings: lr.StrategyConfig | None = None) -> None:
        super().__init__(settings)


class WithNumber(lr.Strategy):
    """Its `__init__` takes what no system knows of."""

    def __init__(self, fast: object = 3) -> None:
        super().__init__()
        self.fast = fast


class WithTwo(lr.Strategy):
    """Its `__init__` takes more."""

    def __init__(self, config: lr.StrategyConfig | None, fast: int) -> None:
        super().__init__(config)
        self.fast = fast


@pytest.mark.parametrize(
    ("actor", "fix"),
    [
        (lr.Strategy, "Give an instance: Strategy()."),
        ("libra_actors.strategies.EmaCross", "Give an instance of one."),
        (None, "Give an instance of one."),
    ],
)
def test_what_is_no_actor_is_refused(actor: object, fix: str) -> None:
    with pytest.raises(lr.ConfigError, match=r"^CONF004 System\.add: '.*' is not an actor\. ") as caught:
        lr.System().add(actor)  # type: ignore[arg-type]
    assert caught.value.fix == fix


@pytest.mark.parametrize("actor_id", ["a b", "", 5, "x" * 129, "../x", "a\n", "*"])
def test_an_id_is_part_of_topics_and_files_and_refused_where_it_cannot_be(actor_id: object) -> None:
    with pytest.raises(
        lr.ConfigError, match=r"^CONF002 System\.add: '.*' is no actor id\. Use 1 to 128 letters, digits"
    ):
        lr.System().add(lr.Strategy(), actor_id)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [None, "run.toml", lr.System])
def test_what_is_no_system_and_what_is_no_data_is_said(given: Any) -> None:  # noqa: ANN401 - whatever is wrong
    data = lr.sample("AAPL.XNAS")
    with pytest.raises(
        lr.ConfigError, match=r"^CONF002 backtest: '.*' is not a system\. Make one: system = lr\.System"
    ):
        lr.backtest(given, data=data)
    with pytest.raises(lr.ConfigError, match=r"^CONF002 deploy: '.*' is not a system\. "):
        lr.deploy(given)
    with pytest.raises(
        lr.ConfigError, match=r"^CONF002 data: '.*' is not a dataset\. Import files with .libra data import"
    ):
        lr.backtest(lr.System(), data=given)


@pytest.mark.parametrize("actor", [Bare(), WithConfig(), lr.Strategy(fault_policy="keep")])
def test_actors_are_made_anew_of_their_settings_also_by_an_init_that_takes_nothing(actor: lr.Strategy) -> None:
    system = lr.System()
    system.add(actor, "S-7")

    made = system.actors[0].make()

    assert type(made) is type(actor)
    assert made.config == actor.config.model_copy(update={"actor_id": "S-7"})
    assert getattr(made, "seen", 7) == 7


@pytest.mark.parametrize(
    ("actor", "why"), [(WithNumber(5), ""), (WithTwo(None, 5), ": missing a required argument: 'fast'")]
)
def test_an_init_that_takes_anything_else_is_refused_before_anything_runs(actor: lr.Strategy, why: str) -> None:
    system = lr.System()
    system.add(actor)

    with pytest.raises(lr.StrategyError) as caught:
        system.actors[0].make()

    name = type(actor).__name__
    what = f"STRAT004 {name}.__init__ does not take the settings of which a system makes its actors anew{why}"
    fix = (
        "Write 'def __init__(self, config=None): super().__init__(config)', with fields of a config class for the rest."
    )
    assert str(caught.value) == f"{what}. {fix}"


def test_a_trading_state_that_there_is_not_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValueError, match="'FOO' is not a valid TradingState"):
        SetTradingState(1, "S-1", "FOO", "why not")  # type: ignore[arg-type]
    assert SetTradingState(1, "S-1", "HALTED", "").state is TradingState.HALTED  # type: ignore[arg-type]


@pytest.mark.parametrize("instrument_id", [None, 5])
def test_an_order_of_what_is_no_instrument_id_is_the_error_of_its_author(instrument_id: object) -> None:
    cell = Cell(ACME)
    text = f"an instrument id is text, not {instrument_id}"
    for terms in ({}, {"quote_quantity": True}):
        with pytest.raises(TypeError, match=text):
            cell.orders.order(instrument_id, "BUY", 1, **terms)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=text):
        cell.orders.market_raw(instrument_id, lr.OrderSide.BUY, 1, 0)  # type: ignore[arg-type]
    assert cell.kernel.host.faults == []
