"""What Ray has to say to its driver goes to the log: stdout belongs to whoever called us, to one JSON document perhaps.

Ray prints notices of dead workers and of many processes there, whatever `log_to_driver` says, and has no switch for it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from loguru import logger
from ray._private import worker as ray_worker

__all__ = ["notices_to_log"]


@contextmanager
def notices_to_log() -> Iterator[None]:
    """Inside, notices are logged instead of printed."""
    module: Any = ray_worker
    before = module.print_to_stdstream
    module.print_to_stdstream = _log
    try:
        yield
    finally:
        module.print_to_stdstream = before


def _log(notice: Mapping[str, Any], *_options: object, **_named: object) -> None:
    for line in notice["lines"]:
        logger.info("Ray ({}): {}", notice["pid"], line)
