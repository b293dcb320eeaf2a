"""`libra demo`: the whole path on real prices, in half a minute: data, strategy, backtest, sweep, report."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO

import typer

from libra_ray.cli.answer import Answer
from libra_ray.cli.options import Debug, Json
from libra_ray.cli.tables import count_text, print_table, seconds_text
from libra_ray.errors import ConfigError, printable

if TYPE_CHECKING:
    from libra_ray.data import Catalog

__all__ = ["demo"]

SOURCE: Final = "bokeh-sampledata"

STRATEGY: Final = """\
from libra_ray import Bar, Strategy, StrategyConfig
from libra_ray.strategy.indicators import Ema

class TrendConfig(StrategyConfig):
    instrument: str
    fast: int = 20
    slow: int = 50

class Trend(Strategy):
    config: TrendConfig

    def on_start(self) -> None:
        self.fast, self.slow = Ema(self.config.fast), Ema(self.config.slow)
        self.subscribe_bars(self.config.instrument, "1d")

    def on_bar(self, bar: Bar) -> None:
        fast, slow = self.fast.update(bar.close_f), self.slow.update(bar.close_f)
        if fast is not None and slow is not None:
            self.target(bar.instrument_id, 100 if fast > slow else 0)
"""

CONFIG: Final = """\
[run]
name = "demo"
seed = 7

[data]
catalog = "data"
streams = ["bars IBM.XNYS 1d"]

[[venue]]
name = "XNYS"
account = "cash"
balances = ["100_000 USD"]
fees = { maker = "0.0002", taker = "0.0005" }

[strategy]
path = "trend.Trend"

[strategy.config]
instrument = "IBM.XNYS"
fast = 20
slow = 50

[sweep]
rank = "sharpe_ratio"

[grid]                  # 20 x 10 backtests
fast = [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40]
slow = [50, 60, 70, 80, 100, 120, 140, 160, 180, 200]
"""


def demo(
    *,
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="Where everything goes.")] = Path("libra-demo"),
    as_json: Json = False,
    debug: Debug = False,
) -> Answer:
    """Import real prices, run one backtest and a sweep of 200 on Ray, and write the reports."""
    from libra_ray.cli.backtest import print_summary, run_once
    from libra_ray.cli.faults import failed
    from libra_ray.cli.sweep import print_trials, run_sweep, sweep_line
    from libra_ray.simulation.run_config import load_run

    started_s = time.monotonic()
    out = sys.stderr if as_json else sys.stdout

    def step(title: str) -> None:
        if not as_json:
            out.write(f"\n{title}\n{'-' * len(title)}\n")
            out.flush()

    step("1. This machine")
    problems = _look_at_machine(None if as_json else out)
    step("2. Real daily prices, from a package, into a catalog")
    imported = _import_samples(into / "data", None if as_json else out)
    step(f"3. A strategy, saved as {into / 'strategies' / 'trend.py'}")
    config = _save(into, None if as_json else out)
    step("4. One backtest: every order through risk engine, execution engine and venue")
    run = load_run(config)
    runs = into / "runs"
    backtest, result = run_once(run, runs, report=True, debug=debug, quiet=as_json)
    if result.faults:
        raise failed(result, f"Results so far: {backtest['folder']}")
    if not as_json:
        print_summary(out, backtest, result)
    step("5. A sweep of 200 such backtests on Ray, over one shared copy of the data")
    swept, trials = run_sweep(run, runs, report=True, debug=debug, quiet=as_json)
    seconds = time.monotonic() - started_s
    if not as_json:
        print_trials(out, trials, swept["parameters"])
        out.write(f"{sweep_line(swept)}\n")
    step("6. Reports and what next")
    document = {
        "healthy": not problems,
        "data": imported,
        "backtest": backtest,
        "sweep": swept,
        "folder": str(into),
        "seconds": round(seconds, 3),
    }
    if not as_json:
        _say_next(out, into, config, backtest, swept, seconds)
    return Answer(document, lambda _: None)


def _look_at_machine(out: TextIO | None) -> list[str]:
    """A short `libra doctor`: problems only."""
    from libra_ray.cli.health import checks, cores, memory_bytes

    problems = [f"{check.name}: {check.found}. {check.fix}" for check in checks() if not check.ok]
    if out is not None:
        out.writelines(f"{problem}\n" for problem in problems)
        state = f"{count_text(len(problems), 'problem')}, see 'libra doctor'" if problems else "healthy"
        out.write(f"{state}: {count_text(cores(), 'core')}, {memory_bytes() / (1 << 30):.1f} GiB of memory\n")
    return problems


def _import_samples(folder: Path, out: TextIO | None) -> list[dict[str, Any]]:
    """Every sample into the catalog, unless it is there from an earlier demo; then what the catalog holds."""
    from libra_ray.data import catalog, sample, time_text

    target: Catalog = catalog(folder)
    known = {entry.key for entry in target.ls()}
    for stream in sample():
        if (stream.schema.name, stream.instrument.id, stream.period) not in known:
            target.write(stream.instrument, stream.schema, stream.table, stream.period, source=SOURCE)
    found = target.check()
    gaps = {
        entry.instrument_id: [gap for gap in found.gaps if gap.instrument_id == entry.instrument_id]
        for entry in target.ls()
    }
    held: list[dict[str, Any]] = [
        {
            "instrument": entry.instrument_id,
            "type": entry.type,
            "period": entry.period,
            "rows": entry.rows,
            "start_ns": entry.start_ns,
            "end_ns": entry.end_ns,
            "gaps": len(gaps[entry.instrument_id]),
            "missing": sum(gap.missing for gap in gaps[entry.instrument_id]),
        }
        for entry in target.ls()
    ]
    if out is not None:
        header = ["instrument", "bars", "first", "last", "gaps", "days in them"]
        rows = [
            [
                e["instrument"],
                e["rows"],
                time_text(e["start_ns"])[:10],
                time_text(e["end_ns"])[:10],
                e["gaps"],
                e["missing"],
            ]
            for e in held
        ]
        print_table(out, header, rows)
        out.write("Gaps are weekends and holidays. Prices are as traded: a split shows as a jump.\n")
    return held


def _save(into: Path, out: TextIO | None) -> Path:
    """Strategy and run file, unless they are there already: then yours are used."""
    strategy, config = into / "strategies" / "trend.py", into / "demo.toml"
    for path, text in ((strategy, STRATEGY), (config, CONFIG)):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_text(text, encoding="utf-8")
        except OSError as error:
            what = f"cannot be written ({error.strerror})"
            raise ConfigError(
                "CONF000", printable(path), what, "Use --into DIR with a folder you may write to."
            ) from error
    if out is not None:
        out.write(strategy.read_text(encoding="utf-8"))
    return config


def _say_next(
    out: TextIO, into: Path, config: Path, backtest: dict[str, Any], swept: dict[str, Any], seconds: float
) -> None:
    out.write(f"backtest  {Path(backtest['folder']) / 'report.html'}\n")
    out.write(f"sweep     {swept['report']}\n")
    out.write(f"best      {swept['best_config']}\n")
    out.write(f"\nDone in {seconds_text(seconds)}. Open the reports in a browser; they need no network. Then:\n")
    out.write(f"  libra backtest {config} --set strategy.config.fast=10\n")
    out.write(f"  libra check determinism {config}\n")
    out.write(f"  libra runs ls --runs {into / 'runs'}\n")
    out.write("  libra data import FILE --instrument ID --period 1h     your own data\n")
    out.write("  libra new my_strategy                                  your own strategy\n")
