// A browser, and pages in it that note what they should not do.
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const TOOLS = process.env.TOOLS_DIR ?? path.resolve(import.meta.dirname, "../../.tools");
const require = createRequire(path.join(TOOLS, "browser/"));
const { chromium } = require("playwright-core");
const { source: AXE } = require("axe-core");

// It calls home for nothing: only what the page asks for may go out.
const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-quic", "--disable-sync", "--no-first-run"];

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM, args: QUIET });

// Opens a file in a context of its own. `noted` has every request but the document's own, everything on the console, errors,
// dialogs, and what the policy blocked. `init` runs in the page before its own script.
export async function open(browser, file, { width = 1200, height = 900, init = () => {}, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, ...options });
  const page = await context.newPage();
  const noted = [];
  const address = pathToFileURL(file).href;
  page.on("request", (request) => request.url() === address || noted.push(`request: ${request.url()}`));
  page.on("console", (message) => noted.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => noted.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    noted.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  if (options.javaScriptEnabled !== false) await page.addInitScript(init);
  await page.goto(address);
  return { page, noted, close: () => context.close() };
}

// What axe finds wrong, one line each.
export async function violations(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
}
