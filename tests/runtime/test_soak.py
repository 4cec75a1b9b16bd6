"""A short soak: all routes under faults, a kill and sweeps; every answer right or an honest error."""

from pathlib import Path

import pytest

from tests.soak.__main__ import soak, summary

pytestmark = pytest.mark.runtime

SAMPLE = Path(__file__).parents[2] / "local" / "sample"
SEED = "20261124"
SECONDS = 30.0


def test_a_short_soak(tmp_path: Path) -> None:
    world = soak(data=SAMPLE, state=tmp_path, seconds=SECONDS, seed=SEED, kill_every_s=12.0)
    told = summary(world, SEED, SECONDS)
    print(told)
    assert not world.counts["wrong"], told
    # A soak that reached nothing has shown nothing.
    assert world.weather.counts["kill"] >= 1
    assert world.counts["requests"] > 60
    assert world.counts["jobs settled"] > 2
    assert world.counts["stored blocks compared"] > 5
    assert world.counts["sweeps"] > 2
