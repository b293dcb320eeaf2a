"""What a compiled handler sees of a row: the attributes of the row views that are numbers."""

from typing import Final, NamedTuple

__all__ = ["ROWS", "BarValues", "QuoteValues", "RowForm", "TradeValues"]


class BarValues(NamedTuple):
    """A bar."""

    ts_ns: int
    ts_event_ns: int
    open_raw: int
    high_raw: int
    low_raw: int
    close_raw: int
    volume_raw: int
    open_f: float
    high_f: float
    low_f: float
    close_f: float
    volume_f: float


class QuoteValues(NamedTuple):
    """A quote, or the best prices of a book and what is shown there."""

    ts_ns: int
    ts_event_ns: int
    bid_px_raw: int
    ask_px_raw: int
    bid_qty_raw: int
    ask_qty_raw: int
    bid_px_f: float
    ask_px_f: float


class TradeValues(NamedTuple):
    """A trade."""

    ts_ns: int
    ts_event_ns: int
    price_raw: int
    qty_raw: int
    aggressor: int
    price_f: float
    qty_f: float


class RowForm(NamedTuple):
    """A kind of rows: its values, the schema's name, and the raw columns that they are made of.

    `floats`: of each float attribute the raw column and whether it is a price, in the order of the values.
    """

    values: type[tuple[float, ...]]
    schema: str
    columns: tuple[str, ...]
    floats: tuple[tuple[str, bool], ...]


_TOP: Final = (("bid_px", "ask_px", "bid_qty", "ask_qty"), (("bid_px", True), ("ask_px", True)))
_OHLC: Final = (("open", True), ("high", True), ("low", True), ("close", True))
ROWS: Final = {
    "on_bar": RowForm(BarValues, "bars", ("open", "high", "low", "close", "volume"), (*_OHLC, ("volume", False))),
    "on_quote": RowForm(QuoteValues, "quotes", *_TOP),
    "on_book": RowForm(QuoteValues, "book_deltas", *_TOP),
    "on_trade": RowForm(TradeValues, "trades", ("price", "qty", "aggressor"), (("price", True), ("qty", False))),
}
"""By the hook that is given them."""
