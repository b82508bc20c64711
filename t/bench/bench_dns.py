"""
Hosts in DNS: ten thousand that are new, a second start that finds them there,
what a zone is asked while nothing happens, and one new host.  By itself:
bench_dns.py [N], with TORII_OBJS in the environment.
"""

import json
import os
import pathlib
import socket
import struct
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import gateway                                              # noqa: E402
import manifest                                             # noqa: E402
import nginx                                                # noqa: E402
import records                                              # noqa: E402


INTERVAL = 5        # s between two looks at a zone
SERVER = "access_log off; keepalive_requests 10000000;"
QUIET = 2           # s after the last change, in which nothing is written

# seconds until all hosts are there, behind that
HOLD = {"bind": 3, "knot": 3, "powerdns": 5}


def ask(zone, name, kind=1, timeout=1):
    """Whether the zone's server has records of the name."""
    query = struct.pack(">6H", os.getpid() & 0xffff, 0, 1, 0, 0, 0) + b"".join(
        bytes([len(label)]) + label.encode() for label in name.split(".")
    ) + b"\0" + struct.pack(">2H", kind, 1)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.sendto(query, ("127.0.0.1", zone.port))
        try:
            return struct.unpack(">H", sock.recv(4096)[6:8])[0] > 0
        except socket.timeout:
            return False


def until(check, timeout=120):
    return nginx.wait_until(check, lambda: "it is not done", timeout,
                            every=0.01)


class World:
    """A gateway with so many hosts of a zone, and no provider yet."""

    def __init__(self, kind, n):
        self.zone = records.SERVERS[kind](zone=f"{kind}.test")
        self.n = n
        self.gateway = gateway.Gateway(
            workers=1, server=SERVER,
            http=f"torii_publish {records.ADDRESS}; torii_dns owner=bench;")
        docs = manifest.backend("echo", manifest.Address("10.0.0.1", 80))
        docs += [manifest.ingress(f"i{i}", manifest.rule(
            self.host(i), manifest.path())) for i in range(n)]
        self.gateway.initial = {"all": docs}
        self.gateway.start()

    def host(self, i):
        return f"h{i}.{self.zone.zone}"

    def memory(self):
        return nginx.memory(self.gateway.helper_pid())

    def state(self):
        try:
            return json.loads((self.gateway.state
                               / "table/dns.json").read_text())
        except (OSError, ValueError):
            return {"zones": [], "accounts": []}

    def settled(self):
        zones = [z for z in self.state()["zones"] if z["state"] == "complete"]
        return zones and all(z["pending"] == 0 and z["hosts"] >= self.n
                             and z["owned"] >= self.n for z in zones)

    def requests(self):
        return sum(a["requests"] for a in self.state()["accounts"])

    def edits(self):
        return sum(sum(a["edits"].values()) for a in self.state()["accounts"])

    def create(self):
        """Seconds from the provider's Secret to the last host, but for those
        of the quiet window; and what memory it took."""
        before = self.memory()
        begin = time.monotonic()
        self.gateway.put("provider", records.of(
            self.zone, interval=str(INTERVAL), brake_min="100000"))

        left = list(range(0, self.n, max(self.n // 200, 1)))

        while left:
            if ask(self.zone, self.host(left[-1])):
                left.pop()
            else:
                time.sleep(0.01)

        end = time.monotonic()
        until(self.settled)

        return end - begin - QUIET, (self.memory() - before) / 1e6

    def again(self):
        """Writes of another helper, that has the state of this one or not."""
        self.gateway.reload()
        until(lambda: self.settled() and self.edits() == 0)
        return self.edits()

    def idle(self, intervals=3):
        """Requests for the zone in each interval."""
        before = self.requests()
        begin = time.monotonic()
        end = begin + intervals * INTERVAL
        until(lambda: time.monotonic() > end)
        until(lambda: self.requests() > before, 3 * INTERVAL)

        return (self.requests() - before) * INTERVAL / (time.monotonic()
                                                        - begin)

    def one(self, i):
        """Seconds from a new Ingress to its address."""
        name = f"new{i}.{self.zone.zone}"
        begin = time.monotonic()
        self.gateway.put(f"new{i}", manifest.route(
            name, manifest.Address("10.0.0.1", 80)))
        until(lambda: ask(self.zone, name))
        return time.monotonic() - begin

    def stop(self):
        self.gateway.remove()
        self.zone.stop()


def measure(n, quick, row):
    for kind in HOLD:
        world = World(kind, n)
        try:
            seconds, megabytes = world.create()
            row(f"{n} hosts in DNS, {kind}", seconds, "s", ok=HOLD[kind],
                hold=f"≤ {HOLD[kind]} s")
            row(f"… memory of the helper, {kind}", megabytes, "MB",
                hold="≤ 40 MB", ok=40)
            row(f"… writes of a second run, {kind}", world.again(), "",
                hold="0", ok=0)
            row(f"… requests in an interval, {kind}", world.idle(), "",
                hold="≤ 1", ok=1.1)
            row(f"… one new host is answered, {kind}",
                max(world.one(i) for i in range(1 if quick else 3)), "s",
                hold="≤ 3 s", ok=3)
        finally:
            world.stop()


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 10000, False,
            lambda what, value, unit, hold="", ok=None:
            print(f"{what}: {value:.3g} {unit} (hold {hold})", flush=True))
