#!/usr/bin/env bash
# The nbdkit plugin: what clients write comes out, and what goes wrong is said.
#
#   NBDKIT_SHUNT_PLUGIN  the plugin; empty where it is not built
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
[[ -f ${NBDKIT_SHUNT_PLUGIN-} ]] || skip "the nbdkit plugin is not built"
need_command nbdkit nbdcopy nbdinfo qemu-img qemu-io sha256sum jq nm
unset TMPDIR
cd "$work"

# serve ARGUMENT...: nbdkit with the plugin and these; $rc is its exit status.
serve() {
  rc=0
  timeout 120 nbdkit -f -U - "$NBDKIT_SHUNT_PLUGIN" "$@" >"$work/out" 2>"$work/err" </dev/null || rc=$?
}

# through WHAT ARGUMENT...: into the file "result", through a FIFO that nbdkit waits for the reader of.
through() {
  local what=$1 reader
  shift
  rm -f fifo result
  mkfifo fifo
  cat fifo >result &
  reader=$!
  serve pipe=fifo "$@"
  ((rc == 0)) || fail "$what: exit $rc: $(said)"
  : 1<>fifo # a reader that nbdkit never came to waits no longer
  wait "$reader"
}

# Not a whole number of blocks, data and zeros by turns.
head -c 3000000 /dev/urandom >original
truncate -s 9000001 original
head -c 1234567 /dev/urandom >>original
size=$(stat -c %s original)

# ---- what it is
nbdkit "$NBDKIT_SHUNT_PLUGIN" --dump-plugin >dump || fail "--dump-plugin fails"
grep -qx 'name=shunt' dump || fail "--dump-plugin does not tell the name"
grep -qx 'max_thread_model=serialize_all_requests' dump || fail "--dump-plugin: another thread model"
exported=$(nm -D --defined-only "$NBDKIT_SHUNT_PLUGIN" | awk '{ print $3 }' | paste -sd ' ')
[[ $exported == plugin_init ]] || fail "it exports $exported"

# ---- copies
# shellcheck disable=SC2016  # for the shell of nbdkit
through "nbdcopy" size="$size" digest=digest --run 'nbdcopy original "$uri"'
same result original "nbdcopy"
sha256sum --status -c digest <original || fail "another digest: $(cat digest)"
ln -s digest to-digest
# shellcheck disable=SC2016
through "a digest through a link" size=1M allow-empty=true digest=to-digest --run 'nbdinfo "$uri" >/dev/null'
[[ -L to-digest ]] || fail "the link is no link any more"
sha256sum --status -c digest <result || fail "another digest through a link: $(cat digest)"

qemu-img convert -f raw -O qcow2 original original.qcow2
# qemu-img rounds up to a whole sector, nbdkit's disk is as long as that.
rounded=$(qemu-img info --output=json original.qcow2 | jq '."virtual-size"')
cp original padded && truncate -s "$rounded" padded
for commit in auto window at-end; do
  # shellcheck disable=SC2016
  through "qemu-img, $commit" size="$rounded" commit=$commit \
    --run 'qemu-img convert -n -f qcow2 -O raw original.qcow2 "$uri"'
  same result padded "qemu-img, $commit"
done

# A descriptor, and the end of its reader although the command has been started with it.
# shellcheck disable=SC2016
timeout 120 nbdkit -f -U - "$NBDKIT_SHUNT_PLUGIN" fd=9 size="$size" \
  --run '[ ! -e /dev/fd/9 ] && nbdcopy original "$uri"' 9>&1 >"$work/out" 2>"$work/err" | cat >result ||
  fail "fd=9: the command fails, or has the descriptor: $(said)"
same result original "fd=9"

# Standard output, which nbdkit itself redirects; a new file, and a command.
# shellcheck disable=SC2016
timeout 120 nbdkit -f -U - "$NBDKIT_SHUNT_PLUGIN" fd=1 size="$size" --run 'nbdcopy original "$uri"' \
  2>"$work/err" </dev/null | cat >result || fail "fd=1: $(said)"
same result original "fd=1"
# shellcheck disable=SC2016
serve pipe=by-command size="$size" --run 'nbdcopy original "$uri"'
same by-command original "a new file, --run"

# A new file; nbdkit in the background, ended by a signal.
nbdkit -P pid -U "$work/socket" "$NBDKIT_SHUNT_PLUGIN" pipe=file size="$size" 2>err ||
  fail "it does not start in the background: $(said)"
for ((tries = 0; tries < 300; ++tries)); do
  [[ ! -s pid ]] || break # it comes when it listens
  sleep 0.1
done
pid=$(cat pid) || { fail "no process in the background: $(said)" && exit 1; }
background+=("$pid")
nbdcopy original "nbd+unix:///?socket=$work/socket" || fail "nbdcopy, to the background"
[[ ! -e file ]] || fail "the file is there before it is whole"
kill -TERM "$pid"
for ((tries = 0; tries < 300; ++tries)); do
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
((tries == 300)) && fail "a signal does not end it" || background=()
same file original "a new file"

# Shorter than the disk.
# shellcheck disable=SC2016
through "truncate" size=1G truncate=true --run 'nbdcopy original "$uri"'
same result original "truncate=true"
# With the zeros that it ends in.
cp original longer && truncate -s +2M longer
for commit in auto at-end; do
  # shellcheck disable=SC2016
  through "truncate, zeros at the end, $commit" size=1G truncate=true commit=$commit --run 'nbdcopy longer "$uri"'
  same result longer "truncate=true commit=$commit"
done

# ---- read, zeroed, trimmed, and what is where
# shellcheck disable=SC2016
through "read back" size=1M commit=at-end --run 'qemu-io -f raw "$uri" \
  -c "write -P 1 0 1M" -c "write -z 64k 64k" -c "discard 256k 64k" -c "write -f -P 2 128k 4k" -c flush \
  -c "read -P 1 0 64k" -c "read -P 0 64k 64k" -c "read -P 2 128k 4k" -c "read -P 0 256k 64k" >io &&
  ! grep -i "failed\|error" io && nbdinfo --map "$uri" >map && nbdinfo "$uri" >info'
cat out
[[ $(stat -c %s result) == 1048576 ]] || fail "read back: the result has another size"
printf '%s\n' "0 65536 0" "65536 65536 3" "131072 131072 0" "262144 65536 3" "327680 720896 0" >wanted
awk '{ print $1, $2, $3 }' map | cmp -s - wanted || fail "read back: map $(cat map)"
grep -q 'can_multi_conn: true' info || fail "at-end: no multi-conn"
grep -q 'can_fast_zero: true' info || fail "at-end: no fast zeros"
grep -q 'can_fua: true' info || fail "no FUA"
# shellcheck disable=SC2016
through "info" size=1M allow-empty=true --run 'nbdinfo "$uri" >info'
grep -q 'can_multi_conn: false' info || fail "auto: multi-conn"
grep -q 'can_fast_zero: false' info || fail "auto: fast zeros"

# ---- what goes wrong
# The window is too small: the write is refused, and the rest is too.
# shellcheck disable=SC2016
through "window" size=16M window=1M commit=window digest=late --run '
  qemu-io -f raw "$uri" -c "write -P 1 8M 1M" -c flush -c "write -P 2 0 4k" >io 2>&1; true'
grep -q 'Operation not permitted' io || fail "a late write is not refused: $(cat io)"
says 'the window was too small by'
! grep -q -- '--window' err || fail "it speaks of options that it does not have"
says 'the stream is not complete'
[[ ! -e late ]] || fail "there is a digest of a stream that is not complete"
(($(stat -c %s result) < 16 << 20)) || fail "a stream that failed got its end"

# A reader that goes away at the end: nbdkit cannot tell, the log can.
rm -f fifo
mkfifo fifo
(exec <fifo && head -c 1000 >/dev/null) &
# shellcheck disable=SC2016
serve pipe=fifo size="$size" commit=at-end --run 'nbdcopy original "$uri"'
wait
says 'the stream is not complete'

# Nobody wrote.
# shellcheck disable=SC2016
through "only looked at" size=1M digest=none --run 'nbdinfo "$uri" >/dev/null'
says 'the stream is not complete: nothing was written to the disk'
[[ ! -e none ]] || fail "there is a digest of a stream that nobody wrote"
(($(stat -c %s result) < 1 << 20)) || fail "a stream that nobody wrote got its end"
# A client that is killed: all that can be asked of nbdkit is whether it flushed.
for flushed in true false; do
  rm -f digest
  # shellcheck disable=SC2016
  through "a flush that is needed, $flushed" size=1M need-flush=true digest=digest --run "
    qemu-io -f raw \"\$uri\" -c 'write -f 0 64k' >io; [ $flushed = true ] ||
    PYTHONPATH=$(dirname "$(realpath "$0")") PYTHONDONTWRITEBYTECODE=1 python3 -c '
import os, sys
from nbd_client import Client
client = Client(sys.argv[1]).go()
client.write(65536, bytes(4096))
os.kill(os.getpid(), 9)' \"\$unixsocket\" || true"
  if [[ $flushed == true ]]; then
    [[ -e digest ]] || fail "need-flush, flushed: $(said)"
  else
    says 'the last 4.00 KiB written were not flushed'
    [[ ! -e digest ]] || fail "need-flush: there is a digest of a stream that is not complete"
  fi
done

# A reader that takes nothing. For a write that waits for it, a signal is the end; what is left when
# all clients have gone is waited for until the next signal.
# stalled COMMAND PARAMETER...: nbdkit into a pipe that nobody reads, and COMMAND as its client.
stalled() {
  rm -f fifo pid socket
  mkfifo fifo
  exec 8<>fifo
  nbdkit -f -P pid -U "$work/socket" "$NBDKIT_SHUNT_PLUGIN" pipe=fifo size=8M digest=late "${@:2}" \
    >"$work/out" 2>"$work/err" </dev/null &
  server=$!
  background+=("$server")
  appears pid "$server" || fail "it does not start: $(said)"
  bash -c "$1" >io 2>&1 &
  client=$!
  background+=("$client")
}
head -c 8M /dev/urandom >random
uri="nbd+unix:///?socket=$work/socket"
stalled "qemu-io -f raw '$uri' -c 'write -P 1 0 8M'" commit=window window=0
pipe_fills 8 "$server"
kill -TERM "$server"
exits "$server" 0 "a signal while a write waits" 60
says 'the stream is not complete: nbdkit is ending, and a client.s write still waits for the reader'
[[ ! -e late ]] || fail "there is a digest of a stream that is not complete"
wait "$client" || true
exec 8<&-
# A flush waits for the reader: of 3 MiB, 2 are out of the window, and a pipe has room for 1.
# slept: how often all threads of the server together have gone to sleep. Those that wait look again.
slept() { cat "/proc/$server/task/"*/status | awk '/^voluntary_ctxt_switches/ { n += $2 } END { print n }'; }
stalled "stdbuf -oL qemu-io -t writeback -f raw '$uri' -c 'write -P 1 0 3M' -c flush && touch flushed" commit=window
until grep -q wrote io; do kill -0 "$server" && sleep 0.02; done
pipe_fills 8 "$server"
until=$(($(slept) + 20))
until [[ -e flushed ]] || (($(slept) >= until)); do sleep 0.02; done
[[ ! -e flushed ]] || fail "a flush does not wait for the reader"
head -c 8M <&8 >/dev/null &
wait "$client" || fail "a flush: $(cat io)"
kill -TERM "$server"
exits "$server" 0 "a flush that has waited" 60
rm late
exec 8<&-
for signal in TERM INT HUP; do
  stalled "nbdcopy random '$uri'" commit=at-end
  wait "$client" || fail "nbdcopy: $(cat io)"
  kill -TERM "$server"
  pipe_fills 8 "$server"
  turns "$server" || fail "the first signal gives the rest up: $(said)"
  kill -"$signal" "$server"
  exits "$server" 0 "SIG$signal while the rest waits" 60
  says 'the stream is not complete: interrupted'
  [[ ! -e late ]] || fail "SIG$signal: there is a digest of a stream that is not complete"
  exec 8<&-
done

# Memory is full.
# shellcheck disable=SC2016
through "no room" size=64M commit=at-end memory=2M spill=none --run '
  qemu-io -f raw "$uri" -c "write -P 1 0 16M" >io 2>&1; true'
grep -q 'No space left' io || fail "more than the memory is not refused: $(cat io)"

# Parameters.
touch there
for parameters in "size=1M" "pipe=new" "pipe=new fd=1 size=1M" "pipe=new size=x" "fd=77 size=1M" "fd=x size=1M" \
  "pipe=there size=1M" "pipe=new size=1M commit=never" "pipe=new size=1M truncate=perhaps" \
  "pipe=new size=1M spill=no/such/folder" "pipe=new size=1M need-flush=7" "pipe=new size=1M memory=1M" "pipe=new size=1M colour=blue" "pipe=new size=9223372036854775808" "pipe= size=1M" "pipe=no/such/folder size=1M"; do
  read -ra words <<<"$parameters"
  serve "${words[@]}" --run true
  ((rc == 1)) || fail "$parameters: exit $rc"
  [[ -s err ]] || fail "$parameters: no word"
  [[ ! -e new ]] || fail "$parameters: made a file"
done
