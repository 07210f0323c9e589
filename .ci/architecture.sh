#!/usr/bin/env bash
# This machine's processor, in the words of template.yaml.
set -euo pipefail
case $(uname -m) in
    aarch64 | arm64) echo arm64 ;;
    *) echo x86_64 ;;
esac
