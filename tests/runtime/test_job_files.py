"""A job's result as a set of Parquet files on workerd, read by query engines as one table."""

import io
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from local.expected import expected_samples
from tests import made_up
from tests.runtime.jobs_stack import Jobs, Wanted

pytestmark = pytest.mark.runtime

POINTS = ("elec_0668", "elec_156e")
DECEMBER_2015 = 16_770


def downloaded(jobs: Jobs, job: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """Every file of a result in its folder."""
    page = jobs.client.get(f"/api/jobs/{job['jobId']}/files").json()
    assert (page["count"], page["cursor"]) == (len(page["files"]), None)
    files: list[dict[str, Any]] = page["files"]
    for one in files:
        response = jobs.client.get(one["url"])
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/vnd.apache.parquet"
        path = folder / one["path"]
        path.parent.mkdir(parents=True)
        path.write_bytes(response.content)
    return files


def test_the_files_of_a_result_are_one_table_for_query_engines(jobs: Jobs, tmp_path: Path) -> None:
    points = list(POINTS)
    wanted = Wanted(site="opengrid_hourly", points=tuple(points), first_day=DECEMBER_2015, days=62)
    job = jobs.until(jobs.post(wanted)["jobId"])
    files = downloaded(jobs, job, tmp_path)
    assert [(one["point"], one["startTime"][:4]) for one in files] == [
        (point, year) for point in points for year in ("2015", "2016")
    ]
    expected = {
        point: expected_samples(jobs.truth, wanted.site, point, wanted.start_ms, wanted.end_ms)
        for point in points
    }
    pattern = f"{tmp_path}/**/*.parquet"
    found = duckdb.sql(
        "select point, epoch_ms(time), value, year, site from "
        f"read_parquet('{pattern}', hive_partitioning = true) order by point, time"
    ).fetchall()
    assert [[row[1], row[2]] for row in found] == [pair for point in points for pair in expected[point]]
    assert {(row[3], row[4]) for row in found} == {(2015, wanted.site), (2016, wanted.site)}
    frame = pl.read_parquet(pattern, hive_partitioning=True).sort("point", "time")
    assert frame["value"].to_list() == [row[2] for row in found]
    table = pq.read_table(tmp_path)
    assert table.num_rows == len(found)
    assert set(table.column("point").to_pylist()) == set(points)


def test_odd_names_are_folders_that_say_them(jobs: Jobs, tmp_path: Path) -> None:
    points = (made_up.COMMA, made_up.SLASHES, made_up.TEXTS, made_up.UNICODE)
    wanted = Wanted(site=made_up.ODD_SITE, points=points, first_day=19_782, days=1)
    job = jobs.until(jobs.post(wanted)["jobId"])
    files = downloaded(jobs, job, tmp_path)
    for one in files:
        assert unquote(one["path"].split("/")[1]) == f"point={one['point']}"
        table = pq.read_table(io.BytesIO((tmp_path / one["path"]).read_bytes()))
        assert table.column_names == ["time", "value", "text", "boolean", "integer"]
        expected = expected_samples(jobs.truth, wanted.site, one["point"], wanted.start_ms, wanted.end_ms)
        assert table.num_rows == len(expected)
    named = duckdb.sql(
        f"select distinct point from read_parquet('{tmp_path}/**/*.parquet', hive_partitioning = true)"
    ).fetchall()
    assert {row[0] for row in named} == set(points)


def test_what_is_no_file_of_the_result_is_not_there(jobs: Jobs) -> None:
    wanted = Wanted(site=made_up.ODD_SITE, points=(made_up.TEXTS,), first_day=19_782, days=1)
    job = jobs.until(jobs.post(wanted)["jobId"])
    (file,) = jobs.client.get(f"/api/jobs/{job['jobId']}/files").json()["files"]
    for other in (
        file["url"].replace("year=2024", "year=2023"),
        file["url"].replace("point=", "piont="),
        file["url"].replace("made_up_texts", "made_up_other"),
        file["url"].replace("site=made", "site=mad"),
    ):
        assert other != file["url"]
        assert jobs.client.get(other).status_code == 404
    first = jobs.client.get(file["url"])
    known = jobs.client.get(file["url"], headers={"If-None-Match": first.headers["etag"]})
    assert known.status_code == 304
