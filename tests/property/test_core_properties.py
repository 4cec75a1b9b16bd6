"""Algebra of the core: instants, ranges, samples, queries, answers."""

import json
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from edgeseries.answers.encoding import PythonResultEncoder
from edgeseries.answers.formats import answer_body, writer_of
from edgeseries.answers.presentation import JSON
from edgeseries.limits import EARLIEST_MS, LATEST_MS, MAX_RANGE_MS
from edgeseries.planning.query import TimeseriesQuery, query_from_json, query_from_pairs
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import in_order, plain_number, within
from edgeseries.series.timerange import TimeRange, iso_instant, parse_instant
from edgeseries.series.values import Value
from router.representation import entity_tag, is_named_by

instants_ms = st.integers(EARLIEST_MS, LATEST_MS)
values: st.SearchStrategy[Value] = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**80), 2**80).map(plain_number),
    st.booleans(),
    st.none(),
    st.text(st.characters()),
)
deliveries = st.lists(st.tuples(st.integers(0, 50), values), max_size=60)
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60).filter(
    lambda name: name not in (".", "..")
)


@st.composite
def spans(draw: st.DrawFn) -> TimeRange:
    start_ms = draw(st.integers(EARLIEST_MS, LATEST_MS - 1))
    end_ms = draw(st.integers(start_ms + 1, min(LATEST_MS, start_ms + MAX_RANGE_MS)))
    return TimeRange(start_ms=start_ms, end_ms=end_ms)


@given(instants_ms)
def test_an_instant_survives_its_text(epoch_ms: int) -> None:
    assert parse_instant(iso_instant(epoch_ms)) == epoch_ms


@given(spans())
def test_halves_meet_and_make_the_whole(span: TimeRange) -> None:
    halves = span.halves()
    if halves is None:
        assert span.duration_ms == 1
        return
    assert (halves[0].start_ms, halves[1].end_ms) == (span.start_ms, span.end_ms)
    assert halves[0].end_ms == halves[1].start_ms


@given(deliveries)
def test_normal_form_ascends_and_the_last_delivered_wins(rows: list[tuple[int, Value]]) -> None:
    samples = in_order([at for at, _ in rows], [value for _, value in rows])
    assert all(a < b for a, b in pairwise(samples.times_ms))
    told = dict(zip(samples.times_ms, samples.values, strict=True))
    expected = dict(rows)
    assert list(told) == sorted(expected)
    assert {at: repr(value) for at, value in told.items()} == {
        at: repr(value) for at, value in expected.items()
    }


@given(deliveries)
def test_normal_form_of_a_normal_form_is_itself(rows: list[tuple[int, Value]]) -> None:
    once = in_order([at for at, _ in rows], [value for _, value in rows])
    twice = in_order(once.times_ms, once.values)
    assert (list(twice.times_ms), list(twice.values)) == (list(once.times_ms), list(once.values))


@given(deliveries, st.integers(0, 40), st.integers(1, 20))
def test_within_keeps_exactly_the_half_open_range(
    rows: list[tuple[int, Value]], start_ms: int, length: int
) -> None:
    samples = in_order([at for at, _ in rows], [value for _, value in rows])
    cut = within(samples, TimeRange(start_ms=start_ms, end_ms=start_ms + length))
    pairs = zip(samples.times_ms, samples.values, strict=True)
    assert list(zip(cut.times_ms, cut.values, strict=True)) == [
        (at, value) for at, value in pairs if start_ms <= at < start_ms + length
    ]


@given(st.one_of(st.integers(), st.floats()))
def test_a_plain_number_is_the_same_number_or_null(number: float) -> None:
    plain = plain_number(number)
    if plain is None:
        assert number in (float("inf"), float("-inf")) or number != number  # noqa: PLR0124 - this is how NaN is told
    else:
        assert plain == number
        assert not isinstance(plain, bool)


@given(names, st.lists(names, min_size=1, max_size=8), spans(), st.randoms())
def test_requests_that_mean_the_same_have_one_normal_form(
    site: str, points: list[str], span: TimeRange, random: Random
) -> None:
    start, end = iso_instant(span.start_ms), iso_instant(span.end_ms)
    shuffled = [*points, *points]
    random.shuffle(shuffled)
    pairs = [
        ("end_time", end),
        *(("point", name) for name in shuffled),
        ("start_time", start),
        ("site", site),
    ]
    by_url = query_from_pairs(pairs)
    by_body = query_from_json({"site": site, "points": points, "start_time": start, "end_time": end})
    assert by_url == by_body
    assert by_url.points == tuple(sorted(set(points)))


@given(st.dictionaries(names, deliveries, min_size=1, max_size=4))
def test_an_answer_tells_every_sample_with_its_type(rows: dict[str, list[tuple[int, Value]]]) -> None:
    points = tuple(sorted(rows))
    span = TimeRange(start_ms=0, end_ms=100)
    series = [
        PointSeries(point=point, samples=in_order([at for at, _ in rows[point]], [v for _, v in rows[point]]))
        for point in points
    ]
    query = TimeseriesQuery(site="s", points=points, span=span)
    body = answer_body(writer_of(JSON, query), series, PythonResultEncoder())
    told = json.loads(body)
    for one in series:
        got = told["data"][one.point]
        assert got["count"] == len(one.samples)
        assert got["samples"] == [
            list(pair) for pair in zip(one.samples.times_ms, one.samples.values, strict=True)
        ]
        assert [type(v) for _, v in got["samples"]] == [type(v) for v in one.samples.values]
    assert is_named_by(entity_tag(body), f'"x", W/{entity_tag(body)}')
    assert not is_named_by(entity_tag(body), entity_tag(body + b" "))
