"""Ground: the stack that latency measurements run on, over the one-minute sample of the repository."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.finding import Setting
from bench.week import Week, fullest_week
from local.host_plan import Script
from local.stack import Stack, StackOptions
from local.upstream.truth import Truth

BARE: Final = Script(
    name="bench-bare",
    source=(Path(__file__).parent / "workers" / "bare.mjs").read_text(encoding="utf-8"),
    path="/bare/",
)
SETTLE_S: Final = 0.2
SETTLE_TRIES: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A running stack, and the week that is asked of it."""

    stack: Stack
    week: Week

    def settled(self, prefix: str, count: int) -> list[str]:
        """Keys of the bucket, once there are so many: storing goes on after an answer has left."""
        for _ in range(SETTLE_TRIES):
            keys = self.stack.host.list_objects(prefix)
            if len(keys) >= count:
                return keys
            time.sleep(SETTLE_S)
        raise AssertionError(f"{len(keys)} objects under {prefix}, not {count}: storing failed")


@contextmanager
def ground(
    setting: Setting, *, scripts: tuple[Script, ...] = (), second_isolate: bool = False
) -> Iterator[Ground]:
    """The stack over the sample, awake, stopped at the end."""
    week = fullest_week(Truth(setting.sample))
    with tempfile.TemporaryDirectory(prefix="stack-") as state:
        options = StackOptions(
            state=Path(state), data=setting.sample, scripts=scripts, second_isolate=second_isolate
        )
        with Stack(options) as stack:
            yield Ground(stack=stack, week=week)
