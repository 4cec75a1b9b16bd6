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

/** A stream as a stream of coded bytes, with gzip alone: four results of 20 MB through node:zlib's brotli grew the
 *  runtime by 100 MB more. One that breaks off before its end breaks the coded one off, too. The runtime's
 *  CompressionStream takes whatever is written at once and waits for no reader, so it is fed only while somebody
 *  waits for bytes: a slow reader holds a piece or two. */
export function codedStream(plain) {
  const { readable, writable } = new CompressionStream("gzip");
  const [source, into, coded] = [plain.getReader({ mode: "byob" }), writable.getWriter(), readable.getReader()];
  let buffer = new ArrayBuffer(FEED_BYTES);
  const feed = async () => {
    const { done, value } = await source.read(new Uint8Array(buffer));
    await (done ? into.close() : into.write(value));
    buffer = value?.buffer;
    feeding = done ? NEVER : undefined;
    return FED;
  };
  let feeding;
  let waiting;
  const pull = async (controller) => {
    waiting ??= coded.read();
    let found = FED;
    while (found === FED) found = await Promise.race([waiting, (feeding ??= feed())]);
    waiting = undefined;
    if (found.done) controller.close();
    else controller.enqueue(found.value);
  };
  const cancel = (reason) => Promise.allSettled([source.cancel(reason), into.abort(reason)]);
  return new ReadableStream({ pull, cancel }, { highWaterMark: 0 });
}

/** One buffer of so many bytes is filled again and again: pieces of megabytes would wait for the collector. */
const FEED_BYTES = 262144;
const FED = Symbol("fed");
const NEVER = new Promise(() => {});
