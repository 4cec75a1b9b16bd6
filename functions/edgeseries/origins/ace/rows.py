"""ACE's rows as samples: typed values, instants, and which of the rows were asked for.

It owns how the vendor's texts become typed values (rules: `docs/formats/answer.md`), and that nothing that
nobody asked for gets among the samples of a point.
"""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from operator import itemgetter
from typing import Final, cast

from edgeseries.errors import OriginContract
from edgeseries.series.samples import NO_SAMPLES, Samples, in_order, plain_number
from edgeseries.series.timerange import TimeRange, instant_ms
from edgeseries.series.values import Value

NO_VALUE_WORDS: Final = frozenset({"", "null", "none"})
"""Words, lower case and without blanks around, that stand for "no value": the vendor turns every
value into a string. "NaN" and infinities are numbers that are not finite, and null like these."""

EXACT_INTEGERS: Final = 2**53
"""Below this every integer is a float64 of its own (IEEE 754)."""


TRUTHS: Final = {"true": True, "false": False}

_FIELDS: Final = itemgetter("name", "time", "value")


def _name_of(row: Mapping[str, object], point: str | None) -> str:
    """The point a row is of. In an answer about one point the name may be left out."""
    name = row.get("name")
    if name is None and point is not None:
        return point
    if not isinstance(name, str):
        raise OriginContract("the upstream sent a row whose name is no text")
    return name


def values_of(raws: Sequence[object]) -> list[Value]:
    """Typed values of a column. Plain decimal texts, which most columns are made of, are read at once."""
    if set(map(type, raws)) == {str}:
        texts = cast("Sequence[str]", raws)
        together = "".join(texts)
        if together.isascii() and "_" not in together:
            try:
                numbers = list(map(float, texts))
            except ValueError:
                return list(map(_value_of_text, texts))
            if all(map(isfinite, numbers)) and max(map(abs, numbers)) < EXACT_INTEGERS:
                return list(numbers)
        return list(map(_value_of_text, texts))
    return list(map(value_of, raws))


def value_of(raw: object) -> Value:
    """A typed value of what the vendor sent. The rule for texts is in `docs/formats/answer.md`."""
    if isinstance(raw, str):
        return _value_of_text(raw)
    if raw is None or isinstance(raw, bool):
        return raw
    if isinstance(raw, int | float):
        return plain_number(raw)
    raise OriginContract("the upstream sent a value that is no number, text, boolean or null")


def _value_of_text(text: str) -> Value:
    try:
        number = float(text)
    except ValueError:
        word = text.strip().lower()
        return None if word in NO_VALUE_WORDS else TRUTHS.get(word, text)
    if "_" in text or not text.isascii():
        return text  # Python reads 1_000 and other scripts' digits as numbers; the vendor does not.
    if abs(number) < EXACT_INTEGERS:
        return number
    if not isfinite(number):
        return None
    # From here a float may not be the integer that was sent; `int` refuses what is no integer text.
    try:
        return plain_number(int(text))
    except ValueError:
        return plain_number(number)


def times_of(raws: Sequence[object], known: dict[object, int]) -> list[int]:
    """Epoch milliseconds of a column of times. `known` remembers texts: points share instants."""
    for raw in {*raws} - known.keys() if set(map(type, raws)) == {str} else raws:
        known[raw] = _time_of(raw)
    return [known[raw] for raw in raws]


def _time_of(raw: object) -> int:
    if not isinstance(raw, str):
        raise OriginContract("the upstream sent a row whose time is no text")
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError as fault:
        raise OriginContract("the upstream sent a row whose time is not ISO-8601") from fault
    if moment.tzinfo is None:
        raise OriginContract("the upstream sent a row whose time has no zone")
    return instant_ms(moment)


Triple = tuple[object, object, object]


def _triples(rows: Sequence[Mapping[str, object]], point: str | None) -> tuple[Sequence[Triple], set[str]]:
    """Name, time and value of each row, and all names. Rows mostly have all three, names that are texts."""
    try:
        triples: list[Triple] = list(map(_FIELDS, rows))
        names = {name for name, _, _ in triples}
    except (KeyError, TypeError):  # a field is missing, or a name is an array
        pass
    else:
        if set(map(type, names)) <= {str}:
            return triples, cast("set[str]", names)
    named = [(_name_of(row, point), row) for row in rows]
    return [(name, row.get("time"), row.get("value")) for name, row in named], {name for name, _ in named}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an answer is held against: points and range that were asked, and points whose rows come along
    by right (of a page of a whole site).
    """

    points: Collection[str]
    span: TimeRange
    along: frozenset[str] = frozenset()


ROWS_UNASKED: Final = "rows_unasked"
ROWS_OUTSIDE: Final = "rows_outside"
"""What is dropped, by the names of `docs/formats/analytics.md`."""


class RowCollector:
    """Rows in order of delivery, sorted out by point: what was asked, whatever else is sent.

    `count` is how many rows were taken, `dropped` how many were not, by why.
    """

    def __init__(self, points: Iterable[str]) -> None:
        self._columns: dict[str, tuple[list[int], list[Value]]] = {point: ([], []) for point in points}
        self._known_times: dict[object, int] = {}
        self.count = 0
        self.dropped: Counter[str] = Counter()

    def add(
        self, rows: Sequence[Mapping[str, object]], asked: Asked, *, point: str | None = None
    ) -> set[str]:
        """Take rows; `point` names them where the answer is about one point and may leave the name out.

        Returns the points that the answer settles: it has rows of them, or none of them and none that
        was not asked for. Raises OriginContract for rows that are no rows, and where a name is
        an asked one in another form of Unicode: whose they are nobody could say.
        """
        gathered: dict[object, tuple[list[object], list[object]]] = {name: ([], []) for name in asked.points}
        takers = {name: (times.append, values.append) for name, (times, values) in gathered.items()}
        triples, names = _triples(rows, point)
        strangers = names.difference(takers, asked.along)
        if strangers:
            _refuse_other_forms(strangers, asked.points)
            self.dropped[ROWS_UNASKED] += sum(name in strangers for name, _, _ in triples)
        for name, at, value in triples:
            taker = takers.get(name)
            if taker is not None:
                taker[0](at)
                taker[1](value)
        for known_name in asked.points:
            raw_times, raw_values = gathered[known_name]
            if raw_times:
                self._take(
                    known_name, times_of(raw_times, self._known_times), values_of(raw_values), asked.span
                )
        return names.intersection(takers) if strangers else set(asked.points)

    def _take(self, point: str, times_ms: list[int], values: list[Value], span: TimeRange) -> None:
        """Rows of a point, but for those outside the range. One at its very end is no fault: which ends
        a range holds is the vendor's affair.
        """
        if min(times_ms) < span.start_ms or max(times_ms) >= span.end_ms:
            inside = [
                (at_ms, value)
                for at_ms, value in zip(times_ms, values, strict=True)
                if span.start_ms <= at_ms < span.end_ms
            ]
            outside = len(times_ms) - len(inside) - times_ms.count(span.end_ms)
            if outside:
                self.dropped[ROWS_OUTSIDE] += outside
            times_ms, values = [at_ms for at_ms, _ in inside], [value for _, value in inside]
        column = self._columns[point]
        column[0].extend(times_ms)
        column[1].extend(values)
        self.count += len(times_ms)

    def samples(self, point: str) -> Samples:
        """The point's samples in normal form."""
        times_ms, values = self._columns[point]
        return in_order(times_ms, values) if times_ms else NO_SAMPLES


def _refuse_other_forms(strangers: Iterable[str], asked: Iterable[str]) -> None:
    forms = {unicodedata.normalize("NFKC", name) for name in asked}
    if any(unicodedata.normalize("NFKC", name) in forms for name in strangers):
        raise OriginContract("the upstream writes the name of a point in another form than it was asked in")
