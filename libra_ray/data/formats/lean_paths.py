"""What the path of a LEAN file says, such as `equity/usa/minute/spy/20131007_trade.zip`, `forex/fxcm/hour/eurusd.zip`.

Where a file was moved out of its folders, the name of the member in its archive tells most of it. Zones are those of
LEAN's market hours database, field `dataTimeZone`.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Final

from libra_ray.data.formats.binance_symbols import quote_of
from libra_ray.data.formats.frames import InstrumentHint
from libra_ray.model.numbers import decimal_text

__all__ = ["LeanPath", "lean_path"]

SECURITY_TYPES: Final = (
    "equity", "forex", "cfd", "crypto", "cryptofuture", "index", "future", "option", "indexoption", "futureoption",
)  # fmt: skip
RESOLUTIONS: Final = {"tick": "", "second": "1s", "minute": "1m", "hour": "1h", "daily": "1d"}
FUNDING_FOLDER: Final = "margin_interest"
TICK_TYPES: Final = ("trade", "quote", "openinterest")
SCALED: Final = ("equity", "option", "indexoption")
"""Security types whose prices are integers of 1/10,000."""
QUOTED_ONLY: Final = ("forex", "cfd")
"""Security types that have no trades."""
_UTC_TYPES: Final = ("crypto", "cryptofuture")
_ZONES: Final = {
    ("equity", "usa"): "America/New_York",
    ("option", "usa"): "America/New_York",
    ("indexoption", "usa"): "America/New_York",
    ("equity", "india"): "Asia/Kolkata",
    ("option", "india"): "Asia/Kolkata",
    ("future", "india"): "Asia/Kolkata",
    ("index", "india"): "Asia/Kolkata",
    ("index", "cboe"): "America/New_York",
    ("index", "eurex"): "Europe/Berlin",
    ("index", "hkfe"): "Asia/Hong_Kong",
    ("index", "krx"): "Asia/Seoul",
    ("index", "ose"): "Asia/Tokyo",
    ("forex", "fxcm"): "-05:00",
    ("forex", "oanda"): "UTC",
    ("forex", "interactivebrokers"): "UTC",
    ("cfd", "oanda"): "UTC",
    ("cfd", "interactivebrokers"): "UTC",
    ("future", "eurex"): "Europe/Berlin",
    ("future", "hkfe"): "Asia/Hong_Kong",
    ("future", "krx"): "Asia/Seoul",
    **{("future", market): "UTC" for market in ("cbot", "cfe", "cme", "comex", "nymex", "nyseliffe", "sgx")},
}
_CHICAGO_INDICES: Final = ("spx", "ndx", "vix")
"""Indices of the market `usa` have two zones; those that are not named here need a word."""
_QUOTE_OF_MARKET: Final = {"usa": "USD", "india": "INR"}
_KINDS: Final = {
    "equity": "equity",
    "forex": "pair",
    "cfd": "pair",
    "crypto": "pair",
    "cryptofuture": "perpetual",
    "index": "equity",
    "future": "future",
}
_INVERSE_QUOTE: Final = "USD"
_INVERSE_MARKETS: Final = ("binance", "bybit")
_STYLE: Final = r"(?:_(?:american|european))?"
_DATED: Final = re.compile(rf"(\d{{8}})_(trade|quote|openinterest){_STYLE}")
_NAMED: Final = re.compile(rf"([a-z0-9.]+?)(?:_\d{{4}})?(?:_(trade|quote|openinterest))?{_STYLE}")
_MEMBER: Final = re.compile(
    r"(\d{8})_([a-z0-9.]+?)_(?:(minute|second|tick)_(trade|quote|openinterest)|(trade|quote|openinterest)_(tick))(?:_.+)?"
)
_CONTRACT: Final = re.compile(r".+?_(?:(?:american|european)_(call|put)_(\d+)|\d{6})_(\d{8})")
STRIKE_DECIMALS: Final = 4
_DAY_DIGITS: Final = 8


@dataclass(frozen=True)
class LeanPath:
    """What is known of a LEAN file; empty where nothing is.

    Attributes:
        resolution: `tick`, `second`, `minute`, `hour`, `daily` or `margin_interest`.
        tick_type: `trade`, `quote` or `openinterest`.
        day: of a file of one day, as `YYYY-MM-DD`.
        contract: what tells an option or future from others of its underlying: `-20131220`, `-20140606-C-550`.

    """

    security: str = ""
    market: str = ""
    resolution: str = ""
    symbol: str = ""
    tick_type: str = ""
    day: str = ""
    contract: str = ""

    @property
    def period(self) -> str:
        """The length of its bars; empty for ticks."""
        return RESOLUTIONS.get(self.resolution, "")

    @property
    def zone(self) -> str | None:
        """The zone of its times; None where the market is not known."""
        if self.security in _UTC_TYPES:
            return "UTC"
        if (self.security, self.market) == ("index", "usa") and self.symbol in _CHICAGO_INDICES:
            return "America/Chicago"
        return _ZONES.get((self.security, self.market))

    @property
    def hint(self) -> InstrumentHint:
        """The instrument: pairs by their currencies, equities by the currency of their market."""
        symbol = self.symbol.upper()
        quote = _QUOTE_OF_MARKET.get(self.market, "")
        base = ""
        if self.security in ("forex", "cfd"):
            base, quote = symbol[:-3], symbol[-3:]
        elif self.security in _UTC_TYPES:
            quote = quote_of(symbol)
            base = symbol.removesuffix(quote) if quote else ""
        is_coin = self.security == "cryptofuture" and quote == _INVERSE_QUOTE and self.market in _INVERSE_MARKETS
        return InstrumentHint(
            symbol=f"{symbol}{self.contract}",
            venue=self.market.upper(),
            kind=_KINDS.get(self.security, ""),
            base=base,
            quote=quote,
            inverse=is_coin,
            raw_symbol=f"{symbol}{self.contract}",
        )


def lean_path(path: PurePath, inner_name: str) -> LeanPath:
    """Read the folders from the right, then the file's name, then the member's."""
    parts = [part.lower() for part in path.parts]
    security = market = resolution = symbol = ""
    for at in range(len(parts) - 3, 0, -1):
        known = parts[at + 1] in RESOLUTIONS or parts[at + 1] == FUNDING_FOLDER
        if parts[at - 1] in SECURITY_TYPES and known:
            security, market, resolution = parts[at - 1 : at + 2]
            symbol = parts[at + 2] if at + 3 < len(parts) else ""
            break
    stem = parts[-1].removesuffix(".zip").removesuffix(".csv") if parts else ""
    day = tick_type = ""
    dated, named = _DATED.fullmatch(stem), _NAMED.fullmatch(stem)
    if dated is not None:
        day, tick_type = dated.groups()
    elif named is not None:
        symbol, tick_type = symbol or named.group(1), named.group(2) or ""
    inner = PurePath(inner_name.lower()).stem
    member = _MEMBER.fullmatch(inner)
    if member is not None:
        inner_day, inner_symbol, resolution_1, type_1, type_2, resolution_2 = member.groups()
        day, symbol = day or inner_day, inner_symbol if dated is not None else symbol or inner_symbol
        resolution = resolution or resolution_1 or resolution_2
        tick_type = tick_type or type_1 or type_2
    if not tick_type and security:
        tick_type = "quote" if security in QUOTED_ONLY else "trade"
    return LeanPath(security, market, resolution, symbol, tick_type, _dashed(day), _contract(inner))


def _contract(inner: str) -> str:
    """`..._american_call_5500000_20140606` as `-20140606-C-550`, `..._201312_20131220` as `-20131220`."""
    match = _CONTRACT.fullmatch(inner)
    if match is None:
        return ""
    right, strike, expiry = match.groups()
    if right is None:
        return f"-{expiry}"
    return f"-{expiry}-{right[0].upper()}-{decimal_text(int(strike), STRIKE_DECIMALS).rstrip('0').rstrip('.')}"


def _dashed(day: str) -> str:
    """`20131007` as `2013-10-07`; empty where it is no day."""
    try:
        datetime.strptime(day, "%Y%m%d")  # noqa: DTZ007  # a day has no zone
    except ValueError:
        return ""
    return f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == _DAY_DIGITS else ""
