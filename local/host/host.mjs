// The local host: starts workerd with the Workers of a plan and stays until it is told to stop.
//
//   node host.mjs PLAN.json
//
// The plan is made by local/plan.py from the Pulumi program's graph; nothing is listed here.
// It speaks JSON lines: events on standard output (ready, log, fault, reply), control on
// standard input (see `operations`). When standard input ends, the parent is gone and so it stops.

import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { randomUUID } from "node:crypto";
import { Cron } from "croner";
import { Log, LogLevel, Miniflare } from "miniflare";

const here = dirname(fileURLToPath(import.meta.url));
const pyodideDir = join(here, "..", "node_modules", "pyodide");
const wakeWord = randomUUID(); // known to this process only: no client can wake, or name, a Worker
const WAKE_URL = "http://wake.invalid/";

const say = (event) => process.stdout.write(JSON.stringify(event) + "\n");
const fault = (message) => say({ event: "fault", message });

function modulesOf(worker, bundleDir) {
  const file = (type, path) => ({ type, contents: type === "esm" || type === "text" ? readFileSync(path, "utf8") : readFileSync(path) });
  return {
    "boot.mjs": file("esm", join(here, "boot.mjs")),
    "pyodide.mjs": file("esm", join(pyodideDir, "pyodide.mjs")),
    "pyodide.asm.mjs": file("esm", join(pyodideDir, "pyodide.asm.mjs")),
    "pyodide.asm.wasm": file("wasm", join(pyodideDir, "pyodide.asm.wasm")),
    "python_stdlib.zip": file("data", join(pyodideDir, "python_stdlib.zip")),
    "pyodide-lock.json": file("text", join(pyodideDir, "pyodide-lock.json")),
    "bundle.zip": file("data", join(bundleDir, worker.bundle)),
    ...Object.fromEntries(Object.entries(worker.javascript).map(([name, contents]) => [name, { type: "esm", contents }])),
  };
}

function workerOf(worker, bundleDir) {
  return {
    config: {
      name: worker.name,
      compatibilityDate: worker.compatibilityDate,
      compatibilityFlags: worker.compatibilityFlags,
      manifest: { mainModule: "boot.mjs", modulesRoot: here, modules: modulesOf(worker, bundleDir) },
      env: { ...worker.env, LOCAL_WAKE_WORD: { type: "text", value: wakeWord } },
      exports: {},
      triggers: worker.triggers,
    },
    dev: { rootPath: here, unsafeEvalBinding: "LOCAL_UNSAFE_EVAL" },
  };
}

async function wake(miniflare, name) {
  const worker = await miniflare.getWorker(name);
  const response = await worker.fetch(WAKE_URL, { headers: { "x-local-wake": wakeWord } });
  if (!response.ok) throw new Error(`${name} does not start:\n${await response.text()}`);
}

async function applySchema(miniflare, plan) {
  for (const { worker, binding } of plan.databases) {
    const database = await miniflare.getD1Database(binding, worker);
    await database.batch(plan.schema.map((statement) => database.prepare(statement)));
  }
}

function startSchedules(miniflare, plan) {
  return plan.workers.flatMap((worker) =>
    worker.triggers
      .filter((trigger) => trigger.type === "scheduled")
      .map(({ schedule }) => new Cron(schedule, { timezone: "UTC", protect: true, catch: (error) => fault(String(error)) }, async () =>
        (await miniflare.getWorker(worker.name)).scheduled({ cron: schedule, scheduledTime: new Date() }))));
}

// What tests and commands may ask of a running host. Bindings are named as the Workers name them.
const operations = {
  scheduled: async (miniflare, { worker, cron }) =>
    (await miniflare.getWorker(worker)).scheduled({ cron, scheduledTime: new Date() }),
  "queue-send": async (miniflare, { worker, binding, body }) =>
    (await miniflare.getQueueProducer(binding, worker)).send(body),
  d1: async (miniflare, { worker, binding, sql, params = [] }) =>
    (await miniflare.getD1Database(binding, worker)).prepare(sql).bind(...params).all(),
  "r2-list": async (miniflare, { worker, binding, prefix = "" }) => {
    const bucket = await miniflare.getR2Bucket(binding, worker);
    const found = [];
    let cursor;
    do {
      const page = await bucket.list({ prefix, cursor });
      found.push(...page.objects.map(({ key, size, etag }) => ({ key, size, etag })));
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor);
    return found;
  },
  "r2-get": async (miniflare, { worker, binding, key }) => {
    const object = await (await miniflare.getR2Bucket(binding, worker)).get(key);
    return object && Buffer.from(await object.arrayBuffer()).toString("base64");
  },
  "r2-put": async (miniflare, { worker, binding, key, base64 }) => {
    await (await miniflare.getR2Bucket(binding, worker)).put(key, Buffer.from(base64, "base64"));
  },
  "r2-delete": async (miniflare, { worker, binding, key }) => {
    await (await miniflare.getR2Bucket(binding, worker)).delete(key);
  },
};

async function control(miniflare, line) {
  let id = null;
  try {
    const request = JSON.parse(line);
    id = request.id;
    if (!(request.op in operations)) throw new Error(`no operation ${request.op}`);
    say({ event: "reply", id, result: (await operations[request.op](miniflare, request)) ?? null });
  } catch (error) {
    say({ event: "reply", id, error: String(error?.message ?? error) });
  }
}

async function main() {
  const planPath = process.argv[2];
  const plan = JSON.parse(readFileSync(planPath, "utf8"));
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    port: plan.port,
    cf: false,
    logRequests: false,
    telemetry: { enabled: false },
    enableDevRegistry: false,
    unsafeTriggerHandlers: false,
    stripDisablePrettyError: true,
    log: new Log(LogLevel.NONE),
    resourcePersistencePath: plan.statePath,
    handleStructuredLogs: ({ timestamp, level, message }) => say({ event: "log", timeMs: timestamp, level, message }),
    workers: plan.workers.map((worker) => workerOf(worker, dirname(planPath))),
  });

  let schedules = [];
  let stopping;
  const stop = (code) => {
    stopping ??= (async () => {
      schedules.forEach((schedule) => schedule.stop());
      await miniflare.dispose().catch(() => {});
      process.exit(code);
    })();
    return stopping;
  };
  process.on("SIGTERM", () => stop(0));
  process.on("SIGINT", () => stop(0));
  const lines = createInterface({ input: process.stdin });
  lines.on("close", () => stop(0));

  try {
    const url = await miniflare.ready;
    await applySchema(miniflare, plan);
    const [front, ...others] = plan.workers.map(({ name }) => name);
    await wake(miniflare, front);
    lines.on("line", (line) => control(miniflare, line));
    say({ event: "ready", url: url.href.replace(/\/$/, "") });
    for (const name of others) await wake(miniflare, name);
    say({ event: "awake" });
    schedules = startSchedules(miniflare, plan);
  } catch (error) {
    fault(String(error?.message ?? error));
    await stop(1);
  }
}

await main();
