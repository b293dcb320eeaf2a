"""CSV files of bars and trades into our types, beside pyarrow's own reading of the same files.

    file --> import_file: exact decimals, checked, in order      An item is a row. pyarrow reads with its defaults, on
      |--> pyarrow.csv.read_csv: floats, nothing checked         all cores, and its time is the floor of each file.
      |--> import_into: the same into a catalog (zstd), synced

Three files: bars with epoch seconds, trades with ISO times of microseconds, trades with epoch milliseconds. The budget
is half of pyarrow's rate. What the catalog costs on top is shown as information.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.csv as pa_csv

from benchmarks.harness import Bench, main
from libra_ray.data import catalog, import_file, open_import
from libra_ray.data.catalog_imports import import_into
from libra_ray.model.instruments import Instrument, pair

START_S: Final = 1_704_067_200
FACTOR: Final = 2.0
"""Half of the rate is twice the time."""
FILES: Final = ("bars", "trades iso", "trades ms")


def import_csv(bench: Bench) -> None:
    """CSV of bars and trades: import_file, and into a catalog, beside pyarrow's own reading."""
    rows = bench.size("rows", smoke=60_000, full=1_000_000)
    bench.needs_cores(2)
    instrument = pair("WALK.SIM", base="BTC", quote="USD", tick="0.01", step="0.001")
    with _folder() as folder:
        sums = {name: _write(folder / f"{name}.csv", name, rows, bench.seed) for name in FILES}
        for name in FILES:
            bench.fact(f"{name} bytes a row", round((folder / f"{name}.csv").stat().st_size / rows, 1))
        for _ in bench.runs():
            for name in FILES:
                _run(bench, folder, name, rows, instrument, sums[name])
    for name in FILES:
        bench.budget(name, at_most=FACTOR, of=f"pyarrow: {name}")


def _run(bench: Bench, folder: Path, name: str, rows: int, instrument: Instrument, total: int) -> None:
    path, floor = folder / f"{name}.csv", f"pyarrow: {name}"
    kind, period, column = ("bars", "1m", "close") if name == "bars" else ("trades", "", "price")

    def ours() -> int:
        made = import_file(path, instrument, kind, period=period, streaming=rows > 10**7)
        return int(np.sum(made.stream.raw(column)))

    def theirs() -> int:
        column_read = pa_csv.read_csv(path).column(column)
        return round(100 * float(np.sum(column_read.to_numpy())))

    def stored() -> int:
        with _folder() as target:
            stream = open_import(path, instrument, kind, period=period, streaming=True)
            return total if import_into(catalog(target), stream).rows == rows else 0

    routes: dict[str, Callable[[], int]] = {floor: theirs, name: ours, f"{name} to a catalog": stored}
    for route, read in bench.turns(routes):
        with bench.timed(route, items=rows, floor=floor):
            found = read()
        bench.check(actual=found, expected=total)


def _write(path: Path, name: str, rows: int, seed: int) -> int:
    """Write the file; the sum of its closes or prices in hundredths."""
    chance = np.random.default_rng(seed)
    prices = 1_000_000 + np.cumsum(chance.integers(-3, 4, rows))
    sizes = chance.integers(1, 10**6, rows)
    with path.open("w", encoding="ascii") as file:
        if name == "bars":
            file.write("ts,open,high,low,close,volume\n")
            closes = prices + chance.integers(-5, 6, rows)
            columns = (prices, np.maximum(prices, closes) + 3, np.minimum(prices, closes) - 3, closes)
            texts = zip(*(map(_cents, column.tolist()) for column in columns), sizes.tolist(), strict=True)
            file.writelines(
                f"{START_S + 60 * at},{o},{h},{low},{c},{size / 1_000:.3f}\n"
                for at, (o, h, low, c, size) in enumerate(texts)
            )
            return int(closes.sum())
        moments_us = START_S * 10**6 + np.cumsum(chance.integers(0, 10**5, rows))
        times = np.datetime_as_string(moments_us.astype("M8[us]")) if name == "trades iso" else moments_us // 1_000
        zone = "Z" if name == "trades iso" else ""
        sides = np.where(chance.integers(0, 2, rows) == 1, "buy", "sell").tolist()
        file.write("ts,price,qty,side\n")
        file.writelines(
            f"{time}{zone},{_cents(price)},{size / 1_000:.3f},{side}\n"
            for time, price, size, side in zip(times.tolist(), prices.tolist(), sizes.tolist(), sides, strict=True)
        )
    return int(prices.sum())


def _cents(raw: int) -> str:
    return f"{raw // 100}.{raw % 100:02d}"


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


if __name__ == "__main__":
    raise SystemExit(main(import_csv))
