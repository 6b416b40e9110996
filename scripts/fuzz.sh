#!/usr/bin/env bash
# Fuzzes one reader of untrusted bytes for some seconds, beginning with the inputs that are kept, and keeps the new ones that
# matter: scripts/fuzz.sh frame|order|poll|flow|answer|completion SECONDS. Needs a nightly compiler and cargo-fuzz (cargo install cargo-fuzz).
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:?frame, order, poll, flow, answer or completion}
seconds=${2:?how many seconds}
if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
    echo "fuzz: skipped, because there is no nightly compiler with cargo-fuzz" >&2
    exit 0
fi
# Two libraries that are linked statically define one name of SQLite's twice; that is none of what is looked for.
export ASAN_OPTIONS=detect_odr_violation=0
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
cargo +nightly fuzz run "$target" "$found" "fuzz/corpus/$target" -- \
    -max_total_time="$seconds" -max_len=2048 -timeout=5 -dict=fuzz/keywords.dict
cargo +nightly fuzz run "$target" "fuzz/corpus/$target" "$found" -- -merge=1 -max_len=2048
