"""Minute bars of recorded trades are those that others computed."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from libra_ray.data.aggregation import BarSpec
from libra_ray.messages.schemas import RowSpec, Trade
from libra_ray.model.enums import AggressorSide
from libra_ray.model.instruments import pair
from libra_ray.model.numbers import parse_decimal
from tests.data.aggregation_rows import made_by, ohlcv

MINUTE_NS = 60 * 10**9


def raw(text: str, decimals: int) -> int:
    value, scale = parse_decimal(text)
    return int(value * 10**decimals // 10**scale)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["spot_btcusdt_20240808", "usdm_ethusdt_20240808", "cm_btcusd_perp_20240808"])
def test_minutes_of_a_capture_are_the_known_ones(shared: Path, name: str) -> None:
    """Theirs are [a, b) by the venue's time, in whole milliseconds: windows that end one nanosecond earlier."""
    path = shared / "data" / "hftbacktest" / f"{name}.gz"
    facts = json.loads((shared / "data" / "facts.json").read_text())[f"hftbacktest/{name}.gz"]
    prices, sizes = facts["price_decimals"], facts["size_decimals"]
    made = pair("COIN.SIM", base="BTC", quote="USDT", tick=f"{10**-prices:.{prices}f}", step=f"{10**-sizes:.{sizes}f}")
    rows = RowSpec.of(made)
    trades: list[Trade] = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if "@trade" not in line:
                continue
            message: dict[str, Any] = json.loads(line.partition(" ")[2])["data"]
            ts_ns = message["T"] * 10**6
            side = AggressorSide.SELLER if message["m"] else AggressorSide.BUYER
            trades.append(Trade(rows, ts_ns, ts_ns, raw(message["p"], prices), raw(message["q"], sizes), side))

    bars, rest_raw = made_by(BarSpec("COIN.SIM", "MINUTE", 1, "LAST", offset_ns=-1), trades, made)

    known = [(start_ns + MINUTE_NS - 1, *numbers[:5]) for start_ns, *numbers in facts["minute_bars"]]
    assert [(bar.ts_ns, *ohlcv(bar)) for bar in bars] == known[:-1]
    assert rest_raw == known[-1][5]
