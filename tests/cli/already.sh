#!/usr/bin/env bash
# A file with moov in front needs nothing: exit 0, untouched to the time stamp.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

cd "$work"
for name in already-front already-front-free fragmented; do
  generate "$name" "$name"
  before=$(state "$name")
  for strategy in auto reserve insert reflink copy shift; do
    expect 0 faststart --strategy "$strategy" "$name"
    says "$name: already"
    equal "$name after --strategy $strategy" "$(state "$name")" "$before"
  done
  expect 0 faststart --verify "$name"
  equal "$name after --verify" "$(state "$name")" "$before"
  expect 0 faststart "$name" -o copy
  same copy "$name"
  rm copy
done

# A file that was moved is one that has it in front.
generate plain plain
expect 0 faststart plain
says 'plain: moved'
before=$(state plain)
expect 0 faststart plain
says 'plain: already'
equal "a moved file after another run" "$(state plain)" "$before"
expect 0 faststart plain already-front
expect 0 faststart -q plain
[[ ! -s $work/err ]] || fail "-q is not quiet: $(said)"
no_leftovers "$work"
