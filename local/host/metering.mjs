/**
 * Metering: the platform's objects of an isolate, made to count what events use of the limits.
 *
 * Owns which call counts as what. Methods of the bindings' own classes are replaced, once an
 * isolate, so that code reaches its bindings as always; which event calls is known by the async
 * context. What no event calls is not counted. Must not know any Worker.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { Peaks, Tally, WritePace } from "./limits.mjs";

/** The event that runs, for whatever it calls, also long after. */
const running = new AsyncLocalStorage();

/** Keys whose last write is remembered; a test writes some thousands a second at most. */
const PACED_KEYS = 10_000;

const R2_TOO_MANY_WRITES = "put: Reduce your concurrent request rate for the same object. (10058)";

const SECOND_MS = 1_000;

const encoder = new TextEncoder();

export const peaks = new Peaks();

/** Bytes of a text in UTF-8, without making them where it is plain ASCII or short of `bound` anyway. */
function bytesOf(text, bound) {
  return text.length * 3 <= bound ? text.length : encoder.encode(text).length;
}

/** The tally of the running event, undefined outside of events. */
export function current() {
  return running.getStore();
}

/** Run `work` as part of an event. */
export function within(tally, work) {
  return running.run(tally, work);
}

export { Tally };

/** A callback as part of the event that hands it over: Pyodide runs what is due through one shared channel. */
export function bound(callback) {
  const tally = running.getStore();
  return tally === undefined ? callback : () => running.run(tally, callback);
}

/** Replace a method of an object's class by `make(method)`; once, however many objects are of it. */
const replaced = new WeakMap();
function replace(prototype, name, make) {
  const names = replaced.get(prototype) ?? new Set();
  if (names.has(name) || typeof prototype[name] !== "function") return;
  replaced.set(prototype, names.add(name));
  Object.defineProperty(prototype, name, { value: make(prototype[name]), configurable: true, writable: true });
}

/** Count a call, give it its turn, and leave its place once the answer's head is there. */
function metered(method, { count, connection }) {
  return function (...values) {
    const tally = running.getStore();
    if (tally === undefined) return method.apply(this, values);
    try {
      tally.add("subrequests");
      count?.(tally, ...values);
    } catch (passed) {
      return Promise.reject(passed);
    }
    if (!connection) return method.apply(this, values);
    const place = tally.takePlace();
    const call = () => {
      let promise;
      try {
        promise = Promise.resolve(method.apply(this, values));
      } catch (error) {
        tally.leavePlace();
        throw error;
      }
      const leave = () => tally.leavePlace();
      promise.then(leave, leave);
      return promise;
    };
    return place === null ? call() : place.then(call);
  };
}

function meterFetch() {
  globalThis.fetch = metered(globalThis.fetch, { connection: true });
}

function meterCache() {
  const prototype = Object.getPrototypeOf(caches.default);
  const count = (tally) => tally.add("cache_calls");
  for (const verb of ["match", "put", "delete"]) {
    replace(prototype, verb, (method) => metered(method, { count, connection: true }));
  }
}

function meterBucket(bucket, table) {
  const prototype = Object.getPrototypeOf(bucket);
  const pace = new WritePace(SECOND_MS / table.r2_key_writes.value, PACED_KEYS);
  const key = (tally, name) => tally.observe("r2_key_bytes", bytesOf(String(name), table.r2_key_bytes.value));
  const counts = {
    get: key,
    head: key,
    list: (tally, options) => tally.observe("r2_keys", options?.limit ?? 0),
    delete: (tally, keys) => tally.observe("r2_keys", Array.isArray(keys) ? keys.length : 1),
    put: (tally, name, _content, options) => {
      key(tally, name);
      const pairs = Object.entries(options?.customMetadata ?? {});
      const size = pairs.reduce((sum, pair) => sum + encoder.encode(pair.join("")).length, 0);
      tally.observe("r2_metadata_bytes", size);
    },
  };
  for (const [verb, count] of Object.entries(counts)) {
    replace(prototype, verb, (method) => metered(verb === "put" ? paced(method, pace) : method, { count, connection: true }));
  }
}

/** R2's put as it is on the platform: a key that was written just now is refused for the rest of a second. */
function paced(put, pace) {
  return async function (key, ...rest) {
    const tally = running.getStore();
    if (!pace.allows(key, Date.now())) {
      tally?.used.set("r2_key_writes", (tally.used.get("r2_key_writes") ?? 0) + 1);
      throw new Error(R2_TOO_MANY_WRITES);
    }
    const written = await put.call(this, key, ...rest);
    if (written !== null) pace.wrote(key, Date.now());
    return written;
  };
}

function meterDatabase(database, table) {
  const prototype = Object.getPrototypeOf(database);
  const value = (one) => {
    if (typeof one === "string") return bytesOf(one, table.d1_value_bytes.value);
    return one?.byteLength ?? 8;
  };
  const statementPrototype = Object.getPrototypeOf(database.prepare("SELECT 1"));
  replace(prototype, "prepare", (method) => function (sql) {
    running.getStore()?.observe("d1_statement_bytes", bytesOf(sql, table.d1_statement_bytes.value));
    return method.call(this, sql);
  });
  replace(statementPrototype, "bind", (method) => function (...values) {
    const tally = running.getStore();
    if (tally !== undefined) {
      tally.observe("d1_parameters", values.length);
      for (const one of values) tally.observe("d1_value_bytes", value(one));
    }
    return method.apply(this, values);
  });
  const one = (tally) => tally.add("d1_queries");
  for (const verb of ["all", "first", "raw", "run"]) replace(statementPrototype, verb, (method) => metered(method, { count: one }));
  const each = (tally, statements) => tally.add("d1_queries", statements.length);
  replace(prototype, "batch", (method) => metered(method, { count: each }));
  replace(prototype, "exec", (method) => metered(method, { count: one }));
}

function meterQueue(queue) {
  const prototype = Object.getPrototypeOf(queue);
  const size = (body) => encoder.encode(JSON.stringify(body) ?? "").length;
  replace(prototype, "send", (method) => metered(method, {
    connection: true,
    count: (tally, body, options) => {
      tally.observe("queue_message_bytes", size(body));
      tally.observe("queue_delay_s", options?.delaySeconds ?? 0);
    },
  }));
  replace(prototype, "sendBatch", (method) => metered(method, {
    connection: true,
    count: (tally, messages, options) => {
      const sizes = messages.map((message) => size(message.body));
      tally.observe("queue_send_messages", messages.length);
      for (const one of sizes) tally.observe("queue_message_bytes", one);
      tally.observe("queue_send_bytes", sizes.reduce((sum, one) => sum + one, 0));
      for (const message of messages) tally.observe("queue_delay_s", message.delaySeconds ?? options?.delaySeconds ?? 0);
    },
  }));
}

function meterDataset(dataset) {
  const prototype = Object.getPrototypeOf(dataset);
  const bytes = (texts) => texts.reduce((sum, text) => sum + encoder.encode(String(text)).length, 0);
  replace(prototype, "writeDataPoint", (method) => function (point) {
    const tally = running.getStore();
    if (tally !== undefined) {
      const { blobs = [], doubles = [], indexes = [] } = point ?? {};
      tally.add("data_points");
      tally.observe("data_point_fields", Math.max(blobs.length, doubles.length));
      tally.observe("data_point_blob_bytes", bytes(blobs));
      tally.observe("data_point_index_bytes", bytes(indexes));
    }
    return method.call(this, point);
  });
}

/** How to count a binding, by a method that only its kind has: Miniflare's stand-ins have class names of their own. */
const METERS = [
  ["createMultipartUpload", meterBucket],
  ["prepare", meterDatabase],
  ["sendBatch", meterQueue],
  ["writeDataPoint", meterDataset],
];

let done = false;

/** Make the isolate's objects count by a table of limits. Once; called in the first event. */
export function meterIsolate(env, table) {
  if (done) return;
  done = true;
  meterFetch();
  meterCache();
  for (const binding of Object.values(env)) {
    const found = METERS.find(([method]) => typeof binding?.[method] === "function");
    found?.[1](binding, table);
  }
}
