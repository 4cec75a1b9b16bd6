"""Troubles: faults of the upstream, kills of the host, sweeps; one after the other, drawn by the seed."""

import random
import threading
from typing import Any, Final

from tests.soak.fault_timeline import UPSTREAM
from tests.soak.world import World

FAULTS: Final[dict[str, dict[str, Any]]] = {
    "500": {"rate_500": 0.3},
    "reset": {"rate_reset": 0.3},
    "truncated": {"rate_truncated": 0.3},
    "429": {"rate_429": 0.3, "retry_after_s": 1},
    "empty page": {"rate_empty_page": 0.5},
    "slow": {"latency_ms": 300},
    "stall": {"rate_stall": 0.1, "stall_ms": 7_000},
    "down": {"rate_500": 1.0},
    "a gateway's page": {"mood": "gateway_page"},
    "a gateway's page now and then": {"mood": "gateway_page", "rate_mood": 0.3},
    "a gateway's JSON now and then": {"mood": "gateway_json", "rate_mood": 0.5},
    "no data by the pages": {"mood": "no_data", "only": ["site_timeseries_paginated"]},
    "no data by batches": {"mood": "no_data", "only": ["points_get_timeseries"]},
    "rows of another site": {"mood": "unasked_rows"},
    "rows outside the range": {"mood": "outside_rows"},
    "more than a batch can have": {"mood": "more", "rate_mood": 0.3},
    "brackets": {"mood": "brackets", "rate_mood": 0.3},
    "all at once": {"rate_500": 0.1, "rate_reset": 0.1, "rate_truncated": 0.1, "rate_429": 0.1},
}
HARMLESS: Final[dict[str, list[Any]]] = {
    "batch_shape": ["objects", "strings", "both", "none"],
    "end_inclusive": [True, False],
}
"""What an upstream may do at any time: its shapes differ between releases."""

SPELL_S: Final = (1.0, 3.0)
CALM_S: Final = (0.5, 2.0)


def trouble(world: World, seed: str, stop: threading.Event, *, kill_every_s: float) -> None:
    """Until told to stop. A kill comes about every `kill_every_s` seconds."""
    chance = random.Random(f"{seed}:troubles")  # noqa: S311 - a seeded draw
    since_kill_s = 0.0
    while not stop.is_set():
        name = chance.choice(list(FAULTS))
        harmless = {knob: chance.choice(values) for knob, values in HARMLESS.items()}
        world.weather.begin(UPSTREAM, name)
        world.turn(reset=True, seed=chance.randint(0, 1_000_000), **FAULTS[name], **harmless)
        spell_s, calm_s = chance.uniform(*SPELL_S), chance.uniform(*CALM_S)
        stop.wait(spell_s)
        since_kill_s += spell_s + calm_s
        if since_kill_s >= kill_every_s and not stop.is_set():
            # In the middle of the fault, while jobs run.
            world.kill()
            since_kill_s = 0.0
        world.calm()
        stop.wait(calm_s)
        if not stop.is_set():
            world.sweep()
