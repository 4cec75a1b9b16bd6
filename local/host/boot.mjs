// The boot module: runs a Python bundle on workerd as Cloudflare does, without a network.
//
// On Cloudflare the runtime brings Python itself. workerd here has no Python inside that works
// offline, so this JavaScript Worker loads Pyodide (the same build) from its own modules, lays
// out the bundle, and passes every event to the entry's class `Default`.
//
// It owns the start of Python and the passing of events. It must not know bindings, queues or
// what the bundle does.

// Pyodide takes a host with `process` for Node and looks for files. It has to go before
// pyodide.mjs is evaluated, which is why that module is imported late, inside `boot`.
Object.defineProperty(globalThis, "process", { value: undefined, configurable: true, writable: true });

import * as cloudflareSocketsModule from "cloudflare:sockets";
import * as cloudflareWorkersModule from "cloudflare:workers";
import bundle from "./bundle.zip";
import createPyodideModule from "./pyodide.asm.mjs";
import pyodideWasm from "./pyodide.asm.wasm";
import lockFileContents from "./pyodide-lock.json";
import standardLibrary from "./python_stdlib.zip";

const BUNDLE_DIR = "/session/metadata"; // where Cloudflare puts it
const NOWHERE = "https://pyodide.invalid/"; // a base for URLs that are answered from modules

// What Cloudflare does for each event, in Python: a new instance of the entry's class, arguments
// and result converted by the SDK.
const CALLER = `
import site, sys
sys.path[:0] = ["${BUNDLE_DIR}", "${BUNDLE_DIR}/python_modules"]
site.addsitedir("${BUNDLE_DIR}/python_modules")

from inspect import isawaitable
from pyodide.code import relaxed_call
from workers import python_from_rpc, python_to_rpc
import entry

async def call(event, ctx, env, *arguments):
    handler = getattr(entry.Default(ctx, env), event)
    result = relaxed_call(handler, *map(python_from_rpc, arguments))
    if isawaitable(result):
        result = await result
    return python_to_rpc(result)

call
`;

// workerd compiles no Wasm at run time, but gives the local host a binding that may.
function allowWasm(unsafeEval) {
  const { instantiate, Module } = WebAssembly;
  WebAssembly.Module = new Proxy(Module, { construct: (_, [bytes]) => unsafeEval.newWasmModule(bytes) });
  WebAssembly.instantiate = async (source, imports) => {
    if (source instanceof Module) return instantiate.call(WebAssembly, source, imports);
    const module = unsafeEval.newWasmModule(source);
    return { module, instance: new WebAssembly.Instance(module, imports) };
  };
  WebAssembly.instantiateStreaming = async (_, imports) => ({
    module: pyodideWasm,
    instance: await instantiate.call(WebAssembly, pyodideWasm, imports),
  });
}

async function loadPython() {
  const realFetch = globalThis.fetch;
  globalThis.location ??= new URL(NOWHERE);
  globalThis.fetch = async (resource, options) => {
    const url = String(resource.url ?? resource);
    if (url.startsWith(NOWHERE) && url.endsWith("python_stdlib.zip")) return new Response(standardLibrary);
    if (url.startsWith(NOWHERE)) return new Response(""); // the Wasm: instantiateStreaming has it already
    return realFetch(resource, options);
  };
  try {
    const { loadPyodide } = await import("./pyodide.mjs");
    return await loadPyodide({
      indexURL: NOWHERE,
      packageBaseUrl: NOWHERE,
      lockFileContents: JSON.parse(lockFileContents),
      createPyodideModule,
      stdout: (line) => console.log(line),
      stderr: (line) => console.error(line),
    });
  } finally {
    globalThis.fetch = realFetch;
  }
}

// A Python awaitable handed to waitUntil must outlive the call that made it.
function patchWaitUntil(ctx) {
  if (patched.has(ctx)) return;
  patched.add(ctx);
  const waitUntil = ctx.waitUntil.bind(ctx);
  ctx.waitUntil = (promise) => {
    const kept = "copy" in promise ? promise.copy() : promise;
    waitUntil((async () => {
      try {
        await kept;
      } finally {
        kept.destroy?.();
      }
    })());
  };
}
const patched = new WeakSet();

async function boot(env) {
  allowWasm(env.LOCAL_UNSAFE_EVAL);
  const python = await loadPython();
  python.registerJsModule("_pyodide_entrypoint_helper", {
    cloudflareWorkersModule,
    cloudflareSocketsModule,
    doAnImport: (name) => import(name),
    patchWaitUntil,
  });
  python.registerJsModule("_cloudflare_compat_flags", {});
  python.unpackArchive(new Uint8Array(bundle), "zip", { extractDir: BUNDLE_DIR });
  return python.runPythonAsync(CALLER);
}

// Booted once. The host wakes every Worker before anybody else can send it an event, so that no
// event's end can cut a boot short that others wait for. A boot that failed is not kept.
let booting;
function booted(env) {
  booting ??= boot(env).catch((error) => {
    booting = undefined;
    throw error;
  });
  return booting;
}

// A Python exception arrives with its traceback as the message. It goes to the log, never to a client.
async function pass(event, argument, env, ctx) {
  try {
    const call = await booted(env);
    const result = await call.callWithOptions({ promising: true }, event, ctx, env, argument);
    return result?.js_response ?? result;
  } catch (error) {
    console.error(error?.message ?? String(error));
    throw new Error("the event failed in Python; its traceback is in the log");
  }
}

export default {
  async fetch(request, env, ctx) {
    if (request.headers.get("x-local-wake") === env.LOCAL_WAKE_WORD) {
      try {
        await booted(env);
        return new Response("awake");
      } catch (error) {
        return new Response(error?.message ?? String(error), { status: 500 });
      }
    }
    try {
      return await pass("fetch", request, env, ctx);
    } catch {
      return new Response("internal error\n", { status: 500 });
    }
  },
  queue: (batch, env, ctx) => pass("queue", batch, env, ctx),
  scheduled: (controller, env, ctx) => pass("scheduled", controller, env, ctx),
};
