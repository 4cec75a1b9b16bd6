"""What the client does, as flows: one list of steps for those who block and those who do not."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote

from edgeseries_client.assembly import assemble, format_for
from edgeseries_client.decoding import JSON, accepted, result_of
from edgeseries_client.errors import UnknownPoints
from edgeseries_client.jobs import Job, follow, pages
from edgeseries_client.question import Question
from edgeseries_client.retrying import RetryPolicy, asked
from edgeseries_client.series import Result, joined
from edgeseries_client.sites import SiteNames
from edgeseries_client.spool import Spool
from edgeseries_client.steps import Call, Flow, Stream

Missing = Literal["raise", "ignore"]

TIMESERIES: Final = "/api/timeseries"
ACCEPTED: Final = 202


def document(path: str, query: Mapping[str, Any], policy: RetryPolicy) -> Flow[Any]:
    """A JSON document; parameters that are None are left out."""
    given = tuple((name, str(value)) for name, value in query.items() if value is not None)
    answer = yield from asked(Call(method="GET", path=path, query=given), policy)
    return json.loads(answer.body)


def sites(policy: RetryPolicy) -> Flow[SiteNames]:
    """Names of sites. Warns of upstreams that did not list theirs."""
    return SiteNames.from_document((yield from document("/api/sites", {}, policy)))


def points(site: str, filters: Mapping[str, Any], policy: RetryPolicy) -> Flow[list[dict[str, Any]]]:
    """Points of a site that fit: name, unit, kind, interval. Filters that are None are left out."""
    given = {name: value for name, value in filters.items() if value is not None}
    words = {True: "true", False: "false"}
    query = tuple((name, words.get(value, str(value))) for name, value in given.items())
    path = f"/api/sites/{quote(site, safe='')}/points"
    return (yield from pages(path, "points", query, policy, limit=None))


def read(question: Question, *, missing: Missing, arrow: bool, policy: RetryPolicy) -> Flow[Result]:
    """The series of a question, at once or by a job, whatever its size.

    With `arrow` they come as an Arrow stream if both sides can. Points without samples are not in one, so
    these are asked for once more, as JSON, which says why.
    Raises: UnknownPoints unless missing is "ignore"; JobEnded; ProblemError; ConnectionFault.
    """
    results: list[Result] = []
    for part in question.slices():
        found = yield from answered(part, accepted(arrow=arrow), policy)
        known = {one.point for one in found.series.values()}
        absent = tuple(name for name in part.points if name not in known)
        if arrow and absent:
            silent = yield from answered(replace(part, points=absent), JSON, policy)
            found = replace(found, series={**found.series, **silent.series})
        results.append(found)
    result = joined(results)
    if result.errors and missing == "raise":
        raise UnknownPoints(result.errors)
    return result


def answered(question: Question, accept: str, policy: RetryPolicy) -> Flow[Result]:
    """The series of a question of one request, as the server has them."""
    headers = {"Accept": accept}
    call = Call(method="POST", path=TIMESERIES, json=question.body(), headers=headers)
    answer = yield from asked(call, policy)
    if answer.status != ACCEPTED:
        return result_of(answer)
    job = yield from follow(Job.from_document(json.loads(answer.body)), policy)
    found = []
    for number in range(1, job.result_parts + 1):
        part = Call(method="GET", path=result_path(job), query=(("part", str(number)),), headers=headers)
        answer = yield from asked(part, policy)
        found.append(result_of(answer))
    return joined(found)


def result_path(job: Job) -> str:
    """Where the result of a job is."""
    return f"/api/jobs/{quote(job.job_id, safe='')}/result"


def job_of(question: Question, priority: str, policy: RetryPolicy) -> Flow[Job]:
    """Make the job of a question, or join the one that it has. Raises ValueError for too many points."""
    parts = question.slices()
    if len(parts) > 1:
        raise ValueError(f"{len(question.points):,} points are more than one job takes; ask in several")
    fields = question.body() | {"priority": priority}
    answer = yield from asked(Call(method="POST", path="/api/jobs", json=fields), policy)
    return Job.from_document(json.loads(answer.body))


def save(question: Question, target: Path, *, policy: RetryPolicy) -> Flow[Path]:
    """A question's samples in a file, however many: the answer, or the parts of the result of its job.

    A download that broke off is gone on with when the same is saved to the same file again.
    Returns: the file. Raises: ValueError, JobEnded, ProblemError, ConnectionFault, MissingLibrary.
    """
    chosen = format_for(target)
    if len(question.slices()) > 1:
        raise ValueError(f"{len(question.points):,} points are more than one file takes; save several")
    body = question.body() | {"format": chosen}
    spool = Spool(target, json.dumps(body, sort_keys=True), kind="answer")
    sink = spool.part(1)
    call = Call(method="POST", path=TIMESERIES, json=body)
    answer = yield from asked(Stream(call=call, sink=sink), policy)
    if answer.status == ACCEPTED:
        spool.remove()
        job = yield from follow(Job.from_document(json.loads(answer.body)), policy)
        return (yield from save_job(job, target, chosen=chosen, policy=policy))
    sink.end()
    assemble([sink.path], target)
    spool.remove()
    return target


def save_job(job: Job, target: Path, *, chosen: str, policy: RetryPolicy) -> Flow[Path]:
    """The result of a completed job in a file."""
    spool = Spool(target, f"{job.job_id} {chosen}")
    sinks = [spool.part(number) for number in range(1, job.result_parts + 1)]
    for number, sink in enumerate(sinks, 1):
        if sink.complete:
            continue
        call = Call(method="GET", path=result_path(job), query=(("format", chosen), ("part", str(number))))
        yield from asked(Stream(call=call, sink=sink), policy)
        sink.end()
    assemble([sink.path for sink in sinks], target)
    spool.remove()
    return target


def latest(
    site: str, names: tuple[str, ...] | None, more: Mapping[str, Any], policy: RetryPolicy
) -> Flow[dict[str, Any]]:
    """The last sample of each point: the document of `/api/latest`."""
    given = [("site", site), *(("point", name) for name in names or ())]
    given += [(name, str(value)) for name, value in more.items() if value is not None]
    answer = yield from asked(Call(method="GET", path="/api/latest", query=tuple(given)), policy)
    found: dict[str, Any] = json.loads(answer.body)
    return found


def coverage(question: Question, policy: RetryPolicy) -> Flow[dict[str, Any]]:
    """Which days are stored, empty, missing, live: the document of `/api/coverage`."""
    fields = {name: value for name, value in question.body().items() if name in RANGE_FIELDS}
    answer = yield from asked(Call(method="POST", path="/api/coverage", json=fields), policy)
    found: dict[str, Any] = json.loads(answer.body)
    return found


def warm(site: str, points: tuple[str, ...], days: int, policy: RetryPolicy) -> Flow[Job]:
    """The job that fetches what is not stored of the days before today."""
    fields = {"site": site, "points": list(points), "days": days}
    answer = yield from asked(Call(method="POST", path="/api/warm", json=fields), policy)
    return Job.from_document(json.loads(answer.body))


def document_of(call: Call, policy: RetryPolicy) -> Flow[Any]:
    """One request, and the JSON that it is answered with."""
    answer = yield from asked(call, policy)
    return json.loads(answer.body)


RANGE_FIELDS: Final = frozenset({"site", "points", "start_time", "end_time"})
