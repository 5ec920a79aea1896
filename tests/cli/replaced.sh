#!/usr/bin/env bash
# A new file takes the place of the file that was read, and of no other: what somebody else puts
# there meanwhile stays.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

cd "$work"
big_file original 64
strategy=copy
for _ in 1 2 3 4 5 6 7 8; do
  cp original file
  "$SHUNT" faststart --strategy "$strategy" file >out 2>err &
  run=$!
  appears .file.shunt-new "$run" || { wait "$run" || true; continue; }
  kill -STOP "$run"
  echo new >other
  mv other file
  kill -CONT "$run"
  rc=0
  wait "$run" || rc=$?
  # Stopped too late, it had already renamed; then its own file was replaced, as by anybody.
  [[ $(cat file) == new ]] || fail "$strategy destroyed the file that had replaced its own"
  if ((rc != 0)); then
    equal "exit of $strategy" "$rc" 8
    says 'changed or replaced by another program'
    no_leftovers .
    exit 0
  fi
done
skip "could not stop a run in the middle"
