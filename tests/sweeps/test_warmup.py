"""How orders, figures and indicators move with more history."""

import pytest

from libra_actors.strategies import EmaCross
from libra_ray.errors import ConfigError, StrategyError
from libra_ray.strategy.indicators import Ema
from libra_ray.sweeps.honesty import WarmupCheck, check_warmup
from tests.sweeps.peekers import Cross, CrossConfig, Rememberer, system_of
from tests.sweeps.runs import PAIR, Fragile, FragileConfig, bars

BARS = bars(600)
START_NS = int(BARS.streams[0].ts_ns[300])


def warmup_of(config: CrossConfig, histories: list[int] | None = None) -> WarmupCheck:
    return check_warmup(system_of(Cross(config)), data=BARS, start_ns=START_NS, histories=histories, workers=0)


def test_windows_need_their_length_and_no_more() -> None:
    check = warmup_of(CrossConfig(is_exact=True), [0, 10, 18, 19, 20, 60])

    assert {row.history_rows: row.moved and row.moved["Cross-1.slow"] for row in check.rows} == {
        0: None, 10: None, 18: None, 19: None, 20: 0.0, 60: 0.0, 300: 0.0
    }  # fmt: skip
    assert check.needed_rows == 20


def test_a_recursive_average_moves_less_and_less() -> None:
    check = warmup_of(CrossConfig(), [20, 40, 80, 160])

    moved = [abs(row.moved["Cross-1.slow"] or 0.0) for row in check.rows if row.moved]
    assert moved == sorted(moved, reverse=True)
    assert moved[-1] == 0.0
    assert moved[-2] == 0.0 < moved[2] < 1e-5 < moved[0]


def test_an_indicator_is_that_of_its_history_alone() -> None:
    (row, _) = warmup_of(CrossConfig(), [25]).rows

    ema = Ema(20)
    for raw in BARS.streams[0].raw("close")[275:300]:
        ema.update(int(raw) / 10**5)
    assert row.indicators is not None
    assert row.indicators["Cross-1.slow"] == ema.value


def test_without_history_there_is_no_indicator_yet() -> None:
    (row, reference) = warmup_of(CrossConfig(), [0]).rows

    assert row.indicators == dict.fromkeys(reference.indicators or {}, None)
    assert set(row.moved.values() if row.moved else ()) == {None}


def test_a_strategy_that_counts_from_its_beginning_never_settles() -> None:
    check = check_warmup(system_of(Rememberer()), data=BARS, start_ns=START_NS, histories=[3, 50, 155], workers=0)

    assert (check.is_settled, check.needed_rows) == (False, None)
    assert [row.is_same for row in check.rows] == [False, False, False, True]
    assert check.rows[0].differs_ns == int(BARS.streams[0].ts_ns[306])


def test_the_figures_are_those_of_the_period() -> None:
    check = warmup_of(CrossConfig(), [300])

    assert len(check.rows) == 1
    figures = check.rows[0].figures
    assert figures is not None
    assert figures["trades"] == pytest.approx(check.rows[0].orders, abs=2)


def test_without_names_histories_double_up_to_all_there_is() -> None:
    assert [row.history_rows for row in warmup_of(CrossConfig()).rows] == [0, 25, 50, 100, 200, 300]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"start_ns": 0}, "CONF002 start: there is no row before 1970-01-01T00:00:00Z. Give a time inside the data."),
        (
            {"start_ns": BARS.end_ns + 1},
            "CONF002 start: there is no row from 2024-01-26T00:00:00.000000001Z. Give a time inside the data.",
        ),
        (
            {"start_ns": START_NS, "histories": [301]},
            (
                "CONF002 history: 301 is not between 0 and the 300 rows before 2024-01-13T13:00:00Z. "
                "Give fewer rows or a later start."
            ),
        ),
    ],
)
def test_a_period_without_history_is_refused(arguments: dict[str, int], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_warmup(system_of(Cross(CrossConfig())), data=BARS, workers=0, **arguments)  # type: ignore[arg-type]

    assert str(caught.value) == text


def test_a_strategy_that_fails_with_all_history_is_that_error() -> None:
    with pytest.raises(StrategyError, match="asked to"):
        check_warmup(system_of(Fragile(FragileConfig(lookback=7, mode="raise"))), data=BARS, workers=0)


def test_the_state_of_a_compiled_strategy_is_looked_at() -> None:
    strategy = EmaCross(instrument=PAIR, bars="1h", fast=5, slow=20, quantity="1000")

    check = check_warmup(system_of(strategy), data=BARS, start_ns=START_NS, histories=[30], workers=0)

    row = check.rows[0]
    assert row.moved is not None
    assert 0 < abs(row.moved["EmaCross-1.slow"] or 0.0) < 0.01
