#!/usr/bin/env bash
# Where compiled things are: outside the clone, shared by its checkouts, unless you say otherwise.
# Sourced by the other scripts, from the root of a checkout.
#
# Cargo tells members of a workspace apart by their names and times, not by their folder: what
# another checkout left there would be taken for ours, with the other's paths compiled in. So
# whoever comes after another checkout has the workspace's own crates compiled anew.
: "${CARGO_TARGET_DIR:=${XDG_CACHE_HOME:-$HOME/.cache}/showrunner/target}"
export CARGO_TARGET_DIR
mkdir -p "$CARGO_TARGET_DIR"
if [ "$(cat "$CARGO_TARGET_DIR/checkout" 2>/dev/null)" != "$PWD" ]; then
    find crates testkit xtask -name '*.rs' -exec touch {} +
    printf '%s\n' "$PWD" >"$CARGO_TARGET_DIR/checkout"
fi
