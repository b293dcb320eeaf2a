"""What a sweep asks an autoscaler for: never above the limit, more at once, less seldom, nothing at the end."""

import pytest

from libra_ray.errors import ConfigError
from libra_ray.runtime.ray import autoscaling
from libra_ray.runtime.ray.autoscaling import CoreDemand, cores_max

pytestmark = [pytest.mark.ray]


class Hand:
    """A clock that is moved by hand."""

    ts_ns = 10**18

    def now_ns(self) -> int:
        return self.ts_ns


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    made: list[int] = []
    monkeypatch.setattr(autoscaling, "request_resources", made.append)
    monkeypatch.setattr(autoscaling, "LiveClock", Hand)
    monkeypatch.setattr(Hand, "ts_ns", 10**18)
    return made


def test_the_wish_follows_the_pending_trials_up_to_the_limit_and_ends_with_nothing(
    asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with CoreDemand(8) as demand:
        demand.wants(100)
        demand.wants(99)
        demand.wants(7)
        assert asked == [8]
        monkeypatch.setattr(Hand, "ts_ns", 10**18 + autoscaling.ASK_NS_MIN)
        demand.wants(6)
        demand.wants(5)
        assert asked == [8, 6]
        demand.wants(7)

    assert asked == [8, 6, 7, 0]


def test_who_asked_for_nothing_takes_nothing_back(asked: list[int]) -> None:
    with CoreDemand(8):
        pass
    with CoreDemand(8) as demand:
        demand.wants(0)

    assert asked == [0]


@pytest.mark.parametrize("text", ["0", "-3", "many", "1.5"])
def test_a_limit_that_is_no_positive_number_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        cores_max({"LIBRA_CORES_MAX": text})

    assert str(caught.value) == (
        f"CONF002 LIBRA_CORES_MAX: '{text}' is not a positive number. "
        "Give the number of cores that the autoscaler may reach."
    )


def test_without_a_limit_the_cluster_does_not_grow() -> None:
    assert cores_max({}) is None
    assert cores_max({"LIBRA_CORES_MAX": "1000"}) == 1000
