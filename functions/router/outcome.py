"""What a handler gives back: a response, and what is worth measuring about how it came to be."""

from dataclasses import dataclass

from edgeseries.answers.answer import json_bytes
from edgeseries.errors import EdgeError
from edgeseries.http.documents import Document, to_json
from edgeseries.http.messages import HttpResponse
from edgeseries.planning.freshness import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A response without the headers that all responses share, and its measures.

    `origin_ms` is the time spent waiting for the upstream, None if it was not asked, and `origin_samples`
    what it delivered. `error` is what the response says, if it is a problem. `verdict` says how much came
    from the store, None where no store is concerned; `unknown_points` are not there; `stored` whether it
    will be there next time, `shared` whether others fetched what this lacked, and this waited for it.
    `body_bytes` are those of a body that leaves as a stream, as far as they are
    known. `site` is set where there is a verdict. `expected_ms` and `expected_samples` (of the upstream) are
    what was expected of it, None where nothing was. `missing_point_days` are sealed days of points that were
    asked for and not stored.
    """

    response: HttpResponse
    error: EdgeError | None = None
    route: str = ""
    origin_ms: int | None = None
    point_count: int = 0
    sample_count: int = 0
    origin_samples: int = 0
    verdict: Verdict | None = None
    stored: bool = False
    shared: bool = False
    body_bytes: int = 0
    unknown_points: tuple[str, ...] = ()
    site: str = ""
    expected_samples: int = 0
    expected_ms: int | None = None
    missing_point_days: int = 0


def json_outcome(document: Document, *, status: int = 200, origin_ms: int | None = None) -> Outcome:
    """An outcome whose body is a JSON document. `origin_ms` is the time spent waiting for the upstream."""
    return Outcome(
        response=HttpResponse(
            status=status, headers={"Content-Type": "application/json"}, body=json_bytes(to_json(document))
        ),
        origin_ms=origin_ms,
    )
