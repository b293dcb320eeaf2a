"""Running one scenario: system and data from the file, the script through the whole order path, then the comparison."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from importlib import import_module
from typing import Any

from libra_ray.data import Dataset, Stream
from libra_ray.data.aggregation import BarSpec
from libra_ray.data.merge import Run
from libra_ray.errors import ConfigError, quoted
from libra_ray.kernel import TradingKernel
from libra_ray.messages.events import AccountBooked, OrderEvent, OrderFilled, OrderReleased, OrderUpdated
from libra_ray.messages.rows import RATE_PRECISION
from libra_ray.messages.schemas import (
    BARS,
    BOOK_DELTAS,
    FUNDING_RATES,
    LAST_IN_MESSAGE,
    MARK_PRICES,
    QUOTES,
    SCHEMAS,
    TRADES,
    Schema,
)
from libra_ray.model.enums import AggressorSide
from libra_ray.model.instruments import Instrument, equity, future, pair, perpetual
from libra_ray.model.numbers import STANDARD_PRECISION_MAX, Money, decimal_text, parse_decimal
from libra_ray.model.positions import Position
from libra_ray.model.rules.fixed_point import rescale_half_even
from libra_ray.runtime import Actor
from libra_ray.simulation import System
from libra_ray.simulation.backtest import build
from libra_ray.simulation.replay import Replay
from libra_ray.testing.scenario_expectation import FieldsForm, PositionForm
from libra_ray.testing.scenario_form import SCENARIO_FEATURES, InstrumentForm, ScenarioForm
from libra_ray.testing.scenario_reading import read_form
from libra_ray.testing.scenario_script import EVENT_NAMES, ScriptedStrategy
from libra_ray.testing.scenario_values import EPOCH_NS, ts_ns

__all__ = ["ScenarioParts", "ScenarioResult", "run_scenario"]

_MAKE = {"pair": pair, "equity": equity, "future": future, "perpetual": perpetual}
_SCHEMA_OF = {
    "quote": QUOTES,
    "trade": TRADES,
    "bar": BARS,
    "mark": MARK_PRICES,
    "funding": FUNDING_RATES,
    "delta": BOOK_DELTAS,
}
_COLUMNS = {
    "quote": ("bid_px", "ask_px", "bid_qty", "ask_qty"),
    "trade": ("price", "qty", "aggressor"),
    "bar": ("open", "high", "low", "close", "volume"),
    "mark": ("price",),
    "funding": ("rate",),
    "delta": ("action", "side", "price", "qty", "order_id"),
}
_CODES = {"ADD": 1, "UPDATE": 2, "DELETE": 3, "CLEAR": 4, "BID": 1, "ASK": 2}
_SIZES = ("bid_qty", "ask_qty", "qty", "volume")
_BOOKINGS = ("FUNDING", "LIQUIDATION_FEE", "SETTLEMENT")
BAR_PERIOD = "1s"
STANDARD_RAW_LIMIT = 10**18
HIGH_RAW_LIMIT = 10**38


@dataclass
class ScenarioResult:
    """What came of a scenario.

    Attributes:
        unsupported: tags that it needs and this build lacks; then it was not run.
        diff: lines `path: expected X, got Y`; empty when ok.
        events, bookings, final: what happened, in the form of the file.
    """

    name: str
    ok: bool
    unsupported: list[str] = field(default_factory=list)
    diff: list[str] = field(default_factory=list)
    events: list[list[Any]] = field(default_factory=list)
    final: dict[str, Any] = field(default_factory=dict)
    bookings: list[list[str]] = field(default_factory=list)


def run_scenario(document: dict[str, Any]) -> ScenarioResult:
    """Run a parsed scenario file. Raises `ConfigError` where the file has another form."""
    form = read_form(document, place=str(document.get("name", "")))
    missing = sorted(set(form.needs) - SCENARIO_FEATURES)
    if missing:
        return ScenarioResult(form.name, ok=False, unsupported=missing)
    parts = ScenarioParts(form)
    kernel, replay = parts.build()
    strategy = parts.strategy()
    kernel.add(strategy)
    kernel.start()
    replay.run()
    return _compare(form, kernel, strategy)


class ScenarioParts:
    """What a scenario is run with: the system without its strategy, the data, and the order of its rows.

    Attributes:
        runs: that order, as the file has it.
    """

    def __init__(self, form: ScenarioForm) -> None:
        self._form = form
        self._instruments = [_instrument(made, form.currencies) for made in form.instruments]
        self.data, self._topics, self.runs = _data(form, {made.id: made for made in self._instruments})

    def system(self) -> System:
        """Venue, risk and execution algorithms."""
        system = _system(self._form)
        for made in self._instruments:
            system.add_instrument(made)
        for algorithm in _algorithms(self._form):
            system.add(algorithm)
        return system

    def strategy(self) -> ScriptedStrategy:
        """The strategy that plays the script, which is added last."""
        strategy = ScriptedStrategy()
        built = [bars.topic for bars in self.system().bars]
        strategy.script(self._form.actions, [made.id for made in self._instruments], self._topics, built)
        return strategy

    def build(self) -> tuple[TradingKernel, Replay]:
        """A kernel without the strategy, and the loop that replays the rows in their order."""
        kernel, replay = build(self.system(), self.data)
        replay.merged = lambda: self.runs
        return kernel, replay


# ---------------------------------------------------------------------- from the file


def _algorithms(form: ScenarioForm) -> list[Actor]:
    """The execution algorithms that orders of the script name; loaded by name, since the library does not know them."""
    if not {"twap", "vwap", "iceberg_algo", "pov"} & set(form.needs):
        return []
    home = import_module("libra_actors.algorithms")
    return [getattr(home, name)() for name in ("Twap", "Vwap", "Iceberg", "Pov")]


def _instrument(form: InstrumentForm, currencies: dict[str, int]) -> Instrument:
    facts = form.model_dump(exclude={"id", "kind", "activation", "expiration"}, exclude_none=True)
    for name in ("activation", "expiration"):
        text = getattr(form, name)
        if text is not None:
            facts[f"{name}_ns"] = ts_ns(text)
    return _MAKE[form.kind](form.id, currencies=currencies, **facts)


def _system(form: ScenarioForm) -> System:
    venue, options = form.venue, form.venue.options
    settings = options.model_dump(exclude_none=True, exclude={"fee", "sessions", "latency"})
    if options.latency is not None:
        settings["latency"] = options.latency.model_dump(exclude_none=True)
    if options.sessions is not None:
        settings["sessions"] = [(ts_ns(opens), ts_ns(closes)) for opens, closes in options.sessions]
    if venue.leverage is not None:
        settings["leverage"] = venue.leverage
    if venue.margin_model is not None:
        settings["margin_model"] = venue.margin_model
    if options.fee is not None:
        settings["fees"] = options.fee.model_dump(exclude_none=True)
    system = System(form.name, seed=form.seed)
    system.add_venue(
        venue.name,
        account=venue.account.lower(),
        oms=venue.oms.lower(),
        book=venue.book,
        balances=[f"{amount} {code}" for code, amount in venue.balances.items()],
        base_currency=venue.base_currency,
        currencies=form.currencies,
        **settings,
    )
    system.risk(**form.risk.model_dump(exclude_none=True))
    for bars in form.bars:
        system.add_bars(BarSpec(bars.instrument, bars.aggregation, bars.step, bars.source, name=bars.name))
    return system


def _data(form: ScenarioForm, instruments: dict[str, Instrument]) -> tuple[Dataset, list[str], list[Run]]:
    """The rows as streams, their topics, and the order of the file, which also rows of one ts keep."""
    first = form.instruments[0].id
    columns: dict[tuple[str, str], list[list[Any]]] = {}
    runs: list[Run] = []
    for row in form.data:
        rows = columns.setdefault((row[0], row[2] or first), [])
        runs.append(Run(list(columns).index((row[0], row[2] or first)), len(rows), len(rows) + 1))
        rows.append(list(row))
    streams: list[Stream] = []
    for (kind, instrument_id), rows in columns.items():
        schema = _SCHEMA_OF[kind]
        streams.append(_stream(schema, instruments[instrument_id], kind, rows))
    data = Dataset(streams)
    return data, [stream.topic for stream in data.streams], runs


def _stream(schema: Schema, instrument: Instrument, kind: str, rows: list[list[Any]]) -> Stream:
    values: dict[str, Any] = {"ts_init_ns": [ts_ns(row[1]) for row in rows]}
    for at, name in enumerate(_COLUMNS[kind], 3):
        if name == "aggressor":
            values[name] = [int(AggressorSide[row[at]]) for row in rows]
        elif name in ("action", "side"):
            values[name] = [_CODES[row[at]] for row in rows]
        elif name == "order_id":
            numbers: dict[str, int] = {"": 0}
            values[name] = [numbers.setdefault(row[at], len(numbers)) for row in rows]
        elif name == "rate":
            values[name] = [_raw(row[at], RATE_PRECISION) for row in rows]
        else:
            precision = instrument.size_precision if name in _SIZES else instrument.price_precision
            is_wide = precision > STANDARD_PRECISION_MAX
            values[name] = [_raw(row[at], precision, is_wide=is_wide) for row in rows]
    if kind == "delta":
        values["flags"] = [LAST_IN_MESSAGE] * len(rows)
    period = BAR_PERIOD if schema is BARS else ""
    return Stream(SCHEMAS[schema.name], instrument, period, schema.table(instrument, values, period=period))


def _raw(text: str, precision: int, *, is_wide: bool = False) -> int:
    number, scale = parse_decimal(text)
    raw = rescale_half_even(number, scale, precision)
    if abs(raw) >= (HIGH_RAW_LIMIT if is_wide else STANDARD_RAW_LIMIT):
        what = f"{quoted(text)} does not fit at {precision} decimals"
        raise ConfigError("CONF011", "data", what, "Write a smaller number, or a coarser tick and step.", text)
    return raw


# ---------------------------------------------------------------------- to the file


def _compare(form: ScenarioForm, kernel: TradingKernel, strategy: ScriptedStrategy) -> ScenarioResult:
    events = [
        _event(event, strategy.label_of(event.client_order_id), kernel)
        for event in kernel.record.events
        if isinstance(event, OrderEvent) and type(event).__name__ in EVENT_NAMES
    ]
    diff: list[str] = [f"fault: {fault.to_error()}" for fault in kernel.host.faults]
    expected = [_expected_event(row) for row in form.expect.events]
    for at in range(max(len(expected), len(events))):
        want = expected[at] if at < len(expected) else None
        got = events[at] if at < len(events) else None
        if want != got:
            diff.append(f"events[{at}]: expected {want}, got {got}")
    final = _final(form, kernel, strategy, diff)
    if form.expect.timeline is not None:
        _compare_timeline(form.expect.timeline, strategy.timeline, diff)
    bookings = _bookings(kernel)
    if form.expect.bookings is not None:
        wanted = [[_number(ts), kind, name, _money(amount)] for ts, kind, name, amount in form.expect.bookings]
        for at in range(max(len(wanted), len(bookings))):
            want_booking = wanted[at] if at < len(wanted) else None
            _check(diff, f"bookings[{at}]", want_booking, bookings[at] if at < len(bookings) else None)
    return ScenarioResult(form.name, ok=not diff, diff=diff, events=events, final=final, bookings=bookings)


def _bookings(kernel: TradingKernel) -> list[list[str]]:
    """Bookings that are no fills: [time, kind, instrument, amount]."""
    booked = [event for event in kernel.record.events if isinstance(event, AccountBooked) and event.kind in _BOOKINGS]
    return [
        [_time(b.ts_ns), b.kind, b.instrument_id, f"{_number(decimal_text(b.amount_raw, b.precision))} {b.currency}"]
        for b in booked
    ]


def _number(text: str) -> str:
    """A decimal in one spelling, so that numbers compare by value."""
    value = Decimal(text)
    return "0" if value == 0 else f"{value.normalize():f}"


def _money(text: str) -> str:
    amount, code = text.split(" ")
    return f"{_number(amount)} {code}"


def _time(ns: int) -> str:
    return _number(decimal_text(ns - EPOCH_NS, 9))


def _expected_event(row: Iterable[Any]) -> list[Any]:
    ts, label, name, *more = row
    fields: dict[str, str] = {}
    if more and isinstance(more[0], FieldsForm):
        for key, value in more[0].model_dump(exclude_none=True).items():
            fields[key] = value if key in ("liq", "code") else (_money(value) if key == "fee" else _number(value))
    return [_number(ts), label, name, fields]


def _event(event: OrderEvent, label: str, kernel: TradingKernel) -> list[Any]:
    order = kernel.cache.orders[event.client_order_id]
    fields: dict[str, str] = {}
    if isinstance(event, OrderFilled):
        fields = {
            "qty": _number(str(event.last_qty)),
            "px": _number(str(event.last_px)),
            "liq": str(event.liquidity),
            "fee": _money(str(event.commission)),
        }
    elif isinstance(event, OrderUpdated):
        raws = (("qty", event.quantity_raw, order.size_precision), ("price", event.price_raw, order.price_precision))
        for name, raw, precision in (*raws, ("trigger", event.trigger_raw, order.price_precision)):
            if raw is not None:
                fields[name] = _number(decimal_text(raw, precision))
    elif isinstance(event, OrderReleased):
        fields = {"price": _number(decimal_text(event.released_px_raw, order.price_precision))}
    elif getattr(event, "code", ""):
        fields = {"code": event.code}  # type: ignore[attr-defined]
    return [_time(event.ts_ns), label, EVENT_NAMES[type(event).__name__], fields]


def _check(diff: list[str], path: str, want: object, got: object) -> None:
    if want != got:
        diff.append(f"{path}: expected {want}, got {got}")


def _final(form: ScenarioForm, kernel: TradingKernel, strategy: ScriptedStrategy, diff: list[str]) -> dict[str, Any]:
    wanted = form.expect.final
    account = kernel.portfolio.accounts[form.venue.name]
    balances = {code: _number(str(account.total(code)).split(" ")[0]) for code in account.totals}
    got: dict[str, Any] = {"balances": balances, "trading_state": str(kernel.risk.trading_state)}
    if wanted.balances is not None:
        for code in sorted({*wanted.balances, *balances}):
            want = _number(wanted.balances.get(code, "0"))
            _check(diff, f"final.balances.{code}", want, balances.get(code, "0"))
    if wanted.locked is not None:
        locked = kernel.funds[form.venue.name].locked()
        for code, amount in wanted.locked.items():
            unit = account.currencies.get(code)
            got_text = "0" if unit is None else decimal_text(locked.get(code, 0), unit.precision)
            _check(diff, f"final.locked.{code}", _number(amount), _number(got_text))
    if wanted.positions is not None:
        held = list(kernel.portfolio.positions_open())
        _check(diff, "final.positions: number", len(wanted.positions), len(held))
        for at, (want_position, position) in enumerate(zip(wanted.positions, held, strict=False)):
            _check_position(diff, f"final.positions[{at}]", want_position, position, kernel, strategy)
    for label, want_order in (wanted.orders or {}).items():
        order = strategy.by_label.get(label) or kernel.cache.orders.get(label)
        if order is None:
            diff.append(f"final.orders.{label}: expected an order, got none")
            continue
        facts = {"status": str(order.status), "filled_qty": str(order.filled_qty), "qty": str(order.quantity)}
        for key, want_text in want_order.model_dump(exclude_none=True).items():
            if key == "avg_px":
                _check(diff, f"final.orders.{label}.avg_px", want_text, _rounded(order.avg_px, want_text))
            elif key == "status":
                _check(diff, f"final.orders.{label}.status", want_text, facts[key])
            else:
                _check(diff, f"final.orders.{label}.{key}", _number(want_text), _number(facts[key]))
    if wanted.trading_state is not None:
        _check(diff, "final.trading_state", wanted.trading_state, got["trading_state"])
    return got


def _check_position(
    diff: list[str], path: str, want: PositionForm, got: Position, kernel: TradingKernel, strategy: ScriptedStrategy
) -> None:
    _check(diff, f"{path}.instrument", want.instrument, got.instrument_id)
    _check(diff, f"{path}.side", want.side, str(got.side))
    _check(diff, f"{path}.qty", _number(want.qty), _number(str(got.quantity)))
    if want.order is not None:
        _check(diff, f"{path}.order", want.order, strategy.label_of(got.opening_order_id))
    if want.avg_px_open is not None:
        _check(diff, f"{path}.avg_px_open", want.avg_px_open, _rounded(got.avg_px_open, want.avg_px_open))
    if want.realized_pnl is not None:
        _check(diff, f"{path}.realized_pnl", _money(want.realized_pnl), _money(str(got.realized_pnl)))
    if want.unrealized_pnl is not None:
        unrealized = Money(kernel.portfolio.unrealized_raw(got), got.currency)
        _check(diff, f"{path}.unrealized_pnl", _money(want.unrealized_pnl), _money(str(unrealized)))


def _rounded(value: Decimal | None, like: str) -> str | None:
    """`value` half-even at as many decimals as `like` has."""
    if value is None:
        return None
    decimals = len(like.partition(".")[2])
    return f"{value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN):f}"


def _compare_timeline(expected: Sequence[Sequence[Any]], seen: list[list[Any]], diff: list[str]) -> None:
    got = [entry if entry[0] == "row" else [*entry[:2], _time(entry[2]), *map(_number, entry[3:])] for entry in seen]
    want = [[*entry] if entry[0] == "row" else [*entry[:2], *map(_number, entry[2:])] for entry in expected]
    for at in range(max(len(want), len(got))):
        one = want[at] if at < len(want) else None
        other = got[at] if at < len(got) else None
        _check(diff, f"timeline[{at}]", one, other)
