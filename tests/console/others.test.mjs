/** Jobs, system and keys in Chromium. */

import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { AXE, launch, openPage } from "./browser.mjs";

const { URL: url, UPSTREAM: upstream, KEYED_URL: keyedUrl, ADMIN_KEY: adminKey, ARTIFACTS: artifacts } = process.env;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const control = (knobs) => fetch(`${upstream}/_control`, { method: "POST", body: JSON.stringify({ reset: true, ...knobs }) });

async function asked(path, { body, key = null, method = "GET" } = {}) {
  const headers = { "Content-Type": "application/json", ...(key === null ? {} : { Authorization: `Bearer ${key}` }) };
  const response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}

const job = (points, days) => asked(`${url}/api/jobs`, { method: "POST", body: { site: "opengrid_minute", points, start_time: "2015-03-01T00:00:00Z", end_time: new Date(Date.UTC(2015, 2, 1 + days)).toISOString() } });

/** A page that must end without a fault, but for those that are expected. */
async function clean(options, use, expected = /^$/) {
  const { page, context, faults } = await openPage(browser, { url, ...options });
  try {
    await use(page);
    assert.deepEqual(faults.filter((fault) => !expected.test(fault)), []);
  } finally {
    await context.close();
  }
}

async function accessible(page) {
  await page.evaluate(fs.readFileSync(AXE, "utf8"));
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(" ")}`), []);
}

test("jobs move by themselves, are cancelled and taken up again", async () => {
  // Long enough to be cancelled: nothing of it is stored, and each call takes its time.
  await asked(`${url}/api/cache?site=opengrid_minute`, { method: "DELETE" });
  await control({ latency_ms: 4000 });
  try {
    const { jobId } = await job(["water_a519", "water_6616"], 31);
    await clean({ hash: "#/jobs" }, async (page) => {
      const row = page.locator(`[data-job="${jobId}"]`);
      await row.locator(".chip", { hasText: /queued|processing/ }).waitFor();
      await row.getByRole("button", { name: `Cancel job ${jobId}` }).click();
      await row.locator(".chip", { hasText: "cancelled" }).waitFor();
      await control({});
      await row.getByRole("button", { name: `Retry job ${jobId}` }).click();
      await row.locator(".chip", { hasText: "completed" }).waitFor({ timeout: 60_000 });
      assert.equal(await row.locator("progress").evaluate((bar) => bar.value / bar.max), 1);
      const [download] = await Promise.all([page.waitForEvent("download"), row.getByRole("button", { name: `CSV job ${jobId}` }).click()]);
      assert.match(fs.readFileSync(await download.path(), "utf8").slice(0, 60), /^point_name,timestamp,value/);
      await page.screenshot({ path: `${artifacts}/jobs-light.png` });
      await accessible(page);
    });
  } finally {
    await control({});
  }
});

test("the list of jobs shows those of a state", async () => {
  await job(["water_2923"], 2);
  await clean({ hash: "#/jobs", dark: true }, async (page) => {
    await page.locator(".chip", { hasText: "completed" }).first().waitFor({ timeout: 30_000 });
    await page.locator("#status").selectOption("failed");
    await page.getByText("There are no jobs.").waitFor();
    await page.getByText("None: no message was given up.").waitFor();
    await page.screenshot({ path: `${artifacts}/jobs-dark.png` });
    await accessible(page);
  });
});

test("dead letters are shown with their cause, and replayed", async () => {
  const letter = { letterId: "l-1", queue: "jobs-normal", jobId: "j-1", batchIndex: 3, message: {}, cause: "<b>no such point</b>", attempts: 4, buriedAt: "2026-12-01T08:00:00.000Z", replayedAt: null, replayUrl: "/api/queue/dlq/l-1/replay" };
  await clean({}, async (page) => {
    let replayed = null;
    // The page is what is tested here; that letters come to be, and are replayed, is shown by tests of jobs.
    await page.route("**/api/queue/dlq?*", (route) => route.fulfill({ json: { letters: [{ ...letter, replayedAt: replayed }], cursor: null } }));
    await page.route("**/api/queue/dlq/l-1/replay", (route) => {
      replayed = "2026-12-01T09:00:00.000Z";
      return route.fulfill({ status: 202, json: { letter: "l-1", job: {} } });
    });
    await page.getByRole("link", { name: "Jobs" }).click();
    await page.getByText("<b>no such point</b>").waitFor();
    await page.getByRole("button", { name: "Replay letter l-1" }).click();
    await page.getByText("replayed 2026-12-01T09:00").waitFor();
    await accessible(page);
  });
});

test("what needs attention is said first", async () => {
  await clean({}, async (page) => {
    const failing = { status: "failing", parts: { upstream: { status: "failing", durationMs: 3000, fault: "<i>it did not answer</i>" } } };
    await page.route("**/api/health?deep=1", (route) => route.fulfill({ json: failing }));
    await page.getByRole("link", { name: "System" }).click();
    await page.getByText("upstream is not well: <i>it did not answer</i>").waitFor();
    await accessible(page);
  });
});

test("sites of an upstream that does not answer are said to be missing, and that of a link stays chosen", async () => {
  await clean({}, async (page) => {
    const unanswered = [{ upstream: "upstream:meters", prefix: "meters/", fault: "<i>it did not answer</i>" }];
    await page.route("**/api/sites", (route) => route.fulfill({ json: { sites: [{ name: "opengrid_hourly", title: null }], count: 1, unanswered } }));
    await page.route("**/api/sites/meters%2Fhq/points*", (route) => route.fulfill({ json: { site: "meters/hq", points: [], count: 0, total: 0, cursor: null } }));
    await page.goto(`${url}/#/explore?site=meters%2Fhq`);
    // The page was there before the routes: it may have had its answers already.
    await page.reload();
    await page.getByText("Sites of upstream:meters are missing: <i>it did not answer</i>").waitFor();
    assert.equal(await page.locator("#site").inputValue(), "meters/hq");
    await accessible(page);
  });
});

/** The system's view as a picture. */
const system = (theme) => clean({ hash: "#/system", dark: theme === "dark" }, async (page) => {
  await page.getByText("Answered from the store").waitFor();
  await page.getByText("database").waitFor();
  assert.match(await page.locator(".figures").innerText(), /Stored\s+[\d.]+ [kMG]?B/);
  await page.screenshot({ path: `${artifacts}/system-${theme}.png`, fullPage: true });
  await accessible(page);
});

test("the system is shown in pictures, light", () => system("light"));

test("the system is shown in pictures, dark", () => system("dark"));

test("who has no key signs in, and sees what the key may", async () => {
  const { key } = await asked(`${keyedUrl}/api/keys`, { method: "POST", key: adminKey, body: { owner: "reader", sites: ["opengrid_hourly"], rights: ["read"] } });
  await clean({ url: keyedUrl }, async (page) => {
    await page.getByLabel("API key").fill("es_000000000000_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").filter({ hasText: /no such key|holds no key/ }).waitFor();
    await accessible(page);
    await page.getByLabel("API key").fill(key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator("#site option", { hasText: "opengrid_hourly" }).waitFor({ state: "attached" });
    assert.deepEqual(await page.locator("#site option").allInnerTexts(), ["opengrid_hourly"]);
    assert.deepEqual(await page.locator("nav a").allInnerTexts(), ["Explore"]);
    assert.equal(await page.getByRole("button", { name: "Purge…" }).count(), 0);
    assert.equal(await page.getByRole("button", { name: "Fetch as a job" }).count(), 0);
    assert.equal(await page.evaluate(() => JSON.stringify({ ...localStorage }).includes("es_")), false, "a key is kept in the session alone");
    await page.reload();
    await page.getByRole("button", { name: /^Key / }).click();
    assert.match(await page.getByRole("dialog").innerText(), /read[\s\S]*opengrid_hourly/);
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("API key").waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  }, /status of 401/);
});

test("a key of an admin sees everything", async () => {
  await clean({ url: keyedUrl, key: adminKey }, async (page) => {
    await page.locator("nav a").nth(2).waitFor();
    assert.deepEqual(await page.locator("nav a").allInnerTexts(), ["Explore", "Jobs", "System"]);
    await page.getByRole("button", { name: "Purge…" }).waitFor();
  });
});

test("the page is small, and asks nobody else", async (t) => {
  const { page, context, faults } = await openPage(browser, { url });
  await page.getByText("Choose points on the left").waitFor();
  const entries = await page.evaluate(() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map(({ name, encodedBodySize }) => [name, encodedBodySize]));
  const hosts = new Set(entries.map(([name]) => new URL(name).host));
  const sent = entries.filter(([name]) => !new URL(name).pathname.startsWith("/api/")).reduce((sum, [, size]) => sum + size, 0);
  t.diagnostic(`said: the page is ${(sent / 1000).toFixed(0)} kB compressed`);
  assert.ok(sent > 10_000 && sent < 150_000, `${sent} bytes`);
  assert.deepEqual([...hosts], [new URL(url).host]);
  assert.deepEqual(faults, []);
  await context.close();
});

test("no other page may frame it, and no script of another runs in it", async () => {
  const response = await fetch(`${url}/`);
  const policy = response.headers.get("content-security-policy");
  assert.match(policy, /default-src 'none'; script-src 'self'/);
  assert.match(policy, /frame-ancestors 'none'/);
  const { page, context, faults } = await openPage(browser, { url });
  await page.evaluate(() => {
    document.body.append(Object.assign(document.createElement("script"), { textContent: "window.ran = true" }));
  }).catch(() => undefined);
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.ok(faults.some((fault) => fault.includes("csp:") || fault.includes("Content Security Policy") || fault.includes("Trusted")), "a violation is seen by the tests");
  await context.close();
});
