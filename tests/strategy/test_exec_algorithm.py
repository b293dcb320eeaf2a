"""Execution algorithms: children cut from a primary, what comes back, how a primary ends. No quantity is ever lost."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import libra_ray as lr
from libra_ray.messages.commands import ModifyOrder, SubmitOrder
from libra_ray.messages.events import OrderEvent
from libra_ray.testing import Cell

pytest_plugins = ["libra_ray.testing.fixtures"]

ACME = "ACME.SIM"
SECOND = 10**9


class Cutter(lr.ExecAlgorithm):
    """Does what the test tells it, in a handler of its own."""

    config: lr.ExecAlgorithmConfig

    def on_start(self) -> None:
        self.heard: list[str] = []

    def on_order_event(self, event: OrderEvent) -> None:
        self.heard.append(f"{event.client_order_id} {type(event).__name__}")

    def on_primary_ended(self, primary: lr.Order) -> None:
        self.heard.append(f"{primary.client_order_id} ended")


def new_cutter(cell: Cell, **settings_: Any) -> Cutter:  # noqa: ANN401
    cell.quote(ACME, "9.98", "10.02")
    return cell.add(Cutter(actor_id="CUT", **settings_))


def primary_of(cell: Cell, quantity: int = 100, **terms: Any) -> lr.Order:  # noqa: ANN401
    return cell.submit(cell.orders.order(ACME, "BUY", quantity, exec_algorithm_id="CUT", **terms))


def within(cell: Cell, algorithm: lr.ExecAlgorithm, handler: Callable[[], object]) -> None:
    """Run `handler` as one of the algorithm's, and settle what it staged."""
    cell.kernel.host.run(algorithm, handler)
    cell.advance_to(cell.now_ns)


def send(cell: Cell, algorithm: Cutter, primary: lr.Order, quantity: int, price: str | None = None) -> lr.Order:
    made: list[lr.Order] = []

    def handler() -> None:
        if price is None:
            made.append(algorithm.spawn_market(primary, quantity))
        else:
            made.append(algorithm.spawn_limit(primary, quantity, price))
        algorithm.submit_child(made[0])

    within(cell, algorithm, handler)
    return made[0]


def story(cell: Cell) -> list[str]:
    lines = []
    for event in cell.events(OrderEvent):
        name = type(event).__name__.removeprefix("Order")
        if name == "Initialized":
            continue
        facts: list[object] = [event.client_order_id.removeprefix("Hand-1").removeprefix("-") or "P", name]
        if isinstance(event, lr.OrderUpdated):
            facts.append(event.quantity_raw if event.price_raw is None else f"@{event.price_raw}")
        elif isinstance(event, lr.OrderFilled):
            facts.append(event.last_qty_raw)
        else:
            facts.append(getattr(event, "code", ""))
        lines.append(" ".join(str(fact) for fact in facts if fact != ""))
    return lines


def test_a_child_is_cut_from_its_primary_before_it_is_sent(cell: Cell) -> None:
    algorithm = new_cutter(cell)
    primary = primary_of(cell, tags=("big",))

    child = send(cell, algorithm, primary, 30)
    other = send(cell, algorithm, primary, 20, "9.00")

    assert story(cell) == ["P Updated 70", "E1 Filled 30", "P Updated 50", "E2 Accepted"]
    assert (child.client_order_id, child.exec_spawn_id, child.tags) == ("Hand-1-E1", "Hand-1", ("big",))
    assert (other.strategy_id, other.type, str(other.price)) == ("Hand", "LIMIT", "9.00")
    assert (primary.status, algorithm.leaves_raw(primary), algorithm.original_raw(primary)) == ("INITIALIZED", 50, 100)


def test_the_primary_itself_goes_with_what_it_has_left(cell: Cell) -> None:
    algorithm = new_cutter(cell)
    primary = primary_of(cell)
    send(cell, algorithm, primary, 30)

    within(cell, algorithm, lambda: algorithm.submit_primary(primary))

    assert story(cell)[2:] == ["P Filled 70"]
    assert [command.order.client_order_id for command in cell.sent(SubmitOrder)] == ["Hand-1-E1", "Hand-1"]
    assert [name for name, _ in cell.kernel.bus.subscriptions() if name.startswith("events.order")] == []


def test_no_more_can_be_cut_than_there_is(cell: Cell) -> None:
    algorithm = new_cutter(cell)
    primary = primary_of(cell)

    def greedy() -> None:
        algorithm.spawn_market(primary, 60)
        algorithm.spawn_market(primary, 41)

    with pytest.raises(lr.StrategyError, match="41 cannot be cut from Hand-1, which has 40 left"):
        within(cell, algorithm, greedy)

    assert story(cell) == ["P Canceled ALGORITHM_FAULTED"]
    assert list(cell.kernel.cache.orders) == ["Hand-1"]


def test_a_handler_that_raises_gives_back_ids_quantities_and_orders(cell: Cell) -> None:
    algorithm = new_cutter(cell, on_error="degrade")
    primary = primary_of(cell)

    def raising() -> None:
        algorithm.submit_child(algorithm.spawn_market(primary, 60))
        algorithm.submit_primary(primary)
        raise RuntimeError("no")

    with pytest.raises(lr.StrategyError, match="no"):
        within(cell, algorithm, raising)

    assert (algorithm.leaves_raw(primary), algorithm.children(primary), story(cell)) == (100, [], [])
    assert send(cell, algorithm, primary, 30).client_order_id == "Hand-1-E1"
    assert story(cell) == ["P Updated 70", "E1 Filled 30"]


def test_an_algorithm_that_has_failed_sends_nothing_any_more(cell: Cell) -> None:
    algorithm = new_cutter(cell)
    first, second = primary_of(cell), primary_of(cell)
    resting = send(cell, algorithm, first, 30, "9.00")

    def last_words(error: Exception) -> None:
        del error
        algorithm.submit_child(algorithm.spawn_market(first, 20))
        algorithm.submit_primary(second)
        algorithm.move_child(resting, "9.50")

    algorithm.on_fault = last_words  # type: ignore[method-assign]
    cell.kernel.host.fault(algorithm.actor_id, lr.StrategyError("STRAT006", None, "planted", ""))
    with pytest.raises(lr.StrategyError, match="planted"):
        cell.advance_to(cell.now_ns)

    ends = {order.client_order_id: str(order.status) for order in cell.kernel.record.orders}
    assert ends == dict.fromkeys(["Hand-1", "Hand-2", "Hand-1-E1", "Hand-1-E2"], "CANCELED")
    assert [str(command.order.client_order_id) for command in cell.sent(SubmitOrder)] == ["Hand-1-E1"]
    assert cell.sent(ModifyOrder) == []
    assert [event.code for event in cell.events(lr.OrderModifyRejected)] == ["TRADING_HALTED"]


def test_a_cancel_of_the_primary_first_cancels_its_open_children(cell: Cell) -> None:
    algorithm = new_cutter(cell)
    primary = primary_of(cell)
    send(cell, algorithm, primary, 30, "9.00")
    send(cell, algorithm, primary, 20)

    cell.cancel("Hand-1")

    assert story(cell)[4:] == ["E1 Canceled", "P Updated 80", "P Canceled"]
    assert algorithm.heard.count("Hand-1 ended") == 1


def test_what_a_handler_made_for_a_primary_that_is_canceled_meanwhile_is_canceled(cell: Cell) -> None:
    algorithm = new_cutter(cell)
    primary = primary_of(cell)
    made: list[lr.Order] = []
    cell.kernel.host.run(algorithm, lambda: made.append(algorithm.spawn_market(primary, 30)))
    cell.cancel("Hand-1")

    within(cell, algorithm, lambda: algorithm.submit_child(made[0]))

    assert story(cell) == ["P Updated 70", "E1 Canceled", "P Updated 100", "P Canceled"]
    assert cell.sent(SubmitOrder) == []


def test_a_child_that_is_denied_gives_back_all(make_cell: Callable[..., Cell]) -> None:
    cell = make_cell(lr.equity(ACME, quote="USD", min_qty=10))
    algorithm = new_cutter(cell)
    primary = primary_of(cell)

    send(cell, algorithm, primary, 5)

    assert story(cell) == ["P Updated 95", "E1 Denied QUANTITY_BELOW_MIN", "P Updated 100"]


def test_a_child_that_is_canceled_gives_back_what_it_has_left(cell: Cell) -> None:
    algorithm = new_cutter(cell)
    primary = primary_of(cell)
    child = send(cell, algorithm, primary, 30, "9.98")
    cell.trade(ACME, "9.98", 12, aggressor=lr.AggressorSide.SELLER)

    within(cell, algorithm, lambda: algorithm.cancel_child(child))

    assert story(cell)[2:] == ["E1 Filled 12", "E1 Canceled", "P Updated 88"]


def test_a_child_that_ends_after_its_primary_was_sent_raises_it_while_it_works(cell: Cell) -> None:
    algorithm = new_cutter(cell)
    primary = primary_of(cell, price="9.00")
    child = send(cell, algorithm, primary, 30, "9.10")
    within(cell, algorithm, lambda: algorithm.submit_primary(primary))

    within(cell, algorithm, lambda: algorithm.cancel_child(child))

    assert story(cell) == ["P Updated 70", "E1 Accepted", "P Accepted", "E1 Canceled", "P Updated 100"]
    assert [command.order for command in cell.sent(ModifyOrder)] == [primary]


def test_a_cancel_of_a_primary_that_was_sent_cancels_its_children_too(cell: Cell) -> None:
    algorithm = new_cutter(cell)
    primary = primary_of(cell, price="9.00")
    send(cell, algorithm, primary, 30, "9.10")
    within(cell, algorithm, lambda: algorithm.submit_primary(primary))

    cell.cancel("Hand-1")

    assert story(cell)[3:] == ["P Canceled", "E1 Canceled"]


def test_a_gtd_primary_expires_after_its_children(cell: Cell) -> None:
    algorithm = new_cutter(cell)
    primary = primary_of(cell, expire_ns=9 * SECOND)

    def handler() -> None:
        algorithm.submit_child(algorithm.spawn_limit(primary, 30, "9.00", time_in_force="GTC"))

    within(cell, algorithm, handler)
    cell.run_until_idle()

    assert story(cell)[2:] == ["E1 Canceled", "P Updated 100", "P Expired"]
    assert [event.ts_ns for event in cell.events(lr.OrderExpired)] == [9 * SECOND]


def test_its_strategy_may_change_a_primary(cell: Cell) -> None:
    algorithm = new_cutter(cell)
    primary = primary_of(cell, price="9.00")
    send(cell, algorithm, primary, 30)

    cell.modify("Hand-1", quantity=50, price="9.10")

    assert (primary.quantity_raw, str(primary.price), algorithm.original_raw(primary)) == (50, "9.10", 80)


def test_an_algorithm_that_does_not_run_is_no_way_to_send_an_order(cell: Cell) -> None:
    cell.quote(ACME, "9.98", "10.02")
    order = cell.submit(cell.orders.market(ACME, "BUY", 1, exec_algorithm_id="NONE"))
    assert (order.status, order.code) == ("DENIED", "UNSUPPORTED_ORDER_TYPE")

    algorithm = new_cutter(cell)
    with pytest.raises(lr.StrategyError):
        within(cell, algorithm, lambda: 1 // 0)
    late = primary_of(cell)

    assert (late.status, late.code) == ("DENIED", "UNSUPPORTED_ORDER_TYPE")


@pytest.mark.parametrize(
    ("quantity", "terms", "code"),
    [
        ("0.5", {}, "QUANTITY_OFF_STEP"),
        ("0", {}, "QUANTITY_NOT_POSITIVE"),
        ("10", {"expire_ns": 1}, "EXPIRE_TIME_PAST"),
        ("10", {"quote_quantity": True}, "FLAGS_CONFLICT"),
    ],
)
def test_a_primary_that_could_never_be_sent_is_denied_at_once(
    cell: Cell, quantity: str, terms: dict[str, Any], code: str
) -> None:
    new_cutter(cell)
    order = cell.submit(cell.orders.order(ACME, "BUY", quantity, exec_algorithm_id="CUT", **terms))
    assert (order.status, order.code) == ("DENIED", code)


def test_the_emulator_gives_a_released_order_to_its_algorithm(cell: Cell) -> None:
    algorithm = new_cutter(cell)
    primary = primary_of(cell, trigger_price="10.10", emulation_trigger="BID_ASK")
    cell.quote(ACME, "10.10", "10.12")

    send(cell, algorithm, primary, 30)

    assert story(cell) == ["P Emulated", "P Released", "P Updated 70", "E1 Filled 30"]


class Slicer(lr.ExecAlgorithm):
    """Sends the next ten when the ten before are filled."""

    config: lr.ExecAlgorithmConfig

    def on_order(self, primary: lr.Order) -> None:
        self.submit_child(self.spawn_limit(primary, 10, "10.00"))

    def on_order_filled(self, event: lr.OrderFilled) -> None:
        primary = self.primary_of(event.client_order_id)
        if primary is not None and self.leaves_raw(primary) >= 10:
            self.submit_child(self.spawn_limit(primary, 10, "10.00"))


def test_a_fill_is_heard_in_the_turn_in_which_the_next_order_goes(cell: Cell) -> None:
    cell.quote(ACME, "9.98", "10.02")
    cell.add(Slicer(actor_id="CUT"))
    primary_of(cell, 20)

    cell.trade(ACME, "10.00", 10, aggressor=lr.AggressorSide.SELLER)

    assert story(cell) == ["P Updated 10", "E1 Accepted", "E1 Filled 10", "P Updated 0", "E2 Accepted"]
    assert {event.ts_ns for event in cell.events(OrderEvent)[-4:]} == {2 * SECOND}


# ---------------------------------------------------------------------- the law

STEPS = st.one_of(
    st.tuples(st.just("market"), st.integers(1, 60)),
    st.tuples(st.just("limit"), st.integers(1, 60)),
    st.tuples(st.just("fok"), st.integers(1, 60)),
    st.tuples(st.just("raise"), st.integers(1, 60)),
    st.tuples(st.just("trade"), st.integers(1, 40)),
    st.tuples(st.just("through"), st.integers(1, 40)),
    st.tuples(st.just("cancel child"), st.integers(1, 5)),
    st.tuples(st.just("shorten child"), st.integers(1, 20)),
    st.tuples(st.just("cancel"), st.just(0)),
    st.tuples(st.just("send"), st.just(0)),
)


def check_nothing_is_lost(algorithm: Cutter, primary: lr.Order, children: list[lr.Order], total: int) -> None:
    filled = sum(child.filled_raw for child in children)
    still_open = sum(child.leaves_raw for child in children if not child.is_closed)
    assert filled + still_open + primary.quantity_raw == total
    if algorithm.primary_of("Hand-1") is primary and primary.status == "INITIALIZED":
        assert algorithm.leaves_raw(primary) == primary.leaves_raw


def take_step(cell: Cell, algorithm: Cutter, primary: lr.Order, step: str, number: int) -> list[lr.Order]:
    made: list[lr.Order] = []
    price, tif = {"market": (None, "GTC"), "limit": ("9.98", "GTC"), "fok": ("10.02", "FOK"), "raise": (None, "GTC")}[
        step
    ]

    def handler() -> None:
        if price is None:
            made.append(algorithm.spawn_market(primary, number, time_in_force=tif))
        else:
            made.append(algorithm.spawn_limit(primary, number, price, time_in_force=tif))
        algorithm.submit_child(made[0])
        if step == "raise":
            raise RuntimeError(step)

    try:
        within(cell, algorithm, handler)
    except lr.StrategyError:
        assert step == "raise"
        made.clear()
    return made


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEPS, max_size=25))
def test_children_and_primary_always_make_up_the_original(steps: list[tuple[str, int]]) -> None:
    cell = Cell(lr.equity(ACME, quote="USD", min_qty=5))
    cell.quote(ACME, "9.98", "10.02", ask_size=25)
    algorithm = cell.add(Cutter(actor_id="CUT", on_error="degrade"))
    primary = primary_of(cell, price="9.90")
    children: list[lr.Order] = []
    has_raised = False
    for step, number in steps:
        works = algorithm.primary_of("Hand-1") is primary
        if step in ("market", "limit", "fok", "raise"):
            if step == "raise" and has_raised:
                continue
            has_raised |= step == "raise"
            if works and number <= algorithm.leaves_raw(primary):
                children += take_step(cell, algorithm, primary, step, number)
        elif step == "trade":
            cell.trade(ACME, "9.98", number, aggressor=lr.AggressorSide.SELLER)
        elif step == "through":
            cell.quote(ACME, "9.96", "9.98" if number % 2 else "10.02", ask_size=number)
        elif step == "cancel":
            cell.cancel("Hand-1")
        elif step == "send" and works and algorithm.leaves_raw(primary) > 0:
            within(cell, algorithm, lambda: algorithm.submit_primary(primary))
        elif step.endswith("child") and number <= len(children) and not children[number - 1].is_closed:
            child = children[number - 1]
            if step == "cancel child":
                cell.cancel(child.client_order_id)
            elif child.leaves_raw > 6:
                cell.modify(child.client_order_id, quantity=child.quantity_raw - 1)
        # Once the primary has ended itself nothing can be given back to it.
        if not primary.is_closed or primary.venue_order_id == "":
            check_nothing_is_lost(algorithm, primary, children, 100)
