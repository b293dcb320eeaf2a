"""Times as texts: what Arrow reads as a time is one, wherever it stands among texts that are none."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.data.import_options import ImportOptions
from libra_ray.data.time_texts import TimeReader

_DAYS = st.one_of(
    st.dates().map(str),
    st.from_regex(r"(16|19|20|22)\d\d-[01]\d-[0-3]\d", fullmatch=True),
    st.sampled_from(["2023-02-29", "2024-02-29", "2024-04-31", "1677-09-21", "1677-09-22", "2262-04-11", "2262-04-12"]),
)
_CLOCKS = st.one_of(st.just(""), st.from_regex(r"[T ][0-2]\d(:?[0-6]\d(:?[0-6]\d([.,]\d{0,10})?)?)?", fullmatch=True))
_OFFSETS = st.one_of(st.sampled_from(["", "", "", "Z"]), st.from_regex(r"[+-][0-2]\d(:?[0-6]\d)?", fullmatch=True))
_PLAIN = st.builds(lambda *parts: "".join(parts), _DAYS, _CLOCKS, _OFFSETS)
_TIMES = st.one_of(_PLAIN, st.text("013-:TZ.x", max_size=12))


def _arrows(text: str) -> int | None:
    """Nanoseconds as Arrow reads the text alone."""
    for kind in (pa.timestamp("ns"), pa.timestamp("ns", "UTC")):
        try:
            return int(pa.scalar(text).cast(kind).value)
        except pa.ArrowInvalid:
            pass
    return None


@given(st.lists(_TIMES, min_size=1, max_size=40), st.integers(0, 40))
def test_each_is_read_as_arrow_reads_it_alone(texts: list[str], good: int) -> None:
    texts = ["2024-01-01T00:00:00", *texts, *["2024-01-01 00:00:01"] * good]

    column = TimeReader(ImportOptions(tz="UTC")).read(pa.array(texts))

    read = [None if bad else int(ns) for ns, bad in zip(column.ts_ns, column.malformed, strict=True)]
    assert read == [_arrows(text) for text in texts]


def test_many_that_are_none_are_found_in_long_columns() -> None:
    texts = np.full(100_000, "2024-01-01T00:00:00", object)
    wrong = np.arange(0, 100_000, 777)
    texts[wrong] = [("2023-02-29", "9999-12-31", "", "x", "2024-01-01T24:00")[number % 5] for number in wrong]

    column = TimeReader(ImportOptions(tz="UTC")).read(pa.array(texts.tolist()))

    assert np.flatnonzero(column.malformed).tolist() == wrong.tolist()
