"""A Prometheus server on loopback over given series, where the distribution's package is installed."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import isnan
from pathlib import Path
from typing import Final

import httpx

from edgeseries.promql.evaluation import Series
from tests.loopback import NO_CERTIFICATES

INSTALLED: Final = shutil.which("prometheus") is not None and shutil.which("promtool") is not None
PATIENCE_S: Final = 60.0


@contextmanager
def prometheus(folder: Path, series: Sequence[Series]) -> Iterator[httpx.Client]:
    """A client of a server that holds these series, in blocks that its own tool made."""
    text = folder / "samples.om"
    with text.open("w", encoding="utf-8") as file:
        file.write("# TYPE edgeseries_value gauge\n")
        for one in series:
            labels = ",".join(f'{name}="{value}"' for name, value in one.labels if name != "__name__")
            file.writelines(
                f"edgeseries_value{{{labels}}} {number!r} {at_ms / 1000!r}\n"
                for at_ms, number in zip(one.times_ms, one.numbers, strict=True)
                if not isnan(number)
            )
        file.write("# EOF\n")
    data = folder / "data"
    made = ("promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(text), str(data))
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    (folder / "prometheus.yml").write_text("global: {}\n", encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = (
        *("prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={data}"),
        *(
            f"--web.listen-address=127.0.0.1:{port}",
            "--storage.tsdb.retention.time=100y",
            "--log.level=error",
        ),
    )
    url = f"http://127.0.0.1:{port}"
    with (
        subprocess.Popen(words, stderr=subprocess.DEVNULL) as process,
        httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S, verify=NO_CERTIFICATES) as client,
    ):
        try:
            until = time.monotonic() + PATIENCE_S
            while time.monotonic() < until:
                try:
                    client.get("/-/ready").raise_for_status()
                    break
                except httpx.HTTPError:
                    time.sleep(0.1)
            yield client
        finally:
            process.terminate()
