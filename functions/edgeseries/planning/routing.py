"""The size rule: which route a request takes, by the samples that upstream must still deliver.

It knows no store and no upstream; real counts and estimates come in with the plan.
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
from edgeseries.planning.fetch_plan import FetchPlan


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
    fetch_plan: FetchPlan,
    *,
    blocks: int,
    forced: Route | None,
    sizes: RouteSizes,
    most_samples: int = INLINE_MAX_SAMPLES,
) -> Route:
    """The caller's route if one is forced, else the one for what upstream must still deliver.

    An answer that is too large to be made while the caller waits, or lies in too many blocks, is
    queued, however much of it is stored. Raises TooLarge where the caller forces such an answer. Of
    what is stored only real counts make an answer too large; the rest is counted while it is read.
    `most_samples` is how many may be read: a question may be about more of them than an answer may have.
    """
    missing, stored = fetch_plan.missing_samples, fetch_plan.least_samples
    if blocks > INLINE_MAX_BLOCKS and forced is not Route.QUEUED:
        if forced is not None:
            raise TooLarge(
                f"the answer lies in {blocks} blocks (points times years); at most {INLINE_MAX_BLOCKS} can "
                "be read at once; ask for a shorter range or fewer points"
            )
        return Route.QUEUED
    if missing + stored > most_samples and forced is not Route.QUEUED:
        if forced is not None:
            size = f"at least {stored} samples" if stored > most_samples else _about(missing, stored)
            raise TooLarge(
                f"the answer is made of {size}; at most {most_samples} can be read at once; "
                "ask for a shorter range or fewer points"
            )
        return Route.QUEUED
    if forced is not None:
        return forced
    if missing > sizes.queued_min_samples:
        return Route.QUEUED
    # Days that were stored as empty settle only if they are stored again.
    direct = missing < sizes.direct_max_samples and not fetch_plan.rereads
    return Route.DIRECT if direct else Route.CACHED


def _about(missing: int, stored: int) -> str:
    return f"about {missing + stored} samples" + (f", {stored} of them stored" if stored else "")
