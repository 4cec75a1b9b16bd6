"""What a failure of a message means: try again and when, or give it up. A value, not an act.

Transient failures are tried again after 1, 2 and 4 seconds. A pause that the upstream asks for is
kept and does not count as an attempt; how often a batch may be begun in all is bounded, so that
neither an upstream that always asks for a pause nor a batch that always ends its isolate goes on for ever.
"""

from dataclasses import dataclass

from edgeseries.errors import EdgeError, OriginOversize, Transient
from edgeseries.jobs.limits import (
    BATCH_MAX_CLAIMS,
    BATCH_MAX_RETRIES,
    RETRY_FIRST_DELAY_S,
    RETRY_MAX_PAUSE_S,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TryAgain:
    """Give the batch back and begin again after `delay_s` seconds; `counts` if it is an attempt used up."""

    delay_s: int
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Trying again cannot help; `cause` is for the operator and for the caller."""

    cause: str


def before_work(*, claims: int) -> GiveUp | None:
    """Whether work is begun at all. A batch that ends its isolate each time comes to no failure that
    could be judged: how often it was begun (`claims`, this time included) is all that is known of it.
    """
    if claims <= BATCH_MAX_CLAIMS:
        return None
    return GiveUp(
        cause=f"begun {BATCH_MAX_CLAIMS} times, and every time its Worker ended without a word; see its log"
    )


def after_failure(error: EdgeError, *, attempts: int, claims: int) -> TryAgain | GiveUp:
    """What to do after a failure. `attempts` are the failures that counted before this one, `claims`
    how often the work was begun, this time included.
    """
    cause = f"{type(error).__name__}: {error.detail}"
    if not isinstance(error, Transient) or isinstance(error, OriginOversize):
        return GiveUp(cause=cause)
    if claims >= BATCH_MAX_CLAIMS:
        return GiveUp(cause=f"begun {claims} times without coming to its end; at last {cause}")
    if error.retry_after_s is not None:
        return TryAgain(delay_s=min(error.retry_after_s, RETRY_MAX_PAUSE_S), counts=False)
    if attempts >= BATCH_MAX_RETRIES:
        return GiveUp(cause=f"failed {attempts + 1} times; at last {cause}")
    return TryAgain(delay_s=RETRY_FIRST_DELAY_S << attempts, counts=True)
