#!/usr/bin/env bash
# stream-sink as its clients see it: what libnbd and qemu negotiate and what requests do, the sockets,
# the ends of a stream, and what is said about it.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/sinks.sh
source "$(dirname "$0")/sinks.sh"
need_command nbdinfo nbdcopy qemu-io qemu-img python3 jq
cd "$work"

# served POLICY COMMAND [OPTION...]: COMMAND ends well with a disk of 8 MiB, which it need not write to;
# what it said is in `said`.
served() {
  local policy=$1 command=$2
  shift 2
  what="$command, $policy"
  expect 0 --json stream-sink --size 8M --commit "$policy" -o disk.img --force --allow-empty "$@" \
    --run "{ $command; } >said 2>&1"
  ((rc == 0)) || cat said
}
said_has() { grep -Eq -- "$1" said || fail "$what: lacks '$1': $(head -c 600 said)"; }

# ---- what is offered ----
for policy in auto window at-end; do
  served "$policy" 'nbdinfo "$uri"'
  said_has 'newstyle-fixed without TLS, using structured packets'
  said_has 'export-size: 8388608 '
  said_has 'base:allocation'
  served "$policy" 'nbdinfo --list "$uri"'
  said_has 'export="":'
  served "$policy" 'nbdinfo --json "$uri"'
  equal "$what" "$(jq -c '[.structured, .exports[0]["export-size", "is_read_only", "can_fua", "can_flush",
    "can_trim", "can_zero", "can_df"]]' said)" '[true,8388608,false,true,true,true,true,true]'
  equal "$what: block sizes" \
    "$(jq -c '.exports[0] | [.block_size_minimum, .block_size_preferred, .block_size_maximum]' said)" '[1,4096,33554432]'
  [[ $policy == at-end ]] && code=0 || code=2
  for feature in multi-conn fast-zero; do
    served "$policy" "nbdinfo --can $feature \"\$uri\"; echo \$?"
    equal "$what" "$(cat said)" "$code"
  done
done

# ---- what requests do: each is read back, over structured replies ----
# patterns COMMAND...: qemu-io with them, which must find nothing that it did not expect.
qemu_io='qemu-io -f raw -t writeback -d unmap'
patterns() {
  local command arguments=''
  for command; do arguments+=" -c '$command'"; done
  served at-end "$qemu_io$arguments \"\$uri\"" --trace trace.json --digest sha256
  ! grep -Eiq 'verification failed|error' said || fail "$what: $(cat said)"
}
patterns 'write -P 0xaa 0 1M' 'read -P 0xaa 0 1M' 'write -z 64k 64k' 'read -P 0 64k 64k' \
  'read -P 0xaa 0 64k' 'read -P 0xaa 128k 896k' 'discard 256k 64k' 'read -P 0 256k 64k' \
  'write -f -P 0x55 1000001 3' 'read -P 0x55 1000001 3' 'read -P 0xaa 1000000 1' flush \
  'write -z -u -f 512k 4k' 'read -P 0 512k 4k' 'write -P 0x77 8388607 1' 'read -P 0x77 8388607 1' \
  'write -P 0x33 3000000 70001' 'aio_write -P 0x44 4M 1M' 'aio_write -P 0x45 5M 1M' aio_flush \
  'read -P 0x44 4M 1M' 'read -P 0x45 5M 1M'
python3 - <<'END' >expected.img
import sys
disk = bytearray(8 << 20)
def write(at, size, byte): disk[at:at + size] = bytes([byte]) * size
write(0, 1 << 20, 0xaa)
write(64 << 10, 64 << 10, 0)
write(256 << 10, 64 << 10, 0)
write(1000001, 3, 0x55)
write(512 << 10, 4 << 10, 0)
write(8388607, 1, 0x77)
write(3000000, 70001, 0x33)
write(4 << 20, 1 << 20, 0x44)
write(5 << 20, 1 << 20, 0x45)
sys.stdout.buffer.write(disk)
END
same disk.img expected.img "qemu-io"
equal "the digest" "$(json .digest)" "sha256:$(sha256sum <expected.img | cut -d ' ' -f 1)"
# counts FILE: how many of each request it tells of, as the summary has it.
counts() { jq -cS -s 'group_by(.command) | map({(.[0].command): length}) | add // {}' "$1"; }
equal "what the trace counts" "$(counts trace.json)" "$(jq -cS .requests out)"
equal "flushed with a request" "$(jq -c 'select(.command == "write" and .flags % 2 == 1) | [.offset, .length, .error]' trace.json)" \
  '[1000001,3,null]'
equal "the discard" "$(jq -c 'select(.command == "trim") | [.offset, .length]' trace.json)" '[262144,65536]'
equal "connections" "$(jq -s 'map(.connection) | unique | length' trace.json)" 1

# ---- holes ----
served at-end "$qemu_io -c 'write 1M 1M' \"\$uri\" && nbdinfo --map \"\$uri\""
said_has '^ +0 +1048576 +3 +hole,zero'
said_has '^ +1048576 +1048576 +0 +data'
said_has '^ +2097152 +6291456 +3 +hole,zero'
served at-end "$qemu_io -c 'write 1M 1M' \"\$uri\" >/dev/null && qemu-img map -f raw --output=json \"\$uri\"" \
  --trace trace.json
equal "$what" "$(jq -c 'map([.start, .length, .zero])' said)" \
  '[[0,1048576,true],[1048576,1048576,false],[2097152,6291456,true]]'
(($(json .requests.block_status) > 0)) || fail "qemu has not asked what is allocated"

# ---- errors have the number that the protocol has for them ----
what="a write that comes too late"
expect 1 --json stream-sink --size 8M --commit window --window 64K -o never.img --trace never.json \
  --run "$qemu_io -c 'write 0 1M' -c flush -c 'write 0 4k' \"\$uri\" >said 2>&1; :"
said_has 'Operation not permitted'
equal "$what" "$(jq -c 'select(.command == "write" and .error != null) | [.offset, .error]' never.json)" \
  '[0,"EPERM"]'
equal "window_needed" "$(json .window_needed)" 1048576
equal "the error" "$(json .error.code)" 1
[[ ! -e never.img ]] || fail "a refused write leaves a file"
no_leftovers .

# ---- what the summary says ----
SHUNT_COMMIT=at-end SHUNT_WINDOW=64K expect 0 --json stream-sink --size 8M -o disk.img --force \
  --run "$qemu_io -c 'write 0 1M' -c 'write 1M 512k' -c 'write 0 64k' -c 'write -z 4M 1M' -c 'discard 0 64k' \"\$uri\" >said 2>&1"
what="the summary"
equal "$what" "$(jq -c '[.schema_version, .bytes_out, .bytes_in, .zero_bytes, .peak_held, .spilled, .window_needed,
  .policy, .streamed, .digest, .command_status, .error]' out)" \
  '[1,8388608,1638400,6881280,1572864,0,1572864,"at-end",false,null,0,null]'
equal "$what: requests" "$(jq -c '.requests | [.write, .zero, .trim]' out)" '[3,1,1]'
jq -e '.seconds > 0 and .seconds < 60' out >/dev/null || fail "$what: $(json .seconds) seconds"

# ---- options from the environment ----
# with NAME VALUE: what two writes come to, the second far before the first, with that setting.
with() {
  what="$1=$2"
  env "$1=$2" "$SHUNT" --json stream-sink --size 8M -o disk.img --force --run "$qemu_io -c 'write 3M 3M' \
    -c 'write 0 1M' -c 'read 6M 4k' \"\$uri\" >said 2>&1" >out 2>err || fail "$what: $(said)"
}
with SHUNT_COMMIT at-end
equal "$what" "$(json .policy)" at-end
with SHUNT_MEMORY 2M
(($(json .spilled) > 0)) || fail "$what: nothing is spilled"
equal "$what" "$(json .policy)" auto
what="SHUNT_WINDOW"
SHUNT_WINDOW=6M expect 0 stream-sink --size 8M -o disk.img --force --commit window \
  --run "$qemu_io -c 'write 3M 3M' -c 'write 0 1M' \"\$uri\" >said 2>&1"
what="SHUNT_READ_WINDOW"
SHUNT_READ_WINDOW=8M expect 0 stream-sink --size 8M -o disk.img --force --commit window --window 0 \
  --run "$qemu_io -c 'write -P 1 0 4M' -c flush -c 'read -P 1 0 4M' \"\$uri\" >said 2>&1"
! grep -q failed said || fail "$what: $(cat said)"
what="SHUNT_SPILL"
SHUNT_SPILL=none expect 7 stream-sink --size 8M -o never.img --commit at-end --memory 2M \
  --run "$qemu_io -c 'write 0 4M' \"\$uri\" >said 2>&1 || :"
says '--spill'
SHUNT_MEMORY=1M expect 2 stream-sink --size 8M -o never.img --run :

# ---- a flush waits for the consumer, and so does a write with FUA; a plain write does not ----
# stalls yes|no COMMAND...: whether qemu-io waits before it says of the last that it is done, while
# nobody reads what has left.
mkfifo stalled
stalls() {
  local expected=$1 command arguments=() found=yes
  shift
  for command; do arguments+=(-c "$command"); done
  what="$*"
  : >said
  "$SHUNT" stream-sink --size 8M --commit window --window 0 -o stalled \
    --run "stdbuf -oL $qemu_io \"\$uri\" $(printf '%q ' "${arguments[@]}") >said 2>&1" 2>err &
  sink=$!
  background+=("$sink")
  exec 8<stalled
  until grep -q 'wrote .* at offset 0' said; do
    kill -0 "$sink" 2>/dev/null || { fail "$what: ends: $(cat err)" && return; }
  done
  if [[ $expected == no ]]; then
    until grep -q 'wrote .* at offset 4194304' said || ! kill -0 "$sink" 2>/dev/null; do sleep 0.02; done
  else
    turns "$sink" || fail "$what: ends: $(cat err)"
  fi
  ! grep -q 'wrote .* at offset 4194304' said || found=no
  equal "$what waits" "$found" "$expected"
  cat <&8 >stalled.out
  exec 8<&-
  wait "$sink" || fail "$what: exit $?: $(cat err)"
  said_has 'at offset 4194304'
}
# 3 MiB are more than a pipe takes, and less than what may wait for the consumer.
stalls no 'write 0 3M' 'write 4M 4k'
stalls yes 'write 0 3M' flush 'write 4M 4k'
stalls yes 'write 0 3M' 'write -f 4M 4k'

# ---- a memory that is full ----
what="a full memory"
expect 1 --json stream-sink --size 8M --commit at-end --memory 2M --spill none -o never.img \
  --run "$qemu_io -c 'write 0 4M' \"\$uri\" >said 2>&1"
said_has 'No space left on device'
# The status is that of the command, which failed with it, and so the code is.
equal "$what: the error" "$(json .error.code)" 1
[[ $(json .error.hint) == *--spill* ]] || fail "$what: $(json .error.hint)"

# ---- reading what has left ----
read_back="$qemu_io -c 'write -P 1 0 4M' -c 'write -P 2 4M 1M' -c flush"
served window "$read_back -c 'read -P 2 4M 1M' \"\$uri\"" --window 0 --read-window 1M
! grep -q 'failed' said || fail "$what: $(cat said)"
served window "$read_back -c 'read 0 4k' \"\$uri\" || :" --window 0 --read-window 1M --trace trace.json
said_has 'read failed'
equal "the read of what has left" "$(jq -r 'select(.command == "read" and .error != null) | .error' trace.json)" EIO
served window "$read_back -c 'read -P 1 0 4M' \"\$uri\"" --window 0 --read-window 8M
! grep -q 'failed' said || fail "$what: $(cat said)"

# ---- the window that is told is enough, and one byte less would not ----
out_of_order="$qemu_io -c 'write 1M 1M' -c 'write 100k 5k' -c 'write 3M 1M' -c 'write 2500001 7' \"\$uri\""
served at-end "$out_of_order" --advise
window=$(json .window_needed)
served window "$out_of_order" --window "$window"
expect 1 stream-sink --size 8M --commit window --window $((window - 1)) -o never.img \
  --run "$out_of_order >said 2>&1"
says 'too small by 1 bytes'

# ---- sockets ----
head -c 8M /dev/urandom >random.img

# serving NAME OPTION...: a stream-sink in the background, with its standard output in NAME.out; waits
# until it listens. $sink is its process.
serving() {
  local name=$1
  shift
  : >"$name.err"
  "$SHUNT" stream-sink --size 8M "$@" >"$name.out" 2>"$name.err" &
  sink=$!
  background+=("$sink")
  until grep -q 'serving at' "$name.err"; do
    kill -0 "$sink" 2>/dev/null || { fail "$name: ends: $(cat "$name.err")" && return; }
    sleep 0.02
  done
}
# ends NAME: its stream ends well, with random.img.
ends() {
  rc=0
  wait "$sink" || rc=$?
  equal "$1: exit" "$rc" 0
  same "$1.out" random.img "$1"
}
uri_of() { sed -n 's/^serving at //p' "$1.err"; }

# connect URI: a client that has written 64 KiB, with FUA, and stays, until disconnect. $client is its process.
connect() {
  rm -f commands && mkfifo commands
  : >said # before the client has opened it: what an earlier one said is no answer to this one
  $qemu_io "$1" <commands >said 2>&1 &
  client=$!
  background+=("$client")
  exec 7>commands
  echo 'write -f -P 1 0 64k' >&7
  until grep -q wrote said; do
    kill -0 "$client" 2>/dev/null || { fail "the client ends: $(cat said)" && break; }
  done
}
disconnect() {
  exec 7>&-
  wait "$client" || true
}

# A signal ends the stream, though a client is there that does nothing.
serving unix --listen unix:here.sock --commit at-end
equal "mode of the socket" "$(stat -c %a here.sock)" 600
connect 'nbd+unix:///?socket=here.sock'
nbdcopy random.img 'nbd+unix:///?socket=here.sock'
kill -TERM "$sink"
ends unix
disconnect
[[ ! -e here.sock ]] || fail "the socket is left behind"
grep -q '8.00 MiB out' unix.err || fail "no summary: $(cat unix.err)"

hosts=(127.0.0.1)
! python3 -c 'import socket; socket.socket(socket.AF_INET6).bind(("::1", 0))' 2>/dev/null || hosts+=('[::1]')
for host in "${hosts[@]}"; do
  serving tcp --listen "tcp:$host:0"
  [[ $(uri_of tcp) == "nbd://$host:"* ]] || fail "tcp: $(cat tcp.err)"
  nbdcopy random.img "$(uri_of tcp)"
  kill -INT "$sink"
  ends tcp
done

# The end is the last client's, of several.
serving until --listen unix:until.sock --until-disconnect --commit at-end
until_uri='nbd+unix:///?socket=until.sock'
connect "$until_uri"
nbdcopy random.img "$until_uri"
turns "$sink" || fail "the stream has ended before its last client"
disconnect
ends until

# Sockets handed over as systemd does.
cat >hand_over.py <<'END'
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1] + '.new')
listener.listen()
os.rename(sys.argv[1] + '.new', sys.argv[1])
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
END
python3 hand_over.py fd.sock "$SHUNT" stream-sink --size 8M --listen fd --until-disconnect >fd.out 2>fd.err &
sink=$!
background+=("$sink")
appears fd.sock "$sink" || fail "fd: $(cat fd.err)"
nbdcopy random.img 'nbd+unix:///?socket=fd.sock'
ends fd
[[ -S fd.sock ]] || fail "a socket that is not ours is removed"
expect 2 stream-sink --size 8M --listen fd -o never.img
says 'no socket was passed'

# ---- outputs ----
"$SHUNT" stream-sink --size 8M --mkfifo -o fifo --run 'nbdcopy random.img "$uri"' 2>fifo.err &
sink=$!
background+=("$sink")
appears fifo "$sink" || fail "--mkfifo: $(cat fifo.err)"
cat fifo >fifo.out
ends fifo
[[ ! -e fifo ]] || fail "the FIFO is left behind"
: >there
expect 7 stream-sink --size 8M --mkfifo -o there --run :
expect 7 stream-sink --size 8M -o there --run 'nbdcopy random.img "$uri"'
says 'exists'
[[ -e there && ! -s there ]] || fail "a file that was there is replaced"
expect 0 stream-sink --size 8M -o there --force --run 'nbdcopy random.img "$uri"'
same there random.img

# A consumer that goes away is the exit status, though the client has ended well.
codes=(0 0)
"$SHUNT" stream-sink --size 8M --commit at-end --run 'nbdcopy random.img "$uri"' 2>err | head -c 100 >short ||
  codes=("${PIPESTATUS[@]}")
[[ ${codes[0]} != 0 && ${codes[0]} -lt 128 ]] || fail "a consumer that goes away: exit ${codes[0]}"
says 'Broken pipe'

# ---- the command of --run ----
served auto 'echo "$uri $unixsocket $size"'
read -r said_uri said_socket said_size <said
equal "\$uri" "$said_uri" "nbd+unix:///?socket=$said_socket"
equal "\$size" "$said_size" 8388608
[[ ! -e $said_socket && ! -e $(dirname "$said_socket") ]] || fail "the socket is left behind: $said_socket"
# With --listen it finds the socket that was asked for.
expect 0 stream-sink --size 8M -o disk.img --force --listen unix:asked.sock \
  --run 'nbdcopy random.img "$uri"; echo "$uri $unixsocket" >said'
equal "--listen unix and --run" "$(<said)" "nbd+unix:///?socket=$work/asked.sock $work/asked.sock"
same disk.img random.img "--listen unix and --run"
expect 0 stream-sink --size 8M -o disk.img --force --listen tcp:127.0.0.1:0 \
  --run 'nbdcopy random.img "$uri"; echo "$uri|$unixsocket" >said'
[[ $(<said) =~ ^nbd://127\.0\.0\.1:[1-9][0-9]*\|$ ]] || fail "--listen tcp and --run: $(<said)"
same disk.img random.img "--listen tcp and --run"
for status in 1 3 42 127 255; do
  expect "$status" --json stream-sink --size 8M -o never.img --run "nbdcopy random.img \"\$uri\"; exit $status"
  equal "command_status" "$(json .command_status)" "$status"
done
expect 143 stream-sink --size 8M -o never.img --run 'kill -TERM $$'
[[ ! -e never.img ]] || fail "a command that failed leaves a file"
"$SHUNT" stream-sink --size 8M --run 'echo words; nbdcopy random.img "$uri"' 2>err | cmp - random.img ||
  fail "what the command says is in the stream"
says '^words$'
"$SHUNT" stream-sink --size 8M --run 'nbdcopy - "$uri"' <random.img 2>err | cmp - random.img ||
  fail "the command does not have our standard input"
expect 0 stream-sink --size 0 -o empty.img --run :
[[ -e empty.img && ! -s empty.img ]] || fail "an empty disk is no empty file"
# TERM asks the command to end, and nothing is delivered.
"$SHUNT" stream-sink --size 8M -o never.img --run 'touch begun; exec sleep 60' 2>err &
sink=$!
background+=("$sink")
appears begun "$sink" || fail "the command does not begin"
kill -TERM "$sink"
rc=0
wait "$sink" || rc=$?
equal "exit after TERM" "$rc" 143
[[ ! -e never.img ]] || fail "an interrupted run leaves a file"
no_leftovers .

# ---- --stdin ----
digest="sha256:$(sha256sum <random.img | cut -d ' ' -f 1)"
# shellcheck disable=SC2002
cat random.img | "$SHUNT" --json stream-sink --stdin 2>out | cmp - random.img || fail "pipe to pipe"
equal "bytes_out" "$(json .bytes_out)" 8388608
equal "the policy" "$(json .policy)" stdin
"$SHUNT" stream-sink --stdin <random.img 2>err | cmp - random.img || fail "file to pipe"
# shellcheck disable=SC2002
cat random.img | "$SHUNT" --json stream-sink --stdin --digest sha256 2>out | cmp - random.img || fail "with --digest"
equal "the digest" "$(json .digest)" "$digest"
cat random.img expected.img | "$SHUNT" --json stream-sink --stdin --digest sha256 --sparse -o copy.img >out 2>err ||
  fail "pipe to file: $(cat err)"
same copy.img <(cat random.img expected.img) "pipe to file"
equal "the digest" "$(json .digest)" "sha256:$(sha256sum <copy.img | cut -d ' ' -f 1)"
(($(json .zero_bytes) > 4 << 20)) || fail "--sparse: $(json .zero_bytes) zeros"
(($(stat -c %b copy.img) * $(stat -c %B copy.img) < 13 << 20)) || fail "--sparse takes $(stat -c %b copy.img) blocks"
"$SHUNT" stream-sink --stdin -o plain.img <random.img 2>err || fail "file to file: $(cat err)"
same plain.img random.img "file to file"
"$SHUNT" stream-sink --stdin -o nothing </dev/null 2>err || fail "no input: $(cat err)"
[[ -e nothing && ! -s nothing ]] || fail "no input is no empty file"
expect 7 stream-sink --stdin -o plain.img </dev/null
expect 7 stream-sink --stdin -o nowhere/plain.img </dev/null
says 'nowhere'
# On a terminal it tells how far it has come: of a file in all, of a pipe so far.
cat >terminal.py <<'END'
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("bash", ["bash", "-c", sys.argv[1]])
try:
    while part := os.read(terminal, 4096):
        os.write(1, part.replace(b"\r", b"\n"))
except OSError:
    pass
os.waitpid(pid, 0)
END
export SHUNT TERM=xterm
# slowly: reads the stream; nothing before progress is shown, and the second half when it is as in
# `wanted`, or not for long.
until_said() {
  for _ in {1..1500}; do
    ! grep -Eq -- "$1" said || break
    sleep 0.02
  done
}
slowly() {
  until_said streaming
  head -c 4M
  until_said "$(<wanted)"
  cat
} >/dev/null 2>&1
export -f until_said slowly
# shows WANTED COMMAND: the progress of the command, into `slowly`, is shown like that.
shows() {
  echo "$1" >wanted
  python3 terminal.py "$2 | slowly" >said
  said_has "$1"
}
shows 'streaming +\[#+\.*\] .* of 8.00 MiB ' '"$SHUNT" stream-sink --stdin <random.img'
shows 'streaming +[0-9.]+ [KM]iB  [0-9.]+ [KM]iB/s' 'cat random.img random.img | "$SHUNT" stream-sink --stdin'
! grep -q 'of 0 B' said || fail "the progress of a pipe: $(cat said)"
shows 'streaming +\[#+\.*\] .* of 8.00 MiB ' \
  "\"\$SHUNT\" stream-sink --size 8M --commit window --run 'nbdcopy random.img \"\$uri\"'"

mkfifo idle
"$SHUNT" stream-sink --stdin -o never.img <idle 2>err &
sink=$!
background+=("$sink")
exec 7>idle
cat random.img >&7
kill -TERM "$sink"
rc=0
wait "$sink" || rc=$?
exec 7>&-
equal "exit after TERM" "$rc" 143
[[ ! -e never.img ]] || fail "an interrupted copy leaves a file"
no_leftovers .

# ---- usage ----
for arguments in "" "--size 8M" "--size 8M --run : --memory 1M" "--stdin --run :" "--stdin --size 8M" "--size 8M --run : --until-disconnect" \
  "--size 8M --run : --listen fd" "--size 8M --run : --commit later" "--size -1 --run :" \
  "--size 8M --listen here" "--size 8M --listen tcp:127.0.0.1:port" "--size 8M --listen tcp::1" \
  "--size 8M --run : --digest md5" "--size 8M --run : --mkfifo" "--size 16E --run :"; do
  # shellcheck disable=SC2086
  expect 2 stream-sink $arguments
  [[ -s err ]] || fail "'$arguments' says nothing"
  silent
done
