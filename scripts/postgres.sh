#!/usr/bin/env bash
# A throwaway Postgres of our own: its own data folder, its own port, gone afterwards. It never
# touches a Postgres that is installed as a service.
#
#   scripts/postgres.sh run              starts one, prints its address, ends it at ctrl-c
#   scripts/postgres.sh with COMMAND…    runs COMMAND with SHOWRUNNER_TEST_POSTGRES set to its address
set -euo pipefail

die() { printf '%s\n' "postgres: $*" >&2; exit 1; }

# The folder of initdb and postgres: on the path, or where Debian keeps them, the newest first.
programs() {
    local found
    if found=$(command -v initdb) && command -v postgres >/dev/null; then
        dirname "$(readlink -f "$found")"
        return
    fi
    compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1 | xargs -r dirname
}

bin=$(programs)
[ -n "$bin" ] || die "no initdb was found; scripts/install-needs.sh test installs it"
folder=$(mktemp -d "${TMPDIR:-/tmp}/showrunner-postgres.XXXXXX")
server=

# Postgres refuses to run as root; Debian's own user for it is there with the package.
as=()
if [ "$(id -u)" -eq 0 ]; then
    user=postgres
    id "$user" >/dev/null 2>&1 || user=nobody
    chown "$user" "$folder"
    as=(setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups --)
fi

finish() {
    [ -z "$server" ] || kill -INT "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() {
    local port
    for port in $(shuf -i 20000-32000 -n 50); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
    die "no free port between 20000 and 32000"
}

cd /
"${as[@]}" "$bin/initdb" -D "$folder/data" -U showrunner -A trust -E UTF8 --locale=C >"$folder/initdb.log" 2>&1 ||
    { cat "$folder/initdb.log" >&2; die "initdb failed"; }
cd - >/dev/null
port=$(free_port)
# Full durability stays on: the tests are about what survives.
"${as[@]}" "$bin/postgres" -D "$folder/data" -p "$port" -k "$folder" \
    -c listen_addresses=127.0.0.1 -c max_connections=200 >"$folder/server.log" 2>&1 &
server=$!
address="postgres://showrunner@127.0.0.1:$port/postgres"
for _ in $(seq 100); do
    kill -0 "$server" 2>/dev/null || { cat "$folder/server.log" >&2; die "the server ended at once"; }
    "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" -U showrunner && break
    sleep 0.1
done
"$bin/pg_isready" -q -h 127.0.0.1 -p "$port" -U showrunner || { cat "$folder/server.log" >&2; die "no answer within 10 s"; }

case "${1:-run}" in
    run)
        printf '%s\n' "A throwaway Postgres is up: $address" \
            "  showrunner serve --database-url $address" \
            "ctrl-c ends it and removes its data." >&2
        wait "$server" || true
        ;;
    with)
        shift
        SHOWRUNNER_TEST_POSTGRES="$address" "$@"
        ;;
    *) die "say run, or with COMMAND…" ;;
esac
