"""What `dry_run=true` answers. Format: `docs/formats/answer.md`."""

from dataclasses import dataclass
from typing import Annotated

from edgeseries.http.documents import Document, Note, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedFromDocument(Section):
    """What an estimate stands on."""

    known_points: Annotated[int, Note("Points whose density was learned from samples.")]
    assumed_points: Annotated[int, Note("Points that nothing is known of yet: a usual density is assumed.")]
    answers: Annotated[int, Note("Answers of this isolate that rates were learned from.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateDocument(Document):
    """What a request would take."""

    site: str
    route: str
    objects: Annotated[int | None, Note("Objects that would be read; null if they are too many to list.")]
    stored_samples: int
    upstream_samples: int
    values: Annotated[int, Note("Samples or buckets in the answer, at most.")]
    bytes: Annotated[int, Note("Of the answer, before compression.")]
    seconds: float
    learned_from: LearnedFromDocument
