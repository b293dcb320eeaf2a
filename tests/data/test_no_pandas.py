"""Reading market data does not import pandas, which costs every process a quarter of a second and 40 MB."""

import subprocess
import sys
from pathlib import Path

import pytest

from libra_ray.data import catalog, sample

PROGRAM = """
import sys
from libra_ray.data import Dataset, catalog, import_file, sample
from libra_ray.model.instruments import equity
share = equity("T.XNAS", quote="USD")
made = import_file("t.csv", share, "trades", tz="UTC")
made.dataset.write("shared")
Dataset.open("shared").digest
catalog("data").add(made)
catalog("data").trades("T.XNAS", start="2024-01-01").digest
catalog("data").check()
sample("AAPL.XNAS").digest
print(sorted({name.partition(".")[0] for name in sys.modules} & {"pandas", "ray", "optuna", "typer", "rich"}))
"""


@pytest.mark.slow
def test_imports_catalogs_and_samples_load_no_pandas(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "ts,price,qty,side\n2024-01-01T00:00:00Z,1.5,1,buy\n2024-01-01 00:00:01Z,2,1,sell\n"
    )

    ended = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert ended.stdout == "[]\n"
    assert catalog(tmp_path / "data").trades("T.XNAS").rows == 2
    assert sample("AAPL.XNAS").rows == 3270
