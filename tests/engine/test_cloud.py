"""The first deployment in one command: a person is asked, stops it at every step, and it goes on."""

import json

from edgeseries.access.keys import hash_of
from local.stack import Stack
from tests.engine.cloud.account import Account
from tests.engine.cloud.tokens import policy
from tests.engine.conftest import ACCOUNT, PASSPHRASE, TOKEN, UPSTREAM_TOKEN, World, state_of
from tests.engine.scenario import CLOUD, blocks_of_engine
from tests.engine.terminal import Terminal

KNOWN = ("CLOUDFLARE_API_TOKEN", "PULUMI_CONFIG_PASSPHRASE")
TYPED = {
    "CLOUDFLARE_API_TOKEN": TOKEN,
    "EDGESERIES_ACCOUNT_ID": ACCOUNT,
    "EDGESERIES_UPSTREAM_URL": "https://upstream.example.com",
    "EDGESERIES_UPSTREAM_TOKEN": UPSTREAM_TOKEN,
}
CHANGES_BEFORE_A_STOP = 4
MAX_RUNS = 20
LEAST_STOPS = 4


def at_a_terminal(world: World, *left_out: str, **more: str) -> Terminal:
    """The command of the guide, with some of the environment missing."""
    environment = {name: text for name, text in world.environment.items() if name not in left_out}
    return Terminal(CLOUD.split(), folder=world.checkout, environment={**environment, **more})


def press_ctrl_c_in(account: Account, terminal: Terminal) -> None:
    """In the midst of a change, when some have been made since now."""
    left = iter(range(CHANGES_BEFORE_A_STOP))

    def look(call: str) -> None:
        if not call.startswith("GET ") and next(left, None) == CHANGES_BEFORE_A_STOP - 1:
            terminal.interrupt()

    account.on_call = look


def test_at_the_first_question_one_may_leave(world: World) -> None:
    with at_a_terminal(world, *KNOWN) as terminal:
        terminal.expect("a passphrase")
        terminal.interrupt()
        assert terminal.wait() != 0
        assert "stopped; run it again to go on" in terminal.shown
        assert "Traceback" not in terminal.shown
    assert world.account.calls == []


def test_what_is_not_set_is_asked_for_and_what_the_token_lacks_is_named(world: World) -> None:
    world.account.forbidden.append("d1")
    with at_a_terminal(world, *KNOWN) as terminal:
        terminal.expect("a passphrase")
        terminal.answer(PASSPHRASE)
        terminal.expect("once more")
        terminal.answer(PASSPHRASE)
        terminal.expect("the API token")
        terminal.answer(TOKEN)
        terminal.expect("accountId")
        terminal.answer("my account")
        terminal.expect("set the 32 lower-case hex digits")
        terminal.expect("accountId")
        terminal.answer(ACCOUNT)
        terminal.expect("upstreamUrl")
        terminal.answer("https://upstream.example.com")
        terminal.expect("upstreamToken")
        terminal.answer(UPSTREAM_TOKEN)
        terminal.expect("one is made now, and told once")
        terminal.answer("")
        terminal.expect("es_admin_")
        terminal.expect("D1: Edit: the token lacks this permission")
        assert terminal.wait() != 0
        for secret in (PASSPHRASE, TOKEN, UPSTREAM_TOKEN):
            assert secret not in terminal.shown
    world.account.forbidden.clear()
    assert world.account.inventory() == {}
    assert "dev" not in world.pulumi("stack", "ls")


def test_it_may_be_left_when_pulumi_asks(world: World, system: Stack) -> None:
    with at_a_terminal(world, EDGESERIES_API_KEY=system.admin_key, **TYPED) as terminal:
        terminal.expect("Do you want to perform this update?")
        terminal.interrupt()
        assert terminal.wait() != 0
        assert "cloudflare:index:R2Bucket" in terminal.shown
        for secret in (TOKEN, UPSTREAM_TOKEN, system.admin_key, hash_of(system.admin_key)):
            assert secret not in terminal.shown
    assert world.account.inventory() == {}


def test_stopped_at_every_step_it_goes_on_from_there(world: World, system: Stack) -> None:
    """Each run is stopped after a few changes, in the midst of one, until there is nothing left to do."""
    stops = 0
    for run in range(MAX_RUNS):
        # After the first run the stack's file has what was said.
        said = {} if run else TYPED
        with at_a_terminal(world, YES="1", EDGESERIES_API_KEY=system.admin_key, **said) as terminal:
            press_ctrl_c_in(world.account, terminal)
            status = terminal.wait()
            world.output.append(terminal.shown)
            world.account.on_call = lambda _: None
            if status == 0:
                break
            stops += 1
            assert "stopped; run it again to go on" in terminal.shown
            # Pulumi's own program host may tell a cancelled program's way; nothing of ours does.
            for unwanted in ("delivery/", "currently locked", "already exists", "pending operations"):
                assert unwanted not in terminal.shown, terminal.shown
    assert status == 0
    assert stops >= LEAST_STOPS
    assert world.changes("--stack", "dev") == {}


def test_with_all_in_the_environment_nobody_is_asked_and_the_first_key_is_made(
    world: World, system: Stack
) -> None:
    (block,) = [one for one in blocks_of_engine() if CLOUD in one.text]
    key = {"EDGESERIES_API_KEY": system.admin_key}
    told = world.run("bash", "-ec", block.text, more={**TYPED, **key, "YES": "1"})
    assert "FAIL" not in told
    assert f"EdgeSeries answers on {system.url}" in told
    (command,) = [line for line in told.splitlines() if line.strip().startswith("curl ")]
    made = json.loads(world.run("bash", "-ec", f"{command} --silent --fail", more=key))
    assert made["owner"] == "me"
    assert made["key"].startswith("es_")
    assert len(world.account.inventory()["workers"]) == 3
    assert world.changes("--stack", "dev") == {}


def test_run_again_it_changes_nothing(world: World, system: Stack) -> None:
    groups = [f"{name} Write" for name in ("Workers Scripts", "Workers R2 Storage", "D1", "Queues")]
    world.account.policies = [policy(*groups, resource=f"com.cloudflare.api.account.{ACCOUNT}")]
    versions = {name: dict(one) for name, one in world.account.versions.items()}
    more = {**TYPED, "EDGESERIES_API_KEY": system.admin_key}
    told = world.run(*CLOUD.split(), "YES=1", more=more)
    assert "ok   D1: Edit                  granted" in told
    assert world.account.versions == versions
    files = [path for path in state_of(world).rglob("*") if path.is_file()]
    for secret in (UPSTREAM_TOKEN, TOKEN, system.admin_key, hash_of(system.admin_key)):
        assert secret not in "".join(world.output)
        for path in files:
            assert secret.encode() not in path.read_bytes(), path
