"""A development stack: previewed, made, unchanged, refreshed, edited in part and as a whole, mended."""

import json

import pytest

from stack.wheels import locked_wheels
from tests.engine.cloud.account import Trouble
from tests.engine.conftest import World, hold_secrets
from tests.engine.installation import ROOT

STACK = "dev"
RESOURCES = 29
"""What a stack has, the stack itself and its components among them."""


def test_a_bare_preview_works_after_setup(world: World) -> None:
    world.configure(STACK)
    assert world.changes("--stack", STACK)["create"] >= RESOURCES
    assert world.account.changes() == []
    world.pulumi("preview", "--stack", STACK, "--non-interactive")


def test_a_part_is_refused_before_the_whole(world: World) -> None:
    told = world.make("deploy", STACK=STACK, FUNCTION="router", status=2)
    assert "dev has not been deployed as a whole yet: make deploy STACK=dev" in told
    told = world.make("smoke", STACK=STACK, status=2)
    assert "dev has not been deployed as a whole yet" in told
    assert "Traceback" not in told
    assert world.account.changes() == []


def test_the_first_deployment_makes_everything(world: World) -> None:
    world.make("deploy", STACK=STACK)
    assert world.account.inventory() == {
        "buckets": ["edgeseries-dev-cache"],
        "consumers": [
            "edgeseries-dev-dead-letters <- edgeseries-dev-consumer",
            "edgeseries-dev-jobs-high <- edgeseries-dev-consumer",
            "edgeseries-dev-jobs-low <- edgeseries-dev-consumer",
            "edgeseries-dev-jobs-normal <- edgeseries-dev-consumer",
        ],
        "databases": ["edgeseries-dev-db"],
        "queues": [
            f"edgeseries-dev-{queue}" for queue in ("dead-letters", "jobs-high", "jobs-low", "jobs-normal")
        ],
        "schedules": ["edgeseries-dev-janitor"],
        "workers": [f"edgeseries-dev-{function}" for function in ("consumer", "janitor", "router")],
    }
    (database,) = world.account.sql.values()
    assert database.execute("SELECT count(*) FROM d1_migrations").fetchone()[0] >= 1


@pytest.mark.parametrize("function", ["router", "consumer", "janitor"])
def test_what_is_uploaded_is_what_the_manifest_lists(world: World, function: str) -> None:
    path = ROOT / "tests" / "golden" / f"manifest.{function}.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    modules = world.account.modules(f"edgeseries-dev-{function}")
    own = {name: kind for name, (kind, _) in modules.items() if not name.startswith("python_modules/")}
    assert own == manifest["own"]
    assert sorted(modules.keys() - own.keys()) == sorted(
        [*manifest["vendored"], *manifest["vendored_javascript"]]
    )


def test_a_second_deployment_changes_nothing(world: World) -> None:
    assert world.changes("--stack", STACK) == {}


def test_after_a_refresh_there_is_nothing_to_change(world: World) -> None:
    world.pulumi("refresh", "--stack", STACK, "--yes", "--non-interactive", "--skip-preview")
    assert world.changes("--stack", STACK) == {}


def test_an_edited_function_changes_its_version_and_its_deployment(world: World) -> None:
    before = {name: world.account.version_count(f"edgeseries-dev-{name}") for name in ("router", "janitor")}
    with world.edited("functions/router/flow.py", "\n# Edited.\n"):
        assert world.changes("--stack", STACK) == {"replace": 2}
        world.make("deploy", STACK=STACK, FUNCTION="router")
        after = {name: world.account.version_count(f"edgeseries-dev-{name}") for name in before}
        assert after == {"router": before["router"] + 1, "janitor": before["janitor"]}
        assert world.changes("--stack", STACK) == {}


def test_the_kernel_is_uploaded_as_webassembly_byte_for_byte(world: World) -> None:
    modules = world.account.modules("edgeseries-dev-router")
    built = (ROOT / "functions" / "edgeseries" / "platform" / "kernel.wasm").read_bytes()
    assert modules["kernel.wasm"] == ("application/wasm", built)
    assert modules["kernel.mjs"][0] == "application/javascript+module"


@pytest.mark.parametrize("function", ["router", "consumer", "janitor"])
def test_wheels_are_uploaded_byte_for_byte(world: World, function: str) -> None:
    modules = world.account.modules(f"edgeseries-dev-{function}")
    for wheel in locked_wheels():
        for path, content in wheel.files().items():
            assert modules[f"python_modules/{path}"] == ("application/octet-stream", content)


def test_a_rollback_gives_all_traffic_to_what_ran_before(world: World) -> None:
    (now,) = world.account.running("edgeseries-dev-router")
    told = world.make("rollback", STACK=STACK, FUNCTION="router")
    (back,) = world.account.running("edgeseries-dev-router")
    assert now != back
    assert f"router: back to version {back}" in told


def test_a_deployment_that_fails_half_way_converges(world: World) -> None:
    with world.edited("functions/consumer/flow.py", "\n# Edited.\n"):
        trouble = Trouble(method="POST", path="edgeseries-dev-consumer/deployments")
        world.account.troubles.append(trouble)
        world.make("deploy", STACK=STACK, status=2)
        world.account.troubles.clear()
        world.make("deploy", STACK=STACK)
        assert world.changes("--stack", STACK) == {}


def test_a_migration_that_fails_half_way_is_one_sentence_and_can_be_mended(world: World) -> None:
    (database,) = world.account.sql.values()
    bad = "CREATE TABLE IF NOT EXISTS notes (text TEXT);\nCREATE TABLE IF NOT EXISTS worse (y NONSENSE(;\n"
    count = len(list((world.checkout / "migrations").glob("*.sql")))
    path = f"migrations/{count + 1:04}_notes.sql"
    with world.edited(path, bad, append=False):
        told = world.make("deploy", STACK=STACK, status=2)
    assert "D1 refuses it for database" in told
    assert 'File "' not in told, "a traceback stands around the sentence"
    tables = {row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert "notes" not in tables
    with world.edited(path, "CREATE TABLE IF NOT EXISTS notes (text TEXT);\n", append=False):
        world.make("deploy", STACK=STACK)
    tables = {row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert "notes" in tables


def test_secrets_stand_nowhere_in_clear(world: World) -> None:
    hold_secrets(world, STACK)
