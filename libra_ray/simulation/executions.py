"""How an order at the simulated venue executes: as taker against the book, as maker at its price, by its trigger."""

from bisect import insort
from collections.abc import Callable, Sequence
from fractions import Fraction

from libra_ray.matching import DepthBook, L1Book, Ladder
from libra_ray.messages.events import OrderFilled, OrderTriggered
from libra_ray.model.enums import InstrumentKind, LiquiditySide, OrderType, TimeInForce
from libra_ray.model.numbers import Currency, Rate, parse_decimal
from libra_ray.model.orders import Order
from libra_ray.model.rules.fixed_point import rescale_half_even
from libra_ray.model.rules.trailing import offset_raw, trailed
from libra_ray.simulation.contingencies import Contingencies
from libra_ray.simulation.market import Entry, Market
from libra_ray.simulation.queue_places import QueuePlaces
from libra_ray.simulation.working import Working

__all__ = ["Executions"]

_GTC = TimeInForce.GTC
_FOK = TimeInForce.FOK
_IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)
_MARKET_TO_LIMIT = OrderType.MARKET_TO_LIMIT
_TAKER = LiquiditySide.TAKER
_ONE_TICK: Ladder = ((1, None),)


class Executions(Contingencies):
    """Fills, triggers and trailing moves of one venue's orders."""

    __slots__ = ()

    places: QueuePlaces

    # ------------------------------------------------------------------ takers

    def _execute_taker(self, working: Working) -> None:
        """Take from the book what there is for this order; what is left ends or rests by its time in force."""
        order, market = working.order, working.market
        book, is_buy = market.book, order.is_buy
        bound, leaves = None if working.is_market else order.price_raw, order.leaves_raw
        if self._protection and working.is_market:
            bound = self._bounded(market, order, bound)
        offers: Sequence[tuple[int, int]]
        if self._is_plain and order.time_in_force is _GTC and order.type is not _MARKET_TO_LIMIT:
            offers = book.offers(leaves, bound, is_buy=is_buy, best_only=False)
        else:
            found = self._offers(working, bound)
            if order.time_in_force is _FOK and (found is None or not self._covers(book, order, bound)):
                self._end_taker(working, 0, "FOK_UNFILLED")
                return
            offers = found or ()
            if order.type is _MARKET_TO_LIMIT and order.time_in_force not in _IMMEDIATE:
                self._leave_limit(working, offers)  # IOC and FOK leave nothing
        filled = 0
        for quantity, px in offers:
            if not self._fill(working, quantity, px, _TAKER):
                break
            filled += quantity
            book.use(px, quantity, is_buy=is_buy)
        if filled == leaves or order.is_closed:
            self._after_execution(working, filled)
        else:
            self._end_taker(working, filled, self._end_code(working, bound))

    def _end_code(self, working: Working, bound: int | None) -> str | None:
        """How what is left of a taker ends; None where it rests."""
        order = working.order
        tif = order.time_in_force
        if tif is TimeInForce.FOK:
            return "FOK_UNFILLED"
        if tif is TimeInForce.IOC:
            return "IOC_REST"
        if not working.is_market:
            return None
        is_bounded = bound is not None and self._is_more_beyond(working.market.book, bound, is_buy=order.is_buy)
        return "PRICE_PROTECTION" if is_bounded else "NO_LIQUIDITY"

    def _end_taker(self, working: Working, filled: int, code: str | None) -> None:
        """What is left ends by `code`, or rests as a maker."""
        order = working.order
        if order.is_closed or code is not None:
            self._after_execution(working, filled, code)
            return
        self._rest(working)
        self._after_execution(working, filled)

    def _rest(self, working: Working) -> None:
        order = working.order
        if order.display_raw is not None:
            working.slice_raw = min(order.display_raw, order.leaves_raw)
        self._wait(working)
        if self.places.is_on:
            self.places.join(working)

    def _offers(self, working: Working, limit: int | None) -> list[tuple[int, int]] | None:
        """What the book gives a taker; None where the order slips and takes nothing at the best price only."""
        order = working.order
        book: L1Book | DepthBook = working.market.book
        is_to_limit = order.type is OrderType.MARKET_TO_LIMIT
        if isinstance(book, DepthBook):
            return book.offers(order.leaves_raw, limit, is_buy=order.is_buy, best_only=is_to_limit)
        best_only = is_to_limit or order.time_in_force in _IMMEDIATE
        ladder = self._ladder(order, book)
        if self._prob_slip.num and self._happens(self._slip_chance, self._prob_slip, working):
            if best_only:
                return None
            return book.beyond(order.leaves_raw, limit, is_buy=order.is_buy, ladder=_ONE_TICK)
        return book.offers(order.leaves_raw, limit, is_buy=order.is_buy, best_only=best_only, ladder=ladder)

    def _ladder(self, order: Order, book: L1Book) -> Ladder:
        """Liquidity beyond the best price: one tick further without limit, or by the venue's fill model."""
        model = self.settings.fill_model
        if model == "default":
            return _ONE_TICK
        tiers = model(order, book) if callable(model) else model
        precision = order.size_precision
        sizes = [rescale_half_even(*parse_decimal(size), precision) for _, size in tiers]
        last = len(sizes) - 1
        return [(int(ticks), None if at == last else sizes[at]) for at, (ticks, _) in enumerate(tiers)]

    def _bounded(self, market: Market, order: Order, limit: int | None) -> int | None:
        """The worst price under price protection: so many ticks from the opposite best."""
        best = market.book.opposite_px(is_buy=order.is_buy)
        if best is None:
            return limit
        reach = self._protection * market.instrument.tick_raw
        return best + reach if order.is_buy else best - reach

    @staticmethod
    def _is_more_beyond(book: L1Book | DepthBook, bound: int, *, is_buy: bool) -> bool:
        """Whether there is liquidity that the bound of price protection forbids; at L1 there always is."""
        if isinstance(book, DepthBook):
            return book.available_within(None, is_buy=is_buy) > book.available_within(bound, is_buy=is_buy)
        return True

    @staticmethod
    def _covers(book: L1Book | DepthBook, order: Order, limit: int | None) -> bool:
        """Whether what is displayed at prices that the order may take covers all of it."""
        best = book.opposite_px(is_buy=order.is_buy)
        if isinstance(book, DepthBook):
            worst = best if order.type is _MARKET_TO_LIMIT else limit
            return book.available_within(worst, is_buy=order.is_buy) >= order.leaves_raw
        if best is None or (limit is not None and (best > limit if order.is_buy else best < limit)):
            return False
        return book.available(is_buy=order.is_buy) >= order.leaves_raw

    def _leave_limit(self, working: Working, offers: Sequence[tuple[int, int]]) -> None:
        """A market-to-limit order that the best level does not fill becomes a limit order at that level's price."""
        order = working.order
        is_filled = sum(quantity for quantity, _ in offers) >= order.leaves_raw
        best = working.market.book.opposite_px(is_buy=order.is_buy)
        if order.price_raw is None and best is not None and not is_filled:
            self._update(order, price=best)

    # ------------------------------------------------------------------ makers

    def _run(self, market: Market, entries: list[Entry], act: Callable[[Working], bool]) -> None:
        """Execute what a step has reached; new slices of icebergs take their turn behind the others at their price."""
        self._taken.clear()
        at = 0
        while at < len(entries):
            working = entries[at][3]
            at += 1
            if working.order.client_order_id in market.working and act(working):
                insort(entries, market.entry(working.price, working), lo=at)

    def _execute_reached(self, working: Working) -> bool:
        """A trigger is hit, or the other side has come to a resting limit. Whether a new slice takes its turn."""
        if working.waits:
            self._trigger(working)
            return False
        order, market = working.order, working.market
        working.ahead = 0  # whoever was in the queue has been passed
        px, is_buy = working.price, order.is_buy
        best = market.book.opposite_px(is_buy=is_buy)
        if best is None:
            return False
        is_through = best < px if is_buy else best > px
        leaves, book = order.leaves_raw, market.book
        if isinstance(book, DepthBook):
            there = book.available_within(px, is_buy=is_buy)
        else:
            there = leaves if is_through else book.available(is_buy=is_buy)
        if not book.consumes:
            there -= self._taken.get(order.client_order_id, 0)
        quantity = min(leaves, there)
        if quantity <= 0:
            return False
        if not is_through:
            if not self._happens(self._fill_chance, self._prob_fill, working):
                return False
            quantity = quantity if working.slice_raw is None else min(quantity, working.slice_raw)
        return self._make(working, quantity, self._take_from_book)

    def _take_from_book(self, working: Working, quantity: int) -> None:
        """What a resting limit was filled with by its book is not there for others, or not for itself."""
        order, book = working.order, working.market.book
        if not book.consumes:
            self._taken[order.client_order_id] = self._taken.get(order.client_order_id, 0) + quantity
            return
        for part, px in book.offers(quantity, working.price, is_buy=order.is_buy, best_only=False):
            book.use(px, part, is_buy=order.is_buy)

    def _make(self, working: Working, quantity: int, take: Callable[[Working, int], None]) -> bool:
        """Fill a resting limit at its price; `take` notes a fill that is made, before anything follows from it.

        Whether it shows a new slice, at the back of the queue.
        """
        order = working.order
        if not self._fill(working, quantity, working.price, LiquiditySide.MAKER):
            return False
        take(working, quantity)
        renewed = False
        if working.slice_raw is not None and order.leaves_raw > 0:
            working.slice_raw -= quantity
            if working.slice_raw <= 0:
                working.slice_raw = min(order.display_raw or 0, order.leaves_raw)
                self._lose_priority(working)
                renewed = True
        self._after_execution(working, quantity)
        return renewed and not order.is_closed

    def _lose_priority(self, working: Working) -> None:
        working.seq = self._next_priority()
        if self.places.is_on and working.rests:
            self.places.join(working)

    # ------------------------------------------------------------------ triggers

    def _trigger(self, working: Working) -> None:
        """A trigger is hit: the order executes as a market order, or becomes a limit that arrives now."""
        order, market = working.order, working.market
        working.waits = False
        if working.is_market:
            if market.book.opposite_px(is_buy=order.is_buy) is None:
                self._reject(working, "NO_MARKET")
            else:
                self._execute_taker(working)
            return
        self._report(OrderTriggered(*self._head(order)))
        if market.is_marketable(working.price, is_buy=order.is_buy):
            if order.post_only:
                self._reject(working, "POST_ONLY_WOULD_TAKE")
                return
            self._execute_taker(working)
        else:
            self._end_taker(working, 0, self._end_code(working, None))

    def _move_trailing(self, market: Market, *, last_px: int | None = None) -> None:
        """After the executions of a step, triggers follow the market, in order of acceptance."""
        for working in list(market.working.values()):
            if working.is_trailing and working.waits and not working.pending:
                self._follow_market(working, last_px=last_px)

    def _follow_market(self, working: Working, *, last_px: int | None = None) -> None:
        """Begin to follow once the activation price is reached; then move the trigger, only towards the market.

        A trigger that the strategy gave stands until the step after the one in which it began to follow.
        """
        order, market = working.order, working.market
        twice = market.source_twice(order, last_px=last_px)
        if twice is None:
            return
        source = Fraction(twice, 2)
        stands = False
        if not working.is_following:
            activation = order.activation_raw
            if activation is not None and (source > activation if order.is_buy else source < activation):
                return
            working.is_following = True
            stands = order.trigger_raw is not None
        trigger, price = order.trigger_raw, order.price_raw
        if not stands:
            assert order.trailing_offset is not None  # noqa: S101  # trailing types without an offset are denied
            candidate = self._trailed(working, source, source, order.trailing_offset)
            if trigger is None or (candidate < trigger if order.is_buy else candidate > trigger):
                trigger = candidate
        is_limit = order.type is OrderType.TRAILING_STOP_LIMIT and order.limit_offset is not None
        if is_limit and trigger is not None and (price is None or trigger != order.trigger_raw):
            assert order.limit_offset is not None  # noqa: S101  # tested just above
            price = self._trailed(working, trigger, source, order.limit_offset)
        if trigger != order.trigger_raw or price != order.price_raw:
            self._update(
                order,
                price=None if price == order.price_raw else price,
                trigger=None if trigger == order.trigger_raw else trigger,
            )
            market.changed()

    @staticmethod
    def _trailed(working: Working, start: Fraction | int, source: Fraction, offset: Rate) -> int:
        """A price at an offset from `start`; basis points are of the source price."""
        order, instrument = working.order, working.market.instrument
        tick, precision = instrument.tick_raw, instrument.price_precision
        distance = offset_raw(offset.num, offset.den, order.trailing_offset_type, source, tick, precision)
        return trailed(start, distance, tick, is_buy=order.is_buy)

    # ------------------------------------------------------------------ fills

    def _fill(self, working: Working, qty_raw: int, px_raw: int, side: LiquiditySide) -> bool:
        """Report one fill; False, and the order is canceled, where a cash account cannot pay for it."""
        order, instrument = working.order, working.market.instrument
        terms, is_taker = self._terms[order.instrument_id], side is _TAKER
        if self._fees.is_plain:
            fee, unit = terms.fee(px_raw, qty_raw, is_taker=is_taker), terms.fee_unit
        else:
            fee, unit = self._fees.charge(order, terms, px_raw, qty_raw, is_taker=is_taker, ts_ns=self._now_ns)
        if self._is_cash and not self._can_pay(working, qty_raw, px_raw, fee, unit):
            self._cancel(working, "INSUFFICIENT_FUNDS")
            return False
        if not self._fees.is_plain:
            self._fees.count(terms, px_raw, qty_raw)
        self._trades_made += 1
        self._report_fill(
            order,
            OrderFilled(
                self._now_ns,
                order.strategy_id,
                order.instrument_id,
                order.client_order_id,
                order.venue_order_id,
                f"{self._trade_prefix}{self._trades_made}",
                self._position_id(order),
                order.side,
                qty_raw,
                instrument.size_precision,
                px_raw,
                instrument.price_precision,
                side,
                fee,
                unit.code,
                unit.precision,
            ),
        )
        return True

    def _can_pay(self, working: Working, qty_raw: int, px_raw: int, fee: int, unit: Currency) -> bool:
        """A cash account never goes below zero; what is not a pair may be sold short where borrowing is allowed."""
        instrument, order = working.market.instrument, working.order
        sign = 1 if order.is_buy else -1
        paid = instrument.notional(px_raw=px_raw, qty_raw=qty_raw)
        moves = [(-sign * paid.raw, paid.currency), (-fee, unit)]
        if instrument.kind is InstrumentKind.PAIR and instrument.base is not None:
            got = rescale_half_even(qty_raw, instrument.size_precision, instrument.base.precision)
            moves.append((sign * got, instrument.base))
        elif not order.is_buy and not self.settings.allow_borrowing and self._held_raw(order) < qty_raw:
            return False
        account = self._portfolio.accounts[self.settings.name]
        changes: dict[str, int] = {}
        for amount, currency in moves:
            code, raw = currency.code, amount
            if account.base is not None and code != account.base.code:
                converted = self._portfolio.rates.convert(raw, currency, account.base)
                code, raw = (code, raw) if converted is None else (account.base.code, converted)
            changes[code] = changes.get(code, 0) + raw
        return all(change >= 0 or account.total_raw(code) + change >= 0 for code, change in changes.items())
