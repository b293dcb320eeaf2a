"""Why an order is denied."""

from typing import NamedTuple

__all__ = ["Refusal"]


class Refusal(NamedTuple):
    """Why an order is denied: the code programs look at, and the sentence people read."""

    code: str
    message: str
