"""A real browser opens a report: it draws, says nothing on its console, and asks for nothing but the file."""

import json
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from libra_ray.analysis.monte_carlo_report import write_monte_carlo_page
from libra_ray.analysis.report import write_report
from libra_ray.analysis.sweep_report import sweep_report
from libra_ray.analysis.walk_forward_report import write_walk_forward_page
from tests.analysis.page_reader import Page
from tests.analysis.result_tables import ema_cross
from tests.analysis.test_walk_forward_report import luck, walk

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-crash-reporter",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-first-run",
    "--hide-scrollbars",
    "--virtual-time-budget=5000",
    "--enable-logging=stderr",
)
# Of `page.css`: the colours of a falling curve, of the page, and of long and short marks.
LIGHT = {
    "page": (0xF5, 0xF6, 0xF8),
    "loss": (0xC2, 0x3A, 0x2F),
    "long": (0x1F, 0x6F, 0xD6),
    "short": (0xB4, 0x56, 0x0C),
}
DARK = {"page": (0x0E, 0x11, 0x16), "loss": (0xF4, 0x77, 0x6B), "long": (0x62, 0xA5, 0xFF), "short": (0xF0, 0xA0, 0x4B)}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the path (Debian: apt-get install chromium)"),
]


def browse(page: Path, *options: str) -> tuple[str, str]:
    """Open `page` in a browser of its own; returns what it printed and what its console said."""
    assert CHROMIUM is not None
    profile = page.parent / "profile"
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *options, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, "\n".join(console)


def asked_for(page: Path) -> set[str]:
    """Every address that the page made the browser ask for; what the browser asks for by itself does not count."""
    net_log = page.parent / "net.json"
    browse(page, "--dump-dom", f"--log-net-log={net_log}")
    requests = [event.get("params", {}) for event in json.loads(net_log.read_text())["events"]]
    return {request["url"] for request in requests if request.get("network_isolation_key", "").startswith("file:")}


def picture(page: Path, *options: str, height: int = 2_000) -> npt.NDArray[np.uint8]:
    """The page as (rows, columns, 3) colours."""
    target = page.parent / "page.png"
    browse(page, f"--screenshot={target}", f"--window-size=1000,{height}", *options)
    return decoded_png(target.read_bytes())


def decoded_png(source: bytes) -> npt.NDArray[np.uint8]:
    """Undo the filters of an 8-bit PNG without interlacing (PNG specification, section 9)."""
    width, height, depth, kind = struct.unpack(">IIBB", source[16:26])
    channels = {2: 3, 6: 4}[kind]
    assert depth == 8
    place, packed = 8, b""
    while place < len(source):
        length, name = struct.unpack(">I4s", source[place : place + 8])
        packed += source[place + 8 : place + 8 + length] if name == b"IDAT" else b""
        place += length + 12
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + width * channels)
    rows = np.zeros((height + 1, width + 1, channels), np.int32)
    for number, line in enumerate(lines, start=1):
        rows[number, 1:] = undone(int(line[0]), line[1:].reshape(width, channels), rows[number - 1], channels)
    return rows[1:, 1:, :3].astype(np.uint8)


def undone(
    method: int, line: npt.NDArray[np.uint8], above: npt.NDArray[np.int32], channels: int
) -> npt.NDArray[np.int32]:
    """One line of a PNG from its differences; `above` starts with a pixel of zeros."""
    values = line.astype(np.int32)
    if method == 0:
        return values
    if method == 1:
        return np.cumsum(values, axis=0) % 256
    if method == 2:
        return (values + above[1:]) % 256
    left = [0] * channels
    out = []
    for difference, up, corner in zip(values.tolist(), above[1:].tolist(), above[:-1].tolist(), strict=True):
        if method == 3:
            left = [(d + (a + b) // 2) % 256 for d, a, b in zip(difference, left, up, strict=True)]
        else:
            left = [(d + paeth(a, b, c)) % 256 for d, a, b, c in zip(difference, left, up, corner, strict=True)]
        out.append(left)
    return np.array(out, np.int32)


def paeth(left: int, up: int, corner: int) -> int:
    """The neighbour nearest to left + up - corner, in this order of preference."""
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(tmp_path_factory.mktemp("report") / "r.html", ema_cross(400, seed=3, fast=4, slow=9).report())


def test_the_report_draws_its_charts_in_silence(report: Path) -> None:
    source, console = browse(report, "--dump-dom")

    page = Page(source)
    assert page.one("html").attributes["data-drawn"] == "yes"
    assert len(page.all("canvas")) == 3
    assert console == ""


def test_the_report_asks_for_nothing_and_could_not(report: Path, tmp_path: Path) -> None:
    wanted = "http://example.invalid/x.png"
    image = f'<body><img src="{wanted}">'
    for name, source in (("free", "<!DOCTYPE html><body>"), ("kept", report.read_text(encoding="utf-8"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "r.html").write_text(source.replace("<body>", image), encoding="utf-8")

    asked = [asked_for(page) for page in (report, tmp_path / "kept" / "r.html", tmp_path / "free" / "r.html")]

    # The last is the control: there is no policy in that page, and the watch sees the request.
    assert asked == [set(), set(), {wanted}]


@pytest.mark.parametrize(("options", "colors"), [((), LIGHT), (("--blink-settings=preferredColorScheme=0",), DARK)])
def test_curves_and_marks_are_seen_in_the_colours_of_the_theme(
    report: Path, options: tuple[str, ...], colors: dict[str, tuple[int, int, int]]
) -> None:
    seen = picture(report, *options)

    counts = {name: int(np.all(seen == color, axis=2).sum()) for name, color in colors.items()}
    assert tuple(seen[-1, 0]) == colors["page"]
    assert counts["page"] > 50_000
    assert min(counts["loss"], counts["long"], counts["short"]) > 100


def test_the_report_of_a_sweep_draws_in_silence(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([{"fast": a, "slow": b, "sharpe_ratio": a / b} for a in (1, 2) for b in (3, 4)])

    source, console = browse(sweep_report(tmp_path / "s.html", table, ["fast", "slow"], "sharpe_ratio"), "--dump-dom")

    assert (Page(source).one("html").attributes["data-drawn"], console) == ("yes", "")


@pytest.mark.parametrize("kind", ["walk-forward", "monte-carlo"])
def test_the_reports_of_a_walk_forward_and_of_a_monte_carlo_draw_in_silence(tmp_path: Path, kind: str) -> None:
    if kind == "walk-forward":
        path = write_walk_forward_page(tmp_path / "w.html", walk())
    else:
        path = write_monte_carlo_page(tmp_path / "m.html", luck())

    source, console = browse(path, "--dump-dom")

    page = Page(source)
    assert (page.one("html").attributes["data-drawn"], console) == ("yes", "")
    if kind == "walk-forward":
        # Two charts of the joined curve, the bars of the windows, and the parallel coordinates.
        assert len(page.all("canvas")) == 4
