/**
 * Globals: what Pyodide expects of JavaScript's global objects, inside workerd.
 *
 * Owns what is replaced for how long. Must not know any Worker.
 */

/** An address that Pyodide may resolve names against. Nothing is ever fetched from it. */
export const PYODIDE_URL = "https://pyodide.local-host.invalid/";

/**
 * Run `work` while the globals look as Pyodide needs them, and put them back afterwards.
 *
 * `process` must be away, or Pyodide takes the host for Node; `location` must be there. `fetch`
 * answers for the one file that Pyodide asks for itself. All events of the isolate wait for the
 * boot, so no Worker's code sees these globals.
 */
export async function withPyodideGlobals(stdlib, work) {
  const replaced = {
    process: undefined,
    location: new URL(PYODIDE_URL),
    fetch: async (resource) => {
      if (String(resource?.url ?? resource).endsWith("python_stdlib.zip")) return new Response(stdlib);
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
 * the boot, so these stay: bytes go through the eval binding, and its own module is `pyodideWasm`.
 */
export function allowWasmFromBytes(evaluator, pyodideWasm) {
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
