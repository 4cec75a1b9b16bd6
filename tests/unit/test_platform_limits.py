"""The table of the platform's limits, and how the local host counts by it (in Node, without a runtime)."""

import json
import subprocess
from typing import Any

import pytest

from edgeseries import limits
from edgeseries.jobs import limits as job_limits
from edgeseries.platform_limits import ALL, LocalHost
from edgeseries.storage import limits as storage_limits
from local.hosting import HOST_SCRIPT, NODE
from local.limits import COUNTED, PassedLimit, with_values
from local.stack import ROOT

FILES_THAT_COUNT = ("limits.mjs", "metering.mjs", "accounting.mjs", "boot.mjs")

TABLE = {
    "calls": {"value": 3, "unit": "calls", "refused": True},
    "bytes": {"value": 10, "unit": "bytes", "refused": False},
    "connections": {"value": 2, "unit": "calls", "refused": False},
}

TALLY = """
import { Peaks, Tally, WritePace } from "./limits.mjs";
const told = [];
const table = JSON.parse(process.argv[1]);
const make = (id) => new Tally(table, { id, event: `event ${id}`, report: (one) => told.push(one) });
const attempt = (work) => {
  try { work(); return null; } catch (error) { return `${error.name}: ${error.message}`; }
};
"""


def node(script: str) -> Any:
    command = [str(NODE), "--no-warnings", "--input-type=module", "--eval", TALLY + script, json.dumps(TABLE)]
    done = subprocess.run(command, cwd=HOST_SCRIPT.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_refused_call_throws_and_is_told_once_with_its_last_count_at_the_end() -> None:
    answer = node("""
const tally = make(1);
const errors = [1, 2, 3, 4, 5].map(() => attempt(() => tally.add("calls")));
const before = told.length;
tally.end();
console.log(JSON.stringify({ errors, before, told }));
""")
    assert answer["errors"][:3] == [None, None, None]
    assert answer["errors"][3].startswith("LimitPassed: calls: 4 of 3 calls")
    assert answer["errors"][4].startswith("LimitPassed: calls: 5 of 3 calls")
    assert answer["before"] == 1
    assert [(one["event"], one["limit"], one["count"], one["allowed"]) for one in answer["told"]] == [
        ("event 1", "calls", 4, 3),
        ("event 1", "calls", 5, 3),
    ]


def test_a_size_counts_by_its_largest_and_what_is_only_reported_goes_on() -> None:
    answer = node("""
const tally = make(1);
const errors = [4, 10, 11, 7, 12].map((size) => attempt(() => tally.observe("bytes", size)));
const noted = attempt(() => tally.note("calls", 9));
tally.end();
const used = Object.fromEntries(tally.used), counts = told.map((one) => one.count);
console.log(JSON.stringify({ errors, noted, used, counts }));
""")
    assert answer["errors"] == [None] * 5
    assert answer["noted"] is None, "what is over is not refused any more"
    assert answer["used"] == {"bytes": 12, "calls": 9}
    assert answer["counts"] == [11, 9, 12]


def test_what_the_table_does_not_hold_is_counted_and_never_passed() -> None:
    answer = node("""
const tally = make(1);
tally.add("nobody", 1e9);
console.log(JSON.stringify({ told, used: tally.used.get("nobody") }));
""")
    assert answer == {"told": [], "used": 1e9}


def test_calls_past_the_connections_wait_in_order_and_no_place_is_lost() -> None:
    answer = node("""
const tally = make(1), order = [];
const places = [1, 2, 3, 4].map((one) => {
  const place = tally.takePlace();
  if (place === null) order.push(one); else place.then(() => order.push(one));
  return place;
});
const turn = () => new Promise((resolve) => setImmediate(resolve));
await turn();
const first = [...order];
tally.leavePlace();
await turn();
tally.leavePlace();
await turn();
tally.leavePlace(); tally.leavePlace();
const again = tally.takePlace();
console.log(JSON.stringify({ first, order, again, open: tally.open, used: Object.fromEntries(tally.used) }));
""")
    assert answer["first"] == [1, 2]
    assert answer["order"] == [1, 2, 3, 4]
    assert (answer["again"], answer["open"]) == (None, 1)
    assert answer["used"] == {"connections": 2, "connections_waited": 2}


def test_peaks_are_the_most_of_any_event_and_begin_anew() -> None:
    answer = node("""
const peaks = new Peaks();
for (const [id, size] of [[1, 5], [2, 9], [3, 7]]) {
  const tally = make(id);
  tally.observe("bytes", size);
  peaks.take(tally);
}
console.log(JSON.stringify([peaks.report(), peaks.report()]));
""")
    assert answer == [
        {"events": 3, "most": {"bytes": {"count": 9, "event": "event 2"}}, "total": {"bytes": 21}},
        {"events": 0, "most": {}, "total": {}},
    ]


def test_a_key_is_written_once_an_interval_and_the_oldest_are_forgotten() -> None:
    answer = node("""
const pace = new WritePace(1000, 2);
pace.wrote("a", 0);
const seen = [pace.allows("a", 999), pace.allows("a", 1000), pace.allows("b", 0)];
pace.wrote("b", 1); pace.wrote("c", 2);
console.log(JSON.stringify([...seen, pace.allows("a", 3), pace.allows("c", 3)]));
""")
    assert answer == [False, True, True, True, False]


@pytest.mark.parametrize(
    "limit",
    [limit for limit in ALL if limit.local_host is not LocalHost.NOT_COUNTED],
    ids=lambda one: one.name,
)
def test_every_limit_that_is_said_to_be_counted_is_counted_somewhere(limit: Any) -> None:
    source = "".join((HOST_SCRIPT.parent / name).read_text(encoding="utf-8") for name in FILES_THAT_COUNT)
    named = f'"{limit.name}"' in source
    assert named or f"table.{limit.name}?" in source, f"nothing in {FILES_THAT_COUNT} counts {limit.name}"


def test_bounds_of_ours_are_within_the_platforms() -> None:
    by_name = {limit.name: limit.value for limit in ALL}
    assert by_name["url_bytes"] == limits.MAX_URL_BYTES
    assert by_name["connections"] == limits.PLATFORM_CONNECTIONS
    assert by_name["r2_keys"] == storage_limits.BUCKET_PAGE_KEYS
    assert by_name["queue_send_messages"] == job_limits.MESSAGES_OF_A_SEND


def test_the_documentation_has_the_table() -> None:
    page = (ROOT / "docs" / "local-host.md").read_text(encoding="utf-8")
    for limit in ALL:
        row = f"| `{limit.name}` | {limit.value:,} {limit.unit} | {limit.scope} | {limit.local_host} |"
        assert row in page.splitlines()


def test_tests_may_lower_a_limit_and_make_up_none() -> None:
    lowered = with_values(d1_queries=5)
    assert (lowered["d1_queries"]["value"], lowered["subrequests"]) == (5, COUNTED["subrequests"])
    with pytest.raises(KeyError):
        with_values(nobody=1)


def test_a_passed_limit_says_event_limit_and_count() -> None:
    told = {
        "id": 7,
        "event": "GET /x",
        "limit": "d1_queries",
        "count": 1001.4,
        "allowed": 1000,
        "unit": "statements",
    }
    passed = PassedLimit.from_wire(told, function="router")
    assert str(passed) == "router: GET /x passed d1_queries: 1001 of 1000 statements"
