"""Rollout: which versions answer, and that a change of one function changes that function alone."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from local.capture import capture_graph
from local.graph import Graph
from stack import wiring
from stack.rollout import Share, shares

ROOT = Path(__file__).resolve().parents[2]
OLD, OLDER = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


@pytest.mark.parametrize(
    ("stable", "pinned", "canary", "expected"),
    [
        (None, None, 100, [("new", 100)]),
        (None, None, 10, [("new", 100)]),
        ("old", None, 10, [("old", 90), ("new", 10)]),
        ("old", None, 99, [("old", 1), ("new", 99)]),
        ("old", None, 100, [("new", 100)]),
        ("new", None, 10, [("new", 100)]),
        ("old", "older", 10, [("older", 100)]),
        (None, "older", 100, [("older", 100)]),
    ],
)
def test_the_rule(
    stable: str | None, pinned: str | None, canary: int, expected: list[tuple[str, int]]
) -> None:
    made = shares(new_version="new", stable_version=stable, pinned_version=pinned, canary_percent=canary)
    assert made == tuple(Share(version_id=version, percent=percent) for version, percent in expected)
    assert sum(share.percent for share in made) == 100


def deployed(graph: Graph) -> dict[str, list[tuple[str, int]]]:
    return {
        deployment.name: [(one["versionId"], one["percentage"]) for one in deployment.inputs["versions"]]
        for deployment in graph.of_type("WorkersDeployment")
    }


def test_a_canary_splits_the_function_that_has_a_stable_version(
    config: Mapping[str, str], secrets: Mapping[str, str]
) -> None:
    more = {"canaryPercent": "10", "stableVersions": f"router={OLD}", "pinnedVersions": f"janitor={OLDER}"}
    graph = capture_graph(stack="prod", config={**config, **more}, secrets=secrets)
    assert deployed(graph) == {
        "router": [(OLD, 90), ("workerversion-router", 10)],
        "consumer": [("workerversion-consumer", 100)],
        "janitor": [(OLDER, 100)],
    }


def test_a_replaced_version_stays_to_be_rolled_back_to(dev_graph: Graph) -> None:
    """And the deployments stay from which it is read what ran before."""
    retained = {resource.key for resource in dev_graph.resources if resource.retain}
    kinds = ("WorkerVersion", "WorkersDeployment")
    assert retained == {resource.key for kind in kinds for resource in dev_graph.of_type(kind)}


PROGRAM = """
from pathlib import Path

import pulumi

from stack.program import build, read_settings

for name, value in build(read_settings(), functions_dir=Path({functions!r})).items():
    pulumi.export(name, value)
"""


def graph_with(folder: Path, config: Mapping[str, str], secrets: Mapping[str, str], edit: str) -> Graph:
    """The graph of the real program over a copy of the functions, one file of which has a remark more."""
    shutil.copytree(
        ROOT / "functions", folder / "functions", ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    if edit:
        file = folder / "functions" / edit
        file.write_text(file.read_text(encoding="utf-8") + "# A remark.\n", encoding="utf-8")
    program = folder / "program"
    program.mkdir()
    (program / "__main__.py").write_text(PROGRAM.format(functions=str(folder / "functions")))
    return capture_graph(stack="dev", config=config, secrets=secrets, program_dir=program)


def changed_by(
    folder: Path, graph: Graph, edit: str, config: Mapping[str, str], secrets: Mapping[str, str]
) -> set[str]:
    """Keys of the resources whose inputs differ from those of the graph once the file has been edited."""
    before = {resource.key: resource for resource in graph.resources}
    after = graph_with(folder, config, secrets, edit)
    assert {resource.key for resource in after.resources} == set(before)
    return {one.key for one in after.resources if one.inputs != before[one.key].inputs}


VERSION = "cloudflare:index/workerVersion:WorkerVersion"


@pytest.mark.parametrize("function", wiring.FUNCTIONS)
def test_a_change_of_one_function_makes_a_version_of_that_worker_only(
    tmp_path: Path, dev_graph: Graph, config: Mapping[str, str], secrets: Mapping[str, str], function: str
) -> None:
    differing = changed_by(tmp_path, dev_graph, f"{function}/flow.py", config, secrets)
    assert differing == {f"{VERSION}::{function}"}


def test_a_change_of_nothing_makes_no_version(
    tmp_path: Path, dev_graph: Graph, config: Mapping[str, str], secrets: Mapping[str, str]
) -> None:
    assert changed_by(tmp_path, dev_graph, "", config, secrets) == set()


def test_a_change_of_what_is_shared_reaches_whoever_has_it(
    tmp_path: Path, dev_graph: Graph, config: Mapping[str, str], secrets: Mapping[str, str]
) -> None:
    shared = "edgeseries/platform/d1.py"
    holders = {
        version.key
        for version in dev_graph.of_type("WorkerVersion")
        if shared in {module["name"] for module in version.inputs["modules"]}
    }
    assert holders
    assert changed_by(tmp_path, dev_graph, shared, config, secrets) == holders
