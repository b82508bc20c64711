"""
Challenges in a routing table, put there as the helper does: for tests of the
workers alone.  The format is that of ingress/ingress_table.h.
"""

import os
import pathlib
import struct

from gateway import TABLE_SECTIONS


HEADER = 32                             # where its size, and checksums, begin
CHALLENGES_HTTP, CHALLENGES_ALPN = TABLE_SECTIONS - 6, TABLE_SECTIONS - 5
POOL = TABLE_SECTIONS - 1
WORD = (1 << 64) - 1
SECRET = (0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3,
          0x589965cc75374cc3)


def _mix(a, b):
    product = a * b
    return (product ^ product >> 64) & WORD


def checksum(data):
    """torii_hash() of more than 16 bytes, with the seed 0."""
    def word(at):
        return int.from_bytes(data[at:at + 8], "little")

    seed = _mix(SECRET[0], SECRET[1])
    at, rest = 0, len(data)
    lanes = [seed] * 3

    while rest > 48:
        lanes = [_mix(word(at + 16 * i) ^ SECRET[i + 1],
                      word(at + 16 * i + 8) ^ lane)
                 for i, lane in enumerate(lanes)]
        at, rest = at + 48, rest - 48

    if len(data) > 48:
        seed = lanes[0] ^ lanes[1] ^ lanes[2]

    while rest > 16:
        seed = _mix(word(at) ^ SECRET[1], word(at + 8) ^ seed)
        at, rest = at + 16, rest - 16

    product = (word(len(data) - 16) ^ SECRET[1]) * (word(len(data) - 8) ^ seed)
    return _mix(product & WORD ^ SECRET[0] ^ len(data),
                product >> 64 ^ SECRET[1])


def with_challenges(table, http=None, alpn=None):
    """The table with {token: key authorization} and {server name: (DER
    certificate, DER key)} instead of what it had of them."""
    header, = struct.unpack_from("I", table, HEADER)

    def section(index):
        return header - 16 * (TABLE_SECTIONS - index)

    pool, used = struct.unpack_from("QI", table, section(POOL))
    out = bytearray(table[:pool + used])

    def align():
        out.extend(bytes(-len(out) % 8))

    def ref(data):
        if not data:
            return 0, 0
        align()
        out.extend(data + b"\0")
        return len(out) - 1 - len(data) - pool, len(data)

    lists = {CHALLENGES_HTTP: [(token.encode(), value.encode(), b"")
                               for token, value in (http or {}).items()],
             CHALLENGES_ALPN: [(name.encode(), *pair)
                               for name, pair in (alpn or {}).items()]}
    records = {index: [sum(map(ref, row), ()) for row in sorted(rows)]
               for index, rows in lists.items()}
    struct.pack_into("I", out, section(POOL) + 8, len(out) - pool)

    for index, rows in records.items():
        align()
        struct.pack_into("QI", out, section(index), len(out), len(rows))
        for row in rows:
            out += struct.pack("6I", *row)

    align()
    struct.pack_into("Q", out, 16, len(out))
    struct.pack_into("Q", out, 24, checksum(out[HEADER:]))
    return bytes(out)


def publish(gateway, table):
    """Put a table in force, as the helper does; none may run."""
    folder = pathlib.Path(gateway.state / "table")
    generation = gateway.generation + 1
    path = folder / f"table.{generation}"
    owner = (folder / "control").stat()

    path.write_bytes(table)
    os.chown(path, owner.st_uid, owner.st_gid)

    with open(folder / "control", "r+b") as control:
        control.seek(8)
        control.write(struct.pack("Q", generation))
