"""The first deployment in one command: what it looks at, asks for, refuses; it can be stopped anywhere.

Pulumi is a stand-in, the account the one of `make engine`. What comes after the deployment, the smoke test
and the first key, is shown by `make engine` with a real Pulumi engine and the running system.
"""

from collections.abc import Iterator

import pytest

from delivery import cloud
from delivery.__main__ import main
from delivery.questions import open_questions
from edgeseries.access.keys import hash_of
from local.admin_key import new_admin_key
from stack.settings import SECRET_KEYS
from tests.engine.cloud.account import Account
from tests.engine.cloud.server import serving
from tests.engine.cloud.tokens import policy
from tests.fake_pulumi import FakePulumi

ACCOUNT = "0123456789abcdef" * 2
TOKEN = "made-up-token-of-an-account"  # noqa: S105 - made up
ADMIN_KEY = new_admin_key()
GIVEN = {
    "CLOUDFLARE_API_TOKEN": TOKEN,
    "EDGESERIES_ACCOUNT_ID": ACCOUNT,
    "EDGESERIES_UPSTREAM_URL": "https://upstream.example.com",
    "EDGESERIES_UPSTREAM_TOKEN": "hunter2",
    "EDGESERIES_API_KEY": ADMIN_KEY,
}
WORDS = ["cloud", "--stack", "dev", "--yes"]
FAILS = "255"
"""The stand-in's `up` fails, so that nothing comes after it here."""


@pytest.fixture
def owned(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An empty account, and an environment with all that is to be told."""
    account = Account(id=ACCOUNT, token=TOKEN)
    for name, text in GIVEN.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("FAKE_PULUMI_STATUS", FAILS)
    monkeypatch.setenv("NO_PROXY", "*")
    with serving(account) as url:
        monkeypatch.setenv("CLOUDFLARE_BASE_URL", url)
        # What the command learns it puts into the environment, which must not outlive the test.
        monkeypatch.setenv("EDGESERIES_ADMIN_KEY_HASH", "")
        monkeypatch.delenv("EDGESERIES_ADMIN_KEY_HASH")
        yield account


def test_with_all_in_the_environment_nothing_is_asked(
    fake: FakePulumi, owned: Account, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(WORDS) == 1
    told = capfd.readouterr()
    assert "pulumi up ended with status 255" in told.err
    for permission in ("Workers Scripts: Edit", "Workers R2 Storage: Edit", "D1: Edit", "Queues: Edit"):
        assert f"ok   {permission}" in told.out
    assert fake.config("dev") == {
        "accountId": ACCOUNT,
        "upstreamUrl": "https://upstream.example.com",
        "upstreamToken": "hunter2",
        "adminKeyHash": hash_of(ADMIN_KEY),
    }
    assert fake.secret("dev", "upstreamToken")
    assert fake.calls("up") == [["--stack", "dev", "--yes", "--non-interactive"]]
    for secret in (TOKEN, "hunter2", ADMIN_KEY, hash_of(ADMIN_KEY)):
        assert secret not in told.out + told.err + str(fake.calls("config"))
    assert owned.changes() == []


def test_stopped_at_any_call_it_goes_on_from_there(
    fake: FakePulumi, owned: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One stack, stopped at its first call to Pulumi, then at its second, and so on until it is through."""
    for stop in range(1, 100):
        fake.forget_calls()
        monkeypatch.setenv("FAKE_PULUMI_DIES_AT", str(stop))
        assert main(WORDS) == 1
        if fake.call_count > stop or fake.calls("up"):
            break
        # What a person typed, and what only the stack's file still knows, is not asked for again.
        if "dev" in fake.stacks and {"upstreamToken", "adminKeyHash"} <= fake.config("dev").keys():
            monkeypatch.delenv("EDGESERIES_UPSTREAM_TOKEN", raising=False)
            monkeypatch.delenv("EDGESERIES_ADMIN_KEY_HASH", raising=False)
    assert stop > 8
    assert fake.calls("up")
    assert fake.config("dev")["upstreamToken"] == "hunter2"
    assert fake.config("dev")["adminKeyHash"] == hash_of(ADMIN_KEY)
    assert owned.changes() == []


def test_every_missing_permission_is_named_and_nothing_is_made(
    fake: FakePulumi, owned: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    owned.forbidden += ["d1", "queues"]
    assert main(WORDS) == 1
    told = capsys.readouterr()
    assert "  - D1: Edit: the token lacks this permission" in told.err
    assert "  - Queues: Edit: the token lacks this permission" in told.err
    assert "R2" not in told.err
    assert "ok   Workers R2 Storage: Edit" in told.out
    assert fake.stacks == ["prod"]
    assert owned.changes() == []


def test_a_token_that_may_only_read_is_found_by_its_own_list(
    fake: FakePulumi, owned: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    owned.token_of_account = True
    groups = ("Workers Scripts Write", "Workers R2 Storage Write", "D1 Read", "Queues Write")
    owned.policies = [policy(*groups, resource=f"com.cloudflare.api.account.{ACCOUNT}")]
    assert main(WORDS) == 1
    told = capsys.readouterr()
    assert told.err.count("\n  - ") == 1
    assert "  - D1: Edit: the token may read, and not edit" in told.err
    assert fake.stacks == ["prod"]


def test_what_the_account_lacks_is_told_with_where_to_get_it(
    owned: Account, fake: FakePulumi, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    owned.subdomain = None
    assert main(WORDS) == 1
    assert "workers.dev: the account has no name there yet" in capsys.readouterr().err
    monkeypatch.setenv("EDGESERIES_CUSTOM_DOMAIN", "telemetry.elsewhere.org")
    assert main(WORDS) == 1
    refused = capsys.readouterr().err
    assert "Zone: Read: the token sees no zone of telemetry.elsewhere.org" in refused
    assert "workers.dev" not in refused
    assert fake.stacks == ["prod"]
    owned.forbidden.append("queues")
    monkeypatch.setenv("EDGESERIES_CUSTOM_DOMAIN", "telemetry.example.com")
    assert main(WORDS) == 1
    told = capsys.readouterr()
    assert "ok   Workers Routes: Edit" in told.out
    assert told.err.count("\n  - ") == 1


@pytest.mark.parametrize(("name", "text", "expected"), [
    ("FAKE_PULUMI_VERSION", "v3.100.0", "pulumi is v3.100.0, and 3.270.0 or later is needed"),
    ("FAKE_PULUMI_BACKEND", "", "pulumi login --local"),
    ("FAKE_PULUMI_BACKEND", "file:///made/up", "export PULUMI_CONFIG_PASSPHRASE"),
    ("CLOUDFLARE_API_TOKEN", "", "export CLOUDFLARE_API_TOKEN"),
    ("CLOUDFLARE_API_TOKEN", "another", "token: Cloudflare does not know it"),
    ("EDGESERIES_API_KEY", "", "export EDGESERIES_API_KEY"),
    ("EDGESERIES_ACCOUNT_ID", "", "export EDGESERIES_ACCOUNT_ID"),
])  # fmt: skip
@pytest.mark.usefixtures("owned")
def test_what_is_missing_is_named_before_anything_is_made(  # noqa: PLR0917 - a table with three columns
    fake: FakePulumi,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: str,
    expected: str,
) -> None:
    monkeypatch.setenv(name, text)
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    assert main(WORDS) == 1
    assert expected in capsys.readouterr().err
    assert fake.stacks == ["prod"]


@pytest.mark.parametrize(("words", "expected"), [
    (["cloud"], "make cloud STACK=dev YES=1"),
    (["cloud", "--stack", "Dev", "--yes"], "stack name 'Dev' does not fit"),
])  # fmt: skip
@pytest.mark.usefixtures("owned", "fake")
def test_nobody_to_agree_and_a_name_that_does_not_fit(
    words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    assert expected in capsys.readouterr().err


ALL = (
    "CLOUDFLARE_API_TOKEN EDGESERIES_ACCOUNT_ID EDGESERIES_UPSTREAM_URL "
    "EDGESERIES_UPSTREAM_TOKEN EDGESERIES_API_KEY"
)
ASKED = [
    # The environment, what the stack's file has, whether it wants a passphrase: the variables asked for.
    ({}, (), False, ALL),
    ({}, ("accountId", "upstreamUrl", *SECRET_KEYS), False, "CLOUDFLARE_API_TOKEN EDGESERIES_API_KEY"),
    (GIVEN, (), False, ""),
    (GIVEN, (), True, "PULUMI_CONFIG_PASSPHRASE"),
    ({**GIVEN, "PULUMI_CONFIG_PASSPHRASE": ""}, (), True, ""),
    ({**GIVEN, "PULUMI_CONFIG_PASSPHRASE_FILE": "x"}, (), True, ""),
    ({**GIVEN, "EDGESERIES_API_KEY": "es_0_0"}, (), False, "EDGESERIES_API_KEY"),
    ({**GIVEN, "EDGESERIES_API_KEY": "es_0_0", "EDGESERIES_ADMIN_KEY_HASH": "0" * 64}, (), False, ""),
]  # fmt: skip


@pytest.mark.parametrize(("environment", "kept", "passphrase", "expected"), ASKED)
def test_only_what_nobody_has_said_is_asked_for(
    environment: dict[str, str],
    kept: tuple[str, ...],
    passphrase: bool,  # noqa: FBT001 - a column of the table
    expected: str,
) -> None:
    asked = open_questions(environment, kept, needs_passphrase=passphrase, is_new=True)
    assert [one.variable for one in asked] == expected.split()
    assert all(one.secret for one in asked if one.variable.endswith(("TOKEN", "KEY", "PASSPHRASE")))


@pytest.mark.parametrize(("told", "fault"), [
    ("v3.274.1\n", None),
    ("3.270.0", None),
    ("v4.0.0-alpha.1", None),
    ("v3.269.9", "pulumi is v3.269.9"),
    ("", "does not tell its version"),
])  # fmt: skip
def test_which_versions_of_pulumi_will_do(told: str, fault: str | None) -> None:
    said = cloud.pulumi_fault(told)
    assert said is None if fault is None else fault in str(said)
