"""Damaged and made-up files into every loader: an error of ours or rows, never a hang or anything else."""

import os
import subprocess
import sys
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libra_ray.data.formats.registry import FORMATS
from tests.conftest import LONG_TESTS
from tests.data.loader_fuzz import feed, seeds

pytestmark = pytest.mark.slow
EXAMPLES = int(os.environ.get("LIBRA_FUZZ_EXAMPLES") or (2_000 if LONG_TESTS else 30))
"""Of each loader."""
TOKENS = [
    *(
        b"-",
        b".",
        b",",
        b"\n",
        b"\r\n",
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b"null",
        b"nan",
        b"inf",
        b"1e999",
        b"\x00",
        b"\xff",
    ),
    *(b"\xef\xbb\xbf", b"-0", b"9" * 20, b"0" * 40, b"\\u0000", b"\xd0\xb0", b":", b"true", b" ", b"\x7f\xff\xff\xff"),
]
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["cut", "put", "turn", "twice"]),
        st.integers(0, 1 << 16),
        st.integers(1, 40),
        st.one_of(st.sampled_from(TOKENS), st.binary(min_size=1, max_size=8)),
    ),
    min_size=1,
    max_size=6,
)


def edited(data: bytes, edits: list[tuple[str, int, int, bytes]]) -> bytes:
    """The file with bytes left out, put in, changed or repeated, or cut off."""
    for how, place, length, token in edits:
        at = place % (len(data) + 1)
        if how == "cut":
            data = data[:at] + (b"" if length > 35 else data[at + length :])  # now and then all of it
        elif how == "put":
            data = data[:at] + token + data[at:]
        elif how == "turn":
            data = data[:at] + token + data[at + len(token) :]
        else:
            data = data[:at] + data[max(at - length, 0) :]
    return data


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bytes]]:
    return seeds(tmp_path_factory.mktemp("seeds"))


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_is_refused_or_read(name: str, whole: dict[str, list[bytes]], tmp_path: Path) -> None:
    for data in whole[name]:
        feed(data, name, tmp_path)  # compiles, where there is something to compile

    @settings(
        max_examples=EXAMPLES,
        deadline=timedelta(seconds=2),
        suppress_health_check=[HealthCheck.too_slow],
        database=None,
    )
    @given(seed=st.integers(0, len(whole[name]) - 1), edits=EDITS)
    def check(seed: int, edits: list[tuple[str, int, int, bytes]]) -> None:
        feed(edited(whole[name][seed], edits), name, tmp_path)

    check()


@pytest.mark.parametrize("name", FORMATS)
def test_arbitrary_bytes_are_refused_or_read(name: str, tmp_path: Path) -> None:
    feed(b"", name, tmp_path)

    @settings(
        max_examples=EXAMPLES,
        deadline=timedelta(seconds=2),
        suppress_health_check=[HealthCheck.too_slow],
        database=None,
    )
    @given(data=st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(TOKENS), max_size=30).map(b"".join)))
    def check(data: bytes) -> None:
        feed(data, name, tmp_path)

    check()


@pytest.mark.skipif(find_spec("atheris") is None, reason="needs atheris")
@pytest.mark.parametrize("name", FORMATS)
def test_a_guided_search_finds_nothing_either(name: str, tmp_path: Path) -> None:
    script = Path(__file__).with_name("atheris_loaders.py")
    command = [sys.executable, str(script), name, "-max_total_time=5", "-timeout=2", "-rss_limit_mb=2048"]

    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)

    assert ended.returncode == 0, ended.stderr[-4_000:]
