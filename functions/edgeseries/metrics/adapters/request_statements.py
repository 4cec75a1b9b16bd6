"""SQL of `request_analytics`: counts of requests added, added up, read. Tables: `schema.sql`.

Parameters are numbered in the order in which the adapters give them. Sets come as JSON.
"""

from typing import Final

FIRST_REQUESTS: Final = """
SELECT min(minute_ms) FROM request_analytics WHERE minute_ms >= ?1 AND minute_ms < ?2
"""

_SPAN: Final = "minute_ms >= ?1 AND minute_ms < ?2 AND minute_ms <> ?3"

_ADDED_BUCKETS: Final = """
  duration_buckets = (
    SELECT json_group_array(total) FROM (
      SELECT sum(value) AS total FROM (
        SELECT key, value FROM json_each(request_analytics.duration_buckets)
        UNION ALL SELECT key, value FROM json_each(excluded.duration_buckets))
      GROUP BY key ORDER BY key))
"""
"""Two latency histograms added, bucket by bucket, where a row meets one that is there."""

_ADD: Final = f"""
ON CONFLICT (minute_ms, endpoint, route, status_class, cache_verdict) DO UPDATE SET
  request_count = request_count + excluded.request_count,
  duration_sum_ms = duration_sum_ms + excluded.duration_sum_ms,
  sample_count = sample_count + excluded.sample_count,
  origin_samples = origin_samples + excluded.origin_samples,
  body_bytes = body_bytes + excluded.body_bytes,
  {_ADDED_BUCKETS.strip()}
"""

RECORD_REQUESTS: Final = f"""
INSERT INTO request_analytics
  (minute_ms, endpoint, route, status_class, cache_verdict, request_count, duration_sum_ms, duration_buckets,
   sample_count, origin_samples, body_bytes)
SELECT
  value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value -> 7,
  value ->> 8, value ->> 9, value ->> 10
FROM json_each(?1) WHERE true
{_ADD.strip()}
"""

ROLL_UP: Final = f"""
INSERT INTO request_analytics
  (minute_ms, endpoint, route, status_class, cache_verdict, request_count, duration_sum_ms, duration_buckets,
   sample_count, origin_samples, body_bytes)
SELECT ?3, endpoint, route, status_class, cache_verdict, sum(request_count), sum(duration_sum_ms),
  (SELECT json_group_array(total) FROM (
    SELECT sum(bucket.value) AS total
    FROM request_analytics AS part, json_each(part.duration_buckets) AS bucket
    WHERE part.minute_ms >= ?1 AND part.minute_ms < ?2 AND part.minute_ms <> ?3
      AND part.endpoint = whole.endpoint AND part.route = whole.route
      AND part.status_class = whole.status_class AND part.cache_verdict = whole.cache_verdict
    GROUP BY bucket.key ORDER BY bucket.key)),
  sum(sample_count), sum(origin_samples), sum(body_bytes)
FROM request_analytics AS whole WHERE {_SPAN}
GROUP BY endpoint, route, status_class, cache_verdict
{_ADD.strip()}
"""

DROP_ROLLED_UP: Final = f"DELETE FROM request_analytics WHERE {_SPAN}"
"""With ROLL_UP in one transaction: no request is counted twice, none is lost."""
