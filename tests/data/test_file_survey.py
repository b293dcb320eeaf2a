"""What a dry run sees, and the file that remembers a mapping."""

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from libra_ray.data.file_survey import FileSurvey, survey, survey_file
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.import_profile import profile_of, read_profile
from libra_ray.data.importer import import_file, open_file
from libra_ray.errors import ConfigError
from tests.data.import_files import BTC, T0

HOUR = 3_600 * 10**9
BARS = """When,open,high,low,close,volume,trades
2024-01-01 01:00:00,1.1,1.2,1.0,1.15,10,3
2024-01-01 02:00:00,1.15,1.25,1.125,,11.5,4
2024-01-01 05:00:00,1.12,1.2,1.1,1.1825,12,5
2024-01-01 04:00:00,1.12,1.2,1.1,1.18,12,5
2024-01-01 04:00:00,1.12,1.2,1.1,1.18,12,5
2024-01-01 08:00:00,1.12,1.2,1.3,1.18,12,5
"""


def seen(path: Path, **given: Any) -> FileSurvey:  # noqa: ANN401  # fields of ImportOptions
    opened = open_file(path, options=ImportOptions.of(given))
    return survey(
        opened.frames[0],
        opened.options,
        source=opened.source,
        format_name=opened.format_name,
        packing=opened.packing,
    )


def test_a_file_with_every_fault_is_looked_at_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "b.csv.gz"
    path.write_bytes(gzip.compress(BARS.encode()))

    found = seen(path, columns={"ts": "When"}, wording="command")

    assert (found.format, found.packing, found.type, found.period, found.rows) == ("csv", "gz", "bars", "1h", 6)
    assert (found.start_ns, found.end_ns) == (T0 + HOUR, T0 + 5 * HOUR)
    assert (found.gaps, found.missing_bars, found.longest_gap) == (1, 2, 2)
    assert (found.duplicates, found.disorder) == (1, 1)
    assert (found.times, found.zone) == ("text", "none declared")
    assert (found.price_decimals, found.size_decimals) == (4, 1)
    assert [(column.name, column.ours, column.missing, column.decimals) for column in found.columns] == [
        ("When", "ts", 0, None),
        ("open", "open", 0, 2),
        ("high", "high", 0, 2),
        ("low", "low", 0, 3),
        ("close", "close", 1, 4),
        ("volume", "volume", 0, 1),
        ("trades", "", 0, None),
    ]
    assert found.refusal is not None
    assert [found.refusal.code, *(other.code for other in found.refusal.more)] == [
        "DATA001",
        "DATA006",
        "DATA010",
        "DATA002",
        "DATA003",
    ]


def test_a_file_without_fault_is_refused_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    times = pa.array([T0, T0, T0 + 1], pa.timestamp("ns", "Asia/Tokyo"))
    pq.write_table(pa.table({"time": times, "price": [1e-5, 0.25, 3.0], "size": [1, 2, 3]}), path)

    found = seen(path)

    assert (found.format, found.type, found.period, found.refusal) == ("parquet", "trades", "", None)
    assert (found.times, found.zone, found.duplicates) == ("timestamp[ns, tz=Asia/Tokyo]", "offsets in the file", 1)
    assert (found.price_decimals, found.size_decimals) == (5, 0)


@pytest.mark.parametrize(
    ("step", "unit", "period"), [(60, "s", "1m"), (86_400_000, "ms", "1d"), (14_400_000_000, "us", "4h")]
)
def test_epoch_times_and_their_distance(tmp_path: Path, step: int, unit: str, period: str) -> None:
    path = tmp_path / "b.csv"
    start = T0 // {"s": 10**9, "ms": 10**6, "us": 10**3}[unit]
    path.write_text("ts,o,h,l,c,v\n" + "".join(f"{start + step * number},1,1,1,1,1\n" for number in range(5)))

    found = seen(path)

    assert (found.times, found.zone, found.period) == (f"epoch {unit}", "UTC (epoch)", period)


def test_more_rows_than_a_batch_may_have_are_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("ts,price,qty\n" + "1704067200,1,1\n" * 10)

    refusal = seen(path, max_batch_bytes=79).refusal

    assert refusal is not None
    assert refusal.code == "DATA007"


def test_what_the_file_holds_does_not_depend_on_what_the_instrument_takes(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    path.write_text(
        "ts,open,high,low,close,volume\n2024-01-01T02:00:00Z,1,2,1,1.5,1\n2024-01-01T01:00:00Z,1,2,1,1.12345,0.00001\n"
        "2024-01-01T00:00:00Z,0,2,-1,1,1\n2024-01-01T00:00:00Z,1,2,1,1.12345,1\n"
    )

    (made,) = survey_file(path, instrument=BTC)

    assert (made.rows, made.start_ns, made.end_ns) == (4, T0, T0 + 2 * HOUR)
    assert (made.disorder, made.duplicates, made.price_decimals, made.size_decimals) == (2, 1, 5, 5)
    assert made.refusal is not None
    assert [error.code for error in (made.refusal, *made.refusal.more)] == ["DATA018", "DATA005"]


def test_that_times_are_taken_as_closes_is_said_where_nothing_is_declared(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    path.write_text("ts,open,high,low,close,volume\n2024-01-01T02:00:00Z,1,2,1,1.5,1\n")

    (undeclared,), (opens,) = survey_file(path), survey_file(path, stamp="open")

    assert undeclared.notes == ('times are taken as closes: use stamp="open" if a bar begins at its time',)
    assert opens.notes == ()


PROFILE = """\
type = "bars"
period = "1h"
tz = "America/New_York"
stamp = "open"
column_names = ["day", "o", "h", "l", "c"]
columns = { ts = "day", volume = "" }
"""


def test_a_profile_remembers_a_mapping_and_what_is_given_beside_it_wins(tmp_path: Path) -> None:
    (tmp_path / "broker.toml").write_text(PROFILE)
    (tmp_path / "b.csv").write_text("2024-01-01 01:00:00,1,2,1,2\n2024-01-01 02:00:00,2,3,2,3\n")

    made = import_file(tmp_path / "b.csv", BTC, profile=tmp_path / "broker.toml")
    other = import_file(
        tmp_path / "b.csv", BTC, profile=tmp_path / "broker.toml", tz="UTC", stamp="close", period="30m"
    )

    assert made.stream.ts_ns.tolist() == [T0 + 7 * HOUR, T0 + 8 * HOUR]
    assert other.stream.ts_ns.tolist() == [T0 + HOUR, T0 + 2 * HOUR]
    assert (made.period, other.period) == ("1h", "30m")


def test_what_is_kept_of_an_import() -> None:
    options = ImportOptions.of({"tz": "UTC", "delimiter": ";", "decimal": ",", "wording": "command"})

    kept = profile_of(options, {"ts": "Zeit", "close": "Schluß"}, kind="bars", period="1d", format_name="csv")

    assert kept == {
        "type": "bars",
        "period": "1d",
        "format": "csv",
        "tz": "UTC",
        "delimiter": ";",
        "decimal": ",",
        "columns": {"ts": "Zeit", "close": "Schluß"},
    }


def test_a_column_that_was_declared_absent_is_absent_in_the_profile_too() -> None:
    options = ImportOptions.of({"columns": {"volume": "", "close": "last"}})

    kept = profile_of(options, {"ts": "ts", "close": "Last"}, kind="bars", period="1d", format_name="csv")

    assert kept["columns"] == {"volume": "", "ts": "ts", "close": "Last"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("on_nul = 'drop'", "CONF001 p.toml on_nul: unknown key. Did you mean 'on_null'?"),
        ("= 1", "CONF002 p.toml: the profile cannot be read (Invalid statement (at line 1, column 1)). "),
        (None, "CONF002 p.toml: the profile cannot be read (No such file or directory). "),
    ],
)
def test_a_wrong_profile_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "p.toml").write_text(text)

    with pytest.raises(ConfigError) as caught:
        read_profile(tmp_path / "p.toml")

    assert caught.value.message.startswith(message)
