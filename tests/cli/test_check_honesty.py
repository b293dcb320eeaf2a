"""`libra check lookahead` and `libra check warmup` over run files."""

from pathlib import Path

import pytest

from tests.cli.conftest import RUN_FILE, Libra
from tests.conftest import takes_long

pytestmark = pytest.mark.slow

PEEKS = """
import csv

from libra_ray import Bar, Strategy, StrategyConfig, pair, synth

EURUSD = pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")


def closes(column):
    (stream,) = synth("bars", EURUSD, rows=600, period="1h", price="1.1", seed=7).streams
    return [int(raw) for raw in stream.raw(column)]


KNOWN = closes("close")


class Shifted(Strategy):
    config: StrategyConfig

    def on_start(self) -> None:
        self.known, self.seen = self.load(), 0
        self.subscribe_bars("EURUSD.SIM", "1h")

    def load(self):
        return KNOWN

    def on_bar(self, bar: Bar) -> None:
        self.seen += 1
        ahead = self.known[min(self.seen, len(self.known) - 1)]
        self.target("EURUSD.SIM", "1000" if ahead > bar.close_raw else "-1000")


class FileReader(Shifted):
    def load(self):
        with open("bars.csv") as file:
            return [round(float(row["close"]) * 100_000) for row in csv.DictReader(file)]
"""

FROM_FILE = """
[[data.files]]
path = "bars.csv"
type = "bars"
instrument = "EURUSD.SIM"
period = "1h"

[[instrument]]
id = "EURUSD.SIM"
kind = "pair"
base = "EUR"
quote = "USD"
tick = "0.00001"
step = "1"
"""


@pytest.fixture
def peeks(run_file: Path, tmp_path: Path) -> Path:
    (tmp_path / "strategies" / "peeks.py").write_text(PEEKS)
    text = RUN_FILE.replace("cross.Cross", "peeks.Shifted").replace("\n[strategy.config]\nlength = 20\n", "")
    run_file.write_text(text)
    return run_file


@pytest.mark.ray
@takes_long
def test_a_shift_planted_when_the_module_is_loaded_is_found(libra: Libra, peeks: Path) -> None:
    ended = libra("check", "lookahead", peeks.name, "--json", "--workers", "2")

    document = ended.document
    assert (ended.code, document["clean"], len(document["cuts"])) == (1, False, 20)
    assert {finding["actor"] for finding in document["findings"]} == {"Shifted-1"}
    assert document["findings"][0]["time"] == document["findings"][0]["cut"]


def test_a_plain_strategy_is_clean_and_says_so_in_a_line(libra: Libra, run_file: Path, tmp_path: Path) -> None:
    ended = libra("check", "lookahead", run_file.name, "--cuts", "5")

    assert (ended.code, ended.err.splitlines()[0]) == (0, "600 rows, up to 5 beginnings")
    assert ended.out.splitlines()[-1].endswith("orders, 5 beginnings of the data: none differs from the whole run")
    assert not (tmp_path / "runs").exists()


def test_a_strategy_that_reads_the_file_of_the_run_by_itself_is_named(
    libra: Libra, peeks: Path, tmp_path: Path
) -> None:
    lines = ["ts,open,high,low,close,volume"]
    for hour in range(60):
        close = 1.1 + (hour * 7 % 11) / 1000
        lines.append(f"2024-01-{1 + hour // 24:02d}T{hour % 24:02d}:00:00Z,{close},{close},{close},{close},1")
    (tmp_path / "bars.csv").write_text("\n".join(lines) + "\n")
    before, _, rest = peeks.read_text().partition("[data.synth]")
    text = f"{before}{FROM_FILE}\n[[venue]]{rest.partition('[[venue]]')[2]}"
    peeks.write_text(text.replace("Shifted", "FileReader"))

    ended = libra("check", "lookahead", peeks.name, "--json", "--cuts", "3")

    assert ended.code == 1, ended.err
    assert ended.document["findings"] == []
    assert [Path(path).name for path in ended.document["reads_data"]] == ["bars.csv"]


def test_warm_up_of_a_window_is_its_length(libra: Libra, run_file: Path) -> None:
    ended = libra("check", "warmup", run_file.name, "--json", "--history", "0,10,40,80")

    document = ended.document
    assert (ended.code, document["settled"]) == (0, True)
    assert [row["history_rows"] for row in document["rows"]] == [0, 10, 40, 80, 300]
    assert [row["differing"] == 0 for row in document["rows"]] == [False, False, True, True, True]
    assert document["needed_rows"] == 40


def test_warm_up_for_people_is_a_table_and_a_sentence(libra: Libra, run_file: Path) -> None:
    ended = libra("check", "warmup", run_file.name)

    assert ended.code == 0
    assert "by rows of history before it" in ended.out
    assert ended.out.splitlines()[-1].startswith("settled: from ")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("warmup", "run.toml", "--history", "many"),
            "CONF002 --history: 'many' is not a list of rows. Write for example 0,100,1000.\n",
        ),
        (("warmup", "run.toml", "--start", "noon"), "CONF002 --start: 'noon' is not a time."),
        (("lookahead", "run.toml", "--cuts", "0"), "CONF000 libra check lookahead: "),
        (("lookahead",), "CONF000 no configuration file given. Give CONFIG, for example run.toml.\n"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_2(
    libra: Libra, run_file: Path, arguments: tuple[str, ...], line: str
) -> None:
    ended = libra("check", *arguments)

    assert (ended.code, run_file.exists()) == (2, True)
    assert ended.err.startswith(line)
