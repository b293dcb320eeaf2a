"""Watches a margin account: when equity falls to the margin held back, and when to the point of liquidation.

Between bookings equity is a function of prices. So each booking either shows that no price of the data can bring the
account there, or puts guards around the market: prices at which the venue must look again.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

from libra_ray.kernel.settings import VenueSettings
from libra_ray.matching import NEVER_FALL, NEVER_RISE
from libra_ray.messages.events import MarginCall
from libra_ray.model.contract_terms import ContractTerms
from libra_ray.model.numbers import Currency, Rate
from libra_ray.model.positions import Position
from libra_ray.portfolio import Funds, Portfolio
from libra_ray.simulation.market import Market

__all__ = ["AccountWatch"]

_UNIT_BITS: Final = 40


class AccountWatch:
    """One venue's account.

    Attributes:
        is_on: the account must be looked at after each step, booking and command.
    """

    def __init__(
        self,
        settings: VenueSettings,
        portfolio: Portfolio,
        funds: Funds,
        markets: dict[str, Market],
        *,
        liquidate: Callable[[], None],
        call: Callable[[MarginCall], None],
    ) -> None:
        self._venue = settings.name
        self._portfolio = portfolio
        self._account = portfolio.accounts[settings.name]
        self._funds = funds
        self._markets = markets
        self._liquidate, self._call = liquidate, call
        self._liquidates = settings.liquidation
        self._ratio = Rate.parse(settings.liquidation_ratio)
        self._call_ratio = Rate.parse(settings.margin_call_ratio)
        self._called: set[str] = set()
        self._guarded: list[Market] = []
        self._unit_of = cache(self.worst_per_unit)
        self.is_on = False
        self.now_ns = 0

    def on_equity(self, equity_raw: int) -> None:
        """A booking was made and the equity of this margin account is that, in its reporting currency."""
        worst, venue, unit_of = 0, self._venue, self._unit_of
        for position in self._portfolio.open.values():
            terms = position.terms
            if terms.venue == venue:
                unit = unit_of(terms)
                if unit is None:
                    self.is_on = True
                    return
                worst += abs(position.quantity_raw) * unit
        self.is_on = is_near = bool(self._called) or equity_raw << _UNIT_BITS <= worst
        if self._guarded and not is_near:
            self._unguard()

    def worst_per_unit(self, terms: ContractTerms) -> int | None:
        """More than a raw unit of quantity can lose, and need as margin, within all prices of the data, times 2^40.

        None where that cannot be said beforehand: prices still to come, conversion, inverse contracts.
        """
        market = self._markets[terms.instrument_id]
        prices = market.price_range()
        if prices is None or terms.inverse or not self._is_one_currency(terms.settlement):
            return None
        low, high = prices
        num, den = terms.pnl_factor
        need = self._need(market)
        distance = (high - low) * need.den + max(abs(high), abs(low)) * need.num
        return -(-((distance * num) << _UNIT_BITS) // (den * need.den)) + 1

    def _is_one_currency(self, unit: Currency) -> bool:
        return unit.code == self._account.reporting.code and len(self._account.totals) == 1

    def _need(self, market: Market) -> Rate:
        """The largest part of a notional that may be needed as margin."""
        instrument = market.instrument
        leverage = self._funds.leverage_of(instrument.id)
        largest = Rate(0, 1)
        for rate, ratio in ((instrument.margin_maint, self._ratio), (instrument.margin_init, self._call_ratio)):
            each = Rate(rate.num * ratio.num * leverage.den, rate.den * ratio.den * leverage.num)
            if each.num * largest.den > largest.num * each.den:
                largest = each
        return largest

    # ------------------------------------------------------------------ looking

    def check(self, now_ns: int) -> None:
        """Look at the account; liquidate or call where it has come to that, else guard the way there."""
        self.now_ns = now_ns
        mine = list(self._portfolio.positions_open(venue=self._venue))
        if not mine:
            self.is_on = False
            self._called.clear()
            self._unguard()
            return
        base = self._account.base
        units = {p.currency.code: p.currency for p in mine} if base is None else {base.code: base}
        locked, maintenance = self._funds.locked(), self._funds.maintenance()
        cushions: dict[str, int] = {}
        for code, unit in units.items():
            equity = self._funds.equity(code)
            need = maintenance.get(code, 0) * self._ratio.num
            if self._liquidates and equity * self._ratio.den <= need:
                self._liquidate()
                self._watch_what_is_left()
                return
            held = locked.get(code, 0)
            self._look_at_call(unit, equity, held)
            call = -(-held * self._call_ratio.num // self._call_ratio.den)
            floor = -(-need // self._ratio.den) if self._liquidates else 0
            cushions[code] = equity - (floor if code in self._called else max(floor, call))
        self._guard(mine, cushions)

    def _look_at_call(self, unit: Currency, equity: int, held: int) -> None:
        """Publish a margin call once, armed again when equity is above."""
        is_short = equity * self._call_ratio.den <= held * self._call_ratio.num
        if is_short and unit.code not in self._called:
            self._called.add(unit.code)
            self._call(MarginCall(self.now_ns, self._account.account_id, unit.code, unit.precision, equity, held))
        elif not is_short:
            self._called.discard(unit.code)

    # ------------------------------------------------------------------ guards

    def _guard(self, positions: list[Position], cushions: dict[str, int]) -> None:
        """Put guards where a share of the cushion would be gone: as long as no price has come there, it is not."""
        self._unguard()
        names = list(dict.fromkeys(position.instrument_id for position in positions))
        simple = len(cushions) == 1 and not self._called and all(self._is_simple(p) for p in positions)
        if not simple:
            watched = self._markets.values() if self._account.base is not None else [self._markets[n] for n in names]
            self._guard_every_row(watched)
        else:
            share = max(next(iter(cushions.values())), 0) // len(names)
            for name in names:
                self._guard_market(self._markets[name], share)

    def _watch_what_is_left(self) -> None:
        """What the book did not take is looked at again after every row, until it is closed too or can be held."""
        self._unguard()
        left = self._portfolio.positions_open(venue=self._venue)
        self._guard_every_row([self._markets[name] for name in dict.fromkeys(each.instrument_id for each in left)])

    def _guard_every_row(self, markets: Iterable[Market]) -> None:
        for market in markets:
            market.every_row = True
            self._guarded.append(market)
            market.changed()

    def _is_simple(self, position: Position) -> bool:
        return not position.terms.inverse and (
            self._account.base is None or self._account.base.code == position.currency.code
        )

    def _guard_market(self, market: Market, share: int) -> None:
        name = market.instrument.id
        gross = [p.quantity_raw for p in self._portfolio.positions_open(name)]
        longs, shorts = sum(q for q in gross if q > 0), -sum(q for q in gross if q < 0)
        sides = [sign for sign, size in ((1, longs), (-1, shorts)) if size]
        if any(market.rows.exit_px(sign) is None for sign in sides):
            self._guard_every_row([market])  # what it is worth is not known before there is a price to close it at
            return
        prices = [px for px in (market.rows.exit_px(sign) for sign in (1, -1)) if px is not None]
        num, den = self._portfolio.terms[name].pnl_factor
        need = self._need(market)
        fall, rise = NEVER_FALL, NEVER_RISE
        if longs:
            fall = min(prices) - share * den // (longs * num)
        gain = (longs + shorts) * need.num + shorts * need.den
        if gain:
            rise = max(prices) + share * den * need.den // (gain * num)
        market.guards = (fall, rise)
        self._guarded.append(market)
        market.changed()

    def _unguard(self) -> None:
        for market in self._guarded:
            market.guards = None
            market.every_row = False
            market.changed()
        self._guarded = []
