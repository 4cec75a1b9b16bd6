"""Every SQL statement of the block index and the answer index. Tables: `schema.sql`.

Parameters are numbered in the order in which `block_index.py` gives them. Sets come as JSON.
"""

from typing import Final

_SITE_GENERATION: Final = """
coalesce((SELECT generation FROM store_generations WHERE site = ?1 AND point = ''), 0)
"""

OF_YEAR: Final = "part.month > {year} AND part.month < {year} || '-99'"
"""Months of version 1 of a year: `2024-01` and so on lie between `2024` and `2024-99`."""

_YEAR_COLUMNS: Final = """
  held.year_days, held.purged_days, held.year_empty_days, held.unsettled, held.month_samples,
  held.stored_bytes, held.directory"""

LOOK_UP: Final = f"""
SELECT
  wanted.key, learned.density_per_day, own.generation, own.ticket, {_SITE_GENERATION},
  (SELECT json_group_array(json_array(
     held.month, substr(held.object_key, -64), held.covered_days, held.empty_days, held.sample_count,
     held.object_days, held.unsettled))
   FROM cache_metadata AS held
   WHERE held.site = ?1 AND held.point = wanted.value AND held.month BETWEEN ?3 AND ?4
     AND held.covered_days > 0),
  (SELECT json_group_array(json_array(held.month, substr(held.object_key, -64), {_YEAR_COLUMNS}))
   FROM cache_metadata AS held
   WHERE held.site = ?1 AND held.point = wanted.value AND held.month BETWEEN ?3 AND ?4
     AND held.year_days <> '')
FROM json_each(?2) AS wanted
LEFT JOIN point_profiles AS learned ON learned.site = ?1 AND learned.point = wanted.value
LEFT JOIN store_generations AS own ON own.site = ?1 AND own.point = wanted.value
"""
"""Everything of a few points: a row each, with its months and years as JSON, from a year (text) to a month.
Of a key the digest is enough, the rest is known. One statement is one moment: coverage and generations belong
together."""

_COUNTS_WHOLE: Final = """
(CASE WHEN held.year_days = ''
 THEN held.month > ?5 AND held.month < ?4 AND held.covered_days = held.object_days
 ELSE held.month > ?3 AND held.month < substr(?4, 1, 4) AND held.purged_days = '' END)
"""
"""Months and years that lie in the range for certain, and of which nothing was purged."""

_IN_RANGE: Final = """
held.month BETWEEN ?3 AND ?4 AND (held.year_days <> '' OR held.covered_days > 0 AND held.month >= ?5)
"""

LOOK_UP_MANY: Final = f"""
SELECT 'days', coverage, json_group_array(place)
FROM (
  SELECT
    wanted.key AS place,
    group_concat(
      CASE held.year_days WHEN ''
      THEN held.month || '=' || held.covered_days || '=' || held.empty_days || '=' || held.unsettled
      ELSE held.month || '=' || held.year_days || '=' || held.purged_days || '=' || held.year_empty_days
        || '=' || held.unsettled END)
      AS coverage
  FROM json_each(?2) AS wanted
  CROSS JOIN cache_metadata AS held ON held.site = ?1 AND held.point = wanted.value
  WHERE {_IN_RANGE}
  GROUP BY wanted.key
)
GROUP BY coverage
UNION ALL
SELECT
  'count', wanted.key,
  json_array(
    sum(CASE WHEN {_COUNTS_WHOLE} THEN held.sample_count ELSE 0 END),
    json_group_array(
      CASE held.year_days WHEN ''
      THEN json_array(held.month, held.object_days & ~held.empty_days, held.covered_days, held.sample_count)
      ELSE json_array(held.month, held.year_days, held.purged_days, held.year_empty_days,
      held.month_samples) END) FILTER (WHERE NOT {_COUNTS_WHOLE}),
    sum(held.stored_bytes > 0))
FROM json_each(?2) AS wanted
CROSS JOIN cache_metadata AS held ON held.site = ?1 AND held.point = wanted.value
WHERE {_IN_RANGE}
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
"""The same of many points, without keys and directories, from a year (?3) or the month in it (?5) to a
month. Which of the points (by place in the JSON array) have the same days in all years and months, and
which these are: `2024=1-366==5-9=` (days, purged ones, empty ones, those read once),
`2024-01=2147483647=0=`. Samples by point, of periods between the first and the last together, and objects.
Points of a site mostly have the same days, so that 10,000 points over years are few rows, and only these
have to be read and put into sets. CROSS JOIN keeps the order: each point is looked up in the index, which
gives its periods ascending."""

POINTERS: Final = f"""
SELECT
  wanted.key, own.generation, own.ticket, {_SITE_GENERATION},
  (SELECT json_array(held.object_key, {_YEAR_COLUMNS})
   FROM cache_metadata AS held
   WHERE held.site = ?1 AND held.point = wanted.value ->> 0 AND held.month = wanted.value ->> 1
     AND held.year_days <> ''),
  (SELECT json_group_array(json_array(
     part.month, part.object_key, part.covered_days, part.empty_days, part.sample_count, part.object_days,
     part.unsettled))
   FROM cache_metadata AS part
   WHERE part.site = ?1 AND part.point = wanted.value ->> 0 AND {OF_YEAR.format(year="wanted.value ->> 1")})
FROM json_each(?2) AS wanted
LEFT JOIN store_generations AS own ON own.site = ?1 AND own.point = wanted.value ->> 0
"""
"""Pointers of (point, year) and of the months of version 1 in it, with the generations of this very
moment."""

FINGERPRINT: Final = f"""
SELECT
  held.month, held.year_days || '=' || held.purged_days, count(*), sum(held.version & 16777215),
  sum(held.version >> 24), {_SITE_GENERATION}
FROM json_each(?2) AS wanted
CROSS JOIN json_each(?3) AS asked
CROSS JOIN cache_metadata AS held
  ON held.site = ?1 AND held.point = wanted.value AND held.month = asked.value
WHERE held.year_days <> ''
GROUP BY held.month, held.year_days, held.purged_days
UNION ALL
SELECT '', '', count(*), coalesce(sum(own.generation / 1000000), 0),
  coalesce(sum(own.generation % 1000000), 0), {_SITE_GENERATION}
FROM json_each(?2) AS wanted
CROSS JOIN store_generations AS own ON own.site = ?1 AND own.point = wanted.value
UNION ALL
SELECT 'months', '', count(*), 0, 0, 0
FROM json_each(?2) AS wanted
CROSS JOIN json_each(?3) AS asked
CROSS JOIN cache_metadata AS part
  ON part.site = ?1 AND part.point = wanted.value AND {OF_YEAR.format(year="asked.value")}
"""
"""By year and days, how many of the points have them, and the sums of their objects' digests, 24 bits at a
time so that no sum passes 2^53; then the generations; then how many months of version 1 there are."""

_MONTHS_OF_MOVE: Final = OF_YEAR.format(year="value ->> 2")

_STILL_THERE: Final = f"""
  coalesce((
    SELECT held.object_key FROM cache_metadata AS held
    WHERE held.site = ?1 AND held.point = value ->> 1 AND held.month = value ->> 2), '') = value ->> 3
  AND coalesce((
    SELECT group_concat(object_key) FROM (
      SELECT part.object_key FROM cache_metadata AS part
      WHERE part.site = ?1 AND part.point = value ->> 1 AND {_MONTHS_OF_MOVE}
      ORDER BY part.month) AS taken_in), '') = value ->> 17
  AND {_SITE_GENERATION} <= value ->> 4
"""

_MOVE_POINTERS: Final = """
INSERT INTO cache_metadata
  (object_key, kind, site, point, month, year_days, year_empty_days, sample_count, raw_bytes, stored_bytes,
   codec, version, created_ms, used_ms, unsettled, month_samples, directory)
SELECT
  value ->> 0, 'block', ?1, value ->> 1, value ->> 2, value ->> 6, value ->> 7, value ->> 8, value ->> 9,
  value ->> 10, value ->> 11, value ->> 12, value ->> 13, ?3, value ->> 14, value ->> 15, value ->> 16
FROM json_each(?2)
WHERE {condition}
ON CONFLICT (site, point, month) DO UPDATE SET
  object_key = excluded.object_key, year_days = excluded.year_days, purged_days = '',
  year_empty_days = excluded.year_empty_days, sample_count = excluded.sample_count,
  raw_bytes = excluded.raw_bytes, stored_bytes = excluded.stored_bytes, codec = excluded.codec,
  version = excluded.version, created_ms = excluded.created_ms, used_ms = excluded.used_ms,
  unsettled = excluded.unsettled, month_samples = excluded.month_samples, directory = excluded.directory
RETURNING point, month
"""

MOVE_FETCHED: Final = _MOVE_POINTERS.format(
    condition=f"""{_STILL_THERE}
  AND coalesce((
    SELECT own.generation FROM store_generations AS own WHERE own.site = ?1 AND own.point = value ->> 1), 0)
    <= value ->> 5"""
)
"""Pointers of what was fetched: each moves if what was read is still there (value 3, empty for none; 17,
the keys of the months of version 1 that it takes in) and neither generation was raised since. Generations
only grow, so that not greater is equal."""

MOVE_REFRESHED: Final = _MOVE_POINTERS.format(
    condition=f"""{_STILL_THERE}
  AND coalesce((
    SELECT own.ticket FROM store_generations AS own WHERE own.site = ?1 AND own.point = value ->> 1), 0)
    <= value ->> 5"""
)
"""The same of what a refresh fetched: unless a purge or a refresh with a later ticket is in force."""

_TAKEN_IN: Final = f"""
  FROM json_each(?2)
  CROSS JOIN cache_metadata AS part ON part.site = ?1 AND part.point = value ->> 1 AND {_MONTHS_OF_MOVE}
  WHERE value ->> 17 <> ''
    AND EXISTS (SELECT 1 FROM cache_metadata AS held WHERE held.object_key = value ->> 0)
"""

SUPERSEDE_MONTHS: Final = f"""
INSERT INTO superseded_objects (object_key, superseded_ms)
SELECT part.object_key, ?3 {_TAKEN_IN}
ON CONFLICT (object_key) DO UPDATE SET superseded_ms = excluded.superseded_ms
"""

REMOVE_MONTHS: Final = f"""
DELETE FROM cache_metadata WHERE rowid IN (SELECT part.rowid {_TAKEN_IN})
"""
"""After the pointers moved, with the same rows: months of version 1 that are in a year now."""

SUPERSEDE: Final = """
INSERT INTO superseded_objects (object_key, superseded_ms)
SELECT value ->> 3, ?2 FROM json_each(?1)
WHERE value ->> 3 NOT IN ('', value ->> 0)
  AND EXISTS (SELECT 1 FROM cache_metadata AS held WHERE held.object_key = value ->> 0)
ON CONFLICT (object_key) DO UPDATE SET superseded_ms = excluded.superseded_ms
"""
"""After the pointers moved, with the same rows: the objects that they pointed to."""

RAISE_REFRESHED: Final = f"""
INSERT INTO store_generations (site, point, generation, drawn_ticket, ticket, years_generation)
SELECT ?1, value ->> 0, ?3, value ->> 1, value ->> 1, ?3 FROM json_each(?2)
WHERE {_SITE_GENERATION} <= value ->> 2
ON CONFLICT (site, point) DO UPDATE SET
  generation = max(generation + 1, excluded.generation), ticket = excluded.ticket,
  years_generation = max(generation + 1, excluded.generation)
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
INSERT INTO store_generations (site, point, generation, drawn_ticket, ticket, years_generation)
SELECT ?1, value, ?3, ?3, ?3, ?3 FROM json_each(?2) WHERE true
ON CONFLICT (site, point) DO UPDATE SET
  generation = max(generation + 1, excluded.generation),
  years_generation = max(generation + 1, excluded.generation),
  drawn_ticket = max(drawn_ticket + 1, excluded.drawn_ticket),
  ticket = max(drawn_ticket + 1, excluded.drawn_ticket)
RETURNING generation
"""
"""A purge of points (or of the site, point ''): its ticket is later than any that was drawn.
`years_generation` goes along: whoever raises without it knows no years, and voids them (`schema.sql`)."""

RESTORE_GENERATIONS: Final = """
INSERT INTO store_generations (site, point, generation, drawn_ticket, ticket)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 2, value ->> 2 FROM json_each(?1) WHERE true
ON CONFLICT (site, point) DO UPDATE SET
  generation = max(generation, excluded.generation),
  drawn_ticket = max(drawn_ticket, excluded.drawn_ticket),
  ticket = max(ticket, excluded.ticket)
WHERE excluded.generation > generation
"""
"""From the records of purges in the bucket (site, point, generation), after the database was lost. What is
there of years does not know of them, and is void."""

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
