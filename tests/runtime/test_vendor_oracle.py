"""The oracle under trouble, on workerd: the vendor corrects old data, loses its routes, answers late; callers
purge, refresh and run jobs meanwhile. After every step each answer equals, day by day, what the vendor said
at some moment since the last purge or refresh of that day (`tests/vendor_history.py`).
"""

import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from local.stack import Stack, StackOptions
from local.upstream.truth import Truth
from tests.loopback import NO_CERTIFICATES
from tests.runtime.conftest import SAMPLE, TIMEOUT_S, hold_response
from tests.soak.model import Wanted, iso, series_of
from tests.vendor_history import DAY_MS, VendorHistory

pytestmark = pytest.mark.runtime

SEED: Final = 20_261_125
STEPS: Final = 160
SITE: Final = "opengrid_minute"
POINTS: Final = ("water_1a5c", "water_2923", "water_6616")
FIRST_MS: Final = 1_425_340_800_000
DAYS: Final = 6
"""Few points and days, so that steps meet: each day is stored, corrected, purged and read many times."""

SLOW_MS: Final = 700
POLL_S: Final = 0.02
JOB_PATIENCE_S: Final = 60.0
HOSTILE: Final[dict[str, dict[str, Any]]] = {
    "500": {"rate_500": 1.0},
    "cut bodies": {"rate_truncated": 1.0},
    "resets": {"rate_reset": 1.0},
    "404 of a gateway": {"mood": "gateway_page"},
    "404 of a gateway in JSON": {"mood": "gateway_json"},
    "404 of a route that is not deployed": {"mood": "no_route"},
    "404 that there is no data, by batches alone": {"mood": "no_data", "only": ["points_get_timeseries"]},
    "rows of another site": {"mood": "unasked_rows"},
    "rows outside the range": {"mood": "outside_rows"},
    "a page more than a batch can have": {"mood": "more"},
    "brackets": {"mood": "brackets"},
}
"""Spells in which the vendor tells nothing that may be believed, or something beside what was asked."""

CALM: Final[dict[str, Any]] = {
    "rate_500": 0,
    "rate_truncated": 0,
    "rate_reset": 0,
    "mood": None,
    "only": None,
}
"""What ends every spell without forgetting the corrections (a reset would)."""


@dataclass
class Session:
    """One run: the stack, the vendor's history, and what was seen, so that a draw without reach fails."""

    stack: Stack
    client: httpx.Client
    history: VendorHistory
    chance: random.Random
    seen: Counter[str] = field(default_factory=Counter)

    def upstream(self, **knobs: Any) -> None:
        httpx.post(
            f"{self.stack.upstream_url}/_control",
            json=knobs,
            trust_env=False,
            verify=NO_CERTIFICATES,
            timeout=TIMEOUT_S,
        ).raise_for_status()

    def calls(self) -> int:
        """Calls that the vendor has had."""
        return int(
            httpx.get(f"{self.stack.upstream_url}/_stats", trust_env=False, verify=NO_CERTIFICATES).json()[
                "calls"
            ]
        )

    def draw(self) -> Wanted:
        """Some points, and some hours or whole days of the few days that all is about."""
        points = tuple(self.chance.sample(POINTS, self.chance.randint(1, len(POINTS))))
        if self.chance.random() < 0.5:
            first = self.chance.randrange(DAYS)
            start_ms = FIRST_MS + first * DAY_MS
            end_ms = start_ms + self.chance.randint(1, DAYS - first) * DAY_MS
        else:
            start_ms = FIRST_MS + self.chance.randrange(DAYS * 24 - 1) * 3_600_000
            end_ms = min(start_ms + self.chance.randint(1, 30) * 3_600_000, FIRST_MS + DAYS * DAY_MS)
        return Wanted(site=SITE, points=points, start_ms=start_ms, end_ms=end_ms)

    def send(self, wanted: Wanted, cache_control: str = "") -> httpx.Response:
        """On a drawn route, as GET or POST."""
        route = self.chance.choice(({}, {}, {"route": "direct"}, {"route": "cached"}))
        headers = {"Cache-Control": cache_control} if cache_control else {}
        if self.chance.random() < 0.5:
            return self.client.post("/api/timeseries", json={**wanted.fields(), **route}, headers=headers)
        return self.client.get("/api/timeseries", params=[*wanted.pairs(), *route.items()], headers=headers)

    def floors(self, wanted: Wanted) -> dict[str, dict[int, int]]:
        """What may be told no more, by point, of a request that leaves now."""
        return {
            point: self.history.floors(SITE, point, wanted.start_ms, wanted.end_ms) for point in wanted.points
        }

    def judge(
        self, wanted: Wanted, data: dict[str, Any], floors: dict[str, dict[int, int]], what: str
    ) -> None:
        """Every point and every day of an answer."""
        assert list(data) == sorted(wanted.points), what
        for point, one in data.items():
            assert one["error"] is None, (what, one["error"])
            fault = self.history.fault_of(
                SITE, point, wanted.start_ms, wanted.end_ms, rows=one["samples"], floors=floors[point]
            )
            assert fault is None, f"{what}, step {self.history.step}: {fault}"
            self.seen["samples"] += len(one["samples"])
            current = self.history.is_current(
                SITE, point, wanted.start_ms, wanted.end_ms, rows=one["samples"]
            )
            self.seen["series current" if current else "series as they were before a correction"] += 1


@pytest.fixture(scope="module")
def vendor_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: its vendor says other things than the files do."""
    options = StackOptions(
        wake_all=False,
        state=tmp_path_factory.mktemp("vendor"),
        data=SAMPLE,
        settings={"circuitPauseSeconds": "0", "queueMaxWaitSeconds": "0", "batchPoints": "2"},
    )
    with Stack(options) as stack:
        yield stack


@pytest.fixture
def session(vendor_stack: Stack) -> Iterator[Session]:
    client = httpx.Client(
        base_url=vendor_stack.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES
    )
    client.event_hooks = {"response": [hold_response]}
    with client:
        one = Session(
            stack=vendor_stack,
            client=client,
            history=VendorHistory(Truth(Path(SAMPLE))),
            chance=random.Random(SEED),  # noqa: S311 - a seeded draw
        )
        one.upstream(reset=True)
        client.delete("/api/cache", params={"site": SITE}).raise_for_status()
        yield one
        one.upstream(reset=True)


def ask(session: Session) -> None:
    """A request like any other."""
    wanted = session.draw()
    floors = session.floors(wanted)
    response = session.send(wanted)
    assert response.status_code == 200, response.text
    session.seen[response.headers["cache-status"]] += 1
    session.judge(wanted, response.json()["data"], floors, response.headers["cache-status"])


def refresh(session: Session) -> None:
    """`no-cache`: its answer is what the vendor says now, and nothing older is told of its days again."""
    wanted = session.draw()
    since = session.history.step
    response = session.send(wanted, "no-cache")
    assert response.status_code == 200, response.text
    data = response.json()["data"]
    for point, one in data.items():
        assert session.history.is_current(SITE, point, wanted.start_ms, wanted.end_ms, rows=one["samples"]), (
            f"a refresh of {point} is not what the vendor says"
        )
    # It has stored whole days of what it read before it answered: no later answer may be older.
    session.history.forget(SITE, wanted.points, wanted.start_ms, wanted.end_ms, since=since)
    session.seen["refreshes"] += 1


def purge(session: Session) -> None:
    """Of the site, of points, or of days."""
    wanted = session.draw()
    params: list[tuple[str, Any]] = [("site", SITE)]
    points: tuple[str, ...] = POINTS
    start_ms, end_ms = FIRST_MS, FIRST_MS + DAYS * DAY_MS
    if session.chance.random() < 0.7:
        points = wanted.points
        params += [("point", point) for point in points]
    if session.chance.random() < 0.5:
        start_ms, end_ms = wanted.start_ms, wanted.end_ms
        params += [("start_time", iso(start_ms)), ("end_time", iso(end_ms))]
    since = session.history.step
    session.client.delete("/api/cache", params=params).raise_for_status()
    session.history.forget(SITE, points, start_ms, end_ms, since=since)
    session.seen["purges"] += 1


def correct(session: Session) -> None:
    """The vendor changes, or finds, some samples of one sealed day."""
    point = session.chance.choice(POINTS)
    day_ms = FIRST_MS + session.chance.randrange(DAYS) * DAY_MS
    minutes = session.chance.sample(range(24 * 60), 3)
    samples = [
        (day_ms + minute * 60_000, f"{session.chance.randint(0, 999)}.5") for minute in sorted(minutes)
    ]
    session.upstream(
        late=[{"site": SITE, "point": point, "samples": [[iso(at_ms), text] for at_ms, text in samples]}]
    )
    session.history.correct(SITE, point, samples)
    session.seen["corrections"] += 1


def spell(session: Session) -> None:
    """While the vendor can say nothing that may be believed, an answer is stored data or an honest error."""
    name = session.chance.choice(list(HOSTILE))
    session.upstream(**HOSTILE[name])
    session.seen[name] += 1
    for _ in range(2):
        wanted = session.draw()
        floors = session.floors(wanted)
        response = session.send(wanted)
        if response.status_code == 200:
            session.judge(wanted, response.json()["data"], floors, "in a spell")
            session.seen["answers in a spell"] += 1
        else:
            assert response.status_code in {502, 503, 504}, response.text
            session.seen["errors in a spell"] += 1
    session.upstream(**CALM)


def overtaken(session: Session) -> None:
    """A slow request is overtaken by a correction and a purge or refresh of what it asks."""
    wanted = session.draw()
    floors = session.floors(wanted)
    session.upstream(latency_ms=SLOW_MS)
    calls = session.calls()
    with ThreadPoolExecutor(max_workers=1) as threads:
        slow: Future[httpx.Response] = threads.submit(session.send, wanted)
        # Once it is at the vendor, what it will be told is settled.
        while not slow.done() and session.calls() == calls:
            time.sleep(POLL_S)
        session.upstream(latency_ms=0)
        correct(session)
        since = session.history.step
        params = {"site": SITE, "point": list(wanted.points)}
        session.client.delete("/api/cache", params=params).raise_for_status()
        session.history.forget(SITE, wanted.points, FIRST_MS, FIRST_MS + DAYS * DAY_MS, since=since)
        response = slow.result()
    assert response.status_code == 200, response.text
    session.judge(wanted, response.json()["data"], floors, "overtaken")
    session.seen["overtaken"] += 1
    again = session.send(wanted)
    session.judge(wanted, again.json()["data"], session.floors(wanted), "after the purge that overtook it")


def job(session: Session) -> None:
    """A job, perhaps overtaken by a purge: its result is no older than the purge."""
    wanted = session.draw()
    made = session.client.post("/api/jobs", json=wanted.fields())
    assert made.status_code == 202, made.text
    if session.chance.random() < 0.5:
        correct(session)
        since = session.history.step
        session.client.delete("/api/cache", params={"site": SITE}).raise_for_status()
        session.history.forget(SITE, POINTS, FIRST_MS, FIRST_MS + DAYS * DAY_MS, since=since)
        session.seen["jobs overtaken"] += 1
    url = made.json()["statusUrl"]
    until = time.monotonic() + JOB_PATIENCE_S
    while (told := session.client.get(url).json())["status"] not in {"completed", "failed", "cancelled"}:
        assert time.monotonic() < until, told
        time.sleep(POLL_S)
    assert told["status"] == "completed", told
    floors = session.floors(wanted)
    chosen = session.chance.choice(("json", "ndjson", "csv"))
    result = session.client.get(told["resultUrl"], params={"format": chosen})
    assert result.status_code == 200, result.text
    data = series_of(result.text, result.headers["content-type"].partition(";")[0], wanted.points)
    session.judge(wanted, data, floors, f"result as {chosen}")
    session.seen["jobs"] += 1


STEPS_DRAWN: Final = {ask: 60, refresh: 12, purge: 8, correct: 22, spell: 16, overtaken: 8, job: 6}


def test_every_answer_is_what_the_vendor_said_since_the_last_purge_or_refresh(session: Session) -> None:
    for _ in range(STEPS):
        (step,) = session.chance.choices(list(STEPS_DRAWN), list(STEPS_DRAWN.values()))
        step(session)
    print(f"{STEPS} steps, seed {SEED}: {dict(session.seen)}")
    assert session.seen["samples"] > 50_000
    for what in ("refreshes", "purges", "corrections", "overtaken", "jobs", "answers in a spell"):
        assert session.seen[what], f"the draw never reached: {what}"
    assert sum(name in session.seen for name in HOSTILE) > len(HOSTILE) // 2
    assert session.seen["series as they were before a correction"], "nothing stored was ever out of date"
