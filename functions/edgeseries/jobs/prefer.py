"""What a caller's Prefer header asks (RFC 7240): how long it would wait for an answer."""

from typing import Final

from edgeseries.jobs.limits import MAX_WAIT_S

MAX_DIGITS: Final = 9


def wait_of(prefer: str) -> int | None:
    """Seconds of `wait=`, cut to MAX_WAIT_S; None if the header does not ask. The first one counts."""
    for preference in prefer.split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            digits = value.strip().strip('"')
            if digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS:
                return min(int(digits), MAX_WAIT_S)
            return None
    return None
