"""What the router takes from the platform: the names that the infra program must give it."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from edgeseries.access.grants import AccessSettings, Auth
from edgeseries.http.cors import cors_policy_of
from edgeseries.limits import RATE_WINDOW_S
from edgeseries.planning.routing import RouteSizes
from edgeseries.rates import RatePolicy, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Bindings:
    """The router's bindings, resources as the platform's own objects, settings checked."""

    cache: Any
    database: Any
    job_queues: dict[str, Any]
    analytics: Any
    rate_limits: dict[Tier, Any]
    access: AccessSettings
    stack: str
    upstream_url: str
    upstream_kind: str
    upstream_token: str
    circuit_pause_ms: int
    settle_lag_ms: int
    answer_ttl_ms: int
    request_deadline_ms: int
    live_ttl_ms: int
    route_sizes: RouteSizes

    @classmethod
    def from_env(cls, env: Any) -> Self:
        """Raises AttributeError that names the binding, if one is missing."""
        return cls(
            cache=env.CACHE,
            database=env.DB,
            job_queues={"high": env.JOBS_HIGH, "normal": env.JOBS_NORMAL, "low": env.JOBS_LOW},
            analytics=env.ANALYTICS,
            rate_limits={Tier.STANDARD: env.RATE_STANDARD, Tier.BULK: env.RATE_BULK},
            access=access_of(
                auth=env.AUTH,
                admin_key_hash=env.ADMIN_KEY_HASH,
                requests_per_minute=env.REQUESTS_PER_MINUTE,
                bulk_requests_per_minute=env.BULK_REQUESTS_PER_MINUTE,
                active_jobs_per_key=env.ACTIVE_JOBS_PER_KEY,
                cors_origins=env.CORS_ORIGINS,
            ),
            stack=env.STACK,
            upstream_url=env.UPSTREAM_URL,
            upstream_kind=env.UPSTREAM_KIND,
            upstream_token=env.UPSTREAM_TOKEN,
            circuit_pause_ms=int(env.CIRCUIT_PAUSE_MS),
            settle_lag_ms=int(env.SETTLE_LAG_MS),
            answer_ttl_ms=int(env.ANSWER_TTL_MS),
            request_deadline_ms=int(env.REQUEST_DEADLINE_MS),
            live_ttl_ms=int(env.LIVE_TTL_MS),
            route_sizes=RouteSizes(
                direct_max_samples=int(env.DIRECT_MAX_SAMPLES),
                queued_min_samples=int(env.QUEUED_MIN_SAMPLES),
            ),
        )


@cache
def access_of(
    *,
    auth: str,
    admin_key_hash: str,
    requests_per_minute: str,
    bulk_requests_per_minute: str,
    active_jobs_per_key: str,
    cors_origins: str,
) -> AccessSettings:
    """What the texts of the settings say. Made once for each isolate: they are the same at every request."""
    rates = {Tier.STANDARD: requests_per_minute, Tier.BULK: bulk_requests_per_minute}
    return AccessSettings(
        auth=Auth(auth),
        admin_key_hash=admin_key_hash,
        rates={
            tier: RatePolicy(name=tier, quota=int(quota), window_s=RATE_WINDOW_S)
            for tier, quota in rates.items()
        },
        active_jobs_per_key=int(active_jobs_per_key),
        cors=cors_policy_of(cors_origins),
    )
