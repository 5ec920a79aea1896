#!/usr/bin/env bash
# Somebody appends to a file again and again while it is worked on, by each strategy: no line is
# lost, whatever the run comes to.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
with_fs xfs 2G
cd "$mnt"

big_file original 8
size=$(stat -c %s original)

# lines: appends numbered lines to `file` until told to stop, and then says how many there were.
lines() {
  local i=0
  while [[ ! -e stop ]]; do
    i=$((i + 1))
    echo "line $i" >>file
  done
  echo "$i" >count
}

ended=
for strategy in reflink copy insert shift; do
  for _ in 1 2 3 4 5; do
    rm -f stop count
    cp original file
    lines &
    appender=$!
    background+=("$appender")
    run faststart --strategy "$strategy" file
    touch stop
    wait "$appender"
    [[ $rc == 0 || $rc == 8 ]] || fail "$strategy: exit $rc: $(said)"
    ended+=" $rc"
    expect 0 faststart --recover file
    # Before the first line there may be the original, which was left alone, or a result.
    seq -f 'line %.0f' "$(cat count)" >expected
    same <(tail -c "$(stat -c %s expected)" file) expected "$strategy, exit $rc"
    no_leftovers .
  done
done
echo "exits:$ended ($size bytes)"
