"""Rows of one instrument in the shortest form, and what a builder or maker made of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from libra_ray.data.aggregation import BarMaker, BarSpec, TimeBars, make_builder
from libra_ray.messages.schemas import Bar, Quote, Row, RowSpec, Trade
from libra_ray.model.enums import AggressorSide
from libra_ray.model.instruments import Instrument, equity

SECOND_NS = 10**9
ACME = equity("ACME.SIM", quote="USD", tick="0.01", step="1")
TRADES, QUOTES = "data.trades.SIM.ACME", "data.quotes.SIM.ACME"
BUYER, SELLER, NONE = AggressorSide.BUYER, AggressorSide.SELLER, AggressorSide.NONE
_ROWS = RowSpec.of(ACME)

Ohlcv = tuple[int, int, int, int, int]


def trade(ts_ns: int, price_raw: int, qty_raw: int = 1, aggressor: int = NONE) -> Trade:
    """A trade; at the venue one nanosecond before it reached us."""
    return Trade(_ROWS, ts_ns, ts_ns - 1, price_raw, qty_raw, aggressor)


def quote(ts_ns: int, bid_raw: int, ask_raw: int, bid_qty_raw: int = 1, ask_qty_raw: int = 1) -> Quote:
    """A quote."""
    return Quote(_ROWS, ts_ns, ts_ns, bid_raw, ask_raw, bid_qty_raw, ask_qty_raw)


def bar(ts_ns: int, *ohlcv: int, period: str = "1m") -> Bar:
    """A bar of the data."""
    return Bar(RowSpec.of(ACME, period), ts_ns, ts_ns, *ohlcv)


def ohlcv(made: Bar) -> Ohlcv:
    """Its raw numbers."""
    return made.open_raw, made.high_raw, made.low_raw, made.close_raw, made.volume_raw


def stamped(bars: Iterable[Bar]) -> list[tuple[int, Ohlcv]]:
    """Time and numbers of each."""
    return [(made.ts_ns, ohlcv(made)) for made in bars]


def made_by(text: str | BarSpec, rows: Iterable[Row], instrument: Instrument = ACME) -> tuple[list[Bar], int]:
    """The bars that one builder makes of `rows`, and the volume that is in none of them."""
    spec = BarSpec.parse(text) if isinstance(text, str) else text
    builder = make_builder(spec, instrument)
    bars: list[Bar] = []
    for row in rows:
        while isinstance(builder, TimeBars) and builder.next_close_ns < row.ts_ns:
            closed = builder.close(builder.next_close_ns)
            bars += [] if closed is None else [closed]
        bars += builder.on_row(row)
    return bars, builder.rest_raw


def maker_of(*specs: str | BarSpec, topics: Sequence[str] = (TRADES, QUOTES)) -> BarMaker:
    """A maker over ACME's ticks."""
    parsed = [BarSpec.parse(spec) if isinstance(spec, str) else spec for spec in specs]
    return BarMaker(parsed, {ACME.id: ACME}, topics)


def played(maker: BarMaker, rows: Iterable[tuple[str, Row]], until_ns: int) -> Iterator[Bar]:
    """What a maker gives, in order, for (topic, row) up to and including a time: the loop of whoever drives it."""
    for topic, row in rows:
        while maker.next_close_ns < row.ts_ns:
            yield from maker.close_due(maker.next_close_ns)
        yield from maker.before_row(topic, row)
    while maker.next_close_ns <= until_ns:
        yield from maker.close_due(maker.next_close_ns)


def named(bars: Iterable[Bar]) -> list[tuple[str, int, Ohlcv]]:
    """Name, time and numbers of each."""
    return [(made.period, made.ts_ns, ohlcv(made)) for made in bars]


def volumes(bars: Iterable[Bar]) -> list[int]:
    """Volume of each."""
    return [made.volume_raw for made in bars]


def topics_of(rows: Mapping[str, Iterable[Row]]) -> list[tuple[str, Row]]:
    """Rows of several topics as (topic, row), by time, then by topic in the order given."""
    return sorted(((topic, row) for topic, some in rows.items() for row in some), key=lambda entry: entry[1].ts_ns)
