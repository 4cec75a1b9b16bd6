/**
 * Boot: the JavaScript Worker that stands in for Cloudflare's Python runtime on this machine.
 *
 * Owns starting Pyodide inside workerd, laying out the bundle for Python, and turning events into
 * calls of the entry. It exists because the runtime's own Python bundle is not published for use
 * without a network. Must not know what any Worker does: it sees a bundle and events.
 *
 * It stands at the root of the module tree, so that `import_from_javascript("./x.mjs")` of a
 * bundle finds its module by the same name as in production.
 */

import * as socketsModule from "cloudflare:sockets";
import * as workersModule from "cloudflare:workers";
import { bound, counted, peaks } from "./local-host/accounting.mjs";
import { current } from "./local-host/metering.mjs";
import { PYODIDE_URL, allowWasmFromBytes, withPyodideGlobals } from "./local-host/globals.mjs";
import { startInterpreter } from "./local-host/interpreter.mjs";
import bundleBytes from "./local-host/bundle.bin";
import bundleText from "./local-host/bundle.json";
import eventsSource from "./local-host/events.py";
import limitsText from "./local-host/limits.json";
import lockText from "./local-host/pyodide-lock.json";

/** Binding that may compile Wasm at run time; Miniflare puts it into env, workerd has no other way. */
const EVAL_BINDING = "LOCAL_HOST_EVAL";

/** Bindings that read files of this machine by their names: of the project, and snapshots. Absent without any. */
const FILES_BINDING = "LOCAL_HOST_FILES";
const SNAPSHOTS_BINDING = "LOCAL_HOST_SNAPSHOTS";

/** Frame around the Worker's name at the head of each console line; `log.mjs` takes it off again. */
const NAME_START = "\u001e";
const NAME_END = "\u001f";

/** At the head of a line that reports a passed limit, after the name; `log.mjs` makes an event of it. */
const LIMIT_MARK = "\u001d";

const bundle = JSON.parse(bundleText);
const limits = JSON.parse(limitsText);
const mainModule = bundle.mainModule.replace(/\.py$/, "");

const say = console.log.bind(console, `${NAME_START}${bundle.worker}${NAME_END}`);

nameConsoleLines();

/** workerd's log says not which Worker spoke, and a traceback carries no name of its own. */
function nameConsoleLines() {
  for (const level of ["debug", "error", "info", "log", "warn"]) {
    const write = console[level].bind(console);
    console[level] = (...values) => {
      current()?.add("log_bytes", values.reduce((sum, value) => sum + String(value).length, 0));
      write(`${NAME_START}${bundle.worker}${NAME_END}`, ...values);
    };
  }
}

/** Tell the host of an event that passed a limit. */
function reportPassed(passed) {
  say(`${LIMIT_MARK}${JSON.stringify(passed)}`);
}

/** Files of this machine that are too large to be part of the runtime's configuration, by their names. */
async function fetched(files, name) {
  const response = await files.fetch(`http://local-host/${name}`);
  if (!response.ok) throw new Error(`${name} cannot be read: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The bundle's files: the small ones are parts of one module, the large ones are fetched. */
async function filesOfBundle(files) {
  let place = 0;
  const next = (length) => new Uint8Array(bundleBytes, place, ((place += length), length));
  const small = bundle.files.map(({ name, length, bytecodeLength }) => ({
    name,
    bytes: next(length),
    bytecode: bytecodeLength === undefined ? undefined : next(bytecodeLength),
  }));
  const large = bundle.large.map(async ({ name, file }) => ({ name, bytes: await fetched(files, file) }));
  return [...small, ...(await Promise.all(large))];
}

/** What an interpreter of this isolate is made of; compiled and fetched once, whether a snapshot is of use or not. */
async function partsOfInterpreter(files, evaluator) {
  const stdlib = await fetched(files, bundle.stdlib);
  allowWasmFromBytes(evaluator, evaluator.newWasmModule(await fetched(files, bundle.wasm)));
  return {
    stdlib,
    createPyodideModule: async (settings) => (await import("./local-host/pyodide.asm.mjs")).default(settings),
    loadPyodide: async (options) => (await import("./local-host/pyodide.mjs")).loadPyodide(options),
    settings: {
      indexURL: PYODIDE_URL,
      packageBaseUrl: PYODIDE_URL,
      lockFileContents: JSON.parse(lockText),
      stdout: (line) => console.log(line),
      stderr: (line) => console.error(line),
    },
    modules: platformModules(),
    eventsSource,
  };
}

/** Restore the interpreter from the bundle's snapshot, or start it anew: where there is none, or it is of no use. */
async function restoredOrStarted(parts, files, snapshots) {
  if (bundle.snapshot !== null) {
    try {
      const snapshot = await fetched(snapshots, bundle.snapshot);
      return { ...(await startInterpreter(parts, files, { snapshot })), restored: true };
    } catch (error) {
      console.warn(`booted without its snapshot, which cannot be restored: ${error?.message ?? error}`);
    }
  }
  return { ...(await startInterpreter(parts, files)), restored: false };
}

/** The interpreter with the bundle laid out. Of the Worker no code runs here, unless a snapshot has run it. */
async function boot(env) {
  const parts = await partsOfInterpreter(env[FILES_BINDING], env[EVAL_BINDING]);
  const files = await filesOfBundle(env[FILES_BINDING]);
  // Both modules of Pyodide are imported in here: they look at `process` when they are evaluated.
  const { pyodide, events, restored } = await withPyodideGlobals(parts.stdlib, () =>
    restoredOrStarted(parts, files, env[SNAPSHOTS_BINDING]),
  );
  const schedule = pyodide._api.scheduleCallback;
  events.get("count_steps")((callback, delayMs) => schedule(bound(callback), delayMs));
  return {
    restored,
    call: events.get("call"),
    loadEntry: events.get("load_entry"),
    busyMs: events.get("busy_ms"),
    heapBytes: () => pyodide._module.HEAPU8.length,
  };
}

/** The two modules that the vendored `workers` SDK takes from the platform. */
function platformModules() {
  const patched = new WeakSet();
  const helper = {
    cloudflareWorkersModule: workersModule,
    cloudflareSocketsModule: socketsModule,
    doAnImport: (name) => import(name),
    // Python hands in futures, which die with the call that made them unless they are copied.
    patchWaitUntil(ctx) {
      if (patched.has(ctx)) return;
      patched.add(ctx);
      const waitUntil = ctx.waitUntil.bind(ctx);
      ctx.waitUntil = (promise) => {
        const kept = typeof promise?.copy === "function" ? promise.copy() : promise;
        waitUntil(
          (async () => {
            try {
              await kept;
            } finally {
              if (kept !== promise) kept.destroy();
            }
          })(),
        );
      };
    },
  };
  const flags = { ...globalThis.Cloudflare?.compatibilityFlags };
  return { _pyodide_entrypoint_helper: helper, _cloudflare_compat_flags: flags };
}

/** Whether clients are let in: the schema is applied, and all Workers are awake. */
let isOpen = false;

/** The answer to a client who comes before. */
const STARTING = { status: 503, headers: { "Content-Type": "text/plain", "Retry-After": "1" } };

/** The interpreter's promise, shared by all events of the isolate; forgotten when it fails. */
let starting;

/** Whether the entry has been imported. A failed import is tried again by the next event. */
let entryLoaded = false;

/** The interpreter with the entry imported; rejects with a PythonError when the entry does not import. */
async function ready(env) {
  if (starting === undefined) {
    starting = boot(env).catch((error) => {
      starting = undefined;
      throw error;
    });
  }
  const interpreter = await starting;
  if (!entryLoaded) {
    interpreter.loadEntry(mainModule);
    entryLoaded = true;
  }
  return interpreter;
}

/** What went wrong, for the log: of a Python exception its traceback, which is its message. */
function describe(error) {
  if (error?.name === "PythonError") return error.message.trimEnd();
  return error?.stack ?? String(error);
}

/** Run one event. Every failure is logged here, readable, and then thrown as one short line. */
async function run(handler, event, ctx, env) {
  try {
    // Booting is no part of an event: production restores a snapshot.
    const { call, busyMs, heapBytes } = await ready(env);
    const { [EVAL_BINDING]: _eval, [FILES_BINDING]: _files, [SNAPSHOTS_BINDING]: _snapshots, ...bindings } = env;
    const interpreter = (id) => ({ busyMs: busyMs(id), heapBytes: heapBytes() });
    const counting = { table: limits, report: reportPassed, interpreter };
    return await counted(handler, event, ctx, bindings, counting, async (id) => {
      // `promising` puts the call on a stack of its own, so that Python may block on a promise.
      const result = await call.callWithOptions({ promising: true }, mainModule, handler, ctx, bindings, event, id);
      return result?.js_response ?? result;
    });
  } catch (error) {
    console.error(describe(error));
    throw new Error(`${handler} of ${bundle.worker} failed; its traceback is in the log`);
  }
}

export default class extends workersModule.WorkerEntrypoint {
  async fetch(request) {
    if (!isOpen) return new Response("the local host is starting; ask again in a second\n", STARTING);
    try {
      const response = await run("fetch", request, this.ctx, this.env);
      if (response instanceof Response) return response;
      console.error(`fetch of ${bundle.worker} gave no Response but ${response}`);
    } catch {
      // Logged where it was thrown.
    }
    // Production shows its error 1101 page. No text of ours reaches the client there either.
    return new Response("internal error", { status: 500, headers: { "Content-Type": "text/plain" } });
  }

  async queue(batch) {
    await run("queue", batch, this.ctx, this.env);
  }

  async scheduled(controller) {
    await run("scheduled", controller, this.ctx, this.env);
  }

  /** Bytes of the interpreter's memory. WebAssembly memory grows and never shrinks, so it is the most so far. */
  async heapBytes() {
    const { heapBytes } = await ready(this.env);
    return heapBytes();
  }

  /** Whether the interpreter's memory comes from a snapshot. */
  async restored() {
    const { restored } = await ready(this.env);
    return restored;
  }

  /** Answer requests from now on. */
  async open() {
    isOpen = true;
  }

  /** What events used at most of each limit since the last call, and all together (`Peaks`). */
  peaks() {
    return peaks.report();
  }

  /** Boot and import the entry, no more. Called by the host alone: methods have no address outside. */
  async wake() {
    try {
      await ready(this.env);
      return null;
    } catch (error) {
      return describe(error);
    }
  }
}
