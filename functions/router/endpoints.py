"""Every endpoint of the API, collected from the files that declare them beside their code."""

from typing import Final

from router.handlers import (
    cache,
    coverage,
    dead_letters,
    health,
    job_files,
    jobs,
    keys,
    latest,
    metrics,
    openapi,
    prometheus,
    session,
    sites,
    stats,
    timeseries,
    warm,
)
from router.resources import resources_of

_SERVED: Final = (
    *timeseries.ENDPOINTS,
    *latest.ENDPOINTS,
    *coverage.ENDPOINTS,
    *cache.ENDPOINTS,
    *sites.ENDPOINTS,
    *jobs.ENDPOINTS,
    *job_files.ENDPOINTS,
    *warm.ENDPOINTS,
    *keys.ENDPOINTS,
    *session.ENDPOINTS,
    *dead_letters.ENDPOINTS,
    *health.ENDPOINTS,
    *stats.ENDPOINTS,
    *metrics.ENDPOINTS,
    *prometheus.ENDPOINTS,
)

ENDPOINTS: Final = (*_SERVED, openapi.endpoint_about(_SERVED))
"""In the order of the OpenAPI document, and of the list that an unknown path is answered with."""

RESOURCES: Final = resources_of(ENDPOINTS)
"""The same by path."""
