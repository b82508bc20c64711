"""
The admission webhook: reviews as an API server sends them, answered from the
table in force, and everything else refused with the status that it deserves.
"""

import json
import os
import signal
import time

import pytest

import nginx
from manifest import ingress, path, rule


GATEWAY = dict(http="""
    server {
        listen 127.0.0.1:@hook@;
        client_max_body_size 1k;
        client_body_buffer_size 1k;
        torii_webhook on;
        location /off { torii_webhook off; return 204; }
        location = /files { torii_webhook on; }
    }""", manifests={"web": [
        ingress("web", rule("a.example", path("/app"),
                            path("/exact", type="Exact")),
                namespace="team-a"),
        ingress("stage", rule("c.example", path("/")), namespace="team-a",
                canary="true", canary_weight="10")]})

MAX = 9 * 1024 * 1024


def review(docs, uid="705ab4f5-6393-11e8-b7cc-42010a800002", **request):
    """An AdmissionReview of an Ingress, as the API server writes it."""
    meta = docs["metadata"]
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
            "request": {
                "uid": uid,
                "kind": {"group": "networking.k8s.io", "version": "v1",
                         "kind": "Ingress"},
                "resource": {"group": "networking.k8s.io", "version": "v1",
                             "resource": "ingresses"},
                "name": meta["name"], "namespace": meta["namespace"],
                "operation": "CREATE", "userInfo": {"username": "admin"},
                "object": docs, "oldObject": None, "dryRun": False,
                "options": None, **request}}


def send(gateway, body, target="/", method="POST", type="application/json",
         **how):
    if isinstance(body, dict):
        body = json.dumps(body).encode()

    headers = [("Content-Type", type)] if type else []
    return gateway.request(method, target, host="torii.svc", body=body,
                           headers=headers, port=gateway.hook, **how)


def ask(gateway, docs, **request):
    """The answer's response: allowed, warnings, status."""
    answer = send(gateway, review(docs, **request))
    assert answer.status == 200
    assert answer.header("Content-Type") == "application/json"

    out = answer.json()
    assert out["kind"] == "AdmissionReview"
    assert out["apiVersion"] == "admission.k8s.io/v1"
    assert out["response"]["uid"] == "705ab4f5-6393-11e8-b7cc-42010a800002"
    return out["response"]


def test_new_ingress_is_allowed_without_a_word(gateway):
    assert ask(gateway, ingress("new", rule("n.example", path("/")),
                                namespace="team-b")) == {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "allowed": True}


@pytest.mark.parametrize("host, text, type", [
    ("a.example", "/app", "Prefix"), ("A.EXAMPLE", "/app/", "Prefix"),
    ("a.example", "/app", "ImplementationSpecific"),
    ("a.example", "/exact", "Exact")])
def test_path_of_another_ingress_is_refused(gateway, host, text, type):
    answer = ask(gateway, ingress("new", rule(host, path(text, type=type)),
                                  namespace="team-b"))

    assert not answer["allowed"]
    assert answer["status"]["code"] == 400
    assert "is served by Ingress team-a/web" in answer["status"]["message"]


@pytest.mark.parametrize("host, text, type", [
    ("a.example", "/app", "Exact"), ("a.example", "/exact", "Prefix"),
    ("a.example", "/app/deeper", "Prefix"), ("b.example", "/app", "Prefix"),
    ("c.example", "/", "Prefix")])
def test_other_host_path_or_type_is_no_collision(gateway, host, text, type):
    assert ask(gateway, ingress("new", rule(host, path(text, type=type)),
                                namespace="team-b"))["allowed"]


def test_update_of_its_own_paths_is_allowed(gateway):
    answer = ask(gateway, ingress("web", rule("a.example", path("/app")),
                                  namespace="team-a"), operation="UPDATE")
    assert answer["allowed"] and "warnings" not in answer


def test_canary_may_share_a_path(gateway):
    assert ask(gateway, ingress("new", rule("a.example", path("/app")),
                                namespace="team-b", canary="true"))["allowed"]


def test_answers_follow_the_table(gateway):
    docs = ingress("late", rule("late.example", path("/")), namespace="team-c")
    new = ingress("new", rule("late.example", path("/")), namespace="team-b")

    assert ask(gateway, new)["allowed"]
    gateway.apply("late", docs)
    assert not ask(gateway, new)["allowed"]
    gateway.remove_objects("late")
    assert ask(gateway, new)["allowed"]


@pytest.mark.parametrize("name, value, says", [
    ("whitelist_source_range", "10.0.0.0/33", "whitelist-source-range"),
    ("auth_tls_secret", "team-b/ca", "is not enforced")])
def test_annotation_that_would_deny_the_route_is_refused(gateway, name, value,
                                                         says):
    answer = ask(gateway, ingress("new", rule("n.example", path("/")),
                                  namespace="team-b", **{name: value}))
    assert not answer["allowed"] and says in answer["status"]["message"]


@pytest.mark.parametrize("name, value, says", [
    ("proxy_body_size", "15r", "proxy-body-size"),
    ("proxy_body_sizes", "1m", "did you mean"),
    ("configuration_snippet", "return 200;", "snippet")])
def test_doubtful_annotation_is_a_warning(gateway, name, value, says):
    answer = ask(gateway, ingress("new", rule("n.example", path("/")),
                                  namespace="team-b", **{name: value}))
    assert answer["allowed"]
    assert any(says in text for text in answer["warnings"])
    assert all(len(text.encode()) <= 256 for text in answer["warnings"])


@pytest.mark.parametrize("text, type", [
    ("/a(/|$)(.*)", "Prefix"), ("/a/../b", "Prefix"), ("a", "Exact")])
def test_bad_path_is_refused(gateway, text, type):
    assert not ask(gateway, ingress("new",
                                    rule("n.example", path(text, type=type)),
                                    namespace="team-b"))["allowed"]


def test_class_of_another_controller_is_its_own_business(start_gateway):
    gateway = start_gateway(http="torii_class edge;" + GATEWAY["http"],
                            class_name="edge")

    bad = dict(namespace="team-b", whitelist_source_range="x")
    new = rule("n.example", path("/"))

    assert ask(gateway, ingress("new", new, class_name="other",
                                **bad))["allowed"]
    assert ask(gateway, ingress("new", new, **bad))["allowed"]
    assert not ask(gateway, ingress("new", new, class_name="edge",
                                    **bad))["allowed"]


def test_object_being_deleted_is_allowed(gateway):
    docs = ingress("new", rule("a.example", path("/app")), namespace="team-b")
    docs["metadata"]["deletionTimestamp"] = "2026-11-22T15:00:00Z"

    assert ask(gateway, docs, operation="UPDATE")["allowed"]
    assert ask(gateway, docs, operation="DELETE", object=None)["allowed"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_405(gateway, method):
    answer = send(gateway, b"" if method in ("GET", "HEAD") else b"{}",
                  method=method)
    assert answer.status == 405 and answer.header("Allow") == "POST"


@pytest.mark.parametrize("type", [None, "text/plain", "application/jsonp",
                                  "application/yaml", ""])
def test_other_content_types_are_415(gateway, type):
    assert send(gateway, b"{}", type=type).status == 415


@pytest.mark.parametrize("type", ["application/json", "Application/JSON",
                                  "application/json; charset=utf-8",
                                  "application/json;charset=utf-8"])
def test_json_is_json_with_parameters_too(gateway, type):
    docs = ingress("new", rule("n.example", path("/")), namespace="team-b")
    assert send(gateway, review(docs), type=type).status == 200


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"<html>", b"\xff\xfe", b"{}" * 2, b"[" * 100000,
    b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}',
    b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1",'
    b'"request":{"uid":"u"}}'])
def test_what_is_no_review_is_400_and_says_why(gateway, body):
    answer = send(gateway, body)
    assert answer.status == 400
    assert answer.header("Content-Type") == "text/plain; charset=utf-8"
    assert len(answer.body) > 10


@pytest.mark.parametrize("target", ["/", "/any/path", "/files"])
def test_body_of_several_megabytes_is_read_whole(gateway, target):
    docs = ingress("new", rule("n.example", path("/")), namespace="team-b")
    data = json.dumps(review(docs)).encode()
    data += b" " * (MAX - len(data))

    answer = send(gateway, data, target=target)
    assert answer.status == 200 and answer.json()["response"]["allowed"]


def test_larger_body_is_413(gateway):
    assert send(gateway, b" " * (MAX + 1)).status == 413


def test_larger_body_in_chunks_is_413(gateway):
    answer = send(gateway, (b" " * 65536 for _ in range(MAX // 65536 + 2)))
    assert answer.status == 413


def test_chunked_body(gateway):
    docs = ingress("new", rule("a.example", path("/app")), namespace="team-b")
    data = json.dumps(review(docs)).encode()

    answer = send(gateway, (data[i:i + 100] for i in range(0, len(data), 100)))
    assert answer.status == 200
    assert not answer.json()["response"]["allowed"]


def test_http2_as_api_servers_speak_it(start_gateway):
    gateway = start_gateway(
        http=GATEWAY["http"].replace("@hook@", "@hook@ http2"),
        manifests=GATEWAY["manifests"])
    docs = ingress("new", rule("a.example", path("/app")), namespace="team-b")
    small = json.dumps(review(docs)).encode()

    for data in small, small + b" " * 1000000:
        answer = send(gateway, data, h2=True)
        assert answer.status == 200
        assert not answer.json()["response"]["allowed"]

    assert send(gateway, b" " * (MAX + 1), h2=True).status == 413


def test_webhook_stays_off_where_it_is_not_on(gateway):
    assert send(gateway, b"{}", target="/off").status == 204


def test_without_a_table_nothing_is_judged(start_gateway):
    gateway = start_gateway(http=GATEWAY["http"], wait=False,
                            main="", manifests={})
    docs = ingress("new", rule("n.example", path("/")), namespace="team-b")

    # by the time of the first answer there may be one, and never a 500

    assert send(gateway, review(docs)).status in (200, 503)


def test_reviews_do_not_hold_up_requests(gateway, echo):
    """3,000 paths a review, again and again: others wait a little only."""
    gateway.serve("busy.example", echo[0])

    docs = ingress("new", *[rule(f"h{n}.example", path(f"/p{n}"))
                            for n in range(3000)], namespace="team-b")
    data = json.dumps(review(docs)).encode()
    times = []

    for _ in range(5):
        assert send(gateway, data).status == 200
        start = time.monotonic()
        assert gateway.get(host="busy.example").status == 200
        times.append(time.monotonic() - start)

    assert sorted(times)[len(times) // 2] < 0.5


def test_dead_helper_answers_still(start_gateway):
    """Webhooks are answered by workers: the helper may be gone."""
    gateway = start_gateway(http=GATEWAY["http"],
                            manifests=GATEWAY["manifests"])
    nginx.wait_until(gateway.helper_pid, "the helper")
    gateway.expect("exited on signal 9")
    os.kill(gateway.helper_pid(), signal.SIGKILL)

    assert not ask(gateway, ingress("new", rule("a.example", path("/app")),
                                    namespace="team-b"))["allowed"]
