"""TradingKernel: builds data engine, cache, portfolio, risk engine, execution engine and venues, and wires them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from libra_ray.bus import Bus
from libra_ray.clock import VirtualClock
from libra_ray.data.engine import DataEngine
from libra_ray.errors import ConfigError, quoted
from libra_ray.execution import ExecutionClient, ExecutionEngine, RunRecord
from libra_ray.kernel.settings import RiskSettings, VenueSettings, parse_rate
from libra_ray.messages.commands import CancelAllOrders, Command, SetTradingState, SubmitOrder
from libra_ray.messages.events import TradingStateChanged
from libra_ray.model.accounts import Account
from libra_ray.model.contract_terms import ContractTerms
from libra_ray.model.enums import AccountType, TradingState
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import Rate, currency
from libra_ray.model.views import FundsView
from libra_ray.portfolio import Cache, CacheActor, Funds, Portfolio, PortfolioActor, StrategyPortfolio
from libra_ray.risk import RiskEngine, RiskLimits
from libra_ray.runtime import Actor, ActorConfig, Delivery, Fault, Kind, LocalHost
from libra_ray.strategy import Strategy

__all__ = ["KernelParts", "TradingKernel"]


class KernelParts(NamedTuple):
    """What a venue's client is made from."""

    cache: Cache
    portfolio: Portfolio
    execution: ExecutionEngine


ClientMaker = Callable[[VenueSettings, KernelParts], ExecutionClient]


class TradingKernel:
    """One system on one host.

    Start order: bus, cache, portfolio, risk, execution, data, clients, user actors, strategies; stop runs in reverse
    and goes on past failures. A part of the kernel that raises halts trading; a strategy that raises is stopped, its
    orders and positions treated by its policy, and the others go on.

    Attributes:
        record: events in order of birth, orders, equity samples.
        halted_by: the fault of a kernel part that halted the run; None normally.
    """

    def __init__(
        self,
        *,
        venues: Sequence[VenueSettings],
        instruments: Iterable[Instrument],
        risk: RiskSettings,
        make_client: ClientMaker,
        seed: int = 0,
        start_ns: int = 0,
    ) -> None:
        self.clock = VirtualClock(start_ns)
        self.bus = Bus(self.clock)
        self.host = LocalHost(self.clock, self.bus, seed)
        self.record = RunRecord()
        self.cache = Cache(instruments)
        self.portfolio = Portfolio(self.cache)
        self.strategies: list[Strategy] = []
        self.halted_by: Fault | None = None
        self._venues = {venue.name: venue for venue in venues}
        self._check_venues(venues)
        self._build(venues, risk, make_client)
        self.host.on_faulted = self._on_strategy_fault
        self.host.on_kernel_fault = self._on_kernel_fault

    # ------------------------------------------------------------------ building

    def _check_venues(self, venues: Sequence[VenueSettings]) -> None:
        if len(self._venues) != len(venues):
            names = [venue.name for venue in venues]
            name = next(name for name in names if names.count(name) > 1)
            what = f"venue {quoted(name)} is given 2 times"
            raise ConfigError("CONF007", None, what, "Give each its own name.", name)
        for instrument in self.cache.instruments.values():
            if instrument.venue not in self._venues:
                fix = f"Add the venue {instrument.venue}; known are {', '.join(self._venues) or 'none'}."
                what = f"instrument {quoted(instrument.id)} has no venue"
                raise ConfigError("CONF008", None, what, fix, instrument.id)

    def _build(self, venues: Sequence[VenueSettings], risk: RiskSettings, make_client: ClientMaker) -> None:
        host = self.host
        self.cache_actor = CacheActor(ActorConfig(actor_id="Cache"))
        self.portfolio_actor = PortfolioActor(ActorConfig(actor_id="Portfolio"))
        self.risk = RiskEngine(ActorConfig(actor_id="RiskEngine"))
        self.execution = ExecutionEngine(ActorConfig(actor_id="ExecEngine"))
        self.data = DataEngine(ActorConfig(actor_id="DataEngine"))
        self.cache_actor.wire(self.cache)
        self.portfolio_actor.wire(self.portfolio)
        host.add(self.cache_actor, Kind.CACHE)
        host.add(self.portfolio_actor, Kind.PORTFOLIO)
        host.add(self.risk, Kind.RISK)
        host.add(self.execution, Kind.EXECUTION)
        host.add(self.data, Kind.DATA)
        host.provide(cache=self.cache, portfolio=self.portfolio)
        parts = KernelParts(self.cache, self.portfolio, self.execution)
        for instrument in self.cache.instruments.values():
            fees = self._venues[instrument.venue].fees
            rates = (None, None) if fees is None else (Rate.parse(fees.maker), Rate.parse(fees.taker))
            self.portfolio.terms[instrument.id] = ContractTerms.of(instrument, *rates)
        funds: dict[str, FundsView] = {}
        for venue in venues:
            self._open_account(venue)
            is_leveraged = venue.margin_model == "leveraged"
            funds[venue.name] = Funds(self.portfolio, venue.name, Rate.parse(venue.leverage), leveraged=is_leveraged)
        self.funds = funds
        self.clients = {venue.name: make_client(venue, parts) for venue in venues}
        self.execution.wire(
            self.cache,
            self.portfolio,
            {made.id: self.clients[made.venue] for made in self.cache.instruments.values()},
            self.record,
            table=self.bus.table,
            account_ids=[account.account_id for account in self.portfolio.accounts.values()],
            publish=self.bus.publish,
            has_receivers=self.bus.receivers,
            on_booked=self._sample_equity_of,
        )
        self.risk.wire(
            self.cache,
            self.portfolio,
            {made.id: funds[made.venue] for made in self.cache.instruments.values()},
            _limits(risk),
            take=self.execution.take,
            report=self.execution.refuse,
            forward=self.execution.execute,
            announce=self._announce_trading_state,
        )
        self.bus.register("RiskEngine.execute", self.risk.execute)
        self.bus.register("ExecEngine.execute", self.execution.execute)
        self.bus.register("OrderEmulator.execute", self.risk.execute)
        self.bus.register("Kernel.command", self._command)

    def _open_account(self, venue: VenueSettings) -> None:
        base = None if venue.base_currency is None else currency(venue.base_currency, venue.currencies)
        deposits = venue.deposits()
        account = Account(f"{venue.name}-account", AccountType(venue.account), base, base or deposits[0].currency)
        self.record.events.extend(self.portfolio.add_account(venue.name, account, deposits, self.clock.ts_ns))

    def add(self, actor: Actor) -> str:
        """Take a user actor or strategy into the system; returns its id."""
        is_strategy = isinstance(actor, Strategy)
        actor_id = self.host.add(actor, Kind.STRATEGY if is_strategy else Kind.ACTOR)
        if isinstance(actor, Strategy):
            actor.portfolio = StrategyPortfolio(self.portfolio, actor_id)
            actor.link_order_path()
            self.strategies.append(actor)
            if actor.hears_orders:
                for topic in (f"events.order.{actor_id}", f"events.position.{actor_id}"):
                    self.bus.subscribe(topic, Delivery(self.host, actor, actor.hear, keeps=True))
        return actor_id

    # ------------------------------------------------------------------ running

    @property
    def start_order(self) -> list[str]:
        """Actor ids in the order of dependency."""
        kernel = ["Cache", "Portfolio", "RiskEngine", "ExecEngine", "DataEngine"]
        users = [actor_id for actor_id, actor in self.host.actors.items() if not actor.rank.kind.is_kernel]
        return kernel + sorted(users, key=lambda actor_id: self.host.actors[actor_id].rank)

    def start(self) -> None:
        """Start everything in order. What `on_start` sent stays queued for the loop that runs the market.

        Raises `ConfigError` CONF008 for a subscription to data that the run does not have.
        """
        self.host.start_all(self.start_order)
        self.data.refuse_unknown(
            [(d.actor.actor_id, pattern) for pattern, d in self.bus.subscriptions() if isinstance(d, Delivery)]
        )

    def stop(self) -> list[Fault]:
        """Stop everything in reverse order, past failures; returns the faults that stopping met."""
        return self.host.stop_all(self.start_order)

    def _command(self, command: Command) -> None:
        """Endpoint `Kernel.command`."""
        if isinstance(command, SetTradingState):
            self.risk.execute(command)

    def _announce_trading_state(self, event: TradingStateChanged) -> None:
        self.record.events.append(event)
        self.bus.publish("events.risk", event)

    # ------------------------------------------------------------------ equity

    def _sample_equity_of(self, instrument_id: str, ts_ns: int) -> None:
        self.sample_equity(self.portfolio.terms[instrument_id].venue, ts_ns)

    def sample_equity(self, venue: str, ts_ns: int) -> None:
        """Note balance and equity of a venue's account as of now."""
        portfolio = self.portfolio
        account = portfolio.accounts[venue]
        balance_raw = account.total_raw(account.reporting.code)
        self.record.equity.append((ts_ns, venue, balance_raw, portfolio.equity_raw(venue)))

    # ------------------------------------------------------------------ faults

    def _on_strategy_fault(self, actor: Actor, _fault: Fault) -> None:
        """The policy of a strategy that has faulted: keep, cancel, or flatten."""
        if not isinstance(actor, Strategy) or actor.config.fault_policy == "keep":
            return
        now_ns = self.clock.now_ns()
        self.host.queue.append((actor, self.execution.execute, CancelAllOrders(now_ns, actor.actor_id, None)))
        if actor.config.fault_policy == "flatten":
            self.host.queue.append((actor, self._flatten, actor))

    def _flatten(self, actor: Strategy) -> None:
        """Close what a faulted strategy holds, by reduce-only market orders through the risk engine."""
        for position in actor.portfolio.positions():
            order = actor.orders.closing(position)
            self.cache.orders[order.client_order_id] = self.cache.new[order.client_order_id] = order
            self.risk.execute(SubmitOrder(self.clock.now_ns(), actor.actor_id, order))
        self.host.staged.clear()

    def _on_kernel_fault(self, _actor: Actor, fault: Fault) -> None:
        """A part of the kernel raised: nothing more is sent."""
        self.halted_by = self.halted_by or fault
        self.risk.trading_state = TradingState.HALTED

    def denied(self) -> Mapping[str, int]:
        """How many orders were denied, by code."""
        counts: dict[str, int] = {}
        for order in self.record.orders:
            if order.status == "DENIED":
                counts[order.code] = counts.get(order.code, 0) + 1
        return counts


def _limits(settings: RiskSettings) -> RiskLimits:
    orders, modifies = parse_rate(settings.max_order_rate), parse_rate(settings.max_modify_rate)
    collar = settings.price_collar_bps
    return RiskLimits(
        orders.limit,
        orders.interval_ns,
        modifies.limit,
        modifies.interval_ns,
        RiskLimits.amounts(settings.max_notional_per_order),
        RiskLimits.amounts(settings.max_position),
        RiskLimits.amounts(settings.max_exposure),
        settings.max_open_orders,
        None if collar is None else Rate.parse(collar),
        settings.trading_state,
    )
