"""The Dialect port over an archive of files: an index lists the points, a layout says where they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeseries.bounded_gather import bounded_gather
from edgeseries.errors import Defect, OriginContract, OriginUnconfirmed
from edgeseries.limits import UPSTREAM_CONCURRENCY
from edgeseries.origins.files import csv_file, parquet_file
from edgeseries.origins.files.csv_file import ColumnNames, Rows
from edgeseries.origins.files.layout import GZIP, Layout
from edgeseries.origins.files.limits import BATCH_POINTS, CALL_SAMPLES
from edgeseries.origins.files.store import FileStore
from edgeseries.origins.ports.dialect import Finding, ListedPoint, PointColumns, Turn
from edgeseries.origins.ports.parquet_reader import ParquetReader
from edgeseries.planning.capabilities import Capabilities
from edgeseries.series.points import Point, Site
from edgeseries.series.timerange import TimeRange

INDEX_COLUMNS = ("site", "point", "unit", "kind", "interval")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesDialect:
    """One archive. `index` is the path of its list of points; `parquet` is None where Parquet is not read."""

    store: FileStore
    layout: Layout
    index: str
    names: ColumnNames
    parquet: ParquetReader | None = None

    @property
    def capabilities(self) -> Capabilities:
        """See the port."""
        return Capabilities(batch_points=BATCH_POINTS, call_samples=CALL_SAMPLES)

    async def sites(self, turn: Turn) -> Sequence[Site]:
        """See the port."""
        table = await self._index(turn)
        return [Site(name=name) for name in dict.fromkeys(table["site"]) if name]

    async def points(self, site: str, turn: Turn) -> Sequence[ListedPoint] | None:
        """See the port."""
        table = await self._index(turn)
        places = [place for place, one in enumerate(table["site"]) if one == site and one]
        return [_listed(site, table, place) for place in places] or None

    async def samples(
        self, points: Sequence[ListedPoint], span: TimeRange, turn: Turn
    ) -> Sequence[PointColumns]:
        """See the port. A file that several points share is read once."""
        wanted: dict[str, list[ListedPoint]] = {}
        for one in points:
            for path in self.layout.files(one.address, one.point.name, span):
                wanted.setdefault(path, []).append(one)
        read, error = await bounded_gather(
            wanted, lambda path: self._file(path, turn), at_once=UPSTREAM_CONCURRENCY
        )
        if error is not None:
            raise error
        if None in read.values():
            # A gateway may have said that a file is not there. The index comes from the same place.
            await self._index(turn)
        return [
            columns
            for path, some in wanted.items()
            if (rows := read[path]) is not None
            for columns in self._columns(rows, some)
        ]

    async def ping(self, turn: Turn) -> None:
        """See the port: the index."""
        await self._index(turn)

    async def probe(self, point: ListedPoint, span: TimeRange, turn: Turn) -> Finding:
        """See the port."""
        paths = self.layout.files(point.address, point.point.name, span)
        rows = [found for path in paths if (found := await self._file(path, turn)) is not None]
        kinds = sorted({type(value).__name__ for one in rows for value in one.values})
        return {
            "files of the range": f"{len(rows)} of {len(paths)}",
            "points in a file": "one" if self.layout.by_point else "many",
            "types of values": ", ".join(kinds) or "none",
        }

    async def _index(self, turn: Turn) -> Mapping[str, Sequence[str]]:
        content = await self.store.read(self.index, turn)
        if content is None:
            raise OriginUnconfirmed(
                f"the archive has no {self.index}: the operator must write it, or set the option index"
            )
        table = csv_file.table_in(_plain(self.index, content), INDEX_COLUMNS)
        if not {"site", "point"} <= table.keys():
            raise OriginContract("the archive's index has no columns site and point")
        return table

    async def _file(self, path: str, turn: Turn) -> Rows | None:
        """Samples of a file; None where there is none. Raises OriginUnconfirmed where there has to be one."""
        content = await self.store.read(path, turn)
        if content is None:
            if self.layout.by_period:
                return None
            raise OriginUnconfirmed(f"the archive's index names a point whose file {path} is not there")
        if not self.layout.is_parquet:
            return csv_file.rows_in(content, self.names, zipped=path.endswith(GZIP))
        if self.parquet is None:
            raise Defect("this Worker does not read Parquet: its entry hands in no ParquetReader")
        return parquet_file.rows_in(content, self.names, self.parquet)

    def _columns(self, rows: Rows, points: Sequence[ListedPoint]) -> Sequence[PointColumns]:
        if self.layout.by_point:
            return [
                PointColumns(point=one.point.name, times_ms=rows.times_ms, values=rows.values)
                for one in points
            ]
        if rows.points is None:
            raise OriginContract(f"a file of many points has no column {self.names.point!r}: set pointColumn")
        values = list(rows.values)
        places: dict[str, list[int]] = {one.point.name: [] for one in points}
        for place, name in enumerate(rows.points):
            if name in places:
                places[name].append(place)
        return [
            PointColumns(
                point=name,
                times_ms=[rows.times_ms[place] for place in own],
                values=[values[place] for place in own],
            )
            for name, own in places.items()
        ]


def _plain(path: str, content: bytes) -> bytes:
    return csv_file.unzipped(content) if path.endswith(GZIP) else content


def _listed(site: str, table: Mapping[str, Sequence[str]], place: int) -> ListedPoint:
    def cell(column: str) -> str | None:
        return table[column][place] or None if column in table else None

    interval = cell("interval")
    point = Point(
        name=table["point"][place],
        unit=cell("unit"),
        kind=cell("kind"),
        interval_s=int(interval) if interval and interval.isdecimal() else None,
    )
    return ListedPoint(point=point, address=site)
