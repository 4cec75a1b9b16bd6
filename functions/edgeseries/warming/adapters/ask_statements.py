"""SQL of what is asked: which points, in which hours. Tables: `schema.sql`.

Parameters are numbered in the order in which the adapters give them. Sets come as JSON.
"""

from typing import Final

RECORD_SETS: Final = """
INSERT INTO asked_sets (set_digest, site, points_json, point_count, asked_ms)
SELECT value ->> 0, value ->> 1, value -> 2, json_array_length(value, '$[2]'), value ->> 3
FROM json_each(?1) WHERE true
ON CONFLICT (set_digest) DO UPDATE SET asked_ms = max(asked_ms, excluded.asked_ms)
"""

RECORD_ASKED: Final = """
INSERT INTO asked_hours
  (hour, set_digest, first_back, last_back, ask_count, point_days, missing_point_days, origin_ms, asked_ms)
SELECT
  value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
  value ->> 8
FROM json_each(?1) WHERE true
ON CONFLICT (hour, set_digest, first_back, last_back) DO UPDATE SET
  ask_count = ask_count + excluded.ask_count,
  point_days = point_days + excluded.point_days,
  missing_point_days = missing_point_days + excluded.missing_point_days,
  origin_ms = max(origin_ms, excluded.origin_ms),
  asked_ms = max(asked_ms, excluded.asked_ms)
"""

_BY_QUESTION: Final = """
SELECT
  asked.set_digest, asked_sets.site, asked_sets.point_count, first_back, last_back, hour_of_day, days_json,
  asks, longest_ms
FROM (
  SELECT
    set_digest, first_back, last_back, hour % 24 AS hour_of_day, json_group_array(hour / 24) AS days_json,
    sum(ask_count) AS asks, max(origin_ms) AS longest_ms
  FROM asked_hours WHERE hour >= ?1 {condition}
  GROUP BY set_digest, first_back, last_back, hour_of_day HAVING count(*) >= ?2) AS asked
JOIN asked_sets ON asked_sets.set_digest = asked.set_digest
ORDER BY asks DESC, asked.set_digest, first_back, last_back, hour_of_day LIMIT ?3
"""
"""An hour of a question is one row, so that rows are days. A set whose names are not there is of no use."""

PATTERNS: Final = _BY_QUESTION.format(condition="AND hour % 24 IN (SELECT value FROM json_each(?4))")

PATTERNS_OF_ALL: Final = _BY_QUESTION.format(condition="")

SETS: Final = """
SELECT set_digest, site, points_json FROM asked_sets
WHERE set_digest IN (SELECT value FROM json_each(?1))
"""

ASKED_SUMS: Final = """
SELECT coalesce(sum(ask_count), 0), coalesce(sum(point_days), 0), coalesce(sum(missing_point_days), 0)
FROM asked_hours WHERE hour >= ?1
"""

FORGET_HOURS: Final = "DELETE FROM asked_hours WHERE hour < ?1"

FORGET_OLDEST: Final = """
DELETE FROM asked_hours WHERE hour < (
  SELECT coalesce(min(hour), 0) FROM (SELECT hour FROM asked_hours ORDER BY hour DESC LIMIT ?1))
"""
"""What is beyond the newest rows: hours that are only in part among them stay."""

FORGET_SETS: Final = """
DELETE FROM asked_sets
WHERE asked_ms < ?1
  AND NOT EXISTS (SELECT 1 FROM asked_hours WHERE asked_hours.set_digest = asked_sets.set_digest)
"""
