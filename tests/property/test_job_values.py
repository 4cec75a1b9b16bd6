"""The values of jobs: how work is cut, what a failure means, what messages and headers say."""

import json
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edgeseries.errors import (
    Conflict,
    DeadlineExceeded,
    Defect,
    EdgeError,
    NotFound,
    OriginContract,
    OriginGarbled,
    OriginOversize,
    OriginRefused,
    OriginThrottled,
    OriginUnreachable,
    StoreUnavailable,
    TooLarge,
)
from edgeseries.jobs.batching import BatchSizes, batches_of, cut_piece, halved, months_of
from edgeseries.jobs.job import JobRequest, Priority, job_id_of
from edgeseries.jobs.limits import BATCH_MAX_CLAIMS, BATCH_MAX_RETRIES, MAX_WAIT_S, RETRY_MAX_PAUSE_S
from edgeseries.jobs.messages import BatchMessage, FailedMessage, PlanMessage, UnknownMessage, message_of
from edgeseries.jobs.prefer import wait_of
from edgeseries.jobs.retrying import GiveUp, TryAgain, after_failure, before_work
from edgeseries.limits import DAY_MS, DEFAULT_DENSITY_PER_DAY
from edgeseries.planning.fetch_plan import Gap
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.days import day_span, days_touched, month_of
from edgeseries.series.timerange import TimeRange

FIRST_DAY = 19_720
POINTS = st.integers(1, 40).map(lambda number: tuple(f"p{place:03d}" for place in range(number)))
DENSITIES = st.dictionaries(st.integers(0, 39).map(lambda n: f"p{n:03d}"), st.floats(0, 20_000), max_size=10)


@given(
    points=POINTS,
    days=st.integers(1, 100),
    lacking=st.dictionaries(
        st.integers(0, 39), st.sets(st.integers(0, 99), min_size=1, max_size=20), max_size=20
    ),
    densities=DENSITIES,
    sizes=st.builds(BatchSizes, points=st.integers(1, 12), samples=st.integers(1, 50_000)),
)
def test_batches_hold_every_missing_day_once_within_their_bounds(
    points: tuple[str, ...],
    days: int,
    lacking: dict[int, set[int]],
    densities: dict[str, float],
    sizes: BatchSizes,
) -> None:
    span = TimeRange(start_ms=FIRST_DAY * DAY_MS + 5, end_ms=(FIRST_DAY + days) * DAY_MS - 5)
    missing = {
        points[place]: tuple(sorted(FIRST_DAY + day for day in some if day < days))
        for place, some in lacking.items()
        if place < len(points)
    }
    batches = batches_of(points, span, missing_days=missing, density_per_day=densities, sizes=sizes)
    held: Counter[tuple[str, int]] = Counter()
    assert [batch.index for batch in batches] == list(range(len(batches)))
    for batch in batches:
        assert 1 <= batch.point_count <= sizes.points
        assert batch.first_point + batch.point_count <= len(points)
        touched = days_touched(batch.span)
        assert batch.span == day_span(touched[0], touched[-1]), "whole days"
        assert len({month_of(day) for day in touched}) == 1
        assert batch.expected_samples >= 1
        inside = [
            (point, day)
            for point in points[batch.first_point : batch.first_point + batch.point_count]
            for day in missing.get(point, ())
            if day in touched
        ]
        assert inside
        held.update(inside)
        if len({point for point, _ in inside}) > 1:
            expected = sum(densities.get(point, DEFAULT_DENSITY_PER_DAY) for point, _ in inside)
            assert expected <= sizes.samples + len(points), "more than a batch may expect"
    assert held == Counter({(point, day): 1 for point, some in missing.items() for day in some})
    assert [batch.span.start_ms // DAY_MS // 40 for batch in batches] == sorted(
        batch.span.start_ms // DAY_MS // 40 for batch in batches
    ) or len(months_of(span)) > 1


@example(points=("p000",), days=1, densities={"p000": 5e-324}, samples=1)
@given(points=POINTS, days=st.integers(1, 31), densities=DENSITIES, samples=st.integers(1, 60_000))
def test_pieces_join_to_the_gap_and_a_dense_one_is_cut_to_days(
    points: tuple[str, ...], days: int, densities: dict[str, float], samples: int
) -> None:
    gap = Gap(points=points, span=day_span(FIRST_DAY, FIRST_DAY + days - 1))
    left, found = [gap], []
    while left:
        piece, rest = cut_piece(left.pop(), densities, samples=samples)
        left.extend(rest)
        found.append(piece)
        length = len(days_touched(piece.span))
        if any(point not in densities for point in points):
            assert length == 1, "one day tells how dense they are"
        elif length > 1:
            assert sum(densities[point] for point in points) * length <= samples
    assert {piece.points for piece in found} == {points}
    assert [day for piece in found for day in days_touched(piece.span)] == list(days_touched(gap.span))


@given(points=POINTS, days=st.integers(1, 31))
def test_halves_are_the_whole_until_a_day_of_a_point(points: tuple[str, ...], days: int) -> None:
    piece = Gap(points=points, span=day_span(FIRST_DAY, FIRST_DAY + days - 1))
    halves = halved(piece)
    if halves is None:
        assert (len(points), days) == (1, 1)
        return
    held = Counter(
        (point, day) for half in halves for point in half.points for day in days_touched(half.span)
    )
    assert held == Counter((point, day) for point in points for day in days_touched(piece.span))


@pytest.mark.parametrize(
    ("error", "delays"),
    [
        (OriginUnreachable("x"), [1, 2, 4]),
        (OriginGarbled("x"), [1, 2, 4]),
        (DeadlineExceeded("x"), [1, 2, 4]),
        (StoreUnavailable("x"), [1, 2, 4]),
        (OriginThrottled("x"), [1, 2, 4]),
        (OriginOversize("x"), []),
        (OriginRefused("x"), []),
        (OriginContract("x"), []),
        (Defect("x"), []),
        (NotFound("x"), []),
        (TooLarge("x"), []),
        (Conflict("x"), []),
    ],
)
def test_what_a_failure_means(error: EdgeError, delays: list[int]) -> None:
    found = []
    for attempts in range(10):
        verdict = after_failure(error, attempts=attempts, claims=attempts + 1)
        if isinstance(verdict, GiveUp):
            assert error.detail in verdict.cause
            assert type(error).__name__ in verdict.cause
            break
        assert verdict.counts
        found.append(verdict.delay_s)
    assert found == delays
    assert len(delays) in (0, BATCH_MAX_RETRIES)


@given(
    pause_s=st.integers(0, 10**6),
    attempts=st.integers(0, BATCH_MAX_RETRIES),
    claims=st.integers(1, BATCH_MAX_CLAIMS - 1),
)
def test_a_pause_is_kept_and_is_no_attempt(pause_s: int, attempts: int, claims: int) -> None:
    error = OriginThrottled("429", retry_after_s=pause_s)
    verdict = after_failure(error, attempts=attempts, claims=claims)
    assert verdict == TryAgain(delay_s=min(pause_s, RETRY_MAX_PAUSE_S), counts=False)
    assert isinstance(after_failure(error, attempts=attempts, claims=BATCH_MAX_CLAIMS), GiveUp)


def test_work_is_begun_a_bounded_number_of_times() -> None:
    assert [before_work(claims=claims) for claims in (1, BATCH_MAX_CLAIMS)] == [None, None]
    assert isinstance(before_work(claims=BATCH_MAX_CLAIMS + 1), GiveUp)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
MESSAGES = st.one_of(
    st.builds(PlanMessage, job_id=st.text()),
    st.builds(BatchMessage, job_id=st.text(), batch_index=st.integers(0, 10**6)),
    st.builds(
        FailedMessage,
        queue=st.text(),
        message=st.dictionaries(st.text(max_size=5), JSON, max_size=3),
        cause=st.text(),
        attempts=st.integers(0, 100),
    ),
)


@given(message=MESSAGES)
def test_a_message_comes_back_from_the_wire(message: PlanMessage | BatchMessage | FailedMessage) -> None:
    assert message_of(json.loads(json.dumps(message.to_wire()))) == message


@given(
    body=st.one_of(
        JSON,
        st.fixed_dictionaries(
            {"v": st.sampled_from([0, 1, 2, "1", None])},
            optional={
                "kind": st.sampled_from(["plan", "batch", "letter", "x"]),
                "jobId": JSON,
                "batchIndex": JSON,
                "message": JSON,
            },
        ),
    )
)
def test_whatever_is_in_a_queue_is_a_message_or_is_not_understood(body: object) -> None:
    try:
        message = message_of(body)
    except UnknownMessage:
        return
    assert isinstance(body, dict)
    assert body["v"] == 1
    if isinstance(message, BatchMessage):
        assert type(message.batch_index) is int
        assert message.batch_index >= 0


@given(st.permutations(["a", "b", "c"]), st.sampled_from(Priority))
def test_a_request_is_the_same_whatever_its_priority_and_another_for_another_owner(
    points: list[str], priority: Priority
) -> None:
    query = TimeseriesQuery(site="s", points=tuple(sorted(points)), span=TimeRange(start_ms=0, end_ms=DAY_MS))
    digest = JobRequest(query=query).digest
    assert JobRequest(query=query, priority=priority).digest == digest
    assert JobRequest(query=query, owner="o").digest != digest
    assert job_id_of(digest, 1) != job_id_of(digest, 2)


@pytest.mark.parametrize(
    ("prefer", "wait_s"),
    [
        ("", None),
        ("wait=5", 5),
        ("Wait = 5", 5),
        ('wait="5"', 5),
        ("respond-async, wait=10", 10),
        ("respond-async;x=y, wait=7;z", 7),
        ("wait=0", 0),
        ("wait=999999", MAX_WAIT_S),
        ("wait=5, wait=9", 5),
        ("wait", None),
        ("wait=", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=\u0665", None),
        ("wait=99999999999999999999", None),
        ("waiting=5", None),
    ],
)
def test_how_long_a_caller_would_wait(prefer: str, wait_s: int | None) -> None:
    assert wait_of(prefer) == wait_s


@given(st.text())
def test_no_prefer_header_is_too_odd(prefer: str) -> None:
    wait_s = wait_of(prefer)
    assert wait_s is None or 0 <= wait_s <= MAX_WAIT_S
