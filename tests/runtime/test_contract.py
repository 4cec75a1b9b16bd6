"""schemathesis against the real stack: requests made from `/api/openapi.json`, valid ones and others.

Its findings are statuses 5xx, statuses, media types, headers and bodies that the document does not
promise, and methods that are not refused. What it makes is drawn with a fixed seed, and bounded.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests import made_up
from tests.runtime.conftest import Running

pytestmark = pytest.mark.runtime

SEED = 20_261_124
EXAMPLES = 3
"""Drawn requests for each operation, on top of those on the borders of every declaration."""

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
TIMEOUT_S = 240
"""Far longer than it takes."""

CONFIG = """
phases.stateful.enabled = false

# HEAD is GET without its body, read by the same declarations, and OPTIONS reads none: their borders are not
# gone along once more. Drawn requests they get as all others do.
[[operations]]
include-method = ["HEAD", "OPTIONS"]
phases.coverage.enabled = false
"""
"""Which phases an operation goes through."""

SENSIBLE: dict[str, Any] = {
    "site": made_up.PLAIN_SITE,
    "points": ["made_up_1", "made_up_2"],
    "start_time": "2024-02-29T00:00:00Z",
    "end_time": "2024-02-29T06:00:00Z",
}


def with_examples(document: dict[str, Any], examples: dict[str, Any]) -> dict[str, Any]:
    """The document, with names that are really there: otherwise all requests ask for nothing."""
    taken = [
        parameter
        for methods in document["paths"].values()
        for part in methods.values()
        for parameter in (part if isinstance(part, list) else part.get("parameters", []))
    ]
    for parameter in taken:
        if parameter["name"] in examples:
            parameter["example"] = examples[parameter["name"]]
    for name in ("TimeseriesRequest", "JobRequest"):
        body = {key: examples[key] for key in ("site", "points", "start_time", "end_time")}
        document["components"]["schemas"][name]["example"] = body
    return document


def made_job(running: Running) -> str:
    """A job that has ended, so that all about jobs has something to tell."""
    job_id = str(running.client.post("/api/jobs", json=SENSIBLE).json()["jobId"])
    until = time.monotonic() + 60
    while running.client.get(f"/api/jobs/{job_id}").json()["status"] != "completed":
        assert time.monotonic() < until
        time.sleep(0.1)
    return job_id


def test_the_stack_keeps_what_its_document_promises(running: Running, tmp_path: Path) -> None:
    document = running.client.get("/api/openapi.json").json()
    operations = sum(len(set(methods) - {"parameters"}) for methods in document["paths"].values())
    examples = {**SENSIBLE, "job": made_job(running)}
    told = tmp_path / "openapi.json"
    told.write_text(json.dumps(with_examples(document, examples)))
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    command = [str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(config)]
    command += ["run", str(told)]
    command += ["--url", running.stack.url, "--checks", ",".join(CHECKS)]
    command += ["--max-examples", str(EXAMPLES), "--seed", str(SEED)]
    command += ["--workers", "4", "--continue-on-failure", "--no-color", "--request-timeout", "30"]
    quiet = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    began = time.monotonic()
    ran = subprocess.run(
        command, cwd=tmp_path, env=quiet, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    summary = ran.stdout[ran.stdout.rfind("SUMMARY") :]
    print(f"schemathesis, seed {SEED}, {time.monotonic() - began:.0f} s: {' '.join(CHECKS)}\n{summary}")
    assert ran.returncode == 0, ran.stdout[-12_000:] + ran.stderr[-2_000:]
    tested = re.search(r"Tested: (\d+)", summary)
    assert tested is not None
    assert int(tested[1]) == operations
    generated = re.search(r"(\d+) generated", summary)
    assert generated is not None
    assert int(generated[1]) > 10 * operations
    # The isolate is none the worse for it.
    assert running.client.get("/api/health", params={"deep": "1"}).json()["status"] == "ok"
