"""What the tests of the infra program share: a stack's config, its graph, and goldens."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from local.graph import Graph, capture_graph

ROOT = Path(__file__).resolve().parents[2]
GOLDEN_DIR = ROOT / "tests" / "golden"
TOKEN = "token-that-nobody-may-see"  # noqa: S105 - made up


@pytest.fixture(scope="session")
def config() -> Mapping[str, str]:
    return {"accountId": "0123456789abcdef" * 2, "upstreamUrl": "https://upstream.example.com"}


@pytest.fixture(scope="session")
def secrets() -> Mapping[str, str]:
    return {"upstreamToken": TOKEN}


@pytest.fixture(scope="session")
def dev_graph(config: Mapping[str, str], secrets: Mapping[str, str]) -> Graph:
    return capture_graph(stack="dev", config=config, secrets=secrets)


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
