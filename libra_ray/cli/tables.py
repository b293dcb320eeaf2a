"""Tables and figures as people read them."""

from collections.abc import Mapping, Sequence
from typing import TextIO

__all__ = ["count_text", "print_facts", "print_table", "seconds_text"]


def print_table(out: TextIO, header: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """A table: with lines on a terminal, in plain columns elsewhere. Numbers stand to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=out, highlight=False, width=None if out.isatty() else 160)
    table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(header):
        numbers = [isinstance(row[place], int | float) for row in rows if row[place] is not None]
        table.add_column(name, justify="right" if numbers and all(numbers) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_text(value)) for value in row))
    console.print(table)


def print_facts(out: TextIO, facts: Mapping[str, object], title: str = "") -> None:
    """Names and values, one a line."""
    width = max(map(len, facts), default=0)
    if title:
        out.write(f"{title}\n")
    out.writelines(f"  {name.ljust(width)}  {_text(value)}\n" for name, value in facts.items())


def count_text(count: int, noun: str) -> str:
    """`1 order`, `1,234 orders`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def seconds_text(seconds: float) -> str:
    """`0.31 s`, `12.4 s`, `3 min 05 s`."""
    if seconds < 60:  # noqa: PLR2004  # a minute
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"  # noqa: PLR2004  # two digits suffice
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4f}" if abs(value) < 1_000 else f"{value:,.2f}"  # noqa: PLR2004  # cents matter above, ratios below
    return str(value)
