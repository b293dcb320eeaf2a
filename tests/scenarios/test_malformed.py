"""A file that is no scenario is refused by one line: its place in the file, the value, and what may stand there."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from libra_ray.cli.answer import error_document, json_text
from libra_ray.errors import ConfigError, LibraError
from libra_ray.testing import check_paths, run_scenario

Form = dict[str, Any]

SCENARIO: Form = {
    "name": "one",
    "why": "an order of each kind of place in the file",
    "needs": ["l1"],
    "venue": {"book": "L1", "account": "MARGIN", "oms": "NETTING", "balances": {"USD": "1000"}, "options": {}},
    "instruments": [{"id": "ACME.SIM", "kind": "equity", "quote": "USD", "tick": "0.01", "step": "1"}],
    "data": [["quote", "1", None, "10.00", "10.02", "5", "5"], ["trade", "2", None, "10.00", "5", "NONE"]],
    "actions": [
        {
            "at": 0,
            "do": [
                {
                    "op": "submit_list",
                    "orders": [
                        {"op": "submit", "order": "A", "type": "LIMIT", "side": "BUY", "qty": "1", "price": "9.00"}
                    ],
                },
                {"op": "cancel", "order": "A"},
            ],
        }
    ],
    "expect": {
        "events": [["1", "A", "ACCEPTED"], ["1", "A", "CANCELED"]],
        "timeline": [["row", 0], ["row", 1]],
        "final": {},
    },
}

OPERATIONS = (
    "submit", "submit_list", "bracket", "modify", "cancel", "cancel_all", "close", "trading_state", "alert", "timer",
)  # fmt: skip
BIG = "9" * 17


def _set(*path: str | int, value: object) -> Callable[[Form], None]:
    def change(form: Form) -> None:
        at: Any = form
        for key in path[:-1]:
            at = at[key]
        if isinstance(at, list) and path[-1] == len(at):
            at.append(value)
        else:
            at[path[-1]] = value

    return change


def _changed(change: Callable[[Form], None]) -> Form:
    form = deepcopy(SCENARIO)
    change(form)
    return form


def _refused(change: Callable[[Form], None]) -> LibraError:
    with pytest.raises(LibraError) as caught:
        run_scenario(_changed(change))
    return caught.value


def test_the_form_that_is_changed_below_passes() -> None:
    assert run_scenario(deepcopy(SCENARIO)).diff == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("needs", value=["l1", "l1"]), "one.needs: 'l1' is given 2 times. Remove one."),
        (
            _set("venue", "options", "liquidation", value="true"),
            "one.venue.options.liquidation: 'true' is neither true nor false. Write true or false without quotes.",
        ),
        (_set("actions", 0, "at", value="0"), "one.actions.0.at: '0' is not a whole number. Write for example 10."),
        (
            _set("actions", 0, "start", value=True),
            "one.actions.0: 2 of the keys start, at, on and time are given. Give exactly one of them.",
        ),
        (
            lambda form: form["actions"][0].pop("at"),
            "one.actions.0: 0 of the keys start, at, on and time are given. Give exactly one of them.",
        ),
        (
            _set("actions", 0, value={"on": ["A", "FILLED", 0], "do": [{"op": "cancel_all"}]}),
            "one.actions.0.on.2: 0 is below 1. Give at least 1.",
        ),
        (
            _set("actions", 0, "do", 1, value={"op": "trading_state", "state": "OFF"}),
            "one.actions.0.do.1.state: 'OFF' is not allowed. Use ACTIVE or REDUCING or HALTED.",
        ),
        (
            _set("actions", 0, "do", 1, "op", value="remove"),
            f"one.actions.0.do.1: 'remove' is not allowed. Use {' or '.join(OPERATIONS)}.",
        ),
        (
            _set("actions", 0, "do", 1, "order", value="B"),
            "one.actions.0.do.1: 'B' is the label of no order. Known are A.",
        ),
        (
            _set("actions", 0, "do", 0, "orders", 0, "linked", value=["A1"]),
            "one.actions.0.do.0: 'A1' is the label of no order. Did you mean 'A'?",
        ),
        (
            _set("actions", 0, "do", 0, "orders", 0, "trigger_type", value="LAST_PRISE"),
            "one.actions.0.do.0.orders.0.trigger_type: 'LAST_PRISE' is not allowed. Did you mean 'LAST_PRICE'?",
        ),
        (
            _set("actions", 0, "do", 0, "orders", 0, "price", value=None),
            "one.actions.0.do.0.orders.0.price: null is no value. Leave the key out.",
        ),
        (
            _set("data", 1, 0, value="tick"),
            "one.data.1: 'tick' is not allowed. Use quote or trade or bar or delta or mark or funding.",
        ),
        (_set("data", 1, value=["trade", "2", None, "10.00", "5"]), "one.data.1.5: no value given. Add the key."),
        (
            _set("data", 0, 3, value="1e3"),
            r"one.data.0.3: '1e3' has another form than ^-?[0-9]+(\.[0-9]+)?$. Correct the value.",
        ),
        (
            _set("data", 0, 3, value="9" * 39),
            f"one.data.0.3: '{'9' * 39}' has more than 38 digits. Write a number that fits 128 bits.",
        ),
        (
            _set("data", 0, 1, value="9999999999"),
            "one.data.0.1: time '9999999999' is later than 2262. Write an earlier time.",
        ),
        (
            _set("instruments", 0, "kind", value="pair"),
            "one.instruments.0: a pair has no base currency. Give base.",
        ),
        (
            _set("expect", "timeline", 0, value=["row", "0"]),
            "one.expect.timeline.0.1: '0' is not a whole number. Write for example 10.",
        ),
        (
            _set("expect", "events", 0, value=["1", "A", "FILLED", {"fee": "1"}]),
            r"one.expect.events.0.3.fee: '1' has another form than ^-?[0-9]+(\.[0-9]+)? [A-Z0-9]+$. Correct the value.",
        ),
    ],
)
def test_what_the_form_does_not_allow_is_named_with_its_place(change: Callable[[Form], None], message: str) -> None:
    error = _refused(change)

    assert (error.message, error.exit_code) == (f"CONF002 {message}", 2)


@pytest.mark.parametrize(
    ("change", "message", "exit_code"),
    [
        (
            _set("data", 1, 2, value="ACNE.SIM"),
            "CONF008 one.data.1.2: instrument 'ACNE.SIM' is not loaded. Did you mean 'ACME.SIM'?",
            2,
        ),
        (
            _set("instruments", 1, value=SCENARIO["instruments"][0]),
            "CONF007 one.instruments.1.id: instrument 'ACME.SIM' is given 2 times. Give each its own id.",
            2,
        ),
        (
            _set("data", 1, 1, value="0.5"),
            "DATA002 one.data.1.1: time 0.5 is earlier than 1 before it. Sort the rows.",
            3,
        ),
        (
            _set("data", 0, 3, value=BIG),
            f"CONF011 data: '{BIG}' does not fit at 2 decimals. Write a smaller number, or a coarser tick and step.",
            2,
        ),
    ],
)
def test_what_no_form_can_say_is_named_too(change: Callable[[Form], None], message: str, exit_code: int) -> None:
    error = _refused(change)

    assert (error.message, error.exit_code) == (message, exit_code)


def test_a_currency_that_nobody_has_is_compared_as_nothing_locked() -> None:
    result = run_scenario(_changed(_set("expect", "final", value={"locked": {"EUR": "1", "XYZ": "0"}})))

    assert result.diff == ["final.locked.EUR: expected 1, got 0"]


def test_an_error_in_the_data_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(_changed(_set("data", 1, 1, value="0.5"))), encoding="utf-8")

    with pytest.raises(LibraError) as caught:
        check_paths([path])

    assert caught.value.message.startswith(f"DATA002 {path} one.data.1.1: ")


def test_lists_too_deep_in_each_other_are_not_json(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000, encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        check_paths([path])

    assert caught.value.message == f"CONF002 {path}: lists and tables too deep in each other. Correct the file."


def test_text_that_is_no_utf8_is_refused_in_a_line_that_can_be_written() -> None:
    error = _refused(_set("why", value="ten letters \ud800"))

    line = json_text(error_document(error))

    assert json.loads(line.encode("utf-8"))["error"]["exit_code"] == 2
    assert "\\ud800" in error.message
