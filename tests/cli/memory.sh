#!/usr/bin/env bash
# At most 32 MiB at any time, whatever the strategy and however large the index.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
[[ $sanitized != 1 ]] || skip "a sanitizer build needs memory of its own"
[[ -x /usr/bin/time ]] || skip "there is no /usr/bin/time"
with_fs xfs 40G

# bounded WHAT ARGUMENT...
bounded() {
  what=$1
  shift
  peak "$@"
  ((rc == 0)) || fail "$what: exit $rc: $(said)"
  ((rss <= 32 * 1024)) || fail "$what takes $rss KiB"
  echo "$what: $rss KiB"
}

names=(cmov-big many-tracks many-boxes cross-4g-cascade3 huge-moov:200)
for name in "${names[@]}"; do
  original=$mnt/original
  generate "$name" "$original"
  for strategy in insert reflink copy; do
    cp --reflink=always "$original" "$mnt/file"
    bounded "$name by $strategy" faststart --strategy "$strategy" "$mnt/file"
    check "$original" "$mnt/file" --no-packets
    rm "$mnt/file"
  done
  bounded "$name, --dry-run" faststart --dry-run "$original"
  bounded "$name to a file" faststart "$original" -o "$mnt/file"
  rm "$mnt/file"
done

# Shifting and streaming: the index of 200 MiB with little media behind it would be too long for a
# sparse file; a smaller one has every buffer full as well.
big_file "$mnt/original" 200
cp "$mnt/original" "$mnt/file"
bounded "200 MiB by shift" faststart --strategy shift "$mnt/file"
check "$mnt/original" "$mnt/file"
bounded "200 MiB to standard output" faststart "$mnt/original" -o -
check "$mnt/original" "$work/out"
generate huge-moov:20 "$mnt/original"
cp --reflink=always "$mnt/original" "$mnt/file"
bounded "huge-moov:20 by shift" faststart --strategy shift "$mnt/file"
check "$mnt/original" "$mnt/file" --no-packets

# What is refused takes no more.
for name in cmov-bomb cmov-bomb-claimed stco-4g-count nested-1000; do
  generate "$name" "$mnt/file"
  peak faststart "$mnt/file"
  ((rc == 4)) || fail "$name: exit $rc"
  ((rss <= 32 * 1024)) || fail "$name takes $rss KiB"
done
