"""
Certificates in the life of objects: they come, change and go, an nginx is
started again, and no CA is asked more than that needs.
"""

import itertools
import os
import signal
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

import account as accounts
import authority as authorities
import certificate
import client
import issuing
import manifest
import nginx
from issuing import issuer, served, site, wait_served


GATEWAY = dict(http=issuing.EAGER)
NUMBERS = itertools.count(1)
MANY = 40


@pytest.fixture(scope="module")
def stub(authority):
    made = authorities.Ca(authority)
    yield made
    made.stop()


@pytest.fixture
def ca(gateway, stub):
    """The CA of the issuer "stub", working as usual; it validates nothing."""
    stub.reset()
    gateway.apply("issuer", issuer("stub", stub))
    return stub


@pytest.fixture
def obtain(gateway, echo):
    """The certificate of a host, once it is served."""
    def run(host, **how):
        how.setdefault("by", "stub")
        gateway.apply(host, site(host, echo[0], **how))
        return wait_served(gateway, host)
    return run


@pytest.fixture
def fresh(authority):
    """Another CA, which knows nobody yet."""
    made = authorities.Ca(authority)
    yield made
    made.stop()


@pytest.fixture
def own(start_gateway, fresh):
    """A gateway for a test that starts it again; its issuer is "stub"."""
    made = start_gateway(**GATEWAY)
    made.apply("issuer", issuer("stub", fresh))
    return made


def name():
    return f"h{next(NUMBERS)}.example"


PAIR = {"torii/certificate-key": "rsa+ecdsa"}
RSA, ECDSA = "rsa_pss_rsae_sha256", "ecdsa_secp256r1_sha256"


def shown(gateway, host, algorithm, *options):
    """The certificate for a client that knows one signature algorithm; None
    where the handshake fails."""
    made = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.tls}",
         "-servername", host, "-sigalgs", algorithm, *options],
        stdin=subprocess.DEVNULL, capture_output=True)
    begin = made.stdout.find(b"-----BEGIN CERTIFICATE-----")
    return (x509.load_pem_x509_certificate(made.stdout[begin:])
            if begin >= 0 else None)


def wait_shown(gateway, host, algorithm, unlike=None):
    def look():
        cert = shown(gateway, host, algorithm)
        return (cert if cert and cert != unlike
                and host in accounts.names_of(cert) else None)

    return nginx.wait_until(look, lambda: f"{algorithm} for {host}; "
                            f"{issuing.report(gateway)}")


# Renewal

def test_certificate_is_renewed_in_its_life(gateway, ca, obtain):
    ca.set(validity=20, ari=False)
    host = name()
    first = obtain(host)
    second = wait_served(gateway, host, unlike=first, timeout=20)

    assert second.not_valid_before < first.not_valid_after


def test_renewal_keeps_connections(gateway, ca, obtain):
    host = name()
    first = obtain(host)

    with gateway.http1(tls=True, sni=host) as connection:
        assert connection.get("/", host).status == 200
        issuing.renew(gateway, issuing.secret_of(host))
        wait_served(gateway, host, unlike=first)
        assert connection.get("/", host).status == 200


def test_renewal_comes_when_the_annotation_says(gateway, ca, obtain):
    ca.set(ari=False)
    host = name()
    cert = obtain(host, annotations={"cert-manager.io/renew-before": "240h"})
    entry = issuing.wait_state(gateway, issuing.secret_of(host), "valid")
    end = issuing.instant(entry["notAfter"])

    assert abs(end - 240 * 3600 - issuing.instant(entry["renewal"])) < 600
    assert issuing.serial(entry["serial"]) == cert.serial_number


def test_renewal_comes_when_the_ca_suggests(gateway, ca, obtain):
    ca.set(ari_window=[0.2, 0.3])

    # an issuer of its own: others may have read a directory without ARI
    gateway.apply("suggesting", issuer("suggesting", ca))
    host = name()
    obtain(host, by="suggesting")
    cert = ca.certs(host)[0]
    life = cert["to"] - cert["from"]

    issuing.wait_state(
        gateway, issuing.secret_of(host),
        lambda e: 0.2 <= (issuing.instant(e["renewal"]) - cert["from"]) / life
        <= 0.3)


def test_key_is_new_at_each_renewal_unless_told(gateway, ca, obtain):
    for policy, same in ((None, False), ("Never", True)):
        host = name()
        first = obtain(host, annotations=policy and {
            "cert-manager.io/private-key-rotation-policy": policy})
        issuing.renew(gateway, issuing.secret_of(host))
        second = wait_served(gateway, host, unlike=first)

        assert (first.public_key().public_numbers()
                == second.public_key().public_numbers()) == same


def test_certificate_is_renewed_no_more_when_it_says_so(gateway, echo, ca):
    ca.set(validity=12, ari=False)
    once, clock = name(), name()
    gateway.apply("once", issuing.certificate(
        "once", [once], "stub", renewal={"policy": "Disabled"}),
        issuing.certificate("clock", [clock], "stub"))
    ca.wait_certs(clock, 2, timeout=60)
    assert len(ca.certs(once)) == 1

    issuing.renew(gateway, "once")
    ca.wait_certs(once, 2)
    ca.wait_certs(clock, 4, timeout=60)
    assert len(ca.certs(once)) == 2


def test_ingress_that_is_gone_is_renewed_no_more(gateway, ca, obtain):
    ca.set(validity=12, ari=False)
    gone, clock = name(), name()
    obtain(gone)
    gateway.remove_objects(gone)
    obtain(clock)
    issued = len(ca.certs(gone))
    ca.wait_certs(clock, len(ca.certs(clock)) + 2, timeout=60)

    assert len(ca.certs(gone)) == issued


def test_file_that_nobody_names_for_a_month_is_removed(own, echo):
    gone, back, stays = hosts = [name() for _ in range(3)]
    files = [issuing.state_file(own, issuing.secret_of(h)) for h in hosts]
    marks = [file.with_suffix(".old") for file in files]

    def put(host):
        own.apply(host, site(host, echo[0], by="stub"))

    for host in hosts:
        put(host)
        wait_served(own, host)

    own.remove_objects(gone)
    own.remove_objects(back)
    own.stop()
    own.start()
    nginx.wait_until(lambda: marks[0].exists() and marks[1].exists(),
                     lambda: issuing.report(own))
    assert not marks[2].exists() and all(file.exists() for file in files)

    for mark in marks[:2]:
        mark.write_text(f"{int(time.time()) - 31 * 86400}\n")
    put(back)
    own.stop()
    own.start()
    nginx.wait_until(lambda: not marks[0].exists() and not marks[1].exists(),
                     lambda: issuing.report(own))

    assert [file.exists() for file in files] == [False, True, True]
    assert (f'certificate "default/{issuing.secret_of(gone)}" is removed'
            in own.log())
    assert (own.state / "private/accounts/ClusterIssuer/stub.pem").exists()


# Nothing is asked for twice

def test_secrets_of_cert_manager_are_adopted(echo, authority, fresh,
                                             start_gateway):
    hosts = [name() for _ in range(20)]
    pairs = {host: authority.issue(host, days=60) for host in hosts}
    docs = [[issuing.managed_secret(host, pairs[host], "letsencrypt"),
             site(host, echo[0], by="letsencrypt")] for host in hosts]
    gateway = start_gateway(**GATEWAY, manifests={
        "cluster": [issuer("letsencrypt", fresh), docs]})

    for host in hosts:
        assert served(gateway, host) == pairs[host].x509
        issuing.wait_state(gateway, issuing.secret_of(host), "valid")
    assert fresh.count("newOrder") == 0


def test_adopted_secret_is_renewed_when_due(echo, authority, fresh,
                                            start_gateway):
    host = name()
    old = authority.issue(host, days=2, start=-88)
    gateway = start_gateway(**GATEWAY, manifests={"cluster": [
        issuer("letsencrypt", fresh), site(host, echo[0], by="letsencrypt"),
        issuing.managed_secret(host, old, "letsencrypt")]})

    assert wait_served(gateway, host, unlike=old.x509)
    assert len(fresh.orders(host)) == 1


def test_secret_that_is_deleted_comes_back_from_state(echo, authority, own,
                                                      fresh):
    host = name()
    pair = authority.issue(host, days=60)
    own.apply("secret", issuing.managed_secret(host, pair, "stub"))
    own.apply(host, site(host, echo[0], by="stub"))
    issuing.wait_state(own, issuing.secret_of(host), "valid")
    own.remove_objects("secret")

    assert wait_served(own, host) == pair.x509
    issuing.wait_state(own, issuing.secret_of(host), "valid")
    assert fresh.orders() == []


def test_secret_that_is_replaced_is_served(echo, authority, own, fresh):
    """A reissue, as after a leaked key, that ends no later than the first."""
    host = name()
    first = authority.issue(host, days=60, start=-2)
    second = authority.issue(host, days=50)
    own.apply("secret", issuing.managed_secret(host, first, "stub"))
    own.apply(host, site(host, echo[0], by="stub"))
    issuing.wait_state(own, issuing.secret_of(host), "valid")

    own.apply("secret", issuing.managed_secret(host, second, "stub"))
    assert wait_served(own, host, unlike=first.x509) == second.x509
    assert fresh.orders() == []


@pytest.mark.parametrize("text", [
    "renew", "", "revoke default/x", "\x1b[1m", "rollover", "renew \n x",
    "x" * 5000], ids=range(7))
def test_wish_that_makes_no_sense_is_passed_over(gateway, ca, obtain, text):
    gateway.expect("no such certificate or issuer")
    obtain(name())
    helper = gateway.helper_pid()
    wish = gateway.state / "private/requests/wish"
    wish.write_text(text)
    wish.chmod(0o644)

    nginx.wait_until(lambda: not wish.exists(), gateway.report)
    obtain(name())
    assert gateway.helper_pid() == helper


def test_restart_asks_for_nothing(echo, own, fresh):
    hosts = [name() for _ in range(5)]
    own.apply("all", [site(host, echo[0], by="stub") for host in hosts])
    before = {host: wait_served(own, host) for host in hosts}
    for host in hosts:
        issuing.wait_state(own, issuing.secret_of(host), "valid")
    asked = fresh.count("newOrder"), fresh.count("newAccount")

    own.stop()
    own.restart()
    own.settle()

    for host in hosts:
        assert served(own, host) == before[host]
        issuing.wait_state(own, issuing.secret_of(host), "valid")
    assert (fresh.count("newOrder"), fresh.count("newAccount")) == asked


def test_reload_asks_for_nothing(echo, own, fresh):
    host = name()
    own.apply("all", site(host, echo[0], by="stub"))
    before = wait_served(own, host)
    issuing.wait_state(own, issuing.secret_of(host), "valid")
    own.reload()

    issuing.wait_state(own, issuing.secret_of(host), "valid")
    assert served(own, host) == before
    assert fresh.count("newOrder") == 1


def test_helper_that_was_killed_asks_for_nothing(echo, own, fresh):
    host = name()
    own.expect("exited on signal 9")
    own.apply("all", site(host, echo[0], by="stub"))
    before = wait_served(own, host)
    issuing.wait_state(own, issuing.secret_of(host), "valid")
    pid = own.helper_pid()
    os.kill(pid, signal.SIGKILL)
    nginx.wait_until(lambda: own.helper_pid() not in (None, pid), "a helper")
    own.serve("after.example", echo[0])

    issuing.wait_state(own, issuing.secret_of(host), "valid")
    assert served(own, host) == before
    assert fresh.count("newOrder") == 1


def test_host_that_comes_back_needs_no_order(gateway, ca, obtain):
    host = name()
    first = obtain(host)
    gateway.remove_objects(host)

    assert obtain(host) == first
    assert len(ca.orders(host)) == 1


def test_change_that_is_none_asks_for_nothing(gateway, ca, obtain):
    host = name()
    first = obtain(host)

    assert obtain(host, proxy_body_size="8k") == first
    assert len(ca.orders(host)) == 1


def test_names_that_change_make_one_more_order(gateway, ca, obtain):
    host, more = name(), name()
    first = obtain(host)
    obtain(host, hosts=[host, more])
    cert = wait_served(gateway, host, unlike=first)

    assert accounts.names_of(cert) == {host, more}
    assert len(ca.orders(host)) == 2


def test_many_hosts_make_an_order_each(own, echo, fresh):
    hosts = [f"many{n}.example" for n in range(MANY)]
    own.apply("many", [site(host, echo[0], by="stub") for host in hosts])
    for host in hosts:
        wait_served(own, host, timeout=60)

    assert sorted(o["names"][0] for o in fresh.orders()) == sorted(hosts)
    assert len(fresh.accounts()) == 1
    assert fresh.refusals() == []


# A key of each kind

def test_client_gets_a_certificate_of_the_kind_that_it_knows(gateway, ca,
                                                             obtain):
    host = name()
    obtain(host, annotations=PAIR)
    secret = issuing.secret_of(host)

    for algorithm, kind, size, own in (
            (RSA, rsa.RSAPublicKey, 2048, secret),
            (ECDSA, ec.EllipticCurvePublicKey, 256, f"{secret}-ecdsa")):
        cert = wait_shown(gateway, host, algorithm)
        entry = issuing.wait_state(gateway, own, "valid")

        assert isinstance(cert.public_key(), kind)
        assert cert.public_key().key_size == size
        assert issuing.serial(entry["serial"]) == cert.serial_number
        assert shown(gateway, host, algorithm, "-tls1_2") == cert

    assert len(ca.orders(host)) == 2
    assert issuing.metric(gateway, "certmanager_certificate_ready_status",
                          name=f"{secret}-ecdsa", condition="True") == 1
    nginx.wait_until(
        lambda: not [f for f in gateway.findings()
                     if f["object"]["name"] == manifest.label(host)],
        lambda: str(gateway.findings()))


def test_renewal_of_one_kind_leaves_the_other(gateway, ca, obtain):
    host = name()
    obtain(host, annotations=PAIR)
    secret = issuing.secret_of(host)
    certs = {kind: wait_shown(gateway, host, kind) for kind in (RSA, ECDSA)}

    for kind, other, own in ((RSA, ECDSA, secret),
                             (ECDSA, RSA, f"{secret}-ecdsa")):
        issuing.renew(gateway, own)
        certs[kind] = wait_shown(gateway, host, kind, unlike=certs[kind])
        issuing.wait_state(gateway, own, "valid")
        assert shown(gateway, host, other) == certs[other]

    assert len(ca.orders(host)) == 4


def test_second_kind_comes_and_goes_with_its_annotation(gateway, ca, obtain):
    host = name()
    first = obtain(host)
    assert shown(gateway, host, ECDSA) is None

    obtain(host, annotations=PAIR)
    second = wait_shown(gateway, host, ECDSA)
    assert shown(gateway, host, RSA) == first

    obtain(host)
    nginx.wait_until(lambda: shown(gateway, host, ECDSA) is None,
                     lambda: issuing.report(gateway))
    obtain(host, annotations=PAIR)
    assert wait_shown(gateway, host, ECDSA) == second
    assert shown(gateway, host, RSA) == first
    assert len(ca.orders(host)) == 2


def test_both_kinds_are_proved_by_tls_alpn(gateway, ca, obtain):
    ca.set(validate=True, tls_port=gateway.tls, types=["tls-alpn-01"])
    host = name()
    obtain(host, annotations={**PAIR,
                              "torii/acme-challenge": "tls-alpn-01"})

    assert wait_shown(gateway, host, ECDSA)
    assert wait_shown(gateway, host, RSA)
    assert len(ca.orders(host)) == 2
    assert issuing.certificates(gateway)[
        f"default/{issuing.secret_of(host)}"]["failures"] == 0


def test_restart_asks_for_neither_kind(echo, own, fresh):
    host = name()
    own.apply("pair", site(host, echo[0], by="stub", annotations=PAIR))
    certs = {kind: wait_shown(own, host, kind) for kind in (RSA, ECDSA)}
    own.stop()
    own.restart()
    own.settle()

    for kind in (RSA, ECDSA):
        assert wait_shown(own, host, kind) == certs[kind]
    for suffix in ("", "-ecdsa"):
        issuing.wait_state(own, issuing.secret_of(host) + suffix, "valid")
    assert len(fresh.orders()) == 2


# Who owns a Secret

def test_certificate_left_by_cert_manager_leaves_it_to_its_ingress(
        gateway, echo, ca):
    host, old = name(), name()
    secret = issuing.secret_of(host)
    left = issuing.certificate(secret, [old], "stub")
    left["metadata"]["ownerReferences"] = [{
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "name": manifest.label(host), "uid": "x", "controller": True}]
    docs = site(host, echo[0], by="stub")
    gateway.apply("left", left, docs)

    assert accounts.names_of(wait_served(gateway, host)) == {host}
    assert ca.orders(old) == []
    del docs[-1]["metadata"]["annotations"]
    gateway.apply("left", left, docs)
    ca.wait_certs(old)

def test_two_ingresses_with_the_same_names_share_a_secret(gateway, echo, ca):
    host = name()
    docs = [site(host, echo[n], by="stub", secret="shared-tls",
                 name=f"shared-{n}", path_text=f"/{n}") for n in range(2)]
    gateway.apply("shared", docs)
    wait_served(gateway, host)
    issuing.wait_state(gateway, "shared-tls", "valid")

    assert len(ca.orders(host)) == 1


def test_older_ingress_has_the_secret_that_two_claim(gateway, echo, ca):
    older, newer = name(), name()
    gateway.apply("claims", site(newer, echo[0], by="stub",
                                 secret="claimed-tls", created=2000),
                  site(older, echo[0], by="stub", secret="claimed-tls",
                       created=1000))
    cert = wait_served(gateway, older)

    assert accounts.names_of(cert) == {older}
    gateway.wait_finding(object=manifest.label(newer), reason="BadConfig")
    assert ca.orders(newer) == []
    assert len(ca.orders(older)) == 1


# Meanwhile

def test_default_certificate_serves_until_there_is_one(gateway, echo, ca):
    host = name()
    ca.fail("finalize", "hold", name=host)
    gateway.apply(host, site(host, echo[0], by="stub"))
    ca.wait_held()

    assert issuing.is_default(served(gateway, host))
    assert gateway.get("/", host, tls=True).status == 200
    gateway.wait_finding(object=manifest.label(host),
                         reason="CertificatePending")
    ca.release()
    wait_served(gateway, host)
    nginx.wait_until(
        lambda: not [f for f in gateway.findings()
                     if f["object"]["name"] == manifest.label(host)],
        lambda: str(gateway.findings()))


def test_issuer_that_is_not_there_is_told_and_waited_for(gateway, echo, ca):
    host = name()
    gateway.apply(host, site(host, echo[0], by="later"))
    issuing.wait_told(gateway, manifest.label(host), "later")
    gateway.apply("later", issuer("later", ca))

    assert wait_served(gateway, host)


def test_issuer_in_a_namespace_serves_that_one_only(gateway, echo, ca):
    host, other = name(), name()
    gateway.apply("spaces", issuer("local", ca, kind="Issuer", namespace="one"),
                  site(host, echo[0], by="local", kind="issuer",
                       namespace="one"),
                  site(other, echo[0], by="local", kind="issuer",
                       namespace="two"))

    assert wait_served(gateway, host)
    gateway.wait_finding(object=manifest.label(other))
    assert ca.orders(other) == []


@pytest.mark.parametrize("server", ["http://127.0.0.1:1/dir", "ftp://x/", "x",
                                    "https://127.0.0.1\n/"])
def test_issuer_without_https_is_told(gateway, echo, ca, server):
    host, bad = name(), f"bad-{next(NUMBERS)}"
    gateway.apply(host, issuer(bad, ca, server=server),
                  site(host, echo[0], by=bad))

    issuing.wait_told(gateway, bad)
    assert issuing.is_default(served(gateway, host))
    assert ca.orders(host) == []


def test_issuer_whose_certificate_is_not_trusted_is_told(gateway, echo, ca):
    host = name()
    gateway.apply("foreign", issuer("foreign", ca, caBundle=manifest.secret(
        "x", {"x": certificate.Authority("Foreign").pem})["data"]["x"]),
        site(host, echo[0], by="foreign"))
    entry = issuing.wait_failure(gateway, issuing.secret_of(host), timeout=30)

    assert "certificate" in entry["error"].lower()


# Local issuers

def test_self_signed_issuer(gateway, echo):
    host = name()
    gateway.apply("self", issuer("self", spec={"selfSigned": {}}),
                  site(host, echo[0], by="self"))
    cert = wait_served(gateway, host)

    assert accounts.names_of(cert) == {host}
    assert cert.issuer == cert.subject or cert.issuer.rfc4514_string() == ""


def test_ca_issuer(gateway, echo):
    root = certificate.Authority("Company Root")
    host = name()
    gateway.apply("company", issuer("company", kind="Issuer", spec={
        "ca": {"secretName": "company-ca"}}),
        manifest.tls_secret("company-ca", certificate.Pair(
            root.cert, root.private)),
        site(host, echo[0], by="company", kind="issuer"))
    cert = wait_served(gateway, host)

    assert cert.issuer == root.cert.subject
    assert cert.not_valid_after.timestamp() > time.time() + 86400
    context = client.tls_context(ca=root.pem)
    assert gateway.get("/", host, tls=True, context=context).status == 200


# State

def test_state_is_the_helpers_own(gateway, ca, obtain):
    obtain(name())
    private = gateway.state / "private"

    for path in (private, *private.rglob("*")):
        assert path.stat().st_mode & 0o77 == 0, path


def test_nothing_secret_is_told(gateway, ca, obtain):
    obtain(name())
    issuing.check_nothing_leaked(gateway)
