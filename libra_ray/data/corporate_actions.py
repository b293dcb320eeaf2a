"""Prices as if a split had always been, or a dividend never paid: what makes a history comparable with today.

Factors are those of CRSP ("Data Descriptions Guide", chapter on factors to adjust): a split of n for m divides earlier
prices by n / m and multiplies earlier volumes; a dividend d multiplies earlier prices by (p - d) / p, where p is the
last price before it. They are applied backwards, so that the newest prices stay as they were traded.
"""

from decimal import Context, Decimal
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from libra_ray.data.dataset import Stream
from libra_ray.data.times import time_text
from libra_ray.errors import ConfigError, DataError
from libra_ray.messages.rows import RATE_PRECISION
from libra_ray.messages.schemas import BARS, DIVIDENDS, QUOTES, SPLITS, TRADES, Schema
from libra_ray.model.rules.fixed_point import div_half_even

__all__ = ["Adjustment", "adjusted", "adjustments"]

FACTOR_DECIMALS: Final = 12
_UNIT: Final = 10**FACTOR_DECIMALS
_WORK: Final = Context(prec=50)
_PRICES: Final = {BARS: ("open", "high", "low", "close"), TRADES: ("price",), QUOTES: ("bid_px", "ask_px")}
_SIZES: Final = {BARS: ("volume",), TRADES: ("qty",), QUOTES: ("bid_qty", "ask_qty")}
_LAST: Final = {BARS: "close", TRADES: "price", QUOTES: "bid_px"}


class Adjustment(NamedTuple):
    """What rows before a time are multiplied by, all later actions included."""

    before_ns: int
    price: Decimal
    size: Decimal


def adjustments(stream: Stream, *, splits: Stream | None = None, dividends: Stream | None = None) -> list[Adjustment]:
    """The factors of a stream's rows, by time: each holds for rows before its time and from the one before it on.

    Splits come before dividends of the same time. Raises `ConfigError` CONF008 for streams of other types or
    instruments, `DataError` DATA018 for a split of 0 shares, or a dividend that is as large as the price before it or
    has none before it.
    """
    if stream.schema not in _PRICES:
        fix = "Give bars, trades or quotes."
        raise ConfigError("CONF008", None, f"{stream.topic}: {stream.schema.name} are not adjusted", fix)
    steps: list[tuple[int, Decimal, Decimal]] = []
    for row in _rows(stream, splits, SPLITS, ("new_shares", "old_shares")):
        ts_ns, new, old = row
        if new < 1 or old < 1:
            raise _refused(splits, ts_ns, f"{new} shares for {old}", "Correct the split.")
        steps.append((ts_ns, _WORK.divide(Decimal(old), Decimal(new)), _WORK.divide(Decimal(new), Decimal(old))))
    for ts_ns, amount_raw in _rows(stream, dividends, DIVIDENDS, ("amount",)):
        steps.append((ts_ns, _dividend_factor(stream, dividends, ts_ns, amount_raw), Decimal(1)))
    steps.sort(key=lambda step: step[0])
    made: list[Adjustment] = []
    price, size = Decimal(1), Decimal(1)
    for ts_ns, price_factor, size_factor in reversed(steps):
        price, size = _WORK.multiply(price, price_factor), _WORK.multiply(size, size_factor)
        if made and made[-1].before_ns == ts_ns:
            made.pop()
        made.append(Adjustment(ts_ns, price, size))
    return made[::-1]


def adjusted(stream: Stream, *, splits: Stream | None = None, dividends: Stream | None = None) -> Stream:
    """The stream with its prices and sizes multiplied by `adjustments`, at the instrument's own decimals.

    Factors are taken to 12 decimals, numbers rounded half-even; sizes to whole raw units, so that a volume may differ
    by half a unit from an exact one. Rows from the last action on are untouched. O(rows) for each action. Raises as
    `adjustments` does, and `DataError` DATA018 where an adjusted price would be 0.
    """
    factors = adjustments(stream, splits=splits, dividends=dividends)
    if not factors:
        return stream
    names = (*_PRICES[stream.schema], *_SIZES[stream.schema])
    columns = {name: stream.raw(name) for name in stream.schema.names}
    edges = [0, *np.searchsorted(stream.ts_ns, [each.before_ns for each in factors]).tolist()]
    for name in names:
        raw = [int(value) for value in columns[name]] if isinstance(columns[name], list) else np.array(columns[name])
        for factor, (start, stop) in zip(factors, pairwise(edges), strict=True):
            by = factor.price if name in _PRICES[stream.schema] else factor.size
            raw[start:stop] = _times(raw[start:stop], by)
        if name in _PRICES[stream.schema] and not all(raw):
            what = f"an adjusted {name} rounds to 0 at {stream.instrument.price_precision} decimals"
            raise DataError("DATA018", stream.topic, what, "Define the instrument with more decimals.")
        columns[name] = raw
    table = stream.schema.table(stream.instrument, columns, period=stream.period)
    return Stream(stream.schema, stream.instrument, stream.period, table, order_known=True)


def _dividend_factor(stream: Stream, dividends: Stream | None, ts_ns: int, amount_raw: int) -> Decimal:
    place = int(np.searchsorted(stream.ts_ns, ts_ns)) - 1
    if place < 0:
        raise _refused(dividends, ts_ns, "no price before it", "Give prices from before the dividend on.")
    last = Decimal(int(stream.raw(_LAST[stream.schema])[place])).scaleb(-stream.instrument.price_precision)
    amount = Decimal(amount_raw).scaleb(-RATE_PRECISION)
    if not Decimal(0) <= amount < last:
        raise _refused(dividends, ts_ns, f"a dividend of {amount:f} on a price of {last:f}", "Correct the amount.")
    return _WORK.divide(_WORK.subtract(last, amount), last)


def _rows(stream: Stream, actions: Stream | None, schema: Schema, names: tuple[str, ...]) -> list[tuple[int, ...]]:
    """Times and numbers of actions, checked to be of this schema and instrument."""
    if actions is None:
        return []
    if actions.schema is not schema or actions.instrument.id != stream.instrument.id:
        what = f"{actions.topic} are no {schema.name} of {stream.instrument.id}"
        raise ConfigError("CONF008", schema.name, what, f"Give its {schema.name}.", actions.topic)
    columns = [[int(value) for value in actions.raw(name)] for name in ("ts_init_ns", *names)]
    return list(zip(*columns, strict=True))


def _times(raw: "np.ndarray[tuple[int], np.dtype[np.int64]] | list[int]", factor: Decimal):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """Each number times the factor, half-even."""
    scaled = int(_WORK.to_integral_value(_WORK.scaleb(factor, FACTOR_DECIMALS)))
    if isinstance(raw, list) or (len(raw) and int(np.abs(raw).max()) * scaled >= 2**62):
        return [div_half_even(int(value) * scaled, _UNIT) for value in raw]
    quotient, rest = np.divmod(raw * scaled, _UNIT)
    return quotient + ((2 * rest > _UNIT) | ((2 * rest == _UNIT) & (quotient & 1 == 1)))


def _refused(actions: Stream | None, ts_ns: int, what: str, fix: str) -> DataError:
    place = "" if actions is None else f"{actions.topic} {time_text(ts_ns)}"
    return DataError("DATA018", place, what, fix)
