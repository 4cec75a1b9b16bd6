/**
 * Host: runs a host plan on the Workers runtime and speaks with its parent in lines of JSON.
 *
 *   node host.mjs <plan.json> <state folder> <port>
 *
 * Owns the order of the start, the life of the runtime, and the protocol. On stdout: `awake` when the
 * schema is applied and every Worker that the plan wakes has imported its entry, `log`, `fault` (the last word before
 * exit 1), and `reply`. On stdin: requests (see control.mjs), of which `open` lets clients in; its end
 * means that the parent is gone. Must not know where the plan came from.
 */

import fs from "node:fs";
import readline from "node:readline";
import { Miniflare } from "miniflare";
import { answer, applySchema } from "./control.mjs";
import { startCrons } from "./crons.mjs";
import { HostLog, hostLine, logEvent } from "./log.mjs";
import { pythonFor, miniflareOptions } from "./options.mjs";

const LISTEN_HOST = "127.0.0.1";

function emit(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** A fault in words for whoever started us. */
function describe(error, port) {
  if (error?.code === "ERR_ADDRESS_IN_USE") return `port ${port} is in use; choose another one`;
  return String(error?.message ?? error);
}

/** Import a Worker's entry now, so that a broken one is found at the start and not by a request. */
async function wake(mf, worker) {
  const target = await mf.getWorker(worker.name);
  const traceback = await target.wake();
  if (traceback !== null) throw new Error(`Worker ${worker.name} does not start:\n${traceback}`);
}

async function start(mf, plan) {
  await mf.ready;
  await applySchema(mf, plan);
  // One after the other: they share the runtime's one thread.
  for (const worker of plan.wakeAll ? plan.workers : plan.workers.slice(0, 1)) await wake(mf, worker);
  emit({ event: "awake" });
}

async function main([planPath, stateDir, port]) {
  const plan = JSON.parse(fs.readFileSync(planPath, "utf8"));
  let mf;
  let stopCrons = () => undefined;
  let stopping;
  const stop = (code) => {
    stopping ??= (async () => {
      stopCrons();
      await mf?.dispose().catch(() => undefined);
      process.exit(code);
    })();
    return stopping;
  };
  const listenToSignals = () => {
    for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"]) {
      // Miniflare's own listeners leave the process at once, with a status that looks like a crash.
      process.removeAllListeners(signal);
      process.on(signal, () => stop(0));
    }
  };
  listenToSignals();
  const requests = readline.createInterface({ input: process.stdin });
  requests.on("close", () => stop(0));
  requests.on("line", async (line) => emit(await answer(mf, line)));
  try {
    const python = await pythonFor(plan);
    for (const [worker, { reason }] of python.snapshots) {
      if (reason !== undefined) emit(hostLine("warn", `${worker} boots without a snapshot: ${reason}`));
    }
    const options = miniflareOptions(plan, {
      python,
      listen: { host: LISTEN_HOST, port: Number(port) },
      stateDir,
      log: new HostLog(emit),
      handleStructuredLogs: (line) => emit(logEvent(line)),
    });
    if (stopping !== undefined) return;
    mf = new Miniflare(options);
    listenToSignals();
    await start(mf, plan);
    stopCrons = startCrons(mf, plan, emit);
  } catch (error) {
    if (stopping === undefined) emit({ event: "fault", message: describe(error, port) });
    await stop(1);
  }
}

await main(process.argv.slice(2));
