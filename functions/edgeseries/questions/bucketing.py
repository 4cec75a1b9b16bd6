"""Samples cut into buckets, in plain loops: the specification, and what runs where the kernel does not.

Sums go by hour: the numbers of each UTC hour in order, then the hours in order. So summaries of hours and
samples give the same bits. Definitions, with examples: `docs/formats/questions.md`.
"""

from math import isfinite

from edgeseries.limits import HOUR_MS
from edgeseries.questions.open_bucket import NOWHERE, OpenBucket, Tally
from edgeseries.questions.ports.bucketing import Fold, Folded
from edgeseries.questions.question import Aggregate, Method
from edgeseries.series.samples import Samples, appended
from edgeseries.series.values import Value


def number_of(value: Value) -> float | None:
    """A value as a number: true is 1, false 0; None for texts and null."""
    return None if value is None or isinstance(value, str) else float(value)


class PythonBucketing:
    """See the port."""

    def fold(self, fold: Fold, before: OpenBucket, samples: Samples) -> Folded:
        """See the port."""
        run = _Run(fold, before, samples)
        run.take_all()
        return run.folded()


class _Run:
    """One fold."""

    def __init__(self, fold: Fold, before: OpenBucket, samples: Samples) -> None:
        self._fold = fold
        self._begun = len(before.carried)
        self._samples = appended((before.carried, samples))
        self._values = self._samples.values.to_list()
        self._place = 0
        self._start_ms = before.start_ms
        self._tally = before.tally.moved({place: place for place in range(NOWHERE, self._begun)})
        self._latest = before.latest
        self._previous_ms, self._previous = before.previous_ms, before.previous
        self._closed, self._counted = before.closed, before.samples
        self._starts: list[int] = []
        self._columns: list[list[Value]] = [[] for _ in fold.aggregates]
        self._chosen: set[int] = set()

    def take_all(self) -> None:
        """Every sample of the piece, and the end."""
        fold, times_ms = self._fold, self._samples.times_ms
        for place in range(self._begun, len(self._samples)):
            at_ms, number = times_ms[place], number_of(self._values[place])
            if at_ms >= fold.begin_ms:
                self._advance(at_ms)
                self._count(place, at_ms, number)
            self._latest = place
            if number is not None:
                self._previous_ms, self._previous = at_ms, number
        if fold.end_ms is not None:
            self._advance(fold.end_ms)
            if self._place + 1 < len(fold.edges) and fold.edges[self._place] < fold.end_ms:
                self._close()
            self._start_ms = None

    def folded(self) -> Folded:
        """What came of it."""
        columns = tuple(Samples(times_ms=self._starts, values=column) for column in self._columns)
        if self._fold.method is not None:
            columns = (self._at(sorted(self._chosen)),)
        places = sorted((self._tally.places() | {self._latest}) - {NOWHERE})
        moved = {NOWHERE: NOWHERE, **{place: new for new, place in enumerate(places)}}
        after = OpenBucket(
            start_ms=self._start_ms,
            tally=self._tally.moved(moved),
            latest=moved[self._latest],
            previous_ms=self._previous_ms,
            previous=self._previous,
            closed=self._closed,
            samples=self._counted,
            carried=self._at(places),
        )
        return Folded(columns=columns, after=after)

    def _at(self, places: list[int]) -> Samples:
        times_ms = self._samples.times_ms
        return Samples(
            times_ms=[times_ms[place] for place in places], values=[self._values[place] for place in places]
        )

    def _count(self, place: int, at_ms: int, number: float | None) -> None:
        tally = self._tally
        self._counted += 1
        tally.count_all += 1
        if self._values[place] is None:
            if tally.first_null == NOWHERE:
                tally.first_null = place
            return
        tally.count += 1
        if tally.first == NOWHERE:
            tally.first = place
        tally.last = place
        if number is None:
            return
        tally.numbers += 1
        if number < tally.least:
            tally.least, tally.at_least = number, place
        if number > tally.greatest:
            tally.greatest, tally.at_greatest = number, place
        if at_ms // HOUR_MS != tally.piece_hour:
            tally.sum += tally.piece_sum
            tally.piece_sum, tally.piece_hour = 0.0, at_ms // HOUR_MS
        tally.piece_sum += number
        if self._previous is not None and at_ms - self._previous_ms <= self._fold.max_gap_ms:
            growth = number - self._previous
            tally.growths += 1
            tally.delta += growth
            tally.increase += growth if growth >= 0 else number

    def _advance(self, at_ms: int) -> None:
        """Let the last value hold until an instant, and close what ends before it."""
        edges = self._fold.edges
        while self._place + 1 < len(edges) and edges[self._place + 1] <= at_ms:
            self._hold(at_ms)
            self._close()
            self._place += 1
        if self._place + 1 < len(edges):
            self._hold(at_ms)
            self._start_ms = edges[self._place]

    def _hold(self, until_ms: int) -> None:
        """Of the open bucket, the time that the last sample's value holds."""
        if self._latest == NOWHERE:
            return
        number, since_ms = number_of(self._values[self._latest]), self._samples.times_ms[self._latest]
        if number is None:
            return
        fold = self._fold
        start_ms = max(since_ms, fold.begin_ms, fold.edges[self._place])
        end_ms = min(until_ms, since_ms + fold.max_gap_ms, fold.edges[self._place + 1])
        if start_ms < end_ms:
            self._tally.held_ms += end_ms - start_ms
            self._tally.integral += number * (end_ms - start_ms)

    def _close(self) -> None:
        fold, tally = self._fold, self._tally
        if tally.count_all or fold.empty_too or (tally.held_ms and Aggregate.TWA in fold.aggregates):
            self._starts.append(fold.edges[self._place])
            for column, aggregate in zip(self._columns, fold.aggregates, strict=True):
                column.append(self._aggregated(aggregate))
        if tally.count_all:
            self._choose()
            self._closed += 1
        self._tally = Tally()

    def _choose(self) -> None:
        """Samples of the bucket for a chart. The first and the last of all are among them."""
        tally = self._tally
        places = {tally.at_least, tally.at_greatest, tally.first_null}
        if self._fold.method is Method.M4 or not tally.numbers:
            places |= {tally.first, tally.last}
        if not self._closed:
            places.add(min({tally.first, tally.first_null} - {NOWHERE}))
        if self._fold.end_ms is not None and self._latest == len(self._samples) - 1:
            # None of the piece's samples follows, so this bucket is the last one that has some.
            places.add(self._latest)
        self._chosen |= places - {NOWHERE}

    def _aggregated(self, aggregate: Aggregate) -> Value:  # noqa: PLR0911, C901 - one case each
        tally = self._tally
        match aggregate:
            case Aggregate.COUNT:
                return float(tally.count)
            case Aggregate.COUNT_ALL:
                return float(tally.count_all)
            case Aggregate.FIRST:
                return None if tally.first == NOWHERE else self._values[tally.first]
            case Aggregate.LAST:
                return None if tally.last == NOWHERE else self._values[tally.last]
            case Aggregate.TWA:
                return _finite(tally.integral / tally.held_ms) if tally.held_ms else None
            case Aggregate.INCREASE:
                return _finite(tally.increase) if tally.growths else None
            case Aggregate.DELTA:
                return _finite(tally.delta) if tally.growths else None
            case Aggregate.MIN:
                return tally.least if tally.numbers else None
            case Aggregate.MAX:
                return tally.greatest if tally.numbers else None
            case Aggregate.SUM:
                return _finite(tally.sum + tally.piece_sum) if tally.numbers else None
            case Aggregate.MEAN:
                return _finite((tally.sum + tally.piece_sum) / tally.numbers) if tally.numbers else None


def _finite(number: float) -> float | None:
    """What is beyond every float64 is null, as in samples."""
    return number if isfinite(number) else None
