"""Where each setting comes from, and what is said when it is wrong."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, Field, PositiveInt, SecretStr, model_validator

from libra_ray.config import ConfigSource, Settings, build_settings, masked, read_settings, shown_text
from libra_ray.config.toml_lines import KeyPath, key_lines, parse_assignment
from libra_ray.errors import ConfigError, UserError

EVERY_FORM = """\
# a comment
top = 1

[run]  # another
name = "a # b"
"quoted key" = 'x'
'a.b' = 2
nested.deep.key = 3
list = [
  1, # one
  "two, ]",
  [3,
   4],
]
inline = { a = 1, "b" = { c = [1, { d = 5 }] }, e.f = 2 }
text = \"\"\"
several
  lines = 1
\"\"\"
after = '''
[not.a.table]
'''
time = 1979-05-27 07:32:00Z

[[venue]]
name = "A"

[venue.fee]
maker = 1

[[venue]]
name = "B"
[[venue.tier]]
from = 0
[[venue.tier]]
from = 1

[deep.er.table]
x = 1
[deep]
y = 2
"""


def paths_of(data: object, path: KeyPath = ()) -> set[KeyPath]:
    """Every key and list element of plain TOML data."""
    found = {path} if path else set()
    if isinstance(data, dict):
        found |= {deeper for key, value in data.items() for deeper in paths_of(value, (*path, key))}
    if isinstance(data, list):
        found |= {deeper for index, value in enumerate(data) for deeper in paths_of(value, (*path, index))}
    return found


def test_every_form_of_key_has_its_line() -> None:
    lines = key_lines(EVERY_FORM)

    assert set(lines) == paths_of(tomllib.loads(EVERY_FORM))
    numbered = EVERY_FORM.split("\n")

    def line_of(text: str) -> int:
        return next(number for number, line in enumerate(numbered, 1) if line.startswith(text))

    assert lines["top",] == line_of("top")
    assert lines["run",] == line_of("[run]")
    assert lines["run", "quoted key"] == line_of('"quoted key"')
    assert lines["run", "a.b"] == line_of("'a.b'")
    assert lines["run", "nested", "deep"] == lines["run", "nested", "deep", "key"] == line_of("nested.deep")
    assert lines["run", "list", 1] == line_of('  "two')
    assert lines["run", "list", 2] == line_of("  [3")
    assert lines["run", "list", 2, 1] == line_of("   4]")
    assert lines["run", "inline", "b", "c", 1, "d"] == line_of("inline")
    assert lines["run", "after"] == line_of("after")
    assert lines["run", "time"] == line_of("time")
    assert lines["venue", 0, "fee", "maker"] == line_of("maker")
    assert lines["venue", 1] == line_of('name = "B"') - 1
    assert lines["venue", 1, "tier", 1, "from"] == line_of("from = 1")
    assert lines["deep", "er", "table"] == line_of("[deep.er")
    assert lines["deep",] == line_of("[deep]")


bare_keys = st.text("abcXYZ019_-", min_size=1, max_size=6)
any_text = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)


def quoted_key(text: str) -> str:
    """A key in quotes, with everything odd escaped."""
    return '"' + "".join(char if char.isalnum() else f"\\U{ord(char):08X}" for char in text) + '"'


def basic_string(text: str) -> str:
    return '"' + "".join(f"\\u{ord(c):04X}" if c in '"\\' or ord(c) < 32 or ord(c) == 127 else c for c in text) + '"'


scalars = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.sampled_from(["1.5", "nan", "-inf", "1979-05-27T07:32:00Z", "0xFF", "1_000"]),
    any_text.map(basic_string),
    st.sampled_from(["'lit # , ]'", '"""\na = 1\n[x]\n"""', "'''\n]\n}'''", '""""q"""""', "''", '""']),
)
keys = st.one_of(bare_keys, any_text.map(quoted_key))
gaps = st.sampled_from(["", " ", "\n", " # c ] , }\n", "\n\n\t"])


@st.composite
def values(draw: st.DrawFn, depth: int = 0) -> str:
    """The text of a value: scalar, array over several lines, or inline table."""
    kind = draw(st.integers(0, 2 if depth < 2 else 0))
    if kind == 0:
        return draw(scalars)
    if kind == 1:
        parts = [draw(gaps) + draw(values(depth + 1)) + draw(gaps) for _ in range(draw(st.integers(0, 3)))]
        return "[" + ",".join(parts) + draw(st.sampled_from(["", ","] if parts else [""])) + draw(gaps) + "]"
    names = draw(st.lists(keys, max_size=3, unique=True))
    return "{" + ", ".join(f"{name} = {draw(values(depth + 1))}" for name in names) + "}"


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A text of tables, arrays of tables, dotted keys and comments; not every one is valid TOML."""
    lines = []
    for _ in range(draw(st.integers(0, 6))):
        path = ".".join(draw(st.lists(keys, min_size=1, max_size=3)))
        lines.append(draw(st.sampled_from(["", "# c = 1", f"[{path}]", f"[[ {path} ]] # c", "\t"])))
        for _ in range(draw(st.integers(0, 3))):
            name = draw(st.sampled_from([" . ", "."])).join(draw(st.lists(keys, min_size=1, max_size=2)))
            lines.append(f"{name} = {draw(values())}{draw(st.sampled_from(['', ' # ] }', '  ']))}")
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(documents())
def test_the_places_are_those_of_the_keys_that_tomllib_reads(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return

    lines = key_lines(text)

    assert set(lines) == paths_of(data)
    numbered = text.replace("\r\n", "\n").split("\n")
    for path, line in lines.items():
        # A key's line holds its own text, plain or escaped.
        if isinstance(path[-1], str):
            assert path[-1] in numbered[line - 1] or quoted_key(path[-1])[1:-1] in numbered[line - 1]


def two_or_more(value: int) -> int:
    if value < 2:
        raise ConfigError("CONF002", None, f"{value} is not two or more", "Write 2.", str(value))
    return value


class Fee(Settings):
    """Nested twice."""

    maker: float = 0.0


class Venue(Settings):
    """In a list of tables."""

    name: str
    fee: Fee = Fee()
    account: Literal["cash", "margin"] = "margin"


class Risk(Settings):
    """Every kind of setting."""

    max_notional: PositiveInt = 100
    max_orders: Annotated[int, AfterValidator(two_or_more)] = 5
    ratio: float = Field(default=0.5, ge=0, le=1)
    api_key: str = ""
    secret: SecretStr = SecretStr("")
    on: bool = True

    @model_validator(mode="after")
    def _some_rule(self) -> "Risk":
        if self.max_notional == self.max_orders:
            raise ValueError(f"max_notional={self.max_notional} must differ from max_orders={self.max_orders}")
        return self


class Whole(Settings):
    """A file."""

    title: str = ""
    venue: list[Venue] = Field(default_factory=list)
    risk: Risk = Risk()


def whole(folder: Path, text: str, *, sets: tuple[str, ...] = (), **environment: str) -> Whole:
    """A file of `text` under the other two layers."""
    (folder / "run.toml").write_text(text, encoding="utf-8")
    return read_settings(Whole, ConfigSource.read(folder / "run.toml", environment=environment, sets=sets))


def refusal(folder: Path, text: str, *, sets: tuple[str, ...] = (), **environment: str) -> UserError:
    with pytest.raises(UserError) as caught:
        whole(folder, text, sets=sets, **environment)
    return caught.value


def test_the_later_layer_wins(tmp_path: Path) -> None:
    text = "[risk]\nmax_notional = 1\nmax_orders = 2\nratio = 0.1\n"
    read = whole(
        tmp_path,
        text,
        sets=("risk.max_notional=1000",),
        LIBRA_RISK__MAX_NOTIONAL="100",
        LIBRA_RISK__MAX_ORDERS="20",
        LIBRA_OTHER="not a setting",
    )

    assert read.risk == Risk(max_notional=1000, max_orders=20, ratio=0.1)


def test_a_value_that_is_typed_as_a_number_may_be_text(tmp_path: Path) -> None:
    assert whole(tmp_path, "", sets=("title=2024",)).title == "2024"
    assert whole(tmp_path, "", sets=('title="quoted"',)).title == "quoted"
    assert whole(tmp_path, "", LIBRA_RISK__API_KEY="007").risk.api_key == "007"


def test_an_override_reaches_into_a_list_of_tables(tmp_path: Path) -> None:
    text = '[[venue]]\nname = "A"\n[[venue]]\nname = "B"\n'

    assert [v.name for v in whole(tmp_path, text, sets=("venue.1.name=C",)).venue] == ["A", "C"]
    assert whole(tmp_path, '[[venue]]\nname = "A"\n', sets=("venue.fee.maker=0.1",)).venue[0].fee.maker == 0.1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[risk]\n\nmax_notinal = 5",
            "CONF001 run.toml:3 risk.max_notinal: unknown key. Did you mean 'max_notional'?",
        ),
        (
            "[risk]\nzzz = 5",
            "CONF001 run.toml:2 risk.zzz: unknown key. Known are api_key, max_notional, max_orders, on, ratio.",
        ),
        (
            '[[venue]]\nname = "A"\n[venue.fee]\nmakr = 1',
            "CONF001 run.toml:4 venue.0.fee.makr: unknown key. Did you mean 'maker'?",
        ),
        (
            '[risk]\nmax_notional = "fast"',
            "CONF002 run.toml:2 risk.max_notional: 'fast' is not a whole number. Write for example 10.",
        ),
        ("[risk]\nmax_notional = 0", "CONF002 run.toml:2 risk.max_notional: 0 is not above 0. Give a larger value."),
        (
            "[risk]\nmax_notional = true",
            "CONF002 run.toml:2 risk.max_notional: true is not a number. Write a number without quotes.",
        ),
        ("[risk]\nmax_orders = 1", "CONF002 run.toml:2 risk.max_orders: 1 is not two or more. Write 2."),
        (
            "[risk]\nmax_orders = 7\nmax_notional = 7",
            "CONF002 run.toml:1 risk: max_notional=7 must differ from max_orders=7. Correct the value.",
        ),
        (
            "[risk]\nratio = nan",
            "CONF002 run.toml:2 risk.ratio: nan is not a finite number. Write for example 0.5.",
        ),
        ("[risk]\nratio = 1.5", "CONF002 run.toml:2 risk.ratio: 1.5 is above 1.0. Give at most 1.0."),
        (
            '[risk]\non = "maybe"',
            "CONF002 run.toml:2 risk.on: 'maybe' is neither true nor false. Write true or false without quotes.",
        ),
        ("title = 5", "CONF002 run.toml:1 title: 5 is not text. Write it in quotes."),
        ("risk = 5", "CONF002 run.toml:1 risk: 5 is not a table. Write [risk] with its keys below."),
        ("venue = 5", 'CONF002 run.toml:1 venue: 5 is not a list. Write for example ["a", "b"].'),
        ("[[venue]]", "CONF002 run.toml:1 venue.0.name: no value given. Add the key."),
        (
            '[[venue]]\nname = "A"\naccount = "margn"',
            "CONF002 run.toml:3 venue.0.account: 'margn' is not allowed. Did you mean 'margin'?",
        ),
        (
            '[[venue]]\nname = "A"\naccount = "x"',
            "CONF002 run.toml:3 venue.0.account: 'x' is not allowed. Use cash or margin.",
        ),
        (
            "[risk]\napi_key = 12345678901234567890",
            "CONF002 run.toml:2 risk.api_key: 1234...7890 is not text. Write it in quotes.",
        ),
        ("[risk]\nsecret = 12", "CONF002 run.toml:2 risk.secret: *** is not text. Write it in quotes."),
        ("a = \n", "CONF002 run.toml:1: not TOML: invalid value. Correct the line."),
        ("a = 1\na = 2\n", "CONF002 run.toml:2: not TOML: cannot overwrite a value. Correct the line."),
        ("a = " + "[" * 9_000, "CONF002 run.toml: lists or tables lie too deep in each other. Flatten the file."),
        (
            "#" * 1_048_577,
            "CONF002 run.toml: 1,048,577 bytes exceed the limit of 1,048,576 for a configuration. Shorten the file.",
        ),
    ],
)
def test_a_wrong_value_has_its_place_and_a_fix(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(tmp_path, text).message == message


def test_a_place_names_the_layer_that_the_value_came_from(tmp_path: Path) -> None:
    text = "[risk]\nmax_notional = 1\n"

    by_environment = refusal(tmp_path, text, LIBRA_RISK__MAX_NOTIONAL="fast")
    by_option = refusal(tmp_path, text, sets=("risk.max_notional=fast",), LIBRA_RISK__MAX_NOTIONAL="fast")
    unknown = refusal(tmp_path, text, LIBRA_RISC__MAX_NOTIONAL="1")

    assert by_environment.place == "LIBRA_RISK__MAX_NOTIONAL"
    assert by_option.place == "--set risk.max_notional"
    assert unknown.message == "CONF001 LIBRA_RISC__MAX_NOTIONAL: unknown key. Did you mean 'risk'?"


def test_all_errors_are_told_and_missing_keys_come_last(tmp_path: Path) -> None:
    error = refusal(tmp_path, '[[venue]]\nnam = "A"\n[risk]\nmax_notional = 0\n')

    assert [one.place for one in (error, *error.more)] == [
        "run.toml:2 venue.0.nam",
        "run.toml:4 risk.max_notional",
        "run.toml:1 venue.0.name",
    ]


def test_an_assignment_needs_a_key_and_a_sign(tmp_path: Path) -> None:
    message = "CONF000 --set: '{}' is not key=value. Write for example --set run.seed=7."

    assert refusal(tmp_path, "", sets=("risk",)).message == message.format("risk")
    assert refusal(tmp_path, "", sets=("=5",)).message == message.format("=5")
    assert parse_assignment('grid."EmaCross.fast" = [1, 2]') == (("grid", "EmaCross.fast"), "[1, 2]")
    assert parse_assignment('a."b=c"=d=e') == (("a", "b=c"), "d=e")


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as missing:
        ConfigSource.read(tmp_path / "no.toml")
    with pytest.raises(ConfigError) as folder:
        ConfigSource.read(tmp_path)

    fix = "Give the path of a configuration file."
    assert missing.value.message == f"CONF000 {tmp_path / 'no.toml'}: no such file. {fix}"
    assert folder.value.message == f"CONF000 {tmp_path}: not a file. {fix}"


@given(st.binary(max_size=200))
def test_any_bytes_are_settings_or_a_user_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    try:
        read_settings(Whole, ConfigSource.read(path))
    except ConfigError as error:
        assert error.message.startswith(("CONF001 any.toml:", "CONF002 any.toml:"))  # noqa: PT017
        assert "\n" not in error.message  # noqa: PT017


def test_settings_from_python_have_their_key_as_place() -> None:
    with pytest.raises(ConfigError) as caught:
        build_settings(Risk, {"max_notinal": 5}, place="risk")

    assert caught.value.message == "CONF001 risk.max_notinal: unknown key. Did you mean 'max_notional'?"
    assert build_settings(Risk, {"max_notional": 7}).max_notional == 7


def test_secrets_show_four_and_four_only_when_longer_than_sixteen() -> None:
    assert masked("abcd" + "-" * 9 + "wxyz") == "abcd...wxyz"
    assert masked("abcd--------wxyz") == "***"
    assert shown_text("redis://user:pass@host:6379/0") == "redis://user:***@host:6379/0"
    assert shown_text("redis://:pass@host:6379") == "redis://:***@host:6379"
    assert shown_text("abc", "api_key") == "***"
