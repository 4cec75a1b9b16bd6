"""The simulator over HTTP: every endpoint in the vendor's shape.

All data here is made by hand as test fixtures; none of it was measured.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from local.upstream.background import running
from local.upstream.pages import PAGE_SIZE_CHOICES, PER_PAGE_CHOICES
from local.upstream.truth import Truth
from tests.loopback import NO_CERTIFICATES

TOKEN = "for tests only"  # noqa: S105 - as it says
ODD = "AHU 7/Supply: 100 % ü?#&|+"
LONG = "b" * 60 + "/" + "c" * 59  # as long as the vendor's longest: more than 100 characters
DAY = {"start_time": "2022-03-01T00:00:00Z", "end_time": "2022-03-02T00:00:00Z"}
NO_DAY = {"start_time": "2000-01-01T00:00:00Z", "end_time": "2000-01-02T00:00:00Z"}

# The whole of `north` on that day, in the order in which it must be delivered.
NORTH_DAY = [
    (ODD, "21.50", "2022-03-01T00:00:00Z"),
    (LONG, "NaN", "2022-03-01T00:00:00Z"),
    (LONG, "true", "2022-03-01T00:01:00Z"),
    (LONG, "off", "2022-03-01T00:01:00Z"),
    (ODD, "22", "2022-03-01T00:02:00.250Z"),
    (LONG, "3", "2022-03-01T00:07:00Z"),
    (ODD, "30.5", "2022-03-01T23:59:59Z"),
]


def put(folder: Path, site: str, point: str, *rows: str) -> None:
    path = folder / site / f"{point}.csv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("\n".join(["timestamp,value", *rows, ""]).encode()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("fixture data")
    put(
        made,
        "north",
        "odd",
        "2022-03-01T00:00:00Z,21.50",
        "2022-03-01T23:59:59Z,30.5",
        "2022-03-01T00:02:00.25Z,22",
        "2022-03-02T00:00:00Z,at the end",
    )
    put(
        made,
        "north",
        "long",
        "2022-03-01T00:01:00Z,true",
        "2022-03-01T00:00:00Z,NaN",
        "2022-03-01T00:01:00Z,off",
        "2022-03-01T00:07:00Z,3",
    )
    (made / "north" / "points.csv").write_text(
        f'file,name,unit,kind\nodd.csv.gz,"{ODD}",°F,analog\nlong.csv.gz,{LONG},,\n', encoding="utf-8"
    )
    put(made, "south west", "plain", "2022-03-01T00:00:00Z,7", "2022-03-01T00:05:00Z,8")
    for place in range(12):
        put(made, "many", f"m{place:02}", "2022-03-01T00:00:00Z,1")
    return made


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[httpx.Client]:
    with (
        running(Truth(folder)) as url,
        httpx.Client(base_url=url, trust_env=False, verify=NO_CERTIFICATES) as made,
    ):
        yield made


def path_of(name: str, *rest: str) -> str:
    return "/points/" + "/".join([quote(name, safe=""), *rest])


def rows(response: httpx.Response) -> list[tuple[str, str, str]]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/json")
    return [(row["name"], row["value"], row["time"]) for row in response.json()["point_samples"]]


def walk(client: httpx.Client, **query: str) -> list[list[tuple[str, str, str]]]:
    pages: list[list[tuple[str, str, str]]] = []
    cursor: dict[str, str] = {}
    while len(pages) < 20:
        response = client.get("/sites/north/timeseries/paginated", params={**DAY, **query, **cursor})
        pages.append(rows(response))
        body = response.json()
        assert set(body) == {"point_samples", "next_cursor", "has_more"}
        assert body["has_more"] is (body["next_cursor"] is not None)
        if not body["has_more"]:
            return pages
        cursor = {"cursor": body["next_cursor"]}
    raise AssertionError("the walk did not end")


def message(response: httpx.Response) -> tuple[int, Any]:
    return response.status_code, response.json()["message"]


def test_sites(client: httpx.Client) -> None:
    body = client.get("/sites/").json()
    assert {key: body[key] for key in ("page", "pages", "per_page", "total")} == {
        "page": 1,
        "pages": 1,
        "per_page": 10,
        "total": 3,
    }
    assert [site["name"] for site in body["items"]] == ["many", "north", "south west"]
    assert {"id", "name", "client", "address", "nice_name", "latitude", "longitude", "archived"} == set(
        body["items"][0]
    )
    assert client.get("/sites/south%20west").json() == body["items"][2]
    assert client.get("/sites/north").json() == body["items"][1]
    assert message(client.get("/sites/nowhere")) == (404, "Site nowhere not found")


def test_points_of_a_site(client: httpx.Client) -> None:
    body = client.get("/sites/north/points").json()
    assert [point["name"] for point in body["items"]] == [ODD, LONG]
    point = body["items"][0]
    assert point["site"] == "north"
    assert point["kv_tags"] == {"unit": "°F"}
    assert point["bacnet_data"]["object_units"] == "°F"
    assert point["point_type"] == "analog"
    assert point["collect_interval"] == 120  # the median of 120.25, 86276.75 and 1 seconds
    assert client.get("/sites/north/configured_points").json() == body
    assert client.get("/sites/nowhere/points").status_code == 404


def test_numbered_pages(client: httpx.Client) -> None:
    first = client.get("/sites/many/points").json()
    second = client.get("/sites/many/points", params={"page": "2"}).json()
    assert (first["pages"], first["total"], len(first["items"]), len(second["items"])) == (2, 12, 10, 2)
    assert client.get("/sites/many/points", params={"page": "3"}).json()["items"] == []
    everything = client.get("/points/", params={"per_page": "100"}).json()["items"]
    assert len(everything) == 15
    assert len({point["id"] for point in everything}) == 15
    assert client.get("/points/", params={"per_page": "2"}).json()["pages"] == 8


@pytest.mark.parametrize(
    "path", ["/sites/", "/points/", "/sites/north/points", "/sites/north/configured_points"]
)
def test_per_page_is_an_enumeration(client: httpx.Client, path: str) -> None:
    for size in PER_PAGE_CHOICES:
        assert client.get(path, params={"per_page": str(size)}).json()["per_page"] == size
    for bad in ("1", "11", "x"):
        refused = client.get(path, params={"per_page": bad})
        assert message(refused) == (400, "Input payload validation failed")
        assert list(refused.json()["errors"]) == ["per_page"]


def test_page_size_is_an_enumeration(client: httpx.Client) -> None:
    path = "/sites/north/timeseries/paginated"
    for size in PAGE_SIZE_CHOICES:
        assert client.get(path, params={**DAY, "page_size": str(size)}).status_code == 200
    for bad in ("2", "20", "999999", "x"):
        refused = client.get(path, params={**DAY, "page_size": bad})
        assert (refused.status_code, list(refused.json()["errors"])) == (400, ["page_size"])


@pytest.mark.parametrize("name", [ODD, LONG, "plain"])
def test_points_by_name(client: httpx.Client, name: str) -> None:
    response = client.get(path_of(name))
    assert response.status_code == 200
    assert response.json()["name"] == name
    samples = rows(client.get(path_of(name, "timeseries"), params=DAY))
    assert samples
    assert {row[0] for row in samples} == {name}


def test_rows_of_one_point(client: httpx.Client) -> None:
    assert rows(client.get(path_of(LONG, "timeseries"), params=DAY)) == [
        row for row in NORTH_DAY if row[0] == LONG
    ]
    assert rows(client.get(path_of(LONG, "timeseries"), params=NO_DAY)) == []
    unknown = client.get(path_of("no such", "timeseries"), params=DAY)
    assert message(unknown) == (404, "Point no such not found")
    assert client.get(path_of("no such")).status_code == 404


def test_rows_of_a_site(client: httpx.Client) -> None:
    assert rows(client.get("/sites/north/timeseries", params=DAY)) == NORTH_DAY
    ignored = client.get("/sites/north/timeseries", params={**DAY, "point_names": LONG})
    assert rows(ignored) == NORTH_DAY
    none = client.get("/sites/north/timeseries", params=NO_DAY)
    assert message(none) == (404, "No data for time period")
    assert client.get("/sites/nowhere/timeseries", params=DAY).status_code == 404


def test_pages_of_a_site(client: httpx.Client) -> None:
    pages = walk(client, raw_data="true", page_size="3")
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [row for page in pages for row in page] == NORTH_DAY
    assert walk(client, raw_data="true") == [NORTH_DAY]
    none = client.get("/sites/north/timeseries/paginated", params={**NO_DAY, "raw_data": "true"})
    assert message(none) == (404, "No data for time period")
    assert client.get("/sites/nowhere/timeseries/paginated", params=DAY).status_code == 404


def test_buckets_are_the_default_of_pages(client: httpx.Client) -> None:
    wanted = [
        (ODD, "21.75", "2022-03-01T00:00:00Z"),
        (LONG, "off", "2022-03-01T00:00:00Z"),
        (LONG, "3.0", "2022-03-01T00:05:00Z"),
        (ODD, "30.5", "2022-03-01T23:55:00Z"),
    ]
    assert walk(client) == [wanted]
    assert [row for page in walk(client, page_size="3", raw_data="false") for row in page] == wanted
    none = client.get("/sites/north/timeseries/paginated", params=NO_DAY)
    assert message(none) == (404, "No data for time period")


@pytest.mark.parametrize(
    "path",
    [
        "/sites/north/timeseries",
        "/sites/north/timeseries/paginated",
        "/points/plain/timeseries",
        "/points/get_timeseries",
    ],
)
@pytest.mark.parametrize(
    ("change", "faulty"),
    [
        ({"start_time": None}, {"start_time"}),
        ({"start_time": None, "end_time": None}, {"start_time", "end_time"}),
        ({"end_time": "2022-03-02"}, {"end_time"}),
        ({"end_time": "2022-03-02T00:00:00 00:00"}, {"end_time"}),
        ({"start_time": "1646092800000"}, {"start_time"}),
    ],
)
def test_times_are_required_and_strict(
    client: httpx.Client, path: str, change: dict[str, str | None], faulty: set[str]
) -> None:
    query = {key: value for key, value in {**DAY, **change}.items() if value is not None}
    method = "POST" if path.endswith("get_timeseries") else "GET"
    body = {"points": [{"name": "plain"}]} if method == "POST" else None
    response = client.request(method, path, params=query, json=body)
    assert message(response) == (400, "Input payload validation failed")
    assert set(response.json()["errors"]) == faulty


def test_bad_cursors_and_flags_are_refused(client: httpx.Client) -> None:
    path = "/sites/north/timeseries/paginated"
    for bad in ({"cursor": "x"}, {"raw_data": "maybe"}):
        response = client.get(path, params={**DAY, **bad})
        assert (response.status_code, set(response.json()["errors"])) == (400, set(bad))


def batch(client: httpx.Client, body: object, query: dict[str, str] | None = None) -> httpx.Response:
    return client.post("/points/get_timeseries", params=query or DAY, json=body)


def test_a_batch_takes_objects_across_sites(client: httpx.Client) -> None:
    body = {"points": [{"name": "plain"}, {"name": LONG}, {"name": "no such"}, {"name": "plain"}]}
    assert [row[:2] for row in rows(batch(client, body))] == [
        ("plain", "7"),
        (LONG, "NaN"),
        (LONG, "true"),
        (LONG, "off"),
        ("plain", "8"),
        (LONG, "3"),
    ]
    assert message(batch(client, {"points": [{"name": "no such"}]})) == (404, "No data for time period")
    assert batch(client, body, NO_DAY).status_code == 404
    assert list(batch(client, {"points": ["plain"]}).json()["errors"]) == ["points.0"]
    assert batch(client, ["plain"]).status_code == 400


def test_a_mask_drops_columns_and_what_it_does_not_name(client: httpx.Client) -> None:
    headers = {"X-Fields": "point_samples{value,time}"}
    one = client.get(path_of("plain", "timeseries"), params=DAY, headers=headers).json()
    assert one == {
        "point_samples": [
            {"value": "7", "time": "2022-03-01T00:00:00Z"},
            {"value": "8", "time": "2022-03-01T00:05:00Z"},
        ]
    }
    path, query = "/sites/north/timeseries/paginated", {**DAY, "page_size": "3", "raw_data": "true"}
    assert set(client.get(path, params=query, headers=headers).json()) == {"point_samples"}
    headers["X-Fields"] = "point_samples{value},next_cursor,has_more"
    page = client.get(path, params=query, headers=headers).json()
    assert page["has_more"] is True
    assert page["point_samples"][0] == {"value": "21.50"}
    headers["X-Fields"] = "point_samples{value"
    assert client.get(path, params=query, headers=headers).status_code == 400


def test_unknown_paths_and_methods(client: httpx.Client) -> None:
    assert client.get("/sites").status_code == 404
    assert client.get("/nothing").json()["message"]
    assert client.delete("/sites/").status_code == 405


def test_the_root_lists_urls(client: httpx.Client) -> None:
    listing = client.get(str(client.base_url.copy_with(path="/")))
    assert listing.headers["content-type"].startswith("text/plain")
    assert "/api/points/get_timeseries" in listing.text
    assert "/_control" in listing.text


def test_a_broken_file_is_told_and_spares_the_rest(tmp_path: Path) -> None:
    put(tmp_path, "north", "good", "2022-03-01T00:00:00Z,1")
    put(tmp_path, "north", "bad", "yesterday,1")
    with (
        running(Truth(tmp_path)) as url,
        httpx.Client(base_url=url, trust_env=False, verify=NO_CERTIFICATES) as client,
    ):
        broken = client.get("/points/bad/timeseries", params=DAY)
        assert broken.status_code == 500
        assert "bad.csv.gz line 2" in broken.json()["message"]
        assert len(rows(client.get("/points/good/timeseries", params=DAY))) == 1


def test_a_token_is_wanted_under_api_only(folder: Path) -> None:
    with (
        running(Truth(folder), token=TOKEN) as url,
        httpx.Client(base_url=url, trust_env=False, verify=NO_CERTIFICATES) as client,
    ):
        for headers in ({}, {"Authorization": "Bearer other"}, {"Authorization": TOKEN}):
            assert message(client.get("/sites/", headers=headers)) == (401, "Unauthorized")
        assert client.get("/sites/", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        stats = client.get(str(client.base_url.copy_with(path="/_stats"))).json()
        assert stats["by_endpoint"] == {"sites": 4}
