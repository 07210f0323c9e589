#!/usr/bin/env bash
# Fetches the release of this action, and takes nothing but what its workflow of releases has built from the tag.
set -euo pipefail

version=${VERSION:-v$(sed -n 's/^version = "\(.*\)"$/\1/p' "$GITHUB_ACTION_PATH/Cargo.toml" | head -n 1)}
case $RUNNER_OS-$RUNNER_ARCH in
    Linux-X64) architecture=x86_64 ;;
    Linux-ARM64) architecture=arm64 ;;
    *)
        echo "inspector-triage has releases for Linux on X64 and ARM64, and this runner is $RUNNER_OS on $RUNNER_ARCH" >&2
        exit 2
        ;;
esac
name=inspector-triage-${version#v}-$architecture
folder=$RUNNER_TEMP/inspector-triage-$version
mkdir -p "$folder"
gh release download "$version" --repo "$ACTION_REPOSITORY" --pattern "$name.tar.gz" --dir "$folder" --clobber
gh attestation verify "$folder/$name.tar.gz" --repo "$ACTION_REPOSITORY" --source-ref "refs/tags/$version" \
    --signer-workflow "$ACTION_REPOSITORY/.github/workflows/release.yml"
tar -xzf "$folder/$name.tar.gz" -C "$folder" "$name/inspector-triage"
echo "program=$folder/$name/inspector-triage" >>"$GITHUB_OUTPUT"
