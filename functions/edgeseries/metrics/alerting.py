"""Alert rules as data, and what becomes of them in a sweep: which fire, which are sent, which are resolved.

It knows neither where readings come from nor where notices go.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edgeseries.limits import DAY_MS, MINUTE_MS, SWEEP_MAX_AGE_MS

VERSION: Final = 1
"""Of the remembered states."""

REMIND_MS: Final = DAY_MS
"""An alert that goes on is sent again after this."""

WINDOW_MS: Final = 30 * MINUTE_MS
"""Requests that a failure rate is made of: two usual sweeps."""

JOB_WINDOW_MS: Final = DAY_MS

MIN_REQUESTS: Final = 20
"""Fewer requests make no rate."""

MIN_JOBS: Final = 3


class Measure(StrEnum):
    """What is looked at. A reading that is not there (too few, not asked, not answered) judges nothing."""

    FAILED_REQUESTS_PERCENT = "failed-requests-percent"
    FAILED_JOBS_PERCENT = "failed-jobs-percent"
    DEAD_LETTERS = "dead-letters"
    SWEEP_AGE_MINUTES = "sweep-age-minutes"
    BACKLOG_MESSAGES = "backlog-messages"
    BUDGET_PERCENT = "budget-percent"
    UPSTREAM_DOWN = "upstream-down"
    CORRECTED_DAYS = "corrected-days"
    FAILED_DUTIES = "failed-duties"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Fires when the reading is above `above` in so many sweeps on end. `description` takes the reading as
    `{value}`; `remedy` says what to do.
    """

    measure: Measure
    above: float
    description: str
    remedy: str
    sweeps: int = 1

    @property
    def name(self) -> str:
        """A rule is named by what it looks at: there is one a measure."""
        return self.measure.value


RULES: Final = (
    Rule(
        measure=Measure.FAILED_REQUESTS_PERCENT,
        above=5,
        description="{value:.0f} % of the requests of the last 30 minutes failed (5xx)",
        remedy="the Worker's logs name the problem of each; /api/health?deep=1 names a part that is down",
    ),
    Rule(
        measure=Measure.FAILED_JOBS_PERCENT,
        above=10,
        description="{value:.0f} % of the jobs of the last day failed",
        remedy="GET /api/jobs?status=failed shows the cause; POST /api/jobs/{{id}}/retry goes on with one",
    ),
    Rule(
        measure=Measure.DEAD_LETTERS,
        above=0,
        description="{value:.0f} dead letters wait",
        remedy="GET /api/queue/dlq shows the cause; POST /api/queue/dlq/{{id}}/replay tries again",
    ),
    Rule(
        measure=Measure.SWEEP_AGE_MINUTES,
        above=SWEEP_MAX_AGE_MS / MINUTE_MS,
        description="there was no sweep for {value:.0f} minutes",
        remedy="look at the cron's past events and the janitor's logs; this sweep ran",
    ),
    Rule(
        measure=Measure.BACKLOG_MESSAGES,
        above=10_000,
        description="{value:.0f} messages wait in the job queues",
        remedy="raise queueMaxConcurrency if the upstream bears it, or cancel jobs",
        sweeps=2,
    ),
    Rule(
        measure=Measure.BUDGET_PERCENT,
        above=100,
        description="the cache takes {value:.0f} % of its budget",
        remedy="raise cacheBudgetGb, or see why the duty hold-budget does not keep up",
        sweeps=2,
    ),
    Rule(
        measure=Measure.UPSTREAM_DOWN,
        above=0,
        description="the upstream does not answer its probe",
        remedy="what is stored is served; ask the vendor, check upstreamUrl and upstreamToken",
        sweeps=2,
    ),
    Rule(
        measure=Measure.CORRECTED_DAYS,
        above=500,
        description="{value:.0f} stored days of points were corrected by the vendor since yesterday",
        remedy="they are repaired; lateData of /api/stats shows where, and whether settleLagMinutes is short",
    ),
    Rule(
        measure=Measure.FAILED_DUTIES,
        above=0,
        description="{value:.0f} duties of the janitor failed",
        remedy="the janitor's logs show why; each is done again by the next sweep",
        sweeps=2,
    ),
)

assert len({rule.name for rule in RULES}) == len(RULES)
assert all(rule.sweeps >= 1 and rule.description.format(value=1.0) and rule.remedy.format() for rule in RULES)


class NoticeKind(StrEnum):
    """What a notice says."""

    FIRING = "FIRING"
    STILL = "STILL FIRING"
    RESOLVED = "RESOLVED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to send: of which rule, what, and since when (UTC epoch ms)."""

    rule: str
    kind: NoticeKind
    description: str
    remedy: str
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is remembered of a rule whose reading is too high: since when, for how many sweeps, when it
    was sent (None: not yet).
    """

    since_ms: int
    sweeps: int
    notified_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What to send, and what to remember once it is sent."""

    notices: tuple[Notice, ...]
    states: Mapping[str, State]


def evaluate(
    readings: Mapping[Measure, float],
    states: Mapping[str, State],
    *,
    now_ms: int,
    rules: Sequence[Rule] = RULES,
) -> Evaluation:
    """Every rule against its reading. A rule is sent once, again after REMIND_MS, and when it is over."""
    notices: list[Notice] = []
    after: dict[str, State] = {}
    for rule in rules:
        before, value = states.get(rule.name), readings.get(rule.measure)
        if value is None:
            after |= {} if before is None else {rule.name: before}
            continue
        if value <= rule.above:
            if before is not None and before.notified_ms is not None:
                notices.append(_notice(rule, NoticeKind.RESOLVED, value, before.since_ms))
            continue
        since_ms = now_ms if before is None else before.since_ms
        sweeps = 1 if before is None else before.sweeps + 1
        notified_ms = None if before is None else before.notified_ms
        if sweeps >= rule.sweeps and (notified_ms is None or now_ms - notified_ms >= REMIND_MS):
            kind = NoticeKind.FIRING if notified_ms is None else NoticeKind.STILL
            notices.append(_notice(rule, kind, value, since_ms))
            notified_ms = now_ms
        after[rule.name] = State(since_ms=since_ms, sweeps=sweeps, notified_ms=notified_ms)
    return Evaluation(notices=tuple(notices), states=after)


def _notice(rule: Rule, kind: NoticeKind, value: float, since_ms: int) -> Notice:
    return Notice(
        rule=rule.name,
        kind=kind,
        description=rule.description.format(value=value),
        remedy=rule.remedy.format(),
        since_ms=since_ms,
    )


def states_text(states: Mapping[str, State]) -> str:
    """States as a text that fits a row."""
    rules = {name: [state.since_ms, state.sweeps, state.notified_ms] for name, state in states.items()}
    return json.dumps({"v": VERSION, "rules": rules}, separators=(",", ":"))


def states_of(text: str) -> dict[str, State]:
    """States of a text. What no version of ours wrote is forgotten: an alert sent twice is no harm."""
    try:
        document = json.loads(text or "{}")
        if document.get("v", VERSION) != VERSION:
            return {}
        return {
            str(name): State(since_ms=int(since_ms), sweeps=int(sweeps), notified_ms=notified_ms)
            for name, (since_ms, sweeps, notified_ms) in document.get("rules", {}).items()
        }
    except (ValueError, TypeError, AttributeError):
        return {}
