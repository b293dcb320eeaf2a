"""Compiled handlers in the event engine: whole stretches of rows at once, up to the row that sends something."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from libra_ray.model.instruments import Instrument
from libra_ray.strategy.compiled.desk import STAGED, Desk, DeskArrays, new_arrays
from libra_ray.strategy.compiled.generation import StateArrays, handler_module, state_arrays
from libra_ray.strategy.compiled.rows import ROWS, RowForm

if TYPE_CHECKING:
    from libra_ray.strategy.compiled.strategy import Hook, Program

__all__ = ["Bridge", "RowScanner"]

STATES_KEPT: Final = 4_096
"""Rows between two copies of a state: as many are run again, interpreted, where a handler raises."""
RAISED: Final = (ArithmeticError, IndexError, ValueError)
"""What compiled handlers can raise: a division by zero, an int too large, a place beyond an array, a step of 0."""
Columns = tuple[npt.NDArray[np.int64], ...]


class Bridge:
    """The compiled handlers of one strategy, over one state.

    What the compiled form cannot do as the interpreter does (an int beyond 64 bits, a division by zero, an index out
    of bounds) raises; the rows since the last copy of the state are then run again interpreted, and so is the rest.
    """

    def __init__(self, program: "Program", desk: Desk, instrument: Instrument) -> None:
        self._program, self._desk = program, desk
        self._state: StateArrays = state_arrays(program.state)
        self._params = tuple(program.params)
        self._arrays: DeskArrays = new_arrays()
        self._units = (10.0**instrument.price_precision, 10.0**instrument.size_precision)
        self.is_compiled = not instrument.is_high_precision

    def handlers(self) -> Mapping[str, "RowScanner"]:
        """By hook, what the host calls."""
        return {hook: RowScanner(self, hook, handler) for hook, handler in self._program.handlers.items()}

    def run(self, module: ModuleType, times: Columns, columns: Columns, start: int, stop: int) -> int:
        """Rows from `start` on until one sends something; the row after the last one that was run."""
        self._arrays = self._desk.stand(self._arrays)
        return int(module.scan(self._state, self._params, self._arrays, times, columns, self._units, start, stop))

    @property
    def has_staged(self) -> bool:
        """Whether the last row has left something to send."""
        return bool(self._arrays.counts[STAGED])

    def act(self) -> None:
        """Send what the last row has left."""
        if self.has_staged:
            self._desk.act(self._arrays)

    def copy(self) -> StateArrays:
        """The state as it is."""
        return tuple(array.copy() for array in self._state)

    def give_up(self, state: StateArrays) -> None:
        """Go on interpreted from `state`."""
        self._arrays.counts[STAGED] = 0
        self._state = state
        self.write_back()
        self.is_compiled = False

    def write_back(self) -> None:
        """Give the author's own object what the arrays hold."""
        if not self.is_compiled:
            return
        state = self._state
        floats, ints, *arrays = (array.tolist() for array in state)
        rest = {float: iter(floats), int: iter(ints), list: iter(arrays)}
        for field in fields(self._program.state):
            value = getattr(self._program.state, field.name)
            if isinstance(value, bool):
                setattr(self._program.state, field.name, bool(next(rest[int])))
            else:
                kind = list if isinstance(value, list) else float if isinstance(value, float) else int
                setattr(self._program.state, field.name, next(rest[kind]))

    def interpreted(self, hook: "Hook") -> Callable[[Any], None]:
        """A handler as the event engine calls it."""
        from libra_ray.strategy.compiled.strategy import interpreted

        program = self._program
        return interpreted(hook, program.handlers[hook], program.state, program.params, self._desk)


class RowScanner:
    """One compiled handler: called with a row like any other, or with a stretch of a stream's columns."""

    def __init__(self, bridge: Bridge, hook: "Hook", handler: Any) -> None:  # noqa: ANN401
        self._bridge, self._form = bridge, ROWS[hook]
        self._is_of_books = hook == "on_book"
        self._module = handler_module(hook, handler)
        self._plain = bridge.interpreted(hook)
        self._one = tuple(np.zeros(1, np.int64) for _ in range(2 + len(self._form.columns)))
        self._names = [f"{name}_raw" if name != "aggressor" else name for name in self._form.columns]

    @property
    def form(self) -> RowForm:
        """What rows it is given."""
        return self._form

    @property
    def has_staged(self) -> bool:
        """Whether the last row has left something to send, which `act` sends."""
        return self._bridge.has_staged

    def __call__(self, row: Any) -> None:  # noqa: ANN401  # a row view
        """Handle one row."""
        bridge = self._bridge
        if not bridge.is_compiled:
            self._plain(row)
            return
        if self._is_of_books and not row.is_two_sided:
            return
        one = self._one
        one[0][0], one[1][0] = row.ts_ns, row.ts_event_ns
        for column, name in zip(one[2:], self._names, strict=True):
            column[0] = getattr(row, name)
        before = bridge.copy()
        try:
            bridge.run(self._module, one[:2], one[2:], 0, 1)
        except RAISED:
            bridge.give_up(before)
            self._plain(row)
            return
        bridge.act()

    def scan(self, times: Columns, columns: Columns, start: int, stop: int) -> int:
        """Handle rows from `start` on until one has something to send, which `act` sends; the row after the last one.

        `start` itself where the rows are to be given one by one.
        """
        bridge, at = self._bridge, start
        while bridge.is_compiled and at < stop:
            end, before = min(at + STATES_KEPT, stop), bridge.copy()
            try:
                done = bridge.run(self._module, times, columns, at, end)
            except RAISED:
                bridge.give_up(before)
                return at
            at = done
            if bridge.has_staged:
                return at
        return at

    def act(self) -> None:
        """Send what the last row has left."""
        self._bridge.act()
