"""Actors that come back after a fault: after the back-off, and not for ever."""

from libra_ray.clock import VirtualClock
from libra_ray.sessions import SupervisionSettings
from libra_ray.sessions.fault_restarts import FaultRestarts

SETTINGS = SupervisionSettings(restarts_max=2, period_ns=1_000, backoff_first_ns=10)


class World:
    """A clock, and what was called."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.restarts: list[tuple[int, str]] = []
        self.halts: list[str] = []
        self.kept = FaultRestarts(
            SETTINGS,
            self.clock,
            restart=lambda actor_id: self.restarts.append((self.clock.now_ns(), actor_id)),
            on_halt=self.halts.append,
        )

    def run_to(self, ts_ns: int) -> None:
        while self.clock.now_ns() < ts_ns:
            self.clock.advance_to(self.clock.now_ns() + 1)
            self.kept.on_time()


def test_each_restart_waits_longer_and_after_too_many_trading_halts() -> None:
    world = World()
    for _ in range(3):
        world.kept.faulted("a", "boom")
        world.run_to(world.clock.now_ns() + 50)

    assert world.restarts == [(10, "a"), (70, "a")]
    assert world.halts == ["(a) used up its 2 restarts within 1e-06 s; last: boom"]
    assert world.kept.count("a") == 2


def test_actors_are_counted_each_for_itself_and_forgotten_when_they_go() -> None:
    world = World()
    for actor_id in ("a", "b"):
        world.kept.faulted(actor_id, "boom")
    world.run_to(20)
    world.kept.forget("a")

    assert world.restarts == [(10, "a"), (10, "b")]
    assert (world.kept.count("a"), world.kept.count("b"), world.kept.count("c")) == (0, 1, 0)
