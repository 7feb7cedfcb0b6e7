#!/usr/bin/env bash
# The whole suite, on SQLite and on a throwaway Postgres. Further words go to `cargo test`.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/target.sh
# One binary is linked a time on small machines: the compiler's own threads use the cores.
exec scripts/postgres.sh with cargo test --workspace --locked "$@"
