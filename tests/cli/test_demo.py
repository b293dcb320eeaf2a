"""`libra demo`: the whole path on real prices."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Libra

pytestmark = [pytest.mark.slow, pytest.mark.ray]


def test_the_demo_imports_runs_sweeps_and_reports(libra: Libra, tmp_path: Path) -> None:
    ended = libra("demo", "--json")

    document = ended.document
    ibm = next(entry for entry in document["data"] if entry["instrument"] == "IBM.XNYS")
    assert ended.code == 0
    assert (ibm["rows"], ibm["gaps"]) == (3_270, 709)
    assert document["backtest"]["rows"] == 3_270
    assert document["backtest"]["fills"] > 0
    assert (document["sweep"]["trials"], document["sweep"]["failed"]) == (200, 0)
    assert pq.read_table(tmp_path / document["sweep"]["table"]).num_rows == 200
    for run in ("demo-1", "demo-2"):
        assert 10_000 < (tmp_path / "libra-demo" / "runs" / run / "report.html").stat().st_size < 1_000_000


def test_the_printed_strategy_is_the_saved_one(tmp_path: Path) -> None:
    from libra_ray.cli.demo import CONFIG, STRATEGY, _save

    config = _save(tmp_path, None)

    assert config.read_text() == CONFIG
    assert (tmp_path / "strategies" / "trend.py").read_text() == STRATEGY
    assert len([line for line in STRATEGY.splitlines() if line]) == 15
