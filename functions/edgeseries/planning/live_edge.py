"""The live edge of a point: what was read of it past the sealed days, and what is still to be read.

Recent samples are what one isolate knows. Two rules keep them as good as a direct fetch:

- Upstream is asked from just after the last sample that was seen, not from the last time it was
  asked: a gateway that is behind and catches up in order is always seen, at no extra cost.
- What was read younger than the settle lag is read once more when it has settled, in steps of a
  lag: samples that came out of order, within a lag of their own instant, show once they are two lags old.

It knows no store and no clock. Why it is built so: `docs/adr/0005-live-edge.md`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from edgeseries.limits import DAY_MS, HOUR_MS, LATEST_MS, LIVE_EXTRA_CALLS
from edgeseries.series.days import first_unsealed_day
from edgeseries.series.samples import NO_SAMPLES, Samples, overlaid, within
from edgeseries.series.timerange import TimeRange, united

KEPT_MS: Final = DAY_MS
"""The longest window of a dashboard that is refreshed, as a rule. No more samples than a live edge has."""

Read = tuple[TimeRange, Samples]
"""A range that was asked for, and all samples that upstream held in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """The live part of a request, the moment, and the two settings that reading it depends on."""

    span: TimeRange
    now_ms: int
    settle_lag_ms: int
    ttl_ms: int

    @property
    def settled_ms(self) -> int:
        """What is older than this has settled."""
        return self.now_ms - self.settle_lag_ms

    @property
    def unsealed_ms(self) -> int:
        """Start of the first day that is not sealed: before it blocks hold the truth."""
        return first_unsealed_day(now_ms=self.now_ms, settle_lag_ms=self.settle_lag_ms) * DAY_MS

    def kept_from_ms(self, stored_days: Container[int], read: Sequence[TimeRange] = ()) -> int:
        """From when on recent samples are worth keeping: those of the last sealed day only while it is not
        stored, and no longer than the longest window that is likely to be watched. Where it was `read` whole
        it will be stored.
        """
        day_ms = self.unsealed_ms - DAY_MS
        whole = any(span.start_ms <= day_ms and self.unsealed_ms <= span.end_ms for span in read)
        if whole or day_ms // DAY_MS in stored_days:
            return self.unsealed_ms
        return min(self.unsealed_ms, max(day_ms, self.now_ms - KEPT_MS))

    @property
    def read_end_ms(self) -> int:
        """Where reading ends. A little past the moment, so that what the next seconds ask is known."""
        if self.span.end_ms <= self.now_ms - self.ttl_ms:
            return self.span.end_ms
        return min(LATEST_MS, max(self.span.end_ms, self.now_ms + self.ttl_ms))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentSamples:
    """What is known of a point: all samples of `[from_ms, known_until_ms)` as of `read_ms`.

    What lies before `settled_until_ms` was read when it was older than the settle lag already. `stamp` is
    the generation of the point under which all of it was read: under another one it is worth nothing.
    """

    from_ms: int
    known_until_ms: int
    settled_until_ms: int
    read_ms: int
    samples: Samples
    stamp: int = 0

    def __post_init__(self) -> None:
        assert self.from_ms <= self.settled_until_ms <= self.known_until_ms

    @property
    def per_day(self) -> float | None:
        """Samples a day in what is known; None where that is too short to tell."""
        known_ms = min(self.known_until_ms, self.read_ms) - self.from_ms
        return len(self.samples) * DAY_MS / known_ms if known_ms >= HOUR_MS else None

    @property
    def next_ms(self) -> int:
        """Just after the last sample. One from the future does not count: it may be a forecast,
        and more may come before it.
        """
        times_ms = self.samples.times_ms
        count = bisect_right(times_ms, self.read_ms)
        return times_ms[count - 1] + 1 if count else self.from_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePlan:
    """What upstream is to be asked of the live part: pieces by point, ascending and apart.

    Who needs nothing has no pieces. `missing_ms` is how long the pieces of a point are by themselves;
    asked together with others they may begin earlier.
    """

    edge: Edge
    pieces: Mapping[str, tuple[TimeRange, ...]]
    missing_ms: Mapping[str, int]


def plan_live(
    points: Sequence[str], edge: Edge, recents: Mapping[str, RecentSamples], *, batch_points: int
) -> LivePlan:
    """The plan of a request's live part, given the recent samples of some of its points. One call may name
    `batch_points` points.
    """
    whole = (TimeRange(start_ms=edge.span.start_ms, end_ms=edge.read_end_ms),)
    pieces = {point: pieces_of(recents[point], edge) if point in recents else whole for point in points}
    missing_ms = {point: sum(piece.duration_ms for piece in some) for point, some in pieces.items()}
    return LivePlan(edge=edge, pieces=_shared(pieces, recents, edge, batch_points), missing_ms=missing_ms)


def pieces_of(recent: RecentSamples, edge: Edge) -> tuple[TimeRange, ...]:
    """What is to be read of a point that has recent samples."""
    span, read_end_ms = edge.span, edge.read_end_ms
    if recent.known_until_ms < span.start_ms or span.end_ms < recent.from_ms:
        return (TimeRange(start_ms=span.start_ms, end_ms=read_end_ms),)
    wanted: list[tuple[int, int]] = []
    if span.start_ms < recent.from_ms:
        wanted.append((span.start_ms, recent.from_ms))
    fresh = span.end_ms <= recent.known_until_ms and 0 <= edge.now_ms - recent.read_ms < edge.ttl_ms
    if not fresh:
        due = edge.settled_ms - recent.settled_until_ms > edge.settle_lag_ms
        if due and span.start_ms < edge.settled_ms and recent.settled_until_ms < span.end_ms:
            wanted.append((recent.settled_until_ms, min(edge.settled_ms, recent.known_until_ms)))
        if recent.next_ms < span.end_ms:
            wanted.append((recent.next_ms, read_end_ms))
    # What was sealed since is read as days (`planning/partial_days.py`), not here.
    wanted = [(max(start_ms, edge.unsealed_ms), end_ms) for start_ms, end_ms in wanted]
    return tuple(TimeRange(start_ms=start_ms, end_ms=end_ms) for start_ms, end_ms in united(wanted))


def late_ms(recent: RecentSamples, reads: Sequence[Read]) -> int:
    """How late the latest of the samples came that were read on from the last known one: so long after its
    instant it was not there yet. 0 where none of them is from before the reading before this one.

    What comes out of order is left out: which reading missed it, nobody knows any more.
    """
    span = (recent.next_ms, recent.read_ms)
    found = [
        samples.times_ms[first]
        for _, samples in reads
        if (first := bisect_left(samples.times_ms, span[0])) < bisect_left(samples.times_ms, span[1])
    ]
    return recent.read_ms - min(found, default=recent.read_ms)


def recent_after(
    recent: RecentSamples | None, reads: Sequence[Read], edge: Edge, *, floor_ms: int
) -> RecentSamples | None:
    """Recent samples after more was read, from a floor on; None if nothing is known. What was read just now
    takes the place of what was known of its range; of what does not hang together the newest is kept.
    """
    clipped = sorted(
        (
            (max(span.start_ms, floor_ms), span.end_ms, samples)
            for span, samples in reads
            if span.end_ms > floor_ms
        ),
        key=lambda one: one[:2],
    )
    known = recent if recent is not None and recent.known_until_ms >= floor_ms else None
    if not clipped:
        return known
    clipped = _newest(clipped, known)
    if known is not None and not _hangs_together(known, clipped):
        known = None
    end_ms, read_ms = clipped[-1][1], edge.now_ms
    if known is not None and not clipped[-1][0] <= known.next_ms < end_ms:
        # Only an older part was read: what is known of the newest end is as old as it was.
        end_ms, read_ms = known.known_until_ms, known.read_ms
    settled = [(start_ms, min(stop_ms, edge.settled_ms)) for start_ms, stop_ms, _ in clipped]
    samples = NO_SAMPLES
    starts = [clipped[0][0]]
    if known is not None:
        settled.append((known.from_ms, known.settled_until_ms))
        samples = known.samples
        starts.append(max(known.from_ms, floor_ms))
    from_ms = min(starts)
    for start_ms, stop_ms, found in clipped:
        samples = overlaid(samples, TimeRange(start_ms=start_ms, end_ms=stop_ms), found)
    settled_until_ms = from_ms
    for start_ms, stop_ms in sorted(settled):
        if start_ms <= settled_until_ms:
            settled_until_ms = max(settled_until_ms, stop_ms)
    return RecentSamples(
        from_ms=from_ms,
        known_until_ms=end_ms,
        settled_until_ms=min(settled_until_ms, end_ms),
        read_ms=read_ms,
        samples=_cut(samples, from_ms, end_ms),
    )


def _newest(
    clipped: Sequence[tuple[int, int, Samples]], known: RecentSamples | None
) -> list[tuple[int, int, Samples]]:
    """Of reads, ascending, the last ones that follow each other, as far as nothing known lies in between."""
    known_from_ms, known_until_ms = (known.from_ms, known.known_until_ms) if known is not None else (0, 0)
    run = [clipped[-1]]
    for one in reversed(clipped[:-1]):
        joins = one[1] >= run[0][0] or (known_from_ms <= one[1] and run[0][0] <= known_until_ms)
        if not joins:
            break
        run.insert(0, one)
    return run


def _hangs_together(recent: RecentSamples, clipped: Sequence[tuple[int, int, Samples]]) -> bool:
    """Whether reads, ascending, join recent samples without a gap, and read on from its last sample if they
    go past its end: one that begins later may have missed what came in between.
    """
    last_start_ms, last_end_ms, _ = clipped[-1]
    apart = recent.known_until_ms < clipped[0][0] or last_end_ms < recent.from_ms
    return not apart and (last_end_ms <= recent.known_until_ms or last_start_ms <= recent.next_ms)


def _cut(samples: Samples, start_ms: int, end_ms: int) -> Samples:
    return within(samples, TimeRange(start_ms=start_ms, end_ms=end_ms)) if start_ms < end_ms else NO_SAMPLES


def _shared(
    pieces: Mapping[str, tuple[TimeRange, ...]],
    recents: Mapping[str, RecentSamples],
    edge: Edge,
    batch_points: int,
) -> dict[str, tuple[TimeRange, ...]]:
    """Pieces that read on from a last sample begin together where that saves calls.

    A call has one range for all its points. Points whose last sample is the same share one without
    loss; others get again what they have since the earliest. The least such loss is chosen that
    needs no more than LIVE_EXTRA_CALLS calls on top of the fewest.
    """
    ends = [
        (some[-1].start_ms, point)
        for point, some in pieces.items()
        if point in recents and some and some[-1].end_ms == edge.read_end_ms
    ]
    ends.sort()
    most_calls = ceil(len(ends) / batch_points) + LIVE_EXTRA_CALLS
    again_count = 0
    groups = _groups(ends, recents, again_count, batch_points)
    while len(groups) > most_calls:
        again_count = 2 * again_count + 1
        groups = _groups(ends, recents, again_count, batch_points)
    shared = dict(pieces)
    for group in groups:
        for start_ms, point in group:
            if start_ms > group[0][0]:
                spans = [(one.start_ms, one.end_ms) for one in pieces[point]]
                spans.append((group[0][0], edge.read_end_ms))
                shared[point] = tuple(TimeRange(start_ms=first, end_ms=last) for first, last in united(spans))
    return shared


def _groups(
    ends: Sequence[tuple[int, str]],
    recents: Mapping[str, RecentSamples],
    again_count: int,
    batch_points: int,
) -> list[list[tuple[int, str]]]:
    """Points by where they read on, ascending, in groups that get at most so many samples again."""
    groups: list[list[tuple[int, str]]] = []
    again = 0
    for start_ms, point in ends:
        if groups and len(groups[-1]) < batch_points:
            times_ms = recents[point].samples.times_ms
            again += bisect_left(times_ms, start_ms) - bisect_left(times_ms, groups[-1][0][0])
            if again <= again_count:
                groups[-1].append((start_ms, point))
                continue
        groups.append([(start_ms, point)])
        again = 0
    return groups
