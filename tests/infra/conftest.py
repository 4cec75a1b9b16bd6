"""What the tests of the infra program share: a stack's config, its graph, and goldens."""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from local.capture import capture_graph
from local.graph import Graph
from stack.settings import SECRET_KEYS
from tests.cloudflare_api import ACCOUNT, TOKEN, Account, running
from tests.fake_pulumi import FakePulumi

ROOT = Path(__file__).resolve().parents[2]
GOLDEN_DIR = ROOT / "tests" / "golden"


@pytest.fixture(scope="session")
def config() -> Mapping[str, str]:
    return {"accountId": "0123456789abcdef" * 2, "upstreamUrl": "https://upstream.example.com"}


@pytest.fixture(scope="session")
def secrets() -> Mapping[str, str]:
    """A value for every secret setting, each one easily found."""
    return {key: f"value-of-{key}-that-nobody-may-see" for key in sorted(SECRET_KEYS)}


@pytest.fixture(scope="session")
def graphs(config: Mapping[str, str], secrets: Mapping[str, str]) -> Mapping[str, Graph]:
    """The graphs of development, of production with its stack file, and of a preview."""
    text = (ROOT / "Pulumi.prod.yaml").read_text(encoding="utf-8")
    stored = dict(re.findall(r"^  edgeseries:(\w+): \"?([^\"\n]+)\"?$", text, re.MULTILINE))
    more = {"dev": {}, "prod": stored, "pr-1": {}}
    return {
        stack: capture_graph(stack=stack, config={**config, **changes}, secrets=secrets)
        for stack, changes in more.items()
    }


@pytest.fixture(scope="session")
def dev_graph(graphs: Mapping[str, Graph]) -> Graph:
    return graphs["dev"]


@pytest.fixture
def assert_golden() -> Callable[[str, object], None]:
    def compare(name: str, value: object) -> None:
        path = GOLDEN_DIR / name
        text = json.dumps(value, indent=2, sort_keys=True) + "\n"
        if os.environ.get("UPDATE_GOLDEN") == "1":
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"no {name} yet: UPDATE_GOLDEN=1 make check"
        assert text == path.read_text(encoding="utf-8"), (
            f"{name} differs; if it should: UPDATE_GOLDEN=1 make check"
        )

    return compare


CONFIG = {"accountId": ACCOUNT, "upstreamUrl": "https://upstream.example.com"}
SECRETS = dict.fromkeys(SECRET_KEYS, "a secret")


@pytest.fixture(scope="module")
def served() -> Iterator[Account]:
    with running() as account:
        yield account


@pytest.fixture
def account(served: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    served.deployments.clear()
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", served.url)
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
    monkeypatch.setenv("NO_PROXY", "*")
    return served


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graphs: Mapping[str, Graph]) -> FakePulumi:
    """A stack `prod` that has been deployed."""
    made = FakePulumi(tmp_path)
    monkeypatch.setenv("PATH", f"{made.bin}{os.pathsep}{os.environ['PATH']}")
    made.add("prod", {**CONFIG, "canaryPercent": "10"}, SECRETS)
    made.has(resource.urn for resource in graphs["prod"].resources)
    return made
