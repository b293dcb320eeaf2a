"""Start order and its reverse."""

from hypothesis import given
from hypothesis import strategies as st

from libra_ray.runtime.supervision import StartStage, in_start_order, in_stop_order


def test_the_stages_are_those_of_the_lifecycle() -> None:
    names = "bus cache portfolio risk execution emulator algorithm data client actor strategy"

    assert [stage.name.lower() for stage in StartStage] == names.split()
    assert [stage for stage in StartStage if not stage.is_kernel] == [
        StartStage.ALGORITHM,
        StartStage.CLIENT,
        StartStage.ACTOR,
        StartStage.STRATEGY,
    ]


@given(st.lists(st.sampled_from(StartStage)))
def test_within_a_stage_the_order_given_holds_and_stopping_is_the_exact_reverse(stages: list[StartStage]) -> None:
    actors = list(enumerate(stages))

    order = in_start_order(actors, lambda actor: actor[1])

    assert order == sorted(actors, key=lambda actor: (actor[1], actor[0]))
    assert in_stop_order(actors, lambda actor: actor[1]) == order[::-1]
