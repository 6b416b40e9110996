#!/usr/bin/env bash
# Measures kefu and the peer that its figures are compared with in one run, in turn, and prints their ratios beside those of the
# goals: scripts/peer_figures.sh [ROUNDS [SECONDS [PAIRS]]]. Needs Node with npm, PostgreSQL's server programs, and both release
# programs of kefu: cargo build --release -p adapters -p tests --bins.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-3} seconds=${2:-8} pairs=${3:-500}
target=${CARGO_TARGET_DIR:-target}/release
port=18096 relay_port=18097

for program in "$target/kefu" "$target/kefu-load"; do
    if [ ! -x "$program" ]; then
        echo "peer: $program is not there: cargo build --release -p adapters -p tests --bins" >&2
        exit 1
    fi
done
postgres=$(command -v postgres || find /usr/lib/postgresql -name postgres -type f 2>/dev/null | sort -V | tail -n 1)
if [ -z "$postgres" ] || ! command -v npm >/dev/null; then
    echo "peer: PostgreSQL's server (Debian: postgresql) and Node with npm (https://nodejs.org) are needed" >&2
    exit 1
fi
postgres=$(readlink -f "$postgres")
(cd scripts/peer && npm ci --silent --no-progress)

data=$(mktemp -d "${TMPDIR:-/tmp}/kefu-peer-XXXXXX")
# Whoever is stopped here has nothing that is wanted afterwards.
stop() { [ -z "${1:-}" ] || { kill "$1" 2>/dev/null || true; wait "$1" 2>/dev/null || true; }; }
relay='' kefu=''
trap 'stop "$relay"; stop "$kefu"; rm -rf "$data"' EXIT

# PostgreSQL does not run as root.
as=()
if [ "$(id -u)" = 0 ]; then
    as=(runuser -u postgres --)
    chmod 755 "$data"
fi
mkdir "$data/pg" "$data/results"
[ "$(id -u)" != 0 ] || chown postgres "$data/pg"
"${as[@]}" "$(dirname "$postgres")/initdb" -D "$data/pg/data" -U postgres -A trust >"$data/initdb.log"

# One parent for database and relay, so that what both cost can be told.
start_relay() {
    (
        cd scripts/peer
        trap 'kill $(jobs -p) 2>/dev/null; wait' TERM
        "${as[@]}" "$postgres" -D "$data/pg/data" -k "$data/pg" -c listen_addresses= -c shared_buffers=512MB >"$data/pg.log" 2>&1 &
        until "${as[@]}" "$(dirname "$postgres")/pg_isready" -q -h "$data/pg"; do sleep 0.2; done
        node relay.mjs "$data/pg" "$relay_port" >"$data/relay.log" 2>&1 &
        wait
    ) &
    relay=$!
    until grep -q ready "$data/relay.log" 2>/dev/null; do sleep 0.2; done
}

start_kefu() {
    KEFU_LOG=warn "$target/kefu" serve --data "$data/kefu-$1" --listen "127.0.0.1:$port" --operator-key operator >"$data/kefu.log" 2>&1 &
    kefu=$!
    until curl -sf "http://127.0.0.1:$port/readyz" >/dev/null; do sleep 0.2; done
}

for round in $(seq "$rounds"); do
    start_relay
    "$target/kefu-load" peer --pairs "$pairs" --seconds "$seconds" --url "http://127.0.0.1:$relay_port" --server-pid "$relay" \
        --json >"$data/results/peer-$round.json"
    stop "$relay" && relay='' && rm -f "$data/relay.log"
    start_kefu "$round"
    "$target/kefu-load" pairs --pairs "$pairs" --seconds "$seconds" --url "http://127.0.0.1:$port" --operator-key operator \
        --server-pid "$kefu" --json >"$data/results/kefu-$round.json"
    stop "$kefu" && kefu=''
done
node scripts/peer/figures.mjs "$data/results"
