"""What is wrong with the rows of a file, collected over all of it: the first error does not depend on batches."""

from dataclasses import dataclass, field
from enum import IntEnum

from libra_ray.data.raw_tables import RawTable
from libra_ray.errors import DataError

__all__ = ["Check", "Faults"]


class Check(IntEnum):
    """The order of the checks. A row that fails one is not looked at by the later ones."""

    MISSING = 1
    TIME_FORM = 2
    TIME_ZONE = 3
    TIME_UNIT = 4
    NUMBER_MARKS = 5
    NUMBER_FORM = 6
    NUMBER_SIZE = 7
    ROUNDING = 8
    ONE_SIDED = 9
    SIGN = 10
    BAR = 11
    TICK = 12
    ORDER = 13
    REPEATED = 14
    GAP = 15
    CROSSED = 16


@dataclass
class _Fault:
    row: int
    code: str
    what: str
    fix: str
    value: str | None
    count: int
    always_counted: bool


@dataclass
class Faults:
    """Faults by check and column: the first place and how many."""

    _found: dict[tuple[Check, int], _Fault] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything was found."""
        return bool(self._found)

    def add(
        self,
        check: Check,
        code: str,
        row: int,
        what: str,
        fix: str,
        *,
        value: str | None = None,
        column: int = 0,
        count: int = 1,
        always_counted: bool = False,
    ) -> None:
        """Note `count` rows, the first of them `row`. Rows of one check and column come in rising order."""
        known = self._found.get((check, column))
        if known is None:
            self._found[check, column] = _Fault(row, code, what, fix, value, count, always_counted)
        else:
            known.count += count

    def first_error(self, table: RawTable) -> DataError | None:
        """The error to raise: the earliest check, its first column. It carries the others in `more`."""
        errors = [self._error(fault, table) for _, fault in sorted(self._found.items())]
        if not errors:
            return None
        errors[0].more = tuple(errors[1:])
        return errors[0]

    def _error(self, fault: _Fault, table: RawTable) -> DataError:
        rows = "row" if fault.count == 1 else "rows"
        counted = f" ({fault.count:,} such {rows})" if fault.count > 1 or fault.always_counted else ""
        return DataError(fault.code, table.place(fault.row), f"{fault.what}{counted}", fault.fix, fault.value)
