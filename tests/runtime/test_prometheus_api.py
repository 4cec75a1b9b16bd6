"""The Prometheus API on workerd: the calls that Grafana makes, and the values of a real Prometheus."""

from typing import Any

import pytest

from edgeseries.promql.syntax import METRIC
from edgeseries.series.samples import Samples
from local.expected import expected_samples
from router.prometheus_reading import series_of
from tests import made_up
from tests.real_prometheus import INSTALLED, prometheus
from tests.runtime.conftest import Running

pytestmark = pytest.mark.runtime

SITE = "opengrid_minute"
POINTS = ("water_2923", "water_6616", "water_1a5c")
FIRST_MS = 1_425_340_800_000
HOUR_MS = 3_600_000
API = "/prometheus/api/v1"


def call(running: Running, path: str, expected_status: int = 200, /, **params: Any) -> Any:
    response = running.client.get(f"{API}/{path}", params=params)
    assert response.status_code == expected_status, response.text
    return response.json()


def test_the_calls_that_grafana_makes(running: Running) -> None:
    assert call(running, "query", query="1+1")["data"]["result"][1] == "2"
    assert call(running, "status/buildinfo")["data"]["version"]
    assert call(running, "labels")["data"] == ["__name__", "kind", "point", "site", "unit"]
    assert call(running, "label/__name__/values")["data"] == [METRIC]
    assert SITE in call(running, "label/site/values", start="1425340800", end="1425344400")["data"]
    selector = f'{METRIC}{{site="{SITE}"}}'
    points = call(running, "label/point/values", **{"match[]": selector})["data"]
    assert points == sorted(one.name for one in running.truth.points(SITE))
    listed = call(running, "series", **{"match[]": f'{METRIC}{{site="{SITE}",point=~"water_.*"}}'})["data"]
    assert {one["point"] for one in listed} == {name for name in points if name.startswith("water_")}
    assert METRIC in call(running, "metadata")["data"]
    told = call(
        running,
        "query_range",
        query=f'avg by (site) ({METRIC}{{site="{SITE}",point=~"water_2923|water_6616"}})',
        start=FIRST_MS / 1000,
        end=FIRST_MS / 1000 + 3_600,
        step="60",
    )["data"]
    assert told["resultType"] == "matrix"
    assert [one["metric"] for one in told["result"]] == [{"site": SITE}]
    assert len(told["result"][0]["values"]) == 61


def test_samples_of_a_range_are_the_truth(running: Running) -> None:
    query = f'{METRIC}{{site="{SITE}",point="water_2923"}}[1h]'
    told = call(running, "query", query=query, time=FIRST_MS / 1000 + 3_600)["data"]
    truth = expected_samples(running.truth, SITE, "water_2923", FIRST_MS + 1, FIRST_MS + HOUR_MS + 1)
    assert [[round(at * 1000), float(text)] for at, text in told["result"][0]["values"]] == truth
    switch = call(
        running,
        "query",
        query=f'{METRIC}{{site="{made_up.ODD_SITE}",point="{made_up.SWITCH}"}}[5m]',
        time="2024-02-29T00:04:00Z",
    )["data"]["result"]
    assert [text for _, text in switch[0]["values"]] == ["1", "0", "1"]


@pytest.mark.skipif(not INSTALLED, reason="needs the distribution's prometheus")
def test_values_are_those_of_a_real_prometheus(running: Running, tmp_path: Any) -> None:
    loaded = []
    listed = {
        one["point"]: one
        for one in call(running, "series", **{"match[]": f'{METRIC}{{site="{SITE}"}}'})["data"]
    }
    for point in POINTS:
        rows = expected_samples(running.truth, SITE, point, FIRST_MS - 3 * HOUR_MS, FIRST_MS + 13 * HOUR_MS)
        samples = Samples(times_ms=[at for at, _ in rows], values=[value for _, value in rows])
        loaded.append(series_of(tuple(sorted(listed[point].items())), samples))
    of_site = f'{METRIC}{{site="{SITE}",point=~"{"|".join(POINTS)}"}}'
    asked = {"start": FIRST_MS / 1000 + 30.5, "end": FIRST_MS / 1000 + 12 * 3_600, "step": 300}
    with prometheus(tmp_path, loaded) as server:
        for query in (
            of_site,
            f"avg_over_time({of_site}[15m])",
            f"increase({of_site}[1h])",
            f"rate({of_site}[30m] offset 1h) * 60",
            f"sum by (site) ({of_site}) / count by (site) ({of_site})",
            f"topk(1, stddev_over_time({of_site}[2h])) > 0.001",
        ):
            theirs = server.get("/api/v1/query_range", params={**asked, "query": query}).json()["data"][
                "result"
            ]
            ours = call(running, "query_range", **asked, query=query)["data"]["result"]
            assert [one["metric"] for one in ours] == [one["metric"] for one in theirs], query
            for mine, its in zip(ours, theirs, strict=True):
                assert [at for at, _ in mine["values"]] == [at for at, _ in its["values"]]
                wanted = [float(text) for _, text in its["values"]]
                assert [float(text) for _, text in mine["values"]] == pytest.approx(
                    wanted, rel=1e-9, abs=1e-9
                )


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"query": "histogram_quantile(0.9, x)"}, "histogram_quantile is not supported"),
        ({"query": "sum(x[5m])"}, "goes into a function"),
        ({"query": "x", "time": "noon"}, "time"),
        ({}, "query: is missing"),
    ],
)
def test_what_is_not_supported_is_bad_data(running: Running, params: dict[str, str], text: str) -> None:
    told = call(running, "query", 400, **params)
    assert (told["status"], told["errorType"]) == ("error", "bad_data")
    assert text in told["error"]


def test_what_cannot_be_computed_says_why(running: Running) -> None:
    told = call(
        running,
        "query",
        422,
        query=f'{METRIC}{{site="{SITE}"}} + on (site) {METRIC}{{site="{SITE}"}}',
        time=FIRST_MS / 1000 + 3_600,
    )
    assert told["errorType"] == "execution"
    assert "match by more labels" in told["error"]
    assert call(running, "query", query=f'{METRIC}{{site="nowhere"}}')["data"]["result"] == []
