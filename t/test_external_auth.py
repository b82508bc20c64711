"""
Another server decides who may enter ("auth-url"): what it is sent, what its
answers lead to, and what is kept of them.
"""

import concurrent.futures
import itertools

import pytest

import authserver
import manifest
import nginx


NUMBERS = itertools.count(1)

SIGNIN = "https://login.example/start"


@pytest.fixture(scope="module")
def auth():
    server = authserver.AuthServer()
    yield server
    server.stop()


@pytest.fixture
def serve(gateway, echo, auth):
    """serve(annotations) routes a new host; auth-url is at its own path."""
    auth.requests()

    def serve(status=200, headers=(), query="", **short):
        n = next(NUMBERS)
        path = f"/auth{n}"
        auth.set(path, status, headers)
        host = gateway.serve(
            f"h{n}.example", echo[0],
            annotations=manifest.annotate({
                "auth-url": auth.url(path) + query,
                **{k.replace("_", "-"): v for k, v in short.items()}}))
        return host, path
    return serve


def test_allowed_passes_and_only_then(gateway, serve, auth):
    host, path = serve()
    assert gateway.get("/x", host).status == 200

    auth.set(path, 403)
    assert gateway.get("/x", host).status == 403

    auth.set(path, 401, [("WWW-Authenticate", 'Basic realm="theirs"')])
    answer = gateway.get("/x", host)
    assert answer.status == 401
    assert answer.header("WWW-Authenticate") == 'Basic realm="theirs"'


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_allows(gateway, serve, status):
    host, path = serve(status)
    assert gateway.get("/", host).status == 200


@pytest.mark.parametrize("status", [300, 302, 304, 400, 404, 429, 500, 503])
def test_anything_else_keeps_everybody_out(gateway, serve, echo_backend,
                                           status):
    host, path = serve(status)
    assert gateway.get("/", host).status == 503


def test_no_answer_keeps_everybody_out(gateway, serve, auth, echo):
    host, path = serve()
    auth.set(path, 200, destroy=True)
    assert gateway.get("/", host).status == 503

    gateway.serve("closed.example", echo[0], annotations=manifest.annotate(
        {"auth-url": f"http://127.0.0.1:{nginx.free_ports(1)[0]}/"}))
    assert gateway.get("/", "closed.example").status == 503


def test_what_the_server_is_sent(gateway, serve, auth):
    host, path = serve(query="?a=b")
    answer = gateway.request(
        "POST", "/the/page?x=1", host, body=b"secret body",
        headers=[("Cookie", "session=1"), ("Authorization", "Bearer t"),
                 ("X-Custom", "yes"), ("X-Forwarded-Uri", "/evil"),
                 ("X-Forwarded-Method", "GET"), ("X-Original-URL", "evil"),
                 ("X-Original-Method", "GET"),
                 ("X-Auth-Request-Redirect", "https://evil.example"),
                 ("X-Real-IP", "1.2.3.4"), ("Content-Type", "text/plain")])
    assert answer.status == 200

    asked, = auth.requests()
    headers = asked["headers"]
    assert (asked["method"], asked["url"], asked["body"]) == (
        "GET", f"{path}?a=b", "")
    assert headers["cookie"] == "session=1"
    assert headers["authorization"] == "Bearer t"
    assert headers["x-custom"] == "yes"
    assert headers["x-original-url"] == f"http://{host}/the/page?x=1"
    assert headers["x-original-method"] == "POST"
    assert headers["x-sent-from"] == "nginx-ingress-controller"
    assert headers["x-real-ip"] == headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-auth-request-redirect"] == "/the/page?x=1"
    assert headers["host"] == f"127.0.0.1:{auth.port}"
    assert len(headers["x-request-id"]) == 32
    assert not {"x-forwarded-uri", "x-forwarded-method", "content-length",
                "x-original-uri", "x-scheme"} & set(headers)


def test_method_and_redirect(gateway, serve, auth):
    host, path = serve(auth_method="POST",
                       auth_request_redirect="/back?to=$request_uri")
    assert gateway.get("/p", host).status == 200
    asked, = auth.requests()
    assert asked["method"] == "POST"
    assert asked["headers"]["x-original-uri"] == "/p"
    assert asked["headers"]["x-scheme"] == "http"
    assert asked["headers"]["x-auth-request-redirect"] == "/back?to=/p"


def test_headers_of_the_answer_reach_the_backend(gateway, serve, auth):
    host, path = serve(
        headers=[("X-Auth-Request-User", "alice"), ("X-Other", "o")],
        auth_response_headers="X-Auth-Request-User, X-Auth-Request-Email,"
                              "X-Other")
    seen = gateway.get("/", host, headers=[
        ("X-Auth-Request-User", "root"), ("X-Auth-Request-Email", "r@x"),
        ("X_Other", "evil"), ("X-Other", "evil")]).echo
    assert seen.all("x-auth-request-user") == ["alice"]
    assert seen.all("x-auth-request-email") == []
    assert seen.all("x-other") == ["o"]


def test_signin_gets_where_to_come_back_to(gateway, serve):
    host, path = serve(401, auth_signin="http://$host/auth/start")
    answer = gateway.get("/?a=b&c=d", host)
    assert answer.status == 302
    assert answer.location == (f"http://{host}/auth/start?rd=http://{host}"
                               "%2F%3Fa%3Db%26c%3Dd")


@pytest.mark.parametrize("signin, param, wanted", [
    (SIGNIN + "?x=1", None, SIGNIN + "?x=1&rd=http://{host}%2Fp"),
    (SIGNIN + "?rd=/fixed", None, SIGNIN + "?rd=/fixed"),
    (SIGNIN + "?hard=1", "to", SIGNIN + "?hard=1&to=http://{host}%2Fp"),
    (SIGNIN + "?rd=$escaped_request_uri", None, SIGNIN + "?rd=%2Fp"),
])
def test_signin_forms(gateway, serve, signin, param, wanted):
    more = {"auth_signin_redirect_param": param} if param else {}
    host, path = serve(401, auth_signin=signin, **more)
    assert gateway.get("/p", host).location == wanted.format(host=host)


def test_cookies_of_the_answer_reach_the_client_each(gateway, serve, auth):
    cookies = [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/")]
    host, path = serve(200, cookies)
    assert gateway.get("/", host).all("Set-Cookie") == ["a=1; Path=/",
                                                        "b=2; Path=/"]
    assert gateway.get("/", host, echo={"status": 500}).all("Set-Cookie") \
        == []

    host, path = serve(200, cookies, auth_always_set_cookie="true")
    assert len(gateway.get("/", host, echo={"status": 500})
               .all("Set-Cookie")) == 2


def test_connections_are_kept(gateway, serve, auth):
    host, path = serve()
    for i in range(10):
        assert gateway.get("/", host).status == 200
    assert len({asked["socket"] for asked in auth.requests()}) <= 2


def test_answers_are_kept_by_key_and_credentials(start_gateway, echo, auth):
    gateway = start_gateway(workers=1)
    auth.requests()
    auth.set("/kept", 200, [("X-Auth-Request-User", "alice")])
    gateway.serve("kept.example", echo[0], annotations=manifest.annotate({
        "auth-url": auth.url("/kept"), "auth-cache-key": "constant",
        "auth-response-headers": "X-Auth-Request-User"}))

    def get(**headers):
        return gateway.get("/", "kept.example",
                           headers=list(headers.items()))

    for i in range(3):
        assert get(Cookie="s=1").echo.all("x-auth-request-user") == ["alice"]
    assert len(auth.requests()) == 1

    # somebody else's answer is none for him
    auth.set("/kept", 403)
    assert get(Cookie="s=2").status == 403
    assert get(Authorization="Bearer x").status == 403
    assert get(Cookie="s=1").status == 200
    assert len(auth.requests()) == 2


def test_answers_with_cookies_are_not_kept(start_gateway, echo, auth):
    gateway = start_gateway(workers=1)
    auth.requests()
    auth.set("/fresh", 200, [("Set-Cookie", "s=1")])
    gateway.serve("fresh.example", echo[0], annotations=manifest.annotate({
        "auth-url": auth.url("/fresh"), "auth-cache-key": "$remote_addr"}))
    for i in range(3):
        assert gateway.get("/", "fresh.example").status == 200
    assert len(auth.requests()) == 3


def test_many_at_once_are_one_question(start_gateway, echo, auth):
    gateway = start_gateway(workers=1)
    auth.requests()
    auth.set("/once", 200, hold=True)
    gateway.serve("once.example", echo[0], annotations=manifest.annotate({
        "auth-url": auth.url("/once"), "auth-cache-key": "$http_cookie"}))

    def get(i):
        return gateway.get("/", "once.example",
                           headers=[("Cookie", "s=1")]).status

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(get, i) for i in range(20)]
        nginx.wait_until(lambda: auth.waiting() == 1, "the question")
        auth.release()
        assert {a.result() for a in answers} == {200}

    assert len(auth.requests()) == 1


def test_client_that_leaves_while_asked(start_gateway, echo, auth):
    gateway = start_gateway(workers=1)
    auth.requests()
    auth.set("/slow", 200, hold=True)
    gateway.serve("slow.example", echo[0], annotations=manifest.annotate({
        "auth-url": auth.url("/slow")}))

    sock = gateway.connect()
    sock.sendall(b"GET / HTTP/1.1\r\nHost: slow.example\r\n\r\n")
    nginx.wait_until(lambda: auth.waiting() == 1, "the question")
    sock.close()
    gateway.expect("client")
    auth.release()

    auth.set("/slow", 200)
    assert gateway.get("/", "slow.example").status == 200


def test_server_is_asked_over_http2_too(gateway, serve, auth):
    host, path = serve(headers=[("X-Auth-Request-User", "alice")],
                       auth_response_headers="X-Auth-Request-User")
    with gateway.http2() as c:
        seen = c.get("/", host).echo
    assert seen.all("x-auth-request-user") == ["alice"]


def test_websocket_is_asked_for_first(gateway, serve, auth):
    host, path = serve(403)
    answer = gateway.get("/", host, headers=[
        ("Connection", "Upgrade"), ("Upgrade", "websocket")])
    assert answer.status == 403
    assert len(auth.requests()) == 1


def test_satisfy_any_with_a_list(gateway, serve, auth):
    host, path = serve(403, satisfy="any",
                       whitelist_source_range="127.0.0.0/8")
    assert gateway.get("/", host).status == 200
    assert auth.requests() == []

    host, path = serve(200, satisfy="any",
                       whitelist_source_range="10.0.0.0/8")
    assert gateway.get("/", host).status == 200
    auth.set(path, 403)
    assert gateway.get("/", host).status == 403


def test_denials_are_passed_on_whole_where_that_is_said(gateway, echo, auth):
    gateway.serve("relay.example", echo[0], annotations=manifest.annotate(
        {"auth-url": auth.url("/relay")},
        full={"torii/auth-relay-denials": "true"}))

    auth.set("/relay", 302, [("Location", "https://login.example/?a=b"),
                             ("Set-Cookie", "s=1"), ("Set-Cookie", "t=2"),
                             ("X-Secret", "no")], body="go there")
    answer = gateway.get("/", "relay.example")
    assert (answer.status, answer.body) == (302, b"go there")
    assert answer.location == "https://login.example/?a=b"
    assert answer.all("Set-Cookie") == ["s=1", "t=2"]
    assert answer.header("X-Secret") is None

    auth.set("/relay", 418, [("Content-Type", "text/x")], body="no")
    answer = gateway.get("/", "relay.example")
    assert (answer.status, answer.body) == (418, b"no")
    assert answer.header("Content-Type") == "text/x"

    # what is no denial of its own is none to pass on
    auth.set("/relay", 500, body="secret trace")
    answer = gateway.get("/", "relay.example")
    assert answer.status == 503 and b"secret" not in answer.body

    auth.set("/relay", 204)
    assert gateway.get("/", "relay.example").status == 200


def test_relay_without_a_server_to_ask(gateway, echo):
    gateway.serve("norelay.example", echo[0],
                  annotations={"torii/auth-relay-denials": "true"})
    assert gateway.wait_finding(reason="NoEffect",
                                field="torii/auth-relay-denials")
    gateway.serve("norelay.example", echo[0],
                  annotations={"torii/auth-relay-denial": "true"})
    assert gateway.get("/", "norelay.example").status == 503
