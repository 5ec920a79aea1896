#!/usr/bin/env bash
# --verify compares packets, of a file that is in front already too, or it fails.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

cd "$work"
for name in plain already-front external-dref mixed-dref external-all empty-mdat dref-no-location; do
  generate "$name" "$name"
done

# With moov in front, to a file and to a stream, from a file and from a pipe: compared as well.
expect 0 faststart --verify already-front -o new
says 'already.*verified'
same already-front new
rm new
expect 0 --json faststart --verify already-front -o new
if command -v jq >/dev/null; then
  equal "in JSON" "$(json '.files[0] | [.status, .verified] | map(tostring) | join(" ")')" \
    "already true"
fi
rm new
expect 0 faststart --verify - -o new <already-front
says 'already.*verified'
same already-front new
expect 0 faststart --verify - -o - <already-front
says 'already.*verified'
same already-front out
expect 0 faststart --verify plain -o - --force
says 'moved.*verified'
head -c 3000 already-front >cut
expect 4 faststart --verify - -o - <cut
says 'before the end of box'
# In place there is nothing to compare, and nothing to do.
before=$(state already-front)
expect 0 faststart --verify already-front
equal "moov in front" "$(state already-front)" "$before"

# A track in another file: said, in every run, and left out of the comparison.
for name in external-dref mixed-dref; do
  expect 0 faststart "$name" -o new --force
  says 'warning: data of track [12] lies in other files'
  expect 0 faststart --verify "$name" -o new --force
  says 'warning: data of track [12] lies in other files.*not compared'
  says 'moved.*verified'
  expect 0 faststart --dry-run "$name"
  says 'warning: data of track [12] lies in other files'
done
if command -v jq >/dev/null; then
  expect 0 --json faststart external-dref -o new --force
  equal "warnings in JSON" "$(json '.files[0].warnings | length')" 1
fi
# A reference without a location names no other file.
expect 0 faststart --verify dref-no-location -o new --force
says 'moved.*verified'
! grep -q warning err || fail "a warning for dref-no-location: $(said)"
check dref-no-location new

# Nothing to compare: exit 6, and nothing is done.
rm new
for name in external-all empty-mdat; do
  before=$(state "$name")
  expect 6 faststart --verify "$name"
  says 'nothing could be compared: '
  equal "$name" "$(state "$name")" "$before"
  expect 6 faststart --verify "$name" -o new
  [[ ! -e new ]] || fail "$name: there is a new file"
  expect 6 faststart --verify - -o - <"$name"
  silent
  expect 0 faststart "$name" -o new
  rm new
done
expect 6 faststart --verify --dry-run external-all
says 'tracks 1 and 2'
expect 6 faststart --verify --dry-run - -o - <empty-mdat

# What is compared before the edit says nothing of one that then fails, at the journal's size here.
if command -v jq >/dev/null; then
  rc=0
  (ulimit -f 8 && "$SHUNT" --json faststart --verify --strategy shift plain) >out 2>err || rc=$?
  equal "a run that fails behind its first comparison" "$rc" 7
  equal "verified in JSON" "$(json '.files[0].verified')" null
fi
no_leftovers "$work"
