"""SQL of a purge: pointers that are taken away, and days of them. Tables: `schema.sql`.

A scope is a stretch of a site's blocks, or some points of it. What is meant comes as JSON of (period, days,
whole): of a year the run of its days (`1-60`), of a month of version 1 the days as a bitmap, and whether
these are all days of it; period '' means all that is stored.
"""

from typing import Final

_OF_SITE: Final = """
  FROM cache_metadata AS held
  CROSS JOIN json_each(?2) AS meant ON meant.value ->> 0 IN (held.month, '')
  WHERE held.site = ?1 AND held.point IS NOT NULL
    AND (held.point, held.month) > (?3, ?4) AND (held.point, held.month) <= (?5, ?6)
"""

_OF_POINTS: Final = """
  FROM json_each(?3) AS wanted
  CROSS JOIN cache_metadata AS held ON held.site = ?1 AND held.point = wanted.value
  CROSS JOIN json_each(?2) AS meant ON meant.value ->> 0 IN (held.month, '')
  WHERE held.covered_days >= 0
"""

_IS_MONTH: Final = "held.year_days = ''"

_WHOLE: Final = f"""
(CASE WHEN {_IS_MONTH} THEN held.covered_days & ~(meant.value ->> 1) = 0 ELSE meant.value ->> 2 END)
"""

_TOUCHED_MONTH: Final = f"({_IS_MONTH} AND held.covered_days & (meant.value ->> 1) <> 0)"

_MEANT_OF_ROW: Final = """
(SELECT meant.value ->> 1 FROM json_each(?2) AS meant WHERE meant.value ->> 0 IN (cache_metadata.month, ''))
"""

STRETCH_OF_SITE: Final = """
SELECT point, month FROM cache_metadata
WHERE site = ?1 AND point IS NOT NULL AND (point, month) > (?2, ?3)
ORDER BY point, month LIMIT 1 OFFSET ?4
"""
"""Where a stretch of so many blocks ends; nothing if it is the last."""


def _rows(scope: str) -> str:
    return f"""
SELECT held.object_key, held.month, held.covered_days, held.year_days, held.purged_days, held.stored_bytes
{scope}
"""


def _superseded(scope: str, moment: str) -> str:
    return f"""
INSERT INTO superseded_objects (object_key, superseded_ms)
SELECT held.object_key, {moment}
{scope} AND {_WHOLE}
ON CONFLICT (object_key) DO UPDATE SET superseded_ms = excluded.superseded_ms
"""


def _taken(scope: str) -> str:
    return f"""
DELETE FROM cache_metadata WHERE rowid IN (
SELECT held.rowid
{scope} AND {_WHOLE})
"""


def _cut(scope: str) -> str:
    return f"""
UPDATE cache_metadata
SET covered_days = covered_days & ~{_MEANT_OF_ROW}, empty_days = empty_days & ~{_MEANT_OF_ROW}
WHERE rowid IN (
SELECT held.rowid
{scope} AND {_TOUCHED_MONTH})
"""


def _cut_years(scope: str) -> str:
    return f"""
UPDATE cache_metadata SET purged_days = ltrim(purged_days || ' ' || {_MEANT_OF_ROW})
WHERE rowid IN (
SELECT held.rowid
{scope} AND NOT {_IS_MONTH}
  AND instr(' ' || held.purged_days || ' ', ' ' || (meant.value ->> 1) || ' ') = 0)
"""


ROWS_OF_SITE: Final = _rows(_OF_SITE)
ROWS_OF_POINTS: Final = _rows(_OF_POINTS)
SUPERSEDE_OF_SITE: Final = _superseded(_OF_SITE, "?7")
SUPERSEDE_OF_POINTS: Final = _superseded(_OF_POINTS, "?4")
TAKE_OF_SITE: Final = _taken(_OF_SITE)
TAKE_OF_POINTS: Final = _taken(_OF_POINTS)
CUT_OF_SITE: Final = _cut(_OF_SITE)
CUT_OF_POINTS: Final = _cut(_OF_POINTS)
CUT_YEARS_OF_SITE: Final = _cut_years(_OF_SITE)
CUT_YEARS_OF_POINTS: Final = _cut_years(_OF_POINTS)
"""What is left of a block stays as it is: the row says which of its days count."""

_PURGED_WHOLE: Final = """
  FROM json_each(?1) AS seen
  CROSS JOIN cache_metadata AS held ON held.object_key = seen.value
  WHERE held.purged_days <> ''
"""

SUPERSEDE_PURGED: Final = f"""
INSERT INTO superseded_objects (object_key, superseded_ms)
SELECT held.object_key, ?2 {_PURGED_WHOLE}
ON CONFLICT (object_key) DO UPDATE SET superseded_ms = excluded.superseded_ms
"""

TAKE_PURGED: Final = f"""
DELETE FROM cache_metadata WHERE rowid IN (SELECT held.rowid {_PURGED_WHOLE})
"""
"""Years by their objects, of which no day is left: days are only ever taken from a row, until it is written
anew."""
