"""What is asked again and again is handed to jobs before it is asked, within the budget of the day.

A sweep that runs twice makes no second job: what jobs of warming fetch, or were made for within the hour, is
not planned again. What does not fit the bounds of this sweep, the next one finds.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from edgeseries.errors import NotFound, StoreUnavailable
from edgeseries.jobs.job import JobRequest, Priority
from edgeseries.jobs.messages import PlanMessage
from edgeseries.limits import DAY_MS, DENSE_PER_DAY
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.days import day_of, day_span, days_touched
from edgeseries.warming.asks import DAY_HOURS, PointSet, hour_of
from edgeseries.warming.limits import (
    ASKED_ROWS_MAX,
    CREDIT_MS,
    JOBS_OF_A_SWEEP,
    KEEP_DAYS,
    LOOK_MAX_POINTS,
    LOOKS_OF_A_SWEEP,
    PATTERNS_AT_ONCE,
    RETRY_MS,
    SAVED_SETS_LISTED,
    WARMING_OWNER,
)
from edgeseries.warming.patterns import Wish, hours_ahead, sealed, wishes_of
from edgeseries.warming.planning import (
    Need,
    PlannedJob,
    TakenDays,
    WarmBudget,
    WishedPiece,
    fitting,
    jobs_of,
    pieces_of,
)
from edgeseries.warming.runs import WarmRun
from edgeseries.warming.saved_sets import scheduled_wishes
from janitor.duty import Duty, Outcome, Turn
from janitor.ports import Ports

STATEMENTS_OF_A_LOOK: Final = 2
STATEMENTS_OF_A_JOB: Final = 3
"""Made or joined, and put on record."""

OTHER_STATEMENTS: Final = 10
"""What was used, what is spent, patterns, their names, saved sets, what is under way; forgetting."""


async def warm(ports: Ports, turn: Turn) -> Outcome:
    """Note what was of use, forget what is old once a day, then plan and hand over what fits the budget.

    The cursor is the day of the last forgetting, and which look at the index comes next.
    """
    today = day_of(turn.now_ms)
    forgot_day, _, place = turn.cursor.partition(":")
    used = await ports.warming.credit(from_ms=turn.now_ms - CREDIT_MS)
    if forgot_day != str(today):
        await ports.warming.trim(from_ms=turn.now_ms - KEEP_DAYS * DAY_MS, rows=ASKED_ROWS_MAX)
    if ports.settings.warm_budget.spent:
        return Outcome(summary="warming is off", count=used, cursor=f"{today}:")
    spent = await ports.warming.spent(from_ms=today * DAY_MS)
    budget = ports.settings.warm_budget.less(spent.samples, spent.calls)
    if budget.spent:
        return Outcome(summary="the budget of today is spent", count=used, cursor=f"{today}:{place}")
    looks, saved = await _looks(ports, turn.now_ms)
    start = int(place or 0) % max(1, len(looks))
    turned = [*looks[start:], *looks[:start]][:LOOKS_OF_A_SWEEP]
    sets = {**await ports.warming.sets([wish.digest for look in turned for wish in look]), **saved}
    jobs = jobs_of(await _pieces(turned, sets, budget, ports, turn))
    made = [await _hand_over(job, ports, turn.now_ms) for job in jobs[:JOBS_OF_A_SWEEP]]
    following = start + len(turned) if len(jobs) <= JOBS_OF_A_SWEEP else start
    samples = sum(one.piece.samples for job in jobs[:JOBS_OF_A_SWEEP] for one in job.pieces)
    return Outcome(
        summary=f"{sum(made)} jobs made for {samples} samples, {used} of earlier ones were of use",
        count=sum(made) + used,
        cursor=f"{today}:{following}",
    )


def looks_of(wishes: Sequence[Wish]) -> list[list[Wish]]:
    """What one look at the index can be of: wishes of one site, and not too many points; in their order."""
    looks: list[list[Wish]] = []
    open_looks: dict[str, list[Wish]] = {}
    for wish in wishes:
        look = open_looks.get(wish.site)
        if look is None or sum(one.point_count for one in (*look, wish)) > LOOK_MAX_POINTS:
            look = open_looks[wish.site] = []
            looks.append(look)
        look.append(wish)
    return looks


async def _looks(ports: Ports, now_ms: int) -> tuple[list[list[Wish]], Mapping[str, PointSet]]:
    """What will be asked in the next hours, schedules first; and the points of saved sets, by digest."""
    saved = await ports.saved_sets.scheduled(at_most=SAVED_SETS_LISTED)
    hours = sorted({hour % DAY_HOURS for hour in hours_ahead(now_ms)})
    patterns = await ports.warming.patterns(
        hours=hours, from_hour=hour_of(now_ms - KEEP_DAYS * DAY_MS), at_most=PATTERNS_AT_ONCE
    )
    wishes = (*scheduled_wishes(saved, now_ms=now_ms), *wishes_of(patterns, now_ms=now_ms))
    return looks_of(wishes), {one.of.digest: one.of for one in saved}


async def _pieces(
    looks: Sequence[Sequence[Wish]],
    sets: Mapping[str, PointSet],
    budget: WarmBudget,
    ports: Ports,
    turn: Turn,
) -> list[WishedPiece]:
    """What is missing of what is wanted, nobody fetches and the budget holds, in the order of the wishes."""
    taken = TakenDays()
    for one in await ports.warming.under_way(since_ms=turn.now_ms - RETRY_MS):
        days = days_touched(one.span)
        taken.add(one.of.site, one.of.points, days[0], days[-1])
    chosen: list[WishedPiece] = []
    for look in looks:
        for wish, need in await _needs([one for one in look if one.digest in sets], sets, ports, turn.now_ms):
            left = Need(
                site=need.site,
                missing_days=taken.without(need.site, need.missing_days),
                density_per_day=need.density_per_day,
                capabilities=need.capabilities,
            )
            for piece in fitting(pieces_of(left, DENSE_PER_DAY), budget):
                taken.add(piece.site, piece.points, piece.first_day, piece.last_day)
                budget = budget.less(piece.samples, piece.calls)
                chosen.append(WishedPiece(piece=piece, wish=wish))
    return chosen


async def _needs(
    look: Sequence[Wish], sets: Mapping[str, PointSet], ports: Ports, now_ms: int
) -> list[tuple[Wish, Need]]:
    """What is missing of the wishes of a site; nothing of a site that no upstream serves any more."""
    if not look:
        return []
    site = look[0].site
    lag_ms = ports.settle_lags.of(site, ports.settings.settle_lag_ms)
    days = {one: sealed(one.days, now_ms=now_ms, settle_lag_ms=lag_ms) for one in look}
    every = sorted({day for some in days.values() for day in some})
    if not every:
        return []
    try:
        capabilities = ports.origin.capabilities(site)
    except NotFound:
        return []
    points = sorted({point for one in look for point in sets[one.digest].points})
    index = await ports.blocks.look_up(site, points, day_span(every[0], every[-1]))

    def missing(one: Wish) -> Iterator[tuple[str, tuple[int, ...]]]:
        for point in sets[one.digest].points:
            held = index.covered.get(point, frozenset())
            lacking = tuple(day for day in days[one] if day not in held)
            if lacking:
                yield point, lacking

    return [
        (
            one,
            Need(
                site=site,
                missing_days=dict(missing(one)),
                density_per_day=index.density_per_day,
                capabilities=capabilities,
            ),
        )
        for one in look
    ]


async def _hand_over(job: PlannedJob, ports: Ports, now_ms: int) -> bool:
    """Make the job, put it on record, send its message; whether it was made. If the queue does not take the
    message, the rescue sends it later.
    """
    query = TimeseriesQuery(site=job.site, points=job.points, span=day_span(job.first_day, job.last_day))
    joined = await ports.jobs.create(
        JobRequest(query=query, owner=WARMING_OWNER, priority=Priority.LOW),
        now_ms=now_ms,
        join_ended_after_ms=now_ms - RETRY_MS,
    )
    if not joined.created:
        return False
    await ports.warming.add(runs_of(job, joined.job.job_id, now_ms))
    try:
        await ports.job_queue.send((PlanMessage(job_id=joined.job.job_id),), priority=Priority.LOW)
    except StoreUnavailable as error:
        ports.journal.line("warning", "a job's message waits for the rescue", cause=error.detail)
    return True


def runs_of(job: PlannedJob, job_id: str, now_ms: int) -> list[WarmRun]:
    """What the job was made for, by set of points."""
    by_set: Mapping[str, list[WishedPiece]] = {
        digest: [one for one in job.pieces if one.wish.digest == digest]
        for digest in dict.fromkeys(one.wish.digest for one in job.pieces)
    }
    return [
        WarmRun(
            job_id=job_id,
            digest=digest,
            reason=some[0].wish.reason,
            site=job.site,
            first_day=job.first_day,
            last_day=job.last_day,
            point_days=sum(one.piece.point_days for one in some),
            samples=sum(one.piece.samples for one in some),
            calls=sum(one.piece.calls for one in some),
            planned_ms=now_ms,
            owner=some[0].wish.owner,
            name=some[0].wish.name,
        )
        for digest, some in by_set.items()
    ]


DUTY: Final = Duty(
    name="warm",
    statements=OTHER_STATEMENTS
    + LOOKS_OF_A_SWEEP * STATEMENTS_OF_A_LOOK
    + JOBS_OF_A_SWEEP * STATEMENTS_OF_A_JOB,
    run=warm,
)
