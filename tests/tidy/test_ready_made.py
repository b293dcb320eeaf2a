"""Every ready-made actor has a test, and every ready-made strategy an example."""

import ast
import re
from pathlib import Path

from tests.tidy.sources import ROOT, sources_under

KINDS = ("strategies", "algorithms", "venues", "feeds", "monitors")


def ready_made(kind: str) -> list[str]:
    """Public actor classes under `libra_actors/<kind>`: those with a base class, configurations and errors aside."""
    folder = ROOT / "actors" / "libra_actors" / kind
    if not folder.is_dir():
        return []
    names = []
    for source in sources_under(f"actors/libra_actors/{kind}/"):
        classes = [node for node in source.tree.body if isinstance(node, ast.ClassDef) and node.bases]
        names += [node.name for node in classes if not re.search(r"^_|(Config|Error|State|Params|Events)$", node.name)]
    return names


def text_of(folder: Path, *suffixes: str) -> str:
    """All files of `folder` with one of `suffixes`, as one text."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in suffixes and "tidy" not in path.parts)
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def unmentioned(names: list[str], text: str) -> list[str]:
    """Those of `names` that are no whole word of `text`."""
    return [name for name in names if not re.search(rf"\b{name}\b", text)]


def test_every_ready_made_actor_has_a_test() -> None:
    names = [name for kind in KINDS for name in ready_made(kind)]
    assert names

    assert unmentioned(names, text_of(ROOT / "tests", ".py")) == []


def test_every_ready_made_strategy_has_an_example() -> None:
    names = ready_made("strategies")
    assert names

    assert unmentioned(names, text_of(ROOT / "examples", ".py", ".toml")) == []


def test_an_unmentioned_actor_is_found() -> None:
    assert unmentioned(["EmaCross", "Twap"], "system.add(EmaCrossOver())\nTwap()") == ["EmaCross"]
