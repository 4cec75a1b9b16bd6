/** The chart: lines by unit, gaps as gaps, states as bands below; drag to zoom, keys to move, values where one points. */

import { chartData } from "./edgeseries.mjs";
import { fill, h, name } from "./dom.mjs";
import { moved, scaled, shown } from "./ranges.mjs";

const COLOURS = ["#0b6fc2", "#c2410c", "#15803d", "#9333ea", "#b91c1c", "#0f766e", "#a16207", "#be185d"];
const LIGHTER = ["#60a5fa", "#fb923c", "#4ade80", "#c084fc", "#f87171", "#2dd4bf", "#facc15", "#f472b6"];
const HEIGHT = 320;
const BAND = 22;

export const isDark = () => document.documentElement.dataset.theme === "dark" || (document.documentElement.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);

export const colourOf = (place) => (isDark() ? LIGHTER : COLOURS)[place % COLOURS.length];

/** A value as it is read. */
export function valueText(value, point) {
  if (value === null || value === undefined) return "–";
  if (point.kind === "state") return point.states[value] ?? "–";
  return typeof value === "number" ? String(Number(value.toPrecision(7))) : String(value);
}

/** Which scale each point has: one a unit, at most four; those without a unit share one. */
export function scalesOf(points) {
  const keys = [...new Set(points.map((point) => point.unit ?? ""))].slice(0, 4);
  return points.map((point) => `y${Math.max(0, keys.indexOf(point.unit ?? ""))}`);
}

/** The chart's element; `onZoom` gets [from, to] in ms, `onRemove` the name of a point, `onDraw` the plot's place. */
export class Chart {
  constructor({ onZoom, onRemove, onDraw }) {
    Object.assign(this, { onZoom, onRemove, onDraw, plot: null, drawn: null, hidden: new Set() });
    this.legend = h("ul", { class: "legend", "aria-label": "Points in the chart" });
    this.canvas = h("div", { class: "plot", tabindex: 0, role: "application", "aria-label": "Chart. Left and right move in time, plus and minus zoom.", onkeydown: (event) => this.key(event) });
    this.bands = h("div", { class: "bands" });
    this.time = h("p", { class: "hint time" });
    this.element = h("div", { class: "chart" }, this.canvas, this.bands, this.time, this.legend);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.canvas);
  }

  get pixels() {
    return Math.max(300, Math.round(this.canvas.clientWidth || 900));
  }

  /** Draw an answer over a range. `about` has unit and so on by name. */
  show(answer, { range, zone, points, about }) {
    const { data, points: described } = chartData(answer, { points });
    const whole = described.map((point) => ({ ...point, unit: about.get(point.name)?.unit ?? null }));
    this.drawn = { data, points: whole, range, zone };
    this.draw();
  }

  draw() {
    this.plot?.destroy();
    const { data, points, range, zone } = this.drawn;
    const lines = points.map((point, place) => ({ point, place })).filter(({ point }) => point.kind === "number");
    const scales = scalesOf(lines.map(({ point }) => point));
    const ink = getComputedStyle(document.body).getPropertyValue("--ink-2");
    const grid = { stroke: getComputedStyle(document.body).getPropertyValue("--line"), width: 1 };
    const used = [...new Set(scales)];
    const axes = used.map((scale, place) => {
      const unit = lines[scales.indexOf(scale)].point.unit ?? "";
      return { scale, side: place % 2 === 0 ? 3 : 1, stroke: ink, grid: place === 0 ? grid : { show: false }, label: unit, labelSize: unit === "" ? 0 : 20, size: 60 };
    });
    const series = lines.map(({ point, place }, at) => ({
      label: point.name, scale: scales[at], stroke: colourOf(place), width: 1.5, show: !this.hidden.has(point.name), spanGaps: false,
      points: { show: point.count < 120 },
    }));
    const options = {
      width: this.pixels, height: HEIGHT, legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(Math.round(seconds * 1000)), zone),
      cursor: { drag: { x: true, y: false, setScale: false }, y: false },
      scales: { x: { time: true, range: () => [range[0] / 1000, range[1] / 1000] } },
      series: [{}, ...series], axes: [{ stroke: ink, grid, values: (_, splits, __, ___, step) => ticks(splits, step, zone) }, ...(axes.length > 0 ? axes : [{ show: false, size: 60 }])],
      hooks: { setSelect: [(plot) => this.select(plot)], setCursor: [(plot) => this.point(plot.cursor.idx)], ready: [(plot) => this.place(plot)] },
    };
    this.plot = new uPlot(options, [data[0], ...lines.map(({ place }) => data[place + 1])], fill(this.canvas));
    this.list();
    this.point(null);
  }

  place(plot) {
    const ratio = devicePixelRatio;
    const at = { left: plot.bbox.left / ratio, width: plot.bbox.width / ratio };
    this.at = at;
    this.states(at);
    this.onDraw(at);
  }

  /** A row a state point, a box a run of the same value. */
  states({ left, width }) {
    const { data, points, range } = this.drawn;
    const rows = points.map((point, place) => ({ point, place })).filter(({ point }) => point.kind === "state" && !this.hidden.has(point.name));
    fill(this.bands, rows.map(({ point, place }) => {
      const row = h("div", { class: "band", style: { marginLeft: `${left}px`, width: `${width}px`, height: `${BAND}px` }, role: "img", "aria-label": `States of ${point.name}: ${point.states.join(", ")}` });
      for (const run of runsOf(data[0], data[place + 1])) {
        const from = Math.max(0, (run.from * 1000 - range[0]) / (range[1] - range[0]));
        const to = Math.min(1, (run.to * 1000 - range[0]) / (range[1] - range[0]));
        const box = { left: `${from * 100}%`, width: `max(1px, ${(to - from) * 100}%)`, background: colourOf(run.value) };
        row.append(h("span", { style: box, title: `${point.states[run.value]}` }, (to - from) * width > 40 ? point.states[run.value] : ""));
      }
      return row;
    }));
  }

  list() {
    const { points } = this.drawn;
    this.values = points.map(() => h("span", { class: "value" }));
    fill(this.legend, points.map((point, place) => h("li", {},
      h("button", { type: "button", class: "quiet swatch", "aria-pressed": String(!this.hidden.has(point.name)), title: "Show or hide", onclick: () => this.hide(point.name) }, h("span", { class: "dot", style: { background: colourOf(place) } }), name(point.name)),
      point.unit === null ? null : h("span", { class: "unit" }, name(point.unit)),
      this.values[place],
      point.error === null ? null : h("span", { class: "fault" }, point.error),
      h("button", { type: "button", class: "quiet", "aria-label": `Remove ${point.name}`, onclick: () => this.onRemove(point.name) }, "×"))));
  }

  hide(point) {
    if (!this.hidden.delete(point)) this.hidden.add(point);
    this.draw();
  }

  /** Values at a place of the data; the last of each without one. */
  point(place) {
    const { data, points, zone } = this.drawn;
    this.time.textContent = place === null || place === undefined ? "Point at the chart for values; drag to zoom." : shown(data[0][place] * 1000, zone);
    points.forEach((point, at) => {
      let from = place ?? data[0].length - 1;
      const column = data[at + 1];
      if (place === null || point.kind === "state") while (from > 0 && column[from] === undefined) from -= 1;
      this.values[at].textContent = valueText(column[from], point);
    });
  }

  select(plot) {
    const { left, width } = plot.select;
    if (width < 4) return;
    const at = (pixel) => plot.posToVal(pixel, "x") * 1000;
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.onZoom([at(left), at(left + width)]);
  }

  key(event) {
    if (this.drawn === null) return;
    const { range } = this.drawn;
    const next = { ArrowLeft: () => moved(range, -0.25), ArrowRight: () => moved(range, 0.25), "+": () => scaled(range, 0.5), "=": () => scaled(range, 0.5), "-": () => scaled(range, 2) }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.onZoom(next());
  }

  resize() {
    if (this.plot === null || Math.abs(this.plot.width - this.pixels) < 2) return;
    this.plot.setSize({ width: this.pixels, height: HEIGHT });
    this.place(this.plot);
  }

  clear() {
    this.plot?.destroy();
    this.plot = null;
    this.drawn = null;
    fill(this.canvas);
    fill(this.bands);
    fill(this.legend);
    this.time.textContent = "";
  }

  close() {
    this.observer.disconnect();
    this.clear();
  }
}

/** Words of ticks in a zone: the day where it begins, else the time; days alone where ticks are that far apart. */
export function ticks(splits, step, zone) {
  let day = "";
  return splits.map((seconds) => {
    const [date, time] = shown(seconds * 1000, zone).split(" ");
    const first = date !== day;
    day = date;
    if (step >= 86400) return date;
    const clock = step < 60 ? time : time.slice(0, 5);
    return first ? `${clock}\n${date}` : clock;
  });
}

/** Runs of equal values of a column: undefined is passed, null ends one. Instants in seconds. */
export function runsOf(times, values) {
  const runs = [];
  let run = null;
  let last = null;
  values.forEach((value, place) => {
    if (value === undefined) return;
    if (run !== null && value !== run.value) {
      run.to = value === null ? last : times[place];
      runs.push(run);
      run = null;
    }
    if (value !== null && run === null) run = { from: times[place], to: times[place], value };
    last = times[place];
  });
  if (run !== null) runs.push({ ...run, to: last });
  return runs;
}
