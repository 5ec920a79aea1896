#!/usr/bin/env bash
# In JSON, error.code is the exit status: of every command, in every case.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_command jq

cd "$work"
for name in plain already-front no-moov external-all; do generate "$name" "$name"; done
export XDG_CACHE_HOME=$work/cache

# matches WHAT: the document on either stream has the exit status $rc, which is not 0.
matches() {
  local document code
  document=$(cat out err | grep -a '^{' | tail -1) || true
  code=$(jq -r '.error.code' <<<"$document" 2>/dev/null) || code="no document"
  [[ $rc != 0 ]] || fail "$1: exit 0"
  equal "error.code of: $1" "$code" "$rc"
}

while read -r arguments; do
  # shellcheck disable=SC2086
  run --json $arguments </dev/null
  matches "$arguments"
done <<'END'
nonsense
faststart
faststart --nonsense plain
faststart --padding -1 plain
faststart --check --dry-run plain
faststart --force plain
faststart -
faststart not-there
faststart no-moov
faststart no-moov no-moov
faststart no-moov already-front
faststart no-moov not-there
faststart --jobs 2 no-moov already-front not-there
faststart plain -o already-front
faststart not-there -o new
faststart no-moov -o -
faststart - -o -
faststart plain -o new --strategy shift
faststart --verify external-all
faststart --check no-moov
faststart --check not-there already-front
faststart --recover not-there
faststart --dry-run no-moov
fetch
fetch not-there
fetch plain -o already-front
fetch plain --range 9-1
fetch plain -o /dev/full
fetch http://127.0.0.1:1/x
fetch --offline http://127.0.0.1:1/x
cache-warm
cache-warm http://127.0.0.1:1/x
cache-warm http://127.0.0.1:1/x http://127.0.0.1:1/y
cache-warm --cache-dir plain http://127.0.0.1:1/x
cache
cache rm nothing-like-that
cache verify nothing-like-that
cache pin nothing-like-that nor-that
cache --nonsense
stream-sink
stream-sink --nonsense
stream-sink --stdin --size x
stream-sink --stdin -o already-front
END

# From the environment and the configuration.
for setting in SHUNT_PADDING=x SHUNT_STRATEGY=fastest SHUNT_CACHE_SIZE=-1; do
  rc=0 && env "$setting" "$SHUNT" --json faststart plain >out 2>err || rc=$?
  matches "$setting"
done
mkdir -p config/shunt
echo 'nonsense = 1' >config/shunt/config.toml
rc=0 && XDG_CONFIG_HOME=$work/config "$SHUNT" --json faststart plain >out 2>err || rc=$?
matches "a wrong configuration"

# The consumer is gone, or has no room.
head -c 1000000 /dev/zero >big
for command in "fetch big -o -" "faststart plain -o -" "stream-sink --stdin"; do
  mkfifo gone
  exec 7<>gone
  exec 8>gone
  exec 7<&-
  rc=0
  # shellcheck disable=SC2086
  "$SHUNT" --json $command >&8 2>err <big || rc=$?
  exec 8>&-
  : >out
  matches "$command to a consumer that is gone"
  rm gone
  rc=0
  # shellcheck disable=SC2086
  "$SHUNT" --json $command >/dev/full 2>err <big || rc=$?
  matches "$command to a full device"
done

# A command that failed: its exit status, whatever a code of that number means.
run --json stream-sink --size 1M -o new --run 'exit 77'
equal "exit of a command that failed" "$rc" 77
matches "stream-sink --run 'exit 77'"

# Stopped by a signal, while it waits for its input.
mkfifo never
exec 9<>never
for signal in INT TERM; do
  for command in "faststart - -o new" "stream-sink --stdin -o new"; do
    # A shell has what it starts in the background ignore SIGINT.
    # shellcheck disable=SC2086
    (
      trap - INT
      exec env --default-signal=INT "$SHUNT" --json $command
    ) <never >out 2>err 9>&- &
    pid=$!
    background+=("$pid")
    # Until its handler is there.
    until [[ $(readlink "/proc/$pid/exe") == "$(realpath "$SHUNT")" ]] &&
      grep -q "^SigCgt:.*[4-7c-f]...$" "/proc/$pid/status"; do
      kill -0 "$pid" || break
    done 2>/dev/null
    kill -"$signal" "$pid"
    gone "$pid" 10 || { fail "$command goes on after SIG$signal" && kill -KILL "$pid"; }
    rc=0
    wait "$pid" || rc=$?
    matches "$command, stopped by SIG$signal"
  done
done
no_leftovers "$work"
