"""What the janitor's duties ask of the world."""

from collections import Counter
from dataclasses import dataclass, field

from edgeseries.blocks.ports.blocks import Blocks
from edgeseries.jobs.ports.job_queue import JobQueue
from edgeseries.jobs.ports.jobs import Jobs
from edgeseries.jobs.ports.rescue import Rescues
from edgeseries.metrics.ports.health import HealthChecker
from edgeseries.metrics.ports.journal import Journal
from edgeseries.metrics.ports.late_data import LateDataRecords
from edgeseries.metrics.ports.notifier import Notifier
from edgeseries.metrics.ports.statistics import Statistics
from edgeseries.origins.ports.origin import Origin
from edgeseries.ports.clock import Clock
from edgeseries.series.days import SettleLags
from edgeseries.upkeep.ports.duties import DutyRecords
from edgeseries.upkeep.ports.old_blocks import OldBlocks
from edgeseries.upkeep.ports.record_keeping import RecordKeeping
from edgeseries.upkeep.ports.stored_days import StoredDays
from edgeseries.upkeep.ports.stored_objects import StoredObjects
from edgeseries.warming.planning import WarmBudget
from edgeseries.warming.ports.saved_sets import SavedSets
from edgeseries.warming.ports.warm_records import WarmRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator decides."""

    cache_budget_bytes: int
    job_keep_ms: int
    dead_letter_keep_ms: int
    rescue_after_ms: int
    settle_lag_ms: int
    recheck_calls: int
    warm_budget: WarmBudget = field(default_factory=WarmBudget)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of one sweep, and the settings that its duties depend on. `operations` counts what is paid
    for elsewhere, by the names of `platform_usage`.
    """

    records: DutyRecords
    objects: StoredObjects
    old_blocks: OldBlocks
    keeping: RecordKeeping
    rescues: Rescues
    warming: WarmRecords
    saved_sets: SavedSets
    jobs: Jobs
    job_queue: JobQueue
    statistics: Statistics
    health_checker: HealthChecker
    notifier: Notifier
    clock: Clock
    journal: Journal
    settings: Settings
    stored_days: StoredDays
    late_data: LateDataRecords
    blocks: Blocks
    origin: Origin
    settle_lags: SettleLags = field(default_factory=SettleLags)
    operations: Counter[str] = field(default_factory=Counter)
