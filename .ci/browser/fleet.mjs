// Writes docs/demo/fleet.ndjson: eight weeks of a fleet that does not exist, as Inspector sends them. The same each time.
import fs from "node:fs";
import path from "node:path";

const FILE = path.resolve(import.meta.dirname, "../../docs/demo/fleet.ndjson");
const BEGAN = Date.parse("2026-09-28T06:00:00Z");
const DAYS = 56;
const DAY = 86_400_000;

// Numbers that seem to come by chance.
let seed = 20261123;
const chance = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
const below = (number) => Math.floor(chance() * number);

// What runs where, whose it is, and how many days that team takes to fix something.
const TEAMS = { payments: 3, search: 9, web: 6, data: 34 };
const RESOURCES = [
  ["payments", "image", "payments/api", 8], ["payments", "image", "payments/ledger", 4], ["payments", "machine", "payments-db-1", 0],
  ["payments", "machine", "payments-db-2", 0], ["search", "image", "search/query", 12], ["search", "image", "search/indexer", 2],
  ["search", "machine", "search-node-1", 0], ["search", "machine", "search-node-2", 0], ["search", "machine", "search-node-3", 0],
  ["web", "image", "web/storefront", 16], ["web", "image", "web/checkout", 6], ["web", "image", "web/admin", 0],
  ["web", "machine", "web-bastion", 0], ["data", "image", "data/airflow", 1], ["data", "image", "data/notebooks", 0],
  ["data", "machine", "data-spark-1", 0], ["data", "machine", "data-spark-2", 0], ["data", "machine", "data-spark-3", 0],
  [null, "machine", "jump-host", 0], [null, "machine", "build-agent-7", 0],
];

// Packages, each with the fix of one day: severity, EPSS, whether an exploit is known, and on how many resources at most.
const ADVISORIES = [
  [1, "openssl", "3.0.13", "3.0.14", "HIGH", 0.02, false, 7], [2, "curl", "8.5.0", "8.9.1", "HIGH", 0.004, false, 6],
  [4, "log4j-core", "2.14.1", "2.17.1", "CRITICAL", 0.94, true, 3], [6, "glibc", "2.36", "2.39", "HIGH", 0.001, false, 8],
  [9, "python3.11", "3.11.2", "3.11.9", "HIGH", 0.003, false, 5], [12, "nginx", "1.24.0", "1.27.4", "HIGH", 0.06, false, 3],
  [15, "linux-image-cloud-amd64", "6.1.94", "6.1.119", "HIGH", 0.0007, false, 7], [17, "jackson-databind", "2.13.1", "2.15.3", "HIGH", 0.012, false, 4],
  [20, "libxml2", "2.9.14", "2.12.9", "CRITICAL", 0.03, false, 5], [22, "express", "4.17.1", "4.21.2", "HIGH", 0.005, false, 3],
  [25, "openssh-server", "9.2p1", "9.8p1", "CRITICAL", 0.31, true, 5], [28, "sudo", "1.9.13", "1.9.16", "HIGH", 0.08, true, 4],
  [31, "openssl", "3.0.13", "3.0.14", "CRITICAL", 0.09, false, 7], [34, "spring-web", "6.0.11", "6.1.14", "CRITICAL", 0.22, false, 4],
  [37, "golang.org/x/net", "0.17.0", "0.33.0", "HIGH", 0.002, false, 4], [40, "xz-utils", "5.4.1", "5.6.3", "HIGH", 0.01, false, 5],
  [43, "urllib3", "1.26.5", "2.2.2", "HIGH", 0.002, false, 5], [46, "libvpx7", "1.12.0", "1.14.1", "HIGH", 0.05, true, 3],
  [48, "tomcat-embed-core", "10.1.16", "10.1.34", "CRITICAL", 0.42, true, 3], [50, "krb5", "1.20.1", "1.21.3", "HIGH", 0.006, false, 4],
  [52, "openssl", "3.0.13", "3.0.15", "HIGH", 0.007, false, 6], [54, "postgresql-15", "15.5", "15.10", "HIGH", 0.004, false, 3],
];

const time = (moment) => new Date(moment).toISOString();
const hex = (number, length) => number.toString(16).padStart(length, "0");
const events = [];
let findings = 0;

function resource([team, kind, name, inUse], place) {
  const tags = team ? { team } : {};
  if (kind === "machine") {
    return { type: "AWS_EC2_INSTANCE", id: `i-${hex(place + 161, 17)}`, tags: { ...tags, Name: name } };
  }
  const image = { repositoryName: name, imageTags: ["2026.11"], inUseCount: inUse };
  return {
    type: "AWS_ECR_CONTAINER_IMAGE",
    id: `arn:aws:ecr:eu-central-1:111122223333:repository/${name}/sha256:${hex(place + 161, 64)}`,
    tags,
    details: { awsEcrContainerImage: image },
  };
}

function event(number, moment, status, opened, where, [, name, version, fixedInVersion, severity, score, isExploited], cve, published) {
  const detail = {
    findingArn: `arn:aws:inspector2:eu-central-1:111122223333:finding/${hex(number, 32)}`,
    awsAccountId: "111122223333",
    type: "PACKAGE_VULNERABILITY",
    status,
    severity,
    title: `${cve} - ${name}`,
    firstObservedAt: time(opened),
    lastObservedAt: time(moment),
    updatedAt: time(moment),
    epss: { score },
    exploitAvailable: isExploited ? "YES" : "NO",
    fixAvailable: "YES",
    packageVulnerabilityDetails: {
      vulnerabilityId: cve,
      vendorCreatedAt: time(published),
      vulnerablePackages: [{ name, version, fixedInVersion }],
    },
    resources: [where],
  };
  events.push({ "detail-type": "Inspector2 Finding", source: "aws.inspector2", account: detail.awsAccountId, time: time(moment), region: "eu-central-1", detail });
}

ADVISORIES.forEach((advisory, number) => {
  const [day, , , , , , , most] = advisory;
  const cve = `CVE-2026-${String(40000 + number * 137).padStart(5, "0")}`;
  // One in three is new; the others were long known when they came with a new resource or a new scan.
  const published = BEGAN + (day - 1 - (number % 3 === 0 ? below(12) : 120 + below(700))) * DAY;
  const places = [...RESOURCES.keys()].sort(() => chance() - 0.5).slice(0, 2 + below(2 * most));
  for (const place of places) {
    const opened = BEGAN + day * DAY + below(10) * 3_600_000 + findings * 1000;
    const where = resource(RESOURCES[place], place);
    event(findings, opened, "ACTIVE", opened, where, advisory, cve, published);
    const fixed = opened + Math.ceil((TEAMS[RESOURCES[place][0]] ?? 60) * (0.4 + 1.2 * chance())) * DAY;
    if (fixed < BEGAN + DAYS * DAY) event(findings, fixed, "CLOSED", opened, where, advisory, cve, published);
    findings += 1;
  }
});

events.sort((one, other) => Date.parse(one.time) - Date.parse(other.time));
fs.mkdirSync(path.dirname(FILE), { recursive: true });
fs.writeFileSync(FILE, events.map((one) => `${JSON.stringify(one)}\n`).join(""));
