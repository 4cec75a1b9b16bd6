"""Production: a canary, its promotion and its undoing, and what a destroy must not be able to do."""

from tests.engine.cloud.account import Trouble
from tests.engine.conftest import World, hold_secrets

STACK = "prod"
ROUTER = "edgeseries-prod-router"
CONSUMER = "edgeseries-prod-consumer"


def test_the_first_deployment_gives_everything_all_traffic(world: World) -> None:
    world.configure(STACK)
    world.make("deploy", STACK=STACK)
    assert [
        world.account.shares(f"edgeseries-prod-{name}") for name in ("router", "consumer", "janitor")
    ] == [
        [100],
        [100],
        [100],
    ]
    assert world.changes("--stack", STACK) == {}


def test_after_a_refresh_there_is_nothing_to_change(world: World) -> None:
    world.pulumi("refresh", "--stack", STACK, "--yes", "--non-interactive", "--skip-preview")
    assert world.changes("--stack", STACK) == {}


def test_a_new_version_begins_with_a_tenth_and_is_promoted(world: World) -> None:
    (old,) = world.account.running(ROUTER)
    with world.edited("functions/router/flow.py", "\n# Edited.\n"):
        assert world.changes("--stack", STACK) == {"replace": 2}
        world.make("deploy", STACK=STACK, FUNCTION="router")
        assert world.account.shares(ROUTER) == [10, 90]
        new, stable = world.account.running(ROUTER)
        assert stable == old
        count = world.account.version_count(ROUTER)
        world.make("promote", STACK=STACK, FUNCTION="router")
        assert world.account.running(ROUTER) == [new]
        assert world.account.version_count(ROUTER) == count
        assert world.changes("--stack", STACK) == {}


def test_a_canary_is_rolled_back_as_a_whole(world: World) -> None:
    """The checkout is as it was, so that this deployment brings the older code back, as a canary again."""
    (now,) = world.account.running(ROUTER)
    world.make("deploy", STACK=STACK)
    assert world.account.shares(ROUTER) == [10, 90]
    world.make("rollback", STACK=STACK)
    assert world.account.running(ROUTER) == [now]
    world.make("deploy", STACK=STACK)
    world.make("promote", STACK=STACK)
    assert world.account.shares(ROUTER) == [100]


def test_a_deployment_that_fails_half_way_leaves_no_canary(world: World) -> None:
    """The router's canary runs when the consumer's deployment is refused, a while later."""
    (router,), (consumer,) = world.account.running(ROUTER), world.account.running(CONSUMER)
    trouble = Trouble(method="POST", path=f"{CONSUMER}/deployments", times=1)
    edited = "\n# Edited again.\n"
    with world.edited("functions/router/flow.py", edited), world.edited("functions/consumer/flow.py", edited):
        world.account.troubles.append(trouble)
        told = world.make("deploy", STACK=STACK, status=2)
        assert trouble.times == 0
        assert world.account.running(ROUTER) == [router], told
        assert world.account.running(CONSUMER) == [consumer], told
        world.account.troubles.clear()
        world.make("deploy", STACK=STACK)
        assert (world.account.shares(ROUTER), world.account.shares(CONSUMER)) == ([10, 90], [10, 90])
        world.make("promote", STACK=STACK)
        assert world.changes("--stack", STACK) == {}


def test_a_destroy_of_what_is_protected_deletes_nothing(world: World) -> None:
    before = world.account.inventory()
    running = world.account.running(ROUTER)
    for more in ([], ["--skip-preview"]):
        told = world.pulumi("destroy", "--stack", STACK, "--yes", "--non-interactive", *more, status=None)
        assert "protected" in told or "protect" in told
        assert world.account.inventory() == before
        assert world.account.running(ROUTER) == running
    world.make("deploy", STACK=STACK)
    world.make("promote", STACK=STACK)
    assert world.changes("--stack", STACK) == {}


def test_secrets_stand_nowhere_in_clear(world: World) -> None:
    hold_secrets(world, STACK)
