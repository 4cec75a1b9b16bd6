"""The record of a run: what `make bench` writes as JSON, and what the table and the page are made from.

Version 1. `rows` has a row for every finding, and one for every bound that nothing measured.
"""

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from bench.bounds import BOUNDS, BY_KEY
from bench.finding import Finding, Measurement, Report, Setting

VERSION: Final = 1
ROOT: Final = Path(__file__).resolve().parents[1]
MEGABYTE: Final = 1_000_000
NODE_PACKAGES: Final = ("miniflare", "pyodide", "workerd")
PYTHON_PACKAGES: Final = ("brotli", "pyarrow", "zstandard")

Record = dict[str, Any]


def record_of(setting: Setting, reports: Mapping[str, Report], *, date: str) -> Record:
    """The record of what was measured. `date` is ISO-8601 in UTC."""
    return {
        "version": VERSION,
        "date": date,
        "commit": commit(),
        "quick": setting.quick,
        "machine": machine(),
        "sets": sorted(setting.sets),
        "rows": rows_of(reports),
        "figures": {name: [dict(row) for row in report.figures] for name, report in reports.items()},
        "method": {name: report.method for name, report in reports.items()},
    }


def rows_of(reports: Mapping[str, Report]) -> list[Record]:
    """The table's rows: by bound in their order, then what only informs."""
    found = [(name, finding) for name, report in reports.items() for finding in report.findings]
    rows: list[Record] = []
    for bound in BOUNDS:
        held = [(name, finding) for name, finding in found if finding.bound == bound.key]
        rows += [_row(name, finding) for name, finding in held] or [
            {"measurement": None, "what": bound.what, "bound": bound.key, "limit": str(bound), "holds": None}
        ]
    return rows + [_row(name, finding) for name, finding in found if finding.bound is None]


def _row(name: str, finding: Finding) -> Record:
    row: Record = {
        "measurement": name,
        "what": finding.what,
        "measured": round(finding.measured, 4),
        "unit": finding.unit,
        "note": finding.note,
    }
    if finding.bound is None:
        return row
    bound = BY_KEY[finding.bound]
    assert finding.unit == bound.unit, f"{finding.what}: {finding.unit} is not {bound.unit}"
    return {**row, "bound": bound.key, "limit": str(bound), "holds": bound.holds(finding.measured)}


def unmeasured(measurements: Iterable[Measurement]) -> list[str]:
    """Keys of bounds that no measurement is for."""
    covered = {key for one in measurements for key in one.bounds}
    return [bound.key for bound in BOUNDS if bound.key not in covered]


def commit() -> str:
    """The commit that is measured, with a mark where files differ from it; unknown outside of git."""
    described = _git("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
    return described or "unknown"


def machine() -> Record:
    """What the figures depend on, without names of anybody."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "processors": os.cpu_count() or 0,
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEGABYTE,
        "python": platform.python_version(),
        "packages": {**_python_versions(PYTHON_PACKAGES), **_node_versions(NODE_PACKAGES)},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"


def _python_versions(names: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "none"
    return found


def _node_versions(names: Sequence[str]) -> dict[str, str]:
    lock = json.loads((ROOT / "local" / "package-lock.json").read_text(encoding="utf-8"))
    return {name: lock["packages"].get(f"node_modules/{name}", {}).get("version", "none") for name in names}


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - git with arguments of our own
            ["git", *arguments],  # noqa: S607 - whichever git is there
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
