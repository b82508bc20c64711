"""
Certificates by ACME: how soon a first one is served, what ten thousand that are
there cost, and a thousand that are issued and renewed at once.
"""

import base64
import hashlib
import json
import os
import shutil
import statistics
import time

import authority
import certificate
import gateway
import issuing
import manifest
import nginx
import pebble
import peer

import bench_load
import bench_server


DAY = 86400
ORDERS = 250        # that an account may make at once: acme_bucket.c
BATCH = 500         # certificates in a command to the stub
FOLDERS = 97

# A quarter of life has passed, so that a CA's window exempts from the limits,
# and two thirds have not.
USED = dict(backdate=40 * DAY, validity=50 * DAY, ari_window=[0.8, 0.9])


def host(i):
    return f"w{i}.example"


class World:
    """A gateway, and hosts with a certificate each by an issuer of a CA."""

    def __init__(self, backend, http=""):
        self.address = manifest.Address("127.0.0.1", backend.plain)
        self.gateway = gateway.Gateway(workers=1, http=http,
                                       server=bench_server.QUIET)

    def put(self, i, by, key=None):
        """Returns without waiting.  An RSA key, the default, takes more of a
        processor than all the rest: what is measured in numbers has others."""
        annotations = {issuing.PREFIX + "private-key-algorithm": key}
        self.gateway.write(
            f"team-{i % FOLDERS}/w{i}.json", manifest.dump_json(issuing.site(
                host(i), self.address, by=by,
                annotations=annotations if key else None)))

    def helper_cpu(self):
        return bench_load.cpu_of([self.helper()])

    def helper(self):
        return nginx.wait_until(self.gateway.helper_pid, "the helper")

    def memory(self):
        return nginx.memory(self.helper()) / 1e6

    def wait_served(self, hosts, unlike=(), timeout=300):
        """Wait for a handshake of each, in turn; the certificates."""
        return [issuing.wait_served(self.gateway, name, timeout=timeout,
                                    unlike=unlike and unlike[i])
                for i, name in enumerate(hosts)]


# From an Ingress to its certificate

def first(authority_, backend, n, row):
    took, spent = [], []
    world = World(backend, issuing.EAGER)
    ca = None

    try:
        world.gateway.start()
        ca = pebble.Pebble(authority_, world.gateway.plain, world.gateway.tls)
        world.gateway.apply("pebble", issuing.issuer("pebble", ca))

        # the account is made with the first

        for i in range(n + 1):
            begin, ran = time.monotonic(), world.helper_cpu()
            world.put(i, "pebble")
            world.wait_served([host(i)])
            took.append(time.monotonic() - begin)
            spent.append(world.helper_cpu() - ran)
    finally:
        world.gateway.remove()
        if ca:
            ca.stop()

    row(f"ACME: Ingress written to certificate served, Pebble, {n} times: p50",
        statistics.median(took[1:]), "s")
    row("  max", max(took[1:]), "s", hold="<= 2", ok=2)
    row("  the very first, and the account", took[0], "s")
    row("  CPU of the helper for one, with an RSA key",
        statistics.mean(spent[1:]) * 1e3, "ms")


# What is there already

def mark(chain, key):
    """Of what was found to be good: acme_have_mark()."""
    parts = [hashlib.sha256(text.strip().encode()).digest()
             for text in (chain, key)]
    digest = hashlib.sha256(b"".join(parts)).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def known_files(world, ca, n):
    """All but the first, whose files tell how the others' have to look."""
    name = issuing.secret_of(host(0))
    pem = world.gateway.state / f"private/certificates/default/{name}.pem"
    record = world.gateway.state / f"private/acme/certs/default/{name}.json"
    owner = pem.stat()
    model = json.loads(record.read_text())

    def write(like, i, text):
        path = like.with_name(issuing.secret_of(host(i)) + like.suffix)
        path.touch(0o600)
        path.write_text(text)
        os.chown(path, owner.st_uid, owner.st_gid)

    # asked for long ago: it is to be asked for again

    chain = pem.read_text().partition("-----BEGIN CERTIFICATE-----")
    assert model["sound"] == mark("".join(chain[1:]), chain[0])
    window = dict(model["ari"])
    window.pop("poll", None)

    for start in range(1, n, BATCH):
        numbers = range(start, min(n, start + BATCH))

        for i, one in zip(numbers, ca.give([[host(i)] for i in numbers])):
            write(pem, i, one["key"] + "\n" + one["chain"])
            write(record, i, json.dumps(dict(
                model, id="default/" + issuing.secret_of(host(i)),
                names=[host(i)], serial=one["serial"],
                sound=mark(one["chain"], one["key"]),
                ari=dict(window, id=one["ari"])), separators=(",", ":")))


def states(world):
    """How many certificates are in each state, by the newest report."""
    out = {}

    for entry in issuing.certificates(world.gateway).values():
        out[entry["state"]] = out.get(entry["state"], 0) + 1

    return out


def known(authority_, backend, n, seconds, row):
    world = World(backend)
    ca = authority.Ca(authority_, **USED)

    try:
        world.gateway.start()
        world.gateway.apply("stub", issuing.issuer("stub", ca))
        world.put(0, "stub", "ECDSA")
        world.wait_served([host(0)])
        issuing.wait_state(world.gateway, issuing.secret_of(host(0)), "valid")
        world.gateway.stop()

        known_files(world, ca, n)
        for i in range(n):
            world.put(i, "stub", "ECDSA")

        known_start(world, n, row)
        known_idle(world, ca, n, seconds, row)
    finally:
        world.gateway.remove()
        ca.stop()


def known_start(world, n, row):
    shutil.rmtree(world.gateway.state / "table")
    world.gateway.restart()

    def published():
        control = world.gateway.control()
        return control if control and control.publishes else None

    control = nginx.wait_until(published, "a table", 60)
    ran = world.helper_cpu()
    took = (control.published - control.started) / 1e3

    for i in (0, n // 2, n - 1):
        cert = issuing.served(world.gateway, host(i))
        assert not issuing.is_default(cert), f"{host(i)} has no certificate"

    row(f"ACME: {n:,} certificates are there, helper's start to their table",
        took, "s", hold="<= 2", ok=2)
    row("  CPU until then", ran, "s")

    bench_load.settle(world.gateway)
    row("  CPU of reading them afterwards",
        world.helper_cpu() - ran, "s")


def known_idle(world, ca, n, seconds, row):
    nginx.wait_until(lambda: states(world) == {"valid": n},
                     lambda: f"{n} valid ones: {states(world)}", 60, every=1)
    bench_load.settle(world.gateway)

    before = ca.counts()
    begin, ran = time.monotonic(), world.helper_cpu()
    time.sleep(seconds)
    ran = world.helper_cpu() - ran
    spent, after = time.monotonic() - begin, ca.counts()

    def asked(what):
        return after.get(what, 0) - before.get(what, 0)

    row(f"  CPU of the helper in {seconds} s of idleness", ran / spent * 100,
        "%", hold="<= 1", ok=1)
    row("  questions for renewal information", asked("renewalInfo") / spent,
        "/s", hold="<= 1", ok=1)
    row("  orders", asked("newOrder"), "", hold="0", ok=0)
    row("  memory of the helper", world.memory(), "MB")


# Issued and renewed

def issue(world, ca, n, row):
    """An account's limit is less than n: its orders are made, then those of
    the next one."""
    took = 0

    for start in range(0, n, ORDERS):
        numbers = range(start, min(n, start + ORDERS))
        by = f"stub-{start // ORDERS}"
        world.gateway.apply(by, issuing.issuer(by, ca))
        begin = time.monotonic()
        for i in numbers:
            world.put(i, by, "ECDSA")
        world.wait_served(map(host, numbers))
        took += time.monotonic() - begin

    row(f"ACME: {n:,} certificates from the stub CA, 16 in flight: served",
        took, "s", hold=f"<= {60 * n / 1000:g}", ok=60 * n / 1000)


def renew(world, ca, n):
    """The CA wants all of them renewed now, and each asks within a minute.
    Seconds, and the most memory on the way."""
    hosts = [host(i) for i in range(n)]
    old = world.wait_served(hosts)
    made, most = len(ca.certs()), 0
    now = time.time()
    begin = time.monotonic()

    for cert in ca.certs()[-n:]:
        ca.window(cert["serial"], now - 3600, now - 1800)

    while len(ca.certs()) < made + n:
        most = max(most, world.memory())
        assert time.monotonic() - begin < 300, world.gateway.report()
        time.sleep(0.25)

    world.wait_served(hosts, unlike=old)

    return time.monotonic() - begin, most


def renewals(authority_, backend, n, rounds, row):
    world = World(backend)
    ca = authority.Ca(authority_, ari_retry=60, **USED)

    try:
        world.gateway.start()
        ca.set(validate=True, http_port=world.gateway.plain)
        empty, ran = world.memory(), world.helper_cpu()

        issue(world, ca, n, row)
        row("  CPU of the helper for each",
            (world.helper_cpu() - ran) / n * 1e3, "ms")

        bench_load.settle(world.gateway)
        first = world.memory()
        row("  memory of the helper before", empty, "MB")
        row("  memory of the helper after", first, "MB")

        took, most = zip(*[renew(world, ca, n) for _ in range(rounds)])
        bench_load.settle(world.gateway)

        row("  all renewed, by the CA's windows, asked for in a minute",
            max(took), "s")
        row("  memory of the helper while they are, at most", max(most), "MB")
        row(f"  memory after {rounds} rounds over that before",
            world.memory() / first, "", hold="<= 1.1", ok=1.1)
        row("  requests that the CA refused", len(ca.refusals()), "",
            hold="0", ok=0)
    finally:
        world.gateway.remove()
        ca.stop()


def measure(n, quick, row):
    peer.install()

    authority_ = certificate.Authority("Bench CA")
    backend = bench_server.Backend().start()

    try:
        first(authority_, backend, 3 if quick else 10, row)
        known(authority_, backend, n, 10 if quick else 30, row)
        renewals(authority_, backend, ORDERS if quick else 1000,
                 1 if quick else 3, row)
    finally:
        backend.remove()
