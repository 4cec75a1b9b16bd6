"""Alert rules as data, and what becomes of them in a sweep: who fires, who is told, who is over.

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
"""An alert that goes on is told again after this."""

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
    FAILED_DUTIES = "failed-duties"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Fires when the reading is above `above` in so many sweeps on end. `told` takes the reading as
    `{value}`; `remedy` says what to do.
    """

    measure: Measure
    above: float
    told: str
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
        told="{value:.0f} % of the requests of the last 30 minutes failed (5xx)",
        remedy="the Worker's logs name the problem of each; /api/health?deep=1 names a part that is down",
    ),
    Rule(
        measure=Measure.FAILED_JOBS_PERCENT,
        above=10,
        told="{value:.0f} % of the jobs of the last day failed",
        remedy="GET /api/jobs?status=failed tells the cause; POST /api/jobs/{{id}}/retry goes on with one",
    ),
    Rule(
        measure=Measure.DEAD_LETTERS,
        above=0,
        told="{value:.0f} dead letters wait",
        remedy="GET /api/queue/dlq tells the cause; POST /api/queue/dlq/{{id}}/replay tries again",
    ),
    Rule(
        measure=Measure.SWEEP_AGE_MINUTES,
        above=SWEEP_MAX_AGE_MS / MINUTE_MS,
        told="there was no sweep for {value:.0f} minutes",
        remedy="look at the cron's past events and the janitor's logs; this sweep ran",
    ),
    Rule(
        measure=Measure.BACKLOG_MESSAGES,
        above=10_000,
        told="{value:.0f} messages wait in the job queues",
        remedy="raise queueMaxConcurrency if the upstream bears it, or cancel jobs",
        sweeps=2,
    ),
    Rule(
        measure=Measure.BUDGET_PERCENT,
        above=100,
        told="the cache takes {value:.0f} % of its budget",
        remedy="raise cacheBudgetGb, or see why the duty hold-budget does not keep up",
        sweeps=2,
    ),
    Rule(
        measure=Measure.UPSTREAM_DOWN,
        above=0,
        told="the upstream does not answer its probe",
        remedy="what is stored is served; ask the vendor, check upstreamUrl and upstreamToken",
        sweeps=2,
    ),
    Rule(
        measure=Measure.FAILED_DUTIES,
        above=0,
        told="{value:.0f} duties of the janitor failed",
        remedy="the janitor's logs tell why; each is done again by the next sweep",
        sweeps=2,
    ),
)

assert len({rule.name for rule in RULES}) == len(RULES)
assert all(rule.sweeps >= 1 and rule.told.format(value=1.0) and rule.remedy.format() for rule in RULES)


class Turnout(StrEnum):
    """What a notice says."""

    FIRING = "FIRING"
    STILL = "STILL FIRING"
    RESOLVED = "RESOLVED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell: of which rule, what, and since when (UTC epoch ms)."""

    rule: str
    turnout: Turnout
    told: str
    remedy: str
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is remembered of a rule whose reading is too high: since when, for how many sweeps, when it
    was told (None: not yet).
    """

    since_ms: int
    sweeps: int
    told_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What to tell, and what to remember once it is told."""

    notices: tuple[Notice, ...]
    states: Mapping[str, State]


def judge(
    readings: Mapping[Measure, float],
    states: Mapping[str, State],
    *,
    now_ms: int,
    rules: Sequence[Rule] = RULES,
) -> Judgement:
    """Every rule against its reading. A rule is told once, again after REMIND_MS, and when it is over."""
    notices: list[Notice] = []
    after: dict[str, State] = {}
    for rule in rules:
        before, value = states.get(rule.name), readings.get(rule.measure)
        if value is None:
            after |= {} if before is None else {rule.name: before}
            continue
        if value <= rule.above:
            if before is not None and before.told_ms is not None:
                notices.append(_notice(rule, Turnout.RESOLVED, value, before.since_ms))
            continue
        since_ms = now_ms if before is None else before.since_ms
        sweeps = 1 if before is None else before.sweeps + 1
        told_ms = None if before is None else before.told_ms
        if sweeps >= rule.sweeps and (told_ms is None or now_ms - told_ms >= REMIND_MS):
            turnout = Turnout.FIRING if told_ms is None else Turnout.STILL
            notices.append(_notice(rule, turnout, value, since_ms))
            told_ms = now_ms
        after[rule.name] = State(since_ms=since_ms, sweeps=sweeps, told_ms=told_ms)
    return Judgement(notices=tuple(notices), states=after)


def _notice(rule: Rule, turnout: Turnout, value: float, since_ms: int) -> Notice:
    return Notice(
        rule=rule.name,
        turnout=turnout,
        told=rule.told.format(value=value),
        remedy=rule.remedy.format(),
        since_ms=since_ms,
    )


def remembered(states: Mapping[str, State]) -> str:
    """States as a text that fits a row."""
    rules = {name: [state.since_ms, state.sweeps, state.told_ms] for name, state in states.items()}
    return json.dumps({"v": VERSION, "rules": rules}, separators=(",", ":"))


def recalled(text: str) -> dict[str, State]:
    """States of a text. What no version of ours wrote is forgotten: an alert told twice is no harm."""
    try:
        document = json.loads(text or "{}")
        if document.get("v", VERSION) != VERSION:
            return {}
        return {
            str(name): State(since_ms=int(since_ms), sweeps=int(sweeps), told_ms=told_ms)
            for name, (since_ms, sweeps, told_ms) in document.get("rules", {}).items()
        }
    except (ValueError, TypeError, AttributeError):
        return {}
