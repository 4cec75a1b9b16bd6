"""Every vendor's adapter over its simulator, for the one suite that all of them pass.

A rig is a vendor in one way of being installed: options of the record, knobs of the simulator, how its points
are named. Adding a vendor adds its rigs here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import httpx

from edgeseries.limits import UPSTREAM_MAX_BODY_BYTES
from edgeseries.origins.adapters.arrow_parquet import ArrowParquetReader
from edgeseries.origins.ports.origin import Origin
from edgeseries.origins.record import OriginRecord
from edgeseries.origins.registry import VENDORS
from edgeseries.origins.vendor import Connection
from edgeseries.ports.web import Web
from edgeseries.settings.origins import VENDOR_OPTIONS
from local.own_upstream import MachineClock
from local.upstream.truth import Truth
from local.vendors import files, haystack, influx, prometheus
from local.vendors.shape import HeldTruth, Shape
from tests.fakes import CountingIdentity
from tests.host_web import HostWeb
from tests.loopback import NO_CERTIFICATES

TOKEN = "made-up-token"  # noqa: S105 - the simulator's, on loopback

Kept = Callable[[Any], tuple[Any] | None]


@dataclass(frozen=True, kw_only=True)
class Rig:
    """`kept` is what the vendor can hold of a value; `silent` are moods of the simulator that are an honest
    "nothing" in its format.
    """

    vendor: str
    shape: Callable[..., Shape]
    kept: Kept
    options: Mapping[str, str] = field(default_factory=dict)
    knobs: Mapping[str, Any] = field(default_factory=dict)
    name_of: Callable[[str], str] = str
    site_of: Callable[[str], str] = str
    silent: frozenset[str] = frozenset()
    credential: str = TOKEN
    zone: str = "UTC"
    one_kind: bool = False
    digits: float = 0.0
    """The relative error of the numbers that the vendor keeps."""

    halves: bool = True
    """Whether a shorter range makes an answer smaller."""


LAYOUTS = {
    "CSV, a file a point": "{site}/{point}.csv",
    "CSV, many points a day": "{site}/{year}-{month}-{day}.csv.gz",
    "Parquet, a point's month": "{site}/{point}/{year}/{month}.parquet",
    "Parquet, many points a year": "{site}/{year}.parquet",
}

INFLUX = {"database": "building", "pointTag": "point"}

RIGS: dict[str, Rig] = {
    "Prometheus 2": Rig(
        vendor="prometheus",
        shape=prometheus.PrometheusShape,
        kept=prometheus.kept,
        options={"pointLabel": "point"},
        knobs={"export": False},
    ),
    "Prometheus 3, by all labels": Rig(
        vendor="prometheus",
        shape=prometheus.PrometheusShape,
        kept=prometheus.kept,
        options={"auth": "basic"},
        credential=f"user:{TOKEN}",
        knobs={"export": False, "inclusive_start": False, "look_alikes": True},
        name_of=lambda point: f'sample{{point="{point}"}}',
    ),
    "VictoriaMetrics": Rig(
        vendor="prometheus",
        shape=prometheus.PrometheusShape,
        kept=prometheus.kept,
        options={"pointLabel": "point"},
        silent=frozenset({"empty"}),
    ),
    **{
        f"Files: {name}": Rig(
            vendor="files",
            shape=partial(files.FilesShape, layout=layout),
            kept=files.kept_in_parquet if layout.endswith("parquet") else files.kept,
            options={"layout": layout},
            halves=False,
        )
        for name, layout in LAYOUTS.items()
    },
    "Haystack, Hayson and SCRAM": Rig(
        vendor="haystack",
        shape=haystack.HaystackShape,
        kept=haystack.kept,
        options={"nameTag": "dis"},
        credential=f"user:{TOKEN}",
    ),
    "Haystack, Zinc and SkySpark's points": Rig(
        vendor="haystack",
        shape=haystack.HaystackShape,
        kept=haystack.kept,
        options={"nameTag": "dis", "format": "zinc", "auth": "bearer"},
        knobs={"border_points": True, "batch": False, "holds": "both"},
    ),
    "Haystack before 4": Rig(
        vendor="haystack",
        shape=haystack.HaystackShape,
        kept=haystack.kept,
        options={"auth": "bearer"},
        knobs={"holds": "end"},
        name_of=haystack.id_of,
        site_of=haystack.id_of,
    ),
    "InfluxDB 1": Rig(
        vendor="influx",
        shape=influx.Influx1Shape,
        kept=influx.kept,
        one_kind=True,
        options={**INFLUX, "version": "1"},
        credential=f"user:{TOKEN}",
    ),
    "InfluxDB 1, by all tags": Rig(
        vendor="influx",
        shape=influx.Influx1Shape,
        kept=influx.kept,
        one_kind=True,
        options={"database": "building", "version": "1"},
        knobs={"look_alikes": True},
        credential=f"user:{TOKEN}",
        name_of=lambda point: f'sample{{point="{point}"}}',
    ),
    "InfluxDB 2": Rig(
        vendor="influx",
        shape=influx.Influx2Shape,
        kept=influx.kept,
        one_kind=True,
        options={**INFLUX, "version": "2", "org": "org"},
    ),
    "InfluxDB 2, by all tags": Rig(
        vendor="influx",
        shape=influx.Influx2Shape,
        kept=influx.kept,
        one_kind=True,
        options={"database": "building", "version": "2", "org": "org"},
        knobs={"look_alikes": True},
        name_of=lambda point: f'sample{{point="{point}"}}',
    ),
    "InfluxDB 3": Rig(
        vendor="influx",
        shape=influx.Influx3Shape,
        kept=influx.kept,
        one_kind=True,
        options={**INFLUX, "version": "3"},
    ),
    "InfluxDB 3, by all tags": Rig(
        vendor="influx",
        shape=influx.Influx3Shape,
        kept=influx.kept,
        one_kind=True,
        options={"database": "building", "version": "3"},
        knobs={"look_alikes": True},
        name_of=lambda point: f'sample{{point="{point}"}}',
    ),
}


@dataclass
class Installation:
    """A rig whose simulator runs at a URL."""

    rig: Rig
    url: str
    truth: Truth

    @cached_property
    def held(self) -> HeldTruth:
        """What the vendor holds of the truth."""
        return HeldTruth(self.truth, self.rig.kept, one_kind=self.rig.one_kind)

    def control(self, **knobs: Any) -> None:
        """Put the simulator's faults and counters back, then set some."""
        change = {"reset": True, "reset_stats": True, **self.rig.knobs, **knobs}
        reply = httpx.post(f"{self.url}/_control", json=change, trust_env=False, verify=NO_CERTIFICATES)
        reply.raise_for_status()

    def stats(self) -> dict[str, Any]:
        """What the simulator counted."""
        return dict(httpx.get(f"{self.url}/_stats", trust_env=False, verify=NO_CERTIFICATES).json())

    def origin(
        self,
        *,
        credential: str | None = None,
        max_body_bytes: int = UPSTREAM_MAX_BODY_BYTES,
        web: Web | None = None,
        options: Mapping[str, str] | None = None,
    ) -> Origin:
        """The adapter with a memory of its own."""
        vendor = VENDORS[self.rig.vendor]
        defaults = {one.key: one.default or "" for one in VENDOR_OPTIONS[self.rig.vendor]}
        record = OriginRecord(
            name="rig",
            prefix="rig/",
            vendor=self.rig.vendor,
            url=self.url,
            zone=self.rig.zone,
            settle_lag_ms=0,
            circuit_pause_ms=0,
            options={**defaults, **self.rig.options, **(options or {})},
        )
        return vendor.origin(
            Connection(
                record=record,
                credential=self.rig.credential if credential is None else credential,
                web=HostWeb() if web is None else web,
                clock=MachineClock(),
                identity=CountingIdentity(),
                memory=vendor.new_memory(),
                parquet=ArrowParquetReader(),
                max_body_bytes=max_body_bytes,
            )
        )
