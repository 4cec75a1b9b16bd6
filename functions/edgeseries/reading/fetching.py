"""Fetching the gaps of a request, one call of the origin after the other.

The origin bounds what runs side by side.
How gaps are cut is the caller's: an answer takes calls that are likely to fit, a job pieces of a size.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from edgeseries.errors import AnswerTooLarge, OriginOversize, TooLarge
from edgeseries.limits import DAY_MS, FORCED_DIRECT_MAX_SAMPLES
from edgeseries.origins.ports.origin import Bulk, Origin
from edgeseries.origins.ports.surplus import Surplus
from edgeseries.planning.fetch_plan import Gap, in_fitting_calls, projected_samples, with_probe
from edgeseries.planning.piece_size import next_piece
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.reading.fetched import Delivery

Cut = Callable[[Gap], tuple[Gap, Sequence[Gap]]]
"""A gap as the piece to fetch first, and what is left of it."""

Halve = Callable[[Gap], Sequence[Gap] | None]
"""A piece that proved too large for one fetch in smaller ones; None where it cannot be cut."""


def uncut(gap: Gap) -> tuple[Gap, Sequence[Gap]]:
    """All of it at once."""
    return gap, ()


def indivisible(_piece: Gap) -> None:
    """What is too large fails."""


async def fetch_gaps(
    site: str,
    gaps: Sequence[Gap],
    *,
    origin: Origin,
    deadline_ms: Callable[[], int],
    cut: Cut = uncut,
    halve: Halve = indivisible,
    bulk: Bulk | None = None,
    surplus: Surplus | None = None,
) -> AsyncGenerator[Delivery]:
    """Every gap in order, in pieces. `deadline_ms` (UTC epoch) is asked before each. `surplus` takes what
    comes along of other points.

    Raises what the origin raises; of TooLarge and OriginOversize only those of a piece that cannot be cut.
    """
    left = list(reversed(gaps))
    while left:
        piece, rest = cut(left.pop())
        left.extend(rest)
        try:
            series = await origin.fetch(
                site, piece.points, piece.span, deadline_ms=deadline_ms(), bulk=bulk, surplus=surplus
            )
        except (TooLarge, OriginOversize):
            smaller = halve(piece)
            if smaller is None:
                raise
            left.extend(reversed(smaller))
            continue
        yield piece, series


async def fetch_for_answer(
    site: str,
    gaps: Sequence[Gap],
    *,
    origin: Origin,
    density_per_day: Mapping[str, float],
    deadline_ms: int,
    bound: SampleBound,
    probes: bool,
    surplus: Surplus | None = None,
) -> AsyncGenerator[Delivery]:
    """The gaps of one answer, those that are likely to bring little many at a time. Every delivery is counted
    by `bound`, after it is handed over.

    `surplus` takes what comes along of other points with whole days.

    Raises AnswerTooLarge once all gaps together are more than one answer may fetch. With `probes` it is
    raised early: the first day of points that nothing was learned of shows how dense they are before the
    rest is fetched.
    """
    capabilities = origin.capabilities(site)
    fitting = in_fitting_calls(gaps, density_per_day, capabilities)
    waiting: Sequence[Gap] = with_probe(fitting, density_per_day) if probes else fitting
    done: list[tuple[Gap, int]] = []
    while waiting:
        piece, waiting = next_piece(waiting, done, density_per_day, capabilities)
        along = surplus if _is_whole_days(piece) else None
        series = await origin.fetch(site, piece.points, piece.span, deadline_ms=deadline_ms, surplus=along)
        done.append((piece, sum(len(one.samples) for one in series)))
        yield piece, series
        bound.add_fetched(done[-1][1])
        count = sum(samples for _, samples in done)
        left = projected_samples(done, waiting, density_per_day) if probes else 0
        if count > FORCED_DIRECT_MAX_SAMPLES or (left and count + left > FORCED_DIRECT_MAX_SAMPLES):
            raise AnswerTooLarge(
                f"about {count + left} samples would have to be fetched at once, "
                f"at most {FORCED_DIRECT_MAX_SAMPLES} can be; ask for a shorter range or fewer points",
                estimated_samples=count + left,
            )


def _is_whole_days(gap: Gap) -> bool:
    return gap.span.start_ms % DAY_MS == gap.span.end_ms % DAY_MS == 0
