"""Patterns: `*` any run, `?` one character, nothing else special."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from libra_ray.bus.patterns import is_literal, matcher
from libra_ray.runtime.topics import check_pattern, check_topic, quotes_topic


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("data.*", "data", False),
        ("data*", "data", True),
        ("data.*", "data.", True),
        ("data.*", "data.quotes.BINANCE.BTCUSDT", True),
        ("data.*.BINANCE.*", "data.quotes.BINANCE.BTCUSDT", True),
        ("data.?", "data.a", True),
        ("data.?", "data.ab", False),
        ("data.?", "data.", False),
        ("a.c", "abc", False),
        ("*", "anything.at/all:x", True),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "acb", False),
        ("*-1h", "data.bars.EURUSD.SIM-1h", True),
        ("a**c", "ac", True),
        ("a*?c", "ac", False),
        ("?*", "a", True),
    ],
)
def test_the_examples_of_the_specification(pattern: str, topic: str, expected: bool) -> None:  # noqa: FBT001 - a case's answer
    assert matcher(pattern)(topic) is expected


def slowly_matches(pattern: str, topic: str) -> bool:
    """By the definition: try every length of the run that a `*` may stand for."""
    if not pattern:
        return not topic
    if pattern[0] == "*":
        return any(slowly_matches(pattern[1:], topic[at:]) for at in range(len(topic) + 1))
    return bool(topic) and pattern[0] in ("?", topic[0]) and slowly_matches(pattern[1:], topic[1:])


@given(st.text("ab.*?", max_size=8), st.text("ab.", max_size=8))
@example("*ab*ab", "abab")
@example("*a?*b", "aab")
def test_a_compiled_pattern_answers_as_its_definition(pattern: str, topic: str) -> None:
    assert matcher(pattern)(topic) == slowly_matches(pattern, topic)
    if is_literal(pattern):
        assert matcher(pattern)(topic) == (pattern == topic)


def test_many_stars_over_a_long_topic_are_no_trap() -> None:
    assert not matcher("*a" * 127 + "*b")("a" * 256)


@pytest.mark.parametrize("text", ["", "a b", "a\n", "ä", "a*", "a?", "a,b", "a" * 257])
def test_a_bad_topic_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no topic"):
        check_topic(text)


@pytest.mark.parametrize("text", ["", "a b", "a\n", "[a]", "a" * 257])
def test_a_bad_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no pattern"):
        check_pattern(text)


def test_quotes_go_by_venue_then_symbol_split_at_the_last_dot() -> None:
    assert quotes_topic("BRK.B.NYSE") == "data.quotes.NYSE.BRK.B"
    with pytest.raises(ValueError, match=r"'EURUSD' is not SYMBOL\.VENUE"):
        quotes_topic("EURUSD")
