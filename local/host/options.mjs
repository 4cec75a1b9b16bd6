/**
 * Options: from the host plan to the options of Miniflare.
 *
 * Owns which files go into a local Worker beside its bundle, and the Worker through which the
 * control channel reaches resources. Must not know where the plan came from.
 */

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { compiled, fileDigest } from "./bytecode.mjs";
import { withPlaces } from "./interpreter.mjs";
import { snapshotsOf } from "./snapshots.mjs";

/** The Worker whose bindings are every resource of the plan; the control channel uses them. */
export const CONTROL_WORKER = "local-host-control";

const HERE = import.meta.dirname;

/** The project, from which the boot module reads large files; their names begin here. */
const ROOT = path.resolve(HERE, "../..");

const PYODIDE_PACKAGE = createRequire(import.meta.url).resolve("pyodide/package.json");
const PYODIDE_DIR = path.dirname(PYODIDE_PACKAGE);
const PYODIDE_VERSION = JSON.parse(fs.readFileSync(PYODIDE_PACKAGE, "utf8")).version;
const STDLIB = "python_stdlib.zip";
const JAVASCRIPT_TYPE = "application/javascript+module";
const WASM_TYPE = "application/wasm";

/** What is made of the Python that the plan's Workers run: bytecode (`bytecode.mjs`) and snapshots (`snapshots.mjs`). */
export async function pythonFor(plan) {
  const stdlib = { path: path.join(PYODIDE_DIR, STDLIB), version: PYODIDE_VERSION };
  const made = await compiled(stdlib, plan.workers.flatMap((worker) => worker.files));
  const found = await snapshotsOf(plan.snapshots, plan.workers, { ...made, version: PYODIDE_VERSION });
  return { ...made, snapshots: new Map(plan.workers.map(({ name }, place) => [name, found[place]])) };
}

/** Miniflare's instance options. `listen` is {host, port}; `stateDir` holds all durable state. */
export function miniflareOptions(plan, { python, listen, stateDir, log, handleStructuredLogs }) {
  return {
    ...listen,
    log,
    handleStructuredLogs,
    logRequests: false,
    resourcePersistencePath: path.resolve(stateDir),
    // Nothing on this machine may depend on a network: no telemetry, no fetch of example request
    // properties, no registry of other sessions.
    cf: false,
    telemetry: { enabled: false },
    enableDevRegistry: false,
    workers: [
      ...plan.workers.map((worker) => pythonWorker(worker, plan.limits, python)),
      ...plan.scripts.map((script) => scriptWorker(script, plan.workers[0])),
      controlWorker(plan),
    ],
  };
}

function pythonWorker(worker, limits, python) {
  return {
    config: {
      name: worker.name,
      compatibilityDate: worker.compatibilityDate,
      compatibilityFlags: worker.compatibilityFlags,
      manifest: { mainModule: "local-host.mjs", modulesRoot: HERE, modules: modulesOf(worker, limits, python) },
      env: { ...worker.env, ...filesOf(worker, python) },
      triggers: worker.triggers,
      // Served before the Worker is asked; `_headers` of the folder are the headers of their answers.
      ...(worker.assets === null ? {} : { assets: worker.assets }),
    },
    dev: { unsafeEvalBinding: "LOCAL_HOST_EVAL" },
  };
}

/** A JavaScript Worker for comparison: the bindings of the public Worker, paths of its own. */
function scriptWorker(script, like) {
  return {
    config: {
      name: script.name,
      compatibilityDate: like.compatibilityDate,
      compatibilityFlags: like.compatibilityFlags,
      manifest: {
        mainModule: "script.mjs",
        modulesRoot: HERE,
        modules: { "script.mjs": { type: "esm", contents: script.source } },
      },
      env: like.env,
      triggers: [{ type: "fetch", pattern: `*${script.path}*` }],
    },
  };
}

/** Boot module first, then Pyodide, then the bundle: JavaScript and WebAssembly as modules, the rest for Python. */
function modulesOf(worker, limits, python) {
  const isModule = (file) => file.contentType === JAVASCRIPT_TYPE || file.contentType === WASM_TYPE;
  const forPython = worker.files.filter((file) => !isModule(file));
  const small = forPython
    .filter(({ path }) => path === undefined)
    .map((file) => ({
      name: file.name,
      bytes: Buffer.from(file.contentBase64, "base64"),
      bytecode: python.bytecode.get(fileDigest(file)),
    }));
  const bundle = {
    worker: worker.name,
    mainModule: worker.mainModule,
    files: small.map(({ name, bytes, bytecode }) => ({ name, length: bytes.length, bytecodeLength: bytecode?.length })),
    // What has megabytes is no part of the configuration: the boot module fetches it.
    large: forPython.filter(({ path }) => path !== undefined).map((file) => ({ name: file.name, file: inProject(file.path) })),
    stdlib: inProject(python.stdlib),
    wasm: inProject(path.join(PYODIDE_DIR, "pyodide.asm.wasm")),
    snapshot: snapshotOf(worker, python),
  };
  const modules = {
    "local-host.mjs": { type: "esm", contents: ownFile("boot.mjs") },
    "local-host/accounting.mjs": { type: "esm", contents: ownFile("accounting.mjs") },
    "local-host/globals.mjs": { type: "esm", contents: ownFile("globals.mjs") },
    "local-host/interpreter.mjs": { type: "esm", contents: ownFile("interpreter.mjs") },
    "local-host/limits.mjs": { type: "esm", contents: ownFile("limits.mjs") },
    "local-host/metering.mjs": { type: "esm", contents: ownFile("metering.mjs") },
    "local-host/limits.json": { type: "text", contents: JSON.stringify(limitsOf(worker, limits)) },
    "local-host/events.py": { type: "text", contents: ownFile("events.py") },
    "local-host/bundle.bin": { type: "data", contents: new Uint8Array(Buffer.concat(small.flatMap(contentsOf))) },
    "local-host/bundle.json": { type: "text", contents: JSON.stringify(bundle) },
    "local-host/pyodide.mjs": pyodideModule("esm", "pyodide.mjs"),
    "local-host/pyodide.asm.mjs": { type: "esm", contents: withPlaces(pyodideModule("esm", "pyodide.asm.mjs").contents) },
    "local-host/pyodide-lock.json": pyodideModule("text", "pyodide-lock.json"),
  };
  for (const file of worker.files.filter(isModule)) {
    const contents = file.path === undefined ? Buffer.from(file.contentBase64, "base64") : fs.readFileSync(file.path);
    modules[file.name] =
      file.contentType === WASM_TYPE
        ? { type: "wasm", contents: new Uint8Array(contents) }
        : { type: "esm", contents: contents.toString("utf8") };
  }
  return modules;
}

/** What the boot module reads files by. */
function filesOf({ name }, { snapshots }) {
  const { file } = snapshots.get(name);
  const folder = file === undefined ? {} : { LOCAL_HOST_SNAPSHOTS: { type: "disk", path: path.dirname(file) } };
  return { LOCAL_HOST_FILES: { type: "disk", path: ROOT }, ...folder };
}

function contentsOf({ bytes, bytecode }) {
  return bytecode === undefined ? [bytes] : [bytes, bytecode];
}

/** Which snapshot a Worker's interpreter is restored from; null for none. */
function snapshotOf({ name }, { snapshots }) {
  const { file } = snapshots.get(name);
  return file === undefined ? null : path.basename(file);
}

/** The name of a file below the project's root, as the boot module fetches it. */
function inProject(file) {
  const name = path.relative(ROOT, file);
  if (name.startsWith("..")) throw new Error(`${file} is not in the project's folder`);
  return name.split(path.sep).map(encodeURIComponent).join("/");
}

/** The table of limits that a Worker is counted by: with its own CPU time. */
function limitsOf({ cpuLimitMs }, limits) {
  return { ...limits, cpu_ms: { ...limits.cpu_ms, value: cpuLimitMs } };
}

function ownFile(name) {
  return fs.readFileSync(path.join(HERE, name), "utf8");
}

function pyodideModule(type, name) {
  return fileModule(type, path.join(PYODIDE_DIR, name));
}

const modulesOfFiles = new Map();

/** All Workers carry the same megabytes; they are read once. */
function fileModule(type, file) {
  if (!modulesOfFiles.has(file)) {
    const contents = fs.readFileSync(file);
    const isText = type === "esm" || type === "text";
    modulesOfFiles.set(file, isText ? contents.toString("utf8") : new Uint8Array(contents));
  }
  return { type, contents: modulesOfFiles.get(file) };
}

/** A Worker without an address: it holds the bindings for the control channel. */
function controlWorker(plan) {
  const env = {};
  for (const name of plan.buckets) env[`r2:${name}`] = { type: "r2", name };
  for (const id of plan.databases) env[`d1:${id}`] = { type: "d1", id };
  for (const name of plan.queues) env[`queue:${name}`] = { type: "queue", name };
  return {
    config: {
      name: CONTROL_WORKER,
      compatibilityDate: plan.workers[0].compatibilityDate,
      manifest: {
        mainModule: "control.mjs",
        modulesRoot: HERE,
        modules: { "control.mjs": { type: "esm", contents: ownFile("control_worker.mjs") } },
      },
      env,
    },
  };
}
