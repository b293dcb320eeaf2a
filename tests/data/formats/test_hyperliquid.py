"""Lines of Hyperliquid's channels, as its documentation writes them."""

import json
from pathlib import Path

import numpy as np
import pytest

from libra_ray.data import Import, import_all, import_file
from libra_ray.errors import DataError
from libra_ray.model.instruments import perpetual

BTC = perpetual("BTCUSD.HYPERLIQUID", base="BTC", quote="USD", tick="0.1", step="0.00001")
MS = 1_737_849_600_000
NS = MS * 10**6


def level(px: str, sz: str) -> dict[str, object]:
    return {"px": px, "sz": sz, "n": 1}


def written(folder: Path, *messages: tuple[str, object], times: tuple[bool, ...] = ()) -> Path:
    path = folder / "capture.jsonl"
    stamped = times or (True,) * len(messages)
    path.write_text(
        "".join(
            f"{f'{NS + number} ' if with_time else ''}{json.dumps({'channel': channel, 'data': data})}\n"
            for number, ((channel, data), with_time) in enumerate(zip(messages, stamped, strict=True))
        )
    )
    return path


def bbo(*sides: object) -> tuple[str, object]:
    return "bbo", {"coin": "BTC", "time": MS, "bbo": list(sides)}


def rows(made: Import) -> list[tuple[int, ...]]:
    return list(zip(*(np.asarray(made.stream.raw(name)).tolist() for name in made.schema.names), strict=True))


def test_the_best_of_the_book_are_quotes_and_other_channels_are_counted(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        ("subscriptionResponse", {"method": "subscribe"}),
        bbo(level("100.5", "2"), level("101.0", "3")),
        ("activeAssetCtx", {"coin": "BTC", "ctx": {"funding": "0.0001"}}),
    )

    (made,) = import_all(path, BTC)

    assert rows(made) == [(NS + 1, NS, 1_005, 1_010, 200_000, 300_000)]
    assert made.report.changes == {"messages_of_other_channels": 1}


def test_a_quote_of_one_side_is_refused_or_dropped_and_counted(tmp_path: Path) -> None:
    path = written(tmp_path, bbo(level("100.5", "2"), level("101.0", "3")), bbo(None, level("101.0", "3")))

    with pytest.raises(DataError, match=r"^DATA001 capture\.jsonl:2: column 'bid_px' has no value\."):
        import_file(path, BTC)
    made = import_file(path, BTC, on_null="drop")
    assert (made.report.rows, made.report.dropped_null) == (1, 1)


def test_a_line_without_the_receive_time_that_others_have_is_refused(tmp_path: Path) -> None:
    quote = bbo(level("100.5", "2"), level("101.0", "3"))

    assert import_file(written(tmp_path, quote, quote, times=(False, False)), BTC).stream.ts_ns.tolist() == [NS, NS]
    with pytest.raises(
        DataError, match=r"^DATA011 capture\.jsonl:2: .* \(some lines have a receive time and some do not\)"
    ):
        import_file(written(tmp_path, quote, quote, times=(True, False)), BTC)


def archived(folder: Path, *times: str) -> Path:
    levels = [[level("18.8", "1.2")], [level("18.9", "2.0"), level("19.0", "3")]]
    message = {"channel": "l2Book", "data": {"coin": "BTC", "time": MS, "levels": levels}}
    path = folder / "BTC"
    path.write_text("".join(f"{json.dumps({'time': time, 'ver_num': 1, 'raw': message})}\n" for time in times))
    return path


def test_lines_of_the_archive_are_received_at_their_time(tmp_path: Path) -> None:
    made = import_file(archived(tmp_path, "2025-01-26T00:00:00.144", "2025-01-26T00:00:07.705751164"), BTC)

    assert made.schema.name == "book_snapshots"
    assert made.stream.ts_ns.tolist() == [NS + 144 * 10**6] * 3 + [NS + 7_705_751_164] * 3
    assert list(made.stream.raw("ts_event_ns")) == [NS] * 6
    assert list(made.stream.raw("price")) == [188, 189, 190] * 2
    assert list(made.stream.raw("flags")) == [0, 0, 1] * 2


@pytest.mark.parametrize("time", ["2025-02-31T00:00:00.144", "2025-01-26 00:00:00", "2025-01-26T00:00:00.1234567891"])
def test_a_line_of_the_archive_without_a_time_is_refused(tmp_path: Path, time: str) -> None:
    with pytest.raises(DataError, match=rf"^DATA011 BTC:2: .* is no message \(time '{time}' is no time\)"):
        import_file(archived(tmp_path, "2025-01-26T00:00:00.144", time), BTC)
