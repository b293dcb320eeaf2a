"""Errors: one line with code, place, value and fix; facts survive a process border."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import libra_ray.errors
from libra_ray.errors import (
    ConfigError,
    ConnectionConfigError,
    DataError,
    EndpointTakenError,
    InvalidOrderTransitionError,
    InvalidTransitionError,
    JournalError,
    LibraError,
    NoReceiverError,
    NotInitializedError,
    ResultUnavailableError,
    StrategyError,
    UnsendableError,
    UserError,
    VenueError,
    did_you_mean,
    quoted,
)

FACTS = ("CONF002", "run.toml:9 risk.max_order_rate", "'fast' is not a rate", 'Write for example "100/1s".', "fast")
EXAMPLES: list[LibraError] = [
    LibraError("something"),
    *(kind(*FACTS) for kind in (UserError, ConfigError, ConnectionConfigError, DataError, StrategyError, VenueError)),
    JournalError("JRN003", "/data/j", "checksum differs", "See 'libra journal repair'.", None, 3),
    InvalidTransitionError("A-1", "READY", "STOP"),
    InvalidOrderTransitionError("A-1-1", "FILLED", "CANCELED"),
    NotInitializedError("A", "clock"),
    EndpointTakenError("risk"),
    UnsendableError("SubmitOrder", "order"),
    NoReceiverError("risk"),
    ResultUnavailableError("equity"),
]


def descendants(kind: type[LibraError]) -> set[type[LibraError]]:
    """The class and all below it that the module of errors defines."""
    below = {deeper for each in kind.__subclasses__() for deeper in descendants(each)}
    return {each for each in {kind} | below if each.__module__ == libra_ray.errors.__name__}


def test_every_class_of_error_has_an_example() -> None:
    assert {type(error) for error in EXAMPLES} == descendants(LibraError)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_every_error_survives_pickling_with_what_was_found_together(error: LibraError) -> None:
    error.more = (DataError("DATA001", "a.csv:2", "bad", "Mend it."),)
    error.add_note("further")

    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes

    assert type(copy) is type(error)
    assert (copy.args, str(copy), copy.exit_code, copy.family) == (
        error.args,
        str(error),
        error.exit_code,
        error.family,
    )
    assert [str(one) for one in copy.more] == ["DATA001 a.csv:2: bad. Mend it."]
    assert copy.__notes__ == ["further"]


def test_the_line_has_code_place_what_and_fix() -> None:
    error = ConfigError(*FACTS)

    line = "CONF002 run.toml:9 risk.max_order_rate: 'fast' is not a rate. Write for example \"100/1s\"."
    assert error.message == str(error) == line
    assert (error.code, error.family, error.place, error.value, error.fix, error.exit_code, error.more) == (
        "CONF002",
        "CONF",
        FACTS[1],
        "fast",
        FACTS[3],
        2,
        (),
    )


def test_the_exit_code_says_who_acts() -> None:
    kinds = (ConfigError, ConnectionConfigError, DataError, StrategyError, VenueError, JournalError)

    assert [kind(*FACTS).exit_code for kind in kinds] == [2, 2, 3, 1, 4, 1]
    assert JournalError(*FACTS, 3).exit_code == 3
    assert LibraError("x").exit_code == 1


def test_without_a_place_or_a_fix_the_line_is_shorter() -> None:
    assert StrategyError("STRAT001", None, "it raised", "").message == "STRAT001 it raised."
    assert ConfigError("CONF004", "a", "what?", "").message == "CONF004 a: what?"


@given(st.text())
def test_a_value_is_shown_on_one_line_and_cut_to_sixty(text: str) -> None:
    shown = quoted(text)

    assert shown.isprintable()
    assert shown[0] == shown[-1] == "'"
    assert len(shown) <= 60 + len("'...'")


def test_the_closest_name_is_suggested_else_five_known_ones() -> None:
    known = ["max_notional", "max_position", "a", "b", "c", "d"]

    assert did_you_mean("max_notinal", known) == "Did you mean 'max_notional'?"
    assert did_you_mean("zzzzzz", known) == "Known are a, b, c, d, max_notional."
    assert did_you_mean("zzzzzz", []) == ""
