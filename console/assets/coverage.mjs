/** Where samples come from: a strip of days under the chart, from `/api/coverage`, and the purge of what is stored. */

import { bytes, count, dialog, fill, h, say } from "./dom.mjs";
import { isoOf } from "./ranges.mjs";

const DAY = 86400e3;

export const KINDS = [
  ["stored", "stored"], ["empty", "stored, without samples"], ["missing", "not stored"], ["live", "live"], ["fetched", "being fetched"],
];

/** The kinds of each day of a point's group: [{kind, fromMs, toMs}], later ones drawn over earlier ones. */
export function stripsOf(coverage, group, fetching) {
  const span = ([first, last]) => ({ fromMs: Date.parse(first), toMs: Date.parse(last) + DAY });
  const of = (kind, days) => (days?.ranges ?? []).map((range) => ({ kind, ...span(range) }));
  const live = coverage.live === null ? [] : [{ kind: "live", ...span(coverage.live) }];
  return [...of("stored", group.stored), ...of("empty", group.empty), ...of(fetching ? "fetched" : "missing", group.missing), ...live];
}

/** What a screen reader says of a group. */
export function wordsOf(group) {
  return `${group.points?.join(", ") ?? `${group.pointCount} points`}: ${group.stored.days} days stored, ${group.empty.days} of them empty, ${group.missing.days} not stored`;
}

export class CoverageStrip {
  constructor() {
    this.rows = h("div", { class: "strips" });
    this.hint = h("p", { class: "hint" });
    const legend = KINDS.map(([kind, label]) => h("li", {}, h("span", { class: `dot ${kind}` }), label));
    this.element = h("section", { class: "coverage", "aria-label": "What is stored" }, this.rows, h("ul", { class: "legend", "aria-label": "Colours" }, legend), this.hint);
    this.last = null;
  }

  show(coverage, range, at, fetching = false) {
    this.last = { coverage, range, fetching };
    this.place(at);
  }

  place(at) {
    if (this.last === null || at === undefined) return;
    const { coverage, range, fetching } = this.last;
    const share = (ms) => Math.max(0, Math.min(1, (ms - range[0]) / (range[1] - range[0]))) * 100;
    fill(this.rows, coverage.groups.slice(0, 8).map((group) => h("div", { class: "strip", role: "img", "aria-label": wordsOf(group), title: wordsOf(group), style: { marginLeft: `${at.left}px`, width: `${at.width}px` } }, stripsOf(coverage, group, fetching).map(({ kind, fromMs, toMs }) => h("span", { class: kind, style: { left: `${share(fromMs)}%`, width: `${share(toMs) - share(fromMs)}%` } })))));
    const { totals } = coverage;
    this.hint.textContent = `${count(totals.storedDays)} days of points stored, ${count(totals.missingDays)} not; about ${count(totals.estimatedMissingSamples)} of ${count(totals.estimatedAnswerSamples)} samples would be fetched.`;
  }

  clear() {
    this.last = null;
    fill(this.rows);
    this.hint.textContent = "";
  }
}

/** Ask what a purge would remove, show it, and do it if one says so. `onDone` is called after. */
export async function purge(client, { site, points, range }, onDone) {
  const asked = { site, points, start: isoOf(range[0]), end: isoOf(range[1]) };
  const preview = await client.purge(asked, { dryRun: true });
  const remove = h("button", { type: "button", class: "danger" }, "Remove");
  const close = h("button", { type: "button", class: "quiet" }, "Keep");
  const shown = dialog("Remove what is stored?",
    h("p", {}, `${count(preview.blocks)} blocks, ${bytes(preview.storedBytes)} of them whole, of ${count(preview.pointCount)} points of `, h("bdi", {}, site), ` from ${preview.days?.[0] ?? "the beginning"} to ${preview.days?.[1] ?? "the end"} (UTC days, whole).`),
    h("p", { class: "hint" }, "The vendor keeps the samples: they are fetched again when somebody asks."),
    h("div", { class: "buttons" }, close, remove));
  close.addEventListener("click", () => shown.close());
  remove.addEventListener("click", async () => {
    remove.disabled = true;
    try {
      const done = await client.purge(asked, { dryRun: false });
      say(`${count(done.blocks)} blocks were removed`);
      shown.close();
      onDone();
    } catch (error) {
      shown.append(h("p", { class: "fault", role: "alert" }, error.message));
      remove.disabled = false;
    }
  });
}
