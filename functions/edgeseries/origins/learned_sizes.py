"""The sizes of one upstream's calls as an isolate has learned them: plain data that its requests share.

Nothing of it is stored: an isolate begins with sizes that are known to do, and a size that does not costs it
one call (`docs/adr/0026-adaptive-calls.md`).
"""

from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from edgeseries.origins.call_limits import SIZE_LONG_MS
from edgeseries.origins.call_sizes import (
    CallMeasure,
    CallSize,
    SizeOutcome,
    SizeSteps,
    after_call,
    started,
)
from edgeseries.planning.capabilities import Capabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What a call asks for: so many `points` by name, or a page of so many rows. It is made under a plan of
    `samples` a call.
    """

    samples: int
    points: int = 0
    page_rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """How a call ended. `given_ms` is how long it might take, `took_ms` how long it took (0: unknown); `rows`
    came in `size` bytes of at most `max_size`.
    """

    outcome: SizeOutcome = SizeOutcome.SERVED
    rows: int = 0
    size: int = 0
    max_size: int = 0
    took_ms: int = 0
    given_ms: int = 0


@runtime_checkable
class SizedMemory(Protocol):
    """What an adapter remembers of an upstream, if it learns sizes."""

    @property
    def sizes(self) -> "LearnedSizes | None":
        """The sizes of its calls."""
        ...


class LearnedSizes:
    """Points of a batch call, samples that a call is planned to bring, rows of a page."""

    def __init__(self, *, points: SizeSteps, samples: SizeSteps, page_rows: SizeSteps | None = None) -> None:
        self._point_steps, self._points = points, started(points)
        self._sample_steps, self._samples = samples, started(samples)
        self._page_steps = page_rows
        self._pages = None if page_rows is None else started(page_rows)

    @property
    def batch_points(self) -> int:
        """Points that one call names."""
        return self._points.size

    @property
    def page_rows(self) -> int:
        """Rows of one page."""
        assert self._pages is not None
        return self._pages.size

    @property
    def capabilities(self) -> Capabilities:
        """What plans are made for."""
        return Capabilities(batch_points=self._points.size, call_samples=self._samples.size)

    @property
    def facts(self) -> tuple[tuple[str, int], ...]:
        """The sizes, by the names of `docs/formats/statistics.md`."""
        pages = () if self._pages is None else (("pageRows", self._pages.size),)
        return (("batchPoints", self._points.size), ("callSamples", self._samples.size), *pages)

    def asking(self, *, points: int = 0, page_rows: int = 0) -> Asking:
        """A call that is about to be made."""
        return Asking(samples=self._samples.size, points=points, page_rows=page_rows)

    def learn(self, asking: Asking, served: Served, now_ms: int) -> None:
        """Take note of how a call was served."""
        if served.outcome is SizeOutcome.TIMED_OUT and served.given_ms < SIZE_LONG_MS:
            return
        if asking.points:
            self._points = self._after(self._points, self._point_steps, asking.points, served, now_ms)
            if served.outcome is SizeOutcome.SERVED:
                rows = min(served.rows, self._samples.size)
                self._samples = self._after(self._samples, self._sample_steps, rows, served, now_ms)
            elif served.outcome in {SizeOutcome.TOO_LARGE, SizeOutcome.TIMED_OUT}:
                planned = asking.samples
                self._samples = self._after(self._samples, self._sample_steps, planned, served, now_ms)
        if asking.page_rows and self._page_steps is not None and self._pages is not None:
            full = served.outcome is not SizeOutcome.SERVED or served.rows >= asking.page_rows
            if full:
                self._pages = self._after(self._pages, self._page_steps, asking.page_rows, served, now_ms)

    @staticmethod
    def _after(state: CallSize, steps: SizeSteps, asked: int, served: Served, now_ms: int) -> CallSize:
        measure = CallMeasure(
            asked=asked,
            outcome=served.outcome,
            rows=served.rows,
            size=served.size,
            max_size=served.max_size,
            took_ms=served.took_ms,
        )
        return after_call(state, steps, measure, now_ms)


def sizes_up_to(most: Capabilities) -> LearnedSizes:
    """Sizes that begin with the most that an adapter takes, become fewer, and grow to that again."""
    return LearnedSizes(points=_halved(most.batch_points), samples=_halved(most.call_samples))


def _halved(most: int) -> SizeSteps:
    steps = sorted({max(1, most >> times) for times in range(HALVED_TIMES + 1)})
    return SizeSteps(steps=tuple(steps), start=most, fault_floor=steps[len(steps) // 2])


HALVED_TIMES: Final = 4
"""How often the sizes of an adapter may be halved: fifty points become three, 40,000 samples 2,500."""
