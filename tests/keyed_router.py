"""A router that asks for keys, over fakes: every endpoint, and how it is asked by who may."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from edgeseries.access.adapters.key_memory import KeyMemory
from edgeseries.access.adapters.key_store import KeyStore
from edgeseries.access.grants import AccessSettings, Auth, Right
from edgeseries.access.keys import ADMIN_KEY_ID, KeyRecord, hash_of, key_text
from edgeseries.http.messages import HttpResponse
from edgeseries.jobs.job import JobRequest
from edgeseries.metrics.adapters.metrics_buffer import MetricsBuffer
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.rates import Tier
from edgeseries.series.timerange import TimeRange
from router.endpoints import ENDPOINTS
from router.ports import Ports
from tests.asked_router import DELIVERIES, QUERY, START_MS, ask
from tests.fake_stores import SqliteDatabase
from tests.fakes import FakeClock, FakeOrigin, FixedRateLimiter
from tests.made_ports import RATES, router_ports

SITE, OTHER_SITE, NO_SITE = "hq", "annex", "nowhere"
ADMIN_KEY = key_text(ADMIN_KEY_ID, "f" * 64)
BODY = (
    b'{"site": "%b", "points": ["b"], '
    b'"start_time": "2024-01-01T00:00:00Z", "end_time": "2024-01-01T01:00:00Z"}'
)
NEW_KEY = b'{"owner": "x", "sites": ["hq"], "rights": ["read"]}'
ROWS = DELIVERIES | {OTHER_SITE: {"b": [(START_MS, 1.0)]}}


@dataclass(frozen=True, kw_only=True)
class Ask:
    """How an endpoint is asked so that a caller who may gets `status`. `{site}` is filled in."""

    status: int = 200
    path: str = ""
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


ASKS: dict[tuple[str, str], Ask] = {
    ("GET", "/api/timeseries"): Ask(query=QUERY),
    ("POST", "/api/timeseries"): Ask(body=BODY),
    ("GET", "/api/latest"): Ask(query=(("site", SITE), ("points", "b"))),
    ("GET", "/api/coverage"): Ask(query=QUERY),
    ("POST", "/api/coverage"): Ask(body=BODY),
    ("DELETE", "/api/cache"): Ask(query=(("site", SITE),)),
    ("GET", "/api/sites"): Ask(),
    ("GET", "/api/sites/{site}/points"): Ask(path="/api/sites/hq/points"),
    ("GET", "/api/jobs"): Ask(),
    ("POST", "/api/jobs"): Ask(status=202, body=BODY),
    ("GET", "/api/jobs/{job}"): Ask(path="/api/jobs/{job}"),
    ("DELETE", "/api/jobs/{job}"): Ask(path="/api/jobs/{job}"),
    ("GET", "/api/jobs/{job}/result"): Ask(status=409, path="/api/jobs/{job}/result"),
    ("GET", "/api/jobs/{job}/files"): Ask(status=409, path="/api/jobs/{job}/files"),
    ("GET", "/api/jobs/{job}/files/{site_part}/{point_part}/{year_part}/data.parquet"): Ask(
        status=409, path="/api/jobs/{job}/files/site=hq/point=b/year=2024/data.parquet"
    ),
    ("GET", "/api/jobs/{job}/events"): Ask(path="/api/jobs/{job}/events"),
    ("GET", "/api/jobs/{job}/socket"): Ask(status=400, path="/api/jobs/{job}/socket"),
    ("POST", "/api/jobs/{job}/retry"): Ask(status=409, path="/api/jobs/{job}/retry"),
    ("GET", "/api/warm"): Ask(),
    ("POST", "/api/warm"): Ask(status=202, body=b'{"site": "%b", "points": ["b"], "days": 2}'),
    ("PUT", "/api/warm/{set}"): Ask(path="/api/warm/lobby", body=b'{"site": "%b", "points": ["b"]}'),
    ("DELETE", "/api/warm/{set}"): Ask(status=404, path="/api/warm/none"),
    ("GET", "/api/queue/dlq"): Ask(),
    ("POST", "/api/queue/dlq/{letter}/replay"): Ask(status=404, path="/api/queue/dlq/none/replay"),
    ("GET", "/api/keys"): Ask(),
    ("POST", "/api/keys"): Ask(status=201, body=NEW_KEY),
    ("GET", "/api/keys/{key}"): Ask(path="/api/keys/00000000000a"),
    ("DELETE", "/api/keys/{key}"): Ask(path="/api/keys/00000000000a"),
    ("GET", "/api/session"): Ask(),
    ("GET", "/api/stats"): Ask(),
    ("GET", "/api/metrics"): Ask(),
    ("GET", "/prometheus/api/v1/query"): Ask(query=(("query", 'edgeseries_value{site="{site}"}'),)),
    ("GET", "/prometheus/api/v1/query_range"): Ask(
        query=(("query", 'edgeseries_value{site="{site}"}'), ("start", "0"), ("end", "60"), ("step", "60"))
    ),
    ("GET", "/prometheus/api/v1/series"): Ask(query=(("match[]", 'edgeseries_value{site="{site}"}'),)),
    ("GET", "/prometheus/api/v1/labels"): Ask(),
    ("GET", "/prometheus/api/v1/label/{label}/values"): Ask(path="/prometheus/api/v1/label/site/values"),
    ("GET", "/prometheus/api/v1/metadata"): Ask(),
    ("GET", "/prometheus/api/v1/status/buildinfo"): Ask(),
    ("GET", "/api/openapi.json"): Ask(),
    ("GET", "/api/health"): Ask(),
}
AT = {(endpoint.method, endpoint.pattern): endpoint for endpoint in ENDPOINTS}
HERE = list(AT)


@dataclass
class House:
    """A router that asks for keys, with some of them and a job of the first."""

    database: SqliteDatabase = field(default_factory=SqliteDatabase)
    clock: FakeClock = field(default_factory=lambda: FakeClock(at_ms=1_700_000_000_000))
    memory: KeyMemory = field(default_factory=KeyMemory)
    origin: FakeOrigin = field(default_factory=lambda: FakeOrigin(ROWS))
    rate_limiter: FixedRateLimiter = field(default_factory=FixedRateLimiter)
    changes: dict[str, Any] = field(default_factory=dict)
    made: int = 9

    @property
    def ports(self) -> Ports:
        access = AccessSettings(
            auth=Auth.KEYS, admin_key_hash=hash_of(ADMIN_KEY), rates=RATES, active_jobs_per_key=2
        )
        given: dict[str, Any] = {"access": access, "origin": self.origin, **self.changes}
        return router_ports(
            database=self.database,
            clock=self.clock,
            rate_limiter=self.rate_limiter,
            keys=self.store(),
            **given,
        )

    def store(self) -> KeyStore:
        return KeyStore(
            database=self.database, memory=self.memory, metrics_buffer=MetricsBuffer(), clock=self.clock
        )

    def key(self, *rights: Right, sites: tuple[str, ...] | None = (SITE,), tier: Tier = Tier.STANDARD) -> str:
        self.made += 1
        text = key_text(f"{self.made:012x}", f"{self.made:064x}")
        record = KeyRecord(
            key_id=f"{self.made:012x}",
            key_hash=hash_of(text),
            owner="a test",
            sites=sites,
            rights=rights,
            tier=tier,
            created_ms=self.clock.at_ms,
        )
        asyncio.run(self.store().add(record))
        return text

    def revoke(self, key: str) -> None:
        asyncio.run(self.store().revoke(key.split("_")[1], now_ms=self.clock.at_ms))

    def job_of(self, key: str, points: tuple[str, ...] = ("b",)) -> str:
        span = TimeRange(start_ms=START_MS, end_ms=START_MS + 60_000)
        query = TimeseriesQuery(site=SITE, points=points, span=span)
        request = JobRequest(query=query, owner=key.split("_")[1])
        made = self.ports.jobs.create(request, now_ms=self.clock.at_ms, join_ended_after_ms=0)
        return asyncio.run(made).job.job_id

    def ask(self, key: str | None, method: str, pattern: str, job: str, site: str = SITE) -> HttpResponse:
        one = ASKS[method, pattern]
        return ask(
            (one.path or pattern).replace("{job}", job).replace("/hq/", f"/{site}/"),
            tuple((name, text.replace(SITE, site)) for name, text in one.query),
            method=method,
            body=one.body.replace(b"%b", site.encode()),
            ports=self.ports,
            headers={} if key is None else {"authorization": f"Bearer {key}"},
            caller="192.0.2.1",
        )
