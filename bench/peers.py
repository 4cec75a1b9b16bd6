"""Peers: other systems beside ours, over the same samples, where the distribution's packages are installed.

Asked for with `PEERS=1`. Must not know what is measured.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from edgeseries.limits import SECOND_MS

VICTORIA_METRICS: Final = "victoria-metrics"
PROMETHEUS: Final = "prometheus"
PROMTOOL: Final = "promtool"
PATIENCE_S: Final = 120.0
STEP_S: Final = 0.1
LINES: Final = 50_000
"""Samples of one import."""

Series = Mapping[str, Iterable[tuple[int, str]]]
"""Samples by point: instants (UTC epoch ms) and values as texts."""


def has(program: str) -> bool:
    """Whether a program is installed."""
    return shutil.which(program) is not None


@contextmanager
def victoria_metrics(folder: Path, series: Series) -> Iterator[httpx.Client]:
    """A server on loopback that holds these samples, its caches off, and a client of it."""
    port = _free_port()
    words = (
        *(VICTORIA_METRICS, f"-storageDataPath={folder}", f"-httpListenAddr=127.0.0.1:{port}"),
        *("-retentionPeriod=100y", "-search.disableCache", "-loggerLevel=ERROR"),
        "-search.maxPointsPerTimeseries=100000",
    )
    with _served(words, port, "/health") as client:
        for point, samples in series.items():
            _load(client, point, samples)
        client.get("/internal/force_flush").raise_for_status()
        client.get("/internal/force_merge").raise_for_status()
        yield client


@contextmanager
def prometheus(folder: Path, series: Series) -> Iterator[httpx.Client]:
    """A server on loopback over blocks that its own tool made of these samples, and a client of it."""
    folder.mkdir(parents=True)
    text = folder / "samples.om"
    with text.open("w", encoding="utf-8") as file:
        file.write("# TYPE value gauge\n")
        for point, samples in series.items():
            file.writelines(
                f'value{{point="{point}"}} {value} {at_ms / SECOND_MS:g}\n' for at_ms, value in samples
            )
        file.write("# EOF\n")
    data = folder / "data"
    made = (PROMTOOL, "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(text), str(data))
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - the words are ours
    (folder / "prometheus.yml").write_text("global: {}\n", encoding="utf-8")
    port = _free_port()
    words = (
        *(PROMETHEUS, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={data}"),
        *(
            f"--web.listen-address=127.0.0.1:{port}",
            "--storage.tsdb.retention.time=100y",
            "--log.level=error",
        ),
    )
    with _served(words, port, "/-/ready") as client:
        yield client


@contextmanager
def _served(words: tuple[str, ...], port: int, ready: str) -> Iterator[httpx.Client]:
    with (
        subprocess.Popen(words, stderr=subprocess.DEVNULL) as process,  # noqa: S603 - the words are ours
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE_S) as client,
    ):
        try:
            _wait_for(client, ready)
            yield client
        finally:
            process.terminate()


def _load(client: httpx.Client, point: str, samples: Iterable[tuple[int, str]]) -> None:
    """Through the server's own import."""
    lines: list[str] = []
    for at_ms, value in samples:
        lines.append(f"{at_ms},{value}")
        if len(lines) == LINES:
            _import(client, point, lines)
            lines = []
    if lines:
        _import(client, point, lines)


def _import(client: httpx.Client, point: str, lines: list[str]) -> None:
    form = {"format": "1:time:unix_ms,2:metric:value", "extra_label": f"point={point}"}
    client.post("/api/v1/import/csv", params=form, content="\n".join(lines)).raise_for_status()


def _wait_for(client: httpx.Client, ready: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            client.get(ready).raise_for_status()
        except httpx.HTTPError:
            time.sleep(STEP_S)
        else:
            return
    raise AssertionError(f"no answer of {client.base_url}{ready}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
