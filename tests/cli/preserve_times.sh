#!/usr/bin/env bash
# --preserve-times: the time of modification is what it was, by each strategy, into a new file, and
# after a recovery.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

generate plain "$work/original"
generate reserve-roomy "$work/roomy"
readonly kThen='2002-03-04 05:06:07.123456789'
touch -m -d "$kThen" "$work/original"
modified() { stat -c %y "$1"; }
then=$(modified "$work/original")
mnt=$work
strategies="auto copy shift"
if ((EUID == 0)) && command -v mkfs.xfs >/dev/null; then
  with_fs xfs 1G
  strategies="auto insert reflink copy shift"
fi
file=$mnt/file
for strategy in $strategies; do
  for more in "" "--verify" "--padding 64K"; do
    cp -p "$work/original" "$file"
    # shellcheck disable=SC2086
    expect 0 faststart --preserve-times --strategy "$strategy" $more "$file"
    says 'file: moved'
    equal "modified, $strategy $more" "$(modified "$file")" "$then"
    check "$work/original" "$file"
  done
  cp -p "$work/original" "$file"
  expect 0 faststart --strategy "$strategy" "$file"
  [[ $(modified "$file") != "$then" ]] || fail "the old time without --preserve-times, $strategy"
done
cp "$work/roomy" "$file"
touch -m -d "$kThen" "$file"
expect 0 faststart --preserve-times --strategy reserve "$file"
equal "modified, reserve" "$(modified "$file")" "$then"

for strategy in auto copy; do
  rm -f "$file"
  expect 0 faststart --preserve-times --strategy "$strategy" "$work/original" -o "$file"
  equal "modified, -o by $strategy" "$(modified "$file")" "$then"
  expect 0 faststart --preserve-times --force "$work/original" -o "$file"
  equal "modified, -o --force by $strategy" "$(modified "$file")" "$then"
done
expect 2 faststart --preserve-times "$work/original" -o -
expect 2 faststart --preserve-times - -o "$mnt/new" </dev/null
expect 2 faststart --preserve-times http://127.0.0.1:1/film.mp4 -o "$mnt/new"

# Interrupted, and recovered
big_file "$work/big" 48
touch -m -d "$kThen" "$work/big"
cp -p "$work/big" "$file"
"$SHUNT" faststart -q --strategy shift "$file" &
child=$!
background+=("$child")
! appears "$mnt/.file.shunt-journal" "$child" || kill -KILL "$child" 2>/dev/null || true
wait "$child" 2>/dev/null || true
if [[ -e $mnt/.file.shunt-journal ]]; then
  expect 0 faststart --recover --preserve-times "$file"
  equal "modified, recovered" "$(modified "$file")" "$then"
else
  echo "too fast to be killed: no journal"
fi
