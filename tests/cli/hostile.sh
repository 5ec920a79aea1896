#!/usr/bin/env bash
# Files that lie are refused with exit 4, at once, untouched; so is a real one cut anywhere in moov.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

cd "$work"
mkdir at
# at_once ARGUMENT...: shunt within 5 s of the processor's time, however busy the machine is.
at_once() { (ulimit -t 5 && exec timeout 300 "$SHUNT" "$@"); }
refused() {
  local name=$1 file=$2 before
  before=$(stat -c '%i %s %y %z' "$file")
  rc=0
  at_once faststart "$file" 2>err || rc=$?
  equal "exit for $name" "$rc" 4
  says '^shunt: '
  equal "$name, refused" "$(stat -c '%i %s %y %z' "$file")" "$before"
}

count=0
while read -r name expect _; do
  [[ $expect == refuse ]] || continue
  count=$((count + 1))
  generate "$name" original
  cp --sparse=always original at/file
  refused "$name" at/file
  for strategy in copy shift insert; do
    rc=0
    at_once faststart --strategy "$strategy" at/file 2>err || rc=$?
    equal "exit for $name by $strategy" "$rc" 4
  done
  rc=0
  at_once faststart at/file -o at/new 2>err || rc=$?
  equal "exit for $name with -o" "$rc" 4
  if (($(stat -c %s at/file) < 1 << 30)); then
    rc=0
    at_once faststart - -o - <at/file >out 2>err || rc=$?
    equal "exit for $name from a pipe" "$rc" 4
    silent
  fi
  what=$name
  check original at/file --same
  equal "left by $name" "$(ls -A at)" file
done < <("$MP4GEN" --list)
((count >= 15)) || fail "only $count hostile files"

# Cut short at every byte of moov. Many at a time: the program starts once for all of them.
if [[ -d $corpus ]] && ls "$corpus"/video_rotation_90.mp4 >/dev/null 2>&1; then
  cp "$corpus/video_rotation_90.mp4" real
else
  generate plain real
fi
moov_at=$(($(grep -abo moov real | tail -1 | cut -d: -f1) - 4))
size=$(stat -c %s real)
mkdir cut
step=1
[[ $full == 1 ]] || step=3
for ((bytes = moov_at; bytes < size; bytes += step)); do head -c "$bytes" real >"cut/$bytes"; done
(cd cut && sha256sum -- *) >before
rc=0
(cd cut && timeout 120 "$SHUNT" faststart -- *) 2>err || rc=$?
equal "exit for all that were cut in moov" "$rc" 4
equal "errors" "$(grep -c '^shunt: ' err)" "$(wc -l <before)"
(cd cut && sha256sum --quiet -c ../before) || fail "a cut file has changed"
no_leftovers cut
