"""What an isolate counts of each upstream by itself, until it is written with its other counts."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Final

from edgeseries.limits import DAY_MS
from edgeseries.metrics.adapters.usage_statements import RECORD_UPSTREAMS, UPSTREAM_COUNTS
from edgeseries.storage.database import Command

CALLS: Final = "calls"
FAILED_CALLS: Final = "failed_calls"
FETCHES: Final = "fetches"
FAILED_FETCHES: Final = "failed_fetches"
SAMPLES: Final = "samples"

assert (CALLS, FAILED_CALLS, FETCHES, FAILED_FETCHES, SAMPLES) == UPSTREAM_COUNTS


class UpstreamCounts:
    """By the name of each upstream; one of few, since they come from the settings."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}

    def of(self, upstream: str) -> Counter[str]:
        """The counts of one, by the names of UPSTREAM_COUNTS. Whoever holds them may count on."""
        return self._counts.setdefault(upstream, Counter())

    def take(self, now_ms: int) -> tuple[list[Command], Callable[[], None]] | None:
        """See FurtherCounts."""
        taken = {name: +counts for name, counts in self._counts.items() if +counts}
        if not taken:
            return None
        for counts in self._counts.values():
            counts.clear()
        day_ms = now_ms // DAY_MS * DAY_MS
        rows = [[day_ms, name, *(counts[one] for one in UPSTREAM_COUNTS)] for name, counts in taken.items()]

        def put_back() -> None:
            for name, counts in taken.items():
                self.of(name).update(counts)

        return [Command(sql=RECORD_UPSTREAMS, parameters=(json.dumps(rows),))], put_back
