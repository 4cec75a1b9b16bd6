"""Real counts and empty days in the index, over the real store and its SQL."""

import pytest

from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.errors import AnswerTooLarge
from edgeseries.limits import DAY_MS, DOUBT_MS, EMPTY_REREAD_MS, INLINE_MAX_BLOCKS
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.planning.stored import SampleEstimate, StoredPoint, estimate_stored
from edgeseries.series.days import day_span
from edgeseries.series.samples import NO_SAMPLES
from edgeseries.series.timerange import TimeRange
from tests.made_days import FEB_29, MARCH, NOW_MS, OTHER, POINT, made_kept, run
from tests.store_rig import EVERYTHING, SITE, WHOLE_MARCH, Rig, put


def known(rig: Rig, span: TimeRange, point: str = POINT, *, many: bool = False) -> StoredPoint:
    """What the index has of a point: asked alone, or among so many that no object is told."""
    others = [f"nobody {number}" for number in range(INLINE_MAX_BLOCKS)] if many else []
    return run(rig.store.look_up(SITE, [point, *others], span)).stored[point]


def estimate(rig: Rig, span: TimeRange, *, many: bool = False) -> SampleEstimate:
    return estimate_stored(known(rig, span, many=many).count, span)


def silence(*days: int, point: str = POINT) -> DaysToStore:
    return DaysToStore(point=point, days=days, samples=NO_SAMPLES)


@pytest.mark.parametrize("many", [False, True])
def test_whole_months_are_counted_and_cut_ones_estimated_by_their_days(rig: Rig, many: bool) -> None:  # noqa: FBT001
    put(rig.store, made_kept([FEB_29, *MARCH[:10], MARCH[-1] + 3]))
    assert estimate(rig, WHOLE_MARCH, many=many) == SampleEstimate(least=240, likely=240, most=240)
    assert estimate(rig, EVERYTHING, many=many) == SampleEstimate(least=288, likely=288, most=288)
    # Of February all days that have samples are in it.
    first_days = day_span(FEB_29, MARCH[4])
    assert estimate(rig, first_days, many=many) == SampleEstimate(least=24, likely=144, most=264)


@pytest.mark.parametrize("many", [False, True])
def test_what_a_purge_left_is_no_exact_count(rig: Rig, many: bool) -> None:  # noqa: FBT001
    put(rig.store, made_kept(MARCH[:10]))
    run(rig.store.forget(SITE, points=[POINT], span=day_span(MARCH[0], MARCH[4]), dry_run=False))
    assert estimate(rig, EVERYTHING, many=many) == SampleEstimate(least=0, likely=120, most=240)
    # Whatever is stored next makes the object anew, and the count exact.
    put(rig.store, made_kept(MARCH[10:11]))
    assert estimate(rig, EVERYTHING, many=many) == SampleEstimate(least=144, likely=144, most=144)


@pytest.mark.parametrize("many", [False, True])
def test_an_empty_day_is_due_after_a_day_until_it_is_read_again(rig: Rig, many: bool) -> None:  # noqa: FBT001
    put(rig.store, made_kept(MARCH[:3]), silence(MARCH[3], MARCH[4]))
    for later_ms, due in ((0, []), (EMPTY_REREAD_MS - 1, []), (EMPTY_REREAD_MS, [MARCH[3], MARCH[4]])):
        rig.clock.at_ms = NOW_MS + later_ms
        days = known(rig, WHOLE_MARCH, many=many).days
        assert (sorted(days.held), sorted(days.empty), sorted(days.due)) == (
            [*MARCH[:5]],
            [MARCH[3], MARCH[4]],
            due,
        )
        assert days.first_due_ms == NOW_MS + EMPTY_REREAD_MS
        covered = run(rig.store.look_up(SITE, [POINT], WHOLE_MARCH)).covered[POINT]
        assert covered == days.held - days.due
    puts = rig.bucket.puts
    put(rig.store, silence(MARCH[3]), made_kept([MARCH[4]], POINT))
    days = known(rig, WHOLE_MARCH, many=many).days
    assert (sorted(days.empty), days.due, days.first_due_ms) == ([MARCH[3]], frozenset(), None)
    assert rig.bucket.puts == puts + 1
    rig.clock.at_ms += 1_000 * DAY_MS
    assert known(rig, WHOLE_MARCH, many=many).days.due == frozenset(), "settled days stay settled"
    rig.agrees()


def test_a_second_reading_that_changes_no_sample_moves_the_row_and_nothing_else(rig: Rig) -> None:
    put(rig.store, made_kept(MARCH[:2]), silence(MARCH[2]))
    before = rig.pointers()
    rig.clock.at_ms += EMPTY_REREAD_MS
    put(rig.store, silence(MARCH[2]))
    assert rig.pointers() == before
    assert known(rig, WHOLE_MARCH).days.due == frozenset()
    assert rig.database.rows("SELECT count(*) FROM superseded_objects") == [(0,)]
    rig.agrees()


def test_a_purge_of_an_empty_day_takes_its_reading_along(rig: Rig) -> None:
    put(rig.store, made_kept(MARCH[:2]), silence(MARCH[2], MARCH[3]))
    run(rig.store.forget(SITE, points=[POINT], span=day_span(MARCH[2], MARCH[2]), dry_run=False))
    rig.clock.at_ms += EMPTY_REREAD_MS
    days = known(rig, WHOLE_MARCH).days
    assert (sorted(days.held), sorted(days.due)) == ([MARCH[0], MARCH[1], MARCH[3]], [MARCH[3]])
    put(rig.store, silence(MARCH[2], MARCH[3]), made_kept([MARCH[2]], OTHER))
    days = known(rig, WHOLE_MARCH).days
    assert (sorted(days.empty), days.due) == ([MARCH[2], MARCH[3]], frozenset())
    assert days.first_due_ms == rig.clock.at_ms + EMPTY_REREAD_MS, (
        "the purged one was read for the first time"
    )


def test_a_silence_of_all_that_was_asked_is_stored_after_a_second_reading(rig: Rig) -> None:
    """Both points are dense; then a week of which neither has a sample."""
    put(rig.store, made_kept(MARCH[:5]), made_kept(MARCH[:5], OTHER))
    quiet = MARCH[5:12]
    week = [silence(*quiet), silence(*quiet, point=OTHER)]
    put(rig.store, *week)
    assert known(rig, WHOLE_MARCH).days.held == frozenset(MARCH[:5])
    rig.clock.at_ms += DOUBT_MS - 1
    put(rig.store, *week)
    assert known(rig, WHOLE_MARCH, OTHER).days.held == frozenset(MARCH[:5])
    rig.clock.at_ms += 1
    put(rig.store, *week)
    for point in (POINT, OTHER):
        days = known(rig, WHOLE_MARCH, point).days
        assert (days.held, days.empty) == (frozenset(MARCH[:12]), frozenset(quiet))
    # One point alone that is off, while another is heard, is stored at once.
    put(rig.store, silence(MARCH[12]), made_kept([MARCH[12]], OTHER))
    assert MARCH[12] in known(rig, WHOLE_MARCH).days.held


def test_samples_are_counted_before_they_are_decoded(rig: Rig) -> None:
    put(rig.store, made_kept(MARCH[:10]), made_kept(MARCH[:10], OTHER))
    index = run(rig.store.look_up(SITE, [POINT, OTHER], WHOLE_MARCH))
    told: list[int] = []
    bound = SampleBound(480, reserve=lambda stored, _: told.append(stored))
    run(rig.another().read(SITE, [POINT, OTHER], WHOLE_MARCH, index, bound=bound))
    assert (bound.stored, max(told)) == (480, 480)
    with pytest.raises(AnswerTooLarge, match="480 samples or more"):
        run(rig.another().read(SITE, [POINT, OTHER], WHOLE_MARCH, index, bound=SampleBound(479)))
    # A range that cuts days is counted by what lies in it, not by what had to be decoded for it.
    hour = TimeRange(start_ms=MARCH[3] * DAY_MS, end_ms=MARCH[3] * DAY_MS + DAY_MS // 4)
    few = SampleBound(12)
    index = run(rig.store.look_up(SITE, [POINT, OTHER], hour))
    found = run(rig.another().read(SITE, [POINT, OTHER], hour, index, bound=few))
    assert few.stored == sum(len(one.samples) for one in found.values()) == 12


def test_a_damaged_object_counts_for_nothing(rig: Rig) -> None:
    put(rig.store, made_kept(MARCH[:10]))
    index = run(rig.store.look_up(SITE, [POINT], WHOLE_MARCH))
    key = rig.key_of(POINT)
    rig.damage(key, len(rig.bucket.objects[key][0]) - 1)
    bound = SampleBound(1_000)
    found = run(rig.another().read(SITE, [POINT], WHOLE_MARCH, index, bound=bound))
    assert (found[POINT].days, bound.stored) == (frozenset(), 0)
