/**
 * A picture of the console: node console/picture.mjs <address> <file.png>
 *
 * Opens an address in the Chromium of npm, waits for its chart, and exits with 1 if the page said anything was wrong.
 */

import { launch, openPage } from "../tests/console/browser.mjs";

const [address, file] = process.argv.slice(2);
const { origin, hash } = new URL(address);
const browser = await launch();
try {
  const { page, faults } = await openPage(browser, { url: origin, hash });
  await page.locator(".verdict").waitFor({ timeout: 30_000 });
  await page.locator(".strip span").first().waitFor({ timeout: 30_000 });
  await page.screenshot({ path: file });
  process.stdout.write(`${await page.locator(".facts").innerText()}\n`);
  if (faults.length > 0) throw new Error(faults.join("; "));
} finally {
  await browser.close();
}
