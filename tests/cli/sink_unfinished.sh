#!/usr/bin/env bash
# COMMAND of --run ends with 0, and a client of the disk was not done: it is still there, was killed,
# or went without a flush behind its last write. So it is when nobody wrote. All of it is exit 1, with
# how far it came, and no output.
# shellcheck disable=SC2016  # what the commands of --run expand
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/sinks.sh
source "$(dirname "$0")/sinks.sh"
need_command python3 nbdcopy qemu-img setsid
client="python3 $(realpath "$(dirname "$0")")/nbd_client.py"
export client
cd "$work"
head -c 16M /dev/urandom >random

# ends CODE COMMAND OPTION...: a disk of 16 MiB that COMMAND writes to.
ends() {
  local code=$1
  what="$2, ${*:3}"
  expect "$code" stream-sink --size 16M -o disk.img --run "$2" "${@:3}"
  if ((code == 0)); then [[ -e disk.img ]] || fail "$what: no output"; else
    [[ ! -e disk.img ]] || fail "$what: there is an output"
  fi
}

for policy in auto window at-end; do
  # ---- those who are not done ----
  # Killed, within a request or between two.
  ends 1 '(exec $client "$unixsocket" write:0:65536:1 die); true' --commit $policy
  says 'disconnected without NBD_CMD_DISC, without flushing 64.0 KiB of the 64.0 KiB that it had written'
  says '64.0 KiB written'
  ends 1 '(exec $client "$unixsocket" write:0:65536:1 flush begin:65536:65536:100 die); true' --commit $policy
  says 'in the middle of a request'
  # Gone without a word, by itself.
  ends 1 '$client "$unixsocket" write:0:65536:1 flush write:65536:4096:1' --commit $policy
  says 'disconnected without NBD_CMD_DISC, without flushing 4.00 KiB of the 68.0 KiB that it had written'
  # Still there, for longer than it has.
  ends 1 'setsid -f $client "$unixsocket" write:0:65536:1 touch:here until:never >said 2>&1; until [ -e here ]; do sleep 0.02; done' \
    --commit $policy --return-time 200ms
  says 'still connected, without flushing 64.0 KiB of the 64.0 KiB that it had written'
  says '0\.2 s to finish \(--return-time\)'
  rm here
  # One that was done does not stand for another one.
  ends 1 '(exec $client "$unixsocket" write:0:65536:1 die); nbdcopy random "$uri"' --commit at-end
  says 'without flushing 64.0 KiB of the 64.0 KiB'
  # It reads slowly, and is killed at its work.
  ends 1 '{ head -c 4M random; touch begun; exec sleep 100; } | nbdcopy - "$uri" & c=$!
    until [ -e begun ]; do sleep 0.02; done; kill -KILL $c; true' --commit $policy
  says 'disconnected without NBD_CMD_DISC'
  rm begun

  # ---- those who are ----
  ends 0 'nbdcopy random "$uri"' --commit $policy
  same disk.img random "$what"
  rm disk.img
  # Over two connections, one after the other.
  ends 0 'qemu-img convert -f raw -O raw random "$uri"' --commit $policy
  same disk.img random "$what"
  rm disk.img
  ends 0 '$client "$unixsocket" write:0:65536:1 flush' --commit $policy
  rm disk.img
  ends 0 '(exec $client "$unixsocket" write:0:65536:1 flush die); true' --commit $policy
  rm disk.img
  # Those that the command leaves behind may finish, and come again meanwhile.
  ends 0 'setsid -f $client "$unixsocket" write:0:4096:1 touch:here ended:$$ turns:$PPID:15 write:4096:4096:1 leave again copy:random leave >said 2>&1
    until [ -e here ]; do sleep 0.02; done' --commit at-end --return-time 60
  same disk.img random "$what"
  rm disk.img here
  # Several at once.
  ends 0 'for i in 0 1 2 3; do $client "$unixsocket" write:$((i << 20)):1048576:$i flush leave & done; wait' --commit at-end
  rm disk.img
done

# ---- one that has only connected when the command ends ----
cat >slow.py <<'END'
import sys
from nbd_client import DISCONNECT, Client, act
client = Client(sys.argv[1])
open("here", "w").close()
act(client, f"ended:{sys.argv[2]}")
act(client, f"turns:{sys.argv[3]}:15")
client.go()
assert act(client, "write:0:16777216:2")
client.send(client.header(DISCONNECT))
END
scripts=$(dirname "${client#* }")
export scripts
ends 0 '$client "$unixsocket" write:0:4096:1 leave
  PYTHONPATH=$scripts PYTHONDONTWRITEBYTECODE=1 setsid -f python3 slow.py "$unixsocket" $$ $PPID >said 2>&1
  until [ -e here ]; do sleep 0.02; done' --commit at-end --return-time 60
equal "$what: bytes of the first" "$(tr -d '\2' <disk.img | wc -c)" 0
rm disk.img here

# ---- nobody wrote ----
for command in : 'nbdinfo --size "$uri" >said' '$client "$unixsocket" read:0:512 flush leave'; do
  ends 1 "$command"
  says 'nothing was written to the disk'
  ends 0 "$command" --allow-empty
  equal "$what: bytes" "$(tr -d '\0' <disk.img | wc -c)" 0
  rm disk.img
done
# Zeros and TRIM are changes, whatever they leave.
for change in zero trim; do
  ends 0 "\$client \"\$unixsocket\" $change:0:16777216 leave"
  rm disk.img
done

# ---- stopped while one that was left behind goes on ----
"$SHUNT" stream-sink --size 16M -o disk.img --return-time 1h \
  --run 'setsid -f $client "$unixsocket" write:0:65536:1 touch:here until:never >said 2>&1
    until [ -e here ]; do sleep 0.02; done; echo $$ >shell' 2>err &
sink=$!
background+=("$sink")
until [[ -s shell ]]; do kill -0 "$sink" || break; done
gone "$(<shell)" 60 || fail "the command goes on"
kill -TERM "$sink"
exits "$sink" 143 "stopped behind the command" 60
[[ ! -e disk.img ]] || fail "stopped behind the command: there is an output"
touch never

expect 2 stream-sink --size 16M -o disk.img --run : --return-time -1
says 'span of time'
expect 2 stream-sink --size 16M -o disk.img --run : --return-time soon
no_leftovers .
