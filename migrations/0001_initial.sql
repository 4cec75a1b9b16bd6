-- The schema as it stood at the first release, word for word. Made by make migrations; not edited.

-- EdgeSeries: the D1 database. This file is the only DDL.
--
-- Every statement may run again on a database that has it already. Times are UTC epoch
-- milliseconds (_ms). Words are those of docs/glossary.md. D1 bills every index that a
-- write touches as one more written row, so an index stands here only for a query that exists.

-- Background jobs. One row a job; the request's normal form plus a generation names it.
CREATE TABLE IF NOT EXISTS queue_jobs (
  job_id             TEXT    NOT NULL PRIMARY KEY,
  request_digest     TEXT    NOT NULL,              -- SHA-256 of the request's normal form, hex
  generation         INTEGER NOT NULL DEFAULT 1,    -- asked anew after it ended: the next generation
  owner              TEXT    NOT NULL DEFAULT '',   -- API key id; '' while access is open
  site               TEXT    NOT NULL,
  points_json        TEXT    NOT NULL,              -- JSON array of names, sorted and unique
  point_count        INTEGER NOT NULL,
  start_ms           INTEGER NOT NULL,
  end_ms             INTEGER NOT NULL,
  priority           TEXT    NOT NULL DEFAULT 'normal' CHECK (priority IN ('high', 'normal', 'low')),
  status             TEXT    NOT NULL DEFAULT 'queued'
                     CHECK (status IN ('queued', 'processing', 'retrying', 'completed', 'failed', 'cancelled')),
  planned_ms         INTEGER,                       -- NULL until the job is cut into batches
  batch_count        INTEGER NOT NULL DEFAULT 0,
  batches_done       INTEGER NOT NULL DEFAULT 0,
  expected_samples   INTEGER NOT NULL DEFAULT 0,
  expected_done      INTEGER NOT NULL DEFAULT 0,    -- expected samples of the batches that are done
  sample_count       INTEGER NOT NULL DEFAULT 0,    -- samples really delivered
  retry_count        INTEGER NOT NULL DEFAULT 0,    -- batches put back after a failure that counted
  error              TEXT,
  created_ms         INTEGER NOT NULL,
  started_ms         INTEGER,
  ended_ms           INTEGER,
  updated_ms         INTEGER NOT NULL,
  parts_json         TEXT,                          -- how the result is cut: [[first point, points, start, end], ...]
  question_json      TEXT,                          -- what is asked of the samples, in canonical form; NULL: all of them
  UNIQUE (request_digest, generation)
) STRICT;

CREATE INDEX IF NOT EXISTS queue_jobs_by_status ON queue_jobs (status, updated_ms);
CREATE INDEX IF NOT EXISTS queue_jobs_by_owner ON queue_jobs (owner, created_ms);

-- The parts of a job: up to 50 of its points (a slice of points_json) by one month. Claimed by
-- compare-and-set with a lease.
CREATE TABLE IF NOT EXISTS job_batches (
  job_id             TEXT    NOT NULL REFERENCES queue_jobs (job_id) ON DELETE CASCADE,
  batch_index        INTEGER NOT NULL,
  first_point        INTEGER NOT NULL,              -- place in the job's points, from 0
  point_count        INTEGER NOT NULL,
  start_ms           INTEGER NOT NULL,
  end_ms             INTEGER NOT NULL,
  expected_samples   INTEGER NOT NULL,
  status             TEXT    NOT NULL DEFAULT 'queued'
                     CHECK (status IN ('queued', 'claimed', 'done', 'failed')),
  attempts           INTEGER NOT NULL DEFAULT 0,    -- failures that counted
  claims             INTEGER NOT NULL DEFAULT 0,    -- times it was begun, crashes included
  lease_holder       TEXT,
  lease_until_ms     INTEGER,
  sample_count       INTEGER NOT NULL DEFAULT 0,
  error              TEXT,
  updated_ms         INTEGER NOT NULL,
  PRIMARY KEY (job_id, batch_index)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS job_batches_by_status ON job_batches (status, updated_ms);

-- Jobs that ended, without their batches; what statistics are made from.
CREATE TABLE IF NOT EXISTS job_history (
  job_id             TEXT    NOT NULL PRIMARY KEY,
  owner              TEXT    NOT NULL DEFAULT '',
  site               TEXT    NOT NULL,
  point_count        INTEGER NOT NULL,
  start_ms           INTEGER NOT NULL,
  end_ms             INTEGER NOT NULL,
  priority           TEXT    NOT NULL,
  status             TEXT    NOT NULL CHECK (status IN ('completed', 'failed', 'cancelled')),
  batch_count        INTEGER NOT NULL,
  sample_count       INTEGER NOT NULL,
  error              TEXT,
  created_ms         INTEGER NOT NULL,
  started_ms         INTEGER,
  ended_ms           INTEGER NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS job_history_by_end ON job_history (ended_ms);

-- What is stored. A row of a block is the pointer to the current object of a point and year (month is YYYY; in
-- version 1 of a point and month, YYYY-MM): objects never change, so storing is a new object and a pointer that
-- moves. A year without a sample has no object, and stored_bytes is 0. A row of an answer is one object's.
-- Sets of days of a year are texts, `1-59 61 70-366`; a Worker of before them sees no covered day in such a row.
CREATE TABLE IF NOT EXISTS cache_metadata (
  object_key         TEXT    NOT NULL PRIMARY KEY,
  kind               TEXT    NOT NULL CHECK (kind IN ('block', 'answer')),
  site               TEXT    NOT NULL,
  point              TEXT,                          -- blocks only
  month              TEXT,                          -- blocks only: YYYY, or YYYY-MM
  covered_days       INTEGER NOT NULL DEFAULT 0,    -- months only: bit d-1 is day d of the month; a purge clears bits
  object_days        INTEGER NOT NULL DEFAULT 0,    -- months only: what was covered when the object was made
  empty_days         INTEGER NOT NULL DEFAULT 0,    -- months only: the covered days that have no sample
  unsettled          TEXT    NOT NULL DEFAULT '',   -- blocks only: empty days that were read once: <days>@<ms>;...
  sample_count       INTEGER NOT NULL,              -- what the object holds
  raw_bytes          INTEGER NOT NULL,
  stored_bytes       INTEGER NOT NULL,
  codec              TEXT    NOT NULL,
  version            INTEGER NOT NULL DEFAULT 0,    -- blocks only: the first 48 bits of the object's digest
  hit_count          INTEGER NOT NULL DEFAULT 0,
  created_ms         INTEGER NOT NULL,
  used_ms            INTEGER NOT NULL,
  expires_ms         INTEGER,                       -- answers only
  year_days          TEXT    NOT NULL DEFAULT '',   -- years only: the days that the object covers
  purged_days        TEXT    NOT NULL DEFAULT '',   -- years only: those of them that were purged since
  year_empty_days    TEXT    NOT NULL DEFAULT '',   -- years only: those of them without a sample
  month_samples      TEXT    NOT NULL DEFAULT '',   -- years only: samples of each month, twelve numbers
  directory          TEXT    NOT NULL DEFAULT ''    -- years only: where the object's segments lie, base64
) STRICT;

-- The least recently used first, whatever its kind; with the bytes, so that their sum reads the index alone.
CREATE INDEX IF NOT EXISTS cache_metadata_by_use ON cache_metadata (used_ms, stored_bytes);
CREATE INDEX IF NOT EXISTS cache_metadata_by_expiry ON cache_metadata (expires_ms) WHERE expires_ms IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS cache_metadata_by_point ON cache_metadata (site, point, month);

-- What was purged and refreshed: by point, and for whole sites (point ''). What was fetched under another
-- generation is not stored, and no answer of another generation is given. Numbers are at least the time (ms).
CREATE TABLE IF NOT EXISTS store_generations (
  site               TEXT    NOT NULL,
  point              TEXT    NOT NULL,
  generation         INTEGER NOT NULL DEFAULT 0,    -- grows with every purge, and with every refresh that stores
  drawn_ticket       INTEGER NOT NULL DEFAULT 0,    -- the last ticket that a refresh or a purge drew
  ticket             INTEGER NOT NULL DEFAULT 0,    -- the latest ticket of those in force
  years_generation   INTEGER NOT NULL DEFAULT 0,    -- what a Worker raised that knows years: the same, else see below
  PRIMARY KEY (site, point)
) STRICT, WITHOUT ROWID;

-- A Worker of before blocks of years purges and refreshes months alone. Whatever it raises voids the years of the
-- point, or of the whole site (point ''), in the same transaction: they are fetched again, and never wrong.
CREATE TRIGGER IF NOT EXISTS store_generations_raised AFTER UPDATE OF generation ON store_generations
WHEN NEW.generation > OLD.generation AND NEW.years_generation <> NEW.generation
BEGIN
  UPDATE cache_metadata SET purged_days = '1-366'
  WHERE site = NEW.site AND point >= NEW.point
    AND point <= CASE NEW.point WHEN '' THEN char(1114111) ELSE NEW.point END AND year_days <> '';
END;

CREATE TRIGGER IF NOT EXISTS store_generations_begun AFTER INSERT ON store_generations
WHEN NEW.generation > 0 AND NEW.years_generation <> NEW.generation
BEGIN
  UPDATE cache_metadata SET purged_days = '1-366'
  WHERE site = NEW.site AND point >= NEW.point
    AND point <= CASE NEW.point WHEN '' THEN char(1114111) ELSE NEW.point END AND year_days <> '';
END;

-- Objects that no row points to any more. Readers may be at them, so they go a day later.
CREATE TABLE IF NOT EXISTS superseded_objects (
  object_key         TEXT    NOT NULL PRIMARY KEY,
  superseded_ms      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS superseded_objects_by_time ON superseded_objects (superseded_ms);

-- Who is fetching which missing days right now, so that others wait for them. A row is a few seconds old at most,
-- by this database's clock; who takes a lease takes out those that ran out. Of two that overlap the lower number wins,
-- and no number comes again.
CREATE TABLE IF NOT EXISTS fetch_leases (
  lease_id           INTEGER PRIMARY KEY AUTOINCREMENT,
  site               TEXT    NOT NULL,
  holder             TEXT    NOT NULL,              -- request, job; released
  days_json          TEXT    NOT NULL,              -- [version, [[[first day, last day], ...], points], ...]
  until_ms           INTEGER NOT NULL
) STRICT;

-- Sealed days that small questions asked some of: the next one has them fetched whole. A hint, which may be lost.
CREATE TABLE IF NOT EXISTS asked_days (
  site               TEXT    NOT NULL,
  month              TEXT    NOT NULL,              -- YYYY-MM
  days_json          TEXT    NOT NULL,              -- [version, [bitmap of days, points], ...]
  PRIMARY KEY (site, month)
) STRICT, WITHOUT ROWID;

-- Requests, added up by minute, endpoint, route and status class: a busy router writes few rows. After two
-- days a row is an hour (minute_ms is its first), after 92 days all older ones are at minute 0.
CREATE TABLE IF NOT EXISTS request_analytics (
  minute_ms          INTEGER NOT NULL,
  endpoint           TEXT    NOT NULL,
  route              TEXT    NOT NULL,
  status_class       INTEGER NOT NULL,              -- 2, 3, 4, 5
  cache_verdict      TEXT    NOT NULL,              -- hit, partial, miss, request, bypass, none
  request_count      INTEGER NOT NULL DEFAULT 0,
  duration_sum_ms    INTEGER NOT NULL DEFAULT 0,
  duration_buckets   TEXT    NOT NULL DEFAULT '[]', -- JSON array: counts of a latency histogram
  sample_count       INTEGER NOT NULL DEFAULT 0,
  origin_samples     INTEGER NOT NULL DEFAULT 0,
  body_bytes         INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (minute_ms, endpoint, route, status_class, cache_verdict)
) STRICT, WITHOUT ROWID;

-- What the platform bills and the upstream delivers, by UTC day and function, as the functions counted it.
CREATE TABLE IF NOT EXISTS platform_usage (
  day_ms             INTEGER NOT NULL,
  function           TEXT    NOT NULL,              -- router, consumer, janitor
  requests           INTEGER NOT NULL DEFAULT 0,    -- invocations of any kind
  r2_class_a         INTEGER NOT NULL DEFAULT 0,
  r2_class_b         INTEGER NOT NULL DEFAULT 0,
  d1_rows_read       INTEGER NOT NULL DEFAULT 0,    -- of plain reads: rows given, not rows scanned
  d1_rows_written    INTEGER NOT NULL DEFAULT 0,    -- as billed, indexes too
  d1_transactions    INTEGER NOT NULL DEFAULT 0,
  queue_operations   INTEGER NOT NULL DEFAULT 0,
  analytics_points   INTEGER NOT NULL DEFAULT 0,
  upstream_calls     INTEGER NOT NULL DEFAULT 0,
  upstream_samples   INTEGER NOT NULL DEFAULT 0,
  expected_answers   INTEGER NOT NULL DEFAULT 0,    -- answers that were estimated before they were made; of those:
  expected_samples   INTEGER NOT NULL DEFAULT 0,    -- what the upstream was expected to deliver
  delivered_samples  INTEGER NOT NULL DEFAULT 0,    -- what it delivered
  expected_ms        INTEGER NOT NULL DEFAULT 0,
  measured_ms        INTEGER NOT NULL DEFAULT 0,
  shared_fetches     INTEGER NOT NULL DEFAULT 0,    -- requests and batches that got what others were fetching
  fetches_taken_over INTEGER NOT NULL DEFAULT 0,    -- fetches of somebody who ended without a word
  waits_in_vain      INTEGER NOT NULL DEFAULT 0,    -- who waited for others and fetched after all
  refused_calls      INTEGER NOT NULL DEFAULT 0,    -- upstream calls answered by 429 or 503
  interactive_wait_ms INTEGER NOT NULL DEFAULT 0,   -- upstream calls waited so long for their turn, by class
  job_wait_ms        INTEGER NOT NULL DEFAULT 0,
  warming_wait_ms    INTEGER NOT NULL DEFAULT 0,
  surplus_samples    INTEGER NOT NULL DEFAULT 0,    -- stored of points that nobody asked for, off pages of a site
  PRIMARY KEY (day_ms, function)
) STRICT, WITHOUT ROWID;

-- What each upstream was asked and delivered, by UTC day. What was counted before upstreams were counted by
-- themselves is in platform_usage alone.
CREATE TABLE IF NOT EXISTS upstream_usage (
  day_ms             INTEGER NOT NULL,
  upstream           TEXT    NOT NULL,              -- its name in the settings; `upstream` is that of upstreamUrl
  calls              INTEGER NOT NULL DEFAULT 0,
  failed_calls       INTEGER NOT NULL DEFAULT 0,    -- not answered, or 408, 425, 429, 5xx
  fetches            INTEGER NOT NULL DEFAULT 0,    -- by requests, batches, sweeps: some calls each
  failed_fetches     INTEGER NOT NULL DEFAULT 0,
  samples            INTEGER NOT NULL DEFAULT 0,    -- that fetches brought
  PRIMARY KEY (day_ms, upstream)
) STRICT, WITHOUT ROWID;

-- What has been learned of each point: how dense it is, how late its samples come.
CREATE TABLE IF NOT EXISTS point_profiles (
  site               TEXT    NOT NULL,
  point              TEXT    NOT NULL,
  density_per_day    REAL    NOT NULL,
  interval_ms        INTEGER,
  lag_ms             INTEGER,
  observed_days      INTEGER NOT NULL DEFAULT 0,
  updated_ms         INTEGER NOT NULL,
  PRIMARY KEY (site, point)
) STRICT, WITHOUT ROWID;

-- Days on which nobody of those that were asked had a sample, although they are dense: they are not stored
-- before a second reading finds the same. Rows are few, and go when they are settled or 30 days old.
CREATE TABLE IF NOT EXISTS silent_days (
  site               TEXT    NOT NULL,
  point              TEXT    NOT NULL,
  month              TEXT    NOT NULL,              -- YYYY-MM
  readings           TEXT    NOT NULL,              -- <bitmap of days>@<when they were read, ms>;...
  updated_ms         INTEGER NOT NULL,
  PRIMARY KEY (site, point, month)
) STRICT, WITHOUT ROWID;

-- How late samples came, and what was found where sealed days were read again, by UTC day and site. A late sample is
-- one that a reading over its instant did not have; rows go after 92 days.
CREATE TABLE IF NOT EXISTS late_data (
  day_ms             INTEGER NOT NULL,
  site               TEXT    NOT NULL,
  lag_buckets        TEXT    NOT NULL DEFAULT '[]', -- JSON array: counts of late samples by how late they were at least
  highest_lag_ms     INTEGER NOT NULL DEFAULT 0,
  checked_days       INTEGER NOT NULL DEFAULT 0,    -- days of single points that were read again; of these:
  corrected_days     INTEGER NOT NULL DEFAULT 0,    -- differed from what was stored, and were repaired
  added_samples      INTEGER NOT NULL DEFAULT 0,
  changed_samples    INTEGER NOT NULL DEFAULT 0,
  removed_samples    INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (day_ms, site)
) STRICT, WITHOUT ROWID;

-- Points of a site that were asked together, once a set: what `asked_hours` counts, by its digest. Nobody who asked
-- stands here.
CREATE TABLE IF NOT EXISTS asked_sets (
  set_digest         TEXT    NOT NULL PRIMARY KEY,  -- of site and points, hex
  site               TEXT    NOT NULL,
  points_json        TEXT    NOT NULL,              -- JSON array of names, sorted and unique
  point_count        INTEGER NOT NULL,
  asked_ms           INTEGER NOT NULL               -- the day on which it was asked last
) STRICT;

-- Which set was asked in which hour (since 1970, UTC), of which days before that day: what warming learns from.
CREATE TABLE IF NOT EXISTS asked_hours (
  hour               INTEGER NOT NULL,
  set_digest         TEXT    NOT NULL,
  first_back         INTEGER NOT NULL,              -- the first day that was asked, so many days before; 1: yesterday
  last_back          INTEGER NOT NULL,              -- the last one
  ask_count          INTEGER NOT NULL,
  point_days         INTEGER NOT NULL,              -- sealed days of points that were asked, in all
  missing_point_days INTEGER NOT NULL,              -- those of them that were not stored
  origin_ms          INTEGER NOT NULL,              -- the longest wait for the upstream
  asked_ms           INTEGER NOT NULL,              -- the last of them
  PRIMARY KEY (hour, set_digest, first_back, last_back)
) STRICT, WITHOUT ROWID;

-- What was fetched ahead: one row a job and set of points that it was made for. Rows go after three weeks.
CREATE TABLE IF NOT EXISTS warm_runs (
  planned_ms         INTEGER NOT NULL,
  job_id             TEXT    NOT NULL,
  set_digest         TEXT    NOT NULL,
  reason             TEXT    NOT NULL CHECK (reason IN ('pattern', 'schedule', 'request')),
  owner              TEXT    NOT NULL DEFAULT '',   -- whose saved set or request it is; '' for a pattern
  name               TEXT    NOT NULL DEFAULT '',   -- of the saved set
  site               TEXT    NOT NULL,
  first_day          INTEGER NOT NULL,              -- days since 1970, both held
  last_day           INTEGER NOT NULL,
  point_days         INTEGER NOT NULL,              -- days of points that were missing
  expected_samples   INTEGER NOT NULL,
  expected_calls     INTEGER NOT NULL,
  used_ms            INTEGER,                       -- when the set was asked for these days first, after they were stored
  PRIMARY KEY (planned_ms, job_id, set_digest)
) STRICT, WITHOUT ROWID;

-- Sets of points that somebody saved, with when they are to be fetched ahead.
CREATE TABLE IF NOT EXISTS warm_sets (
  owner              TEXT    NOT NULL,              -- API key id; '' while access is open
  name               TEXT    NOT NULL,
  site               TEXT    NOT NULL,
  set_digest         TEXT    NOT NULL,              -- as of asked_sets
  points_json        TEXT    NOT NULL,              -- JSON array of names, sorted and unique
  days               INTEGER NOT NULL,              -- so many days before the day of the hour
  hours_json         TEXT    NOT NULL,              -- JSON array of hours (UTC) that they are fetched for; [] never
  weekdays_json      TEXT    NOT NULL,              -- JSON array of days of the week, 0 is Monday
  changed_ms         INTEGER NOT NULL,
  PRIMARY KEY (owner, name)
) STRICT;

-- Messages that retrying could not cure, kept for replay.
CREATE TABLE IF NOT EXISTS dead_letters (
  letter_id          TEXT    NOT NULL PRIMARY KEY,
  queue              TEXT    NOT NULL,
  job_id             TEXT,
  batch_index        INTEGER,
  message_json       TEXT    NOT NULL,
  cause              TEXT    NOT NULL,
  attempts           INTEGER NOT NULL,
  buried_ms          INTEGER NOT NULL,
  replayed_ms        INTEGER
) STRICT;

CREATE INDEX IF NOT EXISTS dead_letters_by_time ON dead_letters (buried_ms);

-- Keys of callers. Only a hash of the secret is kept.
CREATE TABLE IF NOT EXISTS api_keys (
  key_id             TEXT    NOT NULL PRIMARY KEY,
  secret_hash        TEXT    NOT NULL,
  owner              TEXT    NOT NULL,
  sites_json         TEXT    NOT NULL,              -- JSON array of site names, or ["*"]
  rights_json        TEXT    NOT NULL,              -- JSON array of read, jobs, purge, admin
  tier               TEXT    NOT NULL DEFAULT 'standard' CHECK (tier IN ('standard', 'bulk')),
  created_ms         INTEGER NOT NULL,
  revoked_ms         INTEGER,
  used_ms            INTEGER                        -- to the hour
) STRICT;

-- Where each duty of the janitor stopped.
CREATE TABLE IF NOT EXISTS janitor_state (
  duty               TEXT    NOT NULL PRIMARY KEY,
  cursor             TEXT    NOT NULL DEFAULT '',
  ran_ms             INTEGER NOT NULL,
  outcome            TEXT    NOT NULL DEFAULT '',
  lease_until_ms     INTEGER
) STRICT;

-- Jobs under way, with how far they are.
CREATE VIEW IF NOT EXISTS v_active_jobs AS
SELECT
  job_id, owner, site, priority, status, batch_count, batches_done, sample_count, created_ms, started_ms, updated_ms,
  point_count,
  CASE WHEN expected_samples > 0 THEN 100.0 * expected_done / expected_samples ELSE 0.0 END AS progress_percent
FROM queue_jobs
WHERE status IN ('queued', 'processing', 'retrying');

-- Ended jobs by day (UTC): how many, how well, how long. Those that are still to be archived, too.
CREATE VIEW IF NOT EXISTS v_job_performance AS
SELECT
  ended_ms / 86400000 * 86400000 AS day_ms,
  count(*) AS job_count,
  sum(status = 'completed') AS completed_count,
  sum(status = 'failed') AS failed_count,
  sum(status = 'cancelled') AS cancelled_count,
  sum(sample_count) AS sample_count,
  avg(ended_ms - created_ms) AS mean_duration_ms,
  max(ended_ms - created_ms) AS longest_duration_ms
FROM (
  SELECT status, sample_count, created_ms, ended_ms FROM job_history
  UNION ALL
  SELECT status, sample_count, created_ms, coalesce(ended_ms, updated_ms) FROM queue_jobs
  WHERE status IN ('completed', 'failed', 'cancelled'))
GROUP BY day_ms;

-- What is stored, by kind and site, and how well it is packed and used.
CREATE VIEW IF NOT EXISTS v_cache_performance AS
SELECT
  kind, site,
  count(*) AS object_count,
  sum(sample_count) AS sample_count,
  sum(raw_bytes) AS raw_bytes,
  sum(stored_bytes) AS stored_bytes,
  1.0 * sum(raw_bytes) / max(1, sum(stored_bytes)) AS compression_ratio,
  sum(hit_count) AS hit_count,
  min(used_ms) AS least_recently_used_ms
FROM cache_metadata
GROUP BY kind, site;

-- Requests by endpoint and route: counts, hits (of those that a store is concerned with), errors, mean
-- latency, samples that the store saved. `since_ms` is the first minute or hour that is still distinguished.
CREATE VIEW IF NOT EXISTS v_request_stats AS
SELECT
  endpoint, route,
  sum(request_count) AS request_count,
  sum(CASE WHEN cache_verdict <> 'none' THEN request_count ELSE 0 END) AS judged_count,
  sum(CASE WHEN cache_verdict = 'hit' THEN request_count ELSE 0 END) AS hit_count,
  sum(CASE WHEN status_class = 4 THEN request_count ELSE 0 END) AS refused_count,
  sum(CASE WHEN status_class = 5 THEN request_count ELSE 0 END) AS error_count,
  1.0 * sum(duration_sum_ms) / max(1, sum(request_count)) AS mean_duration_ms,
  sum(sample_count) AS sample_count,
  sum(origin_samples) AS origin_samples,
  sum(max(0, sample_count - origin_samples)) AS saved_samples,
  sum(body_bytes) AS body_bytes,
  min(CASE WHEN minute_ms > 0 THEN minute_ms END) AS since_ms
FROM request_analytics
GROUP BY endpoint, route;
