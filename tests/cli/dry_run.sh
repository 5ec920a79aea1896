#!/usr/bin/env bash
# --dry-run prints the plan and what it costs, names every strategy, and changes nothing at all.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

cd "$work"
mkdir at
for name in plain reserve-roomy already-front no-moov cross-4g-one; do generate "$name" "at/$name"; done
touch -d '2002-03-04 05:06:07' at/*
# shellcheck disable=SC2012
look() { ls -lA --time-style=full-iso at; stat -c '%n %y %z %i' at at/*; for f in at/[anpr]*; do sha256sum "$f"; done; }
before=$(look)

expect 0 faststart -n at/plain
for word in reserve insert reflink copy shift 'new moov' 'shift  ' reads writes memory 'disk space' \
  'padding' "$(stat -c %s at/plain) -> "; do
  tells "$word"
done
equal "chosen strategies" "$(grep -c '^  > ' out)" 1
tells '^  . reserve +no .*free box'
expect 0 faststart --dry-run at/reserve-roomy
tells '^  > reserve +yes'
for strategy in copy shift; do
  expect 0 faststart --dry-run --strategy "$strategy" at/plain
  tells "^  > $strategy +yes"
done
expect 0 faststart --dry-run at/cross-4g-one
tells '1 tables? becomes? co64'
expect 0 faststart --dry-run at/already-front
! grep -q '^  > ' out || fail "a plan for a file that needs none"
expect 4 faststart --dry-run at/no-moov
expect 0 faststart --dry-run at/plain -o at/new
tells copy
[[ ! -e at/new ]] || fail "-n -o has written a file"
expect 3 faststart --dry-run at/plain at/no-moov at/reserve-roomy

# Into another file, what has moov in front is copied all the same: what that takes is told, and
# what keeps the run from it.
for out in new -; do
  expect 0 faststart --dry-run at/already-front -o "$out"
  says 'at/already-front: in front already: would be copied, [0-9.]+ .?i?B read, 4.77 KiB written'
done
for source in at/already-front at/plain; do
  for dry in -n ''; do
    rc=0
    # shellcheck disable=SC2086
    (ulimit -f 1 && "$SHUNT" faststart $dry "$source" -o new) >out 2>err || rc=$?
    equal "exit of '$dry $source' under a limit on sizes" "$rc" 7
  done
done

# A file that somebody holds may be looked at.
if command -v flock >/dev/null; then
  exec 9>>at/plain
  run faststart --dry-run at/plain
  [[ $rc == 0 || $rc == 8 ]] || fail "a dry run of a file that is being written: exit $rc"
  exec 9>&-
fi
equal "the folder" "$(look)" "$before"

# What it costs is what it is said to cost, but for the journal.
big_file big 1
# costs WHAT ARGUMENT...: of `faststart -n` and `faststart`, with `now` as a copy of big.
costs() {
  local what=$1 reads writes read written
  shift
  rm -f new
  cp big now
  "$SHUNT" --json faststart -n "$@" >planned 2>err <big || fail "no plan, $what"
  "$SHUNT" --json faststart "$@" >done 2>err <big || fail "no run, $what: $(said)"
  [[ ${!#} != - ]] || cp err done
  read -r reads writes < <(jq -r '.files[0] | "\(.bytes_read) \(.bytes_written)"' planned)
  read -r read written < <(jq -r '.files[0] | "\(.bytes_read) \(.bytes_written)"' done)
  ((read >= reads && read <= reads + 2048)) || fail "$what: $reads are to be read, and $read were"
  ((written >= writes && written <= writes + 65536)) || fail "$what: $writes are to be written, and $written were"
}
if command -v jq >/dev/null; then
  for strategy in auto copy shift; do costs "$strategy" --strategy "$strategy" now; done
  costs "into a file" now -o new
  costs "into a stream" now -o -
  costs "of a pipe into a file" - -o new
fi

# What is planned is what happens.
if command -v jq >/dev/null; then
  for strategy in copy shift; do
    cp at/plain now
    expect 0 --json faststart -n --strategy "$strategy" now
    planned=$(json '.files[0] | [.size_before, .size_after, .moov_size, .shift, .padding, .co64_upgraded] | join(" ")')
    expect 0 --json faststart --strategy "$strategy" now
    equal "plan and result of $strategy" \
      "$(json '.files[0] | [.size_before, .size_after, .moov_size, .shift, .padding, .co64_upgraded] | join(" ")')" "$planned"
    equal "size after $strategy" "$(json '.files[0].size_after')" "$(stat -c %s now)"
  done
fi
