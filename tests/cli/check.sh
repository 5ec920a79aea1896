#!/usr/bin/env bash
# --check tells where moov is by its exit status and changes nothing.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

for name in plain already-front no-moov fragmented cmov; do generate "$name" "$work/$name"; done
cd "$work"
before=$(for f in plain already-front no-moov; do state "$f"; done)

expect 0 faststart --check already-front
tells 'already-front: .*in front'
expect 1 faststart --check plain
tells 'plain: .*behind'
expect 1 faststart --check cmov
expect 0 faststart --check fragmented
expect 4 faststart --check no-moov
says 'no-moov: '
expect 7 faststart --check not-there

# Several files: every one has to have it.
expect 0 faststart --check already-front fragmented
expect 1 faststart --check already-front plain fragmented
expect 3 faststart --check already-front no-moov
expect 4 faststart --check no-moov no-moov
expect 3 faststart --check not-there already-front

# Media is where the chunks point, whatever the box is called: from a file and from a pipe.
for name in media-in-unknown-box media-in-free moof-before-moov junk-before-moov; do
  generate "$name" "$name"
  code=1
  [[ $name != junk-before-moov ]] || code=0
  expect "$code" faststart --check "$name"
  rc=0 && "$SHUNT" faststart --check - <"$name" >/dev/null || rc=$?
  equal "--check of a pipe with $name" "$rc" "$code"
  rc=0 && "$SHUNT" faststart - -o - <"$name" >new 2>err || rc=$?
  equal "exit for $name through a pipe" "$rc" 0
  expect 0 faststart --check new
  expect 0 faststart "$name"
  expect 0 faststart --check "$name"
done

# Silent but for the answer.
expect 1 faststart -q --check plain
silent
expect 1 --json faststart --check already-front plain
if command -v jq >/dev/null; then
  equal "status in JSON" "$(json '[.files[].status] | join(" ")')" "already planned"
  equal "front in JSON" "$(json '[.files[].front | tostring] | join(" ")')" "true false"
  equal "what belongs to a dry run" "$(json '[.files[] | keys[] | select(. == "memory" or . == "disk_space")] | length')" 0
  expect 3 --json faststart --check no-moov plain
  equal "front in JSON" "$(json '[.files[].front | tostring] | join(" ")')" "null false"
fi

# --recover does not look where moov is: it says what it did.
for name in plain already-front; do
  expect 0 faststart --recover "$name"
  says "$name: nothing to recover"
  ! grep -q 'already:' err || fail "--recover of $name: $(said)"
done
if command -v jq >/dev/null; then
  expect 0 --json faststart --recover plain
  equal "in JSON" "$(json '.files[0] | [.status, .recovered] | join(" ")')"     "nothing_to_recover nothing"
fi

# From a pipe.
rc=0 && "$SHUNT" faststart --check - <plain >/dev/null || rc=$?
equal "--check of a pipe, moov behind" "$rc" 1
rc=0 && "$SHUNT" faststart --check - <already-front >/dev/null || rc=$?
equal "--check of a pipe, moov in front" "$rc" 0

equal "files after --check" "$(for f in plain already-front no-moov; do state "$f"; done)" "$before"
no_leftovers "$work"
