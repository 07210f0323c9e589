#!/usr/bin/env bash
# Looks at the report in a browser, with target/debug/inspector-triage. Needs Node 20 with npm, and Chromium; .ci/tools.sh
# has both from the distribution's packages where they are missing, and the rest from npm into .tools. CHROMIUM names another
# browser than the one on PATH.
#
#   .ci/browser.sh             the tests
#   .ci/browser.sh --update    the tests, and new pictures for docs/images
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[[ -x target/debug/inspector-triage ]] || {
    echo "browser: there is no target/debug/inspector-triage: cargo build --features cli --bin inspector-triage" >&2
    exit 1
}
.ci/tools.sh browser
if [[ -z ${CHROMIUM:-} ]]; then
    CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
    export CHROMIUM
fi

node --test --test-reporter=spec .ci/browser/report.test.mjs

if [[ ${1:-} == --update ]]; then
    # An owner of the samples has a Japanese name.
    [[ $(fc-list :lang=ja) ]] || {
        echo "browser: there is no font with Japanese letters for the pictures (Debian: fonts-noto-cjk)" >&2
        exit 1
    }
    mkdir -p docs/images
    node .ci/browser/pictures.mjs
fi
