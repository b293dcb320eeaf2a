"""From a spec to the builder that makes its bars."""

from typing import TypeAlias

from libra_ray.data.aggregation.growing import reader_of
from libra_ray.data.aggregation.imbalance import ImbalanceBars
from libra_ray.data.aggregation.renko import RenkoBars
from libra_ray.data.aggregation.row_builder import RowBuilder
from libra_ray.data.aggregation.runs import RunsBars
from libra_ray.data.aggregation.specs import Aggregation, BarSpec
from libra_ray.data.aggregation.tick_bars import TickBars
from libra_ray.data.aggregation.time_bars import TimeBars
from libra_ray.data.aggregation.value_bars import ValueBars
from libra_ray.data.aggregation.volume_bars import VolumeBars
from libra_ray.data.aggregation.windows import windows_of
from libra_ray.errors import ConfigError, quoted
from libra_ray.messages.schemas import RowSpec
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import parse_decimal

__all__ = ["Builder", "make_builder"]

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
            return VolumeBars(rows, read, _step_raw(spec, instrument.size_precision))
        case Aggregation.VALUE:
            value_raw = _step_raw(spec, instrument.price_precision + instrument.size_precision)
            return ValueBars(rows, read, value_raw, instrument.step_raw)
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
            )


def _step_raw(spec: BarSpec, precision: int) -> int:
    raw, scale = parse_decimal(spec.step)
    if scale > precision:
        what = f"step {quoted(spec.step)} of {spec.instrument_id} has more than {precision} decimals"
        raise ConfigError("CONF002", "bars", what, "Give a coarser step.", str(spec.step))
    return raw * int(10 ** (precision - scale))
