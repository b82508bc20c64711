"""
Certificates while the CA fails: what is served goes on being served, people are
told, and nothing is asked for too often.
"""

import itertools
import os
import random
import signal
import time

import pytest

import account as accounts
import authority as authorities
import issuing
import manifest
import nginx
from issuing import issuer, served, site, wait_served


GATEWAY = dict(http=issuing.EAGER)
NUMBERS = itertools.count(1)
HOUR = 3600

LIMITED = dict(kind="problem", status=429, type="rateLimited")


@pytest.fixture(scope="module")
def stub(authority):
    made = authorities.Ca(authority)
    yield made
    made.stop()


@pytest.fixture
def ca(gateway, stub):
    """A CA that works as usual, and validates challenges at the gateway.  Its
    issuer has an account of its own in each test: what one has suffered must
    not slow the next one down."""
    stub.reset()
    stub.set(validate=True, http_port=gateway.plain, tls_port=gateway.tls)
    stub.issuer = f"stub{next(NUMBERS)}"
    gateway.apply("issuer", issuer(stub.issuer, stub))
    return stub


@pytest.fixture
def fresh(authority):
    """Another CA, which knows nobody yet."""
    made = authorities.Ca(authority)
    yield made
    made.stop()


@pytest.fixture
def put(gateway, echo, stub):
    """put(host): an Ingress with TLS by the stub, in force when it returns;
    the certificate is not waited for."""
    def run(host, **how):
        how.setdefault("by", stub.issuer)
        gateway.apply(host, site(host, echo[0], **how))
        return host
    return run


@pytest.fixture
def obtain(gateway, put):
    """The same, and the certificate, once it is served."""
    def run(host, **how):
        return wait_served(gateway, put(host, **how))
    return run


def name():
    return f"h{next(NUMBERS)}.example"


# What goes wrong on the way

# of newOrder, each for a name of its own
FAULTS = [
    dict(kind="page", status=503), dict(kind="page", status=404),
    dict(kind="garbage"), dict(kind="big"), dict(kind="redirect"),
    dict(kind="body", body="[]"), dict(kind="refuse"),
    dict(kind="problem", status=500, type="serverInternal"),
    dict(kind="problem", status=400, type="rejectedIdentifier"),
    dict(kind="problem", status=418, type="unheardOf"),
]


def test_last_certificate_serves_while_orders_fail(gateway, ca, obtain):
    """All faults at once, each with an account of its own: one at which a CA
    fails makes one order at a time."""
    first = {}

    for i, fault in enumerate(FAULTS):
        host = name()
        gateway.apply(f"issuer{i}", issuing.issuer(f"faulty{i}", ca))
        first[host] = obtain(host, by=f"faulty{i}")
        ca.fail("newOrder", times=0, name=host, **fault)

    for host in first:
        issuing.renew(gateway, issuing.secret_of(host))
    began = time.time()

    for host, fault in zip(first, FAULTS):
        entry = issuing.wait_failure(gateway, issuing.secret_of(host),
                                     timeout=60)
        assert served(gateway, host) == first[host], fault
        assert gateway.get("/", host, tls=True).status == 200, fault
        gateway.wait_finding(object=manifest.label(host),
                             reason="CertificateFailed")
        assert (entry["state"] == "blocked" or
                issuing.instant(entry["nextAttempt"]) > began + 10), fault

    ca.clear()

    for host in first:
        issuing.renew(gateway, issuing.secret_of(host))
    for host in first:
        assert wait_served(gateway, host, unlike=first[host], timeout=60)


def test_answer_that_never_ends_is_given_up(gateway, ca, obtain):
    host = name()
    first = obtain(host)
    ca.fail("newOrder", "endless", name=host)
    issuing.renew(gateway, issuing.secret_of(host))

    assert wait_served(gateway, host, unlike=first, timeout=60)


def test_operator_is_told_what_the_ca_wants_of_him(gateway, ca, put):
    host = name()
    ca.fail("newOrder", "problem", status=403, type="userActionRequired",
            times=0, detail="new terms", instance="https://ca.example/terms-2")
    put(host)
    entry = issuing.wait_failure(gateway, issuing.secret_of(host))

    assert "https://ca.example/terms-2" in entry["error"]
    assert ca.count("newOrder", host) == 1


@pytest.mark.parametrize("kind", ["cut", "big"])
def test_fault_that_passes_costs_no_second_certificate(gateway, ca, put, kind):
    """At each step of an order; a name each, all at once."""
    # so that orders are polled
    ca.set(processing=1, retry_after={"order": 1})
    hosts = {}

    for endpoint in ("authz", "challenge", "order", "finalize", "certificate"):
        hosts[name()] = endpoint
    for host, endpoint in hosts.items():
        ca.fail(endpoint, kind, name=host)
        put(host)

    for host, endpoint in hosts.items():
        wait_served(gateway, host, timeout=60)
        assert len(ca.orders(host)) == 1, (endpoint, ca.report())
        assert len(ca.certs(host)) == 1, (endpoint, ca.report())


@pytest.mark.parametrize("endpoint", ["newOrder", "finalize"])
def test_answer_that_is_lost_is_found_again(gateway, ca, put, endpoint):
    host = name()
    ca.fail(endpoint, "cut", name=host)
    wait_served(gateway, put(host), timeout=30)

    assert len(ca.orders(host)) == 1
    assert len(ca.certs(host)) == 1


@pytest.mark.parametrize("endpoint", ["directory", "newNonce", "newAccount"])
@pytest.mark.parametrize("fault", [dict(kind="page", status=503),
                                   dict(kind="refuse")],
                         ids=lambda f: f["kind"])
def test_ca_that_cannot_be_entered_is_tried_again(gateway, echo, fresh,
                                                  endpoint, fault):
    host = name()
    fresh.fail(endpoint, times=2, **fault)
    gateway.apply("fresh", issuer("fresh", fresh),
                  site(host, echo[0], by="fresh"))

    # an answer to newNonce is its header, whatever the body is
    assert wait_served(gateway, host, timeout=60)
    assert len(fresh.accounts()) == 1
    gateway.remove_objects("fresh")


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_limit_is_obeyed_until_its_end(gateway, ca, put, form):
    host = name()
    later = time.time() + 2 * HOUR
    value = (str(2 * HOUR) if form == "seconds" else time.strftime(
        "%a, %d %b %Y %H:%M:%S GMT", time.gmtime(later)))
    ca.fail("newOrder", name=host, headers={"Retry-After": value}, times=0,
            detail="too many certificates already issued for this exact set "
                   "of identifiers", **LIMITED)
    put(host)
    entry = issuing.wait_failure(gateway, issuing.secret_of(host))

    assert "limit" in entry["reason"].lower()
    assert abs(issuing.instant(entry["nextAttempt"]) - later) < HOUR
    assert issuing.instant(entry["nextAttempt"]) >= later - 2
    gateway.wait_finding(reason="RateLimited", object=manifest.label(host))
    assert ca.count("newOrder", host) == 1


def test_limit_of_one_name_leaves_others(gateway, ca, put, obtain):
    host = name()
    ca.fail("newOrder", name=host, headers={"Retry-After": "7200"}, times=0,
            detail=f"too many failed authorizations for \"{host}\"", **LIMITED)
    put(host)
    issuing.wait_failure(gateway, issuing.secret_of(host))

    assert obtain(name())


def test_refused_name_is_told_by_its_name(gateway, ca, put):
    good, bad = name(), name()
    ca.set(rejected=[bad])
    put(good, hosts=[good, bad])

    assert bad in issuing.wait_failure(
        gateway, issuing.secret_of(good))["error"]


def test_challenge_that_fails_is_told_with_the_reason(gateway, ca, put):
    ca.set(http_port=1, tls_port=1, types=["http-01"])
    host = put(name())
    entry = issuing.wait_failure(gateway, issuing.secret_of(host), timeout=30)

    assert "ECONNREFUSED" in entry["error"] or "onnection" in entry["error"]
    assert host in entry["error"] or entry["names"] == host
    assert len(ca.orders(host)) == 1, "the next is for later"


def test_failures_are_not_repeated_at_once(gateway, ca, put):
    host = name()
    ca.fail("newOrder", "problem", name=host, times=0, status=400,
            type="malformed")
    put(host)
    entry = issuing.wait_failure(gateway, issuing.secret_of(host))
    gateway.apply("unrelated", manifest.route(name()))

    assert issuing.instant(entry["nextAttempt"]) > time.time() + 20
    assert ca.count("newOrder", host) <= 2


# Chains

@pytest.mark.parametrize("kind", [
    "other key", "other names", "more names", "fewer names", "expired",
    "not yet", "private key", "strange issuer", "empty", "no PEM", "huge",
    "broken DER"])
def test_wrong_chain_is_never_served(gateway, ca, obtain, kind):
    host = name()
    first = obtain(host)
    ca.set(chain=kind)
    issuing.renew(gateway, issuing.secret_of(host))
    issuing.wait_failure(gateway, issuing.secret_of(host), timeout=30)

    assert served(gateway, host) == first
    kept = issuing.state_file(gateway, issuing.secret_of(host)).read_text()
    assert accounts.read_chain(kept[kept.index("-----BEGIN CERT"):])[0] == first


# Accounts

def test_account_that_is_gone_is_made_again(gateway, fresh, obtain):
    gateway.apply("forgetful", issuer("forgetful", fresh))
    obtain(name(), by="forgetful")
    fresh.forget()
    obtain(name(), by="forgetful")

    assert len(fresh.accounts()) == 1


def test_external_account_that_is_refused_is_told(gateway, echo, fresh):
    key, host = "A" * 43, name()
    fresh.set(eab={"kid-1": "B" * 43})
    gateway.apply("eab", manifest.secret("eab", {"secret": key}),
                  issuer("eab", fresh, kind="Issuer", externalAccountBinding={
                      "keyID": "kid-1",
                      "keySecretRef": {"name": "eab", "key": "secret"}}),
                  site(host, echo[0], by="eab", kind="issuer"))
    issuing.wait_failure(gateway, issuing.secret_of(host))

    assert fresh.count("newAccount") <= 3
    assert fresh.accounts() == []
    issuing.check_nothing_leaked(gateway, key)


def test_clock_of_the_ca_that_is_wrong_is_told(gateway, ca, obtain):
    ca.set(skew=-7200)
    obtain(name())
    nginx.wait_until(
        lambda: "clock" in (gateway.log()
                            + str(gateway.findings())).lower(),
        lambda: issuing.report(gateway))


# The gateway meanwhile

def test_ca_that_does_not_answer_holds_nothing_up(gateway, echo, ca, put):
    host = name()
    ca.fail("newOrder", "hold", name=host)
    put(host)
    ca.wait_held()

    with issuing.Watch() as watch:
        gateway.serve("meanwhile.example", echo[0])
        assert gateway.get("/", "meanwhile.example").status == 200
    assert watch.seconds < 2
    assert issuing.is_default(served(gateway, host))
    gateway.wait_finding(object=manifest.label(host))

    ca.release()
    assert wait_served(gateway, host)


def test_redirect_of_a_signed_request_is_not_followed(gateway, ca, put):
    host = name()
    ca.fail("newOrder", "redirect", name=host, times=0,
            location=f"https://127.0.0.1:{ca.port}/elsewhere")
    put(host)
    issuing.wait_failure(gateway, issuing.secret_of(host), timeout=60)

    assert not any(e["path"] == "/elsewhere" for e in ca.log())


def test_bad_nonces_cost_no_order(gateway, ca, obtain):
    ca.set(bad_nonce=15)
    hosts = [name() for _ in range(10)]
    for host in hosts:
        obtain(host)

    assert any(e.get("error") == "badNonce" for e in ca.log())
    assert [len(ca.orders(host)) for host in hosts] == [1] * 10
    assert ca.refusals() == []


def test_correct_client_is_never_refused(gateway, ca, obtain):
    host = name()
    first = obtain(host)
    issuing.renew(gateway, issuing.secret_of(host))
    wait_served(gateway, host, unlike=first)
    obtain(name(), annotations=issuing.ALPN)

    assert ca.refusals() == [], ca.report()


# Killed

# the helper of one gateway, lest it waits as in a crash loop
KILLS = 5


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_helper_that_is_killed_anywhere_makes_one_order(echo, fresh,
                                                        start_gateway, seed):
    """At 20 points in all: before or after the CA did what the k-th request
    about a name asked for."""
    chance = random.Random(seed)
    gateway = start_gateway(**GATEWAY)
    gateway.expect(r"exited on signal 9")
    fresh.set(validate=True, http_port=gateway.plain, tls_port=gateway.tls)
    gateway.apply("issuer", issuer("stub", fresh))
    points = []

    for n in range(KILLS):
        host = f"kill{n}.example"
        kind = chance.choice(["hold", "hold answer"])
        fresh.fail("*", kind, name=host, skip=chance.randrange(8))
        gateway.apply(host, site(host, echo[0], by="stub"))

        nginx.wait_until(
            lambda: fresh.ask("held")["held"]
            or not issuing.is_default(served(gateway, host)),
            lambda: f"{host}: {fresh.report()}", 20)

        last = [e for e in fresh.log() if e.get("fault")][-1:]
        points += [(kind, e["endpoint"]) for e in last]
        kill_helper(gateway)
        fresh.release(drop=True)
        fresh.clear()

        wait_served(gateway, host, timeout=30)
        assert len(fresh.orders(host)) == 1, (points[-1:], fresh.report())
        assert len(fresh.certs(host)) == 1, (points[-1:], fresh.report())

    print("killed at", points)
    assert len(set(points)) > 1
    assert len(fresh.accounts()) == 1


def kill_helper(gateway):
    pid = gateway.helper_pid()
    os.kill(pid, signal.SIGKILL)
    nginx.wait_until(lambda: gateway.helper_pid() not in (None, pid),
                     "a new helper")


# Replaced, suggested

def test_certificate_that_was_replaced_already_is_renewed(gateway, ca, obtain):
    host = name()
    first = obtain(host)
    ca.fail("newOrder", "problem", name=host, status=409,
            type="alreadyReplaced")
    issuing.renew(gateway, issuing.secret_of(host))
    wait_served(gateway, host, unlike=first)
    asked = [e["payload"] for e in ca.log() if e["endpoint"] == "newOrder"
             and host in e["names"]]

    assert "replaces" in asked[-2] and "replaces" not in asked[-1]


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"suggestedWindow": 7}',
                                  '{"suggestedWindow":{"start":"x","end":"y"}}'
                                  ])
def test_suggestion_that_makes_no_sense_is_passed_over(gateway, ca, obtain,
                                                       body):
    host = name()
    ca.fail("renewalInfo", "body", times=0, body=body)
    obtain(host)
    nginx.wait_until(lambda: ca.count("renewalInfo") > 0, ca.report)

    entry = issuing.wait_state(gateway, issuing.secret_of(host), "valid")
    assert issuing.instant(entry["renewal"]) > time.time() + 86400
    assert len(ca.orders(host)) == 1


def test_window_in_the_past_renews_now(gateway, ca, put):
    host = name()
    ca.fail("renewalInfo", "body", body='{"suggestedWindow":{"start":'
            '"2020-01-01T00:00:00Z","end":"2020-01-02T00:00:00Z"}}')
    put(host)
    ca.wait_certs(host, 2)
    second = ca.orders(host)[1]

    assert second["replaces"] == ca.certs(host)[0]["ari"]
    nginx.wait_until(lambda: authorities.serial(served(gateway, host))
                     in [c["serial"] for c in ca.certs(host)[1:]], ca.report)
