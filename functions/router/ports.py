"""What the router's flow asks of the world."""

from collections import Counter
from dataclasses import dataclass, field

from edgeseries.core.access import AccessSettings
from edgeseries.core.routing import RouteSizes
from edgeseries.ports.admission import Admission
from edgeseries.ports.answers import Answers
from edgeseries.ports.background import Background
from edgeseries.ports.blocks import Blocks
from edgeseries.ports.clock import Clock
from edgeseries.ports.duties import DutyRecords
from edgeseries.ports.health import Examiner
from edgeseries.ports.identity import Identity
from edgeseries.ports.incoming import Incoming
from edgeseries.ports.job_book import JobBook
from edgeseries.ports.jobs import Jobs
from edgeseries.ports.journal import Journal
from edgeseries.ports.keys import Keys
from edgeseries.ports.letters import Letters
from edgeseries.ports.origin import Origin
from edgeseries.ports.outbox import Outbox
from edgeseries.ports.statistics import Statistics
from edgeseries.ports.streaming import Streaming, Timer
from edgeseries.ports.tails import Tails
from edgeseries.ports.upstream_state import UpstreamState


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of one request, and the settings that its decisions depend on.

    `faults` counts by name what went wrong in the stores and was put up with; the stores count there, too.
    """

    incoming: Incoming
    origin: Origin
    upstream: UpstreamState
    blocks: Blocks
    answers: Answers
    jobs: Jobs
    book: JobBook
    letters: Letters
    outbox: Outbox
    streaming: Streaming
    timer: Timer
    tails: Tails
    background: Background
    clock: Clock
    identity: Identity
    journal: Journal
    keys: Keys
    admission: Admission
    examiner: Examiner
    statistics: Statistics
    duties: DutyRecords
    access: AccessSettings
    route_sizes: RouteSizes
    request_deadline_ms: int
    settle_lag_ms: int
    live_ttl_ms: int
    faults: Counter[str] = field(default_factory=Counter)
