#!/usr/bin/env bash
# A file system on a disk of 100 GiB, held until the end: what mkfs writes is little, zeros cost no
# memory, and nothing is spilled.
# shellcheck disable=SC2016  # what the commands of --run expand
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

((!sanitized)) || skip "a sanitizer's memory says nothing"
need_command nbdfuse fusermount3 mkfs.ext4 mkfs.xfs jq
[[ -c /dev/fuse && -r /dev/fuse && -w /dev/fuse ]] || skip "there is no FUSE here"
cd "$work"

cat >make.sh <<'END'
set -e
folder=$(mktemp -d "$TMPDIR/disk.XXXXXX")
nbdfuse "$folder/disk" "$uri" &
server=$!
trap 'fusermount3 -u "$folder" 2>/dev/null; wait "$server"' EXIT
until [ -e "$folder/disk" ]; do kill -0 "$server"; sleep 0.02; done
"$@" "$folder/disk"
trap - EXIT
fusermount3 -u "$folder"
wait "$server"
END
export TMPDIR=$work

for make in "mkfs.ext4 -q -F" "mkfs.xfs -q -f"; do
  peak --json stream-sink --size 100G --commit at-end -o /dev/null --run "sh make.sh $make >&2"
  ((rc == 0)) || { fail "$make: exit $rc: $(said)" && continue; }
  equal "$make: bytes out" "$(json .bytes_out)" $((100 << 30))
  equal "$make: spilled" "$(json .spilled)" 0
  (($(json .bytes_in) > 0)) || fail "$make: nothing was written"
  (($(json .zero_bytes) > 99 << 30)) || fail "$make: $(json .zero_bytes) bytes of zeros"
  echo "$make: $rss KiB of memory, $(json .peak_held) bytes held, $(json .seconds) s"
  ((rss <= 32 * 1024)) || fail "$make: $rss KiB of memory"
done
