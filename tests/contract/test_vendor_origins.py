"""One conformance suite for the Origin port: every vendor's adapter over its simulator, in every way of being
installed. ACE, whose API says more, is in `test_origin.py` as well.
"""

import asyncio
import random
from collections.abc import Awaitable, Iterator
from math import isclose
from typing import Any, TypeVar

import pytest

from edgeseries.errors import (
    AnswerTooLarge,
    DeadlineExceeded,
    EdgeError,
    NotFound,
    OriginContract,
    OriginGarbled,
    OriginRefused,
    OriginThrottled,
    OriginUnreachable,
)
from edgeseries.origins.ports.origin import NO_SUCH_POINT, Bulk, Origin
from edgeseries.series.samples import Samples
from edgeseries.series.timerange import TimeRange, parse_instant
from edgeseries.series.values import Value
from local.own_upstream import MachineClock
from local.upstream.truth import Truth
from local.vendors.serving import MOODS, running
from tests import made_up
from tests.vendor_rigs import RIGS, TOKEN, Installation

Result = TypeVar("Result")

SITE = made_up.ODD_SITE
DAY_MS = 86_400_000


def span_of(start: str, end: str) -> TimeRange:
    return TimeRange(start_ms=parse_instant(start), end_ms=parse_instant(end))


WHOLE = span_of("2024-02-29T00:00:00Z", "2024-03-02T00:00:00Z")
BEFORE = span_of("2024-02-25T00:00:00Z", "2024-02-27T00:00:00Z")
SPANS = {
    "whole": WHOLE,
    "noon": span_of("2024-02-29T12:00:00Z", "2024-02-29T12:30:00Z"),
    "a minute": TimeRange(start_ms=WHOLE.start_ms, end_ms=WHOLE.start_ms + 60_000),
    "a millisecond": TimeRange(start_ms=WHOLE.start_ms, end_ms=WHOLE.start_ms + 1),
    "before": span_of("2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"),
}


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return Truth(made_up.write_made_up(tmp_path_factory.mktemp("data") / "telemetry"))


@pytest.fixture(scope="module", params=RIGS)
def installed(request: pytest.FixtureRequest, truth: Truth) -> Iterator[Installation]:
    rig = RIGS[request.param]
    with running(rig.shape(truth), token=TOKEN) as url:
        yield Installation(rig=rig, url=url, truth=truth)


@pytest.fixture
def installation(installed: Installation) -> Installation:
    """With a well-behaved simulator."""
    installed.control()
    return installed


def soon_ms() -> int:
    return MachineClock().now_ms() + 20_000


def run(awaitable: Awaitable[Result]) -> Result:
    async def inside() -> Result:
        return await awaitable

    return asyncio.run(inside())


def pairs(samples: Samples) -> list[tuple[int, Value]]:
    return list(zip(samples.times_ms, samples.values, strict=True))


def names_of(installation: Installation, site: str) -> dict[str, str]:
    """Points of a site: by the name that callers use, the name in the truth."""
    return {installation.rig.name_of(point): point for point in installation.held.points(site)}


def are_as_held(found: list[tuple[int, Value]], expected: list[tuple[int, Value]], digits: float) -> bool:
    """Whether samples are equal; numbers up to a relative error of `digits`, where the vendor keeps fewer."""
    if not digits or len(found) != len(expected):
        return found == expected
    return all(
        at_ms == other_ms
        and (
            isclose(value, other, rel_tol=digits)
            if isinstance(value, float) and isinstance(other, float)
            else value == other
        )
        for (at_ms, value), (other_ms, other) in zip(found, expected, strict=True)
    )


def check(installation: Installation, origin: Origin, site: str, span: TimeRange, **more: Any) -> int:
    """A fetch of all points of a site is what the vendor holds, sample for sample and type for type."""
    held, names = installation.held, names_of(installation, site)
    called = installation.rig.site_of(site)
    series = run(origin.fetch(called, list(names), span, deadline_ms=soon_ms(), **more))
    assert [one.point for one in series] == list(names)
    for one in series:
        expected = held.within(site, names[one.point], span.start_ms, span.end_ms)
        assert are_as_held(pairs(one.samples), expected, installation.rig.digits), one.point
        assert [type(value) for _, value in pairs(one.samples)] == [type(value) for _, value in expected]
        assert one.error is None
    return sum(len(one.samples) for one in series)


def test_lists_every_site_and_point_by_name(installation: Installation) -> None:
    origin = installation.origin()
    sites = [site.name for site in run(origin.sites(deadline_ms=soon_ms())).sites]
    assert sites == sorted(map(installation.rig.site_of, installation.held.sites()))
    for site in installation.held.sites():
        called = installation.rig.site_of(site)
        points = [point.name for point in run(origin.points(called, deadline_ms=soon_ms()))]
        assert points == sorted(points)
        assert [one for one in points if "replica" not in one] == sorted(names_of(installation, site))


def test_a_site_that_is_not_there_is_not_found(installation: Installation) -> None:
    for name in ("nowhere", 'no "where"\\', "a|b", ""):
        with pytest.raises(NotFound):
            run(installation.origin().points(name, deadline_ms=soon_ms()))
        with pytest.raises(NotFound):
            run(installation.origin().fetch(name, ["x"], WHOLE, deadline_ms=soon_ms()))


@pytest.mark.parametrize("name", SPANS)
def test_fetch_equals_what_the_vendor_holds(installation: Installation, name: str) -> None:
    count = sum(
        check(installation, installation.origin(), site, SPANS[name]) for site in installation.held.sites()
    )
    assert bool(count) == (name != "before")


def test_both_borders_of_any_range_are_half_open(installation: Installation) -> None:
    """Ranges that begin and end at samples, a millisecond before and after them."""
    random_source = random.Random(7)  # noqa: S311 - a seeded draw
    origin = installation.origin()
    point = next(iter(names_of(installation, SITE).values()))
    instants = [at_ms for at_ms, _ in installation.held.samples(SITE, point)]
    for _ in range(12):
        first, last = sorted(random_source.sample(instants, 2))
        start_ms = first + random_source.choice((-1, 0, 1))
        span = TimeRange(start_ms=start_ms, end_ms=max(start_ms + 1, last + random_source.choice((-1, 0, 1))))
        check(installation, origin, SITE, span)


def test_a_point_that_the_site_does_not_have_has_an_error(installation: Installation) -> None:
    mine, other = (next(iter(names_of(installation, site))) for site in (made_up.PLAIN_SITE, SITE))
    fetch = installation.origin().fetch(
        installation.rig.site_of(made_up.PLAIN_SITE), [mine, other, "nothing"], WHOLE, deadline_ms=soon_ms()
    )
    assert [(one.point, one.error, len(one.samples) > 0) for one in run(fetch)] == [
        (mine, None, True),
        (other, NO_SUCH_POINT, False),
        ("nothing", NO_SUCH_POINT, False),
    ]


def test_a_fetch_in_the_background_asks_before_every_call(installation: Installation) -> None:
    origin, asked = installation.origin(), 0

    async def before() -> None:
        nonlocal asked
        asked += 1

    check(installation, origin, SITE, WHOLE, bulk=Bulk(before_call=before, max_samples=1_000_000))
    assert asked == installation.stats()["calls"]

    async def refuse() -> None:
        raise DeadlineExceeded("not ours any more")

    installation.control()
    with pytest.raises(DeadlineExceeded):
        check(installation, origin, SITE, WHOLE, bulk=Bulk(before_call=refuse, max_samples=1_000_000))
    assert installation.stats()["calls"] == 0


def test_more_samples_than_a_fetch_may_bring_are_refused(installation: Installation) -> None:
    async def before() -> None:
        pass

    with pytest.raises(AnswerTooLarge):
        check(installation, installation.origin(), SITE, WHOLE, bulk=Bulk(before_call=before, max_samples=10))


def test_a_probe_tells_texts_and_knows_its_points(installation: Installation) -> None:
    site = installation.held.sites()[0]
    point = installation.held.points(site)[0]
    span = TimeRange(start_ms=1_709_078_400_000, end_ms=1_709_164_800_000)
    origin = installation.origin()
    named = (installation.rig.site_of(site), installation.rig.name_of(point))
    found = run(origin.probe(*named, span, deadline_ms=soon_ms()))
    assert found
    assert all(isinstance(text, str) and text for text in found.values())
    with pytest.raises(NotFound):
        run(origin.probe(named[0], "nobody", span, deadline_ms=soon_ms()))


def test_a_list_that_was_read_is_remembered(installation: Installation) -> None:
    origin = installation.origin()
    check(installation, origin, SITE, SPANS["noon"])
    first = installation.stats()["calls"]
    check(installation, origin, SITE, SPANS["noon"])
    assert installation.stats()["calls"] - first < first


def test_a_ping_proves_the_credential(installation: Installation) -> None:
    run(installation.origin().ping(deadline_ms=soon_ms()))
    with pytest.raises(OriginRefused, match="originCredentials"):
        run(installation.origin(credential="wrong:wrong").ping(deadline_ms=soon_ms()))


@pytest.mark.parametrize(
    ("knobs", "error"),
    [
        ({"rate_429": 1, "retry_after_s": 7}, OriginThrottled),
        ({"rate_500": 1}, OriginUnreachable),
        ({"rate_reset": 1}, OriginUnreachable),
        ({"rate_truncated": 1}, OriginGarbled),
        ({"rate_stall": 1, "stall_ms": 5_000}, DeadlineExceeded),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value.__name__,
)
def test_each_fault_of_the_upstream_has_its_error(
    installation: Installation, knobs: dict[str, Any], error: type[Exception]
) -> None:
    installation.control(**knobs)
    late_ms = MachineClock().now_ms() + (300 if error is DeadlineExceeded else 20_000)
    with pytest.raises(error) as raised:
        run(installation.origin().fetch(installation.rig.site_of(SITE), ["x"], WHOLE, deadline_ms=late_ms))
    if isinstance(raised.value, OriginThrottled):
        assert raised.value.retry_after_s == 7
        assert installation.stats()["calls"] == 1, "throttling is not answered with more calls"


def test_a_read_that_was_spoilt_is_asked_once_more(installation: Installation) -> None:
    installation.control(rate_500=1)
    with pytest.raises(OriginUnreachable):
        run(installation.origin().ping(deadline_ms=soon_ms()))
    assert installation.stats()["calls"] == 2


def test_what_has_no_sample_costs_no_more_calls_than_what_has(installation: Installation) -> None:
    origin, counted = installation.origin(), []
    run(origin.points(installation.rig.site_of(SITE), deadline_ms=soon_ms()))
    for span in (WHOLE, BEFORE, BEFORE):
        installation.control()
        samples = check(installation, origin, SITE, span)
        assert bool(samples) == (span is WHOLE)
        counted.append(installation.stats()["calls"])
    # The index of an archive is read once more, where files of a period are not there.
    assert max(counted[1:]) <= counted[0] + 1, counted


def test_a_quiet_point_does_not_end_haystack_calls_about_several(truth: Truth) -> None:
    """This server leaves out of such an answer the points that have no sample."""
    noon = SPANS["noon"]
    rig = RIGS["Haystack, Hayson and SCRAM"]
    with running(rig.shape(truth, omits_quiet=True), token=TOKEN) as url:
        installation = Installation(rig=rig, url=url, truth=truth)
        origin, held = installation.origin(), installation.held
        quiet = [
            name for name in held.points(SITE) if not held.within(SITE, name, noon.start_ms, noon.end_ms)
        ]
        assert quiet
        check(installation, origin, SITE, noon)
        for _ in range(2):
            installation.control()
            check(installation, origin, SITE, noon)
            assert installation.stats()["calls"] == 1 + len(quiet)


def test_an_answer_that_is_too_large_is_asked_in_halves(installation: Installation) -> None:
    origin = installation.origin(max_body_bytes=9_000 if installation.rig.halves else 400)
    if not installation.rig.halves:
        with pytest.raises(OriginContract, match="cut it by year"):
            check(installation, origin, SITE, WHOLE)
        return
    assert check(installation, origin, SITE, WHOLE) > 600
    assert installation.stats()["calls"] > 4


@pytest.mark.parametrize("mood", MOODS)
def test_an_answer_that_is_none_is_an_error_and_never_silence(installation: Installation, mood: str) -> None:
    origin, names = installation.origin(), list(names_of(installation, SITE))
    run(origin.points(installation.rig.site_of(SITE), deadline_ms=soon_ms()))
    installation.control(mood=mood)
    if mood in installation.rig.silent:
        return
    with pytest.raises(EdgeError) as raised:
        run(origin.fetch(installation.rig.site_of(SITE), names, WHOLE, deadline_ms=soon_ms()))
    assert not isinstance(raised.value, NotFound)
    if mood in {"brackets", "redirect"}:
        assert isinstance(raised.value, OriginContract | OriginGarbled)
    for listing in (
        origin.sites(deadline_ms=soon_ms()),
        origin.points(installation.rig.site_of(SITE), deadline_ms=soon_ms()),
    ):
        with pytest.raises(EdgeError):
            run(listing)


@pytest.mark.parametrize("name", ["Haystack, Hayson and SCRAM", "Haystack, Zinc and SkySpark's points"])
def test_histories_of_another_unit_are_not_mixed(truth: Truth, name: str) -> None:
    rig = RIGS[name]
    with running(rig.shape(truth), token=TOKEN) as url:
        installation = Installation(rig=rig, url=url, truth=truth)
        installation.control(unit_of_samples="parsecs")
        with pytest.raises(OriginContract, match="parsecs"):
            check(installation, installation.origin(), SITE, WHOLE)
        installation.control(error="UnknownRecErr: gone")
        with pytest.raises(OriginRefused, match="gone"):
            check(installation, installation.origin(), SITE, WHOLE)
