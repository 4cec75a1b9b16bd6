/** The list of a site's points: searched as one types, drawn only where one looks, used by keys as a listbox. */

import { fill, h, name } from "./dom.mjs";

const ROW = 28;
const SHOWN = 40;

/** Points of which every word is in the name, the unit or the kind. `unit:kW` and `kind:temp` look there alone. */
export function found(points, text) {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const fits = (point, word) => {
    const [, field, rest] = /^(unit|kind):(.*)$/.exec(word) ?? [];
    const texts = field === undefined ? [point.name, point.unit, point.kind] : [point[field]];
    return texts.some((one) => (one ?? "").toLowerCase().includes(rest ?? word));
  };
  return points.filter((point) => words.every((word) => fits(point, word)));
}

/** The list; `onChoose` is called with the name of a point that is chosen or no longer. */
export class PointList {
  constructor({ onChoose }) {
    this.onChoose = onChoose;
    this.points = [];
    this.shown = [];
    this.chosen = new Set();
    this.active = 0;
    this.search = h("input", { type: "search", id: "search", placeholder: "name, unit:kW, kind:…", autocomplete: "off", oninput: () => this.filter(), onkeydown: (event) => this.key(event) });
    this.spacer = h("div", { class: "spacer", role: "presentation" });
    this.box = h("div", { class: "points", role: "listbox", tabindex: 0, "aria-label": "Points", "aria-multiselectable": "true", onscroll: () => this.draw(), onkeydown: (event) => this.key(event), onclick: (event) => this.click(event) }, this.spacer);
    this.counted = h("p", { class: "hint", "aria-live": "polite" });
    this.element = h("section", { class: "picker", "aria-label": "Point search" }, h("label", { for: "search" }, "Points"), this.search, this.counted, this.box);
  }

  show(points) {
    this.points = points;
    this.filter();
  }

  choose(names) {
    this.chosen = new Set(names);
    this.draw();
  }

  filter() {
    this.shown = found(this.points, this.search.value);
    this.active = 0;
    this.box.scrollTop = 0;
    this.spacer.style.height = `${this.shown.length * ROW}px`;
    this.counted.textContent = `${this.shown.length} of ${this.points.length} points`;
    this.draw();
  }

  draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / ROW) - 5);
    const rows = this.shown.slice(first, first + SHOWN).map((point, at) => {
      const place = first + at;
      const unit = [point.unit, point.kind].filter((text) => text).join(" · ");
      return h("div", { id: `point-${place}`, class: place === this.active ? "row active" : "row", role: "option", "data-place": place, "aria-selected": String(this.chosen.has(point.name)), "aria-setsize": this.shown.length, "aria-posinset": place + 1, style: { top: `${place * ROW}px` }, title: point.name }, h("span", { class: "label" }, name(point.name)), unit === "" ? null : h("span", { class: "unit" }, name(unit)));
    });
    fill(this.spacer, rows);
    const seen = this.active >= first && this.active < first + rows.length;
    if (seen) this.box.setAttribute("aria-activedescendant", `point-${this.active}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  click(event) {
    const row = event.target.closest("[data-place]");
    if (row === null) return;
    this.active = Number(row.dataset.place);
    this.toggle();
  }

  toggle() {
    const point = this.shown[this.active];
    if (point === undefined) return;
    this.onChoose(point.name);
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.box.clientHeight / ROW) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    if (event.key in steps) this.active += steps[event.key];
    else if (event.key === "Home" && event.currentTarget === this.box) this.active = 0;
    else if (event.key === "End" && event.currentTarget === this.box) this.active = this.shown.length - 1;
    else if (event.key === "Enter" || (event.key === " " && event.currentTarget === this.box)) this.toggle();
    else return;
    event.preventDefault();
    this.active = Math.max(0, Math.min(this.shown.length - 1, this.active));
    const top = this.active * ROW;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (top + ROW > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = top + ROW - this.box.clientHeight;
    this.draw();
  }
}
