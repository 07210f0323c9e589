#!/usr/bin/env bash
# The README's three commands: the function in cargo lambda's emulator, with the store and the topic of
# `inspector-triage local`. Takes free ports and files of its own, so that it disturbs nobody.
# Needs .tools/bin on PATH: see .ci/run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The address is there because cargo lambda's own is IPv6, which not every machine has, and for `watch` a public one.
readonly LOCAL="cargo triage local --env-file local.env"
readonly WATCH="cargo lambda watch --invoke-address 127.0.0.1 --env-file local.env"
readonly ROUND="cargo triage local --env-file local.env --inspector events --coverage events/inspector/coverage.json --threats events/inspector/threats.json"
readonly DAILY="cargo lambda invoke review --invoke-address 127.0.0.1 --data-ascii '{\"source\": \"inspector-triage\", \"detail-type\": \"Triage Daily\"}'"
readonly INVOKE="cargo lambda invoke triage --invoke-address 127.0.0.1 --data-file events/01-critical-exploit-and-fix.json"

fail() {
    echo "$*" >&2
    exit 1
}

# read_until START: shows what `local` prints, up to the line that starts so.
read_until() {
    local line
    while IFS= read -r -t 60 line <&3; do
        echo "local: $line"
        if [[ $line == "$1"* ]]; then return; fi
    done
    fail "local did not print '$1…'"
}

# expect OUTCOME: invokes the function, which must answer with it.
expect() {
    local answer outcome
    answer=$($INVOKE --invoke-port "$port")
    echo "$answer"
    outcome=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["outcome"])' <<<"$answer")
    [[ $outcome == "$1" ]] || fail "the outcome is '$outcome', not '$1'"
}

# stop PROCESS: as far as it still runs.
stop() {
    if kill "$1" 2>/dev/null; then wait "$1" || true; fi
}

for command in "$LOCAL" "$WATCH" "$INVOKE" "$ROUND" "$DAILY"; do
    grep -qF -- "$command" README.md || fail "README.md lacks this command: $command"
done

# Beforehand, so that what follows only has to start, and a time limit is one for starting.
cargo build --features cli,like-tests --bin inspector-triage
cargo build --bin triage --bin review

mkdir -p .tools
scratch=$(mktemp -d .tools/replay.XXXXXX)
local='' watch=''
trap 'for process in $watch $local; do stop "$process"; done; rm -r "$scratch"' EXIT

# serve COMMAND: what the functions need, by a command of the README, and the functions.
serve() {
    rm -f "$scratch/local"
    mkfifo "$scratch/local"
    ${1/local.env/$scratch/local.env} --port 0 >"$scratch/local" &
    local=$!
    exec 3<"$scratch/local"
    read_until ready
    # Without --timeout, a function that cannot start is waited for without end. Without --ignore-changes, every folder here
    # is watched, .tools and its thousands included.
    port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    ${WATCH/local.env/$scratch/local.env} --invoke-port "$port" --timeout 60 --ignore-changes &
    watch=$!
    # It says nothing when it listens, and `invoke` does not wait for that.
    until (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        kill -0 "$watch" 2>/dev/null || fail "cargo lambda watch has ended"
        sleep 0.05
    done
}

# end: stops all that, which must end well.
end() {
    stop "$watch"
    watch=''
    kill -INT "$local"
    wait "$local" || fail "local did not end well at Ctrl-C"
    local=''
}

serve "$LOCAL"
expect announced
read_until "Subject: "
expect unchanged
end

# Everything that was there comes in one message, and the answer is the one that the README shows.
serve "$ROUND"
answer=$(eval "$DAILY --invoke-port $port")
echo "$answer"
grep -qF -- "$answer" README.md || fail "README.md shows another answer of the daily round"
read_until "Subject: "
end
