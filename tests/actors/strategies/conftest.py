"""One run before any test is timed, so that none pays for loading the compiled matching core."""

import pytest

from libra_actors.strategies import Breakout
from tests.actors.strategies.markets import bars, run


@pytest.fixture(scope="session", autouse=True)
def _loaded_matching_core() -> None:
    strategy = Breakout(instrument="ABC.SIM", bars="1h", entry=2, exit=2, stop_atrs=1.0, quantity="1")
    run(strategy, bars([10.0, 11.0, 10.0, 13.0, 13.0, 9.0]))
