"""`libra data`: foreign files into a catalog, what a catalog holds, whether it is sound, and synthetic data."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final, TextIO

import typer

from libra_ray.cli.answer import Answer
from libra_ray.cli.data_import import import_data
from libra_ray.cli.data_instruments import named_instrument
from libra_ray.cli.options import Debug, Json
from libra_ray.cli.tables import count_text, print_facts, print_table
from libra_ray.errors import ConfigError, did_you_mean, quoted

__all__ = ["data"]

data = typer.Typer(help="Import files into a catalog, list and check it, make synthetic data.")
DEFAULT_CATALOG: Final = Path("catalog")
GAPS_SHOWN: Final = 10
DEFINITION: Final = ("kind", "base", "quote", "tick", "step")

CatalogFolder = Annotated[Path, typer.Option("--catalog", metavar="DIR", help="The catalog's folder.")]
InstrumentId = Annotated[str, typer.Option("--instrument", metavar="ID", help="Such as EURUSD.SIM.")]
Type = Annotated[str, typer.Option("--type", metavar="TYPE", help="bars, quotes or trades.")]
Period = Annotated[str, typer.Option("--period", metavar="PERIOD", help="Of bars: 1m, 1h, 1d ...")]
Text = str | None


def _option(name: str, text: str, metavar: str = "WORD") -> Any:  # noqa: ANN401  # what typer takes as a parameter
    return typer.Option(f"--{name}", metavar=metavar, help=text, show_default=False)


data.command("import")(import_data)


@data.command("ls")
def ls(
    *,
    catalog: CatalogFolder = DEFAULT_CATALOG,
    samples: Annotated[bool, typer.Option("--samples", help="The real data in packages.", show_default=False)] = False,
    _json: Json = False,
    _debug: Debug = False,
) -> Answer:
    """List what a catalog holds: instruments, types, rows, time ranges."""
    if samples:
        from libra_ray.data import samples as known

        return Answer({"samples": list(known())}, lambda out: out.writelines(f"{name}\n" for name in known()))
    from libra_ray.data import catalog as catalog_at

    entries = catalog_at(catalog).ls()

    def show(out: TextIO) -> None:
        if not entries:
            out.write(f"no data in {catalog}\n")
            return
        header = ["instrument", "type", "period", "rows", "first", "last", "bytes", "source"]
        rows = [
            [e.instrument_id, e.type, e.period, e.rows, _time(e.start_ns), _time(e.end_ns), e.bytes, e.source]
            for e in entries
        ]
        print_table(out, header, rows)

    return Answer({"catalog": str(catalog), "entries": [asdict(entry) for entry in entries]}, show)


@data.command("check")
def check(*, catalog: CatalogFolder = DEFAULT_CATALOG, _json: Json = False, _debug: Debug = False) -> Answer:
    """Read every file of a catalog: hashes, rows, order of times; list the gaps in bars. Exit 3 for a fault."""
    from libra_ray.config import first_of
    from libra_ray.data import catalog as catalog_at

    found = catalog_at(catalog).check()
    if found.errors:
        raise first_of(found.errors)

    def show(out: TextIO) -> None:
        missing = sum(gap.missing for gap in found.gaps)
        files = count_text(found.entries, "file")
        out.write(f"{files}, {found.rows:,} rows, sound\n")
        out.write(f"{count_text(len(found.gaps), 'gap')} with {missing:,} missing bars\n")
        out.writelines(
            f"  {gap.instrument_id} {gap.period}: {gap.missing:,} after {_time(gap.after_ns)}\n"
            for gap in found.gaps[:GAPS_SHOWN]
        )
        if len(found.gaps) > GAPS_SHOWN:
            out.write(f"  and {len(found.gaps) - GAPS_SHOWN:,} more\n")

    gaps = [asdict(gap) for gap in found.gaps]
    return Answer({"catalog": str(catalog), "files": found.entries, "rows": found.rows, "gaps": gaps}, show)


@data.command("compact")
def compact(
    *,
    catalog: CatalogFolder = DEFAULT_CATALOG,
    rows_max: Annotated[int | None, typer.Option("--rows-max", min=1, help="Of one file.", show_default=False)] = None,
    _json: Json = False,
    _debug: Debug = False,
) -> Answer:
    """Join neighbouring files of a catalog to few large ones. Their rows stay as they are."""
    from libra_ray.data import catalog as catalog_at

    place = catalog_at(catalog)
    before = len(place.ls())
    made = place.compact() if rows_max is None else place.compact(rows_max=rows_max)
    after = len(place.ls())
    document = {"catalog": str(catalog), "before": before, "after": after, "entries": [asdict(entry) for entry in made]}
    return Answer(document, lambda out: print_facts(out, {"files before": before, "files now": after}))


@data.command("synth")
def make_synthetic(
    *,
    instrument: InstrumentId,
    kind: Type = "bars",
    period: Period = "",
    rows: Annotated[int, typer.Option("--rows", min=1, help="How many.")] = 100_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="One seed gives the same data on every machine.")] = 1,
    price: Annotated[str, typer.Option("--price", metavar="DECIMAL", help="Where it begins.")] = "100",
    volatility: Annotated[float, typer.Option("--volatility", help="Deviation of one bar's return.")] = 0.001,
    catalog: CatalogFolder = DEFAULT_CATALOG,
    config: Annotated[
        Path | None, _option("config", "A run file whose [[instrument]] tables define it.", "FILE")
    ] = None,
    _json: Json = False,
    _debug: Debug = False,
) -> Answer:
    """Make seeded synthetic bars, quotes or trades and write them into the catalog."""
    from libra_ray.config import ConfigSource
    from libra_ray.data import catalog as catalog_at
    from libra_ray.data import synth

    source = ConfigSource.read(config)
    target = catalog_at(catalog)
    made = named_instrument(instrument, {}, source, target)
    _check_kind(kind, period or ("1h" if kind == "bars" else ""))
    length = period or "1h" if kind == "bars" else ""
    (stream,) = synth(kind, made, rows=rows, period=length, seed=seed, price=price, volatility=volatility).streams
    entry = target.write(made, stream.schema, stream.table, length, source=f"synth seed {seed}")
    document = {
        "instrument": made.id,
        "type": kind,
        "period": length,
        "rows": stream.rows,
        "start_ns": entry.start_ns,
        "end_ns": entry.end_ns,
        "digest": stream.digest,
        "written": str(catalog / entry.file),
    }
    facts = {"rows": stream.rows, "first": _time(entry.start_ns), "last": _time(entry.end_ns), "seed": seed}
    label = f"{made.id} {kind} {length}".rstrip()
    return Answer(document, lambda out: print_facts(out, {**facts, "written": document["written"]}, title=label))


def _check_kind(kind: str, period: str) -> None:
    if kind not in ("bars", "quotes", "trades"):
        names = ["bars", "quotes", "trades"]
        raise ConfigError("CONF002", "--type", f"{quoted(kind)} is not importable", did_you_mean(kind, names), kind)
    if kind == "bars" and not period:
        raise ConfigError("CONF002", "--period", "bars need their period", "Write for example --period 1h.")
    if kind != "bars" and period:
        raise ConfigError("CONF002", "--period", f"{kind} have no period", "Leave it out.", period)


def _time(ts_ns: int) -> str:
    from libra_ray.data import time_text

    return time_text(ts_ns)
