"""Random numbers made of integers, sums and products: right to the last digits, and the same for ever."""

from hashlib import blake2b
from math import exp, log
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.data.synthetic.noise import Floats, Noise, logarithm
from libra_ray.errors import ConfigError


def digest(values: Floats) -> str:
    return blake2b(values.tobytes(), digest_size=8).hexdigest()


@given(value=st.floats(min_value=1e-300, max_value=1e300))
def test_the_logarithm_is_that_of_the_mathematical_library(value: float) -> None:
    assert logarithm(np.array([value]))[0] == pytest.approx(log(value), rel=1e-14, abs=1e-15)


def test_normals_are_the_quantiles_of_the_uniform_numbers() -> None:
    uniform, normal = Noise(3, "x").uniform(20_000), Noise(3, "x").normal(20_000)

    wanted = np.array([NormalDist().inv_cdf(value) for value in uniform])

    assert np.abs(normal - wanted).max() < 1e-14
    assert np.abs(normal).max() > 3.5


def test_exponentials_are_minus_the_logarithms_of_the_uniform_numbers() -> None:
    uniform, exponential = Noise(3, "x").uniform(5_000), Noise(3, "x").exponential(5_000)

    assert np.abs(exponential - [-log(value) for value in uniform]).max() < 1e-14


@pytest.mark.parametrize("mean", [0.01, 1.0, 7.5, 32.0])
def test_poisson_counts_are_the_quantiles_of_the_uniform_numbers(mean: float) -> None:
    uniform, counts = Noise(5, "p").uniform(5_000), Noise(5, "p").poisson(np.full(5_000, mean))

    below, probability, wanted = 0.0, exp(-mean), np.zeros(5_000, int)
    for count in range(1, 120):
        below += probability
        probability *= mean / count
        wanted[uniform >= below] = count

    assert (counts == wanted).all()


def test_a_mean_above_32_is_refused() -> None:
    with pytest.raises(ValueError, match="above"):
        Noise(1, "p").poisson(np.array([33.0]))


def test_a_seed_gives_its_numbers_for_ever() -> None:
    noise = Noise(11, "golden")

    digests = [digest(noise.normal(1_000)), digest(noise.exponential(1_000)), digest(noise.bell(1_000))]

    assert digests == ["b528bf96f98e30b0", "3c7c35d0af842afb", "468b2eedf02ad743"]


def test_names_and_seeds_are_different_streams() -> None:
    first = {Noise(seed, name).uniform(1)[0] for seed in range(4) for name in "abcd"}

    assert len(first) == 16


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_of_another_size_is_refused(seed: int) -> None:
    with pytest.raises(ConfigError, match="CONF002 seed"):
        Noise(seed, "x")
