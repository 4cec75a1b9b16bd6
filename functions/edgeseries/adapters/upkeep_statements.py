"""SQL of the janitor's duties over stored objects and over records. Tables: `schema.sql`.

Parameters are numbered in the order in which the adapters give them. Sets come as JSON.
"""

from typing import Final

# --- stored objects ------------------------------------------------------------
STORED_BYTES: Final = "SELECT coalesce(sum(stored_bytes), 0) FROM cache_metadata"
"""Reads the index by use alone, which holds the bytes, too."""

EXPIRED: Final = """
SELECT object_key, stored_bytes, used_ms FROM cache_metadata
WHERE expires_ms IS NOT NULL AND expires_ms <= ?1 ORDER BY expires_ms LIMIT ?2
"""

LEAST_USED: Final = "SELECT object_key, stored_bytes, used_ms FROM cache_metadata ORDER BY used_ms LIMIT ?1"

REMOVE_UNUSED_ROWS: Final = """
DELETE FROM cache_metadata WHERE rowid IN (
  SELECT held.rowid FROM json_each(?1) AS seen
  CROSS JOIN cache_metadata AS held ON held.object_key = seen.value ->> 0
  WHERE held.used_ms <= seen.value ->> 1)
"""
"""Rows of (key, last use seen): one that was written anew since then stays."""

ROWS_BETWEEN: Final = """
SELECT object_key, max(used_ms, created_ms) FROM cache_metadata
WHERE object_key > ?1 AND object_key <= ?2 ORDER BY object_key LIMIT ?3
"""

# --- records --------------------------------------------------------------------
ENDED_JOBS: Final = """
SELECT job_id, batch_count FROM queue_jobs
WHERE status = ?1 AND updated_ms < ?2 ORDER BY updated_ms LIMIT ?3
"""

_STILL_ENDED: Final = """
job_id IN (SELECT value FROM json_each(?1))
  AND status IN ('completed', 'failed', 'cancelled') AND updated_ms < ?2
"""

ARCHIVE_JOBS: Final = f"""
INSERT INTO job_history
  (job_id, owner, site, point_count, start_ms, end_ms, priority, status, batch_count, sample_count, error,
   created_ms, started_ms, ended_ms)
SELECT job_id, owner, site, point_count, start_ms, end_ms, priority, status, batch_count, sample_count, error,
  created_ms, started_ms, coalesce(ended_ms, updated_ms)
FROM queue_jobs WHERE {_STILL_ENDED}
ON CONFLICT (job_id) DO NOTHING
"""

PRUNE_BATCHES: Final = f"""
DELETE FROM job_batches WHERE job_id IN (SELECT job_id FROM queue_jobs WHERE {_STILL_ENDED})
"""

PRUNE_JOBS: Final = f"DELETE FROM queue_jobs WHERE {_STILL_ENDED}"
"""The last of the three, in one transaction with the two before it: a job that somebody takes up again
in this moment either is archived whole or not at all."""

PRUNE_HISTORY: Final = """
DELETE FROM job_history
WHERE job_id IN (SELECT job_id FROM job_history WHERE ended_ms < ?1 ORDER BY ended_ms LIMIT ?2)
RETURNING job_id
"""

PURGE_LETTERS: Final = """
DELETE FROM dead_letters
WHERE letter_id IN (SELECT letter_id FROM dead_letters WHERE buried_ms < ?1 ORDER BY buried_ms LIMIT ?2)
RETURNING letter_id
"""

FIRST_REQUESTS: Final = """
SELECT min(minute_ms) FROM request_analytics WHERE minute_ms >= ?1 AND minute_ms < ?2
"""

_SPAN: Final = "minute_ms >= ?1 AND minute_ms < ?2 AND minute_ms <> ?3"

ADDED_BUCKETS: Final = """
  duration_buckets = (
    SELECT json_group_array(total) FROM (
      SELECT sum(value) AS total FROM (
        SELECT key, value FROM json_each(request_analytics.duration_buckets)
        UNION ALL SELECT key, value FROM json_each(excluded.duration_buckets))
      GROUP BY key ORDER BY key))
"""
"""Two latency histograms added, bucket by bucket, where a row meets one that is there."""

ADD_REQUESTS: Final = f"""
ON CONFLICT (minute_ms, endpoint, route, status_class, cache_verdict) DO UPDATE SET
  request_count = request_count + excluded.request_count,
  duration_sum_ms = duration_sum_ms + excluded.duration_sum_ms,
  sample_count = sample_count + excluded.sample_count,
  origin_samples = origin_samples + excluded.origin_samples,
  body_bytes = body_bytes + excluded.body_bytes,
  {ADDED_BUCKETS.strip()}
"""

ROLL_UP: Final = f"""
INSERT INTO request_analytics
  (minute_ms, endpoint, route, status_class, cache_verdict, request_count, duration_sum_ms, duration_buckets,
   sample_count, origin_samples, body_bytes)
SELECT ?3, endpoint, route, status_class, cache_verdict, sum(request_count), sum(duration_sum_ms),
  (SELECT json_group_array(total) FROM (
    SELECT sum(bucket.value) AS total
    FROM request_analytics AS part, json_each(part.duration_buckets) AS bucket
    WHERE part.minute_ms >= ?1 AND part.minute_ms < ?2 AND part.minute_ms <> ?3
      AND part.endpoint = whole.endpoint AND part.route = whole.route
      AND part.status_class = whole.status_class AND part.cache_verdict = whole.cache_verdict
    GROUP BY bucket.key ORDER BY bucket.key)),
  sum(sample_count), sum(origin_samples), sum(body_bytes)
FROM request_analytics AS whole WHERE {_SPAN}
GROUP BY endpoint, route, status_class, cache_verdict
{ADD_REQUESTS.strip()}
"""

DROP_ROLLED_UP: Final = f"DELETE FROM request_analytics WHERE {_SPAN}"
"""With ROLL_UP in one transaction: no request is counted twice, none is lost."""
