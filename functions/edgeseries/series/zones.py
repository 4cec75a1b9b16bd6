"""Time zones: how far local time is from UTC over a range, and which instants local times are.

The rules come from the IANA time zone database (`zoneinfo`: the host's own, or the package `tzdata`, which
Workers carry). Everything else is integer arithmetic over stretches of one offset. Local times are
milliseconds since 1970-01-01T00:00 on the wall clock.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from edgeseries.limits import DAY_MS, EARLIEST_MS, LATEST_MS, MAX_ZONE_CHARS, SECOND_MS
from edgeseries.series.timerange import ONE_MS

UTC_ZONE: Final = "UTC"

_ZONE_TEXT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(/[A-Za-z0-9_+\-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """From `start_ms` on (UTC epoch) local time is UTC plus `offset_ms`, until the next stretch begins."""

    start_ms: int
    offset_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offsets:
    """The stretches of a zone over a range, ascending, at least one; the first begins before the range, the
    last lasts beyond it.
    """

    stretches: tuple[Stretch, ...]

    def local_ms(self, instant_ms: int) -> int:
        """The local time of an instant (UTC epoch)."""
        found = self.stretches[0]
        for one in self.stretches:
            if one.start_ms > instant_ms:
                break
            found = one
        return instant_ms + found.offset_ms

    def instant_ms(self, local_ms: int) -> int:
        """The instant (UTC epoch) of a local time: of one that comes twice the earlier, of one that does not
        come the moment when the clock passes over it.
        """
        for place, one in enumerate(self.stretches):
            found = local_ms - one.offset_ms
            if place + 1 == len(self.stretches):
                break
            ends_ms = self.stretches[place + 1].start_ms
            if found < ends_ms:
                return max(found, one.start_ms)
        return max(found, one.start_ms)


def zone_fault(name: str) -> str | None:
    """What is wrong with the name of a zone, or None."""
    if len(name) > MAX_ZONE_CHARS or not _ZONE_TEXT.fullmatch(name) or not _is_known(name):
        return "is no time zone: send an IANA name, for example Europe/Berlin or UTC"
    return None


def offsets_of(name: str, start_ms: int, end_ms: int) -> Offsets:
    """The stretches of a zone from a day before an instant (UTC epoch) to a day after another. Raises
    ValueError for a zone that nobody knows.
    """
    if name == UTC_ZONE:
        return _UTC_OFFSETS
    first_day = max(EARLIEST_MS, start_ms - DAY_MS) // DAY_MS
    last_day = min(LATEST_MS, end_ms + DAY_MS) // DAY_MS
    return _offsets(name, first_day, last_day)


_UTC_OFFSETS: Final = Offsets(stretches=(Stretch(start_ms=EARLIEST_MS, offset_ms=0),))


@lru_cache(maxsize=64)
def _offsets(name: str, first_day: int, last_day: int) -> Offsets:
    zone = _zone(name)
    now_ms = first_day * DAY_MS
    offset_ms = _offset_ms(zone, now_ms)
    stretches = [Stretch(start_ms=now_ms, offset_ms=offset_ms)]
    for day in range(first_day, last_day + 1):
        end_ms = (day + 1) * DAY_MS
        if _offset_ms(zone, end_ms) != offset_ms:
            start_ms = _change_ms(zone, day * DAY_MS, end_ms)
            offset_ms = _offset_ms(zone, end_ms)
            stretches.append(Stretch(start_ms=start_ms, offset_ms=offset_ms))
    return Offsets(stretches=tuple(stretches))


def _change_ms(zone: ZoneInfo, low_ms: int, high_ms: int) -> int:
    """The first instant with another offset than `low_ms` has; rules are to the second."""
    before = _offset_ms(zone, low_ms)
    while high_ms - low_ms > SECOND_MS:
        middle_ms = low_ms + (high_ms - low_ms) // (2 * SECOND_MS) * SECOND_MS
        if _offset_ms(zone, middle_ms) == before:
            low_ms = middle_ms
        else:
            high_ms = middle_ms
    return high_ms


def _offset_ms(zone: ZoneInfo, instant_ms: int) -> int:
    moment = datetime.fromtimestamp(instant_ms // SECOND_MS, UTC).astimezone(zone)
    offset = moment.utcoffset()
    assert offset is not None
    return offset // ONE_MS


@lru_cache(maxsize=256)
def _is_known(name: str) -> bool:
    try:
        _zone(name)
    except ValueError:
        return False
    return True


def _zone(name: str) -> ZoneInfo:
    """Raises ValueError for a zone that nobody knows."""
    try:
        return ZoneInfo(name)
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"{name} is no time zone") from error
