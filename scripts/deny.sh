#!/usr/bin/env bash
# Licences, sources, bans and advisories of everything that is depended on.
# The advisory database lives on GitHub; where that cannot be reached, the
# other three are checked and the gap is said.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v cargo-deny >/dev/null; then
    echo "deny: skipped, cargo-deny is not installed (cargo install cargo-deny --locked)"
    exit 0
fi
if cargo deny fetch db >/dev/null 2>&1; then
    cargo deny check
else
    echo "deny: the advisory database cannot be reached; checking licences, bans and sources"
    cargo deny check bans licenses sources
fi
