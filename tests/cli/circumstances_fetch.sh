#!/usr/bin/env bash
# fetch and cache-warm on terminals, with little of everything, with an empty cache and beside other
# programs: the right bytes, or a reason.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/servers.sh
source "$(dirname "$0")/servers.sh"
begin_with_cache
head -c 3000000 /dev/urandom >www/blob
start_nginx www
url=$nginx_url/immutable/blob

entry() { find "$SHUNT_CACHE_DIR/blobs" -name 'url-*'; }
# fresh WHAT: with an empty cache, part of the blob, or all of it.
empty() { rm -rf "$SHUNT_CACHE_DIR"; }
part() {
  empty
  "$SHUNT" -q fetch --range 0+1M "$url" -o begin
  subject=$(entry)
}
whole() {
  empty
  "$SHUNT" -q fetch "$url" -o before
  subject=$(entry)
}

for state in empty part; do
  eval "fresh() { $state; }"
  # Into a file, and as a stream.
  command=(fetch "$url" -o got)
  result() { same got "$work/www/blob" "$what"; }
  untouched() { [[ ! -e got ]] || fail "$what, exit $rc: there is a result"; }
  circumstance "by itself, $state cache" plainly
  ((rc == 0)) || fail "$what: exit $rc: $(said)"
  on_terminals
  within_limits
  if [[ $state == part ]]; then beside_others; fi
  command=(fetch "$url")
  result() { [[ $circumstance != *"by itself"* ]] || same "$work/out" "$work/www/blob" "$what"; }
  unset -f untouched
  circumstance "by itself, $state cache, to a pipe" plainly
  circumstance "to a terminal" on_one_terminal 80
  ((rc == 2)) || fail "$what: exit $rc"
  within_limits
  # Only into the cache.
  command=(cache-warm "$url")
  result() {
    "$SHUNT" -q fetch --offline "$url" -o got 2>"$work/err" || fail "$what: not in the cache: $(said)"
    same got "$work/www/blob" "$what"
  }
  circumstance "by itself, $state cache" plainly
  ((rc == 0)) || fail "$what: exit $rc: $(said)"
  on_terminals
  within_limits
  if [[ $state == part ]]; then
    # A replaced entry is another file, which may have come too late for what was written.
    result() { "$SHUNT" -q fetch "$url" -o got && same got "$work/www/blob" "$what"; }
    beside_others
  fi
done

# ---- too few descriptors for connections are no failure of the server ----
full=0
for few in {5..24}; do
  empty
  rc=0
  # Standard error is a pipe, as a file would be one descriptor more.
  (ulimit -n "$few" && exec timeout 60 "$SHUNT" fetch --jobs 4 "$url" -o got --force) 2>&1 >/dev/null </dev/null |
    cat >err || rc=${PIPESTATUS[0]}
  ((rc != 5)) || fail "$few descriptors: $(said)"
  if grep -q "$url: open a socket: Too many open files" err; then
    equal "exit, $few descriptors" "$rc" 7
    says 'ulimit -n'
    full=1
  fi
  rm -f got
done
((full)) || fail "with no number of descriptors they are what lacks"

# ---- nothing to do ----
fresh() { whole; }
command=(fetch "$url" -o got)
result() { same got "$work/www/blob" "$what"; }
without_writing "$SHUNT_CACHE_DIR"
command=(cache-warm "$url")
result() { :; }
without_writing "$SHUNT_CACHE_DIR"
