// Takes the pictures of docs/images: the first screen of the report of the fleet in docs/demo, light and dark.
import path from "node:path";

import { launch, open } from "./browser.mjs";
import { FLEET, made } from "./samples.mjs";

const { file } = made("picture", FLEET.sources, "en", FLEET.now);
const browser = await launch();
for (const [name, colorScheme] of [["report", "light"], ["report-dark", "dark"]]) {
  const { page, close } = await open(browser, file, { colorScheme, height: 960 });
  await page.screenshot({ path: path.resolve(import.meta.dirname, `../../docs/images/${name}.png`) });
  await close();
}
await browser.close();
