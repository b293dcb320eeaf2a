"""An instrument with 18 decimals runs through every part: books, orders, fees, positions, money, records."""

from typing import Any

import pytest

from libra_ray.testing import compare_document, random_scenario, reference_run, run_scenario
from libra_ray.testing.random_flow import KINDS

FINEST = "0.000000000000000001"
SEEDS = 4


def fine(document: dict[str, Any]) -> dict[str, Any]:
    """The same flow at 18 decimals of price and size: one tick beyond, and every share of a volume, is that fine."""
    first, *others = document["instruments"]
    return {**document, "instruments": [{**first, "tick": FINEST, "step": FINEST}, *others]}


@pytest.mark.parametrize("kind", KINDS)
def test_engine_and_reference_agree_at_18_decimals(kind: str) -> None:
    documents = [fine(random_scenario(900 + seed, kind=kind, orders=40)) for seed in range(SEEDS)]

    assert [compare_document(document) for document in documents] == [[]] * SEEDS


def test_the_finest_step_is_kept_to_the_end() -> None:
    """A quantity with a last digit at 10^-18 is filled, held and reported with it."""
    document = {
        "name": "finest",
        "why": "one unit in the last place",
        "needs": ["market", "l2"],
        "seed": 1,
        "venue": {"book": "L2", "account": "MARGIN", "oms": "NETTING", "balances": {"USD": "1000000"}},
        "instruments": [{"id": "X.SIM", "kind": "pair", "base": "ETH", "quote": "USD", "tick": FINEST, "step": FINEST}],
        "currencies": {"ETH": 18},
        "data": [
            ["delta", "1", None, "ADD", "BID", "1999.999999999999999999", "5", ""],
            ["delta", "2", None, "ADD", "ASK", "2000.000000000000000001", "5", ""],
        ],
        "actions": [
            {
                "at": 1,
                "do": [{"op": "submit", "order": "O1", "type": "MARKET", "side": "BUY", "qty": "1.000000000000000001"}],
            }
        ],
    }

    result = reference_run(document)
    outcome = run_scenario({**document, "expect": {"events": result.events, "final": result.final}})

    assert outcome.diff == []
    assert result.events[0][3]["qty"] == "1.000000000000000001"
    assert result.events[0][3]["px"] == "2000.000000000000000001"
