"""What gives the files of loaded libraries back, in Node over a made-up interpreter's memory."""

import json
import subprocess
from pathlib import Path

from local.hosting import NODE

MODULE = Path("functions/edgeseries/platform/loaded_libraries.mjs").resolve()

SCRIPT = """
import { readFileSync } from "node:fs";
const source = readFileSync(process.argv[1], "utf8");
const { releaseFiles } = await import(`data:text/javascript,${encodeURIComponent(source)}`);
const buffer = new ArrayBuffer(4096);
const [words, bytes] = [new Uint32Array(buffer), new Uint8Array(buffer)];
const freed = [];
const module = {
  HEAPU32: words,
  LDSO: { loadedLibsByHandle: { 0: { name: "main" } } },
  UTF8ToString: (at) => new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at))),
  _free: (address) => freed.push(address),
};
const library = (handle, { name, told = name, address, size, magic = 0x6d736100 }) => {
  bytes.set(new TextEncoder().encode(told), handle + 36);
  words[(handle + 28) / 4] = address;
  words[(handle + 32) / 4] = size;
  if (address + 4 <= buffer.byteLength) words[address / 4] = magic;
  module.LDSO.loadedLibsByHandle[handle] = { name };
};
library(128, { name: "/a/one.so", address: 1024, size: 100 });
library(256, { name: "/a/another layout.so", told: "x", address: 1280, size: 100 });
library(384, { name: "/a/no module.so", address: 1536, size: 100, magic: 7 });
library(512, { name: "/a/too long.so", address: 2048, size: 4000 });
library(640, { name: "/a/none.so", address: 0, size: 0 });
const counts = [releaseFiles(module), releaseFiles(module), releaseFiles({ ...module, LDSO: undefined })];
console.log(JSON.stringify({ counts, freed, left: [words[156 / 4], words[284 / 4]] }));
"""


def test_the_file_of_a_library_is_given_back_once_and_what_looks_otherwise_is_left_alone() -> None:
    command = [str(NODE), "--no-warnings", "--input-type=module", "--eval", SCRIPT, str(MODULE)]
    told = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout
    assert json.loads(told) == {"counts": [100, 0, 0], "freed": [1024], "left": [0, 1280]}
