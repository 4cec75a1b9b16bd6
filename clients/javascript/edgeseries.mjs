/**
 * EdgeSeries from JavaScript: browsers, Node 22 and later, Workers. One module, no dependency, no build.
 *
 *   import { Client, chartData } from "./edgeseries.mjs";
 *   const client = new Client({ url: "https://...", key: "es_..." });
 *   const { document } = await client.read({ site, points, start: "-7d", end: "now", max_points: 1000 });
 *   new uPlot(options, chartData(document).data, element);
 *
 * Types stand in edgeseries.d.mts; those of documents are made from the server's OpenAPI.
 */

const ENDED = new Set(["completed", "failed", "cancelled"]);
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
const MAX_POINTS = 10_000;

/** The server said no: problem+json (RFC 9457). `faults` lists every parameter that is wrong. */
export class ProblemError extends Error {
  constructor(status, document = {}, retryAfterSeconds = null) {
    const faults = Array.isArray(document.errors) ? document.errors : [];
    const said = [document.detail || document.title || `status ${status}`];
    super([...said, ...faults.map((one) => `${one.parameter}: ${one.detail}`)].join("; "));
    this.name = "ProblemError";
    this.status = status;
    this.kind = String(document.type ?? "").split(":").pop();
    this.faults = faults;
    this.requestId = document.requestId ?? null;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** A job failed or was cancelled; `job` says why. */
export class JobEnded extends Error {
  constructor(job) {
    super(`job ${job.jobId} is ${job.status}${job.error ? `: ${job.error}` : ""}`);
    this.name = "JobEnded";
    this.job = job;
  }
}

/** Wait, unless somebody aborts. */
function wait(seconds, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Seconds of `Retry-After`, a number or a date; null without one. */
export function retryAfterSeconds(headers, nowMs = Date.now()) {
  const text = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text);
  const untilMs = Date.parse(text);
  return Number.isNaN(untilMs) ? null : Math.max(0, (untilMs - nowMs) / 1000);
}

/** The verdict of `Cache-Status` (RFC 9211): hit, partial, miss, request, bypass, or nothing. */
export function cacheVerdict(headers) {
  const words = (headers.get("cache-status") ?? "").split(";").map((word) => word.trim());
  if (words.includes("hit")) return "hit";
  return words.find((word) => word.startsWith("fwd="))?.slice(4) ?? "";
}

/** The fields of `/api/timeseries` of a question; `start` and `end` may be Dates. What is not set is left out. */
export function fieldsOf({ start, end, ...others }) {
  const written = (when) => (when instanceof Date ? when.toISOString() : when);
  const fields = { ...others, start_time: written(start), end_time: written(end) };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

/** Query parameters: arrays of points as `point=`, once for each, since names may hold commas. */
export function queryOf(fields) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === null || value === "") continue;
    if (name === "points" && Array.isArray(value)) for (const point of value) query.append("point", point);
    else query.append(name, Array.isArray(value) ? value.join(",") : String(value));
  }
  return query;
}

/** A server. `url` is empty for the one that the page came from. `tries` bounds how often a request is made. */
export class Client {
  constructor({ url = "", key = null, fetch = (...words) => globalThis.fetch(...words), tries = 5, firstPauseSeconds = 0.5, longestPauseSeconds = 60, sleep = wait } = {}) {
    this.url = url.replace(/\/+$/, "");
    this.key = key;
    this.fetch = fetch;
    this.tries = tries;
    this.firstPauseSeconds = firstPauseSeconds;
    this.longestPauseSeconds = longestPauseSeconds;
    this.sleep = sleep;
  }

  /** One request, tried again while that may help. Returns: a Response below 400. Throws: ProblemError. */
  async request(path, { method = "GET", query, body, headers = {}, signal } = {}) {
    const text = query === undefined ? "" : String(queryOf(query));
    const address = `${this.url}${path}${text === "" ? "" : `?${text}`}`;
    const all = { ...headers };
    if (this.key !== null) all.Authorization = `Bearer ${this.key}`;
    if (body !== undefined) all["Content-Type"] = "application/json";
    for (let failed = 1; ; failed += 1) {
      let response;
      let pause = null;
      try {
        response = await this.fetch(address, { method, headers: all, signal, body: body === undefined ? undefined : JSON.stringify(body) });
      } catch (error) {
        signal?.throwIfAborted();
        pause = this.pauseSeconds(failed, null);
        if (pause === null) throw error;
      }
      if (response !== undefined) {
        if (response.status < 400) return response;
        const named = retryAfterSeconds(response.headers);
        const passing = PASSING.has(response.status) || (response.status === 409 && named !== null);
        pause = passing ? this.pauseSeconds(failed, named) : null;
        if (pause === null) throw new ProblemError(response.status, await response.json().catch(() => ({})), named);
        await response.body?.cancel();
      }
      await this.sleep(pause, signal);
    }
  }

  /** Seconds to wait after so many failed tries; null to give up. */
  pauseSeconds(failed, named) {
    if (failed >= this.tries) return null;
    if (named !== null) return named <= this.longestPauseSeconds ? named : null;
    return Math.min(this.longestPauseSeconds, this.firstPauseSeconds * 2 ** (failed - 1));
  }

  /** The JSON of an answer. */
  async document(path, options) {
    return (await this.request(path, options)).json();
  }

  /** The sites. Their list has a property `unanswered`: upstreams that may have more and did not answer. */
  async sites(options) {
    const { sites, unanswered = [] } = await this.document("/api/sites", options);
    return Object.defineProperty(sites, "unanswered", { value: unanswered });
  }

  /** Points of a site; `filters` are those of the server: q, unit, kind. */
  async points(site, filters = {}, options = {}) {
    const path = `/api/sites/${encodeURIComponent(site)}/points`;
    return (await this.document(path, { ...options, query: filters })).points;
  }

  /**
   * Ask once. Returns: {document, cache, upstreamMs, totalMs}, or {job} where it became one.
   */
  async ask(question, { signal, headers = {} } = {}) {
    const response = await this.request("/api/timeseries", { method: "POST", body: fieldsOf(question), headers, signal });
    const document = await response.json();
    if (response.status === 202) return { job: document };
    return { document, ...described(response) };
  }

  /**
   * Ask, and follow the job if it becomes one. `onJob` is called with every state of it.
   * Returns: {document, cache, ...}. Throws: JobEnded, ProblemError.
   */
  async read(question, { signal, onJob, headers } = {}) {
    const answers = [];
    for (let at = 0; at < Math.max(1, question.points.length); at += MAX_POINTS) {
      const part = { ...question, points: question.points.slice(at, at + MAX_POINTS) };
      const answer = await this.ask(part, { signal, headers });
      if (answer.job === undefined) answers.push(answer);
      else answers.push(...(await this.results(await this.follow(answer.job.jobId, { signal, onJob }), { signal })));
    }
    return joined(answers);
  }

  /** All parts of the result of a completed job, as answers. */
  async results(job, { signal } = {}) {
    const answers = [];
    for (let part = 1; part <= (job.resultParts ?? 1); part += 1) {
      const path = `/api/jobs/${encodeURIComponent(job.jobId)}/result`;
      const response = await this.request(path, { query: { format: "json", part }, signal });
      answers.push({ document: await response.json(), ...described(response) });
    }
    return answers;
  }

  async job(jobId, options) {
    return this.document(`/api/jobs/${encodeURIComponent(jobId)}`, options);
  }

  /** A page of jobs, the newest first: {jobs, cursor}. `query`: status, site, limit, cursor. */
  async jobs(query = {}, options = {}) {
    return this.document("/api/jobs", { ...options, query });
  }

  async cancel(jobId) {
    return this.document(`/api/jobs/${encodeURIComponent(jobId)}`, { method: "DELETE" });
  }

  async retry(jobId) {
    return this.document(`/api/jobs/${encodeURIComponent(jobId)}/retry`, { method: "POST" });
  }

  /**
   * Follow a job by its server-sent events, across broken connections, to its end.
   * Returns: the completed job. Throws: JobEnded where it failed or was cancelled.
   */
  async follow(jobId, { signal, onJob = () => undefined } = {}) {
    let last = "";
    let seen = null;
    const path = `/api/jobs/${encodeURIComponent(jobId)}/events`;
    while (seen === null || !ENDED.has(seen.status)) {
      const headers = { Accept: "text/event-stream", ...(last === "" ? {} : { "Last-Event-ID": last }) };
      const response = await this.request(path, { headers, signal });
      if (response.status === 204) break;
      let news = false;
      try {
        for await (const event of events(response.body)) {
          if (event.id !== "") last = event.id;
          if (event.data === "") continue;
          news = true;
          seen = JSON.parse(event.data);
          onJob(seen);
        }
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof SyntaxError) throw error;
      }
      if (!news) await this.sleep(this.firstPauseSeconds, signal);
    }
    // The last look has what events leave out: in how many parts the result comes.
    const job = await this.job(jobId, { signal });
    if (seen === null || job.status !== seen.status) onJob(job);
    if (job.status !== "completed") throw new JobEnded(job);
    return job;
  }

  /**
   * The same over WebSockets, which do not count among the six connections that a browser opens to a host: for pages
   * that follow many jobs. Where no socket opens it goes on with events.
   */
  async followBySocket(jobId, { signal, onJob = () => undefined } = {}) {
    for (;;) {
      signal?.throwIfAborted();
      const code = await this.socketOf(jobId, signal, onJob);
      if (code === 1000) break;
      // 1012 is the end of a stream's time. All else may mean that no socket opens here: a proxy, a key that is gone.
      if (code !== 1012) return this.follow(jobId, { signal, onJob });
    }
    const job = await this.job(jobId, { signal });
    if (job.status !== "completed") throw new JobEnded(job);
    return job;
  }

  /** One socket to its end. Returns: its closing code. */
  socketOf(jobId, signal, onJob) {
    const address = new URL(`${this.url}/api/jobs/${encodeURIComponent(jobId)}/socket`, globalThis.location?.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address, this.key === null ? ["edgeseries"] : ["edgeseries", `key.${this.key}`]);
    return new Promise((resolve, reject) => {
      const leave = () => {
        socket.close();
        reject(signal.reason);
      };
      signal?.addEventListener("abort", leave, { once: true });
      socket.addEventListener("message", (message) => onJob(JSON.parse(message.data).job));
      socket.addEventListener("close", (event) => {
        signal?.removeEventListener("abort", leave);
        resolve(event.code);
      });
    });
  }

  /** The last sample of each point. */
  async latest(site, points, options = {}) {
    return this.document("/api/latest", { ...options, query: { site, points } });
  }

  /** Which days are stored, empty, missing, live. */
  async coverage({ site, points, start, end }, options = {}) {
    const body = fieldsOf({ site, points, start, end });
    return this.document("/api/coverage", { ...options, method: "POST", body });
  }

  /** Remove what is stored of points in a range; with `dryRun`, say only what it would be. */
  async purge({ site, points, start, end }, { dryRun }) {
    const query = { ...fieldsOf({ site, points, start, end }), dry_run: dryRun ? "true" : undefined };
    return this.document("/api/cache", { method: "DELETE", query });
  }

  async deadLetters(query = {}, options = {}) {
    return this.document("/api/queue/dlq", { ...options, query });
  }

  async replay(letter) {
    return this.document(`/api/queue/dlq/${encodeURIComponent(letter)}/replay`, { method: "POST" });
  }

  async stats(options) {
    return this.document("/api/stats", options);
  }

  /** The state of every part; also when one is not well, which is answered by 503. */
  async health() {
    const headers = this.key === null ? {} : { Authorization: `Bearer ${this.key}` };
    return (await this.fetch(`${this.url}/api/health?deep=1`, { headers })).json();
  }
}

function described(response) {
  const timing = Object.fromEntries(
    (response.headers.get("server-timing") ?? "").split(",").map((part) => part.trim().split(";dur=")),
  );
  return {
    cache: cacheVerdict(response.headers),
    upstreamMs: timing.upstream === undefined ? null : Number(timing.upstream),
    totalMs: timing.total === undefined ? null : Number(timing.total),
  };
}

/** Answers about parts of a question as one: points side by side, parts of a point in time. */
export function joined(answers) {
  const data = {};
  for (const { document } of answers) {
    for (const [name, entry] of Object.entries(document.data)) {
      const known = data[name];
      if (known === undefined) data[name] = entry;
      else data[name] = { ...known, samples: [...known.samples, ...entry.samples], count: known.count + entry.count };
    }
  }
  const last = answers[answers.length - 1];
  const sampleCount = Object.values(data).reduce((sum, entry) => sum + entry.count, 0);
  return { ...last, document: { data, _meta: { ...last.document._meta, sampleCount } } };
}

/** Server-sent events of a body: {id, event, data}. */
export async function* events(body) {
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    rest += text.replaceAll("\r", "");
    const blocks = rest.split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = { id: "", event: "message", data: "" };
      for (const line of block.split("\n")) {
        const [, field, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
        if (field === "data") event.data += value;
        else if (field === "id" || field === "event") event[field] = value;
      }
      yield event;
    }
  }
}

/** The step from sample to sample that a point usually has: the median of some hundred of them. */
function usualStep(times) {
  const steps = [];
  const stride = Math.max(1, Math.floor(times.length / 500));
  for (let at = 1; at < times.length; at += stride) steps.push(times[at] - times[at - 1]);
  return steps.sort((one, other) => one - other)[Math.floor(steps.length / 2)] ?? Infinity;
}

/**
 * An answer as aligned columns, which is what uPlot draws: [seconds, values of the first point, ...].
 *
 * Where only other points have a sample a value is undefined, which a line passes; where a point is silent for
 * `gapFactor` times its usual step, or sent null, it is null, at which a line ends. Texts and booleans are places in
 * `states` of their point. Returns: {data, points: [{name, kind: "number" | "state", states, error, count}]}.
 */
export function chartData(document, { points = Object.keys(document.data), gapFactor = 4 } = {}) {
  const series = points.map((name) => seriesOf(name, document.data[name] ?? { samples: [], count: 0, error: null }, gapFactor));
  const instants = new Set();
  for (const one of series) for (const time of one.times) instants.add(time);
  const times = Float64Array.from(instants).sort();
  const places = new Map();
  times.forEach((time, place) => places.set(time, place));
  const columns = series.map((one) => {
    const column = new Array(times.length).fill(undefined);
    one.times.forEach((time, at) => {
      column[places.get(time)] = one.values[at];
    });
    return column;
  });
  const described = series.map(({ name, kind, states, error, count }) => ({ name, kind, states, error, count }));
  return { data: [Array.from(times, (time) => time / 1000), ...columns], points: described };
}

function seriesOf(name, entry, gapFactor) {
  const times = entry.samples.map((row) => row[0]);
  const raw = entry.samples.map((row) => row[1]);
  const isState = raw.some((value) => typeof value === "string" || typeof value === "boolean");
  const states = isState ? [...new Set(raw.filter((value) => value !== null).map(String))].sort() : [];
  const values = isState ? raw.map((value) => (value === null ? null : states.indexOf(String(value)))) : raw;
  const gap = usualStep(times) * gapFactor;
  const found = { name, kind: isState ? "state" : "number", states, error: entry.error, count: entry.count, times: [], values: [] };
  times.forEach((time, at) => {
    if (at > 0 && time - times[at - 1] > gap) {
      found.times.push(times[at - 1] + gap / gapFactor);
      found.values.push(null);
    }
    found.times.push(time);
    found.values.push(values[at]);
  });
  return found;
}
