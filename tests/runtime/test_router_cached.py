"""The cached route on workerd: what is stored is not asked again, and comes back byte for byte."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from local.expected import expected_samples
from router.representation import plain_tag
from tests.loopback import NO_CERTIFICATES
from tests.runtime.conftest import Running

pytestmark = pytest.mark.runtime

SITE = "opengrid_minute"
POINTS = ["water_2923", "water_1a5c", "water_6616"]
DAY_MS = 86_400_000
FIRST_DAY_MS = 1_425_340_800_000
"""2015-03-03T00:00:00Z: all three meters run."""

PATIENCE_S = 30


@pytest.fixture(scope="module", autouse=True)
def _nothing_stored(whole_stack: Running) -> None:
    """Whatever other tests have stored of the site is gone before the first of these."""
    whole_stack.client.delete("/api/cache", params={"site": SITE}).raise_for_status()


def ask(
    running: Running, first: int, last: int, points: list[str] | None = None, **more: Any
) -> httpx.Response:
    """Days `first` to `last` (both held) of some points, on the cached route."""
    headers = more.pop("headers", {})
    pairs = [("site", SITE), *(("point", point) for point in points or POINTS), ("route", "cached")]
    times = {"start_time": FIRST_DAY_MS + first * DAY_MS, "end_time": FIRST_DAY_MS + (last + 1) * DAY_MS}
    response = running.client.request(
        more.get("method", "GET"), "/api/timeseries", params=[*pairs, *times.items()], headers=headers
    )
    assert response.status_code in (200, 304), response.text
    return response


def until_hit(running: Running, first: int, last: int, points: list[str] | None = None) -> httpx.Response:
    """Storing goes on after the response has left: ask until it is done."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        response = ask(running, first, last, points)
        if response.headers["x-cache-hit"] == "true":
            return response
        time.sleep(0.1)
    raise AssertionError("never stored")


def fetched_days(running: Running) -> set[str]:
    return set(running.upstream_stats()["by_point_day"])


def test_what_is_stored_is_never_asked_upstream_again(running: Running) -> None:
    first = ask(running, 0, 1)
    assert first.headers["cache-status"] == "EdgeSeries; fwd=miss; stored"
    assert fetched_days(running) == {f"{point}|2015-03-0{day}" for point in POINTS for day in (3, 4)}
    until_hit(running, 0, 1)
    running.upstream()
    for _ in range(3):
        again = ask(running, 0, 1)
        assert (again.headers["x-cache-hit"], again.headers["cache-status"]) == ("true", "EdgeSeries; hit")
        assert again.content == first.content
        assert plain_tag(again.headers["etag"]) == first.headers["etag"]
    # Another selection of the same days, and a part of them, come from blocks.
    part = ask(running, 1, 1, POINTS[:1])
    assert part.headers["x-cache-hit"] == "true"
    expected = expected_samples(
        running.truth, SITE, POINTS[0], FIRST_DAY_MS + DAY_MS, FIRST_DAY_MS + 2 * DAY_MS
    )
    assert part.json()["data"][POINTS[0]]["samples"] == expected
    assert running.upstream_stats()["calls"] == 0


def test_a_shifted_range_or_another_point_fetches_only_what_is_missing(running: Running) -> None:
    until_hit(running, 0, 1)
    running.upstream()
    shifted = ask(running, 1, 2)
    assert shifted.headers["cache-status"] == "EdgeSeries; fwd=partial; stored"
    assert fetched_days(running) == {f"{point}|2015-03-05" for point in POINTS}
    until_hit(running, 1, 2)
    running.upstream()
    ask(running, 0, 2, [*POINTS, "water_a519"])
    assert fetched_days(running) == {f"water_a519|2015-03-0{day}" for day in (3, 4, 5)}


def test_a_kept_answer_is_packed_for_who_takes_it_and_plain_for_who_does_not(running: Running) -> None:
    plain = until_hit(running, 0, 1)
    for encoding in ("identity", "br, gzip", "gzip"):
        # The shared client reads every JSON body to hold it against the contract; here the bytes count.
        headers = {"Accept-Encoding": encoding}
        with httpx.stream(
            "GET", plain.request.url, headers=headers, trust_env=False, verify=NO_CERTIFICATES
        ) as response:
            raw = b"".join(response.iter_raw())
            told = response.headers.get("content-encoding", "")
        assert response.headers["x-cache-hit"] == "true"
        assert response.headers["vary"] == "Accept, Accept-Encoding"
        if encoding == "identity":
            assert (told, raw) == ("", plain.content)
        if encoding == "br, gzip":
            assert told == "br"
            assert len(raw) < len(plain.content) / 3


def test_a_kept_answer_answers_head_and_conditions(running: Running) -> None:
    plain = until_hit(running, 0, 1)
    known = ask(running, 0, 1, headers={"If-None-Match": plain.headers["etag"]})
    assert (known.status_code, known.content, known.headers["x-cache-hit"]) == (304, b"", "true")
    head = ask(running, 0, 1, method="HEAD")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", plain.headers["etag"])
    assert ask(running, 0, 1).content == plain.content


def test_a_caller_may_refresh_or_go_past_the_store(running: Running) -> None:
    plain = until_hit(running, 0, 1)
    running.upstream()
    fresh = ask(running, 0, 1, headers={"Cache-Control": "no-cache"})
    assert (fresh.headers["cache-status"], fresh.content) == (
        "EdgeSeries; fwd=request; stored",
        plain.content,
    )
    past = ask(running, 0, 1, headers={"Cache-Control": "no-store"})
    assert (past.headers["cache-status"], past.content) == ("EdgeSeries; fwd=bypass", plain.content)
    assert len(fetched_days(running)) == 6


def test_what_is_stored_is_answered_while_the_upstream_is_down(running: Running) -> None:
    plain = until_hit(running, 0, 1)
    running.upstream(rate_500=1)
    assert ask(running, 0, 1).content == plain.content
    assert ask(running, 0, 0, POINTS[:1]).headers["x-cache-hit"] == "true"


def test_many_who_lack_the_same_days_share_their_fetches(running: Running) -> None:
    """Ten ask for the same two days, three for days that overlap with them and with each other: 29 days, of
    which five are missing. That each goes out once is shown where time stands still
    (`tests/property/test_lease_interleavings.py`): a slow machine may take half of the short deadline here.
    """
    ask(running, 0, 4)  # The simulator reads its files before it is timed.
    running.client.delete("/api/cache", params={"site": SITE}).raise_for_status()
    running.upstream(latency_ms=300)
    asked = [(0, 1)] * 10 + [(first, first + 2) for first in range(3)]
    with ThreadPoolExecutor(len(asked)) as threads:
        answers = list(threads.map(lambda days: ask(running, *days), asked))
    fetched = running.upstream_stats()["by_point_day"]
    for (first, last), response in zip(asked, answers, strict=True):
        start_ms, end_ms = FIRST_DAY_MS + first * DAY_MS, FIRST_DAY_MS + (last + 1) * DAY_MS
        for point in POINTS:
            held = expected_samples(running.truth, SITE, point, start_ms, end_ms)
            assert response.json()["data"][point]["samples"] == held
    days = {day for first, last in asked for day in range(first, last + 1)}
    once = sum(
        len(running.truth.rows(SITE, point, FIRST_DAY_MS + day * DAY_MS, FIRST_DAY_MS + (day + 1) * DAY_MS))
        for point in POINTS
        for day in days
    )
    assert once <= sum(fetched.values()) <= 2 * once
    assert any("detail=shared" in response.headers["cache-status"] for response in answers)


def test_when_a_caller_leaves_who_waits_for_his_fetch_gets_it_himself(running: Running) -> None:
    running.client.delete("/api/cache", params={"site": SITE}).raise_for_status()
    running.upstream(latency_ms=1_000)
    with (
        ThreadPoolExecutor(1) as threads,
        httpx.Client(base_url=running.stack.url, trust_env=False, verify=NO_CERTIFICATES) as leaving,
    ):
        params = {
            "site": SITE,
            "points": ",".join(POINTS),
            "route": "cached",
            "start_time": str(FIRST_DAY_MS),
            "end_time": str(FIRST_DAY_MS + DAY_MS),
        }
        with pytest.raises(httpx.ReadTimeout):
            leaving.get("/api/timeseries", params=params, timeout=0.5)
        response = threads.submit(ask, running, 0, 0).result()
    for point in POINTS:
        held = expected_samples(running.truth, SITE, point, FIRST_DAY_MS, FIRST_DAY_MS + DAY_MS)
        assert response.json()["data"][point]["samples"] == held
