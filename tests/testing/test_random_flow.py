"""The simulated venue and the reference agree on random order flow."""

import json
import os
from typing import Any, Final

import jsonschema
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from libra_ray.data import merge
from libra_ray.simulation import book_scout, stream_state
from libra_ray.testing.comparison import Comparison, compare_document, compare_random, orders_of, shrunk
from libra_ray.testing.random_flow import KINDS, random_scenario
from libra_ray.testing.scenario_form import TAGS
from libra_ray.testing.scenario_needs import needs_of
from tests.conftest import LONG_TESTS

FAST_ORDERS: Final = 2_000
BULK_ORDERS: Final = int(os.environ.get("LIBRA_RANDOM_ORDERS") or ("100000" if LONG_TESTS else "20000"))
PART_ORDERS: Final = 20_000
BULK_PARTS: Final = -(-BULK_ORDERS // PART_ORDERS)
PART_SEEDS: Final = 1_000
TICK_CENTS: Final = 5


def _story(found: Comparison) -> str:
    """What to read when the two differ."""
    if found.difference is None:
        return ""
    lines = "\n".join(found.difference.lines)
    return f"seed {found.difference.seed}, {found.difference.kind}\n{lines}\n{json.dumps(found.difference.document)}"


def test_engine_and_reference_agree_on_random_flow() -> None:
    found = compare_random(FAST_ORDERS)

    assert found.ok, _story(found)
    assert found.orders >= FAST_ORDERS


@pytest.mark.parametrize(("chunk", "least", "most"), [(7, 1, 4), (3, 2, 3), (16, 1, 1)])
def test_they_agree_where_the_look_ahead_takes_small_steps(
    chunk: int, least: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What else takes tens of thousands of rows: to come to the end of a block, of a chunk of a book, of a window."""
    monkeypatch.setattr(book_scout, "CHUNK_ROWS", chunk)
    monkeypatch.setattr(stream_state, "BLOCK_ROWS_MIN", least)
    monkeypatch.setattr(stream_state, "BLOCK_ROWS_MAX", most)
    monkeypatch.setattr(merge, "WINDOW_ROWS", chunk)

    found = compare_random(FAST_ORDERS, seed=chunk)

    assert found.ok, _story(found)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(BULK_PARTS))
def test_engine_and_reference_agree_on_very_many_orders(part: int) -> None:
    """`LIBRA_RANDOM_ORDERS` orders (20,000; 100,000 with the long tests), in parts below the time-out of a test."""
    found = compare_random(PART_ORDERS, seed=PART_SEEDS * (part + 1))

    assert found.ok, _story(found)
    assert found.orders >= PART_ORDERS


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_one_document(kind: str) -> None:
    assert random_scenario(7, kind=kind, orders=40) == random_scenario(7, kind=kind, orders=40)


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_submits_what_was_asked_and_names_its_needs(kind: str) -> None:
    document = random_scenario(11, kind=kind, orders=50)

    assert orders_of(document) >= 50
    assert set(document["needs"]) <= set(TAGS)
    assert {"market", "limit"} <= set(document["needs"])


def test_documents_have_the_form_of_the_schema(shared: Any) -> None:  # noqa: ANN401 - the folder's fixture
    schema = json.loads((shared / "spec" / "scenario.schema.json").read_text(encoding="utf-8"))
    form = jsonschema.Draft202012Validator(schema)

    errors = [
        error.message
        for seed in range(18)
        for error in form.iter_errors(random_scenario(seed, kind=KINDS[seed % len(KINDS)], orders=30))
    ]

    assert errors == []


def test_a_planted_difference_is_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine of this test does not know stop orders: one of them and one row stay."""
    document = random_scenario(7, kind="quotes", orders=40)

    def compare(candidate: dict[str, Any]) -> list[str]:
        return ["fault: no stops"] if "stop_market" in candidate["needs"] else []

    monkeypatch.setattr("libra_ray.testing.comparison.compare_document", compare)

    small = shrunk(document)

    assert (len(small["data"]), orders_of(small)) == (1, 1)


class GrowingDocument(RuleBasedStateMachine):
    """Rows and operations are appended one by one; in the end both run the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[Any]] = [["quote", "1", None, "19.95", "20.05", "10", "10"]]
        self.operations: dict[int, list[dict[str, Any]]] = {}
        self.labels: list[str] = []

    def _price(self, ticks: int) -> str:
        return f"{20 + ticks * TICK_CENTS / 100:.2f}"

    def _do(self, operation: dict[str, Any]) -> None:
        self.operations.setdefault(len(self.rows) - 1, []).append(operation)

    def _submit(self, side: str, qty: int, **fields: Any) -> None:  # noqa: ANN401 - fields of a document
        label = f"O{len(self.labels) + 1}"
        self.labels.append(label)
        self._do({"op": "submit", "order": label, "side": side, "qty": str(qty), **fields})

    @rule(bid=st.integers(-4, 3), spread=st.integers(1, 3), sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)))
    def quote(self, bid: int, spread: int, sizes: tuple[int, int]) -> None:
        prices = [self._price(bid), self._price(bid + spread)]
        self.rows.append(["quote", str(len(self.rows) + 1), None, *prices, str(sizes[0]), str(sizes[1])])

    @rule(at=st.integers(-4, 4), size=st.integers(1, 9), aggressor=st.sampled_from(["BUYER", "SELLER", "NONE"]))
    def trade(self, at: int, size: int, aggressor: str) -> None:
        self.rows.append(["trade", str(len(self.rows) + 1), None, self._price(at), str(size), aggressor])

    @rule(side=st.sampled_from(["BUY", "SELL"]), qty=st.integers(1, 15), tif=st.sampled_from(["GTC", "IOC", "FOK"]))
    def market(self, side: str, qty: int, tif: str) -> None:
        self._submit(side, qty, type="MARKET", tif=tif)

    @rule(
        side=st.sampled_from(["BUY", "SELL"]),
        qty=st.integers(1, 15),
        at=st.integers(-4, 4),
        tif=st.sampled_from(["GTC", "GTC", "IOC", "FOK"]),
    )
    def limit(self, side: str, qty: int, at: int, tif: str) -> None:
        self._submit(side, qty, type="LIMIT", price=self._price(at), tif=tif)

    @rule(
        side=st.sampled_from(["BUY", "SELL"]),
        qty=st.integers(1, 15),
        at=st.integers(-4, 4),
        limit=st.none() | st.integers(-4, 4),
    )
    def stop(self, side: str, qty: int, at: int, limit: int | None) -> None:
        if limit is None:
            self._submit(side, qty, type="STOP_MARKET", trigger=self._price(at))
        else:
            self._submit(side, qty, type="STOP_LIMIT", trigger=self._price(at), price=self._price(limit))

    @rule(side=st.sampled_from(["BUY", "SELL"]), qty=st.integers(2, 15), at=st.integers(-4, 4), shown=st.integers(1, 2))
    def iceberg(self, side: str, qty: int, at: int, shown: int) -> None:
        self._submit(side, qty, type="LIMIT", price=self._price(at), display=str(shown))

    @precondition(lambda self: self.labels)
    @rule(which=st.integers(0, 5))
    def cancel(self, which: int) -> None:
        self._do({"op": "cancel", "order": self.labels[-1 - which % len(self.labels)]})

    @precondition(lambda self: self.labels)
    @rule(which=st.integers(0, 5), qty=st.integers(1, 20))
    def modify(self, which: int, qty: int) -> None:
        self._do({"op": "modify", "order": self.labels[-1 - which % len(self.labels)], "qty": str(qty)})

    def teardown(self) -> None:
        document: dict[str, Any] = {
            "name": "growing",
            "why": "a document that grew by rules",
            "needs": ["market"],
            "risk": {"max_order_rate": "100000/1s", "max_modify_rate": "100000/1s"},
            "venue": {"book": "L1", "account": "MARGIN", "oms": "NETTING", "balances": {"USD": "1000000"}},
            "instruments": [{"id": "X.SIM", "kind": "equity", "quote": "USD", "tick": "0.05", "step": "1"}],
            "data": self.rows,
            "actions": [{"at": row, "do": operations} for row, operations in self.operations.items()],
            "expect": {"events": [], "final": {}},
        }
        document["needs"] = needs_of(document) or ["market"]
        lines = compare_document(document)
        assert lines == [], "\n".join([*lines, json.dumps(document)])


TestGrowingDocument = GrowingDocument.TestCase
TestGrowingDocument.settings = settings(max_examples=25, stateful_step_count=25)
