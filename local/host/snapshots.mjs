/**
 * Snapshots: the memory of each bundle's interpreter after its entry was imported, kept for the next starts.
 *
 * Owns the folder of snapshots, named by all that they follow from, so that nothing old is ever found; that one host
 * makes what several want; and that the folder stays small. Must not know what a snapshot holds
 * (`interpreter.mjs`). Whoever gets none boots without: a snapshot changes how long a start takes, and nothing else.
 */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileDigest } from "./bytecode.mjs";

const HERE = import.meta.dirname;
const MAKER = path.join(HERE, "snapshot_maker.mjs");

/** The Workers runtime lets Python block on promises; whether it may is noted in the interpreter's memory. */
const STACK_SWITCHING = "--experimental-wasm-jspi";

/** How many are kept, those that were used last; 38 MB each. A checkout has four: three Workers', one of the SDK alone. */
const KEPT = 8;

/** What has been used since then is kept beyond that: a Worker may read its own at its first event. */
const IN_USE_MS = 3_600_000;

/** No more than these in any case, under 1 GB: a change of the functions and a start every minute make many in an hour. */
const MOST = 24;

/** From so many modules of its own on a bundle has a snapshot of its own; smaller ones share that of the SDK. */
const OWN_FROM_MODULES = 100;

/** How long to wait for another host that makes what is wanted; it needs four CPU seconds for one. */
const WAIT_MS = 90_000;

const LOOK_MS = 100;

const VENDORED = "python_modules/";

/** What a snapshot depends on beside Pyodide and the bundle: who makes it, and who restores it. */
const MAKERS = ["interpreter.mjs", "snapshot_maker.mjs", "snapshots.mjs", "events.py"];

/**
 * The snapshot of each Worker, made unless it is there: [{file} or {reason}], the file's path or why there is none.
 *
 * `folder` is where they are kept; null for none, which needs no reason. `workers` are the plan's; `python` is {version,
 * stdlib, bytecode} as `compiled` returns it, with Pyodide's version.
 */
export async function snapshotsOf(folder, workers, python) {
  if (folder === null) return workers.map(() => ({}));
  fs.mkdirSync(folder, { recursive: true });
  const wanted = workers.map((worker) => contentsOf(folder, worker, python));
  const unique = [...new Map(wanted.map((one) => [one.target, one])).values()];
  const reasons = new Map();
  for (const one of unique) reasons.set(one.target, await made(one));
  return wanted.map(({ target }) => {
    const reason = reasons.get(target);
    return reason === null ? { file: target } : { reason };
  });
}

/** What a Worker's snapshot is made of: {target, files, main}. */
function contentsOf(folder, { files, mainModule }, { version, stdlib, bytecode }) {
  const modules = files.filter(({ contentType }) => !/javascript|wasm/.test(contentType));
  const own = modules.filter(({ name }) => name.endsWith(".py") && !name.startsWith(VENDORED));
  const whole = own.length >= OWN_FROM_MODULES;
  const main = whole ? mainModule.replace(/\.py$/, "") : "workers";
  const laidOut = whole ? modules : modules.filter(({ name }) => name.startsWith(VENDORED));
  const digest = createHash("sha256");
  for (const name of MAKERS) digest.update(fs.readFileSync(path.join(HERE, name)));
  digest.update(JSON.stringify([version, path.basename(stdlib), main]));
  // A large file is named by its contents.
  for (const file of laidOut) digest.update(file.path === undefined ? fileDigest(file) : `${file.name}\0${file.path}`);
  return {
    target: path.join(folder, `${digest.digest("hex")}.snapshot`),
    main,
    stdlib,
    files: laidOut.map((file) => ({ ...file, bytecodeBase64: bytecode.get(fileDigest(file))?.toString("base64") })),
  };
}

/** Make a snapshot, or wait for who makes it. Null when it is there, else why not. */
async function made(wanted) {
  const { target } = wanted;
  const until = Date.now() + WAIT_MS;
  while (!use(target)) {
    const lock = `${target}.lock`;
    if (take(lock)) {
      try {
        forgetOld(path.dirname(target));
        return await make(wanted);
      } finally {
        fs.rmSync(lock, { force: true });
      }
    }
    if (Date.now() > until) return "another host that makes it takes too long";
    await pause(LOOK_MS);
  }
  return null;
}

/** Whether a file is there; it counts as used. */
function use(file) {
  try {
    fs.utimesSync(file, new Date(), new Date());
    return true;
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
}

/** Take a lock: a file with the taker's process id. That of a process which has ended is nobody's. */
export function take(lock) {
  try {
    fs.writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  try {
    const { mtimeMs } = fs.statSync(lock);
    if (Date.now() - mtimeMs > WAIT_MS) throw new Error("left behind");
    process.kill(Number(fs.readFileSync(lock, "utf8")) || process.pid, 0);
  } catch (error) {
    if (error.code !== "EPERM") fs.rmSync(lock, { force: true });
  }
  return false;
}

/** Remove the snapshots that were used longest ago, down to one place for the next. */
export function forgetOld(folder) {
  const names = fs.readdirSync(folder).filter((name) => name.endsWith(".snapshot"));
  const usedMs = (name) => fs.statSync(path.join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const byUse = names.map((name) => [usedMs(name), name]).sort(([one], [other]) => other - one);
  for (const [place, [lastMs, name]] of byUse.entries()) {
    const kept = place < KEPT - 1 || (place < MOST - 1 && lastMs > Date.now() - IN_USE_MS);
    if (!kept) fs.rmSync(path.join(folder, name), { force: true });
  }
}

/** Have the maker make one. Null when it is there, else what the maker said. */
async function make(wanted) {
  const child = spawn(process.execPath, [STACK_SWITCHING, MAKER], { stdio: ["pipe", "pipe", "inherit"] });
  const end = () => child.kill();
  process.once("exit", end);
  child.stdin.on("error", () => undefined); // It ended; its words say why.
  child.stdin.end(JSON.stringify(wanted));
  let words = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (words += text));
  const status = await new Promise((resolve) => {
    child.on("error", () => resolve(null));
    child.on("close", resolve);
  });
  process.off("exit", end);
  return status === 0 ? null : words.trim() || `its maker ended with status ${status}`;
}
