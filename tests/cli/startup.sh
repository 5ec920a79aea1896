#!/usr/bin/env bash
# libavformat costs more to load than the whole job takes: only --verify loads it.
source "$(dirname "$0")/lib.sh"
need_command strace

cd "$work"
generate plain original

# opened ARGUMENT...: the names of the libraries that shunt opens.
opened() {
  rc=0
  strace -f -e trace=openat -o trace "$SHUNT" "$@" >/dev/null 2>err || rc=$?
  ((rc == 0)) || fail "shunt $*: exit $rc: $(said)"
  grep -v ENOENT trace | grep -Eo 'lib(av|swresample)[a-z]*|shunt-media' | sort -u | tr '\n' ' ' || true
}

# Sanitizers that check for leaks when the program ends cannot be traced.
export ASAN_OPTIONS=detect_leaks=0 LSAN_OPTIONS=detect_leaks=0
cp original file
equal "opened by --version" "$(opened --version)" ""
equal "opened by --help" "$(opened faststart --help)" ""
equal "opened by --dry-run" "$(opened faststart --dry-run file)" ""
equal "opened by a run" "$(opened faststart --strategy copy file)" ""
equal "opened by -o" "$(opened faststart original -o new)" ""
cp original file
[[ $(opened faststart --verify file) == *libavformat*shunt-media* ]] || fail "--verify does not load libavformat"
check original file
cp original file
expect 0 faststart --verify file
says 'verified'
