"""The truth as the soak knows it: what to ask, and whether what came is right."""

import csv
import io
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from local.expected import expected_samples
from local.upstream.truth import Truth

MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
LIVE_LAG_MS: Final = 20_000
"""An isolate answers the live edge as it was up to 10 s ago; samples older than this must be there."""

INLINE_ROWS: Final = 4_000
JOB_ROWS: Final = 20_000
"""About how many samples one drawn request, or one drawn job, has."""


def iso(at_ms: int) -> str:
    """An instant as callers write it."""
    return datetime.fromtimestamp(at_ms / 1_000, tz=UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A range of some points of a site; times in UTC epoch ms."""

    site: str
    points: tuple[str, ...]
    start_ms: int
    end_ms: int

    def fields(self) -> dict[str, Any]:
        """As a JSON body."""
        times = {"start_time": iso(self.start_ms), "end_time": iso(self.end_ms)}
        return {"site": self.site, "points": list(self.points), **times}

    def pairs(self) -> list[tuple[str, str]]:
        """As URL parameters."""
        times = [("start_time", iso(self.start_ms)), ("end_time", iso(self.end_ms))]
        return [("site", self.site), *(("point", point) for point in self.points), *times]


@dataclass(frozen=True, kw_only=True)
class Model:
    """The data files, and which of their sites happen now."""

    truth: Truth
    live_site: str

    def draw(self, chance: random.Random, rows: int) -> Wanted:
        """Some points and a range with about so many samples, aligned often, so that requests meet."""
        site = chance.choice(self.truth.sites())
        points = tuple(chance.sample([one.name for one in self.truth.points(site)], chance.randint(1, 4)))
        spans = [self.truth.span_ms(site, point) or (0, DAY_MS) for point in points]
        first_ms, last_ms = min(one[0] for one in spans), max(one[1] for one in spans)
        a_day = max(len(self.truth.rows(site, one, last_ms - 7 * DAY_MS, last_ms)) for one in points) / 7
        days = max(1, int(rows / len(points) / max(a_day, 1)))
        length_ms = chance.randint(1, min(days, 120)) * DAY_MS // chance.choice((1, 1, 3, 24))
        start_ms = chance.randint(first_ms // DAY_MS, max(first_ms, last_ms - length_ms) // DAY_MS) * DAY_MS
        if chance.random() < 0.5:
            start_ms += chance.randint(0, 24 * 60) * MINUTE_MS
        return Wanted(site=site, points=points, start_ms=start_ms, end_ms=start_ms + length_ms)

    def draw_live(self, chance: random.Random, now_ms: int) -> Wanted:
        """The last hours of some points of the live site, up to now or a little past it."""
        names = [one.name for one in self.truth.points(self.live_site)]
        end_ms = now_ms + chance.choice((0, 0, MINUTE_MS))
        start_ms = now_ms - chance.choice((1, 3, 30)) * 60 * MINUTE_MS
        points = tuple(chance.sample(names, chance.randint(1, min(5, len(names)))))
        return Wanted(site=self.live_site, points=points, start_ms=start_ms - start_ms % 1_000, end_ms=end_ms)

    def fault_of(self, wanted: Wanted, data: Mapping[str, Any], *, asked_ms: int, told_ms: int) -> str | None:
        """What is wrong with the series of an answer that was asked and told at these times."""
        if list(data) != sorted(set(wanted.points)):
            return f"points {list(data)} for {wanted}"
        for point, told in data.items():
            if told["error"] is not None or told["count"] != len(told["samples"]):
                return f"{point}: {told['error']}, count {told['count']} of {len(told['samples'])}"
            fault = self.rows_fault(wanted, point, told["samples"], asked_ms=asked_ms, told_ms=told_ms)
            if fault:
                return f"{wanted}: {fault}"
        return None

    def rows_fault(
        self, wanted: Wanted, point: str, rows: Sequence[Any], *, asked_ms: int, told_ms: int
    ) -> str | None:
        """What is wrong with one point's samples: of what happens now, the newest may not be there yet."""
        end_ms = min(wanted.end_ms, told_ms) if wanted.site == self.live_site else wanted.end_ms
        expected = expected_samples(self.truth, wanted.site, point, wanted.start_ms, end_ms)
        due = expected
        if wanted.site == self.live_site:
            due = [row for row in expected if row[0] < asked_ms - LIVE_LAG_MS]
        if len(rows) < len(due):
            return f"{point}: {len(rows)} samples, {len(due)} are due"
        if json.dumps(rows) != json.dumps(expected[: len(rows)]):
            return f"{point}: samples differ from the truth"
        return None


def series_of(text: str, media_type: str, points: Sequence[str]) -> dict[str, Any]:
    """The series of a result in any of its formats. ValueError for what is none."""
    if media_type == "application/json":
        data: dict[str, Any] = json.loads(text)["data"]
        return data
    rows: dict[str, list[Any]] = {point: [] for point in sorted(set(points))}
    errors: dict[str, str] = {}
    if media_type == "text/csv":
        for point, at, value in list(csv.reader(io.StringIO(text, newline="")))[1:]:
            rows[point].append([_epoch_ms(at), float(value)])
    else:
        for line in map(json.loads, text.splitlines()):
            if "error" in line:
                errors[line["point_name"]] = line["error"]
            else:
                rows[line["point_name"]].append([_epoch_ms(line["timestamp"]), line["value"]])
    return {
        point: {"samples": found, "count": len(found), "error": errors.get(point)}
        for point, found in rows.items()
    }


def _epoch_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000)
