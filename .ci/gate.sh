#!/usr/bin/env bash
# Holds the gate against the validators of others: what it writes, and the action and the job that it comes as. Then runs the
# script of the action as a runner does.
#
#   .ci/gate.sh PROGRAM     with a command line that was built before; needs .ci/tools.sh formats
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

program=$(realpath "$1")
tools=.tools/formats/bin
written=target/gate
mkdir -p "$written"

# gate STATUS ARGUMENT…
gate() {
    local wanted=$1 status=0
    shift
    "$program" gate --now 2026-11-20T12:00:00Z "$@" || status=$?
    ((status == wanted)) || { echo "gate $*: exit status $status instead of $wanted" >&2; exit 1; }
}

for form in cyclonedx inspector inspector-alt; do
    gate 1 --scan "events/scan-sbom/$form.json" --name crm/web:1.4 --format sarif --out "$written/$form.sarif" \
        --format junit --out "$written/$form.xml"
done
gate 1 --findings events --ledger security/inspector-exclusions.yaml --format sarif --out "$written/events.sarif" \
    --format junit --out "$written/events.xml" --format json --out "$written/events.json"
gate 3 --findings - --format junit --out "$written/empty.xml" <<<'{"findings": []}'
"$tools/python" .ci/gate.py "$written"/*.sarif "$written"/*.xml
"$tools/check-jsonschema" --schemafile docs/gate.schema.json "$written/events.json"

"$tools/check-jsonschema" --builtin-schema vendor.github-actions action.yml
"$tools/check-jsonschema" --builtin-schema vendor.gitlab-ci docs/gate.gitlab-ci.yml
"$tools/zizmor" --offline --no-progress --quiet action.yml
"$tools/shellcheck" .github/gate/*.sh .ci/gate.sh
node .ci/formats/workflows.mjs docs/GATE.md docs/LEDGER.md .github/workflows/*.yml

# The action, in a repository whose base has a ledger, and whose change has another.
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
repository=$scratch/repository
git init --quiet "$repository"
commit() {
    git -C "$repository" add --all
    git -C "$repository" -c user.name=gate -c user.email=gate@example.com commit --quiet --message "$1"
}
mkdir "$repository/security"
printf 'version: 1\n' >"$repository/security/inspector-exclusions.yaml"
cp events/07-lambda-layer-package.json "$repository/findings.json"
commit base
base=$(git -C "$repository" rev-parse HEAD)
cp security/inspector-exclusions.yaml "$repository/security/"
commit change
change=$(git -C "$repository" rev-parse HEAD)

# act VERDICT STATUS [VARIABLE=VALUE…]: the action on the findings of the repository.
act() {
    local verdict=$1 wanted=$2 status=0
    shift 2
    : >"$scratch/output"
    : >"$scratch/summary"
    (
        cd "$repository"
        env INSPECTOR_TRIAGE="$program" GITHUB_OUTPUT="$scratch/output" GITHUB_STEP_SUMMARY="$scratch/summary" \
            RUNNER_TEMP="$scratch" IMAGE= FINDINGS=findings.json COVERAGE= SCAN= NAME= CODE_REPOSITORY= COMMIT= FAIL_ON=P2 \
            ONLY_FIXABLE=false NEW_SINCE= LEDGER=security/inspector-exclusions.yaml LEDGER_REF="$base" WAIT=0 SARIF=gate.sarif \
            JUNIT= JSON= SUMMARY=true "$@" "$OLDPWD/.github/gate/judge.sh"
    ) >"$scratch/log" 2>&1 || status=$?
    if ((status != wanted)) || [[ $(<"$scratch/output") != "verdict=$verdict"$'\n'"exit-status=$wanted" ]]; then
        cat "$scratch/log" "$scratch/output" >&2
        echo "the action ends with $status instead of $wanted, $verdict" >&2
        exit 1
    fi
    echo "the action: $verdict ${*@Q}"
}
act closed 1
grep -q "Gate closed" "$scratch/summary"
act open 0 LEDGER_REF="$change"
act closed 1 LEDGER_REF="$change" LEDGER=no/ledger.yaml
act cannot-tell 3 LEDGER_REF=0000000000000000000000000000000000000000
act cannot-tell 3 FINDINGS= SCAN=findings.json
[[ ! -e $repository/gate.sarif ]]
act cannot-tell 2 FAIL_ON=HIGH
act cannot-tell 3 LEDGER_REF="--upload-pack=touch $scratch/touched"
[[ ! -e $scratch/touched ]]
act closed 1 LEDGER=$'no\n::error::ledger'
# What strangers named stands between the two lines that switch commands off and on.
[[ $(head -n 1 "$scratch/log") == ::stop-commands::* && $(tail -n 1 "$scratch/log") == ::*:: ]]
