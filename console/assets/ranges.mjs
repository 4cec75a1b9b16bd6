/** Ranges, zones and widths of buckets: pure. `now` comes in; instants are UTC epoch milliseconds. */

const UNITS = { s: 1e3, m: 60e3, h: 3600e3, d: 86400e3, w: 7 * 86400e3 };

/** Ranges that end now, from the shortest. */
export const RELATIVE = ["-15m", "-1h", "-6h", "-24h", "-7d", "-30d", "-90d", "-365d"];

/** An end of a range as epoch ms: `now`, `-6h`, ISO-8601, or epoch ms as text. NaN for what is none. */
export function instantOf(text, nowMs) {
  if (text === "now" || text === "") return nowMs;
  const [, amount, unit] = /^-(\d+)([smhdw])$/.exec(text) ?? [];
  if (amount !== undefined) return nowMs - Number(amount) * UNITS[unit];
  return /^\d+$/.test(text) ? Number(text) : Date.parse(text);
}

/** ISO-8601 in UTC, without decimals where there are none. */
export const isoOf = (ms) => new Date(ms).toISOString().replace(".000Z", "Z");

const WIDTHS = ["1m", "5m", "15m", "30m", "1h", "3h", "6h", "12h", "1d", "1w"];

export const widthMs = (width) => Number(width.slice(0, -1)) * UNITS[width.slice(-1)];

/** The narrowest width of buckets of which no more than `most` cover a range. */
export function widthFor(rangeMs, most) {
  return WIDTHS.find((width) => rangeMs / widthMs(width) <= most) ?? "1w";
}

/** The same span, moved by a share of itself, or made wider or narrower about its middle. */
export function moved([fromMs, toMs], share) {
  const by = (toMs - fromMs) * share;
  return [fromMs + by, toMs + by];
}

export function scaled([fromMs, toMs], factor) {
  const middle = (fromMs + toMs) / 2;
  const half = ((toMs - fromMs) / 2) * factor;
  return [middle - half, middle + half];
}

/** An instant in a zone, to the second. */
export function shown(ms, zone) {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" }).format(ms);
}

/** What an `<input type=datetime-local>` shows of an instant, in a zone. */
export const localText = (ms, zone) => shown(ms, zone).replace(" ", "T");

/** How far a zone is from UTC at an instant. */
function offsetMs(ms, zone) {
  return Date.parse(`${localText(ms, zone)}Z`) - Math.floor(ms / 1000) * 1000;
}

/** The instant of a local time in a zone; of one that a change of the clock left out, the one after it. */
export function instantOfLocal(text, zone) {
  const local = Date.parse(`${text.length === 16 ? `${text}:00` : text}Z`);
  if (Number.isNaN(local)) return NaN;
  const first = local - offsetMs(local, zone);
  const second = local - offsetMs(first, zone);
  return offsetMs(second, zone) === local - second ? second : Math.max(first, second);
}

/** What a link holds of a view of the explorer, and what it means. */
export function viewOf(query) {
  return {
    site: query.get("site") ?? "",
    points: query.getAll("point"),
    from: query.get("from") ?? "-24h",
    to: query.get("to") ?? "now",
    zone: query.get("zone") ?? "UTC",
    agg: query.get("agg") ?? "",
    every: query.get("every") ?? "",
    live: query.get("live") === "1",
  };
}

/** The link of a view: what is usual is left out. */
export function linkOf(view) {
  const query = new URLSearchParams();
  if (view.site !== "") query.set("site", view.site);
  for (const point of view.points) query.append("point", point);
  if (view.from !== "-24h") query.set("from", view.from);
  if (view.to !== "now") query.set("to", view.to);
  if (view.zone !== "UTC") query.set("zone", view.zone);
  if (view.agg !== "") query.set("agg", view.agg);
  if (view.every !== "") query.set("every", view.every);
  if (view.live) query.set("live", "1");
  const text = String(query);
  return text === "" ? "#/explore" : `#/explore?${text}`;
}

/** The question of a view for a chart of so many pixels: samples that look alike, or buckets. */
export function questionOf(view, [fromMs, toMs], pixels) {
  const question = { site: view.site, points: view.points, start: isoOf(fromMs), end: isoOf(toMs) };
  if (view.agg === "") return { ...question, max_points: Math.max(100, Math.min(4000, pixels)) };
  const every = view.every === "" ? widthFor(toMs - fromMs, pixels) : view.every;
  return { ...question, every, agg: view.agg, tz: view.zone, fill: "null" };
}
