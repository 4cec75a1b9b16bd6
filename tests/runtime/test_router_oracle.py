"""The oracle on workerd: any answer over HTTP equals the CSV truth, sample for sample, type for type."""

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from local.expected import expected_samples
from tests import made_up
from tests.runtime.conftest import Running

pytestmark = pytest.mark.runtime

SEED = 20_261_124
REQUEST_COUNT = 400
CONCURRENT_COUNT = 90
DAY_MS = 86_400_000
VERDICTS = ("hit", "fwd=partial", "fwd=miss", "fwd=request", "fwd=bypass")
MAX_ANSWER_ROWS = 20_000
"""A drawn request stays below this, so that the whole test is a matter of seconds."""


def same(answered: Sequence[Any], expected: Sequence[Any]) -> bool:
    """Equal, and equal in type: JSON true is not 1, -0.0 is not 0.0."""
    return json.dumps(answered) == json.dumps(expected)


def draw(random_source: random.Random, running: Running) -> dict[str, Any]:
    """A site, some of its points, a range that may hold none, some or all of their samples."""
    site = random_source.choice(running.truth.sites())
    names = [point.name for point in running.truth.points(site)]
    points = random_source.sample(names, random_source.randint(1, min(6, len(names))))
    spans = [span for name in points if (span := running.truth.span_ms(site, name)) is not None]
    first_ms, last_ms = (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else (0, DAY_MS)
    # Up to eleven days: six dense points of them are no job yet.
    length_ms = int(DAY_MS * 10 ** random_source.uniform(-4, 1.05))
    start_ms = random_source.randint(max(0, first_ms - length_ms), last_ms + DAY_MS)
    if random_source.random() < 0.5:
        start_ms -= start_ms % 60_000  # on the minute, where samples are: both ends of ranges are hit exactly
        length_ms = max(60_000, length_ms - length_ms % 60_000)
    return {"site": site, "points": points, "start_time": start_ms, "end_time": start_ms + length_ms}


def iso(epoch_ms: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=epoch_ms)).isoformat()


@dataclass
class Tally:
    """What a run has seen: a draw that did not reach what it is for is no test."""

    samples: int = 0
    empty: int = 0
    purges: int = 0
    kinds: set[type] = field(default_factory=set)
    verdicts: Counter[str] = field(default_factory=Counter)


def send(random_source: random.Random, running: Running, fields: dict[str, Any]) -> httpx.Response:
    """A drawn request on a drawn route, as GET or POST, its points in a drawn order."""
    times = {"start_time": iso(fields["start_time"]), "end_time": iso(fields["end_time"])}
    drawn_route = random_source.choice(["direct", "cached", "cached", None])
    route = {} if drawn_route is None else {"route": drawn_route}
    headers = {"Cache-Control": random_source.choice(["", "", "", "no-cache", "no-store"])}
    points = random_source.sample(fields["points"], len(fields["points"]))
    if random_source.random() < 0.5:
        body = {**fields, "points": points, **times, **route}
        return running.client.post("/api/timeseries", json=body, headers=headers)
    params = [("site", fields["site"]), *(("point", one) for one in points), *times.items(), *route.items()]
    return running.client.get("/api/timeseries", params=params, headers=headers)


def check(running: Running, fields: dict[str, Any], response: httpx.Response, tally: Tally) -> None:
    """The answer is what the files hold."""
    assert response.status_code == 200, (fields, response.text[:500])
    tally.verdicts[response.headers.get("cache-status", "none")] += 1
    data = response.json()["data"]
    assert list(data) == sorted(set(fields["points"]))
    for point, one in data.items():
        rows = expected_samples(
            running.truth, fields["site"], point, fields["start_time"], fields["end_time"]
        )
        assert same(one["samples"], rows), (fields, point, response.headers.get("cache-status"))
        assert (one["count"], one["error"]) == (len(rows), None)
        tally.kinds |= {type(value) for _, value in rows}
        tally.samples += len(rows)
        tally.empty += not rows


def purge(random_source: random.Random, running: Running, fields: dict[str, Any]) -> None:
    """Remove what a request may have stored: the site, some points, or some days of it."""
    params: list[tuple[str, Any]] = [("site", fields["site"])]
    if random_source.random() < 0.6:
        params += [("point", one) for one in random_source.sample(fields["points"], 1)]
    if random_source.random() < 0.5:
        middle_ms = (fields["start_time"] + fields["end_time"]) // 2
        params += [("start_time", iso(middle_ms)), ("end_time", iso(fields["end_time"]))]
    running.client.delete("/api/cache", params=params).raise_for_status()


def draws(random_source: random.Random, running: Running, count: int) -> Iterator[dict[str, Any]]:
    """Requests, many of them as dashboards send them: the same again, or a little later."""
    earlier: list[dict[str, Any]] = []
    for _ in range(count):
        fields = draw(random_source, running)
        if earlier and random_source.random() < 0.5:
            fields = dict(random_source.choice(earlier[-20:]))
            if random_source.random() < 0.5:
                shift_ms = random_source.choice([60_000, 3_600_000, DAY_MS])
                fields["start_time"] += shift_ms
                fields["end_time"] += shift_ms
        earlier.append(fields)
        yield fields


def test_random_requests_and_purges_equal_the_truth(running: Running) -> None:
    random_source = random.Random(SEED)  # noqa: S311 - a seeded draw
    tally = Tally()
    for fields in draws(random_source, running, REQUEST_COUNT):
        if random_source.random() < 0.08:
            purge(random_source, running, fields)
            tally.purges += 1
        check(running, fields, send(random_source, running, fields), tally)
    print(f"{REQUEST_COUNT} requests, {tally.samples} samples, {tally.empty} empty series, seed {SEED}")
    print(", ".join(f"{count} x {verdict}" for verdict, count in tally.verdicts.most_common()))
    assert tally.samples > 20_000
    assert tally.empty > 40
    assert tally.purges > 10
    assert {float, str, bool, type(None)} <= tally.kinds
    reached = {verdict.removesuffix("; stored") for verdict in tally.verdicts}
    assert reached == {f"EdgeSeries; {one}" for one in VERDICTS}


def test_writers_who_overlap_and_purges_between_them_equal_the_truth(running: Running) -> None:
    """Several at once ask overlapping ranges of a few points, so that they merge into the same blocks."""
    site, points = "opengrid_minute", ["water_2923", "water_1a5c", "water_6616"]
    first_ms = 1_425_340_800_000
    tally = Tally()

    def ask(number: int) -> tuple[dict[str, Any], httpx.Response]:
        random_source = random.Random(SEED + number)  # noqa: S311 - a seeded draw, one for each thread
        start_ms = first_ms + random_source.randint(0, 5 * 24) * 3_600_000
        fields = {
            "site": site,
            "points": random_source.sample(points, random_source.randint(1, 3)),
            "start_time": start_ms,
            "end_time": start_ms + random_source.randint(1, 48) * 3_600_000,
        }
        if number % 9 == 0:
            purge(random_source, running, fields)
        return fields, send(random_source, running, fields)

    with ThreadPoolExecutor(max_workers=6) as threads:
        for fields, response in threads.map(ask, range(CONCURRENT_COUNT)):
            check(running, fields, response, tally)
    print(", ".join(f"{count} x {verdict}" for verdict, count in tally.verdicts.most_common()))
    assert tally.samples > 50_000
    # What they left behind is right, too: all of it again, from whatever is stored.
    whole = {"site": site, "points": points, "start_time": first_ms, "end_time": first_ms + 8 * DAY_MS}
    for _ in range(2):
        body = {**whole, "route": "cached"}
        check(running, whole, running.client.post("/api/timeseries", json=body), tally)


@pytest.mark.parametrize(
    "point",
    [
        made_up.SLASHES,
        made_up.COLONS,
        made_up.HUNDRED,
        made_up.COMMA,
        made_up.UNICODE,
        made_up.EMPTY,
        made_up.TEXTS,
        made_up.SWITCH,
        made_up.MESSY,
        made_up.GAPS,
        made_up.ODD_TEXTS,
    ],
)
def test_odd_names_and_values(running: Running, point: str) -> None:
    start, end = "2024-02-29T00:00:00Z", "2024-03-02T00:00:00Z"
    response = running.client.get(
        "/api/timeseries",
        params={"site": made_up.ODD_SITE, "point": point, "start_time": start, "end_time": end},
    )
    assert response.status_code == 200
    expected = expected_samples(running.truth, made_up.ODD_SITE, point, 1_709_164_800_000, 1_709_337_600_000)
    assert same(response.json()["data"][point]["samples"], expected)
    assert bool(expected) == (point != made_up.EMPTY)


def test_of_two_samples_at_one_instant_the_last_delivered_wins(running: Running) -> None:
    response = running.get(
        site=made_up.ODD_SITE,
        point=made_up.MESSY,
        start_time="2024-02-29T00:00:00Z",
        end_time="2024-02-29T00:10:00Z",
    )
    base_ms = 1_709_164_800_000
    assert response.json()["data"][made_up.MESSY]["samples"] == [
        [base_ms + 60_000, 1.5],
        [base_ms + 120_000, 2.0],
        [base_ms + 180_000, None],
    ]
