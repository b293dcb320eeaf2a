"""Hooks: the `on_...` names that an actor may define. A misspelt one would be deaf, so it is refused."""

from functools import cache

from libra_ray.errors import StrategyError, did_you_mean, quoted

__all__ = ["check_hooks", "known_hooks"]


def known_hooks(actor_class: type) -> frozenset[str]:
    """The union of `KNOWN_HOOKS` over the class and its ancestors.

    A class adds hooks, or names of its own callbacks, by a class attribute `KNOWN_HOOKS = frozenset({...})`.
    """
    return frozenset().union(*(vars(each).get("KNOWN_HOOKS", ()) for each in actor_class.__mro__))


def check_hooks(actor_class: type) -> None:
    """Raises `StrategyError` STRAT003 for the first `on_...` attribute, by name, that is no known hook."""
    name = _first_unknown(actor_class)
    if name:
        what = f"{actor_class.__name__} defines {quoted(name)}, which is no hook and would never be called"
        fix = did_you_mean(name, sorted(known_hooks(actor_class))) or "Give it a name without 'on_'."
        raise StrategyError("STRAT003", None, what, f"{fix} A callback of your own goes into KNOWN_HOOKS.", name)


@cache  # a sweep makes the same few classes again and again
def _first_unknown(actor_class: type) -> str:
    known = known_hooks(actor_class)
    return min((name for name in dir(actor_class) if name.startswith("on_") and name not in known), default="")
