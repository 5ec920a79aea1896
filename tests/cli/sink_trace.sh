#!/usr/bin/env bash
# --trace FILE never empties a file that is there, and is there only when it is whole.
# shellcheck disable=SC2016  # what the commands of --run expand
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

need_command python3
client="python3 $(realpath "$(dirname "$0")")/nbd_client.py"
cd "$work"
export client
writes='$client "$unixsocket" write:0:65536:1 leave'

echo precious >there
ln -s there link
ln -s nowhere dangling
for name in there link dangling; do
  expect 7 stream-sink --size 1M -o /dev/null --trace $name --run 'touch begun'
  says "$name: .*exists"
  [[ ! -e begun ]] || fail "the command is started, and $name is there"
done
equal "what was there" "$(<there)" precious
expect 7 stream-sink --size 1M -o /dev/null --trace nowhere/trace --run 'touch begun'
[[ ! -e begun ]] || fail "the command is started without a folder for the trace"

# While it is written it has no name.
expect 0 stream-sink --size 1M -o /dev/null --trace trace --run "$writes; test ! -e trace"
equal "lines" "$(wc -l <trace)" 1
# Nor does a run that is killed leave one.
"$SHUNT" stream-sink --size 1M -o /dev/null --trace killed --run "$writes; echo \$\$ >command; touch written; exec sleep 100" 2>err &
sink=$!
background+=("$sink")
appears written "$sink" || fail "it does not write: $(said)"
[[ ! -e killed ]] || fail "a trace is there before it is whole"
kill -KILL "$sink"
wait "$sink" 2>/dev/null || true
kill "$(<command)"
[[ ! -e killed ]] || fail "a run that was killed leaves a trace"
rm -f .killed*

# A stream that fails has one, of all that came.
expect 3 stream-sink --size 1M -o disk.img --trace failed --run "$writes; exit 3"
equal "lines of a run that failed" "$(wc -l <failed)" 1
[[ ! -e disk.img ]] || fail "a run that failed leaves an output"

for out in disk.img -; do
  run stream-sink --size 1M -o $out --force --trace there --run "$writes"
  equal "exit with --force, -o $out" "$rc" 0
  grep -q '"command":"write"' there || fail "--force does not replace the trace: $(<there)"
  echo precious >there
done
expect 2 stream-sink --size 1M --force --run :

# Streams are written as they are.
mkfifo fifo
cat fifo >came &
expect 0 stream-sink --size 1M -o /dev/null --trace fifo --run "$writes"
wait
equal "lines through a FIFO" "$(wc -l <came)" 1
[[ -p fifo ]] || fail "the FIFO is gone"
expect 0 -q stream-sink --size 1M -o /dev/null --trace /dev/stderr --run "$writes"
says '"command":"write"'

# A reader that takes nothing: a signal ends the wait for it, without a command the second one, as the
# first is the end of the stream.
# Lines for 3 MiB, and a pipe has room for 1.
for trace in /dev/fd/9 stalled; do
  mkfifo stalled
  exec 9<>stalled
  "$SHUNT" stream-sink --size 16M -o /dev/null --trace $trace \
    --run 'exec $client "$unixsocket" scatter:30000:512 leave' 2>err &
  sink=$!
  background+=("$sink")
  pipe_fills 9 "$sink"
  kill -TERM "$sink"
  exits "$sink" 143 "--trace $trace, which nobody reads, --run" 60
  exec 9<&-
  rm stalled

  mkfifo stalled
  exec 9<>stalled
  "$SHUNT" stream-sink --size 16M --listen "unix:$work/disk.sock" -o /dev/null --trace $trace 2>err &
  sink=$!
  background+=("$sink")
  listens "$work/disk.sock" "$sink" || fail "--trace $trace: it does not listen: $(said)"
  $client "$work/disk.sock" scatter:30000:512 leave >said 2>&1 &
  background+=($!)
  pipe_fills 9 "$sink"
  kill -TERM "$sink"
  turns "$sink" || fail "--trace $trace: the first signal gives it up"
  kill -TERM "$sink"
  exits "$sink" 143 "--trace $trace, which nobody reads" 60
  exec 9<&-
  rm stalled
done

# A trace is text: it may go to a terminal. It does not go where the image goes, or the report.
on_terminal 80 "$SHUNT" stream-sink --size 1M --allow-empty --run true -o on-terminal.img --trace /dev/stderr
equal "exit, --trace /dev/stderr on a terminal" "$rc" 0
expect 2 stream-sink --size 1M --allow-empty --run true --trace -
expect 2 --json stream-sink --size 1M --allow-empty --run true -o more.img --trace /dev/stdout
[[ ! -e more.img && ! -e ./- ]] || fail "a refused --trace leaves a file"
expect 0 stream-sink --size 1M --run "\$client \"\$unixsocket\" write:0:512:1 leave" -o more.img --trace -
tells '"command":"WRITE"|"command":"write"'
no_leftovers .
