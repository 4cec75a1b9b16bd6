"""The Dialect port over InfluxDB 1: one call a batch, a statement for each measurement and field."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from edgeseries.errors import OriginContract
from edgeseries.origins.calls import UpstreamCalls
from edgeseries.origins.influx import influxql as wire
from edgeseries.origins.influx.limits import BATCH_POINTS, CALL_SAMPLES
from edgeseries.origins.influx.series import address, by_column, key_of, listed, series_key
from edgeseries.origins.labels import Naming
from edgeseries.origins.ports.dialect import Finding, ListedPoint, PointColumns, Turn
from edgeseries.planning.capabilities import Capabilities
from edgeseries.series.points import Site
from edgeseries.series.timerange import TimeRange

FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxQlDialect:
    """One database. `field`: the only one that is read, empty for all."""

    calls: UpstreamCalls
    naming: Naming
    database: str
    policy: str = ""
    field: str = ""

    @property
    def capabilities(self) -> Capabilities:
        """See the port."""
        return Capabilities(batch_points=BATCH_POINTS, call_samples=CALL_SAMPLES)

    async def sites(self, turn: Turn) -> Sequence[Site]:
        """See the port."""
        tables = await self._ask([wire.show_sites(self.naming.site_label)], turn)
        names = {str(row[1]) for table in tables for row in table.rows if len(row) > 1}
        return [Site(name=name) for name in names if name]

    async def points(self, site: str, turn: Turn) -> Sequence[ListedPoint] | None:
        """See the port: each field of each series; one that a series never had has no samples."""
        tables = await self._ask(wire.show_series(self.naming.site_label, site), turn)
        fields: dict[str, list[str]] = {}
        for table in tables:
            if table.statement == 1:
                fields.setdefault(table.name, []).extend(str(row[0]) for row in table.rows)
        keys = [series_key(str(row[0])) for table in tables if table.statement == 0 for row in table.rows]
        found = [
            address(measurement, tags, field)
            for measurement, tags in keys
            for field in fields.get(measurement, ())
            if self.field in {"", field} and tags.get(self.naming.site_label) == site
        ]
        return listed(self.naming, found) if found else None

    async def samples(
        self, points: Sequence[ListedPoint], span: TimeRange, turn: Turn
    ) -> Sequence[PointColumns]:
        """See the port."""
        names = {key_of(one.address): one.point.name for one in points}
        columns = by_column([one.address for one in points])
        statements = [
            wire.select(measurement, field, series, span, policy=self.policy)
            for (measurement, field), series in columns.items()
        ]
        asked = list(columns)
        found = []
        for table in await self._ask(statements, turn):
            measurement, field = asked[table.statement]
            key = key_of(address(measurement, table.tags, field))
            if table.name == measurement and key in names:
                found.append(_columns(names[key], table, field))
        return found

    async def ping(self, turn: Turn) -> None:
        """See the port: what a database has of fields proves that it is there, too."""
        await self._ask(["SHOW FIELD KEYS LIMIT 1"], turn)

    async def probe(self, point: ListedPoint, span: TimeRange, turn: Turn) -> Finding:
        """See the port."""
        found = await self.samples([point], span, turn)
        kinds = sorted({type(value).__name__ for one in found for value in one.values})
        return {"samples by": "InfluxQL, chunked, epoch=ms", "types of values": ", ".join(kinds) or "none"}

    async def _ask(self, statements: Sequence[str], turn: Turn) -> Sequence[wire.Table]:
        content_of: Callable[[bytes], Sequence[wire.Table]] = lambda body: wire.tables_in(  # noqa: E731
            body, statements=len(statements)
        )
        answer = await self.calls.read(
            *("POST", "/query", turn.deadline_ms, wire.form_of(statements, self.database)),
            content_of=content_of,
            before=turn.before,
            headers=FORM,
        )
        return answer.content()


def _columns(point: str, table: wire.Table, field: str) -> PointColumns:
    if list(table.columns) != ["time", field]:
        raise OriginContract("the upstream answered with other columns than it was asked for")
    rows = [row for row in table.rows if row[1] is not None]
    times = [row[0] for row in rows]
    if not set(map(type, times)) <= {int}:
        raise OriginContract("the upstream answered with a time that is no integer of milliseconds")
    return PointColumns(point=point, times_ms=times, values=[row[1] for row in rows])  # type: ignore[arg-type]
