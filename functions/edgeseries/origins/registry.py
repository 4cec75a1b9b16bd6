"""The vendors that there are, by the names that the setting `origins` takes. One line each."""

from collections.abc import Mapping
from typing import Final

from edgeseries.origins.ace.vendor import ACE
from edgeseries.origins.files.vendor import FILES
from edgeseries.origins.haystack.vendor import HAYSTACK
from edgeseries.origins.influx.vendor import INFLUX
from edgeseries.origins.prometheus.vendor import PROMETHEUS
from edgeseries.origins.vendor import Vendor

VENDORS: Final[Mapping[str, Vendor]] = {
    "ace": ACE,
    "prometheus": PROMETHEUS,
    "influx": INFLUX,
    "haystack": HAYSTACK,
    "files": FILES,
}
