"""A shift that was planted is found wherever it came from; a strategy that knows the past alone is clean."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libra_ray import Dataset, Stream, System, synth
from libra_ray.data import time_text
from libra_ray.data.horizon import horizon
from libra_ray.errors import ConfigError, StrategyError
from libra_ray.sweeps.honesty import check_lookahead
from libra_ray.sweeps.honesty.opened_files import opened_files
from tests.sweeps.peekers import (
    ROWS,
    Clumsy,
    Cross,
    CrossConfig,
    LoadingPeeker,
    Peeker,
    PeekerConfig,
    closes_of,
    system_of,
)
from tests.sweeps.runs import Fragile, FragileConfig, bars

BARS = bars(ROWS)
HOUR_NS = 3_600 * 10**9


def peeking(ahead: int, kind: type[Peeker] = Peeker) -> "type[System]":
    """What makes a system whose signals were computed beforehand, over the data that it is given."""

    def make(data: Dataset) -> System:
        return system_of(kind(PeekerConfig(closes=closes_of(data), ahead=ahead)))

    return make  # type: ignore[return-value]


@pytest.mark.parametrize("ahead", [1, 2, 7])
def test_a_planted_shift_is_found_where_the_signals_are_computed_from_the_data(ahead: int) -> None:
    check = check_lookahead(peeking(ahead), data=BARS, workers=0)

    assert not check.is_clean
    assert len(check.cuts_ns) == 20
    assert {finding.actor_id for finding in check.findings} == {"Peeker-1"}
    assert all(finding.ts_ns <= finding.cut_ns < finding.ts_ns + ahead * HOUR_NS for finding in check.findings)


@pytest.mark.parametrize("ahead", [0, -1, -5])
def test_signals_that_look_back_are_clean(ahead: int) -> None:
    check = check_lookahead(peeking(ahead), data=BARS, workers=0)

    assert (check.is_clean, check.findings) == (True, ())
    assert check.orders == 1 if ahead == 0 else check.orders > 40


def test_a_strategy_that_loads_the_data_by_itself_is_found() -> None:
    system = system_of(LoadingPeeker(PeekerConfig(ahead=1)))

    check = check_lookahead(system, data=BARS, cuts=6, workers=0)

    first = check.findings[0]
    assert first.ts_ns == first.cut_ns
    assert first.actor_id == "LoadingPeeker-1"
    assert first.sentence().startswith(f"with all data: {time_text(first.ts_ns)} LoadingPeeker-1 OrderInitialized ")
    assert first.sentence().endswith(f"; without what comes after {time_text(first.cut_ns)}: nothing happened")


def test_a_strategy_that_falls_over_the_end_is_found_by_its_fault() -> None:
    data = BARS
    closes = closes_of(data)

    def make(known: Dataset) -> System:
        # One more close than the whole run has bars, so that it alone ends well.
        given = (*closes, closes[-1]) if known.rows == data.rows else closes_of(known)
        return system_of(Clumsy(PeekerConfig(closes=given, ahead=1)))

    check = check_lookahead(make, data=data, cuts=5, workers=0)

    assert len(check.findings) == 5
    assert "STRAT001 peekers.py" in (check.findings[0].shortened or "")
    assert "IndexError" in (check.findings[0].shortened or "")


def test_what_is_done_on_stop_is_not_held_against_a_strategy() -> None:
    check = check_lookahead(system_of(Cross(CrossConfig())), data=BARS, workers=0)

    assert (check.is_clean, len(check.cuts_ns)) == (True, 20)


@settings(max_examples=12)
@given(lookback=st.integers(2, 40), cuts=st.integers(1, 8), rows=st.integers(2, 120))
def test_no_cut_changes_what_a_plain_strategy_did_before(lookback: int, cuts: int, rows: int) -> None:
    check = check_lookahead(system_of(Fragile(FragileConfig(lookback=lookback))), data=bars(rows), cuts=cuts, workers=0)

    assert check.is_clean
    assert len(check.cuts_ns) == min(cuts, rows - 1)
    assert check.cuts_ns == tuple(sorted(set(check.cuts_ns)))


def test_most_cuts_lie_at_orders() -> None:
    check = check_lookahead(system_of(Fragile(FragileConfig(lookback=7))), data=BARS, cuts=10, workers=0)

    # The first bar closes at hour 1 of the data, and every seventh bar has an order.
    start = BARS.start_ns
    assert sum((cut - start) // HOUR_NS % 7 == 6 for cut in check.cuts_ns) >= 7


def test_a_run_that_fails_by_itself_is_that_error() -> None:
    with pytest.raises(StrategyError, match="asked to"):
        check_lookahead(system_of(Fragile(FragileConfig(lookback=7, mode="raise"))), data=BARS, workers=0)


def test_no_cut_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^CONF002 cuts: 0 is below 1\. Give at least 1\.$"):
        check_lookahead(system_of(Cross(CrossConfig())), data=BARS, cuts=0)


def test_inside_a_horizon_streams_end_there_whoever_makes_them() -> None:
    (stream,) = BARS.streams
    end_ns = int(stream.ts_ns[10])
    with horizon(end_ns):
        (made,) = synth("bars", stream.instrument, rows=ROWS, period="1h", price="1.1", seed=3).streams
        with horizon(end_ns + HOUR_NS):
            cut = Stream(stream.schema, stream.instrument, stream.period, stream.table)

    assert (made.rows, cut.rows, stream.rows) == (10, 10, ROWS)
    assert made.digest == cut.digest == stream.rows_between(0, 10).digest


def test_files_that_code_opens_are_seen_but_not_its_own_text(tmp_path: Path) -> None:
    (tmp_path / "bars.csv").write_text("close\n1\n")
    (tmp_path / "mine.py").write_text("")

    with opened_files() as files:
        (tmp_path / "bars.csv").read_text()
        (tmp_path / "mine.py").read_text()
        (tmp_path / "bars.csv").read_text()
        Path("/proc/self/status").read_text()
    (tmp_path / "bars.csv").read_text()

    assert files == [str(tmp_path / "bars.csv")]
