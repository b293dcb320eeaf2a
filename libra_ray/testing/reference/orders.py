"""One order: its fields (orders 1), and where it stands."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, auto
from fractions import Fraction
from typing import Any, Final

from libra_ray.testing.reference.document import Instrument
from libra_ray.testing.reference.exact import half_even, text, ts_ns

__all__ = ["AVERAGE_DECIMALS_MORE", "CLOSED", "OPPOSITE", "OWN", "Order", "Place", "sign"]

CLOSED: Final = frozenset(["DENIED", "REJECTED", "CANCELED", "EXPIRED", "FILLED"])
OPPOSITE: Final = {"BUY": "ASK", "SELL": "BID"}
"""The side of the book that an order takes from."""
OWN: Final = {"BUY": "BID", "SELL": "ASK"}
"""The side of the book that an order joins."""
AVERAGE_DECIMALS_MORE: Final = 4

AS_MARKET: Final = frozenset(["MARKET", "STOP_MARKET", "MARKET_IF_TOUCHED", "TRAILING_STOP_MARKET"])
WAITS_FOR_TRIGGER: Final = frozenset(
    [
        "STOP_MARKET",
        "STOP_LIMIT",
        "MARKET_IF_TOUCHED",
        "LIMIT_IF_TOUCHED",
        "TRAILING_STOP_MARKET",
        "TRAILING_STOP_LIMIT",
    ]
)
TOUCHED: Final = frozenset(["MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED"])
TRAILING: Final = frozenset(["TRAILING_STOP_MARKET", "TRAILING_STOP_LIMIT"])
AUCTION: Final = frozenset(["AT_THE_OPEN", "AT_THE_CLOSE"])


def sign(side: str) -> int:
    """+1 for BUY, -1 for SELL."""
    return 1 if side == "BUY" else -1


class Place(Enum):
    """Where an order is, apart from its status."""

    LOCAL = auto()
    """Not sent: new, with an algorithm, denied."""
    EMULATED = auto()
    IN_FLIGHT = auto()
    HELD = auto()
    """At the venue, waiting for its OTO parent."""
    WAITING = auto()
    """At the venue, waiting for its trigger."""
    RESTING = auto()
    """At the venue, a limit order that waits."""
    PENDING = auto()
    """At the venue, waiting for the next bar's open."""
    AUCTION = auto()
    """At the venue, waiting for an auction."""


@dataclass(eq=False)
class Order:
    """An order with all that has happened to it."""

    label: str
    instrument: Instrument
    type: str
    side: str
    qty: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None
    trigger_type: str = "DEFAULT"
    tif: str = "GTC"
    expire: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    quote_qty: bool = False
    display: Decimal | None = None
    offset: Decimal | None = None
    offset_type: str = "PRICE"
    limit_offset: Decimal | None = None
    activation: Decimal | None = None
    emulate: str = ""
    algo: dict[str, Any] = field(default_factory=dict)
    position_id: str = ""
    opens_position: bool = True
    contingency: str = ""
    parent: str = ""
    linked: tuple[str, ...] = ()
    bracket: tuple[Decimal, Decimal] | None = None
    spawned_from: str = ""
    is_duplicate: bool = False

    # ---- what happened
    status: str = "INITIALIZED"
    status_before: str = ""
    place: Place = Place.LOCAL
    reached_venue: bool = False
    is_unreleased: bool = False
    filled: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    asked_qty: Decimal = Decimal(0)
    accepted_seq: int = 0
    priority: int = 0
    pending_seq: int = 0
    slice_left: Decimal = Decimal(0)
    is_triggered: bool = False
    is_active: bool = False
    entered_step: int = -1
    closes_at: int | None = None
    step_of_taken: int = -1
    taken: Decimal = Decimal(0)
    # ---- queue position (matching 7)
    ahead: Decimal = Decimal(0)
    shown: Decimal = Decimal(0)
    traded: Decimal = Decimal(0)
    before: dict[str, Decimal] = field(default_factory=dict)
    # ---- what the strategy has been told
    seen_status: str = "INITIALIZED"
    seen: tuple[Decimal, Decimal | None, Decimal | None] | None = None
    cancel_sent: bool = False

    @classmethod
    def read(cls, form: dict[str, Any], instrument: Instrument) -> "Order":
        """From an operation of the document."""

        def number(key: str) -> Decimal | None:
            return Decimal(form[key]) if key in form else None

        qty = Decimal(form["qty"])
        return cls(
            label=form["order"],
            instrument=instrument,
            type=form["type"],
            side=form["side"],
            qty=qty,
            price=number("price"),
            trigger=number("trigger"),
            trigger_type=form.get("trigger_type", "DEFAULT"),
            tif=form.get("tif", "GTC"),
            expire=ts_ns(form["expire"]) if "expire" in form else None,
            post_only=form.get("post_only", False),
            reduce_only=form.get("reduce_only", False),
            quote_qty=form.get("quote_qty", False),
            display=number("display"),
            offset=number("offset"),
            offset_type=form.get("offset_type", "PRICE"),
            limit_offset=number("limit_offset"),
            activation=number("activation"),
            emulate=form.get("emulate", ""),
            algo=form.get("algo", {}),
            contingency=form.get("contingency", ""),
            parent=form.get("parent", ""),
            linked=tuple(form.get("linked", ())),
            asked_qty=qty,
        )

    # ---------------------------------------------------------------------- what it is

    @property
    def works_as_market(self) -> bool:
        """Whether it executes without a price of its own."""
        return self.type in AS_MARKET

    @property
    def is_limit(self) -> bool:
        """Whether it executes at its own price or better."""
        return self.type not in AS_MARKET and self.type != "MARKET_TO_LIMIT"

    @property
    def waits_for_trigger(self) -> bool:
        """Whether its type needs a trigger."""
        return self.type in WAITS_FOR_TRIGGER

    @property
    def is_touched(self) -> bool:
        """Whether the touch test, not the stop test, triggers it."""
        return self.type in TOUCHED

    @property
    def is_trailing(self) -> bool:
        """Whether its trigger follows the market."""
        return self.type in TRAILING

    @property
    def is_auction(self) -> bool:
        """Whether it executes in an auction only."""
        return self.tif in AUCTION

    @property
    def falls(self) -> bool:
        """Whether a fall of the price reaches its trigger: a touched BUY, a SELL stop."""
        return (self.side == "BUY") == self.is_touched

    # ---------------------------------------------------------------------- how it stands

    @property
    def leaves(self) -> Decimal:
        """What is not filled."""
        return self.qty - self.filled

    @property
    def is_closed(self) -> bool:
        """Whether nothing can come any more."""
        return self.status in CLOSED

    @property
    def is_accepted(self) -> bool:
        """Whether the venue works on it (held children are not yet worked on)."""
        at_venue = (Place.WAITING, Place.RESTING, Place.PENDING, Place.AUCTION)
        return not self.is_closed and self.place in at_venue

    @property
    def counts_as_open(self) -> bool:
        """Orders 13: open or in flight, without unreleased OTO children."""
        is_sent = self.place is Place.IN_FLIGHT or self.is_accepted
        return is_sent and not self.is_closed and not self.is_unreleased

    def shown_leaves(self) -> Decimal:
        """Matching 8: what a touch can reach, one slice of an iceberg."""
        return self.leaves if self.display is None else min(self.slice_left, self.leaves)

    def new_slice(self) -> None:
        """Matching 8: slice = min(display_qty, leaves)."""
        if self.display is not None:
            self.slice_left = min(self.display, self.leaves)

    def summary(self) -> dict[str, str]:
        """How the document's `final.orders` writes it."""
        out = {"status": self.status, "filled_qty": text(self.filled), "qty": text(self.qty)}
        if self.filled > 0:
            decimals = self.instrument.price_decimals + AVERAGE_DECIMALS_MORE
            out["avg_px"] = f"{half_even(Fraction(self.value) / Fraction(self.filled), decimals):f}"
        return out

    # ---------------------------------------------------------------------- status (orders 10)

    def apply(self, event: str) -> None:
        """Move the status by an event."""
        is_pending = self.status in ("PENDING_UPDATE", "PENDING_CANCEL")
        if event == "FILLED":
            moved = "FILLED" if self.leaves <= 0 else "PARTIALLY_FILLED"
            if is_pending and moved == "PARTIALLY_FILLED":  # a partial fill keeps PENDING_*
                self.status_before = moved
            else:
                self.status = moved
        elif event in ("UPDATED", "MODIFY_REJECTED", "CANCEL_REJECTED"):
            if is_pending:  # they end PENDING_* by going back to the state before it
                self.status = self.status_before
        else:
            self.status = event

    def pend(self, status: str) -> None:
        """A modification or cancel is under way."""
        if self.is_closed or self.status == "PENDING_CANCEL":
            return
        if self.status != "PENDING_UPDATE":
            self.status_before = self.status
        self.status = status
