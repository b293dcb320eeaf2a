"""The data engine: knows which market data a run has, refuses subscriptions to what it has not, counts what it gave."""

from collections.abc import Callable, Mapping

from libra_ray.errors import ConfigError, quoted
from libra_ray.messages.queries import AskStreams, StreamsAnswer
from libra_ray.runtime import Actor

__all__ = ["DataEngine"]


class DataEngine(Actor):
    """First in rank: rows pass it before they reach anybody else. In a replay it does no work per row."""

    def wire(self, topics: tuple[str, ...], counts: Callable[[], Mapping[str, int]]) -> None:
        """Give it the topics of the run. Called once by the kernel, before start."""
        self._topics, self._counts = topics, counts

    def on_start(self) -> None:
        self.bus.register("DataEngine.request", self._answer)

    def refuse_unknown(self, patterns: list[tuple[str, str]]) -> None:
        """Raises `ConfigError` CONF008 for the first (actor id, pattern) of market data that no stream carries."""
        for actor_id, pattern in patterns:
            is_plain = pattern.startswith("data.") and "*" not in pattern and "?" not in pattern
            if is_plain and not pattern.startswith("data.custom.") and pattern not in self._topics:
                what = f"{actor_id} subscribed to {quoted(pattern)}, which the data does not have"
                raise ConfigError("CONF008", None, what, f"It has {', '.join(self._topics) or 'nothing'}.", pattern)

    def _answer(self, request: object) -> None:
        body = getattr(request, "body", None)
        if isinstance(body, AskStreams):
            self.reply(request, StreamsAnswer(dict(self._counts())))  # type: ignore[arg-type]
