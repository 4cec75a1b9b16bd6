"""The client that does not block: the same as `client.py`, awaited."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from edgeseries_client import flows
from edgeseries_client.assembly import format_for
from edgeseries_client.client import rows_of
from edgeseries_client.connection import AsyncConnection
from edgeseries_client.frames import Shape, table
from edgeseries_client.jobs import Job, changed, follow, job_now, pages
from edgeseries_client.question import Question, When
from edgeseries_client.series import Result
from edgeseries_client.sites import SiteNames


class AsyncClient:
    """A server, as `Client` is one. Used in an `async with`."""

    def __init__(self, url: str | None = None, key: str | None = None, **how: Any) -> None:
        self.connection = AsyncConnection(url, key, **how)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self.connection.http.aclose()

    def site(self, name: str) -> "AsyncSite":
        """A site, which is not looked for yet."""
        return AsyncSite(name, client=self)

    async def sites(self) -> SiteNames:
        """Names of the sites that the key may see. Warns of upstreams that did not list theirs."""
        return await self.connection.run(flows.sites(self.connection.policy))

    async def jobs(
        self, *, status: str | None = None, site: str | None = None, limit: int | None = 100
    ) -> list[Job]:
        """Jobs, the newest first; `limit` None for all."""
        given = (("status", status), ("site", site))
        query = tuple((name, text) for name, text in given if text is not None)
        found = await self.connection.run(
            pages("/api/jobs", "jobs", query, self.connection.policy, limit=limit)
        )
        return [Job.from_document(one) for one in found]

    async def job(self, job_id: str) -> Job:
        """A job as it is now. Raises NotFound."""
        return await self.connection.run(job_now(job_id, self.connection.policy))

    async def watch(self, job: Job | str) -> Job:
        """Follow a job to its end, with a bar. Raises JobEnded where it failed or was cancelled."""
        now = await self.job(job) if isinstance(job, str) else job
        return await self.connection.run(follow(now, self.connection.policy))

    async def cancel(self, job_id: str) -> Job:
        """Stop a job; what it has stored stays. Raises Conflict where it has ended."""
        return await self.connection.run(changed("DELETE", job_id, "", self.connection.policy))

    async def retry(self, job_id: str) -> Job:
        """Take up a failed or cancelled job where it stopped. Raises Conflict."""
        return await self.connection.run(changed("POST", job_id, "/retry", self.connection.policy))

    async def save_job(self, job: Job, path: str | Path) -> Path:
        """The result of a completed job in a file: *.parquet, *.arrow, *.csv, *.ndjson, *.json."""
        target = Path(path)
        flow = flows.save_job(job, target, chosen=format_for(target), policy=self.connection.policy)
        return await self.connection.run(flow)


class AsyncSite:
    """A site of a server, as `Site` is one."""

    def __init__(
        self, name: str, *, url: str | None = None, key: str | None = None, client: AsyncClient | None = None
    ) -> None:
        self.name = name
        self.client = client or AsyncClient(url, key)
        self._connection = self.client.connection

    async def points(
        self,
        q: str | None = None,
        *,
        unit: str | None = None,
        kind: str | None = None,
        has_data: bool | None = None,
    ) -> list[dict[str, Any]]:
        """Points with name, unit, kind and interval. `q` are words of names; `has_data`: whether samples of
        them were ever stored.
        """
        filters = {"q": q, "unit": unit, "kind": kind, "has_data": has_data}
        return await self._connection.run(flows.points(self.name, filters, self._connection.policy))

    async def read(
        self,
        points: str | Sequence[str],
        start: When,
        end: When,
        *,
        as_: Literal["pandas", "polars", "arrow", "dict"] = "pandas",
        shape: Shape = "wide",
        every: str | None = None,
        agg: str | Sequence[str] = (),
        tz: str | None = None,
        missing: flows.Missing = "raise",
        **more: Any,
    ) -> Any:
        """Samples in [start, end) as a table, by the rules of `Site.read`."""
        question = Question.of(self.name, points, start, end, every=every, agg=agg, tz=tz, **more)
        result = await self.result(question, missing=missing, arrow=as_ != "dict")
        if as_ == "dict":
            return rows_of(result)
        return table(result, as_=as_, shape=shape, tz=tz)

    async def result(
        self, question: Question, *, missing: flows.Missing = "raise", arrow: bool = False
    ) -> Result:
        """The series of a question, with what the server says of them; by Arrow if that is there."""
        flow = flows.read(question, missing=missing, arrow=arrow, policy=self._connection.policy)
        return await self._connection.run(flow)

    async def save(
        self, points: str | Sequence[str], start: When, end: When, path: str | Path, **how: Any
    ) -> Path:
        """Samples into a file, however many, by the rules of `Site.save`."""
        question = Question.of(self.name, points, start, end, **how)
        flow = flows.save(question, Path(path), policy=self._connection.policy)
        return await self._connection.run(flow)

    async def job(
        self, points: str | Sequence[str], start: When, end: When, *, priority: str = "normal", **how: Any
    ) -> Job:
        """Make a job, of any size, and do not wait for it."""
        question = Question.of(self.name, points, start, end, **how)
        return await self._connection.run(flows.job_of(question, priority, self._connection.policy))

    async def warm(self, points: str | Sequence[str], *, days: int = 7) -> Job:
        """Have what is not stored of so many days before today fetched, by a job of low priority."""
        named = (points,) if isinstance(points, str) else tuple(points)
        return await self._connection.run(flows.warm(self.name, named, days, self._connection.policy))

    async def latest(self, points: str | Sequence[str] | None = None, **more: Any) -> Mapping[str, Any]:
        """The last sample of each point: the document of `/api/latest`."""
        named = (points,) if isinstance(points, str) else None if points is None else tuple(points)
        return await self._connection.run(flows.latest(self.name, named, more, self._connection.policy))

    async def coverage(
        self, points: str | Sequence[str], start: When, end: When, *, tz: str | None = None
    ) -> Mapping[str, Any]:
        """Which days are stored, empty, missing, live: the document of `/api/coverage`."""
        question = Question.of(self.name, points, start, end, tz=tz)
        return await self._connection.run(flows.coverage(question, self._connection.policy))
