"""`libra check lookahead` and `libra check warmup`: whether a result may be believed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO

import typer

from libra_ray.cli.answer import Answer
from libra_ray.cli.options import ConfigFile, ConfigOption, Debug, Json, Sets, Workers, read_source
from libra_ray.cli.progress import note
from libra_ray.cli.tables import count_text, print_table
from libra_ray.errors import ConfigError, quoted

if TYPE_CHECKING:
    from libra_ray.simulation.run_config import LoadedRun
    from libra_ray.sweeps.honesty import LookaheadCheck, WarmupCheck, WarmupRow

__all__ = ["lookahead", "warmup"]

SHOWN_FINDINGS: Final = 10
SHOWN_INDICATORS: Final = 6
SMALL: Final = 1e-6


def lookahead(
    config: ConfigFile = None,
    *,
    config_option: ConfigOption = None,
    sets: Sets = None,
    cuts: Annotated[int, typer.Option("--cuts", min=1, help="How many beginnings of the data are run.")] = 20,
    workers: Workers = None,
    as_json: Json = False,
    _debug: Debug = False,
) -> Answer:
    """Run over beginnings of the data: what comes later must change nothing before. Exit 1 where it does."""
    from libra_ray.data import time_text
    from libra_ray.simulation.run_config import load_run
    from libra_ray.sweeps.honesty import check_lookahead
    from libra_ray.sweeps.honesty.fresh_run import FreshRun

    run = load_run(read_source(config, config_option, sets))
    data = run.data
    if not as_json:
        note(f"{count_text(data.rows, 'row')}, up to {count_text(cuts, 'beginning')}")
    check = check_lookahead(FreshRun(run.source, run.folder), data=data, cuts=cuts, workers=workers)
    own_data = [path for path in check.files if _is_data_of(run, Path(path))]
    document = {
        "clean": check.is_clean and not own_data,
        "orders": check.orders,
        "cuts": [time_text(cut_ns) for cut_ns in check.cuts_ns],
        "findings": [
            {
                "cut": time_text(finding.cut_ns),
                "time": time_text(finding.ts_ns),
                "actor": finding.actor_id,
                "whole": finding.whole,
                "shortened": finding.shortened,
            }
            for finding in check.findings
        ],
        "reads_data": own_data,
        "reads": [path for path in check.files if path not in own_data],
        "engine": check.engine,
    }
    return Answer(document, lambda out: _show_lookahead(out, check, own_data), 0 if document["clean"] else 1)


def _is_data_of(run: "LoadedRun", path: Path) -> bool:
    """Whether a file is one that the run itself takes its rows from."""
    settings, whole = run.config.data, path.absolute()
    files = {(run.folder / Path(entry.path).expanduser()).resolve() for entry in settings.files}
    catalog = (run.folder / Path(settings.catalog).expanduser()).resolve() if settings.catalog else None
    return whole.resolve() in files or (catalog is not None and whole.resolve().is_relative_to(catalog))


def _show_lookahead(out: TextIO, check: "LookaheadCheck", own_data: list[str]) -> None:
    beginnings, orders = count_text(len(check.cuts_ns), "beginning"), count_text(check.orders, "order")
    out.writelines(f"{finding.sentence()}\n" for finding in check.findings[:SHOWN_FINDINGS])
    if len(check.findings) > SHOWN_FINDINGS:
        out.write(f"and {len(check.findings) - SHOWN_FINDINGS} more\n")
    for path in check.files:
        what = "reads the data of this run by itself" if path in own_data else "is read by a strategy"
        out.write(f"{path} {what}: what it learns there, no beginning of the data hides.\n")
    if check.findings:
        out.write(f"looks ahead: {len(check.findings)} of {beginnings} differ\n")
    else:
        out.write(f"{orders}, {beginnings} of the data: none differs from the whole run\n")


def warmup(
    config: ConfigFile = None,
    *,
    config_option: ConfigOption = None,
    sets: Sets = None,
    start: Annotated[
        str | None,
        typer.Option("--start", metavar="TIME", help="Where the compared period begins; default the middle."),
    ] = None,
    history: Annotated[
        str | None, typer.Option("--history", metavar="ROWS", help="Rows of history to try, such as 0,100,1000.")
    ] = None,
    workers: Workers = None,
    as_json: Json = False,
    _debug: Debug = False,
) -> Answer:
    """Run one period with more and more history before it. Exit 1 when orders still change with the most."""
    from libra_ray.config.times import time_ns
    from libra_ray.data import time_text
    from libra_ray.simulation.run_config import load_run
    from libra_ray.sweeps.honesty import check_warmup

    run = load_run(read_source(config, config_option, sets))
    rows = None if history is None else _rows(history)
    start_ns = None
    if start is not None:
        try:
            start_ns = time_ns(start)
        except ConfigError as error:
            raise ConfigError(error.code, "--start", error.what, error.fix, error.value) from error
    data = run.data
    if not as_json:
        note(f"{count_text(data.rows, 'row')}")
    check = check_warmup(run.system, data=data, start_ns=start_ns, histories=rows, workers=workers)
    document = {
        "settled": check.is_settled,
        "needed_rows": check.needed_rows,
        "start": time_text(check.start_ns),
        "rows": [_row_document(row) for row in check.rows],
        "engine": check.engine,
    }
    return Answer(document, lambda out: _show_warmup(out, check), 0 if check.is_settled else 1)


def _rows(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        what = f"{quoted(text)} is not a list of rows"
        raise ConfigError("CONF002", "--history", what, "Write for example 0,100,1000.", text) from None


def _row_document(row: "WarmupRow") -> dict[str, Any]:
    from libra_ray.data import time_text

    return {
        "history_rows": row.history_rows,
        "orders": row.orders,
        "differing": row.differing,
        "differs": None if row.differs_ns is None else time_text(row.differs_ns),
        "figures": dict(row.figures or {}),
        "indicators": dict(row.indicators or {}),
        "moved": dict(row.moved or {}),
        "error": row.error or None,
    }


def _show_warmup(out: TextIO, check: "WarmupCheck") -> None:
    from libra_ray.analysis.wording import FIGURES, figure_text
    from libra_ray.data import time_text

    figures = list(check.rows[-1].figures or {})
    moving = [name for name in check.rows[-1].moved or {} if any((row.moved or {}).get(name) for row in check.rows)]
    shown = moving[:SHOWN_INDICATORS]
    lines = []
    for row in check.rows:
        moved = [_percent((row.moved or {}).get(name)) for name in shown]
        if row.error:
            lines.append([row.history_rows, row.error, *[None] * (len(figures) + len(shown) + 1)])
            continue
        texts = [figure_text(name, (row.figures or {}).get(name)) for name in figures]
        lines.append([row.history_rows, row.orders, row.differing, *texts, *moved])
    labels = [FIGURES[name].label if name in FIGURES else name for name in figures]
    header = ["history", "orders", "differing", *labels, *shown]
    print_table(out, header, lines, title=f"From {time_text(check.start_ns)} on, by rows of history before it")
    if len(moving) > len(shown):
        out.write(f"{len(moving) - len(shown)} more indicators move\n")
    most = check.rows[-1].history_rows
    if check.needed_rows is None:
        out.write(f"not settled: with {most:,} rows of history, all there are, orders still change\n")
    else:
        out.write(f"settled: from {check.needed_rows:,} rows of history on, all orders are those with {most:,}\n")


def _percent(moved: float | None) -> str | None:
    """`+0.12 %`; `0 %` for nothing, `<0.0001 %` for next to nothing."""
    if moved is None:
        return None
    if moved == 0:
        return "0 %"
    return f"{moved * 100:+.4f} %" if abs(moved) >= SMALL else "<0.0001 %"
