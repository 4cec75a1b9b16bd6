"""The notebook, and the Python client against the whole stack: what comes is the truth.

The ten things that everybody wants first are the blocks of `docs/first-contact.md`: `test_guides.py` runs
them.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest

from edgeseries_client import (
    AsyncClient,
    Client,
    Conflict,
    InvalidRequest,
    JobEnded,
    NotFound,
    RetryPolicy,
    UnknownPoints,
)
from local.expected import expected_samples
from tests import made_up
from tests.guides import ROOT, blocks_of
from tests.loopback import NO_CERTIFICATES
from tests.runtime.conftest import Running

pytestmark = pytest.mark.runtime

NOTEBOOK = list(blocks_of(ROOT / "docs" / "notebook.md"))
CELLS = [block for block in NOTEBOOK if block.mark == "tested=tests/runtime/test_first_contact.py"]
MARCH = ("2015-03-01", "2015-04-01")
MARCH_MS = (1_425_168_000_000, 1_427_846_400_000)
ODD_DAYS = ("2024-02-29", "2024-03-02")
ODD_DAYS_MS = (1_709_164_800_000, 1_709_337_600_000)


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    http = httpx.Client(base_url=running.stack.url, trust_env=False, verify=NO_CERTIFICATES, timeout=60)
    with Client(http=http, progress=False) as made:
        yield made


def truth(running: Running, site: str, point: str, span_ms: tuple[int, int]) -> list[tuple[Any, ...]]:
    return [tuple(one) for one in expected_samples(running.truth, site, point, *span_ms)]


def test_the_notebook_runs_from_its_first_cell_to_its_last(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGESERIES_URL", running.stack.url)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.chdir(tmp_path)
    assert len(CELLS) > 5
    names: dict[str, Any] = {}
    for cell in CELLS:
        exec(compile(cell.text, cell.place, "exec"), names)  # noqa: S102 - our own document
    names["site"].client.close()


def test_every_kind_of_value_comes_as_it_is(running: Running, client: Client) -> None:
    points = [made_up.TEXTS, made_up.SWITCH, made_up.ODD_TEXTS, made_up.MESSY, made_up.EMPTY, made_up.COMMA]
    read = client.site(made_up.ODD_SITE).read(points, *ODD_DAYS, as_="dict")
    expected = {name: truth(running, made_up.ODD_SITE, name, ODD_DAYS_MS) for name in sorted(points)}
    assert repr(read) == repr(expected)


@pytest.mark.parametrize("route", ["direct", "cached", "queued"])
def test_a_month_is_the_truth_on_every_route(running: Running, client: Client, route: str) -> None:
    read = client.site("opengrid_minute").read("water_6616", *MARCH, as_="dict", route=route)
    assert read == {"water_6616": truth(running, "opengrid_minute", "water_6616", MARCH_MS)}


@pytest.mark.parametrize("suffix", ["csv", "parquet", "arrow", "ndjson", "json"])
def test_a_file_holds_every_sample(running: Running, client: Client, tmp_path: Path, suffix: str) -> None:
    import pandas as pd  # noqa: PLC0415 - a second that other files need not wait for

    path = client.site("opengrid_minute").save("water_6616", *MARCH, tmp_path / f"w.{suffix}")
    expected = truth(running, "opengrid_minute", "water_6616", MARCH_MS)
    if suffix == "json":
        assert path.read_text().count("[14") == len(expected)
        return
    readers: dict[str, Any] = {
        "csv": pd.read_csv, "parquet": pd.read_parquet, "ndjson": lambda one: pd.read_json(one, lines=True),
        "arrow": lambda one: pa.ipc.open_stream(one.read_bytes()).read_pandas(),
    }  # fmt: skip
    values = readers[suffix](path)["value"]
    assert values.tolist() == pytest.approx([value for _, value in expected], rel=1e-12)
    assert len(list(tmp_path.iterdir())) == 1


def test_what_is_wrong_is_an_error_of_its_class(client: Client) -> None:
    with pytest.raises(InvalidRequest, match="start_time"):
        client.site("opengrid_minute").read("water_2923", "yesterday-ish", "2015-03-02")
    with pytest.raises(NotFound):
        client.site("no such site").points()
    with pytest.raises(UnknownPoints, match="no_such_point"):
        client.site("opengrid_minute").read(["no_such_point", "water_2923"], "2015-03-02", "2015-03-03")
    with pytest.raises(NotFound):
        client.job("no-such-job")


def test_jobs_are_made_watched_and_cancelled(client: Client, running: Running) -> None:
    seen: list[float] = []
    client.connection._progress = lambda job: seen.append(job.progress)
    job = client.site("opengrid_hourly").job(["elec_0668", "elec_156e"], "2016-02-01", "2016-03-01")
    assert client.watch(job).status == "completed"
    assert seen == sorted(seen)
    assert seen[-1] == 100.0
    assert job.job_id in [one.job_id for one in client.jobs()]
    with pytest.raises(Conflict):
        client.cancel(job.job_id)
    running.upstream(latency_ms=500)
    slow = client.site("opengrid_hourly").job("opengrid_hourly/gas_313b", "2016-02-01", "2016-08-01")
    assert client.cancel(slow.job_id).status == "cancelled"
    with pytest.raises(JobEnded, match="cancelled"):
        client.watch(slow)
    running.upstream()
    assert client.watch(client.retry(slow.job_id)).status == "completed"


def test_the_first_panel_of_grafana_finds_what_it_asks_for(running: Running) -> None:
    """Its URL with the variables' defaults, and its columns as the plugin selects them."""
    panel = json.loads((ROOT / "docs" / "grafana" / "first-panel.json").read_text("utf-8"))
    (target,) = panel["panels"][0]["targets"]
    texts = {one["name"]: one["query"] for one in panel["templating"]["list"]} | {"url": running.stack.url}
    texts |= {"__from": panel["time"]["from"], "__to": panel["time"]["to"]}
    url = re.sub(r"\$\{(\w+)(?::[\w:]+)?\}", lambda found: texts[found[1]], target["url"])
    rows = running.client.get(url).json()
    assert 1_000 < len(rows) <= 2_000
    for column in target["columns"]:
        found = rows[0][column["selector"]]
        kind = {"timestamp": str, "string": str, "number": float}[column["type"]]
        assert isinstance(found, kind), column
    assert {row["point"] for row in rows} == {"water_2923", "water_1a5c"}


def test_the_last_values_are_the_truth(client: Client, running: Running) -> None:
    told = client.site(made_up.LIVE_SITE).latest(made_up.LIVE_POINTS[0])["points"][made_up.LIVE_POINTS[0]]
    span_ms = (told["time"], told["time"] + 60_000)
    assert truth(running, made_up.LIVE_SITE, made_up.LIVE_POINTS[0], span_ms)[0] == (
        told["time"],
        told["value"],
    )
    assert told["ageSeconds"] < 120


def test_buckets_come_as_columns(client: Client) -> None:
    site = client.site("opengrid_hourly")
    how: dict[str, Any] = {"every": "1M", "agg": ["mean", "max"], "tz": "Europe/Brussels"}
    frame = site.read("weather_temperature", "2016-01-01", "2017-01-01", **how)
    assert list(frame.columns) == ["weather_temperature:max", "weather_temperature:mean"]
    assert len(frame) == 12
    hours = site.read("weather_temperature", "2016-01-01", "2017-01-01", tz="Europe/Brussels")
    monthly = hours["weather_temperature"].resample("MS")
    assert frame["weather_temperature:max"].tolist() == monthly.max().tolist()
    assert frame["weather_temperature:mean"].tolist() == pytest.approx(monthly.mean().tolist(), rel=1e-12)


def test_json_alone_gives_the_same_frame(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has no pyarrow gets what who has it gets."""
    site = client.site(made_up.ODD_SITE)
    points = [made_up.TEXTS, made_up.SWITCH, made_up.ODD_TEXTS, made_up.SLASHES, made_up.EMPTY]
    by_arrow = site.read(points, *ODD_DAYS, shape="long")
    monkeypatch.setattr("edgeseries_client.decoding.has_pyarrow", lambda: False)
    by_json = site.read(points, *ODD_DAYS, shape="long")
    assert repr(by_arrow.to_numpy().tolist()).replace("nan", "None") == repr(
        by_json.to_numpy().tolist()
    ).replace("nan", "None")


def test_points_are_found_by_unit_and_by_words(client: Client) -> None:
    assert client.site(made_up.ODD_SITE).points("AHU-1", unit="made_up_unit")[0]["name"] == made_up.SLASHES
    assert client.site(made_up.ODD_SITE).points(unit="kW") == []
    assert [one["name"] for one in client.site("opengrid_hourly").points("weather temp")] == [
        "weather_temperature"
    ]


def test_what_is_stored_is_told(client: Client) -> None:
    told = client.site("opengrid_minute").coverage("water_2923", *MARCH)
    assert told["totals"]["points"] == 1


def test_an_upstream_in_trouble_is_asked_again(running: Running, client: Client) -> None:
    running.client.delete(
        "/api/cache", params={"site": "opengrid_minute", "point": "water_b285"}
    ).raise_for_status()
    running.upstream(rate_500=1)
    client.connection.policy = RetryPolicy(tries=2, first_pause_s=0.01)
    with pytest.raises(Exception, match=r"50[23]"):
        client.site("opengrid_minute").read("water_b285", "2015-03-02", "2015-03-03", route="direct")
    running.upstream()
    assert len(client.site("opengrid_minute").read("water_b285", "2015-03-02", "2015-03-03", route="direct"))


async def _read(url: str) -> tuple[int, int]:
    http = httpx.AsyncClient(base_url=url, trust_env=False, verify=NO_CERTIFICATES, timeout=60)
    async with AsyncClient(http=http, progress=False) as client:
        site = client.site("opengrid_minute")
        frames = await asyncio.gather(
            site.read("water_2923", "2015-03-02", "2015-03-03"),
            site.read("opengrid_minute/gas_313b", "2016-12-05", "2016-12-06", route="queued"),
        )
        return len(frames[0]), len(frames[1])


def test_the_client_that_does_not_block_reads_two_at_once(running: Running) -> None:
    assert asyncio.run(_read(running.stack.url)) == (1440, 1440)
