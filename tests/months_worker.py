"""The block store of a Worker of before blocks of years, as it was: its own code, from a kept archive.

`golden/worker_of_months.zip` holds the modules of commit 51f65a9 that `BlockStore` needs, the package
renamed to `edgeseries_of_months`, so that both generations run side by side over one bucket and one database.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from edgeseries.series.samples import Samples
from edgeseries.series.timerange import TimeRange
from tests.fake_stores import MemoryBucket, SqliteDatabase
from tests.fakes import FakeClock
from tests.made_days import run
from tests.store_rig import SITE, turns

ARCHIVE = Path(__file__).parent / "golden" / "worker_of_months.zip"
PACKAGE = "edgeseries_of_months"


def _old(module: str) -> Any:
    if str(ARCHIVE) not in sys.path:
        sys.path.append(str(ARCHIVE))
    return import_module(f"{PACKAGE}.{module}")


class MonthsWorker:
    """The old store, in the verbs that the tests use."""

    def __init__(self, bucket: MemoryBucket, database: SqliteDatabase, clock: FakeClock) -> None:
        codec = _old("blocks.block_columns").PythonBlockCodec(
            compressor=_old("blocks.adapters.compression_cpython").PackageCompression()
        )
        self.store = _old("blocks.adapters.block_store").BlockStore(
            bucket=bucket,
            database=database,
            codec=codec,
            memory=_old("blocks.adapters.block_memory").BlockMemory(),
            clock=clock,
            pause=turns,
        )

    def keep(self, point: str, days: list[int], samples: Samples) -> Any:
        """Store days as they were fetched just now."""
        stamps = self.look_up([point], TimeRange(start_ms=0, end_ms=1)).stamps
        return run(self.store.store(SITE, [self._days(point, days, samples)], stamps))

    def begin_refresh(self, points: list[str]) -> Any:
        return run(self.store.begin_refresh(SITE, points))

    def refresh(self, point: str, days: list[int], samples: Samples, begun: Any) -> Any:
        return run(self.store.refresh(SITE, [self._days(point, days, samples)], begun))

    def look_up(self, points: list[str], span: TimeRange) -> Any:
        return run(self.store.look_up(SITE, points, self._span(span)))

    def read(self, point: str, span: TimeRange) -> tuple[list[int], list[tuple[int, object]]]:
        """The days that it holds, and their samples."""
        index = self.look_up([point], span)
        found = run(self.store.read(SITE, [point], self._span(span), index))[point]
        return sorted(found.days), list(zip(found.samples.times_ms, found.samples.values, strict=True))

    def forget(self, *, points: list[str] | None, span: TimeRange | None) -> Any:
        chosen = None if span is None else self._span(span)
        return run(self.store.forget(SITE, points=points, span=chosen, dry_run=False))

    def fingerprint(self, points: list[str], span: TimeRange) -> str | None:
        found: str | None = run(self.store.fingerprint(SITE, points, self._span(span)))
        return found

    def _span(self, span: TimeRange) -> Any:
        return _old("series.timerange").TimeRange(start_ms=span.start_ms, end_ms=span.end_ms)

    def _days(self, point: str, days: list[int], samples: Samples) -> Any:
        return _old("blocks.ports.blocks").DaysToStore(
            point=point,
            days=tuple(days),
            samples=_old("series.samples").Samples(
                times_ms=samples.times_ms, values=tuple(samples.values.to_list())
            ),
        )
