"""What the router's flow asks of the world."""

from collections import Counter
from dataclasses import dataclass, field

from edgeseries.access.grants import AccessSettings
from edgeseries.access.ports.keys import Keys
from edgeseries.access.ports.rate_limiter import RateLimiter
from edgeseries.answers.encoding import PythonResultEncoder
from edgeseries.answers.ports.result_encoder import ResultEncoder
from edgeseries.answers.ports.text_streaming import TextStreaming
from edgeseries.blocks.ports.answers import Answers
from edgeseries.blocks.ports.blocks import Blocks
from edgeseries.blocks.ports.profiles import PointProfiles
from edgeseries.blocks.ports.stamp_memory import StampMemory
from edgeseries.jobs.ports.dead_letters import DeadLetters
from edgeseries.jobs.ports.job_queue import JobQueue
from edgeseries.jobs.ports.job_reader import JobReader
from edgeseries.jobs.ports.job_watch import JobWatch
from edgeseries.jobs.ports.jobs import Jobs
from edgeseries.jobs.ports.result_parts import ResultParts
from edgeseries.leases.claims import Claims
from edgeseries.leases.ports.heartbeats import Heartbeats
from edgeseries.leases.ports.leases import Leases
from edgeseries.metrics.ports.health import HealthChecker
from edgeseries.metrics.ports.journal import Journal
from edgeseries.metrics.ports.late_data import LateDataRecords, LatenessNotes, Unnoted
from edgeseries.metrics.ports.statistics import Statistics
from edgeseries.origins.point_directory import PointDirectory
from edgeseries.origins.ports.installations import Installations
from edgeseries.origins.ports.origin import Origin
from edgeseries.origins.ports.upstream_state import UpstreamState
from edgeseries.origins.work_class import Requester
from edgeseries.planning.estimate import LearnedRates
from edgeseries.planning.ports.asked_days import AskedDays
from edgeseries.planning.ports.live_cache import LiveCache
from edgeseries.planning.routing import RouteSizes
from edgeseries.planning.sample_budget import SampleBudget
from edgeseries.planning.work_under_way import WorkUnderWay
from edgeseries.ports.background import Background
from edgeseries.ports.clock import Clock
from edgeseries.ports.identity import Identity
from edgeseries.ports.incoming import Incoming
from edgeseries.ports.libraries import ImportedLibraries, Libraries
from edgeseries.ports.streaming import Streaming, Timer
from edgeseries.questions.bucketing import PythonBucketing
from edgeseries.questions.ports.bucketing import Bucketing
from edgeseries.reading.latest_memory import LatestMemory
from edgeseries.reading.series_reader import SeriesReader
from edgeseries.series.days import SettleLags
from edgeseries.upkeep.ports.duties import DutyRecords
from edgeseries.warming.planning import WarmBudget
from edgeseries.warming.ports.asks import AskCounter
from edgeseries.warming.ports.saved_sets import SavedSets
from edgeseries.warming.ports.warm_records import WarmFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of one request, and the settings that its decisions depend on.

    `faults` counts by name what went wrong in the stores and was put up with; the stores count there, too;
    `dropped` what the upstream sent and nobody had asked for; `operations` what statistics are made of
    (`metrics/adapters/usage_statements.py`). `requester` is whose upstream calls are. `asks` is
    None where warming is off.
    """

    incoming: Incoming
    origin: Origin
    upstream: UpstreamState
    blocks: Blocks
    answers: Answers
    stamps: StampMemory
    jobs: Jobs
    job_reader: JobReader
    job_watch: JobWatch
    dead_letters: DeadLetters
    result_parts: ResultParts
    job_queue: JobQueue
    streaming: Streaming
    text_streaming: TextStreaming
    timer: Timer
    live_cache: LiveCache
    asked_days: AskedDays
    leases: Leases
    heartbeats: Heartbeats
    profiles: PointProfiles
    background: Background
    clock: Clock
    identity: Identity
    journal: Journal
    keys: Keys
    rate_limiter: RateLimiter
    health_checker: HealthChecker
    installations: Installations
    statistics: Statistics
    duties: DutyRecords
    late_data: LateDataRecords
    access: AccessSettings
    route_sizes: RouteSizes
    request_deadline_ms: int
    settle_lag_ms: int
    live_ttl_ms: int
    settle_lags: SettleLags = field(default_factory=SettleLags)
    encoder: ResultEncoder = field(default_factory=PythonResultEncoder)
    bucketing: Bucketing = field(default_factory=PythonBucketing)
    rates: LearnedRates = field(default_factory=LearnedRates)
    under_way: WorkUnderWay = field(default_factory=WorkUnderWay)
    claims: Claims = field(default_factory=Claims)
    libraries: Libraries = field(default_factory=ImportedLibraries)
    sample_budget: SampleBudget = field(default_factory=SampleBudget)
    latest: LatestMemory = field(default_factory=LatestMemory)
    directory: PointDirectory = field(default_factory=PointDirectory)
    asks: AskCounter | None = None
    warm_facts: WarmFacts
    saved_sets: SavedSets
    warm_budget: WarmBudget = field(default_factory=WarmBudget)
    faults: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    lateness: LatenessNotes = field(default_factory=Unnoted)
    requester: Requester = field(default_factory=Requester)

    @property
    def reader(self) -> SeriesReader:
        """What reads series, over the ports of this request."""
        return SeriesReader(
            blocks=self.blocks,
            origin=self.origin,
            clock=self.clock,
            journal=self.journal,
            settle_lag_ms=self.settle_lag_ms,
            settle_lags=self.settle_lags,
            live_cache=self.live_cache,
            live_ttl_ms=self.live_ttl_ms,
            faults=self.faults,
            lateness=self.lateness,
        )
