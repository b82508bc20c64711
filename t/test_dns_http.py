"""
The drivers of PowerDNS, against the real one, and of Cloudflare, DigitalOcean,
webhooks and dyndns2, each against a strict stand-in that fails as it is told.
"""

import pytest

import cloud
import powerdns
import provider
from cloud import edit, host, part

ZONE = "dns.test"
WWW = "www." + ZONE
NEW = "new." + ZONE
MARK = '"heritage=torii,owner=me"'


class Case:
    """A provider, how the driver is set to ask it, and its words."""

    listing = "GET .*records"
    id = ZONE

    def start(self):
        self.peer = self.make()
        self.driver = cloud.Drive(provider=self.name, txt_owner_id="me",
                                  **self.settings())
        self.driver.use(self.id, ZONE)
        return self

    def stop(self):
        self.driver.stop()
        self.peer.stop()

    def put(self, name, kind, *values):
        """Behind the driver's back."""
        self.peer.put(name, kind, *values)

    def sets(self):
        """What there is beside SOA and NS."""
        return {key: values for key, values in self.peer.sets().items()
                if key[1] not in ("SOA", "NS") and key[0] != "ns1." + ZONE}

    def bad(self):
        """An edit that the provider refuses."""
        return edit(part("bad." + ZONE, "A", "192.0.2.1", ttl=5))


class PowerDNS(Case):
    name, id = "powerdns", ZONE + "."

    def make(self):
        return powerdns.PowerDNS(ZONE)

    def settings(self):
        return {"pdns_server": self.peer.url, "pdns_api_key": self.peer.key}

    def put(self, name, kind, *values):
        self.peer.set(name, kind, *values)

    def bad(self):
        return edit(part(f"a-*.{ZONE}", "TXT", "text"))


class Cloudflare(Case):
    name, id = "cloudflare", f"{1:032x}"
    write = "POST .*/batch"

    def make(self):
        return provider.Cloudflare(ZONE)

    def settings(self):
        return {"cloudflare_api_token": self.peer.token,
                "cloudflare_api_url": self.peer.api,
                "cloudflare_dns_records_per_page": "100"}


class DigitalOcean(Case):
    name = "digitalocean"
    write = "(PUT|POST|DELETE) .*records"

    def make(self):
        return provider.DigitalOcean(ZONE)

    def settings(self):
        return {"digitalocean_token": self.peer.token,
                "digitalocean_api_url": self.peer.url}

    def put(self, name, kind, *values):
        self.peer.put(name.removesuffix("." + ZONE), kind, *values)

    def sets(self):
        return {(f"{name}.{ZONE}", kind):
                [f'"{v}"' for v in values] if kind == "TXT" else values
                for (name, kind), values in self.peer.sets().items()
                if kind != "NS"}


class Webhook(Case):
    name = "webhook"
    write = "POST /records"

    def make(self):
        made = provider.Webhook()
        made.set(bad="bad." + ZONE)
        return made

    def settings(self):
        return {"webhook_provider_url": self.peer.url}

    def put(self, name, kind, *values):
        self.peer.do("put", endpoints=[{"dnsName": name, "recordType": kind,
                                        "targets": list(values)}])


STAND_INS = [Cloudflare, DigitalOcean, Webhook]


@pytest.fixture(params=[PowerDNS, *STAND_INS], ids=lambda case: case.name)
def p(request):
    case = request.param().start()
    yield case
    case.stop()


@pytest.fixture(params=STAND_INS, ids=lambda case: case.name)
def s(request):
    case = request.param().start()
    yield case
    case.stop()


def done(p, *edits):
    answer = p.driver.apply(*edits)
    assert answer["outcomes"] == ["done"] * len(edits), answer
    answer = p.driver.list()
    assert answer["step"] == "done", answer
    return answer["map"]


def test_a_zone_is_found(p):
    zones = p.driver("zones")["zones"]
    assert [(z["id"], z["name"]) for z in zones] == [(p.id, ZONE)]


def test_a_host_comes_changes_and_goes(p):
    done(p, host(WWW, "192.0.2.1"))
    assert p.sets() == {(WWW, "A"): ["192.0.2.1"],
                        ("_dnssync." + WWW, "TXT"): [MARK]}

    done(p, edit(part(WWW, "A", "192.0.2.2", "192.0.2.3"),
                 keep=[("_dnssync." + WWW, "TXT")]))
    assert p.sets()[WWW, "A"] == ["192.0.2.2", "192.0.2.3"]

    done(p, edit(part(WWW, "A"), part(WWW, "CNAME", "b.example"),
                 keep=[("_dnssync." + WWW, "TXT")]))
    assert (WWW, "A") not in p.sets() and (WWW, "CNAME") in p.sets()

    done(p, edit(part(WWW, "CNAME"), part("_dnssync." + WWW, "TXT")))
    assert p.sets() == {}


def test_what_is_written_is_what_is_read(p):
    text = "with \"quotes\", \\ and more than a string has: " + "x" * 300
    if p.name == "digitalocean":
        text = "heritage=torii,owner=me,resource=ingress/a/b"
    got = done(p, edit(part("t." + ZONE, "TXT", text)),
               edit(part("*." + ZONE, "A", "192.0.2.1")),
               edit(part("six." + ZONE, "AAAA", "2001:db8::1")),
               edit(part("alias." + ZONE, "CNAME", "b.example")))
    assert got["t." + ZONE, "TXT"] == [text]
    assert got["*." + ZONE, "A"] == ["192.0.2.1"]
    assert got["six." + ZONE, "AAAA"] == ["2001:db8::1"]
    assert got["alias." + ZONE, "CNAME"] == ["b.example"]


def test_what_another_wrote_meanwhile_is_left_alone(p):
    done(p, host(WWW, "192.0.2.1"))
    p.put(NEW, "A", "198.51.100.1")
    answer = p.driver.apply(host(NEW, "192.0.2.1"),
                            host("free." + ZONE, "192.0.2.1"))
    assert answer["outcomes"] == ["lost", "done"], answer
    assert p.sets()[NEW, "A"] == ["198.51.100.1"]
    assert ("_dnssync." + NEW, "TXT") not in p.sets()


def test_one_that_is_refused_stops_no_other(p):
    hosts = [host(f"h{i}.{ZONE}", "192.0.2.1") for i in range(6)]
    answer = p.driver.apply(*hosts[:3], p.bad(), *hosts[3:])
    assert answer["outcomes"] == ["done"] * 3 + ["refused"] + ["done"] * 3
    assert len(p.sets()) == 12


def test_many_hosts_take_few_requests(p):
    answer = p.driver.apply(*[host(f"h{i}.{ZONE}", "192.0.2.1")
                              for i in range(90)])
    assert set(answer["outcomes"]) == {"done"}
    assert answer["requests"] <= (400 if p.name == "digitalocean" else 6)
    answer = p.driver.list()
    assert len([key for key in answer["map"] if key[1] == "A"]) >= 90


def test_a_challenge_stands_beside_another(p):
    name = "_acme-challenge." + WWW

    def challenge(value, add):
        answer = p.driver("challenge", name=name, value=value, add=add)
        assert answer["step"] == "done", answer
        return p.sets().get((name, "TXT"), [])

    assert challenge("one", True) == ['"one"']
    assert challenge("two", True) == ['"one"', '"two"']
    assert challenge("two", True) == ['"one"', '"two"']
    assert challenge("one", False) == ['"two"']
    assert challenge("one", False) == ['"two"']
    assert challenge("two", False) == []


@pytest.mark.parametrize("kind, trouble", [
    ("html", "answer"), ("truncate", "answer"), ("cut", "down"),
    ("refuse", "down"), ("status", "down")])
def test_a_listing_that_fails_is_no_empty_zone(s, kind, trouble):
    done(s, host(WWW, "192.0.2.1"))
    s.peer.fail(s.listing, kind, times=0, status=500)
    answer = s.driver.list()
    assert (answer["step"], answer["trouble"]) == ("failed", trouble), answer
    assert answer["sets"] == []


@pytest.mark.parametrize("change", [{"total": 1}, {"total": -1}])
def test_a_number_that_is_not_right_is_no_whole_listing(s, change):
    if s.name == "webhook":
        return                  # it tells no number
    done(s, host(WWW, "192.0.2.1"))
    s.peer.fail(s.listing, "change", times=0, **change)
    answer = s.driver.list()
    assert (answer["step"], answer["trouble"]) == ("failed", "answer"), answer


def test_pages_make_one_listing():
    case = Cloudflare().start()
    try:
        done(case, *[host(f"h{i}.{ZONE}", "192.0.2.1") for i in range(120)])
        answer = case.driver.list()
        assert answer["requests"] == 3 and len(answer["map"]) == 240
        case.peer.fail("page=2", "status", status=500)
        assert case.driver.list()["step"] == "failed"
        case.peer.fail("page=2", "change", repeat=True)
        assert case.driver.list()["step"] == "failed"
    finally:
        case.stop()


@pytest.mark.parametrize("kind", ["cut", "status"])
def test_a_change_without_an_answer_is_not_sure(s, kind):
    status = 502 if s.name != "webhook" else 503
    s.peer.fail(s.write, kind, times=0, status=status)
    answer = s.driver.apply(host(WWW, "192.0.2.1"))
    assert answer["step"] == "failed" and answer["trouble"] == "down", answer
    assert answer["outcomes"] == ["unsure"]


def test_too_many_requests_are_waited_for(s):
    s.peer.fail(".", "throttle", seconds=100)
    answer = s.driver.list()
    assert answer["step"] == "failed", answer
    assert answer["trouble"] == ("down" if s.name == "webhook"
                                 else "throttled")


def test_a_webhook_adjusts_what_is_wanted_and_takes_null_for_nothing():
    case = Webhook().start()
    try:
        assert case.driver.list()["map"] == {}
        case.peer.set(type="application/json")
        assert case.driver.list()["step"] == "done"
        assert case.driver("zones")["trouble"] == "setting"
    finally:
        case.stop()


def dyndns(peer, **settings):
    driver = cloud.Drive(**{
        "provider": "dyndns", "zones": ZONE, "dyndns_url": peer.update,
        "dyndns_user": peer.user, "dyndns_password": peer.password,
        **settings})
    driver.use(ZONE, ZONE)
    return driver


def test_a_service_for_routers_gets_addresses():
    peer = provider.Dyndns(WWW)
    driver = dyndns(peer)
    try:
        both = edit(part(WWW, "A", "192.0.2.1"),
                    part(WWW, "AAAA", "2001:db8::1"))
        answer = driver.apply(both, host(NEW, "192.0.2.1"))
        assert answer["outcomes"] == ["done", "refused"], answer
        assert peer.hosts() == {WWW: {"A": "192.0.2.1",
                                      "AAAA": "2001:db8::1"}}
        peer.do("set", settings={"word": "911"})
        assert driver.apply(both)["trouble"] == "throttled"
    finally:
        driver.stop()
        peer.stop()


def test_a_wrong_password_is_the_operators():
    peer = provider.Dyndns(WWW)
    driver = dyndns(peer, dyndns_password="other-password")
    try:
        answer = driver.apply(host(WWW, "192.0.2.1"))
        assert answer["trouble"] == "denied"
        assert "other-password" not in str(answer)
    finally:
        driver.stop()
        peer.stop()
