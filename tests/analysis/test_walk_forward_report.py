"""The reports of a walk-forward and of a Monte Carlo, and the lines of parallel coordinates."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from libra_ray.analysis.monte_carlo_report import MonteCarloInput, write_monte_carlo_page
from libra_ray.analysis.parallel_coordinates import parallel_coordinates
from libra_ray.analysis.trade_shuffle import trade_paths
from libra_ray.analysis.walk_forward_report import WalkForwardInput, write_walk_forward_page
from tests.analysis.page_reader import Page, read_page

DAY_NS = 86_400 * 10**9
HOSTILE = "<script>alert(1)</script>"


def window(number: int, trained: float, tested: float | None, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    start_ns = number * 10 * DAY_NS
    return {
        "window": number,
        "train_start_ns": start_ns,
        "train_end_ns": start_ns + 20 * DAY_NS,
        "test_start_ns": start_ns + 20 * DAY_NS,
        "test_end_ns": start_ns + 30 * DAY_NS,
        "trial": 1,
        "fast": 5,
        "train_sharpe_ratio": trained,
        "test_sharpe_ratio": tested,
        "test_total_return": tested,
        "degradation": None if tested is None else (trained - tested) / trained,
        "deflated_sharpe_ratio": 0.75,
        "error": None,
        **more,
    }


def walk(windows: int = 3, trials: int = 4, **more: Any) -> WalkForwardInput:  # noqa: ANN401
    rows = [window(number, 2.0, 1.0) for number in range(1, windows)] + [window(windows, 2.0, None, error=HOSTILE)]
    table = [
        {"window": number, "trial": trial, "fast": trial + 4, "sharpe_ratio": float(trial + number)}
        for number in range(1, windows + 1)
        for trial in range(trials)
    ]
    ts_ns = np.arange(2_000) * (windows * 10 * DAY_NS // 2_000)
    facts: dict[str, Any] = {
        "name": HOSTILE, "scheme": "k_fold", "rank": "sharpe_ratio", "is_lower_better": False, "names": ["fast"],
        "windows": pa.Table.from_pylist(rows), "trials": pa.Table.from_pylist(table),
        "equity": pa.table({"ts_ns": ts_ns, "equity": 100.0 + np.sin(np.arange(2_000.0)), "window": ts_ns}),
        "stats": {"total_return": 0.25, "sharpe_ratio": -0.5}, "moves": [("fast", 2, 5, 2 / 3, 0.5, None)],
        "degradation": 0.5, "probability": 0.25, "failed": 1, "settings": {HOSTILE: HOSTILE},
    }  # fmt: skip
    return WalkForwardInput(**(facts | more))


def walk_page(tmp_path: Path, **more: Any) -> Page:  # noqa: ANN401
    return read_page(write_walk_forward_page(tmp_path / "w.html", walk(**more)))


def test_windows_are_listed_with_what_was_lost(tmp_path: Path) -> None:
    page = walk_page(tmp_path)

    text = page.section("windows")
    assert "11970-01-31 00:00:001970-02-10 00:00:0052.0001.00050.0 %75.0 %" in text
    assert "Lost50.0 %" in page.one("div", id="cards").text
    assert "fast2566.7 %50.0 %" in page.section("stability")


def test_the_lanes_show_where_training_and_test_lie(tmp_path: Path) -> None:
    styles = [each.attributes["style"] for each in walk_page(tmp_path).all("i")]

    assert styles[:2] == ["left:0.0%;width:40.0%", "left:40.0%;width:20.0%"]
    assert styles[-1] == "left:80.0%;width:20.0%"


def test_the_map_has_the_mean_of_all_trainings(tmp_path: Path) -> None:
    page = walk_page(tmp_path)

    cells = [e.attributes["title"] for e in page.all("td") if "--tone" in e.attributes.get("style", "")]
    assert cells == ["2.0", "3.0", "4.0", "5.0"]


def test_the_data_of_the_charts_is_all_there(tmp_path: Path) -> None:
    data = walk_page(tmp_path).data()

    assert data["bars"] == [[1, 2.0, 1.0], [2, 2.0, 1.0], [3, 2.0, None]]
    assert [to - begins for begins, to, _ in data["tests"]] == [10 * 86_400_000] * 3
    assert len(data["equity"][0]) == len(data["equity"][1]) == 2_000


def test_the_pages_load_nothing_and_hostile_texts_stay_text(tmp_path: Path) -> None:
    walked = walk_page(tmp_path)
    played = luck_page(tmp_path, name=HOSTILE, settings={HOSTILE: HOSTILE})

    for page in (walked, played):
        assert (page.loads(), page.scripts_not_allowed(), "<script>alert" in page.source) == ([], [], False)


@pytest.mark.slow
def test_a_thousand_windows_and_a_hundred_thousand_rows_stay_below_one_megabyte(tmp_path: Path) -> None:
    rows = 100_000
    equity = pa.table(
        {
            "ts_ns": np.arange(rows) * 10**12,
            "equity": 100 + np.cumsum(np.sin(np.arange(float(rows)) ** 2)),
            "window": np.arange(rows),
        }
    )

    path = write_walk_forward_page(tmp_path / "w.html", walk(windows=1_000, trials=30, equity=equity))

    assert path.stat().st_size < 1_000_000


def test_without_a_test_that_ended_there_is_no_curve(tmp_path: Path) -> None:
    empty = pa.table({"ts_ns": pa.array([], pa.int64()), "equity": pa.array([], pa.float64())})

    page = walk_page(tmp_path, equity=empty)

    assert "No test ran to its end." in page.section("equity")


def luck(**more: Any) -> MonteCarloInput:  # noqa: ANN401
    facts: dict[str, Any] = {
        "name": "Luck", "method": "bars", "paths": 4, "failed": 0, "real": {"total_return": 0.1, "max_drawdown": 0.2},
        "values": {"total_return": np.array([-0.1, 0.0, 0.1, 0.2]), "max_drawdown": np.array([0.1, 0.2, 0.3, 0.4])},
        "better": {"total_return": 0.375, "max_drawdown": 0.375},
    }  # fmt: skip
    return MonteCarloInput(**(facts | more))


def luck_page(tmp_path: Path, **more: Any) -> Page:  # noqa: ANN401
    return read_page(write_monte_carlo_page(tmp_path / "m.html", luck(**more)))


def test_the_run_stands_among_the_paths(tmp_path: Path) -> None:
    page = luck_page(tmp_path)

    text = page.section("figures")
    assert "Total return10.00 %" in text
    assert "5.00 %12.50 %" in text  # the median, and what three paths in four stay below
    assert text.count("37.5 %") == 2
    assert "Loss25.0 %" in page.one("div", id="cards").text
    assert [each.attributes["style"] for each in page.all("b") if "style" in each.attributes] == [
        "left:66.67%",
        "left:33.33%",
    ]


def test_trades_have_bands_of_equity(tmp_path: Path) -> None:
    made = trade_paths(np.array([10.0, -5.0, 20.0]), starting_equity=100, paths=20, seed=1)

    page = luck_page(tmp_path, method="trades", bands=made, real_equity=np.array([100.0, 110, 105, 125]))

    assert "Equity over 3 trades" in page.section("bands")
    assert [len(each.attributes["points"].split()) for each in page.all("polygon")] == [8, 8]
    assert len(page.all("polyline")) == 2


def test_a_run_without_any_path_that_ended_says_so(tmp_path: Path) -> None:
    page = luck_page(tmp_path, values={"total_return": np.empty(0)}, failed=4)

    assert "No path ran to its end." in page.section("figures")


def test_lines_lie_between_the_ends_of_their_axes_and_the_best_is_the_last() -> None:
    rows = [
        {"trial": 2, "fast": 3, "kind": "b", "sharpe_ratio": 2.0},
        {"trial": 0, "fast": 1, "kind": "a", "sharpe_ratio": 1.0},
        {"trial": 1, "fast": 2, "kind": "b", "sharpe_ratio": 0.0},
    ]

    made = parallel_coordinates(rows, ["fast", "kind"], ["sharpe_ratio"], is_lower_better=False)

    assert [line["at"] for line in made["lines"]] == [[0.5, 1.0, 0.0], [0.0, 0.0, 0.5], [1.0, 1.0, 1.0]]
    assert [line["tone"] for line in made["lines"]] == [0.0, 0.5, 1.0]
    assert made["lines"][-1]["text"] == "trial 2: 3, b, 2.000"
    assert [axis["label"] for axis in made["axes"]] == ["fast", "kind", "Sharpe ratio"]
    assert made["axes"][0]["ticks"] == [(0.0, "1"), (1.0, "3"), (0.5, "2")]


def test_of_many_trials_the_best_and_an_even_choice_of_the_others_are_drawn() -> None:
    rows = [{"trial": n, "fast": n, "sharpe_ratio": float(-n)} for n in range(2_000)]

    made = parallel_coordinates(rows, ["fast"], ["sharpe_ratio"], is_lower_better=False)

    texts = {line["text"].split(":")[0] for line in made["lines"]}
    assert (len(made["lines"]), made["left_out"]) == (600, 1_400)
    assert {f"trial {number}" for number in (0, 299, 300, 1_999)} <= texts


def test_a_parameter_with_one_value_has_no_axis() -> None:
    rows = [{"trial": 0, "fast": 1, "slow": 2, "trades": None, "sharpe_ratio": 1.0}]

    made = parallel_coordinates(rows, ["fast", "slow"], ["sharpe_ratio", "trades"], is_lower_better=True)

    assert [axis["label"] for axis in made["axes"]] == ["Sharpe ratio"]
