"""Two instruments whose prices drift together: what trading of pairs is tried on."""

import numpy as np

from libra_ray.data.dataset import Dataset, Stream
from libra_ray.data.synthetic.noise import Noise
from libra_ray.data.synthetic.processes import Gbm, OrnsteinUhlenbeck, Process
from libra_ray.data.synthetic.rows import START_NS, first_tick_of, refuse_high_precision, stream_of
from libra_ray.errors import ConfigError
from libra_ray.messages.schemas import BARS
from libra_ray.model.identifiers import period_ns
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import DecimalLike

__all__ = ["synth_pair"]


def synth_pair(
    first: Instrument,
    second: Instrument,
    *,
    rows: int,
    period: str = "1h",
    seed: int = 1,
    start_ns: int = START_NS,
    prices: tuple[DecimalLike, DecimalLike] = (100, 100),
    common: Process | None = None,
    spread: OrnsteinUhlenbeck | None = None,
) -> Dataset:
    """Bars of two instruments: the second's price is the first's, times the ratio of `prices`, times 1 + x.

    `common` moves both, `spread` moves x, which returns to 0 (an Ornstein-Uhlenbeck process). Each bar opens where the
    one before closed and has no wicks. Raises as `synth` does, and `ConfigError` CONF007 for one instrument twice.
    """
    if first.id == second.id:
        raise ConfigError("CONF007", "second", f"{first.id} is given 2 times", "Give two instruments.", first.id)
    if rows < 1:
        raise ConfigError("CONF002", "rows", f"{rows} is not positive", "Give at least 1.", str(rows))
    noise = Noise(seed, f"pair:{first.id}:{second.id}")
    shared = (common or Gbm()).path(noise, rows)
    apart = (spread or OrnsteinUhlenbeck()).path(noise, rows)
    streams: list[Stream] = []
    for instrument, price, path in zip((first, second), prices, (shared, shared * apart), strict=True):
        refuse_high_precision(instrument)
        first_tick = first_tick_of(instrument, price)
        ticks = np.maximum(np.rint(path * float(first_tick)), 1.0).astype(np.int64)
        opens, closes = ticks[:-1], ticks[1:]
        columns = {
            "open": opens,
            "high": np.maximum(opens, closes),
            "low": np.minimum(opens, closes),
            "close": closes,
            "volume": noise.integers(rows, 100_000) + 1,
            "ts_init_ns": start_ns + np.arange(1, rows + 1, dtype=np.int64) * period_ns(period),
        }
        streams.append(stream_of(BARS, instrument, columns, period=period))
    return Dataset(streams)
