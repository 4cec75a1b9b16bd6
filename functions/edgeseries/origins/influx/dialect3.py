"""The Dialect port over InfluxDB 3: one query in SQL for each table and field of a batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edgeseries.errors import OriginContract
from edgeseries.origins.calls import UpstreamCalls
from edgeseries.origins.influx import sql as wire
from edgeseries.origins.influx.limits import BATCH_POINTS, CALL_SAMPLES
from edgeseries.origins.influx.series import address, by_column, key_of, listed
from edgeseries.origins.instants import times_of
from edgeseries.origins.labels import NAME, Labels, Naming
from edgeseries.origins.ports.dialect import Finding, ListedPoint, PointColumns, Turn
from edgeseries.planning.capabilities import Capabilities
from edgeseries.series.points import Site
from edgeseries.series.timerange import TimeRange

TAG_TYPE = "Dictionary("
"""How the type of a tag's column begins; fields have plain types."""

Columns = Mapping[str, Mapping[str, str]]
"""Types by column by table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlAddress:
    """How a field of a series is asked for. `tags` are all that its table has: those that the series lacks
    are null, which tells it from series that have them.
    """

    labels: Labels
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlDialect:
    """One database. `field`: the only one that is read, empty for all."""

    calls: UpstreamCalls
    naming: Naming
    database: str
    field: str = ""

    @property
    def capabilities(self) -> Capabilities:
        """See the port."""
        return Capabilities(batch_points=BATCH_POINTS, call_samples=CALL_SAMPLES)

    async def sites(self, turn: Turn) -> Sequence[Site]:
        """See the port."""
        tables = [table for table, columns in (await self._columns(turn)).items() if self._has_site(columns)]
        if not tables:
            return []
        rows = await self._ask(wire.sites_query(tables, self.naming.site_label), turn)
        names = {name for row in rows if isinstance(name := row.get("site"), str)}
        return [Site(name=name) for name in names if name]

    async def points(self, site: str, turn: Turn) -> Sequence[ListedPoint] | None:
        """See the port: each field of each series; one that a series never had has no samples."""
        found: list[Labels] = []
        tags_by_table: dict[str, tuple[str, ...]] = {}
        for table, columns in (await self._columns(turn)).items():
            if not self._has_site(columns):
                continue
            tags = tags_by_table[table] = _tags_of(columns)
            query = wire.series_query(table, tags, self.naming.site_label, site)
            fields = [one for one in columns if one not in tags and one != "time"]
            found += [
                address(table, wire.tags_in(row, tags), field)
                for row in await self._ask(query, turn)
                for field in fields
                if self.field in {"", field}
            ]
        own = [one for one in found if one.get(self.naming.site_label) == site]
        if not own:
            return None
        return [
            replace(one, address=SqlAddress(labels=one.address, tags=tags_by_table[one.address[NAME]]))
            for one in listed(self.naming, own)
        ]

    async def samples(
        self, points: Sequence[ListedPoint], span: TimeRange, turn: Turn
    ) -> Sequence[PointColumns]:
        """See the port."""
        names = {key_of(one.address.labels): one.point.name for one in points}
        tags_by_table = {one.address.labels[NAME]: one.address.tags for one in points}
        found = []
        for (table, field), series in by_column([one.address.labels for one in points]).items():
            tags = tags_by_table[table]
            rows = await self._ask(wire.samples_query(table, field, tags, series, span), turn)
            by_series: dict[tuple[object, ...], list[wire.Row]] = {}
            places = [f"t{place}" for place in range(len(tags))]
            for row in rows:
                by_series.setdefault(tuple([row.get(one) for one in places]), []).append(row)
            for some in by_series.values():
                key = key_of(address(table, wire.tags_in(some[0], tags), field))
                if key in names:
                    found.append(_columns_of(names[key], some))
        return found

    async def ping(self, turn: Turn) -> None:
        """See the port."""
        await self._ask("SELECT 1 AS one", turn)

    async def probe(self, point: ListedPoint, span: TimeRange, turn: Turn) -> Finding:
        """See the port."""
        found = await self.samples([point], span, turn)
        kinds = sorted({type(value).__name__ for one in found for value in one.values})
        return {"samples by": "SQL, JSON", "types of values": ", ".join(kinds) or "none"}

    async def _columns(self, turn: Turn) -> Columns:
        found: dict[str, dict[str, str]] = {}
        for row in await self._ask(wire.columns_query(), turn):
            names = row.get("table_name"), row.get("column_name"), row.get("data_type")
            if not all(isinstance(one, str) for one in names):
                raise OriginContract("the upstream listed a column without a table, a name or a type")
            found.setdefault(str(names[0]), {})[str(names[1])] = str(names[2])
        return found

    def _has_site(self, columns: Mapping[str, str]) -> bool:
        return self.naming.site_label in _tags_of(columns)

    async def _ask(self, query: str, turn: Turn) -> Sequence[wire.Row]:
        body = wire.body_of(query, self.database)
        answer = await self.calls.read(
            *("POST", "/api/v3/query_sql", turn.deadline_ms, body),
            content_of=wire.rows_in,
            before=turn.before,
        )
        return answer.content()


def _tags_of(columns: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(one for one, kind in columns.items() if kind.startswith(TAG_TYPE)))


def _columns_of(point: str, rows: Sequence[wire.Row]) -> PointColumns:
    values = [row.get(wire.VALUE) for row in rows]
    if not set(map(type, values)) <= {float, int, bool, str, type(None)}:
        raise OriginContract("the upstream answered with a value that is no number, text or boolean")
    times_ms = times_of(wire.with_zone([row.get("time") for row in rows]))
    return PointColumns(point=point, times_ms=times_ms, values=values)
