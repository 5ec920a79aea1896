#!/usr/bin/env bash
# faststart of a film on a server: with nothing cached, from the cache, beside others that use the same
# entry of the cache, and where extents are shared with it. What was fetched is said.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/servers.sh
source "$(dirname "$0")/servers.sh"
begin_with_cache
big_file www/film.mp4 12
size=$(stat -c %s www/film.mp4)
start_nginx www
url=$nginx_url/film.mp4

# ---- nothing cached, then all of it ----
for times in cold warm; do
  expect 0 --json faststart "$url" -o "$times.mp4"
  equal "status, $times" "$(json '.files[0].status')" moved
  check www/film.mp4 "$times.mp4"
  fetched=$(json '.files[0].bytes_fetched') requests=$(json '.files[0].requests')
  case $times in
    cold) equal "fetched, cold" "$fetched" "$size" ;;
    warm) equal "fetched, warm" "$fetched in $requests" "0 in 1" ;;
  esac
done
# A strategy that is only set, and cannot be had of what lies on a server, is no reason to fail.
for strategy in reflink shift; do
  SHUNT_STRATEGY=$strategy run faststart "$url" -o set.mp4 --force
  equal "exit with SHUNT_STRATEGY=$strategy" "$rc" 0
  same set.mp4 cold.mp4 "SHUNT_STRATEGY=$strategy"
done
# Without a cache too: the bytes go through memory.
for way in "" "--cache-dir /proc/nowhere" "--verify"; do
  rm -rf cache
  # shellcheck disable=SC2086
  "$SHUNT" faststart "$url" $way -o - >streamed.mp4 2>err || fail "into a pipe, cold, $way: $(cat err)"
  same streamed.mp4 cold.mp4 "into a pipe, cold, $way"
done
for way in "--cache-dir /proc/nowhere" "--verify"; do
  # shellcheck disable=SC2086
  expect 0 faststart "$url" $way -o moved.mp4 --force
  same moved.mp4 cold.mp4 "$way"
done
rm -rf cache
expect 0 faststart "$url" --verify -o moved.mp4 --force
says 'verified'
says 'fetched 12.* in [0-9]+ request'
# What has moov in front already is copied as it is.
cp cold.mp4 www/front.mp4
expect 0 faststart "$nginx_url/front.mp4" -o moved.mp4 --force
says 'in front already: copied, .* written, fetched 12'
same moved.mp4 cold.mp4 "moov in front already"

# ---- looked at, and planned ----
rm -rf cache
expect 1 --json faststart --check "$url"
(($(json '.files[0].requests') >= 1 && $(json '.files[0].bytes_fetched') < size / 2)) ||
  fail "--check fetched $(json '.files[0].bytes_fetched') in $(json '.files[0].requests')"
# asked_once: no byte has been sent twice since forget_requests, and some were.
asked_once() {
  nginx_requests '^GET .* 206 ' >parts
  sed -E 's/.*bytes=([0-9]+)-.*/\1/' parts | paste -d ' ' - <(awk '{ print $5 }' parts) | sort -n |
    awk -v end=0 '$1 < end { again = 1 } { end = $1 + $2 } END { exit again || NR == 0 }' ||
    fail "${what}: bytes are asked for twice, or none: $(cat parts)"
}
for command in "faststart --check" "cache-warm --head"; do
  what="$command, moov behind the media"
  rm -rf cache
  forget_requests
  # shellcheck disable=SC2086
  run $command "$url"
  asked_once
done
what="cache-warm --head behind faststart --check"
rm -rf cache
forget_requests
run faststart --check "$url"
run cache-warm --head "$url"
asked_once
equal "--check of a file tells of no requests" "$("$SHUNT" --json faststart --check cold.mp4 | jq '.files[0] | has("requests")')" false
rm -rf cache
expect 0 faststart --dry-run "$url" -o never.mp4
tells 'fetched +[0-9.]+ .* in [0-9]+ request'
[[ ! -e never.mp4 ]] || fail "--dry-run leaves a file"
expect 0 --json faststart --dry-run "$url" -o never.mp4
planned=$(json '.files[0].bytes_read')
expect 0 --json faststart "$url" -o moved.mp4 --force
equal "bytes read, as planned" "$(json '.files[0].bytes_read')" "$planned"
((planned >= size)) || fail "a plan to read $planned of $size bytes"

# ---- beside others that use the entry ----
# They mark it as used, and take locks on it, which is none of the film's business.
expect 0 faststart "$url" -o - # all of it is there
cat >slowly.py <<'P'
import subprocess, sys
shunt, url = sys.argv[1:]
run = subprocess.Popen([shunt, "faststart", url, "-o", "-"], stdout=subprocess.PIPE)
got = [run.stdout.read(100)]
for offline in [], ["--offline"]:
    subprocess.run([shunt, "-q", "fetch", url, *offline, "--force", "-o", "beside"], check=True)
subprocess.run([shunt, "-q", "cache", "verify"], check=True)
got.append(run.stdout.read())
open("got.mp4", "wb").write(b"".join(got))
sys.exit(run.wait())
P
python3 slowly.py "$SHUNT" "$url" 2>err || fail "beside others: $(cat err)"
same got.mp4 cold.mp4 "beside others"

# ---- a film that is a layer of an image ----
mkdir -p image/blobs/sha256
# blob FILE TYPE: puts it there, and prints its descriptor.
blob() {
  local hex
  hex=$(sha256sum <"$1" | cut -d' ' -f1)
  cp "$1" "image/blobs/sha256/$hex"
  jq -cn --arg type "$2" --arg digest "sha256:$hex" --argjson size "$(stat -c %s "$1")" \
    '{mediaType: $type, digest: $digest, size: $size}'
}
type=application/vnd.oci.image
echo '{"imageLayoutVersion": "1.0.0"}' >image/oci-layout
echo '{}' >config.json
jq -n --argjson config "$(blob config.json $type.config.v1+json)" \
  --argjson front "$(blob cold.mp4 video/mp4)" --argjson film "$(blob www/film.mp4 video/mp4)" \
  '{schemaVersion: 2, config: $config, layers: [$front, $film]}' >manifest.json
jq -n --argjson manifest "$(blob manifest.json $type.manifest.v1+json)" \
  '{schemaVersion: 2, manifests: [$manifest]}' >image/index.json
expect 2 faststart oci:image -o layer.mp4
says '2 layers'
says 'with --layer'
expect 0 faststart oci:image --layer 1 -o layer.mp4
same layer.mp4 cold.mp4 "a layer"
expect 1 faststart --check --layer 1 oci:image
expect 0 faststart --check --layer 0 oci:image
expect 2 faststart --layer 0 cold.mp4 -o never.mp4
says 'only images have layers'
expect 2 faststart --layer 0 cold.mp4
says '--layer goes with -o or --check'

# ---- extents shared with the cache ----
# The film begins behind the header of its entry there.
for kind in xfs btrfs; do
  with_fs "$kind" 2G
  for times in cold warm; do
    expect 0 --cache-dir "$mnt/cache" faststart "$url" -o "$mnt/out.mp4" --force
    check www/film.mp4 "$mnt/out.mp4"
  done
  # And from a cache on another file system.
  expect 0 faststart "$url" -o "$mnt/out.mp4" --force
  check www/film.mp4 "$mnt/out.mp4"
done

# ---- stopped ----
cat >silent.py <<'P'
import os, socket
server = socket.create_server(("127.0.0.1", 0))
with open("port.new", "w") as file:
    file.write(str(server.getsockname()[1]))
os.rename("port.new", "port")
# Whoever else knocks, looking for a server that had this port before, is not meant.
while True:
    client, _ = server.accept()
    if b"film.mp4" in client.recv(4096): break
open("asked", "w").close()
server.accept()
P
python3 silent.py &
background+=($!)
appears port $!
"$SHUNT" faststart "http://127.0.0.1:$(cat port)/film.mp4" -o never.mp4 2>err &
child=$!
background+=("$child")
appears asked "$child"
kill -TERM "$child"
exits "$child" 143 "faststart of a URL, stopped" 10
says 'what was downloaded stays in the cache; run again to continue'
[[ ! -e never.mp4 ]] || fail "a download that was stopped leaves a file"

# ---- a file on this machine that is changed meanwhile ----
cat >changing.py <<'P'
import subprocess, sys
run = subprocess.Popen([sys.argv[1], "faststart", "www/film.mp4", "-o", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
run.stdout.read(100)
with open("www/film.mp4", "ab") as film:
    film.write(b"more")
run.stdout.read()
sys.stderr.buffer.write(run.stderr.read())
sys.exit(run.wait())
P
rc=0
python3 changing.py "$SHUNT" 2>err || rc=$?
equal "exit, changed meanwhile" "$rc" 8
grep -q 'changed or replaced by another program' err || fail "changed meanwhile: $(cat err)"
