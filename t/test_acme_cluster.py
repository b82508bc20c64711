"""
Certificates in a cluster: two gateways at one API, of which one asks and both
answer; Secrets as cert-manager leaves them; orders that outlive their gateway.
"""

import base64
import datetime
import itertools
import json
import os
import signal

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

import account as accounts
import authority as authorities
import cluster
import gateway as gateways
import issuing
import manifest
import nginx
from issuing import issuer, site, wait_served


OVERLAY = gateways.ROOT / "deploy/kubernetes/overlays/acme"
NUMBERS = itertools.count(1)
PREFIX = issuing.PREFIX
DIRECTIVES = """torii_publish service=torii/torii;
    torii_acme eager;"""


@pytest.fixture
def api():
    """An API server of a cluster where cert-manager was."""
    made = cluster.ApiServer(defaultClass="nginx", crds=True)
    made.rbac(cluster.deployed(OVERLAY, "a") + cluster.deployed(OVERLAY, "b"))
    made.tokens(tokens={"a-token": "a", "b-token": "b"})
    made.apply(manifest.service("torii", namespace="torii", port_name="http"),
               *({"apiVersion": "v1", "kind": "Namespace",
                  "metadata": {"name": n}}
                 for n in ("cert-manager", "kube-system")))
    yield made
    made.stop()


@pytest.fixture
def ca(authority, api):
    made = authorities.Ca(authority)
    api.apply(issuer("stub", made))
    yield made
    made.stop()


@pytest.fixture
def gateway_of(api, start):
    """gateway_of("a"): a gateway with that user, an endpoint of the Service."""
    def run(user, directives=DIRECTIVES, **how):
        address = f"10.244.200.{1 + 'ab'.index(user)}"
        made = start(user, directives=directives, wait=False, listen=f"""
            listen 127.0.0.1:@plain@;
            listen {address}:@plain@;
            listen 127.0.0.1:@tls@ ssl http2;
            listen 127.0.0.1:@h2c@ http2;""", **how)
        api.apply(manifest.endpoint_slice(
            "torii", [address], made.plain, namespace="torii",
            name=f"torii-{user}", port_name="http"))
        return made
    return run


@pytest.fixture
def pair(api, ca, gateway_of):
    """Two gateways; the CA looks for challenges at the one that follows."""
    made = {user: gateway_of(user) for user in "ab"}
    leader = wait_leader(api)
    follower, = set(made) - {leader}
    ca.set(validate=True, http_port=made[follower].plain,
           tls_port=made[follower].tls)
    return Pair(made, leader, follower)


class Pair:
    def __init__(self, all_of_them, leader, follower):
        self.all = all_of_them
        self.leader = all_of_them[leader]
        self.follower = all_of_them[follower]
        self.users = leader, follower

    def report(self):
        return "\n\n".join(g.report() for g in self.all.values())


def wait_leader(api, other_than=None, timeout=30):
    """The user who wrote the Lease last."""
    def find():
        wrote = [r["user"] for r in api.asked(resource="leases")
                 if r["verb"] in ("create", "update")
                 and r["status"] in (200, 201)]
        return wrote and wrote[-1] != other_than and wrote[-1]
    return nginx.wait_until(find, lambda: str(api.get("leases")), timeout)


def holder(api):
    return api.get("leases", "torii", "torii")["spec"].get("holderIdentity")


def name():
    return f"h{next(NUMBERS)}.example"


def secret(api, host):
    return api.get("secrets", issuing.secret_of(host))


def decoded(obj):
    return {k: base64.b64decode(v).decode()
            for k, v in (obj.get("data") or {}).items()}


def events(api, reason):
    return [e for e in api.get("events") if e["reason"] == reason]


def wait_event(api, reason):
    return nginx.wait_until(lambda: events(api, reason), lambda: str(
        [(e["reason"], e["note"]) for e in api.get("events")]))[0]


def wait_secret(api, host, unlike=None):
    def find():
        found = secret(api, host)
        return found if found and found["data"] != (unlike or {}).get("data") \
            else None
    return nginx.wait_until(find, lambda: f"Secret of {host}", 15)


def tokens(api):
    """All that ever was in the Secret of challenges."""
    out = set()
    for event in api.history(resource="secrets")["events"]:
        if event["key"] == "torii/torii-acme-challenges":
            for one in json.loads(decoded(event["object"])["challenges"]):
                out.update((one["name"], one["value"]))
    return out


# Who asks, who answers

def test_one_of_two_issues_and_both_serve(api, ca, pair, echo):
    host = name()
    api.apply(site(host, echo[0], by="stub", annotations={
        PREFIX + "secret-template":
            '{"labels": {"team": "web"}, "annotations": {"note": "x"}}'}))
    first = wait_served(pair.follower, host)

    assert wait_served(pair.leader, host) == first
    assert len(ca.orders()) == 1 and len(ca.accounts()) == 1
    assert ca.refusals() == []

    # as cert-manager would have written it
    found = secret(api, host)
    own = issuing.secret_of(host)
    assert found["type"] == "kubernetes.io/tls"
    assert set(found["data"]) == {"tls.crt", "tls.key"}
    assert found["metadata"]["labels"] == {
        "controller.cert-manager.io/fao": "true", "team": "web"}
    assert found["metadata"]["annotations"] == {
        "note": "x", **{PREFIX + k: v for k, v in {
            "certificate-name": own, "issuer-name": "stub",
            "issuer-kind": "ClusterIssuer", "issuer-group": "cert-manager.io",
            "alt-names": host, "common-name": "", "ip-sans": "",
            "uri-sans": ""}.items()}}
    assert found["metadata"]["managedFields"][-1]["manager"] == "torii"

    # and the account, which it reads again
    key = decoded(api.get("secrets", "stub-account", "cert-manager"))["tls.key"]
    assert key.startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert serialization.load_pem_private_key(
        key.encode(), None).key_size == 2048

    event = wait_event(api, "Issued")
    assert event["type"] == "Normal"
    assert event["regarding"]["name"] == manifest.label(host)
    api.check()


@pytest.mark.parametrize("how", [{}, issuing.ALPN], ids=["http", "alpn"])
def test_ca_is_asked_to_look_when_all_gateways_answer(api, ca, pair, echo,
                                                      how):
    """The watch of the one that follows is slow: the CA, which looks there,
    never sees it without the challenge."""
    api.fault(match={"resource": "secrets", "verb": "get", "user":
                     pair.users[1], "name": "torii-acme-challenges"},
              delay=1500)
    host = name()
    api.apply(site(host, echo[0], by="stub", annotations=how))
    wait_served(pair.leader, host)

    assert [o["status"] for o in ca.orders(host)] == ["valid"]
    assert "were not seen" not in pair.leader.log()


def test_edge_without_helper_answers(api, ca, echo, gateway_of):
    """As in the pods of deploy/kubernetes: what faces the network has no
    token, and reads tables."""
    control = gateway_of("a")
    edge = gateways.Gateway(http="torii_helper off;", wait=False)
    edge.state.symlink_to(control.state)
    try:
        edge.start()
        ca.set(validate=True, http_port=edge.plain, tls_port=edge.tls)
        host = name()
        api.apply(site(host, echo[0], by="stub"))

        assert wait_served(edge, host) == issuing.served(control, host)
    finally:
        edge.remove()


def test_account_that_cert_manager_made_is_used(api, ca, pair, echo):
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption()).decode()
    made = manifest.secret("kept-account", {"tls.key": pem}, "cert-manager")
    host = name()
    api.apply(made, issuer("kept", ca))
    before = api.get("secrets", "kept-account", "cert-manager")
    api.apply(site(host, echo[0], by="kept"))

    assert wait_served(pair.leader, host)
    assert api.get("secrets", "kept-account", "cert-manager") == before


def test_gateway_that_does_not_answer_holds_up_nothing(api, ca, pair, echo):
    api.apply(manifest.endpoint_slice(
        "torii", ["10.244.200.9"], pair.leader.plain, namespace="torii",
        name="torii-dead", port_name="http"))
    host = name()
    api.apply(site(host, echo[0], by="stub"))

    assert wait_served(pair.leader, host, timeout=30)
    assert "1 of 3 gateways" in wait_event(api, "ChallengeUnseen")["note"]


def test_no_token_is_told(api, ca, pair, echo):
    host = name()
    api.apply(site(host, echo[0], by="stub"))
    wait_served(pair.follower, host)
    wait_event(api, "Issued")
    told = tokens(api)
    keys = {line for obj in api.get("secrets") for text in
            decoded(obj).values() if "PRIVATE KEY" in text
            for line in text.splitlines()[2:-1] if len(line) >= 24}

    # a token, its answer, and the token of the set
    assert len(told) >= 3 and keys
    for text in (pair.leader.log(), pair.follower.log(),
                 json.dumps(api.get("events")),
                 json.dumps(pair.leader.findings()),
                 *issuing.public_texts(pair.leader).values()):
        lines = [line for line in text.splitlines() if "acme-challenge" not in
                 line or "GET" not in line]
        assert not any(one in line for one in told | keys for line in lines)


# Gateways that go

def test_next_leader_goes_on_with_the_same_order(api, ca, pair, echo):
    host = name()
    ca.set(validate=False)
    ca.fail("finalize", "hold")
    api.apply(site(host, echo[0], by="stub"))
    ca.wait_held()

    for pid in pair.leader.tree():
        os.kill(pid, signal.SIGKILL)
    pair.leader.stop()
    ca.release(drop=True)

    cert = wait_served(pair.follower, host, timeout=60)
    assert accounts.names_of(cert) == {host}
    assert len(ca.orders()) == 1 and len(ca.accounts()) == 1
    assert [c["serial"] for c in ca.certs()] == [authorities.serial(cert)]


def test_leader_that_cannot_renew_lets_go_of_its_order(api, ca, pair, echo):
    host = name()
    ca.set(validate=False)
    ca.fail("finalize", "hold")
    api.apply(site(host, echo[0], by="stub"))
    ca.wait_held()
    api.fault(match={"resource": "leases", "user": pair.users[0]}, status=500)
    wait_leader(api, pair.users[0])
    pair.leader.wait_log("leads no longer", 30)
    ca.release()

    cert = wait_served(pair.leader, host, timeout=60)
    assert wait_served(pair.follower, host) == cert
    assert len(ca.orders()) == 1 and len(ca.certs()) == 1
    assert not issuing.certificates(pair.leader)
    assert issuing.certificates(pair.follower)


def test_api_that_is_away_during_an_order(api, ca, pair, echo):
    host = name()
    ca.set(validate=False)
    ca.fail("finalize", "hold")
    api.apply(site(host, echo[0], by="stub"))
    ca.wait_held()
    api.down()
    ca.release()
    ca.wait_certs(host)
    api.up()

    assert wait_served(pair.follower, host, timeout=60)
    assert len(ca.orders()) == 1 and len(ca.certs(host)) == 1


# Secrets

def test_secret_that_is_deleted_is_back_without_an_order(api, ca, pair, echo):
    host = name()
    api.apply(site(host, echo[0], by="stub"))
    cert = wait_served(pair.follower, host)
    before = wait_secret(api, host)

    api.remove(before)
    after = wait_secret(api, host)
    assert after["data"] == before["data"]
    assert after["metadata"]["annotations"] == before["metadata"][
        "annotations"]
    assert wait_served(pair.follower, host) == cert

    # also by a leader that did not issue it
    first = holder(api)
    os.kill(pair.leader.helper_pid(), signal.SIGKILL)
    pair.leader.expect("exited on signal 9")
    nginx.wait_until(lambda: holder(api) not in (None, "", first),
                     pair.report, 30)
    api.remove(after)
    assert wait_secret(api, host)["data"] == before["data"]
    assert len(ca.orders()) == 1


def test_secret_that_others_keep_changing_is_left_to_them(api, ca, pair, echo,
                                                          authority):
    host = name()
    api.apply(site(host, echo[0], by="stub"))
    wait_served(pair.leader, host)

    for _ in range(2):
        kept = wait_secret(api, host)
        other = manifest.tls_secret(issuing.secret_of(host),
                                    authority.issue("other.example"))
        api.apply(other)
        if _ == 0:
            wait_secret(api, host, unlike=api.get(
                "secrets", issuing.secret_of(host)))
            assert secret(api, host)["data"] != kept["data"]

    assert wait_event(api, "SecretContested")
    assert secret(api, host)["data"] == other["data"]
    assert len(ca.orders(host)) == 2


def test_secret_of_another_type_keeps_it(api, ca, pair, echo, authority):
    host = name()
    old = manifest.tls_secret(issuing.secret_of(host),
                              authority.issue("other.example"))
    old["type"] = "Opaque"
    api.apply(old, site(host, echo[0], by="stub"))

    assert wait_served(pair.leader, host)
    assert secret(api, host)["type"] == "Opaque"


def test_what_cert_manager_left_is_adopted(api, ca, echo, authority,
                                           gateway_of):
    hosts = [name() for _ in range(20)]
    pairs = {h: authority.issue(h) for h in hosts}

    for h in hosts:
        api.apply(issuing.managed_secret(h, pairs[h], "stub"),
                  site(h, echo[0], by="stub"))

    gateway = gateway_of("a")
    ca.set(validate=True, http_port=gateway.plain)
    extra = name()
    api.apply(site(extra, echo[0], by="stub"))
    wait_served(gateway, extra)

    for h in hosts:
        assert issuing.served(gateway, h) == pairs[h].x509
    assert [o["names"] for o in ca.orders()] == [[extra]]
    assert not [r for r in api.asked(verb="patch", resource="secrets",
                                     namespace="default")
                if r["name"] != issuing.secret_of(extra)]


def test_secret_that_is_read_late_is_adopted_all_the_same(
        api, ca, echo, authority, gateway_of):
    gateway = gateway_of("a")
    gateway.wait_log("is the leader", 20)
    first = name()
    ca.set(validate=True, http_port=gateway.plain)
    api.apply(site(first, echo[0], by="stub"))
    wait_served(gateway, first)

    api.fault(match={"resource": "secrets", "verb": "get"}, delay=1500)
    host = name()
    kept = authority.issue(host)
    api.apply(issuing.managed_secret(host, kept, "stub"),
              site(host, echo[0], by="stub"))

    assert wait_served(gateway, host) == kept.x509
    assert ca.count("newOrder") == 1


# cert-manager

def lease(holder="cert-manager-1", age=0):
    at = datetime.datetime.utcnow() - datetime.timedelta(seconds=age)
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "cert-manager-controller",
                         "namespace": "kube-system"},
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": 60,
                     "renewTime": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}}


def test_nothing_is_asked_for_while_cert_manager_runs(api, ca, echo,
                                                      gateway_of):
    api.apply(lease())
    host = name()
    api.apply(site(host, echo[0], by="stub"))
    gateway = gateway_of("a")
    gateway.wait_finding(reason="CertManagerRuns",
                         object=manifest.label(host))
    assert wait_event(api, "CertManagerRuns")["type"] == "Warning"
    assert ca.log() == []

    # given back, as it ends
    ca.set(validate=True, http_port=gateway.plain)
    api.apply(lease(holder=""))
    assert wait_served(gateway, host, timeout=40)


@pytest.mark.parametrize("directives, objects", [
    (DIRECTIVES, [lease(age=3600)]),
    (DIRECTIVES.replace("eager", "eager takeover"), [lease()]),
    (DIRECTIVES.replace("eager", "eager cert_manager=torii/torii-x"), []),
], ids=["stale", "takeover", "elsewhere"])
def test_cert_manager_that_is_not_in_the_way(api, ca, echo, gateway_of,
                                             directives, objects):
    api.rbac(cluster.deployed(OVERLAY, "a") + [
        {"user": "a", "apiGroups": ["coordination.k8s.io"], "namespace":
         "torii", "resources": ["leases"], "resourceNames": ["torii-x"],
         "verbs": ["get"]}])
    api.apply(*objects)
    gateway = gateway_of("a", directives)
    ca.set(validate=True, http_port=gateway.plain)
    host = name()
    api.apply(site(host, echo[0], by="stub"))

    assert wait_served(gateway, host)


def test_lease_that_may_not_be_read_is_no_permission(api, ca, echo,
                                                     gateway_of):
    api.rbac([r for r in cluster.deployed(OVERLAY, "a")
              if r["namespace"] != "kube-system"])
    api.forgive("cert-manager-controller")
    host = name()
    api.apply(site(host, echo[0], by="stub"))
    gateway = gateway_of("a")
    gateway.wait_finding(reason="CertManagerUnknown")
    assert ca.log() == []


def test_gateway_alone_needs_no_lease(api, ca, echo, gateway_of):
    gateway = gateway_of("a", DIRECTIVES + "\n    torii_leader off;")
    ca.set(validate=True, http_port=gateway.plain)
    host = name()
    api.apply(site(host, echo[0], by="stub"))

    assert wait_served(gateway, host)
    assert api.get("leases") == []


def test_without_torii_acme_nothing_is_asked_for(api, ca, echo, gateway_of):
    gateway = gateway_of("a", "torii_publish service=torii/torii;")
    host = name()
    api.apply(site(host, echo[0], by="stub"))
    gateway.wait_finding(reason="SecretNotFound")

    assert ca.log() == []
    assert not api.asked(resource="secrets", namespace="torii")
