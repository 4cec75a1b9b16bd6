"""When a request is made again, and how long to wait before: `Retry-After`, else pauses that double.

Every request of this package may be made twice: reads change nothing, and a job of the same request is the
same job.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from edgeseries_client.errors import ConnectionFault, problem_error
from edgeseries_client.steps import Answer, Call, Flow, Stream, Wait

REFUSED: Final = 400
CONFLICT: Final = 409
PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that may be another one in a while. 409 is so only with `Retry-After`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """`tries` in all. The pause before the second is `first_pause_s`, each later one twice as long, none more
    than `longest_pause_s`; a `Retry-After` that is longer than that is not waited for.
    """

    tries: int = 5
    first_pause_s: float = 0.5
    longest_pause_s: float = 60.0

    def pause_s(self, failed: int, retry_after_s: float | None) -> float | None:
        """Seconds to wait after so many failed tries; None to give up."""
        if failed >= self.tries:
            return None
        if retry_after_s is not None:
            return retry_after_s if retry_after_s <= self.longest_pause_s else None
        return min(self.longest_pause_s, self.first_pause_s * 2.0 ** (failed - 1))


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """The seconds that `Retry-After` names, as a number or as a date; None without one that can be read."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())


def asked(step: Call | Stream, policy: RetryPolicy) -> Flow[Answer]:
    """Make a request until it succeeds.

    Returns: an answer below 400. Raises: the ProblemError of its status; ConnectionFault.
    """
    failed = 0
    while True:
        received = step.sink.received if isinstance(step, Stream) else 0
        try:
            answer = yield step
        except ConnectionFault:
            went_on = isinstance(step, Stream) and step.sink.received > received
            failed = 1 if went_on else failed + 1
            pause = policy.pause_s(failed, None)
            if pause is None:
                raise
        else:
            assert answer is not None
            if answer.status < REFUSED:
                return answer
            failed += 1
            named = retry_after_s(answer.headers)
            passing = answer.status in PASSING or (answer.status == CONFLICT and named is not None)
            pause = policy.pause_s(failed, named) if passing else None
            if pause is None:
                raise problem_error(answer.status, answer.body, named)
        yield Wait(seconds=pause)
