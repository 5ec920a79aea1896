#!/usr/bin/env bash
# cache-warm: lists of sources, ranges, what a player needs first; interrupted, and run again.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/servers.sh
source "$(dirname "$0")/servers.sh"
begin_with_cache

head -c 3000000 /dev/urandom >www/a
head -c 20000000 /dev/urandom >www/b
head -c 100000 /dev/urandom >www/c
start_nginx www
url=$nginx_url

# ---- all of several, and the second time ----
expect 0 --json cache-warm "$url/a" "$url/c"
equal "sources" "$(json '[.sources[].source] | join(" ")')" "$url/a $url/c"
equal "bytes fetched" "$(json '[.sources[].bytes_fetched] | add')" 3100000
forget_requests
expect 0 --json cache-warm "$url/a" "$url/c"
equal "requests for data, the second time" "$(data_requests)" 0
equal "bytes fetched, the second time" "$(json '[.sources[].bytes_fetched] | add')" 0
expect 0 fetch --offline "$url/a" -o a
same a www/a

# ---- ranges, lists ----
expect 0 --json cache-warm "$url/b" --range 0-9 --range 10000000+10
(($(json '.sources[0].bytes_fetched') <= 3 * 65536)) || fail "two small ranges cost $(json '.sources[0].bytes_fetched')"
expect 0 fetch --offline "$url/b" --range 10000000+10 -o part
rm -rf cache
cat >list <<LIST
# what is needed
$url/a

$url/b 5000000+100 0-99
LIST
expect 0 --json cache-warm --from list
equal "sources of a list" "$(json '.sources | length')" 2
expect 0 fetch --offline "$url/b" --range 5000000+100 -o part --force
expect 5 fetch --offline "$url/b" --range 9000000+100 -o part --force
expect 0 fetch --offline "$url/a" -o a --force
rc=0
"$SHUNT" --json cache-warm --from - <list >out 2>err || rc=$?
equal "exit with a list from standard input" "$rc" 0
expect 3 cache-warm "$url/a" "$url/missing"
expect 5 cache-warm "$url/missing"
expect 2 cache-warm

# ---- interrupted, and gone on with ----
# kept BYTES: whether the cache has so many of a blob.
kept() { (($("$SHUNT" --json cache ls 2>/dev/null | jq '[.entries[].bytes_cached] | add // 0') >= $1)); }
for signal in INT TERM KILL; do
  rm -rf cache
  "$SHUNT" cache-warm "$url/b" --max-rate 2M >out 2>err &
  pid=$!
  until kept 1000000; do kill -0 "$pid" || break; done
  kill "-$signal" "$pid"
  rc=0
  wait "$pid" 2>/dev/null || rc=$?
  case $signal in
    INT) equal "exit after SIGINT" "$rc" 130 ;;
    TERM) equal "exit after SIGTERM" "$rc" 143 ;;
  esac
  expect 0 --json cache-warm "$url/b"
  (($(json '.sources[0].bytes_from_cache') > 0)) || fail "$signal: nothing was kept"
  (($(json '.sources[0].bytes_fetched') < 20000000)) || fail "$signal: all was fetched again"
  expect 0 fetch --offline "$url/b" -o b --force
  same b www/b "$signal"
done

# ---- what a player needs first ----
if command -v ffmpeg >/dev/null; then
  for flags in "" "-movflags +faststart"; do
    rm -rf cache
    # shellcheck disable=SC2086
    ffmpeg -v error -nostdin -y -f lavfi -i testsrc2=size=640x360:rate=25,noise=alls=60:allf=t -t 40 \
      -c:v libx264 -preset ultrafast -b:v 4M $flags www/movie.mp4
    expect 0 --json cache-warm --head "$url/movie.mp4"
    size=$(stat -c %s www/movie.mp4)
    (($(json '.sources[0].bytes_fetched') < size / 2)) || fail "--head fetched $(json '.sources[0].bytes_fetched') of $size"
    # libavformat reads ahead of the packets that it hands out; 3 of the 5 seconds are surely there.
    expect 0 fetch --offline "$url/movie.mp4" --range 0-99999 -o part --force
  done
fi

# ---- the whole movie, moved on the way ----
generate plain movie.mp4
cp movie.mp4 www/plain.mp4
expect 0 faststart "$url/plain.mp4" -o moved.mp4
check movie.mp4 moved.mp4
"$SHUNT" faststart "$url/plain.mp4" -o - >streamed.mp4 2>err || fail "faststart into a pipe: $(cat err)"
same streamed.mp4 moved.mp4
