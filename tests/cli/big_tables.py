"""Writes an MP4 of tables that are small one by one and large together: big_tables.py OUT KIND..."""

import struct
import sys


def box(kind, *parts):
    payload = b"".join(parts)
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def full(kind, *parts, flags=0):
    return box(kind, struct.pack(">I", flags), *parts)


def numbers(*values):
    return struct.pack(f">{len(values)}I", *values)


FTYP = box(b"ftyp", b"isom", numbers(512), b"isom")
MEDIA = len(FTYP) + 16  # where the payload of mdat begins


def track(*tables, dref=None):
    dinf = box(b"dinf", dref) if dref else b""
    return box(b"trak", box(b"mdia", box(b"minf", dinf, box(b"stbl", *tables))))


def chunks(*offsets):
    return full(b"stco", numbers(len(offsets), *offsets))


def item():
    head = struct.pack(">BBHHHHII", 0x44, 0, 1, 1, 0, 1, MEDIA, 4)
    return full(b"iloc", head)


def meta(*boxes):
    return full(b"meta", item(), *boxes)


def fragment(number):
    run = full(b"trun", numbers(1, 0, 4), flags=0x201)
    head = full(b"tfhd", struct.pack(">IQ", 1, MEDIA + 4 * (number % 1000)), flags=1)
    return box(b"moof", box(b"traf", head, run))


def alternating(runs):
    """A track that changes between this file and another with every chunk."""
    dref = full(b"dref", numbers(2), full(b"url ", flags=1), full(b"url ", b"elsewhere\0"))
    entries = [box(b"mp4v", bytes(6), struct.pack(">H", n), bytes(70)) for n in (1, 2)]
    stsc = b"".join(numbers(n + 1, 1, 1 + n % 2) for n in range(runs))
    return track(
        full(b"stsd", numbers(2), *entries),
        full(b"stsc", numbers(runs), stsc),
        full(b"stsz", numbers(4, runs)),
        chunks(*[MEDIA] * runs),
        dref=dref,
    )


# Between mdat and moov, and in moov.
KINDS = {
    "tables-in-metas": lambda: ([meta(track(chunks(MEDIA)) * 4000, box(b"udta") * 9000)] * 60, []),
    "empty-boxes": lambda: ([meta(box(b"udta") * 60000)] * 30, [box(b"udta") * 60000]),
    "fragments": lambda: ([fragment(n) for n in range(65000)], []),
    "filters": lambda: ([], [alternating(60000)] * 8),
    "one-filter": lambda: ([], [alternating(60000)]),
    "wide-tables": lambda: ([], [track(chunks(0xFFFFFFF0))] * 4500),
    "too-many-tables": lambda: ([], [track(chunks(0xFFFFFFF0))] * 8000),
    "items": lambda: ([], [meta() * 64 + box(b"udta", meta() * 3000)]),
    "many-tracks": lambda: ([], [track(chunks(*[MEDIA] * 300))] * 1500),
    "many-fragments": lambda: ([fragment(n) for n in range(20000)], [track(chunks(MEDIA))] * 200),
}


def main(out, *kinds):
    made = [KINDS[kind]() for kind in kinds]
    with open(out, "wb") as file:
        # 4 GiB of nothing, so that offsets can outgrow their tables.
        file.write(FTYP + struct.pack(">I4sQ", 1, b"mdat", 0x100010000))
        file.seek(len(FTYP) + 0x100010000)
        for between, _ in made:
            file.writelines(between)
        file.write(box(b"moov", box(b"mvhd", bytes(100)), *[b for _, inner in made for b in inner]))


main(*sys.argv[1:])
