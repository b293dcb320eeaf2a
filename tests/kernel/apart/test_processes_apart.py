"""The whole kernel over the real wire: each part a process of its own, killed and started again in between."""

import pytest

import libra_ray as lr
from libra_ray.data import Dataset
from libra_ray.sessions.residents import residents
from libra_ray.simulation.backtest import build
from tests.hosts.director import MS, Director
from tests.kernel.apart.carrier import rows_of
from tests.kernel.apart.telling import TellingCross, told

PAIR = lr.pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")
PAUSE = 40 * MS
PATIENCE = 20.0
KILLS = {20: "RiskEngine", 35: "ExecEngine", 50: "Portfolio", 65: "OrderEmulator"}


def _system() -> lr.System:
    system = lr.System("processes").add_venue("SIM", balances=["100_000 USD"])
    system.add(TellingCross(instrument="EURUSD.SIM", bars="1m", fast=2, slow=5, quantity="1000"), "Cross")
    return system


@pytest.fixture(scope="module")
def bars() -> Dataset:
    return lr.synth("bars", PAIR, rows=80, period="1m", seed=3, price="1.1", volatility=0.01)


def _fused(data: Dataset) -> list[tuple[str, ...]]:
    kernel, replay = build(_system(), data)
    kernel.start()
    replay.run()
    (strategy,) = kernel.strategies
    assert isinstance(strategy, TellingCross)
    return told(strategy)


@pytest.mark.slow
@pytest.mark.parametrize("kills", [{}, KILLS], ids=["in peace", "with kills"])
def test_the_same_orders_and_fills(bars: Dataset, kills: dict[int, str]) -> None:
    expected = _fused(bars)
    placed = {place.actor_id: place.resident for place in residents(_system(), instruments=[PAIR])}
    with Director() as director:
        for actor_id, resident in placed.items():
            assert director.start(actor_id, resident).is_ok
        (topic,) = (stream.topic for stream in bars.streams)
        director.until(lambda: {"Cross", "SIM-client"} <= {*director.carrier.bus.copy.others_for(topic)}, PATIENCE)
        for number, (stream, row) in enumerate(rows_of(bars)):
            if number in kills:
                director.kill(kills[number])
            director.publish(stream.topic, row)
            if number in kills:
                director.run(PAUSE)
                assert director.start(kills[number], placed[kills[number]]).is_ok
            director.until(lambda seen=number + 1: _is_settled(director, seen), PATIENCE)  # type: ignore[misc]
        director.until(lambda: _answer(director)[1] == expected, PATIENCE)


def _is_settled(director: Director, bars_seen: int) -> bool:
    """The strategy has seen the bar, and whatever it made of it has come to the venue."""
    seen, (*orders, _) = _answer(director)
    return seen == bars_seen and all(status in ("ACCEPTED", "FILLED") for *_, status in orders)


def _answer(director: Director) -> tuple[int, list[tuple[str, ...]]]:
    seen, lines = director.query("Cross.orders")
    return seen, [tuple(line) for line in lines]
