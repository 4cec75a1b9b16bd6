"""What all tests share: properties are not timed, since machines here are shared and noisy; files that take
long run first; a shard (`SHARD=2/4`) runs its files alone.
"""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.schedule import Shard, longest_first

ROOT = Path(__file__).resolve().parents[1]

RUNTIME = "tests/runtime/"

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    """What is there for good is not looked through for cycles any more, and the rest less often than for a
    program with little memory: a tenth and more of the CPU time of the fast tests (`docs/testing.md`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Before tests are chosen by marks, so that a file is in the same shard whatever is chosen of it."""
    files = [item.path.relative_to(ROOT).as_posix() for item in items]
    for file, item in zip(files, items, strict=True):
        if file.startswith(RUNTIME) != (item.get_closest_marker("runtime") is not None):
            # `make test` would run it nowhere: it looks for those that are marked in this folder alone.
            raise pytest.UsageError(f"{item.nodeid}: {RUNTIME} and the mark `runtime` go together")
    chosen = frozenset(files)
    if text := os.environ.get("SHARD"):
        try:
            chosen = Shard.from_text(text).of(files)
        except ValueError as error:
            raise pytest.UsageError(f"SHARD: {error}") from error
    places = {file: place for place, file in enumerate(longest_first(files))}
    found = sorted(zip(files, items, strict=True), key=lambda one: places[one[0]])
    config.hook.pytest_deselected(items=[item for file, item in found if file not in chosen])
    items[:] = [item for file, item in found if file in chosen]
