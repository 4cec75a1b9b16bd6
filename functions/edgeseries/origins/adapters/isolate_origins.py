"""What an isolate keeps of each of its upstreams between requests: the load, and what its adapter remembers.

Plain data, shared by all requests. Made at first use of each upstream.
"""

from functools import partial

from edgeseries.limits import UPSTREAM_SHARED_CALLS
from edgeseries.origins.adapters.upstream_load import UpstreamLoad
from edgeseries.origins.learned_sizes import SizedMemory
from edgeseries.origins.record import OriginRecord
from edgeseries.origins.registry import VENDORS


class IsolateOrigins:
    """By the name of each upstream."""

    def __init__(self) -> None:
        self._loads: dict[str, UpstreamLoad] = {}
        self._memories: dict[str, object] = {}

    def load(self, record: OriginRecord, *, alone: bool = True) -> UpstreamLoad:
        """What is under way there. One that is not alone leaves some of the isolate's calls to the others."""
        if record.name not in self._loads:
            self._loads[record.name] = UpstreamLoad(
                max_calls=record.max_calls if alone else min(record.max_calls, UPSTREAM_SHARED_CALLS),
                calls_per_minute=record.calls_per_minute,
                elsewhere=partial(self._elsewhere, record.name),
            )
        return self._loads[record.name]

    def _elsewhere(self, name: str, now_ms: int) -> int:
        return sum(load.under_way(now_ms) for other, load in self._loads.items() if other != name)

    def facts(self, record: OriginRecord, now_ms: int) -> tuple[tuple[str, int], ...]:
        """How it is called now: calls at once, under way and waiting, refusals, and the sizes of calls."""
        memory = self._memories.get(record.name)
        sizes = memory.sizes if isinstance(memory, SizedMemory) else None
        load = self._loads.get(record.name)
        return (*(() if load is None else load.facts(now_ms)), *(() if sizes is None else sizes.facts))

    def memory(self, record: OriginRecord) -> object:
        """What its adapter remembers."""
        if record.name not in self._memories:
            self._memories[record.name] = VENDORS[record.vendor].new_memory()
        return self._memories[record.name]
