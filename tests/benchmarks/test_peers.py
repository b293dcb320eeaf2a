"""The job that several engines do: its bars, its averages, the comparison of answers."""

import numpy as np
import pytest

from benchmarks.peers.environments import PEERS, Peer, UnavailableError, python_for
from benchmarks.peers.job import JOB, Answer, CrossRule, Ema, ema_column, plain_answer, synthetic_bars


def test_bars_of_one_seed_are_equal_and_of_another_differ() -> None:
    first, again, other = (synthetic_bars(1_000, seed=seed) for seed in (7, 7, 8))

    assert np.array_equal(first.close, again.close)
    assert not np.array_equal(first.close, other.close)


def test_each_bar_opens_where_the_one_before_closed_and_holds_its_prices() -> None:
    bars = synthetic_bars(5_000, seed=7)

    assert np.array_equal(bars.open[1:], bars.close[:-1])
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.volume // 4 >= 2 * JOB.quantity).all()


def test_the_job_flips_about_nine_thousand_times_on_200_000_bars() -> None:
    answer = plain_answer(synthetic_bars(200_000, seed=7))

    assert (answer.fills, answer.equity_cents) == (8_803, 844_880_675)


@pytest.mark.slow
def test_the_average_of_a_column_is_that_of_a_handler_to_the_last_digits() -> None:
    pytest.importorskip("pandas")
    close = synthetic_bars(2_000, seed=7).price("close")
    ema = Ema(JOB.slow)

    one_by_one = [ema.update(price) for price in close.tolist()]

    column = ema_column(close, JOB.slow)
    assert one_by_one[: JOB.slow - 1] == [None] * (JOB.slow - 1)
    assert np.isnan(column[: JOB.slow - 1]).all()
    assert np.allclose(column[JOB.slow - 1 :], np.array(one_by_one[JOB.slow - 1 :], dtype=float), rtol=1e-13, atol=0.0)


def test_the_first_cross_opens_and_each_further_one_flips() -> None:
    rule = CrossRule()
    averages = [(2.0, 1.0), (1.0, 1.0), (0.5, 1.0), (1.0, 1.0), (0.9, 1.0), (1.1, 1.0), (0.9, 1.0)]

    sizes = [rule.order_size(fast, slow) for fast, slow in averages]

    assert sizes == [0, 0, -JOB.quantity, 0, 0, 2 * JOB.quantity, -2 * JOB.quantity]


def test_a_fill_a_cent_away_makes_another_answer() -> None:
    ours = Answer.of([(10.0, 100.01), (-20.0, 100.02)], 1_000.0)

    assert ours == Answer.of([(10.0, 100.01), (-20.0, 100.02)], 1_000.0)
    assert ours != Answer.of([(10.0, 100.01), (-20.0, 100.03)], 1_000.0)
    assert ours != Answer.of([(-20.0, 100.02), (10.0, 100.01)], 1_000.0)
    assert ours != Answer.of([(10.0, 100.01), (-20.0, 100.02)], 1_000.01)


def test_every_peer_names_exact_versions() -> None:
    assert all("==" in requirement for peer in PEERS for requirement in peer.requirements)


def test_a_peer_that_no_python_here_can_run_is_unavailable_with_the_reason() -> None:
    with pytest.raises(UnavailableError, match=r"needs Python >= 9\.0, and none is on PATH"):
        python_for(Peer("future", "engine_future", (), (9, 0)))
