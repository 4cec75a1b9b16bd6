"""Largest-Triangle-Three-Buckets: samples whose line looks like that of all of them.

Steinarsson, S. (2013): Downsampling Time Series for Visual Representation. University of Iceland, 4.2. It is
run over samples that were chosen before by their extremes (MinMaxLTTB: Van Der Donckt et al., 2023, IEEE
VIS), so it costs the same for a day and for ten years.
"""

from collections.abc import Sequence
from typing import Final

PRESELECTED: Final = 4
"""Samples that are chosen by their extremes for each one that stays (Van Der Donckt et al., section 4)."""


def largest_triangles(times_ms: Sequence[int], numbers: Sequence[float], count: int) -> list[int]:
    """The places of `count` of the samples, at least two, ascending; of fewer samples all. The first and the
    last are among them.
    """
    size = len(times_ms)
    assert count >= 2  # noqa: PLR2004 - the first and the last
    if size <= count:
        return list(range(size))
    if count == 2:  # noqa: PLR2004 - the first and the last
        return [0, size - 1]
    width = (size - 2) / (count - 2)
    kept = [0]
    for bucket in range(count - 2):
        start, end = int(bucket * width) + 1, int((bucket + 1) * width) + 1
        after = (
            range(end, min(int((bucket + 2) * width) + 1, size))
            if bucket < count - 3
            else range(size - 1, size)
        )
        mean_ms = sum(times_ms[place] for place in after) / len(after)
        mean = sum(numbers[place] for place in after) / len(after)
        left_ms, left = times_ms[kept[-1]], numbers[kept[-1]]
        best, best_area = start, -1.0
        for place in range(start, end):
            area = abs(
                (left_ms - mean_ms) * (numbers[place] - left) - (left_ms - times_ms[place]) * (mean - left)
            )
            if area > best_area:
                best, best_area = place, area
        kept.append(best)
    return [*kept, size - 1]
