#!/usr/bin/env bash
# Every generated file in place: moved, already, or refused and left alone, as mp4gen says.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

mkdir "$work/original" "$work/now"
"$MP4GEN" --all "$work/original"
moved=0
for original in "$work/original"/*.mp4; do
  name=$(basename "$original" .mp4)
  what=$name
  now=$work/now/$name.mp4
  cp --sparse=always "$original" "$now"
  run faststart "$now"
  case $("$MP4GEN" --expect "$name") in
    move)
      moved=$((moved + 1))
      ((rc == 0)) || fail "$name: exit $rc: $(said)"
      says ': moved'
      check "$original" "$now" --moved
      ;;
    already)
      ((rc == 0)) || fail "$name: exit $rc: $(said)"
      says ': already'
      check "$original" "$now" --already
      ;;
    refuse)
      ((rc == 4)) || fail "$name: exit $rc instead of 4: $(said)"
      check "$original" "$now" --same
      ;;
  esac
  rm -f "$now"
done
((moved > 50)) || fail "only $moved files were moved"
no_leftovers "$work/now"
left=$(ls -A "$work/now")
[[ -z $left ]] || fail "left behind: $left"
