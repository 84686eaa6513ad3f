# Sourced by .ci/bench and .ci/engines: what is measured of a server with taskapi's API, at $url.
# They set $work, $root, $each and $threads.
json='Content-Type: application/json'
password=benchmark-password

# await FILE: the address that a server prints.
await() {
  local url
  for _ in $(seq 1000); do
    url=$(sed -n 's/.* serving at //p' "$1")
    [ -n "$url" ] && { echo "$url"; return; }
    sleep 0.01
  done
  echo "no server: $(cat "$1")" >&2; return 1
}

# field NAME: a field of the JSON on standard input.
field() { sed "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/"; }

post() { curl -sS --max-time 20 -H "$json" "$@"; }

# user URL NAME: signs a new user up and in, and prints the answer.
user() {
  local who="\"email\":\"$2@example.com\",\"password\":\"$password\""
  post "$1/auth/register" -d "{\"username\":\"$2\",\"confirm_password\":\"$password\",$who}" >/dev/null
  post "$1/auth/login" -d "{$who}"
}

# sign_in NAME: an access token.
sign_in() { post "$url/auth/login" -d "{\"email\":\"$1@example.com\",\"password\":\"$password\"}" | field access_token; }

# load URL CONNECTIONS: one measurement, as the script's RESULT line.
load() {
  wrk -t "$(($2 < threads ? $2 : threads))" -c "$2" -d "${each}s" --timeout 20s -s "$root/.ci/benchmark/load.lua" "$1" | sed -n 's/^RESULT //p'
}

# Measurements, in the order of their first mention.
names=()
declare -A result

# measure NAME URL CONNECTIONS: adds one round of a measurement.
measure() {
  local name=$1
  [ -n "${result[$name]:-}" ] || names+=("$name")
  result[$name]+="$(load "$2" "$3")"$'\n'
}

# median NAME COLUMN: of its rounds, in the order of requests a second.
median() { grep . <<<"${result[$1]}" | sort -n | awk -v column="$2" '{ row[NR] = $column } END { print row[int((NR + 1) / 2)] }'; }

ratio() { awk -v a="$(median "$1" 1)" -v b="$(median "$2" 1)" 'BEGIN { printf "%.2f", a / b }'; }

get() { METHOD=GET URLPATH=$2 LOW=${4:-0} HIGH=${5:-0} TOKEN=$token measure "$1" "$url" "$3"; }

create() { METHOD=POST URLPATH=/tasks/ BODY='{"title":"one of many","description":"made by a benchmark"}' TOKEN=$token measure "$1" "$url" "$2"; }


# begin_common: an account with tasks; begin_lists: tokens of four accounts that have many.
begin_common() {
  token=$(user "$url" bench | field access_token)
  id=$(post "$url/tasks/" -H "Authorization: Bearer $token" -d '{"title":"one of many","description":"made by a benchmark"}' | field id)
  for _ in $(seq 20); do post "$url/tasks/" -H "Authorization: Bearer $token" -d '{"title":"one of many"}' >/dev/null; done
}

# common: one round of what any server of this API can be asked.
common() {
  local sessions=$work/sessions connections
  # Those who sign in below end the oldest sessions of the user.
  token=$(sign_in bench)
  get 'read one task @64' "/tasks/$id" 64
  get 'page of ten @64' '/tasks/?page=1&per_page=10' 64
  METHOD=PUT URLPATH=/tasks/$id BODY='{"title":"the %d. title","completed":true}' TOKEN=$token measure 'update one task @64' "$url" 64
  for connections in 1 16 64 512; do create "create @$connections" "$connections"; done
  # One more a thread: wrk makes a first request for itself.
  for _ in $(seq $((64 + threads))); do post "$url/auth/login" -d "{\"email\":\"bench@example.com\",\"password\":\"$password\"}" | field refresh_token; done >"$sessions"
  METHOD=POST URLPATH=/auth/refresh TOKENS=$sessions measure 'refresh @64' "$url" 64
  METHOD=POST URLPATH=/auth/login BODY="{\"email\":\"bench@example.com\",\"password\":\"$password\"}" measure 'log in @16' "$url" 16
}

# make_lists FILE: long lists of four accounts, listN@example.com, in a SQLite database that nobody serves.
make_lists() {
  local size
  for size in 100 100000 1000000 10000; do "$work/ceiling" tasks "$1" "$size" "list$size@example.com"; done
}

# lists: one round of long lists.
lists() {
  local size what few
  for size in 100 100000 1000000; do
    token=$(sign_in "list$size")
    get "page 1 of ten among $size @64" '/tasks/?page=1&per_page=10' 64
    [ "$size" = 100 ] || get "page 1,000 of ten among $size @64" '/tasks/?page=1000&per_page=10' 64
  done
  get 'page 50,000 of ten among 1000000 @64' '/tasks/?page=50000&per_page=10' 64
  sleep 1 # those requests that wrk no longer waits for are still being answered
  get 'last page of ten among 1000000 @64' '/tasks/?page=100000&per_page=10' 64
  get 'page of ten by cursor among 1000000 @64' '/tasks/?after=%d&per_page=10' 64 200000 1000000
  get 'page of a hundred among 1000000 @64' '/tasks/?page=1&per_page=100' 64
  get 'read one of 1000000 tasks @64' '/tasks/%d' 64 200000 1000000
  few=$(sign_in list10000)
  for what in 'today of 10000 tasks=view=today&sort=due&per_page=50' 'a list of 10000 by position=scope=all&completed=false&sort=position&per_page=50' \
    'one word among 10000 tasks=q=bench&per_page=50' 'a rare word among 10000 tasks=q=4711&per_page=50'; do
    token=$few get "${what%%=*} @8" "/tasks/?${what#*=}" 8
  done
  token=$few get 'counts of 10000 tasks @8' /tasks/counts 8
}
