"""What the janitor's duties ask of the world."""

from dataclasses import dataclass

from edgeseries.ports.alarm import Alarm
from edgeseries.ports.clock import Clock
from edgeseries.ports.duties import DutyRecords
from edgeseries.ports.health import Examiner
from edgeseries.ports.journal import Journal
from edgeseries.ports.kept_objects import KeptObjects
from edgeseries.ports.outbox import Outbox
from edgeseries.ports.record_keeping import RecordKeeping
from edgeseries.ports.rescue import Rescues
from edgeseries.ports.statistics import Statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator decides."""

    cache_budget_bytes: int
    job_keep_ms: int
    dead_letter_keep_ms: int
    rescue_after_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of one sweep, and the settings that its duties depend on."""

    records: DutyRecords
    objects: KeptObjects
    keeping: RecordKeeping
    rescues: Rescues
    outbox: Outbox
    statistics: Statistics
    examiner: Examiner
    alarm: Alarm
    clock: Clock
    journal: Journal
    settings: Settings
