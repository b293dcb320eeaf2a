"""The pool of workers: every item comes back once, whatever happens to the workers."""

import os
import signal
from collections.abc import Iterator
from itertools import islice

import pytest
from ray.exceptions import RayActorError

from libra_ray import pair, synth
from libra_ray.errors import DataError, LibraError, StrategyError
from libra_ray.runtime.ray import EnginePool, RaySession, SharedFolder
from tests.ray.jobs import Deadly, Littering, Reader, Slow, Square, Troubled, Unopenable, sum_of

pytestmark = [pytest.mark.ray, pytest.mark.slow]


@pytest.fixture
def pool(two_workers: RaySession) -> Iterator[EnginePool]:
    with EnginePool(two_workers.workers) as made:
        yield made


def test_every_item_comes_back_once_from_two_processes_that_are_kept(pool: EnginePool) -> None:
    first = list(pool.map_unordered(Slow(), range(20)))
    second = list(pool.map_unordered(Square(), range(500)))

    for outcomes, expected in ((first, range(20)), (second, [number * number for number in range(500)])):
        values = {outcome.position: outcome.value and outcome.value[0] for outcome in outcomes}
        assert len(outcomes) == len(expected)
        assert values == dict(enumerate(expected))
    processes = {outcome.value[1] for outcome in (*first, *second) if outcome.value}
    assert len(processes) == 2
    assert os.getpid() not in processes


def test_nothing_to_do_starts_no_worker(pool: EnginePool) -> None:
    assert list(pool.map_unordered(Deadly(), [])) == []


def test_a_killed_worker_is_replaced_and_every_item_still_comes_back_once(pool: EnginePool) -> None:
    outcomes = []
    for outcome in pool.map_unordered(Slow(), range(90)):  # the other worker alone would take nine seconds
        outcomes.append(outcome)
        if len(outcomes) == 5:
            assert outcome.value is not None
            os.kill(outcome.value[1], signal.SIGKILL)

    assert sorted(outcome.position for outcome in outcomes) == list(range(90))
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert len({outcome.value[1] for outcome in outcomes if outcome.value}) == 3
    assert {outcome.worker for outcome in outcomes} == {1, 2}


def test_an_error_is_the_outcome_of_its_item_alone_and_arrives_as_itself(pool: EnginePool) -> None:
    outcomes = {outcome.position: outcome for outcome in pool.map_unordered(Troubled(), range(4))}

    assert sorted(outcomes) == [0, 1, 2, 3]
    assert {position for position, outcome in outcomes.items() if outcome.error} == {1, 2, 3}
    assert outcomes[0].value == 0
    typed = outcomes[1].error
    assert isinstance(typed, DataError)
    assert typed.args == ("DATA008", "x.csv", "0 data rows", "Check it.", None)
    assert str(outcomes[2].error) == "STRAT000 raised Unpicklable: cannot travel."
    assert str(outcomes[3].error) == "STRAT000 raised SystemExit: 7."


def test_an_item_that_kills_its_workers_is_given_up_after_three(pool: EnginePool) -> None:
    outcomes = {outcome.position: outcome for outcome in pool.map_unordered(Troubled(), range(4, 30))}

    assert [position for position, outcome in outcomes.items() if outcome.error] == [0]
    assert isinstance(outcomes[0].error, StrategyError)
    assert str(outcomes[0].error) == (
        "STRAT010 3 workers died while they ran it. Run it alone to see why; memory may be short."
    )


def test_a_job_that_cannot_be_opened_ends_the_call_with_its_own_error(pool: EnginePool) -> None:
    with pytest.raises(DataError, match=r"DATA011 dataset\.json: unreadable"):
        list(pool.map_unordered(Unopenable(), range(3)))


def test_workers_that_die_as_they_start_end_the_call(pool: EnginePool) -> None:
    with pytest.raises(LibraError, match="3 workers died as they started"):
        list(pool.map_unordered(Deadly(), range(3)))


def test_a_call_that_is_left_halfway_leaves_a_pool_that_works(pool: EnginePool) -> None:
    assert len(list(islice(pool.map_unordered(Slow(), range(40)), 3))) == 3

    assert len(list(pool.map_unordered(Square(), range(10)))) == 10


def test_workers_map_a_dataset_and_do_not_copy_it(pool: EnginePool) -> None:
    instrument = pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")
    data = synth("quotes", instrument, rows=1_000_000, price="1.1")

    with SharedFolder(data.write) as shared:
        outcomes = list(pool.map_unordered(Reader(), range(200), shared=shared))

    values = [outcome.value for outcome in outcomes if outcome.value]
    assert {read for read, _, _ in values} == {sum_of(data)}
    assert len({pid for _, _, pid in values}) == 2
    # 48 MB were read; what a worker needs for reading at all is below two.
    assert max(grown for _, grown, _ in values) < 0.05 * data.nbytes


class LostOnce:
    """A shared folder whose first copy fails because the node dies meanwhile."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def on_node(self, _: str) -> str:
        self.failures -= 1
        if self.failures >= 0:
            raise RayActorError
        return ""


def test_a_node_that_dies_while_it_gets_its_copy_costs_a_start_and_no_item(pool: EnginePool) -> None:
    outcomes = list(pool.map_unordered(Square(), range(50), shared=LostOnce(2)))  # type: ignore[arg-type]  # one method is asked

    assert sorted(outcome.position for outcome in outcomes) == list(range(50))
    assert [outcome.error for outcome in outcomes if outcome.error] == []


def test_copies_that_always_fail_end_the_call(pool: EnginePool) -> None:
    with pytest.raises(LibraError, match="3 workers died as they started"):
        list(pool.map_unordered(Square(), range(50), shared=LostOnce(99)))  # type: ignore[arg-type]  # one method is asked


def test_what_a_run_leaves_behind_is_given_back(pool: EnginePool) -> None:
    outcomes = list(pool.map_unordered(Littering(), range(60)))

    grown = [outcome.value for outcome in outcomes if outcome.value is not None]
    # Each leaves 8 MB in a ring; kept until the collector comes by itself they would be 240 MB a worker.
    assert len(grown) == 60
    assert max(grown) < 60_000_000


class Told:
    """Takes note of what is left."""

    def __init__(self) -> None:
        self.left: list[int] = []

    def wants(self, pending: int) -> None:
        self.left.append(pending)


def test_the_autoscaler_is_told_what_is_left(two_workers: RaySession) -> None:
    told = Told()
    with EnginePool(two_workers.workers, demand=told) as pool:  # type: ignore[arg-type]  # one method is asked
        assert len(list(pool.map_unordered(Slow(), range(9)))) == 9
        assert len(list(pool.map_unordered(Slow(), range(3)))) == 3

    first = told.left[: told.left.index(0) + 1]
    assert first == sorted(first, reverse=True)
    assert (told.left[0], told.left[-1], told.left.count(0)) == (9, 0, 2)
