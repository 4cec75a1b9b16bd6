/**
 * Larger steps: Miniflare with one of its numbers changed while it is imported. Loaded before the host (`--import`).
 *
 * Miniflare writes the runtime's configuration, with every module of every Worker in it, to one buffer that grows by
 * 4 kB each time it is full, and is copied for it: 40 MB for three Workers, some dozens of times. With larger steps it
 * is copied once or twice. Must change nothing that Miniflare does. A version that has no such number is taken as it
 * is and starts more slowly; `tests/unit/test_larger_steps.py` notices.
 */

import { registerHooks } from "node:module";

const MINIFLARE = import.meta.resolve("miniflare");
const STEP = /\bMIN_SINGLE_SEGMENT_GROWTH = 4096;/;
const LARGER_STEP = `MIN_SINGLE_SEGMENT_GROWTH = ${64 * 1024 * 1024};`;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (url !== MINIFLARE || !loaded.source) return loaded;
    const text = Buffer.from(loaded.source).toString("utf8");
    return { ...loaded, source: text.replace(STEP, LARGER_STEP) };
  },
});
