"""Made up days, and the verbs of a store as tests use them."""

import asyncio
from array import array
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import pytest

from edgeseries.blocks.ports.answers import AnswerFacts
from edgeseries.blocks.ports.blocks import Blocks, DaysToStore, StoredSamples, StoreOutcome
from edgeseries.errors import StoreUnavailable
from edgeseries.limits import DAY_MS, HOUR_MS
from edgeseries.series.days import day_span
from edgeseries.series.samples import Samples
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import Value

Result = TypeVar("Result")

NOW_MS: Final = 1_790_000_000_000

FEB_29: Final = 19_782
"""2024-02-29, a leap day, as a day number."""

MARCH: Final = range(FEB_29 + 1, FEB_29 + 32)
POINT: Final = "made_up/AHU-1/SA T"
OTHER: Final = "made_up, other"
ODD_NAMES: Final = (
    ".",
    "..",
    "a/b",
    "a%2Fb",
    "température ±°C",
    "x" * 512,
    "ü" * 256,
    "=",
    "[1]",
    "'; --",
    "\\u0041",
)
VALUES: Final[tuple[Value, ...]] = (
    1.0,
    0.1,
    -0.0,
    1e300,
    5e-324,
    True,
    False,
    None,
    "text",
    "1",
    "",
    2**60 + 1,
    21.5,
)


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(coroutine)


def samples_of(pairs: Iterable[tuple[int, Value]]) -> Samples:
    columns = list(pairs)
    return Samples(
        times_ms=array("q", [at for at, _ in columns]), values=tuple(value for _, value in columns)
    )


def made_day(day: int, each_ms: int = HOUR_MS, start: int = 0) -> list[tuple[int, Value]]:
    times = range(day * DAY_MS, (day + 1) * DAY_MS, each_ms)
    return [(at, VALUES[(start + place + day) % len(VALUES)]) for place, at in enumerate(times)]


def made_kept(days: Iterable[int], point: str = POINT, start: int = 0) -> DaysToStore:
    chosen = tuple(days)
    return DaysToStore(
        point=point,
        days=chosen,
        samples=samples_of(pair for day in sorted(chosen) for pair in made_day(day, start=start)),
    )


def told(samples: Samples) -> list[tuple[int, str, type]]:
    """Comparable to the last bit: -0.0 is not 0.0, and 1.0 is not True."""
    pairs = zip(samples.times_ms, samples.values, strict=True)
    return [(at, repr(value), type(value)) for at, value in pairs]


def expected(days: Iterable[int], start: int = 0) -> list[tuple[int, str, type]]:
    return told(samples_of(pair for day in sorted(days) for pair in made_day(day, start=start)))


async def keep(blocks: Blocks, site: str, kept: Sequence[DaysToStore]) -> StoreOutcome:
    """Store days as they were fetched just now."""
    stamps = (await blocks.look_up(site, [one.point for one in kept], day_span(FEB_29, FEB_29))).stamps
    return await blocks.store(site, kept, stamps)


async def covered(
    blocks: Blocks, site: str, points: Sequence[str], span: TimeRange
) -> Mapping[str, frozenset[int]]:
    return (await blocks.look_up(site, points, span)).covered


async def densities(blocks: Blocks, site: str, points: Sequence[str]) -> Mapping[str, float]:
    return (await blocks.look_up(site, points, day_span(FEB_29, FEB_29))).density_per_day


async def read(
    blocks: Blocks, site: str, points: Sequence[str], span: TimeRange
) -> Mapping[str, StoredSamples]:
    return await blocks.read(site, points, span, await blocks.look_up(site, points, span))


def made_facts(body: bytes, *, site: str = "made up / ü", created_ms: int = 0) -> AnswerFacts:
    return AnswerFacts(
        site=site,
        entity_tag='"0123456789abcdef"',
        point_count=2,
        sample_count=3,
        body_bytes=len(body),
        created_ms=created_ms or NOW_MS,
    )


async def refused(coroutine: Coroutine[Any, Any, object]) -> StoreUnavailable:
    with pytest.raises(StoreUnavailable) as refusal:
        await coroutine
    return refusal.value
