# Sourced by what needs a PostgreSQL 15 of its own.
#
#	start_postgres DIR [SETTING…]   begins one below DIR, which is empty, and sets $database to its address
#	stop_postgres DIR               ends it without ceremony
postgres_bin=/usr/lib/postgresql/15/bin
[ -x $postgres_bin/initdb ] || { echo 'PostgreSQL 15 is not installed (on Debian: apt-get install postgresql-15)'; exit 1; }

# It refuses to run as root.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

start_postgres() {
  local dir=$1 port options setting; shift
  [ "$(id -u)" != 0 ] || chown postgres "$dir"
  as_postgres $postgres_bin/initdb -D "$dir/data" -A trust -U postgres -E UTF8 --locale=C >/dev/null
  # A port that is free, found by asking for any.
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  # On one line: pg_ctl hands it to a shell.
  options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$dir"
  for setting in "$@"; do options+=" -c $setting"; done
  as_postgres $postgres_bin/pg_ctl -D "$dir/data" -l "$dir/log" -w -o "$options" start >/dev/null || { cat "$dir/log"; exit 1; }
  database=postgres://postgres@127.0.0.1:$port/postgres
}

stop_postgres() { as_postgres $postgres_bin/pg_ctl -D "$1/data" -m immediate -w stop >/dev/null 2>&1 || true; }
