"""SQL of statistics: views and counters. Tables: `schema.sql`."""

from typing import Final

from edgeseries.metrics.adapters.usage_statements import OPERATIONS, UPSTREAM_COUNTS

STORED: Final = """
SELECT kind, site, object_count, sample_count, raw_bytes, stored_bytes, hit_count
FROM v_cache_performance ORDER BY kind, site
"""

ACTIVE_JOBS: Final = "SELECT status, count(*) FROM v_active_jobs GROUP BY status"

ENDED_BY_DAY: Final = """
SELECT day_ms, completed_count, failed_count, cancelled_count, sample_count
FROM v_job_performance ORDER BY day_ms DESC
"""

LAST_DURATIONS: Final = """
SELECT took_ms FROM (
  SELECT max(0, updated_ms - created_ms) AS took_ms FROM queue_jobs
  WHERE status = 'completed' ORDER BY updated_ms DESC LIMIT ?1)
UNION ALL
SELECT took_ms FROM (
  SELECT max(0, ended_ms - created_ms) AS took_ms FROM job_history
  WHERE status = 'completed' ORDER BY ended_ms DESC LIMIT ?1)
"""

WAITING_DEAD_LETTERS: Final = "SELECT count(*) FROM dead_letters WHERE replayed_ms IS NULL"

SERVED: Final = """
SELECT endpoint, route, request_count, judged_count, hit_count, refused_count, error_count, mean_duration_ms,
  sample_count, origin_samples, saved_samples, body_bytes, since_ms
FROM v_request_stats ORDER BY endpoint, route
"""

LATENCIES: Final = """
SELECT endpoint, route, bucket.key, sum(bucket.value)
FROM request_analytics, json_each(duration_buckets) AS bucket
GROUP BY endpoint, route, bucket.key
"""

USED_SINCE: Final = f"""
SELECT {", ".join(f"coalesce(sum({name}), 0)" for name in OPERATIONS)}
FROM platform_usage WHERE day_ms >= ?1
"""

UPSTREAMS: Final = f"""
SELECT upstream, {", ".join(f"sum({name})" for name in UPSTREAM_COUNTS)}
FROM upstream_usage GROUP BY upstream ORDER BY upstream
"""

RECENT_REQUESTS: Final = """
SELECT coalesce(sum(request_count), 0),
  coalesce(sum(CASE WHEN status_class = 5 THEN request_count ELSE 0 END), 0)
FROM request_analytics WHERE minute_ms >= ?1
"""

RECENT_JOBS: Final = """
SELECT
  (SELECT count(*) FROM queue_jobs WHERE status = 'completed' AND updated_ms >= ?1),
  (SELECT count(*) FROM queue_jobs WHERE status = 'failed' AND updated_ms >= ?1)
"""
"""Jobs stay there for days after their end before they are archived."""
