/**
 * Crons: fires the schedules of the plan, in UTC, as Cloudflare does. Miniflare has no clock for them.
 *
 * Owns when; what runs is the Worker's scheduled handler. Must not know what it does.
 */

import { Cron } from "croner";
import { fireSchedule } from "./control.mjs";

/** Cloudflare's reading: UTC, five fields, weekdays counted from 1 for Sunday. */
export const CRON_OPTIONS = { timezone: "UTC", mode: "5-part", alternativeWeekdays: true };

/** Start all schedules; the function that is returned stops them. A run that fails is reported, not repeated. */
export function startCrons(mf, plan, emit) {
  const jobs = plan.workers.flatMap((worker) =>
    worker.crons.map(
      (cron) =>
        new Cron(cron, CRON_OPTIONS, async (job) => {
          const scheduledTime = (job.currentRun() ?? new Date()).getTime();
          try {
            await fireSchedule(mf, { worker: worker.name, cron, scheduledTime });
          } catch (error) {
            emit({ event: "log", worker: worker.name, level: "error", message: `cron ${cron}: ${error}`, timeMs: Date.now() });
          }
        }),
    ),
  );
  return () => jobs.forEach((job) => job.stop());
}
