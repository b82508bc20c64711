"""
The drivers of Route 53, Google Cloud DNS and Azure DNS, each against a strict
stand-in that fails as it is told.
"""

import time

import pytest

import cloud
from cloud import edit, host, part

ZONE = "a.test"
MARK = "heritage=torii,owner=me"
KEY = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


class Provider:
    """A stand-in, how the driver is set to ask it, and the words it has."""

    def settings(self):
        return {}

    def drive(self, **settings):
        made = cloud.Drive(provider=self.name, txt_owner_id="me",
                           **{**self.settings(), **settings})
        self.drives.append(made)
        return made

    def start(self):
        self.cloud = cloud.Cloud(self.script)
        self.drives = []
        self.cloud.zone(self.id, ZONE)
        self.driver = self.drive()
        self.driver.use(self.id, ZONE)
        return self

    def stop(self):
        self.cloud.stop()
        for drive in self.drives:
            drive.stop()


class Route53(Provider):
    name, script, id = "route53", "route53.js", "Z1"
    sets, write = "GET .*/rrset", "POST .*/rrset/"

    def settings(self):
        return dict(aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                    api_url=self.cloud.url)

    @staticmethod
    def txt(value):
        return f'"{value}"'


class Google(Provider):
    name, script, id = "google", "google_dns.js", "zone-1"
    sets, write = "GET .*/rrsets", "POST .*/changes"

    def settings(self):
        return dict(google_service_account=self.cloud.ask("account")["json"],
                    api_url=self.cloud.url)

    @staticmethod
    def txt(value):
        return f'"{value}"'


class Azure(Provider):
    name, script, id = "azure", "azure_dns.js", ZONE
    sets, write = "GET .*/all", "(PUT|DELETE) .*/A/"

    def settings(self):
        return dict(azure_subscription_id="sub-1", azure_tenant_id="tenant-1",
                    azure_resource_group="group-1",
                    azure_client_id="client-1",
                    azure_client_secret="client-secret",
                    azure_authority_host=self.cloud.url,
                    api_url=self.cloud.url)

    @staticmethod
    def txt(value):
        return value


@pytest.fixture(params=[Route53, Google, Azure], ids=lambda p: p.name)
def p(request):
    provider = request.param().start()
    yield provider
    provider.stop()


def one(cls):
    @pytest.fixture
    def fixture():
        provider = cls().start()
        yield provider
        provider.stop()
    return fixture


route53, google, azure = one(Route53), one(Google), one(Azure)


def fill(p, n=7):
    for i in range(n):
        p.cloud.put(p.id, name=f"h{i}.{ZONE}", type="A", ttl=60,
                    values=[f"192.0.2.{i}"])


def make(p, name="www." + ZONE):
    """A host of ours, listed."""
    assert p.driver.apply(host(name, "192.0.2.1"))["outcomes"] == ["done"]
    assert p.driver.list()["step"] == "done"


# Reading

def test_zones_are_listed_page_by_page(p):
    names = {ZONE} | {f"z{i}.test" for i in range(5)}
    for name in names - {ZONE}:
        p.cloud.zone(name if p.name == "azure" else name.replace(".", ""),
                     name)
    p.cloud.set(page=2)
    assert {z["name"] for z in p.driver("zones")["zones"]} == names


def test_a_zone_is_read_whole_over_several_pages(p):
    fill(p)
    p.cloud.set(page=2)
    answer = p.driver.list()
    assert answer["step"] == "done", answer
    assert answer["map"] == {(f"h{i}.{ZONE}", "A"): [f"192.0.2.{i}"]
                             for i in range(7)}


def test_names_and_texts_of_all_kinds_come_back(p):
    texts = ["plain", 'a "b" c\\d' if p.name != "azure" else "a b c", "x" * 600]
    edits = [edit(part(f"t{i}.{ZONE}", "TXT", text))
             for i, text in enumerate(texts)]
    edits += [edit(part("*." + ZONE, "A", "192.0.2.1")),
              edit(part("v6." + ZONE, "AAAA", "2001:db8::1")),
              edit(part("alias." + ZONE, "CNAME", "b.example")),
              edit(part(ZONE, "A", "192.0.2.2", "192.0.2.3"))]
    assert set(p.driver.apply(*edits)["outcomes"]) == {"done"}
    got = p.driver.list()["map"]
    assert [got[f"t{i}.{ZONE}", "TXT"] for i in range(3)] == [[t] for t in texts]
    assert got["*." + ZONE, "A"] == ["192.0.2.1"]
    assert got["v6." + ZONE, "AAAA"] == ["2001:db8::1"]
    assert got["alias." + ZONE, "CNAME"] == ["b.example"]
    assert sorted(got[ZONE, "A"]) == ["192.0.2.2", "192.0.2.3"]


@pytest.mark.parametrize("kind, trouble", [
    ("html", "answer"), ("truncate", "answer"), ("refuse", "down"),
    ("status", "down")])
def test_a_page_that_fails_is_no_end_of_the_zone(p, kind, trouble):
    fill(p)
    p.cloud.set(page=3)
    p.cloud.fail(p.sets, kind, skip=1, times=0, status=500)
    answer = p.driver.list()
    assert (answer["step"], answer["trouble"]) == ("failed", trouble), answer


@pytest.mark.parametrize("what", ["drop", "last"])
def test_a_zone_with_a_set_too_few_is_not_whole(p, what):
    if p.name == "google":
        return                  # it tells no number of sets
    fill(p)
    p.cloud.set(page=3)
    p.cloud.fail(p.sets, "change", what=what, times=0)
    answer = p.driver.list()
    assert (answer["step"], answer["trouble"]) == ("failed", "answer"), answer
    p.cloud.clear()
    assert p.driver.list()["step"] == "done"


def test_a_probe_tells_whether_there_is_something_new(p):
    p.driver.list()
    assert p.driver("probe")["same"]
    fill(p, 1)
    answer = p.driver("probe")
    assert answer["step"] == "done" and not answer["same"]
    assert answer["requests"] == 1


def test_an_unchanged_zone_of_google_is_not_read_again(google):
    google.driver.list()
    answer = google.driver.list()
    assert answer["same"] and answer["requests"] == 1


# Writing

def test_a_host_comes_changes_and_goes(p):
    make(p)
    name = "www." + ZONE
    marks = ("_dnssync." + name, "TXT")
    answer = p.driver.apply(edit(part(name, "A", "192.0.2.9"), keep=[marks]))
    assert answer["outcomes"] == ["done"], answer
    assert p.cloud.dump(p.id)[name, "A"] == ["192.0.2.9"]
    p.driver.list()
    answer = p.driver.apply(edit(part(name, "A"), part(*marks)))
    assert answer["outcomes"] == ["done"]
    assert p.cloud.dump(p.id) == {}


def test_addresses_become_an_alias(p):
    make(p)
    name = "www." + ZONE
    answer = p.driver.apply(edit(part(name, "A"),
                                 part(name, "CNAME", "b.example")))
    assert answer["outcomes"] == ["done"], answer
    assert (name, "A") not in p.cloud.dump(p.id)


@pytest.mark.parametrize("foreign", [
    dict(type="A", values=["198.51.100.1"]),
    dict(type="AAAA", values=["2001:db8::1"]),
    dict(type="CNAME", values=["other.example."])])
def test_what_came_to_be_meanwhile_is_not_touched(p, foreign):
    name = "www." + ZONE
    p.driver.list()
    p.cloud.put(p.id, name=name, ttl=60, **foreign)
    before = p.cloud.dump(p.id)
    answer = p.driver.apply(host(name, "192.0.2.1"), host("x." + ZONE,
                                                          "192.0.2.2"))
    assert answer["outcomes"][1] == "done"
    assert answer["outcomes"][0] in ("lost", "refused", "unsure"), answer
    after = p.cloud.dump(p.id)
    assert all(after[key] == value for key, value in before.items())
    assert (name, "A") not in after or foreign["type"] == "A"


@pytest.mark.parametrize("change", ["values", "ttl", "gone"])
def test_a_change_of_what_is_another_by_now_is_lost(p, change):
    make(p)
    name = "www." + ZONE
    record = dict(name=name, type="A", ttl=60, values=["192.0.2.1"])
    if change == "gone":
        p.cloud.remove(p.id, **record)
    else:
        p.cloud.put(p.id, **{**record, change: 77 if change == "ttl"
                             else ["198.51.100.1"]})
    before = p.cloud.dump(p.id)
    for edited in (edit(part(name, "A", "192.0.2.9")), edit(part(name, "A"))):
        answer = p.driver.apply(edited)
        assert answer["outcomes"] == ["lost"], answer
    assert p.cloud.dump(p.id) == before


def test_an_owner_who_changed_meanwhile_is_respected(p):
    make(p)
    name = "www." + ZONE
    p.cloud.put(p.id, name="_dnssync." + name, type="TXT", ttl=60,
                values=[p.txt("heritage=torii,owner=other")])
    answer = p.driver.apply(edit(part(name, "A", "192.0.2.9"),
                                 keep=[("_dnssync." + name, "TXT")]))
    assert answer["outcomes"] == ["lost"], answer
    assert p.cloud.dump(p.id)[name, "A"] == ["192.0.2.1"]


def test_one_that_is_refused_does_not_stop_the_others(p):
    names = [f"h{i}.{ZONE}" for i in range(9)]
    edits = [host(name, "192.0.2.1") for name in names]
    edits[5] = edit(part(names[5], "CNAME", "refuse-me.example"))
    answer = p.driver.apply(*edits)
    assert answer["outcomes"] == 5 * ["done"] + ["refused"] + 3 * ["done"]
    assert answer["results"][5]["text"]


def test_a_lost_answer_makes_a_change_unsure_and_the_next_run_finds_out(p):
    p.cloud.fail(p.write, "cut")
    edits = [host("www." + ZONE, "192.0.2.1")]
    answer = p.driver.apply(*edits)
    assert (answer["step"], answer["trouble"]) == ("failed", "down")
    assert answer["outcomes"] == ["unsure"]
    assert p.driver.list()["map"]["www." + ZONE, "A"] == ["192.0.2.1"]


def test_a_change_that_libcurl_sends_twice_is_not_told_to_be_done(p):
    p.cloud.fail(p.write, "vanish")
    answer = p.driver.apply(host("www." + ZONE, "192.0.2.1"))
    assert answer["outcomes"][0] in ("lost", "unsure"), answer
    assert p.driver.list()["map"]["www." + ZONE, "A"] == ["192.0.2.1"]


def test_what_was_not_sent_comes_later(p):
    p.cloud.fail(p.write, "status", status=403, times=0)
    answer = p.driver.apply(*(edit(part(f"h{i}.{ZONE}", "A", "192.0.2.1"))
                              for i in range(3)))
    assert answer["trouble"] == "denied"
    assert answer["outcomes"] == 3 * ["later"]


def test_too_many_requests_are_waited_for(p):
    p.cloud.fail(f"{p.sets}|{p.write}", "throttle", times=3)
    assert p.driver.list()["slept"] > 0
    answer = p.driver.apply(host("www." + ZONE, "192.0.2.1"))
    assert answer["outcomes"] == ["done"]


def test_too_many_requests_are_not_waited_for_for_ever(p):
    p.cloud.fail(p.sets, "throttle", times=0)
    answer = p.driver.list()
    assert (answer["step"], answer["trouble"]) == ("failed", "throttled")
    assert answer["slept"] < 120000


def test_many_hosts_go_in_few_requests(p):
    if p.name == "azure":
        return                  # one request for each set
    n = 1000
    answer = p.driver.apply(*(host(f"h{i}.{ZONE}", "192.0.2.1", "192.0.2.2",
                                   mark=MARK + ",types=A,resource="
                                   f"ingress/default/h{i}")
                              for i in range(n)))
    assert answer["outcomes"] == n * ["done"], answer["error"]
    assert answer["requests"] <= 12
    assert len(p.cloud.dump(p.id)) == 2 * n


# Challenges

def test_values_of_a_challenge_come_and_go_beside_others(p):
    name = "_acme-challenge." + ZONE
    p.cloud.put(p.id, name=name, type="TXT", ttl=60, values=[p.txt("other")])

    for value, add, left in (("one", True, ["other", "one"]),
                             ("two", True, ["other", "one", "two"]),
                             ("two", True, ["other", "one", "two"]),
                             ("one", False, ["other", "two"]),
                             ("one", False, ["other", "two"])):
        answer = p.driver("challenge", name=name, value=value, add=add)
        assert answer["step"] == "done", answer
        assert sorted(p.cloud.dump(p.id)[name, "TXT"]) == sorted(
            map(p.txt, left))

    p.cloud.remove(p.id, name=name, type="TXT")
    assert p.driver("challenge", name=name, value="x", add=False)["step"] \
        == "done"
    p.driver("challenge", name=name, value="x", add=True)
    p.driver("challenge", name=name, value="x", add=False)
    assert p.cloud.dump(p.id) == {}


# Credentials

def test_wrong_credentials_are_told_without_them(p):
    wrong = {"route53": {"aws_secret_access_key": "not-this-very-secret"},
             "google": {"google_token_url": p.cloud.url + "/computeMetadata"},
             "azure": {"azure_client_secret": "not-this-very-secret"}}
    answer = p.drive(**wrong[p.name])("zones")
    assert answer["trouble"] in ("denied", "setting"), answer
    assert answer["error"] and "not-this-very-secret" not in answer["error"]


def test_a_token_that_is_revoked_is_renewed(p):
    if p.name == "route53":
        return
    assert p.driver.list()["step"] == "done"
    p.cloud.ask("revoke")
    assert p.driver.list(fresh=True)["step"] == "done"


@pytest.mark.parametrize("way", ["web", "container", "machine"])
def test_credentials_of_route53_come_from(route53, way):
    url = route53.cloud.url
    more = {"web": dict(aws_role_arn="arn:aws:iam::1:role/x", aws_sts_url=url,
                        aws_web_identity_token="web-token"),
            "container": dict(
                aws_container_credentials_full_uri=url + "/container",
                aws_container_authorization_token="container-token"),
            "machine": dict(aws_metadata_url=url)}[way]
    drive = route53.drive(aws_access_key_id="", aws_secret_access_key="",
                          **more)
    drive.use("Z1", ZONE)
    assert drive.list()["step"] == "done"
    assert drive.list()["step"] == "done"
    log = route53.cloud.log()
    assert {e["status"] for e in log} == {200}
    assert sum("rrset" not in e["url"] and "2013-04-01" not in e["url"]
               for e in log) == {"web": 1, "container": 1, "machine": 3}[way]


def test_temporary_credentials_that_are_over_are_renewed(route53):
    route53.cloud.set(life=1)
    drive = route53.drive(aws_access_key_id="", aws_secret_access_key="",
                          aws_metadata_url=route53.cloud.url)
    assert drive("zones")["step"] == "done"
    time.sleep(1.1)
    assert drive("zones")["step"] == "done"


def test_a_clock_that_is_wrong_is_told(route53):
    route53.cloud.set(skew=-3600)
    answer = route53.driver("zones")
    assert answer["trouble"] == "denied" and "clock" in answer["error"]


def test_google_takes_the_machines_account(google):
    drive = google.drive(google_service_account="",
                         google_metadata_url=google.cloud.url)
    assert [z["name"] for z in drive("zones")["zones"]] == [ZONE]


def test_azure_takes_the_token_of_a_workload(azure):
    drive = azure.drive(azure_client_secret="",
                        azure_federated_token="federated")
    assert [z["name"] for z in drive("zones")["zones"]] == [ZONE]


def test_azure_takes_the_machines_identity(azure):
    drive = azure.drive(azure_client_secret="", azure_client_id="",
                        azure_metadata_url=azure.cloud.url)
    assert [z["name"] for z in drive("zones")["zones"]] == [ZONE]


def test_azure_takes_the_file_that_external_dns_has(azure):
    drive = cloud.Drive(provider="azure", txt_owner_id="me",
                        api_url=azure.cloud.url,
                        azure_authority_host=azure.cloud.url,
                        azure_config='{"tenantId":"tenant-1",'
                        '"subscriptionId":"sub-1","resourceGroup":"group-1",'
                        '"aadClientId":"client-1",'
                        '"aadClientSecret":"client-secret"}')
    assert drive("zones")["step"] == "done"
    drive.stop()


# What only one of them has

def test_route53_keeps_sets_that_it_cannot_write(route53):
    route53.cloud.put("Z1", name="lb." + ZONE, type="A",
                      alias=dict(zone="Z9", name="lb.aws.", health=True))
    route53.cloud.put("Z1", name="w." + ZONE, type="A", ttl=60, set="eu",
                      weight=10, values=["192.0.2.1"])
    route53.cloud.put("Z1", name="geo." + ZONE, type="A", ttl=60, geo=True,
                      values=["192.0.2.1"])
    sets = {s["name"]: s for s in route53.driver.list()["sets"]}
    assert sets["lb." + ZONE]["options"] == {
        "alias": "true", "aws/target-hosted-zone": "Z9",
        "aws/evaluate-target-health": "true"}
    assert sets["lb." + ZONE]["values"] == ["lb.aws"]
    assert sets["w." + ZONE]["set"] == "eu"
    assert sets["w." + ZONE]["options"] == {"aws/weight": "10"}
    answer = route53.driver.apply(edit(part("geo." + ZONE, "A")))
    assert answer["outcomes"] == ["refused"]
    answer = route53.driver.apply(edit(part("lb." + ZONE, "A", "192.0.2.1")))
    assert answer["outcomes"] == ["done"]


def test_an_alias_of_route53_is_written_and_read_back(route53):
    options = {"alias": "true", "aws/target-hosted-zone": "Z9",
               "aws/evaluate-target-health": "true"}
    for name, more in (("x." + ZONE, {}),
                       ("y." + ZONE, {"aws/target-hosted-zone": ""})):
        wanted = {k: v for k, v in {**options, **more}.items() if v}
        answer = route53.driver.apply(edit(part(
            name, "A", "gw." + ZONE, options=wanted)))
        assert answer["outcomes"] == ["done"], answer
        sets = {s["name"]: s for s in route53.driver.list()["sets"]}
        assert sets[name]["options"] == wanted
    alias = [s["alias"]["zone"] for s in route53.cloud.sets("Z1")
             if "alias" in s]
    assert alias == ["Z9", "Z1"]


@pytest.mark.parametrize("cls", [Route53, Google], ids=lambda p: p.name)
def test_values_are_deleted_as_they_were_written(cls):
    p = cls().start()
    name = "t." + ZONE
    p.cloud.put(p.id, name=name, type="TXT", ttl=60,
                values=['"cut in" " two"', '"ours"'])
    assert p.driver.list()["map"][name, "TXT"] == ["cut in two", "ours"]
    answer = p.driver.apply(edit(part(name, "TXT", "cut in two", "new")))
    assert answer["outcomes"] == ["done"], answer
    assert p.cloud.dump(p.id)[name, "TXT"] == ['"cut in" " two"', '"new"']
    p.stop()


def test_a_prior_request_of_route53_is_waited_for(route53):
    route53.cloud.set(busy=2)
    answer = route53.driver.apply(host("www." + ZONE, "192.0.2.1"))
    assert answer["outcomes"] == ["done"] and answer["slept"] > 0


def test_near_hosts_are_looked_up_in_one_page(route53):
    fill(route53, 50)
    route53.driver.list()
    before = len(route53.cloud.log())
    route53.driver.apply(*(host(f"n{i}.{ZONE}", "192.0.2.1")
                           for i in range(30)))
    assert len(route53.cloud.log()) - before == 2


def test_half_an_edit_at_azure_is_told_and_owned(azure):
    azure.cloud.fail("PUT .*/A/", "status", status=500)
    answer = azure.driver.apply(host("www." + ZONE, "192.0.2.1"))
    assert answer["outcomes"] == ["unsure"]
    assert azure.cloud.dump(ZONE) == {
        ("_dnssync.www." + ZONE, "TXT"): [MARK]}


def test_marks_at_azure_go_last(azure):
    make(azure)
    azure.cloud.fail("DELETE .*/A/", "status", status=500)
    azure.driver.apply(edit(part("_dnssync.www." + ZONE, "TXT"),
                            part("www." + ZONE, "A")))
    assert ("_dnssync.www." + ZONE, "TXT") in azure.cloud.dump(ZONE)


def test_owners_at_azure_are_told_by_metadata(azure):
    azure.driver.apply(edit(part("www." + ZONE, "A", "192.0.2.1", tag=MARK,
                                 options={"azure/tags": "a=b,c=d"})))
    assert azure.cloud.sets(ZONE)[-1]["metadata"] == {"torii": MARK, "a": "b",
                                                      "c": "d"}
    found = azure.driver.list()["sets"][-1]
    assert found["tag"] == MARK
    assert found["options"] == {"azure/tags": "a=b,c=d"}


def test_a_token_of_azure_goes_nowhere_else(azure):
    other = cloud.Cloud("azure_dns.js")
    for link in (other.url + "/x", azure.cloud.url + ".evil.test/x"):
        azure.cloud.fail(azure.sets, "change", what="link", link=link)
        assert azure.driver.list()["trouble"] == "answer"
    assert other.log() == []
    other.stop()


def test_private_zones_of_azure_are_written_their_own_way(azure):
    azure.cloud.set(private=True)
    drive = azure.drive(azure_private_zones="true")
    assert drive("zones")["zones"][0]["private"]
    drive.use(ZONE, ZONE)
    for parts in ([part("www." + ZONE, "A", "192.0.2.1"),
                   part("www." + ZONE, "AAAA", "2001:db8::1")],
                  [part("c." + ZONE, "CNAME", "b.example")],
                  [part("t." + ZONE, "TXT", "x")]):
        assert drive.apply(edit(*parts))["outcomes"] == ["done"]
    assert drive.list()["map"]["www." + ZONE, "AAAA"] == ["2001:db8::1"]
