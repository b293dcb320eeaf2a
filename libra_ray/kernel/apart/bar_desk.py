"""The data engine on a host of its own: it makes the bars that the system wants made, and knows what it has seen."""

from libra_ray.data.aggregation import BarMaker
from libra_ray.data.engine import DataEngine
from libra_ray.kernel.apart.plan import KernelPlan
from libra_ray.messages.schemas import Bar, Row
from libra_ray.runtime import NEVER_NS, ActorConfig, Delivery, Kind, LocalHost, Timer

__all__ = ["BarDesk"]

_CLOSE = "close of bars"


class BarDesk:
    """Feeds a `BarMaker` with the rows that come, and publishes what it makes: at once, or when a window ends."""

    def __init__(self, host: LocalHost, plan: KernelPlan) -> None:
        self.engine = DataEngine(ActorConfig(actor_id="DataEngine"))
        host.add(self.engine, Kind.DATA)
        made = [spec.topic for spec in plan.bars]
        given = dict.fromkeys(spec.source_topic for spec in plan.bars if spec.source_topic not in made)
        self._maker = BarMaker(plan.bars, {one.id: one for one in plan.instruments}, given)
        self._topics = {(spec.instrument_id, spec.name): spec.topic for spec in plan.bars}
        self._counts = dict.fromkeys((*given, *made), 0)
        self.engine.wire(tuple(self._counts), lambda: dict(self._counts))
        for topic in given:
            host.bus.subscribe(topic, Delivery(host, self.engine, _Intake(self, topic), keeps=False))

    def take(self, topic: str, row: Row) -> None:
        """A row of `topic` has come."""
        self._counts[topic] += 1
        due_ns = self._maker.next_close_ns
        self._publish(self._maker.before_row(topic, row))
        if self._maker.next_close_ns != due_ns:
            self._set_alert()

    def _on_close(self, timer: Timer) -> None:
        self._publish(self._maker.close_due(timer.due_ns))
        self._set_alert()

    def _set_alert(self) -> None:
        if self._maker.next_close_ns < NEVER_NS:
            self.engine.clock.set_alert(_CLOSE, at_ns=self._maker.next_close_ns, callback=self._on_close)

    def _publish(self, bars: list[Bar]) -> None:
        for bar in bars:
            topic = self._topics[bar.spec.instrument_id, bar.spec.period]
            self._counts[topic] += 1
            self.engine.publish(topic, bar)


class _Intake:
    """Takes rows of one topic."""

    __slots__ = ("_desk", "_topic")

    def __init__(self, desk: BarDesk, topic: str) -> None:
        self._desk, self._topic = desk, topic

    def __call__(self, row: Row) -> None:
        self._desk.take(self._topic, row)
