// Brotli of the runtime itself, in both directions. Plain Uint8Arrays come back, because
// Pyodide cannot convert Node's Buffer; `size` bounds what decompression may allocate.
//
// The bound is given room: workerd refuses some streams that come out as exactly `maxOutputLength`
// (seen from 49 kB to 200 kB, with workerd 1.20261023). Whoever calls checks the true length.
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";

const plain = (buffer) => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);

/** The window is that of `brotli_window_bits` in compression_standard.py, which says why. */
export function brotliCompress(bytes, quality) {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: quality,
    [constants.BROTLI_PARAM_LGWIN]: Math.min(Math.max(32 - Math.clz32(bytes.length), 16), 22),
  };
  return plain(brotliCompressSync(bytes, { params }));
}

const ROOM_BYTES = 65536;

export function brotliDecompress(bytes, size) {
  return plain(brotliDecompressSync(bytes, { maxOutputLength: 2 * size + ROOM_BYTES }));
}
