/**
 * Bytecode: Python's standard library and the bundles, compiled once for this machine.
 *
 * Pyodide comes with its standard library as source, and each Worker's interpreter would compile what it
 * imports of it, and the bundle, at every start. Owns the folder where compiled files are kept, named by
 * what they are made of, so that nothing old is ever found; and the program that makes the missing ones.
 * Must not know what any file does. A file that does not compile has no bytecode: whoever imports it says why.
 */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

const HERE = import.meta.dirname;
const COMPILER = path.join(HERE, "compiler.mjs");

/** Compiled files, in the project's folder for what is made. */
const FOLDER = path.resolve(HERE, "../../build/bytecode");

/** How long what no host has used is kept. */
const KEPT_MS = 7 * 86_400_000;

/** What compiled files depend on beside their sources: who compiles, and how. */
const MAKERS = ["compiler.mjs", "compiler.py"].map((name) => fs.readFileSync(path.join(HERE, name)));

function digestOf(...parts) {
  const digest = createHash("sha256");
  for (const part of [...MAKERS, ...parts]) digest.update(createHash("sha256").update(part).digest());
  return digest.digest("hex");
}

/**
 * The standard library as a zip with bytecode beside the sources, and the bytecode of each Python file.
 *
 * `stdlib` is {path, version}: the zip that Pyodide comes with, and Pyodide's version. `files` are a bundle's,
 * {name, contentBase64}. Returns {stdlib, bytecode}: the path of a zip, and bytes by digest of the file
 * (`fileDigest`), without the files that do not compile. Rejects when the compiler cannot be run; it has said why.
 */
export async function compiled(stdlib, files) {
  const version = Buffer.from(stdlib.version);
  const zip = { source: stdlib.path, target: target(`${digestOf(version, fs.readFileSync(stdlib.path))}.zip`) };
  const wanted = new Map();
  for (const file of files) {
    if (!file.name.endsWith(".py")) continue;
    const digest = fileDigest(file);
    wanted.set(digest, { ...file, target: target(`${digestOf(version, Buffer.from(digest))}.pyc`) });
  }
  const missing = [...wanted.values()].filter((file) => !use(file.target));
  if (!use(zip.target) || missing.length > 0) await compile(zip, missing);
  const bytecode = new Map();
  for (const [digest, file] of wanted) {
    const content = fs.readFileSync(file.target);
    if (content.length > 0) bytecode.set(digest, content);
  }
  return { stdlib: zip.target, bytecode };
}

/** What a file's bytecode is named by. */
export function fileDigest({ name, contentBase64 }) {
  return createHash("sha256").update(`${name}\0${contentBase64}`).digest("hex");
}

function target(name) {
  return path.join(FOLDER, name);
}

/** Whether a file is there; it is kept for longer then. */
function use(file) {
  try {
    fs.utimesSync(file, new Date(), new Date());
    return true;
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
}

/** Make what is missing. Hosts may start side by side: each moves whole files to their places. */
async function compile(zip, files) {
  fs.mkdirSync(FOLDER, { recursive: true });
  for (const name of fs.readdirSync(FOLDER)) {
    const old = fs.statSync(target(name), { throwIfNoEntry: false })?.mtimeMs < Date.now() - KEPT_MS;
    if (old) fs.rmSync(target(name), { force: true });
  }
  const child = spawn(process.execPath, [COMPILER], { stdio: ["pipe", "ignore", "inherit"] });
  const end = () => child.kill();
  process.once("exit", end);
  child.stdin.on("error", () => undefined); // It ended; its status says so.
  child.stdin.end(JSON.stringify({ zip, files }));
  const status = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  process.off("exit", end);
  if (status !== 0) throw new Error(`the Python files could not be compiled (status ${status})`);
}
