"""The state of cache and portfolio as pages that cross the bus: what a projection that comes late begins with."""

import sys
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, TypeVar

import msgspec

from libra_ray.kernel.books import Books
from libra_ray.messages.codec import decode, encode, register
from libra_ray.messages.commands import Command
from libra_ray.model.enums import PositionSide
from libra_ray.model.numbers import Currency, Money
from libra_ray.model.orders import Order
from libra_ray.model.positions import Position

__all__ = ["Balance", "PositionState", "StatePage", "loaded_pages", "renew", "restore", "saved_pages", "state_pages"]

PAGE_ITEMS: Final = 400
"""A page stays well within the longest message."""
SAVED_CLOSED_MAX: Final = 1_000
_PAGE: Final = "page-"

T = TypeVar("T")


class PositionState(msgspec.Struct, frozen=True):
    """A life of a position, with the id of its instrument in place of the contract's terms."""

    position_id: str
    strategy_id: str
    instrument_id: str
    opening_order_id: str
    ts_opened_ns: int
    closing_order_id: str
    ts_closed_ns: int
    entry_side: PositionSide
    quantity_raw: int
    open_value: int
    realized_raw: int
    commission_raw: int
    commissions: dict[str, Money] | None
    peak_raw: int
    entry_raw: int
    entry_value: int
    exit_raw: int
    exit_value: int
    fills: int
    is_hedged: bool

    @classmethod
    def of(cls, position: Position) -> "PositionState":
        """A position as it stands."""
        return cls(**{name: getattr(position, name) for name in cls.__struct_fields__})

    def restored(self, books: Books) -> Position:
        """The position as it was."""
        values = {name: getattr(self, name) for name in self.__struct_fields__ if name != "instrument_id"}
        return Position(terms=books.portfolio.terms[self.instrument_id], **values)


class Balance(msgspec.Struct, frozen=True):
    """A balance of the account of a venue."""

    venue: str
    currency: Currency
    total_raw: int


class StatePage(Command, frozen=True):
    """Part of the state. All events before it are in it, none of those after it.

    Attributes:
        number: from 0; `is_last`: the state is whole with this page.
        working: ids of orders that are submitted and not closed, in order of submission; on the last page, as
            `balances` and `acceptances`: how many orders venues have accepted so far.
    """

    number: int
    is_last: bool
    orders: tuple[Order, ...] = ()
    positions: tuple[PositionState, ...] = ()
    working: tuple[str, ...] = ()
    balances: tuple[Balance, ...] = ()
    acceptances: int = 0


def state_pages(
    books: Books, acceptances: int, ts_ns: int, *, closed_max: int = sys.maxsize, page_items: int = PAGE_ITEMS
) -> Iterator[StatePage]:
    """The state of `books` now: orders in order of their taking; closed positions, then open ones.

    Of closed orders and positions the latest `closed_max` each.
    """
    cache, portfolio = books.cache, books.portfolio
    closed = sum(order.is_closed for order in cache.orders.values()) - closed_max
    orders = list(cache.orders.values())
    if closed > 0:
        old = dict.fromkeys(islice((order.client_order_id for order in orders if order.is_closed), closed))
        orders = [order for order in orders if order.client_order_id not in old]
    number = 0
    for some in _cut(orders, page_items):
        yield StatePage(ts_ns, "", number, is_last=False, orders=tuple(some))
        number += 1
    for lives in _cut([*portfolio.closed[-closed_max:], *portfolio.open.values()], page_items):
        yield StatePage(ts_ns, "", number, is_last=False, positions=tuple(map(PositionState.of, lives)))
        number += 1
    balances = tuple(
        Balance(venue, account.currencies[code], total)
        for venue, account in portfolio.accounts.items()
        for code, total in account.totals.items()
    )
    working = tuple(cache.working)
    yield StatePage(ts_ns, "", number, is_last=True, working=working, balances=balances, acceptances=acceptances)


def saved_pages(books: Books, acceptances: int, ts_ns: int) -> dict[str, bytes]:
    """The state as bytes by name, without most of what is over: it is made again and again."""
    pages = state_pages(books, acceptances, ts_ns, closed_max=SAVED_CLOSED_MAX)
    return {f"{_PAGE}{page.number}": encode(page)[1] for page in pages}


def loaded_pages(state: Mapping[str, bytes]) -> list[StatePage]:
    """The pages among what `saved_pages` made. Raises `DecodeError`."""
    count = sum(name.startswith(_PAGE) for name in state)
    pages = [decode(StatePage.__name__, state[f"{_PAGE}{number}"]) for number in range(count)]
    return [page for page in pages if isinstance(page, StatePage)]


def restore(books: Books, pages: Sequence[StatePage], *, ahead: Container[str] = ()) -> None:
    """Bring `books` to the state in `pages`, but for orders whose ids are in `ahead`: they stay as they are.

    Who holds an order or looks at the cache goes on holding the same object.
    """
    cache, portfolio = books.cache, books.portfolio
    for state in (state for page in pages for state in page.orders):
        order = cache.orders.get(state.client_order_id)
        if order is None:
            cache.orders[state.client_order_id] = state
        elif state.client_order_id not in ahead:
            renew(order, state)
    kept = {order_id: order for order_id, order in cache.working.items() if order_id in ahead and not order.is_closed}
    cache.working.clear()
    cache.working.update((order_id, cache.orders[order_id]) for order_id in pages[-1].working)
    cache.working.update(kept)
    portfolio.closed.clear()
    portfolio.open.clear()
    portfolio.net.clear()
    for life in (life.restored(books) for page in pages for life in page.positions):
        if life.is_closed:
            portfolio.closed.append(life)
        else:
            portfolio.open[life.position_id] = life
            portfolio.net[life.instrument_id] = portfolio.net_raw(life.instrument_id) + life.quantity_raw
    for account in portfolio.accounts.values():
        account.totals.clear()
    for balance in pages[-1].balances:
        portfolio.accounts[balance.venue].book(balance.total_raw, balance.currency)


def renew(order: Order, state: Order) -> None:
    """Bring an order to what another object of it says; whoever holds it sees the change."""
    for name in Order.__struct_fields__:
        setattr(order, name, getattr(state, name))


def _cut(items: Sequence[T], count: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), count):
        yield items[start : start + count]


register(Balance, PositionState, StatePage)
