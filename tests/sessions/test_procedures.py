"""Procedures: several steps, resumed one by one, with a result that others wait for."""

from concurrent.futures import Future

import pytest

from libra_ray.errors import LibraError
from libra_ray.sessions.procedures import Procedures, Steps


def counting(to: int) -> Steps[int]:
    for _ in range(to):
        yield
    return to


def failing() -> Steps[None]:
    yield
    raise LibraError("no")


def test_each_step_resumes_all_that_wait_and_a_result_is_told_when_it_is_there() -> None:
    procedures = Procedures()
    now, later = procedures.start(counting(0)), procedures.start(counting(2))

    assert (now.result(0), later.done(), procedures.is_idle) == (0, False, False)
    procedures.step()
    assert not later.done()
    procedures.step()
    assert (later.result(0), procedures.is_idle) == (2, True)


def test_what_a_procedure_raises_is_raised_where_its_result_is_asked_for() -> None:
    procedures = Procedures()
    mine: Future[None] = Future()

    assert procedures.start(failing(), mine) is mine
    procedures.step()

    with pytest.raises(LibraError, match="no"):
        mine.result(0)
    assert procedures.is_idle
