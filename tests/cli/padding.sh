#!/usr/bin/env bash
# --padding leaves at least so much room behind moov, as a free box, whatever the strategy.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

# free_behind_moov FILE: the size of the free box that follows moov, 0 when there is none.
number() { echo $((16#$(od -An -tx1 -j "$2" -N4 "$1" | tr -d ' \n'))); }
free_behind_moov() {
  local at
  at=$(($(grep -abo moov "$1" | head -1 | cut -d: -f1) - 4))
  at=$((at + $(number "$1" "$at")))
  if [[ $(dd if="$1" bs=1 skip=$((at + 4)) count=4 status=none) == free ]]; then
    number "$1" "$at"
  else
    echo 0
  fi
}

generate plain "$work/original"
generate reserve-roomy "$work/roomy"
strategies="copy shift"
mnt=$work
if ((EUID == 0)) && command -v mkfs.xfs >/dev/null; then
  with_fs xfs 1G
  strategies="insert reflink copy shift"
fi
for padding in 0 8 9 100 4096 5000 64K 1MB 3MiB; do
  bytes=$(numfmt --from=auto "${padding/%MB/M}" 2>/dev/null || echo 0)
  case $padding in
    64K) bytes=65536 ;;
    1MB) bytes=1000000 ;;
    3MiB) bytes=3145728 ;;
    *) bytes=$padding ;;
  esac
  for strategy in $strategies out; do
    what="--padding $padding by $strategy"
    file=$mnt/file
    if [[ $strategy == out ]]; then
      rm -f "$file"
      expect 0 faststart --padding "$padding" "$work/original" -o "$file"
    else
      cp "$work/original" "$file"
      expect 0 faststart --strategy "$strategy" --padding "$padding" "$file"
    fi
    check "$work/original" "$file"
    room=$(free_behind_moov "$file")
    ((room >= bytes)) || fail "$what: $room bytes of room"
    [[ $strategy != copy || $room -le $((bytes + 16)) ]] || fail "$what: $room bytes, more than asked for"
  done
done

# reserve counts the room that stays: 4096 bytes are left here, header and all.
cp "$work/roomy" "$mnt/file"
expect 0 faststart --strategy reserve --padding 4000 "$mnt/file"
what="--padding 4000 by reserve"
check "$work/roomy" "$mnt/file"
(($(free_behind_moov "$mnt/file") >= 4000)) || fail "reserve leaves too little"
cp "$work/roomy" "$mnt/file"
expect 7 faststart --strategy reserve --padding 5000 "$mnt/file"
same "$work/roomy" "$mnt/file"

# The room serves: a file with some is edited there the next time.
cp "$work/original" "$mnt/file"
SHUNT_PADDING=2000 run faststart --strategy copy "$mnt/file"
(($(free_behind_moov "$mnt/file") >= 2000)) || fail "SHUNT_PADDING is not heeded"
