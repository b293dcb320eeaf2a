"""Exchange rates between currencies, as exact fractions, from the pairs that are loaded."""

from collections import deque
from collections.abc import Mapping

from libra_ray.model.enums import InstrumentKind
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import Currency
from libra_ray.model.rules.fixed_point import div_half_even
from libra_ray.portfolio.market_rows import MarketRows

__all__ = ["ExchangeRates"]


class ExchangeRates:
    """Mid of the pair C/B, or one over the mid of B/C, else over the shortest chain of pairs (ties: alphabetical)."""

    def __init__(self, instruments: Mapping[str, Instrument], rows: MarketRows) -> None:
        self._instruments = instruments
        self._rows = rows
        self._pairs_known = -1
        self._neighbours: dict[str, list[tuple[str, Instrument, bool]]] = {}

    def convert(self, amount_raw: int, source: Currency, target: Currency) -> int | None:
        """`amount_raw` of `source` in `target`, rounded half-even once; None where no rate is known now."""
        if source.code == target.code:
            return amount_raw
        rate = self.rate(source.code, target.code)
        if rate is None:
            return None
        num, den = rate
        return div_half_even(amount_raw * num * 10**target.precision, den * 10**source.precision)

    def rate(self, source: str, target: str) -> tuple[int, int] | None:
        """How much `target` one `source` is worth, as a fraction; None where no chain of priced pairs leads there."""
        if source == target:
            return 1, 1
        self._find_pairs()
        paths: deque[tuple[str, int, int]] = deque([(source, 1, 1)])
        seen = {source}
        while paths:
            code, num, den = paths.popleft()
            for neighbour, pair, inverted in self._neighbours.get(code, []):
                twice = None if neighbour in seen else self._twice_mid(pair)
                if twice is None or twice <= 0:
                    continue
                scale = 2 * 10**pair.price_precision
                step = (num * scale, den * twice) if inverted else (num * twice, den * scale)
                if neighbour == target:
                    return step
                seen.add(neighbour)
                paths.append((neighbour, *step))
        return None

    def _twice_mid(self, pair: Instrument) -> int | None:
        top = self._rows.of(pair.id).bid_ask()
        return None if top is None else top[0] + top[1]

    def _find_pairs(self) -> None:
        if self._pairs_known == len(self._instruments):
            return
        self._pairs_known = len(self._instruments)
        self._neighbours = {}
        for made in self._instruments.values():
            if made.kind is InstrumentKind.PAIR and made.base is not None:
                self._neighbours.setdefault(made.base.code, []).append((made.quote.code, made, False))
                self._neighbours.setdefault(made.quote.code, []).append((made.base.code, made, True))
        for edges in self._neighbours.values():
            edges.sort(key=lambda edge: (edge[0], edge[2], edge[1].id))
