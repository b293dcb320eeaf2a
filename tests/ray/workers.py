"""Worker processes, as the system knows them."""

from pathlib import Path

__all__ = ["engines_of"]


def engines_of(root: int) -> list[int]:
    """The workers that descend from `root`, those that have ended and those that Ray keeps for later left out."""
    found = [root]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*"):
            found += [int(child) for child in (task / "children").read_text().split()]
    return [pid for pid in found if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::Engine")]
