#!/usr/bin/env bash
# Asked to stop while it waits: for a FIFO's reader, for standard input, for whoever reads what it
# writes. It ends soon, with the status of the signal, and leaves nothing. SIGHUP is such a request
# too, but under nohup.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

cd "$work"
generate plain plain
generate already-front front
mkfifo fifo quiet full
# Both ends of each, so that opening one does not wait.
exec 7<>quiet 8<>full

# catches PID: whether it is shunt already, and has its handler of SIGTERM: bit 14 of those caught.
catches() {
  local caught
  [[ /proc/$1/exe -ef $SHUNT ]] || return
  caught=$(sed -n 's/^SigCgt:\t//p' "/proc/$1/status" 2>/dev/null) || return
  [[ -n $caught ]] && ((0x$caught >> 14 & 1))
}

# waits PID: whether it sleeps, and has done nothing else since it was asked for the last time.
waits() {
  local before=${slept-}
  slept=$1$(grep -E '^State:.S|ctxt_switches' "/proc/$1/status" 2>/dev/null) || true
  [[ $slept == *State* && $slept == "$before" ]]
}

# stops SIGNAL CODE WHAT: $child, which has begun, ends by it. The limits only guard against
# hanging: before it has its handlers, it ignores SIGINT, as all that runs in the background does.
stops() {
  local i
  for ((i = 0; i < 500; ++i)); do
    ! catches "$child" || break
    sleep 0.02
  done
  for ((i = 0; i < 500; ++i)); do
    ! waits "$child" || break
    sleep 0.02
  done
  kill -0 "$child" 2>/dev/null || { fail "$3: it has ended before" && return; }
  kill -"$1" "$child"
  exits "$child" "$2" "SIG$1, $3" 60
}

# begins ARGUMENT...: shunt in the background.
begins() {
  # Not into a subshell: $! has to be the program.
  "$SHUNT" "$@" <&7 >&8 2>err &
  child=$!
  background+=("$child")
}

big_file big 4
for pair in INT:130 TERM:143 HUP:129; do
  signal=${pair%:*} code=${pair#*:}
  for command in "faststart plain" "faststart front" "fetch plain"; do
    # shellcheck disable=SC2086
    begins $command -o fifo
    stops "$signal" "$code" "$command into a FIFO without a reader"
    says 'interrupted'
  done
  for command in "faststart - -o -" "faststart - -o new" "fetch - -o new" "cache-warm --cache-dir cache --from -"; do
    # shellcheck disable=SC2086
    begins $command
    stops "$signal" "$code" "$command, when nothing comes"
    says 'interrupted|stopped'
  done
  # After the first bytes, too: those of a file that passes through, and of one that is spooled.
  for name in front plain; do
    head -c 64 "$name" >&7
    begins faststart - -o new
    stops "$signal" "$code" "the rest of $name does not come"
  done
  for command in "faststart big -o -" "fetch big"; do
    # shellcheck disable=SC2086
    begins $command
    stops "$signal" "$code" "$command, which nobody reads"
    says 'interrupted'
    dd if=/dev/fd/8 iflag=nonblock bs=1M of=/dev/null status=none 2>/dev/null || true # what it had written
  done
done
[[ ! -e new ]] || fail "what was given up has left a file"
no_leftovers .

# ---- a terminal that goes away ----
# held COMMAND...: runs it until its hidden file is there, and holds it.
held() {
  "$@" 2>err &
  child=$!
  background+=("$child")
  appears .out.shunt-new "$child" || { wait "$child" || true; return 1; }
  kill -STOP "$child"
  [[ -e .out.shunt-new ]]
}
big_file large 256
for command in "faststart --strategy copy large -o out" "fetch large -o out"; do
  rm -f out
  # shellcheck disable=SC2086
  if held "$SHUNT" $command; then
    kill -HUP "$child"
    kill -CONT "$child"
    rc=0
    wait "$child" || rc=$?
    equal "exit of $command on SIGHUP" "$rc" 129
    says 'out has not been written'
    no_leftovers .
  else
    echo "too fast: $command"
  fi
  rm -f out
  if held env -- bash -c 'trap "" HUP; exec "$@"' - "$SHUNT" $command; then
    kill -HUP "$child"
    kill -CONT "$child"
    rc=0
    wait "$child" || rc=$?
    equal "exit of $command on SIGHUP, ignored" "$rc" 0
    [[ -s out ]] || fail "$command, SIGHUP ignored: no result"
    no_leftovers .
  fi
done
