"""What a question should be answered with: plain loops over a point's samples, that share no code with the
system.

Buckets come from the local date and time of each sample, as `datetime` and `zoneinfo` tell it. Sums are exact
(`math.fsum`), so answers are compared with a tolerance.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

Sample = Sequence[Any]
"""`[epoch ms, value]`"""


def bucket_start(at_ms: int, every: str, zone: str) -> int:
    """The start of the bucket that an instant is in, UTC epoch ms. Clocks change by whole hours."""
    local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(zone)).replace(microsecond=0)
    midnight = local.replace(hour=0, minute=0, second=0, fold=0)
    count, unit = int(every[:-1]), every[-1]
    match unit:
        case "m":
            start = local.replace(minute=local.minute // count * count, second=0)
        case "h" if count == 1:
            start = local.replace(minute=0, second=0)
        case "h":
            start = midnight.replace(hour=local.hour // count * count)
        case "d":
            start = midnight
        case "w":
            start = midnight - timedelta(days=local.weekday())
        case "M":
            start = midnight.replace(day=1, month=(local.month - 1) // count * count + 1)
        case _:
            start = midnight.replace(day=1, month=1)
    # A time that clocks skip is as long after the change as it stands behind it: the change is where it
    # begins.
    found = start.astimezone(UTC)
    back = found.astimezone(ZoneInfo(zone))
    if back.replace(tzinfo=None) != start.replace(tzinfo=None):
        found -= back.replace(tzinfo=None) - start.replace(tzinfo=None)
    return round(found.timestamp() * 1000)


def number_of(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def of_numbers(made: Callable[[list[float]], float]) -> Callable[[list[Any]], float | None]:
    def aggregate(values: list[Any]) -> float | None:
        numbers = [number for value in values if (number := number_of(value)) is not None]
        return made(numbers) if numbers else None

    return aggregate


def last_of(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)


SIMPLE: dict[str, Callable[[list[Any]], Any]] = {
    "mean": of_numbers(lambda numbers: math.fsum(numbers) / len(numbers)),
    "sum": of_numbers(math.fsum),
    "min": of_numbers(min),
    "max": of_numbers(max),
    "count": lambda values: sum(value is not None for value in values),
    "count_all": len,
    "first": last_of,
    "last": lambda values: last_of(reversed(values)),
}


def buckets(
    samples: Sequence[Sample],
    aggregate: str,
    *,
    every: str,
    zone: str,
    start_ms: int,
    end_ms: int,
    gap_ms: int,
) -> dict[int, Any]:
    """The value of every bucket that has samples in the range, or a mean over time, by its start. `samples`
    begin `gap_ms` before the range.
    """
    inside = [one for one in samples if start_ms <= one[0] < end_ms]
    groups: dict[int, list[Any]] = {}
    for at_ms, value in inside:
        groups.setdefault(bucket_start(at_ms, every, zone), []).append(value)
    if aggregate in SIMPLE:
        return {start: SIMPLE[aggregate](values) for start, values in groups.items()}
    if aggregate == "twa":
        return {**dict.fromkeys(groups), **_over_time(samples, every, zone, start_ms, end_ms, gap_ms)}
    return {**dict.fromkeys(groups), **_growth(samples, aggregate, every, zone, start_ms, gap_ms)}


def _growth(  # noqa: PLR0917 - a question and its samples
    samples: Sequence[Sample], aggregate: str, every: str, zone: str, start_ms: int, gap_ms: int
) -> dict[int, float]:
    numbers = [(at_ms, number) for at_ms, value in samples if (number := number_of(value)) is not None]
    grown: dict[int, list[float]] = {}
    for (before_ms, before), (at_ms, number) in pairwise(numbers):
        if at_ms < start_ms or at_ms - before_ms > gap_ms:
            continue
        growth = number - before
        if aggregate == "increase" and growth < 0:
            growth = number
        grown.setdefault(bucket_start(at_ms, every, zone), []).append(growth)
    return {start: math.fsum(some) for start, some in grown.items()}


def _over_time(  # noqa: PLR0917 - a question and its samples
    samples: Sequence[Sample], every: str, zone: str, start_ms: int, end_ms: int, gap_ms: int
) -> dict[int, float]:
    areas: dict[int, list[float]] = {}
    lengths: dict[int, int] = {}
    ends = [*(at_ms for at_ms, _ in samples[1:]), end_ms][: len(samples)]
    for (at_ms, value), next_ms in zip(samples, ends, strict=True):
        number = number_of(value)
        begin, until = max(at_ms, start_ms), min(next_ms, at_ms + gap_ms, end_ms)
        if number is None:
            continue
        while begin < until:
            start = bucket_start(begin, every, zone)
            piece_end = _end_of_bucket(begin, until, start, every, zone)
            areas.setdefault(start, []).append(number * (piece_end - begin))
            lengths[start] = lengths.get(start, 0) + piece_end - begin
            begin = piece_end
    return {start: math.fsum(some) / lengths[start] for start, some in areas.items()}


def _end_of_bucket(at_ms: int, until_ms: int, start: int, every: str, zone: str) -> int:
    """Where a bucket ends that an instant is in, or `until_ms` if that is earlier; buckets begin on whole
    minutes.
    """
    if bucket_start(until_ms - 1, every, zone) == start:
        return until_ms
    low, high = at_ms // 60_000, -(-until_ms // 60_000)
    while high - low > 1:
        middle = (low + high) // 2
        if bucket_start(middle * 60_000, every, zone) == start:
            low = middle
        else:
            high = middle
    return min(high * 60_000, until_ms)
