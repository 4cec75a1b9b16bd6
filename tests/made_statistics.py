"""Hand-made rows of every table that statistics are made from, few enough to be added up by hand."""

import json
from collections.abc import Mapping

from edgeseries.limits import DAY_MS
from edgeseries.metrics.latency import BUCKETS
from tests.fake_stores import SqliteDatabase

DAY = 19_700 * DAY_MS
MINUTE = 60_000


def insert(database: SqliteDatabase, table: str, *rows: Mapping[str, object]) -> None:
    for row in rows:
        marks = ",".join("?" * len(row))
        database.connection.execute(
            f"INSERT INTO {table} ({','.join(row)}) VALUES ({marks})", list(row.values())
        )


def buckets(**counts: int) -> str:
    """A histogram: `b3=2` is two in bucket 3."""
    return json.dumps([counts.get(f"b{place}", 0) for place in range(BUCKETS)])


def stored(key: str, site: str, samples: int, sizes: tuple[int, int], hits: int) -> dict[str, object]:
    """An object with its raw and stored bytes."""
    raw, packed = sizes
    kind = "answer" if key.startswith("answers/") else "block"
    return {
        "object_key": key,
        "kind": kind,
        "site": site,
        "sample_count": samples,
        "raw_bytes": raw,
        "stored_bytes": packed,
        "codec": "br",
        "hit_count": hits,
        "created_ms": 5,
        "used_ms": 5,
    }


def served(minute_ms: int, route: str, status_class: int, verdict: str, **sums: object) -> dict[str, object]:
    return {
        "minute_ms": minute_ms,
        "endpoint": "/api/timeseries" if route else "/api/sites",
        "route": route,
        "status_class": status_class,
        "cache_verdict": verdict,
        "duration_buckets": buckets(),
        **sums,
    }


def job(job_id: str, status: str, created_ms: int, ended_ms: int | None, samples: int) -> dict[str, object]:
    return {
        "job_id": job_id,
        "site": "hq",
        "point_count": 1,
        "start_ms": 0,
        "end_ms": 9,
        "priority": "low",
        "status": status,
        "batch_count": 1,
        "sample_count": samples,
        "created_ms": created_ms,
        "ended_ms": ended_ms,
    }


def fill(database: SqliteDatabase) -> None:
    """Two sites, two routes, jobs in every state, one dead letter that waits and one that does not."""
    insert(
        database,
        "cache_metadata",
        stored("blocks/v1/a/1/2024-01", "a", 100, (1_600, 40), 3),
        stored("blocks/v1/a/2/2024-01", "a", 50, (800, 40), 0),
        stored("blocks/v1/b/1/2024-01", "b", 10, (160, 20), 1),
        stored("answers/v1/x", "a", 100, (3_000, 300), 7),
    )
    insert(
        database,
        "request_analytics",
        served(
            0, "cached", 2, "hit",
            request_count=10, duration_sum_ms=40, duration_buckets=buckets(b2=10), sample_count=1_000,
        ),
        served(
            DAY, "cached", 2, "hit",
            request_count=5, duration_sum_ms=20, duration_buckets=buckets(b2=5), sample_count=500,
        ),
        served(
            DAY, "cached", 2, "miss",
            request_count=3, duration_sum_ms=900, duration_buckets=buckets(b8=3), sample_count=300,
            origin_samples=310, body_bytes=7,
        ),
        served(
            DAY + MINUTE, "cached", 5, "none",
            request_count=2, duration_sum_ms=4_040, duration_buckets=buckets(b11=2),
        ),
        served(
            DAY + MINUTE, "direct", 2, "partial",
            request_count=4, duration_sum_ms=100, duration_buckets=buckets(b5=4), sample_count=40,
            origin_samples=30,
        ),
        served(DAY, "", 4, "none", request_count=1, duration_sum_ms=1, duration_buckets=buckets(b0=1)),
    )  # fmt: skip
    insert(
        database,
        "job_history",
        job("h1", "completed", DAY, DAY + 1_000, 40),
        job("h2", "failed", DAY, DAY + 5, 1),
    )
    insert(
        database,
        "queue_jobs",
        *(
            {**job(f"q{place}", status, DAY + DAY_MS, ended_ms, 7), "request_digest": f"q{place}"}
            | {"points_json": "[]", "updated_ms": ended_ms or DAY}
            for place, (status, ended_ms) in enumerate(
                [
                    ("completed", DAY + DAY_MS + 3_000),
                    ("cancelled", DAY + DAY_MS + 9),
                    ("processing", None),
                    ("queued", None),
                    ("queued", None),
                ]
            )
        ),
    )
    letter = {"queue": "q", "message_json": "{}", "cause": "c", "attempts": 4, "buried_ms": 5}
    insert(
        database,
        "dead_letters",
        {"letter_id": "l1", **letter},
        {"letter_id": "l2", **letter, "replayed_ms": 9},
    )
    insert(
        database,
        "platform_usage",
        {"day_ms": DAY, "function": "router", "requests": 25, "r2_class_b": 9, "upstream_samples": 340},
        {
            "day_ms": DAY,
            "function": "consumer",
            "requests": 2,
            "upstream_calls": 8,
            "upstream_samples": 47,
            "refused_calls": 2,
            "interactive_wait_ms": 250,
            "job_wait_ms": 1_500,
        },
        {"day_ms": DAY - 40 * DAY_MS, "function": "router", "requests": 1_000, "d1_rows_written": 6},
    )
    insert(
        database,
        "upstream_usage",
        {"day_ms": DAY, "upstream": "upstream", "calls": 2, "fetches": 1, "samples": 300},
        {"day_ms": DAY - DAY_MS, "upstream": "upstream", "calls": 1, "fetches": 1},
        {
            "day_ms": DAY,
            "upstream": "meters",
            "calls": 4,
            "failed_calls": 1,
            "fetches": 3,
            "failed_fetches": 1,
            "samples": 40,
        },
    )
    insert(
        database,
        "janitor_state",
        {"duty": "sweep", "ran_ms": DAY + 500, "outcome": "8 of 8 duties done"},
        {"duty": "hold-budget", "ran_ms": DAY + 400, "outcome": "failed: the bucket is late"},
        {"duty": "roll-up", "ran_ms": 0, "lease_until_ms": 9},
    )
