"""Reads a report as a browser's parser would, for the tests: elements, their texts, and the data of its charts."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

__all__ = ["Page", "read_page"]

VOID = {"meta", "link", "br", "path", "circle"}
LOADING_ATTRIBUTES = {"src", "srcset", "data", "poster", "action", "xlink:href", "background"}


@dataclass
class Element:
    """One element: tag, attributes, and the text inside it with its descendants'."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """All elements of a page in order."""

    source: str
    elements: list[Element] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if any(element.tag == tag for element in self._open):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Elements of a tag with these attributes (`data_key` is `data-key`)."""
        wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
        return [e for e in self.elements if e.tag == tag and wanted.items() <= e.attributes.items()]

    def one(self, tag: str, **attributes: str) -> Element:
        """The only element of a tag with these attributes."""
        (found,) = self.all(tag, **attributes)
        return found

    def section(self, name: str) -> str:
        """The text of a section, white space folded."""
        return " ".join(self.one("section", id=name).text.split())

    def data(self) -> Any:  # noqa: ANN401 - JSON is any value
        """What the charts draw."""
        return json.loads(self.one("script", id="data").text)

    def figures(self) -> dict[str, str]:
        """Exact values of the statistics table by key."""
        return {
            e.attributes["data-key"]: e.attributes["data-value"] for e in self.elements if "data-key" in e.attributes
        }

    def loads(self) -> list[str]:
        """Everything that the page would fetch: addresses in elements and in styles."""
        found = [e.attributes[name] for e in self.elements for name in LOADING_ATTRIBUTES & e.attributes.keys()]
        found += [e.attributes["href"] for e in self.elements if "href" in e.attributes]
        styles = " ".join([e.text for e in self.all("style")] + [e.attributes.get("style", "") for e in self.elements])
        found += re.findall(r"url\(([^)]*)\)|@import\s+([^;]*)", styles)
        return [address for address in found if not str(address).startswith(("#", "data:"))]

    def scripts_not_allowed(self) -> list[str]:
        """Scripts that the page's own content security policy would not run."""
        policy = self.one("meta", http_equiv="Content-Security-Policy").attributes["content"]
        scripts = [e.text for e in self.all("script") if e.attributes.get("type") != "application/json"]
        hashes = {s: base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts}
        return [script for script, text in hashes.items() if f"'sha256-{text}'" not in policy]


def read_page(path: Path) -> Page:
    """Read the page at `path`."""
    return Page(path.read_text(encoding="utf-8"))
