"""An instrument as plain JSON values and back, exactly: integers stay integers, and nothing is left out."""

from typing import Any

import msgspec

from libra_ray.errors import DataError
from libra_ray.model.instruments import Instrument

__all__ = ["instrument_from_json", "instrument_to_json"]


def instrument_to_json(instrument: Instrument) -> dict[str, Any]:
    """Every fact of the instrument as JSON values; equal instruments give equal dictionaries."""
    facts: dict[str, Any] = msgspec.to_builtins(instrument)
    return facts


def instrument_from_json(facts: dict[str, Any], *, place: str | None = None) -> Instrument:
    """The instrument that `instrument_to_json` was given. Raises `DataError` DATA011 for anything else."""
    try:
        return msgspec.convert(facts, Instrument)
    except msgspec.ValidationError as error:
        fix = "The file was not written by this version; import the data again."
        raise DataError("DATA011", place, f"instrument facts unreadable ({error})", fix) from error
