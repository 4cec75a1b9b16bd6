"""Buckets by the kernel are those of the Python code, bit for bit, however the samples come in pieces."""

from array import array
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseries.questions.bucketing import PythonBucketing
from edgeseries.questions.open_bucket import OpenBucket
from edgeseries.questions.ports.bucketing import Bucketing, Fold, Folded
from edgeseries.questions.question import Aggregate, Method
from edgeseries.series.samples import Samples, appended
from tests.drawn_samples import values
from tests.host_kernel import HostBucketing, HostKernel

STEP_MS = 60_000
PYTHON = PythonBucketing()


@pytest.fixture(scope="module")
def kernel() -> HostBucketing:
    return HostBucketing(HostKernel(), PYTHON)


finite = values.filter(lambda value: not isinstance(value, float) or abs(value) < float("inf"))


@st.composite
def asked(draw: st.DrawFn) -> tuple[list[Samples], "array[int]", dict[str, object]]:
    gaps = draw(st.lists(st.integers(1, 40), min_size=1, max_size=60))
    times, at = [], draw(st.integers(0, 20))
    for gap in gaps:
        at += gap
        times.append(at * STEP_MS)
    kind = draw(st.sampled_from([finite, st.floats(-1e6, 1e6), st.sampled_from([1.0, None, 2.5, True])]))
    found = Samples(times_ms=times, values=draw(st.lists(kind, min_size=len(times), max_size=len(times))))
    cuts = sorted(draw(st.lists(st.integers(0, len(times)), max_size=3)))
    pieces = [found.part(start, stop) for start, stop in zip([0, *cuts], [*cuts, len(times)], strict=True)]
    edges = [0]
    while edges[-1] <= times[-1]:
        edges.append(edges[-1] + draw(st.integers(1, 90)) * STEP_MS)
    method = draw(st.sampled_from([None, None, Method.MINMAX, Method.M4]))
    told: dict[str, object] = {
        "begin_ms": draw(st.integers(0, 30)) * STEP_MS,
        "max_gap_ms": draw(st.integers(1, 100)) * STEP_MS,
        "method": method,
        "empty_too": draw(st.booleans()),
        "aggregates": tuple(draw(st.permutations(list(Aggregate)))) if method is None else (),
    }
    return pieces, array("q", edges), told


def folded(
    bucketing: Bucketing, pieces: list[Samples], edges: "array[int]", told: dict[str, object]
) -> list[Folded]:
    found, before = [], OpenBucket()
    for place, piece in enumerate([*pieces, Samples(times_ms=[], values=[])]):
        ends = place == len(pieces)
        start = 0 if before.start_ms is None else edges.index(before.start_ms)
        fold = Fold(edges=edges[start:], end_ms=edges[-1] - 1 if ends else None, **told)  # type: ignore[arg-type]
        found.append(bucketing.fold(fold, before, piece))
        before = found[-1].after
    return found


@settings(max_examples=300)
@given(asked())
def test_the_kernel_folds_as_the_python_code_does(
    one: tuple[list[Samples], "array[int]", dict[str, object]],
) -> None:
    pieces, edges, told = one
    ours = folded(PYTHON, pieces, edges, told)
    theirs = folded(HostBucketing(HostKernel(), PYTHON), pieces, edges, told)
    for mine, its in zip(ours, theirs, strict=True):
        assert mine.columns == its.columns
        assert mine.after == its.after


@settings(max_examples=200)
@given(asked())
def test_pieces_make_no_difference(one: tuple[list[Samples], "array[int]", dict[str, object]]) -> None:
    pieces, edges, told = one
    parts = folded(PYTHON, pieces, edges, told)
    whole = folded(PYTHON, [appended(pieces)], edges, told)
    for column, expected in zip(
        zip(*(part.columns for part in parts), strict=True),
        zip(*(part.columns for part in whole), strict=True),
        strict=True,
    ):
        assert appended(column) == appended(expected)


def test_a_long_column_is_folded_alike(kernel: HostBucketing) -> None:
    random = Random(7)  # noqa: S311 - repeatable, no secret
    times = range(0, 60_000 * STEP_MS, STEP_MS)
    samples = Samples(times_ms=list(times), values=[random.uniform(-50, 50) for _ in times])
    edges = array("q", range(0, 60_001 * STEP_MS, 15 * STEP_MS))
    told = {"begin_ms": 0, "max_gap_ms": STEP_MS, "aggregates": tuple(Aggregate)}
    ours, theirs = (folded(one, [samples], edges, told) for one in (PYTHON, kernel))
    assert ours == theirs
