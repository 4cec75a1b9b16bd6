"""Every SQL statement of the block index and the answer index. Tables: `schema.sql`.

Parameters are numbered in the order in which `block_index.py` gives them. Sets come as JSON.
"""

from typing import Final

_SITE_GENERATION: Final = """
coalesce((SELECT generation FROM store_generations WHERE site = ?1 AND point = ''), 0)
"""

LOOK_UP: Final = f"""
SELECT
  wanted.key, learned.density_per_day, own.generation, own.ticket, {_SITE_GENERATION},
  (SELECT json_group_array(json_array(
     held.month, substr(held.object_key, -64), held.covered_days, held.empty_days, held.sample_count,
     held.object_days, held.unsettled))
   FROM cache_metadata AS held
   WHERE held.site = ?1 AND held.point = wanted.value AND held.month BETWEEN ?3 AND ?4
     AND held.covered_days > 0)
FROM json_each(?2) AS wanted
LEFT JOIN point_profiles AS learned ON learned.site = ?1 AND learned.point = wanted.value
LEFT JOIN store_generations AS own ON own.site = ?1 AND own.point = wanted.value
"""
"""Everything of a few points: a row each, with its months as JSON. Of a key the digest is enough, the rest
is known. One statement is one moment: coverage and generations belong together."""

_COUNTS_WHOLE: Final = "(held.month > ?3 AND held.month < ?4 AND held.covered_days = held.object_days)"
"""Months that lie in the range for certain, and of which nothing was purged."""

LOOK_UP_MANY: Final = f"""
SELECT 'days', coverage, json_group_array(place)
FROM (
  SELECT
    wanted.key AS place,
    group_concat(held.month || '=' || held.covered_days || '=' || held.empty_days || '=' || held.unsettled)
      AS coverage
  FROM json_each(?2) AS wanted
  CROSS JOIN cache_metadata AS held ON held.site = ?1 AND held.point = wanted.value
  WHERE held.month BETWEEN ?3 AND ?4 AND held.covered_days > 0
  GROUP BY wanted.key
)
GROUP BY coverage
UNION ALL
SELECT
  'count', wanted.key,
  json_array(
    sum(CASE WHEN {_COUNTS_WHOLE} THEN held.sample_count ELSE 0 END),
    json_group_array(json_array(
      held.month, held.object_days & ~held.empty_days, held.covered_days, held.sample_count))
      FILTER (WHERE NOT {_COUNTS_WHOLE}))
FROM json_each(?2) AS wanted
CROSS JOIN cache_metadata AS held ON held.site = ?1 AND held.point = wanted.value
WHERE held.month BETWEEN ?3 AND ?4 AND held.covered_days > 0
GROUP BY wanted.key
UNION ALL
SELECT 'density', wanted.key, learned.density_per_day
FROM json_each(?2) AS wanted
CROSS JOIN point_profiles AS learned ON learned.site = ?1 AND learned.point = wanted.value
UNION ALL
SELECT 'generation', wanted.key, json_array(own.generation, own.ticket)
FROM json_each(?2) AS wanted
CROSS JOIN store_generations AS own ON own.site = ?1 AND own.point = wanted.value
UNION ALL
SELECT 'site', {_SITE_GENERATION}, ''
"""
"""The same of many points, without keys. Which of the points (by place in the JSON array) have the same
days in all months, and which these are: `2024-01=2147483647=0=,2024-02=...` (days, empty ones, those read
once). Samples by point, of months between the first and the last together. Points of a site mostly have,
so that 10,000 points over years are few rows, and only these have to be read and put into sets. CROSS
JOIN keeps the order: each point is looked up in the index, which gives its months ascending."""

REFS: Final = f"""
SELECT
  wanted.key, held.object_key, held.covered_days, held.empty_days, held.sample_count, held.object_days,
  held.unsettled, own.generation, own.ticket, {_SITE_GENERATION}
FROM json_each(?2) AS wanted
LEFT JOIN cache_metadata AS held
  ON held.site = ?1 AND held.point = wanted.value ->> 0 AND held.month = wanted.value ->> 1
LEFT JOIN store_generations AS own ON own.site = ?1 AND own.point = wanted.value ->> 0
"""
"""Pointers of (point, month), with the generations of this very moment."""

FINGERPRINT: Final = f"""
SELECT
  held.month, count(*), sum(held.version & 16777215), sum(held.version >> 24),
  {_SITE_GENERATION}
FROM json_each(?2) AS wanted
CROSS JOIN json_each(?3) AS asked
CROSS JOIN cache_metadata AS held
  ON held.site = ?1 AND held.point = wanted.value AND held.month = asked.value ->> 0
WHERE held.covered_days & (asked.value ->> 1) = asked.value ->> 1
GROUP BY held.month
UNION ALL
SELECT '', count(*), coalesce(sum(own.generation / 1000000), 0), coalesce(sum(own.generation % 1000000), 0),
  {_SITE_GENERATION}
FROM json_each(?2) AS wanted
CROSS JOIN store_generations AS own ON own.site = ?1 AND own.point = wanted.value
"""
"""By month (text, wanted days), how many of the points hold all of its wanted days, and the sums of
their objects' digests, 24 bits at a time so that no sum passes 2^53; then the generations."""

_STILL_THERE: Final = f"""
  coalesce((
    SELECT held.object_key FROM cache_metadata AS held
    WHERE held.site = ?1 AND held.point = value ->> 1 AND held.month = value ->> 2), '') = value ->> 3
  AND {_SITE_GENERATION} <= value ->> 4
"""

_MOVE_POINTERS: Final = """
INSERT INTO cache_metadata
  (object_key, kind, site, point, month, covered_days, empty_days, sample_count, raw_bytes, stored_bytes,
   codec, version, created_ms, used_ms, object_days, unsettled)
SELECT
  value ->> 0, 'block', ?1, value ->> 1, value ->> 2, value ->> 6, value ->> 7, value ->> 8, value ->> 9,
  value ->> 10, value ->> 11, value ->> 12, value ->> 13, ?3, value ->> 6, value ->> 14
FROM json_each(?2)
WHERE {condition}
ON CONFLICT (site, point, month) DO UPDATE SET
  object_key = excluded.object_key, covered_days = excluded.covered_days, empty_days = excluded.empty_days,
  sample_count = excluded.sample_count, raw_bytes = excluded.raw_bytes, stored_bytes = excluded.stored_bytes,
  codec = excluded.codec, version = excluded.version, created_ms = excluded.created_ms,
  used_ms = excluded.used_ms, object_days = excluded.object_days, unsettled = excluded.unsettled
RETURNING point, month
"""

MOVE_FETCHED: Final = _MOVE_POINTERS.format(
    condition=f"""{_STILL_THERE}
  AND coalesce((
    SELECT own.generation FROM store_generations AS own WHERE own.site = ?1 AND own.point = value ->> 1), 0)
    <= value ->> 5"""
)
"""Pointers of what was fetched: each moves if the one that was read is still there (value 3, empty for none)
and neither generation was raised since. Generations only grow, so that not greater is equal."""

MOVE_REFRESHED: Final = _MOVE_POINTERS.format(
    condition=f"""{_STILL_THERE}
  AND coalesce((
    SELECT own.ticket FROM store_generations AS own WHERE own.site = ?1 AND own.point = value ->> 1), 0)
    <= value ->> 5"""
)
"""The same of what a refresh fetched: unless a purge or a refresh with a later ticket is in force."""

SUPERSEDE: Final = """
INSERT INTO superseded_objects (object_key, superseded_ms)
SELECT value ->> 3, ?2 FROM json_each(?1)
WHERE value ->> 3 NOT IN ('', value ->> 0)
  AND EXISTS (SELECT 1 FROM cache_metadata AS held WHERE held.object_key = value ->> 0)
ON CONFLICT (object_key) DO UPDATE SET superseded_ms = excluded.superseded_ms
"""
"""After the pointers moved, with the same rows: the objects that they pointed to."""

RAISE_REFRESHED: Final = f"""
INSERT INTO store_generations (site, point, generation, drawn_ticket, ticket)
SELECT ?1, value ->> 0, ?3, value ->> 1, value ->> 1 FROM json_each(?2)
WHERE {_SITE_GENERATION} <= value ->> 2
ON CONFLICT (site, point) DO UPDATE SET
  generation = max(generation + 1, excluded.generation), ticket = excluded.ticket
WHERE ticket <= excluded.ticket
RETURNING point, generation, ticket
"""
"""Rows of (point, ticket, site's generation) of a refresh, in one transaction with what it stores."""

DRAW_TICKETS: Final = f"""
INSERT INTO store_generations (site, point, drawn_ticket)
SELECT ?1, value, ?3 FROM json_each(?2) WHERE true
ON CONFLICT (site, point) DO UPDATE SET drawn_ticket = max(drawn_ticket + 1, excluded.drawn_ticket)
RETURNING point, drawn_ticket, {_SITE_GENERATION}
"""
"""A ticket for each point; whoever draws later has a later one."""

RAISE_PURGED: Final = """
INSERT INTO store_generations (site, point, generation, drawn_ticket, ticket)
SELECT ?1, value, ?3, ?3, ?3 FROM json_each(?2) WHERE true
ON CONFLICT (site, point) DO UPDATE SET
  generation = max(generation + 1, excluded.generation),
  drawn_ticket = max(drawn_ticket + 1, excluded.drawn_ticket),
  ticket = max(drawn_ticket + 1, excluded.drawn_ticket)
RETURNING generation
"""
"""A purge of points (or of the site, point ''): its ticket is later than any that was drawn."""

RESTORE_GENERATIONS: Final = """
INSERT INTO store_generations (site, point, generation, drawn_ticket, ticket)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 2, value ->> 2 FROM json_each(?1) WHERE true
ON CONFLICT (site, point) DO UPDATE SET
  generation = max(generation, excluded.generation),
  drawn_ticket = max(drawn_ticket, excluded.drawn_ticket),
  ticket = max(ticket, excluded.ticket)
WHERE excluded.generation > generation
"""
"""From the records of purges in the bucket (site, point, generation), after the database was lost."""

LEARN: Final = """
INSERT INTO point_profiles (site, point, density_per_day, observed_days, updated_ms)
SELECT ?1, value ->> 0, 1.0 * (value ->> 1) / (value ->> 2), value ->> 2, ?3
FROM json_each(?2) WHERE true
ON CONFLICT (site, point) DO UPDATE SET
  density_per_day =
    (density_per_day * min(observed_days, ?4) + excluded.density_per_day * excluded.observed_days)
    / (min(observed_days, ?4) + excluded.observed_days),
  observed_days = observed_days + excluded.observed_days,
  updated_ms = excluded.updated_ms
"""
"""Rows are (point, samples, days that hold them). Formula: `docs/formats/storage.md`."""

ORPHAN: Final = """
INSERT INTO superseded_objects (object_key, superseded_ms)
SELECT value, ?2 FROM json_each(?1) WHERE true
ON CONFLICT (object_key) DO NOTHING
"""

REMOVE_ROWS: Final = "DELETE FROM cache_metadata WHERE object_key IN (SELECT value FROM json_each(?1))"

RECORD_ANSWER: Final = """
INSERT INTO cache_metadata
  (object_key, kind, site, sample_count, raw_bytes, stored_bytes, codec, created_ms, used_ms, expires_ms)
VALUES (?1, 'answer', ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)
ON CONFLICT (object_key) DO UPDATE SET
  sample_count = excluded.sample_count, raw_bytes = excluded.raw_bytes, stored_bytes = excluded.stored_bytes,
  codec = excluded.codec, created_ms = excluded.created_ms, used_ms = excluded.used_ms,
  expires_ms = excluded.expires_ms
"""
