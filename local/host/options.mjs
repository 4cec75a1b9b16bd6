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

/** The Worker whose bindings are every resource of the plan; the control channel uses them. */
export const CONTROL_WORKER = "local-host-control";

const HERE = import.meta.dirname;
const PYODIDE_PACKAGE = createRequire(import.meta.url).resolve("pyodide/package.json");
const PYODIDE_DIR = path.dirname(PYODIDE_PACKAGE);
const PYODIDE_VERSION = JSON.parse(fs.readFileSync(PYODIDE_PACKAGE, "utf8")).version;
const STDLIB = "python_stdlib.zip";
const JAVASCRIPT_TYPE = "application/javascript+module";
const WASM_TYPE = "application/wasm";

/** What is compiled of the Python that the plan's Workers run; see `bytecode.mjs`. */
export function compiledFor(plan) {
  const stdlib = { path: path.join(PYODIDE_DIR, STDLIB), version: PYODIDE_VERSION };
  return compiled(stdlib, plan.workers.flatMap((worker) => worker.files));
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
      env: worker.env,
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
  const files = forPython
    .filter(({ path }) => path === undefined)
    .map((file) => ({ ...file, bytecodeBase64: python.bytecode.get(fileDigest(file)) }));
  // Shared objects of wheels have megabytes: they reach Python as modules of their own.
  const large = forPython
    .filter(({ path }) => path !== undefined)
    .map(({ name, path }, place) => ({ name, path, module: `local-host/large/${place}` }));
  const bundle = {
    worker: worker.name,
    mainModule: worker.mainModule,
    files,
    large: large.map(({ name, module }) => ({ name, module })),
  };
  const modules = {
    "local-host.mjs": { type: "esm", contents: ownFile("boot.mjs") },
    "local-host/accounting.mjs": { type: "esm", contents: ownFile("accounting.mjs") },
    "local-host/limits.mjs": { type: "esm", contents: ownFile("limits.mjs") },
    "local-host/metering.mjs": { type: "esm", contents: ownFile("metering.mjs") },
    "local-host/limits.json": { type: "text", contents: JSON.stringify(limitsOf(worker, limits)) },
    "local-host/events.py": { type: "text", contents: ownFile("events.py") },
    "local-host/bundle.json": { type: "text", contents: JSON.stringify(bundle) },
    "local-host/pyodide.mjs": pyodideModule("esm", "pyodide.mjs"),
    "local-host/pyodide.asm.mjs": pyodideModule("esm", "pyodide.asm.mjs"),
    "local-host/pyodide.asm.wasm": pyodideModule("wasm", "pyodide.asm.wasm"),
    "local-host/python_stdlib.zip": fileModule("data", python.stdlib),
    "local-host/pyodide-lock.json": pyodideModule("text", "pyodide-lock.json"),
  };
  for (const { module, path: file } of large) modules[module] = fileModule("data", file);
  for (const file of worker.files.filter(isModule)) {
    const contents = file.path === undefined ? Buffer.from(file.contentBase64, "base64") : fs.readFileSync(file.path);
    modules[file.name] =
      file.contentType === WASM_TYPE
        ? { type: "wasm", contents: new Uint8Array(contents) }
        : { type: "esm", contents: contents.toString("utf8") };
  }
  return modules;
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

/** A Worker without a job and without an address: it holds the bindings for the control channel. */
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
        modules: { "control.mjs": { type: "esm", contents: "export default {}" } },
      },
      env,
    },
  };
}
