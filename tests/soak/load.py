"""Clients: each asks what it draws, and judges every answer at once."""

import random
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

import httpx

from tests.loopback import NO_CERTIFICATES
from tests.promised import JSON, PROBLEM, BrokenPromise, hold, media_type_of
from tests.soak.fault_timeline import HOST, SUSPENDED_S, UPSTREAM
from tests.soak.model import INLINE_ROWS, JOB_ROWS, Wanted, series_of
from tests.soak.world import REQUEST_TIMEOUT_S, World, now_ms

OF_UPSTREAM: Final = frozenset(
    {
        "upstream-unreachable",
        "upstream-throttled",
        "upstream-garbled",
        "upstream-oversize",
        "upstream-contract",
        "upstream-busy",
        "deadline-exceeded",
    }
)
"""Problems that only a fault of the upstream, or a host that has just started, explains."""

SUSPENDED: Final = "upstream-suspended"
ENDED: Final = frozenset({"completed", "failed", "cancelled"})
EVENT_LINES: Final = 40
FOLLOWED_S: Final = 5.0
"""How long a client follows a job."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One answer, with when it was asked and told: on the monotonic clock, and on the wall."""

    response: httpx.Response
    began: float
    asked_ms: int
    told_ms: int

    @property
    def ok(self) -> bool:
        """Whether it is an answer."""
        return self.response.is_success


class Client:
    """One client, with draws of its own."""

    def __init__(self, world: World, name: str, seed: str) -> None:
        self._world = world
        self._name = name
        self._chance = random.Random(f"{seed}:{name}")  # noqa: S311 - a seeded draw
        self._http = httpx.Client(timeout=REQUEST_TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES)
        self._actions = {
            self.timeseries: 30,
            self.live: 14,
            self.new_job: 7,
            self.look_at_job: 8,
            self.follow_job: 2,
            self.result: 8,
            self.cancel: 2,
            self.retry: 3,
            self.coverage: 6,
            self.purge: 2,
            self.replay: 3,
            self.lists: 4,
        }

    def run(self, stop: threading.Event) -> None:
        """Ask until told to stop; wait while the host is down."""
        try:
            while not stop.is_set():
                if not self._world.up.wait(timeout=0.2):
                    continue
                (action,) = self._chance.choices(list(self._actions), list(self._actions.values()))
                action()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of its connections."""
        self._http.close()

    # --- asking -------------------------------------------------------------------------
    def ask(self, method: str, path: str, *allowed: int, **fields: Any) -> Told | None:
        """An answer, judged as far as its head and its honesty go; None if it is an error that fits."""
        world = self._world
        began, asked_ms = time.monotonic(), now_ms()
        world.count("requests")
        try:
            response = self._http.request(method, world.url + path, **fields)
        except (httpx.TransportError, httpx.UnsupportedProtocol) as error:
            self._broken(f"{method} {path}", error, began)
            return None
        told = Told(response=response, began=began, asked_ms=asked_ms, told_ms=now_ms())
        body = response.content if media_type_of(response.headers).endswith(JSON) else None
        try:
            hold(method, path.partition("?")[0], response.status_code, response.headers, body)
        except BrokenPromise as promise:
            world.complain(str(promise))
            return None
        if told.ok or response.status_code in allowed:
            if not told.ok:
                with world.lock:
                    world.errors[f"{response.status_code} refused"] += 1
            return told
        self._judge(told, f"{method} {path} {fields}")
        return None

    def _broken(self, what: str, error: Exception, began: float) -> None:
        """A connection that failed or broke is right if the host was killed, or the upstream failed it. A
        result that is not all stored is fetched while it is sent, also to who waited for its job.
        """
        world = self._world
        with world.lock:
            world.errors[f"broken off: {type(error).__name__}"] += 1
        ended = time.monotonic()
        result = "/result" in what or what.startswith("POST /api/jobs")
        of_result = result and world.weather.was(UPSTREAM, began, ended, SUSPENDED_S)
        if not of_result and not world.weather.was(HOST, began, ended):
            world.complain(f"{what}: {error!r}, and nothing was wrong")

    def _judge(self, told: Told, what: str) -> None:
        """An error must be a problem that fits what was under way."""
        world, response = self._world, told.response
        slug = ""
        if media_type_of(response.headers) == PROBLEM:
            slug = str(response.json()["type"]).rpartition(":")[2]
        with world.lock:
            world.errors[f"{response.status_code} {slug}"] += 1
        now = time.monotonic()
        killed = world.weather.was(HOST, told.began, now)
        fits = slug in OF_UPSTREAM and (killed or world.weather.was(UPSTREAM, told.began, now))
        fits |= slug == SUSPENDED and world.weather.was(UPSTREAM, told.began, now, SUSPENDED_S)
        fits |= slug == "store-unavailable" and killed
        if not fits:
            world.complain(
                f"{what:.600}: {response.status_code} {response.text[:300]}, and nothing explains it"
            )

    def _right(self, wanted: Wanted, told: Told, data: dict[str, Any], what: str) -> None:
        fault = self._world.model.fault_of(wanted, data, asked_ms=told.asked_ms, told_ms=told.told_ms)
        if fault:
            label = told.response.headers.get("cache-status", "")
            self._world.complain(f"{what} ({label}): {fault}")
        self._world.count("samples compared", sum(one["count"] for one in data.values()))

    # --- time series ----------------------------------------------------------------------
    def timeseries(self) -> None:
        """A request on a drawn route, as GET or POST."""
        self._series(self._world.model.draw(self._chance, INLINE_ROWS))

    def live(self) -> None:
        """The newest samples of the live site."""
        self._series(self._world.model.draw_live(self._chance, now_ms()))

    def _series(self, wanted: Wanted) -> None:
        route = self._chance.choice(({}, {}, {"route": "direct"}, {"route": "cached"}))
        headers = {"Cache-Control": self._chance.choice(("", "", "", "no-cache", "no-store"))}
        if self._chance.random() < 0.5:
            told = self.ask("POST", "/api/timeseries", json={**wanted.fields(), **route}, headers=headers)
        else:
            pairs = [*wanted.pairs(), *route.items()]
            told = self.ask("GET", "/api/timeseries", params=pairs, headers=headers)
        if told is None:
            return
        if told.response.status_code == httpx.codes.ACCEPTED:
            self._know(told, wanted)
            return
        self._world.count(f"answers {told.response.headers.get('x-route-type')}")
        self._right(wanted, told, told.response.json()["data"], "timeseries")

    # --- jobs -------------------------------------------------------------------------------
    def new_job(self) -> None:
        """A job of some batches."""
        wanted = self._world.model.draw(self._chance, JOB_ROWS)
        priority = self._chance.choice(("high", "normal", "low"))
        wait = self._chance.choice(({}, {}, {"Prefer": "wait=2"}))
        told = self.ask("POST", "/api/jobs", json={**wanted.fields(), "priority": priority}, headers=wait)
        if told is None:
            return
        if told.response.status_code == httpx.codes.ACCEPTED:
            self._know(told, wanted)
        else:
            self._right(wanted, told, told.response.json()["data"], "a job waited for")

    def _know(self, told: Told, wanted: Wanted) -> None:
        with self._world.lock:
            self._world.jobs[told.response.json()["jobId"]] = wanted
        self._world.count("jobs made or joined")

    def _some_job(self) -> str | None:
        with self._world.lock:
            known = list(self._world.jobs)
        return self._chance.choice(known[-12:]) if known else None

    def look_at_job(self) -> None:
        """How a job stands."""
        job_id = self._some_job()
        told = None if job_id is None else self.ask("GET", f"/api/jobs/{job_id}")
        if told is not None:
            job = told.response.json()
            if (job["status"] == "completed") != (job["progress"] == 100):
                self._world.complain(f"a job that is {job['status']} is {job['progress']} % done")
            if job["status"] == "failed" and not job["error"]:
                self._world.complain(f"a job failed and does not say why: {job}")

    def follow_job(self) -> None:
        """Some events of a job."""
        job_id = self._some_job()
        if job_id is None:
            return
        began = time.monotonic()
        self._world.count("requests")
        try:
            with self._http.stream("GET", f"{self._world.url}/api/jobs/{job_id}/events") as stream:
                for _, _line in zip(range(EVENT_LINES), stream.iter_lines(), strict=False):
                    if not self._world.up.is_set() or time.monotonic() - began > FOLLOWED_S:
                        return
        except (httpx.TransportError, httpx.UnsupportedProtocol) as error:
            self._broken("events", error, began)

    def result(self) -> None:
        """The result of a job in a drawn format, if there is one."""
        job_id = self._some_job()
        if job_id is None:
            return
        chosen = self._chance.choice(("json", "ndjson", "csv"))
        told = self.ask("GET", f"/api/jobs/{job_id}/result", 409, params={"format": chosen})
        if told is not None and told.ok:
            wanted = self._world.jobs[job_id]
            data = series_of(told.response.text, media_type_of(told.response.headers), wanted.points)
            self._right(wanted, told, data, f"result as {chosen}")
            self._world.count(f"results {chosen}")

    def cancel(self) -> None:
        """Cancel a job."""
        job_id = self._some_job()
        if job_id is not None:
            self.ask("DELETE", f"/api/jobs/{job_id}", 409)

    def retry(self) -> None:
        """Take up a failed or cancelled job."""
        job_id = self._some_job()
        if job_id is not None:
            self.ask("POST", f"/api/jobs/{job_id}/retry", 409)

    def replay(self) -> None:
        """Replay a dead letter, if there is one."""
        told = self.ask("GET", "/api/queue/dlq")
        letters = [] if told is None else told.response.json()["letters"]
        if letters:
            letter = self._chance.choice(letters)
            self._world.count("letters replayed")
            self.ask("POST", letter["replayUrl"], 409)

    # --- the rest -----------------------------------------------------------------------------
    def coverage(self) -> None:
        """What is stored; its days must add up."""
        wanted = self._world.model.draw(self._chance, JOB_ROWS)
        told = self.ask("GET", "/api/coverage", params=wanted.pairs())
        if told is None:
            return
        totals = told.response.json()["totals"]
        first, last = wanted.start_ms // 86_400_000, (wanted.end_ms - 1) // 86_400_000
        days = totals["storedDays"] + totals["missingDays"] + totals["liveDays"]
        if days != len(wanted.points) * (last - first + 1):
            self._world.complain(f"coverage does not add up: {totals} for {wanted}")

    def purge(self) -> None:
        """Remove some of what is stored."""
        wanted = self._world.model.draw(self._chance, INLINE_ROWS)
        pairs = wanted.pairs() if self._chance.random() < 0.7 else [("site", wanted.site)]
        self.ask("DELETE", "/api/cache", params=pairs)

    def lists(self) -> None:
        """Every other page; names must be the truth's."""
        model = self._world.model
        site = self._chance.choice(model.truth.sites())
        path = self._chance.choice(
            (
                "/api/sites",
                f"/api/sites/{site}/points",
                "/api/health",
                "/api/stats",
                "/api/metrics",
                "/api/jobs",
            )
        )
        told = self.ask("GET", path)
        if told is not None and path.endswith("/points"):
            names = [point["name"] for point in told.response.json()["points"]]
            if names != sorted(point.name for point in model.truth.points(site)):
                self._world.complain(f"{site} has other points: {names}")
