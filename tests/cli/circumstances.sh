# shellcheck shell=bash disable=SC2034,SC2154,SC2164
# A command as people use it: on terminals, with little of everything, beside other programs, and where
# nothing may be written. lib.sh has this, so that a new command gets it for little. Its test defines
#
#   fresh      makes what the command works on anew, in the working directory, which is empty
#   command    an array: the arguments of shunt
#   result     holds what came of it against what it has to be, after exit 0; $circumstance says where
#   untouched  the same after another exit; may be left undefined
#   subject    the file that others meddle with, once fresh has run
#
# and calls those of the functions below that make sense for it. In each circumstance the program ends
# in time and not by a signal, exit 0 comes with the result, and any other with a reason.

# ended: judges $rc; what was said is in $work/err.
ended() {
  if ((rc == 124)); then
    fail "$what: it does not end"
  elif ((rc > 128 && rc != 129 && rc != 130 && rc != 143)); then
    fail "$what: it dies of signal $((rc - 128)): $(said)"
  elif ((rc == 0)); then
    result
  else
    [[ -s $work/err ]] || fail "$what: exit $rc, and not a word"
    if declare -F untouched >/dev/null; then untouched; fi
  fi
}

# circumstance NAME FUNCTION [ARGUMENT...]: runs that, which runs the command, in a fresh folder.
circumstance() {
  circumstance=$1 what="shunt ${command[*]}, $1"
  shift
  cd "$work"
  rm -rf here
  mkdir here
  cd here
  fresh
  rc=0
  "$@"
  ended
  cd "$work"
}

plainly() { timeout 120 "$SHUNT" "${command[@]}" >"$work/out" 2>"$work/err" </dev/null || rc=$?; }

# some OUT_OF EACH...: every OUT_OF-th of these in $chosen, or all of them with SHUNT_TEST_FULL. Each call with
# them begins one further on, so that a test that does it often has had all of them.
declare -A turns=()
some() {
  local out_of=$1 i=0 value turn=${turns["$*"]-0}
  turns["$*"]=$((turn + 1))
  shift
  if [[ $full == 1 ]]; then out_of=1; fi
  chosen=()
  for value in "$@"; do
    if (((i++ + turn) % out_of == 0)); then chosen+=("$value"); fi
  done
}

# ---- terminals ----

on_one_terminal() {
  on_terminal "$1" timeout 120 "$SHUNT" "${command[@]}"
  cp "$work/terminal" "$work/err"
  fits $(($1 - 1))
  if [[ ${TERMINAL-} == dumb ]]; then plain; fi
}
on_terminals() {
  local columns
  some 2 80 40 20 dumb
  for columns in "${chosen[@]}"; do
    if [[ $columns == dumb ]]; then
      TERMINAL=dumb circumstance "on a dumb terminal" on_one_terminal 80
    else
      circumstance "on a terminal of $columns columns" on_one_terminal "$columns"
    fi
  done
}

# ---- limits ----

# Standard error is a pipe: a limit on files is not one on what we read here.
within() {
  local limits=("$@")
  (
    ulimit "${limits[@]}"
    exec timeout 120 "$SHUNT" "${command[@]}"
  ) 2>&1 >/dev/null </dev/null | cat >"$work/err" || rc=${PIPESTATUS[0]}
}
within_limits() {
  local limit
  some 2 0 1 64 1000
  for limit in "${chosen[@]}"; do circumstance "files of $limit KiB at most" within -f "$limit"; done
  some 3 4 6 8 10 13 17 24
  for limit in "${chosen[@]}"; do circumstance "$limit descriptors at most" within -n "$limit"; done
  within_memory
}
within_memory() {
  local limit
  if ((sanitized)); then return; fi # sanitizers reserve more than there is
  some 3 20000 40000 80000 120000 200000
  for limit in "${chosen[@]}"; do circumstance "$limit KiB of memory at most" within -v "$limit"; done
}

# ---- beside other programs ----

# meddling: what another program does again and again, until the command has ended. It is told to stop
# rather than killed, since a program that it has started just then would go on.
meddling() { [[ ! -e $work/enough ]]; }
opens() {
  set +e
  while meddling; do
    : <"$1"
    : <>"$1"
  done
}
# A box that is free, so that an MP4 stays one.
readonly kFreeBox='\x00\x00\x00\x08free'
appends() {
  set +e
  # shellcheck disable=SC2059
  while meddling; do printf "$kFreeBox" >>"$1"; done
}
replaces() {
  set +e
  cp -p "$1" "$work/another"
  while meddling; do
    cp -p "$work/another" "$1.another"
    mv -f "$1.another" "$1"
  done
}
locks() { exec flock --no-fork "$1" sh -c "touch '$work/locked'; exec sleep 600"; }

# beside_one FUNCTION: while another process does that to $subject.
beside_one() {
  local other
  rm -f "$work/locked" "$work/enough"
  "$1" "$subject" 2>/dev/null &
  other=$!
  background+=("$other")
  if [[ $1 == locks ]]; then
    appears "$work/locked" "$other" || fail "the lock cannot be had"
  fi
  plainly
  touch "$work/enough"
  if [[ $1 == locks ]]; then kill -KILL "$other"; fi
  wait "$other" 2>/dev/null || true
}
beside_others() {
  local i times=1
  if [[ $full == 1 ]]; then times=3; fi
  for ((i = 0; i < times; ++i)); do
    circumstance "while another program opens it" beside_one opens
    circumstance "while another program appends to it" beside_one appends
    circumstance "while another program replaces it" beside_one replaces
  done
  circumstance "while another program has it locked" beside_one locks
}

# ---- where nothing needs doing, and nothing may be written ----

# read_only DIR: nothing below it can be written, by root either, until the test ends; false where
# that cannot be had.
read_only() {
  local path
  path=$(realpath "$1")
  if ((EUID != 0)); then
    chmod -R a-w "$path"
    return
  fi
  mount --bind "$path" "$path" 2>/dev/null || return
  mounts=("$path" "${mounts[@]}")
  mount -o remount,bind,ro "$path" 2>/dev/null
}
writable() {
  local path
  path=$(realpath "$1")
  if ((EUID != 0)); then
    chmod -R u+w "$path"
    return
  fi
  umount "$path"
  mounts=("${mounts[@]:1}")
}
# without_writing DIR: the command succeeds, with DIR read-only.
without_writing() {
  local at=$1
  circumstance "where nothing may be written" without_writing_here "$at"
}
without_writing_here() {
  read_only "$1" || {
    echo "not tested, nothing can be mounted: $what"
    return
  }
  plainly
  writable "$1"
  ((rc == 0)) || fail "$what: exit $rc: $(said)"
}
