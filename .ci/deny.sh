#!/usr/bin/env bash
# Checks the dependency tree against deny.toml. Bans, licences and sources need no network. Advisories need the RustSec
# database, which is fetched by itself: cargo-deny exits with 1 for an advisory, and for want of a database as well.
#
# Without the database the check is left out in plain sight, or fails where ADVISORIES=required is set.
set -euo pipefail

config=(${DENY_CONFIG:+--config "$DENY_CONFIG"})
deny() { cargo deny --offline --locked ${config[@]+"${config[@]}"} "$@"; }

# The crates of all platforms, also those that no build here needs.
cargo fetch --quiet --locked

# Duplicates are warnings, and each would show half the tree.
deny check --hide-inclusion-graph bans licenses sources

fetched=yes
cargo deny ${config[@]+"${config[@]}"} fetch db index || fetched=no

# The last word of a check that took place is on standard output: "advisories ok" or "advisories FAILED".
status=0
verdict=$(deny check advisories) || status=$?
echo "$verdict"

if [[ $verdict == advisories* ]]; then
    if [[ $fetched == no ]]; then
        echo "WARNING: advisories were checked against an old copy of the RustSec database" >&2
    fi
    exit "$status"
fi
if [[ $fetched == no && ${ADVISORIES:-} != required ]]; then
    echo "WARNING: advisories were NOT CHECKED: the RustSec database cannot be had here" >&2
    exit 0
fi
echo "ERROR: advisories were not checked" >&2
exit 1
