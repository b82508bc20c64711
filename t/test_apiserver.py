"""
The stand-in for the Kubernetes API server, held against what a real one
answered (peers/fixtures/), and its faults.
"""

import base64
import json
import pathlib
import ssl
import time

import pytest

import client
import cluster
import manifest

FIXTURES = pathlib.Path(__file__).parent / "peers/fixtures"
INGRESSES = "/apis/networking.k8s.io/v1/ingresses"
DEMO = "/apis/networking.k8s.io/v1/namespaces/demo/ingresses"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/demo/leases"
JSON = "application/json"
MERGE = "application/merge-patch+json"
PARTIAL = "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"
STREAM = ("?watch=1&sendInitialEvents=true&allowWatchBookmarks=true"
          "&resourceVersionMatch=NotOlderThan&timeoutSeconds=")

# what differs from one run of a server to the next
VARIES = {"uid", "resourceVersion", "creationTimestamp", "time", "continue",
          "manager", "clusterIP", "clusterIPs", "nodePort", "name", "message"}


@pytest.fixture
def api():
    made = cluster.ApiServer(bookmarks=0, tokens={
        "torii-token": "torii", "admin-token": "admin",
        "nobody-token": "nobody"})
    made.apply(namespaced(manifest.ingress(
        name, manifest.rule(f"{name}.example",
                            manifest.path("/", "web", "http")),
        class_name="nginx", proxy_body_size="32m",
        tls=[("web-tls", [f"{name}.example"])])
        for name in ("three", "two", "web")))
    yield made
    made.stop()


def namespaced(docs):
    return [dict(doc, metadata=dict(doc["metadata"], namespace="demo"))
            for doc in docs]


def connect(api, h2=False, cert=None, **how):
    context = client.tls_context(ca=api.authority.pem, cert=cert,
                                 alpn=("h2",) if h2 else ())
    sock = client.connect(api.port, True, "kubernetes.default.svc",
                          context=context, **how)
    return (client.Http2 if h2 else client.Http1)(sock)


def ask(api, target, method="GET", body=None, token="admin-token", h2=False,
        cert=None, type=JSON, **headers):
    """One request; gives a client.Answer."""
    if token:
        headers["authorization"] = f"Bearer {token}"
    if body is not None:
        headers["content_type"] = type
        body = body if isinstance(body, bytes) else json.dumps(body).encode()

    with connect(api, h2, cert) as c:
        return c.request(method, target, "api", body=body, **headers)


def refused(answer):
    """Code, reason and message of a refusal."""
    status = answer.json()
    assert status["kind"] == "Status" and status["code"] == answer.status
    return status["code"], status["reason"], status["message"]


def lines(answer):
    return [json.loads(line) for line in answer.text.splitlines() if line]


def events(answer):
    return [(e["type"], e["object"]["metadata"].get("name"))
            for e in lines(answer)]


def fixture(name):
    return json.loads((FIXTURES / f"{name}.json").read_text())


def shape(value, key=None):
    """A value without what varies: its members in order, and their types."""
    if key in VARIES:
        return "*"
    if isinstance(value, dict):
        return {k: shape(v, k) for k, v in value.items()
                if k not in ("managedFields", "annotations")}
    if isinstance(value, list):
        return [shape(v) for v in value]
    return value


def same(found, name):
    wanted = fixture(name)
    assert shape(found) == shape(wanted)
    assert list(found) == list(wanted)


# As the real one

LEASE = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
         "metadata": {"name": "torii-leader", "namespace": "demo"},
         "spec": {"holderIdentity": "a", "leaseDurationSeconds": 15,
                  "acquireTime": "2026-11-22T15:00:00.000000Z",
                  "renewTime": "2026-11-22T15:00:00.000000Z",
                  "leaseTransitions": 0}}
EVENT = {"apiVersion": "events.k8s.io/v1", "kind": "Event",
         "metadata": {"generateName": "web.", "namespace": "demo"},
         "eventTime": "2026-11-22T15:00:00.000000Z",
         "reportingController": "torii", "reportingInstance": "torii-0",
         "action": "Compile", "reason": "BadAnnotation", "type": "Warning",
         "note": "proxy-body-size \"15r\" is not a size",
         "regarding": {"apiVersion": "networking.k8s.io/v1",
                       "kind": "Ingress", "name": "web", "namespace": "demo"}}
BAD = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
       "metadata": {"name": "bad"}, "spec": {"rules": [{
           "host": "A_B", "http": {"paths": [{
               "path": "x", "pathType": "Prefix", "backend": {"service": {
                   "name": "web", "port": {"number": 80}}}}]}}]}}
BAD_TLS = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
           "metadata": {"name": "bad-tls"}, "data": {"tls.crt": "eA=="}}
STATUS = {"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}}


def test_list(api):
    same(ask(api, INGRESSES).json(), "ingress-list")


def test_list_by_pages(api):
    first = ask(api, INGRESSES + "?limit=2").json()
    api.remove(api.get("ingresses", "web", "demo"))
    second = ask(api, INGRESSES + "?limit=2&continue="
                 + first["metadata"]["continue"]).json()

    same(first, "ingress-list-page1")
    same(second, "ingress-list-page2")
    names = [i["metadata"]["name"] for i in first["items"] + second["items"]]
    assert names == ["three", "two", "web"]
    assert (first["metadata"]["resourceVersion"]
            == second["metadata"]["resourceVersion"])


def test_refusals_in_the_words_of_the_real_one(api):
    found = {
        "ingress-list-bad-continue": ask(
            api, INGRESSES + "?limit=2&continue=garbage"),
        "list-forbidden": ask(api, INGRESSES, token="nobody-token"),
        "list-unauthorized": ask(api, INGRESSES, token="wrong"),
        "ingress-invalid": ask(api, DEMO, "POST", BAD),
        "secret-create": ask(api, "/api/v1/namespaces/demo/secrets", "POST",
                             BAD_TLS),
    }
    for name, answer in found.items():
        assert answer.json() == fixture(name)
        assert answer.status == fixture(name)["code"]


def test_kind_that_is_not_there(api):
    answer = ask(api, "/apis/cert-manager.io/v1/clusterissuers")
    assert (answer.status, answer.text) == (404, "404 page not found\n")
    assert answer.header("Content-Type").startswith("text/plain")


@pytest.mark.parametrize("path, name", [
    ("/version", "version"),
    ("/apis/networking.k8s.io/v1", "discovery-networking")])
def test_discovery(api, path, name):
    found, wanted = ask(api, path).json(), fixture(name)
    known = {r["name"] for r in found.get("resources", [])}
    if known:
        wanted["resources"] = [r for r in wanted["resources"]
                               if r["name"] in known]
    assert found == wanted


def test_lease(api):
    created = ask(api, LEASES, "POST", LEASE)
    assert created.status == 201
    same(created.json(), "lease-create")
    assert (created.json()["metadata"]["managedFields"][0]["fieldsV1"]
            == fixture("lease-create")["metadata"]["managedFields"][0]
            ["fieldsV1"])

    again = ask(api, LEASES, "POST", LEASE)
    assert (again.status, again.json()) == (409, fixture("lease-create-again"))

    renewed = json.loads(json.dumps(LEASE))
    renewed["metadata"]["resourceVersion"] = (
        created.json()["metadata"]["resourceVersion"])
    renewed["spec"]["renewTime"] = "2026-11-22T15:00:10.000000Z"
    same(ask(api, LEASES + "/torii-leader", "PUT", renewed).json(),
         "lease-update")

    stale = ask(api, LEASES + "/torii-leader", "PUT", renewed)
    assert (stale.status, stale.json()) == (409,
                                            fixture("lease-update-conflict"))


def test_event_with_a_bad_name(api):
    answer = ask(api, "/apis/events.k8s.io/v1/namespaces/demo/events", "POST",
                 EVENT)
    assert answer.status == 422
    same(answer.json(), "event-create")


def test_status_by_merge_patch(api):
    before = api.get("ingresses", "web", "demo")
    answer = ask(api, DEMO + "/web/status", "PATCH", STATUS, type=MERGE,
                 user_agent="torii/1")
    found = answer.json()

    assert found["status"] == fixture("ingress-status-patch")["status"]
    assert found["spec"] == before["spec"]
    assert found["metadata"]["generation"] == 1
    mine = found["metadata"]["managedFields"][-1]
    assert (mine["manager"], mine["subresource"]) == ("torii", "status")
    assert mine["fieldsV1"] == (fixture("ingress-status-patch")["metadata"]
                                ["managedFields"][-1]["fieldsV1"])

    again = ask(api, DEMO + "/web/status", "PATCH", STATUS, type=MERGE,
                user_agent="torii/1").json()
    assert (again["metadata"]["resourceVersion"]
            == found["metadata"]["resourceVersion"])


SECRETS = "/api/v1/namespaces/default/secrets"
APPLY = "?fieldManager={}&force=true"


def applied(api, name, how=APPLY.format("torii"), data=None,
            token="admin-token", **more):
    """Server-side apply of a Secret with these data in base64."""
    meta = {"name": name, **more.pop("metadata", {})}
    return ask(api, f"{SECRETS}/{name}{how}", "PATCH", {
        "apiVersion": "v1", "kind": "Secret", "metadata": meta,
        "data": data or {}, **more}, token,
        type="application/apply-patch+yaml")


def test_apply_makes_changes_and_takes_back_what_it_owns(api):
    first = applied(api, "one", data={"a": "YQ==", "b": "Yg=="},
                    metadata={"labels": {"x": "1"}}, type="demo/one")
    assert first.status == 201

    meta = first.json()["metadata"]
    assert [(m["manager"], m["operation"]) for m in meta["managedFields"]] \
        == [("torii", "Apply")]

    again = applied(api, "one", data={"a": "YQ==", "b": "Yg=="},
                    metadata={"labels": {"x": "1"}}, type="demo/one")
    assert again.status == 200
    assert (again.json()["metadata"]["resourceVersion"]
            == meta["resourceVersion"])

    last = applied(api, "one", data={"a": "eA=="}, type="demo/one").json()
    assert last["data"] == {"a": "eA=="}
    assert not last["metadata"].get("labels")


def test_apply_gives_way_to_others_unless_it_is_forced(api):
    applied(api, "one", APPLY.format("first"), {"a": "YQ==", "c": "Yw=="})
    applied(api, "one", APPLY.format("second"), {"b": "Yg=="})

    code, reason, message = refused(applied(
        api, "one", "?fieldManager=second", {"a": "eA=="}))
    assert (code, reason) == (409, "Conflict")
    assert message == ('Apply failed with 1 conflict: conflict with "first": '
                       '.data.a')

    assert applied(api, "one", APPLY.format("second"), {"a": "eA=="}) \
        .json()["data"] == {"a": "eA==", "c": "Yw=="}
    assert applied(api, "one", APPLY.format("first"), {"c": "Yw=="}) \
        .json()["data"] == {"a": "eA==", "c": "Yw=="}


def test_apply_keeps_to_the_rules(api):
    assert refused(applied(api, "one", ""))[0] == 422
    assert refused(applied(api, "one", type="kubernetes.io/tls"))[0] == 422

    applied(api, "one", type="demo/one")
    assert "field is immutable" in refused(applied(
        api, "one", type="demo/two"))[2]

    api.rbac([{"user": "torii", "apiGroups": [""], "resources": ["secrets"],
               "verbs": ["patch"]}])
    assert applied(api, "one", data={"a": "YQ=="}, type="demo/one",
                   token="torii-token").status == 200
    assert 'cannot create resource "secrets"' in refused(
        applied(api, "two", token="torii-token"))[2]
    api.forgive(SECRETS)


def test_slices_and_services(api):
    api.apply(namespaced([
        dict(manifest.endpoint_slice("lb", [], 1), endpoints=[], ports=[]),
        manifest.service("web", target=8080, port_name="http"),
        manifest.service("ext", external="backend.example.org")]))
    found = ask(api, "/apis/discovery.k8s.io/v1/endpointslices").json()
    assert list(found["items"][0])[:2] == ["metadata", "addressType"]

    services = {s["metadata"]["name"]: s["spec"]
                for s in ask(api, "/api/v1/services").json()["items"]}
    for wanted in fixture("services-list")["items"]:
        if wanted["metadata"]["name"] in services:
            name = wanted["metadata"]["name"]
            assert (set(wanted["spec"]) - {"selector"}
                    == set(services[name])), name


@pytest.mark.parametrize("h2", [False, True], ids=["http1", "h2"])
def test_streaming_list(api, h2):
    answer = ask(api, INGRESSES + STREAM + "1", h2=h2)
    wanted = fixture("ingress-watch-initial-events")

    assert events(answer)[:4] == [
        (e["type"], e["object"]["metadata"].get("name")) for e in wanted]
    same(lines(answer)[3]["object"], "bookmark")
    assert lines(answer)[3]["object"]["metadata"]["annotations"] == (
        wanted[3]["object"]["metadata"]["annotations"])


def test_watch_from_a_list(api):
    version = ask(api, INGRESSES).json()["metadata"]["resourceVersion"]
    four = namespaced([manifest.ingress("four", manifest.rule("four.example"))])
    web = api.get("ingresses", "web", "demo")
    web["metadata"]["annotations"] = {"a": "b"}
    api.apply(web)
    api.apply(four)
    api.remove(four)

    answer = ask(api, INGRESSES + "?watch=1&allowWatchBookmarks=true&"
                 f"resourceVersion={version}&timeoutSeconds=1")

    wanted = [(e["type"], e["object"]["metadata"].get("name"))
              for e in fixture("ingress-watch")]
    assert events(answer) == wanted[:len(events(answer))]
    versions = [int(e["object"]["metadata"]["resourceVersion"])
                for e in lines(answer)]
    assert versions == sorted(versions) and versions[0] > int(version)


def test_metadata_only(api):
    api.apply(manifest.secret("s", {"key": "very secret"}))
    secrets = "/api/v1/secrets"

    listed = ask(api, secrets, accept=PARTIAL.format("List"))
    watched = ask(api, secrets + "?watch=1&timeoutSeconds=1",
                  accept=PARTIAL.format(""))
    assert listed.json()["kind"] == "PartialObjectMetadataList"
    assert lines(watched)[0]["object"]["kind"] == "PartialObjectMetadata"
    hidden = base64.b64encode(b"very secret").decode()
    assert hidden not in listed.text + watched.text

    api.set(partial=False)
    listed = ask(api, secrets, accept=PARTIAL.format("List"))
    assert (listed.json()["kind"], hidden in listed.text) == ("SecretList",
                                                              True)


# Rules

def test_who_may_what(api):
    api.rbac([{"user": "torii", "namespace": "demo", "apiGroups": [""],
               "resources": ["secrets"], "verbs": ["get", "list"],
               "resourceNames": ["one"]}])
    base = "/api/v1/namespaces/demo/secrets"
    one = "?fieldSelector=metadata.name%3Done"
    found = [ask(api, t, token="torii-token").status for t in (
        base + "/one", base + "/two", base + one, base, "/api/v1/secrets",
        "/api/v1/namespaces/default/secrets/one")]
    assert found == [404, 403, 200, 403, 403, 403]
    assert ask(api, base, token=None).status == 403


def test_client_certificate(api):
    pair = api.authority.issue(cn="admin", client=True)
    assert ask(api, INGRESSES, token=None, cert=pair).status == 200


def test_selectors(api):
    api.apply(manifest.secret("a", {}), manifest.secret("b", {}))
    found = ask(api, "/api/v1/secrets?fieldSelector="
                     "metadata.name%3Da%2Cmetadata.namespace%3Ddefault")
    assert [i["metadata"]["name"] for i in found.json()["items"]] == ["a"]

    api.apply(manifest.endpoint_slice("s", ["10.0.0.1"], 1))
    for name, n in (("s", 1), ("t", 0)):
        found = ask(api, "/apis/discovery.k8s.io/v1/endpointslices?"
                         f"labelSelector=kubernetes.io/service-name%3D{name}")
        assert len(found.json()["items"]) == n

    assert ask(api, INGRESSES + "?fieldSelector=spec.x%3D1").status == 400
    api.forgive()


def test_object_that_leaves_a_selector_is_deleted_for_its_watch(api):
    slices = "/apis/discovery.k8s.io/v1/endpointslices"
    version = ask(api, slices).json()["metadata"]["resourceVersion"]
    for service in ("s", "t", "s"):
        api.apply(manifest.endpoint_slice(service, ["10.0.0.1"], 1, name="x"))
    answer = ask(api, f"{slices}?watch=1&resourceVersion={version}"
                      "&labelSelector=kubernetes.io/service-name%3Ds"
                      "&timeoutSeconds=1")
    assert events(answer) == [("ADDED", "x"), ("DELETED", "x"),
                              ("ADDED", "x")]


def test_loopback_endpoints_are_refused(api):
    answer = ask(api, "/apis/discovery.k8s.io/v1/namespaces/demo/"
                 "endpointslices", "POST",
                 namespaced([manifest.endpoint_slice(
                     "s", ["127.0.0.1"], 1)])[0])
    assert answer.status == 422
    assert "loopback" in answer.json()["message"]


def test_default_class_is_filled_in():
    api = cluster.ApiServer(defaultClass="nginx")
    api.apply(manifest.ingress("a", manifest.rule("a.example")),
              manifest.ingress("b", manifest.rule("b.example"),
                               class_name="other"))
    found = [api.get("ingresses", n)["spec"]["ingressClassName"] for n in "ab"]
    api.stop()
    assert found == ["nginx", "other"]


def test_stale_resource_version_of_a_patch(api):
    body = dict(STATUS, metadata={"resourceVersion": "1"})
    answer = ask(api, DEMO + "/web/status", "PATCH", body, type=MERGE)
    assert refused(answer)[:2] == (409, "Conflict")


@pytest.mark.parametrize("target, how, fault", [
    (INGRESSES + "?resourceversion=1", {}, "query parameter"),
    (INGRESSES + "?watch=1", dict(), "timeoutSeconds"),
    (LEASES, dict(method="POST", body=LEASE, type=MERGE), "content type"),
    (LEASES, dict(method="POST", body=b"{"), "no JSON"),
    (LEASES, dict(method="POST", body=EVENT), "in the place of"),
    (LEASES, dict(method="POST", body=dict(LEASE, spec={"holder": "a"})),
     "unknown field"),
    (LEASES, dict(method="POST", body=dict(LEASE, spec={
        "renewTime": "2026-11-22T15:00:00Z"})), "microseconds"),
    (DEMO + "/web/status", dict(method="PATCH", type=MERGE, body={
        "status": {"loadBalancer": {"ingress": {}}}}), "no list"),
])
def test_request_that_no_careful_client_sends_is_a_fault(api, target, how,
                                                         fault):
    api.fault(match={"verb": "watch"}, close=True)
    try:
        ask(api, target, **how)
    except (OSError, ssl.SSLError):
        pass
    with pytest.raises(AssertionError, match=fault):
        api.check()
    api.check()


def test_every_request_is_recorded(api):
    ask(api, DEMO + "/web", h2=True)
    ask(api, DEMO + "/web/status", "PATCH", STATUS, type=MERGE,
        token="torii-token")
    found = [(r["verb"], r["group"], r["resource"], r["namespace"], r["name"],
              r["user"], r["http"], r["status"]) for r in api.asked()]
    assert found == [
        ("get", "networking.k8s.io", "ingresses", "demo", "web", "admin",
         "2.0", 200),
        ("patch", "networking.k8s.io", "ingresses/status", "demo", "web",
         "torii", "1.1", 200)]


# Versions that are gone

def test_410_as_an_event(api):
    version = ask(api, INGRESSES).json()["metadata"]["resourceVersion"]
    api.apply(manifest.ingress("x", manifest.rule("x.example")))
    api.compact()
    answer = ask(api, f"{INGRESSES}?watch=1&resourceVersion={version}"
                      "&timeoutSeconds=5")
    event, = lines(answer)
    assert answer.status == 200 and event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410,
                                                                    "Expired")


def test_410_as_a_status(api):
    version = ask(api, INGRESSES).json()["metadata"]["resourceVersion"]
    api.apply(manifest.ingress("x", manifest.rule("x.example")))
    api.compact()
    api.set(gone="status")
    answer = ask(api, f"{INGRESSES}?watch=1&resourceVersion={version}"
                      "&timeoutSeconds=5")
    assert refused(answer)[:2] == (410, "Expired")


def test_410_to_a_continue_token(api):
    page = ask(api, INGRESSES + "?limit=1").json()
    api.compact()
    target = INGRESSES + "?limit=5&continue="
    answer = ask(api, target + page["metadata"]["continue"])
    assert refused(answer)[:2] == (410, "Expired")
    rest = ask(api, target + answer.json()["metadata"]["continue"])
    assert [i["metadata"]["name"] for i in rest.json()["items"]] == ["two",
                                                                     "web"]


def test_version_of_the_future(api):
    code, reason, _ = refused(ask(
        api, INGRESSES + "?resourceVersion=999999"))
    assert (code, reason) == (504, "Timeout")


def test_server_without_streaming_lists(api):
    api.set(streaming="refused")
    assert refused(ask(api, INGRESSES + STREAM + "1"))[:2] == (422, "Invalid")
    api.set(streaming="ignored")
    found = events(ask(api, INGRESSES + STREAM + "1"))
    assert found[-1] == ("BOOKMARK", None)
    assert "annotations" not in str(found)


# Faults

def test_too_many_requests(api):
    api.fault(times=1, status=429, retryAfter=3, match={"verb": "list"})
    answer = ask(api, INGRESSES)
    assert (answer.status, answer.header("Retry-After")) == (429, "3")
    assert ask(api, INGRESSES).status == 200


@pytest.mark.parametrize("what, status, text", [
    (dict(status=500), 500, "InternalError"),
    (dict(status=503), 503, "ServiceUnavailable"),
    (dict(html=True), 200, "<html>"),
    (dict(status=200, text="{"), 200, "{"),
])
def test_answers_of_a_sick_server(api, what, status, text):
    api.fault(**what)
    answer = ask(api, INGRESSES)
    assert answer.status == status and text in answer.text
    api.heal()
    assert "IngressList" in ask(api, INGRESSES).text


@pytest.mark.parametrize("h2", [False, True], ids=["http1", "h2"])
def test_body_that_is_cut(api, h2):
    api.fault(cut=700)
    with pytest.raises((OSError, client.http.client.IncompleteRead,
                        client.Http2Reset)):
        ask(api, INGRESSES, h2=h2)


def test_connection_that_ends_or_hangs(api):
    api.fault(times=1, close=True)
    with pytest.raises((OSError, client.http.client.HTTPException)):
        ask(api, INGRESSES)

    api.fault(times=1, hang=True)
    with connect(api, timeout=0.3) as c, pytest.raises(TimeoutError):
        c.get(INGRESSES, authorization="Bearer admin-token")


def test_slow_body(api):
    api.fault(slow={"bytes": 1000, "every": 50})
    begin = time.monotonic()
    assert len(ask(api, INGRESSES).json()["items"]) == 3
    assert time.monotonic() - begin > 0.1


class Watching:
    """A watch that is read by hand."""

    def __init__(self, api, target):
        self.api = api
        self.c = connect(api)
        self.c.sock.sendall(
            f"GET {target} HTTP/1.1\r\nHost: api\r\n"
            "Authorization: Bearer admin-token\r\n\r\n".encode())
        cluster.nginx.wait_until(lambda: api.live(), "the watch")

    def rest(self):
        data = client.read_all(self.c.sock, 0.5)
        self.c.close()
        return data


WATCH = INGRESSES + "?watch=1&timeoutSeconds=100&allowWatchBookmarks=true"


def test_watch_cut_in_the_middle_of_a_byte(api):
    web = api.get("ingresses", "three", "demo")
    web["metadata"]["annotations"]["a"] = "größer"
    api.apply(web)
    watching = Watching(api, WATCH)
    api.cut(how="middle")
    data = watching.rest()
    assert not data.endswith(b"0\r\n\r\n")
    last = data.rstrip(b"\r\n")
    assert last.endswith(b"gr\xc3")
    cluster.nginx.wait_until(lambda: not api.live(), "its end")


def test_watch_that_ends_freezes_or_says_nonsense(api):
    watching = Watching(api, WATCH)
    api.inject(text="nonsense\n")
    api.bookmark()
    api.end()
    data = watching.rest()
    assert b"nonsense\n" in data and b"BOOKMARK" in data
    assert data.endswith(b"0\r\n\r\n")

    watching = Watching(api, WATCH)
    api.freeze()
    api.apply(manifest.ingress("late", manifest.rule("late.example")))
    assert b"late" not in watching.rest()


def test_bookmarks_come_by_themselves(api):
    api.set(bookmarks=50)
    watching = Watching(api, WATCH)
    time.sleep(0.3)
    api.end()
    assert watching.rest().count(b"BOOKMARK") > 2


def test_server_gone_and_back(api):
    watching = Watching(api, WATCH)
    api.down()
    assert watching.rest().endswith(b"}\n\r\n")
    with pytest.raises(ConnectionRefusedError):
        ask(api, INGRESSES)
    api.up()
    assert ask(api, INGRESSES).status == 200


def test_certificate_that_expired(api):
    old = api.authority.issue("kubernetes.default.svc", days=-1)
    api.certificate(cert=old.chain, key=old.key, ca=api.authority.pem)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        ask(api, INGRESSES)


def test_token_that_is_revoked(api):
    api.tokens(tokens={"new-token": "admin"})
    assert ask(api, INGRESSES).status == 401
    assert ask(api, INGRESSES, token="new-token").status == 200


def test_30000_objects_are_served_quickly(api):
    api.apply([manifest.endpoint_slice(
        f"s{i}", [f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}"], 80)
        for i in range(30000)])
    begin = time.monotonic()
    answer = ask(api, "/apis/discovery.k8s.io/v1/endpointslices" + STREAM
                 + "1")
    assert time.monotonic() - begin < 20
    assert answer.text.count("\n") >= 30001
