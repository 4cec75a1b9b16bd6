"""`/api/queue/dlq`: messages that were given up, and giving them another try."""

from dataclasses import dataclass
from typing import Final

from edgeseries.access.grants import Right
from edgeseries.errors import Conflict, NotFound
from edgeseries.http.documents import Document
from edgeseries.jobs.dispatch import dispatch
from edgeseries.jobs.limits import JOB_PAGE_ROWS
from edgeseries.jobs.ports.dead_letters import DeadLetterPosition
from router.contract.answers import (
    SENT_BODY,
    STORE,
    json_answer,
)
from router.contract.parameters import CURSOR, LIMIT
from router.endpoint import Arrival, Endpoint, Scope
from router.outcome import Outcome, json_outcome
from router.parameters import read_fields
from router.ports import Ports
from router.serializers import (
    DeadLetterDocument,
    JobDocument,
    cursor_place,
    cursor_text,
    serialize_dead_letter,
    serialize_job,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLettersDocument(Document):
    """A page of dead letters."""

    letters: tuple[DeadLetterDocument, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedDocument(Document):
    """A dead letter that was replayed, and its job if it is about one."""

    letter: DeadLetterDocument
    job: JobDocument | None


async def list_dead_letters(arrival: Arrival, ports: Ports) -> Outcome:
    """GET: dead letters, the newest first."""
    fields = read_fields(arrival.request, arrival.endpoint.parameters)
    after = None
    if "cursor" in fields:
        buried_ms, letter_id = cursor_place(fields["cursor"])
        after = DeadLetterPosition(buried_ms=buried_ms, letter_id=letter_id)
    page = await ports.dead_letters.page(after=after, limit=fields.get("limit", JOB_PAGE_ROWS))
    return json_outcome(
        DeadLettersDocument(
            letters=tuple(serialize_dead_letter(dead_letter) for dead_letter in page.dead_letters),
            cursor=None if page.after is None else cursor_text(page.after.buried_ms, page.after.letter_id),
        )
    )


async def replay_dead_letter(arrival: Arrival, ports: Ports) -> Outcome:
    """POST: the job of the letter is taken up again, with all that it still lacks; a letter about no job
    goes back into its queue as it was. Raises NotFound, and Conflict for one that was taken up already.
    """
    dead_letter = await ports.dead_letters.find(arrival.path_parameters["letter"])
    if dead_letter is None:
        raise NotFound("there is no such dead letter; GET /api/queue/dlq lists them")
    now_ms = ports.clock.now_ms()
    if dead_letter.replayed_ms is not None:
        raise Conflict("the dead letter was replayed already; if its job failed again, there is a new one")
    if dead_letter.job_id is None:
        if not await ports.job_queue.resend(dead_letter.message, queue=dead_letter.queue):
            raise Conflict(f"the dead letter came from {dead_letter.queue}, which nobody sends to")
        await ports.dead_letters.replayed(dead_letter, now_ms=now_ms)
        return json_outcome(ReplayedDocument(letter=serialize_dead_letter(dead_letter), job=None), status=202)
    if not await ports.jobs.reopen(dead_letter.job_id, now_ms=now_ms):
        job = await ports.job_reader.find(dead_letter.job_id)
        state = "gone" if job is None else str(job.status)
        raise Conflict(f"the dead letter's job is {state}; only failed and cancelled jobs are taken up again")
    await ports.dead_letters.replayed(dead_letter, now_ms=now_ms)
    job = await ports.job_reader.find(dead_letter.job_id)
    assert job is not None, "it was reopened just now"
    await dispatch(job.job_id, job.priority, ports)
    return json_outcome(
        ReplayedDocument(letter=serialize_dead_letter(dead_letter), job=serialize_job(job, now_ms)),
        status=202,
    )


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        pattern="/api/queue/dlq",
        name="listDeadLetters",
        summary="Messages that were given up, the newest first.",
        right=Right.ADMIN,
        scope=Scope.EVERYTHING,
        handler=list_dead_letters,
        parameters=(LIMIT, CURSOR),
        answers={200: json_answer("A page.", DeadLettersDocument)},
        problems=STORE,
    ),
    Endpoint(
        method="POST",
        pattern="/api/queue/dlq/{letter}/replay",
        name="replayDeadLetter",
        summary="Take up the job of a dead letter again, or send a letter about no job as it was.",
        right=Right.ADMIN,
        scope=Scope.EVERYTHING,
        handler=replay_dead_letter,
        answers={202: json_answer("The letter and its job.", ReplayedDocument)},
        problems=(NotFound, Conflict, *STORE, *SENT_BODY),
    ),
)
