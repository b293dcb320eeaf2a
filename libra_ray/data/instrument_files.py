"""Instruments of files that others keep: CCXT's market dictionaries and LEAN's symbol properties database."""

import csv
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from libra_ray.data.formats.binance_symbols import quote_of
from libra_ray.data.raw_files import RawFile
from libra_ray.errors import ConfigError, DataError, LibraError, quoted
from libra_ray.model.instruments import Instrument, equity, future, pair, perpetual

__all__ = ["instruments_from_ccxt", "instruments_from_file", "instruments_from_lean"]

BYTES_MAX: Final = 1 << 30
LEAN_HEADER: Final = ("market", "symbol", "type", "description", "quote_currency", "contract_multiplier")
TICK_SIZE: Final = 4
DECIMAL_PLACES: Final = 2
DECIMALS_DEFAULT: Final = 8
_MILLISECOND_NS: Final = 10**6
_LEAN_FIELDS: Final = 8
_ALL_SYMBOLS: Final = "[*]"
_INVERSE_MARKETS: Final = ("binance", "bybit")
_LEAN_KINDS: Final = {
    **dict.fromkeys(("crypto", "forex", "cfd"), "pair"),
    "equity": "equity",
    "cryptofuture": "perpetual",
    "future": "future",
}


def instruments_from_file(
    path: str | os.PathLike[str], *, venue: str = "", wanted: Iterable[str] = ()
) -> dict[str, Instrument]:
    """Instruments of a JSON file of CCXT markets or of LEAN's CSV, by id.

    CCXT's markets need a `venue`; `wanted` is for LEAN's rows of all symbols. Raises `ConfigError` CONF002 without a
    venue, `DataError` for another file.
    """
    file = RawFile.check(path, max_decompressed_bytes=BYTES_MAX)
    with file.stream() as stream:
        first = stream.read(1 << 12).lstrip(b"\xef\xbb\xbf \t\r\n")
    if first.startswith((b"{", b"[")):
        if not venue:
            what = "markets of CCXT do not say their venue"
            raise ConfigError("CONF002", file.name, what, "Name the instrument, such as BTCUSDT.BINANCE.")
        return instruments_from_ccxt(path, venue=venue)
    return instruments_from_lean(path, wanted=wanted)


def instruments_from_ccxt(
    markets: Mapping[str, Any] | list[Any] | str | os.PathLike[str], *, venue: str
) -> dict[str, Instrument]:
    """Instruments of `exchange.markets` (a mapping, the list of `fetch_markets`, or a JSON file of one), by id.

    The id is base, quote and, of futures, what follows them, then the venue: `BTCUSDT.BINANCE`, and with both a spot
    market and a swap of that name `BTCUSDT-PERP.BINANCE` for the swap. Options, and markets without a step of price or
    amount, are left out. Raises `DataError` DATA011 for something else than markets, DATA018 for a market whose numbers
    cannot be.
    """
    given: Any = markets
    if isinstance(markets, str | os.PathLike):
        file = RawFile.check(markets, max_decompressed_bytes=BYTES_MAX)
        with file.stream() as stream:
            text = stream.read()
        try:
            given = json.loads(text, parse_float=Decimal)
        except ValueError as error:
            raise DataError("DATA011", file.name, f"is no JSON ({error})", "Save exchange.markets as JSON.") from error
    every = list(given.values()) if isinstance(given, Mapping) else given
    if not isinstance(every, list) or not all(isinstance(market, Mapping) for market in every):
        raise DataError("DATA011", "markets", "are no dictionaries of CCXT", "Give exchange.markets.")
    spot = {_joined(market) for market in every if market.get("spot")}
    made: dict[str, Instrument] = {}
    for market in every:
        one = _of_market(market, venue.upper(), spot)
        if one is not None:
            made[one.id] = one
    return made


def instruments_from_lean(
    path: str | os.PathLike[str], *, market: str | None = None, wanted: Iterable[str] = ()
) -> dict[str, Instrument]:
    """Instruments of LEAN's `symbol-properties-database.csv`, by id; of one market if it is named.

    A row of all symbols of a market (`usa,[*],equity`) defines those `wanted` ids that have no row of their own there,
    such as `SPY.USA`. Rows of options and of indices are left out. The venue is LEAN's market in capitals; a
    perpetual beside a pair of one name is `BTCUSDT-PERP.BINANCE`. Binance counts the smallest order in quote currency,
    others in base currency. Raises `DataError` DATA004 for another header, DATA009 for a number that is none.
    """
    file = RawFile.check(path, max_decompressed_bytes=BYTES_MAX)
    rows = [(line, row) for line, row in _lean_rows(file) if market is None or row[0] == market.lower()]
    pairs = {(row[0], row[1]) for _, row in rows if row[2] == "crypto"}
    ids = list(wanted)
    made: dict[str, Instrument] = {}
    general: dict[str, Instrument] = {}
    for line, row in rows:
        place = f"{file.name}:{line}"
        if row[1] == _ALL_SYMBOLS:
            venue = f".{row[0].upper()}"
            for symbol in (one.removesuffix(venue) for one in ids if one.endswith(venue)):
                one = _of_lean([row[0], symbol, *row[2:]], place, is_second=False)
                if one is not None:
                    general[one.id] = one
            continue
        one = _of_lean(row, place, is_second=row[2] == "cryptofuture" and (row[0], row[1]) in pairs)
        if one is not None:
            made[one.id] = one
    return {**general, **made}


def _joined(market: Mapping[str, Any]) -> str:
    return _plain(f"{market.get('base') or ''}{market.get('quote') or ''}")


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "", text)


def _of_market(market: Mapping[str, Any], venue: str, spot: set[str]) -> Instrument | None:
    """One market, or None for what is no instrument of ours."""
    kinds: dict[str, Callable[..., Instrument]] = {"spot": pair, "swap": perpetual, "future": future}
    kind = str(market.get("type") or "")
    if kind == "margin":
        kind = "spot"
    mode = market.get("precisionMode") or TICK_SIZE
    precision, limits = market.get("precision") or {}, market.get("limits") or {}
    tick, step = (_increment(precision.get(name), mode) for name in ("price", "amount"))
    if kind not in kinds or tick is None or step is None or not market.get("base") or not market.get("quote"):
        return None
    name = _joined(market)
    if kind == "future":
        name = f"{name}-{_plain(str(market.get('symbol') or '').rpartition('-')[2] or str(market.get('id')))}"
    elif kind == "swap" and name in spot:
        name = f"{name}-PERP"
    amount, cost = limits.get("amount") or {}, limits.get("cost") or {}
    inverse = bool(market.get("inverse"))
    more: dict[str, Any] = {
        "quote": str(market["quote"]),
        "tick": tick,
        "step": step,
        "base": str(market["base"]),
        "maker_fee": _text(market.get("maker")) or 0,
        "taker_fee": _text(market.get("taker")) or 0,
        "min_qty": _on_step(amount.get("min"), step),
        "max_qty": _on_step(amount.get("max"), step),
        "min_notional": _text(cost.get("min")) if not inverse else None,
        "raw_symbol": str(market.get("symbol") or ""),
    }
    if kind != "spot":
        more["multiplier"] = _text(market.get("contractSize")) or 1
        more["inverse"] = inverse
        more["settlement"] = str(market.get("settle") or "") or None
    if kind == "future" and market.get("expiry"):
        more["expiration_ns"] = int(market["expiry"]) * _MILLISECOND_NS
    place = str(market.get("symbol") or market.get("id"))
    return _made(kinds[kind], f"{name}.{venue}", place, more)


def _increment(value: object, mode: int) -> str | None:
    """A step of prices or amounts as a decimal; decimal places as the step they mean."""
    text = _text(value)
    if text is None:
        return None
    if int(mode) == DECIMAL_PLACES:
        return _text(Decimal(1).scaleb(-int(Decimal(text))))
    return text if Decimal(text) > 0 else None


def _text(value: object) -> str | None:
    """A number as plain decimal text, without an exponent and zeros at its end; None for no number."""
    if value is None or isinstance(value, bool) or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _on_step(value: object, step: str) -> str | None:
    """A limit of quantities where it is a multiple of the step's decimals; 0 and others are no limit."""
    text = _text(value)
    if text is None or Decimal(text) <= 0:
        return None
    decimals = len(step.partition(".")[2])
    rounded = Decimal(text).quantize(Decimal(1).scaleb(-decimals))
    return f"{rounded:f}" if rounded > 0 else None


def _lean_rows(file: RawFile) -> Iterator[tuple[int, list[str]]]:
    """The rows with their line; the trailing fields that a row leaves out are empty."""
    with file.stream() as stream:
        lines = stream.read().decode("utf-8-sig", "replace").splitlines()
    header = lines[0].split(",") if lines else []
    if tuple(header[: len(LEAN_HEADER)]) != LEAN_HEADER:
        what = "the header is not that of LEAN's symbol properties"
        raise DataError("DATA004", f"{file.name}:1", what, "Give symbol-properties-database.csv.")
    for number, line in enumerate(lines[1:], 2):
        if not line.strip() or line.startswith("#"):
            continue
        row = next(csv.reader([line]))
        if len(row) < _LEAN_FIELDS:
            what = f"{len(row)} fields where a row has at least {_LEAN_FIELDS}: {quoted(line)}"
            raise DataError("DATA011", f"{file.name}:{number}", what, "Correct the line.", line)
        yield number, row + [""] * (len(header) - len(row))


def _of_lean(row: list[str], place: str, *, is_second: bool) -> Instrument | None:
    market, symbol, kind, _, quote, multiplier, tick, step = row[:_LEAN_FIELDS]
    ticker, least = [*row[_LEAN_FIELDS : _LEAN_FIELDS + 2], "", ""][:2]
    if kind not in _LEAN_KINDS:
        return None
    for name, text in (("minimum_price_variation", tick), ("lot_size", step), ("contract_multiplier", multiplier)):
        if _text(text) is None:
            raise DataError("DATA009", place, f"column '{name}': {quoted(text)} is not a finite decimal", "Correct it.")
    tick, step = str(_text(tick)), str(_text(step))
    more: dict[str, Any] = {"quote": quote, "tick": tick, "step": step, "raw_symbol": ticker or symbol}
    made: Callable[..., Instrument] = equity
    if kind != "equity":
        ends = symbol.endswith(quote) and symbol != quote
        more["base"] = symbol.removesuffix(quote) if ends else symbol.removesuffix(quote_of(symbol)) or symbol
        made = {"pair": pair, "perpetual": perpetual, "future": future}[_LEAN_KINDS[kind]]
    if kind in ("future", "cryptofuture"):
        more["multiplier"] = str(_text(multiplier))
    if kind == "future":
        more.pop("base")
    if kind == "cryptofuture" and quote == "USD" and market in _INVERSE_MARKETS:
        more["inverse"] = True
    if _text(least) is not None:
        if market == "binance" and not more.get("inverse"):
            more["min_notional"] = _text(least)
        else:
            more["min_qty"] = _on_step(least, step)
    name = re.sub(r"[^A-Za-z0-9._-]", "", symbol)
    return _made(made, f"{name}{'-PERP' if is_second else ''}.{market.upper()}", place, more) if name else None


def _made(make: Callable[..., Instrument], instrument_id: str, place: str, more: dict[str, Any]) -> Instrument:
    """Build it with what is not None. A currency that is not known has 8 decimals."""
    codes = {str(more[name]) for name in ("base", "quote", "settlement") if more.get(name)}
    given = {name: value for name, value in more.items() if value is not None}
    try:
        return make(instrument_id, currencies=_decimals(codes), **given)
    except LibraError as error:
        raise DataError("DATA018", place, f"{instrument_id}: {error}", "Correct the entry or leave it out.") from error


def _decimals(codes: set[str]) -> dict[str, int]:
    from libra_ray.model.numbers import currency

    unknown = {}
    for code in sorted(codes):
        try:
            currency(code)
        except LibraError:
            unknown[code] = DECIMALS_DEFAULT
    return unknown
