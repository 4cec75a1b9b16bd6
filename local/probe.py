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
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from edgeseries.errors import EdgeError
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.limits import MINUTE_MS, SECOND_MS
from edgeseries.origins.adapters.arrow_parquet import ArrowParquetReader
from edgeseries.origins.installation import inspect_installation
from edgeseries.origins.record import OriginRecord
from edgeseries.origins.registry import VENDORS
from edgeseries.origins.vendor import Connection
from edgeseries.settings.origins import OriginsFault, credentials_of, origin_records
from local.own_upstream import HttpxWeb, MachineClock
from stack import readers

LOOK_MS: Final = 60_000
"""How long all looks together may take."""


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
        raise ProbeError(
            "an archive in the bucket is looked at where the bucket is: GET /api/health?deep=full"
        )
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
    found = await inspect_installation(origin, prefix=record.prefix, clock=clock, deadline_ms=deadline_ms)
    if found.fault is not None:
        raise ProbeError(found.fault)
    report: Report = [("vendor", record.vendor), ("answers, and takes the credential", "yes"), *found.facts]
    report += [
        ("calls made", str(web.calls)),
        ("bytes received", f"{web.bytes_received:,}"),
        ("slowest call", f"{web.slowest_ms} ms"),
        ("statuses", ", ".join(f"{count} x {status}" for status, count in sorted(web.statuses.items()))),
    ]
    return report


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
