#!/usr/bin/env bash
# --padding of a file whose moov is in front already makes the room, by each strategy, once, and has
# enough of it the second time.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

number() { echo $((16#$(od -An -tx1 -j "$2" -N4 "$1" | tr -d ' \n'))); }
# free_behind_moov FILE: the size of the free box that follows moov, 0 when there is none.
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

mnt=$work
strategies="auto copy shift"
if ((EUID == 0)) && command -v mkfs.xfs >/dev/null; then
  with_fs xfs 1G
  strategies="auto insert reflink copy shift"
fi
generate plain "$work/moved"
expect 0 faststart "$work/moved"
generate plain "$work/roomy"
expect 0 faststart --padding 3000 "$work/roomy"
for name in already-front already-front-free fragmented; do generate "$name" "$work/$name"; done
file=$mnt/file
for name in moved roomy already-front-free fragmented; do
  for padding in 100 64K; do
    bytes=$(numfmt --from=iec "$padding")
    for strategy in $strategies; do
      what="--padding $padding of $name by $strategy"
      cp "$work/$name" "$file"
      had=$(free_behind_moov "$file")
      rc=0
      run faststart -n --strategy "$strategy" --padding "$padding" "$file"
      planned=$rc
      expect 0 faststart --strategy "$strategy" --padding "$padding" "$file"
      equal "exit of a dry run, $what" "$planned" 0
      if ((had >= bytes)); then
        says 'file: already'
      else
        says 'file: moved'
      fi
      check "$work/$name" "$file" --room
      room=$(free_behind_moov "$file")
      ((room >= bytes)) || fail "$what: $room bytes of room"
      before=$(state "$file")
      expect 0 faststart --strategy "$strategy" --padding "$padding" "$file"
      says 'file: already'
      equal "the second run, $what" "$(state "$file")" "$before"
      expect 0 faststart --check "$file"
    done
    what="--padding $padding of $name with -o"
    expect 0 faststart --force --padding "$padding" "$work/$name" -o "$file"
    check "$work/$name" "$file" --room
    (($(free_behind_moov "$file") >= bytes)) || fail "$what: not the room"
    what="--padding $padding of $name from standard input"
    rc=0
    "$SHUNT" faststart --padding "$padding" - -o - <"$work/$name" >"$file" 2>"$work/err" || rc=$?
    equal "exit, $what" "$rc" 0
    check "$work/$name" "$file" --room
    (($(free_behind_moov "$file") >= bytes)) || fail "$what: not the room"
  done
done
# What is there counts: a second step of the same size costs no more than the first.
cp "$work/moved" "$file"
expect 0 faststart --strategy copy --padding 64K "$file"
size=$(stat -c %s "$file")
expect 0 faststart --strategy copy --padding 65K "$file"
(($(stat -c %s "$file") <= size + 1024 + 16)) || fail "room that was there is not counted"
expect 0 faststart --verify --padding 256K "$file"
says 'moved .*verified'
no_leftovers "$mnt"
