/** Elements. All text goes in as text: nothing from a server is ever parsed as markup. */

/** An element: h("button", {class: "quiet", onclick}, "Cancel"). Attributes of false, null, undefined are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") element[name] = value;
    else if (name === "style") Object.assign(element.style, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Replace what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A name for people: directions of writing stay inside it. */
export function name(text) {
  return h("bdi", {}, text);
}

/** A select of [value, label] pairs. */
export function select(attributes, options, chosen) {
  const element = h("select", attributes, options.map(([value, label]) => h("option", { value }, label)));
  element.value = chosen;
  return element;
}

/** Tell everybody, those who do not see too. */
export function say(text) {
  document.getElementById("says").textContent = text;
}

let dialogs = 0;

/** A dialog with a heading; it goes when it is closed. Returns the element, shown. */
export function dialog(heading, ...children) {
  dialogs += 1;
  const id = `dialog-${dialogs}`;
  const element = h("dialog", { "aria-labelledby": id }, h("h2", { id }, heading), children);
  element.addEventListener("close", () => element.remove());
  document.body.append(element);
  element.showModal();
  return element;
}

const GROUPED = new Intl.NumberFormat("en");

export const count = (number) => (number === null || number === undefined ? "" : GROUPED.format(Math.round(number)));

/** Bytes in the unit that fits. */
export function bytes(number) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const place = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, number)) / 3)));
  return `${(number / 1000 ** place).toPrecision(3)} ${units[place]}`;
}

export const percent = (share) => (share === null || share === undefined ? "–" : `${(share * 100).toFixed(1)} %`);

/** Seconds in words. */
export function lasting(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
