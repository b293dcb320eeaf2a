"""`libra data`: import, list, check and make data; nothing is written when something is wrong."""

import json
from pathlib import Path

import pytest

from libra_ray.data import catalog
from tests.cli.conftest import Libra

pytestmark = pytest.mark.slow

BARS = """ts,open,high,low,close,volume
2024-01-01T01:00:00Z,1.1,1.2,1.0,1.15,10
2024-01-01T02:00:00Z,1.15,1.2,1.1,1.12,11
2024-01-01T05:00:00Z,1.12,1.2,1.1,1.18,12
"""
IMPORT = ("data", "import", "bars.csv", "--instrument", "EURUSD.SIM", "--period", "1h")


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    path = tmp_path / "bars.csv"
    path.write_text(BARS)
    return path


def test_an_import_is_listed_checked_and_run_from(libra: Libra, bars: Path, run_file: Path) -> None:
    imported = libra(*IMPORT, "--json")
    listed = libra("data", "ls", "--json")
    checked = libra("data", "check", "--json")
    synth, catalog = run_file.read_text().split("[data.synth]")[1].split("[[venue]]", 1)
    run_file.write_text(
        run_file.read_text().replace(f"[data.synth]{synth}", '[data]\ncatalog = "catalog"\n\n').replace("= 20", "= 2")
    )
    ran = libra("backtest", run_file.name, "--json", "--no-report")

    assert imported.code == 0
    assert (imported.document["rows"], imported.document["start_ns"]) == (3, 1_704_070_800_000_000_000)
    entry = listed.document["entries"][0]
    assert (entry["instrument_id"], entry["type"], entry["period"], entry["rows"]) == ("EURUSD.SIM", "bars", "1h", 3)
    assert [gap["missing"] for gap in checked.document["gaps"]] == [2]
    assert ran.document["rows"] == 3
    assert catalog != ""
    assert bars.exists()


def test_a_dry_run_writes_nothing(libra: Libra, bars: Path, tmp_path: Path) -> None:
    ended = libra(*IMPORT, "--dry-run", "--json")

    assert (ended.code, ended.document["rows"], ended.document["written"]) == (0, 3, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == [bars.name]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "1.15,1.2,1.1,1.12",
            "1.15,1.2,1.1,",
            (
                "DATA001 bars.csv:3: column 'close' has no value. "
                "Drop or fill the row, or use --on-null drop (dropped rows are counted)."
            ),
        ),
        (
            "T05:00:00Z",
            "T01:30:00Z",
            (
                "DATA002 bars.csv:4: time 2024-01-01T01:30:00Z is earlier than 2024-01-01T02:00:00Z before it "
                "(1 such row). Sort the file or use --sort."
            ),
        ),
        (
            "T05:00:00Z",
            "T02:00:00Z",
            (
                "DATA003 bars.csv:4: second bar for 2024-01-01T02:00:00Z (1 such row). "
                "Use --dedup first, --dedup last or remove it."
            ),
        ),
        (
            "close",
            "last",
            (
                "DATA004 bars.csv:1: column 'close' not found; the file has ts, open, high, low, last, volume. "
                "Map it with --column close=last."
            ),
        ),
        ("1.18", "abc", "DATA009 bars.csv:4: column 'close': 'abc' is not a finite decimal. Correct the value."),
    ],
    ids=["DATA001", "DATA002", "DATA003", "DATA004", "DATA009"],
)
def test_a_bad_file_is_one_line_exit_3_and_nothing_is_written(
    libra: Libra, bars: Path, tmp_path: Path, old: str, new: str, line: str
) -> None:
    bars.write_text(BARS.replace(old, new))

    ended = libra(*IMPORT, "--json")

    assert ended.code == 3
    assert ended.err == f"{line}\n"
    assert ended.document["error"]["message"] == line
    assert sorted(path.name for path in tmp_path.iterdir()) == [bars.name]


@pytest.mark.parametrize(
    ("arguments", "line", "code"),
    [
        (
            ["--instrument", "../../etc/x", "--period", "1h"],
            "DATA012 instrument id '../../etc/x' contains '/'. Allowed are letters, digits, '.', '_' and '-'.",
            3,
        ),
        (
            ["--instrument", "EURUSD.SIM"],
            "CONF002 --period: bars need their period. Write for example --period 1h.",
            2,
        ),
        (
            ["--instrument", "EURUSD.SIM", "--type", "bar", "--period", "1h"],
            "CONF002 --type: 'bar' is not importable. Did you mean 'bars'?",
            2,
        ),
        (
            ["--instrument", "EURUSD.SIM", "--period", "1h", "--on-null", "dorp"],
            "CONF002 --on-null: 'dorp' is not allowed. Did you mean 'drop'?",
            2,
        ),
        (
            ["--instrument", "EURUSD.SIM", "--period", "1h", "--set", "data.max_batch_bytes=x"],
            "CONF002 --set data.max_batch_bytes: 'x' is not a whole number. Write for example 10.",
            2,
        ),
        (
            ["--instrument", "EURUSD.SIM", "--period", "1h", "--column", "close"],
            "CONF000 --column: 'close' is not OURS=THEIRS. Write close=last.",
            2,
        ),
        (
            ["--instrument", "EURUSD.SIM", "--period", "1h", "--set", "data.max_batch_bytes=16"],
            (
                "DATA007 bars.csv: 3 rows x 8 bytes = 24 bytes exceed the limit of 16 for one batch. "
                "Use --streaming or raise data.max_batch_bytes."
            ),
            3,
        ),
    ],
    ids=["id", "period", "type", "option", "set", "column", "size"],
)
def test_a_wrong_option_is_one_line(
    libra: Libra, bars: Path, tmp_path: Path, arguments: list[str], line: str, code: int
) -> None:
    ended = libra("data", "import", bars.name, *arguments)

    assert (ended.code, ended.out, ended.err) == (code, "", f"{line}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == [bars.name]


def test_what_a_policy_did_is_counted(libra: Libra, bars: Path) -> None:
    bars.write_text(BARS.replace("1.15,1.2,1.1,1.12", "1.15,1.2,1.1,"))

    ended = libra(*IMPORT, "--on-null", "drop", "--json")

    assert (ended.document["rows"], ended.document["report"]["dropped_null"]) == (2, 1)


def test_the_same_time_range_twice_is_refused(libra: Libra, bars: Path) -> None:
    libra(*IMPORT)

    ended = libra(*IMPORT)

    assert (ended.code, ended.err[:18]) == (3, f"DATA013 {bars.name}: ")


def test_synthetic_data_is_equal_wherever_it_is_made(libra: Libra) -> None:
    words = ("data", "synth", "--instrument", "EURUSD.SIM", "--period", "1m", "--rows", "1000", "--seed", "3", "--json")

    first, second = libra(*words, "--catalog", "a").document, libra(*words, "--catalog", "b").document

    assert first["digest"] == second["digest"]
    assert (first["rows"], first["start_ns"]) == (1_000, 1_704_067_260_000_000_000)


def test_a_damaged_file_of_the_catalog_is_found(libra: Libra, bars: Path, tmp_path: Path) -> None:
    libra(*IMPORT)
    path = next((tmp_path / "catalog").rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-9])

    ended = libra("data", "check", "--json")

    assert ended.code == 3
    assert ended.document["error"]["code"] == "DATA023"
    assert bars.exists()


def test_an_empty_catalog_is_no_error(libra: Libra) -> None:
    assert libra("data", "ls").out == "no data in catalog\n"
    assert libra("data", "ls", "--json").document == {"catalog": "catalog", "entries": []}
    assert "IBM.XNYS" in libra("data", "ls", "--samples", "--json").document["samples"]


def test_a_dry_run_says_what_it_sees_without_an_instrument(libra: Libra, bars: Path) -> None:
    bars.write_text(BARS.replace("T05:00:00Z", "T00:00:00Z"))

    ended = libra("data", "import", "bars.csv", "--dry-run", "--json")

    line = (
        "DATA002 bars.csv:4: time 2024-01-01T00:00:00Z is earlier than 2024-01-01T02:00:00Z before it "
        "(1 such row). Sort the file or use --sort."
    )
    assert (ended.code, ended.err, ended.document["error"]["message"]) == (3, f"{line}\n", line)
    seen = ended.document["seen"]
    assert (ended.document["type"], ended.document["period"], ended.document["rows"]) == ("bars", "1h", 3)
    assert (seen["disorder"], seen["duplicates"], seen["zone"], seen["price_decimals"]) == (
        1,
        0,
        "offsets in the file",
        2,
    )
    shown = libra("data", "import", "bars.csv", "--dry-run").out
    assert "bars.csv: bars 1h" in shown
    assert "disorder" in shown


def test_a_profile_is_saved_and_used(libra: Libra, bars: Path, tmp_path: Path) -> None:
    bars.write_text(BARS.replace("close", "last").replace("Z", ""))
    mapped = ("--column", "close=last", "--tz", "UTC", "--save-profile", "mine.toml")

    saved = libra(*IMPORT, *mapped, "--dry-run")
    used = libra("data", "import", "bars.csv", "--instrument", "EURUSD.SIM", "--profile", "mine.toml", "--json")

    assert (saved.code, used.code, used.document["rows"], used.document["period"]) == (0, 0, 3, "1h")
    assert used.document["report"]["columns"]["close"] == "last"
    again = libra(*IMPORT, *mapped, "--dry-run")
    assert again.err == "CONF002 --save-profile: 'mine.toml' cannot be written (File exists). Give a new file.\n"
    assert (tmp_path / "mine.toml").read_text().startswith('type = "bars"\n')


def test_an_import_without_an_instrument_asks_for_it(libra: Libra, bars: Path) -> None:
    ended = libra("data", "import", bars.name, "--period", "1h")

    assert (ended.code, ended.err) == (
        2,
        (
            "CONF002 --instrument: the file does not say of what instrument it is. "
            "Write for example --instrument EURUSD.SIM.\n"
        ),
    )


def test_gaps_that_were_filled_are_counted(libra: Libra, bars: Path) -> None:
    ended = libra(*IMPORT, "--on-gap", "fill", "--json")

    assert (ended.document["rows"], ended.document["changes"]["filled_bars"]) == (5, 2)
    assert libra("data", "ls", "--json").document["entries"][0]["counts"]["filled_bars"] == 2
    assert bars.exists()


def test_an_instrument_is_found_among_the_markets_of_ccxt(libra: Libra, tmp_path: Path) -> None:
    market = {"id": "BTCUSDT", "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT", "type": "spot", "spot": True}
    market |= {"precision": {"price": 0.01, "amount": 0.00001}, "precisionMode": 4}
    (tmp_path / "markets.json").write_text(json.dumps({"BTC/USDT": market}))
    (tmp_path / "t.csv").write_text("ts,price,qty\n1704067200,42000.01,0.00001\n")

    words = ("data", "import", "t.csv", "--instrument", "BTCUSDT.BINANCE", "--instruments", "markets.json", "--json")
    ended = libra(*words)

    assert (ended.code, ended.document["type"], ended.document["rows"]) == (0, "trades", 1)
    assert catalog(tmp_path / "catalog").instrument("BTCUSDT.BINANCE").size_precision == 5


def test_compact_joins_files_and_keeps_the_rows(libra: Libra, tmp_path: Path) -> None:
    for first in ("2024-01-01", "2024-01-02"):
        rows = "\n".join(f"{first}T{hour:02}:00:00Z,1.1,1.2,1.1,1.2,5" for hour in range(1, 24))
        (tmp_path / f"{first}.csv").write_text(f"ts,open,high,low,close,volume\n{rows}\n")
        imported = libra("data", "import", f"{first}.csv", "--instrument", "EURUSD.SIM", "--period", "1h", "--json")
        assert imported.code == 0, imported.err

    document = libra("data", "compact", "--json").document

    assert (document["before"], document["after"]) == (2, 1)
    (entry,) = libra("data", "ls", "--json").document["entries"]
    assert (entry["rows"], entry["source"]) == (46, "2024-01-01.csv, 2024-01-02.csv")
    assert libra("data", "check", "--json").code == 0


def test_of_a_file_of_several_instruments_the_named_one_is_imported(libra: Libra, tmp_path: Path) -> None:
    header = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
    at = 1_704_067_200_000_000
    lines = [f"binance,{symbol},{at + n},{at + n},1,buy,{n}.5,2\n" for n, symbol in ((1, "BTCUSDT"), (2, "ETHUSDT"))]
    (tmp_path / "SPOT.csv").write_text(header + "".join(lines))
    words = ("data", "import", "SPOT.csv", "--tick", "0.1", "--step", "1", "--json")

    imported = libra(*words, "--instrument", "ETHUSDT.BINANCE")
    missing = libra(*words, "--instrument", "XRPUSDT.BINANCE")

    assert (imported.document["instrument"], imported.document["rows"]) == ("ETHUSDT.BINANCE", 1)
    assert missing.document["error"]["code"] == "CONF008"
    assert missing.document["error"]["message"].startswith("CONF008 SPOT.csv: the file holds BTCUSDT, ETHUSDT, not ")


@pytest.mark.parametrize("streaming", [(), ("--streaming",)])
@pytest.mark.parametrize(
    ("policy", "volumes", "changes"),
    [("keep", ["10", "11", "12", "14"], {"overlap_kept": 2}), ("replace", ["10", "13", "14"], {"overlap_replaced": 2})],
)
def test_what_comes_twice_stays_or_goes_as_it_is_said(
    libra: Libra,
    bars: Path,
    policy: str,
    volumes: list[str],
    changes: dict[str, int],
    streaming: tuple[str, ...],
) -> None:
    assert libra(*IMPORT).code == 0
    rows = ["02:00:00Z,1,1,1,1,13", "06:00:00Z,1,1,1,1,14"]
    if policy == "keep":
        rows.insert(1, "04:00:00Z,1,1,1,1,13")
    bars.write_text(BARS.splitlines()[0] + "".join(f"\n2024-01-01T{row}" for row in rows))

    refused = libra(*IMPORT)
    misspelt = libra(*IMPORT, "--on-overlap", "kep")
    ended = libra(*IMPORT, "--on-overlap", policy, *streaming, "--json")

    assert (refused.code, misspelt.code) == (3, 2)
    assert refused.err.endswith("Import each time range once, or say with on-overlap which rows stay.\n")
    assert misspelt.err == "CONF002 --on-overlap: 'kep' is no policy. Did you mean 'keep'?\n"
    assert {name: ended.document["changes"][name] for name in changes} == changes
    held = catalog(bars.parent / "catalog").bars("EURUSD.SIM", "1h").streams[0].table.column("volume")
    assert [str(volume) for volume in held.to_pylist()] == volumes
