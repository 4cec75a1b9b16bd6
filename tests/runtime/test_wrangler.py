"""The real wrangler accepts every function, with the modules and bindings of the graph and no others."""

import base64
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from delivery.wrangler import write
from local.capture import capture_graph
from local.graph import Graph
from local.hosting import NODE
from stack import wiring
from stack.bundle import DATA, JAVASCRIPT, PYTHON, WASM
from stack.settings import SECRET_KEYS

pytestmark = pytest.mark.runtime

ROOT = Path(__file__).resolve().parents[2]
WRANGLER = ROOT / "infra" / "wrangler" / "node_modules" / "wrangler" / "bin" / "wrangler.js"
TIMEOUT_S = 120.0
KINDS = {PYTHON: "python", JAVASCRIPT: "esm", WASM: "compiled-wasm"}
PLATFORM_DIR = ROOT / "functions" / "edgeseries" / "platform"

ROW = re.compile(r"^│ (?P<name>\S+) +│ (?P<kind>[\w-]+) +│", re.MULTILINE)
BOUND = re.compile(
    r"^env\.(?P<name>[A-Z0-9_]+) (?:\((?P<target>.*?)\))? +(?P<kind>[A-Z].*?) *$", re.MULTILINE
)


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """What wrangler said, and the files that it would upload."""

    text: str
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def graph() -> Graph:
    config = {"accountId": "0" * 32, "upstreamUrl": "https://upstream.example.com"}
    return capture_graph(stack="dev", config=config, secrets=dict.fromkeys(SECRET_KEYS, "hunter2"))


@pytest.fixture(scope="module")
def folders(graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wrangler")
    write(graph, folder, database_ids={})
    return folder


@pytest.fixture(scope="module", params=wiring.FUNCTIONS)
def function(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def dry_run(folders: Path, function: str) -> DryRun:
    assert WRANGLER.is_file(), "wrangler is not installed: make wrangler"
    text = run(folders / function, "deploy", "--dry-run", "--outdir", "out")
    out = folders / function / "out"
    files = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    return DryRun(text=text, files=files)


def run(folder: Path, *words: str) -> str:
    """What wrangler prints, without an account and without a network."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder.parent),
        "WRANGLER_SEND_METRICS": "false",
        "CI": "1",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        [str(NODE), str(WRANGLER), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done.stdout


def test_it_would_upload_the_modules_of_the_graph_byte_for_byte(
    graph: Graph, function: str, dry_run: DryRun
) -> None:
    (version,) = (one for one in graph.of_type("WorkerVersion") if one.name == function)
    modules = {
        module["name"]: base64.b64decode(module["contentBase64"]) for module in version.inputs["modules"]
    }
    made_by_wrangler = {name for name in dry_run.files if name == "README.md" or name.endswith(".map")}
    assert {name: dry_run.files[name] for name in dry_run.files.keys() - made_by_wrangler} == modules


def test_it_types_the_modules_as_the_graph_does(graph: Graph, function: str, dry_run: DryRun) -> None:
    (version,) = (one for one in graph.of_type("WorkerVersion") if one.name == function)
    listed = {match["name"]: match["kind"] for match in ROW.finditer(dry_run.text)}
    assert listed.pop("Name") == "Type"
    own = {
        module["name"]: KINDS[module["contentType"]]
        for module in version.inputs["modules"]
        if not module["name"].startswith("python_modules/")
    }
    assert DATA not in {
        module["contentType"] for module in version.inputs["modules"] if module["name"] in own
    }
    if function != "janitor":
        assert listed["kernel.wasm"] == "compiled-wasm"
    # The main module has no row of its own.
    assert listed == {name: kind for name, kind in own.items() if name != version.inputs["mainModule"]}


def test_it_lists_the_bindings_of_the_graph(graph: Graph, function: str, dry_run: DryRun) -> None:
    (version,) = (one for one in graph.of_type("WorkerVersion") if one.name == function)
    words = {
        "r2_bucket": "R2 Bucket",
        "d1": "D1 Database",
        "queue": "Queue",
        "analytics_engine": "Analytics Engine Dataset",
        "ratelimit": "Rate Limit",
        "plain_text": "Environment Variable",
    }
    bindings = version.inputs["bindings"]
    expected = {one["name"]: words[one["type"]] for one in bindings if one["type"] in words}
    assert {match["name"]: match["kind"] for match in BOUND.finditer(dry_run.text)} == expected
    targets = {match["name"]: match["target"] for match in BOUND.finditer(dry_run.text)}
    for one in bindings:
        if one["type"] in {"r2_bucket", "queue", "analytics_engine"}:
            assert targets[one["name"]] in {one.get("bucketName"), one.get("queueName"), one.get("dataset")}
    assert {one["type"] for one in bindings} - words.keys() <= {"secret_text"}
    assert "hunter2" not in dry_run.text


def test_it_applies_the_migrations_and_knows_that_it_did(folders: Path) -> None:
    """To its local database, with the record that `pulumi up` keeps in the real one."""
    folder = folders / "janitor"
    assert "0001_initial.sql" in run(folder, "d1", "migrations", "apply", "DB", "--local")
    assert "No migrations to apply" in run(folder, "d1", "migrations", "list", "DB", "--local")
    query = "SELECT name FROM d1_migrations"
    assert "0001_initial.sql" in run(folder, "d1", "execute", "DB", "--local", "--json", "--command", query)
