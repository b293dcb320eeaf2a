"""What a refusal proposes can be typed as it stands, and is never a guess that could be another thing."""

from pathlib import Path
from typing import Any

import pytest

from libra_ray.data.importer import import_file
from libra_ray.errors import DataError
from tests.data.import_files import BTC

TRADES = "ts,price,qty\n"


def refused(path: Path, kind: str, **options: Any) -> str:  # noqa: ANN401  # as import_file
    period = "1h" if kind == "bars" else ""
    with pytest.raises(DataError) as caught:
        import_file(path, BTC, kind, period=period, wording="command", **options)
    return caught.value.message


def csv(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_long_names_are_cut(tmp_path: Path) -> None:
    path = csv(tmp_path, "t.csv", f"{'a' * 61},{'b' * 60},qty\n1,1,1\n")

    assert refused(path, "trades") == (
        f"DATA004 t.csv:1: column 'ts' not found; the file has {'a' * 60}..., {'b' * 60}, qty. "
        "Map it with --column ts=NAME."
    )


@pytest.mark.parametrize(
    ("header", "fix"),
    [
        ("Volume BTC,Volume USD", "Map it with --column 'volume=Volume BTC' or --column 'volume=Volume USD'."),
        ("trades,vwap", "Map it with --column volume=NAME or --column volume= if there is none."),
        ("quote_volume,base_volume", "Map it with --column volume=base_volume."),
    ],
)
def test_the_volume_of_bars_is_never_guessed(tmp_path: Path, header: str, fix: str) -> None:
    path = csv(tmp_path, "t.csv", f"ts,open,high,low,close,{header}\n1,1,1,1,1,1,1\n")

    assert refused(path, "bars").endswith(f", {header.replace(',', ', ')}. {fix}")


def test_thousands_beside_a_decimal_comma_are_declared_too(tmp_path: Path) -> None:
    path = csv(tmp_path, "t.csv", "ts;price;qty\n2024-01-01T00:00:00Z;1.234,5;1\n")

    assert refused(path, "trades", decimal=",") == (
        "DATA016 t.csv:2: column 'price': '1.234,5' has a decimal comma or thousands separators. "
        "Declare them with --thousands .."
    )


def test_the_form_of_a_time_is_proposed_as_it_can_be_typed(tmp_path: Path) -> None:
    path = csv(tmp_path, "t.csv", f"{TRADES}26.03.2025 00:00:00.5,1,1\n26.03.2025 00:00:01,1,1\n")

    assert refused(path, "trades") == (
        "DATA009 t.csv:2: column 'ts': '26.03.2025 00:00:00.5' is not a time (2 such rows). "
        "Correct the value or declare its form with --ts-format '%d.%m.%Y %H:%M:%S.%f' or --ts-unit UNIT."
    )


def test_no_form_is_proposed_for_one_time_among_others(tmp_path: Path) -> None:
    path = csv(tmp_path, "t.csv", f"{TRADES}1704067200,1,1\n01.01.2024 00:00:01,1,1\n")

    assert refused(path, "trades") == (
        "DATA009 t.csv:3: column 'ts': '01.01.2024 00:00:01' is not a time. "
        "Correct the value or declare its form with --ts-format FORMAT or --ts-unit UNIT."
    )
