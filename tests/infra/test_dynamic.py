"""Schema and emptied bucket, by Pulumi's real Python plugin and Cloudflare's real SDK, over real HTTP.

The plugin runs as Pulumi starts it: by the Python of the virtual environment that Pulumi.yaml names, in
the program's folder, with nothing of ours in its environment. It gets the very inputs that the program
registers, the serialised provider among them.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from local.capture import capture_graph
from local.graph import Graph
from tests.cloudflare_api import ACCOUNT, TOKEN, Account, running

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "d1database-db"
BUCKET = "edgeseries-pr-1-cache"


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with running() as served:
        yield served


PYTHON_OF_VENV = Path(*(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))


def started_in() -> tuple[Path, Path]:
    """The folder and the Python of Pulumi's own start script, `pulumi-resource-pulumi-python`.

    The engine starts it in the program's folder, and it looks for the virtual environment from there. The
    language host looks for it from the folder of Pulumi.yaml.
    """
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    folder = ROOT / project.get("main", "")
    return folder, folder / project["runtime"]["options"]["virtualenv"] / PYTHON_OF_VENV


def test_the_language_host_and_the_plugin_find_the_same_python() -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    _, python = started_in()
    assert python.is_file(), f"there is no {python}: make setup"
    assert python == ROOT / project["runtime"]["options"]["virtualenv"] / PYTHON_OF_VENV


@pytest.fixture(scope="module")
def plugin(account: Account) -> Iterator[provider_pb2_grpc.ResourceProviderStub]:
    environment = {
        **{name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "HTTP_PROXY"}},
        "CLOUDFLARE_BASE_URL": account.url,
        "CLOUDFLARE_API_TOKEN": TOKEN,
        "NO_PROXY": "*",
    }
    folder, python = started_in()
    command = [str(python), "-W", "ignore", "-u", "-m", "pulumi.dynamic", "127.0.0.1:1"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield provider_pb2_grpc.ResourceProviderStub(channel)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def preview(secrets: Mapping[str, str]) -> Graph:
    config = {"accountId": ACCOUNT, "upstreamUrl": "https://upstream.example.com"}
    return capture_graph(stack="pr-1", config=config, secrets=secrets)


def inputs(graph: Graph, kind: str, **changes: Any) -> struct_pb2.Struct:
    (resource,) = graph.of_type(kind)
    props = struct_pb2.Struct()
    props.update({**resource.inputs, **changes})
    return props


def create(plugin: Any, props: struct_pb2.Struct) -> Any:
    return plugin.Create(provider_pb2.CreateRequest(urn="urn:pulumi:a::b::c::d", properties=props))


def tables(account: Account) -> set[str]:
    rows = account.database(DATABASE).execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return {row[0] for row in rows}


@pytest.fixture
def database(account: Account) -> Any:
    account.databases.pop(DATABASE, None)
    return account.database(DATABASE)


def test_the_schema_is_applied_once_and_its_update_adds(
    plugin: Any, account: Account, database: Any, preview: Graph
) -> None:
    props = inputs(preview, "Schema")
    made = create(plugin, props)
    assert made.id == DATABASE
    assert {"queue_jobs", "cache_metadata", "d1_migrations"} <= tables(account)
    applied = [tuple(row) for row in database.execute("SELECT id, name FROM d1_migrations")]
    assert applied == [(1, "0001_initial.sql")]

    sql = "ALTER TABLE queue_jobs ADD COLUMN note TEXT;\n"
    (resource,) = preview.of_type("Schema")
    migrations = [*resource.inputs["migrations"], {"version": 2, "name": "0002_note.sql", "sql": sql}]
    newer = inputs(preview, "Schema", migrations=migrations, digest="another")
    request = provider_pb2.UpdateRequest(id=made.id, olds=props, news=newer)
    for _ in range(2):  # The second time there is nothing left to do.
        plugin.Update(request)
    assert [row[0] for row in database.execute("SELECT name FROM d1_migrations")] == [
        "0001_initial.sql",
        "0002_note.sql",
    ]
    assert "note" in {row[1] for row in database.execute("PRAGMA table_info(queue_jobs)")}


@pytest.mark.parametrize(
    ("changes", "differs", "replaces"),
    [
        ({}, False, []),
        ({"digest": "another"}, True, []),
        ({"databaseId": "another"}, True, ["databaseId"]),
    ],
)
def test_the_digest_decides_whether_anything_is_done(
    plugin: Any, preview: Graph, *, changes: dict[str, Any], differs: bool, replaces: list[str]
) -> None:
    request = provider_pb2.DiffRequest(
        id="x", olds=inputs(preview, "Schema"), news=inputs(preview, "Schema", **changes)
    )
    told = plugin.Diff(request)
    assert told.changes == (
        provider_pb2.DiffResponse.DIFF_SOME if differs else provider_pb2.DiffResponse.DIFF_NONE
    )
    assert list(told.replaces) == replaces


def test_what_d1_refuses_is_told_and_nothing_of_it_stays(
    plugin: Any, account: Account, database: Any, preview: Graph
) -> None:
    sql = "CREATE TABLE IF NOT EXISTS good (x);\nCREATE TABLE IF NOT EXISTS bad (y NONSENSE(;\n"
    migrations = [{"version": 1, "name": "0001_bad.sql", "sql": sql}]
    with pytest.raises(grpc.RpcError) as told:
        create(plugin, inputs(preview, "Schema", migrations=migrations))
    # The sentence, not the way that it came: no frame of a traceback, no cause.
    (sentence,) = told.value.details().splitlines()
    assert sentence.startswith("stack.schema.SchemaFault: 0001_bad.sql: D1 refuses it for database")
    assert tables(account) == {"d1_migrations", "sqlite_sequence"}
    assert database.execute("SELECT count(*) FROM d1_migrations").fetchone()[0] == 0


@pytest.mark.usefixtures("database")
def test_an_edited_migration_is_refused(plugin: Any, account: Account, preview: Graph) -> None:
    create(plugin, inputs(preview, "Schema"))
    (resource,) = preview.of_type("Schema")
    (first,) = resource.inputs["migrations"]
    edited = [{**first, "sql": first["sql"] + "-- changed\n"}]
    before = tables(account)
    with pytest.raises(grpc.RpcError, match=r"0001_initial\.sql was edited after it had been applied"):
        create(plugin, inputs(preview, "Schema", migrations=edited))
    assert tables(account) == before


def test_what_wrangler_has_applied_is_not_applied_again(
    plugin: Any, account: Account, database: Any, preview: Graph
) -> None:
    database.execute(
        "CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, "
        "applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)"
    )
    database.execute("INSERT INTO d1_migrations (name) VALUES ('0001_initial.sql')")
    create(plugin, inputs(preview, "Schema"))
    assert tables(account) == {"d1_migrations", "sqlite_sequence"}


def test_a_preview_that_goes_takes_its_objects_along(plugin: Any, account: Account, preview: Graph) -> None:
    keys = ["answers/v1/a", "blocks/v1/site/0a/2015-03", "blocks/v1/a site %2F?#/0b/2015-03", "odd key", "é"]
    account.buckets[BUCKET] = dict.fromkeys(keys, b"x")
    props = inputs(preview, "EmptiedBucket")
    made = create(plugin, props)
    assert set(account.buckets[BUCKET]) == set(keys)
    request = provider_pb2.DeleteRequest(id=made.id, properties=props)
    plugin.Delete(request)
    assert account.buckets[BUCKET] == {}
    del account.buckets[BUCKET]
    plugin.Delete(request)


def test_no_state_holds_the_token(preview: Graph) -> None:
    """Nor a path of this machine: the provider is named, not carried."""
    for kind in ("Schema", "EmptiedBucket"):
        (resource,) = preview.of_type(kind)
        assert TOKEN not in str(resource.inputs)
        assert str(ROOT) not in str(resource.inputs)
        assert ("__provider",) in resource.secret_paths


def test_only_previews_are_emptied(graphs: Mapping[str, Graph]) -> None:
    assert {stack: len(graph.of_type("EmptiedBucket")) for stack, graph in graphs.items()} == {
        "dev": 0,
        "prod": 0,
        "pr-1": 1,
    }


def test_no_code_runs_before_the_schema_is_there(graphs: Mapping[str, Graph]) -> None:
    for graph in graphs.values():
        (schema,) = graph.of_type("Schema")
        assert all(schema.key in version.depends_on for version in graph.of_type("WorkerVersion"))
