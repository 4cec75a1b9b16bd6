"""`make probe ORIGIN=<name>`: look at one upstream of a stack and print what its installation takes.

Owns reading the records of the setting `origins` from the environment, the looks, and the report. The looks
are the product's own adapter's. A credential is in no text that leaves this module.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Final

from edgeseries.errors import EdgeError
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.limits import DAY_MS, MINUTE_MS, SECOND_MS
from edgeseries.origins.adapters.arrow_parquet import ArrowParquetReader
from edgeseries.origins.listed_origin import ListedOrigin
from edgeseries.origins.ports.dialect import Turn
from edgeseries.origins.ports.origin import Origin
from edgeseries.origins.record import OriginRecord
from edgeseries.origins.registry import VENDORS
from edgeseries.origins.vendor import Connection
from edgeseries.series.points import PointSeries
from edgeseries.series.timerange import TimeRange, iso_instant
from edgeseries.settings.origins import OriginsFault, credentials_of, origin_records
from local.own_upstream import HttpxWeb, MachineClock
from stack import readers

LOOK_MS: Final = 60_000
"""How long all looks together may take."""

POINTS: Final = 5
"""Points of the first site that are looked at."""

DAYS: Final = (1, 7, 31, 366)
"""How far back samples are looked for: the first range that has some is looked at."""


class ProbeError(Exception):
    """The upstream cannot be looked at; the text says why and what to do."""


@dataclass
class CountingWeb:
    """The Web port, and what went through it."""

    calls: int = 0
    bytes_received: int = 0
    slowest_ms: int = 0
    statuses: Counter[int] = field(default_factory=Counter)

    async def send(self, call: HttpCall) -> HttpReply:
        """See the port."""
        began = time.monotonic()
        reply = await HttpxWeb().send(call)
        self.calls += 1
        self.bytes_received += len(reply.body)
        self.slowest_ms = max(self.slowest_ms, round((time.monotonic() - began) * SECOND_MS))
        self.statuses[reply.status] += 1
        return reply


class Secrets:
    """The Identity port for what a probe needs: a nonce."""

    def request_id(self) -> str:
        """See the port."""
        return os.urandom(8).hex()

    def key_id(self) -> str:
        """See the port."""
        return os.urandom(8).hex()

    def key_secret(self) -> str:
        """See the port."""
        return os.urandom(16).hex()


Report = list[tuple[str, str]]
"""What was found out, by what it is, in order."""


def record_of(name: str, environment: Mapping[str, str]) -> tuple[OriginRecord, str]:
    """The record of a name in ORIGINS, and its credential in ORIGIN_CREDENTIALS. Raises ProbeError."""
    text, secret = environment.get("ORIGINS", ""), environment.get("ORIGIN_CREDENTIALS", "")
    if not text:
        raise ProbeError(
            'ORIGINS is not set; export the setting of that name: export ORIGINS="$(pulumi config get '
            'edgeseries:origins)", and ORIGIN_CREDENTIALS likewise (or write both by hand)'
        )
    try:
        records = origin_records(
            text, settle_lag_ms=60 * MINUTE_MS, circuit_pause_ms=0, check_url=readers.origin_url
        )
        credentials = credentials_of(secret)
    except OriginsFault as fault:
        raise ProbeError("; ".join(fault.faults)) from fault
    found = next((one for one in records if one.name == name), None)
    if found is None:
        raise ProbeError(f"ORIGINS has no {name!r}; it has {', '.join(one.name for one in records)}")
    if found.url.startswith("r2:"):
        raise ProbeError("an archive in the bucket is looked at where the bucket is: GET /api/health?deep=1")
    return found, credentials.get(name, "")


async def probe(record: OriginRecord, credential: str) -> Report:
    """Look at an upstream. Raises EdgeError for one that does not answer or refuses."""
    web, clock = CountingWeb(), MachineClock()
    vendor = VENDORS[record.vendor]
    origin = vendor.origin(
        Connection(
            record=record,
            credential=credential,
            web=web,
            clock=clock,
            identity=Secrets(),
            memory=vendor.new_memory(),
            parquet=ArrowParquetReader(),
        )
    )
    deadline_ms = clock.now_ms() + LOOK_MS
    await origin.ping(deadline_ms=deadline_ms)
    report: Report = [("vendor", record.vendor), ("answers, and takes the credential", "yes")]
    sites = (await origin.sites(deadline_ms=deadline_ms)).sites
    report.append(("sites", _listed([record.prefix + site.name for site in sites])))
    if sites:
        await _look_at_site(origin, sites[0].name, report, deadline_ms=deadline_ms)
    report += [
        ("calls made", str(web.calls)),
        ("bytes received", f"{web.bytes_received:,}"),
        ("slowest call", f"{web.slowest_ms} ms"),
        ("statuses", ", ".join(f"{count} x {status}" for status, count in sorted(web.statuses.items()))),
    ]
    return report


async def _look_at_site(origin: Origin, site: str, report: Report, *, deadline_ms: int) -> None:
    points = await origin.points(site, deadline_ms=deadline_ms)
    report.append((f"points of {site}", _listed([point.name for point in points])))
    units = sorted({point.unit for point in points if point.unit})
    report.append(("units", _listed(units)))
    names = [point.name for point in points[:POINTS]]
    now_ms = MachineClock().now_ms()
    for days in DAYS if names else ():
        span = TimeRange(start_ms=now_ms - days * DAY_MS, end_ms=now_ms)
        series = await origin.fetch(site, names, span, deadline_ms=deadline_ms)
        if any(len(one.samples) for one in series):
            report += seen_in(series, days)
            await _look_closer(origin, site, series, report, deadline_ms=deadline_ms)
            return
    report.append(("samples", f"none of the first {len(names)} points within {DAYS[-1]} days"))


def seen_in(series: Sequence[PointSeries], days: int) -> Report:
    """What samples tell: how many, how far apart, of what types, how late."""
    some = max(series, key=lambda one: len(one.samples))
    times_ms = some.samples.times_ms
    steps = [after - before for before, after in pairwise(times_ms)]
    kinds = Counter(type(value).__name__ for one in series for value in one.samples.values.to_list())
    report: Report = [
        ("samples", f"{sum(len(one.samples) for one in series)} of {len(series)} points in {days} days"),
        ("looked at", some.point),
        ("newest sample", iso_instant(times_ms[-1])),
    ]
    if steps:
        report.append(("real interval", f"{median(steps) / SECOND_MS:g} s (median)"))
        report.append(("intervals", f"{min(steps) / SECOND_MS:g} to {max(steps) / SECOND_MS:g} s"))
    report.append(("types", ", ".join(f"{count} x {kind}" for kind, count in kinds.most_common())))
    nulls = kinds["NoneType"]
    report.append(("NaN, NA or null", f"{nulls} samples, as null" if nulls else "not seen"))
    return report


async def _look_closer(
    origin: Origin, site: str, series: Sequence[PointSeries], report: Report, *, deadline_ms: int
) -> None:
    """The borders as callers get them, and what is the vendor's own."""
    some = max(series, key=lambda one: len(one.samples))
    first_ms, last_ms = some.samples.times_ms[0], some.samples.times_ms[-1]
    if first_ms < last_ms:
        span = TimeRange(start_ms=first_ms, end_ms=last_ms)
        (again,) = await origin.fetch(site, [some.point], span, deadline_ms=deadline_ms)
        half_open = list(again.samples.times_ms) == list(some.samples.times_ms[:-1])
        report.append(("ranges as callers get them", "half-open" if half_open else "NOT half-open: tell us"))
    capabilities = origin.capabilities(site)
    report.append(("points in a call", f"up to {capabilities.batch_points}"))
    if isinstance(origin, ListedOrigin):
        turn = Turn(deadline_ms=deadline_ms)
        listed = await origin.listed(site, turn)
        span = TimeRange(start_ms=first_ms, end_ms=last_ms + 1)
        finding = await origin.dialect.probe(listed[some.point], span, turn)
        report += list(finding.items())


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:POINTS])
    return f"{len(names)} ({shown}{', ...' if len(names) > POINTS else ''})" if names else "none"


def report_text(report: Report) -> str:
    """The report as a table."""
    width = max(len(what) for what, _ in report)
    return "\n".join(f"{what.ljust(width)}  {found}" for what, found in report)


def main() -> int:
    """Look and print. Exit status 0 where the upstream answered, else 1 with what to do."""
    try:
        record, credential = record_of(os.environ.get("ORIGIN", ""), os.environ)
        report = asyncio.run(probe(record, credential))
    except ProbeError as fault:
        print(f"make probe: {fault}", file=sys.stderr)
        return 1
    except EdgeError as error:
        print(f"make probe: {error.detail}", file=sys.stderr)
        return 1
    print(
        json.dumps(dict(report), indent=2, ensure_ascii=False)
        if "JSON" in os.environ
        else report_text(report)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
