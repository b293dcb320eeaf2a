"""What the name of a freqtrade file says: `BTC_USDT-5m.feather`, `futures/BTC_USDT_USDT-8h-funding_rate.feather`."""

import re
from dataclasses import dataclass
from typing import Final

from libra_ray.data.formats.frames import InstrumentHint
from libra_ray.data.raw_files import RawFile

__all__ = ["FreqtradeName", "named"]

_NAME: Final = re.compile(
    r"(?P<pair>[A-Za-z0-9]+_[A-Za-z0-9_]+)-(?:(?P<period>\d+(?:[smhdw]|[Mm]o|M))"
    r"(?:-(?P<candles>futures|mark|index|premiumIndex|funding_rate|spot))?|(?P<trades>trades))"
    r"\.(?:feather|json|parquet)"
)
_FUTURES: Final = "futures"
SWAP_PARTS: Final = 3


@dataclass(frozen=True)
class FreqtradeName:
    """What is known by the name.

    Attributes:
        content: `bars`, `trades`, `mark`, `index`, `funding_rate`.
        period: of candles.

    """

    content: str
    period: str
    hint: InstrumentHint


def named(file: RawFile) -> FreqtradeName | None:
    """The parts of a file's name; None for another name."""
    match = _NAME.fullmatch(file.inner_name or file.name)
    if match is None:
        return None
    parts = match.group("pair").upper().split("_")
    base, quote = parts[0], parts[1]
    settle = parts[2] if len(parts) >= SWAP_PARTS else ""
    folder = file.path.absolute().parent
    venue = folder.parent.name if folder.name == _FUTURES else folder.name
    is_swap = bool(settle) or folder.name == _FUTURES
    raw_symbol = f"{base}/{quote}:{settle}" if settle else f"{base}/{quote}"
    candles = match.group("candles") or ""
    content = "trades" if match.group("trades") else "bars" if candles in ("", "futures", "spot") else candles
    return FreqtradeName(
        content,
        match.group("period") or "",
        InstrumentHint(
            symbol=f"{base}{quote}",
            venue=re.sub(r"[^A-Z0-9_]", "", venue.upper()),
            kind="perpetual" if is_swap else "pair",
            base=base,
            quote=quote,
            inverse=bool(settle) and settle == base,
            raw_symbol=raw_symbol,
        ),
    )
