"""The Dialect port over a Haystack server: which operations, and what their grids mean.

Ranges are asked a millisecond wider at the start, and with their end: servers differ in which ends they hold,
and SkySpark adds a point before and after for charts. What is outside is cut.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edgeseries.errors import OriginContract, OriginRefused
from edgeseries.limits import EARLIEST_MS, LATEST_MS
from edgeseries.origins.haystack.grid import Grid, Tags
from edgeseries.origins.haystack.limits import BATCH_POINTS, CALL_SAMPLES
from edgeseries.origins.haystack.session import Session
from edgeseries.origins.haystack.values import Moment, Quantity, Ref, Scalar, is_sample, sample_value
from edgeseries.origins.haystack.zinc import grid_of, text_of
from edgeseries.origins.instants import times_of
from edgeseries.origins.ports.dialect import Finding, ListedPoint, PointColumns, Turn
from edgeseries.planning.capabilities import Capabilities
from edgeseries.series.points import Point, Site
from edgeseries.series.timerange import TimeRange, iso_instant

ID: Final = re.compile(r"[a-zA-Z0-9_:\-.~]+", re.ASCII)
"""What a reference may hold."""

BATCH: Final = "batch"
SECONDS: Final[Mapping[str, float]] = {
    "s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "hr": 3_600, "h": 3_600, "hour": 3_600,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """A point's id and unit."""

    id: str
    unit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HaystackDialect:
    """One project. `name_tag` names sites and points (empty: their ids), `filter` says what a point is."""

    session: Session
    filter: str
    name_tag: str = ""
    batch: str = "auto"

    @property
    def capabilities(self) -> Capabilities:
        """See the port."""
        return Capabilities(batch_points=BATCH_POINTS, call_samples=CALL_SAMPLES)

    async def sites(self, turn: Turn) -> Sequence[Site]:
        """See the port."""
        grid = await self._read("site", turn)
        named = [(self._name(row), row) for row in grid.rows]
        return [Site(name=name, title=_text(row.get("dis"))) for name, row in named if name]

    async def points(self, site: str, turn: Turn) -> Sequence[ListedPoint] | None:
        """See the port."""
        site_id = await self._site_id(site, turn)
        if site_id is None:
            return None
        grid = await self._read(f"({self.filter}) and siteRef==@{site_id}", turn)
        found: dict[str, ListedPoint] = {}
        for row in grid.rows:
            name = self._name(row)
            if not name:
                continue
            if name in found:
                raise OriginContract(
                    f"two points of a site are named {name!r}: the operator must set the option nameTag"
                )
            unit = _text(row.get("unit"))
            point = Point(name=name, unit=unit, kind=_text(row.get("kind")), interval_s=_interval(row))
            found[name] = ListedPoint(point=point, address=Address(_id_of(row), unit))
        return list(found.values())

    async def samples(
        self, points: Sequence[ListedPoint], span: TimeRange, turn: Turn
    ) -> Sequence[PointColumns]:
        """See the port: all points in one call where that is served, else one after the other. Points that
        the answer of such a call says nothing of are asked alone: no word is no silence.
        """
        memory, now_ms = self.session.memory, self.session.clock.now_ms()
        served = memory.fact(BATCH, now_ms)
        found: Sequence[PointColumns] = ()
        if len(points) > 1 and self.batch == "auto" and served != "off":
            try:
                found = await self._batch(points, span, turn)
            except (OriginRefused, OriginContract):
                memory.note(BATCH, "off", now_ms)
            else:
                # No word on any of them may be the answer of a server that does not know such calls.
                if found or served is None:
                    memory.note(BATCH, "on" if found else "off", now_ms)
        named = {one.point for one in found}
        return [
            *found,
            *[await self._single(one, span, turn) for one in points if one.point.name not in named],
        ]

    async def ping(self, turn: Turn) -> None:
        """See the port."""
        await self.session.ask("about", grid_of({}, "empty", []), turn)

    async def probe(self, point: ListedPoint, span: TimeRange, turn: Turn) -> Finding:
        """See the port."""
        grid = await self._his(point, span, turn)
        times_ms = sorted(times_of([_moment(row.get("ts")) for row in grid.rows if row.get("ts")]))
        finding = {"form": self.session.form}
        if times_ms:
            outside = [one for one in times_ms if not span.start_ms - 1 <= one <= span.end_ms]
            finding["points outside a range"] = f"{len(outside)} (added for charts)" if outside else "none"
            finding["the end of a range"] = "held" if times_ms[-1] >= span.end_ms else "not seen to be held"
        try:
            await self._batch([point, point], span, turn)
            finding["several points in a call"] = "served"
        except (OriginRefused, OriginContract):
            finding["several points in a call"] = "not served"
        return finding

    async def _batch(
        self, points: Sequence[ListedPoint], span: TimeRange, turn: Turn
    ) -> Sequence[PointColumns]:
        """Those of the points that the answer has columns of. Raises OriginContract for an answer that does
        not say whose its columns are.
        """
        cells = [f"@{one.address.id}" for one in points]
        grid = await self.session.ask("hisRead", grid_of({"range": _range(span)}, "id", cells), turn)
        by_id = {one.address.id: one for one in points}
        columns = {column.name: column.meta.get("id") for column in grid.columns if column.name != "ts"}
        if not {one.id if isinstance(one, Ref) else None for one in columns.values()} <= by_id.keys():
            raise OriginContract("the upstream answered a question about several points with other columns")
        return [
            self._columns(by_id[ref.id], grid, name) for name, ref in columns.items() if isinstance(ref, Ref)
        ]

    async def _single(self, point: ListedPoint, span: TimeRange, turn: Turn) -> PointColumns:
        return self._columns(point, await self._his(point, span, turn), "val")

    async def _his(self, point: ListedPoint, span: TimeRange, turn: Turn) -> Grid:
        cell = f"@{point.address.id},{_range(span)}"
        grid = await self.session.ask("hisRead", grid_of({}, "id,range", [cell]), turn)
        about = grid.meta.get("id")
        if isinstance(about, Ref) and about.id != point.address.id:
            raise OriginContract("the upstream answered about another point than it was asked")
        return grid

    def _columns(self, point: ListedPoint, grid: Grid, column: str) -> PointColumns:
        rows = [row for row in grid.rows if is_sample(row.get(column))]
        scalars = [row.get(column) for row in rows]
        _check_units(point, scalars)
        times_ms = times_of([_moment(row.get("ts")) for row in rows])
        return PointColumns(
            point=point.point.name, times_ms=times_ms, values=[sample_value(one) for one in scalars]
        )

    async def _site_id(self, site: str, turn: Turn) -> str | None:
        if self.name_tag:
            grid = await self._read("site", turn)
            return next((_id_of(row) for row in grid.rows if self._name(row) == site), None)
        if not ID.fullmatch(site):
            return None
        grid = await self._read(f"site and id==@{site}", turn)
        return site if any(_id_of(row) == site for row in grid.rows) else None

    async def _read(self, wanted: str, turn: Turn) -> Grid:
        return await self.session.ask("read", grid_of({}, "filter", [text_of(wanted)]), turn)

    def _name(self, row: Tags) -> str | None:
        return _text(row.get(self.name_tag)) if self.name_tag else _id_of(row)


def _id_of(row: Tags) -> str:
    found = row.get("id")
    if not isinstance(found, Ref) or not ID.fullmatch(found.id):
        raise OriginContract("the upstream listed a record without an id")
    return found.id


def _range(span: TimeRange) -> str:
    """A range as text, a millisecond wider at the start, within the years there are."""
    start_ms, end_ms = max(EARLIEST_MS, span.start_ms - 1), min(LATEST_MS, span.end_ms)
    return text_of(f"{iso_instant(start_ms)} UTC,{iso_instant(end_ms)} UTC")


def _moment(scalar: Scalar) -> str:
    if not isinstance(scalar, Moment):
        raise OriginContract("the upstream answered with a row whose ts is no instant")
    return scalar.text


def _text(scalar: Scalar) -> str | None:
    return scalar if isinstance(scalar, str) and scalar else None


def _interval(row: Tags) -> int | None:
    found = row.get("hisCollectInterval")
    if not isinstance(found, Quantity) or found.unit not in SECONDS:
        return None
    return round(found.number * SECONDS[found.unit]) or None


def _check_units(point: ListedPoint, scalars: Sequence[Scalar]) -> None:
    """Raises OriginContract where samples are of more than one unit, or of another than the point's."""
    units = {one.unit for one in scalars if isinstance(one, Quantity)}
    if point.address.unit is not None:
        units.add(point.address.unit)
    if len(units) > 1:
        raise OriginContract(
            f"samples of {point.point.name!r} are in {' and '.join(sorted(units))}: the tag unit of the "
            "point and its history must be of one unit"
        )
