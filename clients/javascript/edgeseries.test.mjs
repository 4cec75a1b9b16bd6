/** The JavaScript client without a server: `node --test`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, JobEnded, ProblemError, cacheVerdict, chartData, events, fieldsOf, queryOf, retryAfterSeconds } from "./edgeseries.mjs";

/** A client whose requests are answered by a list, and what it asked and waited. */
function served(answers, options = {}) {
  const asked = [];
  const waited = [];
  const fetch = async (url, request) => {
    asked.push({ url, ...request });
    const made = answers.shift();
    if (made instanceof Error) throw made;
    return made;
  };
  const client = new Client({ url: "http://edge.test/", fetch, sleep: async (seconds) => void waited.push(seconds), ...options });
  return { client, asked, waited };
}

const json = (document, status = 200, headers = {}) => new Response(JSON.stringify(document), { status, headers });
const problem = (status, headers = {}, document = {}) => json({ type: "urn:edgeseries:problem:unavailable", detail: "down", ...document }, status, headers);
const job = (status, more = {}) => ({ jobId: "a-1", status, progress: 0, resultParts: status === "completed" ? 1 : null, error: null, ...more });
const series = (data) => json({ data: Object.fromEntries(Object.entries(data).map(([name, samples]) => [name, { samples, count: samples.length, error: null }])), _meta: { site: "s" } });
const stream = (text) => new Response(text, { headers: { "content-type": "text/event-stream" } });
const event = (id, document) => `id: ${id}\nevent: ${document.status}\ndata: ${JSON.stringify(document)}\n\n`;

test("a question is sent with what is set and nothing else", () => {
  const start = new Date(Date.UTC(2015, 2, 1));
  assert.deepEqual(fieldsOf({ site: "s", points: ["a"], start, end: "now", every: undefined, fill: null }), {
    site: "s", points: ["a"], start_time: "2015-03-01T00:00:00.000Z", end_time: "now",
  });
  assert.equal(String(queryOf({ site: "s s", points: ["a,b", "ü"], q: "" })), "site=s+s&point=a%2Cb&point=%C3%BC");
});

test("a key goes into a header, never into the address", async () => {
  const { client, asked } = served([json({ sites: [] })], { key: "es_1_2" });
  await client.sites();
  assert.equal(asked[0].url, "http://edge.test/api/sites");
  assert.equal(asked[0].headers.Authorization, "Bearer es_1_2");
});

test("sites of an upstream that did not answer are told to be missing", async () => {
  const missing = [{ upstream: "upstream:meters", prefix: "meters/", fault: "down" }];
  const { client } = served([json({ sites: [{ name: "s" }], unanswered: missing }), json({ sites: [] })]);
  assert.deepEqual((await client.sites()).unanswered, missing);
  assert.deepEqual((await client.sites()).unanswered, []);
});

test("what may pass is tried again after what it names", async () => {
  const { client, waited } = served([problem(429, { "retry-after": "7" }), new TypeError("refused"), problem(409, { "retry-after": "2" }), json({ sites: [{ name: "s" }] })]);
  assert.deepEqual(await client.sites(), [{ name: "s" }]);
  assert.deepEqual(waited, [7, 1, 2]);
});

test("tries end, and too long a pause is not waited for", async () => {
  await assert.rejects(served([problem(503), problem(503)], { tries: 2 }).client.sites(), ProblemError);
  await assert.rejects(served([problem(429, { "retry-after": "3600" })]).client.sites(), (error) => error.retryAfterSeconds === 3600);
  await assert.rejects(served([new TypeError("refused")], { tries: 1 }).client.sites(), /refused/);
});

test("a refusal says what to do, whatever its body is", async () => {
  const faults = [{ parameter: "tz", detail: "no such zone" }];
  await assert.rejects(served([problem(400, {}, { errors: faults })]).client.sites(), (error) => {
    assert.equal(error.message, "down; tz: no such zone");
    assert.deepEqual([error.status, error.kind, error.faults], [400, "unavailable", faults]);
    return true;
  });
  await assert.rejects(served([new Response("<html>", { status: 404 })]).client.sites(), /status 404/);
});

test("an aborted request is not tried again", async () => {
  const abort = new AbortController();
  const { client, asked } = served([problem(503)], { sleep: async () => abort.abort(new Error("enough")) });
  const fetch = client.fetch;
  client.fetch = async (...words) => {
    abort.signal.throwIfAborted();
    return fetch(...words);
  };
  await assert.rejects(client.sites({ signal: abort.signal }), /enough/);
  assert.equal(asked.length, 1);
});

test("a large question comes by its job, across a broken stream", async () => {
  const { client, asked } = served([
    json(job("queued"), 202),
    stream(event("1", job("processing", { progress: 50 }))),
    stream(event("2", job("completed", { progress: 100 }))),
    json(job("completed", { resultParts: 2 })),
    series({ a: [[1, 1]] }),
    series({ a: [[2, 2]], b: [] }),
  ]);
  const seen = [];
  const { document } = await client.read({ site: "s", points: ["a", "b"], start: 0, end: 9 }, { onJob: (one) => seen.push(one.progress) });
  assert.deepEqual(document.data, { a: { samples: [[1, 1], [2, 2]], count: 2, error: null }, b: { samples: [], count: 0, error: null } });
  assert.equal(document._meta.sampleCount, 2);
  assert.deepEqual(seen, [50, 100]);
  assert.equal(asked[2].headers["Last-Event-ID"], "1");
});

test("a job that ended otherwise is told with its cause", async () => {
  const { client } = served([stream(event("1", job("failed", { error: "gone" }))), json(job("failed", { error: "gone" }))]);
  await assert.rejects(client.follow("a-1"), (error) => error instanceof JobEnded && /is failed: gone/.test(error.message));
  const known = served([new Response(null, { status: 204 }), json(job("cancelled"))]);
  await assert.rejects(known.client.follow("a-1"), JobEnded);
});

test("events are read however they are cut", async () => {
  const text = ": hello\n\nid: 1\r\nevent: progress\r\ndata: {}\r\n\r\nid: 2\ndata: x\n\n";
  for (const size of [1, 3, 1000]) {
    const pieces = new ReadableStream({
      start(controller) {
        const bytes = new TextEncoder().encode(text);
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
        controller.close();
      },
    });
    const found = [];
    for await (const one of events(pieces)) if (one.data !== "") found.push([one.id, one.event, one.data]);
    assert.deepEqual(found, [["1", "progress", "{}"], ["2", "message", "x"]], `cut at ${size}`);
  }
});

test("verdicts and pauses are read from headers", () => {
  const verdict = (text) => cacheVerdict(new Headers({ "cache-status": text }));
  assert.deepEqual(["EdgeSeries; hit", "EdgeSeries; fwd=partial; stored", "EdgeSeries; hit; detail=x", ""].map(verdict), ["hit", "partial", "hit", ""]);
  const now = Date.UTC(2026, 11, 1, 8);
  assert.equal(retryAfterSeconds(new Headers({ "retry-after": "Tue, 01 Dec 2026 08:00:30 GMT" }), now), 30);
  assert.equal(retryAfterSeconds(new Headers()), null);
});

test("columns are aligned: other instants are passed, gaps are not", () => {
  const document = {
    data: {
      a: { samples: [[0, 1], [60_000, 2], [120_000, null], [180_000, 3], [900_000, 4]], count: 5, error: null },
      b: { samples: [[30_000, true], [90_000, false]], count: 2, error: null },
      c: { samples: [], count: 0, error: "the site has no point of this name" },
    },
  };
  const { data, points } = chartData(document);
  assert.deepEqual(data[0], [0, 30, 60, 90, 120, 180, 240, 900]);
  assert.deepEqual(data[1], [1, undefined, 2, undefined, null, 3, null, 4]);
  assert.deepEqual(data[2], [undefined, 1, undefined, 0, undefined, undefined, undefined, undefined]);
  assert.deepEqual(points.map(({ kind, states }) => [kind, states]), [["number", []], ["state", ["false", "true"]], ["number", []]]);
  assert.equal(points[2].error, "the site has no point of this name");
});

test("no samples are a chart without instants", () => {
  assert.deepEqual(chartData({ data: { a: { samples: [], count: 0, error: null } } }).data, [[], []]);
});
