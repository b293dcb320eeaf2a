"""What cannot be compiled is refused where it stands, with what to write instead."""

import linecache
from typing import Any

import pytest

import libra_ray as lr
from libra_ray.errors import StrategyError

HEAD = """
from dataclasses import dataclass
from typing import NamedTuple
from libra_ray.strategy import numeric
from libra_ray.strategy.compiled import BarValues, Desk, compiled

UNKNOWN = float("nan")
WIDE = 2**64

@dataclass(slots=True)
class Memory:
    window: list[float]
    value: float = 0.0
    count: int = 0
    is_up: bool = False

class Params(NamedTuple):
    period: int
    weight: float

def plain(x: float) -> float:
    return x

"""
DECLARED = "@compiled\ndef handler(state: Memory, params: Params, bar: BarValues, orders: Desk) -> None:\n"
FIRST_LINE = HEAD.count("\n") + DECLARED.count("\n") + 1


def declare(text: str) -> dict[str, Any]:
    """Run a module of this text, whose source `inspect` finds."""
    name = f"handlers_{abs(hash(text))}.py"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    names: dict[str, Any] = {"__name__": "handlers"}
    exec(compile(text, name, "exec"), names)  # noqa: S102  # a module of the test's own
    return names


def refused(body: str) -> str:
    """The refusal of a handler with that body, without its file."""
    indented = "".join(f"    {line}\n" for line in body.split("\n"))
    with pytest.raises(StrategyError) as caught:
        declare(HEAD + DECLARED + indented)
    code, place, rest = caught.value.message.split(" ", 2)
    assert code == "STRAT010"
    return f"{int(place.rstrip(':').rpartition(':')[2]) - FIRST_LINE + 1}: {rest}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("state.count = 1.0", "1: state.count is int and would be given float. Give it int."),
        ("state.value = 1", "1: state.value is float and would be given int. Write float(x)."),
        ("x = 1\nx = bar.close_raw / 2", "2: a division of two ints rounds otherwise when compiled. Write float(a) / b, or a // b."),  # noqa: E501
        ("x = bar.close_f ** 2", "1: ** may differ when compiled. Write x * x, or numeric.power(x, y)."),
        ("x = bar.close_f % 2.0", "1: % of floats may differ when compiled. Use numeric.floor(x / y)."),
        ("state.nope = 1.0", "1: Memory has no 'nope' in compiled form. Known are count, is_up, value, window."),
        ("x = bar.open", "1: BarValues has no 'open' in compiled form. Did you mean 'open_f'?"),
        ("for x in state.window:\n    pass", "1: a loop over other than range(). Write for i in range(n)."),
        ("orders.bui(1)", "1: a desk has no 'bui'. Did you mean 'buy'?"),
        ("orders.buy(1.0)", "1: 1.0 is float where int is needed. Use an int."),
        ("orders.buy_limit(1, 2, reduce_only=True)", "1: buy_limit knows no 'reduce_only'. It knows post_only."),
        ("x = elsewhere", "1: 'elsewhere' is neither a local name nor a number of the module. Put it into the parameters."),  # noqa: E501
        ("if state.count:\n    pass", "1: state.count is int where bool is needed. Compare it, x != 0."),
        ("if state.is_up:\n    a = 1\nstate.count = a", "3: 'a' may have no value here. Give it one before the branch."),  # noqa: E501
        ("for i in range(2):\n    a = i\nstate.count = a", "3: 'a' may have no value here. Give it one before the branch."),  # noqa: E501
        ("x = round(bar.close_f)", "1: round() cannot be compiled so. Use numeric.floor(x)."),
        ("x = plain(1.0)", "1: plain() cannot be compiled so. Declare it @compiled, or use numeric functions."),
        ("x = bar.close_raw > 1.5", "1: bar.close_raw > 1.5 compares int with float. Write float(x) around the int."),
        ("x = max(bar.close_f, 1)", "1: the other value is float and would be given int. Write float(x)."),
        ("try:\n    pass\nexcept ValueError:\n    pass", "1: try cannot be compiled. Use assignments, if, for over range(), while and return."),  # noqa: E501
        ("x = [1.0]", "1: [1.0] cannot be compiled. Use numbers, fields of the state, parameters and rows, and arithmetic."),  # noqa: E501
        ("print(1)", "1: print() cannot be compiled so. Declare it @compiled, or use numeric functions."),
        ("numeric.sine(1.0)", "1: numeric has no 'sine'. Did you mean 'sin'?"),
        ("return 1", "1: it returns int and is declared to return none. Return none."),
        ("x = 99999999999999999999", "1: 99999999999999999999 has more than 64 bits. Use a float."),
        ("params.period = 1", "1: this cannot be assigned to. Assign to a local name or a field of the state."),
        ("x = state.window[0.5]", "1: 0.5 is float where int is needed. Use an int."),
        ("x = state.count and 1", "1: state.count is int where bool is needed. Compare it, x != 0."),
        ("x = UNKNOWN", "1: 'UNKNOWN' is nan. Put a number of 64 bits there."),
        ("x = WIDE", "1: 'WIDE' is 18446744073709551616. Put a number of 64 bits there."),
        ("x = state", "1: 'state' is no number. Use its fields."),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_compiled(body: str, message: str) -> None:
    assert refused(body) == message


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("@compiled\ndef f(x) -> float:\n    return x\n", "'x' has no annotation. Say what it is, x: float."),
        ("@compiled\ndef f(x: str) -> float:\n    return 1.0\n", "<class 'str'> has no declared fields."),
        ("@compiled\ndef f(x: float = 1.0) -> float:\n    return x\n", "f has other than plain arguments."),
        ("@compiled\ndef f(x: float) -> str:\n    return x\n", "it returns <class 'str'>. Return float, int, bool or None."),  # noqa: E501
        ("@dataclass\nclass S:\n    a: str\n@compiled\ndef f(s: S) -> None:\n    pass\n", "S.a is <class 'str'>. Use float,"),  # noqa: E501
        ("compiled(3)\n", "3 is no plain function. Write @compiled above a def."),
    ],
)  # fmt: skip
def test_a_declaration_that_cannot_be_compiled(text: str, what: str) -> None:
    with pytest.raises(StrategyError) as caught:
        declare(HEAD + text)

    assert what in caught.value.message


def test_handlers_of_another_state_or_row_are_refused_when_they_are_given() -> None:
    from libra_ray.strategy.compiled.strategy import _check_arguments
    from tests.strategy.compiled.handlers import Mix, MixParams, MixState, on_quote

    assert issubclass(Mix, object)
    with pytest.raises(StrategyError) as caught:
        _check_arguments("on_bar", on_quote, MixState([0.0]), MixParams(1, 0.1, 1, 1, False))  # noqa: FBT003

    assert "on_quote is no on_bar handler of MixState and MixParams" in caught.value.message


def test_a_handler_in_the_place_of_a_method_is_refused() -> None:
    """The class's own `on_bar` would be silent, in every engine."""
    from tests.strategy.compiled.handlers import Mix

    class Both(Mix):
        def on_bar(self, bar: lr.Bar) -> None:
            self.target("EURUSD.SIM", bar.close_raw)

    pair = lr.pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")
    system = lr.System("both", seed=1)
    system.add_venue("SIM", account="margin", balances=["100_000 USD"])
    system.add(Both())
    for engine in ("event", "compiled"):
        result = lr.backtest(system, data=lr.synth("bars", pair, rows=10, period="1m", price="1.1"), engine=engine)
        message = result.faults[0].to_error().message
        assert "Both defines on_bar and gives on_bar to handle_by in its place" in message
