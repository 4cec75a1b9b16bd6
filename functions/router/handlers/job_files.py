"""`/api/jobs/{job}/files`: a job's result as a set of Parquet files, one a point and year, in folders whose
names say which (Hive's way of partitioning): what query engines read as one table.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from edgeseries.access.grants import Right
from edgeseries.answers.limits import FILES_PAGE_POINTS
from edgeseries.answers.presentation import Presentation
from edgeseries.answers.result_format import ResultFormat, media_type_of
from edgeseries.errors import Conflict, Fault, Gone, InvalidRequest, NotFound
from edgeseries.http.documents import Document, Moment, Section
from edgeseries.limits import SECOND_MS
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.timerange import TimeRange, instant_ms, iso_instant
from router.contract import headers
from router.contract.answers import NOT_MODIFIED, ORIGIN, RESULT_HEADERS, STORE, Answer, json_answer
from router.contract.parameters import POINT_CURSOR
from router.endpoint import Arrival, Endpoint, Scope
from router.handlers.jobs import completed_query, the_job
from router.job_result import result_outcome
from router.outcome import Outcome, json_outcome
from router.parameters import read_fields
from router.ports import Ports
from router.serializers import name_after, point_cursor, status_url

FILE_NAME: Final = "data.parquet"
PARTS: Final = ("site", "point", "year")
PARQUET: Final = Presentation(format=ResultFormat.PARQUET, partitioned=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFileDocument(Section):
    """One file. `path` is where it belongs in a folder of them, `url` where it is."""

    path: str
    url: str
    point: str
    start_time: Moment
    end_time: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFilesDocument(Document):
    """A page of a result's files. Format: `docs/formats/results.md`."""

    files: tuple[ResultFileDocument, ...]
    count: int
    cursor: str | None


async def list_files(arrival: Arrival, ports: Ports) -> Outcome:
    """GET: the files of a completed job's result, by point and year."""
    fields = read_fields(arrival.request, arrival.endpoint.parameters)
    after = None if "cursor" not in fields else name_after(fields["cursor"])
    job = await the_job(arrival, ports)
    query = _samples_alone(await completed_query(job, ports))
    points = [point for point in query.points if after is None or point > after]
    page = points[:FILES_PAGE_POINTS]
    files = tuple(
        _file(job.job_id, query.site, point, part) for point in page for part in years_of(query.span)
    )
    return json_outcome(
        ResultFilesDocument(
            files=files,
            count=len(files),
            cursor=point_cursor(page[-1]) if len(page) < len(points) else None,
        )
    )


async def show_file(arrival: Arrival, ports: Ports) -> Outcome:
    """GET: one file, streamed. Raises NotFound for one that the list does not name."""
    job = await the_job(arrival, ports)
    query = _samples_alone(await completed_query(job, ports))
    site = _value_of("site", arrival.path_parameters["site_part"])
    point = _value_of("point", arrival.path_parameters["point_part"])
    year = _value_of("year", arrival.path_parameters["year_part"])
    part = next((one for one in years_of(query.span) if str(_year(one)) == year), None)
    if part is None or point not in query.points or site != query.site:
        raise NotFound(f"the result has no such file; GET {status_url(job.job_id)}/files lists them")
    own = replace(query, points=(point,), span=part)
    outcome = await result_outcome(job, own, PARQUET, arrival.request, ports)
    named = {**outcome.response.headers, "Content-Disposition": f'inline; filename="{FILE_NAME}"'}
    return replace(outcome, response=replace(outcome.response, headers=named))


def years_of(span: TimeRange) -> Iterator[TimeRange]:
    """The parts of a range by calendar years (UTC)."""
    start_ms = span.start_ms
    while start_ms < span.end_ms:
        year = datetime.fromtimestamp(start_ms // SECOND_MS, UTC).year
        end_ms = min(span.end_ms, instant_ms(datetime(year + 1, 1, 1, tzinfo=UTC)))
        yield TimeRange(start_ms=start_ms, end_ms=end_ms)
        start_ms = end_ms


def _samples_alone(query: TimeseriesQuery) -> TimeseriesQuery:
    """The query of a result that is samples: buckets do not end where years do."""
    if query.question is not None:
        detail = "a result of buckets is one file: .../result?format=parquet"
        raise InvalidRequest((Fault(parameter="job", detail=detail),))
    return query


def _file(job_id: str, site: str, point: str, part: TimeRange) -> ResultFileDocument:
    values = (site, point, str(_year(part)))
    folders = [f"{name}={quote(value, safe='')}" for name, value in zip(PARTS, values, strict=True)]
    path = "/".join((*folders, FILE_NAME))
    return ResultFileDocument(
        path=path,
        url=f"{status_url(job_id)}/files/{path}",
        point=point,
        start_time=iso_instant(part.start_ms),
        end_time=iso_instant(part.end_ms),
    )


def _value_of(name: str, folder: str) -> str | None:
    """What a folder `name=value` says."""
    key, mark, value = folder.partition("=")
    return value if key == name and mark else None


def _year(part: TimeRange) -> int:
    return datetime.fromtimestamp(part.start_ms // SECOND_MS, UTC).year


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        pattern="/api/jobs/{job}/files",
        name="listJobFiles",
        summary="The result of a completed job as a set of Parquet files, by point and year.",
        right=Right.JOBS,
        scope=Scope.JOBS,
        handler=list_files,
        parameters=(POINT_CURSOR,),
        answers={200: json_answer("A page of files.", ResultFilesDocument)},
        problems=(NotFound, Conflict, Gone, *STORE),
    ),
    Endpoint(
        method="GET",
        pattern=f"/api/jobs/{{job}}/files/{{site_part}}/{{point_part}}/{{year_part}}/{FILE_NAME}",
        name="getJobFile",
        summary="One of them: the columns of `format=parquet` but for `point`, which its folder says.",
        right=Right.JOBS,
        scope=Scope.JOBS,
        handler=show_file,
        parameters=(headers.IF_NONE_MATCH,),
        answers={
            200: Answer(
                description="The file, streamed.",
                bodies={media_type_of(ResultFormat.PARQUET): {"type": "string"}},
                headers=(*RESULT_HEADERS, "X-Route-Type"),
            ),
            304: NOT_MODIFIED,
        },
        problems=(NotFound, Conflict, Gone, *ORIGIN, *STORE),
    ),
)
