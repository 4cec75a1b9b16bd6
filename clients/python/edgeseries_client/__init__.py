"""Building telemetry from an EdgeSeries server.

from edgeseries_client import Site
frame = Site("opengrid_minute").read("water_2923", "2015-03-02", "2015-03-09", every="1h")
"""

from edgeseries_client.async_client import AsyncClient, AsyncSite
from edgeseries_client.client import Client, Site
from edgeseries_client.errors import (
    Conflict,
    ConnectionFault,
    EdgeSeriesError,
    Fault,
    Forbidden,
    InvalidRequest,
    JobEnded,
    MissingLibrary,
    MixedValues,
    NotFound,
    ProblemError,
    RateLimited,
    ServerFault,
    TooLarge,
    Unavailable,
    Unidentified,
    UnknownPoints,
    UpstreamFault,
)
from edgeseries_client.jobs import Job
from edgeseries_client.question import Question
from edgeseries_client.retrying import RetryPolicy
from edgeseries_client.series import Result, Series
from edgeseries_client.sites import SiteNames, SitesMissing, Unanswered

__all__ = [
    "AsyncClient",
    "AsyncSite",
    "Client",
    "Conflict",
    "ConnectionFault",
    "EdgeSeriesError",
    "Fault",
    "Forbidden",
    "InvalidRequest",
    "Job",
    "JobEnded",
    "MissingLibrary",
    "MixedValues",
    "NotFound",
    "ProblemError",
    "Question",
    "RateLimited",
    "Result",
    "RetryPolicy",
    "Series",
    "ServerFault",
    "Site",
    "SiteNames",
    "SitesMissing",
    "TooLarge",
    "Unanswered",
    "Unavailable",
    "Unidentified",
    "UnknownPoints",
    "UpstreamFault",
]
