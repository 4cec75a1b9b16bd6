"""The janitor's ports on the host: the real adapters over SQLite and a bucket in memory."""

from typing import Any

from edgeseries.adapters.duty_records import DatabaseDutyRecords
from janitor.ports import Ports
from tests.fake_stores import SqliteDatabase
from tests.fakes import FakeClock, ListJournal


def janitor_ports(database: SqliteDatabase, **changes: Any) -> Ports:
    ports: dict[str, Any] = {
        "records": DatabaseDutyRecords(database),
        "clock": FakeClock(),
        "journal": ListJournal(),
    }
    return Ports(**{**ports, **changes})
