#!/usr/bin/env bash
# Installs the Debian packages that building, testing or serving needs and that are missing.
# Loud, safe to repeat, and content without a network when nothing is missing.
#
#   scripts/install-needs.sh          what serving needs: fonts, and the programs that films are made with
#   scripts/install-needs.sh test     also what the tests need: a Postgres, a Python
set -euo pipefail

say() { printf '%s\n' "needs: $*" >&2; }
die() { printf '%s\n' "needs: $*" >&2; exit 1; }

has_japanese_font() { command -v fc-list >/dev/null && fc-list ':lang=ja' family 2>/dev/null | grep -q .; }
has_latin_font() { [ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ]; }
has_japanese_readings() {
    # It ends with 1 after telling about its dictionary.
    command -v mecab >/dev/null && { mecab -D 2>/dev/null || true; } | grep -i 'charset:.*utf-*8' >/dev/null
}
has_linker() { command -v cc >/dev/null; }
has_postgres() {
    command -v initdb >/dev/null && command -v postgres >/dev/null && return 0
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

# The vendors' own SDKs, which prove the fakes of model vendors, live in a venv.
has_python() { command -v python3 >/dev/null && python3 -c 'import ensurepip, venv' 2>/dev/null; }

check_rust() {
    if command -v cargo >/dev/null || [ -x "$HOME/.cargo/bin/cargo" ]; then return 0; fi
    die "cargo was not found. Install Rust (version $(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml) or later) with rustup:
       apt-get install rustup && rustup default stable     (Debian 13 and later)
       or follow https://rustup.rs, then open a new shell and repeat the command."
}

missing() {
    has_linker || echo gcc libc6-dev
    command -v fc-list >/dev/null || echo fontconfig
    has_japanese_font || echo fonts-noto-cjk
    has_latin_font || echo fonts-dejavu-core
    # Films: serving works without them, and `showrunner doctor` says so.
    command -v ffmpeg >/dev/null || echo ffmpeg
    command -v espeak-ng >/dev/null || echo espeak-ng
    has_japanese_readings || echo mecab mecab-ipadic-utf8
    command -v prlimit >/dev/null || echo util-linux
    if [ "${1:-}" = test ]; then
        has_postgres || echo postgresql
        has_python || echo python3-venv
    fi
}

# A test machine wants the programs of Postgres, not a cluster of its own that is always running.
no_standing_cluster() {
    local conf=/etc/postgresql-common/createcluster.conf
    [ -e "$conf" ] && return 0
    $root mkdir -p "$(dirname "$conf")"
    echo 'create_main_cluster = false' | $root tee "$conf" >/dev/null
}

cd "$(dirname "$0")/.."
check_rust
read -r -a packages <<<"$(missing "${1:-}" | tr '\n' ' ')"
if [ "${#packages[@]}" -eq 0 ]; then
    say "everything is there"
    exit 0
fi
say "missing: ${packages[*]}"
command -v apt-get >/dev/null || die "no apt-get here: install these with your system's own tool, then repeat."
root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "not root and no sudo. Ask an administrator for: apt-get install ${packages[*]}"
    root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
case " ${packages[*]} " in *' postgresql '*) no_standing_cluster ;; esac
say "installing with apt-get: ${packages[*]}"
install() { $root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"; }
# The package lists may be older than the mirror: fetch them and try once more.
install || { say "fetching the package lists first"; $root apt-get update && install; } ||
    die "apt-get could not install ${packages[*]}. With a network, repeat; without one, install them by hand."
left=$(missing "${1:-}" | tr '\n' ' ')
[ -z "${left// /}" ] || die "still missing after the installation: $left"
say "everything is there now"
