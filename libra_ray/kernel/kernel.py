"""TradingKernel: builds data engine, cache, portfolio, risk engine, execution engine and venues, and wires them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from libra_ray.bus import Bus
from libra_ray.clock import VirtualClock
from libra_ray.data.engine import DataEngine
from libra_ray.execution import Audience, ExecutionClient, ExecutionEngine, OrderEmulator, RunRecord
from libra_ray.kernel.books import Books
from libra_ray.kernel.risk_rules import risk_rules
from libra_ray.kernel.settings import RiskSettings, VenueSettings
from libra_ray.messages.commands import CancelAllOrders, Command, SetTradingState, SubmitOrder
from libra_ray.messages.events import InstrumentHalted, TradingStateChanged
from libra_ray.model.enums import TradingState
from libra_ray.model.instruments import Instrument
from libra_ray.portfolio import Cache, CacheActor, Funds, Portfolio, PortfolioActor, StrategyPortfolio
from libra_ray.risk import RiskEngine, RiskLinks
from libra_ray.runtime import Actor, ActorConfig, Delivery, Fault, Kind, LocalHost
from libra_ray.strategy import ExecAlgorithm, Strategy

__all__ = ["KernelParts", "TradingKernel"]


class KernelParts(NamedTuple):
    """What a venue's client is made from."""

    cache: Cache
    portfolio: Portfolio
    execution: ExecutionEngine
    funds: Mapping[str, Funds]
    watch: Callable[[str, Callable[[int], None]], None]
    """Have a venue told its account's equity after each booking."""


ClientMaker = Callable[[VenueSettings, KernelParts], ExecutionClient]


class TradingKernel:
    """One system on one host.

    Start order: bus, cache, portfolio, risk, execution, emulator, algorithms, data, clients, user actors, strategies;
    stop runs in reverse and goes on past failures. A part of the kernel that raises halts trading; a strategy that
    raises is stopped, its orders and positions treated by its policy, and the others go on.

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
        self.books = Books(venues, instruments, start_ns)
        self.cache, self.portfolio, self.funds = self.books.cache, self.books.portfolio, self.books.funds
        self.record.events.extend(self.books.deposits)
        self.strategies: list[Strategy] = []
        self.halted_by: Fault | None = None
        self._build(venues, risk, make_client)
        self.host.on_faulted = self._on_strategy_fault
        self.host.on_kernel_fault = self._on_kernel_fault

    # ------------------------------------------------------------------ building

    def _build(self, venues: Sequence[VenueSettings], risk: RiskSettings, make_client: ClientMaker) -> None:
        host = self.host
        self.cache_actor = CacheActor(ActorConfig(actor_id="Cache"))
        self.portfolio_actor = PortfolioActor(ActorConfig(actor_id="Portfolio"))
        self.risk = RiskEngine(ActorConfig(actor_id="RiskEngine"))
        self.execution = ExecutionEngine(ActorConfig(actor_id="ExecEngine"))
        self.emulator = OrderEmulator(ActorConfig(actor_id="OrderEmulator"))
        self.data = DataEngine(ActorConfig(actor_id="DataEngine"))
        self.cache_actor.wire(self.cache)
        self.portfolio_actor.wire(self.portfolio)
        host.add(self.cache_actor, Kind.CACHE)
        host.add(self.portfolio_actor, Kind.PORTFOLIO)
        host.add(self.risk, Kind.RISK)
        host.add(self.execution, Kind.EXECUTION)
        host.add(self.emulator, Kind.EMULATOR)
        host.add(self.data, Kind.DATA)
        host.provide(cache=self.cache, portfolio=self.portfolio)
        self._equity_samples = self.record.equity
        self._equity_watches: dict[str, Callable[[int], None]] = {}
        parts = KernelParts(self.cache, self.portfolio, self.execution, self.funds, self._equity_watches.__setitem__)
        self.clients = {venue.name: make_client(venue, parts) for venue in venues}
        self.execution.wire(
            self.cache,
            self.portfolio,
            {made.id: self.clients[made.venue] for made in self.cache.instruments.values()},
            self.record,
            audience=Audience(self.bus, [account.account_id for account in self.portfolio.accounts.values()]),
            publish=self._publish,
            on_booked=self._sample_equity_of,
            halt=self._halt_instrument,
            overfills=self.books.overfilled,
        )
        self.risk.wire(
            self.cache,
            self.portfolio,
            self.books.funds_by_instrument,
            risk_rules(risk),
            RiskLinks(
                take=self.execution.take,
                report=self.execution.refuse,
                forward=self.execution.execute,
                process=self.execution.process_local,
                announce=self._announce_trading_state,
                knows_algorithm=lambda algorithm_id: self.bus.has_endpoint(f"{algorithm_id}.execute"),
                equity=self.portfolio.equity_raw,
                reporting={venue: account.reporting for venue, account in self.portfolio.accounts.items()},
                hedging=self.books.hedging,
            ),
            now_ns=self.clock.ts_ns,
        )
        self.bus.register("RiskEngine.execute", self.risk.execute)
        self.bus.register("ExecEngine.execute", self.execution.execute)
        self.emulator.wire(
            self.cache,
            self.execution,
            forward=self._on_from_emulator,
            day_end_ns=self.books.day_end_ns,
            fills_whole=self.books.fills_whole,
        )
        self.bus.register("OrderEmulator.execute", self.emulator.execute)
        self.bus.register("Kernel.command", self._command)

    def add(self, actor: Actor) -> str:
        """Take a user actor, an execution algorithm or a strategy into the system; returns its id."""
        kind = Kind.STRATEGY if isinstance(actor, Strategy) else Kind.ACTOR
        actor_id = self.host.add(actor, Kind.ALGORITHM if isinstance(actor, ExecAlgorithm) else kind)
        if isinstance(actor, ExecAlgorithm):
            actor.link_order_path(self.execution, self.risk.execute)
            self.bus.register(f"{actor_id}.execute", actor.receive)
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
        actors = self.host.actors
        users = [actor_id for actor_id, actor in actors.items() if not actor.rank.kind.is_kernel]
        users.sort(key=lambda actor_id: actors[actor_id].rank)
        algorithms = [actor_id for actor_id in users if actors[actor_id].rank.kind is Kind.ALGORITHM]
        kernel = ["Cache", "Portfolio", "RiskEngine", "ExecEngine", "OrderEmulator", *algorithms, "DataEngine"]
        return kernel + [actor_id for actor_id in users if actor_id not in algorithms]

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

    def dispose(self) -> list[Fault]:
        """Dispose of everything in reverse order: the last that happens to the actors of a run."""
        return self.host.dispose_all(self.start_order)

    def _on_from_emulator(self, command: Command) -> None:
        """An order that was released: to the algorithm that it names, else to the risk engine."""
        algorithm = command.order.exec_algorithm_id if isinstance(command, SubmitOrder) else None
        endpoint = f"{algorithm}.execute"
        is_known = algorithm is not None and self.bus.has_endpoint(endpoint)
        (self.bus.link(endpoint) if is_known else self.risk.execute)(command)

    def _command(self, command: Command) -> None:
        """Endpoint `Kernel.command`."""
        if isinstance(command, SetTradingState):
            self.risk.execute(command)

    def _publish(self, topic: str, event: object) -> None:
        self.bus.publish(topic, event)  # looked up each time: a recorder may stand in its place

    def _announce_trading_state(self, event: TradingStateChanged) -> None:
        self.record.events.append(event)
        self.bus.publish("events.risk", event)

    def _halt_instrument(self, event: InstrumentHalted) -> None:
        self.record.events.append(event)
        self.risk.halt_instrument(event.instrument_id)
        self.bus.publish("events.risk", event)

    # ------------------------------------------------------------------ equity

    def _sample_equity_of(self, instrument_id: str, ts_ns: int) -> None:
        self.sample_equity(self.portfolio.terms[instrument_id].venue, ts_ns)

    def watch_equity(self, ts_ns: int) -> None:
        """A row came while limits on losses are set: look whether equity has come to one."""
        self.risk.on_row(ts_ns)

    def sample_equity(self, venue: str, ts_ns: int) -> None:
        """Note balance and equity of a venue's account as of now."""
        balance_raw, equity_raw = self.portfolio.balance_and_equity_raw(venue)
        self._equity_samples.append((ts_ns, venue, balance_raw, equity_raw))
        watch = self._equity_watches.get(venue)
        if watch is not None:
            watch(equity_raw)
        if self.risk.watches_equity:
            self.risk.on_booking(venue, ts_ns, equity_raw)

    # ------------------------------------------------------------------ faults

    def _on_strategy_fault(self, actor: Actor, _fault: Fault) -> None:
        """The policy of a strategy that has faulted: keep, cancel, or flatten; an algorithm's orders are canceled."""
        if isinstance(actor, ExecAlgorithm):
            self.bus.unregister(f"{actor.actor_id}.execute")
            self.host.queue.append((actor, actor.give_up, None))
            return
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
