"""
The driver of Cloudflare, and the stand-in that it is tested with, both judged
by a third: Stoplight's Prism stands between them and lets pass, to and fro,
what the API's OpenAPI document has.  See peers/prism.js and
peers/fixtures/cloudflare_api.yaml.
"""

import json
import re

import pytest

import client
import cloud
import manifest
import nginx
import peer
import provider
import records
from cloud import edit, host, part

GATEWAY = dict(http=f"torii_publish {records.ADDRESS}; torii_dns owner=me;")
NOTE = "external-dns.alpha.kubernetes.io/"
ZONE = "dns.test"
WWW = "www." + ZONE
MARK = "_dnssync." + WWW
PROXIED = {"cloudflare/proxied": "true"}
ID = f"{1:032x}"
RECORDS = f"/zones/{ID}/dns_records"
BATCH = RECORDS + "/batch"


class Judge(peer.Node):
    """See peers/prism.js: take() has a row for each request since the last
    one: method, path, status, violations."""

    def __init__(self, upstream):
        super().__init__("prism.js", document="cloudflare_api.yaml",
                         upstream=upstream)
        self.url = self.hello["url"]
        self.calls = set(self.hello["calls"])

    def take(self):
        return self.ask(command="take")["judged"]


class Court:
    """A zone at the stand-in, the judge before it, and drivers that ask."""

    def __init__(self):
        self.peer = provider.Cloudflare(ZONE)
        self.judge = Judge(self.peer.api)
        self.drives = []

    def open(self):
        self.peer.do("reset")
        self.peer.do("zone", zone={"id": ID, "name": ZONE})
        self.judge.take()
        self.driver = self.drive()
        return self

    def drive(self, **settings):
        if "cloudflare_api_key" not in settings:
            settings.setdefault("cloudflare_api_token", self.peer.token)
        made = cloud.Drive(provider="cloudflare", txt_owner_id="me",
                           cloudflare_api_url=self.judge.url, **settings)
        made.use(ID, ZONE)
        self.drives.append(made)
        return made

    def close(self):
        for drive in self.drives:
            drive.stop()
        self.drives.clear()

    def stop(self):
        self.judge.stop()
        self.peer.stop()

    def verdict(self):
        """Everything went through the judge, who had nothing to say: the
        calls that there were, as the document names them."""
        judged = self.judge.take()
        assert not [row for row in judged if row["violations"]]
        seen = [(row["method"], row["status"]) for row in judged]
        assert seen == [(e["method"], e["status"]) for e in self.peer.log()]
        calls = {f"{row['method']} {row['path']}" for row in judged}
        return {re.sub("[0-9a-f]{32}", "{dns_record_id}",
                       call.replace(ID, "{zone_id}")) for call in calls}

    def done(self, *edits):
        """Done, and listed again."""
        answer = self.driver.apply(*edits)
        assert answer["outcomes"] == ["done"] * len(edits), answer
        return self.list()

    def list(self):
        answer = self.driver.list()
        assert answer["step"] == "done", answer
        return answer["map"]

    def records(self, name):
        return [record for record in
                self.peer.do("dump", zone=ID)["records"]
                if record["name"] == name]

    def ask(self, method, path, body=None, **headers):
        """Something that no driver sends."""
        headers.setdefault("authorization", "Bearer " + self.peer.token)
        if body is not None:
            headers.setdefault("content_type", "application/json")
            body = json.dumps(body)
        port = int(self.judge.url.rsplit(":", 1)[1])
        with client.Http1(client.connect(port)) as connection:
            return connection.request(method, path, "localhost", body,
                                      **headers)


@pytest.fixture(scope="module")
def court():
    made = Court()
    yield made
    made.stop()


@pytest.fixture
def c(court):
    """Where nothing may be found: see Court.verdict()."""
    yield court.open()
    try:
        assert court.verdict()
    finally:
        court.close()


@pytest.fixture
def guilty(court):
    """Where something is to be found."""
    yield court.open()
    court.close()


# The driver's life

def test_zones_of_several_pages_are_found(c):
    names = {ZONE} | {f"z{i}.test" for i in range(120)}
    for i in range(120):
        c.peer.do("zone", zone={"id": f"{i + 2:032x}", "name": f"z{i}.test"})
    c.peer.do("zone", zone={"id": f"{999:032x}", "name": "copy.test",
                            "type": "secondary"})
    answer = c.driver("zones")
    assert answer["requests"] == 3, answer
    assert {zone["name"] for zone in answer["zones"]} == names


def test_a_zone_named_by_its_id_is_found(c):
    answer = c.drive(zones=ID)("zones")
    assert [z["name"] for z in answer["zones"]] == [ZONE], answer
    assert c.peer.count("GET /client/v4/zones/" + ID) == 1


def test_the_global_key_is_known_too(c):
    driver = c.drive(cloudflare_api_key="global-key",
                     cloudflare_api_email="ops@a.example")
    assert driver("zones")["step"] == "done"


def test_a_zone_of_several_pages_is_read_whole(c):
    for i in range(230):
        c.peer.put(f"h{i}.{ZONE}", "A", "192.0.2.1")
    c.peer.put(ZONE, "MX", "mail.example", priority=10)
    c.peer.put("sub." + ZONE, "NS", "a.ns.example")
    driver = c.drive(cloudflare_dns_records_per_page="100")
    answer = driver.list()
    assert answer["requests"] == 3, answer
    assert len([k for k in answer["map"] if k[1] == "A"]) == 230


def test_a_host_comes_changes_and_goes(c):
    keep = [(MARK, "TXT")]
    c.done(host(WWW, "192.0.2.1"))
    c.done(edit(part(WWW, "A", "192.0.2.2", "192.0.2.3", ttl=86400),
                part(WWW, "AAAA", "2001:db8::1"), keep=keep))
    c.done(edit(part(WWW, "A", "192.0.2.3"), part(WWW, "AAAA"), keep=keep))
    c.done(edit(part(WWW, "A"), part(WWW, "CNAME", "b.example"), keep=keep))
    assert c.peer.sets()[WWW, "CNAME"] == ["b.example"]
    c.done(edit(part(WWW, "CNAME"), part(MARK, "TXT")))
    assert c.peer.sets() == {}


def test_names_and_values_of_all_kinds(c):
    text = "with \"quotes\", \\ and \x07, ä: " + 300 * "x"
    got = c.done(edit(part(ZONE, "A", "192.0.2.1", "192.0.2.2")),
                 edit(part("*." + ZONE, "A", "192.0.2.3")),
                 edit(part("six." + ZONE, "AAAA", "2001:db8::1",
                           "::ffff:192.0.2.1")),
                 edit(part("alias." + ZONE, "CNAME", "_b.example")),
                 edit(part("*.deep." + ZONE, "CNAME", "b.example")),
                 edit(part("xn--bcher-kva." + ZONE, "A", "192.0.2.4")),
                 edit(part("t." + ZONE, "TXT", text, "")))
    assert sorted(got["t." + ZONE, "TXT"]) == ["", text]
    assert got[ZONE, "A"] == ["192.0.2.1", "192.0.2.2"]
    assert len(got) == 7


def test_a_host_is_proxied_and_is_not_any_more(c):
    c.done(edit(part(WWW, "A", "192.0.2.1", "192.0.2.2", ttl=300,
                     options=PROXIED)))
    assert {(r["proxied"], r["ttl"]) for r in c.records(WWW)} == {(True, 1)}
    c.done(edit(part(WWW, "A", "192.0.2.1", "192.0.2.2", ttl=300)))
    assert {(r["proxied"], r["ttl"]) for r in c.records(WWW)} == {(False, 300)}
    c.done(edit(part(WWW, "A"),
                part(WWW, "CNAME", "b.example", options=PROXIED)))
    assert [r["proxied"] for r in c.records(WWW)] == [True]


def test_a_mark_is_a_comment_which_comes_changes_and_goes(c):
    for mark in ("heritage=torii,owner=me", "m" * 100, ""):
        c.done(edit(part(WWW, "A", "192.0.2.1", "192.0.2.2", tag=mark)))
        assert {r["comment"] for r in c.records(WWW)} == {mark or None}


def test_tags_that_are_not_ours_stay(c):
    c.peer.put(WWW, "A", "192.0.2.1", tags=["team:dns", "kept"])
    c.list()
    c.done(edit(part(WWW, "A", "192.0.2.9")))
    assert [(r["content"], r["tags"]) for r in c.records(WWW)] == [
        ("192.0.2.9", ["team:dns", "kept"])]


def test_many_hosts_go_in_batches_and_come_back(c):
    hosts = [host(f"h{i}.{ZONE}", "192.0.2.1") for i in range(250)]
    assert len(c.done(*hosts)) == 500
    assert c.peer.count("POST " + "/client/v4" + BATCH) == 3


def test_one_that_is_refused_stops_no_other(c):
    hosts = [host(f"h{i}.{ZONE}", "192.0.2.1") for i in range(6)]
    hosts[3] = edit(part("h.elsewhere.test", "A", "192.0.2.1"))
    answer = c.driver.apply(*hosts)
    assert answer["outcomes"] == 3 * ["done"] + ["refused"] + 2 * ["done"]


def test_what_went_meanwhile_is_lost(c):
    c.done(host(WWW, "192.0.2.1"))
    c.peer.do("remove", zone=ID, name=WWW)
    answer = c.driver.apply(edit(part(WWW, "A", "192.0.2.2")))
    assert answer["outcomes"] == ["lost"], answer


@pytest.mark.parametrize("name", ["_acme-challenge." + WWW,
                                  "_acme-challenge." + ZONE])
def test_challenges_come_and_go(c, name):
    for value, add in (("one", 1), ("two", 1), ("one", 0), ("two", 0)):
        answer = c.driver("challenge", name=name, value=value, add=bool(add))
        assert answer["step"] == "done", answer
    assert c.peer.sets() == {}
    assert c.peer.count("DELETE") == 2


def test_a_wrong_token_is_told_so(c):
    answer = c.drive(cloudflare_api_token="another").list()
    assert (answer["step"], answer["trouble"]) == ("failed", "denied"), answer


def test_too_many_requests_are_told_so(c):
    c.peer.fail(".", "throttle", seconds=100)
    assert c.driver.list()["trouble"] == "throttled"


def test_the_document_has_the_calls_of_the_driver_and_no_other(guilty):
    guilty.driver("zones")
    guilty.drive(zones=ID)("zones")
    guilty.done(host(WWW, "192.0.2.1"))
    for add in (True, False):
        guilty.driver("challenge", name=WWW, value="one", add=add)
    assert guilty.verdict() == guilty.judge.calls


# The judge can tell right from wrong: of all that there is to be judged, one
# of each that is.  A schema that it cannot make out would let all pass.

A = {"type": "A", "name": WWW, "content": "192.0.2.1", "ttl": 300}
TXT = {**A, "type": "TXT", "content": '"text"'}


def but(what, **fields):
    """The same with some fields else, or without those that are None."""
    return {name: value for name, value in {**what, **fields}.items()
            if value is not None}


REQUESTS = {
    "path": ("GET", "/accounts", None, 404, "hasn't been found"),
    "method": ("PUT", RECORDS, A, 405, "no method matched"),
    "zones a page": ("GET", "/zones?per_page=51", None, 422, "<= 50"),
    "zones, which page": ("GET", "/zones?page=0", None, 422, ">= 1"),
    "id of a zone": ("GET", "/zones/1", None, 422, "pattern"),
    "id of its records": ("GET", "/zones/../dns_records", None, 404, "route"),
    "records a page": ("GET", RECORDS + "?per_page=5001", None, 422, "<= 50"),
    "no number": ("GET", RECORDS + "?per_page=all", None, 422, "integer"),
    "type asked for": ("GET", RECORDS + "?type=ANY", None, 422, "allowed"),
    "name asked for": ("GET", RECORDS + "?name.exact=a..b", None, 422,
                       "pattern"),
    "body of none": ("POST", RECORDS, None, 422, "required"),
    "unknown type": ("POST", RECORDS, but(A, type="SPF"), 422, "allowed"),
    "unknown field": ("POST", RECORDS, but(A, class_="IN"), 422, "'class_'"),
    "no TTL": ("POST", RECORDS, but(A, ttl=None), 422, "'ttl'"),
    "low TTL": ("POST", RECORDS, but(A, ttl=59), 422, ">= 60"),
    "high TTL": ("POST", RECORDS, but(A, ttl=86401), 422, "<= 86400"),
    "TTL is text": ("POST", RECORDS, but(A, ttl="300"), 422, "integer"),
    "not IPv4": ("POST", RECORDS, but(A, content="192.0.2"), 422, "ipv4"),
    "not IPv6": ("POST", RECORDS, but(A, type="AAAA"), 422, "ipv6"),
    "not a host": ("POST", RECORDS, but(A, type="CNAME", content="b..c"),
                   422, "pattern"),
    "not in quotes": ("POST", RECORDS, but(TXT, content="text"), 422,
                      "pattern"),
    "quote in text": ("POST", RECORDS, but(TXT, content='"a"b"'), 422,
                      "pattern"),
    "long text": ("POST", RECORDS, but(TXT, content=f'"{256 * "x"}"'), 422,
                  "pattern"),
    "proxied text": ("POST", RECORDS, but(TXT, proxied=True), 422, "allowed"),
    "name ends in a dot": ("POST", RECORDS, but(A, name=WWW + "."), 422,
                           "pattern"),
    "name in capitals": ("POST", RECORDS, but(A, name=WWW.upper()), 422,
                         "pattern"),
    "name is a word": ("POST", RECORDS, but(A, name="www"), 422, "pattern"),
    "blank in a name": ("POST", RECORDS, but(A, name="a b." + ZONE), 422,
                        "pattern"),
    "long comment": ("POST", RECORDS, but(A, comment="x" * 101), 422, "100"),
    "tag": ("POST", RECORDS, but(A, tags=["a b"]), 422, "pattern"),
    "empty batch": ("POST", BATCH, {}, 422, "fewer than 1"),
    "unknown list": ("POST", BATCH, {"post": [A]}, 422, "'post'"),
    "bad post": ("POST", BATCH, {"posts": [but(A, id=ID)]}, 422, "'id'"),
    "bad delete": ("POST", BATCH, {"deletes": [A]}, 422, "'id'"),
    "bad put": ("POST", BATCH, {"puts": [but(A, id=ID, name=None)]}, 422,
                "'name'"),
    "bad patch": ("POST", BATCH, {"patches": [{"id": ID}]}, 422,
                  "fewer than 2"),
    "patch of nobody": ("POST", BATCH, {"patches": [A]}, 422, "'id'"),
    "bad id to delete": ("DELETE", RECORDS + "/x", None, 422, "pattern"),
}


@pytest.mark.parametrize("case", REQUESTS)
def test_a_request_that_is_not_the_api_s_goes_no_further(guilty, case):
    method, path, body, status, text = REQUESTS[case]
    answer = guilty.ask(method, path, body)
    assert answer.status == status, answer
    assert answer.header("Content-Type") == "application/problem+json"
    assert text in answer.text, answer.text
    assert guilty.peer.log() == []
    assert guilty.judge.take()[0]["violations"]


@pytest.mark.parametrize("headers", [
    {"authorization": None}, {"authorization": "Basic eDp5"},
    {"authorization": None, "x_auth_key": "global-key"},
    {"authorization": None, "x_auth_email": "ops@a.example"}])
def test_who_does_not_say_who_he_is_goes_no_further(guilty, headers):
    assert guilty.ask("GET", "/zones", **headers).status == 401
    assert guilty.peer.log() == []


def test_a_body_that_is_no_json_goes_no_further(guilty):
    answer = guilty.ask("POST", RECORDS, A, content_type="text/plain")
    assert answer.status == 422 and "content types" in answer.text
    assert guilty.peer.log() == []


FINE = {"success": True, "errors": [], "messages": []}
INFO = {"page": 1, "per_page": 100, "count": 0, "total_count": 0,
        "total_pages": 0}
LIST = {**FINE, "result": [], "result_info": INFO}
REFUSAL = {"success": False, "errors": [{"code": 1004, "message": "no"}],
           "messages": [], "result": None}

ANSWERS = {
    "no number of zones": ("/zones", but(LIST, result_info=None), 200,
                           "result_info"),
    "a zone of nothing": ("/zones", but(LIST, result=[{}]), 200, "'account'"),
    "one zone of nothing": (f"/zones/{ID}", but(FINE, result={}), 200,
                            "'account'"),
    "no list": (RECORDS, but(LIST, result={}), 200, "array"),
    "a record of nothing": (RECORDS, but(LIST, result=[{}]), 200, "'id'"),
    "no total": (RECORDS, but(LIST, result_info=but(INFO, total_count=None)),
                 200, "'total_count'"),
    "no success": (RECORDS, but(LIST, success=False), 200, "allowed"),
    "success with errors": (RECORDS, but(LIST, errors=REFUSAL["errors"]), 200,
                            "more than 0"),
    "more than there is": (RECORDS, but(LIST, more=1), 200, "'more'"),
    "no status of ours": (RECORDS, LIST, 204, "status code"),
    "refused, with success": (RECORDS, LIST, 400, "allowed"),
    "refused, without a reason": (RECORDS, {**REFUSAL, "errors": []}, 403,
                                  "fewer"),
    "refused by no number": (RECORDS, {**REFUSAL, "errors": [
        {"code": "1004", "message": "no"}]}, 400, "integer"),
    "refused, with a result": (RECORDS, {**REFUSAL, "result": []}, 400,
                               "must be null"),
    "throttled, for how long?": (RECORDS, REFUSAL, 429, "retry-after"),
    "throttled, with success": (RECORDS, LIST, 429, "allowed"),
}

WRITTEN = {
    "made": ("POST", RECORDS, A, but(FINE, result={"id": ID}), "'type'"),
    "gone": ("DELETE", f"{RECORDS}/{ID}", None, but(FINE, result={}), "'id'"),
    "gone, perhaps": ("DELETE", f"{RECORDS}/{ID}", None,
                      {"result": {"id": ID}}, "'success'"),
    "batch": ("POST", BATCH, {"posts": [A]},
              but(FINE, result={"posts": [A]}), "'id'"),
    "batch of something": ("POST", BATCH, {"posts": [A]},
                           but(FINE, result={"made": []}), "'made'"),
}


def found(court, method, path, body, status, answer, text):
    court.peer.fail(".", "status", status=status, body=json.dumps(answer),
                    type="application/json")
    got = court.ask(method, path, body)
    assert got.status == 500, got
    assert text in got.header("sl-violations"), got
    assert court.judge.take()[0]["violations"]
    assert len(court.peer.log()) == 1


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_that_is_not_the_api_s_is_held_back(guilty, case):
    path, answer, status, text = ANSWERS[case]
    found(guilty, "GET", path, None, status, answer, text)


@pytest.mark.parametrize("case", WRITTEN)
def test_an_answer_to_a_change_is_judged_too(guilty, case):
    method, path, body, answer, text = WRITTEN[case]
    found(guilty, method, path, body, 200, answer, text)


def test_html_is_no_answer(guilty):
    guilty.peer.fail(".", "html")
    got = guilty.ask("GET", RECORDS)
    assert got.status == 500 and "media type" in got.header("sl-violations")


def test_a_driver_that_errs_is_found_out(guilty):
    guilty.driver.list()
    answer = guilty.driver.apply(edit(part(WWW, "A", "192.0.2.1", ttl=5)))
    assert answer["outcomes"] == ["refused"], answer
    with pytest.raises(AssertionError, match="ttl"):
        guilty.verdict()


# The driver's life as a gateway leads it; last, for its own time goes on

@pytest.mark.parametrize("registry", ["own", "native", "txt"])
def test_a_gateway_s_hosts_come_and_go(guilty, gateway, echo, registry):
    hosts = {f"a.{ZONE}": {}, f"*.{ZONE}": {},
             f"ttl.{ZONE}": {NOTE + "ttl": "1h"},
             f"proxied.{ZONE}": {NOTE + "cloudflare-proxied": "true"}}

    def there(names):
        nginx.wait_until(
            lambda: names == {name for name, kind in guilty.peer.sets()
                              if kind == "A"},
            lambda: f"{guilty.peer.sets()} {guilty.judge.take()} "
                    f"{gateway.admin_get('/api/dns').text[:2000]}", 20,
            every=0.05)

    gateway.apply("cloudflare", records.secret(
        provider="cloudflare", registry=registry, brake_min="99",
        cloudflare_api_token=guilty.peer.token,
        cloudflare_api_url=guilty.judge.url))
    gateway.apply("stays", manifest.route("stays." + ZONE, echo[0]))
    gateway.apply("goes", *(manifest.route(name, echo[0], annotations=notes)
                            for name, notes in hosts.items()))
    there({"stays." + ZONE, *hosts})
    assert guilty.records("proxied." + ZONE)[0]["proxied"]
    assert guilty.records("ttl." + ZONE)[0]["ttl"] == 3600

    gateway.remove_objects("goes")
    there({"stays." + ZONE})
    gateway.remove_objects("stays")
    gateway.remove_objects("cloudflare")

    judged = guilty.judge.take()
    assert [row for row in judged if row["path"] == BATCH]
    assert not [row for row in judged if row["violations"]]
