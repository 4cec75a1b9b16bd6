/**
 * Control: what the parent process may ask of the running host, one JSON object a line.
 *
 * Owns the verbs: fire a schedule, send to a queue, query D1, read and write R2, tell an interpreter's memory. Tests and later
 * commands need them, and a port for them would be one more way in. Must not know any Worker.
 */

import { CONTROL_WORKER } from "./options.mjs";

async function resource(mf, kind, name) {
  const bindings = await mf.getBindings(CONTROL_WORKER);
  const found = bindings[`${kind}:${name}`];
  if (found === undefined) throw new Error(`no ${kind} resource is named ${name}`);
  return found;
}

/** Run a Worker's scheduled handler as the platform does; returns the runtime's outcome. */
export async function fireSchedule(mf, { worker, cron, scheduledTime = Date.now() }) {
  const target = await mf.getWorker(worker);
  return target.scheduled({ cron, scheduledTime: new Date(scheduledTime) });
}

const VERBS = {
  /** Let clients in. Until then every Worker answers 503 to requests; events of queues and crons run. */
  async open(mf, { workers }) {
    for (const worker of workers) {
      const target = await mf.getWorker(worker);
      await target.open();
    }
    return { url: (await mf.ready).origin };
  },

  async "heap-bytes"(mf, { worker }) {
    const target = await mf.getWorker(worker);
    return target.heapBytes();
  },

  /** Whether a Worker's interpreter comes from a snapshot. */
  async restored(mf, { worker }) {
    const target = await mf.getWorker(worker);
    return target.restored();
  },

  async peaks(mf, { worker }) {
    const target = await mf.getWorker(worker);
    return target.peaks();
  },

  scheduled: fireSchedule,

  async "queue-send"(mf, { queue, messages }) {
    const producer = await resource(mf, "queue", queue);
    await producer.sendBatch(messages.map((body) => ({ body, contentType: "json" })));
    return null;
  },

  async d1(mf, { database, sql, params = [] }) {
    const control = await mf.getWorker(CONTROL_WORKER);
    return control.query(`d1:${database}`, sql, params);
  },

  async "r2-list"(mf, { bucket, prefix = "" }) {
    const r2 = await resource(mf, "r2", bucket);
    const keys = [];
    let page;
    do {
      page = await r2.list({ prefix, cursor: page?.cursor });
      keys.push(...page.objects.map((object) => object.key));
    } while (page.truncated);
    return keys;
  },

  async "r2-get"(mf, { bucket, key }) {
    const r2 = await resource(mf, "r2", bucket);
    const object = await r2.get(key);
    return object === null ? null : Buffer.from(await object.arrayBuffer()).toString("base64");
  },

  async "r2-put"(mf, { bucket, key, contentBase64 }) {
    const r2 = await resource(mf, "r2", bucket);
    await r2.put(key, new Uint8Array(Buffer.from(contentBase64, "base64")));
    return null;
  },

  async "r2-delete"(mf, { bucket, key }) {
    const r2 = await resource(mf, "r2", bucket);
    await r2.delete(key);
    return null;
  },
};

/** Answer one line: {id, op, ...} gives {event: "reply", id, result} or {event: "reply", id, error}. */
export async function answer(mf, line) {
  let id = null;
  try {
    const { op, ...request } = JSON.parse(line);
    id = request.id ?? null;
    const verb = Object.hasOwn(VERBS, op) ? VERBS[op] : undefined;
    if (verb === undefined) throw new Error(`unknown op ${op}; known are ${Object.keys(VERBS).join(", ")}`);
    return { event: "reply", id, result: (await verb(mf, request)) ?? null };
  } catch (error) {
    return { event: "reply", id, error: String(error?.message ?? error) };
  }
}

/** Apply the schema's statements to every database, all or none. */
export async function applySchema(mf, plan) {
  if (plan.schema.length === 0) return;
  const control = await mf.getWorker(CONTROL_WORKER);
  for (const database of plan.databases) await control.apply(`d1:${database}`, plan.schema);
}
