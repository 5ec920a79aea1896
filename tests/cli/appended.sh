#!/usr/bin/env bash
# Another program appends to the file while shift is at work: what it appended is never cut off, and
# the exit status says that something happened.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

cd "$work"
big_file original 96
printf 'TRAILER%03000d' 0 >more
cat original more >original-and-more

# kept WHAT: exit 8, and the original or the result with all that was appended behind it.
kept() {
  equal "exit, $1" "$rc" 8
  says 'another program has appended'
  same <(tail -c "$(stat -c %s more)" file) more "$1"
  if cmp -s file original-and-more; then
    says 'followed by the appended bytes'
  else
    says 'nothing was cut off'
    head -c "-$(stat -c %s more)" file >film
    what=$1
    check original film
  fi
  no_leftovers .
}

caught=0
for wait_for in 0 0.05 0.1 0.2; do
  cp original file
  "$SHUNT" faststart --strategy shift file >out 2>err &
  child=$!
  background+=("$child")
  appears .file.shunt-journal "$child" || { wait "$child" || true; continue; }
  sleep "$wait_for"
  kill -STOP "$child" 2>/dev/null || true
  # Gone when it was too late.
  if [[ -e .file.shunt-journal ]]; then
    # A lease that was taken just before the stop would keep this waiting.
    cat more >>file &
    appender=$!
    kill -CONT "$child"
    wait "$appender"
    caught=$((caught + 1))
    rc=0
    wait "$child" || rc=$?
    # It may have got in when all was done.
    ((rc == 0)) || kept "appended after $wait_for s"
    same <(tail -c "$(stat -c %s more)" file) more "after $wait_for s"
  else
    kill -CONT "$child" 2>/dev/null || true
    wait "$child" || true
  fi
done
((caught > 0)) || skip "never stopped a run in the middle"
