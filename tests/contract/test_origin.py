"""One conformance suite for the Origin port: ACE over the simulator, in every mood, and the fake.

The ACE adapter runs here on the host's Python with a Web port over httpx; the runtime tests run
it on workerd.
"""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from edgeseries.errors import (
    DeadlineExceeded,
    NotFound,
    OriginContract,
    OriginGarbled,
    OriginRefused,
    OriginThrottled,
    OriginUnconfirmed,
    OriginUnreachable,
)
from edgeseries.origins.ports.origin import NO_SUCH_POINT, Bulk, Origin
from edgeseries.origins.ports.surplus import Surplus
from edgeseries.origins.text_values import value_of
from edgeseries.platform.clock import SystemClock
from edgeseries.series.samples import Samples
from edgeseries.series.timerange import TimeRange, parse_instant
from edgeseries.series.values import Value
from local.expected import expected_samples
from local.upstream.background import running
from local.upstream.truth import Truth
from tests import made_up
from tests.ace_simulator import TOKEN, Simulator
from tests.fakes import FakeOrigin

Result = TypeVar("Result")

ROOT = Path(__file__).parents[2]
WHOLE = TimeRange(
    start_ms=parse_instant("2024-02-29T00:00:00Z"), end_ms=parse_instant("2024-03-02T00:00:00Z")
)
NOON = TimeRange(start_ms=parse_instant("2024-02-29T12:00:00Z"), end_ms=parse_instant("2024-02-29T12:30:00Z"))
FIRST_MINUTE = TimeRange(start_ms=WHOLE.start_ms, end_ms=WHOLE.start_ms + 60_000)
BEFORE = TimeRange(
    start_ms=parse_instant("2020-01-01T00:00:00Z"), end_ms=parse_instant("2020-02-01T00:00:00Z")
)

MOODS: dict[str, dict[str, Any]] = {
    "objects in batches": {},
    "strings in batches": {"batch_shape": "strings"},
    "both batch shapes": {"batch_shape": "both"},
    "no batches": {"batch_shape": "none"},
    "inclusive end": {"end_inclusive": True},
    "empty pages": {"rate_empty_page": 0.5},
}


async def unhindered() -> None:
    """Before every call."""


BULK = Bulk(before_call=unhindered, max_samples=1_000_000)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    folder = made_up.write_made_up(tmp_path_factory.mktemp("data") / "telemetry")
    command = [sys.executable, "-m", "local.upstream", "--port", "0", "--data", str(folder), "--token", TOKEN]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = next(line for line in process.stdout if "ready on" in line)
            yield Simulator(url=line.split()[-1].removesuffix("/api"), truth=Truth(folder))
        finally:
            process.terminate()
            process.stdout.read()


@pytest.fixture(params=["fake", *MOODS])
def origin(request: pytest.FixtureRequest, simulator: Simulator) -> Origin:
    if request.param == "fake":
        truth = simulator.truth
        return FakeOrigin(
            {
                site: {
                    point.name: [(at, value_of(text)) for at, text in truth.rows(site, point.name, 0, 2**50)]
                    for point in truth.points(site)
                }
                for site in truth.sites()
            }
        )
    simulator.control(**MOODS[request.param])
    return simulator.origin()


def soon_ms() -> int:
    return SystemClock().now_ms() + 20_000


def run(awaitable: Awaitable[Result]) -> Result:
    async def inside() -> Result:
        return await awaitable

    return asyncio.run(inside())


def pairs(samples: Samples) -> list[tuple[int, Value]]:
    return list(zip(samples.times_ms, samples.values, strict=True))


def truly(truth: Truth, site: str, point: str, span: TimeRange) -> list[tuple[int, Value]]:
    """From the files alone, by none of the code that is tested."""
    return [(at, value) for at, value in expected_samples(truth, site, point, span.start_ms, span.end_ms)]


def test_lists_every_site_and_point_by_name(origin: Origin, simulator: Simulator) -> None:
    sites = run(origin.sites(deadline_ms=soon_ms())).sites
    assert [site.name for site in sites] == sorted(simulator.truth.sites())
    for site in simulator.truth.sites():
        points = run(origin.points(site, deadline_ms=soon_ms()))
        assert [point.name for point in points] == sorted(
            point.name for point in simulator.truth.points(site)
        )


def test_a_site_that_is_not_there_is_not_found(origin: Origin) -> None:
    with pytest.raises(NotFound):
        run(origin.points("nowhere", deadline_ms=soon_ms()))
    with pytest.raises(NotFound):
        run(origin.fetch("nowhere", ["x"], WHOLE, deadline_ms=soon_ms()))


@pytest.mark.parametrize(
    "span", [WHOLE, NOON, FIRST_MINUTE, BEFORE], ids=["whole", "noon", "minute", "before"]
)
def test_fetch_equals_the_truth_sample_for_sample_and_type_for_type(
    origin: Origin, simulator: Simulator, span: TimeRange
) -> None:
    for site in simulator.truth.sites():
        wanted = [point.name for point in simulator.truth.points(site)]
        series = run(origin.fetch(site, wanted, span, deadline_ms=soon_ms()))
        assert [one.point for one in series] == wanted
        for one in series:
            expected = truly(simulator.truth, site, one.point, span)
            assert pairs(one.samples) == expected
            assert [type(value) for _, value in pairs(one.samples)] == [type(value) for _, value in expected]
            assert one.error is None


def test_a_point_of_another_site_is_not_given_away(origin: Origin) -> None:
    series = run(
        origin.fetch(
            made_up.PLAIN_SITE, ["made_up_1", made_up.COLONS, "nothing"], WHOLE, deadline_ms=soon_ms()
        )
    )
    assert [(one.point, one.error, len(one.samples) > 0) for one in series] == [
        ("made_up_1", None, True),
        (made_up.COLONS, NO_SUCH_POINT, False),
        ("nothing", NO_SUCH_POINT, False),
    ]


@pytest.mark.parametrize("span", [WHOLE, NOON, BEFORE], ids=["whole", "noon", "before"])
def test_a_whole_site_in_the_background_is_the_truth(
    origin: Origin, simulator: Simulator, span: TimeRange
) -> None:
    for site in simulator.truth.sites():
        wanted = [point.name for point in simulator.truth.points(site)]
        for one in run(origin.fetch(site, wanted, span, deadline_ms=soon_ms(), bulk=BULK)):
            assert pairs(one.samples) == truly(simulator.truth, site, one.point, span)
            assert one.error is None


def test_a_ping_is_one_call_and_fails_as_the_upstream_does(simulator: Simulator) -> None:
    simulator.control()
    run(simulator.origin().ping(deadline_ms=soon_ms()))
    assert simulator.stats()["calls"] == 1
    for knobs, error in (({"rate_500": 1}, OriginUnreachable), ({"rate_truncated": 1}, OriginGarbled)):
        simulator.control(**knobs)
        with pytest.raises(error):
            run(simulator.origin().ping(deadline_ms=soon_ms()))


def test_a_ping_keeps_its_deadline(simulator: Simulator) -> None:
    simulator.control(rate_stall=1, stall_ms=5_000)
    with pytest.raises(DeadlineExceeded):
        run(simulator.origin().ping(deadline_ms=SystemClock().now_ms() + 300))


def test_a_probe_of_a_point_that_is_not_there_is_refused(origin: Origin, simulator: Simulator) -> None:
    span = TimeRange(start_ms=0, end_ms=1)
    with pytest.raises(NotFound):
        run(origin.probe(simulator.truth.sites()[0], "nobody", span, deadline_ms=soon_ms()))


def test_the_batch_shape_is_found_once_and_remembered(simulator: Simulator) -> None:
    simulator.control(batch_shape="strings")
    origin = simulator.origin()
    wanted = [point.name for point in simulator.truth.points(made_up.PLAIN_SITE)]
    for _ in range(3):
        run(origin.fetch(made_up.PLAIN_SITE, wanted, WHOLE, deadline_ms=soon_ms()))
    # One list of points; objects refused once; strings three times.
    assert simulator.stats()["calls"] == 1 + 1 + 3


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
    simulator: Simulator, knobs: dict[str, Any], error: type[Exception]
) -> None:
    simulator.control(**knobs)
    late_ms = SystemClock().now_ms() + (300 if error is DeadlineExceeded else 20_000)
    with pytest.raises(error) as raised:
        run(simulator.origin().fetch(made_up.PLAIN_SITE, ["made_up_1"], WHOLE, deadline_ms=late_ms))
    if isinstance(raised.value, OriginThrottled):
        assert raised.value.retry_after_s == 7


def test_a_read_that_was_spoilt_is_asked_once_more(simulator: Simulator) -> None:
    simulator.control(rate_500=1)
    with pytest.raises(OriginUnreachable):
        run(simulator.origin().ping(deadline_ms=soon_ms()))
    assert simulator.stats()["calls"] == 2


def test_throttling_is_not_answered_with_more_calls(simulator: Simulator) -> None:
    simulator.control(rate_429=1)
    with pytest.raises(OriginThrottled):
        run(simulator.origin().ping(deadline_ms=soon_ms()))
    assert simulator.stats()["calls"] == 1


def test_a_repeating_cursor_ends_the_read(simulator: Simulator) -> None:
    simulator.control(repeat_cursor=True)

    wanted = [point.name for point in simulator.truth.points(made_up.ODD_SITE)]
    with pytest.raises(OriginContract, match="repeats"):
        run(simulator.origin().fetch(made_up.ODD_SITE, wanted, WHOLE, deadline_ms=soon_ms(), bulk=BULK))


def test_a_wrong_credential_is_told_to_the_operator(simulator: Simulator) -> None:
    simulator.control()
    with pytest.raises(OriginRefused, match="upstreamToken"):
        run(simulator.origin(token="wrong").ping(deadline_ms=soon_ms()))  # noqa: S106 - made up


def test_an_answer_that_is_too_large_is_asked_in_halves(simulator: Simulator) -> None:
    simulator.control()
    origin = simulator.origin(max_body_bytes=6_000)  # 576 rows of made-up telemetry do not fit, 36 do.
    series = run(origin.fetch(made_up.ODD_SITE, [made_up.SLASHES], WHOLE, deadline_ms=soon_ms()))
    assert pairs(series[0].samples) == truly(simulator.truth, made_up.ODD_SITE, made_up.SLASHES, WHOLE)
    assert simulator.stats()["calls"] > 10


BY_NAME = ["points_get_timeseries", "point_timeseries"]
PAGED = ["site_timeseries_paginated"]
TRUTH = None

HOSTILE: dict[str, tuple[dict[str, Any], type[Exception] | None, type[Exception] | None]] = {
    # Mood and where, what a fetch by name ends with, what one in the background does; None: the truth.
    "a gateway's page everywhere": ({"mood": "gateway_page"}, OriginUnconfirmed, OriginUnconfirmed),
    "a gateway's JSON everywhere": ({"mood": "gateway_json"}, OriginUnconfirmed, OriginUnconfirmed),
    "a gateway's page for samples": (
        {"mood": "gateway_page", "only": [*BY_NAME, *PAGED]},
        OriginUnconfirmed,
        OriginUnconfirmed,
    ),
    "no pages": ({"mood": "no_route", "only": PAGED}, TRUTH, TRUTH),
    "a gateway's page for pages": ({"mood": "gateway_page", "only": PAGED}, TRUTH, TRUTH),
    "no data by the pages": ({"mood": "no_data", "only": PAGED}, TRUTH, TRUTH),
    "no data by batches": ({"mood": "no_data", "only": BY_NAME[:1]}, TRUTH, TRUTH),
    # No batches, and what is wrong with singles does not matter while the site has pages.
    "a gateway's page for singles": (
        {"mood": "gateway_page", "only": BY_NAME[1:], "batch_shape": "none"},
        TRUTH,
        TRUTH,
    ),
    "a gateway's page for singles and for pages": (
        {"mood": "gateway_page", "only": [*BY_NAME[1:], *PAGED], "batch_shape": "none"},
        OriginUnconfirmed,
        OriginUnconfirmed,
    ),
    "more than a batch can have": ({"mood": "more", "only": BY_NAME}, OriginContract, TRUTH),
    "more than a single can have": (
        {"mood": "more", "only": BY_NAME[1:], "batch_shape": "none"},
        TRUTH,
        TRUTH,
    ),
    "more than a single can have and for pages": (
        {"mood": "more", "only": [*BY_NAME[1:], *PAGED], "batch_shape": "none"},
        OriginContract,
        OriginRefused,
    ),
    "rows of another site's point": ({"mood": "unasked_rows"}, TRUTH, TRUTH),
    "rows outside the range": ({"mood": "outside_rows"}, TRUTH, TRUTH),
    "names in another form": ({"mood": "other_form"}, OriginContract, OriginContract),
    "brackets everywhere": ({"mood": "brackets"}, OriginContract, OriginContract),
    "brackets for singles": ({"mood": "brackets", "only": BY_NAME[1:], "batch_shape": "none"}, TRUTH, TRUTH),
    "brackets for singles and for pages": (
        {"mood": "brackets", "only": [*BY_NAME[1:], *PAGED], "batch_shape": "none"},
        OriginContract,
        OriginContract,
    ),
    "brackets for pages": ({"mood": "brackets", "only": PAGED}, TRUTH, OriginContract),
}


@pytest.mark.parametrize("how", ["by name", "in bulk", "in bulk, beside others"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_upstream_gets_an_error_or_tells_the_truth(
    simulator: Simulator, name: str, how: str
) -> None:
    """What comes along of points that nobody asked for is the truth, too, or nothing."""
    knobs, by_name, in_bulk = HOSTILE[name]
    simulator.control(**knobs)
    site, span = made_up.ODD_SITE, WHOLE
    names = [point.name for point in simulator.truth.points(site)]
    wanted, surplus = names[: len(names) // 2 + 1] if "beside" in how else names, Surplus()
    error, bulk = (by_name, None) if how == "by name" else (in_bulk, BULK)
    fetch = simulator.origin().fetch(site, wanted, span, deadline_ms=soon_ms(), bulk=bulk, surplus=surplus)
    if error is not None:
        with pytest.raises(error):
            run(fetch)
        assert not surplus.series
        return
    for one in run(fetch):
        assert (pairs(one.samples), one.error) == (truly(simulator.truth, site, one.point, span), None)
    if "beside" in how and PAGED[0] not in knobs.get("only", PAGED):
        assert surplus.series
    for given, one in surplus.series:
        assert (given, one.point in wanted) == (span, False)
        assert pairs(one.samples) == truly(simulator.truth, site, one.point, span)


def test_integers_of_hundreds_of_digits_are_null(simulator: Simulator) -> None:
    simulator.control(mood="long_integers")
    fetch = simulator.origin().fetch(made_up.ODD_SITE, [made_up.SLASHES], NOON, deadline_ms=soon_ms())
    values = [value for _, value in pairs(run(fetch)[0].samples)]
    assert values == [None] * len(truly(simulator.truth, made_up.ODD_SITE, made_up.SLASHES, NOON))


def test_samples_of_a_name_that_two_sites_have_do_not_mix(tmp_path: Path) -> None:
    made_up.write_same_names(tmp_path)
    truth = Truth(tmp_path)
    with running(truth, token=TOKEN) as url:
        simulator = Simulator(url=url.removesuffix("/api"), truth=truth)
        simulator.control(shared_names=True)
        origin = simulator.origin()
        for site in made_up.SAME_SITES:
            run(origin.points(site, deadline_ms=soon_ms()))
        for site in made_up.SAME_SITES:
            series = run(origin.fetch(site, [made_up.SAME_NAME], WHOLE, deadline_ms=soon_ms()))
            expected = truly(truth, site, f"{site}/{made_up.SAME_NAME}", WHOLE)
            assert len(expected) == 144
            assert pairs(series[0].samples) == expected
