"""
Two gateways at one Kubernetes API: who leads and writes, and that nobody else
does, through faults of the server and of the gateways themselves.

TORII_FAULTS is how many seconds of faults there are: "make faults" plays ten
minutes of them.
"""

import contextlib
import functools
import json
import os
import random
import signal
import threading
import time

import pytest

import client
import cluster
import manifest
import nginx


SEED = 20261125
SECONDS = float(os.environ.get("TORII_FAULTS") or 5)
LONG = SECONDS >= 60
ACT = 8             # seconds of faults between two recoveries
RECOVERY = 60       # seconds that one may take
KEPT = "kept.example"
WATCHES = ["endpointslices", "ingresses", "secrets", "services"]


@pytest.fixture
def pair_of_gateways(api, start):
    """Two of them, each with a user of its own."""
    api.rbac(cluster.deployed(user="a") + cluster.deployed(user="b"))
    api.tokens(tokens={"a-token": "a", "b-token": "b"})
    return {user: start(user, directives=cluster.PUBLISH, wait=False,
                        server="keepalive_requests 1000000;")
            for user in "ab"}


def leader(api):
    lease = api.get("leases", "torii", "torii")
    return lease and lease["spec"].get("holderIdentity")


def wait_leader(api, other_than=None, timeout=10):
    def there():
        holder = leader(api)
        return holder if holder and holder != other_than else None
    return nginx.wait_until(there, lambda: f"a leader: {api.get('leases')}",
                            timeout, 0.05)


def writers(api):
    return {r["user"] for r in api.asked(verb="patch",
                                         resource="ingresses/status")}


def ingresses(n, echo):
    return [manifest.route(f"h{i}.example", echo[0]) for i in range(n)]


def test_one_of_two_writes_status(api, pair_of_gateways, echo):
    api.apply(ingresses(20, echo))
    cluster.wait_published(api, 20)

    assert len(writers(api)) == 1
    patched = [r["name"] for r in api.asked(resource="ingresses/status")
               if cluster.MARK not in r["name"]]
    assert sorted(patched) == sorted(set(patched))
    api.check()


def test_status_is_left_alone_when_a_gateway_ends(api, start, echo):
    gateway = start(directives=cluster.PUBLISH,
                    manifests={"a": ingresses(3, echo)})
    cluster.wait_published(api, 3)
    gateway.stop()
    cluster.wait_published(api, 3)


@pytest.mark.parametrize("how, limit", [(signal.SIGTERM, 6),
                                        (signal.SIGKILL, 25)],
                         ids=["ended", "killed"])
def test_lease_moves_when_the_leader_is_gone(api, pair_of_gateways, echo, how,
                                             limit):
    first = wait_leader(api)
    api.apply(ingresses(1, echo))
    cluster.wait_published(api, 1)
    user, = writers(api)
    gone = pair_of_gateways.pop(user)

    if how == signal.SIGKILL:
        for pid in gone.tree():
            os.kill(pid, how)
    gone.stop()

    wait_leader(api, first, limit)
    api.requests(clear=True)
    api.apply(manifest.route("new.example", echo[0]))
    cluster.wait_published(api, 2)
    assert writers(api) == set(pair_of_gateways)


class Faults:
    """A script of faults: one seed is one script.  What takes longer than a
    lease, a helper that is stopped or killed, is for a long one."""

    def __init__(self, api, gateways, seed=SEED):
        self.api, self.gateways = api, gateways
        self.dice = random.Random(seed)
        self.counts = {}
        self.timers = []
        self.table = self.short() + (self.long() if LONG else [])

    def short(self):
        api, some = self.api, functools.partial(self.api.fault, times=2)
        return [
            ("status 500", lambda: some(status=500)),
            ("status 429", lambda: some(status=429, retryAfter=1)),
            ("HTML", lambda: some(html=True)),
            ("no answer", lambda: some(close=True)),
            ("answer cut", lambda: some(cut=300)),
            ("stream cut", lambda: api.cut(
                match={"resource": self.dice.choice(WATCHES)},
                how=self.dice.choice(["connection", "middle"]))),
            ("streams end", api.end),
            ("410", lambda: (api.compact(), api.cut(how="connection"))),
            ("nonsense", lambda: api.inject(text="{not json\n")),
            ("server away", lambda: (
                api.down(), time.sleep(0.3), api.up())),
        ]

    def long(self):
        def writes(**do):
            for resource in ("leases", "ingresses/status"):
                self.api.fault(times=2, match={
                    "resource": resource, "verb": ["update", "patch"]}, **do)

        return [
            ("write conflicts", lambda: writes(status=409)),
            ("write done, answer lost", lambda: writes(cut=0)),
            ("write hangs", lambda: writes(hang=True)),
            ("write late", lambda: writes(delay=2500)),
            ("one cannot renew", lambda: self.api.fault(
                times=6, match={"resource": "leases",
                                "user": self.dice.choice("ab")}, status=500)),
            ("helper stopped", lambda: self.stop(self.dice.uniform(2, 20))),
            ("helper killed", self.kill),
        ]

    def stop(self, seconds):
        pid = self.helper(self.dice.choice("ab"))
        if pid:
            os.kill(pid, signal.SIGSTOP)
            timer = threading.Timer(seconds, self.go_on, [pid])
            self.timers.append(timer)
            timer.start()

    @staticmethod
    def go_on(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def kill(self):
        user = self.dice.choice("ab")
        pid = self.helper(user)
        if pid:
            self.gateways[user].expect("exited on signal 9")
            os.kill(pid, signal.SIGKILL)

    def helper(self, user):
        return self.gateways[user].helper_pid()

    def act(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            name, do = self.dice.choice(self.table)
            self.counts[name] = self.counts.get(name, 0) + 1
            do()
            time.sleep(0.2)
        self.api.heal()

    def over(self):
        for timer in self.timers:
            timer.cancel()
            self.go_on(*timer.args)


def accepted(api):
    """Writes of the Lease and of status that the server did, in its order."""
    return [r for r in api.asked() if r["status"] in (200, 201)
            and (r["resource"], r["verb"]) in (
                ("leases", "create"), ("leases", "update"),
                ("ingresses/status", "patch"))]


def wrong_writes(writes):
    """Those of status by one who had not been the last to write the Lease, or
    had not done so for as long as it lasts."""
    lease, bad = None, []
    for r in writes:
        if r["resource"] == "leases":
            lease = r
        elif (not lease or lease["user"] != r["user"]
                or r["time"] - lease["time"] > 15000):
            bad.append((lease, r))
    return bad


def statuses(api):
    """What each Ingress said, one after the other, without repetitions."""
    seen = {}
    for event in api.history(resource="ingresses")["events"]:
        meta = event["object"]["metadata"]
        values = seen.setdefault((meta["name"], meta["uid"]), [])
        value = json.dumps(event["object"]["status"])
        if not values or values[-1] != value:
            values.append(value)
    return seen


def holders(api):
    """Identities that held the Lease, one after the other."""
    out = []
    for event in api.history(resource="leases")["events"]:
        holder = event["object"]["spec"].get("holderIdentity")
        if holder and (not out or out[-1] != holder):
            out.append(holder)
    return out


def test_status_does_not_flap_through_faults(api, pair_of_gateways, echo):
    kept, n, took = [manifest.route(KEPT, echo[0])], 10, []
    api.apply(kept, ingresses(n, echo))
    cluster.wait_published(api, n + 1)
    faults = Faults(api, pair_of_gateways)
    begin = time.monotonic()

    with contextlib.ExitStack() as stack:
        stack.callback(faults.over)
        for one in pair_of_gateways.values():
            nginx.wait_until(lambda: one.get("/", KEPT).status == 200,
                             one.report)
            stack.enter_context(client.unharmed(one, KEPT, 50))

        while time.monotonic() - begin < SECONDS:
            api.apply(manifest.route(f"h{n}.example", echo[1]))
            api.remove(manifest.route(f"h{n - 10}.example", echo[0]))
            faults.act(min(ACT, SECONDS))
            healed = time.monotonic()
            n += 1
            api.apply(manifest.route(f"h{n}.example", echo[2]))
            cluster.wait_published(api, 12, RECOVERY)
            took.append(time.monotonic() - healed)
            api.remove(manifest.route(f"h{n}.example", echo[2]))

        faults.over()
        api.apply(manifest.route("after.example", echo[1]))
        for one in pair_of_gateways.values():
            cluster.wait_serves(one, "after.example", "http1", RECOVERY)
        cluster.wait_published(api, 12, RECOVERY)

    writes = accepted(api)
    status = [w for w in writes if w["resource"] != "leases"]
    print(f"{time.monotonic() - begin:.0f} s, {len(api.asked())} requests, "
          f"{sum(faults.counts.values())} faults: {faults.counts}\n"
          f"{len(status)} writes of status, {len(writes) - len(status)} of "
          f"the Lease, which moved {len(holders(api)) - 1} times; recovered "
          f"{len(took)} times, within {max(took):.1f} s")

    # one writes at a time, each Ingress says nothing and then one thing
    assert wrong_writes(writes) == []
    assert all(len(v) <= 2 for v in statuses(api).values()), statuses(api)
    if LONG:
        assert len(holders(api)) > 2
