"""Ctrl-C and SIGTERM around the two stretches that must not be cut: starting Ray's processes and ending them."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

__all__ = ["deferred_signals", "sigterm_exits"]

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
TERMINATED_EXIT_CODE: Final = 128 + signal.SIGTERM


@contextmanager
def deferred_signals() -> Iterator[None]:
    """Hold back both signals inside, and deliver the first one at the end. Only the main thread gets signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    before = {number: signal.signal(number, lambda number, _: arrived.append(number)) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            # None: it was set outside of Python, and Python cannot set it again.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
    if arrived:
        signal.raise_signal(arrived[0])


@contextmanager
def sigterm_exits() -> Iterator[None]:
    """Make SIGTERM an ordinary `SystemExit` (code 143) inside, so that clean-up runs; a handler of others is kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    if before is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        if before is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, before)


def _exit(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED_EXIT_CODE)
