// Takes the pictures of docs/images: the first screen of the report of the sample events, light and dark.
import path from "node:path";

import { launch, open } from "./browser.mjs";
import { SAMPLES, made } from "./samples.mjs";

const { file } = made("picture", SAMPLES);
const browser = await launch();
for (const [name, colorScheme] of [["report", "light"], ["report-dark", "dark"]]) {
  const { page, close } = await open(browser, file, { colorScheme, height: 960 });
  await page.screenshot({ path: path.resolve(import.meta.dirname, `../../docs/images/${name}.png`) });
  await close();
}
await browser.close();
