"""The mail of a run in lockstep: a port per host, everybody connected to everybody."""

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self

from libra_ray.bus.wire.frames import Kind
from libra_ray.bus.wire.port import Port
from libra_ray.clock import LiveClock
from libra_ray.runtime import Lane

__all__ = ["PortMail"]

EPOCH: Final = 1
WAIT_NS: Final = 200_000_000
LINGER_NS: Final = 2_000_000_000


class PortMail:
    """Context manager. `check` is called now and then while nothing comes; it raises when another host is gone."""

    def __init__(self, host_id: str, hosts: Sequence[str], folder: Path, check: Callable[[], None]) -> None:
        self._host_id, self._hosts, self._folder, self._check = host_id, hosts, folder, check
        self.others = len(hosts) - 1
        self._heard: deque[bytes] = deque()

    def __enter__(self) -> Self:
        # Numbers, not names: the path of a socket must be short.
        addresses = {host: f"ipc://{self._folder}/{number}" for number, host in enumerate(self._hosts)}
        self._port = Port(self._host_id, EPOCH, addresses.pop(self._host_id), LiveClock())
        for host, address in addresses.items():
            self._port.connect(host, address, EPOCH)
        self._peers = tuple(addresses)
        return self

    def __exit__(self, *_: object) -> None:
        self._port.close(LINGER_NS)

    def tell(self, body: bytes) -> None:
        """Send to all others; waits while one of them is far behind."""
        for host in self._peers:
            if not self._port.post(host, Kind.SEND, Lane.ORDERS, "lockstep", "turn", body):
                while self._port.held(host):
                    self._listen()

    def hear(self) -> bytes:
        """The next turn of anybody."""
        while not self._heard:
            self._listen()
        return self._heard.popleft()

    def _listen(self) -> None:
        """Take in what has come; if nothing has, wait a little."""
        port = self._port
        port.poll(0)
        letter = port.take()
        if letter is None:
            self._check()
            port.poll(WAIT_NS)
            letter = port.take()
        while letter is not None:
            self._heard.append(bytes(letter.body))
            port.done(letter, keep=False)
            letter = port.take()
