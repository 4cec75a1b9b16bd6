/**
 * Log: lines of the runtime and of Miniflare as events of the host.
 *
 * Owns the split of a console line into the Worker that spoke and what it said. Must not know how
 * lines are shown: that is the parent's affair.
 */

import { Log, LogLevel } from "miniflare";

/** `boot.mjs` puts the Worker's name between these two at the head of each console line. */
const NAMED_LINE = /^\u001e([^\u001f]*)\u001f ?(.*)$/s;

/** `boot.mjs` puts this before what it tells of a passed limit. */
const LIMIT_MARK = "\u001d";

/** One structured line of workerd as an event: of the log, or of a passed limit. */
export function logEvent({ timestamp, level, message }) {
  const named = NAMED_LINE.exec(message);
  if (named?.[2].startsWith(LIMIT_MARK)) {
    const passed = JSON.parse(named[2].slice(LIMIT_MARK.length));
    return { event: "limit", worker: named[1], timeMs: timestamp, passed };
  }
  return {
    event: "log",
    worker: named?.[1] ?? null,
    level: level === "log" ? "info" : level,
    message: named?.[2] ?? message,
    timeMs: timestamp,
  };
}

/** A line of the host itself, which belongs to no Worker. */
export function hostLine(level, message) {
  return { event: "log", worker: null, level, message, timeMs: Date.now() };
}

/** Miniflare's own remarks, from warnings up. It writes to stdout otherwise, where events go. */
export class HostLog extends Log {
  constructor(emit) {
    super(LogLevel.WARN);
    this.emit = emit;
  }

  logWithLevel(level, message) {
    if (level > this.level) return;
    // eslint-disable-next-line no-control-regex
    this.emit(hostLine(level === LogLevel.ERROR ? "error" : "warn", message.replace(/\u001b\[\d+m/g, "")));
  }
}
