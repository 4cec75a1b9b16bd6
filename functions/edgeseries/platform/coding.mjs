// A body coded on its way, by node:zlib of the runtime. Not with zstd: that of workerd 1.20261023 ends some inputs with
// "Unexpected end of file", at once and as a stream. Python's own codes whole bodies (exchange.py).
import { brotliCompressSync, constants, createBrotliCompress, gzipSync } from "node:zlib";

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

/** A stream as a stream of coded bytes. One that breaks off before its end breaks the coded one off, too. */
export function codedStream(plain, coding) {
  if (coding === "gzip") return plain.pipeThrough(new CompressionStream("gzip"));
  const coder = createBrotliCompress(BROTLI);
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const reader = plain.getReader();
  const send = async () => {
    for await (const piece of coder) {
      await writer.write(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
    }
    await writer.close();
  };
  const take = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (!coder.write(value)) await new Promise((resolve) => coder.once("drain", resolve));
    }
    coder.end();
  };
  Promise.all([send(), take()]).catch(async (error) => {
    coder.destroy();
    await Promise.allSettled([writer.abort(error), reader.cancel(error)]);
  });
  return readable;
}
