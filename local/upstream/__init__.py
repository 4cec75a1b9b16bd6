"""The upstream simulator: a vendor API's shape and faults, served over real telemetry files.

It knows nothing of EdgeSeries itself. EdgeSeries reaches it over HTTP only, as it would reach the vendor;
tests and the demo may also read `local.upstream.truth`, which tells what the vendor holds.
"""
