"""Faults: what an actor raised, where, and in which hook."""

import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from types import CodeType, FrameType
from typing import Final

from libra_ray.errors import LibraError, StrategyError, UserError

__all__ = ["RAISED", "Fault", "HandlerExitError", "charged", "fault_of"]

RAISED: Final = (Exception, SystemExit)
"""What a handler may raise that is its actor's fault: a strategy does not end the process that it lives in."""
_LIBRARY: Final = str(Path(__file__).resolve().parents[1])
_ENDING: Final = (signal.SIGTERM, signal.SIGINT)


class HandlerExitError(Exception):
    """`sys.exit` in a handler: it ends the actor and not the process."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An error that an actor's code raised, or that was laid to its charge.

    `place` is `file.py:line` of the actor author's code, the innermost line in the file of the actor's class, or where
    a handler begins that could not be called; None for an error that was not raised (an actor faulted by decision).
    `is_ours`: no code outside the library had a part in it.
    """

    actor_id: str
    hook: str
    error: Exception
    place: str | None
    ts_ns: int
    is_ours: bool = False

    @property
    def reason(self) -> str:
        """The error in one line."""
        if isinstance(self.error, LibraError):
            return str(self.error)
        text = _text_of(self.error)
        name = SystemExit.__name__ if isinstance(self.error, HandlerExitError) else type(self.error).__name__
        return f"{name}: {text}" if text else name

    def to_error(self) -> LibraError:
        """As the error that ends the run: itself when it says where, or is none of the author's; else STRAT001."""
        error = self.error
        is_placed = isinstance(error, UserError) and (error.place is not None or isinstance(error, StrategyError))
        if isinstance(error, LibraError) and (is_placed or self.is_ours or self.place is None):
            return error
        what = f"{self.actor_id} {self.hook} raised {self.reason}"
        value = error.value if isinstance(error, UserError) else _text_of(error)
        found = StrategyError("STRAT001", self.place, what, "", value)
        found.__cause__ = error
        return found


def fault_of(
    actor: object,
    actor_id: str,
    error: Exception,
    ts_ns: int,
    hook: str | None = None,
    handler: Callable[..., object] | None = None,
) -> Fault:
    """Describe `error` as raised in code of `actor`. `hook` is found in the traceback when it is not given.

    An error of the call itself, such as a wrong number of arguments, leaves no trace there: it is that of `handler`.
    """
    frames = [(frame, line) for frame, line in walk_tb(error.__traceback__)]
    is_ours = all(frame.f_code.co_filename.startswith(_LIBRARY) for frame, _ in frames)
    code = _code_of(handler)
    if is_ours and code is not None and not code.co_filename.startswith(_LIBRARY):
        place = f"{Path(code.co_filename).name}:{code.co_firstlineno}"
        return Fault(actor_id, hook or code.co_name, error, place, ts_ns)
    return Fault(actor_id, hook or _hook_name(actor, frames), error, _place(actor, frames), ts_ns, is_ours)


def charged(error: BaseException) -> Exception:
    """The error as its actor is charged with it. An exit that a signal asked for is no fault, and raised again."""
    if isinstance(error, Exception):
        return error
    endings = {_code_of(signal.getsignal(number)) for number in _ENDING} - {None}
    if not isinstance(error, SystemExit) or any(frame.f_code in endings for frame, _ in walk_tb(error.__traceback__)):
        raise error
    text = "" if error.code is None else str(error.code)
    return HandlerExitError(text).with_traceback(error.__traceback__)


def _text_of(error: Exception) -> str:
    """The text of any error, also of one whose own code for it raises."""
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 - it is the author's, as the error is
        return f"(making its text raised {type(broken).__name__})"


def _code_of(handler: object) -> CodeType | None:
    """The code of a function or method; None for anything else that can be called."""
    code = getattr(getattr(handler, "__func__", handler), "__code__", None)
    return code if isinstance(code, CodeType) else None


def _hook_name(actor: object, frames: list[tuple[FrameType, int]]) -> str:
    """The outermost method of the actor on the stack, hooks before others."""
    mine = [frame.f_code.co_name for frame, _ in frames if frame.f_locals.get("self") is actor]
    hooks = [name for name in mine if name.startswith("on_")]
    if hooks:
        return hooks[0]
    outside = [frame.f_code.co_name for frame, _ in frames if not frame.f_code.co_filename.startswith(_LIBRARY)]
    return (mine or outside or ["(none)"])[0]


def _place(actor: object, frames: list[tuple[FrameType, int]]) -> str | None:
    """The innermost line in a file that defines the actor's class or an ancestor outside the library."""
    files = {_file_of(each) for each in type(actor).__mro__} - {None}
    own = [at for at in frames if at[0].f_code.co_filename in files]
    outside = [at for at in frames if not at[0].f_code.co_filename.startswith(_LIBRARY)]
    for candidates in (own, outside, frames):
        if candidates:
            frame, line = candidates[-1]
            return f"{Path(frame.f_code.co_filename).name}:{line}"
    return None


def _file_of(actor_class: type) -> str | None:
    """The source file of a class outside the library, as code objects name it."""
    path = getattr(sys.modules.get(actor_class.__module__), "__file__", None)
    return None if path is None or path.startswith(_LIBRARY) else str(path)
