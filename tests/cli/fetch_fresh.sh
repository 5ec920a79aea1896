#!/usr/bin/env bash
# Which copy may be used: redirects that lead elsewhere today, files that are replaced by older ones,
# servers whose ETag says nothing, and whoever was let in with a password.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/servers.sh
source "$(dirname "$0")/servers.sh"
begin_with_cache

mkdir www/reader www/alice
for name in v1 v2 new old tagged reader/secret alice/secret; do
  head -c 300001 /dev/urandom >"www/$name"
done
start_nginx www
url=$nginx_url
as() { echo "${url/:\/\//://$1:open%20sesame@}"; }

# ---- a redirect is asked again, however long its target stays fresh ----
expect 0 fetch "$url/latest" -o got
same got www/v1
expect 0 --json fetch "$url/latest" -o got --force
same got www/v1
equal "bytes fetched again for what is still the latest" "$(json .bytes_fetched)" 0
: >www/second
expect 0 fetch "$url/latest" -o got --force
same got www/v2 "the latest is another one now"
# The target itself is fresh under its own name.
expect 0 fetch "$url/immutable/v1" -o got --force
forget_requests
expect 0 fetch "$url/immutable/v1" -o got --force
equal "requests for what stays as it is" "$(nginx_requests | wc -l)" 0

# ---- a file that is replaced by an older one, of another size or of the same ----
touch -d '2024-01-10' www/new
for size in 200000 300001; do
  cp -p www/new www/file
  expect 0 fetch "$url/dated/file" -o got --force
  forget_requests
  expect 0 --json fetch "$url/dated/file" -o got --force
  equal "bytes fetched of a file that has not changed" "$(json .bytes_fetched)" 0
  (($(bytes_sent) <= 1)) || fail "it was asked for $(bytes_sent) bytes of what has not changed"
  head -c "$size" www/old >www/older
  touch -d '2024-01-01' www/older
  cp -p www/older www/file
  expect 0 fetch "$url/dated/file" -o got --force
  same got www/older "an older file, of $size bytes"
done

# ---- an empty ETag tells nothing ----
expect 0 fetch "$url/emptytag/tagged" -o got --force
head -c 300001 /dev/urandom >www/tagged
expect 0 fetch "$url/emptytag/tagged" -o got --force
same got www/tagged "under an empty ETag"

# ---- what was sent to somebody is not served to somebody else ----
rm -rf cache
for user in reader alice; do
  for _ in 1 2; do
    expect 0 fetch "$(as $user)/private/secret" -o got --force
    same got "www/$user/secret" "for $user"
  done
  expect 5 fetch "$url/private/secret" -o never
  says '401'
  expect 5 fetch --offline "$url/private/secret" -o never
  says 'not in the cache'
done
expect 5 fetch --offline "${url/:\/\//://reader:wrong@}/private/secret" -o never
says 'not in the cache'
# The same by other means; nothing is downloaded anew, the server is asked all the same.
basic=$(printf 'reader:open sesame' | base64)
expect 0 --json fetch --header "Authorization: Basic $basic" "$url/private/secret" -o got --force
same got www/reader/secret
equal "bytes fetched" "$(json .bytes_fetched)" 0
equal "requests" "$(json .requests)" 1
expect 0 --json fetch --header "Authorization: Basic $basic" --offline "$url/private/secret" -o got --force
same got www/reader/secret "offline"
! grep -rq -e 'sesame' -e "$basic" cache || fail "the password is in the cache"
equal "mode of the cache's secret" "$(stat -c %a cache/secret)" 600
# In either direction.
expect 0 fetch "$url/v1" -o got --force
expect 5 fetch --offline "$(as alice)/v1" -o never
expect 5 fetch --offline --header 'X-Who: me' "$url/v1" -o never
expect 0 fetch --offline "$url/v1" -o got --force
# By its URL all that was kept of it goes, whoever it was sent to.
equal "entries of the URL" "$("$SHUNT" --json cache ls | jq '[.entries[] | select(.identity | test("private/secret"))] | length')" 2
expect 0 cache rm "$url/private/secret"
expect 5 fetch --offline "$(as alice)/private/secret" -o never
expect 5 fetch --offline "$(as reader)/private/secret" -o never
# Without the secret that hides who asked, nothing of this is kept; all else is.
rm -f cache/secret && mkdir cache/secret
expect 0 fetch "$(as alice)/private/secret" -o got --force
same got www/alice/secret "without a secret"
says 'not cached'
expect 0 fetch --offline "$url/v1" -o got --force
