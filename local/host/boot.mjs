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

import { Buffer } from "node:buffer";
import * as socketsModule from "cloudflare:sockets";
import * as workersModule from "cloudflare:workers";
import { bound, counted, peaks } from "./local-host/accounting.mjs";
import { current } from "./local-host/metering.mjs";
import bundleText from "./local-host/bundle.json";
import eventsSource from "./local-host/events.py";
import limitsText from "./local-host/limits.json";
import lockText from "./local-host/pyodide-lock.json";
import pyodideWasm from "./local-host/pyodide.asm.wasm";
import stdlibZip from "./local-host/python_stdlib.zip";

/** Binding that may compile Wasm at run time; Miniflare puts it into env, workerd has no other way. */
const EVAL_BINDING = "LOCAL_HOST_EVAL";

/** An address that Pyodide may resolve names against. Nothing is ever fetched from it. */
const PYODIDE_URL = "https://pyodide.local-host.invalid/";

/** Where Cloudflare puts a bundle; `events.py` names the same folder. */
const BUNDLE_DIR = "/session/metadata";

/** How this interpreter names its bytecode (`sys.implementation.cache_tag`). */
const BYTECODE_TAG = "cpython-314";

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

/**
 * Run `work` while the globals look as Pyodide needs them, and put them back afterwards.
 *
 * `process` must be away, or Pyodide takes the host for Node; `location` must be there. `fetch`
 * answers for the one file that Pyodide asks for itself. All events of the isolate wait for the
 * boot, so no Worker's code sees these globals.
 */
async function withPyodideGlobals(work) {
  const replaced = {
    process: undefined,
    location: new URL(PYODIDE_URL),
    fetch: async (resource) => {
      if (String(resource?.url ?? resource).endsWith("python_stdlib.zip")) return new Response(stdlibZip);
      return new Response("", { status: 404 });
    },
  };
  const before = new Map();
  for (const [name, value] of Object.entries(replaced)) {
    before.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  try {
    return await work();
  } finally {
    for (const [name, descriptor] of before) {
      delete globalThis[name];
      if (descriptor !== undefined) Object.defineProperty(globalThis, name, descriptor);
    }
  }
}

/**
 * workerd forbids compiling Wasm from bytes. Pyodide does so for its trampolines, also long after
 * the boot, so these stay: bytes go through the eval binding, and its own module is the one that
 * workerd has compiled already.
 */
function allowWasmFromBytes(evaluator) {
  const { instantiate, Module } = WebAssembly;
  WebAssembly.instantiateStreaming = async (_response, imports) => ({
    module: pyodideWasm,
    instance: await instantiate.call(WebAssembly, pyodideWasm, imports),
  });
  WebAssembly.instantiate = async (source, imports) => {
    if (source instanceof Module) return instantiate.call(WebAssembly, source, imports);
    const module = evaluator.newWasmModule(source);
    return { module, instance: new WebAssembly.Instance(module, imports) };
  };
  WebAssembly.Module = new Proxy(Module, {
    construct: (_target, [bytes]) => evaluator.newWasmModule(bytes),
  });
}

/** Start the interpreter and lay out the bundle. No code of the Worker runs here. */
async function startInterpreter(evaluator) {
  allowWasmFromBytes(evaluator);
  const pyodide = await withPyodideGlobals(async () => {
    // Imported now and not above: both look at `process` when they are evaluated.
    const { default: createPyodideModule } = await import("./local-host/pyodide.asm.mjs");
    const { loadPyodide } = await import("./local-host/pyodide.mjs");
    return loadPyodide({
      indexURL: PYODIDE_URL,
      packageBaseUrl: PYODIDE_URL,
      lockFileContents: JSON.parse(lockText),
      createPyodideModule,
      env: { HOME: "/session" },
      stdout: (line) => console.log(line),
      stderr: (line) => console.error(line),
    });
  });
  registerPlatformModules(pyodide);
  for (const { name, contentBase64, bytecodeBase64 } of bundle.files) {
    writeFile(pyodide, name, contentBase64);
    if (bytecodeBase64 !== undefined) writeFile(pyodide, bytecodeName(name), bytecodeBase64);
  }
  for (const { name, module } of bundle.large) {
    const { default: content } = await import(module);
    writeBytes(pyodide, name, new Uint8Array(content));
  }
  pyodide.FS.mkdirTree(`${BUNDLE_DIR}/python_modules`);
  const events = pyodide.toPy({ __name__: "local_host_events" });
  pyodide.runPython(eventsSource, { globals: events, filename: "local-host/events.py" });
  events.get("lay_out_path")();
  const schedule = pyodide._api.scheduleCallback;
  events.get("count_steps")((callback, delayMs) => schedule(bound(callback), delayMs));
  return {
    call: events.get("call"),
    loadEntry: events.get("load_entry"),
    busyMs: events.get("busy_ms"),
    heapBytes: () => pyodide._module.HEAPU8.length,
  };
}

function writeFile(pyodide, name, contentBase64) {
  writeBytes(pyodide, name, Buffer.from(contentBase64, "base64"));
}

function writeBytes(pyodide, name, bytes) {
  const path = `${BUNDLE_DIR}/${name}`;
  pyodide.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
  pyodide.FS.writeFile(path, bytes);
}

/** Where Python looks for what it need not compile. */
function bytecodeName(name) {
  const [, folder, stem] = /^(.*\/)?([^/]+)\.py$/.exec(name);
  return `${folder ?? ""}__pycache__/${stem}.${BYTECODE_TAG}.pyc`;
}

/** The two modules that the vendored `workers` SDK takes from the platform. */
function registerPlatformModules(pyodide) {
  const patched = new WeakSet();
  pyodide.registerJsModule("_pyodide_entrypoint_helper", {
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
  });
  pyodide.registerJsModule("_cloudflare_compat_flags", { ...globalThis.Cloudflare?.compatibilityFlags });
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
    starting = startInterpreter(env[EVAL_BINDING]).catch((error) => {
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
    const { [EVAL_BINDING]: _hidden, ...bindings } = env;
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
