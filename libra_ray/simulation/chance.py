"""Chance that one seed reproduces: draws are a function of a key and a counter, so one order's luck is its own."""

from hashlib import blake2b
from typing import Final

from libra_ray.model.numbers import Rate

__all__ = ["DRAWS_PER_ORDER", "Chance"]

DRAWS_PER_ORDER: Final = 2**20
_MASK: Final = 2**64 - 1
_GOLDEN: Final = 0x9E3779B97F4A7C15


class Chance:
    """Draws of one purpose at one venue: SplitMix64 (Steele, Lea, Flood 2014) of key + counter x golden ratio."""

    def __init__(self, seed: int, venue: str, purpose: str) -> None:
        digest = blake2b(f"{seed}\0{venue}\0{purpose}".encode(), digest_size=8).digest()
        self._key = int.from_bytes(digest, "little")

    def draw(self, counter: int) -> int:
        """A uniform integer in [0, 2^64), always the same for one counter."""
        mixed = (self._key + counter * _GOLDEN) & _MASK
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def happens(self, probability: Rate, counter: int) -> bool:
        """True with `probability`, decided exactly: nothing is drawn for 0 or 1."""
        if probability.num <= 0 or probability.num >= probability.den:
            return probability.num > 0
        return self.draw(counter) * probability.den < probability.num << 64

    def below(self, limit: int, counter: int) -> int:
        """A uniform integer in [0, limit)."""
        return self.draw(counter) * limit >> 64
