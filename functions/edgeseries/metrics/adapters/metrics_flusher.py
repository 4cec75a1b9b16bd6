"""Writing what an isolate counted into the database: rarely, after the response, in one transaction."""

import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from edgeseries.errors import StoreUnavailable
from edgeseries.limits import DAY_MS
from edgeseries.metrics.adapters import request_statements, usage_statements
from edgeseries.metrics.adapters.buffer_limits import FLUSH_AFTER_MS
from edgeseries.metrics.adapters.late_data_records import add_commands
from edgeseries.metrics.adapters.metrics_buffer import MetricsBuffer, Taken
from edgeseries.metrics.ports.journal import Journal
from edgeseries.metrics.ports.late_data import LateData
from edgeseries.ports.clock import Clock
from edgeseries.ports.streaming import Pause
from edgeseries.storage.database import Command, Database, json_chunks


class FurtherCounts(Protocol):
    """Counts of the isolate that are written with the others."""

    def take(self, now_ms: int) -> tuple[list[Command], Callable[[], None]] | None:
        """What is to be written now, and what to call if it could not be; None if there is nothing."""
        ...


class MetricsFlusher:
    """Writes for one event of one Worker, named `function`. `metrics_buffer` and `further` belong to the
    isolate.
    """

    def __init__(
        self,
        *,
        function: str,
        metrics_buffer: MetricsBuffer,
        database: Database,
        clock: Clock,
        journal: Journal,
        further: Sequence[FurtherCounts] = (),
    ) -> None:
        self._function = function
        self._further = further
        self._buffer = metrics_buffer
        self._database = database
        self._clock = clock
        self._journal = journal

    def settle(self, after: Callable[[Coroutine[Any, Any, None]], None], pause: Pause) -> None:
        """At the end of an event: see to it that what is counted gets written soon, by this or another.

        `after` runs work after the response.
        """
        if self._buffer.full():
            after(self.flush())
        elif self._buffer.plan(self._clock.now_ms()):
            after(self._flush_later(pause))

    async def flush(self) -> None:
        """Write what is counted now. What cannot be written is counted on."""
        now_ms = self._clock.now_ms()
        taken = self._buffer.take(now_ms)
        further = [
            found
            for one in (self._buffer.upstreams, *self._further)
            if (found := one.take(now_ms)) is not None
        ]
        if taken.empty and not further:
            return
        commands = [command for some, _ in further for command in some]
        try:
            await self._database.write([*self._commands(taken, now_ms), *commands])
        except StoreUnavailable as error:
            self._buffer.put_back(taken)
            for _, put_back in further:
                put_back()
            self._journal.line("warning", "counts could not be written", cause=error.detail)

    async def _flush_later(self, pause: Pause) -> None:
        await pause(FLUSH_AFTER_MS)
        await self.flush()

    def _commands(self, taken: Taken, now_ms: int) -> list[Command]:
        requests = [
            (
                *key,
                sums.request_count,
                sums.duration_sum_ms,
                sums.buckets,
                sums.sample_count,
                sums.origin_samples,
                sums.body_bytes,
            )
            for key, sums in taken.requests.items()
        ]
        day_ms = now_ms // DAY_MS * DAY_MS
        counts = [taken.operations[name] for name in usage_statements.OPERATIONS]
        commands = [
            Command(sql=usage_statements.RECORD_OPERATIONS, parameters=(day_ms, self._function, *counts))
        ]
        if requests:
            commands.append(
                Command(sql=request_statements.RECORD_REQUESTS, parameters=(json.dumps(requests),))
            )
        if taken.keys:
            uses_of_keys = json.dumps(taken.keys)
            commands.append(Command(sql=usage_statements.RECORD_KEY_USES, parameters=(uses_of_keys,)))
        commands += add_commands(
            [LateData(site=site, lateness=one) for site, one in taken.late.items()], now_ms
        )
        commands += [
            Command(sql=usage_statements.RECORD_USES, parameters=(uses,))
            for uses, _ in json_chunks(taken.uses)
        ]
        return commands
