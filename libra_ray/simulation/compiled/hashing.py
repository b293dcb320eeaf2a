"""The run hash of a compiled run, from its arrays: the bytes of the same events, without the events."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec
import numpy as np

from libra_ray.kernel import TradingKernel
from libra_ray.matching.core.layout import (
    ACCEPTANCE,
    BALANCE,
    BOOKED,
    CANCEL_REFUSED,
    CANCELLATION,
    CHANGED,
    CLOSED,
    CODE,
    DENIAL,
    DENIED,
    EVENTS,
    FILL,
    FILLED,
    FLAG,
    KIND,
    LIMIT,
    MADE,
    NET,
    OPEN_VALUE,
    OPENED,
    ORDER,
    ORDERS,
    PX,
    QTY,
    QTY_MADE,
    REALIZED,
    REJECTION,
    SIDE,
    STATUS,
    STOP,
    TS,
    TYPE,
    UPDATE,
    VALUE,
    VENUE_NO,
    A,
    B,
    C,
    Columns,
    D,
    E,
    Ledger,
)
from libra_ray.messages.events import AccountBooked, OrderFilled, OrderInitialized
from libra_ray.model.enums import LiquiditySide, OrderSide, TimeInForce
from libra_ray.simulation.compiled.encoding import (
    LITERAL,
    NUMBER,
    NUMBER_OF_ORDER,
    NUMBERED,
    NUMBERED_ORDER,
    PICK,
    PICK_OF_ORDER,
    TEXT_OF_ORDER,
    encode_rows,
)
from libra_ray.simulation.compiled.retelling import CODES, STATUSES, TYPES, denial, order_of, rejection_message

__all__ = ["hash_of"]

FINAL: Final = int(BOOKED) + 1
"""The kind of row that is an order as it ends."""
BUFFER: Final = 1 << 20
BOOKINGS: Final = ("PNL", "FEE")
_pack: Final = msgspec.msgpack.encode


def hash_of(kernel: TradingKernel, ledger: Ledger, instrument_id: str, rate: tuple[int, int]) -> str:
    """Hex BLAKE2b-128 of what `simulation.run_hash` encodes; `kernel` has seen nothing but the deposits."""
    numbers = ledger.now
    orders = ledger.orders[: numbers[ORDERS]]
    events = ledger.events[: numbers[EVENTS]]
    ends = np.zeros((len(orders), events.shape[1]), np.int64)
    ends[:, KIND], ends[:, ORDER] = FINAL, np.arange(len(orders))

    wording = _Wording(kernel, instrument_id)
    of_order = wording.denials(orders, rate)
    state = blake2b(digest_size=16)
    for deposit in kernel.books.deposits:
        state.update(_pack(deposit))
    for rows in (events, ends):
        for part in wording.encoded(rows, orders, of_order):
            state.update(part)
    for last in wording.final(ledger):
        state.update(_pack(last))
    return state.hexdigest()


class _Wording:
    """Templates of one run."""

    def __init__(self, kernel: TradingKernel, instrument_id: str) -> None:
        self._kernel = kernel
        self._instrument = instrument = kernel.cache.instruments[instrument_id]
        self._strategy_id = strategy_id = kernel.strategies[0].actor_id
        self._account = kernel.portfolio.accounts[instrument.venue]
        terms = kernel.portfolio.terms[instrument_id]
        self._position_id = kernel.portfolio.netting_ids[instrument_id, strategy_id]
        self._texts: list[bytes] = []
        self._steps: list[tuple[int, int, int]] = []
        self._kinds: list[int] = []
        self._order_id = (NUMBERED_ORDER, self._text(f"{strategy_id}-".encode()), -1)
        self._venue_id = (NUMBERED_ORDER, self._text(f"V-{instrument.venue}-".encode()), VENUE_NO)
        self._side = (PICK_OF_ORDER, self._choice([OrderSide.SELL, None, OrderSide.BUY]) + 1, SIDE)
        self._code = (PICK, self._choice(CODES), A)
        self._unit = _pack(terms.settlement.code) + _pack(terms.settlement.precision)
        self._fee_unit = _pack(terms.fee_unit.code) + _pack(terms.fee_unit.precision)
        self._write()

    def _text(self, text: bytes) -> int:
        self._texts.append(text)
        return len(self._texts) - 1

    def _choice(self, values: Sequence[Any]) -> int:
        """The first of texts that a number picks from."""
        first = len(self._texts)
        self._texts += [value if isinstance(value, bytes) else _pack(value) for value in values]
        return first

    def _template(self, *parts: bytes | tuple[int, int, int]) -> None:
        self._kinds.append(len(self._steps))
        self._steps += [part if isinstance(part, tuple) else (LITERAL, self._text(part), 0) for part in parts]

    def _event(self, name: str, *parts: bytes | tuple[int, int, int], fields: int) -> None:
        """An order event: its head, then `parts`, which are `fields` fields."""
        head = _array(5 + fields) + _pack(name)
        own = _pack(self._strategy_id) + _pack(self._instrument.id)
        self._template(head, (NUMBER, 0, TS), own, self._order_id, *parts)

    def _write(self) -> None:
        """Templates by the numbers of kinds: events, orders as they end, orders as they are made."""
        instrument = self._instrument
        rejections = [_pack(code) + _pack(rejection_message(instrument, at)) for at, code in enumerate(CODES)]
        written = {
            MADE: self._template,
            DENIAL: lambda: self._event("OrderDenied", (TEXT_OF_ORDER, 0, 0), fields=2),
            ACCEPTANCE: lambda: self._event("OrderAccepted", self._venue_id, fields=1),
            REJECTION: lambda: self._event("OrderRejected", (PICK, self._choice(rejections), A), fields=2),
            CANCELLATION: lambda: self._event("OrderCanceled", self._code, fields=1),
            FILL: self._write_fill,
            UPDATE: lambda: self._event("OrderUpdated", (NUMBER, 0, A), _pack(None) * 2, fields=3),
            CANCEL_REFUSED: lambda: self._event("OrderCancelRejected", self._code, fields=1),
            OPENED: lambda: self._write_position("PositionOpened"),
            CHANGED: lambda: self._write_position("PositionChanged"),
            CLOSED: lambda: self._write_position("PositionClosed"),
            BOOKED: self._write_booking,
        }
        for kind in range(FINAL):
            written[kind]()
        status = (PICK_OF_ORDER, self._choice(STATUSES), STATUS)
        own = [(NUMBER_OF_ORDER, 0, column) for column in (QTY, FILLED, VALUE)]
        self._template(_array(6) + _pack("Order"), self._order_id, status, *own)
        for kind in range(len(TYPES)):
            for flag in (False, True):
                self._write_made(kind, flag=flag)
        self._kinds.append(len(self._steps))

    def _write_made(self, kind: int, *, flag: bool) -> None:
        px = (NUMBER_OF_ORDER, 0, PX)
        instrument, is_limit = self._instrument, kind == int(LIMIT)
        self._event(
            OrderInitialized.__name__,
            self._side,
            _pack(TYPES[kind]),
            (NUMBER_OF_ORDER, 0, QTY_MADE),
            _pack(instrument.size_precision),
            px if is_limit else _pack(None),
            px if kind == STOP else _pack(None),
            _pack(instrument.price_precision) + _pack(TimeInForce.GTC) + _pack(None),
            _pack(is_limit and flag) + _pack(flag and not is_limit) + _pack(False) + _pack(()),  # noqa: FBT003
            fields=13,
        )

    def _write_fill(self) -> None:
        instrument = self._instrument
        trade = (NUMBERED, self._text(f"T-{instrument.venue}-".encode()), E)
        liquidity = (PICK, self._choice([LiquiditySide.MAKER, LiquiditySide.TAKER]), C)
        self._event(
            OrderFilled.__name__, self._venue_id, trade, _pack(self._position_id), self._side, (NUMBER, 0, A),
            _pack(instrument.size_precision), (NUMBER, 0, B), _pack(instrument.price_precision), liquidity,
            (NUMBER, 0, D), self._fee_unit, fields=12,
        )  # fmt: skip

    def _write_position(self, name: str) -> None:
        own = _pack(self._strategy_id) + _pack(self._instrument.id) + _pack(self._position_id)
        self._template(
            _array(13) + _pack(name), (NUMBER, 0, TS), own, self._order_id, (NUMBER, 0, A),
            _pack(self._instrument.size_precision), (NUMBER, 0, B), (NUMBER, 0, C), (NUMBER, 0, D), self._unit,
        )  # fmt: skip

    def _write_booking(self) -> None:
        self._template(
            _array(9) + _pack(AccountBooked.__name__), (NUMBER, 0, TS), _pack(self._account.account_id),
            (PICK, self._choice(BOOKINGS), A), self._unit, (NUMBER, 0, B), (NUMBER, 0, C), _pack(self._instrument.id),
        )  # fmt: skip

    def denials(self, orders: Columns, rate: tuple[int, int]) -> Columns:
        """The text of each order that was denied: its code and message."""
        found = np.zeros(len(orders), np.int64)
        known: dict[bytes, int] = {}
        for number in np.flatnonzero(orders[:, STATUS] == DENIED).tolist():
            row = orders[number].tolist()
            order = order_of(row, number, self._strategy_id, self._instrument)
            text = b"".join(map(_pack, denial(self._instrument, order, row[CODE], rate)))
            found[number] = known[text] if text in known else known.setdefault(text, self._text(text))
        return found

    def encoded(self, rows: Columns, orders: Columns, of_order: Columns) -> Iterable[Any]:
        """The rows as msgpack, in parts."""
        texts = np.frombuffer(b"".join(self._texts), np.uint8)
        ends = np.concatenate([[0], np.cumsum([len(text) for text in self._texts])]).astype(np.int64)
        kinds, steps = np.array(self._kinds, np.int64), np.array(self._steps, np.int64)
        making = FINAL + 1 + orders[:, TYPE] * 2 + (orders[:, FLAG] != 0)
        out, at = np.empty(BUFFER, np.uint8), 0
        while at < len(rows):
            at, size = encode_rows(rows, orders, at, out, kinds, steps, texts, ends, of_order, making)
            yield out[:size].data

    def final(self, ledger: Ledger) -> Iterable[list[Any]]:
        """The position and the account as they end."""
        numbers = [int(number) for number in ledger.now]
        if numbers[NET]:
            yield ["Position", self._position_id, numbers[NET], numbers[OPEN_VALUE], numbers[REALIZED]]
        yield ["Account", self._account.account_id, self._account.reporting.code, numbers[BALANCE]]


def _array(count: int) -> bytes:
    """The first bytes of an array."""
    return _pack([None] * count)[:-count]
