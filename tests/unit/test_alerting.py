"""Alert rules: who is told what, once, again after a day, and when it is over."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from edgeseries.errors import OriginUnreachable, Transient
from edgeseries.limits import DAY_MS, HOUR_MS, MINUTE_MS
from edgeseries.metrics.adapters.webhook import Webhook
from edgeseries.metrics.alerting import (
    REMIND_MS,
    RULES,
    Measure,
    Notice,
    NoticeKind,
    Rule,
    State,
    evaluate,
    states_of,
    states_text,
)
from edgeseries.metrics.ports.health import Finding
from janitor.duty import Outcome, Turn
from janitor.ports import Ports
from janitor.raise_alerts import raise_alerts
from tests.fake_janitor import janitor_ports
from tests.fake_stores import SqliteDatabase
from tests.fakes import FixedHealthChecker, FixedWeb, ListJournal, ListNotifier
from tests.made_statistics import insert, served, stored

NOW_MS = 1_700_000_000_000
QUARTER_MS = 15 * MINUTE_MS

RULE = Rule(measure=Measure.DEAD_LETTERS, above=3, description="{value:.0f} wait", remedy="look", sweeps=1)
PATIENT = Rule(measure=Measure.UPSTREAM_DOWN, above=0, description="down", remedy="ask", sweeps=2)


def play(rule: Rule, *values: float | None, step_ms: int = QUARTER_MS) -> list[str]:
    """What is told, sweep after sweep; `.` is nothing."""
    states: dict[str, State] = {}
    description = []
    for place, value in enumerate(values):
        readings = {} if value is None else {rule.measure: value}
        found = evaluate(readings, states, now_ms=NOW_MS + place * step_ms, rules=[rule])
        # As it is remembered from one sweep to the next.
        states = states_of(states_text(found.states))
        description.append("".join(notice.kind for notice in found.notices) or ".")
    return description


def test_told_once_and_when_it_is_over() -> None:
    assert play(RULE, 3, 4, 5, 4, 3, 3, 9) == [".", "FIRING", ".", ".", "RESOLVED", ".", "FIRING"]


def test_told_again_after_a_day() -> None:
    description = play(RULE, *[4.0] * 30, step_ms=HOUR_MS)
    assert [place for place, word in enumerate(description) if word != "."] == [0, REMIND_MS // HOUR_MS]
    assert description[24] == "STILL FIRING"


def test_a_rule_that_waits_does_not_cry_at_the_first_sight() -> None:
    assert play(PATIENT, 1, 0, 1, 1, 0) == [".", ".", ".", "FIRING", "RESOLVED"]


def test_what_is_not_known_changes_nothing() -> None:
    assert play(PATIENT, 1, None, 1, None, None, 0) == [".", ".", "FIRING", ".", ".", "RESOLVED"]


def test_every_measure_has_a_rule() -> None:
    assert {rule.measure for rule in RULES} == set(Measure)


def test_the_page_lists_every_rule() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d+) \| (\d+) \|", page, re.MULTILINE)
    assert rows == [(rule.name, f"{rule.above:.0f}", str(rule.sweeps)) for rule in RULES]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"v":2,"rules":{"a":[1,1,1]}}', '{"v":1,"rules":{"a":7}}'])
def test_a_memory_that_makes_no_sense_is_forgotten(text: str) -> None:
    assert states_of(text) == {}


# --- the duty ---------------------------------------------------------------------------


def run(ports: Ports, cursor: str = "", now_ms: int = NOW_MS) -> Outcome:
    turn = Turn(cursor=cursor, now_ms=now_ms, stop_ms=now_ms + HOUR_MS)
    outcome: Outcome = asyncio.run(raise_alerts(ports, turn))
    return outcome


def trouble(database: SqliteDatabase) -> dict[str, Any]:
    """Everything that there is a rule for, at once; what the ports must be for it."""
    minute_ms = NOW_MS - MINUTE_MS
    insert(
        database,
        "request_analytics",
        served(minute_ms, "cached", 5, "none", request_count=2),
        served(minute_ms, "cached", 2, "hit", request_count=20),
        served(NOW_MS - HOUR_MS, "cached", 2, "hit", request_count=10_000),
    )
    letter = {"queue": "q", "message_json": "{}", "cause": "c", "attempts": 4, "buried_ms": NOW_MS}
    insert(database, "dead_letters", {"letter_id": "l", **letter})
    insert(database, "cache_metadata", stored("answers/v1/x", "s", 1, (1, 1_200), 0))
    job = {"site": "s", "points_json": "[]", "point_count": 1, "start_ms": 0, "end_ms": 1, "created_ms": 5}
    insert(
        database,
        "queue_jobs",
        *(
            {**job, "job_id": name, "request_digest": name, "status": status, "updated_ms": minute_ms}
            for name, status in (("a", "failed"), ("b", "completed"), ("c", "completed"))
        ),
    )
    insert(
        database,
        "janitor_state",
        {"duty": "sweep", "ran_ms": NOW_MS - 2 * HOUR_MS},
        {"duty": "roll-up", "ran_ms": NOW_MS, "outcome": "failed: late"},
    )
    insert(database, "late_data", {"day_ms": NOW_MS // DAY_MS * DAY_MS, "site": "s", "corrected_days": 501})
    down = Finding(part="upstream", duration_ms=1, fault="gone")
    full = Finding(part="queues", duration_ms=1, facts=(("highBacklog", 1), ("lowBacklog", 10_000)))
    return {"budget_bytes": 1_000, "health_checker": FixedHealthChecker((down, full))}


def test_every_rule_can_fire_and_end(database: SqliteDatabase) -> None:
    notifier = ListNotifier()
    ports = janitor_ports(database, notifier=notifier, **trouble(database))
    first = run(ports)
    second = run(ports, first.cursor)
    assert {one.rule for one in notifier.notices} == {rule.name for rule in RULES}
    assert all(one.kind is NoticeKind.FIRING for one in notifier.notices)
    description = {one.rule: one.description for one in notifier.notices}
    assert description["failed-requests-percent"] == "9 % of the requests of the last 30 minutes failed (5xx)"
    assert description["failed-jobs-percent"] == "33 % of the jobs of the last day failed"
    assert description["budget-percent"] == "the cache takes 120 % of its budget"
    assert description["sweep-age-minutes"] == "there was no sweep for 120 minutes"
    assert run(ports, second.cursor).count == 0

    healed = SqliteDatabase()
    notifier.notices.clear()
    parts = (Finding(part="upstream", duration_ms=1), Finding(part="queues", duration_ms=1))
    calm = janitor_ports(healed, notifier=notifier, health_checker=FixedHealthChecker(parts))
    run(calm, second.cursor)
    # Too few requests and jobs make no rate, and without a record of sweeps nothing is said of them.
    over = {one.rule for one in notifier.notices}
    assert over == {rule.name for rule in RULES} - {
        "failed-requests-percent",
        "failed-jobs-percent",
        "sweep-age-minutes",
    }
    assert all(one.kind is NoticeKind.RESOLVED for one in notifier.notices)
    healed.close()


def test_what_nobody_was_told_is_told_by_the_next_sweep(database: SqliteDatabase) -> None:
    notifier = ListNotifier(failure=Transient("nobody there"))
    ports = janitor_ports(database, notifier=notifier, **trouble(database))
    with pytest.raises(Transient):
        run(ports)
    notifier.failure = None
    assert run(ports).count > 0


# --- the webhook -----------------------------------------------------------------------------

NOTICE = Notice(
    rule="dead-letters", kind=NoticeKind.FIRING, description="2 wait & more", remedy="GET <x>", since_ms=0
)


def webhook(web: FixedWeb, url: str = "https://hooks.example.com/x") -> tuple[Webhook, ListJournal]:
    journal = ListJournal()
    return Webhook(url=url, stack="dev", web=web, journal=journal), journal


def test_a_message_is_json_as_slack_takes_it() -> None:
    web = FixedWeb()
    hook, journal = webhook(web)
    over = Notice(rule="backlog", kind=NoticeKind.RESOLVED, description="5 wait", remedy="-", since_ms=0)
    asyncio.run(hook.notify([NOTICE, over]))
    (call,) = web.calls
    assert (call.method, call.headers["Content-Type"]) == ("POST", "application/json")
    assert json.loads(call.body or b"") == {
        "text": "*EdgeSeries dev* FIRING *dead-letters*: 2 wait &amp; more (since 1970-01-01T00:00:00Z)\n"
        "GET &lt;x&gt;\n"
        "*EdgeSeries dev* RESOLVED *backlog*: 5 wait (since 1970-01-01T00:00:00Z)"
    }
    assert [level for level, _, _ in journal.lines] == ["error", "info"]


@pytest.mark.parametrize("web", [FixedWeb(status=404), FixedWeb(failure=OriginUnreachable("x"))])
def test_a_webhook_that_takes_nothing_is_told_by_the_name_of_its_setting(web: FixedWeb) -> None:
    hook, _ = webhook(web)
    with pytest.raises(Transient, match="alertWebhookUrl"):
        asyncio.run(hook.notify([NOTICE]))


def test_without_a_webhook_alerts_are_log_lines() -> None:
    web = FixedWeb()
    hook, journal = webhook(web, url="")
    asyncio.run(hook.notify([NOTICE]))
    assert (web.calls, len(journal.lines)) == ([], 1)
