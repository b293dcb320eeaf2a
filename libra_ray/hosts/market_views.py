"""What actors are given of a batch: row after row, each to all who listen, as in a backtest."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import pyarrow as pa

from libra_ray.messages.batches import batch_rows, batch_schema
from libra_ray.messages.schemas import BOOK_DELTAS, BOOK_SNAPSHOTS
from libra_ray.runtime.delivery import Delivery
from libra_ray.runtime.views import Handler

__all__ = ["MarketViews", "ViewMaker", "call_plainly"]

ViewMaker: TypeAlias = Callable[[pa.Table | pa.RecordBatch], Iterable[object]]
"""Views of a batch, in order; each is given to all handlers before the next one is made."""


def call_plainly(handler: Handler, message: object) -> None:
    """Call it."""
    handler(message)


_BATCHES = (pa.Table, pa.RecordBatch)


class MarketViews:
    """Hands batches to handlers: whole to plain functions and where the type is the user's own, row by row to actors.

    Attributes:
        makers: by type name (`book_deltas`), what makes the views instead of rows. Changes of books come as whole
            batches to `on_book` while nobody here keeps books.
    """

    def __init__(self) -> None:
        self.makers: dict[str, ViewMaker] = {}

    def deliver(
        self,
        message: object,
        handlers: tuple[Handler, ...],
        call: Callable[[Handler, object], object] = call_plainly,
    ) -> None:
        """Give `message` to `handlers`, which are in order of rank; plain functions by `call`."""
        views = self._views(message) if isinstance(message, _BATCHES) else None
        actors: list[Delivery] = []
        for handler in handlers:
            if not isinstance(handler, Delivery):
                call(handler, message)
            elif views is None:
                handler(message)
            else:
                actors.append(handler)
        if actors and views is not None:
            for view in views:
                for handler in actors:
                    handler(view)

    @staticmethod
    def put_off(topic: str, read: Callable[[], object], handlers: tuple[Handler, ...]) -> bool:
        """Leave it to the one handler there is to `read` the batch when it is looked at; False: it cannot wait."""
        put_off = getattr(handlers[0], "put_off", None) if len(handlers) == 1 else None
        return put_off is not None and bool(put_off(topic, read))

    def _views(self, batch: pa.Table | pa.RecordBatch) -> Iterable[object] | None:
        schema = batch_schema(batch)
        if schema is None:
            return None
        maker = self.makers.get(schema.name)
        if maker is not None:
            return maker(batch)
        return None if schema in (BOOK_DELTAS, BOOK_SNAPSHOTS) else batch_rows(batch)
