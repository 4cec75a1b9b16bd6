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

LEAST_USED: Final = """
SELECT object_key, stored_bytes, used_ms FROM cache_metadata WHERE stored_bytes > 0 ORDER BY used_ms LIMIT ?1
"""
"""Years without a sample have no object: taking them out frees nothing."""

_UNUSED_ROWS: Final = """
  FROM json_each(?1) AS seen
  CROSS JOIN cache_metadata AS held ON held.object_key = seen.value ->> 0
  WHERE held.used_ms <= seen.value ->> 1
"""
"""Rows of (key, last use seen): one that was used or written anew since then stays."""

SUPERSEDE_UNUSED: Final = f"""
INSERT INTO superseded_objects (object_key, superseded_ms)
SELECT held.object_key, ?2 {_UNUSED_ROWS}
ON CONFLICT (object_key) DO UPDATE SET superseded_ms = excluded.superseded_ms
"""

REMOVE_UNUSED_ROWS: Final = f"""
DELETE FROM cache_metadata WHERE rowid IN (SELECT held.rowid {_UNUSED_ROWS})
"""

SUPERSEDED: Final = """
SELECT object_key, 0, superseded_ms FROM superseded_objects
WHERE superseded_ms < ?1 ORDER BY superseded_ms LIMIT ?2
"""

POINTED_TO: Final = """
SELECT held.object_key FROM json_each(?1) AS seen
CROSS JOIN cache_metadata AS held ON held.object_key = seen.value
"""

FORGET_SUPERSEDED: Final = """
DELETE FROM superseded_objects WHERE object_key IN (
  SELECT gone.object_key FROM json_each(?1) AS seen
  CROSS JOIN superseded_objects AS gone ON gone.object_key = seen.value ->> 0
  WHERE gone.superseded_ms <= seen.value ->> 1)
"""

SUPERSEDED_AMONG: Final = """
SELECT gone.object_key FROM json_each(?1) AS seen
CROSS JOIN superseded_objects AS gone ON gone.object_key = seen.value
"""

ROWS_BETWEEN: Final = """
SELECT object_key, max(used_ms, created_ms) FROM cache_metadata
WHERE object_key > ?1 AND object_key <= ?2 AND stored_bytes > 0 ORDER BY object_key LIMIT ?3
"""
"""Years without a sample have no object."""

ADOPT_ANSWERS: Final = """
INSERT INTO cache_metadata
  (object_key, kind, site, sample_count, raw_bytes, stored_bytes, codec, created_ms, used_ms, expires_ms)
SELECT
  value ->> 0, 'answer', value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
  value ->> 6, value ->> 7
FROM json_each(?1) WHERE true
ON CONFLICT (object_key) DO NOTHING
"""
"""Rows of cached answers that were found in the bucket; one that is written meanwhile is the better one."""

ADOPT_BLOCKS: Final = """
INSERT INTO cache_metadata
  (object_key, kind, site, point, month, covered_days, sample_count, raw_bytes, stored_bytes, codec, version,
   created_ms, used_ms, object_days, year_days, month_samples, directory)
SELECT
  value ->> 0, 'block', value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
  value ->> 7, value ->> 8, value ->> 9, value ->> 10, ?2, value ->> 4, value ->> 13, value ->> 14, value
  ->> 15
FROM json_each(?1)
WHERE coalesce((
    SELECT whole.generation FROM store_generations AS whole
    WHERE whole.site = value ->> 1 AND whole.point = ''), 0) = value ->> 11
  AND coalesce((
    SELECT own.ticket FROM store_generations AS own
    WHERE own.site = value ->> 1 AND own.point = value ->> 2), 0) = value ->> 12
ON CONFLICT DO NOTHING
RETURNING object_key
"""
"""Rows of blocks that were found in the bucket without one: only where there is none of their point and
year (or month, of version 1), and nothing was purged or refreshed since they were fetched. The newest
comes first."""

STRETCH_OF_BLOCKS: Final = """
SELECT site, point, month FROM cache_metadata
WHERE point IS NOT NULL AND (site, point, month) > (?1, ?2, ?3)
ORDER BY site, point, month LIMIT 1 OFFSET ?4
"""
"""Where a stretch of so many rows of blocks ends; nothing if it is the last."""

MONTHS_OF_STRETCH: Final = """
SELECT site, point, substr(month, 1, 4), sum(sample_count) FROM cache_metadata
WHERE point IS NOT NULL AND (site, point, month) > (?1, ?2, ?3) AND (site, point, month) <= (?4, ?5, ?6)
  AND year_days = '' AND length(month) = 7
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT ?7
"""
"""Points and years that have months of version 1, and how many samples these have."""

_HELD_DAYS: Final = """
SELECT held.site, held.point, held.month, held.year_days, held.purged_days,
  coalesce((SELECT learned.density_per_day FROM point_profiles AS learned
    WHERE learned.site = held.site AND learned.point = held.point), 0)
FROM cache_metadata AS held
"""

BLOCKS_FOLLOWING: Final = f"""{_HELD_DAYS}
WHERE held.point IS NOT NULL AND (held.site, held.point) > (?1, ?2)
ORDER BY held.site, held.point, held.month LIMIT ?3
"""
"""What is stored of the next points of all sites, by site and name."""

BLOCKS_FROM: Final = f"""{_HELD_DAYS}
WHERE held.site = ?1 AND held.point >= ?2 ORDER BY held.point, held.month LIMIT ?3
"""

BLOCKS_AFTER: Final = f"""{_HELD_DAYS}
WHERE held.site = ?1 AND held.point > ?2 ORDER BY held.point, held.month LIMIT ?3
"""

BLOCKS_BEFORE: Final = f"""{_HELD_DAYS}
WHERE held.site = ?1 AND held.point < ?2 ORDER BY held.point DESC, held.month DESC LIMIT ?3
"""
"""The nearest before a point come first."""

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

PURGE_DEAD_LETTERS: Final = """
DELETE FROM dead_letters
WHERE letter_id IN (SELECT letter_id FROM dead_letters WHERE buried_ms < ?1 ORDER BY buried_ms LIMIT ?2)
RETURNING letter_id
"""
