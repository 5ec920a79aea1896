#!/usr/bin/env bash
# What is not used is not loaded: libavformat costs more than the whole job takes, and only --verify
# loads it; libcurl and libcrypto are most of what is left, for URLs and for digests.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
can_trace || skip "there is no strace, or it may not trace"

cd "$work"
generate plain original
generate already-front front

# opens WANTED ARGUMENT...: which of these libraries shunt opens, as a pattern.
opens() {
  local wanted=$1 opened
  shift
  rc=0
  "${traced[@]}" -e trace=openat -o trace "$SHUNT" "$@" >/dev/null 2>err || rc=$?
  ((rc == 0)) || fail "shunt $*: exit $rc: $(said)"
  opened=$(grep -v ENOENT trace | grep -Eo 'lib(av|swresample)[a-z]*|shunt-media|libcurl|libcrypto' | sort -u | tr '\n' ' ' || true)
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
opens "" fetch original --range 0-99 -o part
opens "" stream-sink --size 1M --allow-empty --run true -o zeros
opens "libcrypto " stream-sink --size 1M --allow-empty --run true --digest sha256 -o zeros --force
cp original file
opens "*libavformat*shunt-media*" faststart --verify file
check original file
cp original file
expect 0 faststart --verify file
says 'verified'
