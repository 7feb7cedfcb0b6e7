#!/usr/bin/env bash
# Builds the release binary and leaves it at target/release/showrunner, wherever cargo works.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/target.sh
cargo build --release --locked -p showrunner
built=$CARGO_TARGET_DIR/release/showrunner
wanted=target/release/showrunner
mkdir -p target/release
if ! [ "$built" -ef "$wanted" ]; then
    # A new file under the name: a server that runs from the old one goes on undisturbed.
    cp "$built" "$wanted.part"
    mv -f "$wanted.part" "$wanted"
fi
printf '%s\n' "built $(pwd)/$wanted" >&2
