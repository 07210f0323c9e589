#!/usr/bin/env python3
"""Measure how well a triage score puts CVEs on top that attackers turn to next.

The program under test reads Amazon EventBridge 'Inspector2 Finding' events on
stdin, one JSON object a line, and writes one JSON object a line on stdout, in
the same order, with at least

    {"findingArn": str, "score": number 0..100, "priority": "P1".."P4"}

where a higher score is more urgent. The evaluator turns the data set beside
this script into such events (every weekly list, one after the other), pipes
them through one run of the program and ranks each list by the score. Another
set of the same form (w3/, see its README section) is read with --data.

A line of the weekly list is a HIGH or CRITICAL CVE that existed and was not in
CISA's KEV catalogue at the snapshot T. An 'event' is a CVE that enters KEV
after T and no later than the next snapshot. README.md says how to read the
figures and what biases the data has.
"""
import argparse
import collections
import csv
import datetime as dt
import gzip
import hashlib
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

EXAMPLES = """examples, from the root of the repository:
  python3 docs/scoring/evaluate.py -- ./target/cli/inspector-triage score
  python3 docs/scoring/evaluate.py --json out.json --events out.csv -- ./target/cli/inspector-triage score
  python3 docs/scoring/evaluate.py --weeks 2025-03-17.. -- ./target/cli/inspector-triage score
  python3 docs/scoring/evaluate.py --data docs/scoring/w3 -- ./target/cli/inspector-triage score
  python3 docs/scoring/evaluate.py --data docs/scoring/w3 --exploits -- ./target/cli/inspector-triage score
  python3 docs/scoring/evaluate.py --dump 1 | python3 -m json.tool      look at an event
  python3 docs/scoring/evaluate.py                                      baselines only
exit status: 0 measured, 1 the program failed or broke the output contract, 2 bad usage"""

PRIORITIES = ("P1", "P2", "P3", "P4")
CUTS = (0.01, 0.05, 0.10)
EPSS_V4 = "2025-03-17"           # first day of EPSS model version 4
SEVERITY_SCORE = {"CRITICAL": 9.0, "HIGH": 7.5}


class Failure(Exception):
    """The program under test failed or broke the output contract."""


# ---------------------------------------------------------------- data set --

class Cve:
    __slots__ = ("id", "published", "severity", "cvss", "vector", "fix", "kev", "weight", "exploit", "parts")

    def __init__(self, r):
        self.id = r["cve"]
        self.published = r["published"]
        self.severity = r["severity"]
        self.cvss = r["cvss_score"]              # text, '' when unknown
        self.vector = r["cvss_vector"]
        self.fix = r["fix_available"]
        self.kev = r["kev_date"]
        self.weight = float(r["weight"])
        self.exploit = r.get("exploit_date") or ""   # first public exploit; w3 only
        self.parts = {}

    def number(self):
        """CVSS base score; a typical one of its severity where there is none."""
        return float(self.cvss) if self.cvss else SEVERITY_SCORE[self.severity]


class Week:
    """One weekly list: parallel lists of CVEs and EPSS texts, and the positions of the events."""
    __slots__ = ("date", "until", "cves", "epss", "events")

    def __init__(self, date, until):
        self.date, self.until = date, until
        self.cves, self.epss, self.events = [], [], []


def table(directory, name):
    plain = os.path.join(directory, name)
    if os.path.exists(plain):
        return open(plain, newline="", encoding="ascii")
    return gzip.open(plain + ".gz", "rt", newline="", encoding="ascii")


def load(directory, first="", last=""):
    """Read weeks.csv, cves.csv(.gz) and epss.csv(.gz) of a data set into weekly lists."""
    with table(directory, "weeks.csv") as f:
        weeks = [Week(r["snapshot"], r["until"]) for r in csv.DictReader(f)]
    with table(directory, "cves.csv") as f:
        cves = {r["cve"]: Cve(r) for r in csv.DictReader(f)}
    with table(directory, "epss.csv") as f:
        rows = csv.reader(f)
        head = next(rows)
        if head[1:] != [w.date for w in weeks]:
            raise SystemExit("epss.csv and weeks.csv of %s do not belong together" % directory)
        for row in rows:
            c = cves[row[0]]
            for w, e in zip(weeks, row[1:]):
                if not e or (c.kev and c.kev <= w.date):
                    continue                     # did not exist yet, or already in KEV
                if c.kev and c.kev <= w.until:
                    w.events.append(len(w.cves))
                w.cves.append(c)
                w.epss.append(e)
    return [w for w in weeks if w.events and w.date >= first and (not last or w.date <= last)]


# ------------------------------------------------------------ event making --

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ACCOUNT, REGION = "123456789012", "eu-central-1"
IMAGE = "sha256:" + hashlib.sha256(b"example image").hexdigest()
IMAGE_ARN = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/example-service/{IMAGE}"
DESCRIPTION = "A package that is installed in this container image is affected by a publicly known vulnerability."
RESOURCE = {
    "details": {"awsEcrContainerImage": {
        "architecture": "amd64", "imageHash": IMAGE, "imageTags": ["1.0.0"], "platform": "DEBIAN_12",
        "pushedAt": "Wed Jan 10 09:00:00.000 UTC 2024", "registry": ACCOUNT, "repositoryName": "example-service"}},
    "id": IMAGE_ARN, "partition": "aws", "region": REGION, "tags": {}, "type": "AWS_ECR_CONTAINER_IMAGE"}


def text_date(iso):
    """2024-09-04 -> 'Wed Sep 04 00:00:00.000 UTC 2024', the form of dates inside a finding."""
    d = dt.date.fromisoformat(iso)
    return f"{DAYS[d.weekday()]} {MONTHS[d.month - 1]} {d.day:02d} 00:00:00.000 UTC {d.year}"


def finding(c, exploit=False):
    """The event of CVE c with @...@ marks where the week's values go; exploit: a public one is known."""
    package = {"arch": "AMD64", "epoch": 0, "name": "example-package", "packageManager": "OS", "version": "1.0.0"}
    if c.fix == "YES":
        package["fixedInVersion"] = "0:1.0.1-1"
    elif c.fix == "NO":
        package["fixedInVersion"] = "NotAvailable"
    version = c.vector[5:8]
    details = {
        "cvss": [{"baseScore": float(c.cvss), "scoringVector": c.vector, "source": "NVD", "version": version}]
        if c.vector else [],
        "referenceUrls": [f"https://www.cve.org/CVERecord?id={c.id}"], "relatedVulnerabilities": [],
        "source": "NVD", "sourceUrl": f"https://nvd.nist.gov/vuln/detail/{c.id}",
        "vendorSeverity": c.severity, "vulnerabilityId": c.id, "vulnerablePackages": [package]}
    if c.published:
        details["vendorCreatedAt"] = text_date(c.published)
    detail = {
        "awsAccountId": ACCOUNT, "description": DESCRIPTION, "epss": {"score": "@EPSS@"},
        "findingArn": "@ARN@", "firstObservedAt": "@DATE@"}
    if c.fix in ("YES", "NO"):                  # absent where unknown
        detail["fixAvailable"] = c.fix
    if exploit:
        detail["exploitAvailable"] = "YES"
        detail["exploitabilityDetails"] = {"lastKnownExploitAt": text_date(c.exploit)}
    if c.cvss:
        detail["inspectorScore"] = float(c.cvss)
    if c.vector:
        detail["inspectorScoreDetails"] = {"adjustedCvss": {
            "adjustments": [], "cvssSource": "NVD", "score": float(c.cvss), "scoreSource": "NVD",
            "scoringVector": c.vector, "version": version}}
    detail.update({
        "lastObservedAt": "@DATE@", "packageVulnerabilityDetails": details,
        "remediation": {"recommendation": {"text": "None Provided"}}, "resources": [RESOURCE],
        "severity": c.severity, "status": "ACTIVE", "title": f"{c.id} - example-package",
        "type": "PACKAGE_VULNERABILITY", "updatedAt": "@DATE@"})
    return {"version": "0", "id": "@ID@", "detail-type": "Inspector2 Finding", "source": "aws.inspector2",
            "account": ACCOUNT, "time": "@TIME@", "region": REGION, "resources": [IMAGE_ARN], "detail": detail}


def prepare(c, exploit):
    """Cut the event of CVE c into the constant pieces between the week's values."""
    text = json.dumps(finding(c, exploit), separators=(",", ":")).replace('"@EPSS@"', "@EPSS@")
    parts = []
    for mark in ("@ID@", "@TIME@", "@EPSS@", "@ARN@", "@DATE@", "@DATE@", "@DATE@"):
        head, text = text.split(mark, 1)
        parts.append(head)
    c.parts[exploit] = parts + [text + "\n"]


def arn(c, week):
    return f"arn:aws:inspector2:{REGION}:{ACCOUNT}:finding/" + \
        hashlib.md5(f"{c.id} {week.date}".encode(), usedforsecurity=False).hexdigest()


def lines(weeks, exploits=False):
    """All events as text lines, week by week; exploits: say so where a public exploit was known by then."""
    for w in weeks:
        when, date = w.date + "T00:00:00Z", text_date(w.date)
        for c, e in zip(w.cves, w.epss):
            exploit = exploits and "" < c.exploit < w.date
            if exploit not in c.parts:
                prepare(c, exploit)
            a = arn(c, w)
            h = a[-32:]
            p = c.parts[exploit]
            yield (f"{p[0]}{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}{p[1]}{when}{p[2]}{e}{p[3]}{a}"
                   f"{p[4]}{date}{p[5]}{date}{p[6]}{date}{p[7]}")


# ------------------------------------------------------ program under test --

def read_answer(line, n, c, week):
    def bad(why):
        return Failure(f"output line {n} ({c.id}, {week.date}): {why}\n  {line[:300].decode('utf-8', 'replace').rstrip()}")
    try:
        answer = json.loads(line)
    except ValueError:
        raise bad("not JSON") from None
    if not isinstance(answer, dict):
        raise bad("not a JSON object")
    if answer.get("findingArn") != arn(c, week):
        raise bad(f"findingArn is not that of input line {n}, {arn(c, week)}")
    score = answer.get("score")
    if isinstance(score, bool) or not isinstance(score, (int, float)) or not 0 <= score <= 100:
        raise bad("score is not a number from 0 to 100")
    if answer.get("priority") not in PRIORITIES:
        raise bad("priority is not one of " + ", ".join(PRIORITIES))
    return float(score), answer["priority"]


def run(command, weeks, timeout, exploits=False):
    """Pipe all events through one run of the program -> per week (scores, priorities), seconds."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        try:
            p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        except OSError as e:
            raise Failure(f"cannot start {command[0]}: {e}") from None
        late = threading.Event()
        timer = threading.Timer(timeout, lambda: (late.set(), p.kill()))
        timer.daemon = True
        timer.start()

        def feed():
            try:
                block, size = [], 0
                for line in lines(weeks, exploits):
                    block.append(line)
                    size += len(line)
                    if size > 1 << 20:
                        p.stdin.write("".join(block).encode())
                        block, size = [], 0
                p.stdin.write("".join(block).encode())
                p.stdin.close()
            except (BrokenPipeError, ValueError):
                pass                             # it stopped reading; the reader below says why

        writer = threading.Thread(target=feed, daemon=True)
        writer.start()

        def ended():
            if late.is_set():
                return f"the program did not finish in {timeout} s"
            errors.seek(0, os.SEEK_END)
            errors.seek(max(0, errors.tell() - 2000))
            said = errors.read().decode("utf-8", "replace").strip()
            return f"exit status {p.wait()}" + (f"; it said:\n{said}" if said else "")

        out, n = [], 0
        try:
            for w in weeks:
                scores, classes = [], []
                for c in w.cves:
                    line = p.stdout.readline()
                    if not line:
                        total = sum(len(x.cves) for x in weeks)
                        raise Failure(f"output ended after {n:,} of {total:,} lines: {ended()}")
                    n += 1
                    s, k = read_answer(line, n, c, w)
                    scores.append(s)
                    classes.append(k)
                out.append((scores, classes))
            extra = p.stdout.readline()
            if extra:
                raise Failure(f"more output lines than input lines ({n:,}), the next one is\n  {extra[:300]!r}")
            writer.join()
            if p.wait() != 0:
                raise Failure(ended())
        finally:
            timer.cancel()
            if p.poll() is None:
                p.kill()
            p.wait()
            p.stdout.close()
    return out, time.monotonic() - started


# ----------------------------------------------------------------- figures --

def grype(c, e):
    """Risk of anchore/grype without its KEV factor: EPSS x mean(severity score, CVSS)/10."""
    s = SEVERITY_SCORE[c.severity] / 10
    return e * ((s + float(c.cvss) / 10) / 2 if c.cvss else s)


def cve_prioritizer(c, e):
    """Class of TURROKS/CVE_Prioritizer without KEV, its default thresholds EPSS 0.2 and CVSS 6.0."""
    return (2 if e >= 0.2 else 1) if c.number() >= 6 else (0.5 if e >= 0.2 else 0)


BASELINES = {
    "EPSS": lambda c, e: e,
    "CVSS score": lambda c, e: c.number(),
    "severity bucket": lambda c, e: SEVERITY_SCORE[c.severity],
    "grype risk, no KEV": grype,
    "CVE_Prioritizer class": cve_prioritizer,
}

Place = collections.namedtuple("Place", "above tie size auc recall position")


def place(scores, weights, i):
    """Where entry i stands in its list; ties by expectation, every entry counted by its weight."""
    s = scores[i]
    above = math.fsum(w for x, w in zip(scores, weights) if x > s)
    tie = math.fsum(w for x, w in zip(scores, weights) if x == s)
    size = math.fsum(weights)
    return Place(above, tie, size, 1 - (above + (tie - 1) / 2) / (size - 1),
                 [inside(above, tie, size * t) for t in CUTS], (above + (tie + 1) / 2) / size)


def inside(above, tie, room):
    """Chance that an entry of a tie block is among the first `room` of the list."""
    return min(1.0, max(0.0, (room - above) / tie))


def places(weeks, scores_of):
    """Place of every event under a ranking: scores_of(week number, week) gives the scores of its list."""
    out = []
    for n, w in enumerate(weeks):
        scores, weights = scores_of(n, w), [c.weight for c in w.cves]
        out += [place(scores, weights, i) for i in w.events]
    return out


def mean(x):
    return sum(x) / len(x)


def figures(ps):
    """Per event [AUC, recall at each cut]."""
    return [[p.auc, *p.recall] for p in ps]


def resamples(n, boot):
    rng = random.Random(7)
    return [[rng.randrange(n) for _ in range(n)] for _ in range(boot)]


def interval(values, samples):
    n = len(values)
    m = sorted(sum(values[i] for i in s) / n for s in samples)
    return m[int(.025 * len(m))], m[int(.975 * len(m))]


class Report:
    """Everything that is measured in one run, as text lines and as one JSON value."""

    def __init__(self, weeks, answers, boot, name="ours", only=None):
        self.name, self.text, self.json = name, [], {}
        self.weeks, self.answers = weeks, answers
        self.where = [(w, i) for w in weeks for i in w.events]     # every event
        self.keep = [k for k, (w, i) in enumerate(self.where) if only is None or only(w, w.cves[i])]
        self.places = {}
        if answers:
            self.places[name] = places(weeks, lambda n, w: answers[n][0])
        for k, f in BASELINES.items():
            self.places[k] = places(weeks, lambda n, w: [f(c, float(e)) for c, e in zip(w.cves, w.epss)])
        self.lists()
        self.rankings(self.keep, boot)
        if answers:
            self.difference(self.keep, boot)
            self.eras()
            self.classes()

    def say(self, line=""):
        self.text.append(line)

    def lists(self):
        n = sum(len(w.cves) for w in self.weeks)
        size = mean([math.fsum(c.weight for c in w.cves) for w in self.weeks])
        self.json.update(weeks=len(self.weeks), events=len(self.keep), entries=n, mean_list_size=round(size))
        self.say(f"{len(self.weeks)} weekly lists, {self.weeks[0].date} to {self.weeks[-1].date}; {len(self.keep)} events; "
                 f"{n:,} entries; a list stands for {size:,.0f} CVEs on average")

    def rankings(self, keep, boot):
        samples = resamples(len(keep), boot)
        self.say()
        self.say(f"{'ranking':23}{'AUC':>6}  {'95% CI':12}  {'R@1%':>5}  {'95% CI':10}  {'R@5%':>5}  {'95% CI':10}  {'R@10%':>5}  "
                 f"{'95% CI':10}  median")
        self.json["rankings"] = {}
        for k, ps in self.places.items():
            each = figures(ps)
            columns = list(zip(*[each[j] for j in keep]))
            m = [mean(c) for c in columns]
            ci = [interval(c, samples) for c in columns]
            median = sorted(ps[j].position for j in keep)[len(keep) // 2]
            self.json["rankings"][k] = {
                "auc": m[0], "auc_ci": ci[0], "recall_1": m[1], "recall_1_ci": ci[1], "recall_5": m[2], "recall_5_ci": ci[2],
                "recall_10": m[3], "recall_10_ci": ci[3], "median_position": median}
            self.say(f"{k:23}{m[0]:6.3f}  {ci[0][0]:.3f}-{ci[0][1]:.3f}   " + "  ".join(
                f"{a:5.3f}  {lo:.2f}-{hi:.2f} " for a, (lo, hi) in zip(m[1:], ci[1:])) + f"  top {100 * median:.1f}%")

    def difference(self, keep, boot):
        ours, epss = figures(self.places[self.name]), figures(self.places["EPSS"])
        samples = resamples(len(keep), boot)
        self.say()
        self.say(f"{self.name} - EPSS, paired bootstrap over events")
        self.json["ours_minus_epss"] = {}
        for label, key, j in (("AUC", "auc", 0), ("recall@1%", "recall_1", 1), ("recall@5%", "recall_5", 2), ("recall@10%", "recall_10", 3)):
            d = [ours[k][j] - epss[k][j] for k in keep]
            lo, hi = interval(d, samples)
            up, down = sum(x > 1e-9 for x in d), sum(x < -1e-9 for x in d)
            self.json["ours_minus_epss"][key] = {"difference": mean(d), "ci": [lo, hi], "events_better": up, "events_worse": down}
            verdict = "better" if lo > 0 else "worse" if hi < 0 else "not told apart" if up or down else "same"
            self.say(f"  {label:11}{mean(d):+.3f}  95% CI {lo:+.3f} to {hi:+.3f}   events better {up}, worse {down}   {verdict}")

    def eras(self):
        rows = []
        for label, test in ((f"before {EPSS_V4} (EPSS v3)", lambda d: d < EPSS_V4), (f"from {EPSS_V4} (EPSS v4)", lambda d: d >= EPSS_V4)):
            keep = [k for k in self.keep if test(self.where[k][0].date)]
            if keep:
                m = {n: [mean(c) for c in zip(*[figures(self.places[n])[k] for k in keep])] for n in (self.name, "EPSS")}
                rows.append((label, len(keep), m))
        self.say()
        self.say(f"{'by EPSS model':30}events  AUC {self.name}/EPSS   R@5%         R@10%")
        self.json["eras"] = {}
        for label, n, m in rows:
            a, b = m[self.name], m["EPSS"]
            self.json["eras"][label] = {"events": n, "ours": dict(zip(("auc", "recall_1", "recall_5", "recall_10"), a)),
                                        "epss": dict(zip(("auc", "recall_1", "recall_5", "recall_10"), b))}
            self.say(f"{label:30}{n:6}  {a[0]:.3f} / {b[0]:.3f}   " + "   ".join(f"{a[j]:.2f} / {b[j]:.2f}" for j in (2, 3)))

    def classes(self):
        share = []                               # per week {class: share of the list}
        for w, (_, classes) in zip(self.weeks, self.answers):
            t = dict.fromkeys(PRIORITIES, 0.0)
            for c, k in zip(w.cves, classes):
                t[k] += c.weight
            share.append(t)
        total = sum(sum(t.values()) for t in share)
        got = [self.answers[self.weeks.index(w)][1][i] for w, i in self.where]
        week_of = [self.weeks.index(w) for w, _ in self.where]
        bounds = {k: [math.inf, -math.inf] for k in PRIORITIES}
        for scores, classes in self.answers:
            for s, k in zip(scores, classes):
                b = bounds[k]
                b[0], b[1] = min(b[0], s), max(b[1], s)
        self.say()
        self.say(f"{'priority':13}{'share of list':>14}  {'weekly range':16}{'events caught':>16}   EPSS with as many    scores")
        self.json["priorities"] = {}
        for n in range(1, 5):
            group = PRIORITIES[:n]
            label = "P1" if n == 1 else "P1 to " + group[-1]
            part = sum(t[k] for t in share for k in group) / total
            weekly = [sum(t[k] for k in group) / sum(t.values()) for t in share]
            caught = sum(got[k] in group for k in self.keep)
            same = mean([inside(self.places["EPSS"][k].above, self.places["EPSS"][k].tie, weekly[week_of[k]] * self.places["EPSS"][k].size)
                         for k in self.keep])
            lo, hi = bounds[group[-1]]
            own = f"{group[-1]} {lo:g} to {hi:g}" if lo <= hi else f"{group[-1]} not used"
            self.json["priorities"][label] = {
                "share_of_list": part, "weekly_share": [min(weekly), max(weekly)], "events_caught": caught,
                "share_of_events": caught / len(self.keep), "epss_same_share": same, "scores_of_" + group[-1]: [lo, hi] if lo <= hi else None}
            self.say(f"{label:13}{100 * part:13.2f}%  {100 * min(weekly):5.2f}% to {100 * max(weekly):6.2f}% {caught:7} ({100 * caught / len(self.keep):3.0f}%)"
                     f"   {100 * same:14.0f}%       {own}")
        used = [bounds[k] for k in PRIORITIES if bounds[k][0] <= bounds[k][1]]
        if any(a[0] < b[1] for a, b in zip(used, used[1:])):
            self.say("note: the classes do not follow the score: an entry of a lower class outscores one of a higher class")
        values = {s for scores, _ in self.answers for s in scores}
        at_top = sum(s == 100 for scores, _ in self.answers for s in scores)
        self.json["distinct_scores"] = len(values)
        self.say(f"{len(values):,} distinct scores, {min(values):g} to {max(values):g}; {at_top:,} entries at exactly 100")

    def write_events(self, path):
        """One row per event: what was known and where it stood."""
        with open(path, "w", newline="") as f:
            w = csv.writer(f)
            w.writerow("snapshot cve published age_days severity cvss_score cvss_vector fix_available epss kev_date "
                       "score priority position_ours position_epss".split())
            order = sorted(range(len(self.where)), key=lambda k: (self.where[k][0].date, self.where[k][0].cves[self.where[k][1]].id))
            for k in order:
                week, i = self.where[k]
                c = week.cves[i]
                age = (dt.date.fromisoformat(week.date) - dt.date.fromisoformat(c.published)).days if c.published else ""
                s, p, pos = "", "", ""
                if self.answers:
                    scores, classes = self.answers[self.weeks.index(week)]
                    s, p, pos = f"{scores[i]:g}", classes[i], f"{self.places[self.name][k].position:.4f}"
                w.writerow([week.date, c.id, c.published, age, c.severity, c.cvss, c.vector, c.fix, week.epss[i], c.kev,
                            s, p, pos, f"{self.places['EPSS'][k].position:.4f}"])


# -------------------------------------------------------------------- main --

def split_command(argv):
    """Everything after the first -- is the command."""
    return (argv[:argv.index("--")], argv[argv.index("--") + 1:]) if "--" in argv else (argv, [])


def parser(description, examples):
    ap = argparse.ArgumentParser(description=description, epilog=examples, usage="%(prog)s [options] [-- COMMAND ...]",
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--weeks", metavar="FROM..TO", default="..", help="only snapshots in this range, ISO dates, either may be left out")
    ap.add_argument("--json", metavar="FILE", help="write all figures to FILE as JSON too")
    ap.add_argument("--boot", metavar="N", type=int, default=2000, help="bootstrap resamples (%(default)s)")
    ap.add_argument("--timeout", metavar="S", type=float, default=900, help="give up on the command after S seconds (%(default)s)")
    return ap


def main(argv=None):
    options, command = split_command(sys.argv[1:] if argv is None else argv)
    ap = parser(__doc__, EXAMPLES)
    ap.add_argument("--data", metavar="DIR", default=os.path.dirname(os.path.abspath(__file__)), help="data set (default: beside this script)")
    ap.add_argument("--exploits", action="store_true", help="tell the program of public exploits known at the snapshot (w3 only)")
    ap.add_argument("--events", metavar="FILE", help="write one CSV row per event: its facts, score, priority and position")
    ap.add_argument("--dump", metavar="N", type=int, help="print the first N input lines and stop")
    o = ap.parse_args(options)
    if ".." not in o.weeks:
        ap.error("--weeks wants FROM..TO")
    weeks = load(o.data, *o.weeks.split("..", 1))
    if not weeks:
        ap.error("no weekly list in that range")
    if o.dump is not None:
        for n, line in enumerate(lines(weeks, o.exploits)):
            if n >= o.dump:
                break
            sys.stdout.write(line)
        return 0
    answers = None
    try:
        if command:
            answers, seconds = run(command, weeks, o.timeout, o.exploits)
            print(f"{sum(len(w.cves) for w in weeks):,} events scored in {seconds:.1f} s\n")
    except Failure as e:
        print(f"FAILED: {e}", file=sys.stderr)
        return 1
    r = Report(weeks, answers, o.boot)
    print("\n".join(r.text))
    if o.json:
        with open(o.json, "w") as f:
            json.dump(r.json, f, indent=1)
            f.write("\n")
    if o.events:
        r.write_events(o.events)
    return 0


if __name__ == "__main__":
    sys.exit(main())
