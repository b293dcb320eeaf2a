"""What the caller of an import declares: nothing that changes a result is guessed."""

from typing import Any, Final, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, ValidationError, field_validator

from libra_ray.config import Settings
from libra_ray.data.wording import Wording
from libra_ray.errors import ConfigError, did_you_mean, quoted

__all__ = ["ImportOptions"]

MAX_BATCH_BYTES: Final = 64 * 1024 * 1024
MAX_DECOMPRESSED_BYTES: Final = 256 * 1024 * 1024


class ImportOptions(Settings):
    """Declarations and policies of one import. Without any, a doubtful row is an error and no value is changed.

    Attributes:
        columns: our name -> the file's column, such as `{"close": "last"}`; an empty text for `volume`, `bid_qty` or
            `ask_qty` says that the file has none, and the column is zeros; for a column that a file may lack, as
            `aggressor`, that it is not read. `symbol` is the column that says whose a row is.
        column_names: the names of the columns of a text file without a header line.
        skip_lines: lines of a text file above its header, or above its first row if the names are declared.
        delimiter: between the fields of a text file; None = the most frequent of `, ; | tab` in its first line.
        decimal, thousands: how numbers are written in a text file.
        price_decimals: the file's prices are integers of 10^-n.
        ts_unit: of numeric times; None = by their size.
        ts_format: of text times, in the letters of `strptime`, with `%f` for one to nine decimals of a second; None =
            ISO 8601 or `YYYYMMDD`.
        tz: the zone of times without a UTC offset, such as `UTC`, `America/New_York` or `-05:00`.
        day: numeric times count from local midnight of this `YYYY-MM-DD`.
        stamp: whether a bar's time is its close or its open; opens are moved by the period.
        on_null, on_bad_bar: rows without a value, and bars whose high, low, open, close contradict each other.
        sort, dedup: order by time (stable), and which bar of a time stays.
        round, off_tick: values with more decimals than the instrument, and prices off its tick.
        on_gap: bars that are not there: kept as gaps and counted, an error, or filled with bars of the close before
            them and no volume.
        max_crossed_fraction: of quotes whose bid is at or above their ask; None = they are counted only.
        clock_offset_ns: what is added to each receive time of a capture whose recorder's clock was behind.
        on_sequence_gap: a hole in a captured chain of book changes, or a book without its beginning.
        continues: the capture of the same session before this one, whose book goes on here.
        book: book changes of a capture as they came (`levels`), or made ready for a replay: the snapshot as a clear and
            its levels, without what the venue's rule drops before it (`replay`).
        drop_suspicious: trades that the vendor marked as doubtful are left out, and counted.
        quote_side: bars of quotes give bars of this side too, beside the quotes at their closes.
        max_batch_bytes: of one column, unless `streaming`, which keeps what was read in a temporary file instead.
        wording: the language in which a message names these options.

    """

    columns: dict[str, str] = Field(default_factory=dict)
    column_names: tuple[str, ...] = ()
    skip_lines: NonNegativeInt = 0
    delimiter: str | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", "'", " ", "_"] = ""
    price_decimals: NonNegativeInt = 0
    ts_unit: Literal["s", "ms", "us", "ns"] | None = None
    ts_format: str | None = None
    tz: str | None = None
    day: str | None = None
    stamp: Literal["close", "open"] = "close"
    on_null: Literal["error", "drop"] = "error"
    on_bad_bar: Literal["error", "drop"] = "error"
    sort: bool = False
    dedup: Literal["error", "first", "last"] = "error"
    round: Literal["half-even"] | None = None
    off_tick: Literal["error", "keep"] = "error"
    allow_negative_prices: bool = False
    on_gap: Literal["keep", "error", "fill"] = "keep"
    max_crossed_fraction: float | None = Field(default=None, ge=0, le=1)
    clock_offset_ns: int = 0
    on_sequence_gap: Literal["error", "keep"] = "error"
    continues: str | None = None
    book: Literal["levels", "replay"] = "levels"
    drop_suspicious: bool = False
    quote_side: Literal["bid", "ask"] | None = None
    streaming: bool = False
    max_batch_bytes: PositiveInt = MAX_BATCH_BYTES
    max_decompressed_bytes: PositiveInt = MAX_DECOMPRESSED_BYTES
    wording: Wording = Wording.PYTHON

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        if value is not None and (len(value) != 1 or value in '\r\n"'):
            raise ValueError("is not one character")
        return value

    @classmethod
    def of(cls, given: dict[str, Any]) -> "ImportOptions":
        """Checked options. Raises `ConfigError` CONF001 for an unknown name, CONF002 for a wrong value."""
        for name in given:
            if name not in cls.model_fields:
                fix = did_you_mean(name, list(cls.model_fields))
                raise ConfigError("CONF001", name, "unknown key", fix, name)
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            what = f"{quoted(first['input'])} is not allowed ({first['msg']})"
            raise ConfigError("CONF002", name, what, "Correct the value.", str(first["input"])) from error
