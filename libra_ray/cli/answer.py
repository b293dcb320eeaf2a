"""What a command answers: one document for programs, and the same facts for people."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from libra_ray.errors import LibraError

__all__ = ["Answer", "error_document", "json_text"]


@dataclass(frozen=True)
class Answer:
    """`document` is printed with `--json`, `show` writes to stdout without it; `exit_code` 1: the job failed."""

    document: Mapping[str, Any]
    show: Callable[[TextIO], None]
    exit_code: int = 0


def error_document(error: LibraError) -> dict[str, Any]:
    """The JSON form of an error, with all that were found together with it."""
    return {"error": {**_facts(error), "more": [_facts(one) for one in error.more]}}


def json_text(document: object) -> str:
    """One line of JSON; figures that are not finite are null, decimals are text, what is no UTF-8 is escaped."""
    text = json.dumps(_plain(document), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _facts(error: LibraError) -> dict[str, Any]:
    names = ("code", "family", "place", "value", "message", "fix", "exit_code")
    return {name: getattr(error, name) for name in names}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (Decimal, Path)):
        return str(value)
    item = getattr(value, "item", None)
    return _plain(item()) if callable(item) else value
