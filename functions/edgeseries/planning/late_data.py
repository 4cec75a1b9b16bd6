"""What a second reading of a stored day says: whether the vendor has corrected it, and when that is believed.

What only adds samples or changes values is believed of two readings, one right after the other. What takes
samples away is believed of two readings DOUBT_MS apart: a gateway that was restarted has forgotten, and says
so as plainly as one whose operator has deleted (ADR 10, and `planning/empty_days.py` for days without any).

Values in, decisions out; times are UTC epoch ms. Which days are read: `planning/recheck_walk.py`.
Why it is built so: `docs/adr/0027-late-data.md`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edgeseries.limits import DOUBT_MAX_AGE_MS, DOUBT_MS
from edgeseries.series.samples import Samples

DOUBTS_MAX: Final = 200
"""Points and days whose loss of samples waits for its second reading; of more the oldest are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How a reading of a day differs from what is stored of it, in samples. `first_ms` is the instant of the
    first of them, None where there is no difference.
    """

    added: int = 0
    changed: int = 0
    removed: int = 0
    first_ms: int | None = None

    @property
    def count(self) -> int:
        """All of them."""
        return self.added + self.changed + self.removed


NO_DIFFERENCE: Final = Difference()


def difference(stored: Samples, read: Samples) -> Difference:
    """What the vendor has added, changed and removed since `stored` was read. Both in normal form.

    A value counts as changed if its type did: 1 and 1.0 and true are three values.
    """
    if stored.times_ms == read.times_ms and stored.values == read.values:
        return NO_DIFFERENCE
    before, now = _by_instant(stored), _by_instant(read)
    added, removed = now.keys() - before.keys(), before.keys() - now.keys()
    changed = {at_ms for at_ms in now.keys() & before.keys() if now[at_ms] != before[at_ms]}
    return Difference(
        added=len(added),
        changed=len(changed),
        removed=len(removed),
        first_ms=min((*added, *removed, *changed), default=None),
    )


def _by_instant(samples: Samples) -> dict[int, tuple[str, str]]:
    """The samples with each value as its type and its text, so that equal means the same."""
    values = samples.values.to_list()
    return {
        at_ms: (type(value).__name__, repr(value))
        for at_ms, value in zip(samples.times_ms, values, strict=True)
    }


class Verdict(StrEnum):
    """What is to be done about a point's day: nothing, correct it now, or read it again after DOUBT_MS."""

    SAME = "same"
    CORRECTED = "corrected"
    DOUBTED = "doubted"


def verdict_of(found: Difference, *, doubt_read_ms: int | None, now_ms: int) -> Verdict:
    """The verdict on one reading. `doubt_read_ms` is when an earlier one found samples gone, None without."""
    if not found.count:
        return Verdict.SAME
    if not found.removed:
        return Verdict.CORRECTED
    confirmed = doubt_read_ms is not None and now_ms - doubt_read_ms >= DOUBT_MS
    return Verdict.CORRECTED if confirmed else Verdict.DOUBTED


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class DoubtedDay:
    """A day (since 1970) of a point of which a reading found samples gone, and when it was."""

    read_ms: int
    site: str
    day: int
    point: str


def due_doubts(doubts: Iterable[DoubtedDay], *, now_ms: int, at_most: int) -> tuple[DoubtedDay, ...]:
    """Doubts of one site and day that may be settled now, the longest waiting first."""
    due = sorted(one for one in doubts if now_ms - one.read_ms >= DOUBT_MS)
    return tuple(one for one in due if (one.site, one.day) == (due[0].site, due[0].day))[:at_most]


def doubts_after(
    doubts: Iterable[DoubtedDay],
    *,
    site: str,
    day: int,
    verdicts: Mapping[str, Verdict],
    now_ms: int,
) -> tuple[DoubtedDay, ...]:
    """The doubts once a day of some points was read: those that are settled go, new ones come, what was
    doubted stays as old as it is. What nobody could settle for DOUBT_MAX_AGE_MS is forgotten.
    """
    kept = [one for one in doubts if 0 <= now_ms - one.read_ms < DOUBT_MAX_AGE_MS]
    here = {one.point: one for one in kept if (one.site, one.day) == (site, day)}
    left = [
        one
        for one in kept
        if (one.site, one.day) != (site, day) or verdicts.get(one.point, Verdict.DOUBTED) is Verdict.DOUBTED
    ]
    left += [
        DoubtedDay(read_ms=now_ms, site=site, day=day, point=point)
        for point, verdict in verdicts.items()
        if verdict is Verdict.DOUBTED and point not in here
    ]
    return tuple(sorted(left)[:DOUBTS_MAX])
