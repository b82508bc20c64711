"""
Annotations, one by one, through real requests: what a good value does, what is
in force without one, and what follows from a bad one.
"""

import itertools
import socket
import threading

import pytest

import certificate
import manifest
import network
import nginx
import peer


SOURCES = ("manifests", "kubernetes")
GATEWAY = dict(listen="""
        listen 127.0.0.1:@plain@;
        listen [::1]:@plain@;
        listen [::]:@tls@ ipv6only=off ssl http2;
        listen 127.0.0.1:@h2c@ http2;""")

NUMBERS = itertools.count(1)

DENIED = 503


class Route:
    """A host of its own that leads to addresses, with annotations."""

    def __init__(self, gateway, *addresses, **how):
        self.gateway = gateway
        self.name = f"r{next(NUMBERS)}"
        self.host = how.pop("host", f"{self.name}.example")
        gateway.serve(self.host, *addresses, name=self.name, **how)

    def request(self, method, target="/", **how):
        how.setdefault("host", self.host)
        return self.gateway.request(method, target, **how)

    def get(self, target="/", **how):
        return self.request("GET", target, **how)

    def told(self, annotation):
        """Severity and reason of what was found about an annotation."""
        wanted = annotation.replace("_", "-")
        for found in self.gateway.findings():
            if (found["object"]["name"] == self.name
                    and found["field"].rpartition("/")[2] == wanted):
                return found["severity"], found["reason"]
        return None


INVALID = ("warning", "InvalidAnnotation")
REFUSED = ("error", "InvalidAnnotation")


@pytest.fixture
def serve(gateway, echo):
    """serve(proxy_body_size="1k"): a Route to the echo backend, or to the
    addresses that are given."""
    def route(*addresses, **how):
        return Route(gateway, *(addresses or (echo[0],)), **how)
    return route


@pytest.fixture(scope="module")
def pair(authority):
    return authority.issue("*.example")


# Rewriting

@pytest.mark.parametrize("path, value, asked, seen", [
    ("/foo", "/bar", "/foo", "/bar"),
    ("/foo", "/bar", "/foo/x?y=1", "/bar?y=1"),
    ("/foo", "/", "/foo/x", "/"),
    ("/(.*)", "/$1", "/a/b", "/a/b"),
    ("/x(/|$)(.*)", "/$2", "/x", "/"),
    ("/x(/|$)(.*)", "/$2", "/x/a/b?c", "/a/b?c"),
    ("/x/?(.*)", "/admin/$1", "/X/y", "/admin/y"),
    ("/cap/(.*)", "/x/$1", "/cap/a%20b//c?z=2", "/x/a%20b/c?z=2"),
    ("/cap/(.*)", "/x/$1", "/cap/x%2Fy", "/x/x/y"),
    ("/(a)(b)(c)(d)(e)(f)(g)(h)(i)", "/$9$8$1", "/abcdefghi", "/iha"),
    ("/(.*)", "/VirtualHostBase/https/a.example:443/site/VirtualHostRoot/$1",
     "/b", "/VirtualHostBase/https/a.example:443/site/VirtualHostRoot/b"),
    ("/", "/", "/same//x", "/same//x"),
    ("/same/", "/same/", "/same//x", "/same//x"),
])
def test_rewrite_target(serve, path, value, asked, seen):
    route = serve(path_text=path, type="ImplementationSpecific",
                  use_regex=str("(" in path).lower(), rewrite_target=value)

    assert route.get(asked).echo["target"] == seen


def test_rewrite_target_that_is_a_url_redirects(serve):
    route = serve(path_text="/old/(.*)", type="ImplementationSpecific",
                  use_regex="true", rewrite_target="https://new.example/$1")

    answer = route.get("/old/a")

    assert answer.status == 302
    assert answer.location == "https://new.example/a"


@pytest.mark.parametrize("value", ["/a b", "/$x", "/$0", "/a?b=c", "x/$1",
                                   "/a;b", "/{a}", "/ä"])
def test_bad_rewrite_target_rewrites_nothing(serve, value):
    route = serve(rewrite_target=value)

    assert route.get("/a//b").echo["target"] == "/a//b"
    assert route.told("rewrite-target") == INVALID


@pytest.mark.parametrize("value, status", [
    ("true", 200), ("T", 200), ("1", 200), ("false", 404), ("yes", 404),
    (None, 404)])
def test_use_regex(serve, value, status):
    route = serve(path_text="/id/[0-9]+", type="ImplementationSpecific",
                  use_regex=value)

    assert route.get("/ID/12a").status == status
    assert route.told("use-regex") == (INVALID if value == "yes" else None)


def test_app_root(serve):
    route = serve(app_root="/app/start", tls=None)

    answers = [route.get("/?a=b"), route.get("/", host=route.host + ":8080"),
               route.get("/", tls=True)]

    assert [a.status for a in answers] == [302] * 3
    assert [a.location for a in answers] == [
        f"http://{route.host}/app/start",
        f"http://{route.host}:8080/app/start",
        f"https://{route.host}/app/start"]
    assert route.get("/x").status == 200


@pytest.mark.parametrize("value", ["http://evil.example/", "app", "/a b"])
def test_bad_app_root_redirects_nothing(serve, value):
    route = serve(app_root=value)

    assert route.get("/").status == 200
    assert route.told("app-root") == INVALID


def test_server_alias(serve, echo):
    taken = serve(echo[1])
    route = serve(server_alias=r"Other.test, *.wild.test,~^re\d+\.test$,"
                               f"bad name,{taken.host}")

    names = {host: route.get("/", host=host).status
             for host in ("other.test", "a.wild.test", "re12.test",
                          "wild.test", "a.b.wild.test", "rex.test")}

    assert names == {"other.test": 200, "a.wild.test": 200, "re12.test": 200,
                     "wild.test": 404, "a.b.wild.test": 404, "rex.test": 404}
    assert taken.get("/").echo["name"] == "http1"
    assert route.told("server-alias") is not None


@pytest.mark.parametrize("value", ["inner.example", "inner.example:8080"])
def test_upstream_vhost(serve, value):
    route = serve(upstream_vhost=value)

    seen = route.get("/").echo

    assert seen.header("Host") == value
    assert seen.header("X-Forwarded-Host") == route.host


def test_upstream_vhost_with_variables(serve):
    route = serve(upstream_vhost="$service_name.$namespace.svc.cluster.local:"
                                 "$service_port")

    assert route.get("/").echo.header("Host") == (
        f"{route.name}.default.svc.cluster.local:80")


@pytest.mark.parametrize("value", ["a b", "$host", "https://a.example",
                                   "a\r\nX-Evil: 1"])
def test_bad_upstream_vhost_leaves_the_clients_host(serve, value):
    route = serve(upstream_vhost=value)

    seen = route.get("/").echo

    assert seen.header("Host") == route.host
    assert seen.header("X-Evil") is None
    assert route.told("upstream-vhost") == INVALID


def test_x_forwarded_prefix_goes_with_a_rewrite_only(serve):
    rewritten = serve(path_text="/a", rewrite_target="/",
                      x_forwarded_prefix="/a")
    plain = serve(x_forwarded_prefix="/a")

    assert rewritten.get("/a").echo.header("X-Forwarded-Prefix") == "/a"
    assert plain.get("/").echo.header("X-Forwarded-Prefix") is None
    assert plain.told("x-forwarded-prefix") == ("info", "NoEffect")


def test_bad_x_forwarded_prefix_is_not_sent(serve):
    route = serve(path_text="/a", rewrite_target="/",
                  x_forwarded_prefix="/a;b")

    assert route.get("/a").echo.header("X-Forwarded-Prefix") is None
    assert route.told("x-forwarded-prefix") == INVALID


@pytest.mark.parametrize("value, logged", [("true", True), ("false", False),
                                           (None, False), ("on", False)])
def test_enable_rewrite_log(serve, gateway, value, logged):
    route = serve(path_text="/a", rewrite_target="/rewritten",
                  enable_rewrite_log=value)
    since = len(gateway.log())

    route.get("/a")

    assert ("/rewritten" in gateway.log()[since:]) == logged


def test_rewrite_log_takes_no_line_breaks_from_clients(serve, gateway):
    route = serve(path_text="/a([^/]*.*)", use_regex="true",
                  type="ImplementationSpecific", rewrite_target="/b$1",
                  enable_rewrite_log="true")
    since = len(gateway.log())

    assert route.get("/a%0A2026/01/01%20[word]%1B%22x%C3%BC").status == 200

    written = gateway.log()[since:]
    line, = [x for x in written.splitlines() if "is rewritten to" in x]
    assert '"/a%0A2026/01/01%20[word]%1B%22x%C3%BC" is rewritten to ' \
           '"/b%0A2026/01/01%20[word]%1B%22x%C3%BC"' in line
    assert "\x1b" not in written


@pytest.mark.parametrize("value, name", [
    ("true", "http1"), ("false", "http0"), ("yes", "http0"), (None, "http0")])
def test_service_upstream(gateway, echo, value, name):
    number = next(NUMBERS)
    gateway.apply(f"cluster-{number}", [
        manifest.service(f"cluster-{number}", echo[1].port, target=80,
                         cluster_ip=network.POD),
        manifest.endpoint_slice(f"cluster-{number}", [echo[0].host],
                                echo[0].port),
        manifest.ingress(f"cluster-{number}", manifest.rule(
            f"cluster-{number}.example", manifest.path(
                "/", f"cluster-{number}", echo[1].port)),
            service_upstream=value)])

    seen = gateway.get("/", host=f"cluster-{number}.example").echo

    assert seen["name"] == name


# Redirects

@pytest.mark.parametrize("short, location", [
    ({}, "https://HOST/a"),
    (dict(ssl_redirect="true"), "https://HOST/a"),
    (dict(ssl_redirect="yes"), "https://HOST/a"),
    (dict(ssl_redirect="false"), None),
    (dict(ssl_redirect="false", force_ssl_redirect="true"), "https://HOST/a"),
    (dict(ssl_redirect="false", force_ssl_redirect="on"), None),
    (dict(preserve_trailing_slash="true"), "https://HOST/a/"),
    (dict(preserve_trailing_slash="on"), "https://HOST/a"),
    (dict(use_port_in_redirects="true"), "https://HOST:PORT/a"),
    (dict(use_port_in_redirects="on"), "https://HOST/a"),
])
def test_redirect_to_https_of_a_host_with_tls(serve, pair, short, location):
    route = serve(tls=pair, **short)

    answer = route.get("/a/", host=route.host + ":8080")

    assert answer.status == (308 if location else 200)
    assert answer.location == (location and location.replace(
        "HOST", route.host).replace("PORT", str(route.gateway.tls)))
    assert answer.header("Strict-Transport-Security") is None
    assert route.get("/a/", tls=True).status == 200


@pytest.mark.parametrize("asked, location", [
    ("/", ""), ("/a?b=c", "/a?b=c"), ("/a/?x=/", "/a/?x="),
    ("/a/%2F//..%2f?%20", "/a/%2F//..%2f?%20")])
def test_redirect_to_https_keeps_the_target_but_its_last_slash(
        serve, pair, asked, location):
    route = serve(tls=pair)

    assert route.get(asked).location == f"https://{route.host}{location}"


@pytest.mark.parametrize("value, status", [
    (None, 200), ("false", 200), ("true", 308), ("TRUE", 308), ("on", 200)])
def test_force_ssl_redirect_of_a_host_without_tls(serve, value, status):
    route = serve(force_ssl_redirect=value)

    assert route.get("/").status == status
    assert route.told("force-ssl-redirect") == (INVALID if value == "on"
                                                else None)


def test_challenges_are_not_redirected_to_https(serve, pair):
    challenge = "/.well-known/acme-challenge/token"
    route = serve(tls=pair, path_text=challenge, type="Exact",
                  force_ssl_redirect="true")

    assert route.get(challenge).status == 200


@pytest.mark.parametrize("short, location", [
    ({}, "http://HOST/new?a=b"),
    (dict(relative_redirects="true"), "/new?a=b"),
    (dict(relative_redirects="yes"), "http://HOST/new?a=b"),
    (dict(use_port_in_redirects="true"), "http://HOST:PORT/new?a=b"),
])
def test_redirect_to_a_path(serve, short, location):
    route = serve(permanent_redirect="/new?a=b", **short)

    answer = route.get("/old?c=d")

    assert answer.status == 301
    assert answer.location == location.replace("HOST", route.host).replace(
        "PORT", str(route.gateway.plain))


@pytest.mark.parametrize("short, location", [
    ({}, "http://HOST/a/"),
    (dict(relative_redirects="true"), "/a/"),
    (dict(use_port_in_redirects="true"), "http://HOST:PORT/a/"),
])
def test_redirect_to_the_slash_that_is_missing(serve, short, location):
    route = serve(path_text="/a/", **short)

    answer = route.get("/a", host=route.host + ":8080")

    assert answer.status == 301
    assert answer.location == location.replace("HOST", route.host).replace(
        "PORT", str(route.gateway.plain))


@pytest.mark.parametrize("short, status, location", [
    (dict(permanent_redirect="https://new.example/a?b=c"),
     301, "https://new.example/a?b=c"),
    (dict(permanent_redirect="https://new.example",
          permanent_redirect_code="308"), 308, "https://new.example"),
    (dict(permanent_redirect="https://new.example",
          permanent_redirect_code="299"), 301, "https://new.example"),
    (dict(permanent_redirect="https://new.example",
          permanent_redirect_code="309"), 301, "https://new.example"),
    (dict(permanent_redirect="https://new.example",
          permanent_redirect_code="abc"), 301, "https://new.example"),
    (dict(temporal_redirect="https://soon.example/"),
     302, "https://soon.example/"),
    (dict(temporal_redirect="https://soon.example",
          temporal_redirect_code="307"), 307, "https://soon.example"),
    (dict(temporal_redirect="https://soon.example",
          temporal_redirect_code="308"), 302, "https://soon.example"),
    (dict(permanent_redirect="https://new.example",
          temporal_redirect="https://soon.example"),
     302, "https://soon.example"),
])
def test_redirect_of_all_requests(serve, echo, short, status, location):
    route = serve(**short)

    for method in ("GET", "POST"):
        answer = route.request(method, "/x?y=z")
        assert (answer.status, answer.location) == (status, location)

    assert echo.count(echo[0]) == 0


@pytest.mark.parametrize("name", ["permanent-redirect", "temporal-redirect"])
@pytest.mark.parametrize("value", ["new.example", "javascript:alert(1)",
                                   "https://a\r\nSet-Cookie: a=b",
                                   "https://a\nb", "ftp://a"])
def test_bad_redirect_redirects_nothing(serve, name, value):
    route = serve(**{name.replace("-", "_"): value})

    answer = route.get("/")

    assert (answer.status, answer.header("Set-Cookie")) == (200, None)
    assert route.told(name) == INVALID


def test_redirects_come_before_https(serve, pair):
    route = serve(tls=pair, permanent_redirect="https://new.example")

    assert route.get("/").location == "https://new.example"


def test_from_to_www_redirect(serve, pair):
    host = f"r{next(NUMBERS)}.test"
    bare = serve(host=host, from_to_www_redirect="true")
    www = serve(host=f"www.x{host}", from_to_www_redirect="true")

    there = bare.get("/a/b/?c", host=f"www.{host}")
    back = www.get("/", host=f"x{host}", tls=True)

    assert there.status == back.status == 308
    assert there.location == f"http://{host}:{bare.gateway.plain}/a/b/?c"
    assert back.location == f"https://www.x{host}:443"
    assert bare.get("/").status == www.get("/").status == 200


@pytest.mark.parametrize("value, status", [
    (None, 404), ("false", 404), ("yes", 404)])
def test_no_from_to_www_redirect(serve, value, status):
    host = f"r{next(NUMBERS)}.test"
    route = serve(host=host, from_to_www_redirect=value)

    assert route.get("/", host=f"www.{host}").status == status


def test_from_to_www_redirect_leaves_a_served_sibling_alone(serve, echo):
    host = f"r{next(NUMBERS)}.test"
    serve(echo[1], host=f"www.{host}")
    route = serve(host=host, from_to_www_redirect="true")

    assert route.get("/", host=f"www.{host}").echo["name"] == "http1"


# Backend protocol

@pytest.mark.parametrize("value", ["HTTPS", "https"])
def test_backend_protocol_https(serve, echo, value):
    route = serve(echo.https, backend_protocol=value)

    assert route.get("/").echo["tls"]["protocol"].startswith("TLSv1")
    assert route.told("backend-protocol") is None


@pytest.mark.parametrize("value", [None, "HTTP", "http", "h2c", "AUTO_HTTP"])
def test_backend_protocol_http(serve, value):
    route = serve(backend_protocol=value)

    assert route.get("/").echo["tls"] is None
    assert route.told("backend-protocol") == (INVALID if value == "h2c"
                                              else None)


def test_backend_protocol_auto_http_is_the_clients(serve, echo):
    plain = serve(backend_protocol="AUTO_HTTP")
    secure = serve(echo.https, backend_protocol="auto_http")

    assert plain.get("/").echo["tls"] is None
    assert secure.get("/", tls=True).echo["tls"]
    assert plain.get("/", tls=True).status == 502


@pytest.mark.parametrize("value", ["GRPC", "grpc", "GRPCS"])
def test_backend_protocol_grpc(serve, argo, streams, gateway, value):
    route = serve(argo.grpcs if value == "GRPCS" else argo.address,
                  backend_protocol=value)

    answer = streams.call(method="get", wish=dict(text="a"), tls=False,
                          host=route.host, port=gateway.h2c)

    assert (answer["code"], answer["replies"][0]["text"]) == (0, "a")


@pytest.mark.parametrize("name, code", [
    ("backend.example", 0), ("other.example", 14)])
def test_backend_of_grpcs_is_verified(serve, argo, streams, gateway,
                                      client_secret, name, code):
    route = serve(argo.grpcs, backend_protocol="GRPCS",
                  proxy_ssl_secret=client_secret, proxy_ssl_verify="on",
                  proxy_ssl_name=name)

    answer = streams.call(method="get", wish=dict(text="a"), tls=False,
                          host=route.host, port=gateway.h2c)

    assert answer["code"] == code


def params(answer):
    assert answer.status == 200, answer
    return answer.json()["params"]


def test_backend_protocol_fcgi(serve, fastcgi):
    route = serve(fastcgi.address, backend_protocol="FCGI")

    answer = route.request("POST", "/a/b.php?c=d", body=b"x" * 100000,
                           x_word="1")
    seen = params(answer)

    assert answer.json()["length"] == 100000
    assert seen["REQUEST_METHOD"] == "POST"
    assert seen["REQUEST_URI"] == "/a/b.php?c=d"
    assert seen["SCRIPT_NAME"] == "/a/b.php"
    assert seen["QUERY_STRING"] == "c=d"
    assert seen["CONTENT_LENGTH"] == "100000"
    assert seen["HTTP_X_WORD"] == "1"
    assert seen["HTTP_HOST"] == route.host
    assert seen["REMOTE_ADDR"] == "127.0.0.1"


@pytest.mark.parametrize("value, name", [
    ("index.php", "/a/index.php"), (None, "/a/"), ("a/b", "/a/"),
    ("a;b", "/a/")])
def test_fastcgi_index(serve, fastcgi, value, name):
    route = serve(fastcgi.address, backend_protocol="FCGI",
                  fastcgi_index=value)

    assert params(route.get("/a/"))["SCRIPT_NAME"] == name


def test_fastcgi_params_configmap(serve, gateway, fastcgi):
    gateway.apply("fcgi", manifest.config_map("fcgi", {
        "SCRIPT_FILENAME": "/srv/www$fastcgi_script_name",
        "REMOTE_ADDR": "10.0.0.1", "EXTRA": "${request_method}-x"}))
    route = serve(fastcgi.address, backend_protocol="FCGI",
                  fastcgi_params_configmap="default/fcgi")

    seen = params(route.get("/a.php"))

    assert seen["SCRIPT_FILENAME"] == "/srv/www/a.php"
    assert seen["REMOTE_ADDR"] == "10.0.0.1"
    assert seen["EXTRA"] == "GET-x"
    assert seen["REQUEST_URI"] == "/a.php"

    gateway.apply("fcgi", manifest.config_map("fcgi", {"EXTRA": "new"}))

    assert params(route.get("/a.php"))["EXTRA"] == "new"


@pytest.mark.parametrize("value", ["default/missing", "other/fcgi", "a b", "",
                                   "default/bad"])
def test_fastcgi_params_that_cannot_be_had_deny(serve, gateway, fastcgi,
                                                value):
    gateway.apply("fcgi", manifest.config_map("bad", {"A": "a;b"}))
    route = serve(fastcgi.address, backend_protocol="FCGI",
                  fastcgi_params_configmap=value)

    assert route.get("/").status == DENIED
    assert route.told("fastcgi-params-configmap")[0] == "error"


@pytest.mark.parametrize("value, version", [
    (None, "1.1"), ("1.1", "1.1"), ("1.0", "1.0"), ("2", "1.1"),
    ("1", "1.1")])
def test_proxy_http_version(serve, value, version):
    route = serve(proxy_http_version=value)

    assert route.get("/").echo["version"] == version
    assert (route.told("proxy-http-version") == INVALID) == (
        value in ("2", "1"))


@pytest.mark.parametrize("value, sent", [
    (None, None), ("close", "close"), ("keep-alive", "keep-alive"),
    ("upgrade", None)])
def test_connection_proxy_header(serve, value, sent):
    route = serve(connection_proxy_header=value)

    assert route.get("/").echo.header("Connection") == sent
    assert route.told("connection-proxy-header") == (
        INVALID if value == "upgrade" else None)


# TLS to the backend

@pytest.fixture(scope="module")
def client_secret(gateway, authority):
    gateway.apply("client", manifest.tls_secret(
        "client", authority.issue("client", client=True), ca=authority.pem))
    return "default/client"


def test_proxy_ssl_secret_is_shown_to_the_backend(serve, gateway, echo,
                                                  client_secret):
    gateway.expect("alert certificate required")
    known = serve(echo.mtls, backend_protocol="HTTPS",
                  proxy_ssl_secret=client_secret)
    unknown = serve(echo.mtls, backend_protocol="HTTPS")

    assert known.get("/").echo["tls"]["client"] == "client"
    assert unknown.get("/").status == 502


@pytest.mark.parametrize("short, status", [
    (dict(proxy_ssl_verify="on", proxy_ssl_name="backend.example"), 200),
    (dict(proxy_ssl_verify="on", proxy_ssl_name="other.example"), 502),
    (dict(proxy_ssl_verify="off", proxy_ssl_name="other.example"), 200),
    (dict(proxy_ssl_verify="on", proxy_ssl_name="backend.example",
          proxy_ssl_server_name="on", proxy_ssl_verify_depth="2",
          proxy_ssl_protocols="TLSv1.2 TLSv1.3",
          proxy_ssl_ciphers="HIGH:!aNULL"), 200),
])
def test_proxy_ssl_verify(serve, echo, client_secret, short, status):
    route = serve(echo.https, backend_protocol="HTTPS",
                  proxy_ssl_secret=client_secret, **short)

    assert route.get("/").status == status


@pytest.mark.parametrize("value, protocol", [
    (None, "TLSv1.2"), ("TLSv1.2", "TLSv1.2"), ("TLSv1.3", "TLSv1.3"),
    ("TLSv1.2 TLSv1.3", "TLSv1.3")])
def test_proxy_ssl_protocols(serve, echo, client_secret, value, protocol):
    route = serve(echo.https, backend_protocol="HTTPS",
                  proxy_ssl_secret=client_secret, proxy_ssl_protocols=value)

    assert route.get("/").echo["tls"]["protocol"] == protocol


@pytest.mark.parametrize("value, sni", [
    (None, None), ("off", None), ("on", "backend.example"), ("true", None)])
def test_proxy_ssl_server_name(serve, echo, client_secret, value, sni):
    route = serve(echo.https, backend_protocol="HTTPS",
                  proxy_ssl_secret=client_secret,
                  proxy_ssl_name="backend.example",
                  proxy_ssl_server_name=value)

    assert route.get("/").echo["tls"]["sni"] == sni
    assert route.told("proxy-ssl-server-name") == (
        INVALID if value == "true" else None)


@pytest.mark.parametrize("depth, status", [
    (None, 502), ("0", 502), ("1", 502), ("2", 200)])
def test_proxy_ssl_verify_depth(serve, gateway, start_nginx, depth, status):
    root = certificate.Authority("Root")
    middle = certificate.Authority("Middle", parent=root)
    low = certificate.Authority("Low", parent=middle)
    cert, key = low.issue("deep.example").files()
    deep = start_nginx(f"""server {{ listen {network.POD}:@tls@ ssl; return 200;
        ssl_certificate {cert}; ssl_certificate_key {key}; }}""")
    gateway.apply("deep", manifest.secret("deep", {"ca.crt": root.pem}))

    route = serve(manifest.Address(network.POD, deep.tls),
                  backend_protocol="HTTPS", proxy_ssl_secret="default/deep",
                  proxy_ssl_verify="on", proxy_ssl_name="deep.example",
                  proxy_ssl_verify_depth=depth)

    assert route.get("/").status == status


@pytest.mark.parametrize("name, value", [
    ("proxy-ssl-secret", "client"), ("proxy-ssl-secret", "other/client"),
    ("proxy-ssl-secret", "default/missing"), ("proxy-ssl-secret", ""),
    ("proxy-ssl-verify", "true"), ("proxy-ssl-verify-depth", "-1"),
    ("proxy-ssl-verify-depth", "deep"), ("proxy-ssl-name", "a:1"),
    ("proxy-ssl-name", "a b"), ("proxy-ssl-ciphers", "A;B"),
    ("proxy-ssl-protocols", "TLSv1.1"), ("proxy-ssl-protocols", "SSLv3"),
])
def test_bad_proxy_ssl_setting_denies(serve, echo, client_secret, name, value):
    short = dict(backend_protocol="HTTPS", proxy_ssl_secret=client_secret)
    short[name.replace("-", "_")] = value
    route = serve(echo.https, **short)

    assert route.get("/").status == DENIED
    assert route.told(name)[0] == "error"


# Buffers

@pytest.mark.parametrize("value, spilled", [
    (None, True), ("8k", True), ("64k", False), ("64K", False),
    ("1m", False), ("16m", False), ("64kb", True), ("-1", True),
    ("17m", True), ("1g", True)])
def test_client_body_buffer_size(serve, gateway, value, spilled):
    route = serve(client_body_buffer_size=value)
    since = len(gateway.log())

    answer = route.request("POST", body=b"x" * 20000)

    assert answer.echo["length"] == 20000
    assert ("request body is buffered to a temporary file"
            in gateway.log()[since:]) == spilled
    assert (route.told("client-body-buffer-size") == INVALID) == (
        value in ("64kb", "-1", "17m", "1g"))


class Flood:
    """A backend that sends so many bytes as fast as they are taken; sent tells
    that the last one was."""

    def __init__(self, size):
        self.size = size
        self.sent = threading.Event()
        self.server = socket.create_server((network.POD, 0))
        self.address = manifest.Address(*self.server.getsockname())
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        try:
            sock, _ = self.server.accept()
            with sock:
                sock.recv(65536)
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
                             % self.size + bytes(self.size))
                self.sent.set()
                sock.recv(1)
        except OSError:
            pass

    def stop(self):
        self.server.close()


@pytest.fixture
def flood():
    backend = Flood(32 << 20)
    yield backend
    backend.stop()


@pytest.mark.parametrize("short, ahead", [
    (dict(proxy_buffering="on"), True),
    (dict(proxy_buffering="on", proxy_max_temp_file_size="64m"), True),
    (dict(proxy_buffering="on", proxy_max_temp_file_size="big"), True),
    (dict(proxy_buffering="on", proxy_max_temp_file_size="0"), False),
    (dict(proxy_buffering="on", proxy_max_temp_file_size="1m"), False),
    (dict(proxy_buffering="off"), False),
    (dict(proxy_buffering="true"), False),
    (dict(), False),
])
def test_answer_is_read_ahead_of_a_slow_client(serve, gateway, flood, short,
                                               ahead):
    route = serve(flood.address, **short)

    with gateway.connect() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n"
                     % route.host.encode())

        assert flood.sent.wait(10 if ahead else 0.3) == ahead


@pytest.mark.parametrize("kind", [
    "text/event-stream", "Text/Event-Stream; charset=utf-8",
    "application/x-ndjson", "application/json;stream=watch",
    "multipart/x-mixed-replace; boundary=x"])
@pytest.mark.parametrize("length", [b"", b"Content-Length: 1000\r\n"],
                         ids=["close", "length"])
def test_stream_flows_at_once_whatever_is_buffered(serve, gateway, kind,
                                                   length):
    """The backend goes on when the client has what was sent before."""
    with socket.create_server((network.POD, 0)) as server:
        route = serve(manifest.Address(*server.getsockname()),
                      proxy_buffering="on")

        with gateway.connect() as reader:
            reader.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n"
                           % route.host.encode())
            backend, _ = server.accept()

            with backend:
                backend.recv(4096)
                backend.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%s"
                                b"\r\n" % (kind.encode(), length))
                for i in range(4):
                    event = b"data: event %d\n\n" % i
                    backend.sendall(event)
                    seen = b""
                    while event not in seen:
                        seen += reader.recv(4096)


@pytest.mark.parametrize("number, spilled", [
    (None, True), ("4", True), ("200", False), ("many", True)])
def test_proxy_buffers_number(serve, gateway, echo, number, spilled):
    """The answer fits into so many buffers, or goes to disk."""
    route = serve(proxy_buffering="on", proxy_buffer_size="64k",
                  proxy_buffers_number=number,
                  proxy_busy_buffers_size="128k")
    since = len(gateway.log())
    echo.set(echo[0], size=12 << 20)

    with gateway.connect() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
                     % route.host.encode())
        if spilled:
            gateway.wait_log("upstream response is buffered to a temporary",
                             since=since)
        while sock.recv(1 << 20):
            pass

    assert ("upstream response is buffered to a temporary"
            in gateway.log()[since:]) == spilled
    assert route.told("proxy-buffers-number") == (
        INVALID if number == "many" else None)


def test_buffers_of_one_response_are_bounded(serve, gateway):
    route = serve(proxy_buffering="on", proxy_buffer_size="1m",
                  proxy_buffers_number="1024")

    assert route.get("/").status == 200
    assert "more than 64 MB for a response; 64 is used" in gateway.wait_finding(
        object=route.name, field="proxy-buffers-number")["message"]


@pytest.mark.parametrize("value, status", [
    (None, 502), ("4k", 502), ("16k", 200), ("16K", 200), ("256k", 200),
    ("16kb", 502), ("1", 502), ("0", 502)])
def test_proxy_buffer_size_holds_the_headers_of_an_answer(serve, echo, value,
                                                          status):
    route = serve(proxy_buffer_size=value)
    echo.set(echo[0], headers={"X-Long": "x" * 8000})

    assert route.get("/").status == status
    assert (route.told("proxy-buffer-size") == INVALID) == (
        value in ("16kb", "1", "0"))


@pytest.mark.parametrize("value, told", [
    ("8k", False), ("12k", False), ("64k", True), ("1k", True),
    ("x", True)])
def test_proxy_busy_buffers_size_is_made_to_fit(serve, value, told):
    route = serve(proxy_buffering="on", proxy_busy_buffers_size=value)

    answer = route.get("/", echo=dict(size=1 << 20))

    assert (answer.status, len(answer.body)) == (200, 1 << 20)
    assert (route.told("proxy-busy-buffers-size") == INVALID) == told


@pytest.mark.parametrize("value, buffered", [
    (None, True), ("on", True), ("off", False), ("false", True)])
def test_proxy_request_buffering(serve, gateway, echo, value, buffered):
    """The backend hears of a request before its body is there, or after."""
    route = serve(proxy_request_buffering=value)

    with gateway.connect() as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 10\r\n"
                     b"X-Echo: {\"early\": true}\r\nConnection: close\r\n\r\n"
                     b"12345" % route.host.encode())
        if not buffered:
            nginx.wait_until(lambda: echo.count(echo[0]),
                             "the request without all of its body")
        else:
            gateway.get("/", host=route.host)
            assert echo.count(echo[0]) == 1
        sock.sendall(b"67890")
        assert sock.recv(4096).startswith(b"HTTP/1.1 200 ")


# Timeouts

@pytest.fixture
def silent():
    """A backend that never accepts: its queue of connections is full."""
    server = socket.create_server((network.POD, 0), backlog=0)
    waiting = []

    for _ in range(3):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(server.getsockname())
        waiting.append(sock)

    yield manifest.Address(*server.getsockname())

    for sock in [server, *waiting]:
        sock.close()


@pytest.fixture
def deaf():
    """A backend that accepts, and reads nothing."""
    server = socket.create_server((network.POD, 0))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    yield manifest.Address(*server.getsockname())
    server.close()


def test_proxy_connect_timeout(serve, silent):
    route = serve(silent, proxy_connect_timeout="1",
                  proxy_next_upstream="off")

    assert route.get("/").status == 504


def test_proxy_read_timeout(serve, deaf):
    route = serve(deaf, proxy_read_timeout="1", proxy_next_upstream="off")

    assert route.get("/").status == 504


def test_proxy_send_timeout(serve, deaf):
    route = serve(deaf, proxy_send_timeout="1", proxy_body_size="0",
                  proxy_next_upstream="off")

    assert route.request("POST", body=bytes(16 << 20)).status == 504


@pytest.mark.parametrize("name", ["proxy-connect-timeout",
                                  "proxy-read-timeout", "proxy-send-timeout"])
@pytest.mark.parametrize("value", ["60s", "0", "-1", "1.5", "1m", "x",
                                   "99999999999999999999"])
def test_bad_timeout_is_as_if_not_set(serve, name, value):
    route = serve(**{name.replace("-", "_"): value})

    assert route.get("/", echo=dict(delay=20)).status == 200
    assert route.told(name) == INVALID


@pytest.mark.parametrize("value", ["60", "480", "3600", "36000", "86400"])
def test_usual_timeouts_are_taken(serve, value):
    route = serve(proxy_connect_timeout=value, proxy_read_timeout=value,
                  proxy_send_timeout=value)

    assert route.get("/").status == 200
    assert not any(route.told(f"proxy-{name}-timeout")
                   for name in ("connect", "read", "send"))


# Retries

@pytest.mark.parametrize("value, status, requests", [
    ("http_500", 500, 3), ("http_502", 502, 3), ("http_503", 503, 3),
    ("http_504", 504, 3), ("http_403", 403, 3), ("http_404", 404, 3),
    ("http_429", 429, 3), ("error http_500 http_502", 502, 3),
    (None, 503, 1), ("error timeout", 500, 1), ("http_503 off", 503, 1),
    ("http_418", 418, 1), ("http_503,http_502", 503, 1)])
def test_proxy_next_upstream_of_a_single_endpoint(serve, echo, value, status,
                                                  requests):
    route = serve(proxy_next_upstream=value)
    echo.set(echo[0], status=status)

    assert route.get("/").status == status
    assert echo.count(echo[0]) == requests
    assert (route.told("proxy-next-upstream") == INVALID) == (
        value in ("http_418", "http_503,http_502"))


def test_answer_after_two_failures_is_the_clients(serve, echo):
    route = serve(proxy_next_upstream="http_503")
    echo.set(echo[0], status=503, delay=50)

    def repair():
        nginx.wait_until(lambda: echo.count(echo[0]) == 2, "a second request")
        echo.set(echo[0])

    thread = threading.Thread(target=repair)
    thread.start()
    answer = route.get("/")
    thread.join()

    assert answer.status == 200
    assert echo.count(echo[0]) == 3


def test_proxy_next_upstream_invalid_header(serve):
    backend = peer.RawBackend(reply=b"HTTP/1.1 200 OK\r\nA\0: b\r\n\r\n")
    once, thrice = (serve(backend.address, proxy_next_upstream=value)
                    for value in ("error", "error invalid_header"))

    statuses = [once.get("/").status]
    first = len(backend.requests)
    statuses.append(thrice.get("/").status)

    assert statuses == [502, 502]
    assert (first, len(backend.requests)) == (1, 4)
    backend.stop()


def test_proxy_next_upstream_timeout_of_all_tries(serve, echo):
    route = serve(proxy_next_upstream="http_503",
                  proxy_next_upstream_tries="0",
                  proxy_next_upstream_timeout="1")
    echo.set(echo[0], status=503, delay=1200)

    assert route.get("/").status == 503
    assert echo.count(echo[0]) == 1


def test_proxy_next_upstream_after_a_read_timeout(serve, echo):
    route = serve(proxy_read_timeout="1", proxy_next_upstream_tries="2")
    echo.set(echo[0], delay=4000)

    assert route.get("/").status == 504
    assert echo.count(echo[0]) == 2


@pytest.mark.parametrize("tries, requests", [
    (None, 3), ("1", 1), ("2", 2), ("-1", 3), ("x", 3)])
def test_proxy_next_upstream_tries(serve, echo, tries, requests):
    route = serve(proxy_next_upstream="http_503",
                  proxy_next_upstream_tries=tries)
    echo.set(echo[0], status=503)

    assert route.get("/").status == 503
    assert echo.count(echo[0]) == requests
    assert (route.told("proxy-next-upstream-tries") == INVALID) == (
        tries in ("-1", "x"))


@pytest.mark.parametrize("method, value, requests", [
    ("POST", "http_503", 1), ("POST", "http_503 non_idempotent", 3),
    ("PUT", "http_503", 3), ("PATCH", "http_503", 1),
    ("DELETE", "http_503", 3)])
def test_repeated_are_only_requests_that_may_be(serve, echo, method, value,
                                                requests):
    route = serve(proxy_next_upstream=value)
    echo.set(echo[0], status=503)

    assert route.request(method, body=b"x").status == 503
    assert echo.count(echo[0]) == requests


def test_body_sent_unbuffered_is_not_repeated(serve, echo):
    route = serve(proxy_next_upstream="http_503 non_idempotent",
                  proxy_request_buffering="off")
    echo.set(echo[0], status=503)

    assert route.request("PUT", body=b"x" * 100000).status == 503
    assert echo.count(echo[0]) == 1


# What backends say of themselves

@pytest.mark.parametrize("start, to, sent, seen", [
    ("http://inner.example/", "https://outer.example/",
     "http://inner.example/a?b=c", "https://outer.example/a?b=c"),
    ("http://inner.example/", "https://outer.example/",
     "http://other.example/", "http://other.example/"),
    ("/one/", "/two/", "/one/x", "http://HOST/two/x"),
    ("http://inner.example", "off", "http://inner.example/",
     "http://inner.example/"),
    ("off", "https://outer.example/", "http://inner.example/",
     "http://inner.example/"),
    ("default", "https://outer.example/", "http://inner.example/",
     "http://inner.example/"),
    (None, None, "/a", "/a"),
    ("~^http", "https", "http://inner.example/", "http://inner.example/"),
    ("$scheme", "https", "http://inner.example/", "http://inner.example/"),
])
def test_proxy_redirect(serve, start, to, sent, seen):
    route = serve(proxy_redirect_from=start, proxy_redirect_to=to)

    answer = route.get("/", echo=dict(status=302, headers={"Location": sent}))

    assert answer.status == 302
    assert answer.location == seen.replace("HOST", route.host)


def test_proxy_redirect_of_a_refresh(serve):
    route = serve(proxy_redirect_from="http://inner.example/",
                  proxy_redirect_to="https://outer.example/")

    answer = route.get("/", echo=dict(headers={
        "Refresh": "5; url=http://inner.example/a"}))

    assert answer.header("Refresh") == "5; url=https://outer.example/a"


@pytest.mark.parametrize("value, sent, seen", [
    ("inner.example outer.example", "a=b; Domain=inner.example; Path=/",
     "a=b; Domain=outer.example; Path=/"),
    ("inner.example outer.example", "a=b; domain=.Inner.Example; Secure",
     "a=b; domain=outer.example; Secure"),
    ("inner.example outer.example", "a=b; Domain=x.inner.example",
     "a=b; Domain=x.inner.example"),
    ("inner.example outer.example", "Domain=inner.example; Path=/",
     "Domain=inner.example; Path=/"),
    ("off", "a=b; Domain=inner.example", "a=b; Domain=inner.example"),
    (None, "a=b; Domain=inner.example", "a=b; Domain=inner.example"),
    ("one-word", "a=b; Domain=one-word", "a=b; Domain=one-word"),
    ("a b c", "a=b; Domain=a", "a=b; Domain=a"),
])
def test_proxy_cookie_domain(serve, value, sent, seen):
    route = serve(proxy_cookie_domain=value)

    answer = route.get("/", echo=dict(headers={"Set-Cookie": [sent, "c=d"]}))

    assert answer.all("Set-Cookie") == [seen, "c=d"]
    assert (route.told("proxy-cookie-domain") == INVALID) == (
        value in ("one-word", "a b c"))


@pytest.mark.parametrize("value, sent, seen", [
    ("/one/ /two/", "a=b; Path=/one/x; HttpOnly",
     "a=b; Path=/two/x; HttpOnly"),
    ("/one/ /", "a=b; path=/one/", "a=b; path=/"),
    ("/one/ /two/", "a=b; Path=/One/", "a=b; Path=/One/"),
    ("off", "a=b; Path=/one/", "a=b; Path=/one/"),
    ("/one/", "a=b; Path=/one/", "a=b; Path=/one/"),
])
def test_proxy_cookie_path(serve, value, sent, seen):
    route = serve(proxy_cookie_path=value)

    answer = route.get("/", echo=dict(headers={"Set-Cookie": sent}))

    assert answer.all("Set-Cookie") == [seen]
    assert (route.told("proxy-cookie-path") == INVALID) == (value == "/one/")


# CORS

ORIGIN = "https://app.example"
METHODS = "GET, PUT, POST, DELETE, PATCH, OPTIONS"
HEADERS = ("DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,"
           "Cache-Control,Content-Type,Range,Authorization")


def cors(answer):
    return {name.lower()[len("Access-Control-"):]: value
            for name, value in answer.headers
            if name.lower().startswith("access-control-")}


DEFAULTS = {"allow-origin": "*", "allow-credentials": "true",
            "allow-methods": METHODS, "allow-headers": HEADERS,
            "max-age": "1728000"}


@pytest.mark.parametrize("short, seen", [
    (dict(), {}),
    (dict(cors_max_age="60"), {"max-age": "60"}),
    (dict(cors_max_age="-1"), {}),
    (dict(cors_max_age="1h"), {}),
    (dict(cors_allow_methods="GET, OPTIONS"),
     {"allow-methods": "GET, OPTIONS"}),
    (dict(cors_allow_methods="PUT,GET,POST,OPTIONS"),
     {"allow-methods": "PUT,GET,POST,OPTIONS"}),
    (dict(cors_allow_methods="GET;POST"), {}),
    (dict(cors_allow_headers="X-One, X-Two"),
     {"allow-headers": "X-One, X-Two"}),
    (dict(cors_allow_headers="X:One"), {}),
    (dict(cors_expose_headers="X-One"), {"expose-headers": "X-One"}),
    (dict(cors_expose_headers="*"), {"expose-headers": "*"}),
    (dict(cors_expose_headers="X\r\nY: z"), {}),
    (dict(cors_allow_origin="*"), {}),
    (dict(cors_allow_origin=f"{ORIGIN},*"), {}),
    (dict(cors_allow_origin=ORIGIN), {"allow-origin": ORIGIN}),
    (dict(cors_allow_origin="https://*.example"), {"allow-origin": ORIGIN}),
    (dict(cors_allow_origin=f"nonsense, {ORIGIN},"),
     {"allow-origin": ORIGIN}),
    (dict(cors_allow_credentials="false"), {"allow-credentials": None}),
])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_cors(serve, echo, short, seen, method):
    route = serve(enable_cors="true", **short)
    wanted = {k: v for k, v in {**DEFAULTS, **seen}.items() if v}

    answer = route.request(method, "/", origin=ORIGIN, echo=dict(headers={
        "Access-Control-Allow-Origin": "https://evil.example",
        "Access-Control-Max-Age": "1"}))

    assert answer.status == (204 if method == "OPTIONS" else 200)
    assert cors(answer) == wanted
    assert len(answer.all("Access-Control-Allow-Origin")) == 1
    assert echo.count(echo[0]) == (method == "GET")


def test_preflight_says_no_more_than_needed(serve):
    route = serve(enable_cors="true")

    answer = route.request("OPTIONS", "/", origin=ORIGIN)

    assert answer.header("Content-Type") == "text/plain charset=UTF-8"
    assert answer.header("Content-Length") in (None, "0")
    assert answer.body == b""


@pytest.mark.parametrize("short, status", [
    (dict(), 204), (dict(force_ssl_redirect="true"), 204),
    (dict(permanent_redirect="https://new.example"), 204),
    (dict(allowlist_source_range="10.0.0.1"), 204),
    (dict(allowlist_source_range="nonsense"), DENIED),
    (dict(auth_url="https://auth.example"), 204)])
def test_preflight_comes_before_all_but_denial(serve, gateway, short, status):
    route = serve(enable_cors="true", **short)

    assert route.request("OPTIONS", "/", origin=ORIGIN).status == status
    assert route.request("OPTIONS", "/", origin=ORIGIN, h2=True,
                         port=gateway.h2c).status == status


@pytest.mark.parametrize("allowed, origin, matches", [
    ("https://app.example", "HTTPS://APP.example", True),
    ("https://app.example", "https://app.example.evil.example", False),
    ("https://app.example", "https://evil-app.example", False),
    ("https://app.example", "https://app.example:8443", False),
    ("https://app.example", "http://app.example", False),
    ("https://app.example", "https://app.example/", False),
    ("https://app.example:8443", "https://app.example:8443", True),
    ("https://app.example:8443", "https://app.example", False),
    ("https://*.app.example", "https://a.app.example", True),
    ("https://*.app.example", "https://app.example", False),
    ("https://*.app.example", "https://a.b.app.example", False),
    ("https://*.app.example", "https://a_b.app.example", False),
    ("https://*.app.example:8080", "https://x.app.example:8080", True),
    ("app://localhost", "app://localhost", True),
    ("null", "null", True),
    ("https://app.example", "null", False),
    ("https://app.example", "", False),
    ("https://a.example,https://b.example", "https://b.example", True),
    ("https://a.example,\n  https://b.example\n", "https://b.example", True),
])
def test_cors_origins(serve, echo, allowed, origin, matches):
    route = serve(enable_cors="true", cors_allow_origin=allowed)

    answer = route.get("/", origin=origin)
    preflight = route.request("OPTIONS", "/", origin=origin)

    assert cors(answer).get("allow-origin") == (origin if matches else None)
    assert preflight.status == (204 if matches else 200)
    assert bool(cors(preflight)) == matches


@pytest.mark.parametrize("value", ["nonsense", "https://a.example/", "",
                                   "https://*", "https://a.*.example",
                                   "https://*.*.example"])
def test_bad_list_of_origins_allows_none(serve, value):
    route = serve(enable_cors="true", cors_allow_origin=value)

    assert cors(route.get("/", origin="https://a.example")) == {}
    assert route.request("OPTIONS", "/", origin="https://a.example").echo
    assert route.told("cors-allow-origin")[0] == "error"


@pytest.mark.parametrize("value", [None, "false", "yes"])
def test_without_cors_the_backends_headers_stay(serve, value):
    route = serve(enable_cors=value, cors_allow_origin="*")

    answer = route.request("OPTIONS", "/", origin=ORIGIN, echo=dict(
        headers={"Access-Control-Allow-Origin": "https://own.example"}))

    assert cors(answer) == {"allow-origin": "https://own.example"}


@pytest.mark.parametrize("status", [401, 404, 500])
def test_cors_headers_stand_on_errors_too(serve, status):
    route = serve(enable_cors="true")

    answer = route.get("/", origin=ORIGIN, echo=dict(status=status))

    assert answer.status == status
    assert cors(answer) == DEFAULTS


def test_cors_headers_stand_on_errors_of_the_gateway(serve, echo):
    route = serve(enable_cors="true", cors_allow_origin=ORIGIN)
    echo.close(echo[0])

    answer = route.get("/", origin=ORIGIN)

    assert answer.status == 502
    assert cors(answer)["allow-origin"] == ORIGIN


def test_cors_of_any_origin_needs_no_origin(serve):
    route = serve(enable_cors="true")

    assert cors(route.get("/"))["allow-origin"] == "*"
    assert route.request("OPTIONS", "/").status == 204


# Access lists

@pytest.mark.parametrize("name", ["allowlist-source-range",
                                  "whitelist-source-range"])
@pytest.mark.parametrize("value, allowed", [
    ("127.0.0.9", True), ("127.0.0.8", False), ("127.0.0.0/29", False),
    ("127.0.0.8/29", True), ("0.0.0.0/0", True), ("::/0", False),
    ("10.0.0.0/8,172.16.0.0/12,192.168.0.0/16", False),
    ("10.0.0.0/8, 172.16.0.0/12,\n  192.168.0.0/16,\n127.0.0.0/8\n", True),
    ("10.0.0.0/8,,127.0.0.9,", True),
])
def test_allowlist(serve, name, value, allowed):
    route = serve(**{name.replace("-", "_"): value})

    answer = route.get("/", source="127.0.0.9")

    assert answer.status == (200 if allowed else 403)
    assert route.told(name) is None


@pytest.mark.parametrize("name", ["allowlist-source-range",
                                  "whitelist-source-range",
                                  "denylist-source-range"])
@pytest.mark.parametrize("value", ["", " ", ",", "localhost", "127.0.0.1/33",
                                   "127.0.0.1/-1", "127.0.0.256", "::1/129",
                                   "127.0.0.1;10.0.0.0/8", "all",
                                   "127.0.0.1 10.0.0.1", "127.1",
                                   "127.0.0.1/8/8"])
def test_bad_access_list_denies(serve, name, value):
    route = serve(**{name.replace("-", "_"): value})

    assert route.get("/").status == DENIED
    assert route.told(name) == REFUSED


@pytest.mark.parametrize("short, statuses", [
    (dict(denylist_source_range="127.0.0.9"), (200, 403)),
    (dict(denylist_source_range="127.0.0.9",
          allowlist_source_range="127.0.0.0/8"), (200, 403)),
    (dict(denylist_source_range="127.0.0.0/8",
          allowlist_source_range="127.0.0.9"), (403, 403)),
    (dict(allowlist_source_range="127.0.0.9",
          whitelist_source_range="127.0.0.1"), (403, 200)),
])
def test_denied_comes_before_allowed(serve, short, statuses):
    route = serve(**short)

    assert statuses == tuple(route.get("/", source=address).status
                             for address in ("127.0.0.1", "127.0.0.9"))


@pytest.mark.parametrize("short, status", [
    (dict(allowlist_source_range="::1"), 200),
    (dict(allowlist_source_range="::/64"), 200),
    (dict(allowlist_source_range="fd00::/8,127.0.0.0/8"), 403),
    (dict(allowlist_source_range="0.0.0.0/0"), 403),
    (dict(denylist_source_range="::1/128"), 403),
    (dict(denylist_source_range="::ffff:0:0/96"), 200),
])
def test_access_list_of_an_ipv6_client(serve, gateway, short, status):
    route = serve(**short)

    with gateway.http1(address="::1") as connection:
        assert connection.get("/", route.host).status == status


@pytest.mark.parametrize("short, status", [
    (dict(allowlist_source_range="127.0.0.8/29"), 200),
    (dict(allowlist_source_range="127.0.0.1"), 403),
    (dict(allowlist_source_range="::/0"), 403),
    (dict(denylist_source_range="127.0.0.9"), 403),
    (dict(denylist_source_range="::/0"), 200),
])
def test_access_list_of_an_ipv4_client_on_an_ipv6_socket(serve, short,
                                                         status):
    route = serve(**short)

    assert route.get("/", tls=True, source="127.0.0.9").status == status


def test_access_list_does_not_believe_what_clients_say(serve):
    route = serve(allowlist_source_range="10.0.0.1")

    assert route.get("/", x_forwarded_for="10.0.0.1",
                     x_real_ip="10.0.0.1").status == 403


# What is not done

@pytest.mark.parametrize("name", ["configuration-snippet", "server-snippet",
                                  "modsecurity-snippet", "stream-snippet"])
def test_snippet_is_ignored_and_told(serve, name):
    route = serve(**{name.replace("-", "_"): 'return 418;\n'
                     'more_set_headers "X-Frame-Options: DENY";'})

    answer = route.get("/")

    assert (answer.status, answer.header("X-Frame-Options")) == (200, None)
    assert route.told(name) == ("warning", "SnippetIgnored")


@pytest.mark.parametrize("name, value", [
    ("auth-url", "auth.example/oauth2/auth"),
    ("auth-signin", "https://auth.example/oauth2/start?rd=$request_uri"),
    ("auth-type", "basic"), ("auth-secret", "passwords"),
    ("auth-secret", ""), ("auth-url", ""), ("auth-type", " "),
    ("auth-response-headers", "X-Auth-Request-User"),
    ("auth-snippet", "proxy_set_header X-A b;"),
    ("auth-tls-secret", "default/ca"), ("auth-tls-verify-client", "on"),
    ("auth-tls-match-cn", "CN=a"),
    ("enable-modsecurity", "true"), ("enable-owasp-core-rules", "true"),
])
def test_protection_that_is_not_there_denies(serve, echo, name, value):
    route = serve(**{name.replace("-", "_"): value})

    assert route.get("/").status == route.get("/", tls=True).status == DENIED
    assert echo.count(echo[0]) == 0
    assert route.told(name)[0] == "error"


@pytest.mark.parametrize("name, value", [
    ("satisfy", "all"), ("satisfy", "any"),
    ("enable-modsecurity", "false"), ("enable-global-auth", "false"),
    ("enable-owasp-core-rules", "False"), ("auth-cache-key", "")])
def test_protection_at_its_default_asks_for_nothing(serve, name, value):
    route = serve(**{name.replace("-", "_"): value})

    assert route.get("/").status == 200
    assert (route.told(name) or ("info",))[0] == "info"


@pytest.mark.parametrize("annotation, status, found", [
    (manifest.PREFIX + "proxy-bodysize", 200,
     ("warning", "UnknownAnnotation")),
    (manifest.PREFIX + "auth-ulr", DENIED, ("error", "UnknownAnnotation")),
    (manifest.PREFIX + "whitelist-source-ranges", DENIED,
     ("error", "UnknownAnnotation")),
    (manifest.PREFIX + "zzz", 200, ("warning", "UnknownAnnotation")),
    (manifest.PREFIX + "hsts", 200, ("warning", "UnknownAnnotation")),
    (manifest.PREFIX + "secure-backends", 200,
     ("warning", "RetiredAnnotation")),
    (manifest.PREFIX + "session-cookie-hash", 200,
     ("warning", "RetiredAnnotation")),
    (manifest.PREFIX + "websocket-services", 200,
     ("warning", "RetiredAnnotation")),
    ("nignx.ingress.kubernetes.io/force-ssl-redirect", 200,
     ("warning", "UnknownPrefix")),
    ("nignx.ingress.kubernetes.io/auth-url", DENIED,
     ("error", "UnknownPrefix")),
    ("ingress.kubernetes.io/ssl-redirect", 200,
     ("warning", "UnknownPrefix")),
    ("example.com/auth-url", 200, None),
])
def test_unknown_name_is_told(serve, annotation, status, found):
    route = serve(annotations={annotation: "true"})

    assert route.get("/").status == status
    assert route.told(annotation.rpartition("/")[2]) == found


@pytest.mark.parametrize("name, value, severity", [
    ("limit-rps", "5", "warning"), ("affinity", "cookie", "warning"),
    ("ssl-passthrough", "true", "warning"), ("limit-rps", "0", None),
    ("ssl-passthrough", "false", None),
    ("custom-http-errors", "404", "warning"),
    ("http2-push-preload", "true", "info"),
    ("load-balance", "round_robin", None)])
def test_what_comes_later_is_told_and_the_rest_served(serve, name, value,
                                                      severity):
    route = serve(**{name.replace("-", "_"): value})

    assert route.get("/").status == 200
    assert (route.told(name) or (None,))[0] == severity


def test_canary_gets_no_requests(gateway, echo):
    route = Route(gateway, echo[0])
    gateway.serve(route.host, echo[1], name="canary", canary="true",
                  canary_weight="100")

    assert route.get("/").echo["name"] == "http0"
    assert any(f["object"]["name"] == "canary" for f in gateway.findings())


@pytest.mark.parametrize("name", ["proxy-body-size", "permanent-redirect",
                                  "rewrite-target", "use-regex",
                                  "backend-protocol"])
@pytest.mark.parametrize("value", ["", " \t"])
def test_empty_value_is_as_if_not_set(serve, name, value):
    route = serve(**{name.replace("-", "_"): value})

    assert route.get("/a").echo["target"] == "/a"
    assert route.told(name) == ("info", "EmptyAnnotation")


COMMON = [
    dict(proxy_body_size="100m"), dict(proxy_body_size="10G"),
    dict(proxy_body_size="1024m"), dict(proxy_body_size="8000m"),
    dict(proxy_body_size="64M"), dict(proxy_body_size="10g"),
    dict(proxy_body_size="0", proxy_request_buffering="off"),
    dict(proxy_read_timeout="480", proxy_send_timeout="120"),
    dict(proxy_read_timeout="600", proxy_connect_timeout="300"),
    dict(use_regex="true"), dict(ssl_redirect="true"),
    dict(force_ssl_redirect="false"), dict(enable_cors="false"),
    dict(enable_cors="true", cors_allow_origin="*",
         cors_allow_methods="GET, OPTIONS", cors_allow_credentials="true"),
    dict(proxy_buffering="on", proxy_buffer_size="16k"),
    dict(proxy_buffering="off", proxy_buffer_size="32k"),
    dict(proxy_buffer_size="256k", proxy_max_temp_file_size="1024m"),
    dict(service_upstream="false"), dict(enable_global_auth="false"),
    dict(client_body_buffer_size="8m", proxy_http_version="1.1"),
    dict(proxy_ssl_verify="off"), dict(backend_protocol="HTTP"),
    dict(proxy_redirect_from="http://a.example/",
         proxy_redirect_to="https://a.example/"),
]


@pytest.mark.parametrize("annotations", COMMON, ids=str)
def test_common_values_are_taken_as_they_are(serve, annotations):
    route = serve(**annotations)

    assert route.get("/").status == 200
    assert {name: route.told(name) for name in annotations
            if route.told(name)} == {}


# Defaults by the ConfigMap

@pytest.fixture(scope="module")
def configured_gateway(make_gateway):
    made = make_gateway(http="torii_config default/torii;")
    try:
        yield made.start()
    finally:
        made.remove()


@pytest.fixture
def configure(configured_gateway, echo):
    """configure({"proxy-body-size": "1k"}, ssl_redirect="false"): a Route of a
    gateway with this ConfigMap."""
    def route(data, *addresses, **how):
        configured_gateway.apply("config", manifest.config_map("torii", data))
        return Route(configured_gateway, *(addresses or (echo[0],)), **how)
    return route


def config_told(route, key):
    for found in route.gateway.findings():
        if found["object"]["kind"] == "ConfigMap" and found["field"] == key:
            return found["severity"], found["reason"]
    return None


@pytest.mark.parametrize("data, short, status", [
    ({"force-ssl-redirect": "true"}, {}, 308),
    ({"force-ssl-redirect": "true"}, dict(force_ssl_redirect="false"), 200),
    ({"force-ssl-redirect": "yes"}, {}, 200),
    ({"force-ssl-redirect": "true", "http-redirect-code": "301"}, {}, 301),
    ({"force-ssl-redirect": "true", "http-redirect-code": "299"}, {}, 308),
    ({"force-ssl-redirect": "true",
      "no-tls-redirect-locations": "/a, /.well-known"},
     dict(path_text="/a"), 200),
    ({"whitelist-source-range": "10.0.0.0/8"}, {}, 403),
    ({"whitelist-source-range": "10.0.0.0/8"},
     dict(whitelist_source_range="127.0.0.1"), 200),
    ({"whitelist-source-range": "nonsense"}, {}, DENIED),
    ({"whitelist-source-range": "nonsense"},
     dict(allowlist_source_range="127.0.0.1"), 200),
    ({"denylist-source-range": "127.0.0.1"}, {}, 403),
    ({"denylist-source-range": "127.0.0.1"},
     dict(denylist_source_range="10.0.0.1"), 200),
    ({"block-cidrs": "127.0.0.0/8"}, {}, 403),
    ({"block-cidrs": "nonsense"}, {}, DENIED),
    ({"global-auth-url": "auth.example"}, {}, DENIED),
    ({"global-auth-url": "auth.example"},
     dict(enable_global_auth="false"), 200),
    ({"enable-modsecurity": "true"}, {}, DENIED),
    ({"enable-modsecurity": "true"}, dict(enable_modsecurity="false"), 200),
])
def test_config_map_gives_the_default(configure, data, short, status):
    route = configure(data, **short)

    assert route.get("/a").status == status


@pytest.mark.parametrize("data, short, status", [
    ({"proxy-read-timeout": "1"}, {}, 504),
    ({"proxy-read-timeout": "1"}, dict(proxy_read_timeout="60"), 200),
])
def test_config_map_gives_the_default_of_timeouts(configure, data, short,
                                                  status):
    route = configure({**data, "proxy-next-upstream": "off"}, **short)

    assert route.get("/", echo=dict(delay=1300)).status == status


def test_config_map_gives_the_default_of_retries(configure, echo):
    route = configure({"proxy-next-upstream": "http_503",
                       "proxy-next-upstream-tries": "2",
                       "retry-non-idempotent": "true"})
    echo.set(echo[0], status=503)

    assert route.request("POST", body=b"x").status == 503
    assert echo.count(echo[0]) == 2


def test_config_map_gives_the_default_of_what_goes_upstream(configure):
    route = configure({"proxy-http-version": "1.0",
                       "proxy-cookie-path": "/one/ /two/",
                       "proxy-add-original-uri-header": "true"})

    answer = route.get("/a", echo=dict(headers={
        "Set-Cookie": "a=b; Path=/one/"}))

    assert answer.header("Set-Cookie") == "a=b; Path=/two/"
    seen = route.get("/a?b").echo
    assert seen["version"] == "1.0"
    assert seen.header("X-Original-URI") == "/a?b"


@pytest.mark.parametrize("data, value", [
    ({}, "max-age=31536000; includeSubDomains"),
    ({"hsts": "false"}, None),
    ({"hsts-max-age": "0", "hsts-include-subdomains": "false"}, "max-age=0"),
    ({"hsts-preload": "true"},
     "max-age=31536000; includeSubDomains; preload"),
    ({"hsts-max-age": "a"}, "max-age=31536000; includeSubDomains"),
])
def test_config_map_says_hsts(configure, data, value):
    route = configure(data)

    answer = route.get("/", tls=True, echo=dict(headers={
        "Strict-Transport-Security": "max-age=1"}))

    assert answer.all("Strict-Transport-Security") == (
        [value] if value else ["max-age=1"])
    assert route.get("/").header("Strict-Transport-Security") is None


@pytest.mark.parametrize("key, value, found", [
    ("proxy-body-size", "1x", ("warning", "InvalidConfig")),
    ("proxy-read-timeout", "60s", ("warning", "InvalidConfig")),
    ("block-cidrs", "x", ("error", "InvalidConfig")),
    ("proxy-bodysize", "1m", ("warning", "UnknownConfig")),
    ("server-snippet", "return 418;", ("warning", "SnippetIgnored")),
    ("allow-snippet-annotations", "true", ("info", "UnsupportedConfig")),
    ("use-gzip", "true", ("info", "UnsupportedConfig")),
    ("proxy-body-size", "10m", None),
])
def test_config_map_is_found_fault_with(configure, key, value, found):
    route = configure({key: value})

    assert config_told(route, key) == found
