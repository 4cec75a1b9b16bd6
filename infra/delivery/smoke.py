"""`make smoke`: ask a running system for one thing of each kind and check the answers.

Owns what is asked, in an order in which each builds on the one before, and what must hold of it. Run after
every deployment, and against `make dev`. It leaves a day of one point in the cache and a finished job, and
removes nothing. With a key in EDGESERIES_API_KEY it asks as its owner.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import httpx

from delivery.programs import DeliveryFault, outputs_of

KEY_VARIABLE: Final = "EDGESERIES_API_KEY"
OVERRIDE_HEADER: Final = "Cloudflare-Workers-Version-Overrides"
"""Names the version that is to answer, so that a canary is asked for sure (docs, gradual deployments)."""

TIMEOUT_S: Final = 60.0
PATIENCE_S: Final = 120.0
"""For what comes after a while: a new deployment at the edge, a cached answer, a finished job."""
POLL_S: Final = 0.5
DAYS_BACK: Final = 3
"""Which day is asked unless one is named: sealed whatever the settle lag is, within reason."""


class Wrong(Exception):
    """An answer is not what it must be; the text says how."""


@dataclass(kw_only=True)
class SmokeSession:
    """The client, and what earlier answers told the later questions."""

    client: httpx.Client
    day: datetime
    patience_s: float = PATIENCE_S
    site: str = ""
    point: str = ""
    whole_day: Mapping[str, Any] = field(default_factory=dict)

    def range(self, hours: int) -> dict[str, str]:
        """The first hours of the day as a request has them."""
        end = self.day + timedelta(hours=hours)
        return {
            "site": self.site,
            "point": self.point,
            "start_time": self.day.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "end_time": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def ask(self, path: str, *, method: str = "GET", status: int = 200, **more: Any) -> httpx.Response:
        """An answer with this status; raises Wrong for any other."""
        response = self.client.request(method, path, **more)
        if response.status_code != status:
            raise Wrong(
                f"{method} {path} answers {response.status_code}, not {status}: {response.text[:300]}"
            )
        return response

    def eventually(self, look: Callable[[], str | None]) -> None:
        """Return once `look` finds nothing missing; raises Wrong with what it still misses."""
        until = time.monotonic() + self.patience_s
        while (missing := look()) is not None:
            if time.monotonic() > until:
                raise Wrong(f"after {self.patience_s:.0f} s still {missing}")
            time.sleep(POLL_S)


def health(session: SmokeSession) -> str:
    """Every part answers. Waits: a deployment takes its time to reach the edge."""
    last: list[httpx.Response] = []

    def look() -> str | None:
        try:
            last[:] = [session.client.get("/api/health", params={"deep": "1"})]
        except httpx.TransportError as error:
            return f"unreachable: {error}"
        fine = last[0].status_code == httpx.codes.OK and last[0].json()["status"] == "ok"
        return None if fine else f"{last[0].status_code}: {last[0].text[:300]}"

    session.eventually(look)
    return f"{len(last[0].json()['parts'])} parts ok"


def sites_and_points(session: SmokeSession) -> str:
    """A site with points, the named one if one was named."""
    names = (
        [session.site] if session.site else [one["name"] for one in session.ask("/api/sites").json()["sites"]]
    )
    for site in names:
        points = [
            one["name"] for one in session.ask(f"/api/sites/{quote(site, safe='')}/points").json()["points"]
        ]
        if session.point in points or (points and not session.point):
            session.site, session.point = site, session.point or points[0]
            return f"{session.site} / {session.point}"
    raise Wrong(f"no site has points; looked at {names[:5]}")


def bad_request(session: SmokeSession) -> str:
    """Every fault is told, as a problem."""
    response = session.ask("/api/timeseries", status=400)
    if response.headers["content-type"] != "application/problem+json" or not response.json()["errors"]:
        raise Wrong(f"400 without a list of faults: {response.text[:300]}")
    return f"{len(response.json()['errors'])} faults listed"


def direct(session: SmokeSession) -> str:
    """An hour straight from upstream."""
    response = session.ask("/api/timeseries", params={**session.range(1), "route": "direct"})
    series = _series(session, response, hours=1)
    _expect(response, "x-route-type", "direct")
    return f"{series['count']} samples"


def cached(session: SmokeSession) -> str:
    """A day through the cache, then the same from it, with a tag that saves the third."""
    asked = {**session.range(24), "route": "cached"}
    first = session.ask("/api/timeseries", params=asked)
    session.whole_day = _series(session, first, hours=24)
    _expect(first, "x-route-type", "cached")
    again: list[httpx.Response] = [first]

    def look() -> str | None:
        again[:] = [session.ask("/api/timeseries", params=asked)]
        return None if again[0].headers.get("x-cache-hit") == "true" else "no hit for a repeated request"

    session.eventually(look)
    if again[0].content != first.content:
        raise Wrong("the cached answer differs from the first one")
    tag = {"If-None-Match": again[0].headers["etag"]}
    session.ask("/api/timeseries", params=asked, headers=tag, status=304)
    return f"{session.whole_day['count']} samples, then a hit, then 304"


def queued(session: SmokeSession) -> str:
    """The same day as a job: watched to its end, its result equal to the cached answer."""
    span = {key: text for key, text in session.range(24).items() if key != "point"}
    asked = {**span, "points": [session.point], "priority": "high"}
    job = session.ask("/api/jobs", method="POST", json=asked, status=202).json()
    last: dict[str, Any] = {}

    def look() -> str | None:
        last.update(session.ask(job["statusUrl"]).json())
        return f"{last['status']} ({last['progress']} %)" if last["resultUrl"] is None else None

    session.eventually(look)
    series = session.ask(last["resultUrl"], params={"format": "json"}).json()["data"][session.point]
    if series["samples"] != session.whole_day["samples"]:
        raise Wrong(f"the job has {series['count']} samples, the cached answer {session.whole_day['count']}")
    lines = session.ask(last["resultUrl"], params={"format": "ndjson"}).text.splitlines()
    if len(lines) < series["count"]:
        raise Wrong(f"the result as lines has {len(lines)} of them for {series['count']} samples")
    session.ask("/api/jobs", params={"limit": "1"})
    return f"{last['status']}, {series['count']} samples in three formats"


def coverage(session: SmokeSession) -> str:
    """The day is told as stored."""
    totals = session.ask("/api/coverage", params=session.range(24)).json()["totals"]
    if totals["storedDays"] != 1 or totals["missingDays"]:
        raise Wrong(f"the day was fetched, and coverage says {totals}")
    return "the day is stored"


def purge_dry_run(session: SmokeSession) -> str:
    """What a purge would remove, removing nothing."""
    document = session.ask(
        "/api/cache", method="DELETE", params={**session.range(24), "dry_run": "true"}
    ).json()
    if document["dryRun"] is not True or not document["blocks"]:
        raise Wrong(f"a dry run of a purge says {document}")
    return f"would remove {document['blocks']} blocks"


def dead_letters(session: SmokeSession) -> str:
    """The list of dead letters can be had; letters in it are not the system's fault."""
    return f"{len(session.ask('/api/queue/dlq', params={'limit': '1'}).json()['letters'])} at the top"


def statistics(session: SmokeSession) -> str:
    """Cache, jobs and requests are counted."""
    document = session.ask("/api/stats").json()
    missing = {"cache", "jobs", "requests", "upstream", "cost"} - document.keys()
    if missing:
        raise Wrong(f"/api/stats lacks {', '.join(sorted(missing))}")
    return ", ".join(sorted(document.keys() - {"at"}))


def metrics(session: SmokeSession) -> str:
    """The same for Prometheus."""
    lines = [
        line for line in session.ask("/api/metrics").text.splitlines() if line and not line.startswith("#")
    ]
    if not lines:
        raise Wrong("/api/metrics has no sample")
    return f"{len(lines)} samples"


def description(session: SmokeSession) -> str:
    """The API describes itself, and what is asked above is in it."""
    paths = session.ask("/api/openapi.json").json()["paths"]
    missing = {"/api/timeseries", "/api/jobs", "/api/coverage", "/api/cache", "/api/health"} - paths.keys()
    if missing:
        raise Wrong(f"/api/openapi.json lacks {', '.join(sorted(missing))}")
    return f"{len(paths)} paths"


CHECKS: Final[tuple[tuple[str, Callable[[SmokeSession], str]], ...]] = (
    ("health", health),
    ("sites and points", sites_and_points),
    ("bad request", bad_request),
    ("direct route", direct),
    ("cached route", cached),
    ("queued route", queued),
    ("coverage", coverage),
    ("purge, dry run", purge_dry_run),
    ("dead letters", dead_letters),
    ("statistics", statistics),
    ("metrics", metrics),
    ("description", description),
)


def run(session: SmokeSession) -> bool:
    """Every check in order; whether all held. After one that failed the rest are still tried."""
    held = True
    for name, check in CHECKS:
        began = time.monotonic()
        try:
            note = check(session)
        except Wrong as wrong:
            held, note, mark = False, str(wrong), "FAIL"
        except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
            held, note, mark = False, f"no such answer was expected: {error!r}", "FAIL"
        else:
            mark = "ok"
        print(f"{mark:5}{name:18}{(time.monotonic() - began) * 1000:7.0f} ms  {note}", flush=True)
    return held


def main(words: list[str]) -> int:
    """Exit status 0 when every answer is right, 1 when one is not."""
    parser = argparse.ArgumentParser(prog="make smoke", description=__doc__)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", default=None, help="make takes it as URL=http://127.0.0.1:8787")
    where.add_argument("--stack", default=None, help="asks pulumi for the URL and the newest version")
    parser.add_argument("--site", default="", help="by default the first that has points")
    parser.add_argument("--point", default="", help="by default the first of the site")
    parser.add_argument("--day", default=None, help=f"UTC, YYYY-MM-DD; by default {DAYS_BACK} days ago")
    asked = parser.parse_args(words)
    if asked.url is None and asked.stack is None:
        print("make smoke: say whom to ask: URL=http://127.0.0.1:8787, or STACK=prod", file=sys.stderr)
        return 1
    try:
        url, headers = (asked.url, {}) if asked.stack is None else _of_stack(asked.stack)
        day = _midnight(asked.day)
    except DeliveryFault as fault:
        print(f"make smoke: {fault}", file=sys.stderr)
        return 1
    key = os.environ.get(KEY_VARIABLE)
    if key:
        headers["Authorization"] = f"Bearer {key}"
    print(f"asking {url} about {day:%Y-%m-%d}", flush=True)
    with httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_S) as client:
        held = run(SmokeSession(client=client, day=day, site=asked.site, point=asked.point))
    return 0 if held else 1


def _of_stack(name: str) -> tuple[str, dict[str, str]]:
    outputs = outputs_of(name)
    override = f'{outputs["workers"]["router"]}="{outputs["versions"]["router"]}"'
    return str(outputs["routerUrl"]), {OVERRIDE_HEADER: override}


def _midnight(day: str | None) -> datetime:
    if day is None:
        now = datetime.now(tz=UTC)
        return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS_BACK)
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise DeliveryFault(f"{day!r} is no day; write it as 2015-03-02") from error


def _series(session: SmokeSession, response: httpx.Response, *, hours: int) -> Mapping[str, Any]:
    """The one series of an answer, of right form: counted, ascending, within the range."""
    data = response.json()["data"]
    if list(data) != [session.point]:
        raise Wrong(f"asked for {session.point!r}, answered for {list(data)[:5]}")
    series: Mapping[str, Any] = data[session.point]
    times = [sample[0] for sample in series["samples"]]
    start_ms = int(session.day.timestamp() * 1000)
    if series["error"] is not None or series["count"] != len(times):
        raise Wrong(f"count {series['count']}, {len(times)} samples, error {series['error']!r}")
    if times != sorted(set(times)) or any(
        not start_ms <= one < start_ms + hours * 3_600_000 for one in times
    ):
        raise Wrong("samples that do not ascend, or lie outside of the range")
    return series


def _expect(response: httpx.Response, header: str, value: str) -> None:
    if response.headers.get(header) != value:
        raise Wrong(f"{header} is {response.headers.get(header)!r}, not {value!r}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
