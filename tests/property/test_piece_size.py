"""Laws of the pieces in which an answer's gaps are fetched."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edgeseries.limits import DAY_MS, HOUR_MS
from edgeseries.planning.capabilities import Capabilities
from edgeseries.planning.fetch_plan import Gap, in_fitting_calls
from edgeseries.planning.piece_size import PIECE_GROWTH, PIECE_POINTS, next_piece
from edgeseries.series.timerange import TimeRange

CALLS = Capabilities(batch_points=50, call_samples=35_000)
WEEK = TimeRange(start_ms=19_700 * DAY_MS, end_ms=19_707 * DAY_MS)
HALF_DAY = TimeRange(start_ms=19_707 * DAY_MS, end_ms=19_707 * DAY_MS + 12 * HOUR_MS)


def gap_of(span: TimeRange, count: int) -> Gap:
    return Gap(points=tuple(f"p{number:04d}" for number in range(count)), span=span)


def fetched(gaps: Sequence[Gap], learned: Mapping[str, float], real_per_day: float) -> list[Gap]:
    """The pieces, if each point has so many samples a day."""
    waiting: Sequence[Gap] = in_fitting_calls(gaps, learned, CALLS)
    done: list[tuple[Gap, int]] = []
    while waiting:
        piece, waiting = next_piece(waiting, done, learned, CALLS)
        days = piece.span.duration_ms / DAY_MS
        done.append((piece, int(real_per_day * len(piece.points) * days)))
    return [gap for gap, _ in done]


@given(
    st.lists(st.builds(gap_of, st.sampled_from([WEEK, HALF_DAY]), st.integers(1, 300)), max_size=2),
    st.sampled_from([None, 0.0, 24.0, 1_440.0]),
    st.sampled_from([0.0, 1.0, 100.0, 1_440.0]),
)
def test_pieces_ask_for_all_of_it_in_order_and_within_bounds(
    gaps: list[Gap], density: float | None, real_per_day: float
) -> None:
    learned = {} if density is None else {f"p{number:04d}": density for number in range(300)}
    pieces = fetched(gaps, learned, real_per_day)
    assert [(point, one.span) for one in pieces for point in one.points] == [
        (point, gap.span) for gap in gaps for point in gap.points
    ]
    calls = in_fitting_calls(gaps, learned, CALLS)
    assert len(pieces) <= len(calls)
    assert all(len(one.points) <= PIECE_POINTS for one in pieces)
    if density is not None:
        most = [density * len(one.points) * one.span.duration_ms / DAY_MS for one in pieces]
        assert all(
            samples <= CALLS.call_samples or piece in calls
            for samples, piece in zip(most, pieces, strict=True)
        )


def test_what_proves_quiet_is_asked_in_few_pieces() -> None:
    """Unlearned points might be dense: the first piece is small, and no later one much larger than it."""
    day = TimeRange(start_ms=WEEK.start_ms, end_ms=WEEK.start_ms + DAY_MS)
    sizes = [len(one.points) for one in fetched([gap_of(day, 200)], {}, 0.0)]
    assert sizes == [17, 67, 116]
    assert all(after <= PIECE_GROWTH * before for before, after in pairwise(sizes))


def test_what_proves_dense_is_asked_in_calls_that_fit() -> None:
    day = TimeRange(start_ms=WEEK.start_ms, end_ms=WEEK.start_ms + DAY_MS)
    assert {len(one.points) for one in fetched([gap_of(day, 200)], {}, 1_440.0)} <= {16, 17}


def test_points_that_are_known_to_be_quiet_are_one_piece_at_once() -> None:
    gap = gap_of(HALF_DAY, 200)
    assert len(fetched([gap], dict.fromkeys(gap.points, 0.0), 0.0)) == 1
