"""
Logins under attack: requests that are made to get past the gate, to speak in
another's name, or to make a login lead where it should not.
"""

import socket

import pytest

import authserver
import client
import manifest
import oidc
from logins import as_new, known, op, site, site_of   # noqa: fixtures
from test_basic_auth import basic, hashed
from test_login_gate import API, PAGE, host_of, logged_in


GATEWAY = dict(workers=2, http="""
    underscores_in_headers on;
    ignore_invalid_headers off;
    large_client_header_buffers 8 32k;""")

ROOT = [("X-Auth-Request-User", "root"), ("X_Auth_Request_User", "root"),
        ("x.auth.request.user", "root"), ("X-Forwarded-User", "root"),
        ("Remote-User", "root"), ("X-Team", "root"), ("x_team", "root")]


@pytest.fixture(scope="module")
def auth():
    server = authserver.AuthServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def enter():
    """enter(gateway, url) is a browser that is logged in, the same for a URL:
    many logins in a row would be taken for a loop."""
    browsers = {}

    def enter(gateway, url):
        if url not in browsers:
            browsers[url] = logged_in(gateway, url)
        return browsers[url]
    return enter


def raw(gateway, host, data, tls=True, sni=None):
    """All that comes back for these bytes."""
    with gateway.connect(tls=tls, sni=sni or host) as sock:
        sock.sendall(data)
        return client.read_all(sock)


def reached(answer):
    """An echo is what a backend answers, and nobody else."""
    return b'"target"' in answer


def asked(target, host, method="GET", more=""):
    return (f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{more}"
            "Connection: close\r\n\r\n").encode("latin-1")


# The way to a backend

@pytest.mark.parametrize("target", [
    "/admin", "//admin", "/./admin", "/x/../admin", "/public/../admin",
    "/public/%2e%2e/admin", "/public/..%2fadmin", "/public%2f..%2fadmin",
    "/public/..%5cadmin", "/public;/../admin", "/public/..;/admin",
    "/public/;/../../admin", "/public/%2e%2e;/admin", "/public//../admin",
    "/public/%252e%252e/admin", "/public/..%c0%afadmin",
    "/public/%e0%80%af../admin", "/public%3b/../admin", "/public%23/../admin",
    "/public%3f/../admin", "/public%20/../admin", "/public/.%2e/admin",
    "/public/.%00./admin", "/public/%zz/../admin", "/admin?/public/",
    "/admin?x=/../public/x", "/admin;/public/", "/admin%2f..%2fpublic",
    "/admin/..%2fpublic", "/admin/%2e%2e/public/x", "/admin/..;/public/x",
    "/admin#/public/x", "/public#/../admin", "/public\\..\\admin",
    "/public/\t../admin", "/Public/x", "/public.", "/public%00/x",
    "/oauth2/../admin", "/oauth2/auth/../../admin", "/oauth2/static/../../x",
    "/oauth2/static/..%2f..%2fadmin", "/oauth2/static/login.css/../../../x",
    "/oauth2", "/oauth2/", "/oauth2/none", "/oauth2/auth/", "/oauth2/auth/x",
    "/oauth2/AUTH", "/OAUTH2/auth", "/x/oauth2/auth", "/oauth2;/auth",
    "/oauth2/auth;x", "/oauth2/auth%00", "/oauth2/auth%2f..%2f..%2fadmin",
    "//oauth2/callback", "/%2foauth2/callback", "/%2foauth2", "/oauth2%2fauth",
    "/oauth2//auth", "/oauth2x/auth", "/oauth2/callback?code=1&state=2",
    "/.well-known/../admin", "/.well-known/acme-challenge/../../admin",
    "/.well-known/acme-challenge/..%2f..%2fadmin", "/healthz",
    "http://%s/admin", "https://%s/admin", "http://other.test/admin",
    "http://%s@other.test/admin", "HTTP://%s/public/../admin", "*", "%s",
    "admin", "?x=/public/", "http://%s", "http://%s?/public/x",
])
def test_no_path_leads_around_the_gate(gateway, site, target):
    host = "paths.test"
    url = site(host=host, name="paths", skip_auth_route="GET=^/public(/.*)?$")
    target = target.replace("%s", host) if "%s" in target else target
    answer = raw(gateway, host, asked(target, host))

    assert not reached(answer)
    assert b" 500 " not in answer.splitlines()[0]
    assert oidc.Browser(gateway).open(f"{url}/public/x").status == 200


@pytest.mark.parametrize("method", [
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE",
    "CONNECT", "PROPFIND", "FOO", "get", "G", "HEAD "])
def test_no_method_leads_around_the_gate(gateway, site, echo_backend, method):
    host = "methods.test"
    site(host=host, name="methods")
    answer = raw(gateway, host, asked(f"/at-{method.strip()}", host, method))

    assert answer.split()[1] in (b"302", b"400", b"401", b"405", b"501")
    assert f"/at-{method.strip()}" not in str(echo_backend.ask(
        command="count"))


@pytest.mark.parametrize("line", [
    "%s", "%s:443", "%s:1", "HOSTS.test", "Hosts.TEST", "%s.", "%s.:443",
    " %s ", "%s:x", "%s:", "x@%s", "%s/public", "%s#", "%s\\x", "%s,x", "x,%s",
    "hosts.test\x00x", "[%s]", "*.test", ""])
def test_no_spelling_of_a_host_leads_around_the_gate(gateway, site, echo,
                                                     line):
    site(host="hosts.test", name="hosts")
    line = line.replace("%s", "hosts.test")
    for sni in ("hosts.test", "open.test"):
        answer = raw(gateway, "hosts.test", asked("/", line), sni=sni)
        assert not reached(answer), (sni, line)

    answer = raw(gateway, "hosts.test", asked("/", line), tls=False)
    assert not reached(answer), line


def test_two_hosts_and_one_in_the_target(gateway, site, echo, authority):
    site(host="hosts.test", name="hosts")
    gateway.serve("open.test", echo[0], tls=authority.issue("open.test"))

    # the target's counts (RFC 9112 section 3.2.2), and two are none
    answer = raw(gateway, "open.test",
                 asked("http://hosts.test/", "open.test"), sni="open.test")
    assert not reached(answer)
    answer = raw(gateway, "open.test",
                 asked("/", "open.test", more="Host: hosts.test\r\n"))
    assert not reached(answer)


def test_names_of_a_wildcard_do_not_share_sessions(gateway, echo, authority,
                                                   op):
    pair = authority.issue("*.wild.test")
    gateway.apply("wild", oidc.secret("wild-login", op.settings("es")),
                  manifest.route("*.wild.test", echo[0], tls=pair, name="wild",
                                 annotations={"torii/oauth2": "wild-login"}))
    url = f"https://a.wild.test:{gateway.tls}"
    known(gateway, url)
    browser = logged_in(gateway, url)
    (host, path, name), = [k for k in browser.jar.cookies
                           if k[0] == "a.wild.test"]
    for other in ("b.wild.test", "wild.test", "a.a.wild.test"):
        browser.jar.cookies[other, path, name] = \
            browser.jar.cookies[host, path, name]
        answer = browser.open(f"https://{other}:{gateway.tls}/", headers=API)
        assert answer.status in (401, 404), other

    # however it is spelled, it is the same host
    line = f"Cookie: {browser.jar.line(host, '/')}\r\n"
    assert reached(raw(gateway, host, asked("/", "A.WILD.test", more=line)))


def test_default_backend_with_a_login(start_gateway, echo, op):
    gateway = start_gateway()
    gateway.apply("all", oidc.secret("all-login", op.settings("es")),
                  manifest.backend("all", echo[0]),
                  manifest.ingress("all", default="all",
                                   annotations={"torii/oauth2": "all-login"}))
    for host in ("any.test", "127.0.0.1", ""):
        assert not reached(raw(gateway, host, asked("/x", host), tls=False))


# Two providers

def test_session_of_one_provider_is_none_of_another(gateway, echo, authority,
                                                    op):
    host, pair = "two.test", authority.issue("two.test")
    docs = []
    for name, client_of in (("a", "es"), ("b", "rs")):
        docs += [oidc.secret(f"two-{name}", op.settings(
                     client_of, cookie_name=f"__Host-{name}")),
                 manifest.route(host, echo[0], path_text=f"/{name}", tls=pair,
                                name=f"two-{name}",
                                annotations={"torii/oauth2": f"two-{name}"})]
    gateway.apply("two", *docs)

    url = f"https://{host}:{gateway.tls}"
    known(gateway, url)
    browser = oidc.Browser(gateway)
    assert browser.login(f"{url}/a/x", "alice").status == 200
    value = browser.jar.cookies[host, "/", "__Host-a"]

    assert browser.open(f"{url}/b/x", headers=API).status == 401
    browser.jar.cookies[host, "/", "__Host-b"] = value
    assert browser.open(f"{url}/b/x", headers=API).status == 401
    assert browser.open(f"{url}/a/x", headers=API).status == 200

    for path in ("/a/../b/x", "/a/..%2fb/x", "/a//../b/x", "/%62/x"):
        answer = raw(gateway, host, asked(
            path, host, more=f"Cookie: {browser.jar.line(host, '/')}\r\n"))
        assert not reached(answer), path


# Internal redirects

def test_accelerated_redirect_does_not_skip_a_login(gateway, site, echo,
                                                    authority):
    host = "accel.test"
    url = site(host=host, name="accel")
    gateway.serve(host, echo[0], path_text="/go", name="accel-go",
                  tls=authority.issue(host))
    browser = oidc.Browser(gateway)
    for target, status in (("/closed", 401), ("//closed", 401),
                           ("/closed?x=/go", 401), ("/go/../closed", 404)):
        answer = gateway.get("/go", host, tls=True, sni=host, headers=API,
                             echo={"headers": {"X-Accel-Redirect": target}})
        assert answer.status == status, target
        assert not reached(answer.body)

    assert browser.login(f"{url}/go/x", "alice").status == 200


def test_error_page_of_an_operator_opens_nothing(start_gateway, echo,
                                                 authority, op, auth):
    gateway = start_gateway(server="""
        error_page 302 401 403 404 503 =200 /inside;
        recursive_error_pages on;""")
    host = "pages.test"
    auth.set("/deny", 401)
    gateway.apply(
        "pages", oidc.secret("pages-login", op.settings("es")),
        manifest.route(host, echo[0], name="pages",
                       tls=authority.issue(host),
                       annotations={"torii/oauth2": "pages-login"}),
        manifest.route("asked.test", echo[0], annotations=manifest.annotate(
            {"auth-url": auth.url("/deny")})))

    for headers in (PAGE, API):
        answer = oidc.Browser(gateway).open(
            f"https://{host}:{gateway.tls}/inside", headers=headers)
        assert not reached(answer.body)
        assert answer.status in (302, 401, 503)

    answer = gateway.get("/inside", "asked.test")
    assert not reached(answer.body)


# Several ways in

def test_list_of_the_unwanted_lets_nobody_in(gateway, site):
    url = site(annotations=manifest.annotate(
        {"satisfy": "any", "denylist-source-range": "10.0.0.0/8"}))
    host = host_of(url)
    assert gateway.get("/", host, tls=True, sni=host,
                       headers=API).status == 401


def test_whoever_enters_by_another_way_has_no_name(gateway, echo, authority,
                                                   auth):
    auth.set("/no", 403)
    host = "ways.test"
    gateway.apply(
        "ways", manifest.secret("ways-users",
                                {"auth": f"ali:{hashed('sha')}\n"}),
        manifest.route(host, echo[0], annotations=manifest.annotate({
            "auth-url": auth.url("/no"), "auth-response-headers": "X-Team",
            "auth-type": "basic", "auth-secret": "ways-users",
            "satisfy": "any"})))
    assert gateway.get("/", host, headers=ROOT).status == 403

    answer = gateway.get("/", host, headers=[*basic("ali"), *ROOT])
    assert answer.status == 200
    assert "root" not in str(answer.echo["headers"])

    host = "list.test"
    gateway.serve(host, echo[0], annotations=manifest.annotate({
        "auth-url": auth.url("/no"), "auth-response-headers": "X-Team",
        "satisfy": "any", "whitelist-source-range": "127.0.0.0/8"}))
    answer = gateway.get("/", host, headers=ROOT)
    assert answer.status == 200
    assert "root" not in str(answer.echo["headers"])


def test_preflight_that_torii_answers_reaches_nobody(gateway, site):
    host = "cors.test"
    site(host=host, name="cors",
         annotations=manifest.annotate({"enable-cors": "true"}))
    more = ("Origin: https://x.test\r\n"
            "Access-Control-Request-Method: DELETE\r\n")
    answer = raw(gateway, host, asked("/x", host, "OPTIONS", more))
    assert b" 204 " in answer.splitlines()[0]
    assert not reached(answer)
    assert not reached(raw(gateway, host, asked("/x", host, "GET", more)))


# Who somebody is

@pytest.mark.parametrize("more", [
    {"headers": [("Connection", "x-auth-request-user, x-forwarded-user")]},
    {"headers": ROOT},
    {"headers": [("X-Auth-Request-User", "")] * 40},
    {"headers": [("X-Auth-Request-User ", "root")]},
], ids=["hop by hop", "spellings", "many", "blank"])
@pytest.mark.parametrize("h2", [False, True])
def test_name_is_that_of_the_session(gateway, site, enter, more, h2):
    url = site(host="names.test", name="names",
               annotations=manifest.annotate({
                   "auth-response-headers":
                   "X-Auth-Request-User, X-Team"}))
    line = enter(gateway, url).jar.line("names.test", "/")
    try:
        answer = gateway.get("/", "names.test", tls=True, h2=h2,
                             sni="names.test",
                             headers=[*more["headers"], ("Cookie", line)])
    except client.Http2Reset:
        return

    if answer.status == 200:
        assert answer.echo.all("x-auth-request-user") == ["alice"]
        assert "root" not in str(answer.echo["headers"])
    else:
        assert answer.status == 400


def test_trailers_are_no_headers(gateway, site, enter):
    url = site(host="names.test", name="names")
    line = enter(gateway, url).jar.line("names.test", "/")
    answer = raw(gateway, "names.test", asked(
        "/", "names.test", "POST", f"Cookie: {line}\r\n"
        "Transfer-Encoding: chunked\r\nTrailer: X-Auth-Request-User\r\n")
        + b"1\r\nx\r\n0\r\nX-Auth-Request-User: root\r\n\r\n")
    assert reached(answer)
    assert b"root" not in answer


# Cookies

def test_many_and_long_cookies(gateway, site, enter):
    host = "jar.test"
    url = site(host=host, name="jar")
    browser = enter(gateway, url)
    name, = browser.jar.names(host)
    value, _ = browser.jar.cookies[host, "/", name]

    for line, status in [
            ("; ".join(f"c{i}={i}" for i in range(1500))
             + f"; {name}={value}", 200),
            ("x=" + "y" * 20000 + f"; {name}={value}", 200),
            (f"{name}={value}; " * 40, 401),
            (f"{name}=; " * 900 + f"{name}={value}", 401),
            (f"{name}.1=x; {name}.2=y; {name}.3=z; {name}={value}", None),
            (";" * 10000 + f"{name}={value}", 200),
            (f"{name}", 401), (f"={value}", 401), (f"{name}={name}={value}",
                                                   401),
            (f'{name}="{value}"', None), (f"{name.upper()}={value}", 401)]:
        answer = gateway.get("/", host, tls=True, sni=host,
                             headers=[*API, ("Cookie", line)])
        assert answer.status in (status or 200, status or 401), line[:80]
        if answer.status == 200:
            assert value not in str(answer.echo["headers"])


def test_cookies_in_many_fields(gateway, site, enter):
    host = "jar.test"
    url = site(host=host, name="jar")
    line = enter(gateway, url).jar.line(host, "/")
    cookies = [("cookie", f"c{i}={i}") for i in range(50)]
    with client.Http2(gateway.connect(tls=True, sni=host,
                                      alpn=["h2"])) as c:
        answer = c.request("GET", "/", host=host, headers=[
            *cookies[:25], ("cookie", line), *cookies[25:]])
    assert answer.status == 200
    assert line not in str(answer.echo["headers"])
    assert "c0=0" in answer.echo.all("cookie")[0]


# Framing

@pytest.mark.parametrize("more, body", [
    ("Content-Length: %d\r\n", b"GET /public/smuggled HTTP/1.1\r\n"
                               b"Host: frames.test\r\n\r\n"),
    ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
     b"0\r\n\r\nGET /public/smuggled HTTP/1.1\r\nHost: frames.test\r\n\r\n"),
    ("Transfer-Encoding: xchunked\r\n",
     b"0\r\n\r\nGET /public/smuggled HTTP/1.1\r\nHost: frames.test\r\n\r\n"),
    ("Transfer-Encoding : chunked\r\n",
     b"0\r\n\r\nGET /public/smuggled HTTP/1.1\r\nHost: frames.test\r\n\r\n"),
    ("Content-Length: 0\r\nContent-Length: 60\r\n",
     b"GET /public/smuggled HTTP/1.1\r\nHost: frames.test\r\n\r\n"),
])
def test_body_of_a_refused_request_is_no_request(gateway, site, more, body):
    host = "frames.test"
    site(host=host, name="frames", skip_auth_route="^/public/.*$")
    head = (f"POST /closed HTTP/1.1\r\nHost: {host}\r\n"
            + (more % len(body) if "%d" in more else more) + "\r\n")
    answer = raw(gateway, host, head.encode() + body)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert not reached(answer)


# Redirects of a route

@pytest.mark.parametrize("short, target", [
    ({"app-root": "/inside"}, "/inside"),
    ({"rewrite-target": "/public/$1"}, "/inside"),
    ({"rewrite-target": "/oauth2/auth"}, "/inside"),
    ({"rewrite-target": "https://x.test/y"}, None),
    ({"permanent-redirect": "https://x.test/"}, None),
    ({"upstream-vhost": "other"}, "/inside"),
    ({"use-regex": "true"}, "/inside"),
    ({"x-forwarded-prefix": "/public"}, "/inside"),
    ({"ssl-redirect": "false"}, "/inside"),
    ({"backend-protocol": "GRPC"}, "/inside"),
    ({"preserve-trailing-slash": "true"}, "/inside"),
])
def test_other_annotations_beside_a_login(gateway, site, short, target):
    url = site(skip_auth_route="^/public/.*$",
               annotations=manifest.annotate(short))
    host = host_of(url)
    answer = gateway.get(target or "/", host, tls=True, sni=host, headers=API)
    assert not reached(answer.body)
    assert answer.status in ((401,) if target else (301, 302, 401))
    if target:
        answer = gateway.get(target, host, headers=API)
        assert not reached(answer.body)


# Changes while somebody is asked

def test_route_that_is_closed_while_another_server_is_asked(
        gateway, echo, auth, site):
    auth.set("/hold", 200, hold=True)
    gateway.serve("change.test", echo[0], annotations=manifest.annotate(
        {"auth-url": auth.url("/hold")}))
    with gateway.connect() as sock:
        sock.sendall(asked("/", "change.test"))
        while not auth.waiting():
            pass
        gateway.serve("change.test", echo[0], annotations=manifest.annotate(
            {"auth-url": "no URL"}))
        gateway.reload()
        assert gateway.get("/", "change.test").status == 503
        auth.set("/hold", 403)
        auth.release()
        answer = client.read_all(sock)

    # judged by what was in force when it came
    assert answer.startswith(b"HTTP/1.1 200")


# Who is asked

def test_answer_for_one_path_is_none_for_another(start_gateway, echo, auth):
    gateway = start_gateway(workers=1)
    auth.set("/role", 200)
    auth.requests()
    docs = []
    for role in ("reader", "owner"):
        docs += [manifest.config_map(f"as-{role}", {"X-Role": role}),
                 manifest.route("role.test", echo[0], path_text=f"/{role}",
                                annotations=manifest.annotate({
                                    "auth-url": auth.url("/role"),
                                    "auth-cache-key": "$http_cookie",
                                    "auth-proxy-set-headers":
                                    f"default/as-{role}"}))]
    gateway.apply("roles", *docs)

    how = dict(headers=[("Cookie", "a=1")])
    for _ in range(3):
        assert gateway.get("/reader", "role.test", **how).status == 200
    auth.set("/role", 403)
    assert gateway.get("/reader", "role.test", **how).status == 200
    assert gateway.get("/owner", "role.test", **how).status == 403
    assert [a["headers"]["x-role"] for a in auth.requests()] \
        == ["reader", "owner"]


def leads_home(name):
    try:
        found = socket.getaddrinfo(name, 80)
    except OSError:
        return False
    return all(at[4][0] == "::1" or at[4][0].startswith("127.")
               for at in found)


def test_name_that_leads_to_this_machine_is_not_asked(start, echo, auth):
    name = next(n for n in (socket.gethostname(), "ip6-localhost",
                            "ip6-loopback") if leads_home(n))
    gateway = start()
    auth.set("/home", 200)
    auth.requests()
    for host, at in (("name.test", name), ("word.test", "localhost"),
                     ("number.test", "127.0.0.1")):
        gateway.serve(host, echo[0], annotations=manifest.annotate(
            {"auth-url": f"http://{at}:{auth.port}/home"}))
        assert gateway.get("/", host).status == 503
    assert auth.requests() == []
    gateway.expect("address of this machine|no answer of the server")
    gateway.wait_log("has an address of this machine or its link")
