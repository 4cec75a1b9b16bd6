"""The Origin port over ACE FlightDeck. The wire format is in `wire.py`, single reads in `calls.py`, the calls
that bring samples in `fetching.py`.

It owns lists, the memory of them, and what may be asked by name: only points that the site has.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from edgeseries.access.grants import no_such_site
from edgeseries.errors import NotFound, OriginContract
from edgeseries.limits import FORCED_DIRECT_MAX_SAMPLES, UPSTREAM_MAX_BODY_BYTES
from edgeseries.origins.ace import wire as ace
from edgeseries.origins.ace.by_name import fetch_by_name
from edgeseries.origins.ace.calls import Calling, ace_calls
from edgeseries.origins.ace.catalogue import Catalogue
from edgeseries.origins.ace.fetching import Fetch
from edgeseries.origins.ace.limits import MAX_PAGES
from edgeseries.origins.ace.probing import probe_installation
from edgeseries.origins.ace.rows import RowCollector
from edgeseries.origins.ace.site_pages import SiteReads
from edgeseries.origins.calls import Answer, BeforeCall, SettingNames, unconfirmed
from edgeseries.origins.declared_text import is_text
from edgeseries.origins.ports.dialect import Finding
from edgeseries.origins.ports.origin import NO_SUCH_POINT, Bulk
from edgeseries.origins.ports.page_reader import PageReader
from edgeseries.origins.ports.surplus import Surplus
from edgeseries.planning.capabilities import Capabilities
from edgeseries.ports.clock import Clock
from edgeseries.ports.web import Web
from edgeseries.series.points import Point, PointSeries, Site, SiteListing
from edgeseries.series.samples import NO_SAMPLES
from edgeseries.series.timerange import TimeRange

SITE_SHARE = 2
"""In the background a site's pages are read where one in so many of its points is wanted: half of what
they hold is of use then, and no list of names has to be taken by the vendor."""

POINTS_OF_ANOTHER_SITE = "points_of_another_site"
"""Items of a site's list that are dropped, by the name of `docs/formats/analytics.md`."""


class AceOrigin:
    """One ACE installation with one credential, for one event: what was read of a whole site holds until its
    end. `catalogue` is shared by the isolate's requests; `dropped` counts by name what the upstream sent and
    nobody had asked for. `page_reader` reads what pages it can. `text_points` are patterns of names of points
    whose values are texts.
    """

    def __init__(
        self,
        *,
        base_url: str,
        token: str,
        web: Web,
        clock: Clock,
        catalogue: Catalogue,
        max_body_bytes: int = UPSTREAM_MAX_BODY_BYTES,
        dropped: Counter[str] | None = None,
        page_reader: PageReader | None = None,
        names: SettingNames | None = None,
        text_points: Sequence[str] = (),
    ) -> None:
        self._text_points = tuple(text_points)
        self._calls = ace_calls(
            base_url=base_url,
            token=token,
            web=web,
            clock=clock,
            max_body_bytes=max_body_bytes,
            names=names,
        )
        self._clock = clock
        self._catalogue = catalogue
        self._dropped: Counter[str] = Counter() if dropped is None else dropped
        self._page_reader = page_reader
        self._site_reads = SiteReads()

    def capabilities(self, site: str) -> Capabilities:  # noqa: ARG002 - the same for all of its sites
        """See the port."""
        return self._catalogue.sizes.capabilities

    async def sites(self, *, deadline_ms: int) -> SiteListing:
        """See the port."""
        return SiteListing(sites=await self._sites(deadline_ms, None))

    async def points(self, site: str, *, deadline_ms: int) -> tuple[Point, ...]:
        """See the port. Read anew from the upstream at every call; the catalogue takes note."""
        return await self._points(site, deadline_ms, None)

    async def fetch(
        self,
        site: str,
        points: Sequence[str],
        span: TimeRange,
        *,
        deadline_ms: int,
        bulk: Bulk | None = None,
        surplus: Surplus | None = None,
    ) -> tuple[PointSeries, ...]:
        """See the port. A point of another site is never asked for: names alone select upstream. A name
        that another site is known to have as well is read from the pages of its own.
        """
        before = None if bulk is None else bulk.before_call
        known = await self._known(site, points, deadline_ms, before)
        wanted = [point for point in points if point in known]
        fetch = Fetch(
            site=site,
            span=span,
            known=known,
            calling=Calling(
                calls=self._calls,
                sizes=self._catalogue.sizes,
                deadline_ms=deadline_ms,
                before=before,
                page_reader=self._page_reader,
            ),
            catalogue=self._catalogue,
            clock=self._clock,
            collector=RowCollector(points, texts=self._catalogue.texts(site, wanted)),
            site_reads=self._site_reads,
            max_samples=FORCED_DIRECT_MAX_SAMPLES if bulk is None else bulk.max_samples,
            surplus=surplus,
        )
        try:
            mostly = bulk is not None and SITE_SHARE * len(wanted) >= len(known) > 1
            await self._gather(fetch, wanted, mostly=mostly)
        finally:
            self._dropped.update(fetch.collector.dropped)
        heard = fetch.collector.heard(wanted)
        silent = [point for point in wanted if point not in heard]
        self._catalogue.activity.learn(site, span, heard=heard, silent=silent, now_ms=self._clock.now_ms())
        if fetch.denied:
            # No data, or gone since the list was read. The list of before the answer is no witness.
            known = await self._reread(site, deadline_ms, before)
        return tuple(
            PointSeries(point=point, samples=fetch.collector.samples(point))
            if point in known
            else PointSeries(point=point, samples=NO_SAMPLES, error=NO_SUCH_POINT)
            for point in points
        )

    async def probe(self, site: str, point: str, span: TimeRange, *, deadline_ms: int) -> Finding:
        """See the port."""
        if point not in await self._known(site, [point], deadline_ms, None):
            raise NotFound(f"{NO_SUCH_POINT}: {point!r}")
        calling = Calling(
            calls=self._calls,
            deadline_ms=deadline_ms,
            sizes=self._catalogue.sizes,
            page_reader=self._page_reader,
        )
        return await probe_installation(calling, site, point, span)

    async def ping(self, *, deadline_ms: int) -> None:
        """See the port: the first page of the list of sites."""
        path = ace.sites_path(1)
        answer = await self._calls.read("GET", path, deadline_ms, content_of=ace.document_of)
        ace.listed(answer.content())

    async def _gather(self, fetch: Fetch, wanted: Sequence[str], *, mostly: bool) -> None:
        ambiguous = self._catalogue.shared_names(fetch.site, wanted)
        if (ambiguous or mostly) and await fetch.whole_site(wanted):
            return
        if ambiguous and not fetch.site_denied:
            raise unconfirmed()
        fetch.denied.update(ambiguous)
        await fetch_by_name(fetch, [point for point in wanted if point not in ambiguous])

    async def _sites(self, deadline_ms: int, before: BeforeCall | None) -> tuple[Site, ...]:
        items, denial = await self._list(ace.sites_path, deadline_ms, before)
        if denial is not None:
            raise unconfirmed()
        return tuple(sorted(map(ace.site_of, items), key=lambda site: site.name))

    async def _points(self, site: str, deadline_ms: int, before: BeforeCall | None) -> tuple[Point, ...]:
        items, denial = await self._list(partial(ace.site_points_path, site), deadline_ms, before)
        if denial is not None:
            await self._refuse_site(site, denial, deadline_ms, before)
        own = [item for item in items if ace.site_named_by(item) in (None, site)]
        self._dropped.update(+Counter({POINTS_OF_ANOTHER_SITE: len(items) - len(own)}))
        if items and not own:
            raise OriginContract("the upstream listed the points of another site than it was asked for")
        points = tuple(sorted(map(ace.point_of, own), key=lambda point: point.name))
        texts = [point.name for point in points if is_text(point, self._text_points)]
        names = (point.name for point in points)
        self._catalogue.learn(site, names, self._clock.now_ms(), texts=texts)
        return points

    async def _refuse_site(
        self, site: str, denial: Answer[ace.Document], deadline_ms: int, before: BeforeCall | None
    ) -> None:
        """Raise NotFound for a site that has no list, if it is the vendor who says so or the list of sites
        lacks it, else OriginUnconfirmed.
        """
        if not ace.denies_site(denial.message):
            listed = await self._sites(deadline_ms, before)
            if site in {one.name for one in listed}:
                raise unconfirmed()
        raise no_such_site(site)

    async def _known(
        self, site: str, points: Iterable[str], deadline_ms: int, before: BeforeCall | None
    ) -> frozenset[str]:
        """The site's points: remembered, unless one of these is missing and the list is not fresh."""
        now_ms = self._clock.now_ms()
        names = self._catalogue.names(site, now_ms)
        if names is not None and (names.issuperset(points) or self._catalogue.is_fresh(site, now_ms)):
            return names
        return await self._reread(site, deadline_ms, before)

    async def _reread(self, site: str, deadline_ms: int, before: BeforeCall | None) -> frozenset[str]:
        return frozenset(point.name for point in await self._points(site, deadline_ms, before))

    async def _list(
        self, path_of: Callable[[int], str], deadline_ms: int, before: BeforeCall | None
    ) -> tuple[list[ace.Document], Answer[ace.Document] | None]:
        """All items of a paged list, or the 404 that says that there is no such list."""
        found: list[ace.Document] = []
        for page in range(1, MAX_PAGES + 1):
            answer = await self._calls.read(
                "GET", path_of(page), deadline_ms, content_of=ace.document_of, before=before
            )
            if answer.denied and page == 1:
                return [], answer
            items, more = ace.listed(answer.content())
            found += items
            if not more:
                return found, None
        raise OriginContract("the upstream's list has no end")
