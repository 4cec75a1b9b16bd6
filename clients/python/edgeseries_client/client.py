"""The client that blocks: a server, and a site of it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from edgeseries_client import flows
from edgeseries_client.assembly import format_for
from edgeseries_client.connection import Connection
from edgeseries_client.frames import Shape, table
from edgeseries_client.jobs import Job, changed, follow, job_now, pages
from edgeseries_client.lines import csv_lines
from edgeseries_client.question import Question, When
from edgeseries_client.series import Result
from edgeseries_client.sites import SiteNames
from edgeseries_client.steps import Call

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


class Client:
    """A server: by its URL and a key, or by EDGESERIES_URL and EDGESERIES_KEY. Other arguments are those of
    `Connection`. May be used in a `with`, which closes its connections.
    """

    def __init__(self, url: str | None = None, key: str | None = None, **how: Any) -> None:
        self.connection = Connection(url, key, **how)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.connection.http.close()

    def site(self, name: str) -> "Site":
        """A site, which is not looked for yet."""
        return Site(name, client=self)

    def sites(self) -> SiteNames:
        """Names of the sites that the key may see. Warns of upstreams that did not list theirs."""
        return self.connection.run(flows.sites(self.connection.policy))

    def jobs(
        self, *, status: str | None = None, site: str | None = None, limit: int | None = 100
    ) -> list[Job]:
        """Jobs, the newest first; `limit` None for all."""
        given = (("status", status), ("site", site))
        query = tuple((name, text) for name, text in given if text is not None)
        found = self.connection.run(pages("/api/jobs", "jobs", query, self.connection.policy, limit=limit))
        return [Job.from_document(one) for one in found]

    def job(self, job_id: str) -> Job:
        """A job as it is now. Raises NotFound."""
        return self.connection.run(job_now(job_id, self.connection.policy))

    def watch(self, job: Job | str) -> Job:
        """Follow a job to its end, with a bar. Raises JobEnded where it failed or was cancelled."""
        now = self.job(job) if isinstance(job, str) else job
        return self.connection.run(follow(now, self.connection.policy))

    def cancel(self, job_id: str) -> Job:
        """Stop a job; what it has stored stays. Raises Conflict where it has ended."""
        return self.connection.run(changed("DELETE", job_id, "", self.connection.policy))

    def retry(self, job_id: str) -> Job:
        """Take up a failed or cancelled job where it stopped. Raises Conflict."""
        return self.connection.run(changed("POST", job_id, "/retry", self.connection.policy))

    def save_job(self, job: Job, path: str | Path) -> Path:
        """The result of a completed job in a file: *.parquet, *.arrow, *.csv, *.ndjson, *.json."""
        target = Path(path)
        flow = flows.save_job(job, target, chosen=format_for(target), policy=self.connection.policy)
        return self.connection.run(flow)

    def api_keys(self) -> list[dict[str, Any]]:
        """All API keys, without their secrets. Takes the right `admin`."""
        return self.connection.run(pages("/api/keys", "keys", (), self.connection.policy, limit=None))

    def make_key(
        self,
        owner: str,
        *,
        sites: Sequence[str] = ("*",),
        rights: Sequence[str] = ("read",),
        tier: str = "standard",
    ) -> dict[str, Any]:
        """Make an API key; `key` of what is returned is told this once. Takes the right `admin`."""
        body = {"owner": owner, "sites": list(sites), "rights": list(rights), "tier": tier}
        return self._document(Call(method="POST", path="/api/keys", json=body))

    def revoke_key(self, key_id: str) -> dict[str, Any]:
        """Revoke an API key by its id. Takes the right `admin`."""
        return self._document(Call(method="DELETE", path=f"/api/keys/{key_id}"))

    def stats(self) -> dict[str, Any]:
        """The document of `/api/stats`."""
        return self._document(Call(method="GET", path="/api/stats"))

    def warming(self) -> dict[str, Any]:
        """The document of `GET /api/warm`: saved sets, and for an admin what was learned to come again."""
        return self._document(Call(method="GET", path="/api/warm"))

    def _document(self, call: Call) -> dict[str, Any]:
        found: dict[str, Any] = self.connection.run(flows.document_of(call, self.connection.policy))
        return found


class Site:
    """A site of a server. `client`, or what makes one: URL, key."""

    def __init__(
        self, name: str, *, url: str | None = None, key: str | None = None, client: Client | None = None
    ) -> None:
        self.name = name
        self.client = client or Client(url, key)
        self._connection = self.client.connection

    def points(
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
        return self._connection.run(flows.points(self.name, filters, self._connection.policy))

    @overload
    def read(
        self, points: str | Sequence[str], start: When, end: When, *, as_: Literal["pandas"] = ..., **how: Any
    ) -> "pd.DataFrame": ...
    @overload
    def read(
        self, points: str | Sequence[str], start: When, end: When, *, as_: Literal["polars"], **how: Any
    ) -> "pl.DataFrame": ...
    @overload
    def read(
        self, points: str | Sequence[str], start: When, end: When, *, as_: Literal["arrow"], **how: Any
    ) -> "pa.Table": ...
    @overload
    def read(
        self, points: str | Sequence[str], start: When, end: When, *, as_: Literal["dict"], **how: Any
    ) -> dict[str, list[tuple[Any, ...]]]: ...
    def read(
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
        """Samples in [start, end) as a table; with `every`, buckets of them; with `max_points`, for a chart.

        `points` is a name or several. `start` and `end`: ISO-8601, a day, a datetime with a zone, `-7d`,
        `now`. `tz` is the zone of days, of calendar buckets and of the table's instants (UTC). `shape` is
        `wide` (a column a point) or `long` (a row a sample). `more` are other parameters of the server:
        fill, max_points, method, route. A large question becomes a job, is followed with a bar, and comes
        all the same.

        Returns: a DataFrame of pandas or polars, an Arrow table, or {point: [(epoch ms, value), ...]}.
        Raises: UnknownPoints (unless missing="ignore"), InvalidRequest and the other classes of `errors`.
        """
        question = Question.of(self.name, points, start, end, every=every, agg=agg, tz=tz, **more)
        result = self.result(question, missing=missing, arrow=as_ != "dict")
        if as_ == "dict":
            return rows_of(result)
        return table(result, as_=as_, shape=shape, tz=tz)

    def result(self, question: Question, *, missing: flows.Missing = "raise", arrow: bool = False) -> Result:
        """The series of a question, with what the server says of them; by Arrow if that is there."""
        return self._connection.run(
            flows.read(question, missing=missing, arrow=arrow, policy=self._connection.policy)
        )

    def lines(self, points: str | Sequence[str], start: When, end: When, **how: Any) -> Iterator[str]:
        """Samples as lines of CSV. Arguments are those of `read`."""
        return csv_lines(self.result(Question.of(self.name, points, start, end, **how)))

    def save(self, points: str | Sequence[str], start: When, end: When, path: str | Path, **how: Any) -> Path:
        """Samples into a file, however many: *.parquet, *.arrow, *.csv, *.ndjson, *.json. Memory stays small.

        The same call goes on with a download that broke off. Arguments are those of `read`.
        """
        question = Question.of(self.name, points, start, end, **how)
        flow = flows.save(question, Path(path), policy=self._connection.policy)
        return self._connection.run(flow)

    def job(
        self, points: str | Sequence[str], start: When, end: When, *, priority: str = "normal", **how: Any
    ) -> Job:
        """Make a job, of any size, and do not wait for it."""
        question = Question.of(self.name, points, start, end, **how)
        return self._connection.run(flows.job_of(question, priority, self._connection.policy))

    def warm(self, points: str | Sequence[str], *, days: int = 7) -> Job:
        """Have what is not stored of so many days before today fetched, by a job of low priority."""
        named = (points,) if isinstance(points, str) else tuple(points)
        return self._connection.run(flows.warm(self.name, named, days, self._connection.policy))

    def latest(self, points: str | Sequence[str] | None = None, **more: Any) -> Mapping[str, Any]:
        """The last sample of each point: the document of `/api/latest`."""
        named = (points,) if isinstance(points, str) else None if points is None else tuple(points)
        return self._connection.run(flows.latest(self.name, named, more, self._connection.policy))

    def coverage(
        self, points: str | Sequence[str], start: When, end: When, *, tz: str | None = None
    ) -> Mapping[str, Any]:
        """Which days are stored, empty, missing, live: the document of `/api/coverage`."""
        question = Question.of(self.name, points, start, end, tz=tz)
        return self._connection.run(flows.coverage(question, self._connection.policy))


def rows_of(result: Result) -> dict[str, list[tuple[Any, ...]]]:
    """{series: [(epoch ms, value), ...]}."""
    return {name: list(zip(one.times_ms, one.values, strict=True)) for name, one in result.series.items()}
