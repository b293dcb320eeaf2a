"""The standard frame between a file and our types: raw columns of which it is said what they mean, and nothing else.

A format reads a file into frames, the wrangler makes batches of them. A frame is neither checked nor changed: its
values are those of the file, and each row can still be named by its place there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile
from libra_ray.data.raw_tables import RawTable

__all__ = ["HEAD_BYTES", "Format", "Frame", "Head", "InstrumentHint", "declared_options"]

HEAD_BYTES: Final = 64 << 10


@dataclass(frozen=True, kw_only=True)
class InstrumentHint:
    """What a file says of its instrument; empty where it says nothing.

    Attributes:
        symbol: as the file writes it, in capitals: `BTCUSDT`.
        venue: our name of the venue: `BINANCE`.
        kind: `pair`, `equity`, `future`, `perpetual`.
        raw_symbol: the venue's own spelling, if it differs.

    """

    symbol: str = ""
    venue: str = ""
    kind: str = ""
    base: str = ""
    quote: str = ""
    inverse: bool = False
    raw_symbol: str = ""

    @property
    def instrument_id(self) -> str:
        """`SYMBOL.VENUE`, or empty where one of them is not known."""
        return f"{self.symbol}.{self.venue}" if self.symbol and self.venue else ""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Rows of one type in the order of the file.

    Attributes:
        kind: the name of a schema: `bars`, `quotes`, `trades`, `book_deltas` and so on.
        table: the raw columns with the place of each row.
        columns: our name -> the column's name in `table`; with both `ts` and `ts_init` the second orders the replay.
        declared: fields of `ImportOptions` that the format knows: zone and unit of times, implied decimals, stamp.
        period: of bars, where the file says it.
        counts: what the format left out or noticed, for the report and the manifest.
        notes: sentences for the same places.

    """

    kind: str
    table: RawTable
    columns: Mapping[str, str]
    declared: Mapping[str, Any] = field(default_factory=dict)
    period: str = ""
    hint: InstrumentHint = InstrumentHint()
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Head(NamedTuple):
    """What is looked at to tell formats apart.

    Attributes:
        first: the first 64 KiB, unpacked; empty where they cannot be read.
        inner_name: of the archive's first file, or the file's own without `.gz`.

    """

    file: RawFile
    first: bytes
    inner_name: str

    @property
    def first_line(self) -> bytes:
        """The first line that is not blank, without its end."""
        for line in self.first.removeprefix(b"\xef\xbb\xbf").splitlines():
            if line.strip():
                return line
        return b""


class Format(Protocol):
    """One way to write market data into files."""

    name: str

    def matches(self, head: Head) -> bool:
        """Whether a file that begins so is of this format. Never raises."""
        ...

    def frames(self, file: RawFile, options: ImportOptions) -> list[Frame]:
        """The rows of the file, by type. Raises `DataError` for the first fault of the file as a whole."""
        ...


def declared_options(frame: Frame, options: ImportOptions) -> ImportOptions:
    """The caller's options with the format's declarations where the caller said nothing."""
    given = options.model_fields_set
    return options.model_copy(update={name: value for name, value in frame.declared.items() if name not in given})
