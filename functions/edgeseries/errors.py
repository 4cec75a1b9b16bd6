"""The error tree, cut by what to do about it.

    EdgeError
    ├── BadRequest             the caller must change the request
    │   ├── InvalidRequest       faults in parameters or body           400
    │   ├── Unidentified         no key, or none that we know           401
    │   ├── Forbidden            the key lacks the right                403
    │   ├── NotFound             no such path, site                     404
    │   ├── MethodNotAllowed     the path knows other methods           405
    │   ├── NotAcceptable        no format that the caller takes        406
    │   ├── TooLarge             request or answer over a bound         413
    │   │   └── AnswerTooLarge     found out while it was fetched         413
    │   ├── HeadersTooLarge      headers over a bound                   431
    │   ├── RequestTimeout      the body did not arrive in time         408
    │   ├── Gone                 it was there, and will not be again    410
    │   └── RateLimited          come back later                        429
    ├── Transient              try again later, the same request is fine
    │   ├── DeadlineExceeded     the time for the answer is used up     504
    │   ├── OriginUnreachable    refused, reset, 5xx                    502
    │   ├── OriginThrottled      429 of the upstream                    502
    │   ├── OriginGarbled        an answer cut short or not JSON        502
    │   ├── OriginUnconfirmed    "not there", and nothing confirms it   502
    │   ├── OriginOversize       split the range and ask again          502
    │   ├── OriginSuspended      it is left alone for a while           503
    │   ├── OriginBusy           our own calls to it are too many       503
    │   ├── MemoryBusy           no room for so many samples now        503
    │   └── StoreUnavailable     R2 or D1 does not answer               503
    ├── Conflict               it is not in a state for this          409
    │   └── JobsFull             as many jobs under way as may be       409
    └── Defect                 trying again cannot cure it; look at it  500
        ├── OriginRefused        our credential or request is refused   502
        ├── OriginContract       the upstream breaks its own contract   502
        └── BlockDamaged         stored bytes are no block we can trust 500
            ├── BlockMismatch      it is another point's or month's     500
            └── BlockUnsupported   a newer version, an unknown codec    500

It knows no HTTP text: `answers/problem.py` maps each to an HTTP answer.
"""

from dataclasses import dataclass

from edgeseries.rates import RatePolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong in a request: which parameter, and what to do about it."""

    parameter: str
    detail: str


class EdgeError(Exception):
    """The root. `detail` is a sentence for the caller that says what to do."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class BadRequest(EdgeError):
    """The caller must change the request."""


class InvalidRequest(BadRequest):
    """Parameters or body do not make sense; `faults` lists every one of them."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{fault.parameter}: {fault.detail}" for fault in faults))
        self.faults = faults


class Unidentified(BadRequest):
    """No key was shown, or one that nobody has made, or that is revoked: the answer does not say which.

    `tried` if a key was shown.
    """

    def __init__(self, detail: str, *, tried: bool = False) -> None:
        super().__init__(detail)
        self.tried = tried


class Forbidden(BadRequest):
    """The key is known and lacks a right, which `right` names."""

    def __init__(self, detail: str, *, right: str) -> None:
        super().__init__(detail)
        self.right = right


class NotFound(BadRequest):
    """There is no such path, or no such thing at it."""


class Gone(BadRequest):
    """It was there once."""


class MethodNotAllowed(BadRequest):
    """The path exists, the method does not; `allowed` are the ones that do."""

    def __init__(self, detail: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.allowed = allowed


class NotAcceptable(BadRequest):
    """`Accept` names no media type that the answer could have."""


class TooLarge(BadRequest):
    """The request, or the answer it asks for, is over a bound."""


class AnswerTooLarge(TooLarge):
    """More samples than one answer may fetch, found out while fetching: the estimate was too low.

    `estimated_samples` is the better estimate. A job can deliver what an answer cannot.
    """

    def __init__(self, detail: str, *, estimated_samples: int) -> None:
        super().__init__(detail)
        self.estimated_samples = estimated_samples


class HeadersTooLarge(BadRequest):
    """One header of the request, or all together, are over a bound."""


class RequestTimeout(BadRequest):
    """The request's body did not arrive in time."""


class RateLimited(BadRequest):
    """Too many requests, or jobs; come back after `retry_after_s` seconds. `policy` is what is used up."""

    def __init__(self, detail: str, *, retry_after_s: int, policy: RatePolicy) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
        self.policy = policy


class Transient(EdgeError):
    """The same request may succeed later; `retry_after_s` says when, if anyone knows."""

    def __init__(self, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class DeadlineExceeded(Transient):
    """The time for the answer is used up."""


class OriginUnreachable(Transient):
    """The upstream refused or cut the connection, or answered 5xx."""


class OriginThrottled(Transient):
    """The upstream answered 429; `retry_after_s` is what it asked for."""


class OriginGarbled(Transient):
    """The upstream's answer is cut short or is not what its content type says."""


class OriginUnconfirmed(Transient):
    """The upstream says that something is not there, and nothing confirms it: it may be the word of
    whatever stands in front of it. What a later call says counts.
    """


class OriginOversize(Transient):
    """The upstream's answer is over the bound; a shorter range can be read."""


class OriginSuspended(Transient):
    """The upstream failed so often that nobody calls it for `retry_after_s` seconds."""


class OriginBusy(Transient):
    """As many calls to the upstream are under way as it is spared."""


class MemoryBusy(Transient):
    """Other requests hold the memory that this one needs; `retry_after_s` is when there may be some again."""


class StoreUnavailable(Transient):
    """R2 or D1 does not answer; upstream still may."""


class Conflict(EdgeError):
    """It is not in a state for this: someone else did it first, or it has to be waited for, in which
    case `retry_after_s` says how long.
    """

    def __init__(self, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class JobsFull(Conflict):
    """An owner has as many jobs under way as it may have."""


class Defect(EdgeError):
    """Trying again cannot cure this; somebody has to look at it."""


class OriginRefused(Defect):
    """The upstream refuses our credential or our request."""


class OriginContract(Defect):
    """The upstream breaks its own contract: a cursor that repeats, a shape nobody knows."""


class BlockDamaged(Defect):
    """Stored bytes that are cut short, altered, or no block at all: the days must be fetched again."""


class BlockMismatch(BlockDamaged):
    """A sound block that lies under the wrong key."""


class BlockUnsupported(BlockDamaged):
    """A version or a codec that this code or this host cannot read; it may be sound, so leave it."""
