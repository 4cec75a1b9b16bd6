"""The Keys port over the database and the isolate's memory. Statements: `key_statements.py`."""

import json

from edgeseries.access.adapters import key_statements as statements
from edgeseries.access.adapters.key_memory import KeyMemory
from edgeseries.access.grants import Right
from edgeseries.access.keys import ALL_SITES, KeyRecord
from edgeseries.access.ports.keys import KeyPage, Recalled
from edgeseries.errors import Conflict, Defect
from edgeseries.limits import KEY_MEMORY_KEYS
from edgeseries.metrics.adapters.metrics_buffer import MetricsBuffer
from edgeseries.ports.clock import Clock
from edgeseries.rates import Tier
from edgeseries.storage.database import Command, Database, Row


class KeyStore:
    """Keys of one database. `memory` and `metrics_buffer` are the isolate's."""

    def __init__(
        self, *, database: Database, memory: KeyMemory, metrics_buffer: MetricsBuffer, clock: Clock
    ) -> None:
        self._database = database
        self._memory = memory
        self._buffer = metrics_buffer
        self._clock = clock

    def recall(self, key_id: str) -> Recalled | None:
        """See the port."""
        return self._memory.recall(key_id, self._clock.now_ms())

    async def find(self, key_id: str) -> KeyRecord | None:
        """See the port. What is remembered is as old as the question, not as the answer."""
        asked_ms = self._clock.now_ms()
        record = await self._read(key_id)
        self._memory.learn(key_id, record, asked_ms)
        return record

    async def remember_all(self) -> None:
        """See the port. Requests that come while the first one reads, read too."""
        asked_ms = self._clock.now_ms()
        if self._memory.has_all(asked_ms):
            return
        rows = await self._database.read(Command(sql=statements.IN_FORCE, parameters=(KEY_MEMORY_KEYS,)))
        self._memory.learn_all(map(record_of, rows), asked_ms)

    async def add(self, record: KeyRecord) -> None:
        """See the port. Raises Conflict in the one case in 10^9 that the id is taken."""
        (added,) = await self._database.write(
            [
                Command(
                    sql=statements.ADD,
                    parameters=(
                        *(record.key_id, record.key_hash, record.owner),
                        json.dumps([ALL_SITES] if record.sites is None else record.sites),
                        *(json.dumps(record.rights), record.tier, record.created_ms),
                    ),
                )
            ]
        )
        self._memory.forget(record.key_id)
        if not added:
            raise Conflict("this id is taken; send the request again")

    async def page(self, *, after: str | None, limit: int) -> KeyPage:
        """See the port."""
        rows = await self._database.read(Command(sql=statements.KEYS, parameters=(after or "", limit + 1)))
        keys = tuple(record_of(row) for row in rows[:limit])
        return KeyPage(keys=keys, after=keys[-1].key_id if len(rows) > limit else None)

    async def revoke(self, key_id: str, *, now_ms: int) -> KeyRecord | None:
        """See the port."""
        await self._database.write([Command(sql=statements.REVOKE, parameters=(key_id, now_ms))])
        self._memory.forget(key_id)
        return await self._read(key_id)

    def used(self, key_id: str, now_ms: int) -> None:
        """See the port."""
        self._buffer.key_used(key_id, now_ms)

    async def _read(self, key_id: str) -> KeyRecord | None:
        rows = await self._database.read(Command(sql=statements.KEY, parameters=(key_id,)))
        return record_of(rows[0]) if rows else None


def record_of(row: Row) -> KeyRecord:
    """A row of KEY or KEYS. Raises Defect for a row that no version of ours wrote."""
    key_id, key_hash, owner, sites_json, rights_json, tier, created_ms, revoked_ms, used_ms = row
    try:
        sites = [str(site) for site in json.loads(sites_json)]
        return KeyRecord(
            key_id=str(key_id),
            key_hash=str(key_hash),
            owner=str(owner),
            sites=None if sites == [ALL_SITES] else tuple(sites),
            rights=tuple(Right(right) for right in json.loads(rights_json)),
            tier=Tier(tier),
            created_ms=int(created_ms),
            revoked_ms=None if revoked_ms is None else int(revoked_ms),
            used_ms=None if used_ms is None else int(used_ms),
        )
    except (ValueError, TypeError) as fault:
        raise Defect(f"the row of key {key_id} makes no sense") from fault
