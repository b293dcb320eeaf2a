"""What the name of a Binance market says: `BTCUSDT`, `BTCUSD_PERP`, `BTCUSDT_240628`."""

import re
from typing import Final

from libra_ray.data.formats.frames import InstrumentHint

__all__ = ["hint_of", "quote_of"]

QUOTES: Final = (
    "USDT", "USDC", "FDUSD", "BUSD", "TUSD", "USDP", "DAI", "USD1", "USD", "EUR", "GBP", "TRY", "BRL", "JPY", "AUD",
    "RUB", "UAH", "NGN", "ZAR", "PLN", "RON", "ARS", "MXN", "COP", "CZK", "IDRT", "BIDR", "BTC", "ETH", "BNB", "XRP",
    "TRX", "DOGE", "DOT", "PAX", "VAI", "BKRW",
)  # fmt: skip
"""Currencies that markets are quoted in; a name ends with the longest of them."""
_SUFFIX: Final = re.compile(r"_(PERP|\d{6})$")
VENUE: Final = "BINANCE"


def quote_of(pair: str) -> str:
    """The currency that a market's name ends with, the longest that does; empty where none does."""
    return max((each for each in QUOTES if pair.endswith(each) and pair != each), key=len, default="")


def hint_of(symbol: str, *, is_futures: bool) -> InstrumentHint:
    """Base, quote and kind by the name; empty where it does not tell. COIN-M markets (`_PERP` on USD) are inverse."""
    suffix = _SUFFIX.search(symbol)
    pair = _SUFFIX.sub("", symbol)
    quote = quote_of(pair)
    is_coin = suffix is not None and quote == "USD"
    kind = "pair"
    if suffix is not None and suffix.group(1) != "PERP":
        kind = "future"
    elif suffix is not None or is_futures:
        kind = "perpetual"
    return InstrumentHint(
        symbol=symbol,
        venue=VENUE,
        kind=kind,
        base=pair.removesuffix(quote) if quote else "",
        quote=quote,
        inverse=is_coin,
        raw_symbol=symbol,
    )
