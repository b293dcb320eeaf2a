"""Checks 2 to 7 on orders that a strategy can make: the code, and the sentence with value, place and fix."""

from typing import Any

import pytest

import libra_ray as lr
from libra_ray.messages.events import OrderDenied
from libra_ray.model.enums import OrderStatus
from libra_ray.model.numbers import decimal_text
from libra_ray.testing import Cell

LIMITS: dict[str, Any] = {"min_qty": "5", "max_qty": "1000", "min_notional": "60", "max_notional": "9000"}
LIMIT, STOP = {"price": "9.00"}, {"trigger_price": "11.00"}
TRAILING = {"type": "TRAILING_STOP_MARKET", "trailing_offset": "0.10"}


def _cell(**more: Any) -> Cell:  # noqa: ANN401 - settings of the venue
    cell = Cell(lr.equity("ACME.SIM", quote="USD", **LIMITS), **more)
    cell.quote("ACME.SIM", "10.00", "10.02")
    return cell


def _denied(cell: Cell, quantity: str = "10", **terms: Any) -> tuple[str, str]:  # noqa: ANN401
    order = cell.submit(cell.orders.order("ACME.SIM", "BUY", quantity, **terms))
    assert order.status is OrderStatus.DENIED
    assert [event.code for event in cell.events(OrderDenied)] == [order.code]
    return order.code, order.message


@pytest.mark.parametrize(
    ("terms", "code", "message"),
    [
        (
            {**STOP, "time_in_force": "AT_THE_OPEN"},
            "UNSUPPORTED_TIME_IN_FORCE",
            "ORD005 time in force AT_THE_OPEN for ACME.SIM is not supported with STOP_MARKET. Use MARKET or LIMIT.",
        ),
        (
            {**STOP, "trigger_type": "DOUBLE_LAST"},
            "UNSUPPORTED_TRIGGER_TYPE",
            (
                "ORD005 trigger type DOUBLE_LAST for ACME.SIM is not supported. "
                "Use DEFAULT, BID_ASK, LAST_PRICE, MID_POINT, MARK_PRICE."
            ),
        ),
        (
            {**LIMIT, "exec_algorithm_id": "TWAP"},
            "UNSUPPORTED_ORDER_TYPE",
            "ORD005 execution algorithm 'TWAP' for ACME.SIM does not run. Add that actor.",
        ),
        (
            {"post_only": True},
            "FLAGS_CONFLICT",
            "ORD006 post_only for ACME.SIM conflicts with MARKET GTC. Drop post_only.",
        ),
        (
            {**LIMIT, "post_only": True, "time_in_force": "IOC"},
            "FLAGS_CONFLICT",
            "ORD006 post_only for ACME.SIM conflicts with LIMIT IOC. Drop post_only.",
        ),
        (
            {**LIMIT, "time_in_force": "GTD"},
            "FLAGS_CONFLICT",
            "ORD006 GTD order for ACME.SIM has no expire time. Give one.",
        ),
        ({"type": "LIMIT"}, "PRICE_MISSING", "ORD007 LIMIT for ACME.SIM has no price. Give one."),
        (
            {"type": "LIMIT_IF_TOUCHED", "price": "9.00"},
            "PRICE_MISSING",
            "ORD007 LIMIT_IF_TOUCHED for ACME.SIM has no trigger price. Give one.",
        ),
        (
            {"type": "TRAILING_STOP_MARKET"},
            "PRICE_MISSING",
            "ORD007 TRAILING_STOP_MARKET for ACME.SIM has no trailing offset. Give one.",
        ),
        (
            {**TRAILING, "trailing_offset": "-0.5"},
            "PRICE_MISSING",
            "ORD007 trailing offset -0.5 of TRAILING_STOP_MARKET for ACME.SIM is not positive. Correct it.",
        ),
        (
            {"type": "TRAILING_STOP_LIMIT", "trailing_offset": "0.5"},
            "PRICE_MISSING",
            "ORD007 TRAILING_STOP_LIMIT for ACME.SIM has no limit offset. Give one.",
        ),
        (
            {"position_id": "P-1"},
            "POSITION_ID_NOT_ALLOWED",
            "ORD008 position id 'P-1' for ACME.SIM is not allowed under netting. Leave it out.",
        ),
        (
            {"price": "0"},
            "PRICE_NOT_POSITIVE",
            "ORD001 price 0.00 for ACME.SIM is not positive. Correct it.",
        ),
        (
            {"trigger_price": "10.505"},
            "PRICE_OFF_TICK",
            (
                "ORD003 trigger price 10.505 for ACME.SIM is not a multiple of the tick 0.01. "
                "Nearest are 10.50 and 10.51."
            ),
        ),
        (
            {**TRAILING, "activation_price": "9.995"},
            "PRICE_OFF_TICK",
            (
                "ORD003 activation price 9.995 for ACME.SIM is not a multiple of the tick 0.01. "
                "Nearest are 9.99 and 10.00."
            ),
        ),
        (
            {"quantity": "1001"},
            "QUANTITY_ABOVE_MAX",
            ("ORD002 quantity 1001 for ACME.SIM is above the maximum 1000. Lower the quantity to at most 1000."),
        ),
        (
            {**STOP, "display_qty": "5"},
            "DISPLAY_QTY_INVALID",
            ("ORD020 display quantity 5 for ACME.SIM conflicts with STOP_MARKET. Use a limit type or leave it out."),
        ),
        (
            {**LIMIT, "display_qty": "0"},
            "DISPLAY_QTY_INVALID",
            "ORD020 display quantity 0 for ACME.SIM is not positive. Correct it or leave it out.",
        ),
        (
            {**LIMIT, "display_qty": "11"},
            "DISPLAY_QTY_INVALID",
            "ORD020 display quantity 11 for ACME.SIM is above the quantity 10. Lower it.",
        ),
        (
            {**LIMIT, "display_qty": "2.5"},
            "DISPLAY_QTY_INVALID",
            "ORD020 display quantity 2.5 for ACME.SIM is not a multiple of the step 1. Correct it.",
        ),
        (
            {**LIMIT, "expire_ns": 1},
            "EXPIRE_TIME_PAST",
            "ORD016 expire time of the order for ACME.SIM is past. Give a later one.",
        ),
        (
            {"quantity": "6", "price": "9.99"},
            "NOTIONAL_BELOW_MIN",
            "ORD002 notional 59.94 USD for ACME.SIM is below the minimum 60.00. Raise the quantity to at least 7.",
        ),
        (
            {"quantity": "950", "price": "9.50"},
            "NOTIONAL_ABOVE_MAX",
            "ORD002 notional 9025.00 USD for ACME.SIM is above the maximum 9000.00. Lower the quantity.",
        ),
    ],
)
def test_the_form_is_refused_with_code_and_sentence(terms: dict[str, Any], code: str, message: str) -> None:
    assert _denied(_cell(), **terms) == (code, message)


@pytest.mark.parametrize("kind", ["MARKET_TO_LIMIT", "MARKET_IF_TOUCHED", "TRAILING_STOP_MARKET", "STOP_MARKET"])
def test_post_only_is_refused_for_what_never_rests(kind: str) -> None:
    terms: dict[str, Any] = {**TRAILING, **STOP, "type": kind, "post_only": True}

    assert _denied(_cell(), **terms)[0] == "FLAGS_CONFLICT"


@pytest.mark.parametrize("tif", ["FOK", "AT_THE_OPEN", "AT_THE_CLOSE"])
def test_post_only_is_refused_for_what_has_no_time_to_rest(tif: str) -> None:
    assert _denied(_cell(), **LIMIT, time_in_force=tif, post_only=True)[0] == "FLAGS_CONFLICT"


def test_the_least_notional_does_not_bind_what_only_reduces() -> None:
    cell = _cell()
    cell.submit(cell.orders.market("ACME.SIM", "BUY", "10"))

    order = cell.submit(cell.orders.limit("ACME.SIM", "SELL", "5", "11.00", reduce_only=True))

    assert order.status is OrderStatus.ACCEPTED


def test_an_amount_of_quote_currency_has_no_step_and_no_notional_limit() -> None:
    cell = _cell()

    order = cell.submit(cell.orders.order("ACME.SIM", "BUY", "100.37", quote_quantity=True))

    assert (order.status, str(order.filled_qty)) == (OrderStatus.FILLED, "10")


def test_an_amount_of_quote_currency_is_positive() -> None:
    assert _denied(_cell(), "-3", quote_quantity=True)[0] == "QUANTITY_NOT_POSITIVE"


def test_a_price_with_more_decimals_than_needed_reaches_the_venue_at_the_tick() -> None:
    cell = _cell()
    order = cell.orders.limit("ACME.SIM", "BUY", "10", "9.00")
    order.price_raw, order.price_precision = 9_000_0, 4
    order.quantity_raw, order.size_precision = 1_000, 2

    cell.submit(order)

    assert order.status is OrderStatus.ACCEPTED
    assert (order.price_raw, order.price_precision, order.quantity_raw, order.size_precision) == (900, 2, 10, 0)


def test_an_instrument_is_traded_between_activation_and_expiry_only() -> None:
    cell = Cell(lr.future("ES.SIM", quote="USD", tick="0.25", activation_ns=10**9, expiration_ns=3 * 10**9))
    codes = []
    for ts_ns in (10**9 - 1, 10**9, 3 * 10**9):
        cell.advance_to(ts_ns)
        codes.append(cell.submit(cell.orders.limit("ES.SIM", "BUY", "1", "100.00")).code)

    assert (codes[0], codes[2]) == ("INSTRUMENT_NOT_ACTIVE", "INSTRUMENT_NOT_ACTIVE")
    assert codes[1] != "INSTRUMENT_NOT_ACTIVE"


def test_hedging_allows_a_position_id() -> None:
    cell = _cell(oms="hedging")
    cell.submit(cell.orders.market("ACME.SIM", "BUY", "10"))

    order = cell.submit(cell.orders.market("ACME.SIM", "SELL", "10", position_id="P-1"))

    assert order.status is OrderStatus.FILLED


def test_an_id_is_used_once() -> None:
    cell = _cell()
    order = cell.submit(cell.orders.limit("ACME.SIM", "BUY", "10", "9.00"))

    cell.submit(order)

    (event,) = cell.events(OrderDenied)
    assert event.code == "DUPLICATE_CLIENT_ORDER_ID"
    assert event.message == "ORD015 client order id Hand-1 is used already. Make a new order."
    assert order.status is OrderStatus.ACCEPTED


@pytest.mark.parametrize("step", ["1", "0.001", "0.000000000001"])
def test_a_number_that_the_instruments_decimals_do_not_hold_is_above_the_maximum(step: str) -> None:
    acme = lr.pair("ACME.SIM", base="BTC", quote="USD", tick="0.01", step=step, currencies={"BTC": 18})
    cell = Cell(acme)
    cell.quote("ACME.SIM", "10.00", "10.02")
    quantity, price = (decimal_text(acme.largest_raw + 1, digits) for digits in (acme.size_precision, 2))
    bound = decimal_text(acme.largest_raw, acme.size_precision)

    code, message = _denied(cell, quantity)

    assert (code, message.partition(". ")[0]) == (
        "QUANTITY_ABOVE_MAX",
        f"ORD002 quantity {quantity} for ACME.SIM is above the maximum {bound}",
    )
    assert cell.submit(cell.orders.order("ACME.SIM", "BUY", "1", price=price)).code == "PRICE_ABOVE_MAX"
    assert cell.submit(cell.orders.order("ACME.SIM", "BUY", bound)).code != "QUANTITY_ABOVE_MAX"
