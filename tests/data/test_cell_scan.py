"""What compiled code reads of a text file is what Arrow's reader and the slow way make of it."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.data import text_tables
from libra_ray.data.decimal_texts import decimals_of_texts
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.importer import import_file
from libra_ray.data.number_columns import decimals_of
from libra_ray.data.text_cells import Cells
from libra_ray.data.time_texts import TimeReader
from libra_ray.errors import LibraError
from tests.data.import_files import BTC

pytestmark = pytest.mark.slow

NUMBERS = st.one_of(
    st.from_regex(r"\A[+-]?[0-9]{0,20}(\.[0-9]{0,12})?\Z"),
    st.from_regex(r"\A[+-]?[0-9]{1,3}([.,][0-9]{1,3}){0,2}([eE]-?[0-9])?\Z"),
    st.sampled_from(
        ["", "-", ".", "+.5", "--1", "1 ", "nan", "NaN", "inf", "0x1", "1_0", "-0", "000000000000000000001"]
    ),
)
TIMES = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat(sep="T")),
    st.datetimes().map(lambda moment: f"{moment.isoformat(sep=' ')}Z"),
    st.from_regex(
        r"\A[12][0-9]{3}-[01][0-9]-[0-3][0-9][ T][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{0,10})?(Z|\+01:00)?\Z"
    ),
    st.sampled_from(
        ["2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z", "2024-01-01", "2024-01-01T00:00Z", "x", "1704067200"]
    ),
)
EPOCHS = st.one_of(
    st.integers(0, 10**19).map(str),
    st.sampled_from(["1704067200", "1704067200.5", "1704067200000", "-1", "01", "", "9" * 19]),
)


def cells(texts: list[str]) -> Cells:
    """The texts as cells of one block."""
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([len(text) + 1 for text in encoded]).astype(np.int32) - 1
    starts = ends - np.array([len(text) for text in encoded], np.int32)
    block = np.frombuffer(b",".join(encoded) + b",", np.uint8)
    return Cells(block, starts, ends, doubtful=True)


@given(
    texts=st.lists(NUMBERS, min_size=1, max_size=20), precision=st.integers(0, 9), decimal=st.sampled_from([".", ","])
)
def test_numbers_are_read_as_their_texts_are(texts: list[str], precision: int, decimal: str) -> None:
    slow = decimals_of_texts(pa.array(texts, pa.string()), precision, decimal=decimal)

    fast = decimals_of(cells(texts), precision, decimal=decimal)

    for name in ("marked", "malformed", "too_large", "inexact"):
        assert getattr(fast, name).tolist() == getattr(slow, name).tolist(), name
    good = ~(slow.malformed | slow.marked)
    assert np.array(fast.values.to_pylist())[good].tolist() == np.array(slow.values.to_pylist())[good].tolist()


@given(texts=st.one_of(st.lists(TIMES, min_size=1, max_size=12), st.lists(EPOCHS, min_size=1, max_size=12)))
def test_times_are_read_as_their_texts_are(texts: list[str]) -> None:
    slow = TimeReader(ImportOptions(tz="America/New_York")).read(pa.array(texts, pa.string()))

    fast = TimeReader(ImportOptions(tz="America/New_York")).read(cells(texts))

    for name in ("malformed", "naive", "offsets", "other_unit", "unclear"):
        assert getattr(fast, name).tolist() == getattr(slow, name).tolist(), name
    good = ~(slow.malformed | slow.other_unit)
    assert fast.ts_ns[good].tolist() == slow.ts_ns[good].tolist()


@given(texts=st.lists(st.sampled_from(["buy", "SELL", "b", "A", "", "none", "up", "long", " buy", "-1", "unknown"])))
def test_words_are_read_as_their_texts_are(texts: list[str]) -> None:
    from libra_ray.data.code_columns import codes_of

    for name in ("aggressor", "side", "is_buyer_maker", "status", "action", "flags"):
        slow, fast = codes_of(pa.array(texts, pa.string()), name), codes_of(cells(texts), name)
        assert [part.tolist() for part in fast] == [part.tolist() for part in slow]


FIELDS = st.sampled_from(
    ["1704067200", "1.5", "", "-1", "nan", '"2"', '"a,b"', "1,5", "buy", "x", " 3 ", "\u00e4", "1e1"]
)
LINES = st.lists(st.lists(FIELDS, min_size=1, max_size=5).map(",".join), max_size=8)


@given(lines=LINES, end=st.sampled_from(["\n", "\r\n"]), last=st.sampled_from(["", "\n"]), block=st.integers(1, 40))
def test_a_file_gives_the_same_rows_or_the_same_error_either_way(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], end: str, last: str, block: int
) -> None:
    path = tmp_path_factory.mktemp("ways") / "t.csv"
    text = end.join(["ts,price,qty,side", "1704067200,2.5,1,buy", *lines]) + last
    path.write_bytes(text.encode())
    outcomes: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        for bytes_min in (1 << 40, 0):
            patch.setattr(text_tables, "COMPILED_BYTES_MIN", bytes_min)
            patch.setattr(text_tables, "LOADED_BYTES_MIN", bytes_min)
            if not bytes_min:
                patch.setattr(text_tables, "BLOCK_BYTES", block)
            try:
                made = import_file(path, BTC, "trades", tz="UTC")
                outcomes.append([made.stream.digest, made.report.rows_read])
            except LibraError as error:
                outcomes.append([error.message, *(other.message for other in error.more)])

    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("text", ["9" * 30_000, "-" + "9" * 30_000, "9" * 9_999 + "e99"])
def test_a_number_beyond_all_exponents_is_too_large(text: str) -> None:
    found = decimals_of_texts(pa.array(["1.5", text], pa.string()), 2)

    assert (found.too_large.tolist(), found.malformed.tolist()) == ([False, True], [False, False])


def test_an_exponent_of_many_digits_is_no_number() -> None:
    found = decimals_of_texts(pa.array(["1e20000", "1e-99999", "1e" + "9" * 30], pa.string()), 2)

    assert found.malformed.tolist() == [True, True, True]
