"""Faults of a run as the errors that end it."""

from typing import TYPE_CHECKING

from libra_ray.errors import LibraError, StrategyError

if TYPE_CHECKING:
    from libra_ray.simulation import BacktestResult

__all__ = ["failed", "fault_errors"]


def fault_errors(result: "BacktestResult") -> list[LibraError]:
    """What actors raised, each as an error; one that did not start says what became of the run."""
    dead = {fault.actor_id for fault in result.faults if fault.hook == "on_start"}
    others = len(result.system.actors) - len(dead)
    rest = "nothing ran" if others == 0 else "1 other runs" if others == 1 else f"{others} others run"
    errors: list[LibraError] = []
    for fault in result.faults:
        error = fault.to_error()
        if fault.hook == "on_start" and isinstance(error, StrategyError):
            fix = f"It was not started and sent 0 orders; {rest}."
            error = StrategyError(error.code, error.place, error.what, fix, error.value)
            error.__cause__ = fault.error
        errors.append(error)
    return errors


def failed(result: "BacktestResult", last_word: str) -> LibraError:
    """The run's faults as one error: the first, with the others in its `more`."""
    first, *others = fault_errors(result)
    first.more = tuple(others)
    (others or [first])[-1].add_note(last_word)
    return first
