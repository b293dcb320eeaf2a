"""Reading a scenario file: its form, and what no form can say of names and of the order of rows."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from pydantic import ValidationError

from libra_ray.config import errors_of, first_of
from libra_ray.errors import ConfigError, DataError, did_you_mean, quoted
from libra_ray.testing.scenario_form import (
    INSTRUMENT_AT,
    AlertOp,
    BracketOp,
    CancelOp,
    CloseOp,
    ModifyOp,
    OrderForm,
    ScenarioForm,
    SubmitListOp,
)
from libra_ray.testing.scenario_values import ts_ns

__all__ = ["read_form"]

Keys = tuple[str | int, ...]
Where = Callable[[Sequence[str | int]], str]
CHILD: Final = re.compile(r"-E[0-9]+$")
LIQUIDATION: Final = re.compile(r"LIQ-[0-9]+")


def read_form(document: dict[str, Any], *, place: str = "") -> ScenarioForm:
    """A parsed file as a scenario. Raises `ConfigError` for anything that the form does not allow."""

    def where(keys: Sequence[str | int]) -> str:
        return ".".join([*([place] if place else []), *_keys_of_the_file(document, keys)])

    _refuse_nulls(document, where)
    try:
        form = ScenarioForm.model_validate(document)
    except ValidationError as error:
        raise first_of(errors_of(ScenarioForm, error, where)) from None
    _check_names(form, where)
    _check_rows(form, where)
    _check_labels(form, where)
    return form


def _keys_of_the_file(document: object, keys: Sequence[str | int]) -> list[str]:
    """The place of a finding without what names parts of the form only: kinds of rows and of operations."""
    found: list[str] = []
    at = document
    for number, key in enumerate(keys):
        deeper: object = None
        if isinstance(at, dict):
            deeper = at.get(key)
        elif isinstance(at, (list, tuple)) and isinstance(key, int) and key < len(at):
            deeper = at[key]
        if deeper is not None or number == len(keys) - 1:
            found.append(str(key))
        if deeper is not None:
            at = deeper
    return found


def _refuse_nulls(document: dict[str, Any], where: Where) -> None:
    """Null stands only for the instrument of a row; elsewhere a key is left out."""
    left: list[tuple[tuple[str | int, ...], object]] = [((), document)]
    while left:
        keys, value = left.pop()
        parts: list[tuple[str | int, object]] = []
        if isinstance(value, dict):
            parts = list(value.items())
        elif isinstance(value, list):
            parts = list(enumerate(value))
        for key, part in parts:
            is_row = len(keys) == 2 and keys[0] == "data" and key == INSTRUMENT_AT  # noqa: PLR2004  # data.7.2
            if part is None and not is_row:
                raise ConfigError("CONF002", where((*keys, key)), "null is no value", "Leave the key out.", "null")
            left.append(((*keys, key), part))


def _check_names(form: ScenarioForm, where: Where) -> None:
    """Each instrument has an id of its own, and rows are of instruments that are there."""
    known = [instrument.id for instrument in form.instruments]
    for number, name in enumerate(known):
        if name in known[:number]:
            what = f"instrument {quoted(name)} is given 2 times"
            raise ConfigError("CONF007", where(("instruments", number, "id")), what, "Give each its own id.", name)
    for number, row in enumerate(form.data):
        wanted = row[INSTRUMENT_AT]
        if wanted is not None and wanted not in known:
            place, fix = where(("data", number, INSTRUMENT_AT)), did_you_mean(wanted, known)
            raise ConfigError("CONF008", place, f"instrument {quoted(wanted)} is not loaded", fix, wanted)


def _check_rows(form: ScenarioForm, where: Where) -> None:
    """Rows stand in the order of their delivery."""
    times = [row[1] for row in form.data]
    for number, (before, now) in enumerate(pairwise(times), 1):
        if ts_ns(now) < ts_ns(before):
            what = f"time {now} is earlier than {before} before it"
            raise DataError("DATA002", where(("data", number, 1)), what, "Sort the rows.", now)


def _check_labels(form: ScenarioForm, where: Where) -> None:
    """What is changed, canceled or linked is an order of the script, a child of one, or of a liquidation."""
    asked = [
        (keys, operation)
        for number, block in enumerate(form.actions)
        for keys, operation in _operations(("actions", number), block.do)
    ]
    made = {label for _, operation in asked for label in _labels_made(operation)}
    for keys, operation in asked:
        for label in _labels_named(operation):
            first = CHILD.sub("", label)
            if first not in made and not LIQUIDATION.fullmatch(label):
                what = f"{quoted(label)} is the label of no order"
                raise ConfigError("CONF002", where(keys), what, did_you_mean(label, sorted(made)), label)


def _operations(keys: Keys, operations: Sequence[Any]) -> Iterator[tuple[Keys, Any]]:
    """Every operation with its place, those of alerts too."""
    for number, operation in enumerate(operations):
        place = (*keys, "do", number)
        yield place, operation
        if isinstance(operation, AlertOp):
            yield from _operations(place, operation.do)


def _labels_made(operation: object) -> list[str]:
    if isinstance(operation, (OrderForm, CloseOp)):
        return [operation.order]
    if isinstance(operation, SubmitListOp):
        return [order.order for order in operation.orders]
    if isinstance(operation, BracketOp):
        return [f"{operation.order}{suffix}" for suffix in ("", "-SL", "-TP")]
    return []


def _labels_named(operation: object) -> list[str]:
    if isinstance(operation, (ModifyOp, CancelOp)):
        return [operation.order]
    if isinstance(operation, SubmitListOp):
        parents = [order.parent for order in operation.orders if order.parent is not None]
        return [*parents, *(label for order in operation.orders for label in order.linked or ())]
    return []
