/**
 * Limits: what one event has used of the platform's limits, and what is said when it passes one.
 *
 * Owns counting. The table of the limits comes from `functions/edgeseries/platform_limits.py`
 * through the host plan: {name: {value, unit, refused}}. Must not know the platform's objects
 * (metering.mjs) nor any Worker, and imports nothing, so that Node runs it in tests.
 */

/** What the platform says when a call would pass a limit begins otherwise; ours names the limit. */
export class LimitPassed extends Error {
  name = "LimitPassed";
}

/** The use of one event. `report` gets {event, id, limit, count, allowed, unit} once a limit is passed, and its end. */
export class Tally {
  constructor(table, { id, event, report }) {
    this.table = table;
    this.id = id;
    this.event = event;
    this.report = report;
    /** By limit: the sum of what was used, or the most at once. */
    this.used = new Map();
    this.reported = new Map();
    this.open = 0;
    this.waiting = [];
  }

  /** Count `amount` more. Throws LimitPassed where the platform would refuse the call. */
  add(name, amount = 1) {
    return this.#check(name, (this.used.get(name) ?? 0) + amount);
  }

  /** Note a size that one call has; the largest counts. Throws LimitPassed as `add` does. */
  observe(name, size) {
    const most = this.used.get(name);
    if (most === undefined || size > most) this.#check(name, size);
  }

  /** As `observe`, of what is over already: nothing is left to refuse. */
  note(name, size) {
    try {
      this.observe(name, size);
    } catch (error) {
      if (!(error instanceof LimitPassed)) throw error;
    }
  }

  #check(name, count) {
    this.used.set(name, count);
    const limit = this.table[name];
    if (limit === undefined || count <= limit.value) return;
    if (!this.reported.has(name)) this.#say(name, count);
    if (limit.refused) {
      throw new LimitPassed(`${name}: ${count} of ${limit.value} ${limit.unit}; the platform refuses this call`);
    }
  }

  #say(name, count) {
    this.reported.set(name, count);
    const { value, unit } = this.table[name];
    this.report({ id: this.id, event: this.event, limit: name, count, allowed: value, unit });
  }

  /** A place among the calls that may wait for an answer's head: null if there is one, else a promise of it. */
  takePlace() {
    const most = this.table.connections?.value ?? Infinity;
    if (this.open < most) {
      this.open += 1;
      this.used.set("connections", Math.max(this.used.get("connections") ?? 0, this.open));
      return null;
    }
    this.used.set("connections_waited", (this.used.get("connections_waited") ?? 0) + 1);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Give a place back; the first that waits has it. */
  leavePlace() {
    const next = this.waiting.shift();
    if (next === undefined) this.open -= 1;
    else next();
  }

  /** The event is over: what grew after it was reported is reported again with its last count. */
  end() {
    for (const [name, count] of this.reported) {
      if (this.used.get(name) > count) this.#say(name, this.used.get(name));
    }
  }
}

/** The most that any event has used so far, and all of them together, by limit: plain data of an isolate. */
export class Peaks {
  constructor() {
    this.most = new Map();
    this.total = new Map();
    this.events = 0;
  }

  take(tally) {
    this.events += 1;
    for (const [name, count] of tally.used) {
      this.total.set(name, (this.total.get(name) ?? 0) + count);
      if (count > (this.most.get(name)?.count ?? -1)) this.most.set(name, { count, event: tally.event });
    }
  }

  /** {events, most: {limit: {count, event}}, total: {limit: count}}; begins anew. */
  report() {
    const [most, total] = [this.most, this.total].map((one) => Object.fromEntries(one));
    const reported = { events: this.events, most, total };
    this.most = new Map();
    this.total = new Map();
    this.events = 0;
    return reported;
  }
}

/** When objects were last written, for those that may be written once in so many milliseconds. */
export class WritePace {
  constructor(intervalMs, maxKeys) {
    this.intervalMs = intervalMs;
    this.maxKeys = maxKeys;
    this.lastMs = new Map();
  }

  /** Whether a key may be written now. */
  allows(key, nowMs) {
    const last = this.lastMs.get(key);
    return last === undefined || nowMs - last >= this.intervalMs;
  }

  /** A key was written; the oldest are forgotten. */
  wrote(key, nowMs) {
    this.lastMs.delete(key);
    this.lastMs.set(key, nowMs);
    if (this.lastMs.size > this.maxKeys) this.lastMs.delete(this.lastMs.keys().next().value);
  }
}
