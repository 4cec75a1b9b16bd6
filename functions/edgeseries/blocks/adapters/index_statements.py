"""Every SQL statement of the block index and the answer index. Tables: `schema.sql`.

Parameters are numbered in the order in which `block_index.py` gives them. Sets come as JSON.
"""

from typing import Final

COVERED: Final = """
SELECT coverage, json_group_array(place)
FROM (
  SELECT wanted.key AS place, group_concat(held.month || '=' || held.covered_days) AS coverage
  FROM json_each(?2) AS wanted
  CROSS JOIN cache_metadata AS held ON held.site = ?1 AND held.point = wanted.value
  WHERE held.month BETWEEN ?3 AND ?4 AND held.kind = 'block' AND held.covered_days > 0
  GROUP BY wanted.key
)
GROUP BY coverage
"""
"""Which of the points (by place in the JSON array) have the same days in all months, and which these
are: `2024-01=2147483647,2024-02=...`. Points of a site mostly have, so that 10,000 points over years
are few rows, and only these have to be read and put into sets. CROSS JOIN keeps the order: each point
is looked up in the index, which gives its months ascending; nothing is scanned."""

DENSITIES: Final = """
SELECT wanted.key, learned.density_per_day
FROM json_each(?2) AS wanted
CROSS JOIN point_profiles AS learned ON learned.site = ?1 AND learned.point = wanted.value
"""

FINGERPRINT: Final = """
SELECT count(*), sum(held.covered_days), sum(held.sample_count), sum(held.created_ms), max(held.created_ms)
FROM json_each(?2) AS wanted
CROSS JOIN cache_metadata AS held ON held.site = ?1 AND held.point = wanted.value
WHERE held.month BETWEEN ?3 AND ?4 AND held.kind = 'block'
"""
"""`created_ms` is when the bucket took a block's version: a block that is written anew changes the sums."""

RECORD_BLOCKS: Final = """
INSERT INTO cache_metadata
  (object_key, kind, site, point, month, covered_days, sample_count, raw_bytes, stored_bytes, codec, etag,
   created_ms, used_ms)
SELECT
  value ->> 0, 'block', ?1, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
  value ->> 7, value ->> 8, value ->> 9, ?3
FROM json_each(?2) WHERE true
ON CONFLICT (object_key) DO UPDATE SET
  covered_days = excluded.covered_days, sample_count = excluded.sample_count, raw_bytes = excluded.raw_bytes,
  stored_bytes = excluded.stored_bytes, codec = excluded.codec, etag = excluded.etag,
  created_ms = excluded.created_ms, used_ms = excluded.used_ms
WHERE excluded.created_ms > created_ms
  OR (excluded.created_ms = created_ms AND excluded.covered_days >= covered_days)
"""
"""Rows of blocks as they lie in the bucket. `created_ms` is when the bucket took this version, so of
two writers who come here in the wrong order the later version stays."""

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

REMOVE_ROWS: Final = "DELETE FROM cache_metadata WHERE object_key IN (SELECT value FROM json_each(?1))"

BLOCK_ROWS_OF_SITE: Final = """
SELECT object_key FROM cache_metadata
WHERE object_key > ?1 AND object_key < ?2 ORDER BY object_key LIMIT ?3
"""
"""By the range of keys, which is the primary key: no other index is needed."""

BLOCK_ROWS_OF_POINTS: Final = """
SELECT held.object_key
FROM json_each(?2) AS wanted
CROSS JOIN cache_metadata AS held ON held.site = ?1 AND held.point = wanted.value
"""

ANSWER_ROWS: Final = """
SELECT object_key, stored_bytes FROM cache_metadata
WHERE site = ?1 AND point IS NULL AND kind = 'answer' AND object_key > ?2 ORDER BY object_key LIMIT ?3
"""

RECORD_ANSWER: Final = """
INSERT INTO cache_metadata
  (object_key, kind, site, sample_count, raw_bytes, stored_bytes, codec, created_ms, used_ms, expires_ms)
VALUES (?1, 'answer', ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)
ON CONFLICT (object_key) DO UPDATE SET
  sample_count = excluded.sample_count, raw_bytes = excluded.raw_bytes, stored_bytes = excluded.stored_bytes,
  codec = excluded.codec, created_ms = excluded.created_ms, used_ms = excluded.used_ms,
  expires_ms = excluded.expires_ms
"""
