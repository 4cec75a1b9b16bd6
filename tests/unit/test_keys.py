"""API keys: their text, what an isolate remembers of them, and when their use is written."""

import asyncio

import pytest

from edgeseries.access.adapters.key_memory import KeyMemory
from edgeseries.access.adapters.key_store import KeyStore
from edgeseries.access.grants import Right
from edgeseries.access.keys import KeyRecord, grant_of, hash_of, key_text, presented_key
from edgeseries.metrics.adapters.metrics_buffer import MetricsBuffer
from edgeseries.metrics.adapters.metrics_flusher import MetricsFlusher
from edgeseries.rates import Tier
from tests.fake_stores import SqliteDatabase
from tests.fakes import FakeClock, ListJournal

KEY = key_text("0123456789ab", "0f" * 32)
HOUR_MS = 3_600_000


def record(key: str = KEY, **changes: object) -> KeyRecord:
    fields: dict[str, object] = {
        "key_id": key.split("_")[1],
        "key_hash": hash_of(key),
        "owner": "me",
        "sites": ("a", "b"),
        "rights": (Right.READ,),
        "tier": Tier.BULK,
        "created_ms": 5,
        **changes,
    }
    return KeyRecord(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer  {KEY} ", f" BEARER {KEY}"])
def test_a_key_is_found_in_its_header(header: str) -> None:
    found = presented_key(header)
    assert found is not None
    assert (found.key_id, found.key_hash) == ("0123456789ab", hash_of(KEY))
    assert KEY.split("_")[2] not in repr(found)


@pytest.mark.parametrize(
    "header",
    ["", KEY, f"Basic {KEY}", f"Bearer {KEY}0", f"Bearer {KEY[:-1]}", f"Bearer {KEY.upper()}", "Bearer x"],
)
def test_what_is_no_key_is_none(header: str) -> None:
    assert presented_key(header) is None


def test_a_record_grants_only_to_its_own_key() -> None:
    shown = presented_key(f"Bearer {KEY}")
    assert shown is not None
    grant = grant_of(record(), shown)
    assert grant is not None
    assert (grant.sees("a"), grant.sees("c"), grant.tier) == (True, False, Tier.BULK)
    assert grant_of(None, shown) is None
    assert grant_of(record(revoked_ms=9), shown) is None
    assert grant_of(record(key_hash=hash_of(KEY + "x")), shown) is None


def test_memory_is_bounded_and_made_up_ids_push_out_no_key() -> None:
    memory = KeyMemory(max_keys=3)
    memory.learn("there", record(), 1_000)
    for number in range(10):
        memory.learn(f"made-up-{number}", None, 1_000)
    there = memory.recall("there", 1_000)
    assert there is not None
    assert there.record == record()
    assert [number for number in range(10) if memory.recall(f"made-up-{number}", 1_000)] == [7, 8, 9]
    assert memory.recall("there", 61_000) is None
    assert memory.recall("there", 999) is None, "a clock that went back makes nothing younger"


def test_a_record_comes_back_as_it_was_kept() -> None:
    database, clock = SqliteDatabase(), FakeClock()
    store = KeyStore(database=database, memory=KeyMemory(), metrics_buffer=MetricsBuffer(), clock=clock)

    async def story() -> None:
        assert store.recall("0123456789ab") is None
        assert await store.find("0123456789ab") is None
        await store.add(record())
        assert store.recall("0123456789ab") is None, "what was not there before is not believed any more"
        assert await store.find("0123456789ab") == record()
        revoked = await store.revoke("0123456789ab", now_ms=77)
        assert revoked == record(revoked_ms=77)
        assert await store.revoke("0123456789ab", now_ms=99) == revoked
        assert store.recall("0123456789ab") is None
        assert await store.revoke("nobody", now_ms=1) is None

    asyncio.run(story())


def test_the_use_of_a_key_is_written_once_an_hour() -> None:
    database, metrics_buffer, clock = SqliteDatabase(), MetricsBuffer(), FakeClock()
    flusher = MetricsFlusher(
        function="router",
        metrics_buffer=metrics_buffer,
        database=database,
        clock=clock,
        journal=ListJournal(),
    )

    async def used(at_ms: int) -> object:
        metrics_buffer.key_used("0123456789ab", at_ms)
        before = database.transactions
        await flusher.flush()
        return database.rows("SELECT used_ms FROM api_keys")[0][0], database.transactions - before

    async def story() -> None:
        store = KeyStore(database=database, memory=KeyMemory(), metrics_buffer=metrics_buffer, clock=clock)
        await store.add(record())
        assert await used(HOUR_MS + 5) == (HOUR_MS, 1)
        assert await used(2 * HOUR_MS - 1) == (HOUR_MS, 0)
        assert await used(2 * HOUR_MS) == (2 * HOUR_MS, 1)
        # What another isolate tells late changes nothing, and what could not be written is told again.
        database.down = True
        metrics_buffer.key_used("0123456789ab", 3 * HOUR_MS)
        await flusher.flush()
        database.down = False
        assert await used(3 * HOUR_MS) == (3 * HOUR_MS, 1)

    asyncio.run(story())
