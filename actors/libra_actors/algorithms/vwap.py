"""VWAP: one order worked along a profile of the volume that its author expects.

With a limit on participation it follows the profile only as far as the market trades, and catches up later.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from pydantic import Field

from libra_actors.algorithms.parameters import ParameterError, Parameters
from libra_actors.algorithms.volume import VolumeMeter
from libra_ray import Bar, ExecAlgorithm, ExecAlgorithmConfig, Order, Quantity, Timer, Trade

__all__ = ["Vwap", "VwapConfig", "vwap_target_raw"]

PARAMETERS: Final = {
    "horizon_secs": "3600",
    "interval_secs": "60",
    "profile": "[1, 2, 1]",
    "max_participation": "0.1",
}


class VwapConfig(ExecAlgorithmConfig):
    """Settings of `Vwap`; what differs by order stands in its `exec_algorithm_params`."""

    actor_id: str | None = Field(default="VWAP", pattern=r"^[A-Za-z0-9_.-]{1,128}$")


@dataclass
class Plan:
    """How far one order is. `participation` None: no limit; `seen_raw`: volume at the slice before."""

    weights: list[Fraction]
    participation: Fraction | None
    seen_raw: int
    slices: int = 0


class Vwap(ExecAlgorithm):
    """Sends market orders so that after slice k the share w1 + ... + wk of the `profile` is out.

    The order says `horizon_secs`, `interval_secs` and as many weights as intervals go into the horizon; with
    `max_participation` no slice but the last is more than that part of what was traded since the slice before. The last
    slice is the order itself, with all that is left.
    """

    config: VwapConfig

    def on_start(self) -> None:
        self._plans: dict[str, Plan] = {}
        self._volume = VolumeMeter(self)

    def on_order(self, primary: Order) -> None:
        try:
            plan, interval_ns = _plan(self.actor_id, primary)
        except ParameterError as error:
            self.deny_primary(primary, str(error))
            return
        self._plans[primary.client_order_id] = plan
        if plan.participation is not None:
            plan.seen_raw = self._volume.open(primary.instrument_id)
        if len(plan.weights) > 1:
            last_ns = self.clock.now_ns() + interval_ns * (len(plan.weights) - 1)
            self.clock.set_timer(primary.client_order_id, interval_ns=interval_ns, stop_ns=last_ns)
        self._next(primary, plan)

    def on_timer(self, timer: Timer) -> None:
        primary, plan = self.primary_of(timer.name), self._plans.get(timer.name)
        if primary is not None and plan is not None:
            self._next(primary, plan)

    def on_trade(self, trade: Trade) -> None:
        self._volume.add(trade.instrument_id, trade.qty_raw)

    def on_bar(self, bar: Bar) -> None:
        self._volume.add(bar.instrument_id, bar.volume_raw)

    def on_primary_ended(self, primary: Order) -> None:
        plan = self._plans.pop(primary.client_order_id, None)
        if plan is not None:
            self.clock.cancel_timer(primary.client_order_id)
            if plan.participation is not None:
                self._volume.close(primary.instrument_id)

    def _next(self, primary: Order, plan: Plan) -> None:
        plan.slices += 1
        left = self.leaves_raw(primary)
        slice_raw = left if plan.slices >= len(plan.weights) else self._slice_raw(primary, plan, left)
        if slice_raw >= left > 0:
            self.submit_primary(primary)
        elif slice_raw > 0:
            self.submit_child(self.spawn_market(primary, Quantity(slice_raw, primary.size_precision)))

    def _slice_raw(self, primary: Order, plan: Plan, left_raw: int) -> int:
        step_raw = self.cache.instrument(primary.instrument_id).step_raw
        asked_raw = self.original_raw(primary)
        slice_raw = vwap_target_raw(asked_raw, plan.weights, plan.slices, step_raw=step_raw) - (asked_raw - left_raw)
        if plan.participation is None:
            return slice_raw
        now_raw = self._volume.raw(primary.instrument_id)
        traded_raw, plan.seen_raw = now_raw - plan.seen_raw, now_raw
        return min(slice_raw, int(plan.participation * traded_raw) // step_raw * step_raw)


def vwap_target_raw(quantity_raw: int, weights: list[Fraction], slices: int, *, step_raw: int) -> int:
    """How much of `quantity_raw` should be out after so many slices, down to the step."""
    share = sum(weights[:slices], Fraction(0)) / sum(weights, Fraction(0))
    return int(quantity_raw * share) // step_raw * step_raw


def _plan(algorithm: str, primary: Order) -> tuple[Plan, int]:
    given = Parameters(algorithm, primary.exec_algorithm_params, PARAMETERS)
    horizon_ns, interval_ns = given.nanoseconds("horizon_secs"), given.nanoseconds("interval_secs")
    weights = given.weights("profile")
    if horizon_ns // interval_ns != len(weights):
        count = horizon_ns // interval_ns
        raise given.wrong(f"profile has {len(weights)} weights for {count} intervals. Give one for each interval.")
    participation = given.share("max_participation") if given.has("max_participation") else None
    return Plan(weights, participation, 0), interval_ns
