"""
Gateways that follow a Kubernetes API: who leads, what outages, cut streams and
forgotten versions do (nothing), what is asked for, and how quick it is.
"""

import contextlib
import json
import os
import random
import signal
import threading
import time

import pytest
from cryptography import x509

import certificate
import client
import cluster
import manifest
import nginx
from gateway import SANITIZE


KEPT = "kept.example"
ADDRESS = "203.0.113.7"
PUBLISH = f"torii_publish {ADDRESS};"
WATCHES = {"ingresses", "ingressclasses", "services", "endpointslices",
           "secrets"}


@pytest.fixture
def api():
    made = cluster.ApiServer(defaultClass="nginx")
    yield made
    made.stop()


@pytest.fixture
def start(api):
    """start(user="torii", …): a gateway at the API server; its end is not
    disturbed by the API server's, which ends later."""
    with contextlib.ExitStack() as stack:
        def run(user=cluster.USER, **how):
            made = cluster.Gateway(api=api, token=f"{user}-token", **how)
            stack.callback(made.remove)
            return made.start()
        yield run
        api.heal()


@pytest.fixture
def gateway(start, echo):
    """A gateway with a route that stays as it is."""
    made = start(manifests={"kept": manifest.route(KEPT, echo[0])})
    nginx.wait_until(lambda: len(made.api.live()) >= len(WATCHES),
                     made.report)
    return made


@pytest.fixture
def pair_of_gateways(api, start):
    """Two of them, each with a user of its own."""
    api.rbac(cluster.deployed(user="a") + cluster.deployed(user="b"))
    api.tokens(tokens={"a-token": "a", "b-token": "b"})
    return {user: start(user, directives=PUBLISH, wait=False)
            for user in "ab"}


class Load:
    """Requests to a host at a rate, on connections kept alive; errors are the
    answers that were not 200, and whatever else went wrong."""

    def __init__(self, gateway, host, rate=500, clients=4):
        self.gateway, self.host = gateway, host
        self.pause = clients / rate
        self.over = threading.Event()
        self.errors = []
        self.done = 0
        self.threads = [threading.Thread(target=self.run)
                        for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *ignored):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def run(self):
        due = time.monotonic()

        with self.gateway.http1() as c:
            while not self.over.is_set():
                due += self.pause
                time.sleep(max(0, due - time.monotonic()))
                try:
                    status = c.get("/", self.host).status
                except (OSError, client.http.client.HTTPException) as e:
                    self.errors.append(repr(e))
                    return
                self.done += 1
                if status != 200:
                    self.errors.append(status)


@contextlib.contextmanager
def unharmed(gateway, host=KEPT, rate=100):
    """All requests of the meantime must be answered 200."""
    with Load(gateway, host, rate, clients=2) as load:
        yield
    assert load.errors == [] and load.done > 0


def serves(gateway, host, name):
    answer = gateway.get("/", host)
    return answer.status == 200 and answer.echo["name"] == name


def wait_serves(gateway, host, name, timeout=10):
    """Seconds until the host leads to the echo address of that name."""
    begin = time.monotonic()
    nginx.wait_until(lambda: serves(gateway, host, name), lambda: f"{host} "
                     f"at {name}; {gateway.report()}", timeout, 0.01)
    return time.monotonic() - begin


def moved(echo, i, host="moved.example"):
    """Objects of a host at the i-th address."""
    return manifest.route(host, echo[i])


def slice_of(name, *addresses, **conditions):
    """One slice of several addresses, whose ports differ in these tests."""
    return [manifest.endpoint_slice(name, [a.host], a.port,
                                    conditions=conditions or None)
            for a in addresses]


# Who leads

def leader(api):
    lease = api.get("leases", "torii", "torii")
    return lease and lease["spec"].get("holderIdentity")


def wait_leader(api, other_than=None, timeout=10):
    def there():
        holder = leader(api)
        return holder if holder and holder != other_than else None
    return nginx.wait_until(there, lambda: f"a leader: {api.get('leases')}",
                            timeout, 0.05)


def published(api):
    """The addresses in the status of each Ingress that is no mark."""
    return {i["metadata"]["name"]:
            [a.get("ip") or a.get("hostname") for a in
             i["status"]["loadBalancer"].get("ingress", [])]
            for i in api.get("ingresses")
            if cluster.MARK not in i["metadata"]["name"]}


def wait_published(api, n, timeout=10):
    nginx.wait_until(lambda: list(published(api).values()) == [[ADDRESS]] * n,
                     lambda: f"status: {published(api)}", timeout, 0.05)


def writers(api):
    return {r["user"] for r in api.asked(verb="patch",
                                         resource="ingresses/status")}


def ingresses(n, echo):
    return [manifest.route(f"h{i}.example", echo[0]) for i in range(n)]


def test_one_of_two_writes_status(api, pair_of_gateways, echo):
    api.apply(ingresses(20, echo))
    wait_published(api, 20)

    assert len(writers(api)) == 1
    patched = [r["name"] for r in api.asked(resource="ingresses/status")
               if cluster.MARK not in r["name"]]
    assert sorted(patched) == sorted(set(patched))
    api.check()


def test_status_is_left_alone_when_a_gateway_ends(api, start, echo):
    gateway = start(directives=PUBLISH, manifests={"a": ingresses(3, echo)})
    wait_published(api, 3)
    gateway.stop()
    wait_published(api, 3)


@pytest.mark.parametrize("how, limit", [(signal.SIGTERM, 6),
                                        (signal.SIGKILL, 25)],
                         ids=["ended", "killed"])
def test_lease_moves_when_the_leader_is_gone(api, pair_of_gateways, echo, how,
                                             limit):
    first = wait_leader(api)
    api.apply(ingresses(1, echo))
    wait_published(api, 1)
    user, = writers(api)
    gone = pair_of_gateways.pop(user)

    if how == signal.SIGKILL:
        for pid in gone.tree():
            os.kill(pid, how)
    gone.stop()

    wait_leader(api, first, limit)
    api.requests(clear=True)
    api.apply(manifest.route("new.example", echo[0]))
    wait_published(api, 2)
    assert writers(api) == set(pair_of_gateways)


def test_status_does_not_flap_through_faults(api, pair_of_gateways, echo):
    dice = random.Random(20261125)
    n = 10
    api.apply(ingresses(n, echo))
    wait_published(api, n)

    def trouble():
        return dice.choice([
            lambda: api.fault(times=3, status=500),
            lambda: api.fault(times=2, status=429, retryAfter=1),
            lambda: api.fault(times=2, html=True),
            lambda: api.fault(times=2, close=True),
            lambda: api.fault(times=1, cut=300),
            lambda: api.cut(match={"resource": dice.choice(sorted(WATCHES))},
                            how=dice.choice(["connection", "middle"])),
            lambda: api.end(),
            lambda: (api.compact(), api.cut(how="connection")),
            lambda: api.inject(text="{not json\n"),
            lambda: (api.down(), time.sleep(0.3), api.up()),
        ])

    with contextlib.ExitStack() as stack:
        for one in pair_of_gateways.values():
            nginx.wait_until(lambda: one.get("/", "h0.example").status == 200,
                             one.report)
            stack.enter_context(unharmed(one, "h0.example", 50))
        for _ in range(25):
            trouble()()
            time.sleep(0.2)
        api.heal()
        api.apply(manifest.route("after.example", echo[1]))
        for one in pair_of_gateways.values():
            wait_serves(one, "after.example", "http1", 35)
        wait_published(api, n + 1, 35)

    # each status was written once, and never something else
    seen = {}
    for event in api.history(resource="ingresses")["events"]:
        values = seen.setdefault(event["key"], [])
        status = json.dumps(event["object"]["status"])
        if not values or values[-1] != status:
            values.append(status)
    assert all(len(v) <= 2 for k, v in seen.items() if "h" in k), seen


# Changes

def test_rolling_update_under_load_fails_no_request(gateway, echo):
    route = manifest.ingress("roll", manifest.rule(
        "roll.example", manifest.path("/", "roll")))
    pods = list(echo.addresses[:3])

    def update(ending=None):
        gateway.apply("roll", manifest.service("roll"), route,
                      *slice_of("roll", *pods),
                      *(slice_of("roll", ending, ready=False, serving=True,
                                 terminating=True) if ending else []))

    update()

    with Load(gateway, "roll.example", 500) as load:
        for new in echo.addresses[3:6]:
            pods.append(new)
            update()
            old = pods.pop(0)
            update(ending=old)
            time.sleep(0.2)
            echo.close(old)
            update()
            time.sleep(0.2)

    assert load.errors == []
    assert load.done > 300
    assert echo.count(echo[5]) > 20


def test_endpoint_that_drains_serves_when_there_is_no_other(gateway, echo):
    gateway.apply("drain", manifest.service("drain"),
                  *slice_of("drain", echo[1], ready=False, serving=True,
                            terminating=True),
                  manifest.ingress("drain", manifest.rule(
                      "drain.example", manifest.path("/", "drain"))))
    assert gateway.get("/", "drain.example").status == 200


def served(gateway, host):
    with gateway.connect(tls=True, sni=host) as sock:
        return x509.load_der_x509_certificate(sock.getpeercert(True))


def test_secret_is_rotated(gateway, echo, authority):
    host = "tls.example"
    for _ in range(3):
        pair = authority.issue(host)
        gateway.serve(host, echo[0], tls=pair)
        assert served(gateway, host) == pair.x509


def test_only_secrets_that_are_referred_to_are_read(gateway, echo, authority):
    gateway.api.apply(*(manifest.secret(f"other-{i}", {"key": "very secret"})
                        for i in range(20)))
    gateway.serve("tls.example", echo[0], tls=authority.issue("tls.example"))

    secrets = [r for r in gateway.api.asked() if r["resource"] == "secrets"]
    assert not [r for r in secrets if r["name"].startswith("other-")]
    assert all("PartialObjectMetadata" in r["accept"] for r in secrets
               if r["verb"] in ("list", "watch"))
    assert gateway.api.count(resource="secrets", verb="get",
                             name="tls-example") == 1


# The API server is gone, or sick

def test_api_gone_and_back(gateway, echo):
    gateway.serve("moved.example", echo[1])

    with unharmed(gateway):
        gateway.api.down()
        time.sleep(1.5)
        gateway.api.apply(moved(echo, 2))
        assert serves(gateway, "moved.example", "http1")
        gateway.api.up()
        assert wait_serves(gateway, "moved.example", "http2", 5) <= 5


@pytest.mark.parametrize("how", ["connection", "middle"])
def test_streams_that_are_cut(gateway, echo, how):
    wide = manifest.route("wide.example", echo[3], annotations={
        "note": "größer " * 50})
    gateway.apply("wide", wide)

    with unharmed(gateway):
        for i in range(5):
            gateway.api.cut(how=how)
            gateway.api.apply(moved(echo, i % 3))
            wait_serves(gateway, "moved.example", f"http{i % 3}")

    assert serves(gateway, "wide.example", "http3")


def test_watches_that_end_are_resumed_from_where_they_were(gateway, echo):
    gateway.api.requests(clear=True)
    gateway.api.end()
    gateway.api.apply(moved(echo, 2))
    wait_serves(gateway, "moved.example", "http2")
    nginx.wait_until(lambda: len(gateway.api.live()) >= len(WATCHES),
                     gateway.report)

    asked = [r for r in gateway.api.asked() if r["verb"] in ("list", "watch")]
    assert {r["resource"] for r in asked} >= WATCHES
    assert all("resourceVersion=" in r["target"]
               and "sendInitialEvents" not in r["target"] for r in asked)


ERROR = json.dumps({"type": "ERROR", "object": {
    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
    "message": "too old resource version: 1 (2)", "reason": "Expired",
    "code": 410}}) + "\n"


@pytest.mark.parametrize("form", ["event", "status", "live"])
def test_410_means_a_list_that_misses_nothing(gateway, echo, form):
    api = gateway.api
    gateway.serve("old.example", echo[1])
    gateway.serve("moved.example", echo[1])

    with unharmed(gateway):
        if form == "live":
            api.freeze()
        else:
            api.set(gone=form)
            api.down()
        api.apply(moved(echo, 2))
        api.remove(manifest.route("old.example", echo[1]))
        api.compact()
        if form == "live":
            api.thaw()
            api.inject(text=ERROR)
            api.end()
        else:
            api.up()

        wait_serves(gateway, "moved.example", "http2")
        nginx.wait_until(lambda: gateway.get("/", "old.example").status == 404,
                         gateway.report, every=0.01)


def test_continue_token_that_expires(api, start, echo):
    api.set(streaming="refused")
    many = [manifest.ingress(f"m{i}", manifest.rule(
        f"m{i}.example", manifest.path("/", "kept-example")))
        for i in range(1200)]
    api.apply(many)
    api.fault(times=1, match={"verb": "list", "resource": "ingresses"},
              expire=True)
    gateway = start(manifests={"kept": manifest.route(KEPT, echo[0])})

    wait_serves(gateway, "m0.example", "http0")
    assert serves(gateway, "m1199.example", "http0")
    pages = api.asked(verb="list", resource="ingresses")
    assert [p["status"] for p in pages].count(410) == 1
    assert "limit=" in pages[0]["target"]


def test_server_that_ignores_streaming_lists(api, start, echo):
    api.set(streaming="ignored", bookmarks=300)
    gateway = start(manifests={"kept": manifest.route(KEPT, echo[0])})
    assert serves(gateway, KEPT, "http0")
    gateway.serve("moved.example", echo[1])
    assert serves(gateway, "moved.example", "http1")


@pytest.mark.parametrize("what", [
    dict(status=500), dict(status=503), dict(html=True), dict(close=True),
    dict(status=401), dict(status=200, text="{}", type="application/json"),
    dict(status=200, text="[1, 2", type="application/json"),
    dict(cut=40), dict(status=200, text="")], ids=str)
def test_sick_server_is_left_in_peace_and_nothing_is_lost(gateway, echo, what):
    api = gateway.api
    api.fault(**what)
    api.requests(clear=True)
    begin = len(gateway.log())

    with unharmed(gateway):
        api.cut()
        time.sleep(3)
        asked = {}
        for r in api.asked():
            asked[r["resource"]] = asked.get(r["resource"], 0) + 1
        api.heal()
        api.apply(moved(echo, 2))
        wait_serves(gateway, "moved.example", "http2", 20)

    assert asked and max(asked.values()) <= 8, asked
    said = [line for line in gateway.log()[begin:].splitlines()
            if "torii: " in line]
    assert said and len(said) < 60


def test_retry_after_is_obeyed(gateway, echo):
    api = gateway.api
    api.fault(status=429, retryAfter=2, match={"resource": "services"})
    api.requests(clear=True)
    api.cut(match={"resource": "services"})
    nginx.wait_until(lambda: api.count(resource="services") >= 2,
                     gateway.report, every=0.05)
    api.heal()

    times = [r["time"] for r in api.asked(resource="services")]
    assert times[1] - times[0] >= 1900
    gateway.serve("moved.example", echo[2])


@pytest.mark.parametrize("raw", [
    "{not json\n", "\n\n\n", "null\n", "[]\n", '{"type":"ADDED"}\n',
    '{"type":"ADDED","object":null}\n', '{"type":"GROWN","object":{}}\n',
    '{"type":"ADDED","object":{"kind":"Teapot","apiVersion":"tea/v1",'
    '"metadata":{"name":"x","namespace":"default","resourceVersion":"1"}}}\n',
    '{"type":"BOOKMARK","object":{"kind":"Ingress","metadata":'
    '{"resourceVersion":"1"}}}\n',
    '{"type":"ADDED","object":' + "[" * 3000 + "\n", "\x00\x01\x02\n",
    '{"type":"ADDED","object":{"kind":"Ingress","apiVersion":'
    '"networking.k8s.io/v1","metadata":{"name":7,"namespace":[]},'
    '"spec":"none"}}\n'], ids=lambda raw: ascii(raw[:40]))
def test_nonsense_in_a_stream(gateway, echo, raw):
    with unharmed(gateway):
        gateway.api.inject(text=raw)
        gateway.api.apply(moved(echo, 1))
        wait_serves(gateway, "moved.example", "http1")


def test_object_of_3_megabytes(gateway, echo):
    big = manifest.route("big.example", echo[1],
                         annotations={"note": "ü" * 1_500_000})
    gateway.apply("big", big)
    assert serves(gateway, "big.example", "http1")
    gateway.serve("moved.example", echo[2])
    assert serves(gateway, "moved.example", "http2")


def test_fields_and_kinds_that_are_not_known(gateway, echo):
    docs = moved(echo, 1)
    for doc in docs:
        doc["spec"] = {**doc.get("spec", {}), "novelty": [{"a": 1}]}
        doc["sensation"] = {"deep": {"er": None}}
    gateway.apply("moved", docs)
    assert serves(gateway, "moved.example", "http1")


def test_versions_that_go_backwards(gateway, echo):
    """As after a restore of etcd from a backup: with a new history."""
    api = gateway.api

    with unharmed(gateway):
        api.down()
        api.version(version=150)
        api.compact()
        api.up()
        api.apply(moved(echo, 1))
        wait_serves(gateway, "moved.example", "http1")
        api.apply(moved(echo, 2))
        wait_serves(gateway, "moved.example", "http2")


def test_certificate_of_the_server_expires(gateway, echo):
    api = gateway.api
    old = api.authority.issue("127.0.0.1", days=-1)
    new = api.authority.issue("127.0.0.1")

    with unharmed(gateway):
        api.certificate(cert=old.chain, key=old.key, ca=api.authority.pem)
        api.cut()
        gateway.wait_log("certificate")
        api.certificate(cert=new.chain, key=new.key, ca=api.authority.pem)
        api.apply(moved(echo, 1))
        wait_serves(gateway, "moved.example", "http1", 20)


def test_token_is_revoked_and_another_written(gateway, echo):
    api = gateway.api

    with unharmed(gateway):
        api.tokens(tokens={"next-token": cluster.USER})
        api.cut()
        nginx.wait_until(lambda: 401 in [r["status"] for r in api.asked()],
                         gateway.report)
        gateway.rotate("next-token")
        api.apply(moved(echo, 1))
        wait_serves(gateway, "moved.example", "http1", 20)


@pytest.mark.parametrize("resource", ["secrets", "services", "endpointslices",
                                      "ingressclasses", "configmaps"])
def test_kind_that_is_forbidden_is_a_finding_and_no_stop(api, start, echo,
                                                         resource):
    api.rbac(cluster.without(resource))
    api.forgive(resource)
    gateway = start(http="torii_config torii/torii;", wait=False)
    api.apply(manifest.route(KEPT, echo[0]))

    assert gateway.wait_finding(reason="Forbidden", message=resource)
    if resource not in ("services", "endpointslices", "ingressclasses"):
        wait_serves(gateway, KEPT, "http0")


# What is asked for

def test_rights_that_are_granted_are_those_that_are_used(api, start, echo,
                                                         authority):
    api.set(streaming="refused")
    gateway = start(http="torii_config torii/torii;", directives=PUBLISH,
                    manifests={"a": manifest.config_map("torii", {}, "torii")})
    gateway.serve("tls.example", echo[0], tls=authority.issue("tls.example"))
    gateway.serve("bad.example", echo[0], proxy_body_size="15r")
    nginx.wait_until(lambda: api.count(resource="events", verb="create"),
                     gateway.report)
    wait_published(api, 2)
    nginx.wait_until(lambda: api.count(resource="leases", verb="update"),
                     gateway.report)

    granted = {(rule["apiGroups"][0], rule["resources"][0], verb)
               for rule in cluster.deployed() for verb in rule["verbs"]}
    used = {(r["group"], r["resource"], r["verb"]) for r in api.asked()}
    api.check()
    # an Event is counted up only when its finding comes again; which verb
    # reads a ConfigMap depends on what refers to it
    assert granted - used <= {("events.k8s.io", "events", "patch"),
                              ("", "configmaps", "get")}


def test_nothing_is_asked_for_in_a_steady_state(gateway):
    time.sleep(1)
    gateway.api.requests(clear=True)
    time.sleep(5)
    assert {r["resource"] for r in gateway.api.asked()} <= {"leases"}
    assert gateway.api.count() <= 4


# Many objects

MANY = 1000 if SANITIZE else 10000
SLOW = 5 if SANITIZE else 1


def world(n, echo):
    """n Ingresses and Services, and twice as many EndpointSlices."""
    out = []
    for i in range(n):
        name = f"w{i}"
        out += [manifest.service(name),
                manifest.endpoint_slice(name, [echo[0].host], echo[0].port,
                                        name=f"{name}-a"),
                manifest.endpoint_slice(name, ["10.244.9.9"], 9, name=f"{name}"
                                        "-b", conditions={"ready": False}),
                manifest.ingress(name, manifest.rule(
                    f"{name}.example", manifest.path("/", name)))]
    return out


def test_10000_ingresses(api, start, echo):
    objects = world(MANY, echo)
    for i in range(0, len(objects), 4000):
        api.apply(objects[i:i + 4000])

    begin = time.monotonic()
    gateway = start(wait=False)
    nginx.wait_until(lambda: serves(gateway, f"w{MANY - 1}.example", "http0"),
                     gateway.report, 60, 0.01)
    first = time.monotonic() - begin
    memory = nginx.memory(gateway.helper_pid())

    with steady_changes(api, echo, 100):
        p50, p99 = latency(gateway, api, echo)

    print(f"first sync {first:.2f} s, helper {memory >> 20} MB, "
          f"p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms")
    assert first <= 5 * SLOW
    assert memory <= 300 << 20
    assert p99 <= 0.05 * SLOW


def latency(gateway, api, echo):
    """Median and 99th percentile of 150 changes; of the best of five rounds,
    for whatever else the machine does only makes them longer."""
    best = []

    for _ in range(5):
        took = sorted(follow(gateway, api, echo, i) for i in range(150))
        best.append((took[148], took[75]))
        if took[148] <= 0.05:
            break

    p99, p50 = min(best)
    return p50, p99


def follow(gateway, api, echo, i):
    """Seconds from a changed slice to the first request on the new address."""
    address = echo[1 + i % 2]
    changed = manifest.endpoint_slice("w1", [address.host], address.port,
                                      name="w1-a")
    with gateway.http1() as c:
        begin = time.monotonic()
        api.apply(changed)
        while c.get("/", "w1.example").echo["name"] != f"http{1 + i % 2}":
            assert time.monotonic() - begin < 10, gateway.report()
        return time.monotonic() - begin


@contextlib.contextmanager
def steady_changes(api, echo, rate):
    """Slices of other Services change all the time."""
    over = threading.Event()

    def run():
        dice = random.Random(1)
        due = time.monotonic()
        while not over.is_set():
            due += 1 / rate
            time.sleep(max(0, due - time.monotonic()))
            name, address = f"w{dice.randrange(2, MANY)}", dice.choice(
                echo.addresses)
            api.apply(manifest.endpoint_slice(
                name, [address.host], address.port, name=f"{name}-a"))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
