"""The Examiner port: D1, R2, the job queues and the upstream, looked at side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pyodide.ffi import JsException

from edgeseries.adapters.ffi import in_time, js_object, raw, whole_number
from edgeseries.core.errors import EdgeError
from edgeseries.ports.clock import Clock
from edgeseries.ports.health import Finding
from edgeseries.ports.origin import Origin

Facts = tuple[tuple[str, int], ...]


class PlatformExaminer:
    """Probes with the smallest real call to each part."""

    def __init__(
        self, *, database: Any, bucket: Any, queues: Mapping[str, Any], origin: Origin, clock: Clock
    ) -> None:
        self._database = database
        self._bucket = bucket
        self._queues = queues
        self._origin = origin
        self._clock = clock

    async def examine(self, *, timeout_ms: int) -> tuple[Finding, ...]:
        """See the port."""
        return tuple(
            await asyncio.gather(
                self._finding("database", self._look_at_database, timeout_ms),
                self._finding("bucket", self._look_at_bucket, timeout_ms),
                self._finding("queues", self._look_at_queues, timeout_ms),
                self._finding("upstream", self._look_at_upstream, timeout_ms),
            )
        )

    async def _finding(self, part: str, look: Callable[[int], Awaitable[Facts]], timeout_ms: int) -> Finding:
        started_ms = self._clock.now_ms()
        facts: Facts = ()
        fault = None
        try:
            facts = await look(timeout_ms)
        except EdgeError as error:
            fault = error.detail
        except JsException as error:
            fault = f"the platform answered: {error}"
        return Finding(part=part, duration_ms=self._clock.now_ms() - started_ms, fault=fault, facts=facts)

    async def _look_at_database(self, timeout_ms: int) -> Facts:
        tables = raw(self._database).prepare("SELECT count(*) AS n FROM sqlite_schema WHERE type = 'table'")
        count = await in_time(tables.first("n"), timeout_ms, "the database")
        return (("tables", whole_number(count, "the number of tables")),)

    async def _look_at_bucket(self, timeout_ms: int) -> Facts:
        await in_time(raw(self._bucket).list(js_object({"limit": 1})), timeout_ms, "the bucket")
        return ()

    async def _look_at_queues(self, timeout_ms: int) -> Facts:
        facts: list[tuple[str, int]] = []
        for name, queue in self._queues.items():
            metrics = await in_time(raw(queue).metrics(), timeout_ms, f"the queue {name}")
            facts.append((f"{name}Backlog", whole_number(metrics.backlogCount, "a queue's backlog")))
        return tuple(facts)

    async def _look_at_upstream(self, timeout_ms: int) -> Facts:
        await self._origin.ping(deadline_ms=self._clock.now_ms() + timeout_ms)
        return ()
