"""How many calls to one upstream may be under way at once, learned from how it answers, as a value.

Additive increase, multiplicative decrease: a refusal (429, 503, 504) or a call that ran out of time cuts it,
calls that take much longer than they do among few ease it down, and calls that are served well let it grow
again. Refusals also keep all calls back for a moment, or for as long as the upstream asks. It knows no clock
and no call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from edgeseries.origins.call_limits import (
    PACE_CUT,
    PACE_CUT_YIELDING,
    PACE_EASE,
    PACE_EASE_FLOOR,
    PACE_FEW,
    PACE_FIRST_PAUSE_MS,
    PACE_KINDS,
    PACE_LONGEST_HOLD_MS,
    PACE_LONGEST_PAUSE_MS,
    PACE_LONGEST_REST_MS,
    PACE_NEAR_STEP,
    PACE_NOISE_MS,
    PACE_OTHERS_MS,
    PACE_PAUSES,
    PACE_REST,
    PACE_REST_CONTENDED,
    PACE_SHORTEST_REST_MS,
    PACE_SLOW,
    PACE_SLOW_YIELDING,
    PACE_SMOOTHING,
    PACE_START_CALLS,
    PACE_STEP_YIELDING,
    PACE_WORST,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """How a call of a kind went: begun and ended at (UTC epoch ms), bytes of its answer; `crowd` calls of the
    isolate, itself included, were under way when it left. `yields`: nobody waits for it.
    """

    began_ms: int
    ended_ms: int
    kind: str = ""
    size: int = 0
    crowd: int = 1
    yields: bool = False

    @property
    def took_ms(self) -> int:
        """How long it took."""
        return max(0, self.ended_ms - self.began_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """`limit` calls at once, as a number that grows by parts; until the first trouble it grows fast.

    `usual_ms` is what calls take while few are under way, by their kind and the size of their answers (bits
    of the number of bytes); `slowness` how many times as long those among more take of late. No call leaves
    before `held_until_ms`; `pause_ms` is the last pause that was made without being asked. `refused_at`
    calls at once were refused last (0: none): the limit gets there again only slowly. Until
    `others_until_ms` others are taken to call the upstream: fewer at once than that were refused. Calls that
    began before `changed_ms` were let out under another limit, and do not cut it again.
    """

    limit: float = float(PACE_START_CALLS)
    fast: bool = True
    refused_at: int = 0
    others_until_ms: int = 0
    slowness: float = 1.0
    usual_ms: Mapping[tuple[str, int], float] = field(default_factory=dict)
    changed_ms: int = 0
    held_until_ms: int = 0
    pause_ms: int = 0


def calls_at_once(pace: Pace, ceiling: int, now_ms: int, *, yields: bool = False) -> int:
    """How many calls may be under way, from 1 to the ceiling. Where others call the upstream, work that
    yields leaves one of the calls that it takes to them.
    """
    most = max(1, min(ceiling, int(pace.limit)))
    if yields and pace.refused_at and now_ms < pace.others_until_ms:
        return max(1, min(most, pace.refused_at - 2))
    return most


def rest_ms(pace: Pace, report: CallReport) -> int:
    """For how long nothing follows a call of work that yields, so that others of an upstream that takes no
    more at once come in: a part of what the call took.
    """
    if not report.yields or not pace.refused_at or report.crowd + 1 < pace.refused_at:
        return 0
    share = PACE_REST_CONTENDED if report.ended_ms < pace.others_until_ms else PACE_REST
    return min(PACE_LONGEST_REST_MS, max(PACE_SHORTEST_REST_MS, int(report.took_ms * share)))


def held_ms(pace: Pace, now_ms: int) -> int:
    """For how long no call leaves."""
    return max(0, pace.held_until_ms - now_ms)


def served(pace: Pace, report: CallReport, *, ceiling: int) -> Pace:
    """The pace after a call that the upstream answered."""
    at_bound = report.crowd >= pace.refused_at and report.began_ms >= pace.changed_ms
    learned = replace(_with_time(pace, report), pause_ms=0, refused_at=0 if at_bound else pace.refused_at)
    if learned.slowness > (PACE_SLOW_YIELDING if report.yields else PACE_SLOW):
        crowded = report.crowd > PACE_FEW and report.began_ms >= pace.changed_ms
        return _cut(learned, report, PACE_EASE, least=PACE_EASE_FLOOR) if crowded else learned
    if report.crowd + 1 <= learned.limit:
        return learned
    return replace(learned, limit=min(float(ceiling), learned.limit + _step(learned, report)))


def refused(pace: Pace, report: CallReport, *, asked_ms: int = 0) -> Pace:
    """The pace after a call that the upstream had no room for; `asked_ms` is how long it wants to be left
    alone, 0 if it does not say.
    """
    longest_ms = PACE_LONGEST_PAUSE_MS if report.yields else PACE_FIRST_PAUSE_MS * PACE_PAUSES
    own_ms = min(max(PACE_FIRST_PAUSE_MS, 2 * pace.pause_ms), longest_ms)
    again = report.began_ms < pace.changed_ms
    pause_ms = pace.pause_ms if again and pace.pause_ms else own_ms
    hold_ms = min(asked_ms, PACE_LONGEST_HOLD_MS) if asked_ms else pause_ms
    held = replace(pace, held_until_ms=max(pace.held_until_ms, report.ended_ms + hold_ms), pause_ms=pause_ms)
    if again:
        return held
    others = 0 < report.crowd < pace.refused_at
    return replace(
        _cut(held, report, _cut_of(report)),
        refused_at=max(report.crowd, pace.refused_at - 1) if others else report.crowd,
        others_until_ms=report.ended_ms + PACE_OTHERS_MS if others else pace.others_until_ms,
    )


def timed_out(pace: Pace, report: CallReport) -> Pace:
    """The pace after a call that ran out of time."""
    return pace if report.began_ms < pace.changed_ms else _cut(pace, report, _cut_of(report))


def _step(pace: Pace, report: CallReport) -> float:
    if pace.fast:
        return 1.0
    step = (PACE_STEP_YIELDING if report.yields else 1.0) / pace.limit
    return step * PACE_NEAR_STEP if pace.limit + step >= pace.refused_at > 0 else step


def _cut_of(report: CallReport) -> float:
    return PACE_CUT_YIELDING if report.yields else PACE_CUT


def _cut(pace: Pace, report: CallReport, part: float, *, least: float = 1.0) -> Pace:
    """Fewer than were under way: a limit that was not used up says nothing."""
    limit = min(pace.limit, max(least, min(pace.limit, float(report.crowd)) * part))
    return replace(pace, limit=limit, fast=False, changed_ms=report.ended_ms, slowness=1.0)


def _with_time(pace: Pace, report: CallReport) -> Pace:
    """What calls of this kind usually take, where few are under way; how much slower they are among more."""
    kind = (report.kind, report.size.bit_length())
    usual_ms, ratio = pace.usual_ms.get(kind), 1.0
    if report.crowd <= PACE_FEW:
        mean_ms = float(report.took_ms)
        if usual_ms is not None:
            mean_ms = usual_ms + PACE_SMOOTHING * (report.took_ms - usual_ms)
        kept = dict([*pace.usual_ms.items()][-PACE_KINDS:])
        pace = replace(pace, usual_ms={**kept, kind: mean_ms})
    elif usual_ms is not None and report.took_ms - usual_ms > PACE_NOISE_MS:
        ratio = min(PACE_WORST, report.took_ms / max(usual_ms, 1.0))
    return replace(pace, slowness=pace.slowness + PACE_SMOOTHING * (ratio - pace.slowness))
