"""SQL of `late_data`. Table: `schema.sql`. Parameters are numbered in the order in which they are given."""

from typing import Final

ADD: Final = """
INSERT INTO late_data
  (day_ms, site, lag_buckets, highest_lag_ms, checked_days, corrected_days, added_samples, changed_samples,
   removed_samples)
SELECT
  ?1, value ->> 0, value -> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
FROM json_each(?2) WHERE true
ON CONFLICT (day_ms, site) DO UPDATE SET
  lag_buckets = (
    SELECT json_group_array(total) FROM (
      SELECT sum(value) AS total FROM (
        SELECT key, value FROM json_each(late_data.lag_buckets)
        UNION ALL SELECT key, value FROM json_each(excluded.lag_buckets))
      GROUP BY key ORDER BY key)),
  highest_lag_ms = max(highest_lag_ms, excluded.highest_lag_ms),
  checked_days = checked_days + excluded.checked_days,
  corrected_days = corrected_days + excluded.corrected_days,
  added_samples = added_samples + excluded.added_samples,
  changed_samples = changed_samples + excluded.changed_samples,
  removed_samples = removed_samples + excluded.removed_samples
"""

SINCE: Final = """
SELECT site, lag_buckets, highest_lag_ms, checked_days, corrected_days, added_samples, changed_samples,
  removed_samples
FROM late_data WHERE day_ms >= ?1 AND (?2 = '' OR site = ?2) ORDER BY site, day_ms LIMIT ?3
"""

FORGET: Final = "DELETE FROM late_data WHERE day_ms < ?1"
"""At most a day of rows more than the time before: it is asked in every sweep."""
