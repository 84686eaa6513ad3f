# Sourced by what waits for something: for a minute, since a machine may be busy.
#
#	wait_for COMMAND…    runs a command again and again until it succeeds; fails, and says so, if it never does
#	address OUT LOG      prints where the taskapi serves that writes to these files, or fails with its log

wait_for() {
  local _
  for _ in $(seq 600); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  echo "this never succeeds: $*" >&2
  return 1
}

address() {
  wait_for grep -q 'serving at' "$1" || { cat "$2" >&2; return 1; }
  sed -n 's/.* serving at //p' "$1"
}
