"""What the tests with a real engine share: a checkout, an account, and commands as people type them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local.stack import Stack, StackOptions
from tests.engine.cloud.account import Account
from tests.engine.cloud.server import serving
from tests.engine.installation import BIN, FOLDER, ROOT

ACCOUNT = "0123456789abcdef" * 2
TOKEN = "made-up-token-of-an-account"  # noqa: S105 - made up
UPSTREAM_TOKEN = "the-vendors-token-that-nobody-may-see"  # noqa: S105 - made up
ADMIN_KEY_HASH = "5" * 64
PASSPHRASE = "made up"  # noqa: S105 - made up

LEFT_OUT = {
    ".git", ".venv", "node_modules", "build", ".edgeseries", "__pycache__", ".hypothesis",
    ".mypy_cache", ".ruff_cache", ".pytest_cache", "results",
}  # fmt: skip
"""What a clone does not have."""

PROVIDER_VERSION = json.loads(
    next(ROOT.glob(".venv/lib/*/site-packages/pulumi_cloudflare/pulumi-plugin.json")).read_text()
)["version"]


@dataclass(kw_only=True)
class World:
    """One account and one Pulumi backend, and the checkout that deploys."""

    checkout: Path
    account: Account
    environment: dict[str, str]
    output: list[str] = field(default_factory=list)
    """All that the commands have said."""

    def run(
        self, *words: str, status: int | None = 0, stdin: str = "", more: Mapping[str, str] | None = None
    ) -> str:
        """What a command says, on both streams; it must end with this status (None: any)."""
        done = subprocess.run(
            words, cwd=self.checkout, env={**self.environment, **(more or {})}, input=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        self.output.append(f"$ {' '.join(words)}\n{done.stdout}")
        assert status is None or done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def make(self, target: str, *, status: int | None = 0, **settings: str) -> str:
        """`make` as people type it, agreeing to what Pulumi asks."""
        agreed = {"YES": "1"} if target in {"deploy", "promote", "rollback"} else {}
        words = [f"{name}={text}" for name, text in {**settings, **agreed}.items()]
        # make itself ends with 2 when a command fails.
        return self.run("make", "--silent", target, *words, status=2 if status else status)

    def pulumi(self, *words: str, status: int | None = 0, stdin: str = "") -> str:
        return self.run("pulumi", *words, status=status, stdin=stdin)

    def changes(self, *words: str) -> dict[str, int]:
        """What `pulumi up` would do or did, by operation, by its own event log."""
        told = self.pulumi("preview", "--json", "--non-interactive", *words)
        summary: Mapping[str, int] = json.loads(told[told.index("{") :])["changeSummary"]
        return {operation: count for operation, count in summary.items() if operation != "same"}

    def configure(self, stack: str, **settings: str) -> None:
        given = {f"EDGESERIES_{name.upper()}": text for name, text in settings.items()}
        self.run("make", "--silent", "configure", f"STACK={stack}", more={**SETTINGS, **given})

    @contextmanager
    def edited(self, path: str, text: str, *, append: bool = True) -> Iterator[None]:
        """A file with something added, or made, until the block ends."""
        target = self.checkout / path
        before = target.read_text(encoding="utf-8") if target.is_file() else None
        target.write_text(((before or "") if append else "") + text, encoding="utf-8")
        try:
            yield
        finally:
            if before is None:
                target.unlink()
            else:
                target.write_text(before, encoding="utf-8")


SETTINGS = {
    "EDGESERIES_ACCOUNT_ID": ACCOUNT,
    "EDGESERIES_UPSTREAM_URL": "https://upstream.example.com",
    "EDGESERIES_UPSTREAM_TOKEN": UPSTREAM_TOKEN,
    "EDGESERIES_ADMIN_KEY_HASH": ADMIN_KEY_HASH,
}


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The project as a clone has it, after `make setup`; .venv is kept from one run to the next."""
    target = FOLDER / "checkout"
    target.mkdir(parents=True, exist_ok=True)
    for path in target.iterdir():
        if path.is_dir() and path.name not in {".venv", "local"}:
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()
    shutil.copytree(ROOT, target, dirs_exist_ok=True, ignore=lambda _folder, names: LEFT_OUT & set(names))
    for path in target.glob("Pulumi.*.yaml"):
        if path.name != "Pulumi.prod.yaml":
            path.unlink()
    subprocess.run([sys.executable, "run.py", "setup"], cwd=target, env=environment_of(), check=True)
    return target


def environment_of(**more: str) -> dict[str, str]:
    """The environment of a terminal: nothing of the test's own Python, nothing of make."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(
            ("PYTHON", "PYTEST", "MAKE", "MFLAGS", "EDGESERIES_", "PULUMI_", "CLOUDFLARE_")
        )
        and name not in {"VIRTUAL_ENV", "STACK", "FUNCTION", "YES"}
    }
    return {**kept, "NO_PROXY": "*", **more}


@pytest.fixture(scope="module")
def world(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An empty account and an empty backend."""
    folder = tmp_path_factory.mktemp("pulumi")
    (folder / "state").mkdir()
    plugin = folder / "home" / "plugins" / f"resource-cloudflare-v{PROVIDER_VERSION}"
    plugin.mkdir(parents=True)
    shutil.copy(BIN / "pulumi-resource-cloudflare", plugin)
    shutil.copy(ROOT / "Pulumi.prod.yaml", checkout)
    account = Account(id=ACCOUNT, token=TOKEN)
    with serving(account) as url:
        environment = environment_of(
            PATH=os.pathsep.join((str(BIN), os.environ["PATH"])),
            PULUMI_HOME=str(folder / "home"),
            PULUMI_BACKEND_URL=f"file://{folder / 'state'}",
            PULUMI_CONFIG_PASSPHRASE=PASSPHRASE,
            PULUMI_SKIP_UPDATE_CHECK="true",
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION="true",
            CLOUDFLARE_BASE_URL=url,
            CLOUDFLARE_API_TOKEN=TOKEN,
        )
        yield World(checkout=checkout, account=account, environment=environment)
    for path in checkout.glob("Pulumi.*.yaml"):
        path.unlink()


@pytest.fixture(scope="session")
def running_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The system itself, on the Workers runtime here: what the stand-in for the account has no way to run."""
    options = StackOptions(
        state=tmp_path_factory.mktemp("system"), data=ROOT / "local" / "sample", settings={"auth": "keys"}
    )
    with Stack(options) as stack:
        yield stack


@pytest.fixture(scope="module")
def system(world: World, running_system: Stack) -> Stack:
    """The same, where workers.dev addresses of the account lead to it."""
    world.account.router_url = running_system.url
    return running_system


def state_of(world: World) -> Path:
    """The folder of the backend."""
    return Path(world.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))


def hold_secrets(world: World, stack: str) -> None:
    """No secret stands in clear: in state, history and backups of the backend, in the stack's file, in what
    any command has said.
    """
    files = [path for path in state_of(world).rglob("*") if path.is_file()]
    files.append(world.checkout / f"Pulumi.{stack}.yaml")
    assert any("history" in path.parts for path in files)
    for secret in (UPSTREAM_TOKEN, ADMIN_KEY_HASH, TOKEN):
        for path in files:
            assert secret.encode() not in path.read_bytes(), path
        assert secret not in "".join(world.output)
