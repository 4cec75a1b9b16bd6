"""`/api/coverage` over fakes, and its grouping as a property."""

import json

from hypothesis import given
from hypothesis import strategies as st

from edgeseries.errors import StoreUnavailable
from edgeseries.limits import COVERAGE_MAX_RANGES, DAY_MS, HOUR_MS
from edgeseries.planning.coverage import coverage_of
from edgeseries.series.timerange import TimeRange
from tests.asked_router import START_MS, ask, make_ports, told
from tests.fake_stores import FakeBlocks
from tests.fakes import FakeClock, FakeOrigin

PATH = "/api/coverage"
FIRST_DAY = START_MS // DAY_MS
QUERY = (
    ("site", "hq"),
    ("points", "a,b,c"),
    ("start_time", "2024-01-01T12:00:00Z"),
    ("end_time", "2024-01-05T00:00:01Z"),
)


def test_points_that_are_stored_alike_are_one_group() -> None:
    ports = make_ports(clock=FakeClock(at_ms=START_MS + 3 * DAY_MS + 2 * HOUR_MS))
    assert isinstance(ports.blocks, FakeBlocks)
    hours = tuple(((FIRST_DAY * 24 + hour) * HOUR_MS, 1.0) for hour in range(24))
    days = {FIRST_DAY: hours, FIRST_DAY + 2: (), FIRST_DAY + 40: ()}
    ports.blocks.held = {("hq", "a"): dict(days), ("hq", "c"): dict(days), ("elsewhere", "b"): dict(days)}
    ports.blocks.learned["hq", "b"] = (200.0, 3)
    response = ask(PATH, QUERY, ports=ports)
    assert response.status == 200
    assert told(response) == {
        "site": "hq",
        "startTime": "2024-01-01T12:00:00Z",
        "endTime": "2024-01-05T00:00:01Z",
        "settleLagSeconds": 3_600,
        "firstUnsealedDay": "2024-01-04",
        "live": ["2024-01-04", "2024-01-05"],
        "lateness": {
            "observations": 0,
            "mostWithinSeconds": None,
            "highestSeconds": None,
            "advisedSettleLagSeconds": None,
        },
        "totals": {
            "points": 3,
            "storedDays": 4,
            "emptyDays": 2,
            "rereadDays": 0,
            "missingDays": 5,
            "liveDays": 6,
            # a and c lack a day and the live part, b 2.5 days and the live part: 100 and 200 a day.
            "estimatedMissingSamples": 2 * 200 + 200 * 3 + 300 - 200 + 1,
            # Stored days count for what they have: half of 24 samples, and none.
            "estimatedAnswerSamples": 2 * (12 + 200) + 700 + 1,
            "route": "cached",
        },
        "complete": True,
        "groups": [
            {
                "pointCount": 2,
                "stored": {"days": 2, "ranges": [["2024-01-01", "2024-01-01"], ["2024-01-03", "2024-01-03"]]},
                "empty": {"days": 1, "ranges": [["2024-01-03", "2024-01-03"]]},
                "missing": {"days": 1, "ranges": [["2024-01-02", "2024-01-02"]]},
                "points": ["a", "c"],
            },
            {
                "pointCount": 1,
                "stored": {"days": 0, "ranges": []},
                "empty": {"days": 0, "ranges": []},
                "missing": {"days": 3, "ranges": [["2024-01-01", "2024-01-03"]]},
                "points": ["b"],
            },
        ],
    }
    assert isinstance(ports.origin, FakeOrigin)
    assert ports.origin.calls == []


def test_a_post_tells_the_same_and_faults_are_those_of_a_request_for_samples() -> None:
    fields = {**dict(QUERY), "points": ["a", "b", "c"]}
    posted = ask(PATH, (), method="POST", body=json.dumps(fields).encode())
    assert (posted.status, posted.body) == (200, ask(PATH, QUERY).body)
    bad = (("points", ","), ("start_time", "x"), ("colour", "red"))
    assert told(ask(PATH, bad))["errors"] == told(ask("/api/timeseries", bad))["errors"]


def test_an_index_that_is_down_is_told_not_guessed() -> None:
    ports = make_ports()
    assert isinstance(ports.blocks, FakeBlocks)
    ports.blocks.index_failure = StoreUnavailable("the index cannot be read; try again")
    assert ask(PATH, QUERY, ports=ports).status == 503


def test_what_would_be_forced_changes_nothing() -> None:
    assert ask(PATH, (*QUERY, ("route", "direct"))).body == ask(PATH, QUERY).body


points = st.lists(st.sampled_from("abcdef"), min_size=1, unique=True).map(sorted)
held_days = st.frozensets(st.integers(FIRST_DAY - 2, FIRST_DAY + 9))


@given(
    points,
    st.dictionaries(st.sampled_from("abcdef"), held_days),
    st.integers(0, 6 * DAY_MS),
    st.integers(1, 6 * DAY_MS),
    st.integers(-2 * DAY_MS, 14 * DAY_MS),
)
def test_every_day_of_every_point_is_told_once(
    names: list[str], covered: dict[str, frozenset[int]], start_ms: int, length_ms: int, now_ms: int
) -> None:
    span = TimeRange(start_ms=START_MS + start_ms, end_ms=START_MS + start_ms + length_ms)
    touched = range(span.start_ms // DAY_MS, (span.end_ms - 1) // DAY_MS + 1)
    empty = {name: frozenset(sorted(days)[::2]) for name, days in covered.items()}
    found = coverage_of(
        names, span, covered=covered, empty=empty, now_ms=START_MS + now_ms, settle_lag_ms=HOUR_MS
    )
    assert sorted(name for group in found.groups for name in group.points) == names
    live = [] if found.live is None else list(range(found.live[0], found.live[1] + 1))
    assert live == [day for day in touched if (day + 1) * DAY_MS > START_MS + now_ms - HOUR_MS]
    assert len(live) == found.live_day_count
    for group in found.groups:
        assert group.stored.ranges is not None
        assert group.missing.ranges is not None
        stored = [day for first, last in group.stored.ranges for day in range(first, last + 1)]
        missing = [day for first, last in group.missing.ranges for day in range(first, last + 1)]
        assert sorted([*stored, *missing, *live]) == list(touched)
        assert (len(stored), len(missing)) == (group.stored.count, group.missing.count)
        for name in group.points:
            assert set(stored) == covered.get(name, frozenset()) & set(touched) - set(live)
            silent = [day for first, last in group.empty.ranges or () for day in range(first, last + 1)]
            assert set(silent) == empty.get(name, frozenset()) & set(stored)
            assert len(silent) == group.empty.count
    # Stored alike is one group.
    alike = {(group.stored.ranges, group.empty.ranges) for group in found.groups}
    assert len(alike) == len(found.groups)


def test_what_would_be_too_long_is_counted_and_not_told() -> None:
    names = [f"p{number:05d}" for number in range(60)]
    span = TimeRange(start_ms=START_MS, end_ms=START_MS + 3_650 * DAY_MS)
    every_other = {
        name: frozenset(range(FIRST_DAY, FIRST_DAY + 3_650, 2)) - {FIRST_DAY + 2 * place}
        for place, name in enumerate(names)
    }
    now_ms = START_MS + 4_000 * DAY_MS
    found = coverage_of(names, span, covered=every_other, empty={}, now_ms=now_ms, settle_lag_ms=0)
    told_ranges = [
        len(group.stored.ranges) + len(group.missing.ranges or ())
        for group in found.groups
        if group.stored.ranges is not None
    ]
    assert len(found.groups) == 60
    assert sum(told_ranges) <= COVERAGE_MAX_RANGES
    assert 0 < len(told_ranges) < 60
    assert not found.complete
    assert all(group.stored.count == 1_824 and group.missing.count == 1_826 for group in found.groups)
