"""Physical names: what a stack's resources are called in the Cloudflare account.

Owns the naming rule (every name carries the stack) and the platform's limits on names.
Must not know settings, wiring or Pulumi.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

PROJECT: Final = "edgeseries"

MAX_STACK_CHARS: Final = 26
"""Characters of a stack name. Cloudflare builds a version's address from eight characters, a
hyphen and the Worker's name, and a DNS label has 63: so Worker names stop at 54."""

MAX_WORKER_CHARS: Final = 54
MAX_QUEUE_CHARS: Final = 63
MIN_BUCKET_CHARS: Final = 3
MAX_BUCKET_CHARS: Final = 63
"""R2 bucket names: 3 to 63 of a-z, 0-9 and hyphen (R2 documentation, create buckets)."""
MAX_DATABASE_CHARS: Final = 63
MAX_DATASET_CHARS: Final = 63
"""D1 and Analytics Engine publish no limit; a DNS label is what every tool around them bears."""

_STACK_PATTERN: Final = re.compile(r"[a-z](-?[a-z0-9])*")
_PREVIEW_PATTERN: Final = re.compile(r"pr-([1-9][0-9]{0,8})")
_LABEL_PATTERN: Final = re.compile(r"[a-z0-9](-?[a-z0-9])*")
_DATASET_PATTERN: Final = re.compile(r"[a-z](_?[a-z0-9])*")
_NAMESPACE_BITS: Final = 31


class NameFault(ValueError):
    """A name that the platform or the naming rule refuses; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names of one stack. Made by `names_of`, which has checked the stack's own name."""

    stack: str

    def worker(self, function: str) -> str:
        """The script name of a function."""
        return self._label(function, kind="Worker", max_chars=MAX_WORKER_CHARS)

    def queue(self, queue: str) -> str:
        """The name of a queue, for instance of `jobs-high`."""
        return self._label(queue, kind="queue", max_chars=MAX_QUEUE_CHARS)

    def bucket(self, bucket: str) -> str:
        """The name of an R2 bucket."""
        return self._label(bucket, kind="R2 bucket", min_chars=MIN_BUCKET_CHARS, max_chars=MAX_BUCKET_CHARS)

    def database(self, database: str) -> str:
        """The name of a D1 database."""
        return self._label(database, kind="D1 database", max_chars=MAX_DATABASE_CHARS)

    def dataset(self, dataset: str) -> str:
        """The name of an Analytics Engine dataset: a table name in SQL, so underscores stand for hyphens."""
        name = f"{PROJECT}_{self.stack}_{dataset}".replace("-", "_")
        if len(name) > MAX_DATASET_CHARS or not _DATASET_PATTERN.fullmatch(name):
            raise NameFault(
                f"dataset name {name!r} does not fit: lower-case letters, digits and single underscores, "
                f"at most {MAX_DATASET_CHARS} characters. Use a shorter or plainer name"
            )
        return name

    def rate_limit_namespace(self, tier: str) -> str:
        """The counter space of a rate limit: an integer as text, the same in every run.

        Workers of one account share counters when they share this number, so the stack is in it.
        """
        digest = hashlib.sha256(f"{PROJECT}-{self.stack}-{tier}".encode()).digest()
        return str(1 + int.from_bytes(digest[:8], "big") % (2**_NAMESPACE_BITS - 1))

    def _label(self, thing: str, *, kind: str, max_chars: int, min_chars: int = 1) -> str:
        name = f"{PROJECT}-{self.stack}-{thing}"
        if not min_chars <= len(name) <= max_chars or not _LABEL_PATTERN.fullmatch(name):
            raise NameFault(
                f"{kind} name {name!r} does not fit: lower-case letters, digits and single hyphens, "
                f"{min_chars} to {max_chars} characters. Use a shorter or plainer name"
            )
        return name


def stack_fault(stack: str) -> str | None:
    """What is wrong with a stack name and what to do, or None when it is fine."""
    if _STACK_PATTERN.fullmatch(stack) and len(stack) <= MAX_STACK_CHARS:
        return None
    return (
        f"stack name {stack!r} does not fit: lower-case letters, digits and single hyphens, a letter first, "
        f"at most {MAX_STACK_CHARS} characters. Make one that does: pulumi stack init pr-12"
    )


def preview_stack(pull_request: int) -> str:
    """The stack of a pull request; raises NameFault for a number that no pull request has."""
    stack = f"pr-{pull_request}"
    if preview_number(stack) is None:
        raise NameFault(f"{pull_request} is not the number of a pull request: set a whole number, PR=12")
    return stack


def preview_number(stack: str) -> int | None:
    """The pull request that a stack is the preview of, None for any other stack."""
    match = _PREVIEW_PATTERN.fullmatch(stack)
    return None if match is None else int(match[1])


def names_of(stack: str) -> Names:
    """The names of a stack; raises NameFault for a stack name that would break one of them."""
    fault = stack_fault(stack)
    if fault is not None:
        raise NameFault(fault)
    return Names(stack=stack)
