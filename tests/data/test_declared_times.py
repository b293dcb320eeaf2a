"""Times of a declared form are read as they stand, or not at all."""

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.data.declared_times import declared_times, likely_form

NEW_YEAR = 1_704_067_200 * 10**9  # 2024-01-01
FORMS = (
    "%Y%m%d %H%M%S%f", "%d.%m.%Y %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S,%f", "%Y-%m-%dD%H:%M:%S.%f", "%Y%m%d %H%M%S %f",
    "%d-%b-%Y %I:%M:%S.%f %p", "%F %T.%f",
)  # fmt: skip


@given(st.integers(-8 * 10**15, 8 * 10**15), st.sampled_from(FORMS))
def test_what_was_written_in_a_form_is_read_in_it(micros: int, form: str) -> None:
    when = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=micros)

    ts_ns, bad = declared_times(pa.array([when.strftime(form)]), form)

    assert (ts_ns.tolist(), bad.tolist()) == ([micros * 1_000], [False])


@pytest.mark.parametrize(
    ("text", "form", "ns"),
    [
        ("20240101 000000003", "%Y%m%d %H%M%S%f", 3 * 10**6),
        ("20240101 000003660", "%Y%m%d %H%M%S%f", 3_660 * 10**6),
        ("20240101 000100 1230000", "%Y%m%d %H%M%S %f", 60 * 10**9 + 123 * 10**6),
        ("01.01.2024 02:00:00.123 GMT+0200", "%d.%m.%Y %H:%M:%S.%f GMT%z", 123 * 10**6),
        ("01.01.2024 02:00:00 GMT+0200", "%d.%m.%Y %H:%M:%S.%f GMT%z", 0),
        ("31.12.2023 23:00:00.5-01:00", "%d.%m.%Y %H:%M:%S.%f%z", 5 * 10**8),
        ("2024-01-01 00:00:00.123456789", "%F %T.%f", 123_456_789),
        ("31.12.2023 23:59:59.999", "%d.%m.%Y %H:%M:%S.%f", -(10**6)),
        ("1/1/2024 12:00:01 AM", "%m/%d/%Y %I:%M:%S %p", 10**9),
        ("1704067200", "%s", 0),
    ],
)
def test_decimals_of_a_second_stand_where_the_form_has_them(text: str, form: str, ns: int) -> None:
    ts_ns, bad = declared_times(pa.array([text]), form)

    assert (ts_ns.tolist(), bad.tolist()) == ([NEW_YEAR + ns], [False])


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("31.02.2024", "%d.%m.%Y"),
        ("29.02.2023 00:00:00.5 +0100", "%d.%m.%Y %H:%M:%S.%f %z"),
        ("2016-12-31 23:59:60", "%F %T"),
        ("31.12.3000", "%d.%m.%Y"),
        ("20240101 00000", "%Y%m%d %H%M%S%f"),
        ("2024-01-01 00:00:00.1234567891", "%F %T.%f"),
        ("2024-01-01 00:00:00.", "%F %T.%f"),
        ("01.01.2024 ", "%d.%m.%y"),
        ("", "%F"),
    ],
)
def test_no_time_is_made_of_what_is_none(text: str, form: str) -> None:
    ts_ns, bad = declared_times(pa.array([text, text]), form)

    assert (ts_ns.tolist(), bad.tolist()) == ([0, 0], [True, True])


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("26.03.2025 00:00:00.000", "%d.%m.%Y %H:%M:%S.%f"),
        ("01.01.2024 00:00:00.000 GMT+0200", "%d.%m.%Y %H:%M:%S.%f GMT%z"),
        ("2024.01.02 00:00", "%Y.%m.%d %H:%M"),
        ("2024/1/2", "%Y/%m/%d"),
        ("2024/1/2  00:00:00.0", "%Y/%m/%d  %H:%M:%S.%f"),
        ("20120201 000000", "%Y%m%d %H%M%S"),
        ("20120201 000003660", "%Y%m%d %H%M%S%f"),
        ("20240102 000100 1230000", "%Y%m%d %H%M%S %f"),
        ("20240102093000", "%Y%m%d%H%M%S"),
        ("2024-01-01D00:00:01.000000000", "%Y-%m-%dD%H:%M:%S.%f"),
        ("2024-01-01 00:00:00 +00:00", "%Y-%m-%d %H:%M:%S %z"),
        ("13/01/2024 09:30", "%d/%m/%Y %H:%M"),
        ("01/13/2024 09:30", "%m/%d/%Y %H:%M"),
        ("02-Jan-2024 09:30:00", "%d-%b-%Y %H:%M:%S"),
        ("01/02/2024 09:30", ""),
        ("31.02.2024", ""),
        ("2024-01-01 25:00", ""),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_a_plain_form_is_proposed_and_none_that_could_be_another(text: str, form: str) -> None:
    assert likely_form(text) == form
