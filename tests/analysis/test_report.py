"""The report of a run holds what the run was, exactly, in one small file that loads nothing."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from libra_ray.analysis.report import write_report
from tests.analysis.page_reader import read_page
from tests.analysis.result_tables import BARS, DAY_NS, Book, ema_cross, equity_table

SECTIONS = ["equity", "months", "prices", "statistics", "drawdowns", "positions", "refused", "fees", "run"]
HOSTILE = "</script ><script>alert(1)</script>\"'&"


@pytest.fixture(scope="module")
def small() -> Book:
    """Two years of a run with some hundred orders."""
    return ema_cross(500, seed=3, fast=4, slow=9)


def test_every_section_is_there_in_order(small: Book, tmp_path: Path) -> None:
    page = read_page(write_report(tmp_path / "r.html", small.report()))

    assert [e.attributes["id"] for e in page.all("section")] == SECTIONS


def test_every_figure_is_the_one_of_the_statistics_with_all_its_digits(small: Book, tmp_path: Path) -> None:
    run = small.report()

    page = read_page(write_report(tmp_path / "r.html", run))

    shown = {
        key: None if text == "" else text if isinstance(run.stats[key], str) else json.loads(text)
        for key, text in page.figures().items()
    }
    assert shown == run.stats
    cards = {
        e.attributes["data-figure"]: e.attributes["data-value"] for e in page.elements if "data-figure" in e.attributes
    }
    assert len(cards) == 8
    assert cards.items() <= page.figures().items()


def test_the_header_names_the_run(small: Book, tmp_path: Path) -> None:
    page = read_page(write_report(tmp_path / "r.html", small.report()))

    top = page.one("div", **{"class": "top"}).text
    assert page.one("h1").text == "EMA cross on daily prices"
    assert "run 20240102-093000-ema · hash 9f2c4e1ab07d553d86f1c20e7a4b99d0 · seed 7" in top
    assert "2000-01-04 00:00:00 to 2001-12-01 00:00:00 UTC" in top
    for fact in ("Bar fillnext_open", "Feesmaker 0.02 %, taker 0.05 %", "libra_ray0.1.0"):
        assert fact in page.section("run")


def test_the_page_loads_nothing_and_allows_only_its_own_scripts(small: Book, tmp_path: Path) -> None:
    page = read_page(write_report(tmp_path / "r.html", small.report()))

    assert page.loads() == []
    assert page.scripts_not_allowed() == []
    policy = page.one("meta", http_equiv="Content-Security-Policy").attributes["content"]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-")


def test_hostile_names_are_text_everywhere(tmp_path: Path) -> None:
    book = ema_cross(60, seed=3, fast=3, slow=5)
    for rows in (book.orders, book.fills, book.positions, book.bars):
        for row in rows:
            row |= {
                name: HOSTILE
                for name in ("strategy_id", "instrument_id", "position_id", "client_order_id")
                if name in row
            }
    book.order(10**7, DAY_NS, status="DENIED", code=HOSTILE, message=HOSTILE, strategy_id=HOSTILE)
    run = book.report(name=HOSTILE, run_id=HOSTILE, settings={HOSTILE: HOSTILE}, faults=[HOSTILE])

    page = read_page(write_report(tmp_path / "r.html", run))

    assert "<script>alert" not in page.source
    data = page.source.split('id="data">')[1].split("</script>")[0]
    assert [sign for sign in "<>&" if sign in data] == []
    assert page.scripts_not_allowed() == []
    assert len(page.all("script")) == 4
    assert page.one("h1").text == page.one("title").text == HOSTILE
    assert page.data()["charts"][0]["instrument_id"] == HOSTILE
    assert HOSTILE in page.section("refused")
    assert HOSTILE in page.section("positions")


def test_a_run_with_faults_says_so_before_anything_else(small: Book, tmp_path: Path) -> None:
    fault = "STRAT001 strat.py:31: MyStrat-1 on_bar raised ZeroDivisionError: division by zero."

    page = read_page(write_report(tmp_path / "r.html", small.report(faults=[fault, "second"])))

    places = [e.tag + e.attributes.get("id", "") for e in page.elements]
    assert places.index("divfaults") < places.index("h1")
    text = " ".join(page.one("div", id="faults").text.split())
    assert text == f"This run failed: 2 faults {fault}second"
    assert read_page(write_report(tmp_path / "r.html", small.report())).all("div", id="faults") == []


def test_the_first_twenty_faults_are_shown_and_the_others_counted(book: Book, tmp_path: Path) -> None:
    run = book.report(faults=[f"fault {number}." for number in range(1_500)])

    text = read_page(write_report(tmp_path / "r.html", run)).one("div", id="faults").text

    assert "1500 faults" in text
    assert text.rstrip().endswith("fault 19.and 1,480 more")


def test_refused_orders_are_listed_with_code_and_message_and_counted_by_code(book: Book, tmp_path: Path) -> None:
    book.order(1, DAY_NS)
    for number in (2, 3):
        book.order(number, DAY_NS, status="DENIED", code="MAX_POSITION", message="too much <b>", price=Decimal("10.50"))
    book.order(4, DAY_NS, status="REJECTED", code=None, message=None)

    text = read_page(write_report(tmp_path / "r.html", book.report())).section("refused")

    assert "3 of 4 orders" in text
    assert "DENIEDMAX_POSITION2 REJECTED–1" in text  # noqa: RUF001 - the dash of a code that is absent
    assert "10.5DENIEDMAX_POSITIONtoo much <b>" in text


def test_fees_are_added_up_by_currency_and_liquidity(book: Book, tmp_path: Path) -> None:
    for commission, currency, liquidity in (
        ("0.1", "USD", "TAKER"),
        ("0.2", "USD", "TAKER"),
        ("-0.05", "USD", "MAKER"),
        ("0.000012345678", "BTC", "TAKER"),
    ):
        book.fill(1, DAY_NS, commission=Decimal(commission), commission_currency=currency, liquidity=liquidity)

    text = read_page(write_report(tmp_path / "r.html", book.report())).section("fees")

    assert "BTCTAKER10.000012345678 USDMAKER1−0.05 USDTAKER20.30" in text  # noqa: RUF001 - the sign as it is printed


def test_long_tables_show_their_ends_and_say_how_much_lies_between(book: Book, tmp_path: Path) -> None:
    for number in range(250):
        book.position(str(number), DAY_NS + number, DAY_NS + number + 1)

    page = read_page(write_report(tmp_path / "r.html", book.report()))

    text = page.section("positions")
    assert "250 in all" in text
    assert "50 more rows are in the tables of the run" in text
    assert ("99.00 USD" in text, "100.00 USD" in text, "149.00 USD" in text, "150.00 USD" in text) == (
        True,
        False,
        False,
        True,
    )


def test_an_empty_run_has_a_report_that_says_what_is_missing(tmp_path: Path) -> None:
    page = read_page(write_report(tmp_path / "r.html", Book().report()))

    said = {
        "equity": "No equity was recorded.",
        "prices": "no bars",
        "positions": "No position",
        "refused": "Every order",
    }
    assert [name for name, text in said.items() if text not in page.section(name)] == []


def test_equity_in_two_currencies_is_explained_instead_of_added_up(tmp_path: Path) -> None:
    table = pa.concat_tables([equity_table([(DAY_NS, "1")]), equity_table([(DAY_NS, "7")], currency="EUR")])
    run = replace(Book().report(), equity=table)

    assert "Equity is held in EUR, USD" in read_page(write_report(tmp_path / "r.html", run)).section("equity")


def test_the_same_run_gives_the_same_bytes(small: Book, tmp_path: Path) -> None:
    first, second = (write_report(tmp_path / name, small.report()).read_bytes() for name in ("a", "b"))

    assert first == second


def test_the_most_traded_instruments_are_drawn_and_the_others_named_as_left_out(tmp_path: Path) -> None:
    book = ema_cross(40, seed=3, fast=3, slow=5)
    names = ["AAPL.SIM", *(f"X{number}.SIM" for number in range(5))]
    bars = [row | {"instrument_id": name} for name in reversed(names) for row in book.bars]

    page = read_page(write_report(tmp_path / "r.html", book.report(bars=pa.Table.from_pylist(bars, schema=BARS))))

    assert [chart["instrument_id"] for chart in page.data()["charts"]] == ["AAPL.SIM", "X0.SIM", "X1.SIM", "X2.SIM"]
    assert "2 more instruments are not drawn" in page.section("prices")


def test_bars_without_a_column_of_instruments_are_of_the_named_one(small: Book, tmp_path: Path) -> None:
    run = small.report()
    assert run.bars is not None

    page = read_page(
        write_report(tmp_path / "r.html", replace(run, bars=run.bars.drop(["instrument_id"]), instrument_id="AAPL.SIM"))
    )

    (chart,) = page.data()["charts"]
    assert chart == read_page(write_report(tmp_path / "r.html", run)).data()["charts"][0]
    assert sum(chart["marks"][3]) == 2 * len(small.positions) - 1


def test_a_page_of_one_megabyte_is_made_again_with_shorter_tables(book: Book, tmp_path: Path) -> None:
    for number in range(250):
        book.position(str(number), DAY_NS + number, DAY_NS + number + 1, strategy_id="&" * 300, position_id="&" * 300)
        book.order(number, DAY_NS, status="DENIED", code="&" * 300, message="&" * 300)

    path = write_report(tmp_path / "r.html", book.report())

    assert path.stat().st_size < 1_000_000
    assert "150 more rows are in the tables of the run" in read_page(path).section("positions")


@pytest.mark.slow
def test_a_huge_run_stays_below_one_megabyte_and_loses_no_peak_and_no_trough(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    count = 100_000
    cents = np.cumsum(rng.integers(-1_000, 1_001, count)) + 10**9
    table = equity_table([(place * 60 * 10**9, f"{value / 100:.2f}") for place, value in enumerate(cents.tolist())])
    book = ema_cross(20_000, seed=3, step_ns=60 * 10**9, fast=2, slow=3)
    for number in range(3_000):
        book.order(10**8 + number, DAY_NS, status="DENIED", code="C" * 5_000, message="<&>" * 5_000)
    instruments = [row | {"instrument_id": f"I{k}.SIM"} for k in range(4) for row in book.bars]
    positions = [row | {"instrument_id": f"I{k}.SIM"} for k in range(4) for row in book.positions]
    book.positions = positions
    run = replace(book.report(bars=pa.Table.from_pylist(instruments, schema=BARS)), equity=table)

    path = write_report(tmp_path / "r.html", run)

    assert path.stat().st_size < 1_000_000
    page = read_page(path)
    drawn = page.data()["equity"][1]
    assert (max(drawn), min(drawn)) == (cents.max() / 100, cents.min() / 100)
    assert f"of {count:,} rows" in page.section("equity")
    assert all(len(chart["ohlc"][0]) <= 1_500 for chart in page.data()["charts"])
    assert "20,000 bars, 14 to a candle" in page.section("prices")
