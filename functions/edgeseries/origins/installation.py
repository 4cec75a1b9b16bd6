"""What one installation of a vendor takes, found out by looking: lists, a few samples, borders, and what its
adapter knows of its own. `make probe` and `GET /api/health?deep=full` both report it.

Owns which looks are made and what samples tell. A look is a call of the Origin port, and bounded as such.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from edgeseries.errors import EdgeError
from edgeseries.limits import DAY_MS, HOUR_MS, SECOND_MS
from edgeseries.origins.ports.origin import Origin
from edgeseries.ports.clock import Clock
from edgeseries.series.points import PointSeries
from edgeseries.series.timerange import TimeRange, iso_instant

LOOK_POINTS: Final = 5
"""Points of the first site that are looked at, and names that are shown of a list."""

ENOUGH_SAMPLES: Final = 10
"""Of one point: as many as it takes for an interval that is no accident."""

LOOK_BACK_MS: Final = (HOUR_MS, DAY_MS, 7 * DAY_MS, 31 * DAY_MS, 366 * DAY_MS)
"""How far back samples are looked for, the shortest first: a dense point brings few of them so."""

Facts = tuple[tuple[str, str], ...]
"""What was found out, by what it is, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationReport:
    """What was found out, up to `fault` if one ended the looks; `at_ms` is when."""

    at_ms: int
    facts: Facts
    fault: str | None = None


async def inspect_installation(
    origin: Origin,
    *,
    prefix: str,
    clock: Clock,
    deadline_ms: int,
    look_back_ms: Sequence[int] = LOOK_BACK_MS,
) -> InstallationReport:
    """Look at one upstream, whose sites callers see with `prefix`. It raises no error of the upstream."""
    found: list[tuple[str, str]] = []
    fault = None
    try:
        await _look(origin, found, prefix=prefix, clock=clock, deadline_ms=deadline_ms, spans_ms=look_back_ms)
    except EdgeError as error:
        fault = error.detail
    return InstallationReport(at_ms=clock.now_ms(), facts=tuple(found), fault=fault)


async def _look(
    origin: Origin,
    found: list[tuple[str, str]],
    *,
    prefix: str,
    clock: Clock,
    deadline_ms: int,
    spans_ms: Sequence[int],
) -> None:
    sites = (await origin.sites(deadline_ms=deadline_ms)).sites
    found.append(("sites", _listed([prefix + site.name for site in sites])))
    if not sites:
        return
    site = sites[0].name
    points = await origin.points(site, deadline_ms=deadline_ms)
    found.append((f"points of {prefix}{site}", _listed([point.name for point in points])))
    found.append(("units", _listed(sorted({point.unit for point in points if point.unit}))))
    found.append(("points in a call", f"up to {origin.capabilities(site).batch_points}"))
    names, now_ms = [point.name for point in points[:LOOK_POINTS]], clock.now_ms()
    series: Sequence[PointSeries] = ()
    for back_ms in spans_ms if names else ():
        span = TimeRange(start_ms=now_ms - back_ms, end_ms=now_ms)
        series = await origin.fetch(site, names, span, deadline_ms=deadline_ms)
        if max(len(one.samples) for one in series) >= ENOUGH_SAMPLES:
            break
    if not any(len(one.samples) for one in series):
        found.append(("samples", f"none of the first {len(names)} points within {_length(spans_ms[-1])}"))
        return
    found += seen_in(series, back_ms)
    await _look_closer(origin, site, series, found, deadline_ms=deadline_ms)


def seen_in(series: Sequence[PointSeries], back_ms: int) -> Facts:
    """What samples tell: how many, how far apart, of what types, how late."""
    some = max(series, key=lambda one: len(one.samples))
    times_ms = some.samples.times_ms
    steps = sorted(after - before for before, after in pairwise(times_ms))
    kinds = Counter(type(value).__name__ for one in series for value in one.samples.values.to_list())
    found = [
        (
            "samples",
            f"{sum(len(one.samples) for one in series)} of {len(series)} points in {_length(back_ms)}",
        ),
        ("looked at", some.point),
        ("newest sample", iso_instant(times_ms[-1])),
    ]
    if steps:
        found.append(("real interval", f"{steps[len(steps) // 2] / SECOND_MS:g} s (median)"))
        found.append(("intervals", f"{steps[0] / SECOND_MS:g} to {steps[-1] / SECOND_MS:g} s"))
    found.append(("types", ", ".join(f"{count} x {kind}" for kind, count in kinds.most_common())))
    nulls = kinds["NoneType"]
    found.append(("NaN, NA or null", f"{nulls} samples, as null" if nulls else "not seen"))
    return tuple(found)


async def _look_closer(
    origin: Origin,
    site: str,
    series: Sequence[PointSeries],
    found: list[tuple[str, str]],
    *,
    deadline_ms: int,
) -> None:
    """The borders as callers get them, and what is the vendor's own."""
    some = max(series, key=lambda one: len(one.samples))
    first_ms, last_ms = some.samples.times_ms[0], some.samples.times_ms[-1]
    if first_ms < last_ms:
        span = TimeRange(start_ms=first_ms, end_ms=last_ms)
        (again,) = await origin.fetch(site, [some.point], span, deadline_ms=deadline_ms)
        half_open = list(again.samples.times_ms) == list(some.samples.times_ms[:-1])
        found.append(("ranges as callers get them", "half-open" if half_open else "NOT half-open: tell us"))
    span = TimeRange(start_ms=first_ms, end_ms=last_ms + 1)
    found += (await origin.probe(site, some.point, span, deadline_ms=deadline_ms)).items()


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:LOOK_POINTS])
    return f"{len(names)} ({shown}{', ...' if len(names) > LOOK_POINTS else ''})" if names else "none"


def _length(span_ms: int) -> str:
    days = span_ms // DAY_MS
    return f"{days} days" if days > 1 else f"{span_ms // HOUR_MS} h"
