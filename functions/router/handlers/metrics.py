"""`/api/metrics`: the statistics as Prometheus reads them.

Totals never go down while the database lives. Names and what they count: `docs/formats/statistics.md`.
"""

from collections.abc import Sequence
from typing import Final

from edgeseries.access.grants import Right
from edgeseries.http.messages import HttpResponse
from edgeseries.limits import SECOND_MS
from edgeseries.metrics.exposition import MEDIA_TYPE, Metric, Sample, exposition, histogram_samples
from edgeseries.metrics.latency import LATENCY_BOUNDS_MS
from edgeseries.metrics.ports.statistics import JobFacts, Served, Stored
from edgeseries.upkeep.ports.duties import DutyRecord
from router.contract import schemas
from router.contract.answers import (
    STORE,
    Answer,
)
from router.endpoint import Arrival, Endpoint, Scope
from router.outcome import Outcome
from router.ports import Ports

BOUNDS_S = tuple(bound / SECOND_MS for bound in LATENCY_BOUNDS_MS)


async def metrics(arrival: Arrival, ports: Ports) -> Outcome:  # noqa: ARG001 - every handler has this form
    """All metrics as text."""
    found = [
        *request_metrics(await ports.statistics.served()),
        *store_metrics(await ports.statistics.stored()),
        *job_metrics(await ports.statistics.jobs()),
        *[
            Metric(
                name=f"edgeseries_{name}_total",
                kind="counter",
                help_text=f"{name.replace('_', ' ')}, as the functions counted them.",
                samples=[Sample(value=count)],
            )
            for name, count in (await ports.statistics.operations(from_ms=0)).items()
        ],
        *duty_metrics(await ports.duties.read()),
    ]
    body = exposition(found).encode()
    return Outcome(response=HttpResponse(status=200, headers={"Content-Type": MEDIA_TYPE}, body=body))


def request_metrics(served: Sequence[Served]) -> list[Metric]:
    """Requests by endpoint and route."""
    places = [({"endpoint": one.endpoint, "route": one.route}, one) for one in served]
    return [
        Metric(
            name="edgeseries_http_requests_total",
            kind="counter",
            help_text="Answered requests; outcome is ok, refused (4xx) or failed (5xx).",
            samples=[
                Sample(value=count, labels={**labels, "outcome": outcome})
                for labels, one in places
                for outcome, count in (
                    ("ok", one.ok_count),
                    ("refused", one.refused_count),
                    ("failed", one.error_count),
                )
            ],
        ),
        Metric(
            name="edgeseries_cache_lookups_total",
            kind="counter",
            help_text="Requests that a store is concerned with; result is hit or other.",
            samples=[
                Sample(value=count, labels={**labels, "result": result})
                for labels, one in places
                if one.judged_count
                for result, count in (("hit", one.hit_count), ("other", one.judged_count - one.hit_count))
            ],
        ),
        Metric(
            name="edgeseries_http_request_duration_seconds",
            kind="histogram",
            help_text="From arrival to departure.",
            samples=[
                sample
                for labels, one in places
                for sample in histogram_samples(
                    one.buckets, BOUNDS_S, one.mean_duration_ms * one.request_count / SECOND_MS, labels
                )
            ],
        ),
        Metric(
            name="edgeseries_samples_answered_total",
            kind="counter",
            help_text="Samples answered.",
            samples=[Sample(value=one.sample_count, labels=labels) for labels, one in places],
        ),
        Metric(
            name="edgeseries_samples_saved_total",
            kind="counter",
            help_text="Samples answered that the upstream did not have to deliver.",
            samples=[Sample(value=one.saved_samples, labels=labels) for labels, one in places],
        ),
    ]


def store_metrics(stored: Sequence[Stored]) -> list[Metric]:
    """What is stored, by kind and site."""
    places = [({"kind": one.kind, "site": one.site}, one) for one in stored]
    return [
        Metric(
            name=name,
            kind="gauge",
            help_text=help_text,
            samples=[Sample(value=v, labels=k) for k, v in values],
        )
        for name, help_text, values in (
            (
                "edgeseries_stored_objects",
                "Stored blocks and cached answers.",
                [(labels, one.object_count) for labels, one in places],
            ),
            (
                "edgeseries_stored_bytes",
                "Bytes of stored objects.",
                [(labels, one.stored_bytes) for labels, one in places],
            ),
            (
                "edgeseries_stored_raw_bytes",
                "Bytes of the same, laid down plainly.",
                [(labels, one.raw_bytes) for labels, one in places],
            ),
        )
    ]


def job_metrics(jobs: JobFacts) -> list[Metric]:
    """Jobs under way, ended ones, dead letters."""
    ended = {
        "completed": sum(day.completed for day in jobs.ended),
        "failed": sum(day.failed for day in jobs.ended),
        "cancelled": sum(day.cancelled for day in jobs.ended),
    }
    active = {status: jobs.active.get(status, 0) for status in ("queued", "processing", "retrying")}
    return [
        Metric(
            name="edgeseries_jobs_active",
            kind="gauge",
            help_text="Jobs under way by status.",
            samples=[Sample(value=count, labels={"status": status}) for status, count in active.items()],
        ),
        Metric(
            name="edgeseries_jobs_ended",
            kind="gauge",
            help_text="Jobs that ended in the last 400 days, by status.",
            samples=[Sample(value=count, labels={"status": status}) for status, count in ended.items()],
        ),
        Metric(
            name="edgeseries_dead_letters",
            kind="gauge",
            help_text="Dead letters that nobody has replayed.",
            samples=[Sample(value=jobs.dead_letters)],
        ),
    ]


def duty_metrics(duties: Sequence[DutyRecord]) -> list[Metric]:
    """When each duty of the janitor, and a whole sweep, came to its end last."""
    ran = [one for one in duties if one.ran_ms]
    return [
        Metric(
            name="edgeseries_duty_ran_timestamp_seconds",
            kind="gauge",
            help_text="When a duty of the janitor ended last (UTC epoch); duty sweep is all of them.",
            samples=[Sample(value=one.ran_ms / SECOND_MS, labels={"duty": one.duty}) for one in ran],
        ),
        Metric(
            name="edgeseries_duty_failed",
            kind="gauge",
            help_text="1 if the last run of a duty failed.",
            samples=[
                Sample(value=float(one.outcome.startswith("failed")), labels={"duty": one.duty})
                for one in ran
            ],
        ),
    ]


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        pattern="/api/metrics",
        name="getMetrics",
        summary="The statistics as Prometheus reads them.",
        right=Right.ADMIN,
        scope=Scope.EVERYTHING,
        handler=metrics,
        answers={200: Answer(description="Metrics.", bodies={"text/plain": schemas.TEXT})},
        problems=STORE,
    ),
)
