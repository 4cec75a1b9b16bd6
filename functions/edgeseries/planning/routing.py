"""The size rule: which route a request takes, by the samples that upstream must still deliver.

It knows no store and no upstream; coverage and learned density come in as numbers.
"""

from dataclasses import dataclass
from enum import StrEnum

from edgeseries.errors import TooLarge
from edgeseries.limits import (
    DIRECT_MAX_SAMPLES,
    INLINE_MAX_BLOCKS,
    INLINE_MAX_SAMPLES,
    QUEUED_MIN_SAMPLES,
)


class Route(StrEnum):
    """How a request is answered; also the values of `route=` and of X-Route-Type."""

    DIRECT = "direct"
    CACHED = "cached"
    QUEUED = "queued"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSizes:
    """Where one route ends and the next begins, in missing samples (settings)."""

    direct_max_samples: int = DIRECT_MAX_SAMPLES
    queued_min_samples: int = QUEUED_MIN_SAMPLES

    def __post_init__(self) -> None:
        assert 0 <= self.direct_max_samples < self.queued_min_samples


def choose_route(
    *, missing_samples: int, answer_samples: int, blocks: int, forced: Route | None, sizes: RouteSizes
) -> Route:
    """The caller's route if one is forced, else the one for this many missing samples.

    An answer that is too large to be made while the caller waits, or lies in too many blocks, is
    queued, however much of it is stored. Raises TooLarge where the caller forces such an answer.
    """
    if blocks > INLINE_MAX_BLOCKS and forced is not Route.QUEUED:
        if forced is not None:
            raise TooLarge(
                f"the answer lies in {blocks} blocks (points times months); at most {INLINE_MAX_BLOCKS} can "
                "be read at once; ask for a shorter range or fewer points"
            )
        return Route.QUEUED
    if answer_samples > INLINE_MAX_SAMPLES and forced is not Route.QUEUED:
        if forced is not None:
            raise TooLarge(
                f"the answer has about {answer_samples} samples; at most {INLINE_MAX_SAMPLES} can be "
                "answered at once; ask for a shorter range or fewer points"
            )
        return Route.QUEUED
    if forced is not None:
        return forced
    if missing_samples < sizes.direct_max_samples:
        return Route.DIRECT
    return Route.QUEUED if missing_samples > sizes.queued_min_samples else Route.CACHED
