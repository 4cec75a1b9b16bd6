"""`/api/warm`: have something fetched ahead, saved sets, and what is fetched by itself.

Format: `docs/formats/warming.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edgeseries.access.grants import Right, require_site
from edgeseries.errors import Conflict, NotFound, StoreUnavailable
from edgeseries.http.documents import Day, Document, Moment, Section, ref
from edgeseries.jobs.job import Job, JobRequest, Priority
from edgeseries.limits import DAY_MS, DENSE_PER_DAY
from edgeseries.planning.fetch_plan import FetchPlan
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.relative_times import with_instants
from edgeseries.series.days import iso_day
from edgeseries.series.timerange import iso_instant
from edgeseries.warming.asks import PointSet, hour_of
from edgeseries.warming.limits import KEEP_DAYS, PATTERNS_LISTED, SAVED_SETS_LISTED, SAVED_SETS_MAX
from edgeseries.warming.patterns import WEEKDAYS, Pattern, Reason
from edgeseries.warming.planning import Need, pieces_of
from edgeseries.warming.requests import query_of_set, warm_request_of
from edgeseries.warming.runs import RunResult, WarmRun
from edgeseries.warming.saved_sets import SavedSet, saved_set_of
from router.contract.answers import SENT_BODY, STORE, json_answer
from router.contract.parameters import SET_OWNER
from router.endpoint import Arrival, Endpoint, Scope
from router.index_lookup import look_up
from router.outcome import Outcome, json_outcome
from router.parameters import read_body, read_fields
from router.ports import Ports
from router.queued_answer import ACCEPTED, accepted, start_job


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmRunDocument(Section):
    """What was handed to a job to be fetched ahead, and what came of it. `point_days` are days of points that
    were missing then; `used_at` is when the same points were asked for these days first, after it.
    """

    job_id: str
    reason: Reason
    first_day: Day
    last_day: Day
    point_days: int
    expected_samples: int
    expected_calls: int
    planned_at: Moment
    status: str | None
    samples: int
    used_at: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSetDocument(Document):
    """A saved set. `owner` is the id of the key that saved it."""

    name: str
    owner: str
    site: str
    point_count: int
    points: tuple[str, ...]
    days: int
    hours: tuple[int, ...]
    weekdays: tuple[str, ...]
    changed_at: Moment
    last_run: WarmRunDocument | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternDocument(Section):
    """A question that comes again: points of a site in one hour of the day (UTC), from `first_back` to
    `last_back` days before it. `days` is on how many days it was asked, `asks` how often in all.
    """

    site: str
    point_count: int
    points: tuple[str, ...]
    first_back: int
    last_back: int
    hour: int
    days: int
    asks: int
    comes_today: bool
    last_run: WarmRunDocument | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmBudgetDocument(Section):
    """What may be fetched ahead by itself in a UTC day, and what was planned today. `on` is false where a
    part of it is 0.
    """

    on: bool
    samples_per_day: int
    calls_per_day: int
    samples_today: int
    calls_today: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmingDocument(Document):
    """Saved sets of the caller; for an admin those of all callers, patterns and budget, too."""

    sets: tuple[SavedSetDocument, ...]
    patterns: tuple[PatternDocument, ...]
    budget: WarmBudgetDocument | None


LISTED_POINTS: Final = 10
"""Names of points that a pattern shows."""


async def show_warming(arrival: Arrival, ports: Ports) -> Outcome:
    """GET: what is saved; for admins also what was learned, and the budget."""
    sees_all, now_ms = arrival.grant.sees_all_jobs, arrival.request.arrived_ms
    saved = await ports.saved_sets.listed(
        None if sees_all else arrival.grant.key_id, at_most=SAVED_SETS_LISTED if sees_all else SAVED_SETS_MAX
    )
    runs = await ports.warm_facts.last_runs(sorted({one.of.digest for one in saved}))
    return json_outcome(
        WarmingDocument(
            sets=tuple(serialize_set(one, runs) for one in saved),
            patterns=await _patterns(now_ms, ports) if sees_all else (),
            budget=await _budget(now_ms, ports) if sees_all else None,
        )
    )


async def warm(arrival: Arrival, ports: Ports) -> Outcome:
    """POST: 202 with a job of low priority that fetches what is missing of sealed days."""
    now_ms = arrival.request.arrived_ms
    body = read_body(arrival.request)
    asked = warm_request_of(
        with_instants(body, now_ms=now_ms) if isinstance(body, Mapping) else body, now_ms=now_ms
    )
    query = asked.query
    if query is None:
        saved = _there(await ports.saved_sets.find(arrival.grant.key_id, asked.set_name))
        query = query_of_set(saved, asked.days, now_ms=now_ms)
    require_site(arrival.grant, query.site)
    index = await look_up(query, reads=True, ports=ports)
    fetch_plan = ports.reader.missing(query, index, now_ms=now_ms)
    request = JobRequest(query=query, owner=arrival.grant.key_id, priority=Priority.LOW)
    joined = await start_job(request, fetch_plan, ports)
    if joined.created:
        run = run_of(query, fetch_plan, joined.job, asked.set_name, index.density_per_day, ports)
        try:
            await ports.warm_facts.add((run,))
        except StoreUnavailable as error:
            ports.journal.line("warning", "a run of warming is not in the records", cause=error.detail)
    return accepted(joined, fetch_plan, ports)


async def save_set(arrival: Arrival, ports: Ports) -> Outcome:
    """PUT: save a set under a name of the caller's own, or change it. Raises Conflict for too many."""
    one = saved_set_of(
        read_body(arrival.request),
        owner=arrival.grant.key_id,
        name=arrival.path_parameters["set"],
        now_ms=arrival.request.arrived_ms,
    )
    require_site(arrival.grant, one.of.site)
    if not await ports.saved_sets.save(one, at_most=SAVED_SETS_MAX):
        raise Conflict(f"there are {SAVED_SETS_MAX} saved sets; DELETE one at /api/warm/<name> first")
    return json_outcome(serialize_set(one, await ports.warm_facts.last_runs([one.of.digest])))


async def remove_set(arrival: Arrival, ports: Ports) -> Outcome:
    """DELETE: the set is not fetched any more; what is stored stays. An admin may name another owner."""
    fields = read_fields(arrival.request, arrival.endpoint.parameters)
    owner = fields.get(SET_OWNER.name, arrival.grant.key_id)
    own = owner == arrival.grant.key_id or arrival.grant.sees_all_jobs
    one = _there(await ports.saved_sets.find(owner, arrival.path_parameters["set"]) if own else None)
    await ports.saved_sets.remove(owner, one.name)
    return json_outcome(serialize_set(one, await ports.warm_facts.last_runs([one.of.digest])))


def run_of(  # noqa: PLR0917 - a job and what it was made of
    query: TimeseriesQuery,
    fetch_plan: FetchPlan,
    job: Job,
    set_name: str,
    density_per_day: Mapping[str, float],
    ports: Ports,
) -> WarmRun:
    """What a caller's job was made for."""
    pieces = pieces_of(
        Need(
            site=query.site,
            missing_days=fetch_plan.missing_days,
            density_per_day=density_per_day,
            capabilities=ports.origin.capabilities(query.site),
        ),
        DENSE_PER_DAY,
    )
    return WarmRun(
        job_id=job.job_id,
        digest=PointSet(site=query.site, points=query.points).digest,
        reason=Reason.REQUEST,
        site=query.site,
        first_day=query.span.start_ms // DAY_MS,
        last_day=(query.span.end_ms - 1) // DAY_MS,
        point_days=sum(one.point_days for one in pieces),
        samples=sum(one.samples for one in pieces),
        calls=sum(one.calls for one in pieces),
        planned_ms=job.created_ms,
        owner=job.owner,
        name=set_name,
    )


def serialize_set(one: SavedSet, runs: Mapping[str, RunResult]) -> SavedSetDocument:
    """A saved set with its last run."""
    return SavedSetDocument(
        name=one.name,
        owner=one.owner,
        site=one.of.site,
        point_count=len(one.of.points),
        points=one.of.points,
        days=one.days,
        hours=one.hours,
        weekdays=tuple(WEEKDAYS[day] for day in one.weekdays),
        changed_at=iso_instant(one.changed_ms),
        last_run=_run(runs.get(one.of.digest)),
    )


async def _patterns(now_ms: int, ports: Ports) -> tuple[PatternDocument, ...]:
    from_hour = hour_of(now_ms - KEEP_DAYS * DAY_MS)
    patterns = await ports.warm_facts.patterns_of_all(from_hour=from_hour, at_most=PATTERNS_LISTED)
    digests = sorted({one.digest for one in patterns})
    sets, runs = await ports.warm_facts.sets(digests), await ports.warm_facts.last_runs(digests)
    return tuple(
        _pattern(one, sets[one.digest], runs, today=now_ms // DAY_MS)
        for one in patterns
        if one.digest in sets
    )


def _pattern(one: Pattern, of: PointSet, runs: Mapping[str, RunResult], *, today: int) -> PatternDocument:
    return PatternDocument(
        site=of.site,
        point_count=len(of.points),
        points=of.points[:LISTED_POINTS],
        first_back=one.window.first_back,
        last_back=one.window.last_back,
        hour=one.hour,
        days=len(one.days),
        asks=one.asks,
        comes_today=one.comes_on(today),
        last_run=_run(runs.get(one.digest)),
    )


async def _budget(now_ms: int, ports: Ports) -> WarmBudgetDocument:
    spent = await ports.warm_facts.spent(from_ms=now_ms // DAY_MS * DAY_MS)
    return WarmBudgetDocument(
        on=not ports.warm_budget.spent,
        samples_per_day=ports.warm_budget.samples,
        calls_per_day=ports.warm_budget.calls,
        samples_today=spent.samples,
        calls_today=spent.calls,
    )


def _run(result: RunResult | None) -> WarmRunDocument | None:
    if result is None:
        return None
    run = result.run
    return WarmRunDocument(
        job_id=run.job_id,
        reason=run.reason,
        first_day=iso_day(run.first_day),
        last_day=iso_day(run.last_day),
        point_days=run.point_days,
        expected_samples=run.samples,
        expected_calls=run.calls,
        planned_at=iso_instant(run.planned_ms),
        status=result.status,
        samples=result.delivered,
        used_at=None if result.used_ms is None else iso_instant(result.used_ms),
    )


def _there(one: SavedSet | None) -> SavedSet:
    if one is None:
        raise NotFound("there is no such saved set; GET /api/warm lists them, PUT /api/warm/<name> saves one")
    return one


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        pattern="/api/warm",
        name="getWarming",
        summary="Saved sets; for admins also what was learned to come again, and the budget.",
        right=Right.JOBS,
        scope=Scope.SETS,
        handler=show_warming,
        answers={200: json_answer("What is fetched ahead.", WarmingDocument)},
        problems=STORE,
    ),
    Endpoint(
        method="POST",
        pattern="/api/warm",
        name="warm",
        summary="Have what is missing of sealed days fetched: of some points, or of a saved set.",
        right=Right.JOBS,
        scope=Scope.SITE,
        handler=warm,
        body=ref("WarmRequest"),
        answers={202: ACCEPTED},
        problems=(NotFound, *STORE, *SENT_BODY),
    ),
    Endpoint(
        method="PUT",
        pattern="/api/warm/{set}",
        name="saveSet",
        summary="Save a set of points, and in which hours it is to be there.",
        right=Right.JOBS,
        scope=Scope.SITE,
        handler=save_set,
        body=ref("SavedSetRequest"),
        answers={200: json_answer("The saved set.", SavedSetDocument)},
        problems=(NotFound, Conflict, *STORE, *SENT_BODY),
    ),
    Endpoint(
        method="DELETE",
        pattern="/api/warm/{set}",
        name="removeSet",
        summary="Remove a saved set. What is stored stays.",
        right=Right.JOBS,
        scope=Scope.SETS,
        handler=remove_set,
        parameters=(SET_OWNER,),
        answers={200: json_answer("The set that was removed.", SavedSetDocument)},
        problems=(NotFound, *STORE, *SENT_BODY),
    ),
)
