"""The answer to each request that is carried out: from the truth to bytes.

Owns what each endpoint answers when no fault befalls it. Runs in threads: merging and encoding take
long. Must not know of sockets, tokens or the odds of faults.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeVar

from local.upstream.catalogue import PointInfo
from local.upstream.instants import strict_us
from local.upstream.interleave import Interleave, Range, cut, merged
from local.upstream.knobs import Knobs
from local.upstream.mask import Mask
from local.upstream.order_cache import OrderCache
from local.upstream.pages import Cursor, SamplePage, empty_page, numbered_page, sample_page
from local.upstream.paths import Endpoint, Match
from local.upstream.queries import Arguments, BatchShape, Refused, batch_names, mask_of
from local.upstream.reply import Reply
from local.upstream.reply_cache import ReplyCache
from local.upstream.series import Series, usual_step_s
from local.upstream.truth import Truth
from local.upstream.wire import (
    SAMPLES_FIELD,
    json_bytes,
    page_record,
    point_record,
    samples_bytes,
    site_record,
)

NO_DATA: Final = "No data for time period"

WITH_SAMPLES: Final = frozenset(
    {
        Endpoint.SITE_TIMESERIES,
        Endpoint.SITE_TIMESERIES_PAGINATED,
        Endpoint.POINT_TIMESERIES,
        Endpoint.POINTS_GET_TIMESERIES,
    }
)
"""Endpoints whose answers take long to render."""

Item = TypeVar("Item")

# Behind every stamp that ISO-8601 writes with four digits: a page from here on is empty.
_AFTER_ALL: Final = Cursor(instant_us=strict_us("9999-12-31T23:59:59Z"), skip_count=0, after_empty=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request, off the wire. `repeat_cursor` and `empty_page` are faults that the page itself shows.

    Nothing is known of samples from `known_until_us` on, if it is set.
    """

    match: Match
    query: Mapping[str, str]
    body: bytes
    fields_header: str | None
    knobs: Knobs
    repeat_cursor: bool = False
    empty_page: bool = False
    known_until_us: int | None = None

    @property
    def identity(self) -> Hashable:
        """Equal for requests that are answered alike, as long as the truth does not change."""
        return (
            *(self.match, tuple(self.query.items()), self.body, self.fields_header),
            *(self.knobs.end_inclusive, self.knobs.batch_shape),
            *(self.repeat_cursor, self.empty_page, self.known_until_us),
        )

    def limits(self, arguments: Arguments) -> Range:
        """The range asked for, under the boundary rule that is set, as far as anything is known."""
        limits = arguments.limits(end_included=self.knobs.end_inclusive)
        if self.known_until_us is None or self.known_until_us > limits.end_us:
            return limits
        return Range(start_us=limits.start_us, end_us=self.known_until_us, end_included=False)


class Answers:
    """Answers from one truth."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._shelf = OrderCache(truth)
        self._replies = ReplyCache()
        self._points = [point for site in truth.sites() for point in truth.points(site)]
        self._ids = {point.name: place for place, point in enumerate(self._points, start=1)}
        self._steps: dict[str, tuple[Series, int | None]] = {}
        self._by_endpoint: Mapping[Endpoint, Callable[[Ask], Reply]] = {
            Endpoint.SITES: self._sites,
            Endpoint.SITE: self._site,
            Endpoint.SITE_POINTS: self._site_points,
            Endpoint.SITE_CONFIGURED_POINTS: self._site_points,
            Endpoint.SITE_TIMESERIES: self._site_timeseries,
            Endpoint.SITE_TIMESERIES_PAGINATED: self._site_page,
            Endpoint.POINTS: self._all_points,
            Endpoint.POINT: self._point,
            Endpoint.POINT_TIMESERIES: self._point_timeseries,
            Endpoint.POINTS_GET_TIMESERIES: self._batch,
            Endpoint.UNKNOWN: self._unknown,
        }

    def answer(self, ask: Ask) -> Reply:
        """Carry a request out; a refusal is an answer, too."""
        make = self._by_endpoint[ask.match.endpoint]
        try:
            if ask.match.endpoint not in WITH_SAMPLES:
                return make(ask)
            return self._replies.reply((self._truth.version, ask.identity), lambda: make(ask))
        except Refused as refusal:
            return Reply(status=refusal.status, body=json_bytes(refusal.payload))

    def _unknown(self, ask: Ask) -> Reply:
        if ask.match.wrong_method:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "The method is not allowed for the requested URL.")
        raise Refused(HTTPStatus.NOT_FOUND, "The requested URL was not found on the server.")

    def _sites(self, ask: Ask) -> Reply:
        records = [site_record(name, place) for place, name in enumerate(self._truth.sites(), start=1)]
        return _listed(ask, records, lambda record: record)

    def _site(self, ask: Ask) -> Reply:
        site = self._known_site(ask)
        return _ok(site_record(site, self._truth.sites().index(site) + 1))

    def _site_points(self, ask: Ask) -> Reply:
        return _listed(ask, self._truth.points(self._known_site(ask)), self._record)

    def _all_points(self, ask: Ask) -> Reply:
        return _listed(ask, self._points, self._record)

    def _point(self, ask: Ask) -> Reply:
        return _ok(self._record(self._known_point(ask)))

    def _site_timeseries(self, ask: Ask) -> Reply:
        site, mask, arguments = self._known_site(ask), mask_of(ask.fields_header), Arguments(ask.query)
        limits = ask.limits(arguments)
        arguments.check()
        order = self._shelf.raw(site)
        first, last = limits.places(order.times_us)
        if first == last:
            raise Refused(HTTPStatus.NOT_FOUND, NO_DATA)
        return _samples(order, first, last, {}, mask, of_site=True)

    def _site_page(self, ask: Ask) -> Reply:
        site, mask, arguments = self._known_site(ask), mask_of(ask.fields_header), Arguments(ask.query)
        limits, page_size = ask.limits(arguments), arguments.page_size()
        raw_data, cursor = arguments.raw_data(), arguments.cursor()
        arguments.check()
        order = self._shelf.raw(site) if raw_data else self._shelf.buckets(site, limits)
        places = limits.places(order.times_us) if raw_data else (0, len(order.times_us))
        if cursor is None and places[0] == places[1]:
            raise Refused(HTTPStatus.NOT_FOUND, NO_DATA)
        # Two empty pages in a row would let a rate of 1 keep a walk from ever ending.
        emptied = ask.empty_page and not (cursor and cursor.after_empty)
        page = (
            empty_page(order.times_us, places, cursor)
            if emptied
            else sample_page(order.times_us, places, cursor, page_size)
        )
        onward = _onward(ask, page, cursor)
        more = {"next_cursor": onward, "has_more": onward is not None}
        return _samples(order, page.first, page.last, more, mask, page_was_emptied=emptied, of_site=True)

    def _point_timeseries(self, ask: Ask) -> Reply:
        point, mask, arguments = self._known_point(ask), mask_of(ask.fields_header), Arguments(ask.query)
        limits = ask.limits(arguments)
        arguments.check()
        order = merged([(point.name, cut(self._truth.series(point), limits))])
        return _samples(order, 0, len(order.times_us), {}, mask)

    def _batch(self, ask: Ask) -> Reply:
        if ask.knobs.batch_shape is BatchShape.NONE:
            raise Refused(HTTPStatus.NOT_FOUND, "The requested URL was not found on the server.")
        mask, arguments = mask_of(ask.fields_header), Arguments(ask.query)
        limits = ask.limits(arguments)
        arguments.check()
        names = batch_names(ask.body, ask.knobs.batch_shape)
        points = [point for point in map(self._truth.find, names) if point is not None]
        order = merged([(point.name, cut(self._truth.series(point), limits)) for point in points])
        if not order.times_us:
            raise Refused(HTTPStatus.NOT_FOUND, NO_DATA)
        return _samples(order, 0, len(order.times_us), {}, mask)

    def _known_site(self, ask: Ask) -> str:
        if ask.match.name not in self._truth.sites():
            raise Refused(HTTPStatus.NOT_FOUND, f"Site {ask.match.name} not found")
        return ask.match.name

    def _known_point(self, ask: Ask) -> PointInfo:
        point = self._truth.find(ask.match.name)
        if point is None:
            raise Refused(HTTPStatus.NOT_FOUND, f"Point {ask.match.name} not found")
        return point

    def _record(self, point: PointInfo) -> dict[str, Any]:
        series = self._truth.series(point)
        known = self._steps.get(point.name)
        if known is None or known[0] is not series:
            known = self._steps[point.name] = series, usual_step_s(series)
        return point_record(point, self._ids[point.name], known[1])


def _ok(payload: Mapping[str, Any]) -> Reply:
    return Reply(status=HTTPStatus.OK, body=json_bytes(payload))


def _listed(ask: Ask, items: Sequence[Item], record: Callable[[Item], dict[str, Any]]) -> Reply:
    """A numbered page of a list. Only what stands on the page is made into records: a record reads a file."""
    arguments = Arguments(ask.query)
    number, per_page = arguments.page(), arguments.per_page()
    arguments.check()
    page = numbered_page(items, number, per_page)
    return _ok(page_record(page, [record(item) for item in page.items]))


def _samples(
    order: Interleave,
    first: int,
    last: int,
    more: Mapping[str, Any],
    mask: Mask | None,
    *,
    page_was_emptied: bool = False,
    of_site: bool = False,
) -> Reply:
    wanted = mask is None or mask.wants(SAMPLES_FIELD)
    return Reply(
        status=HTTPStatus.OK,
        body=samples_bytes(order.part(first, last), more, mask),
        by_point_day=order.by_day(first, last) if wanted else {},
        page_was_emptied=page_was_emptied,
        of_site=of_site,
    )


def _onward(ask: Ask, page: SamplePage, cursor: Cursor | None) -> str | None:
    """The cursor to hand out: under `repeat_cursor` the one that came, so that it comes back for ever."""
    if not ask.repeat_cursor:
        return page.next.to_text() if page.next else None
    return (cursor or page.next or _AFTER_ALL).to_text()
