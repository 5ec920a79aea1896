#!/usr/bin/env bash
# cache on terminals, with little of everything, with an empty cache and beside other programs: the
# bytes that are there stay right.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/servers.sh
source "$(dirname "$0")/servers.sh"
begin_with_cache
head -c 1500000 /dev/urandom >www/blob
start_nginx www
url=$nginx_url/immutable/blob
"$SHUNT" -q fetch "$url" -o before
cp -a cache full

entry() { find "$SHUNT_CACHE_DIR/blobs" -name 'url-*'; }
fresh() {
  rm -rf "$SHUNT_CACHE_DIR"
  cp -a "$work/full" "$SHUNT_CACHE_DIR"
  subject=$(entry)
}
result() {
  "$SHUNT" -q fetch "$url" -o got 2>"$work/err" || fail "$what: $(said)"
  same got "$work/www/blob" "$what"
}
untouched() { result; }

for words in ls stat verify "verify $url" "gc --max-size 0" "rm $url" "pin $url" "unpin $url"; do
  # shellcheck disable=SC2206
  command=(cache $words)
  circumstance "by itself" plainly
  ((rc == 0)) || fail "$what: exit $rc: $(said)"
  on_terminals
  within_limits
  beside_others
done
# Who only looks needs no right to write, and no cache.
for words in ls stat "verify $url"; do
  # shellcheck disable=SC2206
  command=(cache $words)
  without_writing "$SHUNT_CACHE_DIR"
done
fresh() { rm -rf "$SHUNT_CACHE_DIR"; }
result() { [[ ! -e $SHUNT_CACHE_DIR ]] || fail "$what: it leaves a cache behind"; }
untouched() { result; }
for words in ls stat verify "gc --max-size 0"; do
  # shellcheck disable=SC2206
  command=(cache $words)
  circumstance "with an empty cache" plainly
  ((rc == 0)) || fail "$what: exit $rc: $(said)"
  on_terminals
done
