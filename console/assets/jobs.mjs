/** Jobs: how each stands, fed by its events; cancel, retry, results; dead letters for admins. */

import { count, fill, h, lasting, name, say, select } from "./dom.mjs";
import { saveAs } from "./explore.mjs";

const ACTIVE = new Set(["queued", "processing", "retrying"]);
const STATES = ["", "queued", "processing", "retrying", "completed", "failed", "cancelled"];
const FOLLOWED = 20;
const LOOK_MS = 5000;

export class Jobs {
  constructor({ client, session, query }) {
    Object.assign(this, { client, session, timer: null, abort: new AbortController(), rows: new Map(), followed: new Set(), cursor: null });
    this.status = select({ id: "status", onchange: () => this.look() }, STATES.map((state) => [state, state || "all"]), query.get("status") ?? "");
    this.body = h("tbody");
    this.more = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => this.look(this.cursor) }, "Older jobs");
    this.fault = h("p", { class: "fault", role: "alert" });
    this.letters = h("section", { "aria-labelledby": "letters-heading" });
    this.element = h("div", { class: "page" }, h("h1", {}, "Jobs"), h("div", { class: "toolbar" }, h("label", { for: "status" }, "State"), this.status), this.fault,
      h("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": "Table of jobs" }, h("table", {}, h("thead", {}, h("tr", {}, ["Made", "Site", "Points", "Range", "State", "Progress", "", ""].map((text) => h("th", { scope: "col" }, text || h("span", { class: "unseen" }, "Actions"))))), this.body)), this.more, this.letters);
  }

  async open() {
    await this.look();
    if (this.session.rights.includes("admin")) await this.lookAtLetters();
  }

  at() {
    this.look();
  }

  /** A page of the list. Those under way are followed by their events; the list is looked at for new ones. */
  async look(cursor = null) {
    clearTimeout(this.timer);
    const { signal } = this.abort;
    try {
      const page = await this.client.jobs({ status: this.status.value, limit: 50, cursor }, { signal });
      this.fault.textContent = "";
      if (cursor === null) {
        this.rows.clear();
        fill(this.body);
      }
      for (const job of page.jobs) this.show(job);
      if (this.rows.size === 0) fill(this.body, h("tr", {}, h("td", { colspan: 8 }, "There are no jobs.")));
      this.cursor = page.cursor;
      this.more.hidden = page.cursor === null;
      for (const job of page.jobs) if (ACTIVE.has(job.status)) this.follow(job.jobId);
    } catch (error) {
      if (!signal.aborted) this.fault.textContent = error.message;
    }
    if (!signal.aborted) this.timer = setTimeout(() => this.refresh(), LOOK_MS);
  }

  /** New jobs, and how those stand that are not followed. The table keeps its rows and the focus in them. */
  async refresh() {
    const { signal } = this.abort;
    const page = await this.client.jobs({ status: this.status.value, limit: 50 }, { signal }).catch(() => ({ jobs: [] }));
    if (signal.aborted) return;
    for (const job of page.jobs.toReversed()) if (!this.followed.has(job.jobId)) this.show(job, { first: true });
    for (const job of page.jobs) if (ACTIVE.has(job.status)) this.follow(job.jobId);
    this.timer = setTimeout(() => this.refresh(), LOOK_MS);
  }

  /** By sockets: a browser opens six connections to a host over HTTP/1.1, and they are none of them. */
  async follow(jobId) {
    if (this.followed.has(jobId) || this.followed.size >= FOLLOWED) return;
    this.followed.add(jobId);
    try {
      await this.client.followBySocket(jobId, { signal: this.abort.signal, onJob: (job) => this.show(job) });
    } catch {
      // How it ended is in its row.
    }
    this.followed.delete(jobId);
  }

  show(job, { first = false } = {}) {
    let row = this.rows.get(job.jobId);
    if (row === undefined) {
      if (this.rows.size === 0) fill(this.body);
      row = { element: h("tr", { "data-job": job.jobId }), seen: "" };
      this.rows.set(job.jobId, row);
      if (first) this.body.prepend(row.element);
      else this.body.append(row.element);
    }
    if (row.bar !== undefined && row.seen === job.status) {
      row.bar.value = job.progress;
      row.words.textContent = pace(job);
      return;
    }
    row.seen = job.status;
    row.bar = h("progress", { max: 100, value: job.progress, "aria-label": `Progress of ${job.jobId}` });
    row.words = h("span", { class: "hint" }, pace(job));
    fill(row.element, h("td", {}, job.createdAt.slice(0, 19).replace("T", " ")), h("td", {}, name(job.site)), h("td", { class: "number" }, count(job.pointCount)), h("td", {}, `${job.startTime.slice(0, 10)} – ${job.endTime.slice(0, 10)}`), h("td", {}, h("span", { class: `chip ${job.status}` }, job.status), job.error === null ? null : h("div", { class: "fault" }, job.error)), h("td", {}, row.bar, " ", row.words), h("td", {}, this.buttons(job)), h("td", {}, job.status === "completed" ? h("a", { href: `#/explore?${new URLSearchParams({ site: job.site, from: job.startTime, to: job.endTime })}` }, "Explore") : null));
  }

  buttons(job) {
    const does = (label, act) => h("button", { type: "button", class: "quiet", "aria-label": `${label} job ${job.jobId}`, onclick: () => this.act(act) }, label);
    if (ACTIVE.has(job.status)) return does("Cancel", async () => this.show((await this.client.cancel(job.jobId))));
    if (job.status !== "completed") return does("Retry", async () => {
      const now = await this.client.retry(job.jobId);
      this.show(now);
      this.follow(now.jobId);
    });
    return ["csv", "parquet", "json"].map((format) => does(format.toUpperCase(), () => this.download(job, format)));
  }

  async download(job, format) {
    const now = await this.client.job(job.jobId);
    const parts = now.resultParts ?? 1;
    for (let part = 1; part <= parts; part += 1) {
      const response = await this.client.request(`/api/jobs/${encodeURIComponent(job.jobId)}/result`, { query: { format, part } });
      saveAs(await response.blob(), parts === 1 ? `${job.site}.${format}` : `${job.site}.${part}.${format}`);
    }
    say(`The result was saved in ${parts} files.`);
  }

  async act(what) {
    try {
      this.fault.textContent = "";
      await what();
    } catch (error) {
      this.fault.textContent = error.message;
    }
  }

  async lookAtLetters() {
    try {
      const { letters } = await this.client.deadLetters({ limit: 50 }, { signal: this.abort.signal });
      const replay = async (letter) => {
        await this.client.replay(letter.letterId);
        await this.lookAtLetters();
      };
      const act = (letter) => h("button", { type: "button", class: "quiet", "aria-label": `Replay letter ${letter.letterId}`, onclick: () => this.act(() => replay(letter)) }, "Replay");
      const row = (letter) => h("tr", {}, h("td", {}, letter.buriedAt.slice(0, 19).replace("T", " ")), h("td", {}, letter.jobId ?? letter.queue), h("td", {}, letter.cause), h("td", {}, letter.replayedAt === null ? act(letter) : `replayed ${letter.replayedAt.slice(0, 16)}`));
      fill(this.letters, h("h2", { id: "letters-heading" }, "Dead letters"), letters.length === 0 ? h("p", {}, "None: no message was given up.") : h("table", {}, h("thead", {}, h("tr", {}, ["When", "Job", "Cause", "Replay"].map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, letters.map(row))));
    } catch (error) {
      if (!this.abort.signal.aborted) this.fault.textContent = error.message;
    }
  }

  close() {
    clearTimeout(this.timer);
    this.abort.abort();
  }
}

/** A job's progress in words. */
export function pace(job) {
  const rate = job.ratePerSecond === null || !ACTIVE.has(job.status) ? "" : ` ${count(job.ratePerSecond)}/s`;
  const eta = job.etaSeconds === null || !ACTIVE.has(job.status) ? "" : ` ${lasting(job.etaSeconds)} left`;
  return `${job.progress.toFixed(0)} %${rate}${eta}`;
}
