"""Commands around the Pulumi program: what they tell it, over a stand-in, and what they ask the platform."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from delivery.__main__ import main
from delivery.arguments import deployment_targets, function_targets, orphans
from delivery.previews import variable_of
from delivery.running import earlier_version, stable_version
from local.graph import Graph
from stack.rollout import Share
from stack.settings import SECRET_KEYS, SETTINGS
from tests.cloudflare_api import ACCOUNT, Account
from tests.fake_pulumi import FakePulumi, short, targets

V1, V2, V3 = (f"{digit * 8}-{digit * 4}-{digit * 4}-{digit * 4}-{digit * 12}" for digit in "123")
CONFIG = {"accountId": ACCOUNT, "upstreamUrl": "https://upstream.example.com"}
SECRETS = dict.fromkeys(SECRET_KEYS, "a secret")


def test_the_exact_targets_of_one_function(graphs: Mapping[str, Graph]) -> None:
    prod = graphs["prod"]
    prefix = "urn:pulumi:prod::edgeseries::edgeseries:stack:Function"
    found = function_targets(prod, "router")
    assert {urn for urn in found if "::router" in urn} == {
        f"{prefix}::router",
        f"{prefix}$cloudflare:index/worker:Worker::router",
        f"{prefix}$cloudflare:index/workerVersion:WorkerVersion::router",
        f"{prefix}$cloudflare:index/workersDeployment:WorkersDeployment::router",
    }
    assert {short(urn) for urn in found} - {short(urn) for urn in found if "::router" in urn} == {"Schema db"}
    assert {short(urn) for urn in function_targets(prod, "janitor")} == {
        "Function janitor",
        "Worker janitor",
        "WorkerVersion janitor",
        "WorkersDeployment janitor",
        "WorkersCronTrigger janitor",
        "Schema db",
    }
    assert {short(urn) for urn in function_targets(prod, "consumer")} >= {
        "Consumers consumer",
        "QueueConsumer jobs-high",
        "QueueConsumer dead-letters",
        "WorkerVersion consumer",
    }
    assert [short(urn) for urn in deployment_targets(prod, ["router"])] == ["WorkersDeployment router"]


def test_the_functions_together_own_everything_but_what_is_shared(graphs: Mapping[str, Graph]) -> None:
    prod = graphs["prod"]
    owned = {
        urn for function in ("router", "consumer", "janitor") for urn in function_targets(prod, function)
    }
    left = {short(resource.urn) for resource in prod.resources if resource.urn not in owned}
    assert left == {
        "Storage storage",
        "R2Bucket cache",
        "R2BucketLifecycle cache",
        "D1Database db",
        "Queues queues",
        "Queue jobs-high",
        "Queue jobs-normal",
        "Queue jobs-low",
        "Queue dead-letters",
    }


def test_the_first_deployment_ships_everything_and_names_no_stable_version(
    fake: FakePulumi, account: Account
) -> None:
    assert main(["deploy", "--stack", "prod", "--yes"]) == 0
    assert fake.calls("up") == [["--stack", "prod", "--yes", "--non-interactive"]]
    assert "stableVersions" not in fake.config("prod")
    assert len(account.requests) >= 3


def test_one_function_is_shipped_beside_the_version_that_runs(fake: FakePulumi, account: Account) -> None:
    account.deploy("edgeseries-prod-router", (V1, 100))
    assert main(["deploy", "--stack", "prod", "--function", "router"]) == 0
    assert fake.config("prod")["stableVersions"] == f"router={V1}"
    assert "WorkerVersion router" in {short(urn) for urn in targets(fake)}
    assert not [urn for urn in targets(fake) if "::consumer" in urn or "::janitor" in urn]
    assert "--yes" not in fake.calls("up")[0]


def test_a_canary_that_is_deployed_anew_keeps_its_stable_version(fake: FakePulumi, account: Account) -> None:
    account.deploy("edgeseries-prod-router", (V1, 100))
    account.deploy("edgeseries-prod-router", (V1, 40), (V2, 60))
    assert main(["deploy", "--stack", "prod", "--function", "router", "--yes"]) == 0
    assert fake.config("prod")["stableVersions"] == f"router={V1}"


def test_promoting_lets_go_of_the_stable_version_and_makes_no_new_one(fake: FakePulumi) -> None:
    fake.add("prod", {**CONFIG, "stableVersions": f"janitor={V3},router={V1}"}, SECRETS)
    assert main(["promote", "--stack", "prod", "--function", "router", "--yes"]) == 0
    assert fake.config("prod")["stableVersions"] == f"janitor={V3}"
    assert [short(urn) for urn in targets(fake)] == ["WorkersDeployment router"]
    assert main(["promote", "--stack", "prod", "--yes"]) == 0
    assert "stableVersions" not in fake.config("prod")


def test_promoting_that_fails_leaves_what_a_rollback_needs(
    fake: FakePulumi, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.add("prod", {**CONFIG, "stableVersions": f"janitor={V3},router={V1}"}, SECRETS)
    monkeypatch.setenv("FAKE_PULUMI_STATUS", "255 0")
    assert main(["promote", "--stack", "prod", "--yes"]) == 1
    assert fake.config("prod")["stableVersions"] == f"janitor={V3},router={V1}"
    assert main(["rollback", "--stack", "prod", "--yes"]) == 0
    assert fake.config("prod")["pinnedVersions"] == f"janitor={V3},router={V1}"


HISTORIES = [
    # Oldest first; the stable version that a new one would run beside, and the one to go back to.
    ([], None, None),
    ([[(V1, 100)]], V1, None),
    ([[(V1, 100)], [(V2, 100)]], V2, V1),
    ([[(V1, 100)], [(V1, 90), (V2, 10)]], V1, V1),
    ([[(V1, 100)], [(V1, 10), (V2, 90)]], V1, V1),
    ([[(V1, 100)], [(V1, 90), (V2, 10)], [(V2, 100)]], V2, V1),
    ([[(V1, 100)], [(V2, 100)], [(V2, 100)]], V2, V1),
    ([[(V1, 100)], [(V2, 100)], [(V1, 100)]], V1, V2),
    ([[(V1, 100)], [(V2, 100)], [(V2, 50), (V3, 50)]], V2, V2),
]


@pytest.mark.parametrize(("history", "stable", "earlier"), HISTORIES)
def test_what_ran_before_is_read_from_the_deployments(
    history: list[list[tuple[str, int]]], stable: str | None, earlier: str | None
) -> None:
    deployments = [
        tuple(Share(version_id=version, percent=percent) for version, percent in deployment)
        for deployment in reversed(history)
    ]
    assert stable_version(deployments) == stable
    assert earlier_version(deployments) == earlier


def test_rolling_back_pins_what_ran_before(fake: FakePulumi, account: Account) -> None:
    account.deploy("edgeseries-prod-router", (V1, 100))
    account.deploy("edgeseries-prod-router", (V2, 100))
    assert main(["rollback", "--stack", "prod", "--function", "router", "--yes"]) == 0
    assert fake.config("prod")["pinnedVersions"] == f"router={V1}"
    assert [short(urn) for urn in targets(fake)] == ["WorkersDeployment router"]


def test_undoing_a_deployment_leaves_the_functions_that_it_did_not_change(
    fake: FakePulumi, account: Account
) -> None:
    for history in ([(V1, 100)], [(V2, 100)]):
        for function in ("router", "consumer", "janitor"):
            account.deploy(f"edgeseries-prod-{function}", *history)
    assert main(["deploy", "--stack", "prod", "--yes"]) == 0
    account.deploy("edgeseries-prod-router", (V3, 100))
    assert main(["rollback", "--stack", "prod", "--yes"]) == 0
    assert fake.config("prod")["pinnedVersions"] == f"consumer={V2},janitor={V2},router={V2}"
    (_, words) = fake.calls("up")
    assert sorted(short(urn) for urn in words if urn.startswith("urn:")) == [
        "WorkersDeployment consumer",
        "WorkersDeployment janitor",
        "WorkersDeployment router",
    ]


def test_the_next_deployment_lifts_a_rollback(fake: FakePulumi, account: Account) -> None:
    fake.add("prod", {**CONFIG, "pinnedVersions": f"janitor={V3},router={V1}"}, SECRETS)
    account.deploy("edgeseries-prod-router", (V1, 100))
    assert main(["deploy", "--stack", "prod", "--function", "router", "--yes"]) == 0
    assert fake.config("prod")["pinnedVersions"] == f"janitor={V3}"
    assert fake.config("prod")["stableVersions"] == f"router={V1}"


@pytest.mark.usefixtures("account")
def test_a_version_may_be_named(fake: FakePulumi) -> None:
    words = ["rollback", "--stack", "prod", "--function", "router", "--version", V3, "--yes"]
    assert main(words) == 0
    assert fake.config("prod")["pinnedVersions"] == f"router={V3}"


@pytest.mark.usefixtures("fake")
def test_a_failing_update_is_a_failing_command(
    account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAKE_PULUMI_STATUS", "3")
    assert main(["deploy", "--stack", "prod", "--yes"]) == 1
    assert "pulumi up ended with status 3" in capsys.readouterr().err
    assert account.deployments == {}


def test_without_a_token_nothing_is_asked(
    fake: FakePulumi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN", raising=False)
    assert main(["deploy", "--stack", "prod", "--yes"]) == 1
    assert "CLOUDFLARE_API_TOKEN is not set: export" in capsys.readouterr().err
    assert fake.calls("up") == []


@pytest.mark.parametrize(
    "words",
    [["deploy", "--stack", "prod"], ["preview", "--pr", "12"], ["preview-destroy", "--pr", "12"]],
)
def test_without_pulumi_its_installation_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for setting in SETTINGS:
        if setting.required:
            monkeypatch.setenv(variable_of(setting.key), "x")
    assert main(words) == 1
    assert "https://www.pulumi.com/docs/install" in capsys.readouterr().err


def test_a_preview_takes_its_settings_from_the_environment(
    fake: FakePulumi, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["preview", "--pr", "12"]) == 1
    told = capfd.readouterr().err
    assert "export EDGESERIES_ACCOUNT_ID, EDGESERIES_UPSTREAM_URL, EDGESERIES_UPSTREAM_TOKEN, " in told
    assert "EDGESERIES_ADMIN_KEY_HASH" in told
    monkeypatch.setenv("EDGESERIES_ACCOUNT_ID", ACCOUNT)
    monkeypatch.setenv("EDGESERIES_UPSTREAM_URL", "https://upstream.example.com")
    monkeypatch.setenv("EDGESERIES_UPSTREAM_TOKEN", "hunter2")
    monkeypatch.setenv("EDGESERIES_ADMIN_KEY_HASH", "ab12")
    monkeypatch.setenv("EDGESERIES_SETTLE_LAG_MINUTES", "5")
    fake.output(routerUrl="https://pr-12.example")
    assert main(["preview", "--pr", "12"]) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "https://pr-12.example"
    secrets = {"upstreamToken": "hunter2", "adminKeyHash": "ab12"}
    assert fake.config("pr-12") == {**CONFIG, **secrets, "settleLagMinutes": "5"}
    assert fake.secret("pr-12", "upstreamToken")
    assert "hunter2" not in str(fake.calls("config"))
    assert fake.calls("up") == [["--stack", "pr-12", "--yes", "--non-interactive"]]
    assert main(["preview-destroy", "--pr", "12"]) == 0
    assert fake.stacks == ["prod"]
    assert main(["preview-destroy", "--pr", "12"]) == 0
    assert len(fake.calls("destroy")) == 1


def test_orphans_are_swept_and_nothing_else(fake: FakePulumi) -> None:
    for stack in ("pr-1", "pr-2", "pr-30", "dev", "pr-x"):
        fake.add(stack, {}, {})
    assert main(["preview-sweep", "--open", "2", "5"]) == 0
    assert fake.stacks == ["dev", "pr-2", "pr-x", "prod"]


@pytest.mark.parametrize(
    ("stacks", "open_numbers", "expected"),
    [
        ([], [], []),
        (["dev", "prod", "pr-1"], [1], []),
        (["org/edgeseries/pr-7", "org/pr-10", "pr-9"], [9], ["pr-7", "pr-10"]),
        (["pr-07", "apr-7", "pr-7-x"], [], []),
    ],
)
def test_which_previews_are_orphans(stacks: list[str], open_numbers: list[int], expected: list[str]) -> None:
    assert orphans(stacks, open_numbers) == expected
