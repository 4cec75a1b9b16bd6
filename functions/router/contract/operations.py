"""The table of everything that can be asked: path, method, what it takes, what it may answer."""

from collections.abc import Mapping
from typing import Final

from edgeseries.errors import Conflict, Gone, NotFound, StoreUnavailable
from edgeseries.planning.purge_query import PURGE
from edgeseries.planning.query import TIMESERIES, USER_ID
from router.contract import headers, schemas
from router.contract.parameters import CURSOR, DEEP, FORMAT, LIMIT, OF_SITE, PART, STATUS
from router.contract.values import ORIGIN, SENT_BODY, Answer, Operation, json_answer

STORE: Final = (StoreUnavailable,)
TAGGED: Final = ("ETag", "Vary")
ROUTED: Final = ("X-Route-Type", "Cache-Status", "X-Cache-Hit")
JOB_HEADERS: Final = ("Location", "Retry-After", "X-Route-Type", "Preference-Applied")
RESULT_HEADERS: Final = (*TAGGED, "Content-Disposition", "Content-Encoding", "Preference-Applied")

ACCEPTED: Final = json_answer("The job of this request.", schemas.ref("AcceptedJob"), *JOB_HEADERS)
KNOWN: Final = Answer(told="The caller has this content.", headers=(*RESULT_HEADERS, *ROUTED))
SERIES: Final = json_answer("The samples.", schemas.ref("TimeseriesAnswer"), *RESULT_HEADERS, *ROUTED)

ASKING_HEADERS: Final = (
    headers.CACHE_CONTROL,
    headers.IF_NONE_MATCH,
    headers.ACCEPT_ENCODING,
    headers.PREFER,
)
ASKING: Final = (*TIMESERIES, USER_ID, *ASKING_HEADERS)

LIST_JOBS: Final = Operation(
    name="listJobs",
    told="Jobs, the newest first.",
    parameters=(STATUS, OF_SITE, LIMIT, CURSOR),
    answers={200: json_answer("A page.", schemas.ref("Jobs"))},
    problems=STORE,
)
SHOW_RESULT: Final = Operation(
    name="getJobResult",
    told="All that a completed job fetched.",
    parameters=(FORMAT, PART, headers.IF_NONE_MATCH),
    answers={
        200: Answer(
            told="The result, streamed.",
            bodies={
                "application/json": schemas.ref("TimeseriesAnswer"),
                "application/x-ndjson": schemas.TEXT,
                "text/csv": schemas.TEXT,
            },
            headers=(*RESULT_HEADERS, "Link", "X-Route-Type"),
        ),
        304: KNOWN,
    },
    problems=(NotFound, Conflict, Gone, *STORE),
)
LIST_LETTERS: Final = Operation(
    name="listDeadLetters",
    told="Messages that were given up, the newest first.",
    parameters=(LIMIT, CURSOR),
    answers={200: json_answer("A page.", schemas.ref("DeadLetters"))},
    problems=STORE,
)
LIST_KEYS: Final = Operation(
    name="listKeys",
    told="All API keys, revoked ones too, by id.",
    parameters=(LIMIT, CURSOR),
    answers={200: json_answer("A page.", schemas.ref("Keys"))},
    problems=STORE,
)
HEALTH: Final = Operation(
    name="getHealth",
    told="That this Worker answers; with `deep=1` every part that answers depend on, looked at now.",
    parameters=(DEEP,),
    answers={
        200: json_answer("All is well.", schemas.ref("Health")),
        503: json_answer("A part does not answer.", schemas.ref("Health")),
    },
)

OPERATIONS: Final[Mapping[str, Mapping[str, Operation]]] = {
    "/api/timeseries": {
        "GET": Operation(
            name="getTimeseries",
            told="Samples of some points of a site in [start_time, end_time).",
            parameters=ASKING,
            answers={200: SERIES, 202: ACCEPTED, 304: KNOWN},
            problems=(NotFound, *ORIGIN, *STORE),
        ),
        "POST": Operation(
            name="postTimeseries",
            told="The same with the fields as JSON, for long lists of points.",
            parameters=ASKING_HEADERS,
            body=schemas.ref("TimeseriesRequest"),
            answers={200: SERIES, 202: ACCEPTED},
            problems=(NotFound, *ORIGIN, *STORE, *SENT_BODY),
        ),
    },
    "/api/coverage": {
        "GET": Operation(
            name="getCoverage",
            told="What is stored of a request, and how it would be answered. Nothing is fetched.",
            parameters=(*TIMESERIES, USER_ID),
            answers={200: json_answer("Coverage.", schemas.ref("Coverage"))},
            problems=(NotFound, *STORE),
        ),
        "POST": Operation(
            name="postCoverage",
            told="The same with the fields as JSON.",
            body=schemas.ref("TimeseriesRequest"),
            answers={200: json_answer("Coverage.", schemas.ref("Coverage"))},
            problems=(NotFound, *STORE, *SENT_BODY),
        ),
    },
    "/api/cache": {
        "DELETE": Operation(
            name="purgeCache",
            told="Remove what is stored of a site: points and times left out mean all of them. Nothing "
            "that was fetched before is stored after it.",
            parameters=(*PURGE, USER_ID),
            answers={200: json_answer("What went, or would go.", schemas.ref("Purged"))},
            problems=(NotFound, *STORE, *SENT_BODY),
        ),
    },
    "/api/sites": {
        "GET": Operation(
            name="listSites",
            told="Every site, by name.",
            answers={200: json_answer("The sites.", schemas.ref("Sites"))},
            problems=(NotFound, *ORIGIN),
        ),
    },
    "/api/sites/{site}/points": {
        "GET": Operation(
            name="listPoints",
            told="Every point of a site, by name, with what the upstream says of it.",
            answers={200: json_answer("The points.", schemas.ref("SitePoints"))},
            problems=(NotFound, *ORIGIN),
        ),
    },
    "/api/jobs": {
        "GET": LIST_JOBS,
        "POST": Operation(
            name="makeJob",
            told="A job of any size; the same request joins the job that it has.",
            parameters=(headers.PREFER,),
            body=schemas.ref("JobRequest"),
            answers={200: SERIES, 202: ACCEPTED},
            problems=(NotFound, *STORE, *SENT_BODY),
        ),
    },
    "/api/jobs/{job}": {
        "GET": Operation(
            name="getJob",
            told="How a job stands.",
            answers={200: json_answer("The job.", schemas.ref("Job"))},
            problems=(NotFound, *STORE),
        ),
        "DELETE": Operation(
            name="cancelJob",
            told="Stop a job within one upstream call. What it has stored stays.",
            answers={200: json_answer("The cancelled job.", schemas.ref("CancelledJob"))},
            problems=(NotFound, Conflict, *STORE, *SENT_BODY),
        ),
    },
    "/api/jobs/{job}/result": {"GET": SHOW_RESULT},
    "/api/jobs/{job}/events": {
        "GET": Operation(
            name="followJob",
            told="Server-sent events, each with the whole job, until it ends.",
            parameters=(headers.LAST_EVENT_ID,),
            answers={
                200: Answer(told="The stream.", bodies={"text/event-stream": schemas.ref("Event")}),
                204: Answer(told="The caller knows already how the job ended."),
            },
            problems=(NotFound, *STORE),
        ),
    },
    "/api/jobs/{job}/retry": {
        "POST": Operation(
            name="retryJob",
            told="Take up a failed or cancelled job where it stopped.",
            answers={202: json_answer("The job.", schemas.ref("Job"))},
            problems=(NotFound, Conflict, Gone, *STORE, *SENT_BODY),
        ),
    },
    "/api/keys": {
        "GET": LIST_KEYS,
        "POST": Operation(
            name="makeKey",
            told="A new API key, which is told once.",
            body=schemas.ref("KeyRequest"),
            answers={201: json_answer("The key.", schemas.ref("MadeKey"), "Location")},
            problems=(Conflict, *STORE, *SENT_BODY),
        ),
    },
    "/api/keys/{key}": {
        "GET": Operation(
            name="getKey",
            told="An API key, without its secret.",
            answers={200: json_answer("The key.", schemas.ref("Key"))},
            problems=(NotFound, *STORE),
        ),
        "DELETE": Operation(
            name="revokeKey",
            told="Revoke an API key; it dies within a minute.",
            answers={200: json_answer("The key.", schemas.ref("Key"))},
            problems=(NotFound, *STORE, *SENT_BODY),
        ),
    },
    "/api/queue/dlq": {"GET": LIST_LETTERS},
    "/api/queue/dlq/{letter}/replay": {
        "POST": Operation(
            name="replayDeadLetter",
            told="Take up the job of a dead letter again, or send a letter about no job as it was.",
            answers={202: json_answer("The letter and its job.", schemas.ref("Replayed"))},
            problems=(NotFound, Conflict, *STORE, *SENT_BODY),
        ),
    },
    "/api/health": {"GET": HEALTH},
    "/api/stats": {
        "GET": Operation(
            name="getStatistics",
            told="What is stored, what was asked, what jobs did, what it costs.",
            answers={200: json_answer("Statistics.", schemas.ref("Statistics"))},
            problems=STORE,
        ),
    },
    "/api/metrics": {
        "GET": Operation(
            name="getMetrics",
            told="The statistics as Prometheus reads them.",
            answers={200: Answer(told="Metrics.", bodies={"text/plain": schemas.TEXT})},
            problems=STORE,
        ),
    },
    "/api/openapi.json": {
        "GET": Operation(
            name="getOpenapi",
            told="This document.",
            parameters=(headers.IF_NONE_MATCH,),
            answers={
                200: json_answer("OpenAPI 3.1.", schemas.ANY_OBJECT, *TAGGED),
                304: Answer(told="The caller has this content.", headers=TAGGED),
            },
        ),
    },
}
