/** System: what the cache saves and costs, how fast answers are, how every part is: pictures of `/api/stats`. */

import { bytes, count, fill, h, name, percent } from "./dom.mjs";

const LOOK_MS = 30_000;

const money = (amount) => `$ ${amount.toFixed(2)}`;
const milliseconds = (number) => (number === null || number === undefined ? "–" : `${count(number)} ms`);

function figure(label, value, more = "") {
  return h("div", { class: "figure" }, h("dt", {}, label), h("dd", {}, value, more === "" ? null : h("small", {}, more)));
}

/** A bar of a share of the largest. */
function bar(share, label) {
  return h("span", { class: "bar", role: "img", "aria-label": label }, h("span", { style: { width: `${Math.max(1, share * 100)}%` } }));
}

function table(caption, headings, rows) {
  return h("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": caption }, h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, headings.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell) => h("td", {}, cell)))))));
}

/** What somebody should look at, in sentences: by the bounds of the alerts that the page can judge (docs/alerts.md). */
export function attention({ requests, jobs }, health) {
  const share = (part, whole, least) => (whole >= least ? part / whole : 0);
  const failing = Object.entries(health?.parts ?? {}).filter(([, part]) => part.status !== "ok");
  return [
    ...failing.map(([name, part]) => `${name} is not well: ${part.fault}`),
    jobs.deadLetters > 0 && `${count(jobs.deadLetters)} dead letters wait for somebody to replay them`,
    share(requests.errors, requests.count, 20) > 0.05 && `${percent(requests.errors / requests.count)} of the requests failed`,
    share(jobs.failed, jobs.failed + jobs.completed, 3) > 0.1 && `${percent(jobs.failed / (jobs.failed + jobs.completed))} of the jobs failed`,
  ].filter((sentence) => sentence);
}

export class System {
  constructor({ client }) {
    Object.assign(this, { client, timer: null, closed: false });
    this.fault = h("p", { class: "fault", role: "alert" });
    this.body = h("div", {});
    this.element = h("div", { class: "page" }, h("h1", {}, "System"), this.fault, this.body);
  }

  at() {}

  async open() {
    const [stats, health] = await Promise.allSettled([this.client.stats(), this.client.health()]);
    if (this.closed) return;
    this.fault.textContent = stats.status === "rejected" ? stats.reason.message : "";
    const alerts = stats.status === "fulfilled" ? attention(stats.value, health.value) : [];
    const shown = alerts.length === 0 ? null : h("section", { class: "alerts", "aria-labelledby": "alerts" }, h("h2", { id: "alerts" }, "Needs attention"), h("ul", {}, alerts.map((sentence) => h("li", {}, sentence))));
    fill(this.body, shown, stats.status === "fulfilled" ? this.pictures(stats.value) : null, health.status === "fulfilled" ? this.parts(health.value) : null);
    this.timer = setTimeout(() => this.open(), LOOK_MS);
  }

  pictures({ cache, requests, upstream, cost, jobs, at }) {
    const answered = requests.byRoute.reduce((sum, route) => sum + route.samples, 0);
    const slowest = Math.max(1, ...requests.byRoute.map((route) => route.durationMs.p95 ?? 0));
    const largest = Math.max(1, ...cache.bySite.map((site) => site.storedBytes));
    const active = Object.values(jobs.active).reduce((sum, number) => sum + number, 0);
    return [
      h("dl", { class: "figures" },
        figure("Answered from the store", percent(cache.hitRate)),
        figure("Samples the vendor did not have to send", count(upstream.savedSamples), `of ${count(answered)}`),
        figure("Calls to the vendor", count(upstream.calls), `${count(upstream.samples)} samples`),
        figure("Stored", bytes(cache.storedBytes), cache.compressionRatio === null ? "" : `${cache.compressionRatio.toFixed(1)} times smaller than plain`),
        figure("This month so far", money(cost.soFar), `${money(cost.wholeMonth)} at this pace`),
        figure("Jobs under way", count(active), `${count(jobs.completed)} completed, ${count(jobs.failed)} failed`),
        figure("Requests", count(requests.count), `${count(requests.errors)} failed`),
        figure("Dead letters", count(jobs.deadLetters))),
      table("Latency by route (95th percentile)", ["Endpoint", "Route", "Requests", "Hits", "Median", "p95", ""], requests.byRoute.map((route) => [route.endpoint, route.route ?? "", count(route.count), percent(route.hitRate), milliseconds(route.durationMs.p50), milliseconds(route.durationMs.p95), bar((route.durationMs.p95 ?? 0) / slowest, `p95 ${milliseconds(route.durationMs.p95)}`)])),
      table("Stored by site", ["Site", "Samples", "Bytes", ""], cache.bySite.map((site) => [name(site.site), count(site.samples), bytes(site.storedBytes), bar(site.storedBytes / largest, bytes(site.storedBytes))])),
      table(`Cost of ${cost.month}`, ["Meter", "Used", "Included", "So far", "Whole month", "Basis"], cost.lines.map((line) => [`${line.product}: ${line.meter}`, `${count(line.used)} ${line.unit}`, count(line.included), money(line.soFar), money(line.wholeMonth), line.basis])),
      h("p", { class: "hint" }, `As of ${at}.`),
    ];
  }

  parts(health) {
    const parts = Object.entries(health.parts ?? {});
    return h("section", { "aria-labelledby": "health" }, h("h2", { id: "health" }, "Health"), h("ul", { class: "parts" }, parts.map(([part, found]) => h("li", {}, h("span", { class: `chip ${found.status === "ok" ? "completed" : "failed"}` }, found.status), ` ${part} `, h("span", { class: "hint" }, milliseconds(found.durationMs)), found.fault === null ? null : h("span", { class: "fault" }, ` ${found.fault}`)))));
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
  }
}
