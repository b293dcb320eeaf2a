"""What a simulated venue knows and says: its orders, ids and events.

Each event is reported, and so applied to positions and money, before the next one is made.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from heapq import heappush
from typing import Final, NamedTuple, TypeAlias

from libra_ray.kernel.settings import VenueSettings
from libra_ray.messages.events import (
    AccountBooked,
    MarginCall,
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderFilled,
    OrderRejected,
    OrderUpdated,
    PositionEvent,
)
from libra_ray.model.enums import TimeInForce
from libra_ray.model.numbers import Rate
from libra_ray.model.orders import Order
from libra_ray.portfolio import Portfolio
from libra_ray.simulation.chance import DRAWS_PER_ORDER, Chance
from libra_ray.simulation.fee_schedule import FeeSchedule
from libra_ray.simulation.market import Market
from libra_ray.simulation.sessions import Sessions
from libra_ray.simulation.working import Working

__all__ = ["EngineLinks", "VenueReports"]

Ending: TypeAlias = tuple[int, int, Working]

_GTC: Final = TimeInForce.GTC


class EngineLinks(NamedTuple):
    """Whom a simulated venue tells what happens: the execution engine.

    Attributes:
        report: an event of an order.
        accept: one acceptance; `fill`: one fill. The venue has the order in hand and knows that they are new.
        book: bookings and ends of positions that are no fills.
        adopt: an order that the venue makes itself.
        call: a margin call.
    """

    report: Callable[[OrderEvent], None]
    accept: Callable[[Order, OrderAccepted], None]
    fill: Callable[[Order, OrderFilled], None]
    book: Callable[[list[PositionEvent | AccountBooked]], None]
    adopt: Callable[[Order], None]
    call: Callable[[MarginCall], None]


class VenueReports(ABC):
    """State and reports of one venue.

    Attributes:
        markets: by instrument id.
        held: children that wait for their parent, by client order id.
        arriving: orders of a list whose turn to arrive has not come, by client order id.
        expiries: a heap of (expire_ns, acceptance, order) of GTD orders; closed ones are skipped when they surface.
        day_ends, closings: the same of DAY orders and of orders for the close of their session.
        has_endings: whether any order ever came that ends by time, so that these must be looked at.
    """

    __slots__ = (
        "_fees",
        "_fill_chance",
        "_has_calendar",
        "_is_adaptive",
        "_is_cash",
        "_is_hedging",
        "_is_plain",
        "_links",
        "_now_ns",
        "_order_prefix",
        "_orders",
        "_orders_seen",
        "_portfolio",
        "_position_ids",
        "_priority",
        "_prob_fill",
        "_prob_slip",
        "_protection",
        "_queue",
        "_reduce_only_count",
        "_report",
        "_report_acceptance",
        "_report_fill",
        "_slip_chance",
        "_taken",
        "_terms",
        "_trade_prefix",
        "_trades_made",
        "_waits_for_open",
        "arriving",
        "closings",
        "day_ends",
        "expiries",
        "has_endings",
        "held",
        "markets",
        "sessions",
        "settings",
    )

    def __init__(
        self, settings: VenueSettings, portfolio: Portfolio, markets: dict[str, Market], links: EngineLinks, seed: int
    ) -> None:
        self.settings = settings
        self.markets = markets
        self.held: dict[str, Working] = {}
        self.arriving: dict[str, Working] = {}
        self.expiries: list[Ending] = []
        self.day_ends: list[Ending] = []
        self.closings: list[Ending] = []
        self.has_endings = False
        self.sessions = Sessions(None if settings.sessions == "24h" else settings.sessions)
        self._has_calendar = self.sessions.has_calendar
        self._portfolio = portfolio
        self._orders, self._terms = portfolio.cache.orders, portfolio.terms
        self._links = links
        self._report, self._report_acceptance, self._report_fill = links.report, links.accept, links.fill
        self._fees = FeeSchedule(settings, portfolio)
        self._waits_for_open = settings.bar_fill == "next_open"
        self._is_cash = settings.account == "cash"
        self._is_hedging = settings.oms == "hedging"
        self._is_adaptive = settings.bar_path == "adaptive"
        self._queue = settings.queue
        self._fill_chance = Chance(seed, settings.name, "fill")
        self._slip_chance = Chance(seed, settings.name, "slippage")
        self._protection = settings.price_protection
        self._prob_fill = Rate.parse(settings.prob_fill_on_limit)
        self._prob_slip = Rate.parse(settings.prob_slippage)
        self._is_plain = self._prob_slip.num == 0 and settings.fill_model == "default"
        self._taken: dict[str, int] = {}  # in this step by one order, where displayed size is not used up
        self._orders_seen = 0
        self._trades_made = 0
        self._order_prefix, self._trade_prefix = f"V-{settings.name}-", f"T-{settings.name}-"
        self._priority = 0
        self._reduce_only_count = 0
        self._now_ns = 0
        self._position_ids: dict[str, str] = {}

    def count_from(self, number: int) -> None:
        """Let ids of orders and trades begin after `number`: a venue that begins anew gives none twice."""
        self._orders_seen = self._trades_made = number

    # ------------------------------------------------------------------ events

    def _head(self, order: Order) -> tuple[int, str, str, str]:
        return self._now_ns, order.strategy_id, order.instrument_id, order.client_order_id

    def _accept(self, working: Working) -> None:
        self._priority += 1
        working.accepted = working.seq = self._priority
        order = working.order
        self._report_acceptance(
            order,
            OrderAccepted(
                self._now_ns, order.strategy_id, order.instrument_id, order.client_order_id, order.venue_order_id
            ),
        )

    def _reject(self, working: Working, code: str) -> None:
        order = working.order
        self._drop(working)
        self._report(OrderRejected(*self._head(order), code, f"rejected by {self.settings.name}: {code}"))
        self._after_end(working)

    def _cancel(self, working: Working, code: str) -> None:
        self._drop(working)
        self._report(OrderCanceled(*self._head(working.order), code))
        self._after_end(working)

    def _update(
        self, order: Order, *, quantity: int | None = None, price: int | None = None, trigger: int | None = None
    ) -> None:
        self._report(OrderUpdated(*self._head(order), quantity, price, trigger))

    @abstractmethod
    def _after_end(self, working: Working) -> None:
        """An order was canceled, rejected or has expired: what depends on it follows."""

    # ------------------------------------------------------------------ orders at work

    def _next_priority(self) -> int:
        self._priority += 1
        return self._priority

    def _wait(self, working: Working) -> None:
        """An order begins to work, or works on in another way."""
        order, market = working.order, working.market
        if order.client_order_id not in market.working:
            if order.reduce_only:
                self._reduce_only_count += 1
            if order.time_in_force is not _GTC:
                self._note_end(working)
        market.add(working)

    def _note_end(self, working: Working) -> None:
        """When an order's time in force ends."""
        order, tif = working.order, working.order.time_in_force
        self.has_endings = True
        if tif is TimeInForce.GTD and order.expire_ns is not None:
            heappush(self.expiries, (order.expire_ns, working.accepted or self._priority, working))
        elif tif is TimeInForce.DAY or tif is TimeInForce.AT_THE_CLOSE:
            close_ns = self.sessions.close_after(self._now_ns)
            if close_ns is not None:
                heap = self.day_ends if tif is TimeInForce.DAY else self.closings
                heappush(heap, (close_ns, working.accepted or self._priority, working))

    def _drop(self, working: Working) -> None:
        order = working.order
        if working.market.remove(working) and order.reduce_only:
            self._reduce_only_count -= 1
        if self.held:
            self.held.pop(order.client_order_id, None)

    def _find(self, order: Order) -> Working | None:
        order_id = order.client_order_id
        found = self.markets[order.instrument_id].working.get(order_id) or self.held.get(order_id)
        return found or self.arriving.get(order_id)

    def _holds(self, market: Market) -> bool:
        """Whether nothing executes until the next bar opens."""
        return self._waits_for_open and market.is_bars_only and market.rows.step_px is None

    # ------------------------------------------------------------------ positions and chance

    def _position_id(self, order: Order) -> str:
        """The position that an order works on: under hedging a new one for an order that names none.

        What is left of an order that has closed its position goes on in the one that its last fill opened instead.
        """
        if not self._is_hedging:
            return self._portfolio.netting_ids[order.instrument_id, order.strategy_id]
        known = order.position_id or self._position_ids.get(order.client_order_id)
        if known is None:
            parent = order.parent_order_id
            known = self._position_ids.get(parent) if parent is not None else None
            if known is None:
                known = self._portfolio.next_position_id()
            self._position_ids[order.client_order_id] = known
        if order.filled_raw and known not in self._portfolio.open:
            flipped = f"{known}F"
            return flipped if flipped in self._portfolio.open else known
        return known

    def _held_raw(self, order: Order) -> int:
        """The signed quantity of the position that an order works on."""
        if self._is_hedging:
            known = order.position_id or self._position_ids.get(order.client_order_id)
            if known is None and order.parent_order_id is not None:
                known = self._position_ids.get(order.parent_order_id)
            position = None if known is None else self._portfolio.open.get(known)
        else:
            position = self._portfolio.open.get(self._position_id(order))
        return 0 if position is None else position.quantity_raw

    def _happens(self, chance: Chance, probability: Rate, working: Working) -> bool:
        working.draws += 1
        return chance.happens(probability, working.arrival * DRAWS_PER_ORDER + working.draws)
