"""SQL of what is fetched ahead, and of saved sets. Tables: `schema.sql`.

Parameters are numbered in the order in which the adapters give them. Sets come as JSON.
"""

from typing import Final

from edgeseries.jobs.states import ACTIVE, JobStatus
from edgeseries.limits import HOUR_MS
from edgeseries.warming.limits import CREDIT_MS

_UNDER_WAY: Final = ", ".join(f"'{status}'" for status in ACTIVE)

UNDER_WAY: Final = f"""
SELECT site, points_json, start_ms, end_ms FROM queue_jobs
WHERE owner = ?1 AND (created_ms >= ?2 OR status IN ({_UNDER_WAY}))
"""

_DELIVERED: Final = """
coalesce(
  (SELECT sample_count FROM queue_jobs WHERE queue_jobs.job_id = warm_runs.job_id),
  (SELECT sample_count FROM job_history WHERE job_history.job_id = warm_runs.job_id), 0)
"""

_STATUS: Final = """
coalesce(
  (SELECT status FROM queue_jobs WHERE queue_jobs.job_id = warm_runs.job_id),
  (SELECT status FROM job_history WHERE job_history.job_id = warm_runs.job_id))
"""

SPENT: Final = f"""
SELECT coalesce(sum(max(expected, delivered)), 0), coalesce(sum(calls), 0) FROM (
  SELECT sum(expected_samples) AS expected, sum(expected_calls) AS calls, {_DELIVERED} AS delivered
  FROM warm_runs WHERE planned_ms >= ?1 AND reason <> 'request' GROUP BY planned_ms, job_id)
"""

_RUN_COLUMNS: Final = """
  job_id, set_digest, reason, site, first_day, last_day, point_days, expected_samples, expected_calls,
  planned_ms, owner, name
"""

ADD_RUNS: Final = f"""
INSERT INTO warm_runs ({_RUN_COLUMNS})
SELECT
  value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
  value ->> 8, value ->> 9, value ->> 10, value ->> 11
FROM json_each(?1) WHERE true
ON CONFLICT DO NOTHING
"""

LAST_RUNS: Final = f"""
SELECT {_RUN_COLUMNS}, {_STATUS}, {_DELIVERED}, used_ms FROM warm_runs
WHERE (planned_ms, set_digest) IN (
  SELECT max(planned_ms), set_digest FROM warm_runs
  WHERE set_digest IN (SELECT value FROM json_each(?1)) GROUP BY set_digest)
ORDER BY job_id
"""

_HOURS_AFTER: Final = list(range(CREDIT_MS // HOUR_MS))

CREDIT: Final = f"""
UPDATE warm_runs SET used_ms = found.asked_ms
FROM (
  SELECT run.planned_ms, run.job_id, run.set_digest, min(asked.asked_ms) AS asked_ms
  FROM (
    SELECT *, coalesce(
      (SELECT ended_ms FROM queue_jobs AS job
       WHERE job.job_id = warm_runs.job_id AND job.status = '{JobStatus.COMPLETED}'),
      (SELECT ended_ms FROM job_history AS job
       WHERE job.job_id = warm_runs.job_id AND job.status = '{JobStatus.COMPLETED}')) AS ended_ms
    FROM warm_runs WHERE planned_ms >= ?1 AND used_ms IS NULL) AS run
  JOIN json_each('{_HOURS_AFTER}') AS after
  JOIN asked_hours AS asked
    ON asked.hour = run.planned_ms / 3600000 + after.value AND asked.set_digest = run.set_digest
    AND asked.asked_ms >= run.ended_ms
    AND asked.hour / 24 - asked.first_back <= run.first_day
    AND asked.hour / 24 - asked.last_back >= run.last_day
  GROUP BY run.planned_ms, run.job_id, run.set_digest) AS found
WHERE warm_runs.planned_ms = found.planned_ms AND warm_runs.job_id = found.job_id
  AND warm_runs.set_digest = found.set_digest
RETURNING 1
"""
"""Runs whose days were all asked for by a question of the same points, after they were stored. Hours are
named one by one, so that each is a look by key.
"""

RUN_SUMS: Final = f"""
SELECT
  count(*), coalesce(sum(point_days), 0), count(used_ms),
  coalesce(sum(CASE WHEN used_ms IS NOT NULL THEN point_days END), 0)
FROM warm_runs WHERE planned_ms >= ?1 AND {_STATUS} = '{JobStatus.COMPLETED}'
"""

FORGET_RUNS: Final = "DELETE FROM warm_runs WHERE planned_ms < ?1 RETURNING 1"

# --- saved sets --------------------------------------------------------------------------
_SET_COLUMNS: Final = "owner, name, site, points_json, days, hours_json, weekdays_json, changed_ms"

SAVE_SET: Final = f"""
INSERT INTO warm_sets ({_SET_COLUMNS}, set_digest)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
WHERE (SELECT count(*) FROM warm_sets WHERE owner = ?1 AND name <> ?2) < ?10
ON CONFLICT (owner, name) DO UPDATE SET
  site = excluded.site, points_json = excluded.points_json, days = excluded.days,
  hours_json = excluded.hours_json, weekdays_json = excluded.weekdays_json, changed_ms = excluded.changed_ms,
  set_digest = excluded.set_digest
RETURNING name
"""

SAVED_SET: Final = f"SELECT {_SET_COLUMNS} FROM warm_sets WHERE owner = ?1 AND name = ?2"

SAVED_SETS: Final = f"SELECT {_SET_COLUMNS} FROM warm_sets WHERE owner = ?1 ORDER BY owner, name LIMIT ?2"

SAVED_SETS_OF_ALL: Final = f"SELECT {_SET_COLUMNS} FROM warm_sets ORDER BY owner, name LIMIT ?1"

REMOVE_SET: Final = "DELETE FROM warm_sets WHERE owner = ?1 AND name = ?2 RETURNING name"

SCHEDULED_SETS: Final = f"""
SELECT {_SET_COLUMNS} FROM warm_sets
WHERE hours_json <> '[]' AND NOT EXISTS (
  SELECT 1 FROM api_keys WHERE api_keys.key_id = warm_sets.owner AND api_keys.revoked_ms IS NOT NULL)
ORDER BY owner, name LIMIT ?1
"""
