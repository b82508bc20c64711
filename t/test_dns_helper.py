"""
Records in DNS without another program: BIND, which may be changed by a key, a
folder with an Ingress, and a Secret that says where.
"""

import itertools
import json

import pytest

import bind
import cluster
import issuing
import manifest
import nginx
import pebble as pebbles


ADDRESS = "192.0.2.80"
OWNER = "gateway-a"
DNS = f"""torii_publish {ADDRESS};
    torii_dns owner={OWNER};"""
GATEWAY = dict(http=DNS)
NUMBERS = itertools.count(1)


def provider(zone, name="dns", namespace="default", **settings):
    """The Secret of a zone that BIND has."""
    data = {"provider": "rfc2136", "server": zone.address, "zones": zone.zone,
            "tsig-key-name": zone.key_name, "tsig-algorithm": zone.algorithm,
            "tsig-secret": zone.secret, "interval": "5", "policy": "sync",
            "delete-delay": "1"}
    data.update({k.replace("_", "-"): v for k, v in settings.items()})
    return {"apiVersion": "v1", "kind": "Secret",
            "type": "torii/dns-provider",
            "metadata": manifest.metadata(name, namespace),
            "stringData": {k: v for k, v in data.items() if v is not None}}


def site(host, echo, **more):
    return manifest.route(host, echo[0], **more)


def has(zone, name, *values, kind="A", timeout=15):
    """Wait until the zone has these values, in any order."""
    nginx.wait_until(
        lambda: sorted(zone.query(name, kind)) == sorted(values),
        lambda: f"{name} {kind} {values}, not {zone.query(name, kind)}; "
                f"{zone.log()[-2000:]}", timeout, every=0.05)


def changes(zone):
    return len(zone.updates())


class Zone(bind.Bind):
    """Without a wildcard, which would answer for every host."""

    def prepare(self):
        super().prepare()
        path = self.dir / "zone"
        text = path.read_text().replace("* IN A 127.0.0.1\n", "")
        path.write_text(text + "foreign IN A 192.0.2.9\n")


class TlsZone(Zone):
    """By DNS over TLS, too: tls_port."""

    names = ("port", "tls_port")

    def __init__(self, pair, **how):
        self.pair = pair
        super().__init__(**how)

    def prepare(self):
        super().prepare()
        (self.dir / "chain").write_text(self.pair.chain)
        (self.dir / "pair").write_text(self.pair.key)
        path = self.dir / "named.conf"
        text = path.read_text()
        path.write_text(f"""tls own {{
    cert-file "{self.dir}/chain";
    key-file "{self.dir}/pair";
}};
""" + text.replace("    listen-on-v6", f"    listen-on port {self.tls_port} "
                   "tls own { 127.0.0.1; };\n    listen-on-v6"))


@pytest.fixture(scope="module")
def zone():
    made = Zone()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def running(gateway, zone):
    """The gateway, which writes to the zone."""
    gateway.apply("provider", provider(zone))
    return gateway


def host(zone):
    return f"h{next(NUMBERS)}.{zone.zone}"


def state(gateway):
    return json.loads(gateway.admin_get("/api/dns").text)


def test_record_of_a_new_host_appears(running, zone, echo):
    name = host(zone)
    running.apply("new", site(name, echo))

    has(zone, name, ADDRESS)
    assert any(f"owner={OWNER}" in text
               for text in zone.txt(f"_dnssync.{name}"))


def test_record_follows_the_annotation(running, zone, echo):
    name = host(zone)
    docs = site(name, echo)
    running.apply("change", docs)
    has(zone, name, ADDRESS)

    running.apply("change", site(name, echo, annotations={
        "external-dns.alpha.kubernetes.io/target": "192.0.2.81,2001:db8::81",
        "external-dns.alpha.kubernetes.io/ttl": "77"}))

    has(zone, name, "192.0.2.81")
    has(zone, name, "2001:db8::81", kind="AAAA")


def test_record_of_a_removed_host_goes(running, zone, echo):
    name, other = host(zone), host(zone)
    running.apply("stays", site(other, echo))
    running.apply("goes", site(name, echo))
    has(zone, name, ADDRESS)
    has(zone, other, ADDRESS)

    running.remove_objects("goes")

    has(zone, name, timeout=30)
    assert zone.query(other, "A") == [ADDRESS]
    assert zone.txt(f"_dnssync.{name}") == []


def test_foreign_record_is_left_alone(running, zone, echo):
    name = f"foreign.{zone.zone}"
    running.apply("foreign", site(name, echo))

    running.wait_finding(reason="DnsRecordForeign")
    assert zone.query(name, "A") == ["192.0.2.9"]
    running.remove_objects("foreign")


def test_host_that_is_not_served_is_told(running, zone, echo):
    name = host(zone)
    running.apply("idle", site(name, echo, annotations={
        "external-dns.alpha.kubernetes.io/hostname": f"other.{name}"}))

    has(zone, name, ADDRESS)
    running.wait_finding(reason="DnsNotServed")
    assert zone.query(f"other.{name}", "A") == []
    running.remove_objects("idle")


def test_second_helper_writes_nothing(running, zone, echo):
    name = host(zone)
    running.apply("again", site(name, echo))
    has(zone, name, ADDRESS)
    wait_quiet(running)
    before = changes(zone)
    queries = zone.log().count("query")

    running.reload()
    later = host(zone)
    running.apply("later", site(later, echo))
    has(zone, later, ADDRESS)
    wait_quiet(running)

    texts = [text for what, text in zone.updates()[before:]
             if "_dnssync-lock" not in text]
    assert texts and all(later in text for text in texts), texts
    assert zone.log().count("query") >= queries


def wait_quiet(gateway):
    """Until nothing is left to be done."""
    def quiet():
        zones = [z for z in state(gateway)["zones"] if z.get("used", True)]
        return zones and all(not z.get("pending") for z in zones)
    nginx.wait_until(quiet, lambda: json.dumps(state(gateway))[:3000], 20,
                     every=0.05)


def test_wrong_provider_is_a_finding_and_no_harm(running, zone, echo):
    running.apply("wrong", provider(zone, "wrong", provider="rfc2137"))
    found = running.wait_finding(reason="DnsProvider", object="wrong")
    assert "rfc2137" in found["message"]

    name = host(zone)
    running.apply("fine", site(name, echo))
    has(zone, name, ADDRESS)
    assert running.get("/", name).status == 200

    running.remove_objects("wrong")


def test_unknown_setting_is_told_with_what_was_meant(running, zone):
    other = Zone(zone="other.test", key_name="other")
    try:
        running.apply("typo", provider(other, "typo", inteval="7"))
        found = running.wait_finding(reason="DnsProvider", object="typo")
        assert "interval" in found["message"]
    finally:
        running.remove_objects("typo")
        other.stop()


def test_wrong_key_is_told_and_holds_up_nothing_else(running, zone, echo):
    other = Zone(zone="denied.test", key_name="other")
    try:
        running.apply("denied", provider(
            other, "denied", tsig_secret=zone.secret),
            site(f"a.{other.zone}", echo))
        wait_denied(running, "denied")

        name = host(zone)
        running.apply("beside", site(name, echo))
        has(zone, name, ADDRESS)
        assert other.query("a", "A") == []
    finally:
        running.remove_objects("denied")
        other.stop()


def wait_denied(gateway, name):
    nginx.wait_until(
        lambda: any(f["reason"] == "DnsProviderDenied"
                    and f["object"]["name"] == name
                    for f in gateway.findings()),
        lambda: json.dumps(gateway.findings())[:3000], 15)


def test_secret_in_a_file_is_read_anew(running, echo):
    other = Zone(zone="file.test", key_name="other")
    secret = running.dir / "tsig-secret"
    secret.write_text("bm90aGluZw==\n")
    try:
        running.apply("file", provider(other, "file", tsig_secret=None,
                                       tsig_secret_file=str(secret)),
                      site(f"a.{other.zone}", echo))
        wait_denied(running, "file")

        secret.write_text(other.secret + "\n")
        has(other, "a", ADDRESS, timeout=40)
    finally:
        running.remove_objects("file")
        other.stop()


@pytest.mark.parametrize("trusted", [True, False])
def test_zone_is_written_over_tls(running, echo, authority, trusted):
    other = TlsZone(authority.issue("127.0.0.1"), zone="tls.test",
                    key_name="other")
    name = f"a.{other.zone}"
    try:
        running.apply("tls", provider(
            other, "tls", server=f"127.0.0.1:{other.tls_port}", tls="true",
            ca=authority.pem if trusted else None), site(name, echo))
        if trusted:
            has(other, name, ADDRESS)
        else:
            found = running.wait_finding(reason="DnsProviderDown",
                                         object="tls")
            assert "certificate" in found["message"]
            assert changes(other) == 0
    finally:
        running.remove_objects("tls")
        other.stop()


def test_no_secret_is_told_anywhere(running, zone):
    texts = [running.admin_get(page).text
             for page in ("/api/dns", "/metrics", "/api/findings")]
    texts.append(running.log())

    assert not any(zone.secret in text for text in texts)


def test_metrics_tell_of_zone_and_account(running, zone):
    text = running.admin_get("/metrics").text
    assert 'torii_dns_account_ready{account="default/dns"' in text
    assert f'zone="{zone.zone}"' in text


def test_observing_gateway_writes_nothing(start_gateway, echo):
    zone = Zone()
    try:
        gateway = start_gateway(http=DNS.replace(
            "torii_dns ", "torii_dns observe "))
        name = host(zone)
        gateway.apply("all", provider(zone), site(name, echo))
        nginx.wait_until(lambda: name in json.dumps(state(gateway)),
                         lambda: json.dumps(state(gateway))[:2000], 15)
        wait_listed(gateway)
        assert changes(zone) == 0
    finally:
        zone.stop()


def wait_listed(gateway):
    nginx.wait_until(
        lambda: any(z.get("listed") for z in state(gateway)["zones"]),
        lambda: json.dumps(state(gateway))[:3000], 15)


def test_private_view_gets_what_an_interface_has(start_gateway, echo):
    zone, outside = Zone(), Zone(zone="out.test")
    try:
        gateway = start_gateway(
            http="torii_publish interface=lo; torii_dns owner=x;")
        name, other = host(zone), host(outside)
        gateway.apply("all", provider(zone, view="private"),
                      provider(outside, "outside"),
                      site(name, echo), site(other, echo))
        has(zone, name, "127.0.0.1")
        gateway.wait_finding(reason="DnsNoAddress", value=other)
        assert changes(outside) == 0
    finally:
        zone.stop()
        outside.stop()


def test_private_addresses_may_be_given(start_gateway, echo):
    zone, inside = Zone(), Zone(zone="in.test")
    try:
        gateway = start_gateway(http=DNS.replace(
            "torii_dns ", "torii_dns private=10.0.0.8,fd00::8 "))
        gateway.apply("all", provider(zone),
                      provider(inside, "inside", view="private"),
                      site(f"a.{zone.zone}", echo),
                      site(f"a.{inside.zone}", echo))
        has(zone, "a", ADDRESS)
        has(inside, "a", "10.0.0.8")
        has(inside, "a", "fd00::8", kind="AAAA")
    finally:
        zone.stop()
        inside.stop()


def test_folder_that_is_gone_deletes_nothing(start_gateway, echo):
    zone = Zone()
    try:
        gateway = start_gateway(http=DNS)
        name = host(zone)
        gateway.apply("all", provider(zone), site(name, echo))
        has(zone, name, ADDRESS)
        wait_quiet(gateway)

        away = gateway.folder.with_name("away")
        gateway.folder.rename(away)
        gateway.reload()
        before = changes(zone)
        serial = zone.query("", "SOA")

        wait_incomplete(gateway)
        away.rename(gateway.folder)
        later = host(zone)
        gateway.apply("later", site(later, echo))
        has(zone, later, ADDRESS)

        assert zone.query(name, "A") == [ADDRESS]
        assert serial and not any(
            what == "deleting" and name in text
            for what, text in zone.updates()[before:])
    finally:
        zone.stop()


def wait_incomplete(gateway):
    nginx.wait_until(lambda: "cannot be opened" in
                     gateway.admin_get("/api/source").text,
                     lambda: gateway.admin_get("/api/source").text, 15)


@pytest.mark.parametrize("words, told", [
    ("owner=a,b", "owner="),
    ("private=somewhere", "private="),
    ("sometimes", "observe"),
    ("on; torii_dns off", "duplicate"),
])
def test_wrong_directive_is_refused(start_gateway, words, told):
    with pytest.raises(AssertionError, match=told):
        start_gateway(http=f"torii_dns {words};")


def test_certificate_is_proven_by_an_account(start_gateway, authority, echo):
    zone = Zone()
    gateway = start_gateway(http=DNS + issuing.EAGER)
    ca = pebbles.Pebble(authority, gateway.plain, gateway.tls,
                        resolver=zone.address)
    try:
        gateway.apply("provider", provider(zone), site(f"b.{zone.zone}", echo))
        has(zone, "b", ADDRESS)
        gateway.apply("issuer", issuing.issuer("ca", ca, solvers=[
            {"dns01": {"cloudflare": {"apiTokenSecretRef": {
                "name": "none", "key": "none"}}}}]))
        gateway.apply("site", issuing.site(
            f"*.{zone.zone}", echo[0], by="ca"))

        issuing.wait_served(gateway, f"*.{zone.zone}", sni=f"x.{zone.zone}")
        nginx.wait_until(lambda: zone.txt("_acme-challenge") == [],
                         lambda: f"{zone.txt('_acme-challenge')}")
        assert any("_acme-challenge" in text for what, text in zone.updates()
                   if what == "adding")
    finally:
        ca.stop()
        zone.stop()


# In a cluster

SYSTEM = {"user": cluster.USER, "apiGroups": [""], "resources": ["namespaces"],
          "resourceNames": ["kube-system"], "verbs": ["get"]}


def namespace(name):
    return {"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name}}


@pytest.fixture
def start_cluster():
    """start_cluster(rbac=…, http=…): a gateway of an API server's objects."""
    made = []

    def start(rbac=(SYSTEM,), http="torii_dns on;", **how):
        gateway = cluster.Gateway(
            http=http, directives=f"torii_publish {ADDRESS};", options={
                "rbac": cluster.deployed() + [cluster.ANYWHERE, *rbac]}, **how)
        made.append(gateway)
        gateway.api.apply(namespace("torii"), namespace("kube-system"))
        return gateway.start()

    yield start

    for gateway in made:
        gateway.remove()


def uid(gateway):
    found = gateway.api.get("namespaces", "kube-system", namespace="")
    return found["metadata"]["uid"]


def test_cluster_writes_hosts_by_a_secret_of_its_namespace(start_cluster, zone,
                                                           echo):
    gateway = start_cluster()
    name, other = host(zone), host(zone)
    gateway.api.apply(provider(zone, namespace="torii"))
    gateway.apply("app", site(name, echo))
    gateway.apply("other", site(other, echo))

    has(zone, other, ADDRESS)
    has(zone, name, ADDRESS)
    assert any(f"owner=cluster-{uid(gateway)}" in text
               for text in zone.txt(f"_dnssync.{name}"))

    # whoever leads next is the same writer
    lease = gateway.api.get("leases", "torii", "torii")["metadata"]["uid"]
    assert any(f"owner=cluster-{uid(gateway)},instance={lease}." in text
               for text in zone.txt(f"_dnssync-lock.{zone.zone}"))

    gateway.remove_objects("app")
    has(zone, name, timeout=60)
    assert zone.query(other, "A") == [ADDRESS]


def test_secret_of_another_namespace_is_no_provider(start_cluster, zone, echo):
    gateway = start_cluster()
    name, other = host(zone), host(zone)
    gateway.api.apply(provider(zone, namespace="default"))
    gateway.apply("app", site(name, echo))
    assert state(gateway)["accounts"] == []

    gateway.api.apply(provider(zone, namespace="torii"))
    gateway.apply("other", site(other, echo))
    has(zone, other, ADDRESS)
    assert [a["name"] for a in state(gateway)["accounts"]] == ["torii/dns"]


def test_cluster_that_cannot_be_told_from_others_says_so(start_cluster, zone,
                                                         echo):
    gateway = start_cluster(rbac=())
    gateway.api.forgive("kube-system")
    name = host(zone)
    gateway.api.apply(provider(zone, namespace="torii"))
    gateway.apply("app", site(name, echo))

    has(zone, name, ADDRESS)
    assert any("owner=torii/torii" in text
               for text in zone.txt(f"_dnssync.{name}"))
    assert "torii_dns owner=NAME" in gateway.log()


def test_api_that_is_away_deletes_nothing(start_cluster, zone, echo):
    gateway = start_cluster()
    name = host(zone)
    gateway.api.apply(provider(zone, namespace="torii"))
    gateway.apply("app", site(name, echo))
    has(zone, name, ADDRESS)

    gateway.api.down()
    nginx.wait_until(lambda: not state(gateway)["complete"],
                     lambda: json.dumps(state(gateway))[:2000], 60, every=0.1)
    gateway.api.up()
    later = host(zone)
    gateway.apply("later", site(later, echo))
    has(zone, later, ADDRESS, timeout=60)

    assert zone.query(name, "A") == [ADDRESS]


def test_provider_that_refuses_is_an_event(start_cluster, zone, echo):
    gateway = start_cluster()
    gateway.api.apply(provider(zone, namespace="torii"))
    name = f"foreign.{zone.zone}"
    gateway.apply("app", site(name, echo))

    nginx.wait_until(
        lambda: any(e.get("reason") == "DnsRecordForeign"
                    for e in gateway.api.get("events")),
        lambda: json.dumps(gateway.findings())[:2000], 30, every=0.1)
    assert zone.query(name, "A") == ["192.0.2.9"]
