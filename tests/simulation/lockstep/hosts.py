"""Hosts of a run in lockstep as threads of one process: the same parts, with queues for mail."""

import queue
import threading
from collections.abc import Mapping, Sequence

from libra_ray.data import Dataset
from libra_ray.simulation import System
from libra_ray.simulation.lockstep.part import Part, take_part

WAIT_SECONDS_MAX = 10


class QueueMail:
    """Every host has a queue; what it tells goes into all others."""

    def __init__(self, me: str, boxes: Mapping[str, "queue.Queue[bytes]"]) -> None:
        self._mine = boxes[me]
        self._others = [box for name, box in boxes.items() if name != me]
        self.others = len(self._others)

    def tell(self, body: bytes) -> None:
        for box in self._others:
            box.put(body)

    def hear(self) -> bytes:
        return self._mine.get(timeout=WAIT_SECONDS_MAX)


def run_in_threads(
    system: System, data: Dataset, hosts: Mapping[str, Sequence[str]], *, batch_rows: int = 64
) -> dict[str, Part]:
    """Every host's part. Raises the first error of a host."""
    boxes: dict[str, queue.Queue[bytes]] = {host: queue.Queue() for host in hosts}
    parts: dict[str, Part] = {}
    errors: list[BaseException] = []

    def run(host: str) -> None:
        try:
            mail = QueueMail(host, boxes)
            parts[host] = take_part(system, data, frozenset(hosts[host]), mail, batch_rows=batch_rows)
        except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=run, args=(host,), daemon=True) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS_MAX * 2)
    if errors:
        raise errors[0]
    return parts
