"""What the consumer takes from the platform: the names that the infra program must give it."""

from dataclasses import dataclass
from typing import Any, Self

from edgeseries.jobs.batching import BatchSizes


@dataclass(frozen=True, slots=True, kw_only=True)
class Bindings:
    """The consumer's bindings, resources as the SDK wraps them, settings checked."""

    cache: Any
    database: Any
    job_queues: dict[str, Any]
    dead_letters: Any
    analytics: Any
    stack: str
    upstream_url: str
    upstream_kind: str
    upstream_token: str
    circuit_pause_ms: int
    settle_lag_ms: int
    batch_sizes: BatchSizes

    @classmethod
    def from_env(cls, env: Any) -> Self:
        """Raises AttributeError that names the binding, if one is missing."""
        return cls(
            cache=env.CACHE,
            database=env.DB,
            job_queues={"high": env.JOBS_HIGH, "normal": env.JOBS_NORMAL, "low": env.JOBS_LOW},
            dead_letters=env.DEAD_LETTERS,
            analytics=env.ANALYTICS,
            stack=env.STACK,
            upstream_url=env.UPSTREAM_URL,
            upstream_kind=env.UPSTREAM_KIND,
            upstream_token=env.UPSTREAM_TOKEN,
            circuit_pause_ms=int(env.CIRCUIT_PAUSE_MS),
            settle_lag_ms=int(env.SETTLE_LAG_MS),
            batch_sizes=BatchSizes(points=int(env.BATCH_POINTS), samples=int(env.BATCH_SAMPLES)),
        )
