"""The oracle on workerd: any answer over HTTP equals the CSV truth, sample for sample, type for type."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.expected import expected_samples
from tests import made_up
from tests.runtime.conftest import Running

pytestmark = pytest.mark.runtime

SEED = 20_261_123
REQUEST_COUNT = 150
DAY_MS = 86_400_000
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
    length_ms = int(DAY_MS * 10 ** random_source.uniform(-4, 1.2))
    start_ms = random_source.randint(max(0, first_ms - length_ms), last_ms + DAY_MS)
    if random_source.random() < 0.5:
        start_ms -= start_ms % 60_000  # on the minute, where samples are: both ends of ranges are hit exactly
        length_ms = max(60_000, length_ms - length_ms % 60_000)
    return {"site": site, "points": points, "start_time": start_ms, "end_time": start_ms + length_ms}


def iso(epoch_ms: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=epoch_ms)).isoformat()


def test_random_requests_equal_the_truth(running: Running) -> None:
    random_source = random.Random(SEED)  # noqa: S311 - a seeded draw
    samples, empty, kinds, verdicts = 0, 0, set(), Counter[str]()
    earlier: list[dict[str, Any]] = []
    for number in range(REQUEST_COUNT):
        fields = draw(random_source, running)
        if earlier and random_source.random() < 0.3:
            fields = random_source.choice(earlier)  # as dashboards do: the same again
        earlier.append(fields)
        start_ms, end_ms = fields["start_time"], fields["end_time"]
        expected = {
            point: expected_samples(running.truth, fields["site"], point, start_ms, end_ms)
            for point in set(fields["points"])
        }
        times = {"start_time": iso(start_ms), "end_time": iso(end_ms)}
        route = {"route": random_source.choice(["direct", "cached", "cached"])}
        headers = {"Cache-Control": random_source.choice(["", "", "", "no-cache", "no-store"])}
        if number % 2:
            body = {**fields, **times, **route}
            response = running.client.post("/api/timeseries", json=body, headers=headers)
        else:
            pairs = [("site", fields["site"]), *(("point", point) for point in fields["points"])]
            params = [*pairs, *times.items(), *route.items()]
            response = running.client.get("/api/timeseries", params=params, headers=headers)
        verdicts[response.headers.get("cache-status", "none")] += 1
        assert response.status_code == 200, (fields, response.text[:500])
        data = response.json()["data"]
        assert list(data) == sorted(expected)
        for point, rows in expected.items():
            assert same(data[point]["samples"], rows), (fields, point)
            assert data[point]["count"] == len(rows)
            assert data[point]["error"] is None
            kinds |= {type(value) for _, value in rows}
            samples += len(rows)
            empty += not rows
    print(f"{REQUEST_COUNT} requests, {samples} samples compared, {empty} empty series, seed {SEED}")
    print(", ".join(f"{count} x {verdict}" for verdict, count in verdicts.most_common()))
    # The draw must have reached what it is for; another seed that does not is no test.
    assert samples > 10_000
    assert empty > 20
    assert {float, str, bool, type(None)} <= kinds


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
