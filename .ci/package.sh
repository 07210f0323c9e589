#!/usr/bin/env bash
# What people download: the function built for this machine's processor, the template that deploys it without a build,
# and the command line. Writes dist/inspector-triage-VERSION-ARCHITECTURE.tar.gz. Needs .tools/bin on PATH: see .ci/run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

architecture=$(.ci/architecture.sh)
version=$(cargo metadata --locked --no-deps --format-version 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)["packages"][0]["version"])')
name=inspector-triage-$version-$architecture

# Neither SAM nor cargo-lambda builds with --locked: what they build with must be what is in the lock file.
locked=$(sha256sum Cargo.lock)
sam build --parameter-overrides "Architecture=$architecture"
[[ $locked == "$(sha256sum Cargo.lock)" ]] || { echo "the build changed Cargo.lock" >&2; exit 1; }
cargo build --locked --profile cli --features cli,redrive --bin inspector-triage

rm -rf "dist/$name"
mkdir -p "dist/$name"
# The zips instead of the source, each in the section of its function, and their processor.
sections=()
for function in triage review; do
    (cd ".aws-sam/build/${function^}Function" && python3 -m zipfile -c "$OLDPWD/dist/$name/$function.zip" bootstrap)
    sections+=(-e "/^  ${function^}Function:/,/^  [A-Z]/s|^      CodeUri: \.\$|      CodeUri: $function.zip|")
done
sed "${sections[@]}" -e "s|^    Default: arm64$|    Default: $architecture|" template.yaml >"dist/$name/template.yaml"
for function in triage review; do
    grep -q "CodeUri: $function.zip" "dist/$name/template.yaml"
done
grep -q "Default: $architecture" "dist/$name/template.yaml"
cp -r target/cli/inspector-triage README.md README.ja.md LICENSE samconfig.toml docs events regions "dist/$name"
rm -r "dist/$name/docs/scoring" # data to measure the score with, for those who change it
(cd "dist/$name" && sam validate --lint)

tar -C dist -czf "dist/$name.tar.gz" "$name"
echo "dist/$name.tar.gz"
