"""
The gate of a route with a login: who passes, what the backend is told of him,
and how those who may not enter are told.
"""

import secrets
import urllib.parse

import pytest

import client
import manifest
import nginx
import oidc
from logins import as_new, op, site, site_of      # noqa: fixtures


GATEWAY = dict(workers=2)

TERMINAL = (b"GET /terminal HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n")

KEYS = [secrets.token_hex(20) for i in range(3)]

PAGE = oidc.Browser.NAVIGATE
API = (("Accept", "application/json"),)


def host_of(url):
    return urllib.parse.urlsplit(url).hostname


def logged_in(gateway, url, name="alice"):
    browser = oidc.Browser(gateway)
    assert browser.login(f"{url}/", name).status == 200
    return browser


# What a backend is told

def test_backend_is_told_who_it_is(gateway, site):
    url = site(annotations={"torii/oauth2-allowed-groups": "devs"})
    seen = logged_in(gateway, url).open(f"{url}/").echo

    assert seen.all("x-auth-request-user") == ["alice"]
    assert seen.all("x-auth-request-email") == ["alice@example.test"]
    assert seen.all("x-auth-request-groups") == ["devs"]
    assert seen.all("x-auth-request-preferred-username") == ["alice"]
    assert seen.all("x-forwarded-user") == ["alice"]
    assert seen.all("x-forwarded-email") == ["alice@example.test"]


@pytest.mark.parametrize("name", [
    "X-Auth-Request-User", "x-auth-request-user", "X-Auth-Request-Anything",
    "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username", "X-Forwarded-Access-Token", "GAP-Auth",
    "Remote-User", "Remote-Groups", "X-Vouch-User", "X-Pomerium-Claim",
    "X-WebAuth-User", "X-Original-URL"])
def test_nobody_says_who_he_is_himself(gateway, site, echo, name):
    url = site()
    headers = (*PAGE, (name, "root"))
    seen = logged_in(gateway, url).open(f"{url}/", headers=headers).echo
    assert "root" not in seen.all(name)

    # nor where there is no login
    open_host = gateway.serve("open.test", echo[0])
    assert gateway.get("/", open_host,
                       headers=[(name, "root")]).echo.all(name) in (
        [], [f"http://{open_host}/"])


def test_spellings_of_headers_that_backends_confuse(start_gateway, echo,
                                                    authority, op):
    gateway = start_gateway(
        http="underscores_in_headers on; ignore_invalid_headers off;")
    host = gateway.serve("loose.test", echo[0])
    seen = gateway.get("/", host, headers=[
        ("X_Auth_Request_User", "root"), ("X-Auth_Request-User", "root"),
        ("X.Auth.Request.User", "root"), ("Remote_User", "root"),
        ("X_Forwarded_User", "root")]).echo
    assert "root" not in str(seen["headers"])


def test_chosen_headers_only(gateway, site):
    url = site(annotations=manifest.annotate({
        "auth-response-headers": "X-Auth-Request-Email, X-Team"}))
    browser = logged_in(gateway, url)
    seen = browser.open(f"{url}/", headers=(*PAGE, ("X-Team", "root"))).echo

    assert seen.all("x-auth-request-email") == ["alice@example.test"]
    assert seen.all("x-auth-request-user") == []
    assert seen.all("x-forwarded-user") == []
    assert seen.all("x-team") == []


def test_headers_change_with_the_route(gateway, site):
    def chosen(name):
        return site(host="chosen.test", name="chosen",
                    annotations=manifest.annotate({
                        "auth-response-headers": name}))

    url = chosen("X-Auth-Request-Email")
    browser = logged_in(gateway, url)
    for name in ("x-auth-request-user", "x-forwarded-email"):
        assert chosen(name) == url
        seen = browser.open(f"{url}/").echo
        assert len(seen.all(name)) == 1
        assert seen.all("x-auth-request-email") == []


def test_groups_are_told_whether_known_or_not(gateway, site):
    url = site(annotations={"torii/oauth2-allowed-groups": "devs"})
    browser = logged_in(gateway, url)
    for _ in range(8):      # of each worker some
        seen = browser.open(f"{url}/").echo
        assert seen.all("x-auth-request-groups") == ["devs"]
        assert seen.all("x-forwarded-groups") == ["devs"]


@pytest.mark.parametrize("settings, chosen", [
    (["pass_authorization_header"], None),
    (["set_authorization_header"], "Authorization"),
    (["set_authorization_header", "pass_authorization_header"],
     "authorization"),
])
def test_token_takes_the_place_of_the_clients(gateway, site, settings,
                                              chosen):
    url = site(annotations=chosen and manifest.annotate({
        "auth-response-headers": chosen}), **dict.fromkeys(settings, "true"))
    seen = logged_in(gateway, url).open(f"{url}/", headers=(
        *PAGE, ("Authorization", "Bearer argo"))).echo
    token, = seen.all("authorization")
    assert token.startswith("Bearer ey")


def test_token_for_those_who_ask_is_not_sent_on(gateway, site):
    url = site(set_authorization_header="true")
    seen = logged_in(gateway, url).open(f"{url}/", headers=(
        *PAGE, ("Authorization", "Bearer argo"))).echo
    assert seen.all("authorization") == ["Bearer argo"]


def test_use_lengthens_the_life(gateway, site):
    url = site(cookie_idle="10s")
    browser = logged_in(gateway, url)

    def lengthened():
        page = browser.open(f"{url}/")
        assert page.status == 200
        return page.header("Set-Cookie")

    nginx.wait_until(lengthened, "its cookie to be set anew", every=0.1)


def test_own_cookies_stay_here(gateway, site, site_of):
    url = site()
    browser = logged_in(gateway, url)
    name, = browser.jar.names(host_of(url))
    browser.jar.cookies[host_of(url), "/", "theirs"] = "1", False
    browser.jar.cookies[host_of(url), "/", f"{name}.s.abcdefgh"] = "2", False

    seen = browser.open(f"{url}/").echo
    assert seen.all("cookie") == ["theirs=1"]


def test_credentials_of_the_application_stay(gateway, site):
    url = site()
    browser = logged_in(gateway, url)
    seen = browser.open(f"{url}/", headers=(
        *PAGE, ("Authorization", "Bearer argo"))).echo
    assert seen.all("authorization") == ["Bearer argo"]


# How those who may not enter are told

@pytest.mark.parametrize("headers, method, status, kind", [
    (PAGE, "GET", 302, None),
    ((("Accept", "text/html"),), "GET", 302, None),
    (API, "GET", 401, "application/json"),
    ((("Accept", "text/html"), ("X-Requested-With", "XMLHttpRequest")),
     "GET", 401, "application/json"),
    ((("Accept", "*/*"), ("Sec-Fetch-Mode", "cors")), "GET", 401,
     "application/json"),
    ((("Accept", "text/event-stream"),), "GET", 401, "application/json"),
    (PAGE, "POST", 401, "text/html; charset=utf-8"),
    ((), "DELETE", 401, "application/json"),
])
def test_kinds_of_clients(gateway, site, headers, method, status, kind):
    url = site()
    answer = oidc.Browser(gateway).open(f"{url}/x", method, headers=headers)

    assert answer.status == status
    if kind:
        assert answer.header("Content-Type") == kind
        assert answer.all("Set-Cookie") == []         # no state for a poll
        assert answer.header("WWW-Authenticate").startswith("Bearer realm=")
    else:
        assert len(answer.all("Set-Cookie")) == 1


def test_grpc_is_told_in_its_own_words(gateway, site):
    url = site()
    with client.Http2(gateway.connect(tls=True, sni=host_of(url),
                                      alpn=["h2"])) as c:
        answer = c.request("POST", "/app.Service/Call", host=host_of(url),
                           headers=[("content-type", "application/grpc"),
                                    ("te", "trailers")], body=b"")
    assert answer.status == 200
    assert answer.header("grpc-status") == "16"
    assert answer.body == b""


def test_denied_is_not_sent_to_log_in_again(gateway, site):
    url = site(annotations={"torii/oauth2-allowed-groups": "admins"})
    browser = oidc.Browser(gateway)
    page = browser.login(f"{url}/", "bob")
    assert page.status == 403
    assert "default-src 'none'" in page.header("Content-Security-Policy")

    answer = browser.open(f"{url}/", headers=API)
    assert (answer.status, answer.json()) == (403, {"error": "access_denied"})


def test_page_has_its_style(gateway, site):
    url = site()
    style = oidc.Browser(gateway).open(f"{url}/oauth2/static/login.css")
    assert style.status == 200
    assert style.header("Content-Type") == "text/css; charset=utf-8"
    assert oidc.Browser(gateway).open(
        f"{url}/oauth2/static/../x").status in (302, 400, 404)


def test_page_of_the_operator(start_gateway, echo, authority, op, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<h1>Acme: {{title}}</h1>{{text}}{{actions}}")
    gateway = start_gateway(http=f"torii_login_page {page};")
    host = "page.test"
    gateway.apply("page", oidc.secret("page-login", op.settings("es")),
                  manifest.route(host, echo[0], tls=authority.issue(host),
                                 annotations={"torii/oauth2": "page-login"}))
    answer = oidc.Browser(gateway).open(
        f"https://{host}:{gateway.tls}/x", "POST")
    assert answer.status == 401
    assert answer.text.startswith("<h1>Acme: Sign in</h1>")


# Rules

def test_write_groups(gateway, site):
    url = site(annotations={"torii/oauth2-allowed-groups": "devs",
                            "torii/oauth2-write-groups": "admins"})
    reader = logged_in(gateway, url, "bob")
    assert reader.open(f"{url}/").status == 200
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert reader.open(f"{url}/", method, headers=API).status == 403

    writer = logged_in(gateway, url, "admin-ann")
    assert writer.open(f"{url}/", "POST", headers=API).status == 200


def test_optional_login(gateway, site):
    url = site(annotations={"torii/oauth2-optional": "true"})
    browser = oidc.Browser(gateway)
    answer = browser.open(f"{url}/")
    assert answer.status == 200
    assert answer.echo.all("x-auth-request-user") == []


@pytest.mark.parametrize("target, status", [
    ("/public/x", 200), ("/public", 200),
    ("/public/../admin", 401), ("/public/%2e%2e/admin", 401),
    ("/public/..%2fadmin", 401), ("/public//../admin", 401),
    ("/public;/../admin", 401), ("/admin/%2e%2e/public", 401),
    ("/public%2f..%2fadmin", 401), ("/public/..;/admin", 401),
    ("/PUBLIC/x", 401), ("/publicx", 401), ("/%70ublic/x", 200),
    ("/public/%252e%252e/admin", 401), ("/public/%c0%ae%c0%ae/x", 401),
    ("/public/a%23b", 401), ("/admin?x=/public/", 401), ("/public?y=1", 200),
])
def test_paths_without_a_login(gateway, site, target, status):
    url = site(skip_auth_route="GET=^/public(/.*)?$")
    answer = gateway.get(target, host_of(url), tls=True, sni=host_of(url),
                         headers=API)
    assert answer.status == status


@pytest.mark.parametrize("target", ["/public#/../admin", "/public\\x"])
def test_targets_that_nobody_reads_alike(gateway, site, target):
    url = site(skip_auth_route="^/public.*$")
    with gateway.connect(tls=True, sni=host_of(url)) as sock:
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: {host_of(url)}\r\n"
                     "Connection: close\r\n\r\n".encode())
        assert client.read_all(sock).startswith(b"HTTP/1.1 400")


def test_rules_know_methods(gateway, site):
    url = site(skip_auth_route="GET=^/hook$")
    host = host_of(url)
    how = dict(tls=True, sni=host, headers=API)
    assert gateway.get("/hook", host, **how).status == 200
    assert gateway.request("POST", "/hook", host, **how).status == 401
    assert gateway.request("HEAD", "/hook", host, **how).status == 401


def test_preflight(gateway, site):
    url = site(skip_auth_preflight="true")
    host = host_of(url)
    how = dict(tls=True, sni=host)
    both = [("Origin", "https://x.example"),
            ("Access-Control-Request-Method", "GET")]
    assert gateway.request("OPTIONS", "/", host, headers=both,
                           **how).status == 200
    assert gateway.request("OPTIONS", "/", host, headers=both[:1],
                           **how).status == 401


def test_rewritten_path_is_not_what_is_judged(gateway, site):
    url = site(skip_auth_route="^/public/.*$", annotations={
        **manifest.annotate({"rewrite-target": "/public/x"})})
    host = host_of(url)
    assert gateway.get("/admin", host, tls=True, sni=host,
                       headers=API).status == 401


# Sessions

@pytest.mark.parametrize("make", [
    lambda v: v[:-1], lambda v: v + "A", lambda v: "_" + v[1:],
    lambda v: v[:50] + ("A" if v[50] != "A" else "B") + v[51:],
    lambda v: "", lambda v: "x" * 5000, lambda v: v + "." + v])
def test_cookies_that_were_touched(gateway, site, make):
    url = site()
    browser = logged_in(gateway, url)
    key, = [k for k in browser.jar.cookies if k[0] == host_of(url)]
    value, domain = browser.jar.cookies[key]
    browser.jar.cookies[key] = make(value), domain
    assert browser.open(f"{url}/", headers=API).status == 401


def test_cookie_of_another_host(gateway, site, site_of):
    name = "shared-provider"
    url = site(name=name, host="one.test")
    other = site_of(name)
    browser = logged_in(gateway, url)
    (host, path, cookie), = [k for k in browser.jar.cookies
                             if k[0] == host_of(url)]
    browser.jar.cookies[host_of(other), path, cookie] = \
        browser.jar.cookies[host, path, cookie]
    assert browser.open(f"{other}/", headers=API).status == 401


def test_session_lives_through_changes(gateway, site, echo):
    url = site()
    browser = logged_in(gateway, url)
    gateway.reload()
    assert browser.open(f"{url}/", headers=API).status == 200
    gateway.serve("unrelated.test", echo[0])
    assert browser.open(f"{url}/", headers=API).status == 200


def test_keys_of_cookies_are_turned(gateway, site, op):
    url = site(host="turn.test", name="turn", cookie_secret=KEYS[0])
    browser = logged_in(gateway, url)
    site(host="turn.test", name="turn",
         cookie_secret=KEYS[1] + "\n" + KEYS[0])
    assert browser.open(f"{url}/", headers=API).status == 200
    site(host="turn.test", name="turn", cookie_secret=KEYS[1])
    nginx.wait_until(
        lambda: logged_in(gateway, url), "a login with the new key")
    site(host="turn.test", name="turn", cookie_secret=KEYS[2])
    assert browser.open(f"{url}/", headers=API).status == 401


def test_wrong_settings_let_nobody_in(gateway, site, echo, authority, op):
    host = "wrong.test"
    gateway.apply("wrong", oidc.secret("wrong-login", {
        **op.settings("es"), "cookie-sekret": "x"}),
        manifest.route(host, echo[0], tls=authority.issue(host),
                       annotations={"torii/oauth2": "wrong-login"}))
    browser = oidc.Browser(gateway)
    assert browser.open(f"https://{host}:{gateway.tls}/").status == 503
    gateway.expect("cookie-sekret")


# Streams

def terminal(gateway, url, cookie, origin):
    host = host_of(url)
    sock = gateway.connect(tls=True, sni=host)
    more = f"Origin: {origin}\r\nCookie: {cookie}\r\n".encode()
    sock.sendall(TERMINAL % (f"{host}:{gateway.tls}".encode(), more))
    return sock


@pytest.fixture
def shell(gateway, argo, authority, op):
    host = "shell.test"
    gateway.apply("shell", oidc.secret("shell-login", op.settings("es")),
                  manifest.route(host, argo.address,
                                 tls=authority.issue(host),
                                 annotations={"torii/oauth2": "shell-login"}))
    url = f"https://{host}:{gateway.tls}"
    nginx.wait_until(
        lambda: oidc.Browser(gateway).open(f"{url}/oauth2/start").status
        == 302, "the issuer")
    return url


def shell_browser(gateway, url):
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/oauth2/start?rd=/", "alice")
    return browser


def test_websocket_ends_with_its_session(gateway, shell):
    browser = shell_browser(gateway, shell)
    line = browser.jar.line(host_of(shell), "/")
    with terminal(gateway, shell, line, shell) as sock:
        assert sock.recv(4096).startswith(b"HTTP/1.1 101")
        browser.open(f"{shell}/oauth2/sign_out", headers=(
            *PAGE, ("Sec-Fetch-Site", "same-origin")))
        sock.settimeout(10)
        while sock.recv(4096):
            pass


def test_download_ends_with_its_session(gateway, site):
    url = site()
    host, browser = host_of(url), logged_in(gateway, url)
    order = '{"size": 4000, "chunks": 4, "pause": 1000}'
    with gateway.connect(tls=True, sni=host) as sock:
        sock.sendall((f"GET / HTTP/1.1\r\nHost: {host}\r\nX-Echo: {order}\r\n"
                      f"Cookie: {browser.jar.line(host, '/')}\r\n"
                      "Connection: close\r\n\r\n").encode())
        data = sock.recv(4096)
        assert data.startswith(b"HTTP/1.1 200")
        browser.open(f"{url}/oauth2/sign_out", headers=(
            *PAGE, ("Sec-Fetch-Site", "same-origin")))
        data += client.read_all(sock)
        assert b"Content-Length: 4000\r\n" in data
        assert data.count(b"x") < 4000


def test_events_end_with_their_session(gateway, shell):
    browser = shell_browser(gateway, shell)
    line = browser.jar.line(host_of(shell), "/")
    with gateway.connect(tls=True, sni=host_of(shell)) as sock:
        sock.sendall((f"GET /events?count=100000&pause=50 HTTP/1.1\r\n"
                      f"Host: {host_of(shell)}\r\nCookie: {line}\r\n\r\n"
                      ).encode())
        assert sock.recv(4096).startswith(b"HTTP/1.1 200")
        browser.open(f"{shell}/oauth2/sign_out", headers=(
            *PAGE, ("Sec-Fetch-Site", "same-origin")))
        sock.settimeout(10)
        try:
            while sock.recv(65536):
                pass
        except TimeoutError:
            raise AssertionError(gateway.log()[-3000:])


@pytest.mark.parametrize("origin, status", [
    ("https://evil.example", b"403"), ("null", b"403"), (None, b"101")])
def test_websocket_of_another_site(gateway, shell, origin, status):
    browser = shell_browser(gateway, shell)
    line = browser.jar.line(host_of(shell), "/")
    with terminal(gateway, shell, line, origin or shell) as sock:
        assert sock.recv(4096).startswith(b"HTTP/1.1 " + status)


def test_websocket_without_a_session(gateway, shell):
    with terminal(gateway, shell, "a=b", shell) as sock:
        answer = sock.recv(4096)
        assert answer.startswith(b"HTTP/1.1 401")
        assert b"Location" not in answer
