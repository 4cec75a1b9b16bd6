"""`make dev`: serve until told to stop, with the Workers' logs in the terminal.

Settings come from the environment: PORT, UPSTREAM_PORT, STATE, DATA.
"""

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final
from urllib.parse import quote, urlencode

from local.logs import LogLine, readable
from local.plan import PlanError
from local.stack import Stack, StackError, StackOptions
from local.upstream.truth import Truth
from stack.bundle import BundleError
from stack.settings import SettingsError
from stack.wiring import MissingBinding

DAY_MS: Final = 86_400_000

FAULTS: Final = (StackError, PlanError, BundleError, SettingsError, MissingBinding)
"""Errors whose text says all there is to say."""


class Stopped(BaseException):
    """Somebody asked us to stop."""


def main() -> int:
    """Serve. Exit status 0 when stopped, 1 with a message when it cannot go on."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    colour = sys.stdout.isatty()
    try:
        data = Path(os.environ["DATA"])
        options = StackOptions(
            state=Path(os.environ["STATE"]),
            data=data,
            port=int(os.environ["PORT"]),
            upstream_port=int(os.environ["UPSTREAM_PORT"]),
            on_log=lambda line: _print(line, colour=colour),
        )
        with Stack(options) as stack:
            print(f"EdgeSeries ready on {stack.url}", flush=True)
            print("\n".join(f"  {line}" for line in urls_to_try(stack, Truth(data))), flush=True)
            stack.wait()
    except Stopped:
        print("stopped", flush=True)
        return 0
    except FAULTS as fault:
        print(f"make dev: {fault}", file=sys.stderr, flush=True)
        return 1
    return 0


def urls_to_try(stack: Stack, truth: Truth) -> list[str]:
    """Commands to paste: what there is, real samples of a real day, the upstream's own count."""
    commands = [f"curl '{stack.url}/api/health'", f"curl '{stack.url}/api/sites'"]
    for site in truth.sites():
        for point in truth.points(site):
            span = truth.span_ms(site, point.name)
            if span is None:
                continue
            start_ms = span[0] // DAY_MS * DAY_MS + DAY_MS
            query = {
                "site": site,
                "point": point.name,
                "start_time": _iso(start_ms),
                "end_time": _iso(start_ms + DAY_MS),
            }
            commands.append(f"curl '{stack.url}/api/sites/{quote(site, safe='')}/points'")
            commands.append(f"curl '{stack.url}/api/timeseries?{urlencode(query, safe=':/')}'")
            return [*commands, f"curl '{stack.upstream_url}/_stats'"]
    return commands


def _iso(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _print(line: LogLine, *, colour: bool) -> None:
    print(readable(line, colour=colour), flush=True)


def _stop(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
