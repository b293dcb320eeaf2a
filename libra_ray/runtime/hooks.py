"""Hooks: the `on_...` names that an actor may define. One that would never run is refused: misspelt, or no function."""

from functools import cache
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from typing import Final

from libra_ray.errors import StrategyError, did_you_mean, quoted
from libra_ray.runtime.actor_config import ON_ERROR

__all__ = ["check_handler", "check_hooks", "known_hooks"]

_NEVER_RUNS: Final = CO_COROUTINE | CO_GENERATOR | CO_ASYNC_GENERATOR
"""What calling such a function gives is not its work done, but something that nobody would start."""


def known_hooks(actor_class: type) -> frozenset[str]:
    """The union of `KNOWN_HOOKS` over the class and its ancestors.

    A class adds hooks, or names of its own callbacks, by a class attribute `KNOWN_HOOKS = frozenset({...})`.
    """
    return frozenset().union(*(vars(each).get("KNOWN_HOOKS", ()) for each in actor_class.__mro__))


def check_hooks(actor_class: type) -> None:
    """Raises `StrategyError` STRAT003 for the first `on_...` attribute, by name, that would never be called or run."""
    name = _first_unknown(actor_class)
    if name:
        what = f"{actor_class.__name__} defines {quoted(name)}, which is no hook and would never be called"
        fix = did_you_mean(name, sorted(known_hooks(actor_class))) or "Give it a name without 'on_'."
        if name == "on_error":
            fix = 'Declare on_error = "fault" or "degrade"; the hook is on_fault.'
        raise StrategyError("STRAT003", None, what, f"{fix} A callback of your own goes into KNOWN_HOOKS.", name)
    name, why = _first_idle(actor_class)
    if name:
        what = f"{actor_class.__name__}.{name} is {why}"
        raise StrategyError("STRAT003", None, what, "Make it a plain function: def, without async and yield.", name)


def check_handler(handler: object, what: str) -> None:
    """Raises `TypeError`, which says what for, unless `handler` is something that runs when it is called."""
    why = _why_idle(handler)
    if why:
        raise TypeError(f"{what} needs a plain function, not {why}")


def _why_idle(handler: object) -> str:
    """What `handler` is that does not run when it is called; empty where it runs."""
    if not callable(handler):
        return f"{quoted(handler)}, which cannot be called"
    code = getattr(getattr(handler, "__func__", handler), "__code__", None)
    if code is not None and code.co_flags & _NEVER_RUNS:
        return "a coroutine or a generator, which would never run"
    return ""


@cache
def _first_idle(actor_class: type) -> tuple[str, str]:
    """The first hook of the library, by name, that would not run, and why; empty where all would."""
    hooks = known_hooks(actor_class)
    ours = {name for each in actor_class.__mro__ if each.__module__.startswith("libra_ray.") for name in vars(each)}
    found = ((name, _why_idle(getattr(actor_class, name))) for name in sorted(hooks & ours))
    return next(((name, why) for name, why in found if why), ("", ""))


@cache  # a sweep makes the same few classes again and again
def _first_unknown(actor_class: type) -> str:
    known = set(known_hooks(actor_class))
    if getattr(actor_class, "on_error", None) in ON_ERROR:
        known.add("on_error")  # it is a declaration
    return min((name for name in dir(actor_class) if name.startswith("on_") and name not in known), default="")
