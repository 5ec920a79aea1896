#!/usr/bin/env bash
# stream-sink at a terminal: with its progress shown, a stream ends, and hears signals while it does.
# shellcheck disable=SC2016  # what the commands of --run expand
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

need_command script python3
client="python3 $(realpath "$(dirname "$0")")/nbd_client.py"
cd "$work"
export client SHUNT

# at_terminal COMMAND: runs it with standard error on a terminal; $rc is its exit status.
at_terminal() {
  rc=0
  SHELL=$BASH timeout -s KILL 60 script -qec "$1" /dev/null </dev/null >typed 2>&1 || rc=$?
}

export -f turns
mkfifo pipe
# Nothing is read until the progress has been looked at for a while.
cat >ends.sh <<'END'
"$SHUNT" stream-sink --size 8M --commit at-end --run "$client \"\$unixsocket\" write:0:4194304:1 leave; touch written" >pipe &
sink=$!
exec 8<pipe
until [[ -e written ]]; do kill -0 "$sink" || exit 9; done
turns "$sink" 20
cat <&8 >disk.img
wait "$sink"
echo $? >status
END
for width in 80 20; do
  rm -f status disk.img written
  at_terminal "stty cols $width; bash ends.sh"
  equal "exit at a terminal of $width columns" "$(cat status || true)" 0
  equal "size of what left" "$(stat -c %s disk.img || true)" 8388608
done

# A reader that reads nothing: a signal ends it.
rm written
exec 8<>pipe
cat >stopped.sh <<'END'
"$SHUNT" stream-sink --size 8M --commit at-end \
  --run "$client \"\$unixsocket\" write:0:8388608:1 leave; touch written" >pipe &
sink=$!
until [ -e written ]; do kill -0 "$sink" || exit 9; done
turns "$sink" 15 || exit 8
kill -TERM "$sink"
wait "$sink"
END
at_terminal "bash stopped.sh"
equal "exit when it is stopped while a reader reads nothing" "$rc" 143
exec 8<&-
