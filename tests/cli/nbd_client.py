#!/usr/bin/env python3
"""An NBD client that does what it is told, wrong things among it (doc/proto.md of NBD).

nbd_client.py SOCKET ACTION...: does one after another, and says what was answered. It exits 1 when a
request failed. Actions; numbers are bytes:
  write:OFFSET:LENGTH:BYTE  zero:OFFSET:LENGTH  trim:OFFSET:LENGTH  read:OFFSET:LENGTH  flush
  begin:OFFSET:LENGTH:SENT  a write of which only SENT bytes of the payload are sent
  scatter:COUNT:STRIDE      writes of 512 bytes, STRIDE apart, many under way at a time
  leave                     takes leave (NBD_CMD_DISC)       die         is killed
  touch:FILE                makes FILE                       until:FILE  waits until it is there
  ended:PID                 waits until that process has ended
  turns:PID:TIMES           waits until its first thread has gone to sleep so often (turns in lib.sh)
  again                     when the server has ended the connection, waits for 0.1 s, and connects anew
  copy:FILE                 writes all of FILE
"""
import os
import signal
import socket
import struct
import sys
import time

SERVER_MAGIC = b"NBDMAGICIHAVEOPT"
OPTION_MAGIC = 0x49484156454F5054
REQUEST_MAGIC = 0x25609513
STRUCTURED_MAGIC = 0x668E33EF
READ, WRITE, DISCONNECT, FLUSH, TRIM, ZERO = 0, 1, 2, 3, 4, 6
GO, STRUCTURED = 7, 8


class Ended(Exception):
    """The server has closed the connection."""


def slept(pid):
    """How often the first thread of the process has gone to sleep; None when it has ended."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            lines = dict(line.split(":", 1) for line in status)
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if lines["State"].strip().startswith("Z") else int(lines["voluntary_ctxt_switches"])


class Client:
    def __init__(self, path):
        self.path = path
        self.connect()

    def connect(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(self.path)

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise Ended
            data += part
        return data

    def ended(self):
        """Whether the server closes the connection, within the time limit."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass
        except socket.timeout:
            return False
        return True

    def greet(self):
        assert self.receive(18)[:16] == SERVER_MAGIC
        self.send(struct.pack(">I", 3))
        return self

    def option(self, number, data=b""):
        """The type of the last reply."""
        self.send(struct.pack(">QII", OPTION_MAGIC, number, len(data)) + data)
        while True:
            _, _, kind, size = struct.unpack(">QIII", self.receive(20))
            self.receive(size)
            if kind != 3:
                return kind

    def go(self):
        self.greet()
        assert self.option(STRUCTURED) == 1
        assert self.option(GO, bytes(6)) == 1
        return self

    @staticmethod
    def header(command, offset=0, length=0, flags=0):
        return struct.pack(">IHHQQI", REQUEST_MAGIC, flags, command, 7, offset, length)

    def ask(self, command, offset=0, length=0, payload=b""):
        """The error of the answer, 0 for none, and its text."""
        self.send(self.header(command, offset, length) + payload)
        return self.answer()

    def answer(self):
        error, text = 0, ""
        while True:
            magic, word = struct.unpack(">II", self.receive(8))
            self.receive(8)
            if magic != STRUCTURED_MAGIC:
                return word, text
            data = self.receive(struct.unpack(">I", self.receive(4))[0])
            if word & 0x8000:  # a chunk that is an error
                error = struct.unpack(">I", data[:4])[0]
                text = data[6:].decode()
            if word >> 16 & 1:
                return error, text

    def write(self, offset, data):
        return self.ask(WRITE, offset, len(data), data)[0]


def act(client, action):
    """Whether all went well."""
    name, *values = action.split(":")
    if name == "touch":
        open(values[0], "w", encoding="ascii").close()
    elif name == "until":
        for _ in range(12000):  # a test that has failed never makes it
            if os.path.exists(values[0]):
                break
            time.sleep(0.01)
    elif name == "ended":
        while slept(values[0]) is not None:
            time.sleep(0.01)
    elif name == "turns":
        end = (slept(values[0]) or 0) + int(values[1])
        while (now := slept(values[0])) is not None and now < end:
            time.sleep(0.01)
    elif name == "again":
        if not client.ended():
            return False
        time.sleep(0.1)
        client.connect()
        client.go()
    elif name == "copy":
        with open(values[0], "rb") as file:
            for at in range(0, os.path.getsize(values[0]), 1 << 20):
                if client.write(at, file.read(1 << 20)):
                    return False
    elif name == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == "leave":
        client.send(client.header(DISCONNECT))
    elif name == "begin":
        offset, length, sent = map(int, values)
        client.send(client.header(WRITE, offset, length) + b"\1" * sent)
    elif name == "write":
        offset, length, byte = map(int, values)
        for at in range(0, length, 1 << 20):
            size = min(1 << 20, length - at)
            error, text = client.ask(WRITE, offset + at, size, bytes([byte]) * size)
            if error:
                print(f"write at {offset + at}: {os.strerror(error)}: {text}", flush=True)
                return False
    elif name == "scatter":
        count, stride = map(int, values)
        for first in range(0, count, 100):
            some = range(first, min(first + 100, count))
            client.send(b"".join(client.header(WRITE, i * stride, 512) + b"Q" * 512 for i in some))
            if any([client.answer()[0] for _ in some]):
                return False
    else:
        command = {"zero": ZERO, "trim": TRIM, "read": READ, "flush": FLUSH}[name]
        error, text = client.ask(command, *map(int, values))
        if error:
            print(f"{name}: {os.strerror(error)}: {text}", flush=True)
            return False
    return True


def main():
    client = Client(sys.argv[1]).go()
    try:
        done = [act(client, action) for action in sys.argv[2:]]
    except (Ended, ConnectionError):
        print("the server has closed the connection", flush=True)
        return 1
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
