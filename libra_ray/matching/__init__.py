"""Matching: books, what they have left to give, places in a queue, and the search for the next row that matters."""

from libra_ray.matching.depth_book import DepthBook, ScoutBook
from libra_ray.matching.l1_book import L1Book, L1Side, Ladder
from libra_ray.matching.scan import NEVER_FALL, NEVER_RISE, Column, next_quote_touch, next_touch

__all__ = [
    "NEVER_FALL",
    "NEVER_RISE",
    "Column",
    "DepthBook",
    "L1Book",
    "L1Side",
    "Ladder",
    "ScoutBook",
    "next_quote_touch",
    "next_touch",
]
