/**
 * Interpreter: Pyodide with a bundle laid out in it, started anew or restored from a snapshot of its memory.
 *
 * Owns what an interpreter is made of, in which order, and the snapshot's format. Both who makes snapshots
 * (`snapshot_maker.mjs`, in Node) and who restores them (`boot.mjs`, in the Workers runtime) stand on it. Must not
 * know where bytes come from, nor what any Worker does.
 *
 * A snapshot holds the interpreter's memory with the entry imported, as Cloudflare takes it at a deployment. What
 * JavaScript keeps beside that memory is made again at each start: the file system, the modules that the platform
 * gives, shared objects of wheels. These must come to lie where they lay, which their table and memory bases say.
 */

/** Where Cloudflare puts a bundle; `events.py` names the same folder. */
export const BUNDLE_DIR = "/session/metadata";

/** How this interpreter names its bytecode (`sys.implementation.cache_tag`). */
const BYTECODE_TAG = "cpython-314";

/**
 * Python's environment. Hashes of strings lie in a snapshot and cannot be drawn again, so nobody draws them:
 * Cloudflare has the same setting with the same number (workerd, `src/pyodide/internal/python.ts`).
 */
const ENVIRONMENT = { HOME: "/session", PYTHONHASHSEED: "111" };

/** Modules that the platform gives, by the names that the vendored SDK imports. */
const PLATFORM_MODULES = ["_pyodide_entrypoint_helper", "_cloudflare_compat_flags"];

/** The call of Pyodide that gets a place for a shared object's data; a restored one has its place already. */
const PLACE = "getMemory(metadata.memorySize+memAlign)";

/** Pyodide's module (`pyodide.asm.mjs`, its text), so that `placeOf` may say where a shared object's data lie. */
export function withPlaces(source) {
  if (source.split(PLACE).length !== 2) throw new Error(`pyodide.asm.mjs has not one ${PLACE}: another version?`);
  return source.replace(PLACE, `(Module.localHostPlaceOf?.(libName)??${PLACE})`);
}

/**
 * Start an interpreter.
 *
 * `parts` are {createPyodideModule, loadPyodide, settings, modules, eventsSource}: Pyodide's two functions, further
 * settings of it, the platform's modules by name. `files` are the bundle's, [{name, bytes, bytecode?}]. With a `snapshot`
 * (bytes of the file) memory is restored from it, with `making` one can be taken. Returns {pyodide, events}: the functions
 * of `events.py` as a Python dict. Rejects when the snapshot is not one of this interpreter.
 */
export async function startInterpreter(parts, files, { snapshot, making = false } = {}) {
  const taken = snapshot === undefined ? undefined : openSnapshot(snapshot);
  const bytesOf = new Map(files.map(({ name, bytes }) => [`${BUNDLE_DIR}/${name}`, bytes]));
  const pyodide = await parts.loadPyodide({
    ...parts.settings,
    env: { ...ENVIRONMENT },
    createPyodideModule: async (settings) => {
      const module = await parts.createPyodideModule(settings);
      if (taken !== undefined) makeRoom(module, taken.head, bytesOf);
      return module;
    },
    ...(making ? { _makeSnapshot: true } : {}),
    ...(taken === undefined
      ? {}
      : { _loadSnapshot: taken.memory, _snapshotDeserializer: ({ module }) => parts.modules[module] }),
  });
  if (taken === undefined) {
    for (const name of PLATFORM_MODULES) pyodide.registerJsModule(name, parts.modules[name]);
  }
  writeFiles(pyodide.FS, files);
  const events = pyodide.toPy({ __name__: "local_host_events" });
  pyodide.runPython(parts.eventsSource, { globals: events, filename: "local-host/events.py" });
  if (taken === undefined) events.get("lay_out_path")();
  else events.get("after_restore")();
  return { pyodide, events };
}

/** The snapshot of an interpreter that was started with `making`, as the bytes of a file. */
export function takeSnapshot(pyodide, modules) {
  const { HEAPU8, HEAPU32, LDSO, wasmTable } = pyodide._module;
  const libraries = [];
  for (const [handle, { name }] of Object.entries(LDSO.loadedLibsByHandle)) {
    if (Number(handle) === 0) continue;
    // Where `dlopen` notes both: the struct of Emscripten's dynamic linker.
    const noted = (offset) => HEAPU32[(Number(handle) + offset) >>> 2];
    libraries.push({ name, handle: Number(handle), memoryBase: noted(12), tableBase: noted(20) });
  }
  libraries.sort((one, other) => one.tableBase - other.tableBase);
  const memory = pyodide.makeMemorySnapshot({
    serializer(value) {
      const module = PLATFORM_MODULES.find((name) => modules[name] === value);
      if (module === undefined) throw new Error(`a module keeps a JavaScript object: ${value}`);
      return { module };
    },
  });
  const head = { length: memory.length, heapBytes: HEAPU8.length, tableLength: wasmTable.length, libraries };
  const text = new TextEncoder().encode(JSON.stringify(head));
  const start = placeOfMemory(text.length);
  const file = new Uint8Array(start + memory.length);
  new DataView(file.buffer).setUint32(0, text.length, true);
  file.set(text, HEAD_START);
  file.set(memory, start);
  return file;
}

/** The file: the length of the head (32 bit, little endian), the head as JSON, and at a multiple of 8 the memory. */
const HEAD_START = 4;
function placeOfMemory(headLength) {
  return Math.ceil((HEAD_START + headLength) / 8) * 8;
}

function openSnapshot(file) {
  const headLength = new DataView(file.buffer, file.byteOffset).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(file.subarray(HEAD_START, HEAD_START + headLength)));
  const memory = file.subarray(placeOfMemory(headLength));
  if (memory.length !== head.length) throw new Error(`the file has ${memory.length} bytes of ${head.length}`);
  return { head, memory };
}

/** Make a new module as the one was whose memory comes next: as large, with its shared objects at their places. */
function makeRoom(module, { heapBytes, tableLength, libraries }, bytesOf) {
  module.growMemory(heapBytes);
  const places = new Map(libraries.map(({ name, memoryBase }) => [name, memoryBase]));
  module.localHostPlaceOf = (name) => places.get(name);
  for (const { name, handle, tableBase } of libraries) {
    if (module.wasmTable.length !== tableBase) {
      throw new Error(`${name} would come to ${module.wasmTable.length} of the table, not to ${tableBase}`);
    }
    const library = module.newDSO(name, undefined, "loading");
    library.global = false;
    const flags = { loadAsync: false, nodelete: true, allowUndefined: true };
    library.exports = module.loadWebAssemblyModule(bytesOf.get(name), flags, name, {}, 0);
    module.LDSO.loadedLibsByHandle[handle] = library;
  }
  module.localHostPlaceOf = undefined;
  if (module.wasmTable.length !== tableLength || module.HEAPU8.length !== heapBytes) {
    throw new Error(`table ${module.wasmTable.length} of ${tableLength}, memory ${module.HEAPU8.length} of ${heapBytes}`);
  }
}

/** Lay out the bundle. The file system keeps the bytes that it is given. */
function writeFiles(fs, files) {
  const made = new Set();
  const write = (name, bytes) => {
    const path = `${BUNDLE_DIR}/${name}`;
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (!made.has(folder)) fs.mkdirTree(folder);
    made.add(folder);
    fs.writeFile(path, bytes, { canOwn: true });
  };
  for (const { name, bytes, bytecode } of files) {
    write(name, bytes);
    if (bytecode !== undefined) write(bytecodeName(name), bytecode);
  }
  fs.mkdirTree(`${BUNDLE_DIR}/python_modules`);
}

/** Where Python looks for what it need not compile. */
function bytecodeName(name) {
  const [, folder, stem] = /^(.*\/)?([^/]+)\.py$/.exec(name);
  return `${folder ?? ""}__pycache__/${stem}.${BYTECODE_TAG}.pyc`;
}
