"""SQL of what isolates counted, but for requests (`request_statements.py`). Tables: `schema.sql`."""

from typing import Final

OPERATIONS: Final = (
    "requests",
    "r2_class_a",
    "r2_class_b",
    "d1_rows_read",
    "d1_rows_written",
    "d1_transactions",
    "queue_operations",
    "analytics_points",
    "upstream_calls",
    "upstream_samples",
    "expected_answers",
    "expected_samples",
    "delivered_samples",
    "expected_ms",
    "measured_ms",
    "shared_fetches",
    "fetches_taken_over",
    "waits_in_vain",
    "refused_calls",
    "interactive_wait_ms",
    "job_wait_ms",
    "warming_wait_ms",
    "surplus_samples",
)
"""Columns of `platform_usage`. Those that are billed are named as in `metrics/prices.py`."""

RECORD_USES: Final = """
UPDATE cache_metadata SET hit_count = hit_count + use.hits, used_ms = max(used_ms, use.at_ms)
FROM (SELECT value ->> 0 AS used_key, value ->> 1 AS hits, value ->> 2 AS at_ms FROM json_each(?1)) AS use
WHERE object_key = use.used_key
"""
"""Rows of (key, hits, last use). An object that has gone meanwhile has no row, and gets none."""

RECORD_OPERATIONS: Final = f"""
INSERT INTO platform_usage (day_ms, function, {", ".join(OPERATIONS)})
VALUES (?1, ?2, {", ".join(f"?{place}" for place in range(3, 3 + len(OPERATIONS)))})
ON CONFLICT (day_ms, function) DO UPDATE SET
  {", ".join(f"{name} = {name} + excluded.{name}" for name in OPERATIONS)}
"""

UPSTREAM_COUNTS: Final = ("calls", "failed_calls", "fetches", "failed_fetches", "samples")
"""Columns of `upstream_usage`."""

RECORD_UPSTREAMS: Final = f"""
INSERT INTO upstream_usage (day_ms, upstream, {", ".join(UPSTREAM_COUNTS)})
SELECT {", ".join(f"value ->> {place}" for place in range(2 + len(UPSTREAM_COUNTS)))}
FROM json_each(?1) WHERE true
ON CONFLICT (day_ms, upstream) DO UPDATE SET
  {", ".join(f"{name} = {name} + excluded.{name}" for name in UPSTREAM_COUNTS)}
"""
"""Rows of (day, name, counts)."""

RECORD_KEY_USES: Final = """
UPDATE api_keys SET used_ms = use.at_ms
FROM (SELECT value ->> 0 AS used_id, value ->> 1 AS at_ms FROM json_each(?1)) AS use
WHERE key_id = use.used_id AND coalesce(used_ms, 0) < use.at_ms
"""
"""Rows of (id, hour of use). However many isolates count one hour, a row is written once in it."""
