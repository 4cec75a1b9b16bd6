// A page of the vendor's rows as columns: one pass over what `JSON.parse` gives, and nothing crosses into Python for a
// single row. What is not just of the usual form is null: Python reads it, and decides what it means.
//
// Usual: {"point_samples": [{"name", "time", "value"}, ...], "next_cursor", "has_more"}, nothing else and nothing nested;
// times as 2024-01-01T00:00:00.123Z. What is returned: functions/edgeseries/origins/page_bytes.py.

/** Kinds of values and the form of an image: docs/formats/columns.md. */
const FLOAT = 0;
const TEXT = 3;
const INT = 4;
const LONG = 5;
const HEADER_BYTES = 16;
const FILLER_HIGH = 0x7ff80000;
const WORD = 2 ** 32;

/** Below this every integer is a float64 of its own; what is above may have been rounded. */
const EXACT_INTEGERS = 2 ** 53;

/** No row of the usual form is shorter: where there are more, `JSON.parse` would make millions of objects of them. */
const ROW_MIN_CHARS = 40;

/** A decimal. It is tried in one go: no digit can be matched by two parts of it. */
const DECIMAL = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;

const DAY_CHARS = 10;
const INSTANT_CHARS = "2024-01-01T00:00:00Z".length;
const MICROSECOND_CHARS = INSTANT_CHARS + 7;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** A page as bytes, or null. `typed` is told, as JSON, each different value that is no plain number, once. */
export function read(body, typed) {
  const page = parsed(body);
  if (page === null) return null;
  const raws = new Map();
  const points = pointsOf(page.point_samples, raws);
  if (points === null) return null;
  const kinds = raws.size > 0 ? JSON.parse(typed(JSON.stringify([...raws.keys()]))) : [];
  const images = points.map((point) => sized(point, kinds));
  const head = encoder.encode(
    JSON.stringify({
      cursor: page.next_cursor ?? null,
      more: page.has_more ?? null,
      points: points.map((point, place) => [point.name, images[place].size, point.ascends]),
    }),
  );
  return whole(head, images);
}

/** The page that a body is, if all but its rows is of the usual form. */
function parsed(body) {
  let page;
  try {
    const text = decoder.decode(body);
    if (!isFlat(text)) return null;
    page = JSON.parse(text);
  } catch {
    return null;
  }
  if (page === null || !Array.isArray(page.point_samples)) return null;
  const { next_cursor: cursor, has_more: more } = page;
  if (fieldsOf(page) !== 1 + (cursor !== undefined) + (more !== undefined)) return null;
  if (!(cursor === undefined || cursor === null || (typeof cursor === "string" && cursor.isWellFormed()))) return null;
  if (!(more === undefined || more === null || typeof more === "boolean")) return null;
  return page;
}

/** Whether there is one list, and nothing in it but objects without brackets. So `JSON.parse` is never led deeper, and
 *  never into making more than the text is long. A bracket within a text may be taken for one outside.
 */
function isFlat(text) {
  let lists = 0;
  for (let at = text.indexOf("["); at !== -1; at = text.indexOf("[", at + 1)) {
    const before = charBefore(text, at);
    if (before === ":") lists += 1;
    if (before === "," || before === "[" || before === "" || lists > 1) return false;
  }
  let objects = 0;
  for (let at = text.indexOf("{"); at !== -1; at = text.indexOf("{", at + 1)) {
    objects += 1;
    if (charBefore(text, at) === ":") return false;
  }
  return (objects - 1) * ROW_MIN_CHARS <= text.length;
}

/** The last character before a place that is no blank. */
function charBefore(text, at) {
  while (--at >= 0) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return text[at];
  }
  return "";
}

function fieldsOf(object) {
  let count = 0;
  for (const _ in object) count += 1;
  return count;
}

/** Rows by name, in order of delivery, or null. `raws` gets what is no plain number, each with its number. */
function pointsOf(rows, raws) {
  const points = new Map();
  const instantOf = instants();
  let point;
  for (const row of rows) {
    if (typeof row !== "object" || row === null) return null;
    const { name = null, time, value } = row;
    if (typeof time !== "string" || value === undefined) return null;
    if (fieldsOf(row) !== (row.name === undefined ? 2 : 3)) return null;
    if (point === undefined || point.name !== name) {
      point = points.get(name);
      if (point === undefined) {
        if (name !== null && !(typeof name === "string" && name.isWellFormed())) return null;
        point = { name, times: [], values: [], places: [], codes: [], ascends: true, last: -Infinity };
        points.set(name, point);
      }
    }
    const instant = instantOf(time);
    if (Number.isNaN(instant)) return null;
    if (!(instant > point.last)) point.ascends = false;
    point.last = instant;
    let number = NaN;
    if (typeof value === "number") {
      // Here nobody knows any more how it was written: as an integer that was rounded, or a zero with its sign.
      if (!(Math.abs(value) < EXACT_INTEGERS) || Object.is(value, -0)) return null;
      number = value;
    } else if (typeof value === "string" && DECIMAL.test(value)) {
      number = Number(value);
      if (!(Math.abs(number) < EXACT_INTEGERS)) number = NaN;
    }
    if (Number.isNaN(number)) {
      let code = raws.get(value);
      if (code === undefined) {
        if (typeof value === "string" ? !value.isWellFormed() : typeof value === "object" && value !== null) return null;
        code = raws.size;
        raws.set(value, code);
      }
      point.places.push(point.times.length);
      point.codes.push(code);
    }
    point.times.push(instant);
    point.values.push(number);
  }
  return points.has(null) && points.size > 1 ? null : [...points.values()];
}

/** What makes epoch milliseconds of texts, NaN of one of another form. Texts of a page share days. */
function instants() {
  let knownDay = -1;
  let dayMs = NaN;
  return (text) => {
    const size = text.length;
    if (size < INSTANT_CHARS || size > MICROSECOND_CHARS || text.charCodeAt(size - 1) !== 0x5a) return NaN;
    const day = (two(text, 0) * 100 + two(text, 2)) * 10_000 + two(text, 5) * 100 + two(text, 8);
    if (day !== knownDay) {
      if (Number.isNaN(day)) return NaN;
      dayMs = msOfDay(text.slice(0, DAY_CHARS));
      knownDay = day;
    }
    const hour = two(text, 11);
    const minute = two(text, 14);
    const second = two(text, 17);
    if (!(hour < 24 && minute < 60 && second < 60)) return NaN;
    if (
      text.charCodeAt(4) !== 0x2d ||
      text.charCodeAt(7) !== 0x2d ||
      text.charCodeAt(10) !== 0x54 ||
      text.charCodeAt(13) !== 0x3a ||
      text.charCodeAt(16) !== 0x3a
    )
      return NaN;
    return dayMs + ((hour * 60 + minute) * 60 + second) * 1000 + (size === INSTANT_CHARS ? 0 : fraction(text));
  };
}

/** A number of two digits, or NaN. */
function two(text, at) {
  const tens = text.charCodeAt(at) - 0x30;
  const ones = text.charCodeAt(at + 1) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

/** Epoch milliseconds of a day that the calendar has, else NaN. The form with six digits of a year is not `Date`'s own. */
function msOfDay(day) {
  const ms = Date.parse(`${day}T00:00:00.000Z`);
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, DAY_CHARS) !== day || day < "0001") return NaN;
  return ms;
}

/** Milliseconds of one to six digits behind a point, and "Z"; what is finer is cut off. Else NaN. */
function fraction(text) {
  const end = text.length - 1;
  if (text.charCodeAt(19) !== 0x2e || end === INSTANT_CHARS) return NaN;
  let ms = 0;
  let weight = 100;
  for (let at = INSTANT_CHARS; at < end; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    if (weight >= 1) ms += digit * weight;
    weight /= 10;
  }
  return ms;
}

/** A point, with what is no float by its kind: places ascending, and a table of byte strings in order of appearance. */
function sized(point, kinds) {
  const exceptions = [];
  const table = [];
  const entries = new Map();
  point.codes.forEach((code, place) => {
    const at = point.places[place];
    const [kind, payload] = kinds[code];
    if (kind === FLOAT) {
      point.values[at] = payload;
      return;
    }
    let held = payload;
    if (kind === TEXT || kind === LONG) {
      held = entries.get(code);
      if (held === undefined) {
        held = table.length;
        table.push(kind === TEXT ? encoder.encode(payload) : Uint8Array.from(payload));
        entries.set(code, held);
      }
    }
    exceptions.push({ at, kind, held });
  });
  const count = point.times.length;
  const tableBytes = table.reduce((size, entry) => size + entry.length, 0);
  const size = HEADER_BYTES + 16 * count + 13 * exceptions.length + 4 * table.length + tableBytes;
  return { point, exceptions, table, tableBytes, size };
}

/** Four bytes with the size of the head, the head, the images; each begins where eight divides. */
function whole(head, images) {
  const starts = [];
  let end = aligned(4 + head.length);
  for (const { size } of images) {
    starts.push(end);
    end = aligned(end + size);
  }
  const buffer = new ArrayBuffer(end);
  new Uint32Array(buffer, 0, 1)[0] = head.length;
  new Uint8Array(buffer, 4).set(head);
  images.forEach((image, place) => write(buffer, starts[place], image));
  return new Uint8Array(buffer);
}

function aligned(size) {
  return (size + 7) & ~7;
}

function write(buffer, start, { point, exceptions, table, tableBytes }) {
  const count = point.times.length;
  const some = exceptions.length;
  new Uint32Array(buffer, start, 4).set([count, some, table.length, tableBytes]);
  let at = start + HEADER_BYTES;
  const times = new Int32Array(buffer, at, 2 * count);
  point.times.forEach((instant, place) => {
    times[2 * place] = instant;
    times[2 * place + 1] = Math.floor(instant / WORD);
  });
  at += 8 * count;
  new Float64Array(buffer, at, count).set(point.values);
  const floats = new Uint32Array(buffer, at, 2 * count);
  at += 8 * count;
  const payloads = new DataView(buffer, at, 8 * some);
  at += 8 * some;
  const places = new Uint32Array(buffer, at, some);
  at += 4 * some;
  let end = 0;
  const ends = table.map((entry) => (end += entry.length));
  new Uint32Array(buffer, at, table.length).set(ends);
  at += 4 * table.length;
  const kinds = new Uint8Array(buffer, at, some);
  exceptions.forEach(({ at: place, kind, held }, entry) => {
    floats[2 * place] = 0;
    floats[2 * place + 1] = FILLER_HIGH;
    places[entry] = place;
    kinds[entry] = kind;
    if (kind === INT) payloads.setBigInt64(8 * entry, BigInt(held), true);
    else payloads.setUint32(8 * entry, held, true);
  });
  const bytes = new Uint8Array(buffer, at + some, tableBytes);
  table.forEach((entry, place) => bytes.set(entry, ends[place] - entry.length));
}
