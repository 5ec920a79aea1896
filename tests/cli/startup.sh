#!/usr/bin/env bash
# libavformat costs more to load than the whole job takes: only --verify loads it.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
can_trace || skip "there is no strace, or it may not trace"

cd "$work"
generate plain original
generate already-front front

# opens WANTED ARGUMENT...: which media libraries shunt opens, as a pattern.
opens() {
  local wanted=$1 opened
  shift
  rc=0
  "${traced[@]}" -e trace=openat -o trace "$SHUNT" "$@" >/dev/null 2>err || rc=$?
  ((rc == 0)) || fail "shunt $*: exit $rc: $(said)"
  opened=$(grep -v ENOENT trace | grep -Eo 'lib(av|swresample)[a-z]*|shunt-media' | sort -u | tr '\n' ' ' || true)
  # shellcheck disable=SC2053
  [[ $opened == $wanted ]] || fail "shunt $* opens '$opened'"
}

cp original file
opens "" --version
opens "" faststart --help
opens "" faststart --check front
opens "" faststart --dry-run file
opens "" faststart --strategy copy file
opens "" faststart original -o new
cp original file
opens "*libavformat*shunt-media*" faststart --verify file
check original file
cp original file
expect 0 faststart --verify file
says 'verified'
