"""The pages about jobs agree with the tables and values that they tell of."""

import json
import os
import re
from pathlib import Path

import pytest

from edgeseries.http.documents import to_json
from edgeseries.jobs import states
from edgeseries.jobs.job import Job, Priority
from edgeseries.jobs.messages import DEAD_LETTER_QUEUE, BatchMessage, FailedMessage, PlanMessage
from edgeseries.jobs.ports.dead_letters import DeadLetter
from edgeseries.jobs.states import BATCH_TRANSITIONS, JOB_TRANSITIONS, JobStatus
from edgeseries.series.timerange import TimeRange
from router.serializers import serialize_dead_letter, serialize_job
from stack.wiring import DEAD_LETTERS
from tests.state_diagrams import diagram

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "jobs.md"
DIAGRAM = re.compile(r"(?<=```mermaid\n).*?(?=\n```)", re.DOTALL)

JOB = Job(
    job_id="j",
    owner="",
    site="s",
    point_count=1,
    span=TimeRange(start_ms=0, end_ms=1),
    priority=Priority.NORMAL,
    status=JobStatus.PROCESSING,
    planned_ms=0,
    batch_count=4,
    batches_done=1,
    expected_samples=400,
    expected_done=100,
    sample_count=90,
    retry_count=0,
    error=None,
    created_ms=0,
    started_ms=0,
    ended_ms=None,
    updated_ms=0,
)


def test_the_diagrams_are_made_from_the_tables() -> None:
    made = [diagram(JOB_TRANSITIONS), diagram(BATCH_TRANSITIONS)]
    text = PAGE.read_text(encoding="utf-8")
    if os.environ.get("UPDATE_GOLDEN") == "1":
        pictures = iter(made)
        PAGE.write_text(DIAGRAM.sub(lambda _: next(pictures), text), encoding="utf-8")
        text = PAGE.read_text(encoding="utf-8")
    assert DIAGRAM.findall(text) == made


def test_every_field_of_a_job_is_in_its_page() -> None:
    text = (DOCS / "formats" / "jobs.md").read_text(encoding="utf-8")
    table = text.partition("| field | meaning |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert told == set(to_json(serialize_job(JOB, 1_000)))
    examples = [json.loads(one) for one in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    letter = DeadLetter(
        letter_id="l",
        queue="q",
        job_id=None,
        batch_index=None,
        message={},
        cause="c",
        attempts=1,
        buried_ms=0,
    )
    assert [list(one) for one in examples] == [
        list(to_json(serialize_job(JOB, 1_000))),
        list(to_json(serialize_dead_letter(letter))),
    ]


def test_every_message_is_in_its_page() -> None:
    text = (DOCS / "formats" / "messages.md").read_text(encoding="utf-8")
    for message in (
        PlanMessage(job_id="..."),
        BatchMessage(job_id="...", batch_index=4),
        FailedMessage(queue="...", message={}, cause="...", attempts=4),
    ):
        assert json.dumps(message.to_wire()).replace("{}", "{...}") in text


def test_the_dead_letter_queue_is_known_by_its_name() -> None:
    assert DEAD_LETTERS == DEAD_LETTER_QUEUE


@pytest.mark.parametrize("status", JobStatus)
def test_every_status_is_reached_and_an_ended_job_changes_only_by_being_reopened(status: JobStatus) -> None:
    assert status is JobStatus.QUEUED or status in JOB_TRANSITIONS.values()
    if status in states.ENDED:
        events = {event for before, event in JOB_TRANSITIONS if before is status}
        reopening = {
            states.JobEvent.REOPEN,
            states.JobEvent.REOPEN_UNPLANNED,
            states.JobEvent.REOPEN_DONE,
        }
        assert events == (set() if status is JobStatus.COMPLETED else reopening)
