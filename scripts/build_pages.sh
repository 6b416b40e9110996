#!/usr/bin/env bash
# Builds the TypeScript client and the pages into web/dist, with what package-lock.json names.
set -euo pipefail
cd "$(dirname "$0")/../web"

needed=$(sed -n 's/.*"node": ">=\([0-9.]*\)".*/\1/p' package.json)
found=$(node --version 2>/dev/null || true)
found=${found#v}
if [ -z "$found" ] || ! command -v npm >/dev/null || [ "$(printf '%s\n%s\n' "$needed" "$found" | sort -V | head -n 1)" != "$needed" ]; then
    echo "pages: Node $needed or newer with npm is needed to build them (found: ${found:-none}): https://nodejs.org" >&2
    echo "pages: kefu runs without them, as an API alone: cargo run --release -p adapters --bin kefu" >&2
    exit 1
fi

# What npm writes when it has installed everything.
installed=node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ package-lock.json -nt "$installed" ] || [ package.json -nt "$installed" ]; then
    npm ci --no-progress
fi
npm run --silent build
