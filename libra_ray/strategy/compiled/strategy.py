"""A strategy whose handlers are compiled functions: the same class in every engine, on paper and live."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

from libra_ray.errors import StrategyError
from libra_ray.runtime import inject
from libra_ray.strategy.compiled.check import signature_of
from libra_ray.strategy.compiled.declarations import CompiledFunction
from libra_ray.strategy.compiled.desk import Desk
from libra_ray.strategy.compiled.rows import ROWS
from libra_ray.strategy.strategy import Strategy

if TYPE_CHECKING:
    from libra_ray.strategy.compiled.bridge import Bridge

__all__ = ["CompiledStrategy", "Program"]

Hook: TypeAlias = Literal["on_bar", "on_quote", "on_trade", "on_book"]
_ROLES: Final = ("state", "params", "row", "desk")


class Program(msgspec.Struct, frozen=True):
    """What one strategy runs: its handlers by hook, its state, its parameters, and the instrument that it orders."""

    instrument_id: str
    state: Any
    params: Any
    handlers: Mapping[Hook, CompiledFunction[..., Any]]


class CompiledStrategy(Strategy):
    """Give it its handlers in `on_start`, before it subscribes; everything else is as in `Strategy`.

        class Cross(lr.CompiledStrategy):
            def on_start(self) -> None:
                self.handle_by(CrossState(), CrossParams(...), instrument="EURUSD.SIM", on_bar=follow)
                self.subscribe_bars("EURUSD.SIM", "1h")

    Attributes:
        runs_compiled: whether `handle_by` is to give the host compiled handlers; a run sets it before it starts.
        program: what it runs, from `handle_by` on.
    """

    runs_compiled: bool = False
    program: Program | None = None
    _bridge: "Bridge | None" = None

    def handle_by(
        self,
        state: Any,  # noqa: ANN401  # whatever dataclass its handlers declare
        params: Any,  # noqa: ANN401  # whatever NamedTuple its handlers declare
        *,
        instrument: str,
        size_precision: int | None = None,
        on_bar: CompiledFunction[..., Any] | None = None,
        on_quote: CompiledFunction[..., Any] | None = None,
        on_trade: CompiledFunction[..., Any] | None = None,
        on_book: CompiledFunction[..., Any] | None = None,
    ) -> None:
        """Let rows go to compiled functions of `state`, `params`, the row and the desk of `instrument`.

        `on_book` is given the best prices after each message of the book that leaves a bid and an ask, as a quote.
        `size_precision`: decimals of the quantities that handlers give, by default the instrument's. Raises
        `StrategyError` STRAT010 for a function whose arguments are others, and for a hook that the class defines too.
        """
        given: dict[Hook, CompiledFunction[..., Any] | None] = {
            "on_bar": on_bar, "on_quote": on_quote, "on_trade": on_trade, "on_book": on_book,
        }  # fmt: skip
        handlers = {hook: handler for hook, handler in given.items() if handler is not None}
        for hook, handler in handlers.items():
            _check_arguments(hook, handler, state, params)
            _check_is_alone(type(self), hook, handler)
        self.program = Program(instrument, state, params, handlers)
        self._desk = Desk(self, instrument, size_precision)
        if self.runs_compiled:
            from libra_ray.strategy.compiled.bridge import Bridge

            self._bridge = Bridge(self.program, self._desk, self.cache.instrument(instrument))
            inject(self, **self._bridge.handlers())
        else:
            inject(
                self,
                **{hook: interpreted(hook, handler, state, params, self._desk) for hook, handler in handlers.items()},
            )

    @property
    def desk(self) -> Desk:
        """What its handlers send orders by, from `handle_by` on."""
        return self._desk

    @property
    def memory(self) -> Any:  # noqa: ANN401  # the state that `handle_by` was given
        """The state of its handlers as it stands, to be read in other hooks."""
        assert self.program is not None  # noqa: S101  # nothing to remember before `handle_by`
        if self._bridge is not None:
            self._bridge.write_back()
        return self.program.state

    def on_save(self) -> Mapping[str, bytes]:
        """The state of its handlers, and which orders their references mean."""
        if self.program is None:
            return {}
        return {
            "state": msgspec.json.encode(asdict(self.memory)),
            "orders": msgspec.json.encode(self._desk.order_ids()),
        }

    def on_load(self, state: Mapping[str, bytes]) -> None:
        """Go on where an earlier life of it stood."""
        if self.program is None or "state" not in state:
            return
        saved = msgspec.json.decode(state["state"])
        for field in fields(self.program.state):
            setattr(self.program.state, field.name, saved[field.name])
        self._desk.know(msgspec.json.decode(state["orders"], type=list[str]))


def interpreted(
    hook: Hook,
    handler: CompiledFunction[..., Any],
    state: object,
    params: object,
    desk: Desk,
) -> Callable[[Any], None]:
    """A handler as the event engine calls it: with a row, nothing else."""
    function, order = handler.plain, [signature_of(handler).types[n] for n in signature_of(handler).arguments]
    roles = {"state": state, "params": params, "desk": desk}

    def handle(row: Any) -> None:  # noqa: ANN401  # a row view
        function(*(row if role == "row" else roles[role] for role in order))

    if order == list(_ROLES):
        handle = lambda row: function(state, params, row, desk)  # noqa: E731  # a third of the time
    return handle if hook != "on_book" else lambda book: handle(book) if book.is_two_sided else None


def _check_is_alone(cls: type, hook: Hook, handler: CompiledFunction[..., Any]) -> None:
    """A method of the same hook would never be called."""
    if getattr(cls, hook) is not getattr(Strategy, hook):
        what = f"{cls.__name__} defines {hook} and gives {handler.name} to handle_by in its place"
        raise StrategyError("STRAT010", None, what, f"Call what {hook} does from {handler.name}, or give no handler.")


def _check_arguments(hook: Hook, handler: CompiledFunction[..., Any], state: object, params: object) -> None:
    signature = signature_of(handler)
    kinds = sorted(signature.types[name] for name in signature.arguments)
    wanted = {"state": type(state), "params": type(params)}
    classes = {signature.types[name]: form.cls for name, form in signature.forms.items()}
    fits = kinds == sorted(_ROLES) and signature.row is ROWS[hook].values and classes | wanted == classes
    if not fits:
        row = ROWS[hook].values.__name__
        what = f"{handler.name} is no {hook} handler of {type(state).__name__} and {type(params).__name__}"
        fix = f"Declare it (state: {type(state).__name__}, params: {type(params).__name__}, row: {row}, orders: Desk)."
        place = f"{handler.source.path}:{handler.source.tree.lineno}"
        raise StrategyError("STRAT010", place, what, fix)
