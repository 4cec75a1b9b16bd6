"""A batch message: claim, fetch and store, count it done; or give it back, or up."""

from consumer.delivery import Delivery, send_to_dead_letters
from consumer.fetching import ClaimLost, FetchBuffer, fetch_batch
from consumer.ports import Ports
from edgeseries.errors import EdgeError
from edgeseries.jobs.dispositions import ACK, Disposition, PutBack
from edgeseries.jobs.job import Claim
from edgeseries.jobs.limits import LEASE_WAIT_S
from edgeseries.jobs.messages import BatchMessage
from edgeseries.jobs.ports.batches import Refused
from edgeseries.jobs.retrying import GiveUp, after_failure, before_work
from edgeseries.limits import SECOND_MS
from edgeseries.metrics.ports.journal import BatchRecord, counts_text
from edgeseries.origins.work_class import WorkClass
from edgeseries.warming.limits import WARMING_OWNER


async def run_batch(message: BatchMessage, delivery: Delivery, ports: Ports) -> Disposition:
    """Do the batch, if it is there to be done. It may be delivered any number of times."""
    claim = await ports.batches.claim(
        message.job_id, message.batch_index, holder=ports.identity.request_id(), now_ms=ports.clock.now_ms()
    )
    if isinstance(claim, Refused):
        return await refused(claim, message, delivery, ports)
    verdict = before_work(claims=claim.claims)
    if verdict is not None:
        return await given_up(verdict, claim, delivery, ports)
    delivery.claims.append(claim)
    ports.requester.owner = f"key:{claim.owner}" if claim.owner else f"job:{claim.job_id}"
    if claim.owner == WARMING_OWNER:
        ports.requester.work_class = WorkClass.WARMING
    buffer, began_ms = FetchBuffer(site=claim.site), ports.clock.now_ms()
    dropped_before = ports.dropped.copy()
    disposition: Disposition = ACK
    cause: str | None = None
    try:
        await fetch_batch(claim, buffer, ports)
        finished = await ports.batches.finish(claim, delivered=buffer.stored, now_ms=ports.clock.now_ms())
        outcome = "done" if finished else "lost"
    except ClaimLost as lost:
        outcome, cause = "cancelled", lost.detail
    except EdgeError as error:
        cause = f"{type(error).__name__}: {error.detail}"
        outcome, disposition = await failed(error, claim, delivery, ports, delivered=buffer.stored)
    duration_ms = ports.clock.now_ms() - began_ms
    dropped = ports.dropped - dropped_before
    ports.journal.line(
        "info" if cause is None or outcome == "cancelled" else "warning",
        f"batch {outcome}",
        job=claim.job_id,
        batch=claim.batch_index,
        samples=buffer.delivered,
        ms=duration_ms,
        cause=cause,
        dropped=counts_text(dropped),
    )
    ports.journal.batch(
        BatchRecord(
            outcome=outcome,
            priority=claim.priority,
            duration_ms=duration_ms,
            origin_ms=buffer.origin_ms,
            point_count=len(claim.points),
            sample_count=buffer.delivered,
            block_count=buffer.blocks,
            attempt=claim.claims,
            dropped_rows=dropped.total(),
        )
    )
    return disposition


async def refused(why: Refused, message: BatchMessage, delivery: Delivery, ports: Ports) -> Disposition:
    """A batch that cannot be claimed needs no message, unless somebody holds it who may never finish.

    Then a copy of the message waits: the queue would count one that is put back, and dead-letter it.
    """
    ports.journal.line(
        "info", "batch not claimed", job=message.job_id, batch=message.batch_index, cause=why.value
    )
    if why is Refused.HELD:
        await ports.job_queue.resend(message.to_wire(), queue=delivery.queue, delay_s=LEASE_WAIT_S)
    return ACK


async def failed(
    error: EdgeError, claim: Claim, delivery: Delivery, ports: Ports, *, delivered: int = 0
) -> tuple[str, Disposition]:
    """What becomes of the batch, in a word, and of its message. The batch is given back before its
    message, so that whoever gets the message can claim it.
    """
    verdict = after_failure(error, attempts=claim.attempts, claims=claim.claims)
    if isinstance(verdict, GiveUp):
        return "failed", await given_up(verdict, claim, delivery, ports, delivered=delivered)
    now_ms = ports.clock.now_ms()
    await ports.batches.put_back(
        claim,
        cause=f"{type(error).__name__}: {error.detail}",
        counts=verdict.counts,
        now_ms=now_ms,
        due_ms=now_ms + verdict.delay_s * SECOND_MS,
        delivered=delivered,
    )
    if verdict.counts:
        return "retry", PutBack(delay_s=verdict.delay_s)
    # A pause that the upstream asked for is no attempt, and the queue must not count it as one either.
    message = BatchMessage(job_id=claim.job_id, batch_index=claim.batch_index)
    await ports.job_queue.resend(message.to_wire(), queue=delivery.queue, delay_s=verdict.delay_s)
    return "pause", ACK


async def given_up(
    verdict: GiveUp, claim: Claim, delivery: Delivery, ports: Ports, *, delivered: int = 0
) -> Disposition:
    """Give the batch back, so that its dead letter can fail it, and send that."""
    await ports.batches.put_back(
        claim, cause=verdict.cause, counts=True, now_ms=ports.clock.now_ms(), delivered=delivered
    )
    await send_to_dead_letters(verdict, delivery, attempts=claim.attempts + 1, ports=ports)
    return ACK
