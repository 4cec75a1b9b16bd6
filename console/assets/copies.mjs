/** The question of a view in other people's words: curl, Python, Grafana. Texts, quoted for where they go. */

import { fieldsOf, queryOf } from "./edgeseries.mjs";

/** A text in single quotes of a POSIX shell. */
export const shellQuoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** A text as a literal of Python: JSON's are, but for escapes of half surrogates, which both read alike. */
export const pythonQuoted = (text) => JSON.stringify(text);

/** The address of a question; `format` as the server has it. */
export function addressOf(question, format, origin = "") {
  return `${origin}/api/timeseries?${queryOf({ ...fieldsOf(question), format })}`;
}

export function asCurl(question, { origin, keyed }) {
  const key = keyed ? ` -H "Authorization: Bearer $EDGESERIES_KEY"` : "";
  return `curl -sS --fail-with-body${key} ${shellQuoted(addressOf(question, "csv", origin))}`;
}

export function asPython(question, { origin, keyed }) {
  const { site, points, start, end, ...others } = question;
  const more = Object.entries(others).map(([name, value]) => `, ${name}=${typeof value === "number" ? value : pythonQuoted(String(value))}`);
  const listed = points.map(pythonQuoted).join(", ");
  const key = keyed ? "  # the key comes from EDGESERIES_KEY" : "";
  return [
    "from edgeseries_client import Site",
    "",
    `site = Site(${pythonQuoted(site)}, url=${pythonQuoted(origin)})${key}`,
    `frame = site.read([${listed}], ${pythonQuoted(start)}, ${pythonQuoted(end)}${more.join("")})`,
  ].join("\n");
}

/** A query of Grafana's Infinity data source, whose range is the dashboard's. */
export function asGrafana(question, { origin }) {
  const fields = fieldsOf({ ...question, start: "@from@", end: "@to@" });
  const query = String(queryOf({ ...fields, format: "rows" })).replace("%40from%40", "${__from:date:iso}").replace("%40to%40", "${__to:date:iso}");
  const columns = [
    { selector: "time", text: "time", type: "timestamp" },
    { selector: "point", text: "point", type: "string" },
    { selector: "value", text: "value", type: "number" },
  ];
  return JSON.stringify({ type: "json", source: "url", parser: "backend", format: "timeseries", url: `${origin}/api/timeseries?${query}`, columns }, null, 2);
}
