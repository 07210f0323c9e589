"""Holds what `ledger vex` writes for CycloneDX against CycloneDX's own schema, which comes with their library.

    .tools/checkov/bin/python .ci/vex.py target/debug/inspector-triage

checkov's environment has that library, at the version and with the digest of its requirements.
"""

import subprocess
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

SAMPLE = Path("security/inspector-exclusions.yaml")
JUSTIFICATIONS = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
]


def every_decision():
    """A ledger with each decision and each justification."""
    decisions = [("accept", None), ("defer", None), ("false_positive", None)]
    decisions += [("not_affected", justification) for justification in JUSTIFICATIONS]
    lines = ["version: 1", "exceptions:"]
    for number, (decision, justification) in enumerate(decisions):
        lines += [
            f"  - id: decision-{number}",
            f"    vulnerabilities: [CVE-2026-{number:05}]",
            f"    packages: [\"pkg:npm/package-{number}\"]",
            f"    decision: {decision}",
            "    reason: It says so.",
            "    compensating_controls: [Nobody can reach it]",
            "    owner: team",
            "    created_at: 2026-11-01",
            "    expires_at: 2036-11-01",
            f"    until_fixed: {str(number % 2 == 0).lower()}",
        ]
        if justification:
            lines.append(f"    justification: {justification}")
    return "\n".join(lines) + "\n"


def main():
    program = sys.argv[1]
    everything = Path("target/every-decision.yaml")
    everything.write_text(every_decision())
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    for ledger in [SAMPLE, everything]:
        command = [program, "ledger", "vex", ledger, "--format", "cyclonedx", "--now", "2026-11-20T12:00:00Z"]
        written = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        if wrong := validator.validate_str(written):
            sys.exit(f"{ledger}: {wrong}")
        if not validator.validate_str(written.replace('"exploitable"', '"perhaps"')):
            sys.exit(f"{ledger}: the schema takes anything")
        print(f"{ledger}: valid by CycloneDX's schema of version 1.6")


main()
