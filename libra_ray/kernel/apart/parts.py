"""The parts of the kernel, each built and wired in whichever host it comes to."""

from collections.abc import Callable, Mapping
from typing import Final

from libra_ray.execution import ExecutionEngine, OrderEmulator
from libra_ray.kernel.apart.bar_desk import BarDesk
from libra_ray.kernel.apart.execution_desk import EXECUTION, ExecutionDesk
from libra_ray.kernel.apart.holder_desk import EMULATOR, add_emulator_desk
from libra_ray.kernel.apart.host_view import view_of
from libra_ray.kernel.apart.links import made_once
from libra_ray.kernel.apart.plan import KernelPlan
from libra_ray.kernel.apart.risk_desk import RISK, RiskDesk
from libra_ray.portfolio import CacheActor, PortfolioActor
from libra_ray.risk import RiskEngine
from libra_ray.runtime import Actor, ActorConfig, Kind, LocalHost

__all__ = ["KERNEL_KINDS", "add_kernel_part"]


def add_kernel_part(host: LocalHost, plan: KernelPlan, actor_id: str) -> Actor:
    """Build one of `KERNEL_KINDS`, add it to `host` and wire it. Raises `KeyError` for another id.

    Raises `ConfigError` CONF010 where this life of the host has had the part: what it knows would be lost.
    """
    made_once(host, actor_id)
    return _MAKE[actor_id](host, plan)


def _add_cache(host: LocalHost, plan: KernelPlan) -> Actor:
    view = view_of(host, plan, "Cache")
    actor = CacheActor(ActorConfig(actor_id="Cache"))
    actor.wire(view.cache)
    host.add(actor, Kind.CACHE)
    return actor


def _add_portfolio(host: LocalHost, plan: KernelPlan) -> Actor:
    view = view_of(host, plan, "Portfolio")
    view.rows.want_all()  # what is held is worth what the market says
    actor = PortfolioActor(ActorConfig(actor_id="Portfolio"))
    actor.wire(view.portfolio)
    host.add(actor, Kind.PORTFOLIO)
    return actor


def _add_risk(host: LocalHost, plan: KernelPlan) -> Actor:
    view = view_of(host, plan, RISK)
    risk = RiskEngine(ActorConfig(actor_id=RISK))
    host.add(risk, Kind.RISK)
    RiskDesk(host, view, risk, plan)
    return risk


def _add_execution(host: LocalHost, plan: KernelPlan) -> Actor:
    engine = ExecutionEngine(ActorConfig(actor_id=EXECUTION))
    host.add(engine, Kind.EXECUTION)
    ExecutionDesk(host, engine, plan)
    return engine


def _add_emulator(host: LocalHost, plan: KernelPlan) -> Actor:
    view = view_of(host, plan, EMULATOR)
    view.rows.want_all()
    emulator = OrderEmulator(ActorConfig(actor_id=EMULATOR))
    host.add(emulator, Kind.EMULATOR)
    add_emulator_desk(host, view, emulator)
    return emulator


def _add_data(host: LocalHost, plan: KernelPlan) -> Actor:
    return BarDesk(host, plan).engine


_MAKE: Final[Mapping[str, Callable[[LocalHost, KernelPlan], Actor]]] = {
    "Cache": _add_cache,
    "Portfolio": _add_portfolio,
    RISK: _add_risk,
    EXECUTION: _add_execution,
    EMULATOR: _add_emulator,
    "DataEngine": _add_data,
}

KERNEL_KINDS: Final[Mapping[str, Kind]] = {
    "Cache": Kind.CACHE,
    "Portfolio": Kind.PORTFOLIO,
    RISK: Kind.RISK,
    EXECUTION: Kind.EXECUTION,
    EMULATOR: Kind.EMULATOR,
    "DataEngine": Kind.DATA,
}
"""What each part is, in the order in which they are started; algorithms come before the data engine."""
