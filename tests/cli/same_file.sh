#!/usr/bin/env bash
# Two names for one file are recognised by what they are, not by how they are spelt.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

cd "$work"
mkdir dir
generate plain original
names=(a ./a dir/../a "$work/a" link hard)
for name in "${names[@]}"; do
  rm -f a link hard
  cp original a
  ln -s a link
  ln a hard
  before=$(state a)
  # Without --force an existing file is never replaced, whatever its name.
  expect 7 faststart a -o "$name"
  says 'exists'
  equal "a after -o $name" "$(state a)" "$before"
  expect 7 faststart "$name" -o a
  equal "a after $name -o a" "$(state a)" "$before"
  # With it, the result is whole all the same.
  chmod 640 a
  expect 0 faststart a -o "$name" --force
  what="-o $name --force"
  check original "$name"
  equal "mode after $what" "$(stat -L -c %a "$name")" 640
  no_leftovers .
done

# Onto itself with moov in front: still the same bytes.
generate already-front front
cp front front.copy
expect 0 faststart front -o ./front --force
same front front.copy

# Standard output that is the source itself must not eat it.
cp original a
rc=0
"$SHUNT" faststart a -o - >>a 2>err || rc=$?
if ((rc == 0)); then
  cmp -s -n "$(stat -c %s original)" a original || fail "appending to the source has changed it"
else
  same a original "refused to append to the source"
fi

# One file by several names in one run is moved once.
rm -f a link hard
cp original a
ln -s a link
ln a hard
expect 0 faststart --jobs 8 a ./a dir/../a "$work/a" link hard
equal "moved" "$(grep -c ': moved' err)" 1
equal "already" "$(grep -c ': already' err)" 5
check original a
