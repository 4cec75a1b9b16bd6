// A body coded on its way. gzip is the runtime's own stream; brotli and zstd are those of node:zlib, pumped through.
import { constants, createBrotliCompress, createZstdCompress } from "node:zlib";

/** Qualities that keep up with a network: brotli 4 some 50 MB/s a core, zstd 3 some 200. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

/** A stream, or bytes, as a stream of coded bytes. What breaks off before its end breaks the coded stream off, too. */
export function coded(body, coding) {
  const plain = body instanceof ReadableStream ? body : new Response(body).body;
  if (coding === "gzip") return plain.pipeThrough(new CompressionStream("gzip"));
  const coder = coding === "br" ? createBrotliCompress(BROTLI) : createZstdCompress();
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const reader = plain.getReader();
  const stop = async (error) => {
    coder.destroy();
    await Promise.allSettled([writer.abort(error), reader.cancel(error)]);
  };
  const sending = (async () => {
    for await (const piece of coder) {
      await writer.write(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
    }
    await writer.close();
  })();
  const taking = (async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (!coder.write(value)) await new Promise((resolve) => coder.once("drain", resolve));
    }
    coder.end();
  })();
  Promise.all([sending, taking]).catch(stop);
  return readable;
}
