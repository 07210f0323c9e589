#!/usr/bin/env bash
# Judges what the inputs of the action name. Everything that is not said to be open fails the step.
set -euo pipefail

# What strangers named goes into the log: until the end, what looks like a command there is none.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$token"
trap 'echo "::$token::"' EXIT

arguments=("--fail-on=$FAIL_ON" "--wait=$WAIT")
# option NAME VALUE: unless there is no value.
option() {
    if [[ $2 ]]; then arguments+=("$1=$2"); fi
}
# options NAME VALUES: one value a line.
options() {
    local value
    while IFS= read -r value; do
        option "$1" "$value"
    done <<<"$2"
}
option --image "$IMAGE"
options --findings "$FINDINGS"
options --coverage "$COVERAGE"
option --scan "$SCAN"
option --name "$NAME"
option --code-repository "$CODE_REPOSITORY"
option --commit "$COMMIT"
option --new-since "$NEW_SINCE"
if [[ $ONLY_FIXABLE == true ]]; then arguments+=(--only-fixable); fi

# verdict WORD STATUS: what becomes of the step.
verdict() {
    printf 'verdict=%s\nexit-status=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
    exit "$2"
}
# give_up WHY: it cannot be told.
give_up() {
    echo "cannot tell: $1" >&2
    verdict cannot-tell 3
}

# The ledger of the base: what a change brings along does not judge the change.
if [[ $LEDGER ]]; then
    if [[ $LEDGER_REF == -* ]]; then give_up "ledger-ref is an option and no commit"; fi
    if ! git cat-file -e "$LEDGER_REF^{commit}" 2>/dev/null; then
        git fetch --quiet --depth=1 --end-of-options origin "$LEDGER_REF" ||
            give_up "there is no commit $LEDGER_REF to take the ledger from: see that actions/checkout has run, with fetch-depth 0"
        LEDGER_REF=FETCH_HEAD
    fi
    if git cat-file -e "$LEDGER_REF:$LEDGER" 2>/dev/null; then
        ledger=$RUNNER_TEMP/inspector-triage-ledger.yaml
        git show "$LEDGER_REF:$LEDGER" >"$ledger"
        arguments+=("--ledger=$ledger")
    else
        echo "no ledger: $LEDGER is not in $LEDGER_REF, so nothing is excepted"
    fi
fi

# to FORMAT FILE: unless there is no file.
to() {
    if [[ $2 ]]; then arguments+=("--format=$1" "--out=$2"); fi
}
to sarif "$SARIF"
to junit "$JUNIT"
to json "$JSON"
summary=
# shellcheck disable=SC2153 # an input, and a file
if [[ $SUMMARY == true ]]; then
    summary=$RUNNER_TEMP/inspector-triage-summary.md
    rm -f "$summary"
    to markdown "$summary"
fi
arguments+=(--format table --out -)

status=0
"$INSPECTOR_TRIAGE" gate "${arguments[@]}" || status=$?
if [[ $summary && -f $summary ]]; then cat "$summary" >>"$GITHUB_STEP_SUMMARY"; fi
case $status in
    0) verdict open 0 ;;
    1) verdict closed 1 ;;
    *) verdict cannot-tell "$status" ;;
esac
