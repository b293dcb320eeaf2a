"""A Ray of our own on this machine, started and ended by one thread.

In the main thread `ray.init` would set a handler of SIGTERM that raises in the midst of it (measured: the process then
aborts). In another thread it sets none. That thread has to live on: the kernel ends Ray's processes together with the
thread that started them.
"""

import logging
import threading
from collections.abc import Mapping
from typing import Final

import ray

from libra_ray.runtime.private_folders import PrivateFolder
from libra_ray.runtime.ray.environment import local_ray_environment
from libra_ray.runtime.ray.processes import end, started_by_session
from libra_ray.runtime.ray.undertaker import Undertaker

__all__ = ["LocalRay"]

# Only control messages and small results cross Ray; Ray's own default is 30 % of the memory.
OBJECT_STORE_BYTES: Final = 128 << 20
EXIT_GRACE_SECONDS: Final = 5.0
# Ray opens its folder to everybody, so it gets one inside ours.
RAY_FOLDER: Final = "r"


class LocalRay:
    """Ray's processes, their folder and their environment, from `start` to `stop`."""

    def __init__(self, cores: int, undertaker: Undertaker, switches: Mapping[str, str] | None = None) -> None:
        self._cores = cores
        self._undertaker, self._switches = undertaker, switches or {}
        self._error: BaseException | None = None
        self._is_up, self._may_end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._live, name="libra-ray-keeper", daemon=True)

    def start(self) -> None:
        """Return when Ray is up. Raises what `ray.init` raised, after all that it had started was ended."""
        self._thread.start()
        self._is_up.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error

    def stop(self) -> None:
        """Return when the last process has ended and the folder is gone. Raises what went wrong with that."""
        self._may_end.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _live(self) -> None:
        try:
            folder = PrivateFolder.for_sockets()
            self._undertaker.mind(folder.path)
            try:
                with local_ray_environment(folder.path, self._switches):
                    self._run(folder)
            finally:
                folder.remove()
                self._undertaker.forget(folder.path)
        except BaseException as error:  # noqa: BLE001  # raised in the thread that waits for it
            self._error = error
        finally:
            self._is_up.set()

    def _run(self, folder: PrivateFolder) -> None:
        try:
            ray.init(
                address="local",
                num_cpus=self._cores,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _temp_dir=str(folder.path / RAY_FOLDER),
            )
            self._is_up.set()
            self._may_end.wait()
        finally:
            started = started_by_session(folder.path)
            try:
                ray.shutdown(wait_for_processes=True)
            finally:
                end(started, grace_seconds=EXIT_GRACE_SECONDS)
