"""Kills, by the thousand: a source, a relay and a counting receiver, each killed again and again, at any point.

    source --> relay --> receiver      one or two outputs for each input, on two lanes
       ^---------------------'         a receipt for every tenth

Each is a process of its own with its journal, over real sockets. All three are forked from here, so that a life costs
some milliseconds. A kill is SIGKILL: from outside at any time, or from inside before, in the middle of or after the
n-th write of the journal, before or after the n-th send, in a handler, or while the journal is written anew.

    python -m tests.bus.wire.kill_campaign --kills 5000 --seed 1

The parent starts no thread and no socket: it is a program of its own, so that it can be forked.
"""

import argparse
import contextlib
import json
import mmap
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from libra_ray.bus.wire import journal as journal_module
from libra_ray.bus.wire.frames import Frame, Kind, Parts, unpack
from libra_ray.bus.wire.journal import Checkpoint, Journal
from libra_ray.bus.wire.port import Port
from libra_ray.bus.wire.sockets import Sender
from libra_ray.clock import LiveClock
from libra_ray.runtime.inbox import Lane

__all__ = ["NAMES", "POINTS", "Campaign", "LostError"]

NAMES: Final = ("source", "relay", "receiver")
LANES: Final = (Lane.RISK, Lane.ORDERS)
RECEIPT_EVERY: Final = 10
SAVED_EVERY_BYTES: Final = 2_000
UNDER_WAY_MAX: Final = 120
REWRITE_BYTES: Final = 4_000
WINDOW: Final = 100
SETTLE_SECONDS_MAX: Final = 15

POINTS: Final = ("outside", "before write", "in write", "after write", "before send", "after send", "in handler",
                 "in rewrite")  # fmt: skip


class LostError(Exception):
    """A message was lost, doubled or out of order."""


def lane_of(number: int) -> Lane:
    """The lane in which the source sends its message of that number."""
    return Lane.RISK if number % 4 == 0 else Lane.ORDERS


def parts_of(number: int) -> int:
    """How many messages the relay makes of it."""
    return 2 if number % 3 == 0 else 1


class Log:
    """What a host has received: by lane and kind the last message and how many. It checks that each is the next."""

    def __init__(self, saved: bytes | None, bodies: Iterable[tuple[Kind, Lane, bytes]]) -> None:
        self.last: dict[str, list[int]] = {} if saved is None else json.loads(saved)
        for kind, lane, body in bodies:
            self.add(kind, lane, body)

    def add(self, kind: Kind, lane: Lane, body: bytes) -> int:
        """One more message; how many of its kind and lane there are now."""
        key = f"{kind.name} {lane.name}"
        last = self.last.get(key, [0, 0, 0])
        number, _, part = body.decode().partition(".")
        got = [int(number), int(part or 0), last[2] + 1]
        expected = self._after(kind, lane, last)
        if got != expected:
            raise LostError(f"{key}: {got} came after {last} instead of {expected}")
        self.last[key] = got
        return got[2]

    @staticmethod
    def _after(kind: Kind, lane: Lane, last: list[int]) -> list[int]:
        number, part, count = last
        if kind is Kind.REPLY:
            return [number + RECEIPT_EVERY, 0, count + 1]
        if number and part + 1 < parts_of(number):
            return [number, part + 1, count + 1]
        return [next(n for n in range(number + 1, number + 9) if lane_of(n) is lane), 0, count + 1]

    def count(self, kind: Kind, lane: Lane) -> int:
        """How many of a kind and lane."""
        return self.last.get(f"{kind.name} {lane.name}", [0, 0, 0])[2]

    def save(self) -> bytes:
        """As a snapshot."""
        return json.dumps(self.last).encode()


class Board:
    """Numbers that all processes see, by field and host."""

    FIELDS = ("epoch", "alive", "unconfirmed", "posted", "risk", "orders", "resent", "duplicates", "is_stopped")

    def __init__(self) -> None:
        self._cells = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("q")

    def __getitem__(self, key: tuple[str, int]) -> int:
        return self._cells[self.FIELDS.index(key[0]) * 4 + key[1]]

    def __setitem__(self, key: tuple[str, int], value: int) -> None:
        self._cells[self.FIELDS.index(key[0]) * 4 + key[1]] = value


class Armed:
    """Where a life ends by its own hand: at the n-th passage of a point, with that share of the bytes written."""

    def __init__(self, point: str, passage: int, share: float) -> None:
        self.point = point
        self._left, self._share = passage, share

    def install(self) -> None:
        """Put the kill where it belongs."""
        write, send, replace = journal_module._write_all, Sender.send, Path.replace  # noqa: SLF001 - where it hurts

        def armed_write(fd: int, data: bytes, place: Path) -> None:
            self.passes("before write")
            self.passes("in write", lambda: os.write(fd, data[: int(len(data) * self._share)]))
            write(fd, data, place)
            self.passes("after write")

        def armed_send(sender: Sender, frames: Sequence[Parts]) -> bool:
            self.passes("before send")
            is_sent = send(sender, frames)
            self.passes("after send")
            return is_sent

        def armed_replace(path: Path, target: Path) -> Path:
            self.passes("in rewrite")
            done = replace(path, target)
            self.passes("in rewrite")
            return done

        journal_module._write_all = armed_write  # noqa: SLF001
        Sender.send = armed_send  # type: ignore[method-assign,assignment]
        Path.replace = armed_replace  # type: ignore[method-assign,assignment]

    def passes(self, point: str, last_deed: Callable[[], object] | None = None) -> None:
        """Killed if this is the passage."""
        if point != self.point:
            return
        self._left -= 1
        if self._left <= 0:
            if last_deed is not None:
                last_deed()
            os.kill(os.getpid(), signal.SIGKILL)


class LossyWire:
    """Of a hundred frames three are lost, three doubled and three delayed, greetings and acknowledgements too."""

    def __init__(self, seed: int) -> None:
        self._draw = np.random.default_rng(seed)

    def outgoing(self, _frame: Frame, _peer_id: str) -> Sequence[int]:
        """Delays of the copies."""
        draw = int(self._draw.integers(100))
        if draw < 3:
            return ()
        if draw < 6:
            return (0, 0)
        return (int(self._draw.integers(3_000_000)),) if draw < 9 else (0,)


def write_late() -> None:
    """Break the port on purpose: what leaves is written with the next turn only."""
    commit, late = Journal.commit, list[tuple[Any, ...]]()

    def commit_late(journal: Journal, *rows: Any) -> None:  # noqa: ANN401 - as it is called
        late.append(tuple(list(each) for each in rows))
        if len(late) > 1:
            commit(journal, *late.pop(0))

    Journal.commit = commit_late  # type: ignore[method-assign,assignment]


class Host:
    """One life of one of the three. It ends by SIGKILL."""

    def __init__(
        self, index: int, board: Board, folder: Path, armed: Armed, *, is_journaled: bool, faults: LossyWire | None
    ) -> None:
        self.name, self.index, self.board, self.folder, self.armed = NAMES[index], index, board, folder, armed
        self.epoch = board["epoch", index]
        journal = folder / f"{self.name}.journal" if is_journaled else None
        self.port = Port(
            self.name, self.epoch, self.address(index), LiveClock(), journal=journal, window=WINDOW, faults=faults
        )
        resumed = self.port.resumed
        letters = resumed.letters if resumed else ()
        self.log = Log(
            resumed.snapshot if resumed else None,
            ((Kind(each.frame.kind), Lane(each.frame.lane), bytes(each.body)) for each in letters),
        )
        self.posted = sum(resumed.sent.get(("relay", lane), 0) for lane in LANES) if resumed else 0
        self.saved_bytes = self.port.replay_bytes

    def address(self, index: int) -> str:
        """Where that host listens in its present life."""
        return f"ipc://{self.folder}/{NAMES[index]}-{self.board['epoch', index]}"

    def run(self) -> None:
        """Turn after turn, as long as the parent lives."""
        parent = os.getppid()
        self.armed.install()
        self.report()
        self.board["alive", self.index] = self.epoch
        while os.getppid() == parent:
            self.meet()
            if self.name == "source" and not self.board["is_stopped", 0] and self.port.unconfirmed() < UNDER_WAY_MAX:
                self.produce()
            self.port.poll(1_000_000)
            while (letter := self.port.take()) is not None:
                self.handle(Kind(letter.frame.kind), Lane(letter.frame.lane), bytes(letter.body))
                self.port.done(letter, keep=self.name != "relay")
            if self.port.replay_bytes > self.saved_bytes + SAVED_EVERY_BYTES:
                self.port.snapshot(self.log.save())
            self.report()

    def meet(self) -> None:
        """Connect to the present lives of the others."""
        for index, name in enumerate(NAMES):
            epoch = self.board["alive", index]
            if index != self.index and epoch and epoch == self.board["epoch", index]:
                self.port.connect(name, self.address(index), epoch)

    def produce(self) -> None:
        """The source sends on, a few messages in a turn."""
        self.port.begin()
        for _ in range(1 + self.posted % 5):
            self.posted += 1
            self.port.post("relay", Kind.SEND, lane_of(self.posted), "relay", "text", b"%d" % self.posted)
        self.port.commit()

    def handle(self, kind: Kind, lane: Lane, body: bytes) -> None:
        """What a message does, and what it sends."""
        if self.name == "relay":
            self.armed.passes("in handler")
            number = int(body)
            for part in range(parts_of(number)):
                self.port.post("receiver", Kind.SEND, lane, "receiver", "text", b"%d.%d" % (number, part))
            return
        count = self.log.add(kind, lane, body)
        self.armed.passes("in handler")
        if self.name == "receiver" and count % RECEIPT_EVERY == 0:
            self.port.post("source", Kind.REPLY, lane, "source", "text", b"%d" % count)

    def report(self) -> None:
        """Let the parent see how far it is."""
        kind = Kind.REPLY if self.name == "source" else Kind.SEND
        self.board["unconfirmed", self.index] = self.port.unconfirmed()
        self.board["posted", self.index] = self.posted
        self.board["risk", self.index] = self.log.count(kind, Lane.RISK)
        self.board["orders", self.index] = self.log.count(kind, Lane.ORDERS)


class Campaign:
    """The parent: forks, kills, forks again, and counts at the end."""

    def __init__(
        self, seed: int, journaled: Collection[str] = NAMES, *, is_late: bool = False, is_lossy: bool = False
    ) -> None:
        """`journaled` and `is_late` break the rules, to see that it is noticed; a lossy wire is no excuse."""
        self._draw = np.random.default_rng(seed)
        self._board = Board()
        self._folder = Path(tempfile.mkdtemp(prefix="libra-ray-kills-"))
        self._lives: dict[int, tuple[int, str]] = {}
        self._journaled, self._is_late, self._is_lossy = journaled, is_late, is_lossy
        self._kills = dict.fromkeys(POINTS, 0)

    def run(self, kills: int) -> dict[str, Any]:
        """So many kills, then figures. Raises `LostError`."""
        try:
            started_s = time.perf_counter()  # noqa: TID251 - figures for a person
            for index in range(len(NAMES)):
                self._fork(index)
            while sum(self._kills.values()) < kills:
                self._pause(0.004 * float(self._draw.random()))
                self._reap()
                if self._draw.random() < 0.1:
                    self._kill(int(self._draw.integers(len(NAMES))))
            ms_each = 1_000 * (time.perf_counter() - started_s) / kills  # noqa: TID251
            self._settle()
            figures = {"kills": sum(self._kills.values()), "ms_each": round(ms_each, 1), "points": self._kills}
            return figures | {"messages": self._check()}
        finally:
            for index in list(self._lives):
                self._kill(index, is_last=True)
            shutil.rmtree(self._folder)

    def _fork(self, index: int, point: str | None = None) -> None:
        """A new life, armed to end at a drawn point."""
        drawn = POINTS[int(self._draw.integers(1, len(POINTS)))]
        passage = 1 + int(self._draw.integers(3 if drawn == "in rewrite" else 15))
        armed = Armed(point or drawn, passage, float(self._draw.random()))
        faults = LossyWire(int(self._draw.integers(1 << 30))) if self._is_lossy else None
        self._board["epoch", index] += 1
        pid = os.fork()
        if pid == 0:
            try:
                journal_module.REWRITE_BYTES_MIN = REWRITE_BYTES  # type: ignore[misc] # small, to be written anew often
                if self._is_late:
                    write_late()
                is_journaled = NAMES[index] in self._journaled
                Host(index, self._board, self._folder, armed, is_journaled=is_journaled, faults=faults).run()
            except BaseException:  # noqa: BLE001 - told to the parent
                (self._folder / "failure").write_text(traceback.format_exc())
            finally:
                os._exit(1)
        self._lives[index] = (pid, armed.point)

    def _kill(self, index: int, *, is_last: bool = False) -> None:
        pid, _ = self._lives.pop(index)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self._buried(os.waitpid(pid, 0)[1])
        self._kills["outside"] += not is_last
        if not is_last:
            self._fork(index)

    def _reap(self) -> None:
        """Whoever has killed himself lives again; when the kills are over, for good."""
        for index, (pid, point) in list(self._lives.items()):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                del self._lives[index]
                self._buried(status)
                self._kills[point] += 1
                self._fork(index, "outside" if self._board["is_stopped", 0] else None)

    def _buried(self, status: int) -> None:
        failure = self._folder / "failure"
        if os.WIFEXITED(status) and failure.exists():
            raise LostError(failure.read_text())

    @staticmethod
    def _pause(seconds: float) -> None:
        time.sleep(seconds)  # noqa: TID251 - a kill comes at any time, not with an event

    def _settle(self) -> None:
        """No more kills and messages: wait until all has arrived."""
        self._board["is_stopped", 0] = 1
        for _ in range(SETTLE_SECONDS_MAX * 1_000):
            self._reap()
            hosts = range(len(NAMES))
            is_up = all(self._board["alive", host] == self._board["epoch", host] for host in hosts)
            if is_up and self._arrived() and not any(self._board["unconfirmed", host] for host in hosts):
                return
            self._pause(0.001)
        raise LostError(f"not all arrives: {self._counts()} of {self._expected()}")

    def _expected(self) -> tuple[int, ...]:
        posted = self._board["posted", 0]
        received = [sum(parts_of(n) for n in range(1, posted + 1) if lane_of(n) is lane) for lane in LANES]
        return (*received, *(count // RECEIPT_EVERY for count in received))

    def _counts(self) -> tuple[int, ...]:
        return tuple(self._board[lane, host] for host in (2, 0) for lane in ("risk", "orders"))

    def _arrived(self) -> bool:
        # The cheap test first: the other counts through all numbers.
        return 0 < self._board["posted", 0] <= sum(self._counts()[:2]) and self._counts() == self._expected()

    def _check(self) -> int:
        """The receiver is killed a last time: what its journal holds is all that there should be. Returns how much."""
        self._kill(2, is_last=True)
        journal = Journal(self._folder / "receiver.journal", Checkpoint("receiver", 1))
        journal.close()
        state = journal.state
        if state is None:
            raise LostError("the journal is new")
        frames = [(unpack((entry.header, entry.body))[0], entry.body) for entry in state.letters]
        log = Log(state.snapshot, ((Kind(frame.kind), Lane(frame.lane), body) for frame, body in frames))
        received = tuple(log.count(Kind.SEND, lane) for lane in LANES)
        if received != self._expected()[:2]:
            raise LostError(f"the journal holds {received} of {self._expected()}")
        return sum(received)


def main() -> int:
    """Run one campaign and print what came of it as JSON; 1 when a message was lost, doubled or out of order."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-journal", choices=NAMES, action="append", default=[])
    parser.add_argument("--write-late", action="store_true")
    parser.add_argument("--lossy", action="store_true")
    options = parser.parse_args()
    journaled = [name for name in NAMES if name not in options.without_journal]
    try:
        campaign = Campaign(options.seed, journaled, is_late=options.write_late, is_lossy=options.lossy)
        figures = campaign.run(options.kills)
    except LostError as error:
        print(json.dumps({"lost": str(error)}))  # noqa: T201 - the answer of a program
        return 1
    print(json.dumps(figures))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
