/**
 * Snapshot maker: a program that boots Pyodide with a bundle, imports the entry, and writes the memory to a file.
 *
 * On stdin {target, main, stdlib, files}; `snapshots.mjs` starts it. Ends with status 0 when the target is there, or with
 * the reason on stdout and status 1: the entry does not import, or keeps what no snapshot can hold. It runs in Node,
 * where a boot takes half the time that it takes in the Workers runtime. What an entry finds there while it is imported is
 * the same but for the platform's modules, which are empty: one that uses them at import has no snapshot.
 */

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { startInterpreter, takeSnapshot } from "./interpreter.mjs";

const PYODIDE_DIR = path.dirname(createRequire(import.meta.url).resolve("pyodide/package.json"));

const ASKED_OF_ALL = new Set(["then", "constructor"]);

/** A module of the platform, of which nothing may be read before there is a platform. */
function unread(name) {
  return new Proxy(Object.create(null), {
    get(_target, property) {
      // Asked for by the interpreter itself: what kind of an object it is, and by the machinery of imports.
      if (typeof property === "symbol" || property.startsWith("_") || ASKED_OF_ALL.has(property)) return undefined;
      throw new Error(`${name}.${property} is used while modules are imported`);
    },
  });
}

async function main() {
  const { target, main: mainModule, stdlib, files } = JSON.parse((await buffer(process.stdin)).toString("utf8"));
  const { loadPyodide } = await import("pyodide");
  const decoded = (base64) => (base64 === undefined ? undefined : new Uint8Array(Buffer.from(base64, "base64")));
  const modules = {
    _pyodide_entrypoint_helper: unread("_pyodide_entrypoint_helper"),
    _cloudflare_compat_flags: unread("_cloudflare_compat_flags"),
  };
  const parts = {
    createPyodideModule: (await import(path.join(PYODIDE_DIR, "pyodide.asm.mjs"))).default,
    loadPyodide,
    settings: { stdLibURL: stdlib, stdin: () => null, stdout: console.error, stderr: console.error },
    modules,
    eventsSource: fs.readFileSync(path.join(import.meta.dirname, "events.py"), "utf8"),
  };
  const laidOut = files.map(({ name, path: file, contentBase64, bytecodeBase64 }) => ({
    name,
    bytes: file === undefined ? decoded(contentBase64) : new Uint8Array(fs.readFileSync(file)),
    bytecode: decoded(bytecodeBase64),
  }));
  const { pyodide, events } = await startInterpreter(parts, laidOut, { making: true });
  const call = (name, ...values) => {
    const function_ = events.get(name);
    function_(...values);
    function_.destroy();
  };
  call("import_for_snapshot", mainModule);
  call("before_snapshot");
  events.destroy();
  const own = `${target}.${process.pid}`;
  fs.writeFileSync(own, takeSnapshot(pyodide, modules));
  fs.renameSync(own, target);
}

try {
  await main();
  process.exit(0); // Pyodide may leave timers behind.
} catch (error) {
  // Node would print the line of Pyodide that it came from, a megabyte.
  console.log(String(error?.message ?? error).trimEnd().split("\n").at(-1));
  process.exit(1);
}
