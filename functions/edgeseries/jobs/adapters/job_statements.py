"""Every SQL statement about jobs, their batches and dead letters. Tables: `schema.sql`.

Each change of a status names in its WHERE the statuses that the tables of `jobs/states.py` allow it
in; how many rows came back is its outcome. Parameters are numbered in the order in which the stores
give them. An empty text stands for NULL, which D1's binding cannot take from Python.
"""

from collections.abc import Iterable
from typing import Final

from edgeseries.jobs.states import (
    ACTIVE,
    BATCH_TRANSITIONS,
    JOB_TRANSITIONS,
    BatchEvent,
    JobEvent,
    JobStatus,
    sources,
    target,
)


def _among(statuses: Iterable[object]) -> str:
    """SQL texts of statuses, for IN (...)."""
    return ", ".join(f"'{status}'" for status in statuses)


def _job_may(event: JobEvent) -> str:
    return f"status IN ({_among(sources(JOB_TRANSITIONS, event))})"


def _job_becomes(event: JobEvent) -> str:
    return f"'{target(JOB_TRANSITIONS, event)}'"


def _batch_may(event: BatchEvent) -> str:
    return f"status IN ({_among(sources(BATCH_TRANSITIONS, event))})"


def _batch_becomes(event: BatchEvent) -> str:
    return f"'{target(BATCH_TRANSITIONS, event)}'"


_WORKABLE: Final = _job_may(JobEvent.RESUME)
_JOB_COLUMNS: Final = """
  job_id, owner, site, point_count, start_ms, end_ms, priority, status, planned_ms, batch_count, batches_done,
  expected_samples, expected_done, sample_count, retry_count, error, created_ms, started_ms, ended_ms,
  updated_ms, json_array_length(parts_json)
"""

# --- looking up ---------------------------------------------------------------------
JOB: Final = f"SELECT {_JOB_COLUMNS} FROM queue_jobs WHERE job_id = ?1"

ENDED_JOB: Final = """
SELECT
  job_id, owner, site, point_count, start_ms, end_ms, priority, status, started_ms, batch_count, batch_count,
  sample_count, sample_count, sample_count, 0, error, created_ms, started_ms, ended_ms, ended_ms, NULL
FROM job_history WHERE job_id = ?1
"""
"""A job that the janitor has moved to the history, in the columns of JOB."""

JOB_QUERY: Final = (
    "SELECT site, points_json, start_ms, end_ms, question_json FROM queue_jobs WHERE job_id = ?1"
)

RESULT_PARTS: Final = "SELECT parts_json FROM queue_jobs WHERE job_id = ?1 AND parts_json IS NOT NULL"

CUT_RESULT: Final = f"""
UPDATE queue_jobs SET parts_json = ?2
WHERE job_id = ?1 AND status = '{JobStatus.COMPLETED}' AND parts_json IS NULL
RETURNING job_id
"""
"""The first cut stays: all parts of a result must fit together, whatever is stored meanwhile."""

UNPLANNED: Final = "SELECT 1 FROM queue_jobs WHERE job_id = ?1 AND status = 'queued' AND planned_ms IS NULL"

WAITING: Final = f"""
SELECT batch_index FROM job_batches
WHERE job_id = ?1 AND batch_index > ?2 AND {_batch_may(BatchEvent.CLAIM)}
  AND EXISTS (SELECT 1 FROM queue_jobs WHERE job_id = ?1 AND {_WORKABLE})
ORDER BY batch_index LIMIT ?3
"""

_LISTED_JOBS: Final = f"""
SELECT {_JOB_COLUMNS} FROM queue_jobs
WHERE {{owner}} AND created_ms <= ?2 AND (created_ms < ?2 OR job_id < ?3)
  AND (?4 = '' OR status = ?4) AND (?5 = '' OR site = ?5)
ORDER BY created_ms DESC, job_id DESC LIMIT ?6
"""

JOBS: Final = _LISTED_JOBS.format(owner="owner = ?1")

JOBS_OF_ALL: Final = _LISTED_JOBS.format(owner="?1 = ''")
"""For admins. No index is kept for it: the table holds the jobs of `jobKeepDays`."""

# --- jobs -----------------------------------------------------------------------------
_JOINED: Final = (
    f"(status IN ({_among(ACTIVE)}) OR (status = '{JobStatus.COMPLETED}' AND ended_ms >= ?{{place}}))"
)
"""Jobs that a request joins."""

_ACTIVE_OF_OWNER: Final = f"""
(SELECT count(*) FROM queue_jobs AS other
 WHERE other.status IN ({_among(ACTIVE)}) AND +other.owner = {{owner}}) < {{bound}}
"""
"""Whether an owner may have one more job under way. The plus keeps SQLite on the index by status: jobs
under way are few, those that an owner has had are not."""

CREATE: Final = f"""
INSERT INTO queue_jobs
  (job_id, request_digest, generation, owner, site, points_json, point_count, start_ms, end_ms, priority,
   created_ms, updated_ms, question_json)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, json_array_length(?6), ?7, ?8, ?9, ?3, ?3, nullif(?12, '')
WHERE NOT EXISTS (
  SELECT 1 FROM queue_jobs
  WHERE request_digest = ?2 AND {_JOINED.format(place=10)})
  AND {_ACTIVE_OF_OWNER.format(owner="?4", bound="?11")}
ON CONFLICT DO NOTHING
RETURNING job_id
"""
"""One statement, so that of any number of equal requests one makes the job."""

LATEST: Final = f"""
SELECT {_JOB_COLUMNS} FROM queue_jobs WHERE request_digest = ?1
ORDER BY {_JOINED.format(place=2)} DESC, generation DESC LIMIT 1
"""
"""The job that CREATE has made or has found: an older one may be completed, the newest cancelled."""

CANCEL: Final = f"""
UPDATE queue_jobs SET status = {_job_becomes(JobEvent.CANCEL)}, ended_ms = ?2, updated_ms = ?2
WHERE job_id = ?1 AND {_job_may(JobEvent.CANCEL)}
RETURNING job_id
"""

_REOPENABLE: Final = _ACTIVE_OF_OWNER.format(
    owner="(SELECT owner FROM queue_jobs WHERE job_id = ?1)", bound="?3"
)

REOPEN_BATCHES: Final = f"""
UPDATE job_batches SET
  status = {_batch_becomes(BatchEvent.REOPEN)}, attempts = 0, claims = 0, lease_holder = NULL,
  lease_until_ms = NULL, updated_ms = ?2
WHERE job_id = ?1 AND {_batch_may(BatchEvent.REOPEN)}
  AND EXISTS (SELECT 1 FROM queue_jobs WHERE job_id = ?1 AND {_job_may(JobEvent.REOPEN)})
  AND {_REOPENABLE}
"""

"""Claimed ones too: their holders died or stopped when the job ended, and nobody is to wait for their
leases. One that works on all the same loses its claim here."""

REOPEN: Final = f"""
UPDATE queue_jobs SET
  status = CASE
    WHEN planned_ms IS NULL THEN {_job_becomes(JobEvent.REOPEN_UNPLANNED)}
    WHEN done.batches = batch_count THEN {_job_becomes(JobEvent.REOPEN_DONE)}
    ELSE {_job_becomes(JobEvent.REOPEN)} END,
  ended_ms = CASE WHEN planned_ms IS NOT NULL AND done.batches = batch_count THEN ?2 END,
  batches_done = done.batches, expected_done = done.expected, sample_count = done.samples,
  error = NULL, updated_ms = ?2
FROM (
  SELECT
    count(*) AS batches, coalesce(sum(expected_samples), 0) AS expected,
    coalesce(sum(sample_count), 0) AS samples
  FROM job_batches WHERE job_id = ?1 AND status = 'done') AS done
WHERE job_id = ?1 AND {_job_may(JobEvent.REOPEN)} AND {_REOPENABLE}
RETURNING job_id
"""
"""Counters are counted anew: a batch that came to its end while its job was cancelled was not counted."""

# --- planning ---------------------------------------------------------------------------
LAY_DOWN: Final = """
INSERT INTO job_batches
  (job_id, batch_index, first_point, point_count, start_ms, end_ms, expected_samples, updated_ms)
SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, ?3
FROM json_each(?2)
WHERE EXISTS (SELECT 1 FROM queue_jobs WHERE job_id = ?1 AND status = 'queued' AND planned_ms IS NULL)
"""

PLANNED: Final = f"""
UPDATE queue_jobs SET
  status = CASE WHEN ?2 = 0 THEN {_job_becomes(JobEvent.PLAN_NOTHING)} ELSE {_job_becomes(JobEvent.PLAN)} END,
  planned_ms = ?4, batch_count = ?2, expected_samples = ?3, started_ms = coalesce(started_ms, ?4),
  ended_ms = CASE WHEN ?2 = 0 THEN ?4 END, updated_ms = ?4
WHERE job_id = ?1 AND {_job_may(JobEvent.PLAN)} AND planned_ms IS NULL
RETURNING status
"""

# --- batches ------------------------------------------------------------------------------
CLAIM: Final = f"""
UPDATE job_batches SET
  status = {_batch_becomes(BatchEvent.CLAIM)}, lease_holder = ?3, lease_until_ms = ?4, claims = claims + 1,
  updated_ms = ?5
WHERE job_id = ?1 AND batch_index = ?2
  AND ({_batch_may(BatchEvent.CLAIM)} OR ({_batch_may(BatchEvent.RECLAIM)} AND lease_until_ms <= ?5))
  AND EXISTS (SELECT 1 FROM queue_jobs WHERE job_id = ?1 AND {_WORKABLE})
RETURNING attempts, claims, start_ms, end_ms, sample_count
"""

RESUME: Final = f"""
UPDATE queue_jobs SET status = {_job_becomes(JobEvent.RESUME)}, updated_ms = ?4
WHERE job_id = ?1 AND status = 'retrying' AND {_WORKABLE}
  AND EXISTS (
    SELECT 1 FROM job_batches
    WHERE job_id = ?1 AND batch_index = ?2 AND status = 'claimed' AND lease_holder = ?3)
"""
"""Only a retrying job is written: a claim of a job that is processing already changes nothing of it."""

CLAIMED_JOB: Final = "SELECT site, priority, status, owner FROM queue_jobs WHERE job_id = ?1"

CLAIMED_BATCH: Final = "SELECT status FROM job_batches WHERE job_id = ?1 AND batch_index = ?2"

CLAIMED_POINTS: Final = """
SELECT name.value
FROM job_batches AS batch
JOIN queue_jobs AS job ON job.job_id = batch.job_id
JOIN json_each(job.points_json) AS name
WHERE batch.job_id = ?1 AND batch.batch_index = ?2 AND batch.lease_holder = ?3
  AND name.key >= batch.first_point AND name.key < batch.first_point + batch.point_count
ORDER BY name.key
"""

_HELD_BY_ME: Final = "job_id = ?1 AND batch_index = ?2 AND status = 'claimed' AND lease_holder = ?3"

RENEW: Final = f"""
UPDATE job_batches SET lease_until_ms = ?4, sample_count = ?5
WHERE {_HELD_BY_ME} AND EXISTS (SELECT 1 FROM queue_jobs WHERE job_id = ?1 AND {_WORKABLE})
RETURNING batch_index
"""
"""`updated_ms` stays, and with it the index: a renewal writes one row."""

COUNT_DONE: Final = f"""
UPDATE queue_jobs SET
  batches_done = batches_done + 1,
  expected_done = queue_jobs.expected_done + batch.expected_samples,
  sample_count = queue_jobs.sample_count + ?4,
  status = CASE
    WHEN batches_done + 1 = batch_count THEN {_job_becomes(JobEvent.FINISH_LAST)}
    ELSE {_job_becomes(JobEvent.FINISH_BATCH)} END,
  ended_ms = CASE WHEN batches_done + 1 = batch_count THEN ?5 END,
  updated_ms = ?5
FROM (SELECT expected_samples FROM job_batches WHERE {_HELD_BY_ME}) AS batch
WHERE job_id = ?1 AND {_job_may(JobEvent.FINISH_BATCH)}
RETURNING status
"""
"""The job's counters and its end in one statement, before DONE in the same transaction: a batch that is
not claimed by this holder any more counts nothing."""

DONE: Final = f"""
UPDATE job_batches SET
  status = {_batch_becomes(BatchEvent.FINISH)}, sample_count = ?4, error = NULL,
  lease_holder = NULL, lease_until_ms = NULL, updated_ms = ?5
WHERE {_HELD_BY_ME}
"""

RETRYING: Final = f"""
UPDATE queue_jobs SET
  status = {_job_becomes(JobEvent.PUT_BACK)}, retry_count = retry_count + ?4, updated_ms = ?5
WHERE job_id = ?1 AND {_job_may(JobEvent.PUT_BACK)}
  AND EXISTS (SELECT 1 FROM job_batches WHERE {_HELD_BY_ME})
"""

PUT_BACK: Final = f"""
UPDATE job_batches SET
  status = {_batch_becomes(BatchEvent.PUT_BACK)}, attempts = attempts + ?4, error = ?6, lease_holder = NULL,
  lease_until_ms = NULL, updated_ms = ?7, sample_count = max(sample_count, ?8)
WHERE {_HELD_BY_ME}
"""
"""A batch counts as touched until its message is due: one that waits for the upstream is not missed."""

# --- dead letters ---------------------------------------------------------------------------
_DEAD_LETTER_COLUMNS: Final = """
  letter_id, queue, job_id, batch_index, message_json, cause, attempts, buried_ms, replayed_ms
"""

STORE_DEAD_LETTER: Final = """
INSERT INTO dead_letters (letter_id, queue, job_id, batch_index, message_json, cause, attempts, buried_ms)
VALUES (?1, ?2, nullif(?3, ''), nullif(?4, -1), ?5, ?6, ?7, ?8)
ON CONFLICT (letter_id) DO NOTHING
RETURNING letter_id
"""

_DEAD_LETTER_IN_FORCE: Final = (
    "EXISTS (SELECT 1 FROM dead_letters WHERE letter_id = ?{place} AND replayed_ms IS NULL)"
)
"""A letter that is delivered again after its replay fails nothing."""

FAIL_BATCH: Final = f"""
UPDATE job_batches SET
  status = {_batch_becomes(BatchEvent.GIVE_UP)}, error = ?3, lease_holder = NULL, lease_until_ms = NULL,
  updated_ms = ?4
WHERE job_id = ?1 AND batch_index = ?2 AND {_batch_may(BatchEvent.GIVE_UP)}
  AND (lease_until_ms IS NULL OR lease_until_ms <= ?4) AND {_DEAD_LETTER_IN_FORCE.format(place=5)}
"""

FAIL_JOB: Final = f"""
UPDATE queue_jobs SET status = {_job_becomes(JobEvent.GIVE_UP)}, error = ?3, ended_ms = ?4, updated_ms = ?4
WHERE job_id = ?1 AND {_job_may(JobEvent.GIVE_UP)} AND {_DEAD_LETTER_IN_FORCE.format(place=5)}
  AND CASE WHEN ?2 = -1 THEN planned_ms IS NULL
      ELSE EXISTS (SELECT 1 FROM job_batches WHERE job_id = ?1 AND batch_index = ?2 AND status = 'failed') END
RETURNING job_id
"""

DEAD_LETTER: Final = f"SELECT {_DEAD_LETTER_COLUMNS} FROM dead_letters WHERE letter_id = ?1"

DEAD_LETTERS: Final = f"""
SELECT {_DEAD_LETTER_COLUMNS} FROM dead_letters
WHERE buried_ms <= ?1 AND (buried_ms < ?1 OR letter_id < ?2)
ORDER BY buried_ms DESC, letter_id DESC LIMIT ?3
"""

REPLAYED: Final = """
UPDATE dead_letters SET replayed_ms = ?3
WHERE replayed_ms IS NULL AND (letter_id = ?1 OR (job_id = ?2 AND ?2 <> ''))
"""

DROP_DEAD_LETTER: Final = "DELETE FROM dead_letters WHERE letter_id = ?1"

# --- rescue -----------------------------------------------------------------------------------
_OF_WORKABLE_JOB: Final = f"""
job_id IN (SELECT job_id FROM queue_jobs WHERE {_WORKABLE})
"""

RESCUE_EXPIRED: Final = f"""
UPDATE job_batches SET
  status = {_batch_becomes(BatchEvent.RESCUE)}, lease_holder = NULL, lease_until_ms = NULL, updated_ms = ?1
WHERE (job_id, batch_index) IN (
  SELECT job_id, batch_index FROM job_batches
  WHERE {_batch_may(BatchEvent.RESCUE)} AND lease_until_ms <= ?1 AND {_OF_WORKABLE_JOB} LIMIT ?2)
RETURNING job_id, batch_index, (SELECT priority FROM queue_jobs WHERE job_id = job_batches.job_id)
"""
"""Batches whose holder has let its lease run out."""

RESCUE_LOST: Final = f"""
UPDATE job_batches SET updated_ms = ?1
WHERE (job_id, batch_index) IN (
  SELECT job_id, batch_index FROM job_batches
  WHERE {_batch_may(BatchEvent.CLAIM)} AND updated_ms <= ?2
    AND job_id IN (SELECT job_id FROM queue_jobs WHERE {_WORKABLE} AND updated_ms <= ?2)
  LIMIT ?3)
RETURNING job_id, batch_index, (SELECT priority FROM queue_jobs WHERE job_id = job_batches.job_id)
"""
"""Batches that nobody has touched for long, of jobs of which nothing has moved for as long: while a job
moves, its messages are on their way."""

RESCUE_UNPLANNED: Final = """
UPDATE queue_jobs SET updated_ms = ?1
WHERE job_id IN (
  SELECT job_id FROM queue_jobs WHERE status = 'queued' AND planned_ms IS NULL AND updated_ms <= ?2 LIMIT ?3)
RETURNING job_id, priority
"""
