"""What is wrong with a cluster, one line each: who may use it, versions, shared files, memory, compiled code."""

import hashlib
import os
import socket
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from libra_ray.cli.health import SHARED_BYTES_MIN, Check, size_text
from libra_ray.cli.tables import count_text
from libra_ray.cli.versions import SHOWN, versions
from libra_ray.errors import ConfigError

if TYPE_CHECKING:
    from libra_ray.runtime.ray.cluster_report import ClusterReport, NodeReport

__all__ = ["cluster_checks", "report_checks", "token_file_checks"]

ADDRESS_VARIABLE: Final = "RAY_ADDRESS"
LIBRARY: Final = "libra-ray"
PACKAGES: Final = (LIBRARY, *SHOWN)
SHOWN_NODES: Final = 3
DISK_BYTES_MIN: Final = 1 << 30
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
SAME_VERSIONS: Final = "Install the same versions on every node: use one image, or one lock."
GUARD: Final = "Set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH on every node before 'ray start'."


def cluster_checks(folder: Path) -> Iterator[Check]:
    """Join the cluster of `RAY_ADDRESS` and look at every node. `folder` is the one that all nodes should see.

    A cluster that cannot be joined is a finding, with the code of the error. Takes a few seconds.
    """
    yield from token_file_checks(os.environ)
    address = os.environ.get(ADDRESS_VARIABLE, "")
    if not address:
        fix = f"Export {ADDRESS_VARIABLE}, for example 10.0.0.5:6379, or run this as a Ray job."
        yield Check("cluster", ok=False, found=f"{ADDRESS_VARIABLE} is not set", fix=fix)
        return
    from libra_ray.runtime.ray.cluster_report import cluster_report

    try:
        with _seen_by_all(folder) as seen:
            report = cluster_report(address, packages=PACKAGES, shared=seen)
    except ConfigError as error:
        place = f" {error.place}:" if error.place else ""
        yield Check("cluster", ok=False, found=f"{error.code}{place} {error.what}", fix=error.fix)
    except OSError as error:
        what = f"{folder}: {error.strerror or error}"
        yield Check("shared folder", ok=False, found=what, fix="Give a folder that you may write to with --shared.")
    else:
        yield from report_checks(report, _own_versions())


def report_checks(report: "ClusterReport", own: Mapping[str, str | None]) -> Iterator[Check]:
    """The findings of a report, in the order of how much depends on them. `own` are the versions of this process."""
    cores = sum(node.cores for node in report.nodes)
    found = (
        f"Ray {report.version}, {count_text(len(report.nodes), 'node')}, {count_text(cores, 'core')}, {report.address}"
    )
    yield Check("cluster", cores > 0, found, "Add nodes with cores, or wait for the autoscaler.")
    silent = [node for node in report.nodes if node.trouble]
    if silent:
        found = f"no answer from {_names(silent)} ({silent[0].trouble})"
        yield Check("nodes", ok=False, found=found, fix="Look at 'ray status', and take the node out.")
    yield _token(report)
    heard = [node for node in report.nodes if not node.trouble]
    yield from _versions(heard, own)
    yield _shared_folder(heard)
    yield _shared_memory(heard)
    short = [node for node in heard if node.disk_free < DISK_BYTES_MIN]
    found = f"too little on {_names(short)}" if short else "1 GiB or more everywhere"
    yield Check("room on disk", not short, found, "Free 1 GiB in the temporary folder: the dataset is copied there.")
    cold = [node for node in heard if not node.cache]
    found = f"no writable folder on {_names(cold)}" if cold else "kept on every node"
    yield Check("compile cache", not cold, found, "Set NUMBA_CACHE_DIR to a folder of the node, in its image.")


def token_file_checks(environment: Mapping[str, str]) -> Iterator[Check]:
    """Whether this side has a token, and whether only its owner may read it."""
    path = environment.get("RAY_AUTH_TOKEN_PATH")
    if environment.get("RAY_AUTH_TOKEN"):
        yield Check("own token", ok=True, found="RAY_AUTH_TOKEN")
        return
    if not path:
        yield Check("own token", ok=False, found="no token configured here", fix="Set RAY_AUTH_TOKEN_PATH.")
        return
    try:
        mode = stat.S_IMODE(Path(path).stat().st_mode)
        is_empty = not Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or "not text"
        yield Check("own token", ok=False, found=f"{path}: {what}", fix="Correct RAY_AUTH_TOKEN_PATH.")
        return
    if is_empty:
        yield Check("own token", ok=False, found=f"{path} is empty", fix="Write the cluster's token into it.")
    else:
        is_private = not mode & OTHERS
        found = f"{path}, mode {mode:04o}"
        yield Check("own token", is_private, found, f"chmod 600 {path}")


def _token(report: "ClusterReport") -> Check:
    if report.lets_strangers_in is None:
        return Check("cluster's token", ok=True, found="not looked at")
    found = "anybody who reaches it can run code" if report.lets_strangers_in else "asked for"
    return Check("cluster's token", not report.lets_strangers_in, found, GUARD)


def _versions(nodes: Iterable["NodeReport"], own: Mapping[str, str | None]) -> Iterator[Check]:
    """One line for each package that differs; one in all when none does."""
    differing = 0
    for name, here in own.items():
        others = [node for node in nodes if name in node.versions and node.versions[name] != here]
        if not others:
            continue
        differing += 1
        there = others[0].versions[name]
        found = f"{there} on {_names(others)}, {here} here" if there else f"not installed on {_names(others)}"
        yield Check(name, ok=False, found=found, fix=SAME_VERSIONS)
    if not differing:
        yield Check("versions", ok=True, found="the same everywhere")


def _shared_folder(nodes: Iterable["NodeReport"]) -> Check:
    blind = [node for node in nodes if any(node.shared.values())]
    paths = {str(Path(path).parent): None for node in nodes for path in node.shared}
    folder = next(iter(paths), "")
    found = f"{folder} is not seen by {_names(blind)}" if blind else f"{folder} is seen by all"
    fix = "Mount one folder on every node and give it with --shared; tables and run folders belong there."
    return Check("shared folder", not blind, found, fix)


def _shared_memory(nodes: Iterable["NodeReport"]) -> Check:
    """Ray puts its object store on the disk where /dev/shm is smaller than it: slow, with a warning in a log."""
    short = [
        node
        for node in nodes
        if node.memory_total is not None
        and (node.memory_total < node.store_bytes or (node.memory_free or 0) < SHARED_BYTES_MIN)
    ]
    if not short:
        return Check("shared memory", ok=True, found="enough on every node")
    first = short[0]
    free, store = size_text(first.memory_free or 0), size_text(first.store_bytes)
    found = f"{free} free in /dev/shm on {_names(short)}, the object store is {store}"
    return Check("shared memory", ok=False, found=found, fix="Start the container with --shm-size above the store.")


def _names(nodes: Iterable["NodeReport"]) -> str:
    addresses = [node.address for node in nodes]
    more = len(addresses) - SHOWN_NODES
    return ", ".join(addresses[:SHOWN_NODES]) + (f" and {more:,} more" if more > 0 else "")


def _own_versions() -> dict[str, str | None]:
    """The versions at work here. A checkout that is not installed cannot be compared."""
    here = versions()
    own: dict[str, str | None] = {name: here[name] for name in ("python", *SHOWN)}
    try:
        own[LIBRARY] = metadata.version(LIBRARY)
    except metadata.PackageNotFoundError:
        return own
    return own


@contextmanager
def _seen_by_all(folder: Path) -> Iterator[Mapping[Path, str]]:
    """A file in `folder` with a content that only this process knows, and its digest; removed afterwards."""
    path = folder.resolve() / f".libra-doctor-{socket.gethostname()}-{os.getpid()}"
    content = f"{path} {time.time_ns()}".encode()
    with path.open("xb") as file:
        file.write(content)
    try:
        yield {path: hashlib.sha256(content).hexdigest()}
    finally:
        path.unlink(missing_ok=True)
