"""`make bench`: run the measurements, print one table and the method, write JSON."""

import argparse
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.finding import Report, Setting
from bench.page import PAGE, written
from bench.record import record_of
from bench.registry import MEASUREMENTS
from bench.table import HEADINGS, cells_of, figure_lines, plain

SAMPLE: Final = Path("local/sample")
BESIDE: Final = Path("../shared/data")
"""More sets than may stand in the repository, where somebody has put them beside it."""

RESULTS: Final = Path(__file__).resolve().parent / "results"


def main() -> int:
    """The exit status: 0 when everything was measured, whether or not the bounds hold."""
    given = _arguments()
    sets = sets_of([Path(given.data)] if given.data else [SAMPLE, BESIDE])
    if not sets:
        say("make bench: there is no set of points; name a folder of sets with DATA=<folder>")
        return 1
    setting = Setting(
        sets=sets, sample=SAMPLE, quick=given.quick, large=given.large, peers=given.peers, say=say
    )
    chosen = [one for one in MEASUREMENTS if not given.only or one.name in given.only]
    reports: dict[str, Report] = {}
    for measurement in chosen:
        started = time.monotonic()
        say(f"{measurement.name} ...")
        reports[measurement.name] = measurement.run(setting)
        say(f"{measurement.name}: {time.monotonic() - started:.0f} s")
    record = record_of(setting, reports, date=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    for name, report in reports.items():
        if report.figures:
            say(f"\n{name}\n" + plain(*figure_lines(record["figures"][name])))
    say("\n" + plain(HEADINGS, map(cells_of, record["rows"])) + "\n")
    for name, report in reports.items():
        say(f"{name}: {report.method}")
    target = RESULTS / ("reference.json" if given.reference else "latest.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    say(f"\nwritten: {target.relative_to(RESULTS.parents[1])}")
    if given.reference:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), record), encoding="utf-8")
    return 0


def sets_of(folders: list[Path]) -> dict[str, Path]:
    """Every folder of points below the folders, by name; of two with one name the first."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_dir() and any(path.glob("*.csv.gz")):
                found.setdefault(path.name, path)
    return dict(sorted(found.items()))


def say(text: str) -> None:
    """Print, and do not wait for more."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    names = [one.name for one in MEASUREMENTS]
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure what the system is to hold."
    )
    parser.add_argument(
        "--data", help="a folder of sets (default: local/sample, and ../shared/data if there)"
    )
    parser.add_argument("--quick", action="store_true", help="the short form, about a minute: rough figures")
    parser.add_argument("--large", action="store_true", help="a job of ten million samples: ten minutes more")
    parser.add_argument("--peers", action="store_true", help="other systems beside ours, where installed")
    parser.add_argument("--only", action="append", choices=names, help="this measurement; may be repeated")
    parser.add_argument(
        "--reference", action="store_true", help="the run that is committed and stands in docs/benchmarks.md"
    )
    given = parser.parse_args()
    if given.reference and (given.quick or given.only):
        parser.error("a reference run is whole: leave out --quick and --only")
    return given


if __name__ == "__main__":
    # Stacks keep their state in temporary folders; a run that is broken off leaves none behind.
    with tempfile.TemporaryDirectory(prefix="edgeseries-bench-") as scratch:
        tempfile.tempdir = scratch
        sys.exit(main())
