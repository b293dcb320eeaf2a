"""The reference matcher gives what every worked case of the specification says."""

import json
import os
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pytest

from libra_ray.testing.reference import ReferenceResult, reference_run
from tests.conftest import absent

SCENARIOS = Path(__file__).resolve().parents[3] / "shared" / "scenarios"
CASES = sorted(SCENARIOS.glob("*.json"))
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}


def _number(text: str) -> str:
    value = Decimal(text)
    return "0" if value == 0 else f"{value.normalize():f}"


def _money(text: str) -> str:
    amount, _, code = text.partition(" ")
    return f"{_number(amount)} {code}"


def _fields(fields: dict[str, str]) -> dict[str, str]:
    words = ("liq", "code")
    return {
        key: value if key in words else (_money(value) if key == "fee" else _number(value))
        for key, value in fields.items()
    }


def _event(row: list[Any]) -> list[Any]:
    ts, label, name, *more = row
    return [_number(ts), label, name, _fields(more[0] if more else {})]


def _like(got: str, wanted: str) -> str:
    """An average at the decimals given."""
    decimals = len(wanted.partition(".")[2])
    return f"{Decimal(got).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN):f}"


def _differences(wanted: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """Where `got` differs from the keys that are given."""
    found: list[str] = []
    for key, want in wanted.items():
        have = got.get(key)
        if key.startswith("avg_px"):
            equal = have is not None and _like(have, want) == want
        elif key in ("realized_pnl", "unrealized_pnl"):
            equal = have == _money(want)
        elif key in ("qty", "filled_qty"):
            equal = have == _number(want)
        else:
            equal = have == want
        if not equal:
            found.append(f"{key}: expected {want}, got {have}")
    return found


def _timeline(row: list[Any]) -> list[Any]:
    kind, what, *numbers = row
    return [kind, what, *(_number(number) for number in numbers)]


def _final_differences(wanted: dict[str, Any], result: ReferenceResult) -> list[str]:
    final, found = result.final, []
    if "balances" in wanted:
        want = {code: _number(amount) for code, amount in wanted["balances"].items() if Decimal(amount) != 0}
        got = {code: amount for code, amount in final["balances"].items() if amount != "0"}
        if want != got:
            found.append(f"balances: expected {want}, got {got}")
    for code, amount in wanted.get("locked", {}).items():
        if final["locked"].get(code, "0") != _number(amount):
            found.append(f"locked.{code}: expected {amount}, got {final['locked']}")
    if "positions" in wanted:
        if len(wanted["positions"]) != len(final["positions"]):
            found.append(f"positions: expected {wanted['positions']}, got {final['positions']}")
        for want, got in zip(wanted["positions"], final["positions"], strict=False):
            found += _differences(want, got)
    for label, want in wanted.get("orders", {}).items():
        found += [f"{label}.{line}" for line in _differences(want, final["orders"].get(label, {}))]
    if wanted.get("trading_state", final["trading_state"]) != final["trading_state"]:
        found.append(f"trading_state: got {final['trading_state']}")
    return found


def test_the_worked_cases_are_there() -> None:
    if not CASES:
        if IN_CI:
            pytest.fail("needs shared/scenarios, and CI has it", pytrace=False)
        absent("shared/scenarios")
    assert len(CASES) >= 95


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_reference_gives_what_the_case_says(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    expect = document["expect"]

    result = reference_run(document)

    assert result.events == [_event(row) for row in expect["events"]]
    assert _final_differences(expect["final"], result) == []
    if "bookings" in expect:
        assert result.bookings == [[_number(ts), *rest, _money(money)] for ts, *rest, money in expect["bookings"]]
    if "timeline" in expect:
        assert [_timeline(row) for row in result.timeline] == [_timeline(row) for row in expect["timeline"]]
