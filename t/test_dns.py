"""
From an Ingress to what a zone's own server answers, through the gateway: BIND
and Knot DNS by RFC 2136, PowerDNS by its API.
"""

import itertools
import json
import subprocess

import pytest

import gateway as gateways
import manifest
import nginx
import records
from records import ADDRESS, has

OWNER = "gateway-a"
DNS = f"torii_publish {ADDRESS} 2001:db8::80; torii_dns owner={OWNER};"
GATEWAY = dict(http=DNS)
TARGET = "external-dns.alpha.kubernetes.io/target"
NUMBERS = itertools.count(1)
TORII = gateways.OBJS.resolve() / "torii"


def zone_of(kind, **how):
    return records.SERVERS[kind](zone=f"{kind}.test", **how)


@pytest.fixture(scope="module")
def zones():
    made = {kind: zone_of(kind) for kind in records.SERVERS}
    yield made
    for zone in made.values():
        zone.stop()


@pytest.fixture(scope="module")
def running(gateway, zones, echo_backend):
    """One gateway that writes to all of them; a zone that is left without any
    host would keep what it has."""
    gateway.apply("providers", *(
        records.of(zone, kind, brake_min="100", **(
            {"registry": "txt", "txt_prefix": "ext-%{record_type}."}
            if kind == "knot" else {}))
        for kind, zone in zones.items()))
    gateway.apply("stays", *(site(f"stays.{zone.zone}", echo_backend)
                             for zone in zones.values()))
    return gateway


def host(zone):
    return f"h{next(NUMBERS)}.{zone.zone}"


def site(host, echo, **more):
    return manifest.route(host, echo[0], **more)


def state(gateway):
    return json.loads(gateway.admin_get("/api/dns").text)


def quiet(gateway, needs=lambda state: True):
    """Until all zones are read and nothing is left to be done."""
    def done():
        now = state(gateway)
        used = [z for z in now["zones"] if z["state"] != "unused"]
        return used and needs(now) and all(
            z["listed"] and not z["pending"] for z in used) and now

    return nginx.wait_until(done, lambda: json.dumps(state(gateway))[:3000],
                            20, every=0.05)


def torii(gateway, *args):
    ran = subprocess.run([TORII, "dns", *args, "--state", gateway.state],
                         capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def all_have(hosts, *values, **how):
    for name, zone in hosts.items():
        has(zone, name, *values, **how)


def test_host_comes_changes_and_goes(running, zones, echo):
    hosts = {host(zone): zone for zone in zones.values()}
    running.apply("site", *(site(name, echo) for name in hosts))
    all_have(hosts, ADDRESS)
    all_have(hosts, "2001:db8::80", kind="AAAA")

    running.apply("site", *(site(name, echo, annotations={
        TARGET: "192.0.2.7"}) for name in hosts))
    all_have(hosts, "192.0.2.7")
    all_have(hosts, kind="AAAA")

    running.remove_objects("site")
    all_have(hosts, timeout=30)
    for zone in zones.values():
        assert zone.query("stays", "A") == [ADDRESS]


def test_wildcard_apex_alias_and_what_is_of_others(running, zones, echo):
    alias = host(zones["bind"]).split(".")[0]
    running.apply("names", *(
        site(name, echo, annotations=said)
        for zone in zones.values() for name, said in (
            (f"*.w.{zone.zone}", None), (zone.zone, None),
            (f"foreign.{zone.zone}", None),
            (f"{alias}.{zone.zone}", {TARGET: f"ns1.{zone.zone}"}))))

    for zone in zones.values():
        has(zone, f"any.w.{zone.zone}", ADDRESS)
        has(zone, "", ADDRESS)
        has(zone, alias, f"ns1.{zone.zone}.", kind="CNAME")
        running.wait_finding(reason="DnsRecordForeign",
                             value=f"foreign.{zone.zone}")
        assert zone.query("foreign", "A") == [records.FOREIGN]

    running.remove_objects("names")
    for zone in zones.values():
        has(zone, "", timeout=30)
        assert zone.query("", "NS") != []
        assert zone.query("foreign", "A") == [records.FOREIGN]


def test_state_metrics_and_status_tell_of_it(running, zones, echo):
    name = host(zones["bind"])
    running.apply("told", site(name, echo))
    has(zones["bind"], name, ADDRESS)
    now = quiet(running)

    entry = [h for h in now["hosts"] if h["name"] == name]
    assert entry and entry[0]["state"] == "published"
    assert f"zone {zones['bind'].zone}  complete" in torii(running, "status")
    metrics = running.admin_get("/metrics").text
    assert all(f'zone="{zone.zone}"' in metrics for zone in zones.values())


def test_second_gateway_of_the_same_objects_writes_nothing(start_gateway,
                                                           zones, echo):
    one = zones["bind"]
    name = host(one)
    docs = [records.of(one), site(name, echo)]
    first = start_gateway(http=DNS.replace(OWNER, "same"))
    first.apply("all", *docs)
    has(one, name, ADDRESS)
    quiet(first)
    before = len(one.updates())
    first.remove()

    second = start_gateway(http=DNS.replace(OWNER, "same"))
    second.apply("all", *docs)
    quiet(second, lambda now: any(h["name"] == name and
                                  h["state"] == "published"
                                  for h in now["hosts"]))
    assert all("_dnssync-lock" in text for what, text in
               one.updates()[before:]), "but that it is another one"


# A gateway and a zone of one's own


@pytest.fixture
def own(start_gateway):
    """own(kind="bind", http=…, setting=…) is (gateway, zone, secret)."""
    made = []

    def make(kind="bind", http=DNS, **settings):
        zone = records.SERVERS[kind](zone="own.test")
        made.append(zone)
        gateway = start_gateway(http=http)
        gateway.apply("provider", records.of(zone, **settings))
        return gateway, zone

    yield make
    for zone in made:
        zone.stop()


def test_upsert_only_keeps_what_is_gone(own, echo):
    gateway, zone = own(policy="upsert-only")
    name, other = host(zone), host(zone)
    gateway.apply("site", site(name, echo))
    gateway.apply("other", site(other, echo))
    has(zone, name, ADDRESS)
    has(zone, other, ADDRESS)

    gateway.remove_objects("site")
    later = host(zone)
    gateway.apply("later", site(later, echo))
    has(zone, later, ADDRESS)
    quiet(gateway, lambda now: any(f["why"] == "policy"
                                   for f in now["findings"]))
    assert zone.query(name, "A") == [ADDRESS]


def test_brake_holds_until_the_operator_lets_go(own, echo):
    gateway, zone = own(brake_min="1")
    names = [host(zone) for _ in range(8)]
    stays = host(zone)
    gateway.apply("many", *(site(name, echo) for name in names))
    gateway.apply("stays", site(stays, echo))
    for name in (*names, stays):
        has(zone, name, ADDRESS)

    gateway.remove_objects("many")
    gateway.wait_finding(reason="DnsDeletionHeld")
    assert len([n for n in names if zone.query(n, "A")]) >= 6

    torii(gateway, "ack", "default/dns")
    for name in names:
        has(zone, name, timeout=20)
    assert zone.query(stays, "A") == [ADDRESS]


def test_operator_takes_over_a_record(own, echo):
    gateway, zone = own()
    gateway.apply("site", site(f"foreign.{zone.zone}", echo))
    gateway.wait_finding(reason="DnsRecordForeign")

    torii(gateway, "adopt", "default/dns", "--unowned")

    has(zone, "foreign", ADDRESS)


def test_zone_that_may_not_be_read_loses_nothing(own, echo):
    """Its transfer is refused from now on, updates are not."""
    gateway, zone = own()
    name, other = host(zone), host(zone)
    gateway.apply("site", site(name, echo))
    gateway.apply("other", site(other, echo))
    has(zone, name, ADDRESS)
    quiet(gateway)

    conf = zone.dir / "named.conf"
    conf.write_text(conf.read_text().replace(
        f"allow-transfer {{ key {zone.key_name}.; }}",
        "allow-transfer { none; }"))
    zone.kill()
    zone.run()
    assert zone.answers()
    zone.put("changed", "A", "192.0.2.1")
    gateway.reload()
    gateway.remove_objects("site")

    nginx.wait_until(lambda: any(f["reason"].startswith("DnsProvider")
                                 for f in gateway.findings()),
                     lambda: json.dumps(state(gateway))[:3000], 30)
    assert zone.query(name, "A") == [ADDRESS]
    assert zone.query(other, "A") == [ADDRESS]


def test_secret_is_changed_while_it_runs(own, echo):
    gateway, zone = own(tsig_secret="bm90aGluZw==")
    name = host(zone)
    gateway.apply("site", site(name, echo))
    gateway.wait_finding(reason="DnsProviderDenied")

    gateway.apply("provider", records.of(zone))

    has(zone, name, ADDRESS)
    nginx.wait_until(lambda: not any(f["reason"].startswith("DnsProvider")
                                     for f in gateway.findings()),
                     lambda: json.dumps(gateway.findings())[:2000], 15)


def test_zone_of_externaldns_is_gone_on_with(own, echo):
    gateway, zone = own(registry="txt", txt_owner_id="old")
    text = ("heritage=external-dns,external-dns/owner=old,"
            "external-dns/resource=ingress/default/x")
    zone.put("x", "A", ADDRESS, ttl=300)
    zone.put("x", "AAAA", "2001:db8::80", ttl=300)
    zone.put("a-x", "TXT", f'"{text}"')
    zone.put("aaaa-x", "TXT", f'"{text}"')
    name = f"x.{zone.zone}"
    before = len(zone.updates())

    gateway.apply("x", site(name, echo, name="x"))
    quiet(gateway, lambda now: any(h["name"] == name and
                                   h["state"] == "published"
                                   for h in now["hosts"]))
    assert len(zone.updates()) == before

    gateway.apply("x", site(name, echo, name="x",
                            annotations={TARGET: "192.0.2.9"}))
    has(zone, name, "192.0.2.9")
    assert any("external-dns/owner=old" in t for t in zone.txt("a-x"))
