// Files of shared libraries that Emscripten's dlopen has read into the interpreter's memory and keeps there. In builds
// with threads the other threads load them, too; in Pyodide nobody reads them again.

/** Where the record of a library has the address and the size of its file, and its name (Emscripten's dynlink.c). */
const FILE_AT = 28;
const NAME_AT = 36;

/** What every WebAssembly module begins with, as a little-endian number: "\0asm". */
const MAGIC = 0x6d736100;

/** Free them; returns their bytes. A record that does not look as expected is left alone. */
export function releaseFiles(module) {
  const { HEAPU32: words, LDSO } = module;
  let released = 0;
  for (const [handle, library] of Object.entries(LDSO?.loadedLibsByHandle ?? {})) {
    const record = Number(handle);
    if (record === 0 || module.UTF8ToString(record + NAME_AT) !== library.name) continue;
    const at = (record + FILE_AT) >>> 2;
    const [address, size] = [words[at], words[at + 1]];
    if (address === 0 || size === 0 || address + size > words.byteLength || words[address >>> 2] !== MAGIC) continue;
    words[at] = 0;
    words[at + 1] = 0;
    module._free(address);
    released += size;
  }
  return released;
}
