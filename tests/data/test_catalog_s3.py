"""The catalog on a real S3 protocol server, on loopback: Arrow's own client over a socket.

It needs moto's server (`moto[s3]`, `flask`, `flask-cors`), which is no dependency of the project: botocore excludes the
locked releases of python-dateutil and urllib3. Install it into an environment of its own and run this file there.
"""

import threading
from collections.abc import Iterator

import pyarrow.fs as pa_fs
import pytest

from libra_ray.data.parquet_catalog import Catalog, catalog
from libra_ray.errors import DataError
from libra_ray.messages.schemas import BARS
from tests.data.catalog_rows import EURUSD, bars, hours_read

moto = pytest.importorskip("moto.server", reason="needs moto's S3 server")
pytestmark = pytest.mark.slow
WRITERS = 4


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """`127.0.0.1:port` of a server with the bucket `bucket`."""
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    files = pa_fs.S3FileSystem(
        access_key="key",
        secret_key="secret",  # noqa: S106  # of nothing
        endpoint_override=f"http://{host}:{port}",
        region="us-east-1",
        allow_bucket_creation=True,
    )
    files.create_dir("bucket")
    yield f"{host}:{port}"
    server.stop()


def opened(endpoint: str, place: str) -> Catalog:
    return catalog(f"s3://key:secret@{place}?endpoint_override=http%3A%2F%2F{endpoint}&scheme=http&region=us-east-1")


def test_a_catalog_is_written_compacted_checked_and_read(endpoint: str) -> None:
    made = opened(endpoint, "bucket/whole")
    made.write(EURUSD, BARS, bars(0, 5), "1h")
    made.write(EURUSD, BARS, bars(5, 5), "1h")
    made.compact()
    made.write(EURUSD, BARS, bars(20, 5), "1h")

    again = opened(endpoint, "bucket/whole")
    assert hours_read(again) == [*range(10), *range(20, 25)]
    assert again.check().errors == ()
    assert len(again.ls()) == 2


@pytest.mark.parametrize("place", ["none/cat", "bucket/none"])
def test_a_bucket_or_prefix_that_is_not_there_is_told(endpoint: str, place: str) -> None:
    with pytest.raises(DataError, match=r"^DATA011 s3://\*\*\*@\S+: nothing is there\."):
        opened(endpoint, place).ls()


def test_a_write_into_no_bucket_is_told(endpoint: str) -> None:
    with pytest.raises(
        DataError, match=r"^DATA011 s3://\*\*\*@none/cat\?\*\*\*: cannot be written \(Bucket 'none' not"
    ):
        opened(endpoint, "none/cat").write(EURUSD, BARS, bars(0, 3), "1h")


def test_of_writers_at_once_each_writes_or_is_refused(endpoint: str) -> None:
    said: list[tuple[int, str]] = []
    begin = threading.Barrier(WRITERS)

    def write(number: int) -> None:
        made, rows = opened(endpoint, "bucket/race"), bars(100 * number, 3)
        begin.wait()
        try:
            made.write(EURUSD, BARS, rows, "1h")
        except DataError as error:
            said.append((number, error.code))
        else:
            said.append((number, "written"))

    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()

    written = sorted(number for number, answer in said if answer == "written")
    assert written
    assert {answer for _, answer in said} <= {"written", "DATA023"}
    assert hours_read(opened(endpoint, "bucket/race")) == [
        100 * number + hour for number in written for hour in range(3)
    ]
