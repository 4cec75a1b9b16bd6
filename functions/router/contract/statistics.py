"""The document of `/api/stats`. Format: `docs/formats/statistics.md`."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Annotated

from edgeseries.http.documents import SPREAD, Day, Document, Moment, Section
from edgeseries.limits import SECOND_MS
from edgeseries.metrics.costing import Basis
from edgeseries.planning.lateness import Lateness, advised_lag_ms, most_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class SumsDocument(Section):
    """What some stored objects hold and take."""

    objects: int
    samples: int
    raw_bytes: int
    stored_bytes: int
    compression_ratio: float | None
    uses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSumsDocument(Section):
    """The same of one site."""

    site: str
    sums: Annotated[SumsDocument, SPREAD]


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheDocument(Section):
    """What is stored, in all, by kind and by site, and how often it was enough."""

    sums: Annotated[SumsDocument, SPREAD]
    hit_rate: float | None
    blocks: SumsDocument
    answers: SumsDocument
    by_site: tuple[SiteSumsDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantilesDocument(Section):
    """Quantiles, in milliseconds; null without anything that was measured."""

    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationsDocument(Section):
    """How long requests took, in milliseconds."""

    mean: float
    quantiles: Annotated[QuantilesDocument, SPREAD]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfJobsDocument(Section):
    """Jobs that ended on a day (UTC)."""

    day: Day
    completed: int
    failed: int
    cancelled: int
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatisticsDocument(Section):
    """Jobs by state, how well they end, how long they take."""

    active: Mapping[str, int]
    completed: int
    failed: int
    cancelled: int
    success_rate: float | None
    samples: int
    duration_ms: QuantilesDocument
    dead_letters: int
    by_day: tuple[DayOfJobsDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteDocument(Section):
    """Requests of one endpoint and route."""

    endpoint: str
    route: str | None
    count: int
    refused: int
    errors: int
    hits: int
    hit_rate: float | None
    duration_ms: DurationsDocument
    samples: int
    upstream_samples: int
    saved_samples: int
    body_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsDocument(Section):
    """Requests in all, and by endpoint and route."""

    since: Moment | None
    count: int
    errors: int
    by_route: tuple[RouteDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnsDocument(Section):
    """How long upstream calls of a class waited for their turn, in seconds."""

    interactive: float
    job: float
    warming: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamSumsDocument(Section):
    """What one upstream was asked and delivered. What was counted before upstreams were counted by themselves
    has no `upstream`, and nobody knows its failures and fetches.
    """

    upstream: str | None
    calls: int
    failed_calls: int | None
    fetches: int | None
    failed_fetches: int | None
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamDocument(Section):
    """What the upstream was asked, what the store saved it, and how many samples were stored that nobody had
    asked for.
    """

    calls: int
    refused_calls: int
    waited_seconds: TurnsDocument
    samples: int
    saved_samples: int
    surplus_samples: int
    by_upstream: tuple[UpstreamSumsDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLineDocument(Section):
    """One price of the bill, with where it is from."""

    meter: str
    product: str
    unit: str
    used: float
    used_whole_month: float
    included: float
    so_far: float
    whole_month: float
    basis: Basis
    source: str
    read_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CostDocument(Section):
    """The bill so far and of the whole month."""

    currency: str
    month: str
    so_far: float
    whole_month: float
    plan: float
    lines: tuple[CostLineDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatesDocument(Section):
    """What was expected of answers before they were made, and what they took."""

    answers: int
    expected_upstream_samples: int
    delivered_upstream_samples: int
    expected_seconds: float
    measured_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingDocument(Section):
    """Fetches that several needed: how many got what others fetched or waited in vain, and how many fetches
    were taken over.
    """

    shared: int
    taken_over: int
    waited_in_vain: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LatenessDocument(Section):
    """How late samples of a site came, and the settle lag that all of them would have come within; null where
    none was seen.
    """

    observations: int
    most_within_seconds: int | None
    highest_seconds: int | None
    advised_settle_lag_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RereadDocument(Section):
    """Stored days of single points that were read again, and what the vendor had corrected in them."""

    days: int
    corrected_days: int
    added_samples: int
    changed_samples: int
    removed_samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LateDataDocument(Section):
    """What was seen of a site's late and corrected samples in the last 92 days."""

    site: str
    settle_lag_seconds: int
    lateness: LatenessDocument
    reread: RereadDocument


def lateness_document(seen: Lateness) -> LatenessDocument:
    """How late samples came, in whole seconds."""
    most, advised = most_ms(seen), advised_lag_ms(seen)
    return LatenessDocument(
        observations=seen.count,
        most_within_seconds=None if most is None else ceil(most / SECOND_MS),
        highest_seconds=ceil(seen.highest_ms / SECOND_MS) if seen.count else None,
        advised_settle_lag_seconds=None if advised is None else advised // SECOND_MS,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmingSumsDocument(Section):
    """What warming was worth since a moment. Point days are sealed days of points."""

    since: Moment
    asks: int
    asked_point_days: int
    missing_point_days: int
    jobs: int
    warmed_point_days: int
    used_jobs: int
    used_point_days: int
    hit_rate: float | None
    hit_rate_without: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsDocument(Document):
    """All statistics. Format: `docs/formats/statistics.md`."""

    at: Moment
    cache: CacheDocument
    jobs: JobStatisticsDocument
    requests: RequestsDocument
    upstream: UpstreamDocument
    sharing: SharingDocument
    warming: WarmingSumsDocument
    estimates: EstimatesDocument
    late_data: tuple[LateDataDocument, ...]
    cost: CostDocument
