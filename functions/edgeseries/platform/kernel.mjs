// The kernel on Workers: the compiled module of the bundle, instantiated once an isolate, and what leads to it.
// Bytes go in and come out, or leave as a stream; nothing crosses the border for a single sample.
//
// Every function runs to its end without a pause and begins with a reset, so events that share the isolate cannot
// meet in the kernel's memory. A program is JSON text; `parts` are the bytes that it refers to by number. Interface
// and faults: docs/formats/columns.md.
import { crc32 } from "node:zlib";
import { brotliCompress, brotliDecompress } from "./codec.mjs";
import compiled from "./kernel.wasm";

const INTERFACE_VERSION = 1;

/** An instance that has grown beyond this is not kept: memory of WebAssembly grows and never shrinks. It lies in the
 *  margin that the sum of an isolate's memory leaves (`memory_limits.py`). */
const MAX_REUSED_BYTES = 6 * 1024 * 1024;

const FORMATS = { json: 0, "json-ascii": 1, ndjson: 2, csv: 3, values: 4, "values-ascii": 5, times: 6, seconds: 7 };

/** Formats that are UTF-8, but ASCII where a text needs it. */
const UTF_8 = ["json", "values"];
const EVER = [-(2n ** 63n), 2n ** 63n - 1n];

/** Faults of this module, beside the kernel's own, which are below 64. */
const STOPPED = 64;
const CHECKSUM = 65;
const UNSOUND_STREAM = 66;
const OTHER_SIZE = 67;
const OTHER_CODEC = 68;

const NO_ROOM = 1;
const MISUSE = 2;

const STORED = 0;
const BROTLI = 1;

export class KernelFault extends Error {
  name = "KernelFault";

  constructor(number) {
    super(`fault ${number}`);
    this.number = number;
  }
}

let instance;

/** Run `work` on the isolate's kernel. One that stopped by itself, or has grown large, is thrown away. */
function onKernel(work) {
  if (instance === undefined) {
    const { exports } = new WebAssembly.Instance(compiled, {});
    if (exports.version() !== INTERFACE_VERSION) throw new KernelFault(MISUSE);
    instance = exports;
  }
  const kernel = instance;
  kernel.reset();
  try {
    return work(kernel);
  } catch (error) {
    if (error instanceof KernelFault) throw error;
    instance = undefined;
    if (error instanceof WebAssembly.RuntimeError) throw new KernelFault(STOPPED);
    throw error;
  } finally {
    if (kernel.memory.buffer.byteLength > MAX_REUSED_BYTES) instance = undefined;
  }
}

function checked(number) {
  if (number !== 0) throw new KernelFault(number);
}

/** Bytes into the kernel, with room for a piece of so many samples. */
function bring(kernel, samples, bytes) {
  const address = kernel.reserve(samples, bytes.length) >>> 0;
  if (address === 0) throw new KernelFault(NO_ROOM);
  new Uint8Array(kernel.memory.buffer, address, bytes.length).set(bytes);
}

/** The result of the last call, copied out of the kernel. */
function result(kernel) {
  return new Uint8Array(kernel.memory.buffer, kernel.resultAt() >>> 0, kernel.resultSize() >>> 0).slice();
}

/** Decompress a segment of a block: a codec, the size of its columns, and the rest. */
function columnsOfSegment(stored) {
  let at = 1;
  let size = 0;
  for (let shift = 1; ; shift *= 128) {
    if (at >= stored.length || at > 5) throw new KernelFault(UNSOUND_STREAM);
    const byte = stored[at++];
    size += (byte & 0x7f) * shift;
    if (byte < 0x80) break;
  }
  const payload = stored.subarray(at);
  if (stored[0] === STORED && payload.length === size) return payload;
  if (stored[0] !== STORED && stored[0] !== BROTLI) throw new KernelFault(OTHER_CODEC);
  if (stored[0] === STORED) throw new KernelFault(OTHER_SIZE);
  let columns;
  try {
    columns = brotliDecompress(payload, size);
  } catch {
    throw new KernelFault(UNSOUND_STREAM);
  }
  if (columns.length !== size) throw new KernelFault(OTHER_SIZE);
  return columns;
}

function bytesOf(part) {
  if (part instanceof Uint8Array) return part;
  return part instanceof ArrayBuffer ? new Uint8Array(part) : new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
}

/** Bring in every piece of a program and settle them. */
function settle(kernel, { pieces }, parts) {
  for (const piece of pieces) {
    const bytes = bytesOf(parts[piece.part]);
    if (piece.samples === undefined) {
      bring(kernel, 0, bytes);
      checked(kernel.load());
      continue;
    }
    const stored = bytes.subarray(piece.at, piece.at + piece.size);
    if (stored.length !== piece.size || crc32(stored) !== piece.crc) throw new KernelFault(CHECKSUM);
    bring(kernel, piece.samples, columnsOfSegment(stored));
    checked(kernel.decode(BigInt(piece.originMs), piece.days, piece.covered, piece.wanted));
  }
  checked(kernel.settle(...EVER));
}

/** The settled pieces of a program as columns. */
export function columns(program, parts) {
  return onKernel((kernel) => {
    settle(kernel, JSON.parse(program), parts);
    checked(kernel.save());
    return result(kernel);
  });
}

/** Columns as text. JSON escapes everything when one text needs it; `prefix` is what a line begins with. */
export function text(image, format, prefix) {
  return onKernel((kernel) => {
    settle(kernel, { pieces: [{ part: 0 }] }, [image]);
    const count = kernel.count();
    const escaped = UTF_8.includes(format) && kernel.surrogates(0, count) === 1;
    const code = FORMATS[escaped ? `${format}-ascii` : format];
    if (code === undefined) throw new KernelFault(MISUSE);
    if (prefix.length > 0) bring(kernel, 0, prefix);
    checked(kernel.write(code, 0, count));
    return result(kernel);
  });
}

/**
 * Segments of columns, as they are stored: of each cut of the program, from one sample to before another, four bytes
 * with its length, then the segment.
 */
export function segments(program, image) {
  const { cuts, quality } = JSON.parse(program);
  return onKernel((kernel) => {
    settle(kernel, { pieces: [{ part: 0 }] }, [image]);
    const found = [];
    for (const cut of cuts) {
      checked(kernel.encode(BigInt(cut.originMs), cut.from, cut.to));
      const columns = result(kernel);
      const packed = brotliCompress(columns, quality);
      const stored = packed.length >= columns.length;
      const head = [stored ? STORED : BROTLI, ...uvarint(columns.length)];
      const payload = stored ? columns : packed;
      found.push(new Uint8Array(Uint32Array.of(head.length + payload.length).buffer), Uint8Array.from(head), payload);
    }
    return joined(found);
  });
}

/** Samples cut into buckets. `task` says how (docs/formats/columns.md); what is carried comes before the samples. */
export function buckets(task, carried, image) {
  return onKernel((kernel) => {
    settle(kernel, { pieces: [{ part: 0 }, { part: 1 }] }, [carried, image]);
    bring(kernel, 0, bytesOf(task));
    checked(kernel.bucket());
    return result(kernel);
  });
}

/** Seven bits a byte, lowest first; the top bit says that more follow. */
function uvarint(number) {
  const bytes = [];
  for (; number > 0x7f; number = Math.floor(number / 128)) bytes.push((number % 128) | 0x80);
  return [...bytes, number];
}

function joined(texts) {
  if (texts.length === 1) return texts[0];
  const whole = new Uint8Array(texts.reduce((size, one) => size + one.length, 0));
  let at = 0;
  for (const one of texts) {
    whole.set(one, at);
    at += one.length;
  }
  return whole;
}
