#!/usr/bin/env bash
# Clients of stream-sink that keep to no protocol and to no pace: they are left, those who write are
# served meanwhile, the disk is right, and memory stays what it was.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

need_command python3 nbdcopy
export PYTHONPATH PYTHONDONTWRITEBYTECODE=1
PYTHONPATH=$(realpath "$(dirname "$0")")
cd "$work"
head -c 8M /dev/urandom >random
files=$(ulimit -Hn)
[[ $files == unlimited ]] || ((files >= 2500)) || skip "too few descriptors: $files"
ulimit -Sn 2500

cat >hostile.py <<'END'
import os
import socket
import struct
import subprocess
import sys

from nbd_client import FLUSH, GO, OPTION_MAGIC, READ, WRITE, ZERO, Client, Ended

path, size = sys.argv[1], 64 << 20
EINVAL, ENOSPC, EOVERFLOW = 22, 28, 75
failures = 0


def check(what, good):
    global failures
    if not good:
        failures += 1
        print(f"FAILED: {what}", flush=True)


def closed(what, *messages, go=True):
    """What a client that says these gets is the end of its connection."""
    client = Client(path)
    client.go() if go else client.greet()
    try:
        for message in messages:
            client.send(message)
    except ConnectionError:
        pass
    check(what, client.ended())


request = Client.header
closed("bad magic of a request", b"\0" * 28)
closed("bad magic of an option", b"\0" * 16, go=False)
closed("a write of 4 GiB", request(WRITE, 0, 0xFFFFFFFF))
closed("an endless option", struct.pack(">QII", OPTION_MAGIC, 77, 0xFFFFFFFF), go=False)
closed("a flood of options", struct.pack(">QII", OPTION_MAGIC, 77, 0) * 100_000, go=False)
closed("a flood of large options", (struct.pack(">QII", OPTION_MAGIC, GO, 16384) + bytes(16384)) * 100, go=False)
raw = Client(path)
raw.send(b"GET / HTTP/1.1\r\n\r\n")
check("HTTP", raw.ended())

client = Client(path).go()
for what, command, offset, length, error in [
    ("a read that is too large", READ, 0, (32 << 20) + 1, EOVERFLOW),
    ("a read beyond the end", READ, size, 1, EINVAL),
    ("a read whose end overflows", READ, 2**64 - 1, 2, EINVAL),
    ("zeros beyond the end", ZERO, size - 1, 2, ENOSPC),
    ("zeros whose end overflows", ZERO, 2**64 - 1, 0xFFFFFFFF, ENOSPC),
    ("no zeros", ZERO, 0, 0, EINVAL),
    ("a flush of something", FLUSH, 0, 1, EINVAL),
    ("an unknown command", 99, 0, 0, EINVAL),
]:
    answer = client.ask(command, offset, length)
    check(f"{what}: {answer}", answer[0] == error)
check("a write whose end overflows", client.write(2**64 - 10, bytes(100)) == ENOSPC)
check("a write that is too large", client.ask(WRITE, 0, (32 << 20) + 1, bytes((32 << 20) + 1))[0] == EINVAL)
check("a write after all that", client.write(0, b"\1" * 512) == 0)

# Reads that are asked for and not taken.
deaf = Client(path).go()
deaf.socket.setblocking(False)
try:
    while True:
        deaf.send(request(READ, 0, 16 << 20))
except BlockingIOError:
    pass

# Half a request, and then silence.
halves = []
for i in range(100):
    half = Client(path).go()
    half.send((request(WRITE, 0, 1 << 20) + bytes(50_000))[: 1 + 500 * i])
    halves.append(half)

# Through negotiation, and then silence.
silent = [Client(path).go() for _ in range(200)]

# Connections that are left open: some say nothing at all, some half of a greeting, some all.
open_ones = []
for i in range(1000):
    one = Client(path)
    try:
        if i % 4 == 1:
            one.send(b"\0\0")
        elif i % 4 == 2:
            one.greet().send(struct.pack(">QII", OPTION_MAGIC, GO, 16000) + bytes(9000))
        elif i % 4 == 3:
            one.go()
    except (Ended, ConnectionError):
        check(f"connection {i} is refused", False)
    open_ones.append(one)
check("who was silent for longest gave way", silent[0].ended())
check("who came last is there", open_ones[-1].write(0, b"\1" * 512) == 0)
check("who wrote is there", client.write(512, b"\1" * 512) == 0)

# Another writes all of a disk meanwhile, and some make way for it.
copied = subprocess.run(["nbdcopy", "random", f"nbd+unix:///?socket={path}"], timeout=60)
check("a copy among a thousand others", copied.returncode == 0)
sys.stdout.flush()
os._exit(1 if failures else 0)
END

"$SHUNT" stream-sink --size 64M --listen "unix:$work/disk.sock" --commit at-end --memory 16M --spill none -o disk.img 2>err &
sink=$!
background+=("$sink")
listens "$work/disk.sock" "$sink" || fail "it does not listen: $(said)"
timeout 120 python3 hostile.py disk.sock || fail "hostile clients: $(said)"
memory=$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$sink/status")
echo "the most memory: $memory KiB"
((sanitized)) || ((memory <= 32 * 1024)) || fail "$memory KiB of memory"
nbdcopy "nbd+unix:///?socket=$work/disk.sock" back || fail "the disk cannot be read"
truncate -s 64M random
same back random "the disk that others were at"
# They went in the middle of what they wrote, and so the disk is not what everybody meant.
kill -TERM "$sink"
rc=0
wait "$sink" || rc=$?
equal "exit" "$rc" 143
says 'interrupted: a client disconnected in the middle of a request'
[[ ! -e disk.img ]] || fail "there is a file"
