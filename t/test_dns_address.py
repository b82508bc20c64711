"""
What is not of the machine's own knowing: the gateway's public address, as
servers outside tell it, and who the world asks for a zone.
"""

import contextlib
import http.server
import json
import threading
import time

import pytest

import bind
import network
import nginx
import test_dns_helper as helper


FIRST, SECOND, THIRD = "198.60.0.1", "198.60.0.2", "198.60.0.3"
SIX = "2606:4700::6"


class Teller:
    """A web server that tells whoever asks the same text."""

    def __init__(self, text, status=200):
        self.text, self.status = text, status
        self.asked = 0
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                   self.handler())
        self.url = f"http://127.0.0.1:{self.web.server_address[1]}/ip"
        threading.Thread(target=self.web.serve_forever, daemon=True).start()

    def handler(self):
        teller = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                teller.asked += 1
                body = teller.text.encode()
                self.send_response(teller.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *ignored):
                pass

        return Handler

    def stop(self):
        self.web.shutdown()
        self.web.server_close()


@pytest.fixture
def tellers():
    """tellers(text, …): servers that tell these."""
    with contextlib.ExitStack() as stack:
        def start(*texts):
            made = [Teller(text) for text in texts]
            for teller in made:
                stack.callback(teller.stop)
            return made
        yield start


@pytest.fixture
def zones():
    """zones(class, zone=…): a name server of its own."""
    with contextlib.ExitStack() as stack:
        def start(kind=helper.Zone, **how):
            made = kind(**how)
            stack.callback(made.stop)
            return made
        yield start


def directives(servers):
    urls = " ".join(f"echo={server.url}" for server in servers)
    return f"torii_publish {urls}; torii_dns owner=x;"


def wait_asked(servers, times=1, timeout=15):
    nginx.wait_until(lambda: all(s.asked >= times for s in servers),
                     lambda: f"asked {[s.asked for s in servers]}", timeout)


@pytest.mark.parametrize("texts", [
    (FIRST, f"{FIRST}\n", THIRD),
    (f'{{"ip": "{FIRST}"}}', "no address", FIRST),
    (FIRST, SIX, f'{{"ip":"{FIRST}","more":{{"ip":"{THIRD}"}}}}'),
    (FIRST, FIRST, FIRST + " " * 1024),
])
def test_address_that_two_servers_tell_is_published(
        start_gateway, tellers, zones, echo, texts):
    zone = zones()
    gateway = start_gateway(http=directives(tellers(*texts)))
    name = helper.host(zone)
    gateway.apply("all", helper.provider(zone), helper.site(name, echo))

    helper.has(zone, name, FIRST)
    assert zone.query(name, "AAAA") == []


def test_families_count_apart(start_gateway, tellers, zones, echo):
    zone = zones()
    servers = tellers(FIRST, SIX, FIRST, "2606:4700:0::6")
    gateway = start_gateway(http=directives(servers))
    name = helper.host(zone)
    gateway.apply("all", helper.provider(zone), helper.site(name, echo))

    helper.has(zone, name, FIRST)
    helper.has(zone, name, SIX, kind="AAAA")


@pytest.mark.parametrize("texts", [
    (FIRST, SECOND, THIRD),                  # nobody agrees
    (FIRST, FIRST, SECOND, SECOND),          # two parties do
    ("10.0.0.1", "10.0.0.1"),
    ("127.0.0.1", "127.0.0.1"),
    ("fe80::1", "fe80::1"),
    ("::ffff:198.60.0.1", "::ffff:198.60.0.1"),
    ("fd00::1", "fd00::1"),
    (f"{FIRST} {SECOND}", f"{FIRST} {SECOND}"),
    (f'["{FIRST}"]', f'["{FIRST}"]'),
])
def test_what_is_not_agreed_upon_is_not_published(
        start_gateway, tellers, zones, echo, texts):
    zone = zones()
    servers = tellers(*texts)
    gateway = start_gateway(http=directives(servers))
    name = helper.host(zone)
    gateway.apply("all", helper.provider(zone), helper.site(name, echo))

    gateway.wait_log("no two servers")
    gateway.wait_finding(reason="DnsNoAddress", value=name)
    assert helper.changes(zone) == 0


def test_other_address_has_to_last(start_gateway, tellers, zones, echo):
    zone = zones()
    servers = tellers(FIRST, FIRST, THIRD)
    gateway = start_gateway(http=directives(servers))
    name = helper.host(zone)
    gateway.apply("all", helper.provider(zone), helper.site(name, echo))
    helper.has(zone, name, FIRST)

    for server in servers[1:]:
        server.text = SECOND
    began = time.monotonic()

    with network.another_address("127.77.77.77"):
        wait_asked(servers, 2)         # not at the next look, in a minute
        helper.has(zone, name, SECOND, timeout=60)
    assert time.monotonic() - began >= 30
    wait_asked(servers, 3)


def test_loss_of_agreement_keeps_the_address(
        start_gateway, tellers, zones, echo):
    zone = zones()
    servers = tellers(FIRST, FIRST)
    gateway = start_gateway(http=directives(servers))
    name, later = helper.host(zone), helper.host(zone)
    gateway.apply("all", helper.provider(zone), helper.site(name, echo))
    helper.has(zone, name, FIRST)

    servers[0].status = 500
    with network.another_address("127.77.77.78"):
        gateway.wait_log("no two servers")
    gateway.apply("later", helper.site(later, echo))

    helper.has(zone, later, FIRST)
    assert zone.query(name, "A") == [FIRST]


@pytest.mark.parametrize("words, told", [
    ("echo=https://a.example", "two servers have to agree"),
    ("echo=https://a.example echo=https://A.example/x", "twice"),
    ("echo=https://a.example https://b.example", "takes echo=https"),
    ("echo=https://a.example echo=http://b.example", "takes echo=https"),
    ("echo=https://a.example echo=http://127.0.0.1.b.example",
     "takes echo=https"),
    ("echo=https://a.example echo=http://[::1].b.example",
     "takes echo=https"),
    ("echo=https://a.example echo=https://u:p@b.example", "takes echo=https"),
    ("echo=https://a.example echo=https:///", "takes echo=https"),
    (" ".join(f"echo=https://{i}.example" for i in range(9)),
     "two servers have to agree"),
    ("192.0.2.1 echo=https://a.example", "not"),
])
def test_wrong_servers_are_refused(start_gateway, words, told):
    with pytest.raises(AssertionError, match=told):
        start_gateway(http=f"torii_publish {words};")


# Who the world asks


class World(bind.Bind):
    """What a resolver finds: the zone at other servers, or only one above."""

    servers = ("a.elsewhere.test", "b.elsewhere.test")

    def prepare(self):
        super().prepare()
        path = self.dir / "zone"
        text = path.read_text().replace("* IN A 127.0.0.1\n", "")
        lines = "".join(f"@ IN NS {s}.\n" for s in self.servers)
        path.write_text(text.replace("@ IN NS ns1\n", lines))


def start(start_gateway, zone, world, echo, **settings):
    gateway = start_gateway(http=f"torii_resolver {world.address};"
                            + helper.DNS)
    name = f"a.{zone.zone}"
    gateway.apply("all", helper.provider(zone, **settings),
                  helper.site(name, echo))
    return gateway


def test_zone_that_is_delegated_elsewhere_is_told(
        start_gateway, zones, echo):
    zone, world = zones(), zones(World)
    gateway = start(start_gateway, zone, world, echo)

    found = gateway.wait_finding(reason="DnsDelegation", object="dns")
    assert "a.elsewhere.test" in found["message"]
    assert "b.elsewhere.test" in found["message"]
    assert f"written to ns1.{zone.zone}" in found["message"]
    assert found["object"]["kind"] == "Secret"
    assert any(f["why"] == "delegation" and f["account"] == "default/dns"
               for f in helper.state(gateway)["findings"])
    helper.has(zone, "a", helper.ADDRESS)


def test_zone_that_is_not_delegated_is_told(start_gateway, zones, echo):
    zone, world = zones(zone="sub.dns.test"), zones(World)
    gateway = start(start_gateway, zone, world, echo)

    found = gateway.wait_finding(reason="DnsDelegation", object="dns")
    assert f"{zone.zone} is not delegated" in found["message"]
    helper.has(zone, "a", helper.ADDRESS)


@pytest.mark.parametrize("private", [False, True])
def test_zone_that_is_as_delegated_or_private_is_not_told(
        start_gateway, zones, echo, private):
    zone = zones()
    world = zones(World) if private else zone
    gateway = start(start_gateway, zone, world, echo,
                    view="private" if private else None)

    helper.has(zone, "a", helper.ADDRESS)
    helper.wait_quiet(gateway)
    assert "delegation" not in json.dumps(helper.state(gateway)["findings"])
    assert all(f["reason"] != "DnsDelegation" for f in gateway.findings())
