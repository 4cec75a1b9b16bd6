"""A light HTTP client for timing: one kept connection, bytes as they come, nothing decoded.

The standard library's, since a heavier one would add the same milliseconds to both sides of every
ratio and make all of them look better.
"""

import http.client
import time
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlencode, urlsplit

TIMEOUT_S: Final = 120.0
IDLE_S: Final = 2.0
"""The front closes a connection that was idle for five seconds: one that was for this long is made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer and how long it took, from the first byte sent to the last received."""

    status: int
    headers: dict[str, str]
    body: bytes
    duration_ms: float


class Client:
    """One connection to a stack, as a context manager."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port or 0, timeout=TIMEOUT_S
        )

        self._used_s = time.monotonic()

    def __enter__(self) -> Self:
        self._connection.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        """GET, taking brotli, the whole body read. Header names have `_` for `-`."""
        sent = {"Accept-Encoding": "br"} | {name.replace("_", "-"): text for name, text in headers.items()}
        if time.monotonic() - self._used_s > IDLE_S:
            self._connection.close()
            self._connection.connect()
        started = time.perf_counter()
        self._connection.request("GET", path, headers=sent)
        response = self._connection.getresponse()
        body = response.read()
        duration_ms = (time.perf_counter() - started) * 1000
        self._used_s = time.monotonic()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(status=response.status, headers=headers, body=body, duration_ms=duration_ms)


def timeseries(site: str, points: tuple[str, ...], start_ms: int, end_ms: int, route: str = "") -> str:
    """The path of a time-series request."""
    fields = {"site": site, "points": ",".join(points), "start_time": start_ms, "end_time": end_ms}
    return "/api/timeseries?" + urlencode(fields | ({"route": route} if route else {}))


def expect(reply: Reply, **wanted: str) -> Reply:
    """The reply, if it is a 200 with these headers; a measurement of anything else would mislead."""
    found = {name: reply.headers.get(name.replace("_", "-"), "") for name in wanted}
    if reply.status != http.client.OK or found != wanted:
        raise AssertionError(f"{reply.status} {found}, not 200 {wanted}: {reply.body[:300]!r}")
    return reply


def plain(client: Client, path: str) -> Reply:
    """A 200 whose body comes as it is."""
    return expect(client.get(path, Accept_Encoding="identity"))
