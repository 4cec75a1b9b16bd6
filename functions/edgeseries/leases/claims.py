"""The missing days that requests of an isolate are fetching, so that others wait for their blocks.

All requests of an isolate share it, so it is plain data: what one request waits with, no other may touch (on
Workers a promise belongs to the request that made it). Who waits looks again and again. The platform may
end a request without a word, so a claim stands only while its request beats.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from edgeseries.leases.days import NO_DAYS, Days, common, overlap, without
from edgeseries.leases.limits import CLAIM_MS, CLAIMS_RECENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What came of asking for some days: a ticket for those that nobody else is fetching (`free`), and those
    that somebody is (`taken`). `took_over` if some of the free ones were claimed by a request that has died.
    """

    ticket: int
    site: str
    free: Days
    taken: Days
    took_over: bool = False


@dataclass(slots=True)
class _Held:
    days: Days
    until_ms: int


class Claims:
    """The claims of one isolate. Times are UTC epoch milliseconds of one clock. `ms` is how long a claim
    stands without a beat.
    """

    def __init__(self, *, ms: int = CLAIM_MS) -> None:
        self._ms = ms
        self._tickets = 0
        self._sites: dict[str, dict[int, _Held]] = {}
        self._releases = 0
        self._recent: deque[tuple[int, str, Days]] = deque(maxlen=CLAIMS_RECENT)

    def mark(self) -> int:
        """To be taken before a look at the index, for `released_since`."""
        return self._releases

    def released_since(self, site: str, days: Days, mark: int) -> bool:
        """Whether some of these days were released since: they may be stored, and the look did not see it."""
        return any(
            number > mark and of_site == site and overlap(days, released)
            for number, of_site, released in self._recent
        )

    def take(self, site: str, wanted: Days, now_ms: int) -> Claim:
        """Claim all that nobody else has."""
        died = [held.days for held in self._expire(site, now_ms)]
        others = [held.days for held in self._sites.get(site, {}).values()]
        free = without(wanted, others) if others else wanted
        taken = common(wanted, others) if others else NO_DAYS
        self._tickets += 1
        if free:
            held = _Held(days=free, until_ms=now_ms + self._ms)
            self._sites.setdefault(site, {})[self._tickets] = held
        return Claim(
            ticket=self._tickets,
            site=site,
            free=free,
            taken=taken,
            took_over=any(overlap(free, days) for days in died),
        )

    def beat(self, claim: Claim, now_ms: int) -> None:
        """The request of a claim is still there."""
        held = self._sites.get(claim.site, {}).get(claim.ticket)
        if held is not None:
            held.until_ms = now_ms + self._ms

    def shrink(self, claim: Claim, days: Days) -> None:
        """Claim only these any longer: the others are stored, or were given up."""
        held = self._sites.get(claim.site, {}).get(claim.ticket)
        if held is not None:
            self._note_release(claim.site, without(held.days, [days]))
            held.days = days

    def release(self, claim: Claim) -> None:
        """The days are stored, or were given up. It may be called again."""
        held = self._sites.get(claim.site, {})
        ended = held.pop(claim.ticket, None)
        if ended is not None:
            self._note_release(claim.site, ended.days)
        if not held:
            self._sites.pop(claim.site, None)

    def is_held(self, site: str, days: Days, now_ms: int) -> bool:
        """Whether somebody is fetching some of these days."""
        held = self._sites.get(site, {}).values()
        return any(now_ms < one.until_ms and overlap(days, one.days) for one in held)

    def _note_release(self, site: str, days: Days) -> None:
        if days:
            self._releases += 1
            self._recent.append((self._releases, site, days))

    def _expire(self, site: str, now_ms: int) -> Iterator[_Held]:
        held = self._sites.get(site, {})
        for ticket in [ticket for ticket, one in held.items() if one.until_ms <= now_ms]:
            yield held.pop(ticket)
        if site in self._sites and not held:
            del self._sites[site]
