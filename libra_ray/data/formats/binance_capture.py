"""Captured combined streams of Binance, spot and futures: `<receive time> <JSON>` lines, packed or not.

Trades are the `@trade` messages, or the aggregated ones where a capture has no others; quotes are the `@bookTicker`
messages, none merged; book changes are the `@depth` messages, one row a level, bids before asks; books are the bare
REST answers and the `@depth5`, `@depth10`, `@depth20` streams; bars are the final `@kline` messages.
"""

import re
from typing import Final

from libra_ray.data.formats.frames import Frame, Head
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile

__all__ = ["FORMAT"]

_FIRST_LINE: Final = re.compile(
    rb'(?:\d{10,19}[ ,\t]+)?\{.{0,4000}?"(?:stream"\s*:\s*"[^"@]+@|lastUpdateId"\s*:\s*\d|'
    rb'e"\s*:\s*"(?:depthUpdate|trade|aggTrade|bookTicker|kline|markPriceUpdate)")',
    re.DOTALL,
)


class BinanceCapture:
    """The format of captured combined streams."""

    name = "binance-capture"

    def matches(self, head: Head) -> bool:
        """Whether the first line is a message of a combined stream."""
        return _FIRST_LINE.match(head.first_line) is not None

    def frames(self, file: RawFile, options: ImportOptions) -> list[Frame]:
        """As `capture_frames`, whose compiled code is loaded when there is a capture."""
        from libra_ray.data.formats.capture_frames import capture_frames

        return capture_frames(file, options)


FORMAT: Final = BinanceCapture()
