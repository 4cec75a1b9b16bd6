/** Explore: choose a site and points, see their chart, where it came from, and take it elsewhere. */

import { Chart } from "./chart.mjs";
import { asCurl, asGrafana, asPython } from "./copies.mjs";
import { CoverageStrip, purge } from "./coverage.mjs";
import { bytes, count, dialog, fill, h, lasting, say, select } from "./dom.mjs";
import { JobEnded, ProblemError, fieldsOf, joined } from "./edgeseries.mjs";
import { PointList } from "./points.mjs";
import { RELATIVE, instantOf, instantOfLocal, isoOf, linkOf, localText, questionOf, viewOf } from "./ranges.mjs";

const FOLLOW_MS = 10_000;
const FORMATS = [["csv", "CSV"], ["ndjson", "NDJSON"], ["json", "JSON"], ["columns", "Columns (JSON)"], ["rows", "Rows (JSON)"], ["parquet", "Parquet"], ["arrow", "Arrow"], ["msgpack", "MessagePack"]];
const AGGREGATES = [["", "samples"], ["mean", "mean"], ["min", "minimum"], ["max", "maximum"], ["sum", "sum"], ["count", "count"], ["first", "first"], ["last", "last"], ["twa", "time-weighted mean"], ["increase", "increase"], ["delta", "delta"]];
const WIDTHS = ["", "1m", "5m", "15m", "1h", "1d", "1w", "1M", "1y"];
const MAX_CHART_POINTS = 20;

export class Explore {
  constructor({ client, session, query, go }) {
    Object.assign(this, { client, session, go, view: viewOf(query), about: new Map(), abort: null, timer: null, job: null });
    this.list = new PointList({ onChoose: (point) => this.toggle(point) });
    this.chart = new Chart({
      onZoom: (range) => this.zoom(range),
      onRemove: (point) => this.toggle(point),
      onDraw: (at) => this.strip.place(at),
    });
    this.strip = new CoverageStrip();
    this.state = h("div", { class: "state" });
    this.facts = h("p", { class: "facts", "aria-live": "polite" });
    this.element = h("div", { class: "explore" }, this.sidebar(), h("section", { class: "panel", "aria-label": "Chart" }, this.toolbar(), this.state, this.chart.element, this.facts, this.strip.element, this.actions()));
  }

  sidebar() {
    this.site = h("select", { id: "site", onchange: () => this.set({ site: this.site.value, points: [] }) });
    this.lacks = h("p", { class: "lacks", role: "status", hidden: true });
    return h("aside", { "aria-label": "Site and points" }, h("label", { for: "site" }, "Site"), this.site, this.lacks, this.list.element);
  }

  toolbar() {
    const local = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const zones = [...new Set(["UTC", local, ...(Intl.supportedValuesOf?.("timeZone") ?? [])])].map((zone) => [zone, zone === local && zone !== "UTC" ? `${zone} (browser)` : zone]);
    this.relative = select({ id: "relative", onchange: () => this.relative.value !== "" && this.set({ from: this.relative.value, to: "now" }) }, [["", "from – to"], ...RELATIVE.map((text) => [text, `last ${text.slice(1)}`])], "");
    this.from = h("input", { type: "datetime-local", id: "from", step: 1, onchange: () => this.typed() });
    this.to = h("input", { type: "datetime-local", id: "to", step: 1, onchange: () => this.typed() });
    this.zone = select({ id: "zone", onchange: () => this.set({ zone: this.zone.value }) }, zones, this.view.zone);
    this.agg = select({ id: "agg", onchange: () => this.set({ agg: this.agg.value }) }, AGGREGATES, this.view.agg);
    this.every = select({ id: "every", onchange: () => this.set({ every: this.every.value }) }, WIDTHS.map((width) => [width, width === "" ? "auto" : width]), this.view.every);
    this.live = h("input", { type: "checkbox", id: "live", onchange: () => this.set({ live: this.live.checked }) });
    const labelled = (text, control) => h("div", { class: "field" }, h("label", { for: control.id }, text), control);
    this.back = h("button", { type: "button", class: "quiet", onclick: () => history.back() }, "Back");
    return h("div", { class: "toolbar" }, labelled("Range", this.relative), labelled("From", this.from), labelled("To", this.to), labelled("Zone", this.zone), labelled("Show", this.agg), labelled("Every", this.every), h("div", { class: "field check" }, this.live, h("label", { for: "live" }, "Live")), this.back);
  }

  actions() {
    this.format = select({ id: "format" }, FORMATS, "csv");
    const able = (right, ...made) => (this.session.rights.includes(right) ? made : []);
    return h("div", { class: "actions", "aria-label": "Take it elsewhere", role: "group" },
      h("label", { for: "format" }, "Format"), this.format,
      h("button", { type: "button", onclick: () => this.download() }, "Download"),
      h("button", { type: "button", class: "quiet", onclick: () => this.copy("curl", asCurl) }, "Copy as curl"),
      h("button", { type: "button", class: "quiet", onclick: () => this.copy("Python", asPython) }, "Copy as Python"),
      h("button", { type: "button", class: "quiet", onclick: () => this.copy("a Grafana query", asGrafana) }, "Copy for Grafana"),
      able("jobs", h("button", { type: "button", class: "quiet", onclick: () => this.fetchAll() }, "Fetch as a job")),
      able("purge", h("button", { type: "button", class: "danger", onclick: () => this.purge() }, "Purge…")));
  }

  async open() {
    try {
      const sites = await this.client.sites();
      if (this.view.site === "" && sites.length > 0) this.view.site = sites[0].name;
      this.listSites(sites);
      this.site.value = this.view.site;
      await Promise.all([this.openSite(), this.draw()]);
    } catch (error) {
      this.fail(error);
    }
  }

  /** What can be chosen. The site of a link is, even if its upstream does not list it now. */
  listSites(sites) {
    const named = sites.map((site) => [site.name, site.title ?? site.name]);
    if (this.view.site !== "" && sites.unanswered.length > 0 && !sites.some((site) => site.name === this.view.site)) named.push([this.view.site, this.view.site]);
    fill(this.site, named.map(([value, text]) => h("option", { value }, text)));
    this.lacks.hidden = sites.unanswered.length === 0;
    this.lacks.textContent = sites.unanswered.map((one) => `Sites of ${one.upstream} are missing: ${one.fault}`).join(" ");
  }

  async openSite() {
    if (this.view.site === "" || this.opened === this.view.site) return;
    this.opened = this.view.site;
    this.list.choose(this.view.points);
    try {
      const points = await this.client.points(this.view.site);
      this.about = new Map(points.map((point) => [point.name, point]));
      this.list.show(points);
      if (this.chart.drawn !== null) this.redraw();
    } catch (error) {
      this.opened = null;
      this.fail(error);
    }
  }

  /** Another view; it is a step of the browser's history. */
  set(change) {
    this.view = { ...this.view, ...change };
    history.pushState(null, "", linkOf(this.view));
    this.openSite();
    this.draw();
  }

  /** The browser went back or forward, or somebody followed a link. */
  at(query) {
    this.view = viewOf(query);
    if (this.view.site === "") this.view.site = this.site.value;
    this.site.value = this.view.site;
    this.openSite();
    this.draw();
  }

  toggle(point) {
    const { points } = this.view;
    if (!points.includes(point) && points.length >= MAX_CHART_POINTS) {
      say(`A chart has at most ${MAX_CHART_POINTS} points.`);
      return;
    }
    this.set({ points: points.includes(point) ? points.filter((one) => one !== point) : [...points, point] });
  }

  zoom([fromMs, toMs]) {
    if (toMs - fromMs < 1000) return;
    this.set({ from: isoOf(Math.round(fromMs)), to: isoOf(Math.round(toMs)), live: false });
  }

  typed() {
    const [from, to] = [this.from, this.to].map((input) => instantOfLocal(input.value, this.view.zone));
    if (Number.isNaN(from) || Number.isNaN(to)) return;
    if (to <= from) this.tell("The range ends before it begins.");
    else this.set({ from: isoOf(from), to: isoOf(to), live: false });
  }

  range() {
    const now = Date.now();
    return [instantOf(this.view.from, now), instantOf(this.view.to, now)];
  }

  controls() {
    const { view } = this;
    const [from, to] = this.range();
    this.relative.value = view.to === "now" && RELATIVE.includes(view.from) ? view.from : "";
    this.from.value = localText(from, view.zone);
    this.to.value = localText(to, view.zone);
    if (![...this.zone.options].some((option) => option.value === view.zone)) this.zone.append(h("option", { value: view.zone }, view.zone));
    Object.assign(this.zone, { value: view.zone });
    Object.assign(this.agg, { value: view.agg });
    Object.assign(this.every, { value: view.every, disabled: view.agg === "" });
    this.live.checked = view.live;
    this.list.choose(view.points);
  }

  /** Ask what the view shows, and draw it. What was asked before and is not there yet is dropped. */
  async draw({ quiet = false } = {}) {
    this.abort?.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    clearTimeout(this.timer);
    const range = this.range();
    if (range.some(Number.isNaN)) {
      this.tell("This link has no range that can be read.");
      return;
    }
    if (!quiet) this.controls();
    if (this.view.site === "" || this.view.points.length === 0) {
      this.chart.clear();
      this.strip.clear();
      this.facts.textContent = "";
      this.tell("Choose points on the left; the chart is drawn at once.");
      return;
    }
    if (!quiet) this.tell("Asking …");
    this.missing = null;
    this.cover(range, signal, true);
    const begun = performance.now();
    try {
      const answer = await this.client.ask(questionOf(this.view, range, this.chart.pixels), { signal });
      if (answer.job !== undefined) {
        await this.follow(answer.job, signal);
        return;
      }
      this.answer = { ...answer, range, tookMs: performance.now() - begun };
      this.redraw();
      this.cover(range, signal, false);
    } catch (error) {
      if (!signal.aborted) this.fail(error);
      return;
    }
    if (this.view.live) this.timer = setTimeout(() => this.draw({ quiet: true }), FOLLOW_MS);
  }

  redraw() {
    const { document, range, cache, tookMs } = this.answer;
    this.chart.show(document, { range, zone: this.view.zone, points: this.view.points, about: this.about });
    const shown = Object.values(document.data).reduce((sum, entry) => sum + entry.count, 0);
    const errors = Object.values(document.data).filter((entry) => entry.error !== null);
    const first = { hit: "all of it was stored", partial: "some of it was stored", miss: "nothing of it was stored", request: "asked anew", bypass: "past the store" }[cache] ?? "";
    fill(this.facts, h("span", { class: `verdict ${cache}` }, cache || "answer"), ` ${first}: ${count(shown)} values shown in ${Math.round(tookMs)} ms`, this.answer.upstreamMs === null ? "" : `, of which the vendor took ${count(this.answer.upstreamMs)} ms`, cache === "hit" || !this.missing ? "." : `; about ${count(this.missing)} samples were fetched.`);
    this.tell(shown === 0 ? "No samples in this range. A longer range, or an earlier one, may have some." : errors.length > 0 ? `${errors.length} points have no samples; the list below says why.` : "");
  }

  /** What is stored of it, under the chart; `fetching` while an answer is under way. */
  async cover(range, signal, fetching) {
    try {
      const asked = { site: this.view.site, points: this.view.points, start: isoOf(range[0]), end: isoOf(range[1]) };
      const coverage = await this.client.coverage(asked, { signal });
      if (fetching) this.missing = coverage.totals.estimatedMissingSamples;
      if (!signal.aborted && (!fetching || this.answer?.range !== range)) this.strip.show(coverage, range, this.chart.at ?? { left: 60, width: this.chart.pixels - 80 }, fetching);
    } catch {
      if (!signal.aborted) this.strip.clear();
    }
  }

  /** A question that became a job: its bar where the chart will be, then the chart. */
  async follow(job, signal) {
    const bar = h("progress", { max: 100, value: 0, "aria-label": "Progress of the job" });
    const words = h("p", { class: "hint" });
    const cancel = h("button", { type: "button", class: "quiet", onclick: () => this.cancel(job.jobId) }, "Cancel the job");
    fill(this.state, h("div", { class: "job", role: "group", "aria-label": "Job" }, h("p", {}, "That is much at once. It is fetched in the background:"), bar, words, cancel));
    say("The question became a job.");
    const show = (now) => {
      bar.value = now.progress;
      const rate = now.ratePerSecond === null ? "" : `, ${count(now.ratePerSecond)} samples/s`;
      words.textContent = `${now.status}, ${now.progress.toFixed(0)} %${rate}${now.etaSeconds === null ? "" : `, ${lasting(now.etaSeconds)} left`}`;
    };
    show(job);
    try {
      const done = await this.client.follow(job.jobId, { signal, onJob: show });
      say("The job is done.");
      await this.drawn(done, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof JobEnded)) throw error;
      const again = h("button", { type: "button", onclick: () => this.again(job.jobId) }, "Take it up again");
      fill(this.state, h("p", { class: "fault", role: "alert" }, error.message, " "), again);
    }
  }

  /** The chart of a completed job: the question again, or, if that is too much to answer at once, its result. */
  async drawn(job, signal) {
    const range = this.range();
    const begun = performance.now();
    let answer = await this.client.ask(questionOf(this.view, range, this.chart.pixels), { signal });
    if (answer.job !== undefined) answer = joined(await this.client.results(job, { signal }));
    this.answer = { ...answer, range, tookMs: performance.now() - begun };
    this.redraw();
    this.cover(range, signal, false);
  }

  async cancel(jobId) {
    await this.client.cancel(jobId).catch((error) => this.fail(error));
  }

  async again(jobId) {
    try {
      await this.follow(await this.client.retry(jobId), this.abort.signal);
    } catch (error) {
      this.fail(error);
    }
  }

  async fetchAll() {
    const [from, to] = this.range();
    const body = fieldsOf({ site: this.view.site, points: this.view.points, start: isoOf(from), end: isoOf(to) });
    try {
      await this.client.document("/api/jobs", { method: "POST", body });
      this.go("#/jobs");
    } catch (error) {
      this.fail(error);
    }
  }

  purge() {
    const asked = { site: this.view.site, points: this.view.points, range: this.range() };
    if (asked.points.length === 0) say("Choose points first.");
    else purge(this.client, asked, () => this.draw()).catch((error) => this.fail(error));
  }

  /** The question of the view, in full resolution, unless buckets are shown. */
  whole() {
    const question = questionOf(this.view, this.range(), this.chart.pixels);
    delete question.max_points;
    return question;
  }

  async download() {
    if (this.view.points.length === 0) {
      say("Choose points first.");
      return;
    }
    const format = this.format.value;
    try {
      const response = await this.client.request("/api/timeseries", { method: "POST", body: { ...fieldsOf(this.whole()), format } });
      if (response.status === 202) {
        say("That is a job: its result can be downloaded when it is done.");
        this.go("#/jobs");
        return;
      }
      const blob = await response.blob();
      saveAs(blob, `${this.view.site}.${format === "columns" || format === "rows" ? "json" : format}`);
      say(`${bytes(blob.size)} were saved.`);
    } catch (error) {
      this.fail(error);
    }
  }

  async copy(what, write) {
    const text = write(this.whole(), { origin: location.origin, keyed: this.client.key !== null });
    const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    say(copied ? `Copied as ${what}.` : `Copy it as ${what} from the dialog.`);
    const shown = dialog(`As ${what}`, h("pre", { tabindex: 0 }, text), h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => shown.close() }, "Close")));
  }

  tell(text) {
    fill(this.state, text === "" ? null : h("p", { class: "hint" }, text));
  }

  fail(error) {
    const request = error instanceof ProblemError && error.requestId !== null ? ` (request ${error.requestId})` : "";
    fill(this.state, h("p", { class: "fault", role: "alert" }, `${error.message}${request}`));
  }

  close() {
    this.abort?.abort();
    clearTimeout(this.timer);
    this.chart.close();
  }
}

/** Have the browser keep some bytes as a file. */
export function saveAs(blob, filename) {
  const address = URL.createObjectURL(blob);
  const link = h("a", { href: address, download: filename });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
