"""
The Kubernetes API as the source: a stand-in for it with 10,000 Ingresses and
Services and 20,000 EndpointSlices, and what a gateway that follows it costs.
"""

import statistics
import time

import certificate
import cluster
import manifest
import network
import nginx
import peer

import bench_load
import bench_server


BATCH = 4000        # objects in a command to the stand-in
APART = 10          # seconds between two outages


class World:
    """n applications whose slices lead to one of two answers, "a" and "b", at
    two ports of an address; see bench_load.changes()."""

    def __init__(self, api, n, backend):
        self.api, self.n = api, n
        self.addresses = [manifest.Address(network.POD, port)
                          for port in (backend.plain, backend.admin)]
        self.which = [0] * n
        objects = cluster.world(n, self.addresses)
        for i in range(0, len(objects), BATCH):
            api.apply(objects[i:i + BATCH])

    @staticmethod
    def host(i):
        return f"w{i}.example"

    def change(self, i, ignored=None):
        self.which[i] = 1 - self.which[i]
        address = self.addresses[self.which[i]]
        self.api.apply(manifest.endpoint_slice(
            f"w{i}", [address.host], address.port, name=f"w{i}-a"))
        return b"ab"[self.which[i]:][:1]


def gateway(api):
    return cluster.Gateway(api=api, workers=1, wait=False,
                           server=bench_server.QUIET)


def wait_answer(torii, host, right, timeout=60):
    """Seconds until a host is answered as it should be."""
    begin = time.monotonic()

    def there():
        answer = torii.get("/", host)
        return (answer.status, answer.body) == (200, right)

    nginx.wait_until(there, lambda: f"{host}: {torii.report()}", timeout)

    return time.monotonic() - begin


def start(api, world, rounds, row):
    """Returns a gateway that runs."""
    took, torii = [], None

    for _ in range(rounds):
        if torii:
            torii.remove()
        torii = gateway(api)
        begin = time.monotonic()
        torii.start()
        wait_answer(torii, world.host(world.n - 1), b"a")
        took.append(time.monotonic() - begin)

    row(f"cluster: first sync of {world.n:,} Ingresses, and nginx's start",
        statistics.median(took), "s", hold="<= 5", ok=5)

    return torii


def changes(torii, world, seconds, row):
    rate = 100
    before, begin = torii.control().publishes, time.monotonic()
    took = bench_load.changes(torii, world, seconds * rate, 0, rate)
    spent = time.monotonic() - begin

    row(f"  {rate} events a second for {seconds} s, to first answer: p50",
        bench_load.percentile(took, 0.5) * 1e3, "ms")
    row("  p99", bench_load.percentile(took, 0.99) * 1e3, "ms",
        hold="<= 50", ok=50)
    row("  tables published",
        (torii.control().publishes - before) / spent, "/s")
    row("  the helper's own memory", nginx.memory(torii.helper_pid()) / 1e6,
        "MB", hold="<= 300", ok=300)


def idle(api, torii, seconds, row):
    """The watches were opened before: whatever is asked for but the Lease is
    too much."""
    bench_load.settle(torii)
    api.requests(clear=True)
    time.sleep(seconds)

    asked = [r for r in api.asked() if r["resource"] != "leases"]
    watches = [r for r in asked if r["verb"] == "watch"]

    row("  requests in a steady state, but for watches and the Lease",
        (len(asked) - len(watches)) * 60 / seconds, "/min", hold="0", ok=0)


def rolling(torii, echo, row):
    load = cluster.roll(torii, echo, 500)
    row(f"  failed requests of {load.done}, rolling update of 3 endpoints",
        len(load.errors), "", hold="0", ok=0)


def outages(api, torii, world, away, rounds, row, hold):
    """The worst of some; what changed while the server was away is told by its
    watches when it is back."""
    took = []

    for i in range(rounds):
        time.sleep(APART)
        api.down()
        time.sleep(away)
        right = world.change(i)
        api.up()
        took.append(wait_answer(torii, world.host(i), right))

    row(f"  API server away for {away} s and back, in sync: worst of {rounds}",
        max(took), "s", hold=f"<= {hold}", ok=hold)


def measure(n, quick, row):
    network.enter()
    peer.install()

    backend = bench_server.Backend(network.POD).start()
    api = cluster.ApiServer(defaultClass="nginx")
    authority = certificate.Authority("Bench CA")
    echo = peer.Echo(authority.issue("backend.example"), authority.pem)
    torii = None

    try:
        world = World(api, n, backend)
        torii = start(api, world, 1 if quick else 3, row)
        changes(torii, world, 3 if quick else 10, row)
        idle(api, torii, 10 if quick else 60, row)
        rolling(torii, echo, row)
        outages(api, torii, world, 1.5, 1 if quick else 3, row, 5)
        outages(api, torii, world, 10, 1, row, 5)
    finally:
        if torii:
            torii.remove()
        echo.stop()
        api.stop()
        backend.remove()
