"""`[[instrument]]`: definitions of instruments, and changes to those that the data brings."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from libra_ray.config import ConfigSource
from libra_ray.data import Dataset, Stream
from libra_ray.errors import ConfigError, did_you_mean, quoted
from libra_ray.model.identifiers import check_instrument_id
from libra_ray.model.instruments import Instrument, equity, future, pair, perpetual
from libra_ray.model.numbers import CURRENCY_DECIMALS, Rate, parse_decimal
from libra_ray.simulation.run_settings import InstrumentSettings

__all__ = ["default_instrument", "defined_instruments", "with_changes"]

MAKERS: Final[Mapping[str, Callable[..., Instrument]]] = {
    "pair": pair,
    "equity": equity,
    "future": future,
    "perpetual": perpetual,
}
RATES: Final = ("multiplier", "margin_init", "margin_maint", "maker_fee", "taker_fee")
CODE_CHARS: Final = 3


def defined_instruments(entries: Sequence[InstrumentSettings], source: ConfigSource) -> dict[str, Instrument]:
    """The instruments whose entry has a `kind`. Raises `ConfigError`, `DataError` DATA012."""
    return {entry.id: _made(entry, source, index) for index, entry in enumerate(entries) if entry.kind is not None}


def default_instrument(instrument_id: str) -> Instrument:
    """What an id alone says: six letters of two known currencies are an FX pair, anything else a share in USD.

    For synthetic data and trials; real instruments are defined with their real tick and step.
    """
    symbol = check_instrument_id(instrument_id).rpartition(".")[0]
    base, quote = symbol[:CODE_CHARS], symbol[CODE_CHARS:]
    if base in CURRENCY_DECIMALS and quote in CURRENCY_DECIMALS:
        tick = "0.001" if CURRENCY_DECIMALS[quote] == 0 else "0.00001"
        return pair(instrument_id, base=base, quote=quote, tick=tick, step="1")
    return equity(instrument_id, quote="USD")


def with_changes(
    made: Dataset, entries: Sequence[InstrumentSettings], defined: Mapping[str, Instrument], source: ConfigSource
) -> Dataset:
    """The dataset with the file's instruments in place of its own; the decimals of the data stay.

    Raises `ConfigError`: CONF008 for changes to an instrument without data, CONF002 where decimals would change.
    """
    instruments = dict(made.instruments)
    for index, entry in enumerate(entries):
        known = made.instruments.get(entry.id)  # type: ignore[call-overload]  # an id is text
        if known is None:
            if entry.kind is None:
                fix = did_you_mean(entry.id, list(made.instruments)) or "Give its kind to define it."
                place = source.place("instrument", index, "id")
                raise ConfigError("CONF008", place, f"{quoted(entry.id)} has no data", fix, entry.id)
            continue
        changed = defined[entry.id] if entry.kind is not None else _changed(known, entry, source, index)
        if (changed.price_precision, changed.size_precision) != (known.price_precision, known.size_precision):
            what = f"tick or step of {quoted(entry.id)} have other decimals than its data"
            raise ConfigError("CONF002", source.place("instrument", index), what, "Import the data again with them.")
        instruments[known.id] = changed
    if all(instruments[name] is instrument for name, instrument in made.instruments.items()):
        return made
    return Dataset(
        Stream(each.schema, instruments[each.instrument.id], each.period, each.table, order_known=True)
        for each in made.streams
    )


def _made(entry: InstrumentSettings, source: ConfigSource, index: int) -> Instrument:
    facts = {name: value for name, value in _given(entry).items() if name not in ("id", "kind")}
    needed = {"quote"} | ({"base", "tick", "step"} if entry.kind == "pair" else set())
    needed |= {"tick"} if entry.kind == "future" else {"tick", "step"} if entry.kind == "perpetual" else set()
    for name in sorted(needed - set(facts)):
        raise ConfigError("CONF002", source.place("instrument", index, name), "no value given", "Add the key.")
    for name in ("activation", "expiration"):
        if name in facts:
            facts[f"{name}_ns"] = facts.pop(name)
    try:
        with source.located("instrument", index, always=True):
            return MAKERS[str(entry.kind)](entry.id, **facts)
    except TypeError as error:
        what = f"a {entry.kind} does not take all of {', '.join(facts)}"
        raise ConfigError("CONF002", source.place("instrument", index), what, "Remove what does not apply.") from error


def _changed(known: Instrument, entry: InstrumentSettings, source: ConfigSource, index: int) -> Instrument:
    """`known` with what the entry gives; kinds and currencies stay."""
    changes: dict[str, Any] = {}
    for name, value in _given(entry).items():
        place = source.place("instrument", index, name)
        if name in ("base", "quote", "settlement", "inverse"):
            raise ConfigError("CONF002", place, "given without a kind", "Give the kind to define the instrument anew.")
        if name in RATES:
            changes[name] = Rate.parse(value)
        elif name in ("activation", "expiration"):
            changes[f"{name}_ns"] = value
        elif name == "negative_prices":
            changes[name] = value
        elif name != "id":
            decimals = _decimals(known, name)
            raw, scale = parse_decimal(value)
            if scale > decimals:
                what = f"{quoted(value)} has more than {decimals} decimals"
                raise ConfigError("CONF002", place, what, "Correct the value.", value)
            changes[f"{name}_raw"] = raw * 10 ** (decimals - scale)
    return msgspec.structs.replace(known, **changes)


def _decimals(known: Instrument, name: str) -> int:
    """The decimals in which an instrument keeps that limit."""
    if name == "tick":
        return known.price_precision
    return known.quote.precision if name.endswith("notional") else known.size_precision


def _given(entry: InstrumentSettings) -> dict[str, Any]:
    """What the entry says, in the order of its keys."""
    return {name: getattr(entry, name) for name in InstrumentSettings.model_fields if name in entry.model_fields_set}
