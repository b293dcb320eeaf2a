"""Looking ahead saves work and changes nothing: a run is what it is where every row is given to the venue."""

from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import libra_ray as lr
from libra_ray.data import Dataset
from libra_ray.simulation import book_scout
from libra_ray.simulation import stream_state as states
from tests.strategy.compiled.handlers import Mix

PAIR = lr.pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00005", step="10")
BOOKS: dict[str, Literal["L2", "L3"]] = {"L2": "L2", "L3": "L3"}


def data(kind: str, seed: int) -> Dataset:
    if kind in BOOKS:
        return lr.synth_order_flow(PAIR, events=250, price="1.10000", seed=seed, book=BOOKS[kind])
    process = lr.Gbm(0.0004)
    return lr.synth(
        kind, PAIR, rows=250, seed=seed, period="1m" if kind == "bars" else "", price="1.1", process=process
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["bars", "quotes", "trades", "L2", "L3"]),
    seed=st.integers(0, 999),
    length=st.integers(1, 9),
    weight=st.floats(0.01, 1.0),
    latency=st.sampled_from([None, lr.LatencySettings(insert="70")]),
    steps=st.sampled_from([(2, 1, 1), (3, 2, 3), (7, 1, 4), (65_536, 64, 65_536)]),
)
def test_a_run_is_the_same_with_every_row_at_the_venue(
    kind: str,
    seed: int,
    length: int,
    weight: float,
    latency: Any,  # noqa: ANN401
    steps: tuple[int, int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`steps`: rows of a scout's chunk, and of the least and largest block of a look ahead."""
    made = lr.System("ahead", seed=1)
    venue: dict[str, Any] = {"book": kind} if kind in BOOKS else {}
    venue |= {} if latency is None else {"latency": latency}
    made.add_venue("SIM", account="margin", balances=["100_000 USD"], **venue)
    made.add(Mix(kind="book" if kind in BOOKS else kind, length=length, weight=weight))
    dataset = data(kind, seed)

    with monkeypatch.context() as patched:
        patched.setattr(book_scout, "CHUNK_ROWS", steps[0])
        patched.setattr(states, "BLOCK_ROWS_MIN", steps[1])
        patched.setattr(states, "BLOCK_ROWS_MAX", steps[2])
        ahead = lr.backtest(made, data=dataset)
        patched.setattr(states.StreamState, "next_touch", lambda _self, _reach, start, _stop: start)
        every = lr.backtest(made, data=dataset)

    assert ahead.run_hash == every.run_hash
    assert (ahead.counts, ahead.stats) == (every.counts, every.stats)
