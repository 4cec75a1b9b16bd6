"""A fold and an open bucket as words of 64 bits, as the kernel has them: docs/formats/columns.md."""

import struct
from typing import Final

from edgeseries.errors import Defect
from edgeseries.questions.open_bucket import OpenBucket, Tally
from edgeseries.questions.ports.bucketing import Fold, Folded
from edgeseries.questions.question import Aggregate, Method
from edgeseries.series.image import samples_from

NONE: Final = -(2**63)
"""Stands for an instant that there is none of."""

MOST_AGGREGATES: Final = 12
_CODES: Final = tuple(Aggregate)
_METHODS: Final = {None: 0, Method.MINMAX: 1, Method.M4: 2}

_OPEN: Final = struct.Struct("<qqqqddddqdqqddqqqqqqqdqqq")


def words_of(fold: Fold, before: OpenBucket) -> bytes:
    """What the kernel is told beside the samples."""
    codes = [_CODES.index(one) for one in fold.aggregates]
    codes += [-1] * (MOST_AGGREGATES - len(codes))
    end_ms = NONE if fold.end_ms is None else fold.end_ms
    task = struct.pack(
        f"<{6 + MOST_AGGREGATES}q",
        len(before.carried),
        fold.begin_ms,
        end_ms,
        fold.max_gap_ms,
        _METHODS[fold.method],
        int(fold.empty_too),
        *codes,
    )
    return task + _open_words(before) + fold.edges.tobytes()


def folded_from(sections: list[bytes]) -> Folded:
    """What the kernel answers: the open bucket, what it carries, columns. Raises Defect for what is none."""
    if len(sections) < 2 or len(sections[0]) != _OPEN.size:  # noqa: PLR2004 - the bucket, and what it carries
        raise Defect("the kernel answered something else than buckets")
    start_ms, *tally, latest, previous_ms, previous, has_previous, closed, samples = _OPEN.unpack(sections[0])
    after = OpenBucket(
        start_ms=None if start_ms == NONE else start_ms,
        tally=Tally(**dict(zip(Tally.__slots__, tally, strict=True))),
        latest=latest,
        previous_ms=previous_ms,
        previous=previous if has_previous else None,
        closed=closed,
        samples=samples,
        carried=samples_from(sections[1]),
    )
    return Folded(columns=tuple(samples_from(one) for one in sections[2:]), after=after)


def sections_of(joined: bytes) -> list[bytes]:
    """Byte strings that stand one after another, each after its length in four bytes."""
    found, at = [], 0
    while at < len(joined):
        end = at + 4 + int.from_bytes(joined[at : at + 4], "little")
        found.append(joined[at + 4 : end])
        at = end
    return found


def _open_words(one: OpenBucket) -> bytes:
    tally = [getattr(one.tally, name) for name in Tally.__slots__]
    return _OPEN.pack(
        NONE if one.start_ms is None else one.start_ms,
        *tally,
        one.latest,
        one.previous_ms,
        one.previous or 0.0,
        int(one.previous is not None),
        one.closed,
        one.samples,
    )
