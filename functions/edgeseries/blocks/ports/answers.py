"""Cached answers: the compressed bodies of sealed requests, streamed again without being read.

A store that is down raises StoreUnavailable.
"""

from dataclasses import dataclass
from typing import Protocol

from edgeseries.http.messages import BodyStream


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFacts:
    """What is known of a cached answer without reading it."""

    site: str
    entity_tag: str
    point_count: int
    sample_count: int
    body_bytes: int
    created_ms: int
    fresh_until_ms: int | None = None
    """It is given no longer than this, if there is such a moment: some of it is to be read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedAnswer:
    """A cached answer: its facts, and its body as a stream with the encoding it has (`br`, or empty).

    A body whose bytes are not those that were kept breaks off instead of ending: nobody takes it for whole.
    """

    facts: AnswerFacts
    stream: BodyStream
    content_encoding: str


class Answers(Protocol):
    """Answers by a digest of the request's normal form and of the generations of its points: after a purge
    or a refresh an old answer has a digest that nobody asks for.
    """

    async def find(self, digest: str, *, accepts_brotli: bool) -> CachedAnswer | None:
        """The cached answer, if there is one that has not expired and is not known to be damaged."""
        ...

    async def store(self, digest: str, body: bytes, facts: AnswerFacts) -> None:
        """Keep an answer's body."""
        ...
