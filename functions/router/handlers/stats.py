"""`/api/stats`: what is stored, what was asked, what jobs did, what the upstream delivered, what it costs.

From views and counters only; the bucket is never listed.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from edgeseries.access.grants import Right
from edgeseries.limits import DAY_MS, SECOND_MS
from edgeseries.metrics.costing import Costs, Month, basis_of, costs_of, month_at
from edgeseries.metrics.latency import quantile_ms
from edgeseries.metrics.ports.late_data import LateData
from edgeseries.metrics.ports.statistics import JobFacts, Served, Stored, UpstreamUsage
from edgeseries.planning.lateness import LEARNED_DAYS
from edgeseries.series.timerange import iso_instant
from edgeseries.warming.limits import KEEP_DAYS
from edgeseries.warming.runs import WarmSums
from router.contract.answers import (
    STORE,
    json_answer,
)
from router.contract.statistics import (
    CacheDocument,
    CostDocument,
    CostLineDocument,
    DayOfJobsDocument,
    DurationsDocument,
    EstimatesDocument,
    JobStatisticsDocument,
    LateDataDocument,
    QuantilesDocument,
    RequestsDocument,
    RereadDocument,
    RouteDocument,
    SharingDocument,
    SiteSumsDocument,
    StatisticsDocument,
    SumsDocument,
    TurnsDocument,
    UpstreamDocument,
    UpstreamSumsDocument,
    WarmingSumsDocument,
    lateness_document,
)
from router.endpoint import Arrival, Endpoint, Scope
from router.outcome import Outcome, json_outcome
from router.ports import Ports

P50: Final = 0.5
P95: Final = 0.95
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
    late_data = await ports.late_data.since(now_ms - LEARNED_DAYS * DAY_MS)
    warming = await ports.warm_facts.sums(from_ms=now_ms - KEEP_DAYS * DAY_MS)
    upstreams = await ports.statistics.upstreams()
    costs = costs_of(this_month, stored_bytes=sum(one.stored_bytes for one in stored), month=month)
    return json_outcome(
        StatisticsDocument(
            at=iso_instant(now_ms),
            cache=cache_statistics(stored, served),
            jobs=job_statistics(jobs),
            requests=request_statistics(served),
            upstream=UpstreamDocument(
                calls=ever["upstream_calls"],
                refused_calls=ever["refused_calls"],
                waited_seconds=TurnsDocument(
                    interactive=ever["interactive_wait_ms"] / SECOND_MS,
                    job=ever["job_wait_ms"] / SECOND_MS,
                    warming=ever["warming_wait_ms"] / SECOND_MS,
                ),
                samples=ever["upstream_samples"],
                saved_samples=sum(one.saved_samples for one in served),
                surplus_samples=ever["surplus_samples"],
                by_upstream=upstream_statistics(upstreams, ever),
            ),
            sharing=SharingDocument(
                shared=ever["shared_fetches"],
                taken_over=ever["fetches_taken_over"],
                waited_in_vain=ever["waits_in_vain"],
            ),
            warming=warming_statistics(warming, now_ms),
            estimates=EstimatesDocument(
                answers=ever["expected_answers"],
                expected_upstream_samples=ever["expected_samples"],
                delivered_upstream_samples=ever["delivered_samples"],
                expected_seconds=ever["expected_ms"] / SECOND_MS,
                measured_seconds=ever["measured_ms"] / SECOND_MS,
            ),
            late_data=late_data_statistics(late_data, ports),
            cost=cost_statistics(costs, month),
        )
    )


def upstream_statistics(
    upstreams: Sequence[UpstreamUsage], ever: Mapping[str, int]
) -> tuple[UpstreamSumsDocument, ...]:
    """Each upstream's own, and what is in the sums of all and in none of them."""
    found = [
        UpstreamSumsDocument(
            upstream=one.upstream,
            calls=one.calls,
            failed_calls=one.failed_calls,
            fetches=one.fetches,
            failed_fetches=one.failed_fetches,
            samples=one.samples,
        )
        for one in upstreams
    ]
    earlier = ever["upstream_calls"] - sum(one.calls for one in upstreams)
    if earlier > 0:
        samples = max(0, ever["upstream_samples"] - sum(one.samples for one in upstreams))
        found.append(
            UpstreamSumsDocument(
                upstream=None,
                calls=earlier,
                failed_calls=None,
                fetches=None,
                failed_fetches=None,
                samples=samples,
            )
        )
    return tuple(found)


def cache_statistics(stored: Sequence[Stored], served: Sequence[Served]) -> CacheDocument:
    """What is stored, in all, by kind and by site, and how often it was enough."""
    sites = sorted({one.site for one in stored})
    judged, hits = sum(one.judged_count for one in served), sum(one.hit_count for one in served)
    return CacheDocument(
        sums=_sums(stored),
        hit_rate=_share(hits, judged),
        blocks=_sums([one for one in stored if one.kind == "block"]),
        answers=_sums([one for one in stored if one.kind == "answer"]),
        by_site=tuple(
            SiteSumsDocument(site=site, sums=_sums([one for one in stored if one.site == site]))
            for site in sites
        ),
    )


def _sums(stored: Sequence[Stored]) -> SumsDocument:
    raw_bytes, stored_bytes = sum(one.raw_bytes for one in stored), sum(one.stored_bytes for one in stored)
    return SumsDocument(
        objects=sum(one.object_count for one in stored),
        samples=sum(one.sample_count for one in stored),
        raw_bytes=raw_bytes,
        stored_bytes=stored_bytes,
        compression_ratio=_share(raw_bytes, stored_bytes),
        uses=sum(one.hit_count for one in stored),
    )


def job_statistics(jobs: JobFacts) -> JobStatisticsDocument:
    """Jobs by state, how well they end, how long they take."""
    completed = sum(day.completed for day in jobs.ended)
    failed = sum(day.failed for day in jobs.ended)
    return JobStatisticsDocument(
        active=dict(sorted(jobs.active.items())),
        completed=completed,
        failed=failed,
        cancelled=sum(day.cancelled for day in jobs.ended),
        success_rate=_share(completed, completed + failed),
        samples=sum(day.sample_count for day in jobs.ended),
        duration_ms=QuantilesDocument(
            p50=_ranked(jobs.durations_ms, P50), p95=_ranked(jobs.durations_ms, P95)
        ),
        dead_letters=jobs.dead_letters,
        by_day=tuple(
            DayOfJobsDocument(
                day=iso_instant(day.day_ms)[: len("2026-01-01")],
                completed=day.completed,
                failed=day.failed,
                cancelled=day.cancelled,
                samples=day.sample_count,
            )
            for day in jobs.ended[:LISTED_DAYS]
        ),
    )


def request_statistics(served: Sequence[Served]) -> RequestsDocument:
    """Requests in all, and by endpoint and route."""
    since = [one.since_ms for one in served if one.since_ms is not None]
    return RequestsDocument(
        since=iso_instant(min(since)) if since else None,
        count=sum(one.request_count for one in served),
        errors=sum(one.error_count for one in served),
        by_route=tuple(
            RouteDocument(
                endpoint=one.endpoint,
                route=one.route or None,
                count=one.request_count,
                refused=one.refused_count,
                errors=one.error_count,
                hits=one.hit_count,
                hit_rate=_share(one.hit_count, one.judged_count),
                duration_ms=DurationsDocument(
                    mean=round(one.mean_duration_ms, 1),
                    quantiles=QuantilesDocument(
                        p50=quantile_ms(one.buckets, P50), p95=quantile_ms(one.buckets, P95)
                    ),
                ),
                samples=one.sample_count,
                upstream_samples=one.origin_samples,
                saved_samples=one.saved_samples,
                body_bytes=one.body_bytes,
            )
            for one in served
        ),
    )


def late_data_statistics(late_data: Sequence[LateData], ports: Ports) -> tuple[LateDataDocument, ...]:
    """Late and corrected samples, by site."""
    return tuple(
        LateDataDocument(
            site=one.site,
            settle_lag_seconds=ports.settle_lags.of(one.site, ports.settle_lag_ms) // SECOND_MS,
            lateness=lateness_document(one.lateness),
            reread=RereadDocument(
                days=one.checked_days,
                corrected_days=one.corrected_days,
                added_samples=one.added_samples,
                changed_samples=one.changed_samples,
                removed_samples=one.removed_samples,
            ),
        )
        for one in late_data
    )


def warming_statistics(sums: WarmSums, now_ms: int) -> WarmingSumsDocument:
    """What was stored when it was asked for, with what was fetched ahead and without."""
    return WarmingSumsDocument(
        since=iso_instant(now_ms - KEEP_DAYS * DAY_MS),
        asks=sums.asks,
        asked_point_days=sums.point_days,
        missing_point_days=sums.missing_point_days,
        jobs=sums.runs,
        warmed_point_days=sums.warmed_point_days,
        used_jobs=sums.used_runs,
        used_point_days=sums.used_point_days,
        hit_rate=_share(sums.point_days - sums.missing_point_days, sums.point_days),
        hit_rate_without=_share(sums.stored_without, sums.point_days),
    )


def cost_statistics(costs: Costs, month: Month) -> CostDocument:
    """The bill so far and of the whole month, line by line with where each price is from."""
    lines = zip(costs.so_far.lines, costs.whole_month.lines, strict=True)
    return CostDocument(
        currency="USD",
        month=iso_instant(month.start_ms)[: len("2026-01")],
        so_far=round(costs.so_far.total_usd, 4),
        whole_month=round(costs.whole_month.total_usd, 4),
        plan=costs.so_far.plan_usd,
        lines=tuple(
            CostLineDocument(
                meter=now.price.meter,
                product=now.price.product,
                unit=now.price.unit,
                used=round(now.used_count, 6),
                used_whole_month=round(whole.used_count, 6),
                included=now.price.included_count,
                so_far=round(now.usd, 4),
                whole_month=round(whole.usd, 4),
                basis=basis_of(now.price.meter),
                source=now.price.source,
                read_on=now.price.read_on,
            )
            for now, whole in lines
        ),
    )


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
        answers={200: json_answer("Statistics.", StatisticsDocument)},
        problems=STORE,
    ),
)
