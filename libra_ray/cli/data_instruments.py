"""Which instrument a file is of: as options, definitions, a run file or the catalog have it, or by its id alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from libra_ray.errors import ConfigError, did_you_mean, quoted

if TYPE_CHECKING:
    from libra_ray.config import ConfigSource
    from libra_ray.data import Catalog
    from libra_ray.data.formats.frames import Frame
    from libra_ray.model.instruments import Instrument

__all__ = ["choose_instrument", "known_instruments", "named_instrument"]


def known_instruments(
    path: Path | None, instrument_id: str | None, frames: "Sequence[Frame]"
) -> "Mapping[str, Instrument]":
    """The definitions in a file of CCXT's markets (JSON) or of LEAN's symbol properties (CSV), by id.

    Where LEAN defines all symbols of a market, the instrument that was named and those of `frames` are among them.
    """
    if path is None:
        return {}
    from libra_ray.data.instrument_files import instruments_from_file
    from libra_ray.model.identifiers import instrument_venue

    wanted = [frame.hint.instrument_id for frame in frames] if instrument_id is None else [instrument_id]
    return instruments_from_file(path, venue=instrument_venue(instrument_id or ""), wanted=wanted)


def choose_instrument(
    instrument_id: str | None,
    frame: "Frame",
    definition: Mapping[str, str],
    known: "Mapping[str, Instrument]",
    source: "ConfigSource",
    target: "Catalog",
    *,
    required: bool,
) -> "Instrument | None":
    """The instrument that was named, else the one that the file speaks of. None, or CONF002, where neither is known."""
    name = instrument_id or _name_of(frame, known)
    if not name:
        if not required:
            return None
        fix = "Write for example --instrument EURUSD.SIM."
        raise ConfigError("CONF002", "--instrument", "the file does not say of what instrument it is", fix)
    if name in known and not definition:
        return known[name]
    hint = frame.hint
    if instrument_id is not None or (not definition and _defined(name, source, target) is not None):
        return named_instrument(name, dict(definition), source, target)
    guessed = {"kind": hint.kind, "base": hint.base, "quote": hint.quote}
    given: dict[str, Any] = {**{key: text for key, text in guessed.items() if text}, **definition}
    if hint.inverse and given.get("kind") == "perpetual":
        given["inverse"] = True
    if {"tick", "step"} <= given.keys():
        return named_instrument(name, given, source, target)
    if not required:
        return None
    what = f"{quoted(name)}, of which the file is, is not defined"
    raise ConfigError("CONF002", "--instrument", what, "Use --tick and --step, or --instruments FILE.", name)


def _name_of(frame: "Frame", known: "Mapping[str, Instrument]") -> str:
    """The id of the file's own instrument; a perpetual beside a pair of its name is known as `SYMBOL-PERP.VENUE`."""
    hint = frame.hint
    second = f"{hint.symbol}-PERP.{hint.venue}"
    return second if hint.kind == "perpetual" and second in known else hint.instrument_id


def named_instrument(
    instrument_id: str, definition: dict[str, Any], source: "ConfigSource", target: "Catalog"
) -> "Instrument":
    """As the options define it, the file, the catalog, or by its id alone."""
    from libra_ray.model.identifiers import check_instrument_id
    from libra_ray.simulation.run_instruments import MAKERS, default_instrument

    check_instrument_id(instrument_id)
    if definition:
        guessed = default_instrument(instrument_id)
        kind = definition.pop("kind", guessed.kind)
        if kind not in MAKERS:
            raise ConfigError(
                "CONF002", "--kind", f"{quoted(kind)} is not a kind", did_you_mean(kind, list(MAKERS)), kind
            )
        facts: dict[str, Any] = {"quote": str(guessed.quote), "tick": str(guessed.price_increment)}
        facts["step"] = str(guessed.size_increment)
        if guessed.base is not None:
            facts["base"] = str(guessed.base)
        facts |= definition
        if kind == "equity":
            facts.pop("base", None)
        return MAKERS[kind](instrument_id, **facts)
    return _defined(instrument_id, source, target) or default_instrument(instrument_id)


def _defined(instrument_id: str, source: "ConfigSource", target: "Catalog") -> "Instrument | None":
    """As the run file or the catalog has it."""
    from libra_ray.config import read_part
    from libra_ray.simulation.run_instruments import defined_instruments
    from libra_ray.simulation.run_settings import InstrumentTables

    tables = read_part(InstrumentTables, source, (), lambda: InstrumentTables.model_validate(source.data))
    defined = defined_instruments(tables.instrument, source)
    if instrument_id in defined:
        return defined[instrument_id]
    known = {entry.instrument_id for entry in target.ls()}
    return target.instrument(instrument_id) if instrument_id in known else None
