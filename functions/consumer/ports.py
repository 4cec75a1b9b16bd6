"""What the consumer's flow asks of the world."""

from dataclasses import dataclass

from edgeseries.core.jobs.batching import BatchSizes
from edgeseries.ports.batches import Batches
from edgeseries.ports.blocks import Blocks
from edgeseries.ports.clock import Clock
from edgeseries.ports.identity import Identity
from edgeseries.ports.job_book import JobBook
from edgeseries.ports.journal import Journal
from edgeseries.ports.letters import Letters
from edgeseries.ports.origin import Origin
from edgeseries.ports.outbox import Outbox, Undertaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of one invocation, and the settings that its decisions depend on."""

    book: JobBook
    batches: Batches
    letters: Letters
    outbox: Outbox
    undertaker: Undertaker
    origin: Origin
    blocks: Blocks
    clock: Clock
    identity: Identity
    journal: Journal
    batch_sizes: BatchSizes
    settle_lag_ms: int
