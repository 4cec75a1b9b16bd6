"""The workflows: pinned actions, least permissions, no input in a shell's text, and commands that exist."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from delivery.previews import variable_of
from run import TARGETS
from stack.settings import SETTINGS

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

GRANTED = {
    ("preview", "up", "pull-requests"): "write",
    ("sweep", "sweep", "pull-requests"): "read",
}
"""What a job may do beyond reading the code, each for a reason that its last step shows."""

PINNED = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}")


def load(path: Path) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true; GitHub does not.
    document: dict[Any, Any] = yaml.safe_load(path.read_text())
    return {"on" if key is True else key: value for key, value in document.items()}


def steps(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in document["jobs"].values():
        yield from job.get("steps", [])


def test_there_are_the_workflows_of_the_design() -> None:
    assert [path.stem for path in WORKFLOWS] == ["check", "deploy", "engine", "preview", "sweep"]


def test_the_parts_that_run_side_by_side_are_all_of_them() -> None:
    (check,) = (load(path)["jobs"]["check"] for path in WORKFLOWS if path.stem == "check")
    shards = check["strategy"]["matrix"]["shard"]
    assert shards == [f"{index}/{len(shards)}" for index in range(1, len(shards) + 1)]
    (run,) = (step for step in check["steps"] if "run" in step)
    assert run == {"run": ".ci/run", "env": {"SHARD": "${{ matrix.shard }}"}}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit_and_their_version_is_told(path: Path) -> None:
    for step in steps(load(path)):
        if "uses" in step:
            assert PINNED.fullmatch(step["uses"]), step["uses"]
    for line in path.read_text().splitlines():
        if "uses: " in line and "@" in line:
            assert re.search(r" # v\d+\.\d+\.\d+$", line), line


def test_an_action_has_one_version_everywhere() -> None:
    used = {step["uses"] for path in WORKFLOWS for step in steps(load(path)) if "uses" in step}
    assert len({use.partition("@")[0] for use in used}) == len(used)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_permissions_are_the_least(path: Path) -> None:
    document = load(path)
    assert document["permissions"] == {"contents": "read"}
    for name, job in document["jobs"].items():
        extra = {key: value for key, value in job.get("permissions", {}).items() if key != "contents"}
        assert extra == {
            key: value
            for (workflow, of_job, key), value in GRANTED.items()
            if (workflow, of_job) == (path.stem, name)
        }
        assert job.get("permissions", {"contents": "read"})["contents"] == "read"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_others_write_never_becomes_part_of_a_command(path: Path) -> None:
    for step in steps(load(path)):
        assert "${{" not in step.get("run", ""), step["run"]
        if "actions/checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_command_exists_and_every_job_ends(path: Path) -> None:
    document = load(path)
    for step in steps(document):
        named = set(re.findall(r"\bmake (?:-s )?([a-z-]+)", step.get("run", "")))
        assert named <= TARGETS.keys()
    for job in document["jobs"].values():
        assert "timeout-minutes" in job or "uses" in job
    assert "concurrency" in document


def test_secrets_are_for_jobs_that_no_fork_starts() -> None:
    for path in WORKFLOWS:
        document = load(path)
        for job in document["jobs"].values():
            if "secrets." not in str(job):
                continue
            assert "environment" in job
            if "pull_request" in document["on"]:
                assert "head.repo.full_name == github.repository" in job["if"]
    assert "pull_request_target" not in {event for path in WORKFLOWS for event in load(path)["on"]}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_secret_is_seen_only_by_the_step_that_needs_it(path: Path) -> None:
    """Never by a whole job: installing runs what others have written, with whatever is in its environment."""
    document = load(path)
    assert "env" not in document
    for job in document["jobs"].values():
        assert "secrets." not in str(job.get("env", {}))
    for step in steps(document):
        given = {name for name, text in step.get("env", {}).items() if "secrets." in text}
        assert "secrets." not in str({key: one for key, one in step.items() if key != "env"})
        wanted = set().union(*(NEEDED.get(target, set()) for target in commands_of(step)))
        assert given <= wanted, f"{path.stem}: {step['run']} does not need {given - wanted}"
        if "URL=" not in step.get("run", ""):
            assert {"CLOUDFLARE_API_TOKEN", "PULUMI_ACCESS_TOKEN"} & wanted <= given


def commands_of(step: dict[str, Any]) -> list[str]:
    return re.findall(r"\bmake (?:-s )?([a-z-]+)", step.get("run", ""))


STATE = {"PULUMI_ACCESS_TOKEN"}
PLATFORM = {*STATE, "CLOUDFLARE_API_TOKEN"}
SECRETS = {variable_of(setting.key) for setting in SETTINGS if setting.secret}
NEEDED = {
    "configure": STATE | SECRETS,
    "deploy": PLATFORM,
    "promote": PLATFORM,
    "rollback": PLATFORM,
    "smoke": {*STATE, "EDGESERIES_API_KEY"},
    "preview": PLATFORM | SECRETS,
    "preview-destroy": PLATFORM,
    "preview-sweep": PLATFORM,
}
"""Secrets by command. `make setup` is not among them."""


def test_a_deployment_that_goes_wrong_anywhere_is_undone() -> None:
    (deploy,) = (load(path) for path in WORKFLOWS if path.stem == "deploy")
    *_, last = deploy["jobs"]["deploy"]["steps"]
    assert last["run"].startswith("make rollback")
    assert last["if"].startswith("(failure() || cancelled()) && ")
    assert "steps.deploy.outcome" in last["if"]
    assert [one["id"] for one in steps(deploy) if "id" in one] == ["deploy"]


def test_production_is_checked_before_and_asked_after() -> None:
    (deploy,) = (load(path) for path in WORKFLOWS if path.stem == "deploy")
    assert deploy["jobs"]["deploy"]["needs"] == "check"
    assert deploy["on"] == {"push": {"branches": ["main"]}}
    commands = [step["run"] for step in deploy["jobs"]["deploy"]["steps"] if "run" in step]
    assert [command.split()[1] for command in commands] == [
        "setup",
        "configure",
        "deploy",
        "smoke",
        "promote",
        "rollback",
    ]
    (check,) = (load(path) for path in WORKFLOWS if path.stem == "check")
    assert [step["run"] for step in steps(check) if "run" in step] == [".ci/run", "make kernel CHECK=1"]


def test_a_preview_lives_as_long_as_its_pull_request() -> None:
    (preview,) = (load(path) for path in WORKFLOWS if path.stem == "preview")
    assert set(preview["on"]["pull_request"]["types"]) == {"opened", "reopened", "synchronize", "closed"}
    assert preview["concurrency"]["cancel-in-progress"] is False
    assert "github.event.action == 'closed'" in preview["jobs"]["destroy"]["if"]
    assert "github.event.action != 'closed'" in preview["jobs"]["up"]["if"]


@pytest.mark.parametrize(("workflow", "job"), [("deploy", "deploy"), ("preview", "up")])
def test_a_job_that_makes_a_stack_has_every_required_setting(workflow: str, job: str) -> None:
    (document,) = (load(path) for path in WORKFLOWS if path.stem == workflow)
    wanted = {variable_of(setting.key) for setting in SETTINGS if setting.required}
    given = [
        step for step in document["jobs"][job]["steps"] if {"configure", "preview"} & {*commands_of(step)}
    ]
    assert len(given) == 1
    assert wanted <= given[0]["env"].keys()
