"""What the README says is what happens: its example is run as printed, its numbers are those that were measured."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("which", ["", "compiled "])
def test_an_example_prints_what_the_readme_shows(tmp_path: Path, which: str) -> None:
    code = re.search(rf"<!-- {which}example -->\n```python\n(.*?)```", README, re.DOTALL)
    shown = re.search(rf"<!-- {which}output -->\n+```text\n(.*?)```", README, re.DOTALL)
    assert code is not None
    assert shown is not None

    (tmp_path / "example.py").write_text(code.group(1), encoding="utf-8")

    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, check=False, capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, shown.group(1)), done.stderr


def test_the_numbers_are_those_of_the_kept_measurement() -> None:
    sys.path.insert(0, str(ROOT))
    from benchmarks.readme import MEASURED, with_numbers

    kept = json.loads(MEASURED.read_text(encoding="utf-8"))

    assert with_numbers(README, kept) == README
    assert "| --- |" in README


def test_every_file_that_the_readme_links_exists() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)

    assert [link for link in links if not (ROOT / link).exists()] == []
    assert links
