"""Actors as plain classes: settings, what exists when, and names of hooks."""

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest
from pydantic import PositiveInt, ValidationError, model_validator

from libra_ray.errors import ConfigError, NotInitializedError, StrategyError
from libra_ray.messages.events import ComponentStateChanged
from libra_ray.messages.schemas import Bar
from libra_ray.runtime import Actor, ActorConfig, Kind, LocalHost, State, config_class_of, known_hooks


class CrossConfig(ActorConfig):
    """Two lengths, in order."""

    fast: PositiveInt
    slow: PositiveInt

    @model_validator(mode="after")
    def _fast_is_below_slow(self) -> Self:
        if self.fast >= self.slow:
            raise ValueError(f"fast={self.fast} must be below slow={self.slow}")
        return self


class Cross(Actor):
    """Its settings have a class of their own."""

    config: CrossConfig


class QuotedCross(Actor):
    """The same, annotated as text."""

    config: "CrossConfig"


class Heir(Cross):
    """Inherits the annotation."""


@pytest.mark.parametrize("actor_class", [Cross, QuotedCross, Heir])
def test_settings_are_parsed_by_the_class_that_annotates_config(actor_class: type[Cross]) -> None:
    assert config_class_of(actor_class) is CrossConfig
    actor = actor_class(fast=3, slow=5)
    assert actor.config == CrossConfig(fast=3, slow=5)
    assert actor_class(CrossConfig(fast=3, slow=5)).config == actor.config


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fast": 3, "slow": 5, "fst": 1}, "Extra inputs are not permitted"),
        ({"fast": 0, "slow": 5}, "greater than 0"),
        ({"fast": 5, "slow": 5}, "fast=5 must be below slow=5"),
        ({"fast": 3, "slow": 5, "actor_id": "a b"}, "should match pattern"),
        ({"fast": 3, "slow": 5, "on_error": "ignore"}, "'fault' or 'degrade'"),
    ],
)
def test_nonsense_and_typos_in_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Cross(**settings)


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(Cross(fast=3, slow=5).config, "fast", 4)  # noqa: B010 - the type checker refuses the plain way


def test_a_config_and_settings_at_once_or_a_config_of_another_class_are_refused() -> None:
    with pytest.raises(TypeError, match="not both: slow"):
        Cross(CrossConfig(fast=3, slow=5), slow=6)
    with pytest.raises(TypeError, match="takes a CrossConfig, not a ActorConfig"):
        Cross(ActorConfig())


def test_a_config_annotation_that_is_no_actor_config_or_not_to_be_found_is_refused() -> None:
    wrong = type("Wrong", (Actor,), {"__annotations__": {"config": dict}})
    lost = type("Lost", (Actor,), {"__annotations__": {"config": "NowhereConfig"}})
    with pytest.raises(TypeError, match="which is no ActorConfig"):
        wrong()
    with pytest.raises(TypeError, match="'NowhereConfig', which is not to be found"):
        lost()


@pytest.mark.parametrize("name", ["clock", "cache", "portfolio", "bus", "log", "actor_id", "rank"])
def test_what_exists_from_on_start_on_raises_in_init_and_names_the_attribute(name: str) -> None:
    class Early(Actor):
        def __init__(self) -> None:
            super().__init__()
            getattr(self, name)

    with pytest.raises(NotInitializedError) as caught:
        Early()
    assert (caught.value.actor, caught.value.attribute) == ("Early", name)


def test_from_initialize_on_they_are_plain_attributes_of_the_instance(host: LocalHost) -> None:
    host.cache, host.portfolio = object(), object()
    actor = Actor()
    host.add(actor, Kind.STRATEGY)
    assert {"clock", "cache", "portfolio", "bus", "log", "actor_id", "rank"} <= vars(actor).keys()
    assert (actor.cache, actor.portfolio) == (host.cache, host.portfolio)
    assert actor.rank == (Kind.STRATEGY, 0)


def test_views_that_come_later_reach_the_actors_there_are(host: LocalHost) -> None:
    actor, cache = Actor(), object()
    host.add(actor)
    with pytest.raises(NotInitializedError):
        actor.cache  # noqa: B018 - reading it is the point
    host.provide(cache=cache)
    assert actor.cache is cache


def test_an_actor_that_was_not_added_can_be_copied_and_pickled() -> None:
    actor = Cross(fast=3, slow=5)
    for twin in (copy.deepcopy(actor), pickle.loads(pickle.dumps(actor))):  # noqa: S301 - our own bytes
        assert (twin.config, twin.state) == (actor.config, State.PRE_INITIALIZED)


@pytest.mark.parametrize("declared", ["ignore", lambda _self, _error: None])
def test_an_on_error_that_is_none_is_refused(host: LocalHost, declared: object) -> None:
    with pytest.raises(StrategyError) as caught:
        host.add(type("Careless", (Actor,), {"on_error": declared})())
    what = "STRAT003 Careless defines 'on_error', which is no hook and would never be called."
    fix = 'Declare on_error = "fault" or "degrade"; the hook is on_fault. A callback of your own goes into KNOWN_HOOKS.'
    assert str(caught.value) == f"{what} {fix}"


def test_the_state_of_the_lifecycle_is_not_to_be_set_by_the_actor(host: LocalHost) -> None:
    class Trend(Actor):
        def on_start(self) -> None:
            self.state = "flat"

    actor = Trend()
    assert not host.start(host.add(actor))
    (fault,) = host.faults
    text = "Trend.state is where its lifecycle stands and not to be set. Give yours another name."
    place = f"test_actor.py:{Trend.on_start.__code__.co_firstlineno + 1}"
    assert (actor.state, fault.place, str(fault.error)) == (State.FAULTED, place, text)


def test_ids_count_from_one_per_class_and_given_ones_stand(host: LocalHost) -> None:
    actors = [Heir(fast=1, slow=2), Cross(fast=1, slow=2), Cross(fast=1, slow=2, actor_id="Cross-2")]
    actors += [Cross(fast=1, slow=2)]
    assert [host.add(actor) for actor in actors] == ["Heir-1", "Cross-1", "Cross-2", "Cross-3"]


def test_an_id_that_is_taken_is_refused_and_nothing_is_added(host: LocalHost) -> None:
    host.add(Actor(actor_id="A"))
    seen: list[ComponentStateChanged] = []
    host.bus.subscribe("events.system.*", seen.append)
    second = Actor(actor_id="A")
    with pytest.raises(ConfigError) as caught:
        host.add(second)
    assert str(caught.value) == "CONF007 actor id 'A' is given 2 times. Give each actor an actor_id of its own."
    assert (list(host.actors), seen, second.state) == (["A"], [], State.PRE_INITIALIZED)


def test_ranks_go_by_kind_then_by_registration(host: LocalHost) -> None:
    kinds = [Kind.STRATEGY, Kind.DATA, Kind.STRATEGY, Kind.ACTOR, Kind.RISK]
    ids = [host.add(Actor(), kind) for kind in kinds]
    by_rank = sorted(ids, key=lambda actor_id: host.actors[actor_id].rank_no)
    assert by_rank == sorted(ids, key=lambda actor_id: host.actors[actor_id].rank)
    assert by_rank == ["Actor-2", "Actor-5", "Actor-4", "Actor-1", "Actor-3"]


def test_a_misspelt_hook_is_refused_with_the_name_that_was_meant(host: LocalHost) -> None:
    class Deaf(Actor):
        def on_bars(self, bar: Bar) -> None:
            raise AssertionError(bar)

    with pytest.raises(StrategyError) as caught:
        host.add(Deaf())
    assert str(caught.value).startswith(
        "STRAT003 Deaf defines 'on_bars', which is no hook and would never be called. Did you mean 'on_bar'?"
    )
    assert host.actors == {}


async def _soon(_self: Actor, _message: object) -> None:
    """Nobody would await it."""


def _slowly(_self: Actor, _message: object) -> Iterator[int]:
    """Nobody would iterate over it."""
    yield 1


@pytest.mark.parametrize(
    ("hook", "why"),
    [
        (_soon, "a coroutine or a generator, which would never run"),
        (_slowly, "a coroutine or a generator, which would never run"),
        (None, "'None', which cannot be called"),
    ],
)
def test_a_hook_that_would_not_run_is_refused(host: LocalHost, hook: object, why: str) -> None:
    with pytest.raises(StrategyError) as caught:
        host.add(type("Asleep", (Actor,), {"on_bar": hook})())
    fix = "Make it a plain function: def, without async and yield."
    assert (str(caught.value), host.actors) == (f"STRAT003 Asleep.on_bar is {why}. {fix}", {})


@pytest.mark.parametrize("handler", [_soon, _slowly, "on_bar"])
@pytest.mark.parametrize(
    ("give", "what"),
    [
        (lambda actor, handler: actor.subscribe("words", handler), "subscription to words"),
        (lambda actor, handler: actor.bus.register("A.x", handler), "endpoint A.x"),
        (lambda actor, handler: actor.request("A.x", 1, 5, handler), "request to A.x: callback"),
        (lambda actor, handler: actor.clock.set_alert("a", at_ns=5, callback=handler), "timer 'a'"),
    ],
)
def test_a_handler_that_would_not_run_is_refused_where_it_is_given(
    host: LocalHost, give: Callable[[Actor, object], object], what: str, handler: object
) -> None:
    actor = Actor()
    host.add(actor)
    with pytest.raises(TypeError, match=rf"^{what} needs a plain function, not "):
        give(actor, handler)
    assert (host.staged, host.bus.receivers("words"), actor.clock.timer_names) == ([], (), [])


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda actor: actor.publish(5, 1), "a topic is text, not 5"),
        (lambda actor: actor.send(None, 1), "a topic is text, not None"),
        (lambda actor: actor.subscribe(None), "a pattern is text, not None"),
        (lambda actor: actor.subscribe("words", priority="1"), "priority '1' of 'words' is not an integer"),
        (lambda actor: actor.subscribe_quotes(7), "an instrument id is text, not 7"),
    ],
)
def test_names_and_priorities_of_a_wrong_type_are_refused(
    host: LocalHost, call: Callable[[Actor], object], text: str
) -> None:
    actor = Actor()
    host.add(actor)
    with pytest.raises(TypeError) as caught:
        call(actor)
    assert str(caught.value) == text


def test_a_class_adds_hooks_for_its_heirs(host: LocalHost) -> None:
    class Trader(Actor):
        KNOWN_HOOKS = frozenset({"on_order_filled"})

        def on_order_filled(self, event: object) -> None:
            """A hook of this class."""

    class Own(Trader):
        def on_order_filled(self, event: object) -> None:
            """Overridden."""

    assert known_hooks(Own) == Actor.KNOWN_HOOKS | {"on_order_filled"}
    assert host.add(Own()) == "Own-1"


def test_every_hook_of_the_library_is_known_documented_and_does_nothing(host: LocalHost) -> None:
    hooks = {name for name in vars(Actor) if name.startswith("on_")}
    assert hooks == Actor.KNOWN_HOOKS
    assert all(getattr(Actor, name).__doc__ for name in hooks)
    actor = Actor()
    host.add(actor)
    for name in sorted(hooks):
        count = getattr(Actor, name).__code__.co_argcount - 1
        assert getattr(actor, name)(*range(count)) == ({} if name == "on_save" else None)
    assert host.staged == []


@pytest.mark.parametrize(("given", "fix"), [(Actor, "Give an instance: Actor()."), (5, "Give an instance of one.")])
def test_what_is_no_actor_is_refused(host: LocalHost, given: Any, fix: str) -> None:  # noqa: ANN401 - whatever is wrong
    with pytest.raises(StrategyError) as caught:
        host.add(given)
    assert (str(caught.value), host.actors) == (f"STRAT004 '{given}' is not an actor. {fix}", {})


def test_an_init_that_forgot_the_ancestor_is_named(host: LocalHost) -> None:
    class Forgetful(Actor):
        def __init__(self) -> None:
            """Does not call super().__init__."""

    with pytest.raises(StrategyError, match=r"STRAT004 Forgetful\.__init__ did not initialize Actor"):
        host.add(Forgetful())


def test_an_unknown_actor_id_names_the_closest(host: LocalHost) -> None:
    host.add(Cross(fast=1, slow=2))
    with pytest.raises(LookupError, match=r"no actor 'Cros-1'\. Did you mean 'Cross-1'\?"):
        host.start("Cros-1")
