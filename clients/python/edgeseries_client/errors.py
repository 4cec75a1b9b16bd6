"""What can go wrong, cut by what to do about it.

EdgeSeriesError
├── ProblemError            the server said no: problem+json (RFC 9457), one class for each thing to do
│   ├── InvalidRequest      400            mend the request: `faults` lists every parameter
│   ├── Unidentified        401            send a key that is known and not revoked
│   ├── Forbidden           403            the key lacks a right or a site
│   ├── NotFound            404, 410       the path, site or job is not there, or not any more
│   ├── Conflict            409            it is in no state for this
│   ├── TooLarge            413            ask for a shorter range or fewer points
│   ├── RateLimited         429            wait `retry_after_s`
│   ├── UpstreamFault       502, 504       the vendor is not well: try again later
│   ├── Unavailable         503            a part of the server is not well: try again later
│   └── ServerFault         other 5xx      tell the operator the `request_id`
├── ConnectionFault         no answer, or one that broke off
├── JobEnded                a job failed or was cancelled: `job` says why
├── UnknownPoints           the site has no points of these names
├── MixedValues             texts and numbers in one column of an Arrow table
└── MissingLibrary          what was asked for needs a package that is not installed
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from edgeseries_client.jobs import Job


class EdgeSeriesError(Exception):
    """The root of all errors of this package."""


class ConnectionFault(EdgeSeriesError):
    """The server gave no answer, or its answer broke off before its end."""


class MissingLibrary(EdgeSeriesError):
    """What was asked for needs a package that is not installed; the text says how to install it."""


class MixedValues(EdgeSeriesError):
    """A point holds values of several kinds, which no column of Arrow or polars can: the text says more."""


class UnknownPoints(EdgeSeriesError):
    """The site has no points of these names. `reasons` has what the server says of each."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        told = "; ".join(f"{name}: {reason}" for name, reason in sorted(self.reasons.items()))
        super().__init__(f'{told} (missing="ignore" leaves them out)')


class JobEnded(EdgeSeriesError):
    """The job failed or was cancelled. `job` is how it ended."""

    def __init__(self, job: "Job") -> None:
        self.job = job
        why = f": {job.error}" if job.error else ""
        super().__init__(f"job {job.job_id} is {job.status}{why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with one parameter."""

    parameter: str
    detail: str


class ProblemError(EdgeSeriesError):
    """The server said no. `kind` is the last part of the problem's type, `retry_after_s` null unless told."""

    def __init__(
        self,
        *,
        status: int,
        kind: str = "",
        title: str = "",
        detail: str = "",
        faults: Sequence[Fault] = (),
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.status = status
        self.kind = kind
        self.title = title
        self.detail = detail
        self.faults = tuple(faults)
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        told = [detail or title or f"status {status}"]
        told += [f"{one.parameter}: {one.detail}" for one in self.faults]
        super().__init__(f"{status} {kind}: " + "; ".join(told))


class InvalidRequest(ProblemError):
    """Mend the request; `faults` lists every parameter that is wrong."""


class Unidentified(ProblemError):
    """Send an API key that is known and not revoked."""


class Forbidden(ProblemError):
    """The key lacks the right that the text names."""


class NotFound(ProblemError):
    """The path, the site or the job is not there, or the key may not see it."""


class Conflict(ProblemError):
    """It is in no state for this."""


class TooLarge(ProblemError):
    """Ask for a shorter range or fewer points."""


class RateLimited(ProblemError):
    """Too many requests, also after all tries."""


class UpstreamFault(ProblemError):
    """The vendor behind the server is not well."""


class Unavailable(ProblemError):
    """A part of the server is not well."""


class ServerFault(ProblemError):
    """A fault of the server's own: tell the operator the `request_id`."""


CLASS_OF: Final[Mapping[int, type[ProblemError]]] = {
    400: InvalidRequest,
    401: Unidentified,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    413: TooLarge,
    429: RateLimited,
    502: UpstreamFault,
    503: Unavailable,
    504: UpstreamFault,
}


INTERNAL: Final = 500


def problem_error(status: int, body: bytes, retry_after_s: float | None = None) -> ProblemError:
    """The error of a refusal, whatever its body is: gateways in front of the server write HTML.

    Returns: an instance of the class for the status.
    """
    made = CLASS_OF.get(status, ServerFault if status >= INTERNAL else ProblemError)
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    document: Mapping[str, Any] = found if isinstance(found, dict) else {}
    listed = document.get("errors")
    faults = [
        Fault(parameter=str(one.get("parameter", "")), detail=str(one.get("detail", "")))
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict)
    ]
    return made(
        status=status,
        kind=str(document.get("type", "")).rpartition(":")[2],
        title=str(document.get("title", "")),
        detail=str(document.get("detail", "")),
        faults=faults,
        request_id=document.get("requestId"),
        retry_after_s=retry_after_s,
    )
