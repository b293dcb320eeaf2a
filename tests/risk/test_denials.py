"""Denials are events: the code, and the sentence with value, place and fix, exactly."""

from typing import Any

import pytest

import libra_ray as lr
from libra_ray.data import Dataset, Stream
from libra_ray.messages.schemas import QUOTES

BTC = lr.pair(
    "BTCUSDT.SIM", base="BTC", quote="USDT", tick="0.01", step="0.00001", min_notional="5.00", min_qty="0.00002"
)


class Sender(lr.Strategy):
    """Sends one order on the first quote, as it is told."""

    def on_start(self) -> None:
        self.sent = False
        self.subscribe_quotes("BTCUSDT.SIM")

    def on_quote(self, quote: lr.Quote) -> None:
        del quote
        if not self.sent:
            self.sent = True
            self.submit_order(self.orders.order(**ORDER))


ORDER: dict[str, Any] = {}


def _refusal(instrument: str = "BTCUSDT.SIM", venue: str = "SIM", **order: str) -> tuple[str, str]:
    ORDER.clear()
    ORDER.update(instrument_id=instrument, side="BUY", **order)
    columns = {
        "ts_init_ns": [10**18], "bid_px": [6_399_900], "ask_px": [6_400_000], "bid_qty": [10**6], "ask_qty": [10**6]
    }  # fmt: skip
    data = Dataset([Stream(QUOTES, BTC, "", QUOTES.table(BTC, columns))])
    system = lr.System("risk").add_venue(venue, balances=["100_000 USDT"])
    system.add(Sender())
    result = lr.backtest(system, data=data)
    assert result.faults == []
    (row,) = result.orders.to_pylist()
    assert row["status"] == "DENIED"
    return row["code"], row["message"]


@pytest.mark.parametrize(
    ("order", "code", "message"),
    [
        (
            {"quantity": "-1"},
            "QUANTITY_NOT_POSITIVE",
            "ORD001 quantity -1.00000 for BTCUSDT.SIM is not positive. The side gives the direction.",
        ),
        (
            {"quantity": "0.00005", "price": "64000.00"},
            "NOTIONAL_BELOW_MIN",
            (
                "ORD002 notional 3.20 USDT for BTCUSDT.SIM is below the minimum 5.00. "
                "Raise the quantity to at least 0.00008."
            ),
        ),
        (
            {"quantity": "0.00001", "price": "64000.00"},
            "QUANTITY_BELOW_MIN",
            (
                "ORD002 quantity 0.00001 for BTCUSDT.SIM is below the minimum 0.00002. "
                "Raise the quantity to at least 0.00002."
            ),
        ),
        (
            {"quantity": "1", "price": "100.005"},
            "PRICE_OFF_TICK",
            "ORD003 price 100.005 for BTCUSDT.SIM is not a multiple of the tick 0.01. Nearest are 100.00 and 100.01.",
        ),
        (
            {"quantity": "1.000005", "price": "100.00"},
            "QUANTITY_OFF_STEP",
            (
                "ORD003 quantity 1.000005 for BTCUSDT.SIM is not a multiple of the step 0.00001. "
                "Nearest are 1.00000 and 1.00001."
            ),
        ),
    ],
)
def test_the_denial_names_value_and_fix(order: dict[str, str], code: str, message: str) -> None:
    assert _refusal(**order) == (code, message)


def test_an_unknown_instrument_is_denied_with_the_closest_name() -> None:
    code, message = _refusal("BTCUSD.SIM", quantity="1")

    assert code == "UNKNOWN_INSTRUMENT"
    assert message == "ORD004 instrument 'BTCUSD.SIM' is not loaded. Did you mean 'BTCUSDT.SIM'?"
