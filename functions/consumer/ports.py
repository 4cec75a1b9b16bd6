"""What the consumer's flow asks of the world."""

from collections import Counter
from dataclasses import dataclass, field

from edgeseries.blocks.ports.blocks import Blocks
from edgeseries.jobs.batching import BatchSizes
from edgeseries.jobs.ports.batches import Batches
from edgeseries.jobs.ports.dead_letters import DeadLetters
from edgeseries.jobs.ports.job_queue import DeadLetterQueue, JobQueue
from edgeseries.jobs.ports.job_reader import JobReader
from edgeseries.leases.ports.heartbeats import Heartbeats
from edgeseries.leases.ports.leases import Leases
from edgeseries.metrics.ports.journal import Journal
from edgeseries.origins.ports.origin import Origin
from edgeseries.origins.work_class import Requester, WorkClass
from edgeseries.planning.sample_budget import SampleBudget
from edgeseries.ports.budget import Budget
from edgeseries.ports.clock import Clock
from edgeseries.ports.identity import Identity
from edgeseries.ports.streaming import Timer
from edgeseries.reading.series_reader import SeriesReader
from edgeseries.series.days import SettleLags


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of one invocation, and the settings that its decisions depend on. `dropped` counts by name
    what the upstream sent and nobody had asked for; `operations` what statistics are made of; `requester` is
    whose upstream calls are.
    """

    job_reader: JobReader
    batches: Batches
    dead_letters: DeadLetters
    job_queue: JobQueue
    dead_letter_queue: DeadLetterQueue
    origin: Origin
    blocks: Blocks
    leases: Leases
    heartbeats: Heartbeats
    clock: Clock
    identity: Identity
    journal: Journal
    budget: Budget
    batch_sizes: BatchSizes
    settle_lag_ms: int
    settle_lags: SettleLags = field(default_factory=SettleLags)
    dropped: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    timer: Timer
    sample_budget: SampleBudget = field(default_factory=SampleBudget)
    requester: Requester = field(default_factory=lambda: Requester(work_class=WorkClass.JOB))

    @property
    def reader(self) -> SeriesReader:
        """Finds which samples are missing, over the ports of this invocation."""
        return SeriesReader(
            blocks=self.blocks,
            origin=self.origin,
            clock=self.clock,
            journal=self.journal,
            settle_lag_ms=self.settle_lag_ms,
            settle_lags=self.settle_lags,
        )
