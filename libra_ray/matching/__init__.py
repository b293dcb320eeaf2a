"""Matching: the book, what it has left to give, and the search for the next row that touches an order."""

from libra_ray.matching.l1_book import L1Book, L1Side
from libra_ray.matching.scan import NEVER_FALL, NEVER_RISE, Column, next_quote_touch, next_touch

__all__ = ["NEVER_FALL", "NEVER_RISE", "Column", "L1Book", "L1Side", "next_quote_touch", "next_touch"]
