"""The Dialect port over Prometheus' HTTP API: which calls, and what their statuses mean.

Raw samples come by `/api/v1/export` where it is served (VictoriaMetrics), else by an instant query on a range
selector; which of the two is found out once and remembered. Sites are the values of a label, points its
series.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import quote

from edgeseries.errors import OriginOversize
from edgeseries.limits import DAY_MS
from edgeseries.origins.calls import Answer, UpstreamCalls
from edgeseries.origins.labels import Labels, Naming, selections
from edgeseries.origins.listing_memory import ListingMemory
from edgeseries.origins.ports.dialect import Finding, ListedPoint, PointColumns, Turn
from edgeseries.origins.prometheus import wire
from edgeseries.origins.prometheus.limits import BATCH_POINTS, CALL_SAMPLES
from edgeseries.origins.vendor import Connection
from edgeseries.planning.capabilities import Capabilities
from edgeseries.ports.clock import Clock
from edgeseries.series.points import Site
from edgeseries.series.timerange import TimeRange

FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
API: Final = "api"
"""The name under which is remembered what this installation serves."""

NOT_SERVED: Final = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_IMPLEMENTED}
)
"""How an export is answered by who has none."""

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusDialect:
    """One server. `api` is `auto`, `export` or `query`."""

    calls: UpstreamCalls
    memory: ListingMemory
    clock: Clock
    naming: Naming
    match: str = ""
    api: str = "auto"

    @property
    def capabilities(self) -> Capabilities:
        """See the port."""
        return Capabilities(batch_points=BATCH_POINTS, call_samples=CALL_SAMPLES)

    async def sites(self, turn: Turn) -> Sequence[Site]:
        """See the port: the values of the label of sites."""
        chosen = "{" + self.match + "}" if self.match else ""
        path = f"/api/v1/label/{quote(self.naming.site_label, safe='')}/values?{self._listing(chosen)}"
        found = await self.calls.read(
            "GET", path, turn.deadline_ms, content_of=wire.label_values, before=turn.before
        )
        return [Site(name=name) for name in self._content(found) if name]

    async def points(self, site: str, turn: Turn) -> Sequence[ListedPoint] | None:
        """See the port: the series of a site. A site without series is none."""
        chosen = wire.selector({self.naming.site_label: site}, self.match)
        found = await self.calls.read(
            *("POST", "/api/v1/series", turn.deadline_ms, self._listing(chosen).encode()),
            content_of=wire.label_sets,
            before=turn.before,
            headers=FORM,
        )
        series = [one for one in self._content(found) if one.get(self.naming.site_label) == site]
        return self.naming.listed(series) if series else None

    async def samples(
        self, points: Sequence[ListedPoint], span: TimeRange, turn: Turn
    ) -> Sequence[PointColumns]:
        """See the port. Series that only look alike come along, and are left out by their labels."""
        by_labels = {_key(one.address): one.point.name for one in points}
        chosen = [
            wire.selector_of(selection, self.match)
            for selection in selections([one.address for one in points])
        ]
        found = await self._series(chosen, span, turn)
        return [
            PointColumns(point=by_labels[_key(one.labels)], times_ms=one.times_ms, values=one.values)
            for one in found
            if _key(one.labels) in by_labels
        ]

    async def ping(self, turn: Turn) -> None:
        """See the port."""
        found = await self.calls.read(
            *("POST", "/api/v1/query", turn.deadline_ms, b"query=vector(1)"),
            content_of=wire.answered,
            before=turn.before,
            headers=FORM,
        )
        self._content(found)

    async def probe(self, point: ListedPoint, span: TimeRange, turn: Turn) -> Finding:
        """See the port."""
        chosen = wire.selector(point.address, self.match)
        served = await self._exported([chosen], span, turn)
        by_query = await self._queried(chosen, span, turn)
        times_ms = [at_ms for one in by_query for at_ms in one.times_ms]
        finding = {"raw samples by": "export and query" if served is not None else "query"}
        if times_ms:
            first = TimeRange(start_ms=min(times_ms) + 1, end_ms=min(times_ms) + 2)
            again = await self._queried(chosen, first, turn)
            finding["start of a range selector"] = (
                "inclusive" if any(one.times_ms for one in again) else "exclusive"
            )
        return finding

    async def _series(
        self, chosen: Sequence[str], span: TimeRange, turn: Turn
    ) -> Sequence[wire.SeriesColumns]:
        now_ms = self.clock.now_ms()
        api = self.api if self.api != "auto" else self.memory.fact(API, now_ms) or "auto"
        if api != "query":
            found = await self._exported(chosen, span, turn)
            if found or (found is not None and api == "export"):
                self.memory.note(API, "export", now_ms)
                return found
            # Nothing at all may be the word of a gateway, until there was something once.
            if found is None:
                self.memory.note(API, "query", now_ms)
        return [one for each in chosen for one in await self._queried(each, span, turn)]

    async def _exported(
        self, chosen: Sequence[str], span: TimeRange, turn: Turn
    ) -> Sequence[wire.SeriesColumns] | None:
        """None where there is no export."""
        found = await self.calls.read(
            *("POST", "/api/v1/export", turn.deadline_ms, wire.export_query(chosen, span)),
            content_of=wire.exported,
            before=turn.before,
            headers=FORM,
        )
        if found.status in NOT_SERVED and self.api != "export":
            return None
        return self._content(found)

    async def _queried(self, chosen: str, span: TimeRange, turn: Turn) -> Sequence[wire.SeriesColumns]:
        found = await self.calls.read(
            *("POST", "/api/v1/query", turn.deadline_ms, wire.range_query(chosen, span)),
            content_of=wire.series_in,
            before=turn.before,
            headers=FORM,
        )
        return self._content(found)

    def _listing(self, chosen: str) -> str:
        return wire.listing_query(chosen, until_ms=self.clock.now_ms() + DAY_MS)

    def _content(self, found: Answer[Content]) -> Content:
        """What a 200 holds. Raises OriginOversize where the server says that it is too much."""
        if found.status == HTTPStatus.UNPROCESSABLE_ENTITY and wire.says_too_much(found.message):
            raise OriginOversize(f"the upstream refuses so much at once: {found.message}")
        return found.content()


def _key(labels: Labels) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


def headers_of(connection: Connection) -> Mapping[str, str]:
    """The headers of every call."""
    options, credential = connection.record.options, connection.credential
    headers = {"Accept": "application/json"}
    if credential:
        basic = f"Basic {b64encode(credential.encode()).decode()}"
        headers["Authorization"] = basic if options["auth"] == "basic" else f"Bearer {credential}"
    if options["tenant"]:
        headers["X-Scope-OrgID"] = options["tenant"]
    return headers
