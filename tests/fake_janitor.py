"""The janitor's ports on the host: the real adapters over SQLite and a bucket in memory."""

from typing import Any

from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.blocks.adapters.block_store import BlockStore
from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.jobs.adapters.job_rescue import RescueRecords
from edgeseries.jobs.adapters.job_store import JobRecords
from edgeseries.limits import DAY_MS, HOUR_MS
from edgeseries.metrics.adapters.late_data_records import DatabaseLateData
from edgeseries.metrics.adapters.statistics import DatabaseStatistics
from edgeseries.upkeep.adapters.duty_records import DatabaseDutyRecords
from edgeseries.upkeep.adapters.month_blocks import MonthBlocks
from edgeseries.upkeep.adapters.object_upkeep import ObjectUpkeep
from edgeseries.upkeep.adapters.record_upkeep import RecordUpkeep
from edgeseries.upkeep.adapters.stored_days import DatabaseStoredDays
from edgeseries.warming.adapters.warm_store import DatabaseSavedSets, DatabaseWarming
from janitor.ports import Ports, Settings
from tests.fake_stores import MemoryBucket, SqliteDatabase
from tests.fakes import FakeClock, FakeOrigin, FixedHealthChecker, ListJournal, ListNotifier
from tests.job_system import RESCUE_AFTER_MS, Queues
from tests.made_days import NOW_MS
from tests.store_rig import turns


def janitor_ports(
    database: SqliteDatabase, *, bucket: MemoryBucket | None = None, budget_bytes: int = 10**9, **changes: Any
) -> Ports:
    bucket = bucket or MemoryBucket()
    blocks = BlockStore(
        bucket=bucket,
        database=database,
        codec=PythonBlockCodec(compressor=PackageCompression()),
        memory=BlockMemory(max_bytes=0),
        clock=FakeClock(at_ms=NOW_MS),
        pause=turns,
    )
    ports: dict[str, Any] = {
        "records": DatabaseDutyRecords(database),
        "objects": ObjectUpkeep(bucket=bucket, database=database),
        "old_blocks": MonthBlocks(blocks=blocks, database=database),
        "keeping": RecordUpkeep(database),
        "rescues": RescueRecords(database),
        "job_queue": Queues(FakeClock()),
        "statistics": DatabaseStatistics(database),
        "health_checker": FixedHealthChecker(),
        "notifier": ListNotifier(),
        "clock": FakeClock(),
        "journal": ListJournal(),
        "warming": DatabaseWarming(database),
        "saved_sets": DatabaseSavedSets(database),
        "jobs": JobRecords(database),
        "settings": Settings(
            cache_budget_bytes=budget_bytes,
            job_keep_ms=7 * DAY_MS,
            dead_letter_keep_ms=30 * DAY_MS,
            rescue_after_ms=RESCUE_AFTER_MS,
            settle_lag_ms=HOUR_MS,
            recheck_calls=2,
        ),
        "stored_days": DatabaseStoredDays(database),
        "late_data": DatabaseLateData(database),
        "blocks": blocks,
        "origin": FakeOrigin({}),
    }
    return Ports(**{**ports, **changes})
