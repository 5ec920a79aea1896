#!/usr/bin/env bash
# What goes wrong while a disk leaves as a stream is the exit status, and said: consumers, clients
# and commands that go away, full memories and file systems, signals. No file appears after it.
# shellcheck disable=SC2016  # what the commands of --run expand
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

need_command python3 nbdcopy
client="python3 $(realpath "$(dirname "$0")")/nbd_client.py"
cd "$work"
export XDG_RUNTIME_DIR=$work/run client
mkdir run
head -c 8M /dev/urandom >random
mkfifo pipe

# consumer COMMAND: a reader of the pipe, in the background.
consumer() {
  bash -c "exec $1" <pipe >consumed &
  reader=$!
  background+=("$reader")
}

# starts ARGUMENT...: stream-sink into the pipe, in the background.
starts() {
  rm -f err begun written gone
  "$SHUNT" stream-sink "$@" >pipe 2>err &
  sink=$!
  background+=("$sink")
}

# ends CODE WHAT: the sink ends so. The time only guards against hanging.
ends() { exits "$sink" "$1" "$2" 60; }

there() { appears "$1" "$sink" || fail "no $1: $(said)"; }
listening() { listens "$work/disk.sock" "$sink" || fail "it does not listen: $(said)"; }
goes() {
  kill -KILL "$reader"
  wait "$reader" 2>/dev/null || true
}

# ---- a consumer that goes away ----
consumer 'sleep 100'
starts --size 8M --listen "unix:$work/disk.sock"
listening
goes
ends 7 "a consumer that goes before a client comes"
says 'Broken pipe'
[[ ! -e disk.sock ]] || fail "a socket is left behind"

consumer 'sleep 100'
starts --size 8M --run 'touch begun; until [ -e gone ]; do sleep 0.02; done; nbdcopy random "$uri"'
there begun
goes
touch gone
ends 1 "a consumer that goes before the command writes"
says 'Broken pipe'

consumer 'head -c 1000000'
starts --size 64M --commit window --window 0 --listen "unix:$work/disk.sock"
listening
head -c 64M /dev/urandom >large
! nbdcopy large 'nbd+unix:///?socket=disk.sock' 2>/dev/null || fail "a client does not see that the consumer has gone"
ends 7 "a consumer that goes while the client writes"
says 'Broken pipe'
rm large

consumer 'sleep 100'
starts --size 8M --commit window --window 0 \
  --run '$client "$unixsocket" write:0:4194304:1 touch:written until:gone leave'
there written
goes
touch gone
ends 7 "a consumer that goes after the last write"
says 'Broken pipe'

for commit in "at-end" "window --window 0"; do
  consumer 'sleep 100'
  # shellcheck disable=SC2086
  starts --size 64k --commit $commit --run '$client "$unixsocket" write:0:65536:1 leave; touch written'
  exec 8<>pipe
  pipe_holds 8 65536 "$sink"
  exec 8<&-
  goes
  ends 7 "a consumer that goes and leaves all in the pipe, $commit"
  says 'Broken pipe|has closed the pipe with 65536 bytes unread' # the first when it was slow
done

# ---- a consumer that stops reading ----
# drain: takes what is in the pipe, all of it and no more, however long that takes.
drain() {
  python3 -c '
import array, fcntl, os, termios
waiting = array.array("i", [0])
while not fcntl.ioctl(8, termios.FIONREAD, waiting) and waiting[0] > 0:
    os.read(8, waiting[0])'
}
# More than the backlog is held only until the end.
exec 8<>pipe
for pair in INT:130 TERM:143 HUP:129; do
  signal=${pair%:*} code=${pair#*:}
  starts --size 8M --commit at-end --listen "unix:$work/disk.sock"
  listening
  $client disk.sock write:0:8388608:1 leave || fail "a client: exit $?"
  kill -"$signal" "$sink"
  turns "$sink" || fail "the first SIG$signal gives the stream up"
  kill -"$signal" "$sink"
  ends "$code" "a second SIG$signal"
  says 'interrupted'
  drain

  starts --size 8M --commit at-end --listen "unix:$work/disk.sock"
  listening
  nbdcopy random 'nbd+unix:///?socket=disk.sock'
  kill -"$signal" "$sink"
  head -c 8M <&8 >disk.img
  ends 0 "one SIG$signal, and a consumer that goes on"
  same disk.img random "after SIG$signal"
done
exec 8<&-
rm disk.img

# ---- clients ----
# until_gone WORDS ACTION...: a disk for one client that does so. WORDS: what is wrong with that, or
# nothing.
until_gone() {
  local words=$1 code=0
  [[ -z $words ]] || code=1
  shift
  rm -f disk.img
  "$SHUNT" stream-sink --size 8M --listen "unix:$work/disk.sock" --until-disconnect --return-time 0.5 -o disk.img 2>err &
  sink=$!
  background+=("$sink")
  listening
  # In a shell of its own, which says nothing of its end.
  { (exec $client disk.sock "$@") >said 2>&1 || true; } 2>/dev/null
  ends "$code" "a client that does $*"
  if ((code == 0)); then [[ -e disk.img ]] || fail "$*: no output"; else
    says "$words"
    says 'NBD_CMD_DISC' # what to do
    [[ ! -e disk.img ]] || fail "$*: there is an output"
  fi
}
until_gone '' write:0:65536:1 leave
until_gone 'in the middle of a request' begin:0:1048576:1000 die
until_gone 'without flushing 64.0 KiB of the 64.0 KiB' write:0:65536:1 die
# Some never take leave. A flush at their end says that they are done.
until_gone '' write:0:65536:1 flush die
until_gone '' write:0:65536:1 trim:0:4096 flush read:0:512 die
until_gone 'without flushing 4.00 KiB of the 68.0 KiB' write:0:65536:1 flush zero:0:4096 die
until_gone 'in the middle of a request' write:0:65536:1 flush begin:0:1048576:1000 die

# A write that is refused, whatever is granted afterwards and however the client goes.
for option in "--run" "--until-disconnect"; do
  for write in write:8388608:65536:1 write:8323072:131072:1; do
    rm -f disk.img
    if [[ $option == --run ]]; then
      expect 1 stream-sink --size 8M -o disk.img --run "\$client \"\$unixsocket\" write:0:65536:1 $write flush leave || true"
    else
      "$SHUNT" stream-sink --size 8M --listen "unix:$work/disk.sock" --until-disconnect --return-time 0.5 -o disk.img 2>err &
      sink=$!
      background+=("$sink")
      listening
      $client disk.sock write:0:65536:1 $write flush leave >said || true
      grep -q 'No space left' said || fail "$write: the client is told: $(<said)"
      ends 1 "$write, $option"
    fi
    says "a client's write of .* was refused \(ENOSPC\)"
    says '--size'
    [[ ! -e disk.img ]] || fail "$write, $option: there is an output"
  done
done
# Zeroes beyond the end are no reason to fail: clients try.
expect 0 stream-sink --size 8M -o disk.img --run '$client "$unixsocket" write:0:65536:1 zero:8388608:4096 leave || true'
rm disk.img

# A server that cannot go on does not let anybody wait for it.
# A sanitizer looks at memory by means of a pipe, which cannot be made then.
if [[ ${SHUNT_SANITIZED-0} == 0 ]] && command -v prlimit >/dev/null; then
  "$SHUNT" stream-sink --size 8M --listen "unix:$work/disk.sock" --until-disconnect -o disk.img 2>err &
  sink=$!
  background+=("$sink")
  until grep -q 'serving at' err; do kill -0 "$sink" 2>/dev/null || fail "it does not serve: $(said)"; done
  prlimit --pid "$sink" --nofile=1:
  ends 7 "a server that fails"
  says 'poll: '
  [[ ! -e disk.img ]] || fail "a server that fails leaves a file"
  "$SHUNT" stream-sink --size 8M -o disk.img \
    --run '$client "$unixsocket" write:0:512:1 touch:begun until:gone write:0:512:1 >said' 2>err &
  sink=$!
  background+=("$sink")
  there begun
  prlimit --pid "$sink" --nofile=1:
  # The command waits for it no longer.
  ends 7 "a server that fails, with a command"
  says 'poll: '
  [[ ! -e disk.img ]] || fail "a server that fails leaves a file"
  rm begun

  # One that cannot start: no command is started that would wait for it.
  for few in 5 6 7 8; do
    rc=0
    (ulimit -n "$few" && exec "$SHUNT" stream-sink --size 8M -o disk.img \
      --run 'touch begun; nbdcopy random "$uri"') 2>err || rc=$?
    if ((rc == 0)); then
      same disk.img random "with $few descriptors"
      rm disk.img begun
    else
      equal "exit with $few descriptors" "$rc" 7
      says 'Too many open files'
      [[ ! -e begun ]] || fail "with $few descriptors, the command is started"
      [[ ! -e disk.img ]] || fail "with $few descriptors, there is a file"
    fi
  done

  # A client with several connections, not all of which can be: it is not left to wait for ever.
  rc=0
  (ulimit -S -n 10 && exec timeout 60 "$SHUNT" stream-sink --size 8M --commit at-end -o disk.img \
    --run 'prlimit --nofile=1024 nbdcopy random "$uri"') 2>err || rc=$?
  if ((rc == 0)); then same disk.img random "with 10 descriptors"; else
    equal "exit, several connections and 10 descriptors" "$rc" 1
    [[ ! -e disk.img ]] || fail "several connections and 10 descriptors: there is a file"
  fi
  rm -f disk.img

  # Clients for which there is no descriptor have their turn when others have gone.
  "$SHUNT" stream-sink --size 8M --listen "unix:$work/disk.sock" --until-disconnect --return-time 0.5 \
    -o disk.img 2>err &
  sink=$!
  background+=("$sink")
  listening
  PYTHONPATH=$(dirname "${client#* }") PYTHONDONTWRITEBYTECODE=1 python3 - "$sink" <<'END' || fail "few descriptors: $(said)"
import os, resource, sys
from nbd_client import DISCONNECT, Client, act
taken = set(map(int, os.listdir(f"/proc/{sys.argv[1]}/fd")))
most = [number for number in range(1000) if number not in taken][4]
resource.prlimit(int(sys.argv[1]), resource.RLIMIT_NOFILE, (most, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
there = []
for i in range(30):
    client = Client("disk.sock")
    client.socket.settimeout(0.3)
    try:
        client.go()
        assert act(client, f"write:{i * 4096}:4096:1")
    except OSError:
        break
    client.socket.settimeout(30)
    there.append(client)
assert 0 < len(there) < 30, len(there)
for one in there:
    one.send(one.header(DISCONNECT))
    one.socket.close()
last = Client("disk.sock").go()
assert act(last, "write:1048576:4096:1") and act(last, "flush")
last.send(last.header(DISCONNECT))
END
  ends 0 "more clients than descriptors"
  equal "how often it is said" "$(grep -c 'accept a client: Too many open files' err)" 1
  rm disk.img
fi

for pair in '$client "$unixsocket" begin:0:1048576:1000 die|137' 'exit 3|3' 'kill -TERM $$|143' \
  'kill -SEGV $$|139' '/nowhere/at/all|127'; do
  command=${pair%|*} code=${pair#*|}
  expect "$code" stream-sink --size 8M -o disk.img --run "$command"
  says "ended with status $code"
  [[ ! -e disk.img ]] || fail "a command that failed ($command) leaves a file"
done

# The command's children have nothing of the stream: who reads it sees its end.
timeout 60 "$SHUNT" stream-sink --size 1M --allow-empty --run 'sleep 100 & echo $! >daemon' 2>err | timeout 60 cat >disk.img ||
  fail "a command that leaves a daemon behind: $(said)"
exec 9>ninth
timeout 60 "$SHUNT" stream-sink --size 1M --allow-empty -o /dev/fd/9 --run 'ls -l /proc/self/fd >listed' 2>err ||
  fail "-o /dev/fd/9: $(said)"
! grep -q ninth listed || fail "the command has inherited the output"
exec 9>&-
kill "$(<daemon)"
equal "size of the output" "$(stat -c %s disk.img)" 1048576
rm disk.img

"$SHUNT" stream-sink --size 8M -o disk.img --run 'echo $$ >begun; exec sleep 100' 2>err &
sink=$!
background+=("$sink")
until [[ -s begun ]]; do kill -0 "$sink" || break; done
kill -INT "$sink"
ends 130 "SIGINT with a command"
! kill -0 "$(<begun)" 2>/dev/null || fail "the command goes on"
[[ ! -e disk.img ]] || fail "SIGINT leaves a file"

# All that the command has started is told, where no terminal does that.
sleeper="sh -c 'echo \$\$ >begun; exec sleep 100'"
for pair in INT:130 TERM:143 HUP:129; do
  signal=${pair%:*} code=${pair#*:}
  rm begun
  setsid "$SHUNT" stream-sink --size 8M -o disk.img --run "$sleeper | cat" 2>err &
  sink=$!
  background+=("$sink")
  until [[ -s begun ]]; do kill -0 "$sink" || break; done
  kill -"$signal" "$sink"
  ends "$code" "SIG$signal with a pipeline"
  gone "$(<begun)" 60 || fail "SIG$signal: a part of the pipeline goes on"
done
# What does not heed the first is killed by the second.
rm begun
setsid "$SHUNT" stream-sink --size 8M -o disk.img --run "trap '' TERM; $sleeper | cat" 2>err &
sink=$!
background+=("$sink")
until [[ -s begun ]]; do kill -0 "$sink" || break; done
kill -TERM "$sink"
turns "$sink" || fail "the first SIGTERM ends it"
kill -0 "$(<begun)" || fail "the first SIGTERM kills"
kill -TERM "$sink"
ends 143 "a second SIGTERM with a pipeline"
gone "$(<begun)" 60 || fail "a second SIGTERM: a part of the pipeline goes on"

# From the foreground of a terminal, a command is there too: it can be typed to, and interrupted.
rm begun
cat >terminal.py <<'END'
import os, pty, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
os.write(terminal, b"words\n")
while not (os.path.exists("begun") and os.path.getsize("begun")):
    time.sleep(0.02)
os.write(terminal, b"\3")
try:
    while os.read(terminal, 4096):
        pass
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
rc=0
timeout 60 python3 terminal.py "$SHUNT" stream-sink --size 8M -o disk.img \
  --run "read -r typed </dev/tty && echo \$typed >typed && $sleeper | cat" || rc=$?
equal "exit, interrupted from a terminal" "$rc" 130
equal "what was typed" "$(cat typed)" words
gone "$(<begun)" 60 || fail "interrupted from a terminal: a part of the pipeline goes on"
[[ ! -e disk.img ]] || fail "an interrupted run leaves a file"

# ---- where the socket is ----
# No folder of a login, or none that can be written to, is no reason to fail.
for folder in "$work/nowhere" /proc "$work/$(printf 'x%.0s' {1..100})" "$work/random"; do
  XDG_RUNTIME_DIR=$folder expect 0 stream-sink --size 8M -o disk.img --force --run 'nbdcopy random "$uri"; echo "$unixsocket" >socket'
  same disk.img random "with XDG_RUNTIME_DIR=$folder"
  [[ ! -e $(<socket) && ! -e $(dirname "$(<socket)") ]] || fail "left behind: $(<socket)"
done
rm disk.img

# ---- limits ----
writes='$client "$unixsocket" write:0:16777216:1'
expect 7 stream-sink --size 16M --commit at-end --memory 2M --spill none -o disk.img --run "$writes >said || true"
says 'the memory of 2.00 MiB is full'
says '--spill'
grep -q 'No space left' said || fail "the client is told: $(<said)"
[[ ! -e disk.img ]] || fail "a full memory leaves a file"
# What is on its way out does not fill it.
exec 8<>pipe
starts --size 8M --commit window --window 0 --memory 2M --spill none --run 'nbdcopy random "$uri"'
pipe_fills 8 "$sink"
turns "$sink" || fail "a small memory: $(said)"
head -c 8M <&8 >disk.img
ends 0 "a small memory"
same disk.img random "a small memory"
exec 8<&-
rm disk.img

# A folder that is named is tried before anybody is at work, one that is not only when it is needed.
expect 7 stream-sink --size 16M --spill "$work/nowhere" -o disk.img --run 'touch started'
says "^shunt: $work/nowhere.*No such file"
says '--spill names another folder'
[[ ! -e started && ! -e disk.img ]] || fail "a spill folder that is not there is not tried at the start"
TMPDIR=$work/nowhere expect 0 stream-sink --size 8M -o disk.img --run 'nbdcopy random "$uri"'
rm disk.img
TMPDIR=$work/nowhere expect 7 stream-sink --size 16M --commit at-end --memory 2M -o disk.img --run "$writes || true"
says 'nowhere'
expect 1 stream-sink --size 8M --commit window --window 64k -o disk.img \
  --run '$client "$unixsocket" write:1048576:65536:1 write:0:512:1 >said || true'
says 'too small by 1048576 bytes'
grep -q 'Operation not permitted.*too small by 1048576 bytes' said || fail "the client is told: $(<said)"
[[ ! -e disk.img ]] || fail "a refused write leaves a file"

# ---- outputs ----
echo theirs >there
expect 7 stream-sink --size 1M -o there --run :
says 'exists'
expect 7 stream-sink --size 1M -o there --force --mkfifo --run :
says 'exists'
equal "what was there" "$(<there)" theirs
expect 0 stream-sink --size 8M -o disk.img --run 'nbdcopy random "$uri"; test ! -e disk.img'
same disk.img random
rm disk.img
rc=0
timeout 60 "$SHUNT" stream-sink --size 1M --run : >&- 2>err || rc=$?
equal "exit with standard output closed" "$rc" 7
says 'Bad file descriptor'
rc=0
timeout 60 "$SHUNT" stream-sink --stdin <&- 2>err | cat || rc=${PIPESTATUS[0]}
equal "exit with standard input closed" "$rc" 7
timeout 60 "$SHUNT" stream-sink --size 8M --listen "unix:$work/disk.sock" --until-disconnect -o disk.img 2>&- &
sink=$!
background+=("$sink")
listening
nbdcopy random 'nbd+unix:///?socket=disk.sock'
ends 0 "standard error closed"
same disk.img random "with standard error closed"
rm disk.img

[[ -z $(ls run) ]] || fail "left behind: $(ls run)"
no_leftovers .

# ---- file systems ----
with_fs tmpfs 4M
expect 7 stream-sink --size 16M --commit at-end --memory 2M --spill "$mnt" -o disk.img --run "$writes >said || true"
says 'No space left'
says '--spill'
grep -q 'No space left' said || fail "the client is told: $(<said)"
[[ ! -e disk.img ]] || fail "a full spill folder leaves a file"
for commit in at-end window; do
  rc=0
  run stream-sink --size 8M --commit "$commit" -o "$mnt/disk.img" --run 'nbdcopy random "$uri" || true'
  equal "exit with a full file system, $commit" "$rc" 7
  says 'No space left'
  [[ -z $(ls -A "$mnt") ]] || fail "a full file system, $commit: $(ls -A "$mnt")"
done
mount -o remount,ro "$mnt"
expect 7 stream-sink --size 16M --commit at-end --memory 2M --spill "$mnt" -o disk.img --run "$writes || true"
says 'Read-only'

# Large pages: bytes that wait in the pipe stay when the file behind them is given up.
if mkdir huge && mount -t tmpfs -o huge=always,size=200M tmpfs huge 2>/dev/null; then
  mounts=("$work/huge" "${mounts[@]}")
  head -c 48M /dev/urandom >large
  for window in 8M 13M; do
    timeout 60 "$SHUNT" stream-sink --size 48M --commit window --window $window --memory 2M --spill "$work/huge" \
      --run 'nbdcopy large "$uri"' 2>err | python3 -c '
import os, sys, time
while True:
    data = os.read(0, 1 << 20)
    if not data:
        break
    time.sleep(0.005)
    sys.stdout.buffer.write(data)' | cmp - large || fail "large pages, a window of $window: $(said)"
  done
fi
