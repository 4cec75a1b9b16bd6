"""Prometheus-compatible upstreams in the registry."""

from typing import Final

from edgeseries.origins.calls import UpstreamCalls
from edgeseries.origins.labels import Naming
from edgeseries.origins.listed_origin import ListedOrigin
from edgeseries.origins.listing_memory import ListingMemory
from edgeseries.origins.prometheus import wire
from edgeseries.origins.prometheus.dialect import PrometheusDialect, headers_of
from edgeseries.origins.vendor import Connection, Vendor


def prometheus_origin(connection: Connection) -> ListedOrigin:
    """The origin of one server."""
    memory, options = connection.memory, connection.record.options
    assert isinstance(memory, ListingMemory)
    calls = UpstreamCalls(
        base_url=connection.record.url,
        headers=headers_of(connection),
        web=connection.web,
        clock=connection.clock,
        max_body_bytes=connection.max_body_bytes,
        message_of=wire.message_of,
        names=connection.names,
    )
    dialect = PrometheusDialect(
        calls=calls,
        memory=memory,
        clock=connection.clock,
        naming=Naming(site_label=options["siteLabel"], point_label=options["pointLabel"]),
        match=options["match"],
        api=options["api"],
    )
    return ListedOrigin(dialect, memory=memory, clock=connection.clock, dropped=connection.dropped)


PROMETHEUS: Final = Vendor(origin=prometheus_origin, new_memory=ListingMemory)
