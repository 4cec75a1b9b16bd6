"""A preview: made from the environment alone, filled by use, and gone without a trace."""

from tests.engine.conftest import SETTINGS, World


def test_a_preview_comes_and_goes_and_nothing_is_left(world: World) -> None:
    told = world.run("make", "--silent", "preview", "PR=12", more=SETTINGS)
    assert told.splitlines()[-1] == "https://edgeseries-pr-12-router.example.workers.dev"
    assert world.account.inventory()["workers"] == [
        f"edgeseries-pr-12-{function}" for function in ("consumer", "janitor", "router")
    ]
    # What its use leaves behind: the platform deletes no bucket with objects in it.
    world.account.objects["edgeseries-pr-12-cache"] = {"blocks/v1/a/b": b"x", "odd key": b"y"}
    world.run("make", "--silent", "preview-destroy", "PR=12")
    assert world.account.inventory() == {}
    assert not any(world.account.objects.values())
    assert not (world.checkout / "Pulumi.pr-12.yaml").exists()
    assert "there is no stack pr-12" in world.run("make", "--silent", "preview-destroy", "PR=12")


def test_the_sweep_takes_what_no_open_pull_request_has(world: World) -> None:
    world.run("make", "--silent", "preview", "PR=7", more=SETTINGS)
    world.run("make", "--silent", "preview-sweep", "OPEN=7 8")
    assert world.account.inventory()
    world.run("make", "--silent", "preview-sweep", "OPEN=8")
    assert world.account.inventory() == {}
