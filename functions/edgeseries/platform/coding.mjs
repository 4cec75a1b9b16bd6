// A body coded on its way, by node:zlib of the runtime. Not with zstd: that of workerd 1.20261023 ends some inputs with
// "Unexpected end of file", at once and as a stream. Python's own codes whole bodies (exchange.py).
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** A quality that keeps up with a network: some 50 MB/s a core. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

const AT_ONCE = {
  br: (bytes) => brotliCompressSync(bytes, BROTLI),
  gzip: gzipSync,
};

/** Bytes as a Uint8Array of coded bytes. */
export function codedBytes(bytes, coding) {
  const coded = AT_ONCE[coding](bytes);
  return new Uint8Array(coded.buffer, coded.byteOffset, coded.byteLength);
}

/** A stream as a stream of coded bytes. One that breaks off before its end breaks the coded one off, too. With gzip
 *  alone: four results of 20 MB through node:zlib's brotli grew the runtime by 100 MB more (tests/runtime/test_jobs_large.py),
 *  and it has no backpressure of its own. */
export function codedStream(plain) {
  return plain.pipeThrough(new CompressionStream("gzip"));
}
