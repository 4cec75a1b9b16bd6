"""Commands around the Pulumi program that are refused, or fail half-way: what they say and leave."""

from collections.abc import Mapping

import pytest

from delivery import smoke
from delivery.__main__ import main
from delivery.arguments import function_targets, with_what_is_new
from delivery.previews import variable_of
from local.graph import Graph
from stack.settings import SECRET_KEYS, SETTINGS
from tests.cloudflare_api import ACCOUNT, Account
from tests.fake_pulumi import FakePulumi, short, targets

V1, V2, V3 = (f"{digit * 8}-{digit * 4}-{digit * 4}-{digit * 4}-{digit * 12}" for digit in "123")
CONFIG = {"accountId": ACCOUNT, "upstreamUrl": "https://upstream.example.com"}
SECRETS = dict.fromkeys(SECRET_KEYS, "a secret")


REFUSED = [
    (
        ["rollback", "--stack", "prod", "--function", "router"],
        "edgeseries-prod-router has never run: make deploy STACK=prod",
    ),
    (
        ["rollback", "--stack", "prod", "--version", V1],
        f"a version belongs to one function; name it: make rollback STACK=prod FUNCTION=router VERSION={V1}",
    ),
    (["rollback", "--stack", "prod"], "this checkout has deployed nothing to prod that could be undone"),
    (["rollback", "--stack", "prod", "--function", "cleaner"], "FUNCTION= is one of router"),
    (["deploy", "--stack", "prod", "--function", "cleaner"], "FUNCTION= is one of router, consumer, janitor"),
    (["deploy", "--stack", "gone"], "pulumi stack ended with status 255"),
    (["deploy"], "say which one: make deploy STACK=prod"),
    (["configure"], "say which one: make configure STACK=prod"),
    (["preview"], "say which one: make preview PR=12"),
    (["preview", "--pr", "0"], "0 is not the number of a pull request"),
]


@pytest.mark.parametrize(("words", "expected"), REFUSED, ids=[text for _, text in REFUSED])
def test_what_cannot_be_done_is_said_and_nothing_is_changed(
    fake: FakePulumi, account: Account, capsys: pytest.CaptureFixture[str], words: list[str], expected: str
) -> None:
    before = fake.config("prod")
    assert main(words) == 1
    told = capsys.readouterr().err
    assert f"make {words[0]}: " in told
    assert expected in told
    assert fake.config("prod") == before
    assert fake.calls("up") == []
    assert account.databases == {}


def test_a_part_of_a_stack_that_was_never_deployed_is_refused(
    fake: FakePulumi, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """The engine itself refuses such a list of targets, but only half-way through it."""
    fake.has([])
    for words in (
        ["deploy", "--function", "router"],
        ["promote"],
        ["rollback", "--function", "router", "--version", V1],
    ):
        assert main([words[0], "--stack", "prod", *words[1:], "--yes"]) == 1
        assert "prod has not been deployed as a whole yet: make deploy STACK=prod" in capsys.readouterr().err
    assert (fake.calls("up"), account.deployments) == ([], {})


def test_what_is_new_and_shared_goes_with_the_function_that_needs_it(
    fake: FakePulumi, account: Account, graphs: Mapping[str, Graph]
) -> None:
    account.deploy("edgeseries-prod-router", (V1, 100))
    urns = {resource.urn for resource in graphs["prod"].resources}
    fake.has(urn for urn in urns if "jobs-low" not in urn)
    assert main(["deploy", "--stack", "prod", "--function", "router", "--yes"]) == 0
    shared = {short(urn) for urn in targets(fake)} - {
        short(urn) for urn in function_targets(graphs["prod"], "router")
    }
    assert shared == {"Queue jobs-low"}


def test_needs_are_followed_through_what_is_new_alone(graphs: Mapping[str, Graph]) -> None:
    prod = graphs["prod"]
    urns = {resource.urn for resource in prod.resources}
    own = function_targets(prod, "router")
    assert with_what_is_new(prod, own, urns) == own
    nothing = {short(urn) for urn in with_what_is_new(prod, own, ())} - {short(urn) for urn in own}
    assert nothing == {
        "Storage storage",
        "R2Bucket cache",
        "D1Database db",
        "Queues queues",
        "Queue jobs-high",
        "Queue jobs-normal",
        "Queue jobs-low",
    }


def test_the_advice_of_a_rollback_is_a_command_that_is_taken(
    fake: FakePulumi, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    account.deploy("edgeseries-prod-router", (V1, 100))
    assert main(["rollback", "--stack", "prod", "--function", "router", "--yes"]) == 1
    told = capsys.readouterr().err
    assert "has run no other version in its last 10 deployments" in told
    assert "make rollback STACK=prod FUNCTION=router VERSION=<id>" in told
    assert main(["rollback", "--stack", "prod", "--function", "router", "--version", V2, "--yes"]) == 0
    assert fake.config("prod")["pinnedVersions"] == f"router={V2}"


def test_a_deployment_that_fails_half_way_leaves_no_canary(
    fake: FakePulumi, account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stand-in for Pulumi fails the first `up`, when the canary of the router runs already."""
    for function in ("router", "consumer", "janitor"):
        account.deploy(f"edgeseries-prod-{function}", (V1, 100))
    account.deploy("edgeseries-prod-router", (V1, 90), (V2, 10))
    monkeypatch.setenv("FAKE_PULUMI_STATUS", "255 0")
    assert main(["deploy", "--stack", "prod", "--yes"]) == 1
    assert "pulumi up ended with status 255" in capsys.readouterr().err
    (_, undone) = fake.calls("up")
    assert [short(urn) for urn in undone if urn.startswith("urn:")] == ["WorkersDeployment router"]
    assert fake.config("prod")["pinnedVersions"] == f"router={V1}"


def test_a_canary_that_cannot_be_ended_is_told(
    fake: FakePulumi, account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account.deploy("edgeseries-prod-router", (V1, 100))
    account.deploy("edgeseries-prod-router", (V1, 90), (V2, 10))
    monkeypatch.setenv("FAKE_PULUMI_STATUS", "255")
    assert main(["deploy", "--stack", "prod", "--yes"]) == 1
    assert len(fake.calls("up")) == 2
    told = capsys.readouterr().err
    assert "a part of the traffic still goes to the new version of router" in told
    assert "make rollback STACK=prod" in told


@pytest.mark.parametrize("command", ["smoke", "preview"])
def test_a_stack_without_outputs_is_told_so(
    fake: FakePulumi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    fake.output()
    for setting in SETTINGS:
        if setting.required:
            monkeypatch.setenv(variable_of(setting.key), "x")
    asked = smoke.main(["--stack", "prod"]) if command == "smoke" else main(["preview", "--pr", "3"])
    assert asked == 1
    assert "has not been deployed as a whole yet: make deploy STACK=" in capsys.readouterr().err


def test_wrong_settings_are_told_before_anything_is_changed(
    fake: FakePulumi, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.add("prod", {**CONFIG, "settleLagMinutes": "x"}, {})
    assert main(["deploy", "--stack", "prod", "--yes"]) == 1
    told = capsys.readouterr().err
    assert "settleLagMinutes is 'x': set a whole number" in told
    assert "upstreamToken is missing" in told
    assert (fake.calls("up"), account.deployments) == ([], {})
