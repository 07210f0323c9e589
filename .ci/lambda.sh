#!/usr/bin/env bash
# The README's three commands: the function under cargo lambda's emulator, with the store and the topic of
# `inspector-triage local`. Takes free ports, so that it disturbs nobody, and needs .tools/bin on PATH (see .ci/run).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly ENVIRONMENT=target/local.env
readonly LOCAL="cargo triage local --env-file $ENVIRONMENT"
readonly WATCH="cargo lambda watch --env-file $ENVIRONMENT"
readonly INVOKE="cargo lambda invoke triage --data-file events/01-critical-exploit-and-fix.json"

main() {
    for command in "$LOCAL" "$WATCH" "$INVOKE"; do
        grep -qF "$command" README.md || die "README.md lacks this command: $command"
    done

    # Beforehand, so that what follows only has to start, and a time limit is one for starting.
    cargo build --features cli --bin inspector-triage
    cargo build --bin triage

    scratch=$(mktemp -d)
    mkfifo "$scratch/local"
    $LOCAL --port 0 >"$scratch/local" &
    local=$!
    exec 3<"$scratch/local"
    read_until ready

    port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    # --timeout: without it a function that does not start is waited for without end.
    $WATCH --timeout 60 --ignore-changes --invoke-address 127.0.0.1 --invoke-port "$port" &
    watch=$!
    until (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        kill -0 "$watch" || die "cargo lambda watch has ended"
        sleep 0.05
    done

    expect announced
    read_until "Subject: "
    expect unchanged

    kill -INT "$local"
    wait "$local" || die "local did not end well at Ctrl-C"
    local=
}

# expect OUTCOME: invokes the function, and holds its answer against it.
expect() {
    local answer outcome
    answer=$($INVOKE --invoke-address 127.0.0.1 --invoke-port "$port")
    echo "$answer"
    outcome=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["outcome"])' <<<"$answer")
    [[ $outcome == "$1" ]] || die "the outcome is '$outcome', not '$1'"
}

# read_until START: shows what `local` prints, up to the line that starts so.
read_until() {
    local line
    while IFS= read -r -t 60 line <&3; do
        echo "local: $line"
        if [[ $line == "$1"* ]]; then return; fi
    done
    die "local did not print '$1…'"
}

die() {
    echo "$*" >&2
    exit 1
}

# Stops what is still running.
finish() {
    if [[ ${watch:-} ]]; then kill "$watch" 2>/dev/null && wait "$watch" || true; fi
    if [[ ${local:-} ]]; then kill "$local" 2>/dev/null && wait "$local" || true; fi
    if [[ ${scratch:-} ]]; then rm -rf "$scratch"; fi
}
trap finish EXIT

main
