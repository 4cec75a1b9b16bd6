"""Schedules of the local host: read as Cloudflare documents them, and fired on time.

Node runs the host's own module, under a clock that the test moves.
"""

import json
import subprocess
from typing import Any

import pytest

from local.hosting import HOST_SCRIPT, NODE

pytestmark = pytest.mark.runtime

NEXT_RUNS = """
import { Cron } from "croner";
import { CRON_OPTIONS } from "./crons.mjs";
const options = { ...CRON_OPTIONS, paused: true };
const nextRuns = (cron) => new Cron(cron, options).nextRuns(3, "2026-11-23T20:00:30Z");
console.log(JSON.stringify(JSON.parse(process.argv[1]).map(nextRuns)));
"""

FIRE = """
import { mock } from "node:test";
mock.timers.enable({ apis: ["Date", "setTimeout"], now: Date.parse("2026-11-23T20:14:30Z") });
const { startCrons } = await import("./crons.mjs");
const fired = [], said = [];
const mf = { getWorker: async (worker) => ({ scheduled: async ({ cron, scheduledTime }) => {
  fired.push([worker, cron, scheduledTime.toISOString()]);
  if (worker === "broken") throw new Error("made-up failure");
} }) };
const good = { name: "good", crons: ["*/15 * * * *"] };
const broken = { name: "broken", crons: ["15 * * * *"] };
const plan = { workers: [good, broken] };
const stop = startCrons(mf, plan, (event) => said.push([event.worker, event.level, event.message]));
for (let second = 0; second < 1800; second += 1) {
  mock.timers.tick(1000);
  await Promise.resolve();
}
stop();
const before = fired.length;
mock.timers.tick(3_600_000);
console.log(JSON.stringify({ fired, said, afterStop: fired.length - before }));
"""


def run(script: str, *arguments: str) -> Any:
    command = [str(NODE), "--no-warnings", "--input-type=module", "--eval", script, *arguments]
    done = subprocess.run(command, cwd=HOST_SCRIPT.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# The examples of developers.cloudflare.com/workers/configuration/cron-triggers.
DOCUMENTED = {
    "*/15 * * * *": ["2026-11-23T20:15", "2026-11-23T20:30", "2026-11-23T20:45"],
    "45 * * * *": ["2026-11-23T20:45", "2026-11-23T21:45", "2026-11-23T22:45"],
    "0 17 * * sun": ["2026-11-29T17:00", "2026-12-06T17:00", "2026-12-13T17:00"],
    "0 17 * * 1": ["2026-11-29T17:00", "2026-12-06T17:00", "2026-12-13T17:00"],
    "10 7 * * mon-fri": ["2026-11-24T07:10", "2026-11-25T07:10", "2026-11-26T07:10"],
    "10 7 * * 2-6": ["2026-11-24T07:10", "2026-11-25T07:10", "2026-11-26T07:10"],
    "0 15 1 * *": ["2026-12-01T15:00", "2027-01-01T15:00", "2027-02-01T15:00"],
    "0 18 * * 6L": ["2026-11-27T18:00", "2026-12-25T18:00", "2027-01-29T18:00"],
    "59 23 LW * *": ["2026-11-30T23:59", "2026-12-31T23:59", "2027-01-29T23:59"],
}


def test_schedules_are_read_as_documented() -> None:
    found = run(NEXT_RUNS, json.dumps(list(DOCUMENTED)))
    assert dict(zip(DOCUMENTED, found, strict=True)) == {
        cron: [f"{moment}:00.000Z" for moment in moments] for cron, moments in DOCUMENTED.items()
    }


def test_schedules_fire_on_time_until_they_are_stopped() -> None:
    seen = run(FIRE)
    assert seen["fired"] == [
        ["good", "*/15 * * * *", "2026-11-23T20:15:00.000Z"],
        ["broken", "15 * * * *", "2026-11-23T20:15:00.000Z"],
        ["good", "*/15 * * * *", "2026-11-23T20:30:00.000Z"],
    ]
    assert seen["said"] == [["broken", "error", "cron 15 * * * *: Error: made-up failure"]]
    assert seen["afterStop"] == 0
