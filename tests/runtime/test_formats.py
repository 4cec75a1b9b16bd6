"""Every format on workerd, answers and results, read back by the libraries that people use: equal to the
truth.
"""

import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import brotli
import httpx
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from local.expected import expected_samples
from tests import made_up
from tests.format_readers import READERS, SHAPES, Series, csv_by_python
from tests.runtime.conftest import Running
from tests.runtime.jobs_stack import Jobs, Wanted

pytestmark = pytest.mark.runtime


DAY_MS = 86_400_000
LEAP_DAY_MS = 1_709_164_800_000
MARCH_MS = 1_425_168_000_000
METERS = ("water_1a5c", "water_2923", "water_6616")
ODD = (
    made_up.COMMA,
    made_up.EMPTY,
    made_up.MESSY,
    made_up.ODD_TEXTS,
    made_up.SWITCH,
    made_up.TEXTS,
    made_up.UNICODE,
)


def asking(site: str, points: tuple[str, ...], start_ms: int, days: int) -> dict[str, Any]:
    return {"site": site, "points": points, "start_time": start_ms, "end_time": start_ms + days * DAY_MS}


ASKED = {
    "odd values": asking(made_up.ODD_SITE, ODD, LEAP_DAY_MS, 1),
    "three meters": asking("opengrid_minute", METERS, MARCH_MS, 12),
    "nothing": asking(made_up.ODD_SITE, (made_up.EMPTY,), LEAP_DAY_MS, 1),
}


def post(running: Running, asked: dict[str, Any], **looks: str) -> httpx.Response:
    body = {**asked, "points": list(asked["points"]), **looks}
    response = running.client.post("/api/timeseries", json=body)
    assert response.status_code == 200, response.text
    return response


def truth_of(running: Running | Jobs, asked: dict[str, Any]) -> Series:
    return {
        point: expected_samples(running.truth, asked["site"], point, asked["start_time"], asked["end_time"])
        for point in asked["points"]
    }


def same(found: Series, truth: Series) -> None:
    """Every sample with its type; points without samples may be left out."""
    held = {point: samples for point, samples in found.items() if samples}
    assert json.dumps(held, sort_keys=True) == json.dumps(
        {point: samples for point, samples in truth.items() if samples}, sort_keys=True
    )


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize(
    ("chosen", "reader"),
    [(chosen, reader) for chosen, readers in READERS.items() for reader in readers],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_an_answer_in_every_format_equals_the_truth(
    running: Running, asked: str, chosen: str, reader: Callable[[bytes], Series]
) -> None:
    looks = {"shape": SHAPES[chosen]} if chosen in SHAPES else {}
    response = post(running, ASKED[asked], format=chosen, **looks)
    same(reader(response.content), truth_of(running, ASKED[asked]))


def test_formats_have_tags_of_their_own_and_accept_chooses(running: Running) -> None:
    params = {**asking("opengrid_minute", METERS, MARCH_MS, 1), "points": ",".join(METERS)}
    named = {
        one: running.client.get("/api/timeseries", params={**params, "format": one})
        for one in (*READERS, "csv")
    }
    tags = {one: response.headers["etag"] for one, response in named.items()}
    assert len(set(tags.values())) == len(tags)
    for one, response in named.items():
        if one not in {"rows", "columns"}:
            # These have the media type of JSON, and a name alone.
            media_type = response.headers["content-type"]
            accepted = running.client.get("/api/timeseries", params=params, headers={"Accept": media_type})
            assert accepted.content == response.content
        again = running.client.get(
            "/api/timeseries", params={**params, "format": one}, headers={"If-None-Match": tags[one]}
        )
        assert again.status_code == 304
    refused = running.client.get("/api/timeseries", params=params, headers={"Accept": "text/html"})
    assert (refused.status_code, refused.json()["type"]) == (406, "urn:edgeseries:problem:not-acceptable")


def test_a_cached_answer_keeps_its_format(running: Running) -> None:
    asked = {**ASKED["three meters"], "route": "cached"}
    for chosen in ("arrow", "parquet", "msgpack", "columns"):
        first, second = (post(running, asked, format=chosen) for _ in range(2))
        assert second.content == first.content
        assert second.headers["content-type"] == first.headers["content-type"]
        assert "hit" in second.headers["cache-status"]


def test_wide_shapes_are_one_grid(running: Running) -> None:
    asked = ASKED["three meters"]
    truth = truth_of(running, asked)
    grid = sorted({at_ms for samples in truth.values() for at_ms, _ in samples})
    held = {point: dict(map(tuple, samples)) for point, samples in truth.items()}
    expected = {point: [held[point].get(at_ms) for at_ms in grid] for point in METERS}
    columns = post(running, asked, format="columns").json()
    assert columns == {"time": grid, **expected}
    seconds = post(running, asked, format="columns", time_unit="s").json()
    assert seconds["time"] == [at_ms / 1000 for at_ms in grid]
    table = pa.ipc.open_stream(post(running, asked, format="arrow", shape="wide").content).read_all()
    assert table.column("time").cast(pa.int64()).to_pylist() == grid
    assert {point: table.column(point).to_pylist() for point in METERS} == expected
    wide = csv_by_python(post(running, asked, format="csv", shape="wide").content)
    assert wide[0] == ["timestamp", *METERS]
    assert [[float(cell) if cell else None for cell in row[1:]] for row in wide[1:]] == [
        [expected[point][place] for point in METERS] for place in range(len(grid))
    ]
    frame = pd.read_csv(
        io.BytesIO(post(running, asked, format="csv", shape="wide").content), parse_dates=["timestamp"]
    )
    assert str(frame["timestamp"].dtype).startswith("datetime64[")
    assert frame["water_2923"].dropna().tolist() == [one for one in expected["water_2923"] if one is not None]


def test_a_table_with_one_stamp_of_milliseconds_is_read_as_times(running: Running) -> None:
    """By pandas and polars, without a word of where decimals are; and `NA` stays a text."""
    body = post(running, ASKED["odd values"], format="csv").content
    stamps = {row[1] for row in csv_by_python(body)[1:]}
    assert {len(stamp) for stamp in stamps} == {24}
    frame = pd.read_csv(io.BytesIO(body), parse_dates=["timestamp"], keep_default_na=False, na_values=[""])
    assert str(frame["timestamp"].dtype).startswith("datetime64[")
    table = pl.read_csv(io.BytesIO(body), try_parse_dates=True, infer_schema_length=None)
    assert table.schema["timestamp"].is_temporal()


def test_arrow_says_the_unit_the_kind_and_the_site(running: Running) -> None:
    asked = ASKED["odd values"]
    long = pa.ipc.open_stream(post(running, asked, format="arrow").content).read_all().schema
    agreed = {b"site": b"made_up site", b"unit": b"made_up_unit", b"kind": b"made_up_kind"}
    assert long.field("value").metadata == agreed
    told = json.loads(long.metadata[b"edgeseries"])
    assert told["points"][made_up.COMMA] == {"unit": "made_up_unit", "kind": "made_up_kind"}
    wide = pa.ipc.open_stream(post(running, asked, format="arrow", shape="wide").content).read_all()
    field = wide.schema.field(made_up.COMMA)
    assert (field.type, field.metadata[b"unit"], field.metadata[b"point"]) == (
        pa.float64(),
        b"made_up_unit",
        made_up.COMMA.encode(),
    )
    assert wide.schema.field(f"{made_up.ODD_TEXTS}.integer").metadata[b"site"] == b"made_up site"


@pytest.mark.parametrize("chosen", READERS)
def test_a_result_is_what_an_answer_is(jobs: Jobs, chosen: str) -> None:
    wanted = Wanted(site=made_up.ODD_SITE, points=ODD, first_day=19_782, days=1)
    job = jobs.until(jobs.post(wanted)["jobId"])
    params = {"format": chosen, **({"shape": SHAPES[chosen]} if chosen in SHAPES else {})}
    response = jobs.client.get(job["resultUrl"], params=params)
    assert response.status_code == 200, response.text
    asked = {**ASKED["odd values"], "start_time": wanted.start_ms}
    for reader in READERS[chosen]:
        same(reader(response.content), truth_of(jobs, asked))
    answer = jobs.client.post(
        "/api/timeseries",
        json={**asked, "points": list(ODD), **params},
        headers={"Cache-Control": "no-store"},
    )
    if chosen != "parquet":
        assert answer.content == response.content
    head = jobs.client.head(job["resultUrl"], params=params)
    assert head.headers["etag"] == response.headers["etag"]


DAYS_ASKED = (1, 3, 12)
STREAMED_FROM_DAYS = {"ndjson": 3, "csv": 12, "arrow": 12}
"""From so many days on the answer is sent while it is made. MessagePack begins with its length: never."""

DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: pa.CompressedInputStream(pa.BufferReader(body), "zstd").read(),
    "br": brotli.decompress,
    "gzip": gzip.decompress,
    "identity": lambda body: body,
}


@pytest.mark.parametrize("coding", DECODERS)
@pytest.mark.parametrize("chosen", ["csv", "arrow", "ndjson", "msgpack"])
@pytest.mark.parametrize("days", DAYS_ASKED)
def test_bodies_are_coded_as_they_leave_and_have_a_tag_of_their_own(
    running: Running, chosen: str, coding: str, days: int
) -> None:
    """Of some kilobytes, of some hundred, and of so many that they leave as a stream: gzip or plain."""
    params = {
        **asking("opengrid_minute", METERS, MARCH_MS, days),
        "points": ",".join(METERS),
        "format": chosen,
    }
    # Past the store, where it would be a stored body.
    plain, made = ({"Accept-Encoding": one, "Cache-Control": "no-store"} for one in ("identity", coding))
    whole = running.client.get("/api/timeseries", params=params, headers=plain)
    with running.client.stream("GET", "/api/timeseries", params=params, headers=made) as coded:
        body = b"".join(coded.iter_raw())
    assert coded.status_code == 200
    found = coded.headers.get("content-encoding", "identity")
    streamed = days >= STREAMED_FROM_DAYS.get(chosen, days + 1)
    assert found == ("identity" if streamed and coding != "gzip" else coding)
    assert DECODERS[found](body) == whole.content
    tag = coded.headers["etag"]
    assert (tag == whole.headers["etag"]) is (found == "identity")
    known = running.client.get(
        "/api/timeseries", params=params, headers={"If-None-Match": tag, "Accept-Encoding": coding}
    )
    assert known.status_code == 304


@pytest.mark.parametrize(("accepted", "coding"), [("gzip, br", "gzip"), ("br", "identity")])
def test_a_result_is_coded_while_it_is_made(jobs: Jobs, accepted: str, coding: str) -> None:
    wanted = Wanted(site="opengrid_minute", points=METERS, first_day=16_495, days=30)
    job = jobs.until(jobs.post(wanted)["jobId"])
    headers = {"Accept-Encoding": accepted}
    with jobs.client.stream("GET", job["resultUrl"], params={"format": "csv"}, headers=headers) as coded:
        body = b"".join(coded.iter_raw())
    plain = jobs.client.get(
        job["resultUrl"], params={"format": "csv"}, headers={"Accept-Encoding": "identity"}
    )
    assert coded.headers.get("content-encoding", "identity") == coding
    assert DECODERS[coding](body) == plain.content
    assert coding == "identity" or len(body) < len(plain.content) / 4


def test_the_last_samples_as_arrow(running: Running) -> None:
    params = {"site": made_up.LIVE_SITE, "point": made_up.LIVE_POINTS[0], "format": "arrow"}
    response = running.client.get("/api/latest", params=params)
    (row,) = pa.ipc.open_stream(io.BytesIO(response.content)).read_all().to_pylist()
    assert (row["point"], type(row["value"])) == (made_up.LIVE_POINTS[0], float)
