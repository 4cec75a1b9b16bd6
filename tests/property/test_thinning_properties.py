"""Samples for charts: true ones, never too many, the same however the samples come in pieces."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseries.questions.bucketing import PythonBucketing
from edgeseries.questions.grid import even_grid
from edgeseries.questions.lttb import largest_triangles
from edgeseries.questions.question import Method, Thinning
from edgeseries.questions.reduction import Reductions, reduced_to
from edgeseries.series.samples import Samples
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import Value

SPAN = TimeRange(start_ms=0, end_ms=1_000_000)
values: st.SearchStrategy[Value] = st.one_of(
    st.floats(-1e9, 1e9), st.sampled_from([None, None, True, 0.0, "on", "off"]), st.integers(-5, 5).map(float)
)


@st.composite
def series(draw: st.DrawFn) -> list[Samples]:
    times = sorted(draw(st.sets(st.integers(0, SPAN.end_ms - 1), max_size=150)))
    kind = draw(st.sampled_from([values, st.floats(-1e9, 1e9), st.sampled_from([None, 1.0, 2.0])]))
    found = Samples(times_ms=times, values=draw(st.lists(kind, min_size=len(times), max_size=len(times))))
    cuts = sorted(draw(st.lists(st.integers(0, len(times)), max_size=3)))
    return [found.part(start, stop) for start, stop in pairwise([0, *cuts, len(times)])]


def thinned(pieces: list[Samples], question: Thinning) -> Samples:
    reduction = Reductions(question, SPAN, PythonBucketing(), now_ms=SPAN.end_ms).of_a_point()
    (found,) = reduced_to([*(reduction.part(piece) for piece in pieces), reduction.end()])
    assert reduction.source_count == sum(map(len, pieces))
    return found


def pairs(samples: Samples) -> list[tuple[int, Value]]:
    return list(zip(samples.times_ms, samples.values.to_list(), strict=True))


@settings(max_examples=300)
@given(series(), st.sampled_from(Method), st.integers(10, 60))
def test_a_chart_has_true_samples_and_not_too_many(pieces: list[Samples], method: Method, most: int) -> None:
    found = pairs(thinned(pieces, Thinning(max_points=most, method=method)))
    whole = [pair for piece in pieces for pair in pairs(piece)]
    assert len(found) <= most
    assert [at for at, _ in found] == sorted({at for at, _ in found})
    assert set(map(repr, found)) <= set(map(repr, whole))
    if len(whole) <= most:
        assert found == whole
    if whole:
        assert (found[0], found[-1]) == (whole[0], whole[-1])


@settings(max_examples=200)
@given(series(), st.sampled_from(Method), st.integers(10, 60))
def test_pieces_make_no_difference(pieces: list[Samples], method: Method, most: int) -> None:
    question = Thinning(max_points=most, method=method)
    whole = Samples(
        times_ms=[at for piece in pieces for at in piece.times_ms],
        values=[value for piece in pieces for value in piece.values.to_list()],
    )
    assert thinned(pieces, question) == thinned([whole], question)


@settings(max_examples=200)
@given(series(), st.sampled_from([Method.MINMAX, Method.M4]), st.integers(10, 60))
def test_extremes_of_every_interval_stay(pieces: list[Samples], method: Method, most: int) -> None:
    found = pairs(thinned(pieces, Thinning(max_points=most, method=method)))
    whole = [pair for piece in pieces for pair in pairs(piece)]
    kept = 2 if method is Method.MINMAX else 4
    nulls = any(value is None for _, value in whole)
    edges = even_grid(SPAN.start_ms, SPAN.end_ms, max(1, (most - 2) // (kept + nulls)))
    for start, end in pairwise(edges):
        numbers = [
            float(v) for at, v in whole if start <= at < end and v is not None and not isinstance(v, str)
        ]
        shown = [
            float(v) for at, v in found if start <= at < end and v is not None and not isinstance(v, str)
        ]
        if numbers and len(whole) > most and not nulls:
            assert (min(numbers), max(numbers)) == (min(shown), max(shown))


def test_gaps_stay() -> None:
    times = list(range(0, 400_000, 1_000)) + list(range(600_000, 1_000_000, 1_000))
    held: list[Value] = [float(at % 7) for at in times]
    held[100] = None
    for method in Method:
        found = thinned([Samples(times_ms=times, values=held)], Thinning(max_points=100, method=method))
        assert not any(400_000 <= at < 600_000 for at in found.times_ms)
        assert (100_000, None) in pairs(found)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=80), st.integers(2, 20))
def test_largest_triangles_keep_the_ends_and_the_count(numbers: list[float], count: int) -> None:
    kept = largest_triangles(range(len(numbers)), numbers, count)
    assert kept == sorted({*kept})
    assert len(kept) == min(count, len(numbers))
    assert (kept[0], kept[-1]) == (0, len(numbers) - 1)


def test_the_largest_triangle_is_the_one_of_the_spike() -> None:
    numbers = [0.0] * 50
    numbers[23] = 10.0
    assert 23 in largest_triangles(range(50), numbers, 5)
