"""How a fix names an option: in the language of the caller, so that it can be typed as it stands."""

import shlex
from collections.abc import Sequence
from enum import StrEnum

__all__ = ["Wording"]


class Wording(StrEnum):
    """Where the options of an import come from."""

    COMMAND = "command"
    PYTHON = "python"
    FILE = "file"

    def option(self, name: str, value: str | None = None) -> str:
        """`--on-null drop`, `on_null="drop"` or `on_null = "drop"`; without a value a switch: `--sort`, `sort=True`."""
        key = name.replace("-", "_")
        if self is Wording.COMMAND:
            return f"--{name}" if value is None else f"--{name} {shlex.quote(value)}"
        if self is Wording.PYTHON:
            return f"{key}=True" if value is None else f'{key}="{value}"'
        return f"{key} = true" if value is None else f'{key} = "{value}"'

    def column(self, name: str, header: str) -> str:
        """`--column close=last`, `columns={"close": "last"}` or `columns = { close = "last" }`."""
        if self is Wording.COMMAND:
            return f"--column {shlex.quote(f'{name}={header}')}"
        if self is Wording.PYTHON:
            return f'columns={{"{name}": "{header}"}}'
        return f'columns = {{ {name} = "{header}" }}'

    def column_names(self, names: Sequence[str]) -> str:
        """`--column-names ts,price`, `column_names=["ts", "price"]` or `column_names = ["ts", "price"]`."""
        if self is Wording.COMMAND:
            return f"--column-names {','.join(names)}"
        listed = ", ".join(f'"{name}"' for name in names)
        return f"column_names=[{listed}]" if self is Wording.PYTHON else f"column_names = [{listed}]"

    def instrument(self, field: str) -> str:
        """`--tick`, or `tick` where the instrument is made elsewhere."""
        return f"--{field}" if self is Wording.COMMAND else field
