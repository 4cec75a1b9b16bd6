"""`make soak MINUTES=n SEED=s`: exit status 0 if every answer was right or an honest error."""

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from local.hosting import Host
from local.stack import Stack, StackOptions
from local.upstream.replay import Replay
from local.upstream.truth import Truth
from tests.soak.audit import audit
from tests.soak.load import Client
from tests.soak.model import Model
from tests.soak.troubles import trouble
from tests.soak.world import SETTINGS, World, now_ms

ROOT: Final = Path(__file__).parents[2]
CLIENTS: Final = 6
LIVE_SITE: Final = "opengrid_minute"
"""Its telemetry is replayed: it happens now."""

MOST_MINUTES: Final = 240.0


def soak(*, data: Path, state: Path, seconds: float, seed: str, kill_every_s: float) -> World:
    """Load for so many seconds, then the audit. What was wrong stands in the world."""
    replay = Replay(sites=frozenset({LIVE_SITE}), at_ms=now_ms())
    options = StackOptions(state=state, data=data, settings=SETTINGS, replay=replay)
    Host.passed_anywhere.clear()
    with Stack(options) as stack:
        model = Model(truth=Truth(data, replay=replay), live_site=LIVE_SITE)
        world = World(stack=stack, state=state, model=model)
        stop = threading.Event()
        clients = [
            threading.Thread(target=guarded, args=(world, Client(world, f"client {n}", seed).run, stop))
            for n in range(CLIENTS)
        ]
        for thread in clients:
            thread.start()
        timer = threading.Timer(seconds, stop.set)
        timer.start()
        try:
            trouble(world, seed, stop, kill_every_s=kill_every_s)
        finally:
            stop.set()
            timer.cancel()
            for thread in clients:
                thread.join()
        audit(world, seed)
        world.logs.extend(stack.logs)
        world.close()
    for passed in Host.passed_anywhere:
        world.complain(f"a limit of the platform was passed: {passed}")
    for line in world.logs:
        if '"msg":"unexpected"' in line.text or "a body was broken off" in line.text:
            world.count(f"log: {'unexpected' if 'unexpected' in line.text else 'bodies broken off'}")
        if "Traceback" in line.text:
            world.complain(f"an exception that nobody expected: {line.text[-1_500:]}")
    return world


def guarded(world: World, run: object, stop: threading.Event) -> None:
    """A client that fails itself is a finding, not a silence."""
    try:
        run(stop)  # type: ignore[operator]
    except Exception as error:  # noqa: BLE001 - told in the verdict
        world.complain(f"a client failed: {error!r}")


def summary(world: World, seed: str, seconds: float) -> str:
    """What was done, what happened, and the verdict."""
    lines = [f"soak: seed {seed}, {seconds:.0f} s of load, {CLIENTS} clients"]
    lines += [f"  {count:>9,} {what}" for what, count in sorted(world.counts.items()) if what != "wrong"]
    lines += [f"  {count:>9,} errors: {what}" for what, count in sorted(world.errors.items())]
    lines += [
        f"  {count:>9,} spells of trouble: {what}" for what, count in sorted(world.weather.counts.items())
    ]
    lines += [f"  WRONG: {text}" for text in world.complaints]
    wrong = world.counts["wrong"]
    lines.append(f"  verdict: {'all right' if not wrong else f'{wrong} things are wrong'}")
    return "\n".join(lines)


def main() -> int:
    """0, or 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", default=str(int(time.time())))
    parser.add_argument("--data", type=Path, default=ROOT / "local" / "sample")
    given = parser.parse_args()
    if not 0 < given.minutes <= MOST_MINUTES:
        print(f"make soak: MINUTES must be above 0 and at most {MOST_MINUTES:.0f}", file=sys.stderr)
        return 2
    seconds = given.minutes * 60
    with tempfile.TemporaryDirectory(prefix="edgeseries-soak-") as folder:
        world = soak(
            data=given.data,
            state=Path(folder),
            seconds=seconds,
            seed=given.seed,
            kill_every_s=min(60.0, seconds / 3),
        )
    print(summary(world, given.seed, seconds))
    wrong = world.counts["wrong"] > 0
    if wrong:
        print(f"  what was logged: {write_log(world, given.seed)}")
    return int(wrong)


def write_log(world: World, seed: str) -> Path:
    """All lines that were logged, for whoever looks for the first of them that is odd."""
    path = ROOT / "build" / f"soak-{seed}.log"
    path.parent.mkdir(exist_ok=True)
    lines = (f"{line.time_ms} {line.source} {line.level} {line.text}\n" for line in world.logs)
    path.write_text("".join(lines), encoding="utf-8", errors="replace")
    return path


if __name__ == "__main__":
    sys.exit(main())
