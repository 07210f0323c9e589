"""Holds the score to its figures, on the data in docs/scoring.

    python3 .ci/scoring.py target/debug/inspector-triage
"""

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

DATA = "docs/scoring"
# AUC, and the recall at 5 % and 10 %, that each set must reach: a little less than what docs/SCORING.md says.
SETS = {
    "first set": ([], [0.88, 0.60, 0.73]),
    "w3": (["--data", f"{DATA}/w3"], [0.96, 0.74, 0.90]),
    "w3 with exploits": (["--data", f"{DATA}/w3", "--exploits"], [0.965, 0.85, 0.90]),
}
FIGURES = ["auc", "recall_5", "recall_10"]
# What each class, with those above it, must stay under of the lists of every set.
SHARES = {"P1": 0.05, "P1 to P2": 0.20}


def measure(name, program):
    """What the evaluator says of the program, on one set."""
    arguments, _ = SETS[name]
    with tempfile.TemporaryDirectory() as scratch:
        figures = Path(scratch, "figures.json")
        # The intervals are not looked at.
        command = [sys.executable, f"{DATA}/evaluate.py", *arguments, "--boot", "1", "--json", figures]
        done = subprocess.run([*command, "--", program, "score"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(f"{name}: {done.stdout.strip()}")
        return json.loads(figures.read_text())


def main():
    program = sys.argv[1]
    wrong = []
    with ThreadPoolExecutor() as pool:
        measured = pool.map(lambda name: measure(name, program), SETS)
        for (name, (_, least)), found in zip(SETS.items(), measured):
            figures = [found["rankings"]["ours"][figure] for figure in FIGURES]
            shares = [found["priorities"][label]["share_of_list"] for label in SHARES]
            pairs = [*zip(FIGURES, figures), *zip(SHARES, shares)]
            print(f"{name}: " + ", ".join(f"{label} {value:.4f}" for label, value in pairs), flush=True)
            for figure, value, bound in zip(FIGURES, figures, least):
                if value < bound:
                    wrong.append(f"{name}: {figure} is {value:.4f}, and must be {bound} at least")
            for label, value, bound in zip(SHARES, shares, SHARES.values()):
                if value >= bound:
                    wrong.append(f"{name}: {label} takes {value:.4f} of the lists, and must stay under {bound}")
    if wrong:
        sys.exit("\n".join(wrong))


main()
