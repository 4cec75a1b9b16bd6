"""`make dev`: serve until told to stop, with the Workers' logs in the terminal.

Owns reading PORT, UPSTREAM_PORT, STATE, DATA and AUTH from the environment, what is printed, and the
exit status. An upstream of one's own is read by `own_upstream.py`. Must not know how the stack runs.
"""

import os
import signal
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final
from urllib.parse import quote, urlencode

from local.key import COMMAND as KEY_COMMAND
from local.logs import LogLine, readable
from local.own_upstream import OwnUpstream, OwnUpstreamError, look_at, taken_from
from local.plan import PlanError
from local.remote import Commands, Remote
from local.stack import Stack, StackError, StackOptions
from local.sweep import COMMAND, sweep
from local.upstream.catalogue import DataFault
from local.upstream.truth import Truth
from stack.bundle import BundleError
from stack.names import NameFault
from stack.schema import SchemaFault
from stack.settings import ACCESS, SettingsError
from stack.wiring import MissingBinding

DAY_MS: Final = 86_400_000
MAX_PORT: Final = 65_535

FAULTS: Final = (
    *(StackError, OwnUpstreamError, PlanError, BundleError),
    *(NameFault, SchemaFault, SettingsError, MissingBinding),
)
"""Errors whose text says all there is to say."""


class Stopped(BaseException):
    """Somebody asked us to stop."""


def main() -> int:
    """Serve. Exit status 0 when stopped, 1 with a message when it cannot go on."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        upstream = taken_from(os.environ)
        options = options_from(os.environ, upstream)
        asked = _example(options.data) if upstream is None else _example_of(upstream)
        with Stack(options) as stack, Remote(options.state, _commands(stack)):
            print(f"EdgeSeries ready on {stack.url}", flush=True)
            if upstream is not None:
                print(f"  (the upstream is {upstream.url})", flush=True)
            for url in urls_to_try(asked, stack.url, stack.upstream_url):
                print(f"  curl '{url}'", flush=True)
            if options.settings["auth"] == "keys":
                print("  (callers need a key: make key)", flush=True)
            stack.wait()
    except Stopped:
        print("stopped", flush=True)
        return 0
    except FAULTS as fault:
        print(f"make dev: {fault}", file=sys.stderr, flush=True)
        return 1
    return 0


def _commands(stack: Stack) -> Commands:
    """What other commands may ask of this one."""
    return {
        COMMAND: lambda: sweep(stack.host),
        KEY_COMMAND: lambda: {"url": stack.url, "adminKey": stack.admin_key},
    }


def options_from(environment: Mapping[str, str], upstream: OwnUpstream | None = None) -> StackOptions:
    """The options that the environment asks for; raises StackError that names what is wrong there."""
    colour = sys.stdout.isatty()

    def show(line: LogLine) -> None:
        print(readable(line, colour=colour), flush=True)

    return StackOptions(
        state=Path(_given(environment, "STATE")),
        data=Path(_given(environment, "DATA")),
        port=_port(environment, "PORT"),
        upstream_port=_port(environment, "UPSTREAM_PORT"),
        upstream=upstream,
        settings={"auth": _auth(environment)},
        on_log=show,
    )


def _given(environment: Mapping[str, str], name: str) -> str:
    text = environment.get(name, "")
    if not text:
        raise StackError(
            f"{name} is not set; `make dev` gives it a value, and so may you: make dev {name}=..."
        )
    return text


def _port(environment: Mapping[str, str], name: str) -> int:
    text = _given(environment, name)
    if not text.isascii() or not text.isdecimal() or int(text) > MAX_PORT:
        raise StackError(
            f"{name}={text} is no port; it takes a number from 1 to {MAX_PORT}, or 0 for any free one"
        )
    return int(text)


def _auth(environment: Mapping[str, str]) -> str:
    text = environment.get("AUTH", "")
    if text not in ACCESS:
        raise StackError(f"AUTH={text}: set open (anybody may ask) or keys (make key makes one)")
    return text


def _example_of(upstream: OwnUpstream) -> tuple[str, str, int] | None:
    """A site and a point of one's own upstream, and yesterday: whether there are samples nobody knows yet.

    Asked before anything starts: an upstream that refuses is then the first thing said, not the last.
    """
    example = look_at(upstream)
    today_ms = time.time_ns() // 1_000_000 // DAY_MS * DAY_MS
    return None if example is None else (*example, today_ms - DAY_MS)


def _example(data: Path) -> tuple[str, str, int] | None:
    """A site, a point and a UTC day (its first ms) on which the point has samples; None without any.

    Looked for before anything starts: broken data is then the first thing said, not the last.
    """
    if not data.is_dir():
        return None
    try:
        truth = Truth(data)
        for site in truth.sites():
            for point in truth.points(site):
                span = truth.span_ms(site, point.name)
                if span is None:
                    continue
                rows = truth.rows(site, point.name, span[0], span[1] + 1)
                # From the middle: the first and the last day of telemetry are seldom whole.
                return site, point.name, rows[len(rows) // 2][0] // DAY_MS * DAY_MS
    except DataFault as fault:
        raise StackError(f"{fault} (or name another folder with DATA=)") from fault
    return None


def urls_to_try(example: tuple[str, str, int] | None, url: str, upstream_url: str) -> list[str]:
    """What to ask first: health, sites, points, real samples of a real day, the simulator's own count."""
    urls = [f"{url}/api/health?deep=1", f"{url}/api/stats", f"{url}/api/sites"]
    if example is not None:
        site, point, day_ms = example
        query = {
            "site": site,
            "point": point,
            "start_time": _iso(day_ms),
            "end_time": _iso(day_ms + DAY_MS),
        }
        urls.append(f"{url}/api/sites/{quote(site, safe='')}/points")
        urls.append(f"{url}/api/timeseries?{urlencode(query, safe=':/')}")
    return [*urls, f"{upstream_url}/_stats"] if upstream_url else urls


def _iso(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _stop(_number: int, _frame: FrameType | None) -> None:
    # Stopping takes a moment, and a second Ctrl-C must not cut it short: nothing may stay behind.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
