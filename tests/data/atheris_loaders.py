"""A search for bytes that break a loader, guided by coverage: needs atheris, which is no dependency of the project.

    python tests/data/atheris_loaders.py FORMAT [-max_total_time=60] [options of libFuzzer]

Files to begin with are written to a folder of its own. A crash, a hang (`-timeout=2`) or an error that is not one of
ours ends the search, and the bytes are kept in the working folder. Without atheris it says so and exits with 0.
"""

import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> int:
    """Search until libFuzzer's limits end it."""
    if find_spec("atheris") is None:
        sys.stderr.write("skipped: atheris is not installed\n")
        return 0
    import atheris  # type: ignore[import-untyped]  # it may not be there

    sys.path.insert(0, str(ROOT))
    with atheris.instrument_imports(include=["libra_ray.data"]):
        from tests.data.loader_fuzz import feed, seeds

    from libra_ray.data.formats.registry import FORMATS

    name = arguments[1] if len(arguments) > 1 else ""
    if name not in FORMATS:
        sys.stderr.write(f"usage: {Path(arguments[0]).name} FORMAT, one of {', '.join(FORMATS)}\n")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="loaders-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    (folder / "seeds").mkdir()
    for number, data in enumerate(seeds(folder / "seeds")[name]):
        (corpus / f"seed{number}").write_bytes(data)

    def one(data: bytes) -> None:
        feed(data, name, folder)

    atheris.Setup([arguments[0], *arguments[2:], str(corpus)], one)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
