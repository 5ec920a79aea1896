#!/usr/bin/env bash
# Standard output that cannot be written: a full disk, or none at all. What should have gone there
# is lost, and that is no success. A reader that has had enough of a listing is none's fault.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
[[ -e /dev/full ]] || skip "there is no /dev/full"

cd "$work"
export SHUNT_CACHE_DIR=$work/cache
generate plain plain
generate already-front front

# lost ARGUMENT...: exit 7 and a word on standard error, whichever way standard output is lost.
lost() {
  rc=0
  "$SHUNT" "$@" >/dev/full 2>err || rc=$?
  equal "exit of shunt $* into a full device" "$rc" 7
  [[ -s err ]] || fail "shunt $* into a full device: not a word"
  rc=0
  "$SHUNT" "$@" >&- 2>err || rc=$?
  equal "exit of shunt $* without a standard output" "$rc" 7
  [[ -s err ]] || fail "shunt $* without a standard output: not a word"
}

for arguments in --help --version "faststart --help" "help cache" "faststart plain -o -" "faststart front -o -" "fetch plain" "fetch plain --range 0-9" \
  "faststart -n plain" "--json faststart -n plain" "faststart --check front" "--json faststart --check front" \
  "--json faststart front" "--json fetch front -o got --force" "cache stat" "--json cache stat" \
  "--json cache ls" "--json cache verify" "--json cache gc --max-size 0"; do
  # shellcheck disable=SC2086
  lost $arguments
done
for arguments in "faststart - -o -" "faststart - -o /dev/stdout"; do
  for name in plain front; do
    rc=0
    # shellcheck disable=SC2086
    "$SHUNT" $arguments <"$name" >/dev/full 2>err || rc=$?
    equal "$arguments <$name into a full device" "$rc" 7
  done
done

# What failed anyway says so, and not that words were lost.
rc=0
"$SHUNT" --json faststart missing front >/dev/full 2>err || rc=$?
equal "some failed, into a full device" "$rc" 3

# A listing that nobody reads to its end.
set +o pipefail
{
  rc=0
  "$SHUNT" --json cache stat 2>err || rc=$?
  echo "$rc" >status
} | true
set -o pipefail
equal "a listing into a closed pipe" "$(cat status)" 0
