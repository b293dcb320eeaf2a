"""Files that are no files, damaged, or not what they say: refused before a value is read."""

import base64
import bz2
import gzip
import lzma
import os
import socket
import zipfile
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from libra_ray.data import text_tables
from libra_ray.data.column_values import text_at
from libra_ray.data.importer import import_file
from libra_ray.data.parquet_pages import check_pages
from libra_ray.data.raw_files import RawFile
from libra_ray.errors import DataError
from libra_ray.model.instruments import pair

BTC = pair("BTCUSDT.SIM", base="BTC", quote="USDT", tick="0.01", step="0.001")
TRADES = "ts,price,qty\n"
GOOD_TRADE = "2024-01-01T00:00:00Z,100,1"
DAMAGED_STATISTICS = (
    "c-oazPfrt35TE_i&C(DkgtzR*jcE+sU;<cB&=?HPmcLrCG^v8&0?TG0K`AY`@EtsO@L>D^Bz^-"
    "9d<0G&J$Ufo$(VRE#)I?TzAZ6rNO;-4d2i-7zu(MGx)rRBGo2OLy)rWx^aI!%0HHFNI~`P{h4&wixn;lxm_0(c9Q_Q}Hq!{5B-"
    "VoA4&J^#0LTuhv>S@54FO3`v58dj20%tJd&_#pEJE+t8OXKWrr4DP2$~)VMVcM`om7jg*lLuk&i<bH`{~!`<*mw0lI1?`(58&oW{"
    "MSUws|`V-ekARWVm4O1C1hEM<+U&X1KRUO8v~bRGNZeo%?N#K!U6*pO7h<%5-"
    "OA5^SRx?1Zm2nMvdY)m9IidvE*PX;BO7AwJd4)Em1&SjaMy4UcT_oyW2Tu(gB36JXtxr#E-E!vd6D3R#BZI%N-"
    "Bl9&V|=Wtf0T88yivA!$bnrB{b*3Jm;n5jTpj?DCJ!|}i%DK63@MUpaw&JTqi?_BkMD%YR!)oNL(##>K&`lfiNy7xu9-"
    "e|AZ>2~f49r0p?&^yKYpm={W-g%~NvTa<}fRnOWXNF~XrgdR}<J#R=tv-"
    "A4Fqyi2q21wY9DPJw#biB2jM0y99x=jFBz!&r=J=seA$%;L;(lLd5TwcXd2vKsKwLsxM?c18exJYO_x&nA`XYZxxYCeFMO<8|zg("
    "z^dr3lkX=jBu;+F0KkIOX|N!(n*S6b(-3D>az1TFq#394YNIw|~-"
    "tT&R;Xm%;h_m8FM|M{ZTVDU+PeWE5?iDjJvT5I8x{x9DLwu%(d(oV<vL~GlN%W1z0VjgKUPToIRB7a_6jqwrK`TAz#;3zyC4eIsL"
    "%|>HC&c6v8&E5Ui`H88q;@G&u|Dml1GW6-F&?oyJb}$ar"
)
"""A Parquet file of 1,463 bytes whose statistics of sizes have one entry too many, packed."""


def refused(path: Path) -> str:
    before = sorted(path.parent.iterdir())
    with pytest.raises(DataError) as caught:
        import_file(path, BTC, "trades", wording="command")
    assert sorted(path.parent.iterdir()) == before, "a refused import writes nothing"
    return caught.value.message


def csv(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_parquet_file_without_its_footer(tmp_path: Path) -> None:
    path = csv(tmp_path, "x.parquet", b"PAR1" + b"\x00" * 4182)

    assert refused(path) == (
        "DATA011 x.parquet: footer unreadable at byte 4,182 of 4,186. "
        "The file is truncated or not Parquet; copy it again."
    )


def test_a_parquet_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"ts": [1_704_067_200] * 50, "price": ["1"] * 50, "qty": [1] * 50}), path)
    whole = path.read_bytes()

    for length in range(0, len(whole), 23):
        path.write_bytes(whole[:length])
        assert refused(path).startswith("DATA011 x.parquet: footer unreadable at byte ")


def test_a_damaged_page_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"ts": [1_704_067_200] * 50, "price": ["1"] * 50, "qty": [1] * 50}), path)
    whole = bytearray(path.read_bytes())
    whole[4:60] = b"\xff" * 56
    path.write_bytes(whole)

    assert refused(path).startswith("DATA011 x.parquet row 0: unreadable (")


def test_a_line_with_fields_missing(tmp_path: Path) -> None:
    path = csv(tmp_path, "t.csv", f"{TRADES}{GOOD_TRADE}\n\n1,2\n")

    assert refused(path) == ("DATA011 t.csv:4: 2 fields where the file has 3: '1,2'. The line is damaged; correct it.")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (bz2.compress(b"ts,price,qty\n1,1,1\n"), "is packed by bzip2, not text. Unpack the file."),
        (lzma.compress(b"ts,price,qty\n1,1,1\n"), "is packed by xz, not text. Unpack the file."),
        (bytes.fromhex("28b52ffd0458b10000"), "is packed by zstd, not text. Unpack the file."),
        (bytes.fromhex("04224d1860408200"), "is packed by lz4, not text. Unpack the file."),
        (gzip.compress(b"a.csv" + bytes(252) + b"ustar\x0000"), "is a tar archive, not text. Unpack the file."),
        (gzip.compress(gzip.compress(b"x")), "is packed by gzip once more, not text. Unpack the file."),
        (bytes.fromhex("d0cf11e0a1b11ae1"), "is a workbook of Excel, not text. Save it as CSV, UTF-8."),
    ],
)
def test_what_is_packed_otherwise_is_called_by_its_name(tmp_path: Path, content: bytes, what: str) -> None:
    assert refused(csv(tmp_path, "t.csv", content)) == f"DATA011 t.csv: {what}"


def test_a_workbook_of_excel_is_called_by_its_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        for name in ("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"):
            archive.writestr(name, "<x/>")

    assert refused(tmp_path / "t.xlsx") == ("DATA011 t.xlsx: is a workbook of Excel, not text. Save it as CSV, UTF-8.")


@pytest.mark.parametrize("name", ["t.arrow", "t.arrows", "t.feather"])
def test_an_arrow_stream_is_called_by_its_name(tmp_path: Path, name: str) -> None:
    table = pa.table({"ts": [1], "price": [1.5], "qty": [1]})
    with pa.ipc.new_stream(tmp_path / name, table.schema) as writer:
        writer.write_table(table)

    assert refused(tmp_path / name) == (
        f"DATA011 {name}: is an Arrow stream, which has no footer. Write it as an Arrow IPC file."
    )


def test_the_first_version_of_feather_is_called_by_its_name(tmp_path: Path) -> None:
    assert refused(csv(tmp_path, "t.feather", b"FEA1\0\0\0\0rest FEA1")) == (
        "DATA011 t.feather: is Feather of version 1. Write it as an Arrow IPC file."
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('1704067201,1,1,"a|1704067202,1,1,b|1704067203,1,1,c|', 2),
        ('1704067201,1,1,"x"|||1704067202,1,1,"a|b"|1704067203,1,1,c|', 5),
        ('1704067201,1,1,"a||1704067202,1,1,b""c"|1704067203,1,1,""|', 2),
    ],
)
@pytest.mark.parametrize("is_compiled", [True, False])
def test_a_quote_that_is_not_closed_swallows_no_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, line: int, end: str, *, is_compiled: bool
) -> None:
    monkeypatch.setattr(text_tables, "_compiled_from", lambda: 0 if is_compiled else 1 << 40)
    (tmp_path / "t.csv").write_bytes(f"ts,price,qty,note|{text}".replace("|", end).encode())

    assert refused(tmp_path / "t.csv").startswith(f"DATA011 t.csv:{line}: a quoted field goes on in the next line: ")


def test_a_quote_inside_a_field_is_a_sign_like_others(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('ts,price,qty,note\n1,1,1,5" pipe\n\n2,1,1,"6"" pipe"\n3,1,1,\n')

    assert import_file(tmp_path / "t.csv", BTC, ts_unit="s").report.rows == 3


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.csv") == (
        "DATA011 none.csv: cannot be read (No such file or directory). Check the path."
    )


def test_another_encoding(tmp_path: Path) -> None:
    path = csv(tmp_path, "t.csv", (TRADES + GOOD_TRADE + "\nzürich,1,1\n").encode("latin-1"))

    assert refused(path) == "DATA015 t.csv:3: byte 0xFC is not UTF-8. Save the file as UTF-8."


def test_a_byte_order_mark_inside_the_file(tmp_path: Path) -> None:
    path = csv(tmp_path, "t.csv", f"\ufeff{TRADES}{GOOD_TRADE}\n\ufeff{GOOD_TRADE}\n")

    assert refused(path) == "DATA015 t.csv:3: byte order mark inside the file. Remove it."


def test_too_many_columns(tmp_path: Path) -> None:
    path = csv(tmp_path, "t.csv", ",".join(f"c{number}" for number in range(10_000)) + "\n")

    assert refused(path) == (
        "DATA017 t.csv: 10,000 columns exceed the limit of 4,096. Keep the columns that are needed."
    )


@pytest.mark.slow
def test_too_many_columns_of_parquet(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({f"c{number}": pa.array([], pa.int8()) for number in range(4_097)}), path)

    assert refused(path) == (
        "DATA017 t.parquet: 4,097 columns exceed the limit of 4,096. Keep the columns that are needed."
    )


def test_a_fifo_is_not_waited_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.csv")

    assert refused(tmp_path / "t.csv") == ("DATA017 t.csv: is a FIFO, not a regular file. Give the file itself.")


def test_links_devices_sockets_and_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(csv(tmp_path, "t.csv", TRADES + GOOD_TRADE))
    (tmp_path / "folder.csv").mkdir()
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "s"))

        assert refused(tmp_path / "s").startswith("DATA017 s: is a socket, ")
    assert refused(tmp_path / "link.csv").startswith("DATA017 link.csv: is a symbolic link, ")
    assert refused(tmp_path / "folder.csv").startswith("DATA017 folder.csv: is a folder, ")
    with pytest.raises(DataError, match=r"^DATA017 zero: is a device, not a regular file\."):
        import_file("/dev/zero", BTC, "trades")


@pytest.mark.parametrize("compression", ["zstd", "snappy", "none"])
def test_pages_are_measured_by_their_own_headers(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "t.parquet"
    texts = pa.array([f"{number:08d}" for number in range(50_000)])
    pq.write_table(
        pa.table({"a": texts, "b": texts, "c": pa.array(["x"] * 50_000)}),
        path,
        compression=compression,
        use_dictionary=["c"],
        row_group_size=20_000,
        data_page_size=100_000,
    )
    # The largest page of each of the two columns holds 12 bytes a row, in writes of 1,024 rows.
    page = 12 * 1_024 * -(-100_000 // (12 * 1_024))

    def check(limit: int, *names: str) -> None:
        check_pages(RawFile.check(path, max_decompressed_bytes=limit), names)

    check(2 * page + 1_000, "a", "b", "c")
    check(1_000, "c")
    with pytest.raises(DataError, match=r"^DATA020 t\.parquet: pages expand beyond the limit of"):
        check(2 * page - 1_000, "a", "b")


def test_a_column_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.feather"
    pyarrow.feather.write_feather(pa.table({"naame": [1]}), path, compression="uncompressed")
    path.write_bytes(path.read_bytes().replace(b"naame", b"na\x8bme"))

    assert refused(path).startswith("DATA011 x.feather: footer unreadable (")


def test_a_receive_time_beyond_all_clocks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    trade = '{"coin":"BTC","side":"B","px":"1.5","sz":"2","time":1737849600000,"hash":"0x0","tid":1}'
    path.write_text(f'9737849600000000000 {{"channel":"trades","data":[{trade}]}}\n')

    assert refused(path).startswith("DATA011 x.jsonl:1: ")
    assert "the receive time is out of range" in refused(path)


def test_a_column_name_of_several_lines_makes_no_message_of_several(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"ts": [1_704_067_200], "cost\nEUR": ["1"], "qty": [1]}), path)

    assert refused(path).startswith("DATA004 x.parquet: column 'price' not found; the file has ts, cost\\nEUR, qty.")


@pytest.mark.parametrize("scale", [2, 2_000_000_000])
def test_a_damaged_decimal_can_be_named(scale: int) -> None:
    data = (2**127 - 1).to_bytes(16, "little", signed=True)
    prices = pa.Array.from_buffers(pa.decimal128(38, scale), 2, [None, pa.py_buffer(bytes(16) + data)])

    assert text_at(prices, 1).startswith("1701411834604692317316873037158841057")


def test_damaged_statistics_do_not_end_the_process(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(zlib.decompress(base64.b85decode(DAMAGED_STATISTICS)))

    assert refused(path).startswith("DATA011 x.parquet row 0: unreadable (Definition level histogram size mismatch")


@pytest.mark.parametrize("is_coded", [False, True], ids=["plain", "dictionary"])
@pytest.mark.parametrize("name", ["x.feather", "x.parquet"])
def test_a_text_of_another_encoding_in_a_binary_table(tmp_path: Path, name: str, *, is_coded: bool) -> None:
    path = tmp_path / name
    ends = pa.py_buffer(bytes([0, 0, 0, 0, 3, 0, 0, 0]))
    sides = pa.Array.from_buffers(pa.string(), 1, [None, ends, pa.py_buffer(b"bu\xff")])
    sides = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), sides) if is_coded else sides
    table = pa.table({"ts": [1_704_067_200], "price": [1.5], "qty": [1], "side": sides})
    (pq.write_table if name.endswith("parquet") else pyarrow.feather.write_feather)(table, path)

    message = refused(path)

    assert message.startswith(f"DATA011 {name} row 0: unreadable (")
    assert "Invalid UTF8 sequence" in message
