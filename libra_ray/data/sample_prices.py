"""Real prices that come with a package: daily bars of five US stocks, 2000 to 2013, unadjusted.

The package `bokeh-sampledata` (BSD-3) carries Quandl's WIKI prices, which Quandl put in the public domain. Open, high,
low, close and volume are as traded; its adjusted close is left out, since orders are filled at traded prices. A split
therefore shows as a jump. A bar is known at the UTC midnight that ends its session's date, after any close of trading.

Some prices of the consolidated tape have up to four decimals. They are kept: instruments have four decimals, and a tick
of a cent for orders.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from libra_ray.data.arrow_arrays import arrow_ints, int64s_of
from libra_ray.data.dataset import Dataset, Stream
from libra_ray.data.decimal_texts import decimals_of_texts
from libra_ray.errors import ConfigError, DataError, did_you_mean, quoted
from libra_ray.messages.schemas import BARS
from libra_ray.model.instruments import Instrument, equity

__all__ = ["sample", "sample_instrument", "samples"]

SAMPLES: Final = ("AAPL.XNAS", "FB.XNAS", "GOOG.XNAS", "IBM.XNYS", "MSFT.XNAS")
PERIOD: Final = "1d"
DAY_NS: Final = 86_400 * 10**9
PACKAGE: Final = "bokeh_sampledata"


def samples() -> tuple[str, ...]:
    """The ids of the instruments there are."""
    return SAMPLES


def sample_instrument(instrument_id: str) -> Instrument:
    """A share, ordered in cents. Raises `ConfigError` CONF008 for an unknown id."""
    if instrument_id not in SAMPLES:
        what = f"{quoted(instrument_id)} is not a sample"
        raise ConfigError("CONF008", None, what, did_you_mean(instrument_id, list(SAMPLES)), instrument_id)
    return equity(instrument_id, quote="USD", tick="0.0100", step=1)


def sample(*instrument_ids: str) -> Dataset:
    """Daily bars of these instruments, or of all. Raises `ConfigError` CONF008 for an unknown id or without it."""
    return Dataset(_stream(sample_instrument(instrument_id)) for instrument_id in instrument_ids or SAMPLES)


def _stream(instrument: Instrument) -> Stream:
    table = _stocks()
    rows = table.filter(pc.match_substring_regex(table.column("Ticker"), f"^{instrument.symbol}$")).combine_chunks()
    days = rows.column("Date").chunk(0).cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
    ts_ns = (int64s_of(days) + 1) * DAY_NS
    columns: dict[str, pa.Array] = {"ts_init_ns": arrow_ints(ts_ns), "ts_event_ns": arrow_ints(ts_ns)}
    for name in ("open", "high", "low", "close", "volume"):
        precision = instrument.size_precision if name == "volume" else instrument.price_precision
        read = decimals_of_texts(rows.column(name.capitalize()).chunk(0), precision)
        if (read.malformed | read.marked | read.too_large | read.inexact).any():
            what = f"column '{name}' of {instrument.symbol} is not a decimal of {precision} places"
            raise DataError("DATA018", PACKAGE, what, "Install the version that the project names.")
        columns[name] = read.values
    schema = BARS.arrow(instrument, period=PERIOD)
    ordered = pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)
    return Stream(BARS, instrument, PERIOD, ordered)


@cache
def _stocks() -> pa.Table:
    """The package's file, all columns as texts; the package itself is not imported."""
    spec = find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec is not None else None
    path = Path(folders[0]) / "_data" / "stocks.csv.gz" if folders else None
    if path is None or not path.is_file():
        fix = "Install it: pip install libra-ray[demo]"
        raise ConfigError("CONF008", None, f"the samples need the package {PACKAGE}, which is not installed", fix)
    names = ("Ticker", "Date", "Open", "High", "Low", "Close", "Volume")
    with pa.input_stream(str(path), compression="gzip") as stream:
        return pa_csv.read_csv(
            stream,
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), include_columns=list(names)
            ),
        )
