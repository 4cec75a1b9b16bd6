"""SQL of a purge: pointers that are taken away, and days of them. Tables: `schema.sql`.

A scope is a stretch of a site's blocks, or some points of it. Months come as JSON of (month, days): the
days of that month that are meant, as a bitmap.
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

_WHOLE: Final = "held.covered_days & ~(meant.value ->> 1) = 0"
_TOUCHED: Final = "held.covered_days & (meant.value ->> 1) <> 0"

_DAYS_OF_ROW: Final = """
(SELECT meant.value ->> 1 FROM json_each(?2) AS meant WHERE meant.value ->> 0 IN (cache_metadata.month, ''))
"""

STRETCH_OF_SITE: Final = """
SELECT point, month FROM cache_metadata
WHERE site = ?1 AND point IS NOT NULL AND (point, month) > (?2, ?3)
ORDER BY point, month LIMIT 1 OFFSET ?4
"""
"""Where a stretch of so many blocks ends; nothing if it is the last."""


def _counted(scope: str) -> str:
    return f"""
SELECT count(*), coalesce(sum(CASE WHEN {_WHOLE} THEN held.stored_bytes ELSE 0 END), 0)
{scope} AND ({_TOUCHED} OR {_WHOLE})
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
SET covered_days = covered_days & ~{_DAYS_OF_ROW}, empty_days = empty_days & ~{_DAYS_OF_ROW}
WHERE rowid IN (
SELECT held.rowid
{scope} AND {_TOUCHED})
"""


COUNT_OF_SITE: Final = _counted(_OF_SITE)
COUNT_OF_POINTS: Final = _counted(_OF_POINTS)
SUPERSEDE_OF_SITE: Final = _superseded(_OF_SITE, "?7")
SUPERSEDE_OF_POINTS: Final = _superseded(_OF_POINTS, "?4")
TAKE_OF_SITE: Final = _taken(_OF_SITE)
TAKE_OF_POINTS: Final = _taken(_OF_POINTS)
CUT_OF_SITE: Final = _cut(_OF_SITE)
CUT_OF_POINTS: Final = _cut(_OF_POINTS)
"""What is left of a block stays as it is: the row says which of its days count."""
