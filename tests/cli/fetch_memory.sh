#!/usr/bin/env bash
# Memory stays below 32 MiB and 1 MiB for each connection, whatever the size, and bytes are delivered
# as they arrive; of `cache verify`, below 32 MiB.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/servers.sh
source "$(dirname "$0")/servers.sh"
((sanitized == 0)) || skip "a sanitizer's memory says nothing"
cd "$work"
export SHUNT_CACHE_DIR=$work/cache

mkdir www
head -c 200000000 /dev/urandom >www/blob
start_nginx www

# bound JOBS WHAT ARGUMENT...
bound() {
  local jobs=$1 what=$2
  shift 2
  peak "$@"
  ((rc == 0)) || fail "$what: exit $rc: $(said)"
  ((rss <= (32 + jobs) * 1024)) || fail "$what: $rss KiB with $jobs connections"
}
bound 8 "cold, to a file" fetch "$nginx_url/blob" -o got
bound 8 "warm, to a file" fetch "$nginx_url/blob" -o got --force
bound 8 "no cache, to a file" fetch "$nginx_url/blob" --no-cache -o got --force
bound 1 "no cache, one connection" fetch "$nginx_url/blob" --no-cache --jobs 1 -o got --force
bound 1 "cold, one connection" cache-warm --jobs 1 "$nginx_url/blob?another"
bound 8 "no cache, no ranges" fetch "$nginx_url/noranges/blob" --no-cache -o got --force
same got www/blob
bound 0 "verify" cache verify
rm -rf cache
bound 16 "cold, warming" cache-warm --jobs 16 "$nginx_url/blob"

# The first bytes are there while the rest is still coming.
if [[ -x ${FAULTSERVER-} ]]; then
  "$FAULTSERVER" --size 30000000 --rate 1000000 --port-file port &
  background+=("$!")
  while [[ ! -s port ]]; do sleep 0.02; done
  mkfifo pipe
  "$SHUNT" -q fetch "http://127.0.0.1:$(cat port)/blob" --jobs 1 >pipe 2>err &
  pid=$!
  background+=("$pid")
  head -c 65536 pipe >first
  # Half a minute's worth is still to come.
  kill -0 "$pid" 2>/dev/null || fail "the whole was delivered before the first bytes were read"
  equal "bytes delivered first" "$(stat -c %s first)" 65536
  kill "$pid" 2>/dev/null || true
fi
