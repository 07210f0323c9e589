"""Holds what the gate writes for others against the validators of others.

    .tools/formats/bin/python .ci/gate.py FILE...

SARIF (*.sarif) against Microsoft's SARIF Multitool, with the rules of the format and those of GitHub's code scanning. JUnit
(*.xml) against the schema of Jenkins, of which GitLab and the others take a part. Errors fail, and so do warnings that are not
explained here. `cargo test --features cli --test tests -- --ignored gate_formats` writes examples into target/gate.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import xmlschema

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(os.environ.get("TOOLS_DIR", ROOT / ".tools"))
MULTITOOL = TOOLS / "sarif/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"
# Warnings of the multitool, and why each may stay.
EXPLAINED = {
    "SARIF2005": "informationUri is the repository of Cargo.toml, which has none as long as there is no public one",
}


def validate_sarif(file):
    """The rules that a file breaks, by level, each with a message. Notes ask for what GitHub does not show."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.sarif")
        command = [MULTITOOL, "validate", file, "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning"]
        command += ["--output", report, "--log", "ForceOverwrite"]
        # Without it .NET wants ICU, which a small system does not have.
        environment = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True)
        if not report.exists():
            sys.exit(f"{file}: the multitool did not run:\n{ran.stdout}{ran.stderr}")
        run = json.loads(report.read_text(encoding="utf-8-sig"))["runs"][0]
    names = {rule["id"]: rule for rule in run["tool"]["driver"].get("rules", [])}
    broken = []
    for result in run.get("results", []):
        # SARIF's own default.
        level, rule = result.get("level", "warning"), result["ruleId"]
        broken.append((level, rule, names.get(rule, {}).get("name", ""), result["message"].get("arguments", [])))
    failed = [note for one in run.get("invocations", []) for note in one.get("toolExecutionNotifications", [])]
    broken += [("error", "the multitool", note["message"].get("text", ""), []) for note in failed if note.get("level") == "error"]
    return broken


def check_sarif(files):
    if platform.machine() not in ("x86_64", "AMD64"):
        print(f"SARIF: left out, because the multitool is not made for {platform.machine()}")
        return []
    logs = [json.loads(file.read_text()) for file in files]
    log = next((log for log in logs if log["runs"][0]["results"]), None) or sys.exit("no SARIF here has a result")
    with tempfile.TemporaryDirectory() as folder:
        spoilt = Path(folder, "spoilt.sarif")
        del log["runs"][0]["results"][0]["locations"]
        spoilt.write_text(json.dumps(log))
        if not any(level == "error" and rule.startswith("GH") for level, rule, *_ in validate_sarif(spoilt)):
            sys.exit("the multitool takes a result without a location, which GitHub does not")
    wrong, explained = [], set()
    for file in files:
        broken = validate_sarif(file)
        bad = [one for one in broken if one[0] == "error" or one[1] not in EXPLAINED]
        explained |= {rule for level, rule, *_ in broken if level == "warning" and rule in EXPLAINED}
        wrong += [f"{file}: {level} {rule} {name} {' '.join(arguments)}" for level, rule, name, arguments in bad]
        if not bad:
            print(f"{file}: SARIF that GitHub takes, by Microsoft's multitool")
    for rule in sorted(explained):
        print(f"warnings of {rule} stay: {EXPLAINED[rule]}")
    return wrong


def check_junit(files):
    schema = xmlschema.XMLSchema(ROOT / "tests/formats/junit-10.xsd")
    wrong = []
    for file in files:
        text = file.read_text()
        errors = [f"{file}: {error.path}: {error.reason}" for error in schema.iter_errors(text)]
        wrong += errors
        if schema.is_valid(text.replace("<testcase ", '<testcase perhaps="" ')):
            sys.exit(f"{file}: the schema takes anything")
        if not errors:
            print(f"{file}: JUnit by Jenkins' schema")
    return wrong


def main():
    files = [Path(name) for name in sys.argv[1:]]
    sarif = [file for file in files if file.suffix == ".sarif"]
    junit = [file for file in files if file.suffix == ".xml"]
    if not sarif or not junit:
        sys.exit("usage: gate.py FILE.sarif... FILE.xml...")
    wrong = check_sarif(sarif) + check_junit(junit)
    if wrong:
        sys.exit("\n".join(wrong))


main()
