#!/usr/bin/env bash
# Writes that lie far apart: the memory stays within what --help says, the spill file holds them side
# by side, and an output that cannot have the disk's size is refused before COMMAND is started.
# shellcheck disable=SC2016  # what the commands of --run expand
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

need_command python3 jq
client="python3 $(realpath "$(dirname "$0")")/nbd_client.py"
cd "$work"
export client
writes=60000

# ---- memory ----
# scattered MEMORY ARGUMENT...: the run, whose memory may be MEMORY KiB and what --help adds.
scattered() {
  local memory=$1
  shift
  peak --json stream-sink --size 100G --memory "${memory}K" --spill "$work" -o /dev/null \
    --run "\$client \"\$unixsocket\" scatter:$writes:1048576 leave >&2" "$@"
  ((rc == 0)) || fail "scattered writes, $*: exit $rc: $(said)"
  echo "$*: $rss KiB of memory, $(json .spilled) bytes spilled"
  # A write of 512 bytes takes no more than a page of it.
  (($(json .spilled) <= writes * 4096)) || fail "scattered writes, $*: $(json .spilled) bytes spilled"
  ((sanitized)) || ((rss <= memory + 16 * 1024)) || fail "scattered writes, $*: $rss KiB of memory"
}
scattered 2048 --commit at-end
scattered 16384 --commit auto
# Those sent are forgotten.
scattered 2048 --commit window --window 20G

# ---- far away ----
# The rest of the disk is not worth waiting for: it is read back, and the command fails.
last=4611686018427387904
for size in $((20 << 40)):$((17 << 40)) $((last + (8 << 20))):$last; do
  expect 3 stream-sink --size "${size%:*}" --commit at-end --memory 2M --spill "$work" -o /dev/null \
    --run "\$client \"\$unixsocket\" write:${size#*:}:8388608:7 write:$((${size#*:} / 2)):8388608:7 \
      read:${size#*:}:1048576 && exit 3"
done

# ---- outputs that cannot be so large ----
refused() {
  says 'File too large'
  says "$1"
  [[ ! -e begun ]] || fail "the command is started for an output that cannot be: $1"
  [[ -z $(ls -A "$2") ]] || fail "left behind: $(ls -A "$2")"
}
mkdir small
rc=0
(ulimit -f 4096 && exec "$SHUNT" stream-sink --size 8M --sparse -o small/disk.img --run 'touch begun') 2>err || rc=$?
equal "exit with a limit on sizes" "$rc" 7
refused 'small/.*disk.img' small
(ulimit -f 4096 && exec "$SHUNT" stream-sink --size 8M --sparse --truncate -o small/disk.img \
  --run '$client "$unixsocket" write:0:65536:1 leave') 2>err || fail "--truncate below a limit on sizes: $(said)"
equal "size with --truncate" "$(stat -c %s small/disk.img)" 65536

with_fs ext4 64M
rm -rf "$mnt/lost+found"
for sparse in '' --sparse; do
  # shellcheck disable=SC2086
  expect 7 stream-sink --size 20T $sparse -o "$mnt/disk.img" --run 'touch begun'
  refused 'disk.img' "$mnt"
done
