#!/usr/bin/env bash
# With --until-disconnect the clients' departures are all that says whether the disk is whole: who
# takes leave or has flushed all was done, who is killed was not, and who only looked is nobody.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/sinks.sh
source "$(dirname "$0")/sinks.sh"
need_command python3 nbdcopy qemu-img qemu-io mkfs.ext4 parted e2fsck
scripts=$(realpath "$(dirname "$0")")
client="python3 $scripts/nbd_client.py"
cd "$work"
uri="nbd+unix:///?socket=$work/disk.sock"
export uri
head -c 8M /dev/urandom >random

# serves OPTION...: a disk of 8 MiB in the background, until its last client has gone, and for
# $return_time none has come.
return_time=0.5
serves() {
  "$SHUNT" stream-sink --size 8M --listen "unix:$work/disk.sock" --until-disconnect --return-time $return_time -o disk.img --force "$@" 2>err &
  sink=$!
  background+=("$sink")
  listens "$work/disk.sock" "$sink" || fail "it does not listen: $(said)"
}
# ends CODE: so it ends. The time only guards against hanging.
ends() {
  exits "$sink" "$1" "$what" 60
  if (($1 == 0)); then [[ -e disk.img ]] || fail "$what: no output"; else
    [[ ! -e disk.img ]] || fail "$what: there is an output"
  fi
}
taken() { same disk.img random "$what" && rm -f disk.img; }

for policy in auto at-end; do
  # ---- who takes leave ----
  for command in 'nbdcopy random "$uri"' 'qemu-img convert -n -f raw -O raw random "$uri"' \
    'qemu-img dd -f raw -O raw bs=1M if=random of="$uri"'; do
    what="$command, $policy"
    serves --commit $policy
    bash -c "$command" >said 2>&1 || fail "$what: $(cat said)"
    ends 0
    taken
  done
  # ---- who goes and comes again: the disk is made over one connection, and written over another ----
  what="qemu-img convert without -n, $policy"
  return_time=1h serves --commit $policy
  qemu-img convert -f raw -O raw random "$uri" || fail "$what"
  kill -TERM "$sink"
  ends 0
  taken
done
what="a client that comes again"
return_time=3 serves
# The second time it says nothing for longer than one that has gone is waited for.
PYTHONPATH=$scripts PYTHONDONTWRITEBYTECODE=1 python3 - <<'END' || fail "$what: it fails"
import time
from nbd_client import DISCONNECT, Client, act
first = Client("disk.sock").go()
assert act(first, "write:0:512:2")
first.send(first.header(DISCONNECT))
assert first.ended()
second = Client("disk.sock").go()
time.sleep(3.2)
assert act(second, "write:0:8388608:1")
second.send(second.header(DISCONNECT))
END
ends 0
equal "$what: bytes" "$(tr -d '\1' <disk.img | wc -c)" 0
rm disk.img

# ---- one that looks on and is killed is no harm to one that writes ----
what="one that looks on"
rm -f gone here
serves
$client disk.sock write:0:512:1 touch:here until:gone leave &
writer=$!
background+=("$writer")
appears here "$sink" || fail "$what: the stream ends before"
{ ($client disk.sock read:0:512 die) || true; } 2>/dev/null
# Nobody but the writer is waited for.
touch gone
wait "$writer" || fail "$what: the other fails"
ends 0
rm disk.img

# ---- who only looks does not end the stream, whether it takes leave or not ----
for looks in 'nbdinfo --size "$uri"' 'nbdinfo --list "$uri"' 'qemu-img info -f raw "$uri"' 'qemu-img measure -f raw -O qcow2 "$uri"' \
  'qemu-io -r -f raw -c "read 0 4k" "$uri"' "$client disk.sock read:0:512 leave" "$client disk.sock leave" \
  "$client disk.sock read:0:512 die" "$client disk.sock die"; do
  what="$looks, --until-disconnect"
  return_time=0 serves
  { bash -c "$looks" >said 2>&1 || true; } 2>/dev/null
  turns "$sink" || fail "$what: it ends the stream: $(said)"
  nbdcopy random "$uri" >said 2>&1 || fail "$what: another one finds $(cat said)"
  ends 0
  taken
done
what="flushed, and nothing written"
serves
qemu-io -f raw -c flush "$uri" >said || fail "$what: $(cat said)"
ends 1
says 'nothing was written to the disk'
says '--allow-empty'
serves --allow-empty
qemu-io -f raw -c flush "$uri" >said || fail "$what: $(cat said)"
ends 0
equal "$what: bytes" "$(tr -d '\0' <disk.img | wc -c)" 0
rm disk.img

# ---- stopped ----
for pair in INT:130 TERM:143 HUP:129; do
  signal=${pair%:*} code=${pair#*:}
  what="SIG$signal while a client writes"
  rm -f here
  serves
  $client disk.sock write:0:2097152:1 touch:here until:gone.never >said 2>&1 &
  background+=($!)
  appears here "$sink" || fail "$what: the stream ends before"
  kill -"$signal" "$sink"
  ends "$code"
  says 'interrupted: .*still connected, without flushing 2.00 MiB of the 2.00 MiB that it had written'
  says '2.00 MiB written'
  kill "${background[-1]}" 2>/dev/null || true

  what="SIG$signal behind a client that was killed"
  return_time=1h serves
  { ($client disk.sock write:0:2097152:1 die) || true; } 2>/dev/null
  kill -"$signal" "$sink"
  ends "$code"

  what="SIG$signal when all were done"
  rm -f here
  return_time=1h serves --commit at-end
  nbdcopy random "$uri" || fail "$what"
  $client disk.sock write:0:4096:1 flush touch:here until:gone.never >said 2>&1 &
  background+=($!)
  appears here "$sink" || fail "$what: the stream ends before"
  kill -"$signal" "$sink"
  ends 0
  kill "${background[-1]}" 2>/dev/null || true
  rm disk.img

  what="SIG$signal before anybody wrote"
  serves
  kill -"$signal" "$sink"
  ends 1
  says 'nothing was written to the disk'
done

# ---- who is killed at its work ----
# killed COMMAND: in a shell of its own, which is killed with all its processes when it has written
# something, and has not done all that it says.
killed() {
  what="$1, killed"
  serves --commit window --window 1M
  setsid bash -c "$1" >said 2>&1 &
  local group=$!
  until [[ -s .disk.img.shunt-new ]]; do
    kill -0 "$group" || { fail "$what: $(cat said)" && break; }
    sleep 0.02
  done
  kill -KILL -- "-$group"
  wait "$group" 2>/dev/null || true
  ends 1
  says 'disconnected without NBD_CMD_DISC'
}
{
  killed '{ head -c 4M random && sleep 100; } | nbdcopy - "$uri"'
  killed 'qemu-img convert -n -r 2M -f raw -O raw random "$uri"'
} 2>/dev/null

# ---- nbdfuse never takes leave ----
need_fuse
# mounted CODE OPTION... -- COMMAND: COMMAND finds a disk as the file $disk.
mounted() {
  local code=$1 options=() served
  shift
  while [[ $1 != -- ]]; do options+=("$1") && shift; done
  what="$2, ${options[*]}"
  serves "${options[@]}"
  mkdir on
  disk=$PWD/on/disk
  nbdfuse "$disk" "$uri" &
  served=$!
  until [[ -e $disk ]]; do kill -0 "$served" 2>/dev/null || break; done
  disk=$disk bash -c "$2" >said 2>&1 || fail "$what: $(cat said)"
  fusermount3 -u on
  wait "$served" || true
  rmdir on
  ends "$code"
}
for options in '--commit auto' '--commit at-end'; do
  # With at-end it writes over several connections, and flushes over one.
  # shellcheck disable=SC2086
  {
    mounted 0 $options -- 'dd if=random of=$disk bs=64k conv=notrunc,fsync'
    taken
    mounted 0 $options -- 'cp --sparse=never random $disk && sync $disk'
    taken
    mounted 0 $options -- 'mkfs.ext4 -q $disk'
    e2fsck -fn disk.img >said 2>&1 || fail "$what: $(cat said)"
    rm disk.img
    mounted 0 $options -- 'parted -s $disk mklabel msdos mkpart primary 1MiB 100%'
    rm disk.img
    mounted 1 $options -- 'dd if=random of=$disk bs=64k conv=notrunc'
    says 'without NBD_CMD_DISC, without flushing 8.00 MiB of the 8.00 MiB that it had written'
    says 'sync the file of nbdfuse'
    mounted 1 $options -- 'dd if=random of=$disk bs=64k conv=notrunc,fsync; dd if=random of=$disk bs=4k count=1 seek=2047 conv=notrunc'
    says 'without flushing 4.00 KiB of the 8.00 MiB that it had written'
  }
done
no_leftovers .
