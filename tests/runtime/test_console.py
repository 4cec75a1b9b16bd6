"""The console in a real Chromium against the whole stack: `tests/console/*.test.mjs`, a subtest each."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from local.hosting import NODE
from local.stack import Stack, StackOptions
from tests.console.telemetry import write_house, write_many
from tests.made_up import write_live
from tests.runtime.conftest import SAMPLE

pytestmark = pytest.mark.runtime

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests" / "console"
ARTIFACTS = ROOT / "build" / "console"
TIMEOUT_S = 420
TEST = re.compile(r'^test\("([^"]+)"', re.MULTILINE)
NAMES = [
    (path.name, name)
    for path in sorted(TESTS.glob("*.test.mjs"))
    for name in TEST.findall(path.read_text("utf-8"))
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("console")
    write_house(made)
    write_many(made)
    write_live(made, time.time_ns() // 1_000_000)
    for site in SAMPLE.iterdir():
        if site.is_dir():
            shutil.copytree(site, made / site.name)
    return made


@pytest.fixture(scope="module")
def told(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What became of each test by name: empty, or its fault. One browser and two stacks for all of them."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    open_to_all = StackOptions(
        wake_all=False,
        state=tmp_path_factory.mktemp("open"),
        data=folder,
        settings={"circuitPauseSeconds": "0"},
    )
    keyed = StackOptions(
        wake_all=False, state=tmp_path_factory.mktemp("keyed"), data=SAMPLE, settings={"auth": "keys"}
    )
    with Stack(open_to_all) as stack, Stack(keyed) as guarded:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ},
            "URL": stack.url,
            "UPSTREAM": stack.upstream_url,
            "KEYED_URL": guarded.url,
            "ADMIN_KEY": guarded.admin_key,
            "ARTIFACTS": str(ARTIFACTS),
        }
        words = ["--test", "--test-concurrency=1", f"--test-reporter={TESTS / 'reporter.mjs'}"]
        results = ARTIFACTS / "results.jsonl"
        with results.open("w", encoding="utf-8") as out:
            child = subprocess.Popen(
                [str(NODE), *words, *map(str, sorted(TESTS.glob("*.test.mjs")))],
                env=environment, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
            try:
                child.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.terminate()
                child.wait()
    text = results.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines() if line.startswith('{"')]
    print(*(line["said"] for line in lines if "said" in line), sep="\n")
    assert lines, text
    return {line["name"]: line["fault"] for line in lines if "name" in line}


@pytest.mark.parametrize("name", ["uPlot.iife.min.js", "uPlot.min.css"])
def test_what_is_not_ours_is_what_the_lock_file_names(name: str) -> None:
    locked = ROOT / "console" / "node_modules" / "uplot" / "dist" / name
    assert (ROOT / "console" / "assets" / name).read_bytes() == locked.read_bytes()


def test_types_of_the_client_hold(tmp_path: Path) -> None:
    """A caller's program and the declarations pass the compiler."""
    program = (
        'import { Client, chartData, type Job } from "./edgeseries.mjs";\n'
        'const client = new Client({ key: "k" });\n'
        'const question = { site: "s", points: ["a"], start: new Date(), end: "now", every: "1h" };\n'
        "const onJob = (job: Job) => job.progress + 1;\n"
        "const { document, cache } = await client.read(question, { onJob });\n"
        "const count: number = document._meta.sampleCount;\n"
        "const columns: Array<Array<number | null | undefined>> = chartData(document).data;\n"
        "export { cache, count, columns };\n"
    )
    for name in ("edgeseries.d.mts", "documents.d.mts"):
        shutil.copy(ROOT / "clients" / "javascript" / name, tmp_path)
    (tmp_path / "caller.mts").write_text(program)
    compiler = ROOT / "console" / "node_modules" / "typescript" / "lib" / "tsc.js"
    words = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--lib", "es2023,dom"]
    words += ["--allowImportingTsExtensions", "caller.mts"]
    done = subprocess.run(
        [str(NODE), str(compiler), *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("file", "name"), NAMES, ids=[name for _, name in NAMES])
def test_in_chromium(told: Mapping[str, str], file: str, name: str) -> None:
    assert told.get(name, f"{file}: it did not run") == ""
