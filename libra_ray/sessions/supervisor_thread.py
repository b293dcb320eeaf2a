"""The thread that supervises, as others see it: they ask for procedures and wait for their results."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Final, TypeVar

from libra_ray.bus.wire.keys import Keys
from libra_ray.bus.wire.port import Port
from libra_ray.clock import Clock
from libra_ray.errors import LibraError
from libra_ray.hosts.context import HostProgram
from libra_ray.hosts.loop import HostLoop
from libra_ray.sessions.procedures import Steps
from libra_ray.sessions.supervisor import Orders, SupervisorCarrier

__all__ = ["SupervisorThread"]

T = TypeVar("T")

SECOND: Final = 1_000_000_000
BEGIN_SECONDS_MAX: Final = 10.0
LOOK_SECONDS: Final = 0.2


class SupervisorThread:
    """Runs a `SupervisorCarrier` on its own port. `on_crash` is called in it, last, should it fail."""

    def __init__(
        self, name: str, program: HostProgram, clock: Clock, orders: Orders, on_crash: Callable[[], None]
    ) -> None:
        self._name, self._program, self._clock, self._orders = name, program, clock, orders
        self._on_crash = on_crash
        self._carrier: SupervisorCarrier | None = None
        self._crash: BaseException | None = None
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name=f"libra-ray-supervisor-{name}", daemon=True)

    def start(self) -> None:
        """Return when it takes procedures. Raises what kept it from that."""
        self._thread.start()
        self.wait(self._ready, BEGIN_SECONDS_MAX)

    @property
    def carrier(self) -> SupervisorCarrier:
        """What it runs. Raises `LibraError` before the start."""
        if self._carrier is None:
            raise LibraError(f"the supervisor of {self._name} does not run")
        return self._carrier

    @property
    def is_alive(self) -> bool:
        """Whether procedures are still done."""
        return self._thread.is_alive()

    def check(self) -> None:
        """Raise `LibraError` when it has failed."""
        if self._crash is not None:
            raise LibraError(f"the supervisor of {self._name} failed: {self._crash!r}") from self._crash

    def ask(self, procedure: Callable[[SupervisorCarrier], Steps[T]], seconds_max: float) -> T:
        """Have a procedure done there and wait for its result. Raises what it raised."""
        self.check()
        carrier = self.carrier
        return self.wait(carrier.call(lambda: procedure(carrier)), seconds_max)

    def wait(self, future: "Future[T]", seconds_max: float) -> T:
        """The future's result. Looks now and then whether the thread still lives."""
        deadline_ns = self._clock.now_ns() + int(seconds_max * SECOND)
        while True:
            try:
                return future.result(LOOK_SECONDS)
            except FutureTimeoutError:
                if future.done():  # then it is the result's own
                    raise
                self.check()
                if not self._thread.is_alive() and not future.done():
                    raise LibraError(f"the supervisor of {self._name} has ended") from None
                if self._clock.now_ns() > deadline_ns:
                    raise LibraError(f"the supervisor of {self._name} did not answer in {seconds_max:g} s") from None

    def end(self) -> None:
        """Return when the thread has ended. May be called twice, and before the start."""
        if self._carrier is not None:
            self._carrier.ends_by_ns = 0
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            program = self._program
            keys = None if program.keys_path is None else Keys.read(program.keys_path)
            port = Port(program.host_id, program.epoch, program.address, self._clock, keys=keys)
            try:
                self._carrier = SupervisorCarrier(program, port, self._clock, self._orders)
                self._ready.set_result(None)
                HostLoop(program, port, self._clock, self._carrier, None).run()
            finally:
                port.close(0)
        except BaseException as error:  # noqa: BLE001  # raised in every thread that asks
            self._crash = error
            if not self._ready.done():
                self._ready.set_exception(error)
            self._on_crash()
