#!/usr/bin/env bash
# copy and shift leave the page cache as they found it: a large file does not turn up in it.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_command fincore
with_fs ext4 4G

big_file "$mnt/original" 160
sync
# cached FILE: its bytes in the page cache.
cached() { fincore -b -n -o RES "$1" | tr -d ' '; }
drop() { dd if="$1" iflag=nocache count=0 status=none; }
limit=$((24 << 20))

sync "$mnt/original"
drop "$mnt/original"
(($(cached "$mnt/original") < 1 << 20)) || skip "the page cache cannot be emptied here"

expect 0 faststart --strategy copy "$mnt/original" -o "$mnt/new"
(($(cached "$mnt/original") <= limit)) || fail "the source of -o: $(cached "$mnt/original") bytes cached"
(($(cached "$mnt/new") <= limit)) || fail "the result of -o: $(cached "$mnt/new") bytes cached"
check "$mnt/original" "$mnt/new"

for strategy in copy shift; do
  cp "$mnt/original" "$mnt/file"
  sync "$mnt/file"
  drop "$mnt/file"
  expect 0 faststart --strategy "$strategy" "$mnt/file"
  (($(cached "$mnt/file") <= limit)) || fail "$strategy: $(cached "$mnt/file") bytes cached"
  what=$strategy
  check "$mnt/original" "$mnt/file"
done
# A check that sees nothing would pass as well.
cat "$mnt/file" >/dev/null
(($(cached "$mnt/file") > limit)) || fail "fincore sees nothing"
