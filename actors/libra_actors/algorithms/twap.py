"""TWAP: one order worked as even slices at even distances in time.

It looks at no price, so it promises one thing only: the slices add up to the order, exactly.
"""

from collections import deque
from typing import Final

from pydantic import Field

from libra_actors.algorithms.parameters import ParameterError, Parameters
from libra_ray import ExecAlgorithm, ExecAlgorithmConfig, Order, Quantity, Timer

__all__ = ["Twap", "TwapConfig", "twap_slices"]

PARAMETERS: Final = {"horizon_secs": "3600", "interval_secs": "60"}


class TwapConfig(ExecAlgorithmConfig):
    """Settings of `Twap`; what differs by order stands in its `exec_algorithm_params`."""

    actor_id: str | None = Field(default="TWAP", pattern=r"^[A-Za-z0-9_.-]{1,128}$")


class Twap(ExecAlgorithm):
    """Sends a market order every `interval_secs` for `horizon_secs`, the first at once, the last as the order itself.

    The order says both in `exec_algorithm_params`. A slice that is denied or canceled stays with the order, and goes
    out with its last slice.
    """

    config: TwapConfig

    def on_start(self) -> None:
        self._plans: dict[str, deque[int]] = {}

    def on_order(self, primary: Order) -> None:
        try:
            horizon_ns, interval_ns = _terms(self.actor_id, primary)
        except ParameterError as error:
            self.deny_primary(primary, str(error))
            return
        instrument = self.cache.instrument(primary.instrument_id)
        slices = twap_slices(
            primary.leaves_raw,
            step_raw=instrument.step_raw,
            least_raw=instrument.min_qty_raw or 0,
            count=horizon_ns // interval_ns,
        )
        self._plans[primary.client_order_id] = deque(slices)
        if len(slices) > 1:
            last_ns = self.clock.now_ns() + interval_ns * (len(slices) - 1)
            self.clock.set_timer(primary.client_order_id, interval_ns=interval_ns, stop_ns=last_ns)
        self._next(primary)

    def on_timer(self, timer: Timer) -> None:
        primary = self.primary_of(timer.name)
        if primary is not None and timer.name in self._plans:
            self._next(primary)

    def on_primary_ended(self, primary: Order) -> None:
        if self._plans.pop(primary.client_order_id, None) is not None:
            self.clock.cancel_timer(primary.client_order_id)

    def _next(self, primary: Order) -> None:
        plan = self._plans[primary.client_order_id]
        slice_raw = plan.popleft()
        if not plan or slice_raw >= self.leaves_raw(primary):
            self.submit_primary(primary)
        else:
            self.submit_child(self.spawn_market(primary, Quantity(slice_raw, primary.size_precision)))


def twap_slices(quantity_raw: int, *, step_raw: int, least_raw: int, count: int) -> list[int]:
    """Cut `quantity_raw` into `count` even multiples of `step_raw`, and one more for a rest.

    One slice for all where the even ones would be 0 or below `least_raw`. They sum to `quantity_raw`, all but the last
    are equal. Raises `ValueError` for a count or quantity that is not positive.
    """
    if quantity_raw < 1 or step_raw < 1 or count < 1:
        raise ValueError(quantity_raw, step_raw, count)
    each = quantity_raw // count // step_raw * step_raw
    if each == 0 or each < least_raw:
        return [quantity_raw]
    rest = quantity_raw - each * count
    return [each] * count + ([rest] if rest else [])


def _terms(algorithm: str, primary: Order) -> tuple[int, int]:
    given = Parameters(algorithm, primary.exec_algorithm_params, PARAMETERS)
    horizon_ns, interval_ns = given.nanoseconds("horizon_secs"), given.nanoseconds("interval_secs")
    if horizon_ns < interval_ns:
        raise given.wrong("horizon_secs is below interval_secs. Give a horizon of one interval at least.")
    return horizon_ns, interval_ns
