"""What builders have in common whose bars are closed by a row."""

from abc import ABC, abstractmethod

from libra_ray.data.aggregation.growing import Growing, Reader
from libra_ray.messages.schemas import Bar, Row, RowSpec

__all__ = ["RowBuilder"]


class RowBuilder(ABC):
    """Makes bars of rows. A function of the rows alone: how they are batched changes nothing."""

    def __init__(self, spec: RowSpec, read: Reader) -> None:
        self.growing = Growing(spec)
        self._read = read

    @abstractmethod
    def on_row(self, row: Row) -> list[Bar]:
        """Take a row in; the bars that it closes, stamped with its times. They come before the row itself."""

    @property
    def rest_raw(self) -> int:
        """Volume that is in no bar yet."""
        return self.growing.volume_raw
