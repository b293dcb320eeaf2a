"""The harness: what it counts, compares, judges and refuses."""

import json

import pytest

from benchmarks._report import as_json, as_text
from benchmarks.harness import Bench, WrongAnswerError, main


def measured(bench: Bench, seconds: dict[str, list[float]], items: int = 100) -> Bench:
    """A bench with these times, one run each, answers checked."""
    for name, values in seconds.items():
        for value in values:
            bench.record(name, seconds=value, items=items)
    bench.check(actual=1, expected=1)
    return bench


def test_full_size_has_one_warm_up_and_seven_counted_runs() -> None:
    bench = Bench("b", smoke=False)
    turns = []
    for run in bench.runs():
        turns.append(run)
        with bench.timed("floor", items=1):
            pass
    bench.check(actual=1, expected=1)

    assert turns == [-1, 0, 1, 2, 3, 4, 5, 6]
    assert len(bench.report().routes[0].seconds) == 7


def test_smoke_size_has_one_counted_run_and_the_smoke_sizes() -> None:
    bench = Bench("b", smoke=True)

    assert bench.size("rows", smoke=3, full=3_000) == 3
    assert list(bench.runs(warm_up=False)) == [0]
    assert measured(bench, {"floor": [1.0]}).report().sizes == {"rows": 3}


def test_routes_take_turns_in_being_first() -> None:
    bench = Bench("b", smoke=False, runs=3)
    routes = {"floor": 1, "bus": 2}

    orders = [[name for name, _ in bench.turns(routes)] for _ in bench.runs(warm_up=False)]

    assert orders == [["floor", "bus"], ["bus", "floor"], ["floor", "bus"]]


def test_the_ratio_is_the_median_of_the_ratios_within_each_run() -> None:
    bench = measured(Bench("b", smoke=False), {"floor": [1.0, 10.0, 2.0], "bus": [2.0, 20.0, 8.0]})

    floor, bus = bench.report().routes

    assert (floor.ratio, bus.ratio) == (1.0, 2.0)
    assert (bus.seconds_median, bus.seconds_min, bus.seconds_max) == (8.0, 2.0, 20.0)
    assert bus.items_per_s == 12.5


def test_budgets_are_met_at_the_limit_and_missed_beyond_it() -> None:
    bench = measured(Bench("b", smoke=False), {"floor": [1.0], "bus": [2.0]})
    bench.budget("bus", at_most=2.0)
    bench.budget("bus", at_most=1.99)
    bench.budget("bus", seconds_max=2.0)
    bench.budget("bus", seconds_max=1.99)
    bench.budget("bus", items_per_s_min=50.0)
    bench.budget("bus", items_per_s_min=50.1)

    assert [verdict.met for verdict in bench.report().budgets] == [True, False] * 3


def test_budgets_are_not_judged_in_smoke_size() -> None:
    bench = measured(Bench("b", smoke=True), {"floor": [1.0], "bus": [9.0]})
    bench.budget("bus", at_most=2.0)

    assert bench.report().budgets[0].met is None
    assert "not judged in smoke size" in as_text(bench.report())


def test_a_budget_is_declared_in_exactly_one_way() -> None:
    with pytest.raises(ValueError, match="give one of"):
        Bench("b", smoke=True).budget("bus", at_most=2.0, seconds_max=1.0)


def test_a_budget_of_a_route_without_times_is_an_error_not_a_pass() -> None:
    bench = measured(Bench("b", smoke=False), {"bus": [1.0]})
    bench.budget("bus", at_most=2.0)

    with pytest.raises(ValueError, match="has no time"):
        bench.report()


def test_a_wrong_answer_stops_the_benchmark() -> None:
    with pytest.raises(WrongAnswerError, match="b: the answer is 3, expected 4"):
        Bench("b", smoke=True).check(actual=3, expected=4)


def test_a_benchmark_that_checks_no_answer_has_no_report() -> None:
    bench = Bench("b", smoke=True)
    bench.record("floor", seconds=1.0, items=1)

    with pytest.raises(ValueError, match="0 answers checked"):
        bench.report()


def test_runs_of_one_route_do_the_same_number_of_items() -> None:
    bench = Bench("b", smoke=True)
    bench.record("floor", seconds=1.0, items=1)

    with pytest.raises(ValueError, match="2 items, 1 in the runs before"):
        bench.record("floor", seconds=1.0, items=2)


def test_a_block_that_raises_is_not_counted() -> None:
    bench = Bench("b", smoke=True)

    with pytest.raises(RuntimeError), bench.timed("floor", items=1):
        raise RuntimeError
    with pytest.raises(ValueError, match="0 routes timed"):
        bench.report()


def test_too_few_cores_are_a_warning() -> None:
    bench = measured(Bench("b", smoke=True), {"floor": [1.0]})
    bench.needs_cores(1)
    bench.needs_cores(10_000)

    assert [warning[:31] for warning in bench.report().warnings] == ["the topology needs 10000 cores "]


def test_the_document_names_machine_versions_and_commit() -> None:
    document = as_json(measured(Bench("b", smoke=True), {"floor": [1.0]}).report())

    assert set(document["versions"]) == {"python", "numpy", "numba", "pyarrow", "ray", "libra-ray"}
    assert document["machine"]["cores"] >= 1
    assert document["machine"]["cpu"]
    assert json.loads(json.dumps(document)) == document


def wrong(bench: Bench) -> None:
    """Answer wrongly."""
    bench.check(actual=1, expected=2)


def slow(bench: Bench) -> None:
    """Miss a budget."""
    measured(bench, {"floor": [1.0], "bus": [3.0]}).budget("bus", at_most=2.0)


def test_a_program_ends_with_1_for_a_wrong_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(wrong, ["--smoke"]) == 1
    assert capsys.readouterr().err == "wrong answer in wrong: the answer is 1, expected 2\n"


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--strict"], 1), (["--strict", "--smoke"], 0)])
def test_a_missed_budget_fails_a_strict_run_in_full_size_only(arguments: list[str], code: int) -> None:
    assert main(slow, arguments) == code


def test_json_is_one_document_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    main(slow, ["--json", "--runs", "2"])

    document = json.loads(capsys.readouterr().out)
    assert (document["benchmark"], document["runs"], document["budgets"][0]["met"]) == ("slow", 2, False)
