"""The nearest prices at which something happens at a venue: what a look-ahead searches the rows for."""

from libra_ray.matching import NEVER_FALL, NEVER_RISE

__all__ = ["Reach"]


class Reach:
    """The nearest prices at which waiting orders of one instrument are reached, or its account must be looked at.

    Attributes:
        bid_fall, bid_rise: the bid falls to the highest sell stop, or rises to the lowest sell limit.
        ask_fall, ask_rise: the ask falls to the highest buy limit, or rises to the lowest buy stop.
        every_row: each row matters: a trigger follows the market, a place in a queue moves.
    """

    __slots__ = ("ask_fall", "ask_rise", "bid_fall", "bid_rise", "every_row")

    def __init__(self) -> None:
        self.bid_fall = self.ask_fall = NEVER_FALL
        self.bid_rise = self.ask_rise = NEVER_RISE
        self.every_row = False

    @property
    def fall(self) -> int:
        """The highest price that a falling market reaches."""
        return max(self.bid_fall, self.ask_fall)

    @property
    def rise(self) -> int:
        """The lowest price that a rising market reaches."""
        return min(self.bid_rise, self.ask_rise)

    def falls_to(self, px: int, *, bid: bool, ask: bool) -> None:
        """Something happens when bid or ask fall to `px`."""
        if bid:
            self.bid_fall = max(self.bid_fall, px)
        if ask:
            self.ask_fall = max(self.ask_fall, px)

    def rises_to(self, px: int, *, bid: bool, ask: bool) -> None:
        """Something happens when bid or ask rise to `px`."""
        if bid:
            self.bid_rise = min(self.bid_rise, px)
        if ask:
            self.ask_rise = min(self.ask_rise, px)

    def guard(self, fall: int, rise: int) -> None:
        """Something happens when any price falls to `fall` or rises to `rise`."""
        self.falls_to(fall, bid=True, ask=True)
        self.rises_to(rise, bid=True, ask=True)
