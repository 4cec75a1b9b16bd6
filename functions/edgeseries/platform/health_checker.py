"""The HealthChecker port: D1, R2, the job queues, each upstream and the janitor, looked at side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import js
from pyodide.ffi import to_js

from edgeseries.errors import Defect, EdgeError
from edgeseries.limits import MINUTE_MS, SECOND_MS, SWEEP_MAX_AGE_MS
from edgeseries.metrics.ports.health import Finding
from edgeseries.metrics.ports.journal import Journal
from edgeseries.origins.ports.origin import Origin
from edgeseries.platform.ffi import in_time, raw, whole_number
from edgeseries.ports.clock import Clock
from edgeseries.upkeep.ports.duties import SWEEP_RECORD, DutyRecords

Facts = tuple[tuple[str, int], ...]

PROBE_KEY = "health/probe"
"""A key that nothing is stored under: that there is none is an answer."""


def no_facts(_part: str, _now_ms: int) -> Facts:
    """Of upstreams that nobody keeps a record of."""
    return ()


class PlatformHealthChecker:
    """Probes with the smallest real call to each part. `origins` are the upstreams by the parts they are;
    `upstream_facts` tells what is known of one of them at a moment (UTC epoch ms), which stands in its
    finding whether it answers or not.
    """

    def __init__(
        self,
        *,
        database: Any,
        bucket: Any,
        queues: Mapping[str, Any],
        origins: Mapping[str, Origin],
        duties: DutyRecords,
        clock: Clock,
        journal: Journal,
        upstream_facts: Callable[[str, int], Facts] = no_facts,
    ) -> None:
        self._database = database
        self._bucket = bucket
        self._queues = queues
        self._origins = origins
        self._duties = duties
        self._clock = clock
        self._journal = journal
        self._upstream_facts = upstream_facts

    async def check_all(self, *, timeout_ms: int) -> tuple[Finding, ...]:
        """See the port."""
        looks: dict[str, Callable[[int], Awaitable[Facts]]] = {
            "database": self._look_at_database,
            "bucket": self._look_at_bucket,
            "queues": self._look_at_queues,
            **{part: partial(self._look_at_upstream, origin) for part, origin in self._origins.items()},
            "janitor": self._look_at_janitor,
        }
        started_ms = self._clock.now_ms()
        # Nothing may be left pending when this returns, so every look is awaited, whatever it raises.
        outcomes = await asyncio.gather(
            *(self._timed(look, timeout_ms) for look in looks.values()), return_exceptions=True
        )
        return tuple(
            self._finding(part, outcome, started_ms) for part, outcome in zip(looks, outcomes, strict=True)
        )

    async def _timed(self, look: Callable[[int], Awaitable[Facts]], timeout_ms: int) -> tuple[int, Facts]:
        facts = await look(timeout_ms)
        return self._clock.now_ms(), facts

    def _finding(self, part: str, outcome: tuple[int, Facts] | BaseException, started_ms: int) -> Finding:
        known = self._upstream_facts(part, started_ms) if part in self._origins else ()
        if isinstance(outcome, tuple):
            facts = (*outcome[1], *known)
            return Finding(part=part, duration_ms=outcome[0] - started_ms, facts=facts)
        if not isinstance(outcome, Exception):
            raise outcome
        self._journal.line("error", f"the {part} fails its probe", cause=repr(outcome))
        fault = outcome.detail if isinstance(outcome, EdgeError) else "fails; the log says how"
        duration_ms = self._clock.now_ms() - started_ms
        return Finding(part=part, duration_ms=duration_ms, fault=fault, facts=known)

    async def _look_at_database(self, timeout_ms: int) -> Facts:
        tables = raw(self._database).prepare("SELECT count(*) AS n FROM sqlite_schema WHERE type = 'table'")
        count = await in_time(tables.first("n"), timeout_ms, "the database")
        return (("tables", whole_number(count, "the number of tables")),)

    async def _look_at_bucket(self, timeout_ms: int) -> Facts:
        # A look at one key is a Class B operation; a list would be a Class A, twelve times the price.
        await in_time(raw(self._bucket).head(PROBE_KEY), timeout_ms, "the bucket")
        return ()

    async def _look_at_queues(self, timeout_ms: int) -> Facts:
        names = tuple(self._queues)
        asked = js.Promise.all(to_js([raw(self._queues[name]).metrics() for name in names]))
        answered = await in_time(asked, timeout_ms, "a queue")
        return tuple(
            (f"{name}Backlog", whole_number(answered[place].backlogCount, "a queue's backlog"))
            for place, name in enumerate(names)
        )

    async def _look_at_upstream(self, origin: Origin, timeout_ms: int) -> Facts:
        await origin.ping(deadline_ms=self._clock.now_ms() + timeout_ms)
        return ()

    async def _look_at_janitor(self, _: int) -> Facts:
        # A stack that was made just now has had no sweep, and that is no fault. The database has a
        # time limit of its own.
        swept = [one.ran_ms for one in await self._duties.read() if one.duty == SWEEP_RECORD and one.ran_ms]
        if not swept:
            return ()
        age_ms = self._clock.now_ms() - swept[0]
        if age_ms > SWEEP_MAX_AGE_MS:
            raise Defect(
                f"the last sweep ended {age_ms // MINUTE_MS} minutes ago; look at the janitor's logs"
            )
        return (("ageSeconds", age_ms // SECOND_MS),)
