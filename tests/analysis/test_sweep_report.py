"""The report of a sweep ranks what ran, lists what failed, and maps pairs of parameters."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from libra_ray.analysis.significance import deflated_sharpe_ratio
from libra_ray.analysis.sweep_report import deflated_best, sweep_report
from tests.analysis.page_reader import Page, read_page

GRID = ["fast", "slow"]


def trial(fast: int, slow: int, sharpe: float | None, error: str | None = None, **more: object) -> dict[str, Any]:
    return {"fast": fast, "slow": slow, "sharpe_ratio": sharpe, "max_drawdown": 0.1 * fast, "error": error} | more


TRIALS = [
    trial(1, 10, 0.5),
    trial(2, 10, None),
    trial(1, 20, -0.25),
    trial(2, 20, 1.5),
    trial(3, 10, None, error="CONF002 <b>fast</b> is wrong"),
    trial(3, 20, 0.5),
]


def page_of(tmp_path: Path, trials: list[dict[str, Any]], **options: Any) -> Page:  # noqa: ANN401 - handed on
    arguments = {"grid_names": GRID, "rank": "sharpe_ratio"} | options
    return read_page(sweep_report(tmp_path / "s.html", pa.Table.from_pylist(trials), **arguments))


def listed(page: Page) -> list[str]:
    """The trial numbers of the table, in its order."""
    rows = page.one("table", id="sortable").text.split("\n")
    texts = [row.strip() for row in rows if row.strip()]
    return texts[1:]


def test_trials_are_ranked_with_ties_in_order_and_those_without_the_figure_last(tmp_path: Path) -> None:
    page = page_of(tmp_path, TRIALS)

    assert [row[0] for row in listed(page)] == ["3", "0", "5", "2", "1"]
    assert len(page.all("tr", **{"class": "best"})) == 1


def test_the_lowest_can_be_the_best(tmp_path: Path) -> None:
    page = page_of(tmp_path, TRIALS, rank="max_drawdown", is_lower_better=True)

    assert [row[0] for row in listed(page)] == ["0", "2", "1", "3", "5"]


def test_failures_are_counted_and_listed_with_their_error(tmp_path: Path) -> None:
    page = page_of(tmp_path, TRIALS)

    assert "4310CONF002 <b>fast</b> is wrong" in page.section("failures")
    cards = page.one("div", id="cards").text
    assert ("Trials6" in cards, "Failed1" in cards, "Best Sharpe ratio1.500" in cards) == (True, True, True)


def test_the_map_has_a_cell_per_pair_and_outlines_the_best(tmp_path: Path) -> None:
    page = page_of(tmp_path, TRIALS)

    text = page.section("maps")
    assert "slow ↓ fast →123 100.500·· 20−0.2501.5000.500" in text  # noqa: RUF001 - the sign as it is printed
    assert page.one("td", **{"class": "top1"}).attributes["title"] == "1.5"


def test_one_parameter_makes_one_row_and_three_make_a_map_of_each_pair(tmp_path: Path) -> None:
    one = page_of(tmp_path, TRIALS, grid_names=["fast"])
    three = page_of(tmp_path, [row | {"stop": row["fast"] % 2} for row in TRIALS], grid_names=[*GRID, "stop"])

    assert len(one.all("table", **{"class": "map"})) == 1
    pairs = [e.text.split() for e in three.all("button") if "data-map" in e.attributes]
    assert [(x, y) for x, _, y in pairs] == [("fast", "slow"), ("fast", "stop"), ("slow", "stop")]
    assert "best over the other parameters" in three.section("maps")


def test_a_cell_is_the_best_over_what_the_map_does_not_show(tmp_path: Path) -> None:
    trials = [trial(1, 10, 0.5), trial(2, 10, 0.75), trial(3, 10, 0.625), trial(1, 20, 0.25)]

    page = page_of(tmp_path, trials, grid_names=["slow"])

    cells = [e.attributes["title"] for e in page.all("td") if "--tone" in e.attributes.get("style", "")]
    assert cells == ["0.75", "0.25"]


def test_a_sweep_in_which_all_failed_still_has_a_report(tmp_path: Path) -> None:
    page = page_of(tmp_path, [trial(1, 2, None, error="boom"), trial(1, 3, None, error="boom")])

    assert "No trial ran to its end." in page.section("trials")
    assert "No trial has this figure." in page.section("best")


def test_the_deflated_sharpe_ratio_stands_beside_the_best(tmp_path: Path) -> None:
    shape = {"skewness": 0.0, "kurtosis": 0.0, "days": 500, "periods_per_year": 252}

    page = page_of(tmp_path, [row | shape for row in TRIALS])

    assert "Deflated Sharpe" in page.one("div", id="cards").text
    assert "Deflated Sharpe" not in page_of(tmp_path, TRIALS).one("div", id="cards").text


def test_the_deflated_ratio_is_that_of_the_highest_among_all_that_have_one() -> None:
    shape = {"skewness": 0.0, "kurtosis": 0.0, "days": 500, "periods_per_year": 252}
    ratios = [row["sharpe_ratio"] for row in TRIALS if row["sharpe_ratio"] is not None]

    found = deflated_best(pa.Table.from_pylist([row | shape for row in TRIALS]))

    assert found == deflated_sharpe_ratio(
        np.array(sorted(ratios, reverse=True)),
        best=1.5,
        skewness=0,
        kurtosis=0,
        returns_count=500,
        periods_per_year=252,
    )
    assert deflated_best(pa.Table.from_pylist(TRIALS)) is None


def test_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="nothing"):
        page_of(tmp_path, TRIALS, rank="nothing")


def test_the_page_loads_nothing_and_hostile_texts_stay_text(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"

    page = page_of(tmp_path, [*TRIALS, trial(1, 1, None, error=hostile)], name=hostile, settings={hostile: hostile})

    assert (page.loads(), page.scripts_not_allowed(), "<script>alert" in page.source) == ([], [], False)
    assert hostile in page.section("failures")


@pytest.mark.slow
def test_ten_thousand_trials_stay_below_one_megabyte(tmp_path: Path) -> None:
    trials = [
        trial(fast, slow, fast * 0.01 - slow * 0.001, error="x" * 9_000 if (fast + slow) % 5 == 0 else None)
        for fast in range(100)
        for slow in range(100)
    ]

    path = sweep_report(tmp_path / "s.html", pa.Table.from_pylist(trials), GRID, "sharpe_ratio")

    assert path.stat().st_size < 1_000_000
    assert "The best 500 of 8,000 are listed." in read_page(path).section("trials")
