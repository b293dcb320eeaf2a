"""A run file as a system and data."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.config.times import time_ns
from libra_ray.errors import ConfigError
from libra_ray.model.instruments import equity, pair
from libra_ray.model.numbers import Rate
from libra_ray.simulation.run_config import LoadedRun, load_run
from libra_ray.simulation.run_data import stream_of
from libra_ray.simulation.run_instruments import default_instrument
from libra_ray.simulation.strategy_import import import_actor
from libra_ray.strategy import Strategy

HEAD = """\
[run]
name = "trial"
seed = 7

[[venue]]
name = "SIM"
balances = ["100_000 USD"]

[strategy]
path = "still.Still"
"""
SYNTH = '\n[data.synth]\ninstrument = "EURUSD.SIM"\nrows = 48\nprice = "1.1"\n'
STILL = "from libra_ray import Strategy\n\n\nclass Still(Strategy):\n    pass\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "still.py").write_text(STILL)
    return tmp_path


def loaded(folder: Path, text: str, **environment: str) -> LoadedRun:
    (folder / "run.toml").write_text(text)
    return load_run(folder / "run.toml", environment=environment)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        _ = loaded(folder, text).data
    return caught.value.message


def test_a_file_gives_the_system_and_the_data(folder: Path) -> None:
    run = loaded(folder, HEAD + SYNTH + "\n[risk]\nmax_open_orders = 3\n")

    assert (run.system.name, run.system.seed) == ("trial", 7)
    assert [(entry.actor_id, entry.cls.__name__) for entry in run.system.actors] == [("Still-1", "Still")]
    assert [venue.balances for venue in run.system.venues] == [["100_000 USD"]]
    assert run.system.risk_settings.max_open_orders == 3
    assert [(stream.topic, stream.rows) for stream in run.data] == [("data.bars.EURUSD.SIM-1h", 48)]


def test_the_end_of_a_run_is_not_included(folder: Path) -> None:
    text = HEAD.replace("seed = 7", "start = 2024-01-01T02:00:00Z\nend = 2024-01-02") + SYNTH

    data = loaded(folder, text).data

    hour_ns, day_ns = 3_600 * 10**9, 19_723 * 86_400 * 10**9
    assert (data.start_ns, data.end_ns, data.rows) == (day_ns + 2 * hour_ns, day_ns + 23 * hour_ns, 22)


def test_streams_have_the_seed_of_the_run_unless_they_have_their_own(folder: Path) -> None:
    first = loaded(folder, HEAD + SYNTH).data.digest
    other = loaded(folder, HEAD.replace("seed = 7", "seed = 8") + SYNTH).data.digest
    own = loaded(folder, HEAD.replace("seed = 7", "seed = 8") + SYNTH + "seed = 7\n").data.digest

    assert first == own != other


def test_an_instrument_table_changes_what_the_data_brings(folder: Path) -> None:
    changes = '\n[[instrument]]\nid = "EURUSD.SIM"\nmargin_init = "0.05"\nmin_qty = 1000\ntick = "0.00005"\n'

    made = loaded(folder, HEAD + SYNTH + changes).data.instruments

    known = made["EURUSD.SIM"]  # type: ignore[index]  # an id is text
    assert (known.margin_init, known.min_qty_raw, known.tick_raw) == (Rate(5, 100), 1_000, 5)
    assert known.base is not None


def test_an_instrument_with_a_kind_is_a_definition(folder: Path) -> None:
    definition = '\n[[instrument]]\nid = "EURUSD.SIM"\nkind = "equity"\nquote = "USD"\ntick = "0.0001"\nstep = 1\n'

    made = loaded(folder, HEAD + SYNTH + definition).data.instruments

    assert list(made.values()) == [equity("EURUSD.SIM", quote="USD", tick="0.0001", step=1)]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            'id = "EURUSX.SIM"\ntick = "0.1"',
            "CONF008 run.toml:18 instrument.0.id: 'EURUSX.SIM' has no data. Did you mean 'EURUSD.SIM'?",
        ),
        (
            'id = "EURUSD.SIM"\ntick = "0.000001"',
            "CONF002 run.toml:19 instrument.0.tick: '0.000001' has more than 5 decimals. Correct the value.",
        ),
        (
            'id = "EURUSD.SIM"\nquote = "USD"',
            (
                "CONF002 run.toml:19 instrument.0.quote: given without a kind. "
                "Give the kind to define the instrument anew."
            ),
        ),
        (
            'id = "EURUSD.SIM"\nkind = "pair"\nquote = "USD"\nbase = "EUR"\ntick = "0.01"',
            "CONF002 run.toml:17 instrument.0.step: no value given. Add the key.",
        ),
        (
            'id = "EURUSD.SIM"\nkind = "equity"\nquote = "USD"\nstep = 1',
            (
                "CONF002 run.toml:17 instrument.0: tick or step of 'EURUSD.SIM' have other decimals than its data. "
                "Import the data again with them."
            ),
        ),
    ],
)
def test_a_wrong_instrument_has_its_place(folder: Path, table: str, message: str) -> None:
    text = HEAD + SYNTH + f"\n[[instrument]]\n{table}\n"
    if "other decimals" in message:
        text = text.replace("synth", "sample").replace(
            SYNTH.replace("synth", "sample"), '\n[data]\nsample = ["IBM.XNYS"]\n'
        )
        text = text.replace("EURUSD.SIM", "IBM.XNYS")
        message = message.replace("EURUSD.SIM", "IBM.XNYS").replace(":17", ":15")

    assert refusal(folder, text) == message


def test_two_strategies_of_one_id_are_refused(folder: Path) -> None:
    twice = HEAD.replace("[strategy]", "[[strategy]]\nid = 'A'") + '\n[[strategy]]\nid = "A"\npath = "still.Still"\n'

    assert refusal(folder, twice + SYNTH) == (
        "CONF007 run.toml:14 strategy.1.id: 'A' names two of [[strategy]]. Rename one."
    )


def test_a_module_of_another_folder_with_the_same_name_is_not_mistaken(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "twin.py").write_text(STILL.replace("Still", name.capitalize()))

    for name in ("first", "second", "first"):
        found = import_actor(f"twin.{name.capitalize()}", Strategy, folder=tmp_path / name)
        assert found.__name__ == name.capitalize()


@pytest.mark.parametrize(
    ("source", "path", "message"),
    [
        ("", "gone.Strat", "CONF003 module 'gone' not found (gone.Strat). Searched: strategies, src."),
        (
            "import no_lib",
            "bad.Strat",
            "CONF003 module 'bad' needs 'no_lib', which is not installed (bad.Strat). Install no_lib.",
        ),
        (
            "1 / 0",
            "bad.Strat",
            "CONF003 module 'bad' does not import: division by zero (bad.py:1). Correct the module.",
        ),
        ("x = 1", "bad.Strat", "CONF003 module 'bad' has no 'Strat'."),
        ("Strat = 5", "bad.Strat", "CONF004 'bad.Strat' is not a Strategy."),
        ("", "Strat", "CONF003 'Strat' is not module.Class. Write for example \"my_strategies.EmaCross\"."),
    ],
    ids=["missing", "needs", "raises", "no class", "no strategy", "form"],
)
def test_what_cannot_be_imported_is_said_in_one_line(tmp_path: Path, source: str, path: str, message: str) -> None:
    (tmp_path / "bad.py").write_text(source)

    with pytest.raises(ConfigError) as caught:
        import_actor(path, Strategy, folder=tmp_path)

    assert caught.value.message == message


@given(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)), st.integers(-23, 23))  # noqa: DTZ001  # a zone is added
def test_a_time_is_the_same_as_text_value_and_nanoseconds(naive: datetime, hours: int) -> None:
    moment = naive.replace(tzinfo=UTC)
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000
    shifted = moment + timedelta(hours=hours)

    assert time_ns(moment) == time_ns(moment.isoformat()) == expected
    assert time_ns(shifted) - time_ns(moment) == hours * 3_600 * 10**9


def test_a_date_is_midnight_utc() -> None:
    assert time_ns(date(2024, 1, 1)) == time_ns("2024-01-01") == 1_704_067_200 * 10**9
    assert time_ns(5) == time_ns("5") == 5


def test_an_id_alone_says_pair_or_share() -> None:
    assert default_instrument("EURUSD.SIM") == pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")
    assert default_instrument("AAPL.XNAS") == equity("AAPL.XNAS", quote="USD")


def test_a_stream_is_named_by_type_instrument_and_period() -> None:
    schema, instrument_id, period = stream_of("bars AAPL.XNAS 1d")

    assert (schema.name, instrument_id, period) == ("bars", "AAPL.XNAS", "1d")
    for label in ("bars AAPL.XNAS", "quotes AAPL.XNAS 1d", "candles AAPL.XNAS", ""):
        with pytest.raises(ConfigError):
            stream_of(label)
