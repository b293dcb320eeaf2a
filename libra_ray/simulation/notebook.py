"""Showing a result in a notebook."""

from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

__all__ = ["NotebookReport"]


class _Reportable(Protocol):
    def report(self, path: str | Path, *, run_id: str = "") -> Path: ...


class NotebookReport:
    """The HTML report in a frame of its own, so that its styles and scripts stay there."""

    def __init__(self, result: _Reportable) -> None:
        with TemporaryDirectory() as folder:
            self.html = result.report(Path(folder) / "report.html").read_text(encoding="utf-8")

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{escape(self.html)}" style="width:100%;height:900px;border:0"></iframe>'
