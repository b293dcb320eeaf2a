"""What holds for all bars: no volume is lost or made, batches do not matter, windows are a plain group-by."""

from collections.abc import Sequence
from itertools import groupby, pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from libra_ray.data.aggregation import BarSpec
from libra_ray.messages.schemas import Bar, Trade
from libra_ray.model.instruments import equity
from tests.data.aggregation_rows import NONE, TRADES, Ohlcv, made_by, maker_of, played, stamped, trade

S = 10**9
COARSE = equity("ACME.SIM", quote="USD", tick="0.05", step="0.25")

trades = st.lists(
    st.builds(
        trade,
        st.integers(0, 20 * S),
        st.integers(1, 400),
        st.integers(0, 60),
        st.integers(0, 2),
    ),
    max_size=60,
).map(lambda rows: sorted(rows, key=lambda row: row.ts_ns))
steps = st.sampled_from(
    [
        *("ACME.SIM-2s-LAST", "ACME.SIM-500ms-LAST", "ACME.SIM-1mo-LAST"),
        *("ACME.SIM-1-TICK-LAST", "ACME.SIM-7-TICK-LAST"),
        *("ACME.SIM-1-VOLUME-LAST", "ACME.SIM-13-VOLUME-LAST", "ACME.SIM-0.75-VOLUME-LAST"),
        *("ACME.SIM-0.5-VALUE-LAST", "ACME.SIM-11-VALUE-LAST", "ACME.SIM-900-VALUE-LAST"),
        *("ACME.SIM-1-IMBALANCE-LAST", "ACME.SIM-3-IMBALANCE-LAST"),
        *("ACME.SIM-1-RUNS-LAST", "ACME.SIM-4-RUNS-LAST"),
        *("ACME.SIM-1-RENKO-LAST", "ACME.SIM-20-RENKO-LAST"),
    ]
)


def volume(rows: Sequence[Trade]) -> int:
    return sum(row.qty_raw for row in rows)


@given(rows=trades, text=steps)
def test_the_bars_and_the_rest_hold_exactly_what_was_traded(rows: list[Trade], text: str) -> None:
    bars, rest_raw = made_by(text, rows, COARSE)

    assert sum(bar.volume_raw for bar in bars) + rest_raw == volume(rows)


@given(rows=trades, text=steps)
def test_the_bars_of_a_beginning_are_the_beginning_of_the_bars(rows: list[Trade], text: str) -> None:
    whole, _ = made_by(text, rows, COARSE)

    for end in range(len(rows)):
        part, _ = made_by(text, rows[:end], COARSE)
        assert part == whole[: len(part)]


@given(rows=trades, text=steps)
def test_prices_of_a_bar_lie_between_its_low_and_its_high(rows: list[Trade], text: str) -> None:
    bars, _ = made_by(text, rows, COARSE)

    assert all(bar.low_raw <= min(bar.open_raw, bar.close_raw) for bar in bars)
    assert all(bar.high_raw >= max(bar.open_raw, bar.close_raw) for bar in bars)
    assert all(one.ts_ns <= other.ts_ns for one, other in pairwise(bars))


@given(rows=trades, step=st.integers(1, 90))
def test_volume_bars_hold_one_step_each(rows: list[Trade], step: int) -> None:
    bars, rest_raw = made_by(f"ACME.SIM-{step}-VOLUME-LAST", rows)

    assert {bar.volume_raw for bar in bars} <= {step}
    assert rest_raw == volume(rows) % step


@given(rows=trades, cents=st.integers(1, 5_000))
@example(rows=[trade(1, 3, 50)], cents=1)
def test_a_value_bar_reaches_its_step_within_one_size_step(rows: list[Trade], cents: int) -> None:
    """Replayed piece by piece: without the last size step of its last trade each bar would fall short."""
    spec = BarSpec("ACME.SIM", "VALUE", f"{cents / 100:.2f}", "LAST")
    left = [[row.price_raw, row.qty_raw] for row in rows]

    bars, _ = made_by(spec, rows)

    for bar in bars:
        value_raw, wanted_raw = 0, bar.volume_raw
        while wanted_raw:
            if left[0][1] == 0:
                left.pop(0)
                continue
            part_raw = min(wanted_raw, left[0][1])
            value_raw, wanted_raw = value_raw + left[0][0] * part_raw, wanted_raw - part_raw
            left[0][1] -= part_raw
        assert cents <= value_raw < cents + bar.close_raw


@given(rows=trades, offset_ns=st.integers(-S, S), build_empty=st.booleans())
def test_windows_of_time_are_a_group_by(rows: list[Trade], offset_ns: int, build_empty: bool) -> None:  # noqa: FBT001
    def end_ns(row: Trade) -> int:
        return -(-(row.ts_ns - offset_ns) // (2 * S)) * 2 * S + offset_ns

    expected: list[tuple[int, Ohlcv]] = []
    for close_ns, group in groupby(rows, key=end_ns):
        some = list(group)
        prices = [row.price_raw for row in some]
        numbers = (prices[0], max(prices), min(prices), prices[-1], volume(some))
        while build_empty and expected and expected[-1][0] + 2 * S < close_ns:
            close_raw = expected[-1][1][3]
            expected.append((expected[-1][0] + 2 * S, (close_raw, close_raw, close_raw, close_raw, 0)))
        expected.append((close_ns, numbers))

    spec = BarSpec("ACME.SIM", "SECOND", 2, "LAST", build_empty=build_empty, offset_ns=offset_ns)
    bars, _ = made_by(spec, rows)

    assert stamped(bars) == [entry for entry in expected if entry[0] < rows[-1].ts_ns] if rows else bars == []


@given(rows=trades)
def test_large_windows_made_of_small_ones_are_those_made_of_ticks(rows: list[Trade]) -> None:
    maker = maker_of("ACME.SIM-500ms-LAST", "ACME.SIM-2s-500ms-LAST", BarSpec("ACME.SIM", "SECOND", 2, "LAST"))

    bars: dict[str, list[Bar]] = {}
    for bar in played(maker, [(TRADES, row) for row in rows], until_ns=20 * S):
        bars.setdefault(bar.period, []).append(bar)

    assert stamped(bars.get("2s-500ms-LAST", [])) == stamped(bars.get("2s-LAST", []))


@given(rows=trades, height=st.integers(1, 50))
def test_bricks_join_end_to_end_and_stay_within_one_of_the_price(rows: list[Trade], height: int) -> None:
    bars, _ = made_by(f"ACME.SIM-{height}-RENKO-LAST", rows)

    level = rows[0].price_raw if rows else 0
    assert all(one.close_raw == other.open_raw for one, other in pairwise(bars))
    assert all(abs(bar.close_raw - bar.open_raw) == height for bar in bars)
    assert abs((bars[-1].close_raw if bars else level) - (rows[-1].price_raw if rows else 0)) < height


@given(rows=trades, trades_per_bar=st.integers(1, 6))
def test_a_bar_of_runs_has_n_of_one_side_and_fewer_of_the_other(rows: list[Trade], trades_per_bar: int) -> None:
    """Each row trades a power of two, so that a bar's volume says which rows are in it."""
    marked = [trade(row.ts_ns, row.price_raw, 1 << place, row.aggressor) for place, row in enumerate(rows)]

    bars, _ = made_by(f"ACME.SIM-{trades_per_bar}-RUNS-LAST", marked)

    for bar in bars:
        sides = [row.aggressor for row in marked if row.qty_raw & bar.volume_raw and row.aggressor != NONE]
        counts = sorted([sides.count(1), sides.count(2)])
        assert counts[0] < counts[1] == trades_per_bar == sides.count(sides[-1])
