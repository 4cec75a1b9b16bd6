"""What is fetched ahead, of all that could be: within the budget of the day, nothing twice.

Pure: what is missing comes in by point; what goes out are pieces in which every day of every point is
missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from edgeseries.planning.capabilities import Capabilities
from edgeseries.series.days import runs
from edgeseries.warming.limits import PIECES_AT_ONCE, SET_MAX_POINTS
from edgeseries.warming.patterns import Wish

PointDays = Mapping[str, Sequence[int]]
"""Days (since 1970) by point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmBudget:
    """What may be fetched ahead: samples, and calls to the upstream, as they are expected."""

    samples: int = 0
    calls: int = 0

    @property
    def spent(self) -> bool:
        """Whether nothing is left of it."""
        return self.samples <= 0 or self.calls <= 0

    def holds(self, samples: int, calls: int) -> bool:
        """Whether so much may be fetched."""
        return samples <= self.samples and calls <= self.calls

    def less(self, samples: int, calls: int) -> "WarmBudget":
        """What is left after that."""
        return WarmBudget(samples=self.samples - samples, calls=self.calls - calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some days in a row (both held, since 1970) of some points of a site, and what fetching them takes."""

    site: str
    points: tuple[str, ...]
    first_day: int
    last_day: int
    samples: int
    calls: int

    @property
    def point_days(self) -> int:
        """Days of points in it."""
        return len(self.points) * (self.last_day + 1 - self.first_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What is missing of a set, by point; how dense its points are, and what calls of the site hold."""

    site: str
    missing_days: PointDays
    density_per_day: Mapping[str, float]
    capabilities: Capabilities


@dataclass(slots=True)
class TakenDays:
    """Days of points that somebody fetches already."""

    _days: dict[tuple[str, str], set[int]] = field(default_factory=dict)

    def add(self, site: str, points: Iterable[str], first_day: int, last_day: int) -> None:
        """Take some days in a row, both held."""
        for point in points:
            self._days.setdefault((site, point), set()).update(range(first_day, last_day + 1))

    def without(self, site: str, days: PointDays) -> dict[str, tuple[int, ...]]:
        """What is left of some days, by point; points with none are left out."""
        left = {
            point: tuple(day for day in some if day not in self._days.get((site, point), ()))
            for point, some in days.items()
        }
        return {point: some for point, some in left.items() if some}


def pieces_of(need: Need, default_per_day: float) -> tuple[Piece, ...]:
    """What is missing as pieces: points that lack the same days are asked together."""
    alike: dict[tuple[int, ...], list[str]] = {}
    for point, days in need.missing_days.items():
        alike.setdefault(tuple(sorted(days)), []).append(point)
    pieces = []
    for days, points in alike.items():
        for first, last in runs(days):
            per_day = sum(need.density_per_day.get(point, default_per_day) for point in points)
            samples = ceil(per_day * (last + 1 - first))
            by_points = ceil(len(points) / need.capabilities.batch_points)
            by_samples = ceil(samples / need.capabilities.call_samples)
            pieces.append(
                Piece(
                    site=need.site,
                    points=tuple(sorted(points)),
                    first_day=first,
                    last_day=last,
                    samples=samples,
                    calls=max(by_points, by_samples),
                )
            )
    return tuple(sorted(pieces, key=lambda one: (-one.last_day, one.first_day, one.points)))


@dataclass(frozen=True, slots=True, kw_only=True)
class WishedPiece:
    """A piece, and the wish that it is of."""

    piece: Piece
    wish: Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedJob:
    """Some days in a row (both held, since 1970) of some points of a site, for one wish or several."""

    site: str
    points: tuple[str, ...]
    first_day: int
    last_day: int
    pieces: tuple[WishedPiece, ...]


def jobs_of(wished: Iterable[WishedPiece]) -> tuple[PlannedJob, ...]:
    """Pieces of a site and of the same days as one job, as far as its points are not too many; in the order
    in which their first pieces come.
    """
    open_jobs: dict[tuple[str, int, int], int] = {}
    jobs: list[list[WishedPiece]] = []
    for one in wished:
        key = one.piece.site, one.piece.first_day, one.piece.last_day
        place = open_jobs.get(key)
        if place is None or _points_of([*jobs[place], one]) > SET_MAX_POINTS:
            place = open_jobs[key] = len(jobs)
            jobs.append([])
        jobs[place].append(one)
    return tuple(
        PlannedJob(
            site=some[0].piece.site,
            points=tuple(sorted(point for one in some for point in one.piece.points)),
            first_day=some[0].piece.first_day,
            last_day=some[0].piece.last_day,
            pieces=tuple(some),
        )
        for some in jobs
    )


def _points_of(some: Sequence[WishedPiece]) -> int:
    return sum(len(one.piece.points) for one in some)


def fitting(pieces: Sequence[Piece], budget: WarmBudget) -> tuple[Piece, ...]:
    """The pieces that the budget holds, in their order; one that is too large keeps no smaller one out."""
    chosen: list[Piece] = []
    for piece in pieces:
        if len(chosen) < PIECES_AT_ONCE and budget.holds(piece.samples, piece.calls):
            chosen.append(piece)
            budget = budget.less(piece.samples, piece.calls)
    return tuple(chosen)
