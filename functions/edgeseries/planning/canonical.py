"""Digests of requests: what names answers, jobs and results. Format: `docs/formats/storage.md`.

Every digest is made of `TimeseriesQuery.canonical()`, here and nowhere else, so that a parameter that is
added to a query is in all of them.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from edgeseries.planning.query import TimeseriesQuery

ANSWER_VERSION: Final = "answer/v1"
"""Leads the digest of a cached answer: with another format of answers no old one is found."""

JOB_VERSION: Final = "job/v1"
"""Leads the digest of a job: with another meaning of jobs no old one is joined."""

RESULT_VERSION: Final = "result/v3"
"""Leads the digest of a job's result: with another format no old ETag fits."""


def digest_of(query: TimeseriesQuery, *, version: str, context: Sequence[object] = ()) -> str:
    """SHA-256, hexadecimal, of a query in canonical form. Equal queries have one digest, whatever route
    they force.

    `version` names what the digest is for. `context` holds what counts beside the query, as JSON values:
    the owner of a job, the format of a result.
    """
    form = [version, *context, *query.canonical()]
    return sha256(json.dumps(form, separators=(",", ":")).encode()).hexdigest()
