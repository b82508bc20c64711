"""
Torii's DNS driver by itself, and what dig and kdig say of the same zone.
"""

import os
import pathlib
import subprocess

import pytest


ROOT = pathlib.Path(__file__).resolve().parent.parent
OBJS = pathlib.Path(os.environ.get("TORII_OBJS", ROOT / "objs"))
DRIVE = OBJS / "t/drive_dnssync"

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "TXT": 16, "AAAA": 28, "MX": 15,
         "SRV": 33, "CAA": 257}


class Drive:
    """drive_dnssync, the driver over blocking sockets: see its own text."""

    def __init__(self, made, **settings):
        given = {"provider": "rfc2136", "server": made.address,
                 "zones": made.zone, "tsig-key-name": made.key_name,
                 "tsig-secret": made.secret,
                 "tsig-algorithm": made.algorithm,
                 **{name.replace("_", "-"): value
                    for name, value in settings.items()}}
        self.zone = made.zone
        self.process = subprocess.Popen(
            [DRIVE, *(f"{name}={value}" for name, value in given.items()
                      if value is not None)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        assert self.process.wait(10) == 0 or error[0]

    def lines(self):
        """Up to the "= …" line, which is the last."""
        found = []
        while not found or not found[-1].startswith("= "):
            line = self.process.stdout.readline()
            assert line, "drive_dnssync is gone"
            found.append(line.rstrip("\n"))
        return found

    def do(self, command):
        """{"sets": "4", …}; what failed is an AssertionError with its text."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        last = self.lines()[-1]
        assert last.startswith("= ok"), last
        return dict(word.split("=", 1) for word in last.split() if "=" in
                    word[1:])

    def fails(self, command):
        with pytest.raises(AssertionError) as error:
            self.do(command)
        text = str(error.value)
        assert text.startswith("= failed"), text
        return text

    def dump(self):
        """{(name, type): (TTL, values)} of what was read."""
        self.process.stdin.write("dump\n")
        self.process.stdin.flush()
        found = {}
        for line in self.lines()[:-1]:
            name, kind, ttl, values = line.split(" ", 3)
            found[name, int(kind)] = int(ttl), sorted(
                unescape(value) for value in values.split("|"))
        return found

    def set(self, name, kind, ttl, *values):
        name = f"{name}.{self.zone}" if name else self.zone
        text = "|".join(value.replace(" ", "\\s") for value in values) or "-"
        self.do(f"set {name} {kind} {ttl} {text}")

    def apply(self):
        """({name: outcome} of what was not done, figures)."""
        done = self.do("apply")
        return {line.split(" ")[0].removesuffix("." + self.zone):
                line.split(" ")[1] for line in self.lines()[:-1]}, done


def unescape(text):
    out, rest = b"", text
    while rest:
        if rest.startswith("\\s"):
            out, rest = out + b" ", rest[2:]
        elif rest.startswith("\\x"):
            out, rest = out + bytes.fromhex(rest[2:4]), rest[4:]
        else:
            out, rest = out + rest[0].encode(), rest[1:]
    return out


def strings(text):
    """Strings of a zone file as one: '"a\\"b" "c"'."""
    out, i, inside = b"", 0, False
    while i < len(text):
        if text[i] == '"':
            inside = not inside
        elif text[i] == "\\" and text[i + 1].isdigit():
            out += bytes([int(text[i + 1:i + 4])])
            i += 3
        elif text[i] == "\\":
            out += text[i + 1].encode()
            i += 1
        elif inside or text[i] != " ":
            out += text[i].encode()
        i += 1
    return out


def transferred(server, tool="dig"):
    """{(name, type): (TTL, values)}, as dig or kdig transfer the zone; values
    of A, AAAA, CNAME and TXT, of others how many there are."""
    key = (["-y", f"{server.algorithm}:{server.key_name}:{server.secret}"])
    out = subprocess.run(
        [tool, "@127.0.0.1", "-p", str(server.port), *key, server.zone, "AXFR",
         *(["+noall", "+answer", "+onesoa"] if tool == "dig"
           else ["+noall", "+answer"])],
        capture_output=True, text=True, check=True, timeout=20).stdout
    found = {}
    for line in out.split("\n"):
        if not line or line.startswith(";"):
            continue
        name, ttl, _, kind, data = line.split(None, 4)
        if kind in ("SOA", "RRSIG", "NSEC"):
            continue
        name = name.lower().rstrip(".")
        if kind == "TXT":
            value = strings(data)
        elif kind == "CNAME":
            value = data.lower().rstrip(".").encode()
        else:
            value = data.encode()
        found.setdefault((name, TYPES[kind]), (int(ttl), []))[1].append(value)
    return {key: (ttl, sorted(values)) for key, (ttl, values) in found.items()}
