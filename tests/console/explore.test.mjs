/** Explore in Chromium: charts, zoom, hits, jobs in place, purges, hostile names, what it takes. */

import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { AXE, launch, openPage } from "./browser.mjs";

const { URL: url, UPSTREAM: upstream, ARTIFACTS: artifacts } = process.env;
const HOUSE = "site=made_up_house&from=2024-01-01T00:00:00Z&to=2024-01-03T00:00:00Z";
const MARCH = "site=opengrid_minute&point=water_2923&point=water_1a5c&from=2015-03-02T00:00:00Z&to=2015-03-09T00:00:00Z";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const facts = (page) => page.locator(".facts").innerText();
const state = (page) => page.locator(".state").innerText();
const drawn = (page) => page.locator(".plot canvas").first().waitFor();
const control = (knobs) => fetch(`${upstream}/_control`, { method: "POST", body: JSON.stringify({ reset: true, ...knobs }) });

/** A page that must end without a fault of any kind. */
async function clean(options, use) {
  const { page, context, faults } = await openPage(browser, { url, ...options });
  try {
    const result = await use(page);
    assert.deepEqual(faults, []);
    return result;
  } finally {
    await context.close();
  }
}

/** What axe-core finds that is serious or worse. */
async function accessible(page) {
  // The page's own policy lets no script in that is not its own; the test's is evaluated beside it.
  await page.evaluate(fs.readFileSync(AXE, "utf8"));
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(" ")}`), []);
}

test("a chart is drawn, and drawn from the store when it is asked again", async (t) => {
  await clean({ hash: `#/explore?${MARCH}` }, async (page) => {
    const begun = await page.evaluate(() => performance.timeOrigin);
    await page.locator(".verdict").waitFor();
    t.diagnostic(`said: cold page to first chart: ${Math.round(Date.now() - begun)} ms`);
    assert.match(await facts(page), /miss|partial/);
    await page.waitForTimeout(1500);
    await page.reload();
    await page.locator(".verdict.hit").waitFor();
    assert.match(await facts(page), /all of it was stored/);
    await page.locator(".strip .stored").first().waitFor();
  });
});

test("a link holds the view: points, range, zone, kind of buckets", async () => {
  await clean({ hash: `#/explore?${MARCH}&zone=Europe%2FBrussels` }, async (page) => {
    await drawn(page);
    await page.getByText("11 of 11 points").waitFor();
    assert.equal(await page.locator("#zone").inputValue(), "Europe/Brussels");
    assert.equal(await page.locator("#from").inputValue(), "2015-03-02T01:00");
    assert.deepEqual(await page.locator(".points [aria-selected=true]").allInnerTexts(), ["water_1a5c", "water_2923"]);
    await page.locator("#zone").selectOption("UTC");
    assert.ok(!page.url().includes("zone="));
    await page.goBack();
    assert.equal(await page.locator("#zone").inputValue(), "Europe/Brussels");
  });
});

test("dragging zooms, asks again, and back goes back", async () => {
  await clean({ hash: `#/explore?${MARCH}` }, async (page) => {
    await drawn(page);
    await page.getByText("11 of 11 points").waitFor();
    const asked = [];
    page.on("request", (request) => request.url().endsWith("/api/timeseries") && asked.push(request.postDataJSON()));
    const box = await page.locator(".u-over").boundingBox();
    await page.mouse.move(box.x + box.width * 0.25, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 5 });
    await page.mouse.up();
    await page.waitForFunction(() => location.hash.includes("from=2015-03-03T"));
    await page.waitForTimeout(500);
    const hours = (Date.parse(asked.at(-1).end_time) - Date.parse(asked.at(-1).start_time)) / 3600e3;
    assert.ok(Math.abs(hours - 42) < 2, `a quarter of a week is asked for, not ${hours} hours`);
    const { hash } = new URL(page.url());
    await page.locator(".plot").press("+");
    await page.waitForFunction((before) => location.hash !== before, hash);
    await page.goBack();
    await page.goBack();
    assert.equal(await page.locator("#to").inputValue(), "2015-03-09T00:00");
  });
});

test("units have axes, gaps stay gaps, states are bands", async () => {
  const names = ["temperature", "power", "pump", "mode", "silent"].map((name) => `&point=${name}`).join("");
  await clean({ hash: `#/explore?${HOUSE}${names}` }, async (page) => {
    await page.locator(".band").nth(1).waitFor();
    await page.locator(".legend .unit").first().waitFor();
    assert.deepEqual(await page.locator(".panel .legend li").filter({ has: page.locator(".value") }).locator(".unit").allInnerTexts(), ["°C", "kW", "ppm"]);
    assert.match(await page.locator(".band").first().getAttribute("aria-label"), /States of pump: false, true/);
    assert.ok((await page.locator(".band").nth(1).locator("span").count()) > 3);
    assert.equal(await page.locator(".u-axis").count(), 4);
    const box = await page.locator(".u-over").boundingBox();
    await page.mouse.move(box.x + box.width * 0.7, box.y + 50);
    assert.match(await page.locator(".time").innerText(), /2024-01-02 09:/);
    const values = await page.locator(".value").allInnerTexts();
    assert.equal(values[0], "–", "the temperature is silent there");
    assert.match(values[3], /night|day|away/);
  });
});

test("a year of five points is one chart", async (t) => {
  const names = ["elec_0668", "elec_156e", "elec_1a1d", "elec_214e", "elec_3aa4"].map((name) => `&point=${name}`).join("");
  await clean({ hash: `#/explore?site=opengrid_hourly&from=2016-01-01T00:00:00Z&to=2017-01-01T00:00:00Z${names}` }, async (page) => {
    await page.locator(".verdict").waitFor();
    await page.waitForTimeout(2500);
    await page.reload();
    await page.locator(".verdict").waitFor();
    t.diagnostic(`said: a year of five points: ${await facts(page)}`);
  });
});

test("ten thousand points are searched as one types, by keys alone", async () => {
  await clean({ hash: "#/explore?site=made_up_many" }, async (page) => {
    await page.getByText("10000 of 10000 points").waitFor();
    assert.ok((await page.locator(".points [role=option]").count()) <= 60, "only what one sees is in the page");
    await page.locator("#search").fill("unit:kw 777");
    await page.getByText("2 of 10000 points").waitFor();
    await page.locator("#search").press("ArrowDown");
    await page.locator("#search").press("Enter");
    await page.waitForFunction(() => location.hash.includes("point=point"));
    assert.equal(await page.locator(".points [aria-selected=true]").count(), 1);
    await page.locator("#search").fill("");
    await page.locator(".points").press("End");
    await page.locator('[aria-posinset="10000"]').waitFor();
    assert.equal(await page.locator(".points").getAttribute("aria-activedescendant"), "point-9999");
  });
});

test("names that attackers choose are text wherever they are shown", async () => {
  await clean({ hash: `#/explore?${HOUSE}` }, async (page) => {
    let alerted = false;
    page.on("dialog", (dialog) => {
      alerted = true;
      dialog.dismiss();
    });
    await page.getByText("12 of 12 points").waitFor();
    for (const text of ["<img", "<script", "javascript", "gnirts", "alert(1)}", "long xxx"]) {
      await page.locator("#search").fill(text);
      await page.locator("#search").press("Enter");
    }
    await page.locator(".verdict").waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".legend .value").length === 6);
    await page.getByRole("button", { name: "Copy as curl" }).click();
    const command = await page.locator("dialog pre").innerText();
    await page.getByRole("button", { name: "Close" }).click();
    assert.equal(command.split("'").length % 2, 1, "quotes of the shell are paired");
    assert.equal(await page.locator("main img, main script").count(), 0);
    assert.ok(!alerted);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `the page is ${wide} pixels wider than the window`);
    await page.screenshot({ path: `${artifacts}/hostile.png` });
  });
});

test("much becomes a job in place, with its bar, and then the chart", async () => {
  await control({ latency_ms: 150 });
  const names = ["water_2923", "water_1a5c", "water_6616", "water_a519"].map((name) => `&point=${name}`).join("");
  await clean({ hash: `#/explore?site=opengrid_minute&from=2012-01-01T00:00:00Z&to=2015-04-01T00:00:00Z${names}` }, async (page) => {
    await page.locator(".job .hint", { hasText: /[1-9]\d* %/ }).waitFor();
    await page.screenshot({ path: `${artifacts}/job-in-place.png` });
    await control({});
    await page.locator(".verdict").waitFor({ timeout: 90_000 });
    assert.equal(await page.locator(".job").count(), 0);
  });
});

test("a job is cancelled where it is shown, and taken up again", async () => {
  await control({ latency_ms: 2000 });
  await clean({ hash: "#/explore?site=opengrid_minute&point=water_a926&point=water_b285&point=elec_1sensor&from=2008-01-01T00:00:00Z&to=2017-11-01T00:00:00Z" }, async (page) => {
    await page.getByRole("button", { name: "Cancel the job" }).click();
    await page.getByRole("alert").filter({ hasText: "cancelled" }).waitFor({ timeout: 20_000 });
    await control({});
    await page.getByRole("button", { name: "Take it up again" }).click();
    await page.locator(".verdict").waitFor({ timeout: 90_000 });
  });
});

test("a purge shows first what it would remove", async () => {
  await clean({ hash: `#/explore?${MARCH}` }, async (page) => {
    await page.locator(".verdict.hit").waitFor();
    await page.getByRole("button", { name: "Purge…" }).click();
    const dialog = page.getByRole("dialog");
    assert.match(await dialog.innerText(), /2 blocks.*2015-03-02 to 2015-03-08/s);
    await page.screenshot({ path: `${artifacts}/purge.png` });
    await dialog.getByRole("button", { name: "Keep" }).click();
    await page.reload();
    await page.locator(".verdict.hit").waitFor();
    await page.getByRole("button", { name: "Purge…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByText("2 blocks were removed").waitFor();
    await page.locator(".verdict.miss").waitFor();
  });
});

test("what the vendor spoils is said, and asked again", async () => {
  await control({ rate_500: 1 });
  try {
    const { page, context } = await openPage(browser, { url, hash: "#/explore?site=opengrid_hourly&point=weather_windSpeed&from=2016-03-02T00:00:00Z&to=2016-03-02T03:00:00Z" });
    await page.waitForEvent("console", (message) => /status of 50[0-9]/.test(message.text()));
    await control({});
    await page.locator(".verdict").waitFor({ timeout: 20_000 });
    await context.close();
  } finally {
    await control({});
  }
});

test("a file is saved in the format that is chosen", async () => {
  await clean({ hash: `#/explore?${MARCH}` }, async (page) => {
    await drawn(page);
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download" }).click()]);
    assert.equal(download.suggestedFilename(), "opengrid_minute.csv");
    assert.match(fs.readFileSync(await download.path(), "utf8").slice(0, 200), /^point_name,timestamp,value\r\n"water_1a5c",2015-03-02T00:00:00/);
  });
});

test("every format that the page offers is one of the server", async () => {
  await clean({ hash: `#/explore?${MARCH}` }, async (page) => {
    await drawn(page);
    const formats = await page.locator("#format option").evaluateAll((options) => options.map((option) => option.value));
    assert.ok(formats.length >= 8);
    for (const format of formats) {
      const query = `site=opengrid_minute&points=water_2923&start_time=2015-03-02T00:00:00Z&end_time=2015-03-02T01:00:00Z&format=${format}`;
      const response = await fetch(`${url}/api/timeseries?${query}`);
      assert.equal(response.status, 200, format);
      await response.arrayBuffer();
    }
  });
});

test("copied commands ask the same", async () => {
  await clean({ hash: `#/explore?${MARCH}` }, async (page) => {
    await drawn(page);
    const copied = async (button) => {
      await page.getByRole("button", { name: button }).click();
      const text = await page.locator("dialog pre").innerText();
      await page.getByRole("button", { name: "Close" }).click();
      return text;
    };
    const curl = await copied("Copy as curl");
    const address = /'(http[^']+)'/.exec(curl)[1];
    const response = await fetch(address);
    assert.equal(response.status, 200);
    assert.match((await response.text()).slice(0, 100), /^point_name,timestamp,value/);
    assert.match(await copied("Copy as Python"), /site\.read\(\["water_2923", "water_1a5c"\], "2015-03-02T00:00:00Z"/);
    const query = JSON.parse(await copied("Copy for Grafana"));
    const filled = query.url.replace("${__from:date:iso}", "2015-03-02T00:00:00Z").replace("${__to:date:iso}", "2015-03-02T01:00:00Z");
    const rows = await (await fetch(filled)).json();
    assert.deepEqual(Object.keys(rows[0]), query.columns.map((column) => column.selector === "time" ? "time" : column.selector).sort((a, b) => ["point", "time", "value"].indexOf(a) - ["point", "time", "value"].indexOf(b)));
  });
});

test("an hour of live follow leaves the page as large as it was", async (t) => {
  await clean({ hash: "#/explore?site=made_up_live&point=made_up_live_1&point=made_up_live_2&from=-1h&live=1", clock: true }, async (page) => {
    await page.locator(".verdict").waitFor();
    let answers = 0;
    // The hour is the page's: what it is answered is what the server said first, with the instants moved on.
    const recorded = await (await fetch(`${url}/api/timeseries?site=made_up_live&points=made_up_live_1,made_up_live_2&start_time=${Date.now() - 3600e3}&end_time=${Date.now()}`)).text();
    await page.route("**/api/timeseries", async (route) => {
      answers += 1;
      const document = JSON.parse(recorded);
      for (const entry of Object.values(document.data)) for (const row of entry.samples) row[0] += answers * 10_000;
      await route.fulfill({ json: document, headers: { "cache-status": "EdgeSeries; hit" } });
    });
    const covered = await (await fetch(`${url}/api/coverage?site=made_up_live&points=made_up_live_1&start_time=${Date.now() - 3600e3}&end_time=${Date.now()}`)).json();
    await page.route("**/api/coverage", (route) => route.fulfill({ json: covered }));
    const devtools = await page.context().newCDPSession(page);
    const size = async () => {
      await devtools.send("HeapProfiler.collectGarbage");
      return (await devtools.send("Runtime.getHeapUsage")).usedSize / 1e6;
    };
    const step = async (times) => {
      for (let at = 0; at < times; at += 1) {
        const answer = page.waitForResponse((response) => response.url().endsWith("/api/timeseries"));
        await page.clock.runFor(10_000);
        await answer;
      }
    };
    await step(20);
    const first = await size();
    await step(360);
    const last = await size();
    t.diagnostic(`said: an hour of live follow: ${answers} answers, heap ${first.toFixed(1)} MB before and ${last.toFixed(1)} MB after`);
    assert.ok(answers >= 360);
    assert.ok(last < first + 5, `${first} MB became ${last} MB`);
  });
});

/** Explore as a picture, with what axe-core has to say of it. */
async function looked(dark) {
  const names = ["temperature", "outside", "power", "pump", "mode"].map((name) => `&point=${name}`).join("");
  await clean({ hash: `#/explore?${HOUSE}${names}`, dark }, async (page) => {
    await page.locator(".band").nth(1).waitFor();
    await page.locator(".strip span").first().waitFor();
    await page.screenshot({ path: `${artifacts}/explore-${dark ? "dark" : "light"}.png` });
    await accessible(page);
  });
}

test("explore is accessible in light", () => looked(false));

test("explore is accessible in dark", () => looked(true));

test("explore fits a telephone", async () => {
  await clean({ hash: `#/explore?${HOUSE}&point=temperature&point=mode`, viewport: { width: 390, height: 844 } }, async (page) => {
    await page.locator(".band").first().waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `the page is ${wide} pixels wider than the window`);
    await page.screenshot({ path: `${artifacts}/explore-small.png`, fullPage: true });
    await accessible(page);
  });
});
