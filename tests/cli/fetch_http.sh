#!/usr/bin/env bash
# fetch from a real nginx: ranges, TLS and HTTP/2, servers without ranges, credentials, what the cache
# saves, and what --offline and --no-cache mean.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/servers.sh
source "$(dirname "$0")/servers.sh"
begin_with_cache

head -c 3000001 /dev/urandom >www/blob
head -c 9000000 /dev/urandom >www/other
: >www/empty
start_nginx www
url=$nginx_url

# ---- whole files, and the second time ----
expect 0 --json fetch "$url/blob" -o got
same got www/blob
equal "bytes fetched" "$(json .bytes_fetched)" 3000001
equal "bytes from the cache" "$(json .bytes_from_cache)" 0
equal "size" "$(json .size)" 3000001
equal "bytes that nginx sent" "$(bytes_sent ' /blob ')" 3000001
forget_requests
expect 0 --json fetch "$url/blob" -o again
same again www/blob
equal "bytes fetched, warm" "$(json .bytes_fetched)" 0
equal "requests, warm" "$(json .requests)" 1
equal "requests with data, warm" "$(data_requests)" 0
forget_requests
for _ in 1 2; do
  expect 0 fetch "$url/immutable/other" -o other --force
  same other www/other
done
# The second run asks for nothing at all.
expect 0 --json fetch "$url/immutable/other" -o other --force
equal "requests for what stays as it is" "$(json .requests)" 0

# ---- ranges ----
expect 0 fetch "$url/blob" --range 100-199 -o part
same part <(slice www/blob 100 100)
expect 0 fetch "$url/blob" --range 2M+70000 --range 0-9 --range=-11 --range 2999990- -o part --force
same part <(slice www/blob 2097152 70000; head -c 10 www/blob; tail -c 11 www/blob; tail -c 11 www/blob)
"$SHUNT" fetch "$url/blob" --range 5+5 >part 2>err || fail "to standard output: $(cat err)"
same part <(slice www/blob 5 5)
"$SHUNT" fetch "$url/blob" 2>err | cmp - www/blob || fail "through a pipe"
"$SHUNT" fetch "$url/blob" >appended 2>err && "$SHUNT" fetch "$url/blob" >>appended 2>err
same appended <(cat www/blob www/blob)
expect 2 fetch "$url/blob" --range 3000001- -o never
expect 2 fetch "$url/blob" --range 7-3 -o never
[[ ! -e never ]] || fail "a refused range leaves a file"
# What was not asked for is not fetched.
rm -rf cache
forget_requests
expect 0 --json fetch "$url/other" --range 4000000+10000 -o part --force
(($(bytes_sent ' /other ') <= 3 * 65536)) || fail "10,000 bytes cost $(bytes_sent ' /other ')"

# ---- an output that is there ----
echo keep >there
expect 7 fetch "$url/blob" -o there
says 'exists'
equal "the file that was there" "$(cat there)" keep
expect 0 fetch "$url/blob" -o there --force
same there www/blob
expect 0 fetch "$url/empty" -o nothing
[[ -e nothing && ! -s nothing ]] || fail "an empty file is not an empty file"
no_leftovers .

# ---- offline, and without a trace ----
rm -rf cache
expect 5 fetch "$url/blob" --offline -o never
expect 0 fetch "$url/blob" --range 0-99 -o part --force
expect 0 fetch "$url/blob" --range 10-19 --offline -o part --force
same part <(slice www/blob 10 10)
expect 5 --json fetch "$url/blob" --offline -o never
equal "the first byte that is missing" "$(json '.missing[0].begin')" 65536
expect 5 fetch "$url/blob" --offline -o never
says '65536-3000000'
[[ ! -e never ]] || fail "--offline leaves a file"
rm -rf cache
expect 0 fetch "$url/other" --no-cache -o other --force
same other www/other
[[ ! -e cache ]] || fail "--no-cache leaves something behind: $(find cache)"
"$SHUNT" fetch "$url/other" --no-cache 2>err | cmp - www/other || fail "through a pipe, without a cache"
expect 0 fetch "$url/novalidator/blob" -o got --force
same got www/blob
equal "entries of what cannot be told apart" "$("$SHUNT" --json cache ls | jq '.entries | length')" 0

# ---- a file that changes ----
expect 0 fetch "$url/blob" --range 0-9 -o part --force
head -c 3000001 /dev/urandom >www/new
touch -d "@$(($(stat -c %Y www/blob) + 1))" www/new # Last-Modified counts seconds
mv www/new www/blob
expect 0 fetch "$url/blob" -o got --force
same got www/blob "after the change"

# ---- servers that ignore ranges ----
rm -rf cache
forget_requests
expect 0 --json fetch "$url/noranges/blob" --range 1000000+10 --range 2000000+10 --range 5+5 -o part --force
same part <(slice www/blob 1000000 10; slice www/blob 2000000 10; slice www/blob 5 5)
# The first answer, which is broken off, and one that brings everything.
(($(data_requests) <= 2)) || fail "a server without ranges was asked $(data_requests) times"
expect 0 fetch "$url/noranges/blob" --no-cache -o got --force
same got www/blob "without ranges and without cache"

# ---- credentials, redirects, errors ----
expect 5 fetch "$url/auth/blob" -o never
says '401'
expect 0 fetch "${url/:\/\//://$nginx_user:open%20sesame@}/auth/blob" -o got --force
same got www/blob
says_nothing_of_password() { ! grep -q 'sesame' "$work/err" "$work/out" || fail "the password is shown"; }
says_nothing_of_password
run -vv fetch "${url/:\/\//://$nginx_user:open%20sesame@}/auth/other" -o got --force
says_nothing_of_password
! grep -rq 'open.sesame' cache || fail "the password is in the cache"
# Nor is what signs a URL, which the entry is found by all the same.
expect 0 fetch "$url/blob?X-Amz-Signature=geheim" -o got --force
run --json cache ls
! grep -rq geheim cache out || fail "the signature of a URL is written down or shown"
expect 0 cache rm "$url/blob?X-Amz-Signature=geheim"
expect 1 cache rm "$url/blob?X-Amz-Signature=geheim"
basic=$(printf '%s' "$nginx_user:$nginx_password" | base64)
rm -rf cache
expect 0 fetch --header "Authorization: Basic $basic" "$url/auth/blob" -o got --force
expect 0 fetch "$url/redirect/blob" -o got --force
same got www/blob
expect 5 fetch "$url/missing" -o never
says '404'
expect 5 fetch "http://127.0.0.1:1/x" -o never
[[ ! -e never ]] || fail "a failed fetch leaves a file"
no_leftovers .

# A proxy is used as curl would use it: here one that is not there.
http_proxy=http://127.0.0.1:1 no_proxy='' expect 5 fetch "$url/other" --no-cache -o never
http_proxy=http://127.0.0.1:1 no_proxy=127.0.0.1 expect 0 fetch "$url/other" --no-cache -o got --force

# ---- TLS, HTTP/2 ----
for way in --tls --http2; do
  start_nginx www "$way"
  expect 0 fetch "$nginx_url/blob" -o got --force --jobs 4
  same got www/blob "$way"
  grep -q "HTTP/$([[ $way == --http2 ]] && echo 2.0 || echo 1.1)" "$nginx_log" || fail "$way: another protocol: $(head -1 "$nginx_log")"
  SSL_CERT_FILE=/dev/null CURL_CA_BUNDLE='' expect 5 fetch "$nginx_url/other" -o never
  says 'certificate'
done
