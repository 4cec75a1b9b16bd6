"""Points of a site by their names: which batches are asked, and how what a 404 leaves open is settled.

A batch's 404 says mostly that none of its points has a sample. That is believed of a 200 that covers them,
and one is had in few calls: the batch is asked again beside a companion, a point that has samples, so that
there is an answer; or pages of the whole site are read, where they are few. Points that were quiet lately are
asked beside a companion at once. What is left is asked in halves, and alone at the end. What evidence a call
gives is `fetching.py`; what was quiet before is none.
"""

from collections.abc import Sequence
from dataclasses import replace

from edgeseries.origins.ace.fetching import Batch, Fetch, Open, each
from edgeseries.origins.ace.limits import ALONE_POINTS, HALVED_POINTS


async def fetch_by_name(fetch: Fetch, points: Sequence[str]) -> None:
    """Rows of points of the site into the fetch's collector."""
    if await fetch.from_pages(points, only_read=True):
        return
    batches = _batches(fetch, points)
    quiet = [batch for batch in batches if batch.companion is not None]
    pages = fetch.catalogue.activity.pages(fetch.site, fetch.span, now_ms=fetch.clock.now_ms())
    if pages is not None and pages < len(quiet) and await fetch.from_pages(points):
        return
    left = await fetch.ask_all(batches)
    if left:
        fetch.site_reads.with_quiet.add(fetch.site)
        _learn_heard(fetch, points)
        left = await _beside_companions(fetch, left)
    if sum(len(one.batch.points) for one in left) > ALONE_POINTS:
        left = await _after_pages(fetch, left)
    await each(left, lambda one: _in_halves(fetch, one))


def _batches(fetch: Fetch, points: Sequence[str]) -> list[Batch]:
    """The points in batches; those that were quiet lately together, beside one that was not. After a batch of
    this event was 404 all others have a companion, too.
    """
    lately = fetch.catalogue.activity.quiet(fetch.site, points, fetch.span, now_ms=fetch.clock.now_ms())
    ordered = sorted(points, key=lambda point: point in lately)
    careful = fetch.site in fetch.site_reads.with_quiet
    companion = _companion(fetch) if careful or len(lately) > ALONE_POINTS else None
    batches = []
    size = fetch.calling.sizes.batch_points
    for first in range(0, len(ordered), size):
        names = tuple(ordered[first : first + size])
        beside = companion if (careful or lately.issuperset(names)) and companion not in names else None
        batches.append(Batch(points=names, span=fetch.span, companion=beside))
    return batches


async def _beside_companions(fetch: Fetch, left: Sequence[Open]) -> list[Open]:
    """What is still open once batches were asked beside a point that has samples."""
    again, others = [], []
    for one in left:
        fetch.catalogue.activity.not_heard(fetch.site, one.batch.points)
        if one.batch.companion is not None:
            fetch.catalogue.activity.companion_silent(fetch.site, one.batch.companion)
        companion = _companion(fetch) if one.in_words else None
        if companion is None or len(one.batch.points) == 1:
            others.append(one)
        else:
            again.append(replace(one.batch, companion=companion))
    return [*others, *await fetch.ask_all(again)]


async def _after_pages(fetch: Fetch, left: Sequence[Open]) -> list[Open]:
    """What is still open once pages of the whole site were read, if they are few."""
    if await fetch.from_pages([point for one in left for point in one.batch.points]):
        return []
    if fetch.site_denied:
        denied = [one for one in left if one.in_words]
        fetch.denied.update(point for one in denied for point in one.batch.points)
        return [one for one in left if not one.in_words]
    return await _beside_companions(fetch, left)


async def _in_halves(fetch: Fetch, left: Open) -> None:
    """Points that a batch's 404 left open, in halves; alone where halves tell nothing more."""
    batch = left.batch
    if not left.in_words or len(batch.points) <= ALONE_POINTS:
        await fetch.ask_alone(batch)
        return
    half = len(batch.points) // 2
    halves = [batch.points[:half], batch.points[half:]]
    still = await fetch.ask_all([replace(batch, points=some, companion=None) for some in halves])
    if len(still) == len(halves) and half <= HALVED_POINTS:
        await fetch.ask_alone(batch)
        return
    if len(still) < len(halves):
        _learn_heard(fetch, batch.points)
        still = await _beside_companions(fetch, still)
    for one in still:
        await _in_halves(fetch, one)


def _companion(fetch: Fetch) -> str | None:
    """A point of the site that is likely to have samples in the range. None whose name another site has, too:
    the vendor may mean that one.
    """
    activity = fetch.catalogue.activity
    point = activity.companion(fetch.site, fetch.span, among=fetch.known)
    if point is not None and fetch.catalogue.shared_names(fetch.site, [point]):
        activity.not_heard(fetch.site, [point])
        return None
    return point


def _learn_heard(fetch: Fetch, points: Sequence[str]) -> None:
    heard = fetch.collector.heard(points)
    fetch.catalogue.activity.learn(fetch.site, fetch.span, heard=heard, now_ms=fetch.clock.now_ms())
