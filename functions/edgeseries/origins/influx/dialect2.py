"""The Dialect port over InfluxDB 2: one query in Flux a batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from edgeseries.errors import OriginContract
from edgeseries.origins.calls import UpstreamCalls
from edgeseries.origins.influx import flux as wire
from edgeseries.origins.influx.limits import BATCH_POINTS, CALL_SAMPLES
from edgeseries.origins.influx.series import FIELD, key_of, listed
from edgeseries.origins.instants import times_of
from edgeseries.origins.labels import NAME, Labels, Naming
from edgeseries.origins.ports.dialect import Finding, ListedPoint, PointColumns, Turn
from edgeseries.planning.capabilities import Capabilities
from edgeseries.series.points import Site
from edgeseries.series.timerange import TimeRange

CSV: Final = {"Accept": "application/csv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FluxDialect:
    """One bucket. `field`: the only one that is read, empty for all."""

    calls: UpstreamCalls
    naming: Naming
    bucket: str
    org: str
    field: str = ""

    @property
    def capabilities(self) -> Capabilities:
        """See the port."""
        return Capabilities(batch_points=BATCH_POINTS, call_samples=CALL_SAMPLES)

    async def sites(self, turn: Turn) -> Sequence[Site]:
        """See the port."""
        tables = await self._ask(wire.sites_query(self.bucket, self.naming.site_label), turn)
        names = {name for table in tables for name in table.columns.get("_value", ())}
        return [Site(name=name) for name in names if name]

    async def points(self, site: str, turn: Turn) -> Sequence[ListedPoint] | None:
        """See the port: each field of each series."""
        tables = await self._ask(wire.series_query(self.bucket, self.naming.site_label, site), turn)
        found = [one for table in tables for one in _rows(table)]
        own = [
            one
            for one in found
            if one.get(self.naming.site_label) == site and self.field in {"", one.get(FIELD, "")}
        ]
        if not all(NAME in one and FIELD in one for one in own):
            raise OriginContract("the upstream listed a series without a measurement or a field")
        return listed(self.naming, own) if own else None

    async def samples(
        self, points: Sequence[ListedPoint], span: TimeRange, turn: Turn
    ) -> Sequence[PointColumns]:
        """See the port."""
        names = {key_of(one.address): one.point.name for one in points}
        query = wire.samples_query(self.bucket, [one.address for one in points], span)
        found = []
        for table in await self._ask(query, turn):
            key = key_of(table.labels())
            if key not in names:
                continue
            if not {"_time", "_value"} <= table.columns.keys():
                raise OriginContract("the upstream answered with a table without times or values")
            values = wire.values_of(table.kinds["_value"], table.columns["_value"])
            columns = PointColumns(point=names[key], times_ms=times_of(table.columns["_time"]), values=values)
            found.append(columns)
        return found

    async def ping(self, turn: Turn) -> None:
        """See the port."""
        await self._ask(wire.ping_query(), turn)

    async def probe(self, point: ListedPoint, span: TimeRange, turn: Turn) -> Finding:
        """See the port."""
        tables = await self._ask(wire.samples_query(self.bucket, [point.address], span), turn)
        kinds = sorted({table.kinds.get("_value", "") for table in tables})
        return {"samples by": "Flux, annotated CSV", "types of values": ", ".join(kinds) or "none"}

    async def _ask(self, query: str, turn: Turn) -> Sequence[wire.Table]:
        answer = await self.calls.read(
            *("POST", f"/api/v2/query?{urlencode({'org': self.org})}", turn.deadline_ms, wire.body_of(query)),
            content_of=wire.tables_in,
            before=turn.before,
            headers=CSV,
        )
        return answer.content()


def _rows(table: wire.Table) -> Sequence[Labels]:
    """The labels of each row of a list of series."""
    columns = {
        NAME if column == "_measurement" else column: texts
        for column, texts in table.columns.items()
        if column not in {"", "result", "table"}
    }
    return [
        {column: text for column, text in zip(columns, row, strict=True) if text}
        for row in zip(*columns.values(), strict=True)
    ]
