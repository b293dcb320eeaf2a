"""An embedded actor-system runtime for algorithmic trading, on Ray.

    import libra_ray as lr
    from libra_actors.strategies import EmaCross

    system = lr.System("demo", seed=7)
    system.add_venue("SIM", account="margin", balances=["100_000 USD"], fees=lr.MakerTaker("0.0002", "0.0005"))
    system.add(EmaCross(instrument="EURUSD.SIM", bars="1h", fast=10, slow=30, quantity="1000"))
    result = lr.backtest(system, data=lr.catalog("data").bars("EURUSD.SIM", "1h"))

The public names below are loaded when they are first used, so that `import libra_ray` and the command line start fast;
neither imports Ray.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from libra_ray.config import Range as Range
    from libra_ray.data import Dataset as Dataset
    from libra_ray.data import Gbm as Gbm
    from libra_ray.data import Hawkes as Hawkes
    from libra_ray.data import Heston as Heston
    from libra_ray.data import JumpDiffusion as JumpDiffusion
    from libra_ray.data import OrnsteinUhlenbeck as OrnsteinUhlenbeck
    from libra_ray.data import Stream as Stream
    from libra_ray.data import catalog as catalog
    from libra_ray.data import import_all as import_all
    from libra_ray.data import import_file as import_file
    from libra_ray.data import import_table as import_table
    from libra_ray.data import sample as sample
    from libra_ray.data import samples as samples
    from libra_ray.data import survey_file as survey_file
    from libra_ray.data import synth as synth
    from libra_ray.data import synth_order_flow as synth_order_flow
    from libra_ray.data import synth_pair as synth_pair
    from libra_ray.data.aggregation import BarSpec as BarSpec
    from libra_ray.data.aggregation import aggregate as aggregate
    from libra_ray.data.corporate_actions import adjusted as adjusted
    from libra_ray.data.session_calendars import trading_sessions as trading_sessions
    from libra_ray.errors import ConfigError as ConfigError
    from libra_ray.errors import DataError as DataError
    from libra_ray.errors import LibraError as LibraError
    from libra_ray.errors import StrategyError as StrategyError
    from libra_ray.errors import VenueError as VenueError
    from libra_ray.hosts.status import TreeStatus as TreeStatus
    from libra_ray.kernel import FixedFee as FixedFee
    from libra_ray.kernel import LatencySettings as LatencySettings
    from libra_ray.kernel import LimitSettings as LimitSettings
    from libra_ray.kernel import MakerTaker as MakerTaker
    from libra_ray.kernel import PerContractFee as PerContractFee
    from libra_ray.kernel import RiskSettings as RiskSettings
    from libra_ray.kernel import TieredFee as TieredFee
    from libra_ray.kernel import VenueSettings as VenueSettings
    from libra_ray.messages.events import AccountBooked as AccountBooked
    from libra_ray.messages.events import InstrumentHalted as InstrumentHalted
    from libra_ray.messages.events import MarginCall as MarginCall
    from libra_ray.messages.events import OrderAccepted as OrderAccepted
    from libra_ray.messages.events import OrderCanceled as OrderCanceled
    from libra_ray.messages.events import OrderCancelRejected as OrderCancelRejected
    from libra_ray.messages.events import OrderDenied as OrderDenied
    from libra_ray.messages.events import OrderEmulated as OrderEmulated
    from libra_ray.messages.events import OrderEvent as OrderEvent
    from libra_ray.messages.events import OrderExpired as OrderExpired
    from libra_ray.messages.events import OrderFilled as OrderFilled
    from libra_ray.messages.events import OrderInitialized as OrderInitialized
    from libra_ray.messages.events import OrderModifyRejected as OrderModifyRejected
    from libra_ray.messages.events import OrderRejected as OrderRejected
    from libra_ray.messages.events import OrderReleased as OrderReleased
    from libra_ray.messages.events import OrderSubmitted as OrderSubmitted
    from libra_ray.messages.events import OrderTriggered as OrderTriggered
    from libra_ray.messages.events import OrderUpdated as OrderUpdated
    from libra_ray.messages.events import PositionChanged as PositionChanged
    from libra_ray.messages.events import PositionClosed as PositionClosed
    from libra_ray.messages.events import PositionEvent as PositionEvent
    from libra_ray.messages.events import PositionOpened as PositionOpened
    from libra_ray.messages.schemas import Bar as Bar
    from libra_ray.messages.schemas import Dividend as Dividend
    from libra_ray.messages.schemas import FundingRate as FundingRate
    from libra_ray.messages.schemas import InstrumentStatusChange as InstrumentStatusChange
    from libra_ray.messages.schemas import MarkPrice as MarkPrice
    from libra_ray.messages.schemas import Quote as Quote
    from libra_ray.messages.schemas import Split as Split
    from libra_ray.messages.schemas import Trade as Trade
    from libra_ray.messages.schemas import register_schema as register_schema
    from libra_ray.messages.schemas import schema_named as schema_named
    from libra_ray.model.enums import AggressorSide as AggressorSide
    from libra_ray.model.enums import ContingencyType as ContingencyType
    from libra_ray.model.enums import InstrumentStatus as InstrumentStatus
    from libra_ray.model.enums import LiquiditySide as LiquiditySide
    from libra_ray.model.enums import OrderSide as OrderSide
    from libra_ray.model.enums import OrderStatus as OrderStatus
    from libra_ray.model.enums import OrderType as OrderType
    from libra_ray.model.enums import PositionSide as PositionSide
    from libra_ray.model.enums import TimeInForce as TimeInForce
    from libra_ray.model.enums import TradingState as TradingState
    from libra_ray.model.enums import TrailingOffsetType as TrailingOffsetType
    from libra_ray.model.enums import TriggerType as TriggerType
    from libra_ray.model.instruments import Instrument as Instrument
    from libra_ray.model.instruments import equity as equity
    from libra_ray.model.instruments import future as future
    from libra_ray.model.instruments import pair as pair
    from libra_ray.model.instruments import perpetual as perpetual
    from libra_ray.model.numbers import Currency as Currency
    from libra_ray.model.numbers import Money as Money
    from libra_ray.model.numbers import Price as Price
    from libra_ray.model.numbers import Quantity as Quantity
    from libra_ray.model.orders import Order as Order
    from libra_ray.model.positions import Position as Position
    from libra_ray.runtime import Actor as Actor
    from libra_ray.runtime import ActorConfig as ActorConfig
    from libra_ray.runtime import Signal as Signal
    from libra_ray.runtime import Timer as Timer
    from libra_ray.sessions import Deployment as Deployment
    from libra_ray.sessions import deploy as deploy
    from libra_ray.simulation import BacktestResult as BacktestResult
    from libra_ray.simulation import System as System
    from libra_ray.simulation import backtest as backtest
    from libra_ray.simulation.book_view import OrderBook as OrderBook
    from libra_ray.strategy import ExecAlgorithm as ExecAlgorithm
    from libra_ray.strategy import ExecAlgorithmConfig as ExecAlgorithmConfig
    from libra_ray.strategy import OrderFactory as OrderFactory
    from libra_ray.strategy import Strategy as Strategy
    from libra_ray.strategy import StrategyConfig as StrategyConfig
    from libra_ray.strategy.compiled import BarValues as BarValues
    from libra_ray.strategy.compiled import CompiledStrategy as CompiledStrategy
    from libra_ray.strategy.compiled import Desk as Desk
    from libra_ray.strategy.compiled import QuoteValues as QuoteValues
    from libra_ray.strategy.compiled import TradeValues as TradeValues
    from libra_ray.strategy.compiled import compiled as compiled
    from libra_ray.sweeps import LookaheadCheck as LookaheadCheck
    from libra_ray.sweeps import MonteCarloResult as MonteCarloResult
    from libra_ray.sweeps import Pruning as Pruning
    from libra_ray.sweeps import SweepResult as SweepResult
    from libra_ray.sweeps import WalkForwardResult as WalkForwardResult
    from libra_ray.sweeps import WarmupCheck as WarmupCheck
    from libra_ray.sweeps import check_lookahead as check_lookahead
    from libra_ray.sweeps import check_warmup as check_warmup
    from libra_ray.sweeps import monte_carlo as monte_carlo
    from libra_ray.sweeps import staying_workers as staying_workers
    from libra_ray.sweeps import sweep as sweep
    from libra_ray.sweeps import walk_forward as walk_forward

_HOME = {
    **dict.fromkeys(("ConfigError", "DataError", "LibraError", "StrategyError", "VenueError"), "libra_ray.errors"),
    **dict.fromkeys(
        (
            "AggressorSide",
            "ContingencyType",
            "LiquiditySide",
            "OrderSide",
            "OrderStatus",
            "OrderType",
            "PositionSide",
            "TimeInForce",
            "TradingState",
            "TrailingOffsetType",
            "TriggerType",
        ),
        "libra_ray.model.enums",
    ),
    **dict.fromkeys(("Currency", "Money", "Price", "Quantity"), "libra_ray.model.numbers"),
    **dict.fromkeys(("Instrument", "equity", "future", "pair", "perpetual"), "libra_ray.model.instruments"),
    **dict.fromkeys(("Order",), "libra_ray.model.orders"),
    **dict.fromkeys(("Position",), "libra_ray.model.positions"),
    **dict.fromkeys(("Bar", "FundingRate", "MarkPrice", "Quote", "Trade"), "libra_ray.messages.schemas"),
    **dict.fromkeys(
        (
            "AccountBooked",
            "InstrumentHalted",
            "MarginCall",
            "OrderAccepted",
            "OrderCanceled",
            "OrderCancelRejected",
            "OrderDenied",
            "OrderEmulated",
            "OrderEvent",
            "OrderExpired",
            "OrderFilled",
            "OrderInitialized",
            "OrderModifyRejected",
            "OrderRejected",
            "OrderReleased",
            "OrderSubmitted",
            "OrderTriggered",
            "OrderUpdated",
            "PositionChanged",
            "PositionClosed",
            "PositionEvent",
            "PositionOpened",
        ),
        "libra_ray.messages.events",
    ),
    **dict.fromkeys(("Actor", "ActorConfig", "Signal", "Timer"), "libra_ray.runtime"),
    **dict.fromkeys(
        ("ExecAlgorithm", "ExecAlgorithmConfig", "OrderFactory", "Strategy", "StrategyConfig"), "libra_ray.strategy"
    ),
    **dict.fromkeys(
        (
            "FixedFee",
            "LatencySettings",
            "LimitSettings",
            "MakerTaker",
            "PerContractFee",
            "RiskSettings",
            "TieredFee",
            "VenueSettings",
        ),
        "libra_ray.kernel",
    ),
    "BarSpec": "libra_ray.data.aggregation",
    "OrderBook": "libra_ray.simulation.book_view",
    **dict.fromkeys(
        (
            "Dataset",
            "Gbm",
            "Hawkes",
            "Heston",
            "JumpDiffusion",
            "OrnsteinUhlenbeck",
            "Stream",
            "catalog",
            "import_all",
            "import_file",
            "import_table",
            "survey_file",
            "sample",
            "samples",
            "synth",
            "synth_order_flow",
            "synth_pair",
        ),
        "libra_ray.data",
    ),
    **dict.fromkeys(("BacktestResult", "System", "backtest"), "libra_ray.simulation"),
    **dict.fromkeys(
        (
            "LookaheadCheck",
            "MonteCarloResult",
            "SweepResult",
            "WalkForwardResult",
            "WarmupCheck",
            "check_lookahead",
            "check_warmup",
            "monte_carlo",
            "staying_workers",
            "sweep",
            "walk_forward",
        ),
        "libra_ray.sweeps",
    ),
    **dict.fromkeys(("Deployment", "deploy"), "libra_ray.sessions"),
    "adjusted": "libra_ray.data.corporate_actions",
    "trading_sessions": "libra_ray.data.session_calendars",
    "aggregate": "libra_ray.data.aggregation",
    "Dividend": "libra_ray.messages.schemas",
    "InstrumentStatusChange": "libra_ray.messages.schemas",
    "Split": "libra_ray.messages.schemas",
    "InstrumentStatus": "libra_ray.model.enums",
    "BarValues": "libra_ray.strategy.compiled",
    "CompiledStrategy": "libra_ray.strategy.compiled",
    "Desk": "libra_ray.strategy.compiled",
    "QuoteValues": "libra_ray.strategy.compiled",
    "TradeValues": "libra_ray.strategy.compiled",
    "compiled": "libra_ray.strategy.compiled",
    "Range": "libra_ray.config",
    "Pruning": "libra_ray.sweeps",
    "register_schema": "libra_ray.messages.schemas",
    "schema_named": "libra_ray.messages.schemas",
    "TreeStatus": "libra_ray.hosts.status",
}

__version__ = "0.1.0"
__all__ = [
    "AccountBooked",
    "Actor",
    "ActorConfig",
    "AggressorSide",
    "BacktestResult",
    "Bar",
    "BarSpec",
    "BarValues",
    "CompiledStrategy",
    "ConfigError",
    "ContingencyType",
    "Currency",
    "DataError",
    "Dataset",
    "Deployment",
    "Desk",
    "Dividend",
    "ExecAlgorithm",
    "ExecAlgorithmConfig",
    "FixedFee",
    "FundingRate",
    "Gbm",
    "Hawkes",
    "Heston",
    "Instrument",
    "InstrumentHalted",
    "InstrumentStatus",
    "InstrumentStatusChange",
    "JumpDiffusion",
    "LatencySettings",
    "LibraError",
    "LimitSettings",
    "LiquiditySide",
    "LookaheadCheck",
    "MakerTaker",
    "MarginCall",
    "MarkPrice",
    "Money",
    "MonteCarloResult",
    "Order",
    "OrderAccepted",
    "OrderBook",
    "OrderCancelRejected",
    "OrderCanceled",
    "OrderDenied",
    "OrderEmulated",
    "OrderEvent",
    "OrderExpired",
    "OrderFactory",
    "OrderFilled",
    "OrderInitialized",
    "OrderModifyRejected",
    "OrderRejected",
    "OrderReleased",
    "OrderSide",
    "OrderStatus",
    "OrderSubmitted",
    "OrderTriggered",
    "OrderType",
    "OrderUpdated",
    "OrnsteinUhlenbeck",
    "PerContractFee",
    "Position",
    "PositionChanged",
    "PositionClosed",
    "PositionEvent",
    "PositionOpened",
    "PositionSide",
    "Price",
    "Pruning",
    "Quantity",
    "Quote",
    "QuoteValues",
    "Range",
    "RiskSettings",
    "Signal",
    "Split",
    "Strategy",
    "StrategyConfig",
    "StrategyError",
    "Stream",
    "SweepResult",
    "System",
    "TieredFee",
    "TimeInForce",
    "Timer",
    "Trade",
    "TradeValues",
    "TradingState",
    "TrailingOffsetType",
    "TreeStatus",
    "TriggerType",
    "VenueError",
    "VenueSettings",
    "WalkForwardResult",
    "WarmupCheck",
    "__version__",
    "adjusted",
    "aggregate",
    "backtest",
    "catalog",
    "check_lookahead",
    "check_warmup",
    "compiled",
    "deploy",
    "equity",
    "future",
    "import_all",
    "import_file",
    "import_table",
    "monte_carlo",
    "pair",
    "perpetual",
    "register_schema",
    "sample",
    "samples",
    "schema_named",
    "staying_workers",
    "survey_file",
    "sweep",
    "synth",
    "synth_order_flow",
    "synth_pair",
    "trading_sessions",
    "walk_forward",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'libra_ray' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
