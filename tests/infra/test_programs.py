"""Pulumi is let end what it has begun, whoever stops the command that runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PULUMI = """#!{python}
import signal, sys, time
from pathlib import Path

def end(*_):
    # Longer than the quarter of a second after which Python's own subprocess.run kills.
    time.sleep(0.6)
    Path({ended!r}).write_text("in order")
    sys.exit({status})

signal.signal(signal.SIGINT, end)
print("working", flush=True)
while True:
    signal.pause()
"""

COMMAND = """
import sys
from delivery.programs import DeliveryFault, pulumi
try:
    pulumi(["up"])
except KeyboardInterrupt:
    sys.exit(130)
except DeliveryFault:
    sys.exit(1)
"""


@pytest.mark.parametrize("status", [0, 255])
@pytest.mark.parametrize("way", ["at the terminal", "by SIGTERM"])
def test_pulumi_ends_in_order_when_it_is_stopped(tmp_path: Path, way: str, status: int) -> None:
    ended = tmp_path / "ended"
    program = tmp_path / "pulumi"
    program.write_text(PULUMI.format(python=sys.executable, ended=str(ended), status=status))
    program.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("functions", "infra", ".")),
    }
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND], env=environment, stdout=subprocess.PIPE, start_new_session=True
    ) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == b"working\n"
        if way == "by SIGTERM":
            command.terminate()
        else:
            # The terminal sends Ctrl-C to all programs in front.
            os.killpg(command.pid, signal.SIGINT)
        assert command.wait() == 130
    assert ended.read_text() == "in order"
