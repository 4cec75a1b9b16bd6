"""Parameters of the router's own: lists, results, health, and the parts of paths.

Those of requests for time series and of purges are in `planning/query.py` and `planning/purge_query.py`.
"""

from dataclasses import replace
from typing import Final

from edgeseries.answers.limits import (
    MAX_NAME_CURSOR_CHARS,
    MAX_SEARCH_CHARS,
    POINT_PAGE_MAX_ROWS,
    POINT_PAGE_ROWS,
)
from edgeseries.http.parameters import Choice, Name, Opaque, Parameter, Whole, Words, choice_of
from edgeseries.jobs.limits import JOB_PAGE_MAX_ROWS, JOB_PAGE_ROWS, RESULT_MAX_PARTS
from edgeseries.jobs.states import JobStatus
from edgeseries.limits import MAX_CURSOR_CHARS, MAX_ID_CHARS, MAX_NAME_BYTES
from edgeseries.planning.purge_query import DRY_RUN as PURGE_DRY_RUN
from edgeseries.planning.query import FLAGS, SITE

STATUS: Final = Parameter(name="status", kind=choice_of(JobStatus), description="Only jobs in this state.")
OF_SITE: Final = replace(SITE, required=False, description="Only jobs of this site.")
LIMIT: Final = Parameter(
    name="limit",
    kind=Whole(minimum=1, maximum=JOB_PAGE_MAX_ROWS, default=JOB_PAGE_ROWS),
    description="How many go into one page.",
)
CURSOR: Final = Parameter(
    name="cursor", kind=Opaque(max_chars=MAX_CURSOR_CHARS), description="What the page before gave."
)
PART: Final = Parameter(
    name="part",
    kind=Whole(minimum=1, maximum=RESULT_MAX_PARTS, default=1),
    description="Which part of a result that has several (`resultParts`); with one it may be left out.",
)

POINT_SEARCH: Final = (
    Parameter(
        name="q",
        kind=Words(max_chars=MAX_SEARCH_CHARS),
        description="Only points whose names hold all of these words, whatever their case.",
    ),
    Parameter(name="unit", kind=Words(max_chars=MAX_SEARCH_CHARS), description="Only points of this unit."),
    Parameter(name="kind", kind=Words(max_chars=MAX_SEARCH_CHARS), description="Only points of this kind."),
    Parameter(
        name="has_data",
        kind=Choice(words=tuple(FLAGS)),
        description="`true`: only points of which samples were stored once; `false`: only others.",
    ),
    Parameter(
        name="limit",
        kind=Whole(minimum=1, maximum=POINT_PAGE_MAX_ROWS, default=POINT_PAGE_ROWS),
        description="How many go into one page; all without `limit` and `cursor`.",
    ),
    Parameter(
        name="cursor",
        kind=Opaque(max_chars=MAX_NAME_CURSOR_CHARS),
        description="What the page before gave.",
    ),
)
"""How points of a site are looked for."""

POINT_CURSOR: Final = Parameter(
    name="cursor", kind=Opaque(max_chars=MAX_NAME_CURSOR_CHARS), description="What the page before gave."
)
"""Where a list by names of points goes on."""

DEEPEST: Final = "full"
DEPTHS: Final = {"0": False, "false": False, "1": True, "true": True, DEEPEST: True}
DEEP: Final = Parameter(
    name="deep",
    kind=Choice(words=tuple(DEPTHS), default="0"),
    description=(
        "`1` looks at every part, now; `full` (right `admin`) also finds out what each upstream's "
        "installation takes, or says what was found out within 15 minutes."
    ),
)

DRY_RUN: Final = replace(
    PURGE_DRY_RUN, description="`true`: answer what the request would take, and do nothing."
)

SET_OWNER: Final = Parameter(
    name="owner",
    kind=Words(max_chars=MAX_ID_CHARS),
    description="For admins: whose set is meant, by the id of its key. Left out: the caller's own.",
)

IN_PATH: Final = {
    one.name: one
    for one in (
        Parameter(
            name="site",
            place="path",
            required=True,
            kind=Name(),
            description="The site; a slash in its name is sent as `%2F`.",
        ),
        *(
            Parameter(
                name=f"{folder}_part",
                place="path",
                required=True,
                kind=Opaque(max_chars=len("point=") + MAX_NAME_BYTES),
                description=f"`{folder}=` and which: a folder of a set of files, as its list names it.",
            )
            for folder in ("site", "point", "year")
        ),
        Parameter(
            name="label",
            place="path",
            required=True,
            kind=Opaque(max_chars=MAX_ID_CHARS),
            description="The name of a label.",
        ),
        Parameter(
            name="job",
            place="path",
            required=True,
            kind=Opaque(max_chars=MAX_ID_CHARS),
            description="`jobId`.",
        ),
        Parameter(
            name="key",
            place="path",
            required=True,
            kind=Opaque(max_chars=MAX_ID_CHARS),
            description="`keyId`.",
        ),
        Parameter(
            name="set",
            place="path",
            required=True,
            kind=Opaque(max_chars=MAX_ID_CHARS),
            description="The name of a saved set; a slash in it is sent as `%2F`.",
        ),
        Parameter(
            name="letter",
            place="path",
            required=True,
            kind=Opaque(max_chars=MAX_ID_CHARS),
            description="`letterId`.",
        ),
    )
}
"""What stands for `{name}` in a pattern."""
