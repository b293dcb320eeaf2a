"""Archives of LEAN that hold several files: a contract of options or futures each."""

import zipfile
from pathlib import Path

import pytest

from libra_ray.data import Import, import_all, import_file
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.importer import open_file
from libra_ray.errors import ConfigError, DataError
from libra_ray.model.instruments import equity, future

TRADE = "34200000,5500000,5510000,5490000,5500000,10\n"
QUOTE = "34200000,5500000,5510000,5490000,5500000,10,5510000,5520000,5500000,5510000,7\n"
ES = future("ES-20140321.CME", quote="USD", tick="1", step="1", multiplier="50")
CALL = equity("AAPL-20140606-C-550.USA", quote="USD", tick="0.01", step="1")


def zipped(folder: Path, name: str, members: dict[str, str]) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in members.items():
            archive.writestr(member, text)
    return path


def symbols(path: Path) -> list[str]:
    return [frame.hint.symbol for frame in open_file(path, options=ImportOptions()).frames]


def first_row(made: Import) -> list[int]:
    return [int(made.stream.raw(name)[0]) for name in made.schema.names]


@pytest.mark.parametrize(
    ("name", "members", "expected"),
    [
        (
            "option/usa/minute/aapl/20140606_trade_american.zip",
            [
                "20140606_aapl_minute_trade_american_call_5500000_20140606.csv",
                "20140606_aapl_minute_trade_american_put_5505000_20140606.csv",
            ],
            ["AAPL-20140606-C-550", "AAPL-20140606-P-550.5"],
        ),
        (
            "future/cme/minute/es/20131007_trade.zip",
            ["20131007_es_minute_trade_201312_20131220.csv", "20131007_es_minute_trade_201403_20140321.csv"],
            ["ES-20131220", "ES-20140321"],
        ),
    ],
)
def test_each_file_of_an_archive_is_a_contract(
    name: str, members: list[str], expected: list[str], tmp_path: Path
) -> None:
    assert symbols(zipped(tmp_path, name, dict.fromkeys(members, TRADE))) == expected


def test_the_contract_that_is_asked_for_is_imported(tmp_path: Path) -> None:
    members = {
        "20131007_es_minute_trade_201312_20131220.csv": "34200000,1,1,1,1,10\n",
        "20131007_es_minute_trade_201403_20140321.csv": "34200000,2,3,2,3,11\n",
    }
    path = zipped(tmp_path, "future/cme/minute/es/20131007_trade.zip", members)

    made = import_file(path, ES)

    at = 1_381_138_260 * 10**9  # 09:31 UTC, the close of the bar
    assert first_row(made) == [at, at, 2, 3, 2, 3, 11]
    other = future("NQ.CME", quote="USD", tick="1", step="1", multiplier="20")
    with pytest.raises(ConfigError, match=r"the file holds ES-20131220, ES-20140321, not NQ\."):
        import_file(path, other)


def test_prices_of_options_are_scaled_and_days_have_a_year_in_their_name(tmp_path: Path) -> None:
    member = {"aapl_trade_american_call_5500000_20140606.csv": "20140605 00:00,15000,16000,14000,15500,3\n"}

    made = import_file(zipped(tmp_path, "option/usa/daily/aapl_2014_trade_american.zip", member), CALL)

    assert made.period == "1d"
    assert first_row(made)[2:] == [150, 160, 140, 155, 3]


def test_a_fault_is_named_by_its_file_in_the_archive(tmp_path: Path) -> None:
    member = "20140606_aapl_minute_trade_american_call_5500000_20140606.csv"
    other = "20140606_aapl_minute_trade_american_call_5600000_20140606.csv"
    path = zipped(
        tmp_path,
        "option/usa/minute/aapl/20140606_trade_american.zip",
        {other: TRADE, member: f"{TRADE}34260000,x,1,1,1,1\n"},
    )

    with pytest.raises(
        DataError, match=rf"^DATA009 20140606_trade_american\.zip/{member}:2: column 'open': 'x' is not"
    ):
        import_file(path, CALL)


def test_one_contract_twice_and_open_interest_are_refused(tmp_path: Path) -> None:
    twice = zipped(tmp_path / "a", "equity/usa/minute/spy/20131007_trade.zip", {"a.csv": TRADE, "b.csv": TRADE})
    interest = zipped(
        tmp_path / "b",
        "option/usa/minute/aapl/20140606_openinterest_american.zip",
        {"20140606_aapl_minute_openinterest_american_call_5500000_20140606.csv": "0,100\n"},
    )

    with pytest.raises(DataError) as caught:
        symbols(twice)
    assert caught.value.message == (
        "DATA011 20131007_trade.zip/b.csv: a file before it in the archive holds bars of SPY too. "
        "Unpack it and give each file by itself."
    )
    with pytest.raises(DataError, match=r"^DATA004 .*: holds open interest, which is no market data of ours\."):
        symbols(interest)


def test_a_file_out_of_its_folders_needs_the_scale_of_its_prices(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x", "20131007_trade.zip", {"20131007_spy_minute_trade.csv": TRADE})
    spy = equity("SPY.USA", quote="USD", tick="0.01", step="1")

    with pytest.raises(DataError, match=r"^DATA004 20131007_trade\.zip: the path does not tell the type of security"):
        import_file(path, spy, tz="America/New_York")
    made = import_file(path, spy, tz="America/New_York", price_decimals="4")
    assert first_row(made)[2:] == [55_000, 55_100, 54_900, 55_000, 10]


def test_a_quote_of_one_side_is_refused_or_dropped_and_counted(tmp_path: Path) -> None:
    row = "34260000,0,0,0,0,0,5510000,5520000,5500000,5510000,7\n"
    name = "equity/usa/minute/spy/20131007_quote.zip"
    path = zipped(tmp_path, name, {"20131007_spy_minute_quote.csv": f"{QUOTE}{row}{row}"})
    spy = equity("SPY.USA", quote="USD", tick="0.01", step="1")

    with pytest.raises(DataError) as caught:
        import_file(path, spy)
    assert caught.value.message == (
        "DATA001 20131007_quote.zip:2: column 'bid_close' is 0 and its size too: the quote has no bid (2 such rows). "
        'Drop the row, or use on_null="drop" (dropped rows are counted).'
    )
    (made,) = import_all(path, spy, on_null="drop")
    assert (made.report.rows, made.report.changes["dropped_null"]) == (1, 2)
