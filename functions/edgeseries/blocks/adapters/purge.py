"""Removing what is held: blocks of a site, of some points, of the days of a range; answers of the site.

Objects go first and their rows after, so that a purge that stops half-way is done by the same
request again. A block that a range touches only in part is written again without those days.
`dry_run` walks the same way and writes nothing.

A writer who puts new days into a block between its listing and its removal loses them from the
store; they are fetched again when they are asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from edgeseries.blocks.adapters.block_content import BlockContents, Content, told_by
from edgeseries.blocks.adapters.block_index import BlockIndex, BlockRow
from edgeseries.blocks.adapters.block_writing import BlockWriter
from edgeseries.blocks.header import BlockKey
from edgeseries.blocks.ports.blocks import Forgotten
from edgeseries.bounded_gather import bounded_gather
from edgeseries.errors import StoreUnavailable
from edgeseries.series.days import by_month, days_touched
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.bucket import Bucket, Found, Listed
from edgeseries.storage.limits import (
    BUCKET_AT_ONCE,
    BUCKET_PAGE_KEYS,
    PURGE_LISTED_POINTS,
    PURGE_MAX_CUTS,
    PURGE_MAX_PAGES,
)
from edgeseries.storage.object_keys import digest_of, point_digest_and_month, point_prefix, site_prefix

EVERY_DAY: Final = (1 << 31) - 1
"""Bitmap of a whole month, and of what lies past a shorter one."""


class PurgeAnswers(Protocol):
    """What removes the answers of a site along with its blocks."""

    async def forget_site(self, site: str, *, dry_run: bool) -> Forgotten:
        """Remove every kept answer of a site, or only tell."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a purge means. None is all: of points (by digest), of days (bitmaps by month)."""

    site: str
    points: Sequence[str] | None
    digests: frozenset[str] | None
    days: Mapping[str, int] | None

    def prefixes(self) -> tuple[str, ...]:
        """What to list: each of a few points by itself, or the whole site."""
        if self.points is None or len(self.points) > PURGE_LISTED_POINTS:
            return (site_prefix(self.site),)
        return tuple(point_prefix(self.site, point) for point in self.points)

    def touched(self, key: str) -> int:
        """The days of a block (bitmap) that are meant; 0 for a key that is not meant at all."""
        named = point_digest_and_month(key)
        if named is None or (self.digests is not None and named[0] not in self.digests):
            return 0
        return EVERY_DAY if self.days is None else self.days.get(named[1], 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """A block that a purge touches only in part."""

    key: str
    point: str
    month: str
    touched: int


@dataclass(slots=True)
class _Tally:
    """How far a purge is."""

    blocks: int = 0
    stored_bytes: int = 0
    cuts: int = 0


class Purge:
    """One purge. Made for one call of `BlockStore.forget`."""

    def __init__(
        self, *, bucket: Bucket, index: BlockIndex, contents: BlockContents, writer: BlockWriter
    ) -> None:
        self._bucket = bucket
        self._index = index
        self._contents = contents
        self._writer = writer
        self._left: set[str] = set()
        self._tally = _Tally()

    async def run(
        self, site: str, *, points: Sequence[str] | None, span: TimeRange | None, dry_run: bool
    ) -> Forgotten:
        """See the port, without the answers.

        Raises StoreUnavailable if one call is not enough; the same call again goes on from there.
        `stored_bytes` of a block that is cut are its share by days, so that a dry run, which
        does not write it again, tells the same.
        """
        scope = Scope(
            site=site,
            points=points,
            digests=None if points is None else frozenset(map(digest_of, points)),
            days=None if span is None else by_month(days_touched(span)),
        )
        pages = 0
        for prefix in scope.prefixes():
            cursor: str | None = None
            while True:
                pages += 1
                if pages > PURGE_MAX_PAGES:
                    raise self._unfinished()
                page = await self._bucket.page(prefix, cursor)
                await self._take(scope, page.objects, dry_run=dry_run)
                cursor = page.cursor
                if cursor is None:
                    break
        if not dry_run:
            await self._drop_rows_without_objects(scope)
        return Forgotten(blocks=self._tally.blocks, answers=0, stored_bytes=self._tally.stored_bytes)

    async def _take(self, scope: Scope, listed: Sequence[Listed], *, dry_run: bool) -> None:
        whole: list[str] = []
        cuts: list[_Cut] = []
        for one in listed:
            touched = scope.touched(one.key)
            if not touched:
                continue
            told = told_by(one.facts)
            if told is not None and not told.days & touched and told.days:
                self._left.add(one.key)
                continue
            self._tally.blocks += 1
            if told is None or not told.days & ~touched:
                whole.append(one.key)
                self._tally.stored_bytes += one.stored_bytes
                continue
            cuts.append(_Cut(key=one.key, point=told.point, month=told.month, touched=touched))
            share = (told.days & touched).bit_count() / told.days.bit_count()
            self._tally.stored_bytes += round(one.stored_bytes * share)
        if dry_run:
            return
        if whole:
            self._writer.memory.forget(whole)
            await self._bucket.delete(whole)
            await self._index.remove(whole)
        if cuts:
            await self._cut(scope.site, cuts)

    async def _cut(self, site: str, cuts: Sequence[_Cut]) -> None:
        self._tally.cuts += len(cuts)
        if self._tally.cuts > PURGE_MAX_CUTS:
            raise self._unfinished()

        async def cut(one: _Cut) -> BlockRow | None:
            key = BlockKey(site=site, point=one.point, month=one.month)

            def change(found: Found | None) -> Content | None:
                return None if found is None else self._contents.without(key, found.content, one.touched)

            return await self._writer.write(key, change)

        written, error = await bounded_gather(cuts, cut, at_once=BUCKET_AT_ONCE)
        rows = [row for row in written.values() if row is not None]
        self._left.update(one.key for one, row in written.items() if row is not None)
        await self._index.record(site, rows, (), now_ms=self._writer.clock.now_ms())
        await self._index.remove([one.key for one, row in written.items() if row is None])
        if error is not None:
            raise error

    async def _drop_rows_without_objects(self, scope: Scope) -> None:
        """Rows that an earlier purge or a lost race left behind."""
        if scope.points is not None and len(scope.points) <= PURGE_LISTED_POINTS:
            await self._drop(scope, await self._index.block_keys_of_points(scope.site, scope.points))
            return
        after = ""
        for _ in range(PURGE_MAX_PAGES):
            keys = await self._index.block_keys_of_site(scope.site, after=after)
            await self._drop(scope, keys)
            if len(keys) < BUCKET_PAGE_KEYS:
                return
            after = keys[-1]
        raise self._unfinished()

    async def _drop(self, scope: Scope, keys: Sequence[str]) -> None:
        orphans = [key for key in keys if scope.touched(key) and key not in self._left]
        await self._index.remove(orphans)

    def _unfinished(self) -> StoreUnavailable:
        return StoreUnavailable(
            f"{self._tally.blocks} blocks are done and more are left; send the same request again",
            retry_after_s=1,
        )
