#!/usr/bin/env bash
# copy and shift leave the page cache as they found it: a large file does not turn up in it.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_command fincore
with_fs ext4 4G
cd "$work"

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

# What is not cached a shift moves directly, where the file system can; what is, it does not.
if can_trace; then
  for state in "not cached" cached; do
    cp "$mnt/original" "$mnt/file"
    sync "$mnt/file"
    if [[ $state == cached ]]; then cat "$mnt/file" >/dev/null; else drop "$mnt/file"; fi
    "${traced[@]}" -y -s 0 -o trace -e trace=openat,pwrite64 \
      "$SHUNT" -q faststart --strategy shift "$mnt/file" || fail "$state: it fails"
    direct=$(sed -n 's/.*openat.*O_DIRECT[|)].* = \([0-9]*\)<.*/\1/p' trace | head -n 1)
    [[ -n $direct ]] || skip "there is no direct I/O here"
    # The number may be another file's by the end.
    moved=$(sed -n "s/.*pwrite64($direct<[^>]*\/file>, [^,]*, \\([0-9]*\\),.*/\\1/p" trace |
      awk '{ sum += $1 } END { print sum + 0 }')
    if [[ $state == cached ]]; then
      equal "bytes written directly of a file that is cached" "$moved" 0
    else
      ((moved >= 150 << 20)) || fail "$moved bytes written directly"
    fi
    what="shift, $state"
    check "$mnt/original" "$mnt/file"
  done
else
  echo "not tested, no strace: direct I/O"
fi
# A check that sees nothing would pass as well.
cat "$mnt/file" >/dev/null
(($(cached "$mnt/file") > limit)) || fail "fincore sees nothing"
