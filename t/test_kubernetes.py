"""
Gateways that follow a Kubernetes API: what outages, cut streams and forgotten
versions do (nothing), what is asked for, and how quick it is.
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

import client
import cluster
import manifest
import nginx
from gateway import SANITIZE


KEPT = "kept.example"
WATCHES = {"ingresses", "ingressclasses", "services", "endpointslices",
           "secrets"}


@pytest.fixture
def gateway(start, echo):
    """A gateway with a route that stays as it is."""
    made = start(manifests={"kept": manifest.route(KEPT, echo[0])})
    nginx.wait_until(lambda: len(made.api.live()) >= len(WATCHES),
                     made.report)
    return made


def moved(echo, i, host="moved.example"):
    """Objects of a host at the i-th address."""
    return manifest.route(host, echo[i])


# Changes

def test_rolling_update_under_load_fails_no_request(gateway, echo):
    load = cluster.roll(gateway, echo, 500)
    assert load.errors == []
    assert load.done > 300
    assert echo.count(echo[5]) > 20


def test_endpoint_that_drains_serves_when_there_is_no_other(gateway, echo):
    gateway.apply("drain", manifest.service("drain"),
                  *cluster.slice_of("drain", echo[1], ready=False, serving=True,
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

@pytest.mark.parametrize("seconds", [1.5, 10])
def test_api_gone_and_back(gateway, echo, seconds):
    gateway.serve("moved.example", echo[1])

    with client.unharmed(gateway, KEPT):
        gateway.api.down()
        time.sleep(seconds)
        gateway.api.apply(moved(echo, 2))
        assert cluster.serves(gateway, "moved.example", "http1")
        gateway.api.up()
        assert cluster.wait_serves(gateway, "moved.example", "http2", 5) <= 5


@pytest.mark.parametrize("how", ["connection", "middle"])
def test_streams_that_are_cut(gateway, echo, how):
    wide = manifest.route("wide.example", echo[3], annotations={
        "note": "größer " * 50})
    gateway.apply("wide", wide)

    with client.unharmed(gateway, KEPT):
        for i in range(5):
            gateway.api.cut(how=how)
            gateway.api.apply(moved(echo, i % 3))
            cluster.wait_serves(gateway, "moved.example", f"http{i % 3}")

    assert cluster.serves(gateway, "wide.example", "http3")


def test_watches_that_end_are_resumed_from_where_they_were(gateway, echo):
    gateway.api.requests(clear=True)
    gateway.api.end()
    gateway.api.apply(moved(echo, 2))
    cluster.wait_serves(gateway, "moved.example", "http2")
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

    with client.unharmed(gateway, KEPT):
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

        cluster.wait_serves(gateway, "moved.example", "http2")
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

    cluster.wait_serves(gateway, "m0.example", "http0")
    assert cluster.serves(gateway, "m1199.example", "http0")
    pages = api.asked(verb="list", resource="ingresses")
    assert [p["status"] for p in pages].count(410) == 1
    assert "limit=" in pages[0]["target"]


def test_server_that_ignores_streaming_lists(api, start, echo):
    api.set(streaming="ignored", bookmarks=300)
    gateway = start(manifests={"kept": manifest.route(KEPT, echo[0])})
    assert cluster.serves(gateway, KEPT, "http0")
    gateway.serve("moved.example", echo[1])
    assert cluster.serves(gateway, "moved.example", "http1")


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

    with client.unharmed(gateway, KEPT):
        api.cut()
        time.sleep(3)
        asked = {}
        for r in api.asked():
            asked[r["resource"]] = asked.get(r["resource"], 0) + 1
        api.heal()
        api.apply(moved(echo, 2))
        cluster.wait_serves(gateway, "moved.example", "http2", 20)

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


def watched(api):
    return [r["resource"] for r in api.asked(verb="watch")]


def test_stream_that_is_silent_costs_no_other_its_connection(
        gateway, echo, authority):
    """15 s, after which a Secret is asked for again; the Lease is renewed all
    the time."""
    api = gateway.api
    api.fault(times=1, match={"resource": "secrets", "verb": "get"}, hang=True)
    api.requests(clear=True)
    api.apply(manifest.route("tls.example", echo[1],
                             tls=authority.issue("tls.example")))
    nginx.wait_until(lambda: api.count(resource="secrets", verb="get") == 2,
                     gateway.report, 25, 0.05)

    gateway.serve("moved.example", echo[2])
    assert {r["http"] for r in api.asked()} == {"2.0"}
    assert watched(api) == []


def test_connection_on_which_nothing_comes_is_given_up(gateway, echo):
    """10 s, and the Lease's next try after them."""
    api = gateway.api

    with client.unharmed(gateway, KEPT):
        api.freeze()
        api.fault(match={"resource": "leases"}, hang=True)
        api.requests(clear=True)
        nginx.wait_until(lambda: set(watched(api)) >= WATCHES, gateway.report,
                         25, 0.05)
        api.apply(moved(echo, 1))
        cluster.wait_serves(gateway, "moved.example", "http1")


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
    with client.unharmed(gateway, KEPT):
        gateway.api.inject(text=raw)
        gateway.api.apply(moved(echo, 1))
        cluster.wait_serves(gateway, "moved.example", "http1")


def test_object_of_3_megabytes(gateway, echo):
    big = manifest.route("big.example", echo[1],
                         annotations={"note": "ü" * 1_500_000})
    gateway.apply("big", big)
    assert cluster.serves(gateway, "big.example", "http1")
    gateway.serve("moved.example", echo[2])
    assert cluster.serves(gateway, "moved.example", "http2")


def test_fields_and_kinds_that_are_not_known(gateway, echo):
    docs = moved(echo, 1)
    for doc in docs:
        doc["spec"] = {**doc.get("spec", {}), "novelty": [{"a": 1}]}
        doc["sensation"] = {"deep": {"er": None}}
    gateway.apply("moved", docs)
    assert cluster.serves(gateway, "moved.example", "http1")


def test_versions_that_go_backwards(gateway, echo):
    """As after a restore of etcd from a backup: with a new history."""
    api = gateway.api

    with client.unharmed(gateway, KEPT):
        api.down()
        api.version(version=150)
        api.compact()
        api.up()
        api.apply(moved(echo, 1))
        cluster.wait_serves(gateway, "moved.example", "http1")
        api.apply(moved(echo, 2))
        cluster.wait_serves(gateway, "moved.example", "http2")


def test_certificate_of_the_server_expires(gateway, echo):
    api = gateway.api
    old = api.authority.issue("127.0.0.1", days=-1)
    new = api.authority.issue("127.0.0.1")

    with client.unharmed(gateway, KEPT):
        api.certificate(cert=old.chain, key=old.key, ca=api.authority.pem)
        api.cut()
        gateway.wait_log("certificate")
        api.certificate(cert=new.chain, key=new.key, ca=api.authority.pem)
        api.apply(moved(echo, 1))
        cluster.wait_serves(gateway, "moved.example", "http1", 20)


def test_token_is_revoked_and_another_written(gateway, echo):
    api = gateway.api

    with client.unharmed(gateway, KEPT):
        api.tokens(tokens={"next-token": cluster.USER})
        api.cut()
        nginx.wait_until(lambda: 401 in [r["status"] for r in api.asked()],
                         gateway.report)
        gateway.rotate("next-token")
        api.apply(moved(echo, 1))
        cluster.wait_serves(gateway, "moved.example", "http1", 20)


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
        cluster.wait_serves(gateway, KEPT, "http0")


# What is asked for

def test_rights_that_are_granted_are_those_that_are_used(api, start, echo,
                                                         authority):
    api.set(streaming="refused", crds=True)
    gateway = start(http="torii_config torii/torii;",
                    directives=cluster.PUBLISH,
                    manifests={"a": manifest.config_map("torii", {}, "torii")})
    gateway.serve("tls.example", echo[0], tls=authority.issue("tls.example"))
    gateway.serve("bad.example", echo[0], proxy_body_size="15r")
    nginx.wait_until(lambda: api.count(resource="events", verb="create"),
                     gateway.report)
    cluster.wait_published(api, 2)
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


def test_reload_and_upgrade_change_the_helper_and_nothing_else(
        api, start, echo):
    gateway = start(environment={"POD_NAME": "torii-0"},
                    manifests={"kept": manifest.route(KEPT, echo[0])})

    gateway.reload()
    gateway.apply("moved", moved(echo, 1))
    assert gateway.get("/", "moved.example").echo["name"] == "http1"

    old = gateway.upgrade()
    gateway.apply("moved", moved(echo, 2))
    os.kill(old, signal.SIGQUIT)
    nginx.wait_until(lambda: not nginx.alive(old), "the old master's end")

    nginx.wait_until(lambda: api.live("ingresses"), "the new helper's watch")
    gateway.apply("moved", moved(echo, 3))
    assert gateway.get("/", "moved.example").echo["name"] == "http3"
    assert gateway.get("/", KEPT).echo["name"] == "http0"
    nginx.wait_until(lambda: "torii-0_" in gateway.admin_get(
        "/api/source").text, gateway.report)


def test_nothing_is_asked_for_in_a_steady_state(gateway):
    time.sleep(1)
    gateway.api.requests(clear=True)
    time.sleep(5)
    assert {r["resource"] for r in gateway.api.asked()} <= {"leases"}
    assert gateway.api.count() <= 4


# Many objects

MANY = 1000 if SANITIZE else 10000


# Limits that a wrong algorithm exceeds, not a busy machine: figures are
# those of the benchmarks.

def test_10000_ingresses(api, start, echo):
    objects = cluster.world(MANY, echo)
    for i in range(0, len(objects), 4000):
        api.apply(objects[i:i + 4000])

    begin = time.monotonic()
    gateway = start(wait=False)
    cluster.wait_serves(gateway, f"w{MANY - 1}.example", "http0", 60)
    first = time.monotonic() - begin
    memory = nginx.memory(gateway.helper_pid())

    with steady_changes(api, echo, 100):
        p50, p99 = latency(gateway, api, echo)

    print(f"first sync {first:.2f} s, helper {memory >> 20} MB, "
          f"p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms")
    assert memory <= 300 << 20
    assert p50 <= 0.5


def latency(gateway, api, echo):
    """Median and 99th percentile of 150 changes."""
    took = sorted(follow(gateway, api, echo, i) for i in range(150))
    return took[75], took[148]


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
