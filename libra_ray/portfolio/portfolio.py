"""Positions and money, folded from fills by one function, the same for the kernel and every projection of it."""

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from typing import Final, TypeAlias

from libra_ray.messages.events import (
    AccountBooked,
    OrderFilled,
    PositionChanged,
    PositionClosed,
    PositionEvent,
    PositionOpened,
)
from libra_ray.model.accounts import Account
from libra_ray.model.contract_terms import ContractTerms
from libra_ray.model.enums import InstrumentKind, OrderSide
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import Currency, Money
from libra_ray.model.positions import Position
from libra_ray.model.rules.fixed_point import div_half_even, rescale_half_even
from libra_ray.portfolio.cache import Cache
from libra_ray.portfolio.rates import ExchangeRates

__all__ = ["Portfolio", "PortfolioEvent"]

PortfolioEvent: TypeAlias = PositionEvent | AccountBooked

_PX_RAW_MAX: Final = 10**38
_BUY: Final = OrderSide.BUY


class _NettingIds(dict[tuple[str, str], str]):
    """`{instrument_id}-{strategy_id}`, each made once."""

    def __missing__(self, key: tuple[str, str]) -> str:
        made = self[key] = "-".join(key)
        return made


class Portfolio:
    """Open positions by id, closed lives of positions, accounts by venue.

    Under hedging each position has an id of its own.

    Attributes:
        netting_ids: under netting, by (instrument id, strategy id): the id of the one position that may be open.
    """

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self._rows_of = cache.rows.of
        self.rates = ExchangeRates(cache.instruments, cache.rows)
        self.terms: dict[str, ContractTerms] = {}
        self.accounts: dict[str, Account] = {}
        self.open: dict[str, Position] = {}
        self.net: defaultdict[str, int] = defaultdict(int)  # signed quantity by instrument, over all strategies
        self.closed: list[Position] = []
        self.unconverted: dict[tuple[str, str], int] = {}  # (currency, base): bookings that found no rate
        self.netting_ids = _NettingIds()
        self._positions_opened = 0

    def add_account(self, venue: str, account: Account, deposits: list[Money], ts_ns: int) -> list[AccountBooked]:
        """Open the account of a venue with its deposits, each of which is a booking."""
        self.accounts[venue] = account
        return [self.book(account, "DEPOSIT", money.raw, money.currency, ts_ns) for money in deposits]

    # ------------------------------------------------------------------ the fold

    def on_fill(self, fill: OrderFilled) -> list[PortfolioEvent]:
        """Apply a fill to its position and account; returns what happened, in order: positions, then bookings."""
        terms = self.terms[fill.instrument_id]
        account = self.accounts[terms.venue]
        events: list[PortfolioEvent] = []
        settlement, foreign = terms.settlement, None
        if fill.commission_currency != settlement.code:
            foreign = Currency(fill.commission_currency, fill.commission_precision)
        if account.is_margin:
            pnl = self._on_position(fill, fill.last_qty_raw, terms, foreign, events)
            if pnl:
                events.append(self.book(account, "PNL", pnl, settlement, fill.ts_ns, fill.instrument_id))
        else:
            self._on_position(fill, self._received(fill, terms.instrument), terms, foreign, events)
            self._book_trade(fill, terms.instrument, account, events)
        fee = -fill.commission_raw
        if fee:
            events.append(self.book(account, "FEE", fee, foreign or settlement, fill.ts_ns, fill.instrument_id))
        return events

    @staticmethod
    def _received(fill: OrderFilled, instrument: Instrument) -> int:
        """A commission in base currency reduces what a spot buy brings in, down to the size's decimals."""
        base = instrument.base
        is_pair = instrument.kind is InstrumentKind.PAIR and base is not None
        if not (is_pair and fill.is_buy and base is not None and fill.commission_currency == base.code):
            return fill.last_qty_raw
        scale = instrument.size_precision - fill.commission_precision
        fee = fill.commission_raw
        taken: int = fee * 10**scale if scale >= 0 else -(-fee // 10**-scale)
        return fill.last_qty_raw - taken

    def _on_position(
        self,
        fill: OrderFilled,
        quantity: int,
        terms: ContractTerms,
        foreign: Currency | None,
        events: list[PortfolioEvent],
    ) -> int:
        """Returns the profit. `foreign`: the commission's currency, where it is not that of settlement.

        A fill beyond the position is two legs: one closes it, the rest opens another.
        """
        key, px_raw, commission = fill.position_id, fill.last_px_raw, fill.commission_raw
        signed = quantity if fill.side is _BUY else -quantity
        self.net[terms.instrument_id] += signed
        position, pnl = self.open.get(key), 0
        if position is None:
            is_hedged = key != self.netting_ids[terms.instrument_id, fill.strategy_id]
        else:
            held = position.quantity_raw
            if (held > 0) == (signed > 0):
                position.add(signed, px_raw, commission, foreign)
                events.append(_event(PositionChanged, position, fill, 0))
                return 0
            size = abs(held)
            if quantity < size:
                pnl = position.reduce(quantity, px_raw, commission, foreign)
                events.append(_event(PositionChanged, position, fill, pnl))
                return pnl
            # The commission is split by quantity, the closing leg's share rounded half-even.
            share = commission if quantity == size else div_half_even(commission * size, quantity)
            pnl = position.reduce(size, px_raw, share, foreign)
            self._close(position, fill.client_order_id, fill.ts_ns)
            events.append(_event(PositionClosed, position, fill, pnl))
            if quantity == size:
                return pnl
            is_hedged = position.is_hedged
            key = f"{key}F" if is_hedged else key
            signed, commission = held + signed, commission - share
        opened = self.open[key] = Position.opened(
            key, fill.strategy_id, terms, fill.client_order_id, fill.ts_ns,
            signed, px_raw, commission, foreign, is_hedged=is_hedged,
        )  # fmt: skip
        events.append(_event(PositionOpened, opened, fill, 0))
        return pnl

    def _close(self, position: Position, order_id: str, ts_ns: int) -> None:
        position.closing_order_id, position.ts_closed_ns = order_id, ts_ns
        del self.open[position.position_id]
        self.closed.append(position)

    def _book_trade(
        self, fill: OrderFilled, instrument: Instrument, account: Account, events: list[PortfolioEvent]
    ) -> None:
        sign = 1 if fill.is_buy else -1
        paid = instrument.notional(px_raw=fill.last_px_raw, qty_raw=fill.last_qty_raw)
        if instrument.kind is InstrumentKind.PAIR and instrument.base is not None:
            got = rescale_half_even(fill.last_qty_raw, instrument.size_precision, instrument.base.precision)
            events.append(self.book(account, "TRADE", sign * got, instrument.base, fill.ts_ns, instrument.id))
        events.append(self.book(account, "TRADE", -sign * paid.raw, paid.currency, fill.ts_ns, instrument.id))

    def settle(self, position: Position, px: Fraction, ts_ns: int) -> list[PortfolioEvent]:
        """Close an expired contract's position at its settlement price (raw, exact), without a fill and a fee."""
        terms, quantity = position.terms, position.quantity_raw
        account = self.accounts[terms.venue]
        instrument = terms.instrument
        self.net[instrument.id] -= quantity
        pnl = position.end(px)
        self._close(position, "", ts_ns)
        amount, unit = pnl, instrument.settlement
        if not account.is_margin:
            unit = instrument.quote
            worth = quantity * px * Fraction(instrument.multiplier.num, instrument.multiplier.den)
            worth *= Fraction(10**unit.precision, 10 ** (instrument.price_precision + instrument.size_precision))
            amount = div_half_even(worth.numerator, worth.denominator)
        head = (ts_ns, position.strategy_id, instrument.id, position.position_id, "", 0, instrument.size_precision, 0)
        closed = PositionClosed(
            *head, pnl, position.realized_raw, instrument.settlement.code, instrument.settlement.precision
        )
        return [closed, self.book(account, "SETTLEMENT", amount, unit, ts_ns, instrument.id)]

    def book(
        self, account: Account, kind: str, amount_raw: int, unit: Currency, ts_ns: int, instrument_id: str = ""
    ) -> AccountBooked:
        """Change a balance: in the base currency where there is one and a rate is known, else in its own."""
        if account.base is not None and unit.code != account.base.code:
            converted = self.rates.convert(amount_raw, unit, account.base)
            if converted is None:
                key = (unit.code, account.base.code)
                self.unconverted[key] = self.unconverted.get(key, 0) + 1
            else:
                amount_raw, unit = converted, account.base
        total = account.book(amount_raw, unit)
        return AccountBooked(
            ts_ns, account.account_id, kind, unit.code, unit.precision, amount_raw, total, instrument_id
        )

    def count_positions_from(self, number: int) -> None:
        """Let ids of positions that orders open under hedging begin after `number`."""
        self._positions_opened = number

    def next_position_id(self) -> str:
        """The id of a position that an order opens under hedging: `P-{n}`."""
        self._positions_opened += 1
        return f"P-{self._positions_opened}"

    # ------------------------------------------------------------------ what was booked elsewhere

    def on_booked(self, booked: AccountBooked) -> None:
        """A projection is told of a booking that no fill here has made: the total is what it says."""
        account = self._account(booked)
        unit = account.currencies.get(booked.currency) or Currency(booked.currency, booked.precision)
        change = booked.total_raw - account.total_raw(unit.code)
        if change and account.base is not None and unit.code != account.base.code:
            key = (unit.code, account.base.code)
            self.unconverted[key] = self.unconverted.get(key, 0) + 1
        account.book(change, unit)

    def take_back(self, booked: AccountBooked) -> None:
        """A projection has made a booking that was made otherwise where it counts."""
        account, code = self._account(booked), booked.currency
        left_raw = account.book(-booked.amount_raw, Currency(code, booked.precision))
        if account.base is None or account.base.code == code:
            return
        key = (code, account.base.code)
        self.unconverted[key] -= 1
        if not self.unconverted[key]:
            del self.unconverted[key]
        if not left_raw:
            del account.totals[code]

    def on_settled(self, closed: PositionClosed) -> None:
        """A projection is told that a position was closed without a fill, at a price that its profit tells."""
        position = self.open.get(closed.position_id)
        if position is None:
            return
        name, quantity = position.instrument_id, position.quantity_raw
        self.net[name] = self.net.get(name, 0) - quantity
        position.end(_closing_px(position, closed.pnl_raw))
        position.realized_raw = closed.realized_raw
        self._close(position, "", closed.ts_ns)

    def _account(self, booked: AccountBooked) -> Account:
        return next(one for one in self.accounts.values() if one.account_id == booked.account_id)

    # ------------------------------------------------------------------ questions

    def position(self, instrument_id: str, strategy_id: str) -> Position | None:
        """The open position of a strategy in an instrument; under hedging its earliest one."""
        found = self.open.get(self.netting_ids[instrument_id, strategy_id])
        if found is None and self.open:
            for position in self.open.values():
                if position.strategy_id == strategy_id and position.terms.instrument_id == instrument_id:
                    return position
        return found

    def positions_open(self, instrument_id: str | None = None, venue: str | None = None) -> Iterator[Position]:
        """Open positions in order of opening, all or of one instrument or venue."""
        for position in self.open.values():
            terms = position.terms
            if instrument_id in (None, terms.instrument_id) and venue in (None, terms.venue):
                yield position

    def net_raw(self, instrument_id: str) -> int:
        """The net signed quantity of an instrument over all strategies."""
        return self.net[instrument_id]

    def unrealized_raw(self, position: Position) -> int:
        """Profit of an open position at the market, settlement raw; 0 before there is a price."""
        terms, quantity_raw = position.terms, position.quantity_raw
        px_raw = self._rows_of(terms.instrument_id).exit_px(quantity_raw)
        return 0 if px_raw is None else terms.unrealized(quantity_raw, position.open_value, px_raw)

    def equity_raw(self, venue: str) -> int:
        """Balances plus open profit (margin) or market value (cash, no pairs), in the reporting currency.

        An amount without a rate to it is left out; `unconverted` counts such bookings.
        """
        return self.balance_and_equity_raw(venue)[1]

    def balance_and_equity_raw(self, venue: str) -> tuple[int, int]:
        """The balance of the reporting currency, and `equity_raw`."""
        account = self.accounts[venue]
        target, totals = account.reporting, account.totals
        code = target.code
        balance = worth = totals.get(code, 0)
        if len(totals) > 1:
            for other, raw in totals.items():
                if other != code:
                    worth += self._worth(raw, account.currencies[other], target)
        is_margin, rows_of = account.is_margin, self._rows_of
        for position in self.open.values():
            terms, quantity_raw = position.terms, position.quantity_raw
            px_raw = rows_of(terms.instrument_id).exit_px(quantity_raw) if terms.venue == venue else None
            if px_raw is None:
                continue
            if is_margin:
                value = terms.unrealized(quantity_raw, position.open_value, px_raw)
            else:
                value = _market_value_raw(position, px_raw)
            unit = terms.settlement
            worth += value if unit.code == code else self._worth(value, unit, target)
        return balance, worth

    def _worth(self, raw: int, unit: Currency, target: Currency) -> int:
        if raw == 0 or unit.code == target.code:
            return raw
        converted = self.rates.convert(raw, unit, target)
        return 0 if converted is None else converted


def _market_value_raw(position: Position, px_raw: int) -> int:
    """What a cash account's position would bring; a pair's base currency is a balance of its own."""
    if position.terms.instrument.kind is InstrumentKind.PAIR:
        return 0
    value = position.terms.notional(px_raw, abs(position.quantity_raw))
    return value if position.quantity_raw > 0 else -value


def _closing_px(position: Position, pnl_raw: int) -> Fraction:
    """The price at which closing a position makes that profit: the lowest raw one where rounding allows several.

    One between raw prices where none of them makes it, as a mid is.
    """
    terms, sign, size = position.terms, 1 if position.quantity_raw > 0 else -1, abs(position.quantity_raw)

    def profit(px_raw: int) -> int:
        return sign * terms.pnl(sign, px_raw, size, position.open_value)

    low, high = (1 if terms.inverse else -_PX_RAW_MAX), _PX_RAW_MAX
    while low < high:
        middle = (low + high) // 2
        if profit(middle) < sign * pnl_raw:
            low = middle + 1
        else:
            high = middle
    if profit(low) == sign * pnl_raw:
        return Fraction(low)
    return terms.px_of_profit(sign, size, position.open_value, pnl_raw)


def _event(kind: type[PositionEvent], position: Position, fill: OrderFilled, pnl_raw: int) -> PositionEvent:
    unit = position.terms.settlement
    return kind(
        fill.ts_ns,
        fill.strategy_id,
        fill.instrument_id,
        position.position_id,
        fill.client_order_id,
        position.quantity_raw,
        fill.size_precision,
        position.open_value,
        pnl_raw,
        position.realized_raw,
        unit.code,
        unit.precision,
    )
