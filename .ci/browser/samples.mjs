// Reports to look at: made by the command line from the sample events, from events that mean harm, and from very many.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../..");
const PROGRAM = process.env.PROGRAM ?? path.join(ROOT, "target/debug/inspector-triage");
export const OUT = path.join(ROOT, "target/browser");
// A moment at which the samples show something of each kind.
export const NOW = "2026-11-25T12:00:00Z";

fs.mkdirSync(OUT, { recursive: true });

export const run = (...args) => execFileSync(PROGRAM, args, { cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 28 });

// A report as a page, its review as data, and its findings as rows.
export function made(name, sources, language = "en", now = NOW) {
  const given = ["report", ...sources, "--now", now, "--language", language];
  const html = run(...given);
  const file = path.join(OUT, `${name}.html`);
  fs.writeFileSync(file, html);
  return { name, file, html, review: JSON.parse(run(...given, "--format", "json")), rows: csv(run(...given, "--format", "csv")) };
}

// A fleet that does not exist, on the Monday after its eight weeks.
export const FLEET = { sources: ["docs/demo/fleet.ndjson"], now: "2026-11-23T07:00:00Z" };
export const SAMPLES = ["events", "--ledger", "security/inspector-exclusions.yaml"];

// What strangers might write. The page shows what is left of it when text has been made harmless, and no more.
export const HARM = [
  "<script>alert(1)</script>",
  "\"><img src=x onerror=alert(2)>",
  "</style><style>*{display:none}</style>",
  "</title></head><body onload=alert(3)>",
  "<a href=\"javascript:alert(4)\">here</a>",
  "javascript:alert(5)",
  "' onmouseover='alert(6)",
  "\u202Egpj.exe\u2066\u200B",
  "one\r\ntwo\u2028three\u0000",
  "=HYPERLINK(\"https://example.net\")",
  "&lt;b&gt;&#60;i&#62;",
  "</td></tr></table><h1>All clear</h1>",
  "{{ 7*7 }}",
];

const sample = (name) => JSON.parse(fs.readFileSync(path.join(ROOT, "events", name), "utf8"));
const arn = (number) => `arn:aws:inspector2:eu-central-1:444455556666:finding/${number.toString(16).padStart(32, "0")}`;

// Events with harm in every text that a stranger may choose.
export function hostile() {
  const events = HARM.map((harm, number) => {
    const event = sample("06-ecr-image-two-packages.json");
    const finding = event.detail;
    const [resource] = finding.resources;
    finding.findingArn = arn(number);
    finding.title = harm;
    finding.description = harm;
    finding.packageVulnerabilityDetails.vulnerabilityId = harm;
    finding.packageVulnerabilityDetails.sourceUrl = harm;
    for (const one of finding.packageVulnerabilityDetails.vulnerablePackages) {
      Object.assign(one, { name: harm, fixedInVersion: harm, remediation: harm });
    }
    resource.tags = { team: harm, Name: harm };
    for (const details of Object.values(resource.details)) {
      Object.assign(details, { imageTags: [harm], repositoryName: harm });
    }
    return event;
  });
  return written("hostile", events);
}

// So many findings that the page does not show all at once.
export function many(number) {
  const events = Array.from({ length: number }, (_, place) => {
    const event = sample("05-ec2-package.json");
    const finding = event.detail;
    finding.findingArn = arn(place);
    finding.packageVulnerabilityDetails.vulnerabilityId = `CVE-2026-${String((place * 7919) % number).padStart(5, "0")}`;
    finding.epss = { score: place % 10 === 0 ? 0.9 : 0.0001 };
    finding.resources[0].id = `i-${place.toString(16).padStart(17, "0")}`;
    finding.resources[0].tags = { team: `team-${place % 20}` };
    return event;
  });
  return written("many", events);
}

function written(name, events) {
  const file = path.join(OUT, `${name}.ndjson`);
  fs.writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  return [file];
}

// The rows of a file as `--format csv` writes it, each by the names of its columns.
function csv(text) {
  const rows = [[""]];
  for (const [token, quoted, plain, end] of text.matchAll(/"((?:[^"]|"")*)"|([^",\r\n]+)|(\r?\n)|,/g)) {
    const row = rows.at(-1);
    if (token === ",") row.push("");
    else if (end) rows.push([""]);
    else row[row.length - 1] += quoted?.replaceAll('""', '"') ?? plain;
  }
  const [names, ...values] = rows.slice(0, -1);
  return values.map((row) => Object.fromEntries(names.map((name, place) => [name, row[place]])));
}
