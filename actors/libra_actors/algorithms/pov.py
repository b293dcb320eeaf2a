"""POV: one order worked at a fixed part of what the market trades."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from pydantic import Field

from libra_actors.algorithms.parameters import ParameterError, Parameters
from libra_actors.algorithms.volume import VolumeMeter
from libra_ray import Bar, ExecAlgorithm, ExecAlgorithmConfig, Order, Quantity, Timer, Trade

__all__ = ["Pov", "PovConfig", "pov_slice_raw"]

PARAMETERS: Final = {"rate": "0.1", "interval_secs": "60", "horizon_secs": "3600"}


class PovConfig(ExecAlgorithmConfig):
    """Settings of `Pov`; what differs by order stands in its `exec_algorithm_params`."""

    actor_id: str | None = Field(default="POV", pattern=r"^[A-Za-z0-9_.-]{1,128}$")


@dataclass(frozen=True)
class Plan:
    """How one order is worked; `start_raw`: the volume when it arrived."""

    rate: Fraction
    interval_ns: int
    horizon_ns: int | None
    start_raw: int = 0


class Pov(ExecAlgorithm):
    """Every `interval_secs` it sends what is missing to `rate` times the volume traded since the order came.

    A slice below the minimum quantity waits for more volume; one that is all the rest is the order itself. With
    `horizon_secs` an order that is not out by then is canceled with the code `HORIZON`.
    """

    config: PovConfig

    def on_start(self) -> None:
        self._plans: dict[str, Plan] = {}
        self._volume = VolumeMeter(self)

    def on_order(self, primary: Order) -> None:
        try:
            plan = _plan(self.actor_id, primary, self._volume.raw(primary.instrument_id))
        except ParameterError as error:
            self.deny_primary(primary, str(error))
            return
        self._plans[primary.client_order_id] = plan
        self._volume.open(primary.instrument_id)
        self.clock.set_timer(primary.client_order_id, interval_ns=plan.interval_ns)
        if plan.horizon_ns is not None:
            end_ns = self.clock.now_ns() + plan.horizon_ns
            self.clock.set_alert(_horizon_of(primary), at_ns=end_ns, callback=self._on_horizon)

    def on_timer(self, timer: Timer) -> None:
        primary, plan = self.primary_of(timer.name), self._plans.get(timer.name)
        if primary is None or plan is None:
            return
        instrument = self.cache.instrument(primary.instrument_id)
        left = self.leaves_raw(primary)
        slice_raw = pov_slice_raw(
            self._volume.raw(primary.instrument_id) - plan.start_raw,
            sent_raw=self.original_raw(primary) - left,
            rate=plan.rate,
            step_raw=instrument.step_raw,
        )
        if slice_raw < max(instrument.min_qty_raw or 0, instrument.step_raw) or left <= 0:
            return
        if slice_raw >= left:
            self.submit_primary(primary)
        else:
            self.submit_child(self.spawn_market(primary, Quantity(slice_raw, primary.size_precision)))

    def on_trade(self, trade: Trade) -> None:
        self._volume.add(trade.instrument_id, trade.qty_raw)

    def on_bar(self, bar: Bar) -> None:
        self._volume.add(bar.instrument_id, bar.volume_raw)

    def on_primary_ended(self, primary: Order) -> None:
        if self._plans.pop(primary.client_order_id, None) is not None:
            self.clock.cancel_timer(primary.client_order_id)
            self.clock.cancel_timer(_horizon_of(primary))
            self._volume.close(primary.instrument_id)

    def _on_horizon(self, timer: Timer) -> None:
        primary = self.primary_of(timer.name.removeprefix(_HORIZON))
        if primary is not None and primary.client_order_id in self._plans:
            self.cancel_primary(primary, "HORIZON")


def pov_slice_raw(volume_raw: int, *, sent_raw: int, rate: Fraction, step_raw: int) -> int:
    """What is missing to `rate` times the volume, down to the step; negative where more was sent."""
    return int(rate * volume_raw) // step_raw * step_raw - sent_raw


_HORIZON: Final = "horizon of "


def _horizon_of(primary: Order) -> str:
    return f"{_HORIZON}{primary.client_order_id}"


def _plan(algorithm: str, primary: Order, volume_raw: int) -> Plan:
    given = Parameters(algorithm, primary.exec_algorithm_params, PARAMETERS)
    horizon_ns = given.nanoseconds("horizon_secs") if given.has("horizon_secs") else None
    return Plan(given.share("rate"), given.nanoseconds("interval_secs"), horizon_ns, volume_raw)
