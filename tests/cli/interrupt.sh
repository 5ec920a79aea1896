#!/usr/bin/env bash
# SIGINT and SIGTERM in the middle of a shift: the original or the result, and the exit status says
# so. A second one stops at once and leaves a journal, from which --recover goes on.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

cd "$work"
big_file original 192
cp original file
chmod 644 file

# start: begins to shift and holds the program still somewhere behind the first journal.
start() {
  cp original file
  "$SHUNT" faststart --strategy shift file >out 2>err &
  child=$!
  background+=("$child")
  appears .file.shunt-journal "$child" || return 1
  sleep "$1"
  kill -STOP "$child" 2>/dev/null && [[ -e .file.shunt-journal ]]
}

finish() {
  kill -CONT "$child" 2>/dev/null || true
  rc=0
  wait "$child" || rc=$?
}

# whole WHAT: the file is the original or the result, and nothing is beside it.
whole() {
  what=$1
  if cmp -s original file; then
    ended="original"
  else
    ended="result"
    check original file
  fi
  no_leftovers .
}

# The program has only just begun, or has come some way.
caught=0
for wait_for in 0 0.05 0.1 0.2; do
  for signal in INT TERM; do
    if start "$wait_for"; then
      caught=$((caught + 1))
      # It is under way: nobody is sent to recover it.
      for how in --check --dry-run --recover; do
        rc=0
        "$SHUNT" faststart "$how" file >out 2>said || rc=$?
        equal "exit of $how beside a run" "$rc" 8
        ! grep -q 'recover\|interrupted' said || fail "$how beside a run: $(cat said)"
      done
      kill -"$signal" "$child"
      finish
      equal "exit on SIG$signal after $wait_for s" "$rc" "$([[ $signal == INT ]] && echo 130 || echo 143)"
      whole "SIG$signal after $wait_for s"
      [[ $ended == result ]] || says 'interrupted'
      [[ $ended == result ]] || says 'original has been restored'
      [[ $ended == original ]] || says 'moved'
    else
      finish
    fi
  done
done
((caught >= 2)) || fail "the program was too fast to be interrupted ($caught times)"

# Two at once: the journal stays.
left=0
for wait_for in 0 0.05 0.1; do
  start "$wait_for" || { finish && continue; }
  kill -INT "$child"
  kill -TERM "$child"
  finish
  [[ $rc == 130 || $rc == 143 ]] || fail "exit on two signals: $rc"
  [[ -e .file.shunt-journal ]] || continue
  left=$((left + 1))
  says 'journal'
  says '--recover'
  # Asking is not touching: it says that there is something to recover.
  run faststart --dry-run file
  ((rc != 0)) || fail "a dry run between two states: exit 0"
  says 'interrupted'
  # A recovery that is stopped says how to go on, where it leaves the journal.
  "$SHUNT" faststart --recover file >out 2>err &
  child=$!
  kill -INT "$child"
  kill -TERM "$child"
  rc=0 && wait "$child" || rc=$?
  if [[ $rc != 0 && -s err && -e .file.shunt-journal ]]; then says '--recover'; fi
  expect 0 faststart --recover file
  says 'recovered|nothing to recover'
  whole "--recover"
  expect 0 faststart --recover file
  # And then everything works again.
  expect 0 faststart file
  check original file
done
((left > 0)) || fail "two signals never left a journal"

# A run that finds a journal recovers by itself.
if start 0.05; then
  kill -KILL "$child"
  kill -CONT "$child" 2>/dev/null || true
  wait "$child" 2>/dev/null || true
  [[ -e .file.shunt-journal ]] || fail "SIGKILL left no journal"
  expect 1 faststart --check file
  says 'interrupted'
  says 'shunt faststart --recover file$'
  # What is to be typed is quoted where the shell needs it.
  mv file 'my film' && mv .file.shunt-journal '.my film.shunt-journal'
  expect 1 faststart --check 'my film'
  says "shunt faststart --recover 'my film'\$"
  mv 'my film' file && mv '.my film.shunt-journal' .file.shunt-journal
  expect 0 faststart file
  says 'interrupted run'
  check original file
  no_leftovers .
fi

# Interrupting a copy leaves the original, and nothing else.
cp original file
before=$(state file)
"$SHUNT" faststart --strategy copy file 2>err &
child=$!
background+=("$child")
appears .file.shunt-new "$child" || true
kill -INT "$child" 2>/dev/null || true
rc=0
wait "$child" || rc=$?
if ((rc == 130)); then
  says 'the file is unchanged'
  [[ $(state file) == "$before" ]] || check original file
else
  equal "exit of a copy that ended before the signal" "$rc" 0
fi
no_leftovers .
