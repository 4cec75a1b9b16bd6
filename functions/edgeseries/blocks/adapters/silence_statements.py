"""Every SQL statement about days whose silence is doubted. Table: `silent_days` in `schema.sql`.

Parameters are numbered in the order in which `silence.py` gives them. Sets come as JSON.
"""

from typing import Final

DENSITIES: Final = """
SELECT wanted.key, learned.density_per_day
FROM json_each(?2) AS wanted
CROSS JOIN point_profiles AS learned ON learned.site = ?1 AND learned.point = wanted.value
"""

READINGS: Final = """
SELECT
  wanted.key, coalesce(doubted.readings, ''), coalesce(held.empty_days, 0), coalesce(whole.year_empty_days,
  ''), coalesce(whole.purged_days, '')
FROM json_each(?2) AS wanted
LEFT JOIN silent_days AS doubted
  ON doubted.site = ?1 AND doubted.point = wanted.value ->> 0 AND doubted.month = wanted.value ->> 1
LEFT JOIN cache_metadata AS held
  ON held.site = ?1 AND held.point = wanted.value ->> 0 AND held.month = wanted.value ->> 1
LEFT JOIN cache_metadata AS whole
  ON whole.site = ?1 AND whole.point = wanted.value ->> 0 AND whole.month = substr(wanted.value ->> 1, 1, 4)
"""
"""Of places (point, month): what is doubted, and which days are stored as empty already."""

REMEMBER: Final = """
INSERT INTO silent_days (site, point, month, readings, updated_ms)
SELECT ?1, value ->> 0, value ->> 1, value ->> 2, ?3 FROM json_each(?2) WHERE true
ON CONFLICT (site, point, month) DO UPDATE SET readings = excluded.readings, updated_ms = excluded.updated_ms
"""
"""Rows are (point, month, readings). Of two writers at once the later one stays: a reading that is lost
makes one more necessary."""

FORGET: Final = """
DELETE FROM silent_days
WHERE updated_ms < ?2
  OR (site = ?1 AND (point, month) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?3)))
"""
"""Places where nothing is doubted any more, and all of any site that are too old to count."""
