"""How much is asked of an upstream in one call, learned from how it serves, as values.

A size is one of the steps that its vendor allows. It grows a step after some full calls that were served
well, as long as a row takes no longer than it did at the step below. It shrinks at once where an answer was
too large, took too long, ran out of time or was a 5xx; that step and those above are then left alone for a
while. Nothing else of the vendor is known here, and no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from edgeseries.origins.call_limits import (
    SIZE_BODY_SHARE,
    SIZE_DEARER,
    SIZE_FIRST_BAR_MS,
    SIZE_FULL_SHARE,
    SIZE_GROW_CALLS,
    SIZE_LONG_MS,
    SIZE_LONGEST_BAR_MS,
    SIZE_MIN_ROWS,
    SIZE_SMOOTHING,
    SIZE_WELL_MS,
)


class SizeOutcome(StrEnum):
    """How a call ended, as far as its size may be the reason."""

    SERVED = "served"
    TOO_LARGE = "too large"
    TOO_MANY = "too many points"
    TIMED_OUT = "timed out"
    FAULT = "5xx"


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeSteps:
    """The sizes that a vendor allows, ascending; `start` is the one before anything was learned. 5xx make no
    size smaller than `fault_floor`: an upstream that fails there is down, not asked for too much. `scales`:
    answers grow as the size does.
    """

    steps: tuple[int, ...]
    start: int
    fault_floor: int
    scales: bool = True

    def __post_init__(self) -> None:
        assert list(self.steps) == sorted(set(self.steps))
        assert self.start in self.steps
        assert self.fault_floor in self.steps

    def below(self, size: int) -> int:
        """The step below a size; the smallest one has none and is its own."""
        return max((step for step in self.steps if step < size), default=self.steps[0])

    def above(self, size: int) -> int:
        """The step above a size; the largest one is its own."""
        return min((step for step in self.steps if step > size), default=self.steps[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMeasure:
    """How a call was served: it asked for `asked` (points, or rows), and got `rows` in an answer of `size`
    bytes, of at most `max_size`, in `took_ms` (0 if that was not measured).
    """

    asked: int
    outcome: SizeOutcome = SizeOutcome.SERVED
    rows: int = 0
    size: int = 0
    max_size: int = 0
    took_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A step that is left alone until then (UTC epoch ms), for `pause_ms` this time."""

    until_ms: int
    pause_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSize:
    """A size as learned. `good` full calls were served well at it one after the other, `calls` were made
    since it was taken (both are counted up to SIZE_GROW_CALLS); `row_ms` is what a row takes, by size; `bars`
    are steps that did not do.
    """

    size: int
    good: int = 0
    calls: int = 0
    row_ms: Mapping[int, float] = field(default_factory=dict)
    bars: Mapping[int, Bar] = field(default_factory=dict)


def started(steps: SizeSteps) -> CallSize:
    """The size before anything was learned."""
    return CallSize(size=steps.start)


def after_call(state: CallSize, steps: SizeSteps, measure: CallMeasure, now_ms: int) -> CallSize:
    """The size after a call. Small calls say nothing of it, and one that was made under a larger size was
    judged when that was given up.
    """
    if measure.asked < SIZE_FULL_SHARE * state.size:
        return state
    if measure.outcome is not SizeOutcome.SERVED:
        return _shrunk(state, steps, measure, now_ms)
    if measure.asked > state.size:
        return state
    state = replace(_with_row_ms(state, measure), calls=min(state.calls + 1, SIZE_GROW_CALLS))
    if measure.took_ms > SIZE_LONG_MS or _is_dearer(state, steps):
        return _shrunk(state, steps, measure, now_ms)
    return _after_good_call(state, steps, measure, now_ms)


def _after_good_call(state: CallSize, steps: SizeSteps, measure: CallMeasure, now_ms: int) -> CallSize:
    above = steps.above(state.size)
    expected = measure.size * above / measure.asked if steps.scales else measure.size
    if measure.took_ms > SIZE_WELL_MS or expected > SIZE_BODY_SHARE * measure.max_size:
        return replace(state, good=0)
    state = replace(
        state,
        good=min(state.good + 1, SIZE_GROW_CALLS),
        bars={step: bar for step, bar in state.bars.items() if step > state.size},
    )
    barred = any(step <= above and now_ms < bar.until_ms for step, bar in state.bars.items())
    if state.good < SIZE_GROW_CALLS or above == state.size or barred:
        return state
    return replace(state, size=above, good=0, calls=0, row_ms={**state.row_ms, above: 0.0})


def _with_row_ms(state: CallSize, measure: CallMeasure) -> CallSize:
    if measure.rows < SIZE_MIN_ROWS or not measure.took_ms:
        return state
    now = measure.took_ms / measure.rows
    before = state.row_ms.get(state.size)
    mean = now if not before else before + SIZE_SMOOTHING * (now - before)
    return replace(state, row_ms={**state.row_ms, state.size: mean})


def _is_dearer(state: CallSize, steps: SizeSteps) -> bool:
    """Whether a row takes longer than at the step below, which is judged once there are as many calls as
    make a size grow.
    """
    here, below = state.row_ms.get(state.size), state.row_ms.get(steps.below(state.size))
    enough = state.calls >= SIZE_GROW_CALLS and steps.below(state.size) != state.size
    return bool(enough and here and below and here > SIZE_DEARER * below)


def _shrunk(state: CallSize, steps: SizeSteps, measure: CallMeasure, now_ms: int) -> CallSize:
    """A step below what was asked, unless it is there already, and what was asked is barred."""
    size = steps.below(measure.asked)
    if measure.outcome is SizeOutcome.FAULT:
        size = max(size, min(steps.fault_floor, state.size))
    if size >= state.size:
        return state
    failed = steps.above(size)
    before = state.bars.get(failed)
    pause_ms = SIZE_FIRST_BAR_MS if before is None else min(2 * before.pause_ms, SIZE_LONGEST_BAR_MS)
    bars = {**state.bars, failed: Bar(until_ms=now_ms + pause_ms, pause_ms=pause_ms)}
    return replace(state, size=size, good=0, calls=0, bars=bars)
