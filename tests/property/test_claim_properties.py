"""The algebra of claimed days, and the claims of an isolate: nothing is claimed twice, nothing forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from edgeseries.leases.claims import Claims
from edgeseries.leases.days import Days, common, overlap, union, without
from edgeseries.leases.leased_days import held_of, leased_text
from edgeseries.leases.limits import CLAIM_MS

SITE = "hq"
DAYS: st.SearchStrategy[Days] = st.dictionaries(
    st.sampled_from("abcd"), st.sets(st.integers(0, 9), min_size=1).map(lambda some: tuple(sorted(some)))
)


def pairs(days: Days) -> set[tuple[str, int]]:
    return {(point, day) for point, some in days.items() for day in some}


@given(DAYS, st.lists(DAYS, max_size=3))
def test_days_are_sets_of_points_and_days(wanted: Days, held: list[Days]) -> None:
    every = set().union(*map(pairs, held))
    assert pairs(without(wanted, held)) == pairs(wanted) - every
    assert pairs(common(wanted, held)) == pairs(wanted) & every
    assert pairs(union(wanted, *held)) == pairs(wanted) | every
    for one in held:
        assert overlap(wanted, one) is bool(pairs(wanted) & pairs(one))
        assert pairs(held_of(wanted, [leased_text(one)])) == pairs(wanted) & pairs(one)
    assert all(some and list(some) == sorted(some) for some in union(wanted, *held).values())


def test_points_that_share_their_days_share_what_comes_of_them() -> None:
    days, others = (1, 2, 3), (2,)
    wanted: Days = dict.fromkeys("abc", days)
    for found in (
        without(wanted, [dict.fromkeys("abc", others)]),
        common(wanted, [dict.fromkeys("abc", days)]),
    ):
        assert len({id(some) for some in found.values()}) == 1


STEPS = st.lists(
    st.tuples(st.just("take"), DAYS)
    | st.tuples(st.just("release"), st.integers(0, 5))
    | st.tuples(st.just("beat"), st.integers(0, 5))
    | st.tuples(st.just("pass"), st.sampled_from([1, CLAIM_MS // 2, CLAIM_MS])),
    max_size=20,
)


@given(STEPS)
def test_a_day_is_claimed_by_one_request_at_a_time(steps: list[tuple[str, Days | int]]) -> None:
    """Against a model that keeps each claimed day with the time until which it stands."""
    claims, now_ms = Claims(), 0
    made = []
    model: dict[int, tuple[set[tuple[str, int]], int]] = {}
    for what, value in steps:
        if isinstance(value, dict):
            live = set().union(*(held for held, until_ms in model.values() if now_ms < until_ms))
            died = set().union(*(held for held, until_ms in model.values() if until_ms <= now_ms))
            claim = claims.take(SITE, value, now_ms)
            assert pairs(claim.free) == pairs(value) - live
            assert pairs(claim.taken) == pairs(value) & live
            assert claim.took_over is bool(pairs(claim.free) & died)
            model = {ticket: held for ticket, held in model.items() if now_ms < held[1]}
            model[claim.ticket] = pairs(claim.free), now_ms + CLAIM_MS
            made.append(claim)
            continue
        assert isinstance(value, int)
        if what == "pass":
            now_ms += value
        elif value < len(made):
            ticket = made[value].ticket
            if what == "release":
                claims.release(made[value])
                model.pop(ticket, None)
            else:
                claims.beat(made[value], now_ms)
                if ticket in model:
                    model[ticket] = model[ticket][0], now_ms + CLAIM_MS
        live = set().union(*(held for held, until_ms in model.values() if now_ms < until_ms))
        every: Days = dict.fromkeys("abcd", tuple(range(10)))
        assert claims.is_held(SITE, every, now_ms) is bool(live)
        assert not claims.is_held("another", every, now_ms)
