"""The project names no machine and no registry: what it says is true everywhere."""

import re
from collections.abc import Iterator

import pytest

from tests.tidy.sources import ROOT, project_files

# The bracketed letters and tildes keep this file, which is searched too, from being found.
MACHINE_PATH = re.compile(r"(?<![\w.}])/(?:w[o]rk|r[o]ot)(?![\w-])|/opt/py[p]i")
REGISTRY_HOST = re.compile(r"\b(?:py[p]i|pythonh[o]sted|npm[j]s|anac[o]nda)\.(?:org|com)\b|\bcrat[e]s\.io\b")


def foreign_words(text: str) -> Iterator[str]:
    """Each machine path and registry host, with its line."""
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern in (MACHINE_PATH, REGISTRY_HOST):
            yield from (f"{number}: {match[0]}" for match in pattern.finditer(line))


def test_no_file_names_a_machine_or_a_registry() -> None:
    files = project_files()
    assert ROOT / "pyproject.toml" in files

    texts = ((path, path.read_bytes()) for path in files)
    readable = [(path, content.decode(errors="replace")) for path, content in texts if b"\0" not in content[:8192]]

    assert [f"{path.relative_to(ROOT)}:{word}" for path, text in readable for word in foreign_words(text)] == []


@pytest.mark.parametrize("text", ["cd /wo~rk/main", "see '/ro~ot'", "//py~pi.org/simple", "files.pythonh~osted.org"])
def test_a_planted_place_is_found(text: str) -> None:
    assert len(list(foreign_words(text.replace("~", "")))) == 1


@pytest.mark.parametrize("text", ["/workers", "a/work/b", "$HOME/.cache", "the root of the project", "pyproject"])
def test_ordinary_words_are_no_place(text: str) -> None:
    assert list(foreign_words(text)) == []
