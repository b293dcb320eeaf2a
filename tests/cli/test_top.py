"""`libra top`: the tree of a session that runs, or one clear line."""

import os
import pty
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from libra_ray.cli.top import top
from libra_ray.clock import LiveClock
from libra_ray.errors import LibraError
from libra_ray.hosts.status import STATUS_NAME, ActorStatus, HostStatus, LaneStatus, TreeStatus, write_status
from libra_ray.runtime.private_folders import PrivateFolder
from tests.cli.conftest import Libra, command, environment

HOST = HostStatus(
    "EmaCross-1",
    3,
    pid=4_711,
    actors=(
        ActorStatus("EmaCross-1", "STRATEGY", "RUNNING"),
        ActorStatus("Feed-1", "ACTOR", "DEGRADED", reason="no [news]\nsince noon"),
    ),
    lanes={"ORDERS": LaneStatus(depth=2), "MARKET_DATA": LaneStatus(depth=17)},
    messages_per_second=1_234.4,
    lag_ns=2_500_000,
    drops=5,
    dead_letters={"STALE_EPOCH": 1, "NO_RECEIVER": 2},
    restarts=2,
    cpu_seconds=12.34,
)
GONE = HostStatus(
    "Model-1", 6, state="GIVEN_UP", actors=(ActorStatus("Model-1", "ACTOR", "DOWN"),), reason="killed by signal 9"
)
HOSTS = (HostStatus("bus", 1, pid=4_710), HOST, GONE)


def tree_of(folder: PrivateFolder, name: str = "", age_ns: int = 0) -> TreeStatus:
    """What a session says whose name no other test has."""
    now_ns = LiveClock().now_ns()
    return TreeStatus(name or f"top-{folder.path.name}", "s-1", now_ns - age_ns, "isolated", HOSTS)


@pytest.fixture
def session() -> Iterator[PrivateFolder]:
    """The folder of a session that lives, with a status in it."""
    folder = PrivateFolder()
    write_status(folder.path, tree_of(folder))
    yield folder
    folder.remove()


def test_the_tree_has_a_line_for_each_actor(session: PrivateFolder, libra: Libra) -> None:
    done = libra("top", "--session", str(session.path))

    assert done.code == 0
    lines = [line.rstrip() for line in done.out.splitlines()]
    assert lines[0] == f"top-{session.path.name}  RUNNING  placement isolated"
    assert [line.split() for line in lines[4:8]] == [
        ["bus", "UP", "1", "0", "4710", "0/0/0/0/0", "0", "0.0", "0", "0", "0.0", "-"],
        [*["EmaCross-1"] * 2, "RUNNING", "3", "2", "4711", "0/0/2/0/17", "1,234", "2.5", "5", "3", "12.3", "-"],
        ["Feed-1", "DEGRADED"],
        [*["Model-1"] * 2, "DOWN", "(GIVEN_UP)", "6", "0", "-", "0/0/0/0/0", "0", "0.0", "0", "0", "0.0", "-"],
    ]
    assert lines[9:11] == ["Feed-1: no [news]\\nsince noon", "host Model-1: killed by signal 9"]


def test_json_is_the_whole_tree(session: PrivateFolder, libra: Libra) -> None:
    done = libra("top", "--session", f"top-{session.path.name}", "--json")

    document = done.document
    assert done.err == ""
    assert (document.pop("folder"), document.pop("is_stale")) == (str(session.path), False)
    read = msgspec.convert(document, TreeStatus)
    assert (read.hosts, read.placement) == (HOSTS, "isolated")


def test_a_status_that_nobody_renews_says_so(session: PrivateFolder, libra: Libra) -> None:
    tree = tree_of(session, age_ns=90 * 10**9)
    write_status(session.path, msgspec.structs.replace(tree, state="HALTED", halted_by="the bus was given up"))

    done = libra("top", "--session", session.path.name, "--once")

    assert "HALTED  placement isolated, trading halted: the bus was given up, told 9" in done.out.splitlines()[0]
    assert libra("top", "--session", session.path.name, "--json").document["is_stale"] is True


def test_a_session_that_does_not_run_is_one_line(session: PrivateFolder, libra: Libra) -> None:
    done = libra("top", "--session", f"tpo-{session.path.name}")

    assert (done.code, done.out) == (2, "")
    wanted = (
        f"CONF002 --session: no session 'tpo-{session.path.name}' runs here. Did you mean 'top-{session.path.name}'?"
    )
    assert done.err.strip() == wanted
    assert libra("top", "--session", "nobody", "--json").document["error"]["exit_code"] == 2


# ------------------------------------------------------------------ which session is meant


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], PrivateFolder]]:
    """A machine on which no other session runs; gives the folder of a new one with a name."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("libra_ray.runtime.private_folders.SHORT_PARENT", tmp_path)
    folders: list[PrivateFolder] = []

    def begin(name: str) -> PrivateFolder:
        folders.append(PrivateFolder())
        write_status(folders[-1].path, tree_of(folders[-1], name))
        return folders[-1]

    yield begin
    for folder in folders:
        folder.remove()


def refused(session: str | None = None) -> LibraError:
    with pytest.raises(LibraError) as caught:
        top(session, once=True)
    return caught.value


def test_the_only_session_needs_no_name(here: Callable[[str], PrivateFolder]) -> None:
    folder = here("alone")

    assert top(once=True).document["folder"] == str(folder.path)
    folder.remove()
    error = refused()
    assert (error.exit_code, str(error)) == (
        2,
        "CONF002 no session of this user runs on this machine. Start one by libra_ray.deploy.",
    )


def test_of_several_one_must_be_named(here: Callable[[str], PrivateFolder]) -> None:
    first, second, third = sorted((here("twin"), here("twin"), here("other")), key=lambda folder: folder.path)
    paths = f"{first.path}, {second.path}, {third.path}"

    assert str(refused()) == f"CONF002 --session: 3 sessions run: {paths}. Give the folder of one."
    assert str(refused("twin")).startswith("CONF002 --session: 2 sessions run by the name 'twin': ")
    assert top("other", once=True).document["name"] == "other"
    assert {top(folder.path.name, once=True).document["folder"] for folder in (first, second, third)} == {
        str(folder.path) for folder in (first, second, third)
    }


def test_a_session_that_cannot_be_read_hides_no_other(here: Callable[[str], PrivateFolder]) -> None:
    damaged, _ = here("damaged"), here("whole")
    (damaged.path / STATUS_NAME).write_text("{")

    assert top("whole", once=True).document["name"] == "whole"
    assert refused(damaged.path.name).code == "DATA011"


# ------------------------------------------------------------------ on a terminal


class Terminal:
    """`libra top` on a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        self._mine, theirs = pty.openpty()
        more = environment(TERM="xterm", LINES="30", COLUMNS="160")
        self.process = subprocess.Popen(command("top", *arguments), stdout=theirs, stderr=theirs, env=more)
        os.close(theirs)
        self.shown = ""

    def read_until(self, text: str) -> None:
        """Raises `AssertionError` with what was shown when the command ends without."""
        while text not in self.shown:
            part = b""
            with suppress(OSError):  # nobody writes to it any more
                part = os.read(self._mine, 65_536)
            assert part, self.shown
            self.shown += part.decode()

    def end(self) -> int:
        """Read the rest, and how it ended."""
        with suppress(OSError):
            while part := os.read(self._mine, 65_536):
                self.shown += part.decode()
        os.close(self._mine)
        return self.process.wait(20)


@pytest.mark.slow
def test_a_terminal_shows_the_tree_as_it_changes_until_the_session_ends(session: PrivateFolder) -> None:
    terminal = Terminal("--session", session.path.name)
    terminal.read_until("DEGRADED")
    tree = tree_of(session)
    write_status(session.path, msgspec.structs.replace(tree, state="HALTED", halted_by="by hand"))
    terminal.read_until("by hand")

    session.remove()

    assert terminal.end() == 0
    after = terminal.shown.rpartition("\x1b[?1049l")[2]
    assert "trading halted: by hand" in after, "the last tree stays on the terminal"


@pytest.mark.slow
def test_ctrl_c_leaves_the_terminal_and_the_session_as_they_were(session: PrivateFolder) -> None:
    terminal = Terminal("--session", session.path.name)
    terminal.read_until("DEGRADED")

    terminal.process.send_signal(signal.SIGINT)

    assert terminal.end() == 0
    assert terminal.shown.count("\x1b[?1049h") == terminal.shown.count("\x1b[?1049l") == 1
    assert session.path.exists()
