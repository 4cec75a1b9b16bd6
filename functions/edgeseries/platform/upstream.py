"""The upstream of a Worker over its bindings: the same in every Worker that asks it for samples."""

from collections import Counter

from edgeseries.metrics.adapters.metrics_buffer import MetricsBuffer
from edgeseries.metrics.ports.journal import Journal
from edgeseries.origins.ace.catalogue import Catalogue
from edgeseries.origins.ace.origin import AceOrigin
from edgeseries.origins.adapters.guarded_web import GuardedWeb
from edgeseries.origins.adapters.upstream_load import UpstreamLoad
from edgeseries.platform.bindings import Bindings
from edgeseries.platform.page_reader import RuntimePageReader
from edgeseries.platform.streaming import PlatformTimer
from edgeseries.platform.web import PlatformWeb
from edgeseries.ports.clock import Clock
from edgeseries.ports.web import Web
from edgeseries.settings.workers import CIRCUIT_PAUSE_SECONDS, KERNEL, UPSTREAM_TOKEN, UPSTREAM_URL


def guarded_web(
    bindings: Bindings, *, load: UpstreamLoad, clock: Clock, journal: Journal, metrics_buffer: MetricsBuffer
) -> GuardedWeb:
    """Calls to the upstream of one event. `load` is what all events of the isolate have under way there."""
    return GuardedWeb(
        PlatformWeb(metrics_buffer.operations),
        load=load,
        clock=clock,
        pause=PlatformTimer().pause,
        journal=journal,
        first_pause_ms=bindings.whole(CIRCUIT_PAUSE_SECONDS),
    )


def origin_of(
    bindings: Bindings, web: Web, *, clock: Clock, catalogue: Catalogue, dropped: Counter[str]
) -> AceOrigin:
    """The upstream as an origin of samples. `catalogue` is the isolate's; `dropped` counts by name what the
    upstream sends and nobody asked for.
    """
    return AceOrigin(
        base_url=bindings.text(UPSTREAM_URL),
        token=bindings.text(UPSTREAM_TOKEN),
        web=web,
        clock=clock,
        catalogue=catalogue,
        dropped=dropped,
        page_reader=RuntimePageReader() if bindings.text(KERNEL) == "on" else None,
    )
