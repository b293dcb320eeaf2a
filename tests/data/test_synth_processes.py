"""Price processes: each moves as its parameters say, and one seed gives one path."""

from typing import Any

import numpy as np
import pytest

from libra_ray.data.synthetic import Gbm, Heston, JumpDiffusion, OrnsteinUhlenbeck, Process, synth, synth_pair
from libra_ray.data.synthetic.noise import Floats, Noise
from libra_ray.errors import ConfigError
from libra_ray.model.instruments import pair

EURUSD = pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step=1000)
GBPUSD = pair("GBPUSD.SIM", base="GBP", quote="USD", tick="0.00001", step=1000)
ROWS = 100_000


def returns(process: Process, **options: Any) -> Floats:  # noqa: ANN401  # as `path` takes them
    path = process.path(Noise(1, "test"), ROWS, **options)
    moves: Floats = path[1:] / path[:-1] - 1.0
    return moves


def kurtosis(values: Floats) -> float:
    centred = values - values.mean()
    return float((centred**4).mean() / (centred**2).mean() ** 2)


def test_brownian_returns_are_normal_with_their_deviation_and_drift() -> None:
    moves = returns(Gbm(volatility=0.002, drift=0.0001))

    assert moves.std() == pytest.approx(0.002, rel=0.01)
    assert moves.mean() == pytest.approx(0.0001, abs=0.00002)
    assert kurtosis(moves) == pytest.approx(3.0, abs=0.05)


def test_steps_of_a_row_add_up_to_its_volatility() -> None:
    path = Gbm(volatility=0.002).path(Noise(1, "test"), ROWS, steps_per_row=8)[::8]

    assert (path[1:] / path[:-1] - 1.0).std() == pytest.approx(0.002, rel=0.01)


def test_jumps_come_at_their_rate_with_their_size() -> None:
    moves = returns(JumpDiffusion(volatility=0.0, jump_rate=0.01, jump_mean=-0.05, jump_volatility=0.01))
    jumps = moves[moves != 0.0]

    assert len(jumps) == pytest.approx(0.01 * ROWS, rel=0.1)
    assert jumps.mean() == pytest.approx(-0.05, abs=0.002)
    assert jumps.std() == pytest.approx(0.011, abs=0.002)


def test_variance_of_heston_comes_in_clusters_around_its_mean() -> None:
    squares = returns(Heston(variance=1e-6, reversion=0.02, variance_volatility=1e-4)) ** 2

    assert squares.mean() == pytest.approx(1e-6, rel=0.1)
    assert np.corrcoef(squares[1:], squares[:-1])[0, 1] > 0.05
    assert kurtosis(np.sqrt(squares) * np.where(np.arange(ROWS) % 2, 1, -1)) > 3.3


def test_correlation_of_heston_links_falls_to_rising_variance() -> None:
    moves = returns(Heston(correlation=-0.9, variance_volatility=1e-4))
    later = np.convolve(moves**2, np.ones(20), "valid")[1:]

    assert np.corrcoef(moves[: len(later)], later)[0, 1] < -0.02


def test_a_drawn_back_price_has_the_deviation_of_its_stationary_law() -> None:
    path = OrnsteinUhlenbeck(volatility=0.001, reversion=0.05).path(Noise(1, "test"), ROWS)

    assert (path - 1.0).std() == pytest.approx(0.001 / (1.0 - 0.95**2) ** 0.5, rel=0.05)


def test_a_process_moves_quotes_trades_and_bars_alike() -> None:
    for kind, column, period in (("quotes", "bid_px", ""), ("trades", "price", ""), ("bars", "close", "1m")):
        made = synth(kind, EURUSD, rows=20_000, period=period, price="1.1", process=Gbm(volatility=0.01))
        prices = np.asarray(made.streams[0].raw(column)).astype(float)

        assert (prices[1:] / prices[:-1] - 1).std() == pytest.approx(0.01, rel=0.03)


def test_two_prices_of_a_pair_stay_together() -> None:
    made = synth_pair(EURUSD, GBPUSD, rows=20_000, prices=("1.1", "1.3"), common=Gbm(0.005))
    first, second = (np.asarray(stream.raw("close")).astype(float) for stream in made.streams)
    ratio = second / first / (1.3 / 1.1) - 1.0

    assert first.std() / first.mean() > 0.05
    assert abs(ratio).max() < 0.05
    assert ratio.std() == pytest.approx(0.001 / (1.0 - 0.98**2) ** 0.5, rel=0.1)


@pytest.mark.parametrize(
    ("process", "digest"),
    [
        (Gbm(), "fbec457c682a07fdd05eb3a9b6d6f609"),
        (JumpDiffusion(jump_rate=0.1), "28f16406f4f7a8c299ccfd9cac6dbbdc"),
        (Heston(), "140f13268bfdfd09ec7f8b3acc74eef7"),
        (OrnsteinUhlenbeck(), "d8dee692593b5a6ce57ed75534058b40"),
    ],
)
def test_a_seed_gives_its_digest_for_ever(process: Process, digest: str) -> None:
    assert synth("quotes", EURUSD, rows=1_000, seed=7, price="1.1", process=process).digest == digest


def test_a_seed_gives_its_pair_for_ever() -> None:
    assert synth_pair(EURUSD, GBPUSD, rows=1_000, seed=7).digest == "38912edb378bd73dc9cd9937a75b9549"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gbm(volatility=-1.0), "CONF002 volatility: -1.0 is no number from 0 on. Give 0 or more."),
        (lambda: Heston(correlation=1.5), "CONF002 correlation: 1.5 is not between -1 and 1. Give for example -0.6."),
        (lambda: JumpDiffusion(jump_rate=33.0), "CONF002 jump_rate: 33.0 is above 32. Make more, shorter rows."),
        (lambda: Gbm(volatility=float("nan")), "CONF002 volatility: nan is no number from 0 on. Give 0 or more."),
        (
            lambda: synth_pair(EURUSD, EURUSD, rows=5),
            "CONF007 second: EURUSD.SIM is given 2 times. Give two instruments.",
        ),
    ],
)
def test_wrong_parameters(make: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(ConfigError) as caught:
        make()

    assert caught.value.message == message
