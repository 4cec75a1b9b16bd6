"""Peers: other systems beside ours, over the same samples, where the distribution's packages are installed.

Asked for with `PEERS=1`. Must not know what is measured.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

BINARY: Final = "victoria-metrics"
PATIENCE_S: Final = 60.0
STEP_S: Final = 0.1
LINES: Final = 50_000
"""Samples of one import."""


@contextmanager
def victoria_metrics(folder: Path) -> Iterator[httpx.Client]:
    """A server on loopback over an empty folder, and a client of it. Raises AssertionError where it is not
    installed.
    """
    if shutil.which(BINARY) is None:
        raise AssertionError(f"PEERS=1 needs {BINARY}: install the distribution's package of that name")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = (
        *(BINARY, f"-storageDataPath={folder}", f"-httpListenAddr=127.0.0.1:{port}"),
        *("-retentionPeriod=100y", "-search.disableCache", "-loggerLevel=ERROR"),
        "-search.maxPointsPerTimeseries=100000",
    )
    url = f"http://127.0.0.1:{port}"
    with (
        subprocess.Popen(words) as process,  # noqa: S603 - the words are ours
        httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S) as client,
    ):
        try:
            _wait_for(client)
            yield client
        finally:
            process.terminate()


def load(client: httpx.Client, point: str, samples: Iterable[tuple[int, str]]) -> None:
    """Samples of a point, through the server's own import."""
    lines: list[str] = []
    for at_ms, value in samples:
        lines.append(f"{at_ms},{value}")
        if len(lines) == LINES:
            _import(client, point, lines)
            lines = []
    if lines:
        _import(client, point, lines)


def settled(client: httpx.Client) -> None:
    """What was loaded is searchable, and merged."""
    client.get("/internal/force_flush").raise_for_status()
    client.get("/internal/force_merge").raise_for_status()


def _import(client: httpx.Client, point: str, lines: list[str]) -> None:
    form = {"format": "1:time:unix_ms,2:metric:value", "extra_label": f"point={point}"}
    client.post("/api/v1/import/csv", params=form, content="\n".join(lines)).raise_for_status()


def _wait_for(client: httpx.Client) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            client.get("/health").raise_for_status()
        except httpx.HTTPError:
            time.sleep(STEP_S)
        else:
            return
    raise AssertionError(f"{BINARY} does not answer")
