"""Fakes of the stores: the two ports in memory, and the bucket and database that the real ones stand on.

`FakeBlocks` and `FakeAnswers` pass the ports' conformance suites. `MemoryBucket` and
`SqliteDatabase` put the real block store on the host, with the real SQL.
"""

import asyncio
import re
import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from hashlib import md5
from pathlib import Path

from edgeseries.blocks.adapters.answer_facts import expiry_ms
from edgeseries.blocks.ports.answers import AnswerFacts, CachedAnswer
from edgeseries.blocks.ports.blocks import (
    DaysToStore,
    PurgeOutcome,
    StoredIndex,
    StoredSamples,
    StoreOutcome,
)
from edgeseries.blocks.stamps import Refresh, Stamp, Stamps
from edgeseries.blocks.year_rows import BlockRef, PointRefs
from edgeseries.errors import StoreUnavailable
from edgeseries.http.messages import BodyStream
from edgeseries.limits import DAY_MS
from edgeseries.planning.empty_days import (
    NO_EMPTY_DAYS,
    EmptyDays,
    after_reading,
    empty_days_of,
    readings_text,
)
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.planning.stored import stored_points
from edgeseries.ports.clock import Clock
from edgeseries.series.days import by_month, days_in, days_touched, month_of, year_of
from edgeseries.series.samples import Samples, within
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import Value
from edgeseries.storage.bucket import Facts, Found, Listed, Page, Written
from edgeseries.storage.database import Command, Row

SCHEMA = Path(__file__).parents[1] / "schema.sql"
ANSWER_LIFE_MS = 30 * DAY_MS

Day = tuple[tuple[int, Value], ...]


@dataclass
class FakeAnswers:
    """Answers in memory. A stream is the body's bytes, never packed."""

    clock: Clock
    failure: StoreUnavailable | None = None
    life_ms: int = ANSWER_LIFE_MS
    kept: dict[str, tuple[bytes, AnswerFacts]] = field(default_factory=dict)
    expires_ms: dict[str, int] = field(default_factory=dict)

    async def find(self, digest: str, *, accepts_brotli: bool) -> CachedAnswer | None:  # noqa: ARG002 - the port's
        self._fail()
        body, facts = self.kept.get(digest, (b"", None))
        if facts is None or self.clock.now_ms() >= self.expires_ms[digest]:
            return None
        return CachedAnswer(facts=facts, stream=BodyStream(body), content_encoding="")

    async def store(self, digest: str, body: bytes, facts: AnswerFacts) -> None:
        self._fail()
        self.kept[digest] = (body, facts)
        self.expires_ms[digest] = expiry_ms(facts, self.life_ms)

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


@dataclass
class FakeBlocks:
    """Blocks in memory, a day at a time. `index_failure` is the database down, `failure` all of it."""

    failure: StoreUnavailable | None = None
    index_failure: StoreUnavailable | None = None
    held: dict[tuple[str, str], dict[int, Day]] = field(default_factory=dict)
    learned: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)
    reads: list[tuple[str, tuple[str, ...], TimeRange]] = field(default_factory=list)
    generations: dict[tuple[str, str], int] = field(default_factory=dict)
    tickets: dict[tuple[str, str], int] = field(default_factory=dict)
    drawn: int = 0
    clock: Clock | None = None
    empty: dict[tuple[str, str, str], EmptyDays] = field(default_factory=dict)
    """Empty days by site, point and month, once a clock tells when they were read."""

    async def look_up(self, site: str, points: Sequence[str], span: TimeRange) -> StoredIndex:
        self._fail(index=True)
        known = [point for point in points if self.held.get((site, point))]
        refs = {point: tuple(self._refs(site, point, span)) for point in known}
        now_ms = self.clock.now_ms() if self.clock is not None else 0
        stored = stored_points(refs, span, now_ms=now_ms)
        return StoredIndex(
            covered={point: one.days.usable for point, one in stored.items() if one.days.usable},
            stored=stored,
            density_per_day={
                point: self.learned[site, point][0] for point in points if (site, point) in self.learned
            },
            stamps=self._stamps(site, points),
            refs={point: PointRefs(months=months) for point, months in refs.items()},
        )

    async def read(
        self,
        site: str,
        points: Sequence[str],
        span: TimeRange,
        index: StoredIndex,
        *,
        bound: SampleBound | None = None,
    ) -> Mapping[str, StoredSamples]:
        self._fail()
        self.reads.append((site, tuple(points), span))
        found = {}
        for point in points:
            days = self.held.get((site, point), {})
            meant = index.covered.get(point, frozenset())
            touched = [day for day in days_touched(span) if day in days and day in meant]
            pairs = [pair for day in touched for pair in days[day]]
            samples = Samples(
                times_ms=array("q", [at for at, _ in pairs]), values=tuple(value for _, value in pairs)
            )
            found[point] = StoredSamples(samples=within(samples, span), days=frozenset(touched))
            if bound is not None:
                bound.add_stored(len(found[point].samples))
        return found

    async def fingerprint(self, site: str, points: Sequence[str], span: TimeRange) -> str | None:
        self._fail(index=True)
        touched = days_touched(span)
        if any(day not in self.held.get((site, point), {}) for point in points for day in touched):
            return None
        months = {month_of(day) for day in touched}
        held = {
            (point, day): samples
            for point in points
            for day, samples in self.held.get((site, point), {}).items()
            if month_of(day) in months
        }
        stamp = self._stamps(site, points).total(points)
        return md5(repr((sorted(held.items()), stamp)).encode()).hexdigest()  # noqa: S324 - tells versions apart

    async def store(self, site: str, days: Sequence[DaysToStore], stamps: Stamps) -> StoreOutcome:
        self._fail(index=True)
        now = self._stamps(site, [one.point for one in days])
        superseded = {one.point for one in days if now.of(one.point) != stamps.of(one.point)}
        self._store(site, [one for one in days if one.point not in superseded])
        return StoreOutcome(superseded=frozenset(superseded), stamps=stamps)

    async def begin_refresh(self, site: str, points: Sequence[str]) -> Refresh:
        self._fail(index=True)
        self.drawn += 1
        return Refresh(site=self.generations.get((site, ""), 0), tickets=dict.fromkeys(points, self.drawn))

    async def refresh(self, site: str, days: Sequence[DaysToStore], begun: Refresh) -> StoreOutcome:
        self._fail(index=True)
        superseded = {
            point
            for point, ticket in begun.tickets.items()
            if self.tickets.get((site, point), 0) > ticket or self.generations.get((site, ""), 0) > begun.site
        }
        for point in begun.tickets.keys() - superseded:
            self.generations[site, point] = self.generations.get((site, point), 0) + 1
            self.tickets[site, point] = begun.tickets[point]
        self._store(site, [one for one in days if one.point not in superseded])
        stamps = self._stamps(site, sorted(begun.tickets.keys() - superseded))
        return StoreOutcome(superseded=frozenset(superseded), stamps=stamps)

    async def forget(
        self, site: str, *, points: Sequence[str] | None, span: TimeRange | None, dry_run: bool
    ) -> PurgeOutcome:
        self._fail(index=True)
        blocks: set[tuple[str, str]] = set()
        for (owner, point), days in self.held.items():
            if owner != site or (points is not None and point not in points):
                continue
            meant = [day for day in days if span is None or day in days_touched(span)]
            blocks.update((point, year_of(day)) for day in meant)
            for day in () if dry_run else meant:
                del days[day]
        for point in () if dry_run else points if points is not None else [""]:
            self.drawn += 1
            self.generations[site, point] = self.generations.get((site, point), 0) + 1
            self.tickets[site, point] = self.drawn
        return PurgeOutcome(blocks=len(blocks), stored_bytes=0)

    def _store(self, site: str, days: Sequence[DaysToStore]) -> None:
        for one in days:
            pairs = list(zip(one.samples.times_ms, one.samples.values, strict=True))
            held = self.held.setdefault((site, one.point), {})
            held.update({day: tuple(pair for pair in pairs if pair[0] // DAY_MS == day) for day in one.days})
            self._note_empty(site, one)
            busy = len({at // DAY_MS for at in one.samples.times_ms})
            if busy:
                density, observed = self.learned.get((site, one.point), (0.0, 0))
                weight = min(observed, 30)
                self.learned[site, one.point] = (
                    (density * weight + len(pairs)) / (weight + busy),
                    observed + busy,
                )

    def _note_empty(self, site: str, one: DaysToStore) -> None:
        busy = by_month({at // DAY_MS for at in one.samples.times_ms})
        for month, read in by_month(one.days).items() if self.clock is not None else ():
            place = (site, one.point, month)
            self.empty[place] = after_reading(
                self.empty.get(place, NO_EMPTY_DAYS),
                read=read,
                found_empty=read & ~busy.get(month, 0),
                now_ms=self.clock.now_ms() if self.clock is not None else 0,
            )

    def _refs(self, site: str, point: str, span: TimeRange) -> Iterator[BlockRef]:
        months = by_month(days_touched(span))
        for month, days in by_month(self.held[site, point]).items():
            if days & months.get(month, 0):
                held = {day: self.held[site, point][day] for day in days_in(month, days)}
                empty = by_month(day for day, samples in held.items() if not samples).get(month, 0)
                known = self.empty.get((site, point, month), NO_EMPTY_DAYS)
                yield BlockRef(
                    month=month,
                    object_key=f"{point}/{month}",
                    days=days,
                    empty_days=empty,
                    sample_count=sum(map(len, held.values())),
                    object_days=days,
                    unsettled=readings_text(empty_days_of(empty, readings_text(known.unsettled)).unsettled),
                )

    def _stamps(self, site: str, points: Sequence[str]) -> Stamps:
        whole = self.generations.get((site, ""), 0)
        return Stamps(
            site=whole,
            points={
                point: Stamp(
                    site=whole,
                    point=self.generations[site, point],
                    ticket=self.tickets.get((site, point), 0),
                )
                for point in points
                if (site, point) in self.generations
            },
        )

    def _fail(self, *, index: bool = False) -> None:
        failure = self.failure or (self.index_failure if index else None)
        if failure is not None:
            raise failure


@dataclass
class MemoryBucket:
    """A bucket in memory that lets others in at every call, as a real one does."""

    objects: dict[str, tuple[bytes, Facts, int]] = field(default_factory=dict)
    down: bool = False
    page_size: int = 3
    puts: int = 0
    gets: int = 0
    part_bytes: int = 0
    under_way: int = 0
    most_under_way: int = 0

    async def get(self, key: str) -> Found | None:
        await self._call()
        self.gets += 1
        if key not in self.objects:
            return None
        content, _, uploaded_ms = self.objects[key]
        return Found(content=content, version=_version(content, uploaded_ms))

    async def part(self, key: str, offset: int, size: int) -> bytes | None:
        await self._call()
        self.gets += 1
        self.part_bytes += size
        return self.objects[key][0][offset : offset + size] if key in self.objects else None

    async def put(self, key: str, content: bytes, facts: Facts) -> Written:
        await self._call()
        self.puts += 1
        assert type(content) is bytes
        self.objects[key] = (content, dict(facts), self.puts)
        return _version(content, self.puts)

    async def delete(self, keys: Sequence[str]) -> None:
        await self._call()
        for key in keys:
            self.objects.pop(key, None)

    async def page(self, prefix: str, cursor: str | None, *, after: str = "") -> Page:
        await self._call()
        past = cursor or after
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > past)
        listed = [
            Listed(key=key, stored_bytes=len(content), facts=facts, version=_version(content, uploaded_ms))
            for key in keys
            for content, facts, uploaded_ms in [self.objects[key]]
        ]
        more = len(listed) > self.page_size
        return Page(
            objects=tuple(listed[: self.page_size]), cursor=keys[self.page_size - 1] if more else None
        )

    async def _call(self) -> None:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if self.down:
            raise StoreUnavailable("the bucket is down")


def _version(content: bytes, uploaded_ms: int) -> Written:
    return Written(etag=md5(content + b"%d" % uploaded_ms).hexdigest(), uploaded_ms=uploaded_ms)  # noqa: S324 - as R2


@cache
def _with_schema() -> bytes:
    """A database that the schema was run on, as a file: reading one takes a tenth of running it."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(SCHEMA.read_text(encoding="utf-8"))
        return connection.serialize()


@cache
def _with_names(sql: str) -> str:
    """A statement with its numbered parameters as named ones. Statements are few."""
    return re.sub(r"\?(\d+)", r":p\1", sql)


@dataclass
class SqliteDatabase:
    """A database in memory, with the schema, within D1's bounds. Its time is that of `clock`, if any."""

    down: bool = False
    clock: Clock | None = None
    transactions: int = 0
    reads: int = 0
    statements: int = 0
    largest_parameter_bytes: int = 0

    def __post_init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.deserialize(_with_schema())
        if self.clock is not None:
            self.connection.create_function("julianday", 1, self._julianday)

    def _julianday(self, _now: str) -> float:
        assert self.clock is not None
        return 2_440_587.5 + self.clock.now_ms() / DAY_MS

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.connection.execute(sql).fetchall()

    def close(self) -> None:
        self.connection.close()

    async def read(self, command: Command) -> list[Row]:
        await self._call()
        self.reads += 1
        return list(self._run(command).fetchall())

    async def write(self, commands: Sequence[Command]) -> list[list[Row]]:
        await self._call()
        self.transactions += 1
        self.connection.execute("BEGIN")
        rows: list[list[Row]] = [self._run(command).fetchall() for command in commands]
        self.connection.execute("COMMIT")
        return rows

    def _run(self, command: Command) -> sqlite3.Cursor:
        self.statements += 1
        sizes = [len(str(one).encode()) for one in command.parameters]
        self.largest_parameter_bytes = max([self.largest_parameter_bytes, *sizes])
        numbered = _with_names(command.sql)
        named = {f"p{place}": value for place, value in enumerate(command.parameters, 1)}
        return self.connection.execute(numbered, named)

    async def _call(self) -> None:
        await asyncio.sleep(0)
        if self.down:
            raise StoreUnavailable("the database is down")
