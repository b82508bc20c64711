"""
Certificates from a real CA: Pebble asks the gateway for each kind of challenge,
and a handshake shows what was issued, without a reload.
"""

import datetime
import itertools
import re
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

import account as accounts
import bind
import client
import issuing
import manifest
import nginx
import pebble as pebbles
from issuing import issuer, site, wait_served


GATEWAY = dict(http=issuing.EAGER)
NUMBERS = itertools.count(1)

EAB_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
CHALLENGE = "/.well-known/acme-challenge/"


@pytest.fixture(scope="module")
def start_pebble(gateway, authority):
    made = []

    def start(**how):
        how.setdefault("nonces", 15)
        made.append(pebbles.Pebble(authority, gateway.plain, gateway.tls,
                                   **how))
        return made[-1]

    yield start

    for one in made:
        one.stop()


@pytest.fixture(scope="module")
def pebble(gateway, start_pebble):
    """The CA of the issuer "pebble"."""
    made = start_pebble(alternates=2)
    gateway.apply("pebble", issuer("pebble", made))
    return made


@pytest.fixture(scope="module")
def zone():
    made = bind.Bind()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def dns_pebble(gateway, start_pebble, zone):
    """The CA of the Issuer "dns", with the zone dns.test for its names."""
    made = start_pebble(resolver=zone.address)
    gateway.apply("dns", issuing.tsig(zone), issuer(
        "dns", made, kind="Issuer", solvers=[issuing.rfc2136(zone)]))
    return made


@pytest.fixture
def obtain(gateway, echo, pebble):
    """obtain(*hosts, …): one Ingress of the first host, with a certificate for
    all of them, which is returned once it is served."""
    def run(*hosts, by="pebble", names=None, **how):
        names = names or hosts
        gateway.apply(manifest.label(hosts[0]), site(
            hosts[0], echo[0], by=by, hosts=names, **how))
        cert = wait_served(gateway, hosts[0])
        assert accounts.names_of(cert) >= set(names)
        return cert
    return run


def name():
    return f"h{next(NUMBERS)}.test"


# Challenges

def test_certificate_of_one_name_by_http(gateway, obtain, pebble):
    host = name()
    cert = obtain(host)

    assert accounts.names_of(cert) == {host}
    assert pebble.status_of(cert.serial_number) == "Valid"
    context = client.tls_context(ca=pebble.roots()[0])
    assert gateway.get("/", host, tls=True, context=context).status == 200


def test_certificate_of_two_names_by_http(obtain, pebble):
    first, second = name(), name()
    cert = obtain(first, second)

    assert accounts.names_of(cert) == {first, second}


@pytest.mark.parametrize("where", ["Ingress", "issuer"])
def test_certificate_by_tls_alpn(gateway, obtain, pebble, where):
    host = name()

    if where == "Ingress":
        obtain(host, annotations=issuing.ALPN)
    else:
        gateway.apply("alpn", issuer("alpn", pebble,
                                     annotations=issuing.ALPN))
        obtain(host, by="alpn")

    assert f"http://{host}:" not in pebble.log()


def test_alpn_of_a_name_that_waits_for_nothing_is_refused(gateway, obtain):
    host = name()
    obtain(host)
    context = client.tls_context(alpn=["acme-tls/1"])

    with pytest.raises(ssl.SSLError):
        gateway.connect(tls=True, sni=host, context=context).close()


def test_apex_and_wildcard_by_dns(gateway, obtain, dns_pebble, zone):
    cert = obtain("dns.test", "*.dns.test", by="dns", kind="issuer")

    assert accounts.names_of(cert) == {"dns.test", "*.dns.test"}
    assert len([1 for what, text in zone.updates()
                if what == "adding" and "_acme-challenge" in text]) == 2
    nginx.wait_until(lambda: zone.txt("_acme-challenge") == [],
                     lambda: f"no TXT records: {zone.txt('_acme-challenge')}")


def test_dns_challenge_leaves_records_of_others(gateway, obtain, dns_pebble,
                                                zone):
    zone.update("add _acme-challenge.kept.dns.test. 60 TXT somebody-else")
    obtain("kept.dns.test", by="dns", kind="issuer")

    nginx.wait_until(lambda: zone.txt("_acme-challenge.kept")
                     == ["somebody-else"],
                     lambda: str(zone.txt("_acme-challenge.kept")))


def test_certificate_of_an_address(gateway, obtain):
    host = name()
    cert = obtain(host, annotations={
        "cert-manager.io/ip-sans": "127.0.0.1"})

    assert accounts.names_of(cert) == {host, "127.0.0.1"}


@pytest.mark.parametrize("annotations", [
    {"force_ssl_redirect": "true"},
    {"whitelist_source_range": "192.0.2.0/24"},
    {"rewrite_target": "/elsewhere"},
    {"permanent_redirect": "https://elsewhere.example/"},
    {"denylist_source_range": "0.0.0.0/0"},
], ids=lambda a: next(iter(a)))
def test_challenge_comes_before_what_routes_say(obtain, annotations):
    assert obtain(name(), **annotations)


def test_unknown_token_goes_to_the_backend(gateway, echo, obtain):
    host = name()
    gateway.serve(host, echo[0])
    token = CHALLENGE + "A" * 43

    assert gateway.get(token, host).echo["target"] == token


# Objects

def test_certificate_object(gateway, echo, pebble):
    host = name()
    gateway.apply("object", issuing.certificate(
        "object-tls", [host], "pebble"), site(
            host, echo[0], by="pebble", secret="object-tls"))

    assert accounts.names_of(wait_served(gateway, host)) == {host}


def test_certificate_object_with_an_address(gateway, pebble, echo):
    host = name()
    docs = site(host, echo[0], by="pebble", secret="address-tls")
    docs[-1]["metadata"].pop("annotations")
    gateway.apply("address", issuing.certificate(
        "address-tls", [host], "pebble", ipAddresses=["127.0.0.1"]), docs)

    assert accounts.names_of(wait_served(gateway, host)) == {host,
                                                             "127.0.0.1"}


@pytest.mark.parametrize("wanted, kind, size", [
    ({}, rsa.RSAPublicKey, 2048),
    ({"algorithm": "RSA", "size": "3072"}, rsa.RSAPublicKey, 3072),
    ({"algorithm": "ECDSA"}, ec.EllipticCurvePublicKey, 256),
    ({"algorithm": "ECDSA", "size": "384"}, ec.EllipticCurvePublicKey, 384),
], ids=str)
def test_key_is_as_the_annotations_say(obtain, wanted, kind, size):
    key = obtain(name(), annotations={
        f"{issuing.PREFIX}private-key-{what}": value
        for what, value in wanted.items()}).public_key()

    assert isinstance(key, kind) and key.key_size == size


def test_http_and_dns_solvers_are_chosen_by_zone(gateway, obtain, dns_pebble,
                                                 zone):
    gateway.apply("both", issuer("both", dns_pebble, kind="Issuer", solvers=[
        issuing.HTTP, issuing.rfc2136(zone, dnsZones=["by-dns.dns.test"])]))
    before = len(zone.updates())
    obtain("by-http.dns.test", by="both", kind="issuer")
    assert len(zone.updates()) == before
    obtain("by-dns.dns.test", by="both", kind="issuer")
    assert len(zone.updates()) > before


# Accounts

def test_external_account(gateway, echo, start_pebble):
    made = start_pebble(eab={"kid-1": EAB_KEY})
    eab = manifest.secret("eab", {"secret": EAB_KEY})
    gateway.apply("eab", eab, issuer(
        "eab", made, kind="Issuer", externalAccountBinding={
            "keyID": "kid-1",
            "keySecretRef": {"name": "eab", "key": "secret"}}))
    host = name()
    gateway.apply("eab-site", site(host, echo[0], by="eab", kind="issuer"))

    assert made.status_of(wait_served(gateway, host).serial_number) == "Valid"
    issuing.check_nothing_leaked(gateway, EAB_KEY)


def test_key_of_the_account_is_changed(gateway, obtain, pebble):
    def accounts_made():
        return pebble.log().count("accounts in memory")

    obtain(name())
    keys, made = issuing.private_texts(gateway), accounts_made()
    issuing.ask(gateway, "rollover", "ClusterIssuer/pebble")

    nginx.wait_until(lambda: "POST /rollover-account-key" in pebble.log()
                     and issuing.private_texts(gateway) - keys,
                     lambda: issuing.report(gateway))
    obtain(name())
    assert accounts_made() == made


def test_revocation(gateway, obtain, pebble):
    host = name()
    cert = obtain(host)
    issuing.revoke(gateway, issuing.secret_of(host))

    nginx.wait_until(lambda: pebble.status_of(cert.serial_number) == "Revoked",
                     lambda: issuing.report(gateway))


def test_preferred_chain(gateway, obtain, pebble):
    root = x509.load_pem_x509_certificate(pebble.roots()[2].encode())
    wanted, = root.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    gateway.apply("preferred", issuer("preferred", pebble,
                                      preferredChain=wanted.value))
    host = name()
    obtain(host, by="preferred")

    context = client.tls_context(ca=pebble.roots()[2])
    assert gateway.get("/", host, tls=True, context=context).status == 200


# Along the way

def test_written_to_served_within_two_seconds(gateway, echo, pebble,
                                              record_property):
    host = name()
    gateway.apply("warm", site(host, echo[0], by="pebble"))
    wait_served(gateway, host)
    host = name()

    with issuing.Watch() as watch:
        gateway.put("quick", site(host, echo[0], by="pebble"))
        wait_served(gateway, host)

    record_property("seconds", watch.seconds)
    print(f"Ingress written to certificate served: {watch.seconds:.2f} s")
    assert watch.seconds <= 2


def test_operator_asks_for_another_certificate(gateway, obtain, pebble):
    host = name()
    first = obtain(host)
    issuing.renew(gateway, issuing.secret_of(host))

    assert pebble.status_of(wait_served(gateway, host, unlike=first)
                            .serial_number) == "Valid"


def test_renewal_by_lifetime(gateway, obtain, start_pebble):
    made = start_pebble(validity=20)
    gateway.apply("brief", issuer("brief", made))
    host = name()
    first = obtain(host, by="brief")
    second = wait_served(gateway, host, unlike=first, timeout=20)

    assert second.not_valid_before < first.not_valid_after
    assert made.status_of(second.serial_number) == "Valid"
    gateway.remove_objects(manifest.label(host))


def test_bad_nonces_cost_no_order(gateway, obtain, start_pebble):
    made = start_pebble(nonces=40)
    gateway.apply("nonces", issuer("nonces", made))

    for _ in range(5):
        assert obtain(name(), by="nonces")

    assert made.orders() == 5


def test_ca_that_forgot_the_account(gateway, obtain, start_pebble):
    made = start_pebble()
    gateway.apply("forgetful", issuer("forgetful", made))
    first, second = name(), name()
    obtain(first, by="forgetful")
    made.restart()

    cert = obtain(second, by="forgetful")
    assert made.status_of(cert.serial_number) == "Valid"


def test_admin_tells_of_certificates(gateway, obtain):
    host = name()
    cert = obtain(host)
    entry = issuing.wait_state(gateway, issuing.secret_of(host), "valid")

    assert (entry["namespace"], entry["names"]) == ("default", host)
    assert "pebble" in entry["issuer"]
    assert entry["failures"] == 0 and "error" not in entry
    assert issuing.serial(entry["serial"]) == cert.serial_number
    end = cert.not_valid_after.replace(tzinfo=datetime.timezone.utc)
    assert abs(issuing.instant(entry["notAfter"]) - end.timestamp()) < 1
    assert (cert.not_valid_before.timestamp()
            < issuing.instant(entry["renewal"]) < end.timestamp())


def test_metrics_have_the_names_that_people_watch(gateway, obtain):
    host = name()
    cert = obtain(host)
    labels = dict(name=issuing.secret_of(host), namespace="default",
                  issuer_name="pebble", issuer_kind="ClusterIssuer",
                  issuer_group="cert-manager.io")
    end = cert.not_valid_after.replace(tzinfo=datetime.timezone.utc)

    def value(what, **more):
        return issuing.metric(gateway, f"certmanager_certificate_{what}",
                              **labels, **more)

    nginx.wait_until(
        lambda: value("expiration_timestamp_seconds") == end.timestamp(),
        lambda: gateway.admin_get("/metrics").text)
    assert value("renewal_timestamp_seconds") < end.timestamp()
    assert value("not_before_timestamp_seconds") < end.timestamp()
    assert value("not_after_timestamp_seconds") == end.timestamp()
    assert value("ready_status", condition="True") == 1
    assert value("ready_status", condition="False") == 0


def test_metrics_of_one_name_stand_together_behind_their_type(gateway, obtain):
    obtain(name())
    obtain(name())
    seen, of = [], {}

    for line in gateway.admin_get("/metrics").text.splitlines():
        if line.startswith("# TYPE "):
            _, _, what, of[what] = line.split()
            seen.append(what)
        elif re.match("certmanager_|torii_acme_", line):
            assert re.match(r"\w+", line)[0] == seen[-1], line

    assert len(seen) == len(set(seen))
    assert of["certmanager_certificate_ready_status"] == "gauge"
    assert of["torii_acme_orders_total"] == "counter"


def test_key_and_chain_are_kept_for_the_next_start(gateway, obtain):
    host = name()
    cert = obtain(host)
    path = issuing.state_file(gateway, issuing.secret_of(host))
    key, begin, chain = path.read_text().partition("-----BEGIN CERTIFICATE")
    key = serialization.load_pem_private_key(key.encode(), None)

    assert accounts.read_chain(begin + chain)[0] == cert
    assert key.public_key().public_numbers() == \
        cert.public_key().public_numbers()
    assert path.stat().st_mode & 0o77 == 0


def test_nothing_secret_is_told(gateway, obtain, zone):
    obtain(name())
    issuing.check_nothing_leaked(gateway, zone.secret, EAB_KEY)
