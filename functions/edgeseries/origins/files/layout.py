"""Where the files of an archive lie: a template with names and dates in it. Pure functions.

Dates are UTC: a sample lies in the file of its UTC year, month or day.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from edgeseries.errors import OriginContract
from edgeseries.limits import DAY_MS
from edgeseries.origins.files.limits import MAX_FILES
from edgeseries.series.timerange import EPOCH, TimeRange

CSV, PARQUET, GZIP = ".csv", ".parquet", ".gz"
FIELDS: Final = ("site", "point", "year", "month", "day")


@dataclass(frozen=True, slots=True)
class Layout:
    """A template, such as `{site}/{point}/{year}.parquet`."""

    template: str

    @property
    def by_point(self) -> bool:
        """Whether a file is of one point."""
        return "{point}" in self.template

    @property
    def by_period(self) -> bool:
        """Whether files are cut by time: one that is not there is then a period without samples."""
        return any(f"{{{one}}}" in self.template for one in ("year", "month", "day"))

    @property
    def is_parquet(self) -> bool:
        """Whether files are Parquet; they are CSV otherwise."""
        return self.template.endswith(PARQUET)

    def files(self, site: str, point: str, span: TimeRange) -> Sequence[str]:
        """The files that hold a range of a point, by path. Raises OriginContract for more than are read."""
        found = list(dict.fromkeys(self._path(site, point, day) for day in self._days(span)))
        if len(found) > MAX_FILES:
            raise OriginContract(
                f"a range lies in {len(found)} files, at most {MAX_FILES} are read at once: the operator "
                "must set a layout with fewer (by month or year), or the caller ask for a shorter range"
            )
        return found

    def _days(self, span: TimeRange) -> Iterator[datetime]:
        first, last = span.start_ms // DAY_MS, (span.end_ms - 1) // DAY_MS
        if not self.by_period:
            last = first
        return (EPOCH.astimezone(UTC) + timedelta(days=day) for day in range(first, last + 1))

    def _path(self, site: str, point: str, day: datetime) -> str:
        texts = (name_part(site), name_part(point), f"{day:%Y}", f"{day:%m}", f"{day:%d}")
        path = self.template
        for name, text in zip(FIELDS, texts, strict=True):
            path = path.replace(f"{{{name}}}", text)
        return path


def name_part(name: str) -> str:
    """A name as one part of a path, percent-encoded, dots of a whole part too: none leads elsewhere."""
    part = quote(name, safe="")
    return part.replace(".", "%2E") if set(part) <= {"."} else part
