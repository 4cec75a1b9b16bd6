"""Real servers of vendors, where the distribution has them installed: started on loopback over a truth that
is loaded by their own import, and ended. Debian: `apt install prometheus victoria-metrics influxdb`.
"""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from local.upstream.truth import Truth
from local.vendors import influx, prometheus
from local.vendors.shape import HeldTruth
from tests.loopback import NO_CERTIFICATES
from tests.vendor_rigs import INFLUX, Installation, Rig

START_S: Final = 60.0
MEASUREMENTS: Final = {float: "sample", str: "text", bool: "switch"}
"""InfluxDB's, by the type of their field: a field has one type in all of a measurement."""

DIGITS_OF_VICTORIA: Final = 1e-11
"""How far a value may be off that VictoriaMetrics gives back: it keeps twelve digits or so."""

LARGEST: Final = 1e12
"""The largest number that VictoriaMetrics is given."""

BLOCK: Final = "--max-block-duration=486h"
"""Blocks of twenty days: promtool reads its whole source for each of them."""

LINES: Final = 5_000
"""Lines of one import."""


def kept_in_victoria(value: Any) -> tuple[Any] | None:
    """What is kept of a value: its import takes no nulls. A number far from the others of its block would
    take their digits, so there is none.
    """
    found = None if value is None else prometheus.kept(value)
    return None if found is None or abs(found[0]) > LARGEST else found


POINTS: Final = {"pointLabel": "point"}
REAL: Final[Mapping[str, tuple[str, Rig]]] = {
    "Prometheus": (
        "prometheus",
        Rig(
            vendor="prometheus",
            shape=prometheus.PrometheusShape,
            kept=prometheus.kept,
            options=POINTS,
            credential="",
        ),
    ),
    "VictoriaMetrics": (
        "victoria-metrics",
        Rig(
            vendor="prometheus",
            shape=prometheus.PrometheusShape,
            kept=kept_in_victoria,
            digits=DIGITS_OF_VICTORIA,
            options=POINTS,
            credential="",
        ),
    ),
    "InfluxDB 1": (
        "influxd",
        Rig(
            vendor="influx",
            shape=influx.Influx1Shape,
            kept=influx.kept,
            one_kind=True,
            options={**INFLUX, "version": "1"},
            credential="",
        ),
    ),
}
"""By name: the program, and the rig that it is asked with."""


def is_installed(name: str) -> bool:
    """Whether the distribution's program is there."""
    program = REAL[name][0]
    return shutil.which(program) is not None and (
        program != "prometheus" or shutil.which("promtool") is not None
    )


@contextmanager
def real(name: str, truth: Truth, folder: Path) -> Iterator[Installation]:
    """A server over a truth, its data below a folder."""
    _, rig = REAL[name]
    held = HeldTruth(truth, rig.kept, one_kind=rig.one_kind)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command, load = _COMMANDS[name](held, folder, port)
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait(url, process, folder / "log")
            load(url)
            yield Installation(rig=rig, url=url, truth=truth)
        finally:
            process.terminate()
            process.wait(timeout=START_S)


Started = tuple[list[str], Callable[[str], None]]


def _prometheus(held: HeldTruth, folder: Path, port: int) -> Started:
    lines = ["# TYPE sample gauge"]
    for site in held.sites():
        for point in held.points(site):
            labels = f'{{site="{_escaped(site)}",point="{_escaped(point)}"}}'
            for at_ms, value in held.samples(site, point):
                number = "NaN" if value is None else repr(value)
                lines.append(f"sample{labels} {number} {at_ms // 1_000}.{at_ms % 1_000:03d}")
    source = folder / "samples.om"
    source.write_text("\n".join([*lines, "# EOF", ""]), encoding="utf-8")
    blocks = folder / "blocks"
    load = ["promtool", "tsdb", "create-blocks-from", "openmetrics", BLOCK, str(source), str(blocks)]
    subprocess.run(load, check=True, capture_output=True)
    (folder / "prometheus.yml").write_text("global: {}\n", encoding="utf-8")
    command = [
        *("prometheus", "--config.file", str(folder / "prometheus.yml"), "--storage.tsdb.path", str(blocks)),
        *("--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}"),
    ]
    return command, lambda _: None


def _victoria(held: HeldTruth, folder: Path, port: int) -> Started:
    def load(url: str) -> None:
        for site in held.sites():
            for point in held.points(site):
                samples = held.samples(site, point)
                line = {
                    "metric": {"__name__": "sample", "site": site, "point": point},
                    "values": [value for _, value in samples],
                    "timestamps": [at_ms for at_ms, _ in samples],
                }
                _post(f"{url}/api/v1/import", json.dumps(line).encode())
        httpx.get(f"{url}/internal/force_flush", trust_env=False, verify=NO_CERTIFICATES).raise_for_status()

    command = [
        *("victoria-metrics", f"-storageDataPath={folder / 'data'}", "-retentionPeriod=100y"),
        f"-httpListenAddr=127.0.0.1:{port}",
    ]
    return command, load


def _influx(held: HeldTruth, folder: Path, port: int) -> Started:
    (folder / "influxdb.conf").write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{_free_port()}"\n'
        f'[meta]\ndir = "{folder}/meta"\n'
        f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
        f'[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n',
        encoding="utf-8",
    )

    def load(url: str) -> None:
        _post(
            f"{url}/query",
            b"q=CREATE DATABASE building",
            **{"Content-Type": "application/x-www-form-urlencoded"},
        )
        lines = [
            f"{influx.series_key({'site': site, 'point': point}, MEASUREMENTS[type(value)])} "
            f"value={_field(value)} {at_ms}"
            for site in held.sites()
            for point in held.points(site)
            for at_ms, value in held.samples(site, point)
        ]
        for first in range(0, len(lines), LINES):
            body = "\n".join(lines[first : first + LINES]).encode()
            _post(f"{url}/write?db=building&precision=ms", body)

    return ["influxd", "run", "-config", str(folder / "influxdb.conf")], load


_COMMANDS: Final[Mapping[str, Callable[[HeldTruth, Path, int], Started]]] = {
    "Prometheus": _prometheus,
    "VictoriaMetrics": _victoria,
    "InfluxDB 1": _influx,
}


def _field(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _post(url: str, body: bytes, **headers: str) -> None:
    reply = httpx.post(
        url, content=body, headers=headers, trust_env=False, verify=NO_CERTIFICATES, timeout=START_S
    )
    assert reply.status_code < 300, reply.text[:500]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_S
    paths = {"prometheus": "/-/ready", "victoria-metrics": "/health", "influxd": "/ping"}
    path = paths[str(process.args[0])] if isinstance(process.args, list) else "/"
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")[-2_000:]
        try:
            if httpx.get(url + path, trust_env=False, verify=NO_CERTIFICATES, timeout=2).status_code < 300:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text(encoding="utf-8", errors="replace")[-2_000:])
