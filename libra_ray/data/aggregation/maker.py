"""All builders of a run: which rows they take, what those close, and what is due when."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from libra_ray.data.aggregation.builders import make_builder
from libra_ray.data.aggregation.row_builder import RowBuilder
from libra_ray.data.aggregation.specs import PRICE_SOURCES, BarSpec
from libra_ray.data.aggregation.time_bars import TimeBars
from libra_ray.errors import ConfigError, quoted
from libra_ray.messages.schemas import Bar, Row
from libra_ray.model.identifiers import period_ns
from libra_ray.model.instruments import Instrument
from libra_ray.runtime import NEVER_NS

__all__ = ["BarMaker", "covered_ns"]

Order = tuple[int, str]
"""(instrument rank, bar name): the order of bars that have one time."""


class _Window(NamedTuple):
    """A builder whose bars time closes. `depth`: how many bars of ours lie between it and the data."""

    depth: int
    order: Order
    builder: TimeBars
    topic: str


class BarMaker:
    """Makes the bars of a run, live or replayed: it is told of each row before the actors are, and of the time.

    It calls nobody; who drives it delivers what it returns, in order. Bars made of bars of ours are fed here, in the
    same call that makes the smaller ones; empty bars are not among these, since nothing happened in them.

    Args: specs, in any order; instruments by id, in order of rank; topics that the data of the run has.

    Attributes:
        specs: what is made, by (instrument rank, bar name).
        sources: topics whose rows bars are made of.
        next_close_ns: when `close_due` has something to do next; `NEVER_NS` when nothing is waiting for time.

    Raises `ConfigError`: CONF008 for an instrument or source that the run does not have, CONF007 for bars given twice,
    also by the data, CONF002 for bars made of themselves.

    """

    def __init__(self, specs: Iterable[BarSpec], instruments: Mapping[str, Instrument], topics: Iterable[str]) -> None:
        given = tuple(topics)
        ranks = {instrument_id: rank for rank, instrument_id in enumerate(instruments)}
        by_topic: dict[str, BarSpec] = {}
        for spec in specs:
            if spec.instrument_id not in ranks:
                what = f"bars {quoted(spec)} are of an instrument that is not loaded"
                fix = f"Loaded are {', '.join(instruments) or 'none'}."
                raise ConfigError("CONF008", "bars", what, fix, str(spec))
            if spec.topic in by_topic or spec.topic in given:
                what = f"bars {quoted(spec)} are given 2 times"
                raise ConfigError("CONF007", "bars", what, "Give one of them a name of its own.", str(spec))
            by_topic[spec.topic] = spec
        depths = {topic: _depth(topic, by_topic, given) for topic in by_topic}
        ordered = sorted(by_topic.values(), key=lambda spec: (ranks[spec.instrument_id], spec.name))
        self.specs = tuple(ordered)
        self.next_close_ns = NEVER_NS
        self._rows: dict[str, list[tuple[RowBuilder, str]]] = {}
        self._times: dict[str, list[TimeBars]] = {}
        windows: list[_Window] = []
        for spec in ordered:
            builder = make_builder(spec, instruments[spec.instrument_id], source_length_ns=covered_ns(spec, by_topic))
            if isinstance(builder, TimeBars):
                order = (ranks[spec.instrument_id], spec.name)
                windows.append(_Window(depths[spec.topic], order, builder, spec.topic))
                self._times.setdefault(spec.source_topic, []).append(builder)
            else:
                self._rows.setdefault(spec.source_topic, []).append((builder, spec.topic))
        self._windows = sorted(windows, key=lambda window: (window.depth, window.order))
        self.sources = frozenset(spec.source_topic for spec in ordered)

    def before_row(self, topic: str, row: Row) -> list[Bar]:
        """Take a row in. The bars that it closes, in the order in which they are to come before it."""
        made: list[Bar] = []
        for builder, bars_topic in self._rows.get(topic, ()):
            for bar in builder.on_row(row):
                if bars_topic in self.sources:
                    made += self.before_row(bars_topic, bar)
                made.append(bar)
        for times in self._times.get(topic, ()):
            times.on_row(row)
            if times.next_close_ns < self.next_close_ns:  # noqa: PLR1730 - once a row, as in `Growing`
                self.next_close_ns = times.next_close_ns
        return made

    def close_due(self, ts_ns: int) -> list[Bar]:
        """The bars of all windows that end up to `ts_ns`, by time, instrument rank and bar name.

        To be called once the rows of that time are in. Bars that such a bar closes stand just before it.
        """
        made: list[Bar] = []
        while self.next_close_ns <= ts_ns:
            made += self._close(self.next_close_ns)
            self.next_close_ns = min((window.builder.next_close_ns for window in self._windows), default=NEVER_NS)
        return made

    def _close(self, ts_ns: int) -> list[Bar]:
        """Smaller bars first, so that the larger ones have them; then all in the order of their delivery."""
        groups: list[tuple[Order, list[Bar]]] = []
        for window in self._windows:
            if window.builder.next_close_ns == ts_ns:
                is_empty = window.builder.growing.is_empty
                bar = window.builder.close(ts_ns)
                if bar is not None:
                    closed = [] if is_empty else self.before_row(window.topic, bar)
                    groups.append((window.order, [*closed, bar]))
        groups.sort(key=lambda group: group[0])
        return [bar for _, bars in groups for bar in bars]


def _depth(topic: str, by_topic: Mapping[str, BarSpec], given: tuple[str, ...]) -> int:
    """How many bars of ours lie between the bars of `topic` and the data; refuses what leads nowhere or in a circle."""
    depth, spec = 0, by_topic[topic]
    while spec.source_topic not in given:
        source = by_topic.get(spec.source_topic)
        if source is None:
            what = f"bars {quoted(spec)} are made of {quoted(spec.source_topic)}, which the data does not have"
            raise ConfigError("CONF008", "bars", what, f"It has {', '.join(given) or 'nothing'}.", str(spec))
        depth, spec = depth + 1, source
        if depth > len(by_topic):
            what = f"bars {quoted(by_topic[topic])} are made of themselves"
            raise ConfigError("CONF002", "bars", what, "Make them of ticks or of smaller bars.", str(by_topic[topic]))
    return depth


def covered_ns(spec: BarSpec, by_topic: Mapping[str, BarSpec]) -> int | None:
    """How much time the bars surely cover that a spec is made of; None where they are no bars, or not of time.

    A first bar of ours may hold less than its window; with `skip_partial_first` it does not.
    """
    if spec.source in PRICE_SOURCES:
        return None
    source = by_topic.get(spec.source_topic)
    if source is None:
        return period_ns(spec.source)
    return source.length_ns if source.skip_partial_first else None
