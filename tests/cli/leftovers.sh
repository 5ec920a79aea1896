#!/usr/bin/env bash
# What an earlier run left: a half-written new file is taken away, a journal of another file is not
# acted upon, and one that makes no sense stops the run before it touches anything.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

cd "$work"
generate plain original

# left_by_a_dead_run FILE: half of a new file, with the mark that tells it from anybody else's.
left_by_a_dead_run() {
  head -c 1000 original >"$1"
  setfattr -n user.shunt.unfinished "$1"
}
need_command setfattr
touch probe
setfattr -n user.shunt.probe probe 2>/dev/null || skip "no extended attributes in $work"

# The new file of a run that died.
for strategy in copy shift auto; do
  cp original file
  left_by_a_dead_run .file.shunt-new
  expect 0 faststart --strategy "$strategy" file
  what="a leftover, $strategy"
  check original file
  no_leftovers .
done
left_by_a_dead_run .new.shunt-new
expect 0 faststart original -o new
check original new
no_leftovers .

# Journals that are none
for content in "" "garbage" "$(head -c 5000 /dev/zero | tr '\0' j)"; do
  cp original file
  before=$(state file)
  printf '%s' "$content" >.file.shunt-journal
  cp .file.shunt-journal journal
  for arguments in "faststart file" "faststart --recover file" "faststart --strategy copy file"; do
    # shellcheck disable=SC2086
    expect 6 $arguments
    says 'journal'
    [[ $(wc -l <err) -ge 2 ]] || fail "no hint what to do: $(said)"
    equal "the file" "$(state file)" "$before"
    same .file.shunt-journal journal "the journal"
  done
  rm .file.shunt-journal
done

# A real journal, of a file that has been replaced since
big_file big 64
cp big file
"$SHUNT" faststart --strategy shift file >/dev/null 2>&1 &
child=$!
background+=("$child")
appears .file.shunt-journal "$child" || true
kill -KILL "$child" 2>/dev/null || true
wait "$child" 2>/dev/null || true
if [[ -e .file.shunt-journal ]]; then
  cp file half
  cp .file.shunt-journal journal
  cp original another
  mv another file
  expect 6 faststart file
  says 'another file|not the'
  same original file "a file that has taken the place of another"
  expect 6 faststart --recover file
  # In one bit it is not what was written: nothing of it is believed.
  cat half >file
  for at in 0 9 40 100; do
    cp journal .file.shunt-journal
    printf '\xa5' | dd of=.file.shunt-journal bs=1 seek="$at" conv=notrunc status=none
    expect 6 faststart file
    same half file "a journal with byte $at broken"
  done
else
  echo "too fast to be killed: no journal"
fi

# --recover where there is nothing to recover
cp original plain
before=$(state plain)
expect 0 faststart --recover plain
equal "--recover of a file as it is" "$(state plain)" "$before"
