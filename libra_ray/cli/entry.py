"""From arguments to exit code: one answer on stdout, or one line per error on stderr; never a traceback unasked."""

import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final, TextIO

from typer.exceptions import Abort, TyperException

from libra_ray.cli.answer import Answer, error_document, json_text
from libra_ray.errors import ConfigError, LibraError, printable

__all__ = ["main", "run"]

ERRORS_SHOWN_MAX: Final = 20
INTERRUPTED: Final = 130
STDERR: Final = 2


def main() -> None:
    """The `libra` command of this process."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. Everything it says goes to this process's stdout and stderr."""
    options = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    as_json, debug = "--json" in options, "--debug" in options
    signal.signal(signal.SIGTERM, _terminated)
    with _answer_stream(as_json=as_json) as stdout:
        try:
            answer = _answer(arguments)
        except (KeyboardInterrupt, Abort):
            _say("Interrupted.")
            return INTERRUPTED
        except LibraError as error:
            _show_errors(error, debug=debug)
            if as_json:
                _put(stdout, json_text(error_document(error)))
            return error.exit_code
        except BrokenPipeError:
            return _closed_early()
        except Exception as error:  # noqa: BLE001  # the last resort: one line instead of a traceback
            unforeseen = LibraError(
                f"{type(error).__name__}: {printable(error)}. Please report it with what --debug shows."
            )
            _show_errors(unforeseen, debug=debug)
            if as_json:
                _put(stdout, json_text(error_document(unforeseen)))
            return unforeseen.exit_code
        try:
            if answer is not None:
                if as_json:
                    _put(stdout, json_text(answer.document))
                else:
                    answer.show(stdout)
            stdout.flush()
        except BrokenPipeError:
            return _closed_early()
        return 0 if answer is None else answer.exit_code


def _answer(arguments: Sequence[str]) -> Answer | None:
    """What the command answers; None where it has said all itself, as `--help` does."""
    from libra_ray.cli.commands import app

    try:
        answer = app(list(arguments), prog_name="libra", standalone_mode=False)
    except TyperException as error:
        raise _usage_error(error) from error
    if answer == INTERRUPTED:
        raise KeyboardInterrupt
    return answer if isinstance(answer, Answer) else None


def _usage_error(error: TyperException) -> ConfigError:
    """Typer's usage errors in our one-line form."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "libra"
    what = " ".join(printable(error.format_message()).split())
    return ConfigError("CONF000", command, f"{what[:1].lower()}{what[1:]}", f"See '{command} --help'.")


def _show_errors(error: LibraError, *, debug: bool) -> None:
    """One line each, at most 20; the traceback below when asked for."""
    found = (error, *error.more)
    for one in found[:ERRORS_SHOWN_MAX]:
        _say(one.message)
        for line in getattr(one, "__notes__", ()):
            _say(line)
    if len(found) > ERRORS_SHOWN_MAX:
        _say(f"and {len(found) - ERRORS_SHOWN_MAX} more")
    if debug:
        traceback.print_exc(file=sys.stderr)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _put(stdout: TextIO, text: str) -> None:
    stdout.write(f"{text}\n")
    stdout.flush()


@contextmanager
def _answer_stream(*, as_json: bool) -> Iterator[TextIO]:
    """Where the answer goes. With `--json` nothing else reaches stdout: a strategy's prints go to stderr."""
    if not as_json:
        yield sys.stdout
        return
    sys.stdout.flush()
    own = os.dup(sys.stdout.fileno())
    os.dup2(STDERR, sys.stdout.fileno())
    kept, sys.stdout = sys.stdout, sys.stderr
    with os.fdopen(own, "w", encoding="utf-8") as stream:
        try:
            yield stream
        finally:
            sys.stdout = kept


def _closed_early() -> int:
    """The reader has seen enough, as `head` does. What is still buffered must not raise at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _terminated(_number: int, _frame: FrameType | None) -> None:
    """Leave as an interrupt does, so that every `finally` runs and no process or shared memory stays behind."""
    raise KeyboardInterrupt
