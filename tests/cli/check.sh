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

# Silent but for the answer.
expect 1 faststart -q --check plain
silent
expect 1 --json faststart --check already-front plain
if command -v jq >/dev/null; then
  equal "status in JSON" "$(json '[.files[].status] | join(" ")')" "already planned"
fi

# From a pipe.
rc=0 && "$SHUNT" faststart --check - <plain >/dev/null || rc=$?
equal "--check of a pipe, moov behind" "$rc" 1
rc=0 && "$SHUNT" faststart --check - <already-front >/dev/null || rc=$?
equal "--check of a pipe, moov in front" "$rc" 0

equal "files after --check" "$(for f in plain already-front no-moov; do state "$f"; done)" "$before"
no_leftovers "$work"
