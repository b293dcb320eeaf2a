"""`libra data`: foreign files into a catalog, what a catalog holds, whether it is sound, and synthetic data."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO

import typer

from libra_ray.cli.answer import Answer
from libra_ray.cli.options import Debug, Json, Sets
from libra_ray.cli.tables import count_text, print_facts, print_table
from libra_ray.errors import ConfigError, did_you_mean, quoted

if TYPE_CHECKING:
    from libra_ray.config import ConfigSource
    from libra_ray.data import Catalog, ImportOptions
    from libra_ray.model.instruments import Instrument

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


@data.command("import")
def import_data(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="CSV (also .gz, .zip) or Parquet.")],
    *,
    instrument: InstrumentId,
    kind: Type = "bars",
    period: Period = "",
    catalog: CatalogFolder = DEFAULT_CATALOG,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only, write nothing.", show_default=False)] = False,
    define: Annotated[Text, _option("kind", "Define the instrument: pair, equity, future, perpetual.", "KIND")] = None,
    base: Annotated[Text, _option("base", "Its base currency.", "CODE")] = None,
    quote: Annotated[Text, _option("quote", "Its quote currency.", "CODE")] = None,
    tick: Annotated[Text, _option("tick", "Its price step, which sets the decimals of prices.", "DECIMAL")] = None,
    step: Annotated[Text, _option("step", "Its quantity step, which sets the decimals of sizes.", "DECIMAL")] = None,
    column: Annotated[list[str] | None, _option("column", "Map a column: close=last.", "OURS=THEIRS")] = None,
    column_names: Annotated[Text, _option("column-names", "Of a file without header: ts,open,...", "NAMES")] = None,
    delimiter: Annotated[Text, _option("delimiter", "Between fields.", "CHAR")] = None,
    decimal: Annotated[Text, _option("decimal", "Decimal sign: '.' or ','.", "CHAR")] = None,
    thousands: Annotated[Text, _option("thousands", "Thousands separator.", "CHAR")] = None,
    price_decimals: Annotated[int | None, _option("price-decimals", "Prices are integers of 10^-N.", "N")] = None,
    ts_unit: Annotated[Text, _option("ts-unit", "Of numeric times: s, ms, us, ns.", "UNIT")] = None,
    ts_format: Annotated[Text, _option("ts-format", "Of text times, as strptime has it.", "FORMAT")] = None,
    tz: Annotated[Text, _option("tz", "Zone of times without an offset.", "NAME")] = None,
    day: Annotated[Text, _option("day", "Times count from this day's midnight.", "DATE")] = None,
    stamp: Annotated[Text, _option("stamp", "A bar's time is its close or open.")] = None,
    on_null: Annotated[Text, _option("on-null", "Rows without a value: error or drop.")] = None,
    on_bad_bar: Annotated[Text, _option("on-bad-bar", "Impossible bars: error or drop.")] = None,
    dedup: Annotated[Text, _option("dedup", "Second bar of a time: error, first or last.")] = None,
    rounding: Annotated[Text, _option("round", "Too many decimals: half-even rounds and counts.")] = None,
    off_tick: Annotated[Text, _option("off-tick", "Prices off the tick: error or keep.")] = None,
    sort: Annotated[bool, typer.Option("--sort", help="Sort by time.", show_default=False)] = False,
    allow_negative_prices: Annotated[
        bool, typer.Option("--allow-negative-prices", help="Prices may be 0 or below.", show_default=False)
    ] = False,
    streaming: Annotated[
        bool, typer.Option("--streaming", help="Large files, through a temporary file.", show_default=False)
    ] = False,
    config: Annotated[
        Path | None, _option("config", "A run file whose [[instrument]] tables define it.", "FILE")
    ] = None,
    sets: Sets = None,
    _json: Json = False,
    _debug: Debug = False,
) -> Answer:
    """Check a file of bars, quotes or trades and write it into the catalog. Every change is declared and counted."""
    from libra_ray.config import ConfigSource
    from libra_ray.data import catalog as catalog_at
    from libra_ray.data import import_file

    source = ConfigSource.read(config, environment=os.environ, sets=sets or [])
    flags: dict[str, Any] = {
        "columns": _columns(column or []) or None,
        "column_names": column_names.split(",") if column_names else None,
        "delimiter": {"\\t": "\t", "tab": "\t"}.get(delimiter or "", delimiter),
        "decimal": decimal,
        "thousands": thousands,
        "price_decimals": price_decimals,
        "ts_unit": ts_unit,
        "ts_format": ts_format,
        "tz": tz,
        "day": day,
        "stamp": stamp,
        "on_null": on_null,
        "on_bad_bar": on_bad_bar,
        "dedup": dedup,
        "round": rounding,
        "off_tick": off_tick,
        "sort": sort or None,
        "allow_negative_prices": allow_negative_prices or None,
        "streaming": streaming or None,
    }
    options = _options(source, {name: value for name, value in flags.items() if value is not None})
    target = catalog_at(catalog)
    definition = {"kind": define, "base": base, "quote": quote, "tick": tick, "step": step}
    made = _instrument(instrument, {name: text for name, text in definition.items() if text}, source, target)
    _check_kind(kind, period)
    imported = import_file(path, made, kind, period=period, options=options)
    entry = None if dry_run else target.add(imported)
    report = asdict(imported.report)
    document = {
        "instrument": made.id,
        "type": kind,
        "period": period,
        "rows": imported.table.num_rows,
        "start_ns": report["start_ns"],
        "end_ns": report["end_ns"],
        "written": None if entry is None else str(catalog / entry.file),
        "report": report,
    }

    def show(out: TextIO) -> None:
        counts = {name.replace("_", " "): count for name, count in report.items() if _is_change(name, count)}
        span = {"first": _time(report["start_ns"]), "last": _time(report["end_ns"])}
        where = {"written": document["written"] or "nothing (dry run)"}
        label = f"{made.id} {kind} {period}".rstrip()
        print_facts(out, {"rows": imported.table.num_rows, **span, **counts, **where}, title=label)

    return Answer(document, show)


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
    made = _instrument(instrument, {}, source, target)
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


def _columns(given: list[str]) -> dict[str, str]:
    """`close=last` as a mapping; an empty right side says that the file has no such column."""
    for each in given:
        if "=" not in each:
            raise ConfigError("CONF000", "--column", f"{quoted(each)} is not OURS=THEIRS", "Write close=last.", each)
    return dict(each.split("=", 1) for each in given)


def _options(source: "ConfigSource", flags: dict[str, Any]) -> "ImportOptions":
    """Options from `data.` keys of the layers, with those of the command line over them."""
    from pydantic import ValidationError

    from libra_ray.config import errors_of, first_of
    from libra_ray.data import ImportOptions, Wording

    layered = source.at("data") or {}
    known = {name: value for name, value in layered.items() if name in ImportOptions.model_fields}
    try:
        return ImportOptions(**{**known, **flags, "wording": Wording.COMMAND})
    except ValidationError as error:

        def place(keys: Any) -> str:  # noqa: ANN401  # pydantic's location
            flag = f"--{str(keys[0]).replace('_', '-')}"
            return flag if keys[0] in flags else source.place("data", *keys)

        raise first_of(errors_of(ImportOptions, error, place)) from None


def _instrument(
    instrument_id: str, definition: dict[str, str], source: "ConfigSource", target: "Catalog"
) -> "Instrument":
    """As the options define it, the file, the catalog, or by its id alone."""
    from libra_ray.config import read_part
    from libra_ray.model.identifiers import check_instrument_id
    from libra_ray.simulation.run_instruments import MAKERS, default_instrument, defined_instruments
    from libra_ray.simulation.run_settings import InstrumentTables

    check_instrument_id(instrument_id)
    if definition:
        guessed = default_instrument(instrument_id)
        kind = definition.pop("kind", guessed.kind)
        if kind not in MAKERS:
            raise ConfigError(
                "CONF002", "--kind", f"{quoted(kind)} is not a kind", did_you_mean(kind, list(MAKERS)), kind
            )
        facts: dict[str, Any] = {"quote": str(guessed.quote), "tick": str(guessed.price_increment)}
        facts["step"] = str(guessed.size_increment)
        if guessed.base is not None:
            facts["base"] = str(guessed.base)
        facts |= definition
        if kind == "equity":
            facts.pop("base", None)
        return MAKERS[kind](instrument_id, **facts)
    tables = read_part(InstrumentTables, source, (), lambda: InstrumentTables.model_validate(source.data))
    defined = defined_instruments(tables.instrument, source)
    known = {entry.instrument_id for entry in target.ls()}
    if instrument_id in defined:
        return defined[instrument_id]
    return target.instrument(instrument_id) if instrument_id in known else default_instrument(instrument_id)


def _check_kind(kind: str, period: str) -> None:
    if kind not in ("bars", "quotes", "trades"):
        names = ["bars", "quotes", "trades"]
        raise ConfigError("CONF002", "--type", f"{quoted(kind)} is not importable", did_you_mean(kind, names), kind)
    if kind == "bars" and not period:
        raise ConfigError("CONF002", "--period", "bars need their period", "Write for example --period 1h.")
    if kind != "bars" and period:
        raise ConfigError("CONF002", "--period", f"{kind} have no period", "Leave it out.", period)


def _is_change(name: str, value: object) -> bool:
    """Whether a field of the report counts changes, and there were some."""
    return name.startswith(("dropped", "sorted", "rounded", "off_tick")) and bool(value)


def _time(ts_ns: int) -> str:
    from libra_ray.data import time_text

    return time_text(ts_ns)
