"""The four execution algorithms (orders 9)."""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from libra_ray.testing.reference.clock import ALGORITHM_RANK, Clock, Timer
from libra_ray.testing.reference.exact import floor_to, ts_ns
from libra_ray.testing.reference.kernel import Kernel
from libra_ray.testing.reference.orders import CLOSED, Order
from libra_ray.testing.reference.state import State

__all__ = ["Algorithms"]

ZERO: Final = Decimal(0)


class Work:
    """A primary that is being worked."""

    def __init__(self, primary: Order, start: int, volume: Decimal) -> None:
        self.primary = primary
        self.start, self.start_volume, self.seen_volume = start, volume, volume
        self.total = primary.qty
        self.sent = ZERO
        self.slices = 0
        self.twap_slice = ZERO
        self.children = 0
        self.is_sent = False
        self.timers: list[Timer] = []


class Algorithms:
    """TWAP, VWAP, ICEBERG and POV."""

    def __init__(self, state: State, kernel: Kernel, clock: Clock) -> None:
        self.state, self.kernel, self.clock = state, kernel, clock
        self.works: dict[str, Work] = {}
        self.volumes: dict[str, Decimal] = {}

    def on_volume(self, instrument_id: str, kind: str, size: Decimal) -> None:
        """Volume is that of trade rows, or of bars where there are none."""
        if kind == "trade" or not self.state.markets[instrument_id].has_trades:
            self.volumes[instrument_id] = self._volume(instrument_id) + size

    def _volume(self, instrument_id: str) -> Decimal:
        return self.volumes.get(instrument_id, ZERO)

    # ---------------------------------------------------------------------- the primary

    def arrive(self, primary: Order) -> None:
        """A primary is sent to its algorithm."""
        work = Work(primary, self.state.now, self._volume(primary.instrument.id))
        self.works[primary.label] = work
        self.state.live[primary.label] = primary
        name = primary.algo["id"]
        if name == "TWAP":
            self._begin_twap(work)
        elif name == "VWAP":
            self._every(work, len(primary.algo["profile"]), first_now=True)
        elif name == "ICEBERG":
            self._next_iceberg(work)
        else:
            self._begin_pov(work)

    def _every(self, work: Work, count: int | None, *, first_now: bool) -> None:
        interval = ts_ns(work.primary.algo["interval_secs"])
        if first_now:
            self._slice(work, count)
        if not work.is_sent and not work.primary.is_closed:
            timer = self.clock.set(
                work.start + interval, ALGORITHM_RANK, lambda _: self._slice(work, count), interval=interval
            )
            work.timers.append(timer)

    def _slice(self, work: Work, count: int | None) -> None:
        work.slices += 1
        if work.is_sent or work.primary.is_closed:
            self._stop(work)
            return
        if count is None:
            self._pov_slice(work)
        elif work.slices >= count:
            self._send_primary(work)
        else:
            self._send_child(work, self._next_size(work))

    def _send_child(self, work: Work, qty: Decimal) -> None:
        """A MARKET child; a slice that is all the rest is the primary itself."""
        if qty <= 0:
            return
        if qty >= work.primary.qty:
            self._send_primary(work)
            return
        work.children += 1
        work.sent += qty
        self.kernel.spawn(work.primary, qty, "MARKET", work.children)

    def _send_primary(self, work: Work) -> None:
        self._stop(work)
        if work.primary.qty <= 0:
            return
        work.is_sent = True
        work.primary.algo = {}
        work.primary.asked_qty = work.primary.qty
        primary = work.primary
        self.kernel.queue.append(lambda: None if primary.is_closed else self.kernel.take_released(primary))

    def _stop(self, work: Work) -> None:
        for timer in work.timers:
            self.clock.drop(timer)
        work.timers = []

    # ---------------------------------------------------------------------- each algorithm

    def _begin_twap(self, work: Work) -> None:
        """N = floor(h / i) slices of floor(quantity / n), and one more for a rest."""
        algo, instrument = work.primary.algo, work.primary.instrument
        count = int(Decimal(algo["horizon_secs"]) // Decimal(algo["interval_secs"]))
        size = floor_to(Fraction(work.total) / count, instrument.step) if count else ZERO
        if size == 0 or size < instrument.min_qty:
            self._send_primary(work)
            return
        work.twap_slice = size
        self._every(work, count + (size * count < work.total), first_now=True)

    def _next_size(self, work: Work) -> Decimal:
        """TWAP: the slice. VWAP: the cumulative target less what was sent, within the participation."""
        primary = work.primary
        if work.twap_slice > 0:
            return work.twap_slice
        weights = [Fraction(weight) for weight in primary.algo["profile"]]
        part = sum(weights[: work.slices], Fraction(0)) / sum(weights, Fraction(0))
        qty = floor_to(Fraction(work.total) * part, primary.instrument.step) - work.sent
        if "max_participation" in primary.algo:
            volume = self._volume(primary.instrument.id)
            most = Fraction(primary.algo["max_participation"]) * Fraction(volume - work.seen_volume)
            qty = min(qty, floor_to(most, primary.instrument.step))
            work.seen_volume = volume
        return qty

    def _next_iceberg(self, work: Work) -> None:
        """One LIMIT child of display_qty at the primary's price; the last piece is the primary itself."""
        display = Decimal(work.primary.algo["display_qty"])
        if work.primary.qty <= display:
            self._send_primary(work)
            return
        work.children += 1
        self.kernel.spawn(work.primary, display, "LIMIT", work.children, work.primary.price)

    def _begin_pov(self, work: Work) -> None:
        self._every(work, None, first_now=False)
        if "horizon_secs" in work.primary.algo:
            horizon = work.start + ts_ns(work.primary.algo["horizon_secs"])
            work.timers.append(self.clock.set(horizon, ALGORITHM_RANK, lambda _: self._end_pov(work)))

    def _pov_slice(self, work: Work) -> None:
        """floor(r * volume since the start) less what was sent; below the minimum: wait."""
        instrument = work.primary.instrument
        volume = self._volume(instrument.id) - work.start_volume
        qty = floor_to(Fraction(work.primary.algo["rate"]) * Fraction(volume), instrument.step) - work.sent
        if qty >= max(instrument.min_qty, instrument.step):
            self._send_child(work, qty)

    def _end_pov(self, work: Work) -> None:
        self._stop(work)
        if not work.is_sent and not work.primary.is_closed:
            self.state.emit(work.primary, "CANCELED", is_local=True, code="HORIZON")

    # ---------------------------------------------------------------------- children

    def on_event(self, child: Order, event: str) -> None:
        """A child that ends gives its leaves back; an iceberg's next piece follows a filled one."""
        work = self.works.get(child.spawned_from)
        if work is None:
            return
        primary = work.primary
        is_ended = event in CLOSED and event != "FILLED"
        if is_ended and child.leaves > 0 and not primary.is_closed and not work.is_sent:
            work.sent -= child.leaves
            self.state.update(primary, qty=primary.qty + child.leaves)
        is_filled = event == "FILLED" and child.is_closed
        if is_filled and primary.algo.get("id") == "ICEBERG" and not primary.is_closed:
            self._next_iceberg(work)

    def cancel(self, primary: Order) -> None:
        """Cancel of the primary cancels its open children."""
        self.state.emit(primary, "CANCELED", is_local=True)
        work = self.works.get(primary.label)
        if work is None:
            return
        self._stop(work)
        for child in list(self.state.live.values()):
            if child.spawned_from == primary.label:
                self.kernel.cancel(child)
