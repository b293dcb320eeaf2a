"""The lock of a place behind a URL: of writers that meet exactly one has it, whatever the order of their steps."""

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.fs as pa_fs
import pytest

from libra_ray.data import remote_lock as module
from libra_ray.data.catalog_store import RemoteStore
from libra_ray.data.parquet_catalog import Catalog, catalog
from libra_ray.data.remote_lock import remote_lock
from libra_ray.errors import DataError
from libra_ray.messages.schemas import BARS
from tests.data.catalog_rows import EURUSD, bars, hours_read


class Stepped:
    """Arrow's local files, whose every call waits until a schedule lets its writer go on."""

    def __init__(self, turn: Callable[[], None]) -> None:
        self._files, self._turn = pa_fs.LocalFileSystem(), turn

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # any call of a file system
        def call(*arguments: object, **named: object) -> object:
            self._turn()
            return getattr(self._files, name)(*arguments, **named)

        return call


class Schedule:
    """Lets writers take their steps in a given order, and any order once that is used up."""

    def __init__(self, order: Iterator[int]) -> None:
        self._order, self._next, self._ended = order, -1, set[int]()
        self._changed = threading.Condition()
        self._advance()

    def _advance(self) -> None:
        self._next = next((number for number in self._order if number not in self._ended), -1)

    def step(self, number: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._next in (number, -1), timeout=5)
            self._advance()
            self._changed.notify_all()

    def end(self, number: int) -> None:
        with self._changed:
            self._ended.add(number)
            if self._next == number:
                self._advance()
            self._changed.notify_all()


def winners(folder: Path, order: tuple[int, ...], names: list[str], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Who of two writers, that keep what they win until both are through, has the lock."""
    schedule = Schedule(iter(order))
    won: list[int] = []
    both = threading.Barrier(2)
    tokens = threading.local()
    monkeypatch.setattr("libra_ray.data.remote_lock.secrets.token_hex", lambda _: tokens.name)
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(module, "LOOKS_MAX", 100_000)  # the other writer's steps may take long on a busy machine

    def write(number: int) -> None:
        tokens.name = names[number]
        try:
            with remote_lock(Stepped(lambda: schedule.step(number)), str(folder), "here"):
                won.append(number)
                schedule.end(number)
                both.wait(5)
        except DataError as error:
            assert error.code == "DATA023"  # noqa: PT017  # in a thread
            schedule.end(number)
            both.wait(5)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    return won


@pytest.mark.parametrize("names", [["a", "b"], ["b", "a"]])
def test_of_two_exactly_one_wins_in_every_order_of_their_first_steps(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, order in enumerate(itertools.product((0, 1), repeat=6)):
        assert len(winners(tmp_path / str(number), order, names, monkeypatch)) == 1, order


@pytest.mark.parametrize("name", ["zz-1-dead", "zz-1-dead.claim", "AA-1-dead.claim"])
def test_what_a_dead_writer_left_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.001)
    (tmp_path / "catalog.lock").mkdir()
    (tmp_path / "catalog.lock" / name).touch()
    lock = remote_lock(pa_fs.LocalFileSystem(), f"{tmp_path}/catalog.lock", "s3://b")

    with pytest.raises(DataError) as caught, lock:
        pass

    assert caught.value.message == (
        f"DATA023 s3://b: another writer holds the dataset: {name}. "
        f"Wait until it ends; if it has died, remove catalog.lock/{name.removesuffix('.claim')}* there."
    )
    assert [path.name for path in (tmp_path / "catalog.lock").iterdir()] == [name]


def test_of_many_at_once_exactly_one_wins(tmp_path: Path) -> None:
    won: list[int] = []
    through = threading.Barrier(8)

    def write(number: int) -> None:
        try:
            with remote_lock(pa_fs.LocalFileSystem(), str(tmp_path), "here"):
                won.append(number)
                through.wait(20)
        except DataError:
            through.wait(20)

    for _ in range(10):
        writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for each in writers:
            each.start()
        for each in writers:
            each.join()
        assert len(won) == 1
        won.clear()


def test_a_place_behind_a_url_that_is_not_there_is_no_empty_catalog(tmp_path: Path) -> None:
    made = Catalog(RemoteStore("s3://key:secret@bucket/cat", pa_fs.LocalFileSystem(), str(tmp_path / "cat")))

    with pytest.raises(DataError) as caught:
        made.ls()
    assert caught.value.message == (
        "DATA011 s3://***@bucket/cat: nothing is there. Check the URL, or import into it: the first import makes it."
    )

    made.write(EURUSD, BARS, bars(0, 3), "1h")
    assert hours_read(made) == [0, 1, 2]


def test_the_same_where_fsspec_opens_it() -> None:
    pytest.importorskip("fsspec")
    made = catalog("memory://test_remote_lock_none")

    with pytest.raises(DataError, match=r"^DATA011 memory://test_remote_lock_none: nothing is there\."):
        made.bars("EURUSD.SIM", "1h")
