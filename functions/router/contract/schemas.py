"""JSON Schemas (2020-12) that no document declares: bodies that callers send, arrays of two, events.

Those of answers are made of the dataclasses that are sent (`http/documents.py`).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from edgeseries.access.grants import Right
from edgeseries.answers.presentation import PRESENTATION
from edgeseries.http.documents import Given, ref
from edgeseries.http.parameters import Name, Parameter, Schema
from edgeseries.jobs.job import Priority
from edgeseries.jobs.states import ACTIVE, JobStatus
from edgeseries.limits import KEY_MAX_SITES, MAX_ID_CHARS, MAX_OWNER_CHARS, MAX_POINTS
from edgeseries.planning.query import END_TIME, POINTS, PREVIOUS, ROUTE, SITE, START_TIME, USER_ID
from edgeseries.questions.parameters import QUESTION
from edgeseries.questions.question import Aggregate
from edgeseries.rates import Tier
from edgeseries.warming.asks import DAY_HOURS
from edgeseries.warming.limits import SAVED_DAYS_MAX, SET_MAX_POINTS
from edgeseries.warming.patterns import WEEKDAYS
from edgeseries.warming.saved_sets import DEFAULT_DAYS

TEXT: Final[Schema] = {"type": "string"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
VALUE: Final[Schema] = {"type": ["number", "string", "boolean", "null"]}
DAY: Final[Schema] = {"type": "string", "format": "date"}

FLAG: Final[Schema] = {"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["true", "false"]}]}

SET_DAYS: Final[Schema] = {
    "type": "integer",
    "minimum": 1,
    "maximum": SAVED_DAYS_MAX,
    "default": DEFAULT_DAYS,
    "description": "So many days before today.",
}

PROGRESS: Final = "progress"
"""The name of events of a job that is under way; the last one is named by how it ended."""


def words(*values: str) -> dict[str, Any]:
    """One of some texts."""
    return {"type": "string", "enum": [str(value) for value in values]}


def listed(schema: Schema, **bounds: int) -> dict[str, Any]:
    """An array of it."""
    return {"type": "array", "items": schema, **bounds}


def _body(parameters: tuple[Parameter, ...], **more: Schema) -> dict[str, Any]:
    """A JSON body with the fields of some parameters. What nobody knows is refused."""
    fields: dict[str, Any] = {}
    for one in parameters:
        most = MAX_POINTS if one is POINTS else len(Aggregate)
        kind = listed(one.kind.schema, minItems=1, maxItems=most) if one.listed else one.kind.schema
        fields[one.name] = {"description": one.description, "allOf": [kind]}
    return {
        "type": "object",
        "properties": {**fields, **more},
        "required": [one.name for one in parameters if one.required or one is POINTS],
        "additionalProperties": False,
    }


QUERY_FIELDS: Final = (SITE, POINTS, START_TIME, END_TIME, ROUTE, PREVIOUS, *QUESTION, USER_ID)

SCHEMAS: Final[Mapping[str, Schema]] = {
    "Columns": {
        "type": "object",
        "additionalProperties": {
            "anyOf": [
                listed(VALUE),
                {
                    "type": "object",
                    "properties": {"time": listed({"type": "number"}), "value": listed(VALUE)},
                    "required": ["time", "value"],
                },
            ]
        },
        "description": "`format=columns`: arrays of equal length, `time` and one a series; or two for each.",
    },
    "DayRange": {
        "type": "array",
        "prefixItems": [DAY, DAY],
        "minItems": 2,
        "maxItems": 2,
        "description": "The first day and the last, both held.",
    },
    "Event": {
        "type": "object",
        "properties": {
            "id": TEXT,
            "event": words(PROGRESS, *(status for status in JobStatus if status not in ACTIVE)),
            "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": ref("Job")},
            "retry": COUNT,
        },
        "description": "A server-sent event.",
    },
    "JobRequest": _body(
        QUERY_FIELDS, dry_run=FLAG, priority={**words(*Priority), "default": str(Priority.NORMAL)}
    ),
    # `["*"]` for sites stands for all, and goes with no other name.
    "KeyRequest": {
        "type": "object",
        "properties": {
            "owner": {"type": "string", "minLength": 1, "maxLength": MAX_OWNER_CHARS, "pattern": "^[ -~]+$"},
            "sites": listed(Name().schema, minItems=1, maxItems=KEY_MAX_SITES),
            "rights": listed(words(*Right), minItems=1),
            "tier": {**words(*Tier), "default": str(Tier.STANDARD)},
        },
        "required": ["owner", "sites", "rights"],
        "additionalProperties": False,
    },
    "SavedSetRequest": {
        "type": "object",
        "properties": {
            "site": Name().schema,
            "points": listed(Name().schema, minItems=1, maxItems=SET_MAX_POINTS),
            "days": SET_DAYS,
            "hours": listed({"type": "integer", "minimum": 0, "maximum": DAY_HOURS - 1}),
            "weekdays": listed(words(*WEEKDAYS), minItems=1),
        },
        "required": ["site", "points"],
        "additionalProperties": False,
    },
    "WarmRequest": {
        "type": "object",
        "properties": {
            "set": {"type": "string", "minLength": 1, "maxLength": MAX_ID_CHARS},
            "site": Name().schema,
            "points": listed(Name().schema, minItems=1, maxItems=MAX_POINTS),
            "days": SET_DAYS,
            "start_time": START_TIME.kind.schema,
            "end_time": END_TIME.kind.schema,
        },
        "additionalProperties": False,
    },
    "Rows": listed(
        {
            "type": "object",
            "properties": {
                "point": TEXT,
                "aggregate": TEXT,
                "time": {"type": "string", "format": "date-time"},
                "value": VALUE,
            },
            "required": ["point", "time", "value"],
        }
    ),
    "Sample": {
        "type": "array",
        "prefixItems": [COUNT, VALUE],
        "minItems": 2,
        "maxItems": 2,
        "description": "UTC epoch milliseconds, and the value.",
    },
    "RangeRequest": _body(QUERY_FIELDS),
    "TimeseriesRequest": _body((*QUERY_FIELDS, *PRESENTATION), dry_run=FLAG),
}
"""By their names in the contract."""

DayRange = Annotated[list[str], Given(ref("DayRange"))]
"""The first day and the last, both held."""
