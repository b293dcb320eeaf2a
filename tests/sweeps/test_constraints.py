"""Constraints as text: what they mean, and that nothing else is evaluated."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray import ConfigError
from libra_ray.sweeps.constraints import constraints_of
from libra_ray.sweeps.grid import Parameter

PARAMETERS = (
    Parameter("fast", "EmaCross-1", "fast", (1, 2)),
    Parameter("EmaCross-1.slow", "EmaCross-1", "slow", (1, 2)),
    Parameter("label", "EmaCross-1", "label", ("a", "b")),
)


def holds(text: str, **values: Any) -> bool:  # noqa: ANN401 - values of settings
    (constraint,) = constraints_of([text], PARAMETERS)
    return constraint({"fast": values["fast"], "EmaCross-1.slow": values["slow"], "label": values.get("label", "a")})


NUMBERS = st.integers(1, 50)


@given(fast=NUMBERS, slow=NUMBERS)
def test_text_means_what_it_means_in_python(fast: int, slow: int) -> None:
    for text in (
        "fast * 2 < slow",
        "fast < slow <= 40",
        "not fast == slow",
        "(slow - fast) // 3 >= 2 or slow % 2 == 1",
        "slow / fast > 1.5 and -fast < -3",
    ):
        assert holds(text, fast=fast, slow=slow) is eval(text, {"fast": fast, "slow": slow}), text  # noqa: S307


def test_a_parameter_goes_by_its_name_its_setting_or_its_actor() -> None:
    for text in ("fast < slow", "EmaCross-1.fast < EmaCross-1.slow", "fast < EmaCross-1.slow"):
        assert holds(text, fast=1, slow=2)
        assert not holds(text, fast=2, slow=2)


def test_texts_are_compared_as_texts() -> None:
    assert holds("label == 'a'", fast=1, slow=2)
    assert not holds("label != 'a'", fast=1, slow=2)


def test_a_function_is_taken_as_it_is() -> None:
    (constraint,) = constraints_of([lambda each: each["fast"] == 3], PARAMETERS)
    assert constraint({"fast": 3})


@pytest.mark.parametrize(
    ("text", "code", "what"),
    [
        ("fast <", "CONF002", "is no comparison"),
        ("fast < slwo", "CONF009", "'slwo' in 'fast < slwo' is no parameter of the sweep"),
        ("__import__('os').system('true')", "CONF002", "is not evaluated"),
        ("fast.__class__", "CONF009", "is no parameter"),
        ("[fast]", "CONF002", "is not evaluated"),
        ("fast ** 9", "CONF002", "is not evaluated"),
        ("fast if slow else fast", "CONF002", "is not evaluated"),
        ("", "CONF002", "is no comparison"),
    ],
)
def test_other_text_is_refused(text: str, code: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        constraints_of([text], PARAMETERS)
    assert caught.value.code == code
    assert what in str(caught.value)
