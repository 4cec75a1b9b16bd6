"""The Statistics port over the database."""

from collections.abc import Mapping
from typing import Final

from edgeseries.limits import DAY_MS
from edgeseries.metrics.adapters import statistics_statements as sql
from edgeseries.metrics.adapters.usage_statements import OPERATIONS
from edgeseries.metrics.latency import BUCKETS
from edgeseries.metrics.ports.statistics import Ended, JobFacts, Recent, Served, Stored, UpstreamUsage
from edgeseries.storage.database import Command, Database, Row

LAST_JOBS: Final = 1_000
"""Durations that quantiles are made of: enough for a 95th, and some milliseconds to sort."""


class DatabaseStatistics:
    """Statistics of one stack."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stored(self) -> tuple[Stored, ...]:
        """See the port."""
        return tuple(
            Stored(
                kind=str(kind),
                site=str(site),
                object_count=int(object_count),
                sample_count=int(sample_count),
                raw_bytes=int(raw_bytes),
                stored_bytes=int(stored_bytes),
                hit_count=int(hit_count),
            )
            for kind, site, object_count, sample_count, raw_bytes, stored_bytes, hit_count in (
                await self._read(sql.STORED)
            )
        )

    async def jobs(self) -> JobFacts:
        """See the port."""
        active = {str(status): int(count) for status, count in await self._read(sql.ACTIVE_JOBS)}
        ended = tuple(
            Ended(
                day_ms=int(day_ms),
                completed=int(completed),
                failed=int(failed),
                cancelled=int(cancelled),
                sample_count=int(sample_count),
            )
            for day_ms, completed, failed, cancelled, sample_count in await self._read(sql.ENDED_BY_DAY)
        )
        durations = sorted(int(row[0]) for row in await self._read(sql.LAST_DURATIONS, LAST_JOBS))
        ((dead_letters,),) = await self._read(sql.WAITING_DEAD_LETTERS)
        return JobFacts(
            active=active, ended=ended, durations_ms=tuple(durations), dead_letters=int(dead_letters)
        )

    async def served(self) -> tuple[Served, ...]:
        """See the port."""
        histograms: dict[tuple[str, str], list[int]] = {}
        for endpoint, route, bucket, count in await self._read(sql.LATENCIES):
            counts = histograms.setdefault((endpoint, route), [0] * BUCKETS)
            if bucket < BUCKETS:
                counts[bucket] += int(count)
        return tuple(_served(row, histograms) for row in await self._read(sql.SERVED))

    async def operations(self, *, from_ms: int) -> Mapping[str, int]:
        """See the port."""
        (row,) = await self._read(sql.USED_SINCE, from_ms // DAY_MS * DAY_MS)
        return {name: int(count) for name, count in zip(OPERATIONS, row, strict=True)}

    async def upstreams(self) -> tuple[UpstreamUsage, ...]:
        """See the port."""
        return tuple(
            UpstreamUsage(
                upstream=str(name),
                calls=int(calls),
                failed_calls=int(failed_calls),
                fetches=int(fetches),
                failed_fetches=int(failed_fetches),
                samples=int(samples),
            )
            for name, calls, failed_calls, fetches, failed_fetches, samples in (
                await self._read(sql.UPSTREAMS)
            )
        )

    async def recent(self, *, requests_from_ms: int, jobs_from_ms: int) -> Recent:
        """See the port."""
        ((requests, failed_requests),) = await self._read(sql.RECENT_REQUESTS, requests_from_ms)
        ((completed, failed),) = await self._read(sql.RECENT_JOBS, jobs_from_ms)
        ((dead_letters,),) = await self._read(sql.WAITING_DEAD_LETTERS)
        return Recent(
            request_count=int(requests),
            failed_requests=int(failed_requests),
            job_count=int(completed) + int(failed),
            failed_jobs=int(failed),
            dead_letters=int(dead_letters),
        )

    async def _read(self, statement: str, *parameters: int) -> list[Row]:
        return await self._database.read(Command(sql=statement, parameters=parameters))


def _served(row: Row, histograms: Mapping[tuple[str, str], list[int]]) -> Served:
    (
        endpoint,
        route,
        request_count,
        judged_count,
        hit_count,
        refused_count,
        error_count,
        mean_duration_ms,
        sample_count,
        origin_samples,
        saved_samples,
        body_bytes,
        since_ms,
    ) = row
    return Served(
        endpoint=str(endpoint),
        route=str(route),
        request_count=int(request_count),
        judged_count=int(judged_count),
        hit_count=int(hit_count),
        refused_count=int(refused_count),
        error_count=int(error_count),
        mean_duration_ms=float(mean_duration_ms),
        sample_count=int(sample_count),
        origin_samples=int(origin_samples),
        saved_samples=int(saved_samples),
        body_bytes=int(body_bytes),
        since_ms=None if since_ms is None else int(since_ms),
        buckets=tuple(histograms.get((str(endpoint), str(route)), [0] * BUCKETS)),
    )
