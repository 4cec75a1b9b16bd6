"""One day of some points read again from the vendor: compared with what is stored, and repaired.

What a reading proves is `planning/late_data.py`. A repair is a refresh: the generations of its points rise,
so that nothing of the old content is given any more.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.errors import EdgeError, Transient
from edgeseries.limits import MINUTE_MS
from edgeseries.origins.ports.origin import Bulk
from edgeseries.planning.late_data import Difference, Verdict, difference, verdict_of
from edgeseries.planning.recheck_walk import GROUP_POINTS, READING_SAMPLES
from edgeseries.series.days import day_span
from edgeseries.series.samples import Samples
from edgeseries.storage.limits import KEEP_BATCH_BLOCKS
from janitor.ports import Ports

VENDOR_CALLS_MAX: Final = 40
"""Calls of one fetch: its points one by one, their list, and some tries."""

DEADLINE_MS: Final = MINUTE_MS
"""Of one fetch. Nobody waits for it."""

SAMPLES_MAX: Final = 10 * READING_SAMPLES
"""A day that has so much more than was learned of its points is left alone."""

STATEMENTS: Final = 1
"""What is stored of the points."""

STATEMENTS_OF_A_REPAIR: Final = 1 + 7 * -(-GROUP_POINTS // KEEP_BATCH_BLOCKS)
"""Tickets; then, for some points at a time, their pointers, and their move with all that goes with it."""


class VendorCannotTell(Exception):
    """A reading came to nothing. `lasts` if it will not be better in the next sweep."""

    def __init__(self, error: EdgeError) -> None:
        super().__init__(error.detail)
        self.lasts = not isinstance(error, Transient)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """What a reading found, by point: those that the site has and that were stored. `repaired` if it was
    tried to store something, `delivered` are the samples that the vendor gave.
    """

    verdicts: Mapping[str, Verdict]
    differences: Mapping[str, Difference]
    repaired: bool = False
    delivered: int = 0

    @property
    def corrected(self) -> Sequence[str]:
        """The points that are right now and were not before."""
        return [point for point, verdict in self.verdicts.items() if verdict is Verdict.CORRECTED]


async def reread(
    site: str, points: Sequence[str], day: int, *, doubted: Mapping[str, int], now_ms: int, ports: Ports
) -> Reread:
    """Read a sealed day (since 1970) of some points again and repair what was corrected. `doubted` says since
    when (UTC epoch ms) samples of a point are gone. Raises VendorCannotTell, StoreUnavailable.
    """
    span = day_span(day, day)
    index = await ports.blocks.look_up(site, points, span)
    held = [point for point in points if day in index.covered.get(point, ())]
    stored = await ports.blocks.read(site, held, span, index) if held else {}
    before = {point: stored[point].samples for point in held if day in stored[point].days}
    first = _judged(before, await _fetch(site, before, day, ports), doubted, now_ms) if before else _NOTHING
    if not first.corrected:
        return first
    begun = await ports.blocks.begin_refresh(site, list(first.corrected))
    wrong = {point: before[point] for point in first.corrected}
    now = await _fetch(site, wrong, day, ports)
    second = _judged(wrong, now, doubted, now_ms)
    days = [DaysToStore(point=point, days=(day,), samples=now[point]) for point in second.corrected]
    superseded: Collection[str] = ()
    if days:
        tickets = {one.point: begun.tickets[one.point] for one in days}
        outcome = await ports.blocks.refresh(site, days, replace(begun, tickets=tickets))
        # Refreshed or purged meanwhile: what is stored of them is newer than this reading.
        superseded = outcome.superseded
    # A point that only the first reading found different is right as it is.
    settled = dict.fromkeys(first.corrected, Verdict.SAME) | dict(second.verdicts)
    return Reread(
        verdicts={**first.verdicts, **settled, **dict.fromkeys(superseded, Verdict.SAME)},
        differences={**first.differences, **second.differences},
        repaired=True,
        delivered=first.delivered + second.delivered,
    )


_NOTHING: Final = Reread(verdicts={}, differences={})


def _judged(
    before: Mapping[str, Samples], now: Mapping[str, Samples], doubted: Mapping[str, int], now_ms: int
) -> Reread:
    differences = {point: difference(before[point], samples) for point, samples in now.items()}
    return Reread(
        verdicts={
            point: verdict_of(found, doubt_read_ms=doubted.get(point), now_ms=now_ms)
            for point, found in differences.items()
        },
        differences=differences,
        delivered=sum(map(len, now.values())),
    )


async def _fetch(site: str, points: Collection[str], day: int, ports: Ports) -> dict[str, Samples]:
    """What the vendor says of a day now, by point; those that the site does not have are left out."""
    calls = 0

    async def before_call() -> None:
        nonlocal calls
        calls += 1
        if calls > VENDOR_CALLS_MAX:
            raise Transient(f"a day of {len(points)} points takes more than {VENDOR_CALLS_MAX} calls")

    try:
        series = await ports.origin.fetch(
            site,
            list(points),
            day_span(day, day),
            deadline_ms=ports.clock.now_ms() + DEADLINE_MS,
            bulk=Bulk(before_call=before_call, max_samples=SAMPLES_MAX),
        )
    except EdgeError as error:
        raise VendorCannotTell(error) from error
    return {one.point: one.samples for one in series if one.error is None}
