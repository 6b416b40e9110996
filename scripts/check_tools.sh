#!/usr/bin/env bash
# Looks for what `make test` needs, installs what rustup and, as root, apt-get can install, and says exactly what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()

# True when version $1 is at least version $2.
at_least() {
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
    missing+=("Rust $needed or newer: https://rustup.rs")
else
    found=$(rustc --version | cut -d ' ' -f 2)
    at_least "$found" "$needed" || missing+=("Rust $needed or newer (found $found): rustup update")
    for component in rustfmt clippy; do
        tool=cargo-${component/rustfmt/fmt}
        if ! command -v "$tool" >/dev/null; then
            echo "tools: $component is missing"
            if command -v rustup >/dev/null && rustup component add "$component"; then
                echo "tools: installed $component"
            else
                missing+=("$component: rustup component add $component, or your system's package of that name")
            fi
        fi
    done
fi

# SQLite is compiled from source.
compiler=${CC:-cc}
command -v "${compiler%% *}" >/dev/null || missing+=("a C compiler, '$compiler' (Debian: build-essential; macOS: xcode-select --install)")

# The client and the pages are built and tested with Node, the pages in Chromium.
node_needed=$(sed -n 's/.*"node": ">=\([0-9.]*\)".*/\1/p' web/package.json)
node_found=$(node --version 2>/dev/null || true)
if [ -z "$node_found" ] || ! command -v npm >/dev/null || ! at_least "${node_found#v}" "$node_needed"; then
    missing+=("Node $node_needed or newer with npm (found ${node_found:-none}): https://nodejs.org")
fi
chromium=${CHROMIUM:-/usr/bin/chromium}
if [ ! -x "$chromium" ]; then
    echo "tools: Chromium is missing"
    if [ -z "${CHROMIUM:-}" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null &&
        { apt-get install -y -qq --no-install-recommends chromium ||
            { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; }; } >/dev/null; then
        echo "tools: installed Chromium"
    else
        missing+=("Chromium at $chromium (Debian: apt-get install chromium; elsewhere: CHROMIUM=/path/to/it)")
    fi
fi

if [ ${#missing[@]} -gt 0 ]; then
    echo "tools: missing, and could not be installed from here:" >&2
    printf 'tools:   - %s\n' "${missing[@]}" >&2
    exit 1
fi

if ! cargo nextest --version >/dev/null 2>&1; then
    echo "tools: cargo-nextest is not there; cargo test runs the same tests, more slowly (cargo install --locked cargo-nextest)"
fi
target=${CARGO_TARGET_DIR:-target}
free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024 / 1024) }')
if [ ! -d "$target/debug" ] && [ "$free" -lt 12 ]; then
    echo "tools: NOTE: $free GB free; a first build writes 5 GB, and twice that where the compiler keeps parts for the next one (CARGO_INCREMENTAL=0 does without)"
fi
if [ ! -d "${RECORDINGS:-}" ]; then
    echo "tools: NOTE: no folder of recorded dialogues at '${RECORDINGS:-}'; tests over recordings use tests/fixtures/dialogues.jsonl only (RECORDINGS=DIR)"
fi
echo "tools: rustc $found, $("${compiler%% *}" --version | head -n 1), Node ${node_found#v}, Chromium at $chromium"
