"""A batch message: claim, fetch and store, count it done; or give it back, or up."""

from consumer.delivery import Delivery, bury
from consumer.fetching import ClaimLost, fetch_batch
from consumer.ports import Ports
from edgeseries.core.errors import EdgeError
from edgeseries.core.jobs.dispositions import ACK, Disposition, PutBack
from edgeseries.core.jobs.job import Claim
from edgeseries.core.jobs.limits import LEASE_WAIT_S
from edgeseries.core.jobs.messages import BatchMessage
from edgeseries.core.jobs.retrying import GiveUp, after_failure
from edgeseries.ports.batches import Refused


async def run_batch(message: BatchMessage, delivery: Delivery, ports: Ports) -> Disposition:
    """Do the batch, if it is there to be done. It may be delivered any number of times."""
    claim = await ports.batches.claim(
        message.job_id, message.batch_index, holder=ports.identity.request_id(), now_ms=ports.clock.now_ms()
    )
    if isinstance(claim, Refused):
        return await refused(claim, message, delivery, ports)
    began_ms = ports.clock.now_ms()
    try:
        delivered = await fetch_batch(claim, ports)
        finished = await ports.batches.finish(claim, delivered=delivered, now_ms=ports.clock.now_ms())
    except ClaimLost as lost:
        ports.journal.line("info", "batch left", job=claim.job_id, batch=claim.batch_index, cause=lost.detail)
        return ACK
    except EdgeError as error:
        return await failed(error, claim, delivery, ports)
    ports.journal.line(
        "info",
        "batch done" if finished else "batch was not ours any more",
        job=claim.job_id,
        batch=claim.batch_index,
        samples=delivered,
        ms=ports.clock.now_ms() - began_ms,
        jobStatus=finished.job_status if finished else None,
    )
    return ACK


async def refused(why: Refused, message: BatchMessage, delivery: Delivery, ports: Ports) -> Disposition:
    """A batch that cannot be claimed needs no message, unless somebody holds it who may never finish.

    Then a copy of the message waits: the queue would count one that is put back, and bury it.
    """
    ports.journal.line(
        "info", "batch not claimed", job=message.job_id, batch=message.batch_index, cause=why.value
    )
    if why is Refused.HELD:
        await ports.outbox.resend(message.to_wire(), queue=delivery.queue, delay_s=LEASE_WAIT_S)
    return ACK


async def failed(error: EdgeError, claim: Claim, delivery: Delivery, ports: Ports) -> Disposition:
    """Give the batch back before its message, so that whoever gets the message can claim it."""
    verdict = after_failure(error, attempts=claim.attempts, claims=claim.claims)
    cause = f"{type(error).__name__}: {error.detail}"
    ports.journal.line(
        "warning",
        "batch failed",
        job=claim.job_id,
        batch=claim.batch_index,
        attempt=claim.attempts + 1,
        cause=cause,
    )
    counts = isinstance(verdict, GiveUp) or verdict.counts
    await ports.batches.put_back(claim, cause=cause, counts=counts, now_ms=ports.clock.now_ms())
    if isinstance(verdict, GiveUp):
        await bury(verdict, delivery, attempts=claim.attempts + 1, ports=ports)
        return ACK
    if verdict.counts:
        return PutBack(delay_s=verdict.delay_s)
    # A pause that the upstream asked for is no attempt, and the queue must not count it as one either.
    message = BatchMessage(job_id=claim.job_id, batch_index=claim.batch_index)
    await ports.outbox.resend(message.to_wire(), queue=delivery.queue, delay_s=verdict.delay_s)
    return ACK
