"""Host processes: they run one program, their end is seen at once, and nothing of them outlives the driver."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from libra_ray.errors import ConfigError, ConnectionConfigError, LibraError
from libra_ray.runtime.ray import EndKind, HostEnd, HostMain, HostProcess, RaySession, ended_hosts
from tests.ray.host_mains import give_back, hang, import_and_wait, kill_itself, raise_error, wait_for_stop

pytestmark = [pytest.mark.ray, pytest.mark.slow]

Start = Callable[..., HostProcess]


@pytest.fixture
def start(two_workers: RaySession) -> Iterator[Start]:
    """Makes host processes, and ends them."""
    assert two_workers.workers == 2
    made: list[HostProcess] = []

    def make(main: HostMain, argument: object = None, **options: float | str) -> HostProcess:
        made.append(HostProcess(f"test/{main.__name__}-{len(made)}", main, argument, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for process in made:
        process.kill()


def test_many_hosts_run_on_two_cores_and_a_killed_one_is_seen_within_a_tenth_of_a_second(start: Start) -> None:
    hosts = [start(wait_for_stop, number) for number in range(5)]
    pids = [host.info().pid for host in hosts]
    assert len({os.getpid(), *pids}) == 6
    assert hosts[3].is_answering()

    killed_ns = time.monotonic_ns()  # noqa: TID251 - the wait for another process is measured
    os.kill(pids[3], signal.SIGKILL)
    ended = ended_hosts(hosts, seconds_max=5)
    seen_ms = (time.monotonic_ns() - killed_ns) / 1e6  # noqa: TID251

    assert [(end.process, end.kind) for end in ended] == [(hosts[3], EndKind.DIED)]
    assert "host test/wait_for_stop-3 died" in str(ended[0].error)
    assert seen_ms < 100
    assert not hosts[3].is_answering()


def test_a_program_ends_with_its_value_or_with_its_own_error(start: Start) -> None:
    arguments = ("typed", "plain", "exit")
    hosts = [start(give_back, {"a": 1}), *(start(raise_error, argument) for argument in arguments)]
    ends: dict[str, HostEnd] = {}
    while len(ends) < 4:
        ends |= {end.process.name: end for end in ended_hosts(hosts, seconds_max=20)}
    value, typed, plain, exited = (ends[host.name] for host in hosts)

    assert (value.kind, value.value) == (EndKind.RETURNED, {"a": 1})
    assert {end.kind for end in (typed, plain, exited)} == {EndKind.RAISED}
    assert isinstance(typed.error, ConfigError)
    assert str(typed.error) == "CONF010 placement: no actor 'x'. Name one."
    assert repr(plain.error) == "ValueError('plain')"
    assert str(exited.error) == "STRAT000 raised SystemExit: 3."


def test_a_host_stops_when_it_is_asked_to_and_nothing_ends_before(start: Start) -> None:
    host = start(wait_for_stop, "done")
    host.info()
    assert ended_hosts([host], seconds_max=0.05) == []

    host.ask_to_stop()

    assert [end.value for end in ended_hosts([host], seconds_max=5)] == ["done"]


def test_a_host_that_spins_or_is_stopped_ends_by_a_kill(start: Start) -> None:
    spinning, stopped = start(hang), start(wait_for_stop)
    os.kill(stopped.info().pid, signal.SIGSTOP)
    assert spinning.is_answering()
    assert not stopped.is_answering(seconds_max=0.2)

    for host in (spinning, stopped):
        host.kill()
        host.kill()

    for host in (spinning, stopped):
        assert [end.kind for end in ended_hosts([host], seconds_max=5)] == [EndKind.DIED]
    for _ in range(50):  # Ray itself would leave the stopped one for five seconds
        if not Path(f"/proc/{stopped.info().pid}").exists():
            break
        time.sleep(0.02)  # noqa: TID251 - the parent has to fetch what is left of it
    else:
        pytest.fail("the stopped process is still there")


def test_a_host_that_dies_as_it_starts_says_so(start: Start) -> None:
    host = start(kill_itself)

    assert [end.kind for end in ended_hosts([host], seconds_max=20)] == [EndKind.DIED]
    if host.info_if_known is None:  # it may have told where it is before it died
        with pytest.raises(LibraError, match="died as it started"):
            host.info()


def test_a_host_that_finds_no_place_is_refused_after_a_while(start: Start) -> None:
    host = start(wait_for_stop, cpus=100.0)

    assert host.info_if_known is None
    with pytest.raises(ConnectionConfigError) as caught:
        host.info(seconds_max=0.3)
    assert str(caught.value) == (
        "CONN005 placement: host test/wait_for_stop-0 did not start within 0.3 s. "
        "Free memory or cores of the cluster, or place fewer hosts."
    )


def test_an_idle_host_has_at_most_130_megabytes_of_its_own_and_nothing_heavy_in_it(start: Start) -> None:
    modules = ["zmq", "pyarrow.ipc", "libra_ray.runtime", "libra_ray.bus", "libra_ray.messages", "libra_ray.hosts"]
    host = start(import_and_wait, modules)
    pid = host.info().pid
    assert host.is_answering()
    time.sleep(1)  # noqa: TID251 - imports take a while, and nobody says when they are done
    private = private_megabytes(pid)
    host.ask_to_stop()

    assert [end.value for end in ended_hosts([host], seconds_max=5)] == [[]]
    assert private < 130


def private_megabytes(pid: int) -> float:
    """USS: what would be free again without the process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty"))) / 1024
