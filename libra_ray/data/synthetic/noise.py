"""Random numbers that are equal on every machine: Philox bits, integers, and IEEE sums and products in a fixed order.

The raw 64-bit output of Philox 4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) is what
numpy keeps stable. No function of a mathematical library is called, since those differ in their last bits: logarithms
are a series, normals a ratio of polynomials.
"""

from hashlib import blake2b
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from libra_ray.data.arrow_arrays import Int64s
from libra_ray.errors import ConfigError

__all__ = ["Floats", "Noise", "logarithm"]

Floats: TypeAlias = npt.NDArray[np.float64]

LN_2: Final = 0.6931471805599453
SQRT_HALF: Final = 0.7071067811865476
SERIES_TERMS: Final = 11
SEEDS: Final = 2**64
POISSON_MEAN_MAX: Final = 32.0
# Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics 37 (1988), PPND16:
# numerator and denominator of each of three stretches, the highest power first. Relative accuracy about 1e-16.
CENTRE: Final = (
    (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457, 13731.693765509461125,
     1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
    (5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867, 5394.1960214247511077,
     687.1870074920579083, 42.313330701600911252, 1.0),
)  # fmt: skip
SHOULDER: Final = (
    (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
     3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
     0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0),
)  # fmt: skip
TAIL: Final = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
     0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772),
    (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
     0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0),
)  # fmt: skip
CENTRE_HALF_WIDTH: Final = 0.425
SHOULDER_END: Final = 5.0
SHOULDER_SHIFT: Final = 1.6


class Noise:
    """One stream of random numbers. Streams of one seed and different names are independent of each other.

    Raises `ConfigError` CONF002 for a seed that has more than 64 bits or a sign.
    """

    def __init__(self, seed: int, name: str) -> None:
        if not 0 <= seed < SEEDS:
            fix = "Give a number from 0 to 2^64 - 1."
            raise ConfigError("CONF002", "seed", f"{seed} is out of range", fix, str(seed))
        digest = blake2b(name.encode(), digest_size=8).digest()
        self._bits = np.random.Philox(key=np.array([seed, int.from_bytes(digest, "little")], np.uint64))

    def integers(self, count: int, bound: int) -> Int64s:
        """From 0 to `bound` - 1. The bias of the modulo is below `bound` / 2^63."""
        raw = self._bits.random_raw(count)
        return ((raw >> np.uint64(1)) % np.uint64(bound)).astype(np.int64)

    def uniform(self, count: int) -> Floats:
        """Between 0 and 1, neither of them: multiples of 2^-53, and half of that above."""
        high = (self._bits.random_raw(count) >> np.uint64(11)).astype(np.float64)
        floats: Floats = (high + 0.5) * 2.0**-53
        return floats

    def bell(self, count: int) -> Floats:
        """About normal, mean 0 and variance 1: the sum of four 16-bit parts of a number (Irwin-Hall), within 3.47."""
        raw = self._bits.random_raw(count)
        parts = sum((raw >> np.uint64(shift)) & np.uint64(0xFFFF) for shift in (0, 16, 32, 48))
        # The variance of a sum of four uniform 16-bit integers is 4 x (2^32 - 1) / 12.
        centred = np.asarray(parts).astype(np.int64) - 2 * 0xFFFF
        bells: Floats = centred / ((2**32 - 1) / 3) ** 0.5
        return bells

    def normal(self, count: int) -> Floats:
        """Normal, mean 0 and variance 1, by inversion (AS 241); within 8.3, which 2^-54 is as a quantile."""
        uniform = self.uniform(count)
        centred = uniform - 0.5
        normals = centred * _ratio(CENTRE, CENTRE_HALF_WIDTH * CENTRE_HALF_WIDTH - centred * centred)
        outer = np.flatnonzero(np.abs(centred) > CENTRE_HALF_WIDTH)
        nearest = np.minimum(uniform[outer], 1.0 - uniform[outer])
        depth = np.sqrt(-logarithm(nearest))
        shoulder = _ratio(SHOULDER, depth - SHOULDER_SHIFT)
        tail = _ratio(TAIL, depth - SHOULDER_END)
        normals[outer] = np.where(depth <= SHOULDER_END, shoulder, tail) * np.where(centred[outer] < 0.0, -1.0, 1.0)
        return normals

    def exponential(self, count: int) -> Floats:
        """Exponential with mean 1, by inversion; at most 37."""
        return -logarithm(self.uniform(count))

    def poisson(self, means: Floats) -> Int64s:
        """Poisson counts of these means, each at most 32, by inversion of one uniform number each.

        Raises `ValueError` for a larger mean: split it, sums of Poisson counts are Poisson counts.
        """
        if len(means) and float(means.max()) > POISSON_MEAN_MAX:
            raise ValueError(f"a mean of {means.max()} is above {POISSON_MEAN_MAX}")
        left = self.uniform(len(means))
        probability = _exponential_of_minus(means)
        counts = np.zeros(len(means), np.int64)
        open_ = np.flatnonzero(left >= probability)
        count = 0
        while len(open_):
            left[open_] -= probability[open_]
            count += 1
            probability[open_] *= means[open_] / count
            counts[open_] = count
            # What rounding leaves at the far end belongs to no count: it ends where nothing more can be taken off.
            open_ = open_[(left[open_] >= probability[open_]) & (probability[open_] > 0.0)]
        return counts


def logarithm(values: Floats) -> Floats:
    """The natural logarithm of positive numbers to about 1e-16, by sums and products alone.

    With m 2^e = x and m about 1, ln x = e ln 2 + 2 artanh((m - 1) / (m + 1)).
    """
    mantissa, exponent = np.frexp(values)
    low = mantissa < SQRT_HALF
    mantissa = np.where(low, mantissa + mantissa, mantissa)
    exponent = exponent - low
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    square = ratio * ratio
    series = np.full_like(square, 1.0 / (2 * SERIES_TERMS + 1))
    for term in range(SERIES_TERMS - 1, -1, -1):
        series = series * square + 1.0 / (2 * term + 1)
    logarithms: Floats = exponent * LN_2 + 2.0 * ratio * series
    return logarithms


def _exponential_of_minus(values: Floats) -> Floats:
    """e^-x for 0 <= x <= 32: Taylor's series of x / 64, then six squarings; relative error below 1e-13."""
    small = values / -64.0
    series = np.ones_like(small)
    for term in range(18, 0, -1):
        series = 1.0 + series * (small / term)
    for _ in range(6):
        series = series * series
    return series


def _ratio(polynomials: tuple[tuple[float, ...], tuple[float, ...]], at: Floats) -> Floats:
    """Numerator over denominator by Horner's rule."""
    above, below = (np.full_like(at, highest) for highest, *_ in polynomials)
    for upper, lower in zip(polynomials[0][1:], polynomials[1][1:], strict=True):
        above = above * at + upper
        below = below * at + lower
    ratio: Floats = above / below
    return ratio
