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
            if answer is None:
                return 0
            _deliver(answer, stdout, as_json=as_json)
        except (KeyboardInterrupt, Abort):
            _say("Interrupted.")
            return INTERRUPTED
        except LibraError as error:
            failure = error
        except Exception as error:  # noqa: BLE001  # the last resort: one line instead of a traceback
            text = f"{type(error).__name__}: {printable(error)}. Please report it with what --debug shows."
            failure = LibraError(text).with_traceback(error.__traceback__)
        else:
            return answer.exit_code
        _show_errors(failure, debug=debug)
        if as_json:
            stdout.write(f"{json_text(error_document(failure))}\n")
        return failure.exit_code


def _deliver(answer: Answer, stdout: TextIO, *, as_json: bool) -> None:
    """Write the answer. A reader that has seen enough, as `head` does, is no error; a full disk is one."""
    try:
        if as_json:
            stdout.write(f"{json_text(answer.document)}\n")
        else:
            answer.show(stdout)
        stdout.flush()
    except OSError as error:
        # What is still buffered must not raise again when the stream is closed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            what = f"cannot be written ({error.strerror})"
            raise ConfigError("CONF000", "stdout", what, "Write it somewhere else.") from error


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
        traceback.print_exception(error, file=sys.stderr)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


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


def _terminated(_number: int, _frame: FrameType | None) -> None:
    """Leave as an interrupt does, so that every `finally` runs and no process or shared memory stays behind."""
    raise KeyboardInterrupt
