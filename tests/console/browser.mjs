/** A Chromium of npm for tests, and a page that remembers everything that went wrong on it. */

import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.resolve(import.meta.dirname, "../../console/package.json"));
const { chromium } = require("playwright-core");
const packed = require("@sparticuz/chromium");
const packedChromium = packed.default ?? packed;

export const AXE = require.resolve("axe-core/axe.min.js");

/** Start it. No service of its maker's is asked for anything. */
export async function launch() {
  packedChromium.setGraphicsMode = false;
  return chromium.launch({
    executablePath: await packedChromium.executablePath(),
    // Its own arguments are for one page in one process, which ends with it.
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-proxy-server"],
    headless: true,
  });
}

/**
 * A page of its own context. `faults` has what it said in the console as an error, what was thrown and what the
 * Content-Security-Policy refused; a test looks at it at its end.
 */
export async function openPage(browser, { url, hash = "", key = null, dark = false, viewport = { width: 1280, height: 900 }, clock = false }) {
  const context = await browser.newContext({ viewport, colorScheme: dark ? "dark" : "light", acceptDownloads: true, locale: "en-GB", timezoneId: "Europe/Brussels" });
  const page = await context.newPage();
  // Far longer than anything takes: machines of tests are shared.
  page.setDefaultTimeout(60_000);
  const faults = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`thrown: ${error.message}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`csp: ${event.violatedDirective} ${event.blockedURI}`));
  });
  if (key !== null) await page.addInitScript((text) => sessionStorage.setItem("edgeseries-key", text), key);
  if (clock) await page.clock.install();
  await page.goto(`${url}/${hash}`);
  return { page, context, faults };
}
