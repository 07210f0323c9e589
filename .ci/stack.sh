#!/usr/bin/env bash
# The whole stack on this machine: see .ci/stack.py, which gets the arguments. Needs cargo and python3.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

.ci/tools.sh stack
cargo build --locked --release --bin triage --bin review
scratch=$(mktemp -d .tools/stack.XXXXXX)
trap 'rm -r "$scratch"' EXIT
for function in triage review; do
    cp "target/release/$function" "$scratch/bootstrap"
    (cd "$scratch" && python3 -m zipfile -c "$function.zip" bootstrap)
done
.tools/stack/bin/python .ci/stack.py "$scratch" "$@"
