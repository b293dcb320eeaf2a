"""From a spec to the builder that makes its bars."""

from typing import TypeAlias

from libra_ray.data.aggregation.growing import reader_of
from libra_ray.data.aggregation.imbalance import ImbalanceBars
from libra_ray.data.aggregation.renko import RenkoBars
from libra_ray.data.aggregation.row_builder import RowBuilder
from libra_ray.data.aggregation.runs import RunsBars
from libra_ray.data.aggregation.specs import PRICE_SOURCES, Aggregation, BarSpec
from libra_ray.data.aggregation.tick_bars import TickBars
from libra_ray.data.aggregation.time_bars import TimeBars
from libra_ray.data.aggregation.value_bars import ValueBars
from libra_ray.data.aggregation.volume_bars import VolumeBars
from libra_ray.data.aggregation.windows import windows_of
from libra_ray.errors import ConfigError, quoted
from libra_ray.messages.schemas import RowSpec
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import parse_decimal

__all__ = ["Builder", "make_builder", "step_raw_of"]

Builder: TypeAlias = RowBuilder | TimeBars


def make_builder(spec: BarSpec, instrument: Instrument, *, source_length_ns: int | None = None) -> Builder:
    """A new builder. `source_length_ns`: how long the smaller bars are that it is fed with, where they are of time.

    Raises `ConfigError` CONF002 for a volume or value that is finer than the instrument's decimals.
    """
    rows, read = RowSpec.of(instrument, spec.name), reader_of(spec.source)
    match spec.aggregation:
        case Aggregation.TICK:
            return TickBars(rows, read, spec.count)
        case Aggregation.VOLUME:
            return VolumeBars(rows, read, step_raw_of(spec, instrument))
        case Aggregation.VALUE:
            return ValueBars(rows, read, step_raw_of(spec, instrument), instrument.step_raw)
        case Aggregation.IMBALANCE:
            return ImbalanceBars(rows, spec.count)
        case Aggregation.RUNS:
            return RunsBars(rows, spec.count)
        case Aggregation.RENKO:
            return RenkoBars(rows, read, spec.count * instrument.tick_raw)
        case _:
            return TimeBars(
                rows,
                read,
                windows_of(spec),
                build_empty=spec.build_empty,
                skip_partial_first=spec.skip_partial_first,
                span_ns=source_length_ns or 1,
                of_bars=spec.source not in PRICE_SOURCES,
            )


def step_raw_of(spec: BarSpec, instrument: Instrument) -> int:
    """The step of VOLUME in the instrument's decimals of size, of VALUE in those of price and size together.

    Raises `ConfigError` CONF002 for a finer step.
    """
    is_value = spec.aggregation is Aggregation.VALUE
    precision = instrument.size_precision + (instrument.price_precision if is_value else 0)
    raw, scale = parse_decimal(spec.step)
    if scale > precision:
        what = f"step {quoted(spec.step)} of {spec.instrument_id} has more than {precision} decimals"
        raise ConfigError("CONF002", "bars", what, "Give a coarser step.", str(spec.step))
    return raw * int(10 ** (precision - scale))
