"""Several upstreams behind one stack on workerd: the oracle for every vendor, on every route, all at once.

One stack has ACE for sites without a prefix, and every rig of `tests/vendor_rigs.py` below a prefix of its
own; an archive lies in the bucket, too. What is asked is held against what each vendor holds of the truth.
"""

import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from edgeseries.settings.origins import MAX_TEXT_BYTES
from local.logs import LogLine
from local.stack import Stack, StackOptions
from local.upstream.truth import Truth
from local.vendors import files
from local.vendors.serving import running
from local.vendors.shape import HeldTruth
from tests import made_up
from tests.loopback import NO_CERTIFICATES
from tests.runtime.conftest import TIMEOUT_S, hold_response
from tests.vendor_rigs import RIGS, TOKEN, Installation

pytestmark = pytest.mark.runtime

SEED: Final = 20_261_201
REQUESTS: Final = 24
DAY_MS: Final = 86_400_000
JOB_PATIENCE_S: Final = 60.0
ARCHIVE: Final = "archive"
LAYOUT: Final = "{site}/{point}/{year}-{month}.parquet"
ENDED: Final = ("completed", "failed", "cancelled")
BROKEN: Final = "InfluxDB 1"
"""Whose circuit opens in a test; it alone has one."""


def slug(name: str) -> str:
    """A rig's name as that of an upstream."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32]


@dataclass
class System:
    """The stack, its client, and each upstream by its prefix."""

    stack: Stack
    client: httpx.Client
    installations: dict[str, Installation]
    truth: Truth

    def held(self, name: str) -> tuple[HeldTruth, Any, Any]:
        """What an upstream holds, and how it names sites and points."""
        if name == ARCHIVE:
            return HeldTruth(self.truth, files.kept_in_parquet), str, str
        rig = self.installations[name].rig
        return self.installations[name].held, rig.site_of, rig.name_of

    def draw(self, name: str, chance: random.Random) -> dict[str, Any]:
        """A site, some of its points, a range."""
        held, site_of, name_of = self.held(name)
        site = chance.choice(held.sites())
        points = chance.sample(held.points(site), min(chance.randint(1, 4), len(held.points(site))))
        start_ms = 1_709_164_800_000 + chance.randint(-DAY_MS, 2 * DAY_MS)
        if chance.random() < 0.5:
            start_ms -= start_ms % 60_000
        length_ms = chance.choice((60_000, 3_600_000, DAY_MS, 3 * DAY_MS))
        return {
            "site": f"{slug(name)}/{site_of(site)}",
            "names": {name_of(point): point for point in points},
            "own": site,
            "start": start_ms,
            "end": start_ms + length_ms,
        }

    def ask(self, drawn: dict[str, Any], route: str | None, cache: str) -> httpx.Response:
        body = {
            "site": drawn["site"],
            "points": list(drawn["names"]),
            "start_time": iso(drawn["start"]),
            "end_time": iso(drawn["end"]),
            **({} if route is None else {"route": route}),
        }
        return self.client.post("/api/timeseries", json=body, headers={"Cache-Control": cache})

    def check(self, name: str, drawn: dict[str, Any], data: dict[str, Any]) -> int:
        """An answer is what the vendor holds, sample for sample and type for type."""
        held, _, _ = self.held(name)
        count = 0
        for shown, point in drawn["names"].items():
            expected = [list(one) for one in held.within(drawn["own"], point, drawn["start"], drawn["end"])]
            assert json.dumps(data[shown]["samples"]) == json.dumps(expected), (name, drawn)
            assert data[shown]["error"] is None
            count += len(expected)
        return count


def iso(epoch_ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(epoch_ms // 1_000)) + f".{epoch_ms % 1_000:03d}Z"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = made_up.write_made_up(tmp_path_factory.mktemp("several") / "telemetry")
    truth, logs = Truth(folder), list[LogLine]()
    with ExitStack() as exits:
        installations = {
            name: Installation(
                rig=rig,
                url=exits.enter_context(running(rig.shape(truth, **rig.knobs), token=TOKEN)),
                truth=truth,
            )
            for name, rig in RIGS.items()
        }
        records = [
            {
                "name": slug(name),
                "prefix": f"{slug(name)}/",
                "vendor": one.rig.vendor,
                "url": one.url,
                "options": dict(one.rig.options),
                **({"circuitPauseSeconds": 30} if name == BROKEN else {}),
            }
            for name, one in installations.items()
        ]
        bucket = {"name": ARCHIVE, "prefix": f"{ARCHIVE}/", "vendor": "files", "url": "r2:archive/made-up"}
        records.append({**bucket, "options": {"layout": LAYOUT}})
        text = json.dumps(records, separators=(",", ":"))
        assert len(text) <= MAX_TEXT_BYTES
        credentials = {slug(name): one.rig.credential for name, one in installations.items()} | {ARCHIVE: ""}
        options = StackOptions(
            wake_all=False,
            state=tmp_path_factory.mktemp("state"),
            data=folder,
            settings={
                "origins": text,
                "circuitPauseSeconds": "0",
                "queueMaxWaitSeconds": "0",
                "janitorCron": "0 0 1 1 *",
            },
            secrets={"originCredentials": json.dumps(credentials)},
            on_log=logs.append,
        )
        stack = exits.enter_context(Stack(options))
        for path, (content, _) in files.FilesShape(truth, layout=LAYOUT).files():
            stack.host.put_object(f"archive/made-up/{path}", content)
        client = httpx.Client(base_url=stack.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES)
        exits.enter_context(client)
        client.event_hooks = {"response": [hold_response]}
        yield System(stack=stack, client=client, installations=installations, truth=truth)
        assert not [line.text for line in logs if TOKEN in line.text]


@pytest.fixture(autouse=True)
def calm(system: System) -> None:
    for one in system.installations.values():
        one.control()


@pytest.mark.parametrize("name", [*RIGS, ARCHIVE])
def test_answers_of_every_vendor_equal_what_it_holds_on_every_route(system: System, name: str) -> None:
    chance = random.Random(f"{SEED}:{name}")  # noqa: S311 - a seeded draw
    seen: Counter[str] = Counter()
    samples, earlier = 0, list[dict[str, Any]]()
    for _ in range(REQUESTS):
        drawn = chance.choice(earlier) if earlier and chance.random() < 0.5 else system.draw(name, chance)
        earlier.append(drawn)
        route = chance.choice(("direct", "cached", "cached", None))
        reply = system.ask(drawn, route, chance.choice(("", "", "no-cache", "no-store")))
        assert reply.status_code == 200, (name, drawn, reply.text[:500])
        seen[reply.headers["cache-status"].split("; ")[1]] += 1
        samples += system.check(name, drawn, reply.json()["data"])
    last = {**system.draw(name, chance), "start": 1_709_164_800_000, "end": 1_709_164_800_000 + 2 * DAY_MS}
    for _ in range(2):
        reply = system.ask(last, "cached", "")
        samples += system.check(name, last, reply.json()["data"])
    assert reply.headers["cache-status"] == "EdgeSeries; hit"
    assert samples > 30
    assert len(seen) > 2, seen


@pytest.mark.parametrize("name", [*RIGS, ARCHIVE])
def test_jobs_of_every_vendor_equal_what_it_holds(system: System, name: str) -> None:
    held, site_of, name_of = system.held(name)
    site = held.sites()[0]
    names = {name_of(point): point for point in held.points(site)}
    drawn: dict[str, Any] = {
        "names": names,
        "own": site,
        "start": 1_709_078_400_000,
        "end": 1_709_424_000_000,
    }
    called = f"{slug(name)}/{site_of(site)}"
    system.client.delete("/api/cache", params={"site": called}).raise_for_status()
    body = {
        "site": called,
        "points": list(names),
        "start_time": iso(drawn["start"]),
        "end_time": iso(drawn["end"]),
    }
    made = system.client.post("/api/jobs", json=body).json()
    until = time.monotonic() + JOB_PATIENCE_S
    job = made
    while job["status"] not in ENDED and time.monotonic() < until:
        time.sleep(0.1)
        job = system.client.get(f"/api/jobs/{made['jobId']}").json()
    assert job["status"] == "completed", json.dumps(job)
    result = system.client.get(f"/api/jobs/{made['jobId']}/result").json()
    assert system.check(name, drawn, result["data"]) > 0


def test_upstreams_do_not_get_in_each_others_way(system: System) -> None:
    """Requests to all of them at once, of sites that have the same names everywhere."""
    names = [*RIGS, ARCHIVE]

    def ask(number: int) -> tuple[str, dict[str, Any], httpx.Response]:
        name = names[number % len(names)]
        drawn = system.draw(name, random.Random(f"{SEED}:{number}"))  # noqa: S311 - a seeded draw
        return name, drawn, system.ask(drawn, None, "no-cache")

    with ThreadPoolExecutor(max_workers=6) as threads:
        for name, drawn, reply in threads.map(ask, range(4 * len(names))):
            assert reply.status_code == 200, (name, reply.text[:500])
            system.check(name, drawn, reply.json()["data"])


def test_sites_of_all_are_listed_by_the_names_that_callers_use(system: System) -> None:
    listed = {one["name"] for one in system.client.get("/api/sites").json()["sites"]}
    expected = set(system.truth.sites())
    for name in (*RIGS, ARCHIVE):
        held, site_of, _ = system.held(name)
        expected |= {f"{slug(name)}/{site_of(site)}" for site in held.sites()}
    assert listed == expected


def test_statistics_tell_what_each_upstream_was_asked(system: System) -> None:
    """Counts are written some seconds after the answers that they are of. The bucket is asked by no call."""
    system.client.get("/api/sites").raise_for_status()
    expected = {"upstream", *map(slug, RIGS)}
    until = time.monotonic() + JOB_PATIENCE_S
    counted: set[str] = set()
    while not expected <= counted and time.monotonic() < until:
        time.sleep(0.2)
        stats = system.client.get("/api/stats").raise_for_status().json()
        counted = {one["upstream"] for one in stats["upstream"]["byUpstream"] if one["calls"]}
    assert expected <= counted


def test_a_site_that_no_upstream_has_is_404_by_the_callers_name(system: System) -> None:
    for site in ("influxdb-2/nowhere", "nowhere"):
        params = {"site": site, "point": "x", "start_time": iso(0), "end_time": iso(1)}
        reply = system.client.get("/api/timeseries", params=params)
        assert (reply.status_code, f"'{site}'" in reply.json()["detail"]) == (404, True), reply.text


def test_every_upstream_is_a_part_of_health_and_fails_alone(system: System) -> None:
    broken = system.installations["Haystack before 4"]
    broken.control(rate_500=1)
    parts = system.client.get("/api/health", params={"deep": "full"}).json()["parts"]
    upstreams = {part for part in parts if part.startswith("upstream")}
    assert upstreams == {"upstream", *(f"upstream:{slug(name)}" for name in (*RIGS, ARCHIVE))}
    failing = {part for part in upstreams if parts[part]["status"] == "failing"}
    assert failing == {"upstream:haystack-before-4"}
    looked_at = {part: parts[part]["installation"] for part in upstreams}
    assert {part for part, found in looked_at.items() if found["fault"] is not None} == failing
    for part in upstreams - failing:
        assert parts[part]["circuit"] == "closed"
        assert looked_at[part]["found"]["sites"] != "none"
        assert looked_at[part]["found"]["samples"].startswith("none of the first"), "all of it is long ago"
    # Its sites are told to be missing; those of the others are there.
    listed = system.client.get("/api/sites").raise_for_status().json()
    assert [one["upstream"] for one in listed["unanswered"]] == ["upstream:haystack-before-4"]
    prefixes = {one["name"].partition("/")[0] for one in listed["sites"]}
    assert {slug(name) for name in (*RIGS, ARCHIVE)} - prefixes == {"haystack-before-4"}


def test_the_circuit_of_one_opens_alone(system: System) -> None:
    system.installations[BROKEN].control(rate_500=1)
    chance = random.Random(SEED)  # noqa: S311 - a seeded draw
    kinds = [
        system.ask(system.draw(BROKEN, chance), "direct", "no-store").json().get("type", "")
        for _ in range(12)
    ]
    assert kinds[-1].endswith("upstream-suspended")
    for name in ("InfluxDB 2", "VictoriaMetrics"):
        assert system.ask(system.draw(name, chance), "direct", "no-store").status_code == 200


def test_damaged_parquet_is_an_error_and_no_end_of_the_isolate(system: System) -> None:
    """arro3 panics on some damage: the isolate has to go on, and what is whole is answered as before."""
    held, _, _ = system.held(ARCHIVE)
    site, point = made_up.PLAIN_SITE, held.points(made_up.PLAIN_SITE)[0]
    key = f"archive/made-up/{site}/{point}/2024-02.parquet"
    content = system.stack.host.get_object(key)
    assert content is not None
    drawn = {
        "site": f"{ARCHIVE}/{site}",
        "names": {point: point},
        "own": site,
        "start": 1_709_164_800_000,
        "end": 1_709_164_800_000 + DAY_MS,
    }
    kinds: Counter[str] = Counter()
    try:
        for place in (4, len(content) // 3, len(content) // 2, len(content) - 60, len(content) - 200):
            damaged = bytearray(content)
            damaged[place : place + 12] = bytes(12)
            system.stack.host.put_object(key, bytes(damaged))
            reply = system.ask(drawn, "direct", "no-store")
            kinds[reply.json().get("type", "answered")] += 1
            assert reply.status_code in (200, 502), reply.text[:500]
    finally:
        system.stack.host.put_object(key, content)
    print(dict(kinds))
    assert kinds["urn:edgeseries:problem:upstream-contract"] > 0
    whole = system.ask(drawn, "direct", "no-store")
    assert system.check(ARCHIVE, drawn, whole.json()["data"]) > 0
