"""`/api/stats`: what is stored, what was asked, what jobs did, what the upstream delivered, what it costs.

From views and counters only; the bucket is never listed.
"""

from collections.abc import Sequence
from typing import Final

from edgeseries.access.grants import Right
from edgeseries.metrics.costing import Costs, Month, basis_of, costs_of, month_at
from edgeseries.metrics.latency import quantile_ms
from edgeseries.metrics.ports.statistics import JobFacts, Served, Stored
from edgeseries.series.timerange import iso_instant
from router.contract import schemas
from router.contract.answers import (
    STORE,
    json_answer,
)
from router.endpoint import Arrival, Endpoint, Scope
from router.outcome import Outcome, json_outcome
from router.ports import Ports

SHARES: Final = (("p50", 0.5), ("p95", 0.95))
"""Quantiles that are reported."""

LISTED_DAYS: Final = 31
"""Days of ended jobs in the list; totals are over all that are kept."""


async def stats(arrival: Arrival, ports: Ports) -> Outcome:
    """All statistics as one document."""
    now_ms = arrival.request.arrived_ms
    month = month_at(now_ms)
    stored = await ports.statistics.stored()
    served = await ports.statistics.served()
    jobs = await ports.statistics.jobs()
    ever = await ports.statistics.operations(from_ms=0)
    this_month = await ports.statistics.operations(from_ms=month.start_ms)
    costs = costs_of(this_month, stored_bytes=sum(one.stored_bytes for one in stored), month=month)
    return json_outcome(
        {
            "at": iso_instant(now_ms),
            "cache": cache_statistics(stored, served),
            "jobs": job_statistics(jobs),
            "requests": request_statistics(served),
            "upstream": {
                "calls": ever["upstream_calls"],
                "samples": ever["upstream_samples"],
                "savedSamples": sum(one.saved_samples for one in served),
            },
            "cost": cost_statistics(costs, month),
        }
    )


def cache_statistics(stored: Sequence[Stored], served: Sequence[Served]) -> dict[str, object]:
    """What is stored, in all, by kind and by site, and how often it was enough."""
    sites = sorted({one.site for one in stored})
    kinds = (("blocks", "block"), ("answers", "answer"))
    judged, hits = sum(one.judged_count for one in served), sum(one.hit_count for one in served)
    return {
        **_sums(stored),
        "hitRate": _share(hits, judged),
        **{name: _sums([one for one in stored if one.kind == kind]) for name, kind in kinds},
        "bySite": [{"site": site, **_sums([one for one in stored if one.site == site])} for site in sites],
    }


def _sums(stored: Sequence[Stored]) -> dict[str, object]:
    raw_bytes, stored_bytes = sum(one.raw_bytes for one in stored), sum(one.stored_bytes for one in stored)
    return {
        "objects": sum(one.object_count for one in stored),
        "samples": sum(one.sample_count for one in stored),
        "rawBytes": raw_bytes,
        "storedBytes": stored_bytes,
        "compressionRatio": _share(raw_bytes, stored_bytes),
        "uses": sum(one.hit_count for one in stored),
    }


def job_statistics(jobs: JobFacts) -> dict[str, object]:
    """Jobs by state, how well they end, how long they take."""
    completed = sum(day.completed for day in jobs.ended)
    failed = sum(day.failed for day in jobs.ended)
    return {
        "active": dict(sorted(jobs.active.items())),
        "completed": completed,
        "failed": failed,
        "cancelled": sum(day.cancelled for day in jobs.ended),
        "successRate": _share(completed, completed + failed),
        "samples": sum(day.sample_count for day in jobs.ended),
        "durationMs": {name: _ranked(jobs.durations_ms, share) for name, share in SHARES},
        "deadLetters": jobs.dead_letters,
        "byDay": [
            {
                "day": iso_instant(day.day_ms)[: len("2026-01-01")],
                "completed": day.completed,
                "failed": day.failed,
                "cancelled": day.cancelled,
                "samples": day.sample_count,
            }
            for day in jobs.ended[:LISTED_DAYS]
        ],
    }


def request_statistics(served: Sequence[Served]) -> dict[str, object]:
    """Requests in all, and by endpoint and route."""
    since = [one.since_ms for one in served if one.since_ms is not None]
    return {
        "since": iso_instant(min(since)) if since else None,
        "count": sum(one.request_count for one in served),
        "errors": sum(one.error_count for one in served),
        "byRoute": [
            {
                "endpoint": one.endpoint,
                "route": one.route or None,
                "count": one.request_count,
                "refused": one.refused_count,
                "errors": one.error_count,
                "hits": one.hit_count,
                "hitRate": _share(one.hit_count, one.judged_count),
                "durationMs": {
                    "mean": round(one.mean_duration_ms, 1),
                    **{name: quantile_ms(one.buckets, share) for name, share in SHARES},
                },
                "samples": one.sample_count,
                "upstreamSamples": one.origin_samples,
                "savedSamples": one.saved_samples,
                "bodyBytes": one.body_bytes,
            }
            for one in served
        ],
    }


def cost_statistics(costs: Costs, month: Month) -> dict[str, object]:
    """The bill so far and of the whole month, line by line with where each price is from."""
    lines = zip(costs.so_far.lines, costs.whole_month.lines, strict=True)
    return {
        "currency": "USD",
        "month": iso_instant(month.start_ms)[: len("2026-01")],
        "soFar": round(costs.so_far.total_usd, 4),
        "wholeMonth": round(costs.whole_month.total_usd, 4),
        "plan": costs.so_far.plan_usd,
        "lines": [
            {
                "meter": now.price.meter,
                "product": now.price.product,
                "unit": now.price.unit,
                "used": round(now.used_count, 6),
                "usedWholeMonth": round(whole.used_count, 6),
                "included": now.price.included_count,
                "soFar": round(now.usd, 4),
                "wholeMonth": round(whole.usd, 4),
                "basis": basis_of(now.price.meter),
                "source": now.price.source,
                "readOn": now.price.read_on,
            }
            for now, whole in lines
        ],
    }


def _share(part: float, whole: float) -> float | None:
    """A ratio, rounded; None where there is nothing to compare with."""
    return round(part / whole, 4) if whole else None


def _ranked(ascending: Sequence[int], share: float) -> int | None:
    """The smallest value that at least that share is not above (nearest rank)."""
    if not ascending:
        return None
    rank = -int(-len(ascending) * share // 1)
    return ascending[max(rank, 1) - 1]


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        pattern="/api/stats",
        name="getStatistics",
        summary="What is stored, what was asked, what jobs did, what it costs.",
        right=Right.ADMIN,
        scope=Scope.EVERYTHING,
        handler=stats,
        answers={200: json_answer("Statistics.", schemas.ref("Statistics"))},
        problems=STORE,
    ),
)
