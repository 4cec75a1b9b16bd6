"""What answers of Cloudflare's API say about a token's permissions."""

import tomllib
from pathlib import Path

import pytest

from delivery import cloud, permissions
from delivery.permissions import Answer, Finding
from tests.engine.cloud.tokens import policy

ACCOUNT = "0123456789abcdef" * 2
OF_ACCOUNT = f"com.cloudflare.api.account.{ACCOUNT}"
D1 = next(one for one in permissions.ACCOUNT_NEEDS if one.permission == "D1: Edit")
HELD = frozenset({"D1: Edit"})

FINDINGS = [
    (Answer(status=200, result=[]), None, True, "may read"),
    (Answer(status=200, result=[]), HELD, True, "granted"),
    (Answer(status=200, result=[]), frozenset({"D1: Read"}), False, "may read, and not edit"),
    (Answer(status=403, codes=frozenset({10000})), None, False, "lacks this permission"),
    (Answer(status=401), HELD, False, "lacks this permission"),
    (Answer(status=400, codes=frozenset({7403})), None, False, "lacks this permission"),
    (Answer(status=403, codes=frozenset({10042})), HELD, False, "R2 is not switched on"),
    (Answer(status=400, codes=frozenset({100129})), None, False, "Workers Paid plan"),
    (Answer(status=500, message="An unknown error"), HELD, False, "cannot be asked for: An unknown error"),
    (Answer(status=permissions.UNREACHABLE, message="refused"), None, False, "cannot be asked for: refused"),
]


@pytest.mark.parametrize(("answer", "grants", "good", "text"), FINDINGS)
def test_what_an_answer_says(
    answer: Answer,
    grants: frozenset[str] | None,
    good: bool,  # noqa: FBT001 - a column of the table
    text: str,
) -> None:
    found = permissions.finding(D1, answer, grants)
    assert (found.name, found.good) == ("D1: Edit", good)
    assert text in found.text


GRANTS = [
    ([policy("D1 Write", resource=OF_ACCOUNT)], {"D1: Edit", "D1: Read"}),
    ([policy("D1 Edit", resource="com.cloudflare.api.account.*")], {"D1: Edit", "D1: Read"}),
    ([policy("D1 Read", resource=OF_ACCOUNT)], {"D1: Read"}),
    ([policy("D1 Write", resource="com.cloudflare.api.account.another")], set()),
    ([policy("Zone Read", resource="com.cloudflare.api.account.zone.*")], {"Zone: Read"}),
    (
        [
            policy("D1 Write", resource=OF_ACCOUNT),
            {**policy("D1 Write", resource=OF_ACCOUNT), "effect": "deny"},
        ],
        set(),
    ),
    ([{"effect": "allow", "permission_groups": None, "resources": None}], set()),
]


@pytest.mark.parametrize(("policies", "expected"), GRANTS)
def test_what_a_list_of_permissions_grants(policies: list[dict[str, object]], expected: set[str]) -> None:
    assert permissions.granted(policies, ACCOUNT) == expected


TOKENS = [
    (Answer(status=200, result={"status": "active"}), True, "active"),
    (Answer(status=200, result={"status": "active", "expires_on": "2027-01-01"}), True, "until 2027-01-01"),
    (Answer(status=200, result={"status": "expired"}), False, "it is expired"),
    (Answer(status=401, message="Invalid API Token"), False, "does not know it (Invalid API Token)"),
    (Answer(status=permissions.UNREACHABLE, message="no route"), False, "cannot be reached: no route"),
]


@pytest.mark.parametrize(("answer", "good", "text"), TOKENS)
def test_what_is_said_of_the_token(
    answer: Answer,
    good: bool,  # noqa: FBT001 - a column of the table
    text: str,
) -> None:
    found = permissions.token_finding(answer)
    assert found.good == good
    assert text in found.text


def test_a_zone_is_looked_for_by_every_name_that_it_may_have() -> None:
    assert permissions.zone_names("a.b.example.com") == ("a.b.example.com", "b.example.com", "example.com")


def test_the_advice_lists_what_is_wrong_alone() -> None:
    good, bad = (Finding(name=name, good=name == "x", text="t") for name in "xy")
    assert permissions.advice([good]) == ""
    assert "- y: t" in permissions.advice([good, bad])
    assert "- x" not in permissions.advice([good, bad])


def test_the_needed_permissions_are_those_of_the_guide() -> None:
    text = " ".join(Path("docs/deploy.md").read_text(encoding="utf-8").split())
    needs = (*permissions.ACCOUNT_NEEDS, permissions.ZONE, permissions.ROUTES)
    assert [one.permission for one in needs if f"*{one.permission}*" not in text] == []


def test_the_oldest_pulumi_is_that_of_the_packages() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    (pulumi,) = [one for one in project["dependencies"] if one.startswith("pulumi>")]
    assert pulumi.startswith(f"pulumi>={'.'.join(map(str, cloud.OLDEST_PULUMI[:2]))},")
