#!/usr/bin/env bash
# cache_full FILE_SYSTEM: a cache on a disk that is full, or gets full: the right bytes all the same.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/servers.sh
source "$(dirname "$0")/servers.sh"
cd "$work"

case $1 in
  tmpfs) size=4M ;;
  ext4) size=8M ;;
  xfs) size=320M ;;
  btrfs) size=128M ;;
esac
with_fs "$1" "$size"
mkdir www
head -c 6000000 /dev/urandom >www/blob
start_nginx www
url=$nginx_url/blob
export SHUNT_CACHE_DIR=$mnt/cache

# fill BYTES: leaves about so many.
fill() {
  local free
  rm -f "$mnt/ballast"
  sync -f "$mnt"
  free=$(df --output=avail -B1 "$mnt" | tail -1)
  ((free <= $1)) || head -c $((free - $1)) /dev/zero >"$mnt/ballast" 2>/dev/null || true
  sync -f "$mnt"
}

for room in 0 100000 3000000; do
  rm -rf "$mnt/cache"
  fill "$room"
  expect 0 fetch "$url" -o got --force
  same got www/blob "$room bytes of room"
  expect 0 fetch "$url" -o got --force
  same got www/blob "$room bytes of room, the second time"
  "$SHUNT" fetch "$url" 2>err | cmp - www/blob || fail "through a pipe, $room bytes of room"
  run cache-warm "$url"
  ((rc == 0 || rc == 7)) || fail "cache-warm with $room bytes of room: exit $rc: $(said)"
done

# The output on the full disk: all of it, or an error and nothing.
run fetch "$url" -o "$mnt/got"
if ((rc == 0)); then
  same "$mnt/got" www/blob
else
  ((rc == 7)) || fail "a full disk: exit $rc: $(said)"
  [[ ! -e $mnt/got ]] || fail "a failed fetch leaves a file"
fi
no_leftovers "$mnt"

# Room again: what is missing is fetched, and kept.
rm -f "$mnt/ballast"
rm -rf "$mnt/cache"
if (($(df --output=avail -B1 "$mnt" | tail -1) > 7000000)); then
  expect 0 fetch "$url" -o got --force
  expect 0 fetch --offline "$url" -o got --force
  same got www/blob "with room again"
fi
