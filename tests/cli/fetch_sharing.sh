#!/usr/bin/env bash
# Where extents can be shared, the cache and the output hold the bytes once; and the output is its
# own file all the same.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/servers.sh
source "$(dirname "$0")/servers.sh"
need_command jq
cd "$work"

mkdir www
head -c 100000001 /dev/urandom >www/blob
start_nginx www

for kind in xfs btrfs; do
  with_fs "$kind" 2G
  export SHUNT_CACHE_DIR=$mnt/cache
  sync -f "$mnt"
  before=$(df --output=used -B1 "$mnt" | tail -1)
  expect 0 fetch "$nginx_url/blob" -o "$mnt/out"
  same "$mnt/out" www/blob "$kind"
  sync -f "$mnt"
  used=$(($(df --output=used -B1 "$mnt" | tail -1) - before))
  ((used < 130000000)) || fail "$kind: $used bytes for 100,000,001 that are shared"
  # What is written to the output does not reach the cache.
  printf 'changed' | dd of="$mnt/out" bs=1 seek=50000000 conv=notrunc status=none
  expect 0 fetch --offline "$nginx_url/blob" -o "$mnt/again"
  same "$mnt/again" www/blob "$kind, after the output was changed"
  # Parts that do not lie as the file system would like.
  expect 0 fetch --offline "$nginx_url/blob" --range 4097+1000000 --range 8192+65536 --range 3-70000 -o "$mnt/part"
  same "$mnt/part" <(slice www/blob 4097 1000000; slice www/blob 8192 65536
    slice www/blob 3 69998) "$kind, parts"
done
