"""Windows that are watched over the sealing of days: every answer is what a direct fetch gives.

Samples come in order and within the settle lag of their instant; looks come at any time, at windows of any
length, on any route.
"""

from dataclasses import dataclass

from hypothesis import event, given, settings
from hypothesis import strategies as st

from edgeseries.limits import DAY_MS, HOUR_MS, MINUTE_MS
from edgeseries.series.values import Value
from tests.asked_router import make_ports
from tests.fakes import FakeClock
from tests.unit.test_router_sealing import (
    DAY,
    MIDNIGHT_MS,
    POINTS,
    OriginOfTheMoment,
    look,
    watched,
)

LAG_MS = HOUR_MS
EACH_MS = 20 * MINUTE_MS


@dataclass(frozen=True)
class Look:
    """A wait, then a window that ends so long before the moment."""

    wait_ms: int
    window_ms: int
    ended_ms: int
    route: str


LOOKS = st.builds(
    Look,
    wait_ms=st.one_of(st.just(MINUTE_MS), st.integers(10_001, 3 * HOUR_MS), st.just(9 * HOUR_MS)),
    window_ms=st.sampled_from([HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS, DAY_MS, 2 * DAY_MS]),
    ended_ms=st.sampled_from([0, 0, 0, 30 * MINUTE_MS, 5 * HOUR_MS]),
    route=st.sampled_from(["", "cached", "direct"]),
)


@st.composite
def arrivals(draw: st.DrawFn) -> list[tuple[int, int, Value]]:
    """Three days of samples, each within the lag, in order."""
    arrived_ms, found = 0, []
    for at_ms in range(DAY * DAY_MS, (DAY + 3) * DAY_MS, EACH_MS):
        if draw(st.integers(0, 5)):
            late_ms = draw(st.sampled_from([0, 0, 0, MINUTE_MS, LAG_MS - 1]))
            arrived_ms = max(arrived_ms, at_ms + late_ms)
            value: Value = float(at_ms // EACH_MS % 97)
            found.append((arrived_ms, at_ms, value))
    return found


@settings(max_examples=60)
@given(st.tuples(arrivals(), arrivals()), st.lists(LOOKS, min_size=2, max_size=12))
def test_watching_over_sealings_equals_a_direct_fetch(
    told: tuple[list[tuple[int, int, Value]], ...], looks: list[Look]
) -> None:
    clock = FakeClock(at_ms=MIDNIGHT_MS - 3 * HOUR_MS)
    origin = OriginOfTheMoment(clock, dict(zip(POINTS, told, strict=True)))
    ports = make_ports(clock=clock, origin=origin)
    for one in looks:
        clock.at_ms = min(clock.at_ms + one.wait_ms, (DAY + 3) * DAY_MS)
        end_ms = clock.at_ms - one.ended_ms
        start_ms = end_ms - one.window_ms
        calls = len(origin.spans)
        rows = look(ports, start_ms, end_ms, one.route)
        assert rows == watched(origin, start_ms, end_ms)
        event(f"calls: {len(origin.spans) - calls}")
