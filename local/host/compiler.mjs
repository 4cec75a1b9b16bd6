/**
 * Compiler: a program that compiles Python files with the Pyodide that will run them.
 *
 * On stdin {zip: {source, target}, files: [{name, contentBase64, target}]}; `bytecode.mjs` starts it. The zip is
 * made unless it is there. Ends with status 0 when every target is there; that of a file that does not compile is
 * empty.
 */

import fs from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { loadPyodide } from "pyodide";

function write(target, content) {
  const own = `${target}.${process.pid}`;
  fs.writeFileSync(own, content);
  fs.renameSync(own, target);
}

function bytesOf(proxy) {
  const bytes = proxy.toJs();
  proxy.destroy();
  return bytes;
}

async function main() {
  const { zip, files } = JSON.parse(await text(process.stdin));
  const source = fs.readFileSync(path.join(import.meta.dirname, "compiler.py"), "utf8");
  const hasZip = fs.existsSync(zip.target);
  const pyodide = await loadPyodide(hasZip ? { stdLibURL: zip.target } : {});
  const functions = pyodide.toPy({ __name__: "local_host_compiler" });
  pyodide.runPython(source, { globals: functions, filename: "local-host/compiler.py" });
  if (!hasZip) write(zip.target, bytesOf(functions.get("with_bytecode")(new Uint8Array(fs.readFileSync(zip.source)))));
  for (const { name, contentBase64, target } of files) {
    write(target, bytesOf(functions.get("bytecode")(new Uint8Array(Buffer.from(contentBase64, "base64")), name)));
  }
}

try {
  await main();
  process.exit(0); // Pyodide may leave timers behind.
} catch (error) {
  // Node would print the line of Pyodide that it came from, a megabyte.
  console.error(String(error?.message ?? error));
  process.exit(1);
}
