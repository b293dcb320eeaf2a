"""`libra data import`: a foreign file into a catalog, or, with `--dry-run`, only what is seen in it."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, cast, get_args

import typer

from libra_ray.cli.answer import Answer, error_document
from libra_ray.cli.data_instruments import choose_instrument, known_instruments
from libra_ray.cli.options import Debug, Json, Sets
from libra_ray.cli.tables import count_text, print_facts, print_table
from libra_ray.errors import ConfigError, DataError, did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from libra_ray.config import ConfigSource
    from libra_ray.data import Catalog, FileSurvey, ImportOptions, ImportStream
    from libra_ray.data.formats.frames import Frame
    from libra_ray.data.importer import OpenedFile
    from libra_ray.data.parquet_catalog import OnOverlap
    from libra_ray.model.instruments import Instrument

    Chooser = Callable[..., Any]

__all__ = ["import_data"]

Text = str | None
_SHOWN = ("gaps", "missing_bars", "longest_gap")
"""Counts that the line of the gaps tells."""


def _option(name: str, text: str, metavar: str = "WORD") -> Any:  # noqa: ANN401  # what typer takes as a parameter
    return typer.Option(f"--{name}", metavar=metavar, help=text, show_default=False)


def _switch(name: str, text: str) -> Any:  # noqa: ANN401  # what typer takes as a parameter
    return typer.Option(f"--{name}", help=text, show_default=False)


def import_data(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV, JSON lines (also .gz, .zip), Parquet, Feather ...")
    ],
    *,
    instrument: Annotated[Text, _option("instrument", "Such as EURUSD.SIM.", "ID")] = None,
    kind: Annotated[Text, _option("type", "bars, quotes, trades ...; else what the file holds.", "TYPE")] = None,
    period: Annotated[str, _option("period", "Of bars: 1m, 1h, 1d ...", "PERIOD")] = "",
    catalog: Annotated[Path, typer.Option("--catalog", metavar="DIR", help="The catalog's folder.")] = Path("catalog"),
    dry_run: Annotated[bool, _switch("dry-run", "Say what is seen and what would be refused; write nothing.")] = False,
    format_name: Annotated[Text, _option("format", "How the file is written; else by its look.", "NAME")] = None,
    profile: Annotated[Path | None, _option("profile", "A file that remembers these options.", "FILE")] = None,
    save_profile: Annotated[Path | None, _option("save-profile", "Remember these options in a file.", "FILE")] = None,
    instruments: Annotated[Path | None, _option("instruments", "CCXT markets or LEAN's properties.", "FILE")] = None,
    define: Annotated[Text, _option("kind", "Define the instrument: pair, equity, future, perpetual.", "KIND")] = None,
    base: Annotated[Text, _option("base", "Its base currency.", "CODE")] = None,
    quote: Annotated[Text, _option("quote", "Its quote currency.", "CODE")] = None,
    tick: Annotated[Text, _option("tick", "Its price step, which sets the decimals of prices.", "DECIMAL")] = None,
    step: Annotated[Text, _option("step", "Its quantity step, which sets the decimals of sizes.", "DECIMAL")] = None,
    column: Annotated[
        list[str] | None, _option("column", "Map a column: close=last; symbol= for none.", "OURS=THEIRS")
    ] = None,
    column_names: Annotated[Text, _option("column-names", "Of a file without header: ts,open,...", "NAMES")] = None,
    skip_lines: Annotated[int | None, _option("skip-lines", "Lines above the header or the first row.", "N")] = None,
    delimiter: Annotated[Text, _option("delimiter", "Between fields.", "CHAR")] = None,
    decimal: Annotated[Text, _option("decimal", "Decimal sign: '.' or ','.", "CHAR")] = None,
    thousands: Annotated[Text, _option("thousands", "Thousands separator.", "CHAR")] = None,
    price_decimals: Annotated[int | None, _option("price-decimals", "Prices are integers of 10^-N.", "N")] = None,
    ts_unit: Annotated[Text, _option("ts-unit", "Of numeric times: s, ms, us, ns.", "UNIT")] = None,
    ts_format: Annotated[Text, _option("ts-format", "Of text times: %d.%m.%Y %H:%M:%S.%f", "FORMAT")] = None,
    tz: Annotated[Text, _option("tz", "Zone of times without an offset.", "NAME")] = None,
    day: Annotated[Text, _option("day", "Times count from this day's midnight.", "DATE")] = None,
    stamp: Annotated[Text, _option("stamp", "A bar's time is its close or open.")] = None,
    on_null: Annotated[Text, _option("on-null", "Rows without a value: error or drop.")] = None,
    on_bad_bar: Annotated[Text, _option("on-bad-bar", "Impossible bars: error or drop.")] = None,
    on_gap: Annotated[Text, _option("on-gap", "Bars that are not there: keep, error or fill.")] = None,
    dedup: Annotated[Text, _option("dedup", "Second bar of a time: error, first or last.")] = None,
    rounding: Annotated[Text, _option("round", "Too many decimals: half-even rounds and counts.")] = None,
    off_tick: Annotated[Text, _option("off-tick", "Prices off the tick: error or keep.")] = None,
    max_crossed: Annotated[float | None, _option("max-crossed-fraction", "Of quotes: 0 to 1.", "FRACTION")] = None,
    sort: Annotated[bool, _switch("sort", "Sort by time.")] = False,
    allow_negative_prices: Annotated[bool, _switch("allow-negative-prices", "Prices may be 0 or below.")] = False,
    clock_offset_ns: Annotated[int | None, _option("clock-offset-ns", "Added to receive times.", "NS")] = None,
    on_sequence_gap: Annotated[Text, _option("on-sequence-gap", "Holes in a capture: error or keep.")] = None,
    continues: Annotated[Text, _option("continues", "The capture before this one.", "FILE")] = None,
    book: Annotated[Text, _option("book", "Book of a capture: levels or replay.")] = None,
    quote_side: Annotated[Text, _option("quote-side", "Bars of bid or ask from bars of quotes.")] = None,
    drop_suspicious: Annotated[bool, _switch("drop-suspicious", "Leave out trades marked as doubtful.")] = False,
    on_overlap: Annotated[Text, _option("on-overlap", "Times in the catalog already: error, keep or replace.")] = None,
    streaming: Annotated[bool, _switch("streaming", "Files of any size, block by block.")] = False,
    config: Annotated[Path | None, _option("config", "A run file with [[instrument]] tables.", "FILE")] = None,
    sets: Sets = None,
    _json: Json = False,
    _debug: Debug = False,
) -> Answer:
    """Check a file of market data and write it into the catalog. Every change is declared and counted."""
    from libra_ray.config import ConfigSource
    from libra_ray.data import catalog as catalog_at
    from libra_ray.data.importer import open_file
    from libra_ray.model.identifiers import check_instrument_id

    source = ConfigSource.read(config, environment=os.environ, sets=sets or [])
    remembered = _profile(profile)
    flags: dict[str, Any] = {
        "columns": _columns(column or []) or None,
        "column_names": column_names.split(",") if column_names else None,
        "skip_lines": skip_lines,
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
        "on_gap": on_gap,
        "dedup": dedup,
        "round": rounding,
        "off_tick": off_tick,
        "max_crossed_fraction": max_crossed,
        "sort": sort or None,
        "allow_negative_prices": allow_negative_prices or None,
        "clock_offset_ns": clock_offset_ns,
        "on_sequence_gap": on_sequence_gap,
        "continues": continues,
        "book": book,
        "quote_side": quote_side,
        "drop_suspicious": drop_suspicious or None,
        "streaming": streaming or None,
    }
    kind, period = kind or remembered.pop("type", None), period or remembered.pop("period", "")
    format_name = format_name or remembered.pop("format", None)
    options = _options(source, remembered, {name: value for name, value in flags.items() if value is not None})
    if instrument is not None:
        check_instrument_id(instrument)
    _check_kind(kind, period)
    _check_overlap(on_overlap)
    target = catalog_at(catalog)
    definition = {"kind": define, "base": base, "quote": quote, "tick": tick, "step": step}
    defined = {name: text for name, text in definition.items() if text}
    opened = open_file(path, kind, format=format_name, options=options)
    known = known_instruments(instruments, instrument, opened.frames)

    def instrument_of(frame: "Frame", *, required: bool = True) -> "Instrument | None":
        return choose_instrument(instrument, frame, defined, known, source, target, required=required)

    named = None if instrument is None else instrument_of(opened.frames[0])
    if dry_run:
        return _seen(opened, kind, period, named, instrument_of, save_profile)
    streams = _streams(opened, kind, period, named, instrument_of)
    documents = [_written(stream, target, catalog, on_overlap or "error") for stream in streams]
    if save_profile is not None:
        _save(save_profile, options, documents[0]["report"]["columns"], documents[0], opened.format_name)
    return Answer(documents[0] if len(documents) == 1 else {"imports": documents}, lambda out: _show(out, documents))


def _streams(
    opened: "OpenedFile", kind: Text, period: str, named: "Instrument | None", instrument_of: "Chooser"
) -> "list[ImportStream]":
    """What is to be imported. Several types in one file are all gone through before the first is written."""
    frames = _wanted(opened, kind, named)
    made = [_stream(opened, frame, period, instrument_of) for frame in frames]
    if len(made) > 1:
        for stream in made:
            for _ in stream:
                pass
        made = [_stream(opened, frame, period, instrument_of) for frame in frames]
    return made


def _stream(opened: "OpenedFile", frame: "Frame", period: str, instrument_of: "Chooser") -> "ImportStream":
    is_bars = frame.kind == "bars"
    if is_bars and not (frame.period or period):
        raise ConfigError("CONF002", "--period", "bars need their period", "Write for example --period 1h.")
    instrument = instrument_of(frame)
    return opened.stream(frame, instrument, period if is_bars else "")


def _wanted(opened: "OpenedFile", kind: Text, named: "Instrument | None") -> "list[Frame]":
    """The frames of the type that was asked for, and of the instrument that was named, if one was."""
    found = opened.frames_of(named, kind)
    if not found:
        held = ", ".join(sorted({frame.kind for frame in opened.frames})) or "nothing"
        raise ConfigError("CONF008", opened.source, f"the file holds {held}, not {kind}", "Give one of these types.")
    return found


def _written(stream: "ImportStream", target: "Catalog", folder: Path, on_overlap: str) -> dict[str, Any]:
    from libra_ray.data.catalog_imports import import_into

    entry = import_into(target, stream, on_overlap=cast("OnOverlap", on_overlap))
    report = asdict(stream.report)
    return {
        "instrument": stream.instrument.id,
        "type": stream.schema.name,
        "period": stream.period,
        "rows": report["rows"],
        "start_ns": report["start_ns"],
        "end_ns": report["end_ns"],
        "written": str(folder / entry.file),
        "changes": dict(entry.counts),
        "report": report,
    }


def _show(out: TextIO, documents: "list[dict[str, Any]]") -> None:
    for document in documents:
        counts = {name.replace("_", " "): count for name, count in document["changes"].items()}
        span = {"first": _time(document["start_ns"]), "last": _time(document["end_ns"])}
        notes = {"note" if not number else f"note {number + 1}": note for number, note in enumerate(_notes(document))}
        label = f"{document['instrument']} {document['type']} {document['period']}".rstrip()
        facts = {"rows": document["rows"], **span, **counts, **notes, "written": document["written"]}
        print_facts(out, facts, title=label)


def _notes(document: "Mapping[str, Any]") -> "tuple[str, ...]":
    return tuple(document["report"]["notes"])


def _seen(
    opened: "OpenedFile",
    kind: Text,
    period: str,
    named: "Instrument | None",
    instrument_of: "Chooser",
    save_profile: Path | None,
) -> Answer:
    """What a dry run answers. A file that would be refused ends it as the import would end."""
    from libra_ray.config import first_of
    from libra_ray.data.file_survey import survey

    surveys, documents = [], []
    refusals: list[DataError] = []
    for frame in _wanted(opened, kind, named):
        made: Instrument | None = instrument_of(frame, required=False)
        seen = survey(
            frame,
            opened.options,
            instrument=made,
            period=period,
            source=opened.source,
            format_name=opened.format_name,
            packing=opened.packing,
        )
        surveys.append(seen)
        documents.append(_document(seen, made))
        refusals += [] if seen.refusal is None else [seen.refusal, *seen.refusal.more]  # type: ignore[list-item]  # all are of the data
    if save_profile is not None:
        columns = {column.ours: column.name for column in surveys[0].columns if column.ours}
        _save(save_profile, opened.options, columns, documents[0], opened.format_name)
    document = documents[0] if len(documents) == 1 else {"imports": documents}
    if refusals:
        refusals[0].more = ()
        failure = first_of(refusals)
        for error in (failure, *failure.more):
            typer.echo(error.message, err=True)
        document |= error_document(failure)
    return Answer(document, lambda out: _show_seen(out, surveys), exit_code=refusals[0].exit_code if refusals else 0)


def _document(seen: "FileSurvey", instrument: "Instrument | None") -> dict[str, Any]:
    facts = {
        name: value for name, value in asdict(seen).items() if name not in ("refusal", "start_ns", "end_ns", "rows")
    }
    return {
        "instrument": None if instrument is None else instrument.id,
        "type": seen.type,
        "period": seen.period,
        "rows": seen.rows,
        "start_ns": seen.start_ns,
        "end_ns": seen.end_ns,
        "written": None,
        "seen": facts,
    }


def _show_seen(out: TextIO, surveys: "list[FileSurvey]") -> None:
    for seen in surveys:
        has_bars = seen.type == "bars"
        facts: dict[str, object] = {
            "format": " ".join(part for part in (seen.format, seen.packing) if part),
            "rows": seen.rows,
            "first": None if seen.start_ns is None else _time(seen.start_ns),
            "last": None if seen.end_ns is None else _time(seen.end_ns),
            "times": seen.times,
            "zone": seen.zone,
            "decimals": f"{seen.price_decimals} of prices, {seen.size_decimals} of sizes",
            "duplicates": seen.duplicates,
            "disorder": seen.disorder,
        }
        if has_bars:
            missing = count_text(seen.missing_bars, "missing bar")
            facts["gaps"] = f"{seen.gaps:,} with {missing}, the longest {seen.longest_gap:,}" if seen.gaps else 0
        facts |= {name.replace("_", " "): count for name, count in seen.counts.items() if name not in _SHOWN}
        facts |= {f"note {number}": note for number, note in enumerate(seen.notes, 1)}
        print_facts(out, facts, title=f"{seen.source}: {seen.type} {seen.period}".rstrip())
        rows = [[each.name, each.ours or "-", each.missing, each.decimals] for each in seen.columns]
        print_table(out, ["column", "read as", "missing", "decimals"], rows)
    out.write("nothing written (dry run)\n")


def _columns(given: list[str]) -> dict[str, str]:
    """`close=last` as a mapping; an empty right side says that the file has no such column."""
    for each in given:
        if "=" not in each:
            raise ConfigError("CONF000", "--column", f"{quoted(each)} is not OURS=THEIRS", "Write close=last.", each)
    return dict(each.split("=", 1) for each in given)


def _profile(path: Path | None) -> dict[str, Any]:
    from libra_ray.data.import_profile import read_profile

    return {} if path is None else read_profile(path)


def _save(
    path: Path, options: "ImportOptions", columns: "Mapping[str, str]", document: "Mapping[str, Any]", name: str
) -> None:
    from libra_ray.cli.toml_text import toml_text
    from libra_ray.data.import_profile import profile_of

    kept = profile_of(options, columns, kind=document["type"], period=document["period"], format_name=name)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(toml_text(kept))
    except OSError as error:
        what = f"{quoted(path)} cannot be written ({error.strerror})"
        raise ConfigError("CONF002", "--save-profile", what, "Give a new file.", str(path)) from error


def _options(source: "ConfigSource", remembered: "Mapping[str, Any]", flags: dict[str, Any]) -> "ImportOptions":
    """Options from `data.` keys of the layers, with those of a profile and of the command line over them."""
    from pydantic import ValidationError

    from libra_ray.config import errors_of, first_of
    from libra_ray.data import ImportOptions, Wording

    layered = source.at("data") or {}
    known = {name: value for name, value in layered.items() if name in ImportOptions.model_fields}
    try:
        return ImportOptions(**{**known, **remembered, **flags, "wording": Wording.COMMAND})
    except ValidationError as error:

        def place(keys: Any) -> str:  # noqa: ANN401  # pydantic's location
            flag = f"--{str(keys[0]).replace('_', '-')}"
            if keys[0] in flags:
                return flag
            return f"profile {keys[0]}" if keys[0] in remembered else source.place("data", *keys)

        raise first_of(errors_of(ImportOptions, error, place)) from None


def _check_overlap(policy: Text) -> None:
    if policy is None:
        return
    from libra_ray.data.parquet_catalog import OnOverlap

    known = list(get_args(OnOverlap))
    if policy not in known:
        fix = did_you_mean(policy, known)
        raise ConfigError("CONF002", "--on-overlap", f"{quoted(policy)} is no policy", fix, policy)


def _check_kind(kind: Text, period: str) -> None:
    from libra_ray.messages.schemas import SCHEMAS

    if kind is not None and kind not in SCHEMAS:
        fix = did_you_mean(kind, list(SCHEMAS))
        raise ConfigError("CONF002", "--type", f"{quoted(kind)} is not importable", fix, kind)
    if kind not in (None, "bars") and period:
        raise ConfigError("CONF002", "--period", f"{kind} have no period", "Leave it out.", period)


def _time(ts_ns: int) -> str:
    from libra_ray.data import time_text

    return time_text(ts_ns)
