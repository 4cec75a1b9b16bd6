/** The console: who is here, which view is shown. Links are behind `#`, so the page is one file for the server. */

import { dialog, fill, h, say } from "./dom.mjs";
import { Client } from "./edgeseries.mjs";
import { Explore } from "./explore.mjs";
import { Jobs } from "./jobs.mjs";
import { System } from "./system.mjs";

const KEY = "edgeseries-key";
const THEME = "edgeseries-theme";
const VIEWS = [["explore", "Explore", Explore, "read"], ["jobs", "Jobs", Jobs, "jobs"], ["system", "System", System, "admin"]];

const main = document.getElementById("main");
const client = new Client({ key: sessionStorage.getItem(KEY) });
let session = null;
let shown = null;

function themed(theme) {
  if (theme === null) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function nextTheme() {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = dark ? "light" : "dark";
  localStorage.setItem(THEME, theme);
  themed(theme);
  shown?.view.chart?.drawn && shown.view.redraw();
}

/** Views that the caller's rights allow. */
const allowed = () => VIEWS.filter(([, , , right]) => session.rights.includes(right));

function parsed() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { path: path || "explore", query: new URLSearchParams(query ?? "") };
}

function go(link) {
  location.hash = link;
}

/** Show what the address names. The same view is told of a new address, another one is made. */
function route() {
  if (session === null || !session.known) return;
  const { path, query } = parsed();
  const found = allowed().find(([id]) => id === path) ?? allowed()[0];
  if (found === undefined) {
    fill(main, h("p", { class: "fault", role: "alert" }, "This key may look at nothing here: it has none of the rights read, jobs and admin."));
    return;
  }
  const [id, title, View] = found;
  document.title = `${title} · EdgeSeries`;
  fill(document.getElementById("views"), allowed().map(([other, label]) => h("a", { href: `#/${other}`, "aria-current": other === id ? "page" : false }, label)));
  if (shown?.id === id) {
    shown.view.at(query);
    return;
  }
  shown?.view.close();
  const view = new View({ client, session, query, go });
  shown = { id, view };
  fill(main, view.element);
  view.open();
}

function signIn(fault = "") {
  const input = h("input", { id: "key", type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": "key-hint" });
  const told = h("p", { class: "fault", role: "alert" }, fault);
  const submit = async (event) => {
    event.preventDefault();
    told.textContent = "";
    client.key = input.value.trim();
    try {
      await identify();
      sessionStorage.setItem(KEY, client.key);
      route();
    } catch (error) {
      client.key = null;
      told.textContent = error.message;
      input.focus();
    }
  };
  fill(document.getElementById("views"));
  fill(main, h("form", { class: "signin", onsubmit: submit }, h("h1", {}, "Sign in"), h("label", { for: "key" }, "API key"), input, h("p", { class: "hint", id: "key-hint" }, "es_…, from your operator. It stays in this tab and is forgotten with it."), told, h("button", { type: "submit" }, "Sign in")));
  input.focus();
}

function signOut() {
  sessionStorage.removeItem(KEY);
  client.key = null;
  shown?.view.close();
  shown = null;
  session = null;
  fill(document.getElementById("session"));
  signIn();
  say("Signed out.");
}

function whoAmI() {
  const line = (label, text) => [h("dt", {}, label), h("dd", {}, text)];
  const shownDialog = dialog("This key", h("dl", {}, line("Id", session.keyId), line("Rights", session.rights.join(", ")), line("Sites", session.sites === null ? "all" : session.sites.join(", ")), line("Rate", session.tier)), h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => shownDialog.close() }, "Close")));
}

/** Ask the server what the caller may. Throws where the key is none. */
async function identify() {
  const now = await client.document("/api/session");
  if (!now.known) throw new Error("send a key");
  session = now;
  fill(document.getElementById("session"), session.auth === "open" ? h("span", { class: "hint" }, "open access") : [h("button", { type: "button", class: "quiet", onclick: whoAmI }, `Key ${session.keyId}`), h("button", { type: "button", class: "quiet", onclick: signOut }, "Sign out")]);
}

themed(localStorage.getItem(THEME));
document.getElementById("theme").addEventListener("click", nextTheme);
addEventListener("hashchange", route);
addEventListener("popstate", route);

try {
  await identify();
  route();
} catch (error) {
  sessionStorage.removeItem(KEY);
  signIn(client.key === null ? "" : error.message);
  client.key = null;
}
