"""Settings and the fault plan: pure, repeatable, and refused as a whole when wrong."""

from dataclasses import replace

import pytest

from local.upstream.counters import Counters
from local.upstream.faults import Fault, fault_for
from local.upstream.knobs import BadChange, Knobs, Late, checked_change
from local.upstream.paths import Endpoint
from local.upstream.queries import BatchShape

PAGE = Endpoint.SITE_TIMESERIES_PAGINATED


def plan(knobs: Knobs, endpoint: Endpoint = PAGE, count: int = 400) -> list[Fault | None]:
    return [fault_for(knobs, endpoint, index) for index in range(count)]


def knows(site: str, point: str) -> bool:
    return (site, point) == ("s", "p")


def test_without_rates_nothing_befalls() -> None:
    assert set(plan(Knobs())) == {None}


@pytest.mark.parametrize(
    ("knobs", "fault"),
    [
        (Knobs(rate_429=1), Fault.TOO_MANY),
        (Knobs(rate_500=1), Fault.SERVER_ERROR),
        (Knobs(rate_reset=1), Fault.RESET),
        (Knobs(rate_stall=1), Fault.STALL),
        (Knobs(rate_truncated=1), Fault.TRUNCATED),
        (Knobs(rate_empty_page=1), Fault.EMPTY_PAGE),
    ],
)
def test_a_rate_of_one_always_befalls(knobs: Knobs, fault: Fault) -> None:
    assert set(plan(knobs)) == {fault}


def test_rates_are_shares_and_the_earlier_fault_goes_first() -> None:
    drawn = plan(Knobs(rate_500=0.25, rate_truncated=1), count=4_000)
    assert 800 < drawn.count(Fault.SERVER_ERROR) < 1_200
    assert drawn.count(Fault.TRUNCATED) == 4_000 - drawn.count(Fault.SERVER_ERROR)


def test_the_seed_decides_and_repeats() -> None:
    knobs = Knobs(rate_500=0.5, rate_reset=0.5)
    assert plan(knobs) == plan(knobs)
    assert plan(knobs) != plan(replace(knobs, seed=1))


def test_another_fault_s_rate_does_not_move_the_draw_of_a_fault() -> None:
    alone = [fault is Fault.SERVER_ERROR for fault in plan(Knobs(rate_500=0.3))]
    beside = [fault is Fault.SERVER_ERROR for fault in plan(Knobs(rate_500=0.3, rate_truncated=0.9))]
    assert alone == beside


def test_empty_pages_befall_pages_only_and_only_spares_others() -> None:
    assert set(plan(Knobs(rate_empty_page=1), Endpoint.POINT_TIMESERIES)) == {None}
    knobs = Knobs(rate_500=1, only=(PAGE,))
    assert set(plan(knobs, Endpoint.SITES)) == {None}
    assert set(plan(knobs)) == {Fault.SERVER_ERROR}


def test_a_change_keeps_what_it_does_not_name() -> None:
    change = checked_change(Knobs(latency_ms=5), {"rate_429": 0.5, "retry_after_s": None}, knows)
    assert change.knobs == Knobs(latency_ms=5, rate_429=0.5, retry_after_s=None)
    assert not change.reset
    assert not change.reseeded


def test_every_setting_can_be_set_and_comes_back_as_it_was_set() -> None:
    wire = {
        "latency_ms": 1,
        "max_calls": 3,
        "rate_429": 0.1,
        "retry_after_s": 7,
        "rate_500": 0.2,
        "rate_reset": 0.3,
        "rate_stall": 0.4,
        "stall_ms": 2,
        "rate_truncated": 0.5,
        "rate_empty_page": 0.6,
        "repeat_cursor": True,
        "mood": "brackets",
        "rate_mood": 0.7,
        "shared_names": True,
        "end_inclusive": True,
        "batch_shape": "strings",
        "seed": -3,
        "only": ["sites", "point"],
        "known_until": "2022-03-01T00:00:00Z",
        "redirect_to": "http://127.0.0.1:9/",
        "late": [{"site": "s", "point": "p", "samples": [["2022-03-01T00:00:00Z", "1"]]}],
    }
    change = checked_change(Knobs(), wire, knows)
    assert change.knobs.to_wire() == wire
    assert change.reseeded
    assert change.knobs.batch_shape is BatchShape.STRINGS


def test_late_samples_add_up_and_a_reset_forgets_before_the_rest_applies() -> None:
    late = Late(site="s", point="p", samples=((0, "0"),))
    held = Knobs(latency_ms=9, late=(late,))
    more = [{"site": "s", "point": "p", "samples": [["1970-01-01T00:00:01Z", "1"]]}]
    added = checked_change(held, {"late": more}, knows)
    assert added.knobs.late == (late, *added.late)
    assert added.late == (Late(site="s", point="p", samples=((1_000_000, "1"),)),)
    assert checked_change(held, {"reset": True, "seed": 4}, knows).knobs == Knobs(seed=4)
    assert checked_change(held, {"reset": False}, knows).knobs == held
    assert checked_change(held, {"reset_stats": True}, knows).reset_stats


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("latency_ms", -1),
        ("latency_ms", 1.5),
        ("latency_ms", True),
        ("latency_ms", 10**9),
        ("stall_ms", "1"),
        ("retry_after_s", -1),
        ("rate_429", 1.01),
        ("rate_500", -0.1),
        ("rate_reset", "1"),
        ("rate_stall", None),
        ("rate_truncated", True),
        ("rate_empty_page", float("nan")),
        ("repeat_cursor", 1),
        ("mood", "sulky"),
        ("rate_mood", 2),
        ("shared_names", 1),
        ("redirect_to", "http://elsewhere.example/"),
        ("redirect_to", 1),
        ("end_inclusive", "true"),
        ("batch_shape", "lists"),
        ("batch_shape", ["both"]),
        ("seed", 1.5),
        ("only", "sites"),
        ("only", ["nowhere"]),
        ("only", [{}]),
        ("late", {}),
        ("late", [{"site": "s", "point": "p"}]),
        ("late", [{"site": "s", "point": "p", "samples": [["soon", "1"]]}]),
        ("late", [{"site": "s", "point": "p", "samples": [["2022-03-01T00:00:00Z", 1]]}]),
        ("late", [{"site": "s", "point": "other", "samples": []}]),
        ("late", [{"site": "s", "point": "p", "samples": [], "more": 1}]),
        ("reset", 1),
        ("reset_stats", "yes"),
        ("unheard_of", 0),
    ],
)
def test_bad_values_are_refused_by_name(key: str, value: object) -> None:
    with pytest.raises(BadChange) as bad:
        checked_change(Knobs(), {"latency_ms": 5, key: value}, knows)
    assert len(bad.value.faults) == 1
    assert bad.value.faults[0].startswith(f"{key}:")


def test_all_faults_of_a_change_are_listed() -> None:
    with pytest.raises(BadChange) as bad:
        checked_change(Knobs(), {"rate_429": 2, "seed": "x", "nonsense": 1, "reset": True}, knows)
    assert [fault.partition(":")[0] for fault in bad.value.faults] == ["rate_429", "seed", "nonsense"]
    with pytest.raises(BadChange):
        checked_change(Knobs(), [], knows)


def test_counts() -> None:
    counters = Counters()
    counters.called("sites")
    counters.called("point")
    counters.called("sites")
    counters.befell("500")
    counters.delivered({("a|b", 0): 2, ("p", 19_052): 1})
    counters.delivered({("a|b", 0): 3}, of_site=True)
    assert counters.to_wire() == {
        "calls": 3,
        "samples": 6,
        "by_endpoint": {"point": 1, "sites": 2},
        "by_fault": {"500": 1},
        "by_point_day": {"a|b|1970-01-01": 5, "p|2022-03-01": 1},
        "named_by_point_day": {"a|b|1970-01-01": 2, "p|2022-03-01": 1},
    }
