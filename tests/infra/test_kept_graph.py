"""Kept graphs: equal to a run, without secrets, served only while nothing has changed that they come from."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.capture import capture_graph
from local.graph import Graph
from local.kept_graph import GRAPHS_MAX, LARGE, SOURCES, kept_graph, key_of

ROOT = Path(__file__).resolve().parents[2]

CONFIG = {"accountId": "0" * 32, "auth": "open"}
PER_RUN = {"upstreamUrl": "http://127.0.0.1:54321/api"}
SECRETS = {"upstreamToken": "token-of-this-run", "adminKeyHash": "hash-of-this-run"}
TOLD_ONCE = (*SECRETS.values(), *PER_RUN.values())

ASKED = """
import json, sys
from pathlib import Path
opened = set()
sys.addaudithook(lambda event, args: event == "open" and opened.add(str(args[0])))
from local.kept_graph import kept_graph
config, per_run, secrets, folder = json.loads(sys.argv[1])
kept_graph(stack="dev", config=config, per_run=per_run, secrets=secrets, folder=Path(folder))
print(json.dumps([sorted(opened), "pulumi" in sys.modules or "pulumi_cloudflare" in sys.modules]))
"""


def asked_elsewhere(folder: Path) -> tuple[list[Path], bool]:
    """The project's files that a process opens to get a graph, and whether it loaded Pulumi for it."""
    told = subprocess.run(
        [sys.executable, "-c", ASKED, json.dumps([CONFIG, PER_RUN, SECRETS, str(folder)])],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(("functions", "infra", "."))},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    opened, loaded = json.loads(told)
    paths = [Path(ROOT, name).resolve() for name in opened]
    return [path.relative_to(ROOT) for path in paths if path.is_relative_to(ROOT)], loaded


def dev_graph(folder: Path) -> Graph:
    return kept_graph(stack="dev", config=CONFIG, per_run=PER_RUN, secrets=SECRETS, folder=folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    dev_graph(folder)
    return folder


@pytest.fixture
def kept(made: Path, tmp_path: Path) -> Path:
    """A folder with the graph that `dev_graph` makes."""
    return Path(shutil.copytree(made, tmp_path / "kept"))


def test_the_second_process_gets_what_the_first_had_made(tmp_path: Path) -> None:
    opened, loaded = asked_elsewhere(tmp_path)
    assert loaded
    # Whatever of the project was read on the way, a change of it is a change of the key. The rest is made
    # from what is looked at: wheels by the digests of the lock file, packages by their versions.
    made = {"build", ".venv"}
    sources = [path for path in opened if path.parts[0] not in made and path.suffix != ".pyc"]
    assert Path("infra/stack/program.py") in sources
    assert Path("schema.sql") in sources
    assert not [path for path in sources if not any(path.is_relative_to(one) for one in (*SOURCES, "local"))]

    assert not asked_elsewhere(tmp_path)[1]
    assert dev_graph(tmp_path) == capture_graph(stack="dev", config={**CONFIG, **PER_RUN}, secrets=SECRETS)
    (kept,) = tmp_path.iterdir()
    assert not [text for text in TOLD_ONCE if text in kept.read_text(encoding="utf-8")]


def test_texts_of_another_run_are_put_in(kept: Path) -> None:
    secrets, per_run = {**SECRETS, "upstreamToken": "another"}, {"upstreamUrl": "http://127.0.0.1:2/api"}
    graph = kept_graph(stack="dev", config=CONFIG, per_run=per_run, secrets=secrets, folder=kept)
    assert len(list(kept.iterdir())) == 1
    assert graph == capture_graph(stack="dev", config={**CONFIG, **per_run}, secrets=secrets)


def test_other_settings_are_not_served_what_is_kept(kept: Path) -> None:
    config = {**CONFIG, "batchPoints": "4", "upstreamUrl": "https://upstream.example.com"}
    secrets = {**SECRETS, "alertWebhookUrl": "https://alerts.example.com"}
    graph = kept_graph(stack="dev", config=config, secrets=secrets, folder=kept)
    assert len(list(kept.iterdir())) == 2
    assert graph == capture_graph(stack="dev", config=config, secrets=secrets)


@pytest.mark.parametrize(
    "changes",
    [
        {"stack": "pr-1"},
        {"config": {**CONFIG, "auth": "keys"}},
        {"config": {**CONFIG, "batchPoints": "4"}},
        {"config": {"auth": "open"}},
        {"secrets": {**SECRETS, "alertWebhookUrl": "set"}},
        {"secrets": {"upstreamToken": "set"}},
    ],
)
def test_every_setting_is_in_the_key(changes: Mapping[str, Any]) -> None:
    asked: dict[str, Any] = {"stack": "dev", "config": CONFIG, "secrets": SECRETS}
    assert key_of(**asked) == key_of(**asked)
    assert key_of(**asked) != key_of(**{**asked, **changes})


def copy_of_sources(copy: Path) -> Path:
    for source in map(Path, SOURCES):
        (copy / source).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            ignored = shutil.ignore_patterns("node_modules", "__pycache__")
            shutil.copytree(ROOT / source, copy / source, ignore=ignored)
        else:
            shutil.copy(ROOT / source, copy / source)
    return copy


def rewrite(path: Path) -> None:
    # Of the same length, and as old: neither is looked at.
    before = path.stat()
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def add_another(path: Path) -> None:
    path.with_name("added.py").write_text("", encoding="utf-8")


@pytest.mark.parametrize("change", [rewrite, Path.unlink, add_another])
def test_every_source_is_in_the_key(tmp_path: Path, change: Callable[[Path], None]) -> None:
    root = copy_of_sources(tmp_path)

    def key() -> str:
        return key_of(stack="dev", config=CONFIG, secrets=SECRETS, root=root)

    keys = [key()]
    (root / "functions" / "__pycache__").mkdir()
    (root / "functions" / "__pycache__" / "made.pyc").write_bytes(b"")
    assert key() == keys[0]
    edited = [
        *("infra/stack/wiring.py", "infra/stack/components/function.py", "functions/router/entry.py"),
        *("functions/wheels.lock.json", "migrations/0001_initial.sql"),
    ]
    for name in edited:
        change(root / name)
        keys.append(key())
    assert len(set(keys)) == len(edited) + 1


@pytest.mark.parametrize("damage", ["", "{}", "cut", "changed", "gone"])
def test_a_damaged_file_is_made_anew(kept: Path, damage: str) -> None:
    graph = dev_graph(kept)
    (file,) = kept.iterdir()
    whole = file.read_text(encoding="utf-8")
    name = re.search(f'"{LARGE}": "([0-9a-f]+)"', whole)
    assert name is not None, "shared objects are in files of their own"
    gone = whole.partition("\n")[2].replace(name[1], "0" * 64)
    texts = {
        "cut": whole[:-100],
        "changed": whole.replace("text/x-python", "text/x-pythom", 1),
        "gone": f"{hashlib.sha256(gone.encode()).hexdigest()}\n{gone}",
    }
    file.write_text(texts.get(damage, damage), encoding="utf-8")
    assert dev_graph(kept) == graph
    assert file.read_text(encoding="utf-8") == whole


def test_where_nothing_can_be_written_there_is_a_graph_all_the_same(kept: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    assert dev_graph(file / "folder") == dev_graph(kept)


def test_those_used_longest_ago_go(kept: Path) -> None:
    (used,) = kept.iterdir()
    for age, name in enumerate(f"{number:03}" for number in range(GRAPHS_MAX)):
        file = kept / f"{name}.json"
        file.write_text("", encoding="utf-8")
        os.utime(file, (1_000 - age, 1_000 - age))
    os.utime(used, (0, 0))
    dev_graph(kept)
    kept_graph(stack="dev", config={**CONFIG, "auth": "keys"}, secrets=SECRETS, per_run=PER_RUN, folder=kept)
    left = {path.name for path in kept.iterdir()}
    assert len(left) == GRAPHS_MAX
    assert used.name in left
    assert {f"{GRAPHS_MAX - 1:03}.json", f"{GRAPHS_MAX - 2:03}.json"}.isdisjoint(left)
