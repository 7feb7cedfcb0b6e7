#!/usr/bin/env bash
# The whole suite, on SQLite and on a throwaway Postgres. Further words go to `cargo test`.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:=${XDG_CACHE_HOME:-$HOME/.cache}/showrunner/target}"
export CARGO_TARGET_DIR
# One binary is linked a time on small machines: the compiler's own threads use the cores.
exec scripts/postgres.sh with cargo test --workspace --locked "$@"
