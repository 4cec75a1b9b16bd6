"""Quiet points at the simulator, counted by it: looks at a live window, as dashboards take them."""

import asyncio
import csv
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from edgeseries.blocks.ports.blocks import StoredIndex
from edgeseries.limits import DAY_MS, HOUR_MS, LIVE_TTL_MS, MINUTE_MS
from edgeseries.origins.ace.catalogue import Catalogue
from edgeseries.origins.ace.origin import AceOrigin
from edgeseries.planning.adapters.live_memory import LiveMemory
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.reading.series_reader import ReadOptions, SeriesReader
from edgeseries.reading.survey import Index
from edgeseries.series.timerange import TimeRange
from local.expected import expected_samples
from local.upstream.background import running
from local.upstream.truth import Truth
from tests.fake_stores import FakeBlocks
from tests.fakes import FakeClock, ListJournal
from tests.host_web import HostWeb
from tests.loopback import NO_CERTIFICATES

SITE = "made_up_hall"
FIRST_CALL = 12
REPEATED_CALLS = 2
TOKEN = "made-up-token"  # noqa: S105 - the simulator's, on loopback

MIDNIGHT_MS = int(datetime(2024, 3, 1, tzinfo=UTC).timestamp() * 1_000)
NOW_MS = MIDNIGHT_MS + 12 * HOUR_MS
QUIET = tuple(f"quiet {number:03d}" for number in range(200))
LOUD = tuple(f"loud {number:03d}" for number in range(60))


def write_hall(folder: Path, *, minutes: int) -> Path:
    """A site of 200 points without a sample for a month, and 60 that have one every so many minutes."""
    old = [(MIDNIGHT_MS - 30 * DAY_MS, "1")]
    step_ms = minutes * MINUTE_MS
    new = [(at_ms, str(at_ms % 97)) for at_ms in range(MIDNIGHT_MS - 2 * HOUR_MS, NOW_MS, step_ms)]
    (folder / SITE).mkdir(parents=True)
    for number, name in enumerate((*QUIET, *LOUD)):
        rows = old if name in QUIET else new
        with gzip.open(folder / SITE / f"p{number}.csv.gz", "wt", newline="") as file:
            written = csv.writer(file)
            written.writerow(("timestamp", "value"))
            written.writerows(
                (datetime.fromtimestamp(at / 1_000, tz=UTC).isoformat(), one) for at, one in rows
            )
    with (folder / SITE / "points.csv").open("w", newline="") as file:
        named = csv.writer(file)
        named.writerow(("file", "name", "unit", "kind"))
        named.writerows((f"p{number}.csv.gz", name, "", "") for number, name in enumerate((*QUIET, *LOUD)))
    return folder


@dataclass
class Hall:
    """The simulator, and one isolate that looks at it. Its clock stands still but for `look`'s steps."""

    url: str
    truth: Truth
    clock: FakeClock = field(default_factory=lambda: FakeClock(at_ms=NOW_MS))
    catalogue: Catalogue = field(default_factory=Catalogue)
    live_cache: LiveMemory = field(default_factory=LiveMemory)

    def look(
        self, points: tuple[str, ...], *, start_ms: int = MIDNIGHT_MS, densities: Any = ()
    ) -> dict[str, int]:
        """One request for the live window until now, in an event of its own. Every answer must be right.
        Calls by endpoint."""
        host = self.url.removesuffix("/api")
        settings = {"reset_stats": True, "known_until": stamp(self.clock.now_ms())}
        httpx.post(
            f"{host}/_control", json=settings, trust_env=False, verify=NO_CERTIFICATES
        ).raise_for_status()
        origin = AceOrigin(
            base_url=self.url, token=TOKEN, web=HostWeb(), clock=self.clock, catalogue=self.catalogue
        )
        reader = SeriesReader(
            blocks=FakeBlocks(clock=self.clock),
            origin=origin,
            clock=self.clock,
            journal=ListJournal(),
            settle_lag_ms=HOUR_MS,
            live_cache=self.live_cache,
            live_ttl_ms=LIVE_TTL_MS,
        )
        wanted = TimeseriesQuery(
            site=SITE, points=points, span=TimeRange(start_ms=start_ms, end_ms=self.clock.now_ms())
        )
        index = Index(stored=StoredIndex(density_per_day=dict(densities)), known=True)
        options = ReadOptions(deadline_ms=self.clock.now_ms() + 30_000, probes=True)

        async def read() -> Any:
            survey = reader.survey(wanted, index, now_ms=self.clock.now_ms())
            reading = await reader.read(survey, options, bound=SampleBound(1_000_000))
            reader.learn(survey, reading.fetched, dict.fromkeys(points, 0))
            return reading

        for one in asyncio.run(read()).series:
            told = [[at, value] for at, value in zip(one.samples.times_ms, one.samples.values, strict=True)]
            assert told == expected_samples(self.truth, SITE, one.point, start_ms, self.clock.now_ms())
            assert one.error is None
        stats = httpx.get(f"{host}/_stats", trust_env=False, verify=NO_CERTIFICATES).json()
        return dict(stats["by_endpoint"])


def stamp(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, tz=UTC).isoformat()


@contextmanager
def hall(folder: Path, *, minutes: int) -> Iterator[Hall]:
    truth = Truth(write_hall(folder, minutes=minutes))
    with running(truth, token=TOKEN) as url:
        yield Hall(url=url, truth=truth)


@pytest.fixture(scope="module", params=[5, 1], ids=["few pages", "many pages"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """At 5 minutes the whole site is 8,640 rows; at one minute 43,200, more pages than are read."""
    with hall(tmp_path_factory.mktemp("hall"), minutes=request.param) as one:
        yield one


@pytest.fixture
def isolate(served: Hall) -> Hall:
    """A new isolate."""
    return Hall(url=served.url, truth=served.truth)


@pytest.mark.parametrize("hours", [3, 12])
def test_200_quiet_points_take_few_calls_and_none_within_the_live_ttl(isolate: Hall, hours: int) -> None:
    start_ms = NOW_MS - hours * HOUR_MS
    first = isolate.look(QUIET, start_ms=start_ms)
    assert sum(first.values()) <= FIRST_CALL, first
    assert "point_timeseries" not in first
    isolate.clock.at_ms += LIVE_TTL_MS // 2
    assert not isolate.look(QUIET, start_ms=start_ms)
    isolate.clock.at_ms += LIVE_TTL_MS
    later = isolate.look(QUIET, start_ms=start_ms)
    assert sum(later.values()) <= 5, later
    # Another isolate that had looked at the site, and knows nothing of these samples.
    isolate.live_cache = LiveMemory()
    again = isolate.look(QUIET, start_ms=start_ms)
    assert sum(again.values()) <= 6, again


def test_quiet_and_other_points_together(isolate: Hall) -> None:
    points = tuple(sorted((*QUIET, *LOUD)))
    densities = dict.fromkeys(LOUD, 300.0)
    first = isolate.look(points, densities=densities)
    assert sum(first.values()) <= FIRST_CALL, first
    isolate.clock.at_ms += LIVE_TTL_MS // 2
    assert sum(isolate.look(points, densities=densities).values()) <= REPEATED_CALLS
    isolate.clock.at_ms += LIVE_TTL_MS
    later = isolate.look(points, densities=densities)
    # Two batches of those that have samples, four of those that have none, and three at the most that keep
    # points with different last samples apart.
    assert sum(later.values()) <= 9, later
