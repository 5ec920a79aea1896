#!/usr/bin/env python3
"""Writes an MP4 whose moov lies behind a sparse mdat, for benchmarks.

sparse_mp4.py OUT --mdat BYTES --chunks N [--stco] [--reserve BYTES]

Two tracks of N chunks each, one co64 table each (--stco: the first track has an stco table). The
moov has the same size whatever the size of mdat. --reserve puts a free box of that size in front of
mdat.
"""
import argparse
import array
import struct
import sys

STEP = 1 << 20  # chunks written at a time


def box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind, *parts, flags=0):
    return box(kind, struct.pack(">I", flags), *parts)


MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def before_table(track, chunks, width):
    """A trak box up to the offsets themselves; sizes account for the table that follows."""
    table = chunks * width
    entry = struct.pack(">6xH16xHHII4xH32xHh", 1, 16, 16, 0x480000, 0x480000, 1, 24, -1)
    tables = (
        full_box(b"stsd", struct.pack(">I", 1), box(b"mp4v", entry))
        + full_box(b"stts", struct.pack(">III", 1, chunks, 1))
        + full_box(b"stsc", struct.pack(">IIII", 1, 1, 1, 1))
        + full_box(b"stsz", struct.pack(">II", 1, chunks))
        + struct.pack(">I4sII", 16 + table, b"co64" if width == 8 else b"stco", 0, chunks)
    )

    def open_box(kind, inside):
        return struct.pack(">I4s", 8 + len(inside) + table, kind) + inside

    stbl = open_box(b"stbl", tables)
    dinf = box(b"dinf", full_box(b"dref", struct.pack(">I", 1), full_box(b"url ", flags=1)))
    minf = open_box(b"minf", full_box(b"vmhd", bytes(8), flags=1) + dinf + stbl)
    mdia = open_box(
        b"mdia",
        full_box(b"mdhd", struct.pack(">IIIIHH", 0, 0, 1000, chunks, 0x55C4, 0))
        + full_box(b"hdlr", struct.pack(">I4s12x", 0, b"vide"), b"\0")
        + minf,
    )
    tkhd = full_box(
        b"tkhd",
        struct.pack(">IIIII8xHHHH", 0, 0, track, 0, chunks, 0, 0, 0, 0),
        MATRIX,
        struct.pack(">II", 16 << 16, 16 << 16),
        flags=3,
    )
    return open_box(b"trak", tkhd + mdia)


def write_offsets(out, first, stride, chunks, width):
    for start in range(0, chunks, STEP):
        end = min(chunks, start + STEP)
        stop = first + end * stride
        part = array.array("Q" if width == 8 else "I", range(first + start * stride, stop, stride))
        if sys.byteorder == "little":
            part.byteswap()
        part.tofile(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--mdat", type=int, required=True)
    parser.add_argument("--chunks", type=int, required=True)
    parser.add_argument("--stco", action="store_true")
    parser.add_argument("--reserve", type=int, default=0)
    options = parser.parse_args()

    widths = (4 if options.stco else 8, 8)
    traks = [before_table(i + 1, options.chunks, width) for i, width in enumerate(widths)]
    mvhd = full_box(
        b"mvhd",
        struct.pack(">IIIIIH10x", 0, 0, 1000, options.chunks, 0x10000, 0x100),
        MATRIX,
        bytes(24),
        struct.pack(">I", 3),
    )
    moov_size = 8 + len(mvhd) + sum(map(len, traks)) + options.chunks * sum(widths)
    head = box(b"ftyp", b"isom", struct.pack(">I", 0x200), b"isomiso2mp41")
    if options.reserve:
        head += box(b"free", bytes(options.reserve - 8))
    media = len(head) + 16
    stride = options.mdat // options.chunks
    if stride < 2:
        parser.error("--mdat is too small for that many chunks")

    with open(options.out, "wb") as out:
        out.write(head)
        out.write(struct.pack(">I4sQ", 1, b"mdat", 16 + options.mdat))
        out.seek(options.mdat, 1)
        out.write(struct.pack(">I4s", moov_size, b"moov") + mvhd)
        for index, (trak, width) in enumerate(zip(traks, widths)):
            out.write(trak)
            write_offsets(out, media + index, stride, options.chunks, width)


main()
