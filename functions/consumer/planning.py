"""A plan message: cut the job into batches, once, and send a message for each."""

from consumer.delivery import Delivery
from consumer.ports import Ports
from edgeseries.jobs.batching import batches_of
from edgeseries.jobs.dispatch import dispatch
from edgeseries.jobs.dispositions import ACK, Disposition
from edgeseries.jobs.messages import PlanMessage
from edgeseries.jobs.states import JobStatus


async def plan_job(message: PlanMessage, delivery: Delivery, ports: Ports) -> Disposition:
    """Lay down the batches of what is missing. A job that is planned already gets its messages again:
    whoever planned it may have ended before they were sent.
    """
    job, query = await ports.job_reader.find(message.job_id), await ports.job_reader.query(message.job_id)
    if job is None or query is None or not job.active:
        ports.journal.line("info", "no job to plan", job=message.job_id, message=delivery.message_id)
        return ACK
    if job.status is JobStatus.QUEUED:
        now_ms, wanted = ports.clock.now_ms(), query.read()
        index = await ports.reader.look_up(wanted)
        fetch_plan = ports.reader.missing(wanted, index, now_ms=now_ms)
        batches = batches_of(
            wanted.points,
            wanted.span,
            missing_days=fetch_plan.missing_days,
            density_per_day=index.density_per_day,
            sizes=ports.batch_sizes,
        )
        status = await ports.batches.plan(message.job_id, batches, now_ms=now_ms)
        ports.journal.line(
            "info", "job planned", job=message.job_id, batches=len(batches), status=status or "by another"
        )
    await dispatch(message.job_id, job.priority, ports)
    return ACK
