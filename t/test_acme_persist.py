"""
How names are shown to be ours: records of dns-persist-01 that the operator
makes, and challenges chosen by what came of the last ones.
"""

import itertools
import re

import pytest

import account as accounts
import authority as authorities
import bind
import issuing
from issuing import issuer, site, wait_served


NUMBERS = itertools.count(1)
PERSIST = {"torii/acme-challenge": "dns-persist-01"}
TYPES = ["http-01", "tls-alpn-01", "dns-01", "dns-persist-01"]


@pytest.fixture(scope="module")
def zone():
    made = bind.Bind()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def gateway(make_gateway, zone):
    made = make_gateway(http=f"{issuing.EAGER} torii_resolver {zone.address};")
    try:
        yield made.start()
    finally:
        made.remove()


@pytest.fixture(scope="module")
def stub(authority):
    made = authorities.Ca(authority)
    yield made
    made.stop()


@pytest.fixture
def ca(gateway, stub, zone):
    """A CA that offers all challenges, and validates them; each test has an
    issuer, and an account, of its own."""
    stub.reset()
    stub.set(validate=True, http_port=gateway.plain, tls_port=gateway.tls,
             resolver=zone.address, types=TYPES)
    stub.issuer = f"stub{next(NUMBERS)}"
    gateway.apply("issuer", issuer(stub.issuer, stub))
    return stub


@pytest.fixture
def put(gateway, echo, stub):
    """put(host): an Ingress with TLS by the stub; the name of its Secret."""
    def run(host, **how):
        gateway.apply(host, site(host, echo[0], by=stub.issuer, **how))
        return issuing.secret_of(host)
    return run


def name():
    return f"h{next(NUMBERS)}.dns.test"


def wait_record(gateway, secret):
    """What the finding says that is to be created: name and value."""
    entry = issuing.wait_state(gateway, secret,
                               lambda e: e.get("reason") == "record")
    told = issuing.wait_told(gateway, "RecordMissing", secret)
    found = re.search(r'to be created: (\S+) TXT "([^"]*)"', told["message"])
    assert found and found[0] in entry["error"], told
    return found[1], found[2]


def types_of(ca, host):
    """Challenges that were answered for a name, in order."""
    return [TYPES[int(e["path"].rsplit(".", 1)[1])] for e in ca.log()
            if e["endpoint"] == "challenge" and host in e["names"]]


# Standing records

def test_certificate_waits_for_the_record_that_is_told(gateway, ca, put, zone):
    host = name()
    secret = put(host, annotations=PERSIST)
    record, value = wait_record(gateway, secret)

    assert record == f"_validation-persist.{host}."
    assert value == f"ca.test; accounturi={ca.directory[:-3]}account/" + str(
        ca.accounts()[-1]["id"])
    assert ca.count("newOrder", host) == 0
    assert issuing.certificates(gateway)[f"default/{secret}"]["state"] == \
        "waiting"

    zone.update(f'add {record} 60 TXT "{value}"')
    cert = wait_served(gateway, host, timeout=60)

    assert accounts.names_of(cert) == {host}
    assert types_of(ca, host) == ["dns-persist-01"]
    assert len(ca.orders(host)) == 1
    assert ca.refusals() == []


def test_wildcard_without_dns_solver_waits_for_its_record(gateway, ca, put,
                                                          zone):
    host = name()
    secret = put(host, hosts=[host, f"*.{host}"], annotations=PERSIST)
    record, value = wait_record(gateway, secret)

    assert record == f"_validation-persist.{host}."
    assert value.endswith("; policy=wildcard")

    zone.update(f'add {record} 60 TXT "{value[:40]}" "{value[40:]}"')
    cert = wait_served(gateway, host, timeout=60)

    assert accounts.names_of(cert) == {host, f"*.{host}"}
    assert len(ca.orders(host)) == 1


def test_wildcard_that_no_solver_is_for_asks_for_a_record(gateway, ca, put,
                                                           zone):
    """Its first order tells whether the CA offers that at all."""
    host = name()
    secret = put(host, hosts=[f"*.{host}"])
    record, value = wait_record(gateway, secret)

    assert len(ca.orders(f"*.{host}")) == 1
    gateway.wait_finding(reason="NoSolver")

    zone.update(f'add {record} 60 TXT "{value}"')
    issuing.wait_state(gateway, secret, "valid", timeout=60)
    assert len(ca.orders(f"*.{host}")) == 2


@pytest.mark.parametrize("more, told", [
    ("; persistUntil=1000000000", "has expired"),
    ("1", "is for another account")])
def test_record_that_will_not_do_is_told(gateway, ca, put, zone, more, told):
    host = name()
    zone.update(f"add _validation-persist.{host}. 60 TXT "
                '"v=spf1 -all"')
    secret = put(host, annotations=PERSIST)
    record, value = wait_record(gateway, secret)

    zone.update(f'add {record} 60 TXT "{value}{more}"')
    issuing.wait_state(gateway, secret,
                       lambda e: told in e.get("error", ""), timeout=60)
    assert ca.count("newOrder", host) == 0


def test_record_is_used_before_what_needs_work(gateway, ca, put, zone):
    first, second = name(), name()
    put(first)
    wait_served(gateway, first)
    assert types_of(ca, first) == ["http-01"]

    account = f"{ca.directory[:-3]}account/{ca.accounts()[-1]['id']}"
    zone.update(f"add _validation-persist.{second}. 60 TXT "
                f'"ca.test; accounturi={account}; persistUntil=4000000000"')
    put(second)
    wait_served(gateway, second)

    assert types_of(ca, second) == ["dns-persist-01"]
    assert len(ca.orders(second)) == 1


def test_ca_that_does_not_offer_it_is_told(gateway, ca, put):
    host = name()
    ca.set(types=TYPES[:3])
    secret = put(host, hosts=[f"*.{host}"])

    entry = issuing.wait_failure(gateway, secret)
    assert entry["reason"] == "config" and "dns-01" in entry["error"]
    assert entry["state"] == "blocked"


# Challenges

def test_challenge_that_nobody_came_for_is_changed(gateway, ca, put):
    host, other = name(), name()
    ca.set(http_port=1)
    secret = put(host)

    entry = issuing.wait_failure(gateway, secret)
    assert (f"the CA could not reach http://{host}/.well-known/acme-challenge/"
            in entry["error"])
    assert "ECONNREFUSED" in entry["error"]
    assert ("the gateway saw no request for it; tls-alpn-01 is next"
            in entry["error"])
    issuing.wait_told(gateway, "CertificateFailed", "saw no request")

    issuing.renew(gateway, secret)
    wait_served(gateway, host)
    assert types_of(ca, host) == ["http-01", "tls-alpn-01"]

    put(other)
    wait_served(gateway, other)
    assert types_of(ca, other) == ["tls-alpn-01"]


def test_validators_that_came_are_told(gateway, ca, put):
    host = name()
    ca.set(spoil=True, vantage=["127.0.0.1", "127.0.0.2", "127.0.0.3"])
    secret = put(host)

    entry = issuing.wait_failure(gateway, secret)
    assert ("the gateway answered 3 requests from 3 addresses"
            in entry["error"])
    assert "is next" not in entry["error"]

    ca.set(spoil=False)
    issuing.renew(gateway, secret)
    wait_served(gateway, host)
    assert types_of(ca, host) == ["http-01", "http-01"]


def test_handshakes_that_came_are_told(gateway, ca, put):
    host = name()
    ca.set(spoil=True, vantage=["127.0.0.5"])
    secret = put(host, annotations=issuing.ALPN)

    entry = issuing.wait_failure(gateway, secret)
    assert f"{host}:443 by tls-alpn-01" in entry["error"]
    assert ("the gateway answered 1 handshake from 1 address"
            in entry["error"])
