/**
 * Accounting: the life of one event, from its call to the last of its work, as far as limits go.
 *
 * Owns when an event is over, and the times: of the whole event, and of waitUntil after the
 * response. Must not know how calls are counted (metering.mjs) nor what a Worker does.
 */

import { Tally, bound, meterIsolate, peaks, within } from "./metering.mjs";

/** Bodies that are written while they are read: when the last byte is taken, or the reader has gone. */
const written = new WeakMap();

let lastId = 0;

watchBodies("IdentityTransformStream");
watchBodies("TransformStream");

/** Streams of this class report when their writer is done. */
function watchBodies(name) {
  globalThis[name] = new Proxy(globalThis[name], {
    construct(target, values, newTarget) {
      const channel = Reflect.construct(target, values, newTarget === globalThis[name] ? target : newTarget);
      const { writable } = channel;
      const getWriter = writable.getWriter.bind(writable);
      let done;
      const ended = new Promise((resolve) => (done = resolve));
      writable.getWriter = () => {
        const writer = getWriter();
        writer.closed.then(done, done);
        return writer;
      };
      written.set(channel.readable, ended);
      return channel;
    },
  });
}

/** What an event is called in reports. */
function nameOf(handler, event) {
  if (handler === "fetch") return `${event.method} ${new URL(event.url).pathname}`;
  if (handler === "queue") return `queue ${event.queue} (${event.messages.length} messages)`;
  return `${handler} ${event.cron ?? ""}`.trim();
}

/**
 * Run one event and count what it uses. `interpreter` {busyMs, heapBytes} may come late: it is
 * asked at the event's end. Ends after the handler and all that was handed to waitUntil.
 */
export async function counted(handler, event, ctx, env, { table, report, interpreter }, work) {
  meterIsolate(env, table);
  const id = (lastId += 1);
  const tally = new Tally(table, { id, event: nameOf(handler, event), report });
  const beganMs = Date.now();
  let pending = 1;
  let responseEndMs = null;
  let lastMs = beganMs;
  const settled = () => {
    lastMs = Date.now();
    pending -= 1;
    if (pending === 0) end();
  };
  const end = () => {
    if (lastMs > responseEndMs && !isSocket) tally.note("wait_until_ms", lastMs - responseEndMs);
    if (handler !== "fetch") tally.note("wall_ms", lastMs - beganMs);
    const { busyMs, heapBytes } = interpreter(id);
    tally.note("cpu_ms", busyMs);
    tally.note("memory_bytes", heapBytes);
    tally.end();
    peaks.take(tally);
  };
  const waitUntil = ctx.waitUntil.bind(ctx);
  ctx.waitUntil = (promise) => {
    pending += 1;
    waitUntil(promise);
    Promise.resolve(promise).then(settled, settled);
  };
  let body;
  let isSocket = false;
  try {
    const result = await within(tally, () => work(id));
    body = written.get(result?.body);
    // Of a WebSocket the response ends when it is closed, which is when what writes to it ends.
    isSocket = Boolean(result?.webSocket);
    if (result instanceof Response) tally.note("headers_bytes", sizeOfHeaders(result.headers));
    return result;
  } finally {
    responseEndMs = Date.now();
    if (body === undefined) settled();
    else {
      // The handler is done, its body is not: the response ends when the last of it is taken.
      body.then(() => {
        responseEndMs = Date.now();
        settled();
      });
    }
  }
}

function sizeOfHeaders(headers) {
  let size = 0;
  for (const [name, value] of headers) size += name.length + value.length + ": \r\n".length;
  return size;
}

export { bound, peaks };
