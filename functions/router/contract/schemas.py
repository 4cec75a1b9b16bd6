"""JSON Schemas (2020-12) of bodies: time series, coverage, purges, lists, health, problems.

Fields are only ever added, so objects are open. Jobs and statistics have files of their own.
"""

from typing import Any, Final

from edgeseries.http.parameters import Parameter, Schema
from edgeseries.jobs.job import Priority
from edgeseries.limits import MAX_POINTS
from edgeseries.planning.query import END_TIME, POINTS, ROUTE, SITE, START_TIME, USER_ID
from edgeseries.planning.routing import Route

TEXT: Final[Schema] = {"type": "string"}
FLAG: Final[Schema] = {"type": "boolean"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
NUMBER: Final[Schema] = {"type": "number"}
MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
DAY: Final[Schema] = {"type": "string", "format": "date"}


def words(*values: str) -> dict[str, Any]:
    """One of some texts."""
    return {"type": "string", "enum": [str(value) for value in values]}


def maybe(schema: Schema) -> dict[str, Any]:
    """It, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def listed(schema: Schema, **bounds: int) -> dict[str, Any]:
    """An array of it."""
    return {"type": "array", "items": schema, **bounds}


def mapped(schema: Schema) -> dict[str, Any]:
    """An object whose every value is it."""
    return {"type": "object", "additionalProperties": schema}


def record(**fields: Schema) -> dict[str, Any]:
    """An object that has all of these fields."""
    return {"type": "object", "properties": fields, "required": list(fields)}


def ref(name: str) -> dict[str, Any]:
    """A schema by its name in the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def _body(parameters: tuple[Parameter, ...], **more: Schema) -> dict[str, Any]:
    """A JSON body with the fields of some parameters. What nobody knows is refused."""
    fields: dict[str, Any] = {}
    for one in parameters:
        kind = listed(one.kind.schema, minItems=1, maxItems=MAX_POINTS) if one.listed else one.kind.schema
        fields[one.name] = {"description": one.description, "allOf": [kind]}
    return {
        "type": "object",
        "properties": {**fields, **more},
        "required": [one.name for one in parameters if one.required or one.listed],
        "additionalProperties": False,
    }


QUERY_FIELDS: Final = (SITE, POINTS, START_TIME, END_TIME, ROUTE, USER_ID)

TIMESERIES_REQUEST: Final = _body(QUERY_FIELDS)
JOB_REQUEST: Final = _body(QUERY_FIELDS, priority={**words(*Priority), "default": str(Priority.NORMAL)})

SAMPLE: Final[Schema] = {
    "type": "array",
    "prefixItems": [COUNT, {"type": ["number", "string", "boolean", "null"]}],
    "minItems": 2,
    "maxItems": 2,
    "description": "UTC epoch milliseconds, and the value.",
}

SERIES: Final = record(samples=listed(ref("Sample")), count=COUNT, error=maybe(TEXT))

TIMESERIES_ANSWER: Final = record(
    data=mapped(ref("Series")),
    _meta=record(site=TEXT, startTime=MOMENT, endTime=MOMENT, pointCount=COUNT, sampleCount=COUNT),
)

DAY_RANGE: Final[Schema] = {
    "type": "array",
    "prefixItems": [DAY, DAY],
    "minItems": 2,
    "maxItems": 2,
    "description": "The first day and the last, both held.",
}
DAYS: Final = record(days=COUNT, ranges=maybe(listed(ref("DayRange"))))

COVERAGE: Final = record(
    site=TEXT,
    startTime=MOMENT,
    endTime=MOMENT,
    settleLagSeconds=COUNT,
    firstUnsealedDay=DAY,
    live=maybe(ref("DayRange")),
    totals=record(
        points=COUNT,
        storedDays=COUNT,
        emptyDays=COUNT,
        rereadDays=COUNT,
        missingDays=COUNT,
        liveDays=COUNT,
        estimatedMissingSamples=COUNT,
        estimatedAnswerSamples=COUNT,
        route=words(*Route),
    ),
    complete=FLAG,
    groups=listed(
        record(
            pointCount=COUNT,
            stored=ref("Days"),
            empty=ref("Days"),
            missing=ref("Days"),
            points=listed(TEXT),
        )
    ),
)

PURGED: Final = record(
    blocks=COUNT,
    storedBytes=COUNT,
    dryRun=FLAG,
    site=TEXT,
    pointCount=maybe(COUNT),
    days=maybe(ref("DayRange")),
)

SITES: Final = record(sites=listed(record(name=TEXT, title=maybe(TEXT))), count=COUNT)

SITE_POINTS: Final = record(
    site=TEXT,
    points=listed(
        record(name=TEXT, unit=maybe(TEXT), kind=maybe(TEXT), intervalSeconds=maybe({"type": "integer"}))
    ),
    count=COUNT,
)

PART: Final[Schema] = {
    **record(status=words("ok", "failing"), durationMs=COUNT, fault=maybe(TEXT)),
    "additionalProperties": COUNT,
}

HEALTH: Final[Schema] = {
    "type": "object",
    "properties": {"status": words("ok", "failing"), "parts": mapped(PART)},
    "required": ["status"],
}

FAULT: Final = record(parameter=TEXT, detail=TEXT)

ANY_OBJECT: Final[Schema] = {"type": "object"}
