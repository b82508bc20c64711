"""
Headers: what a backend is told of the client, whom the gateway believes when
others tell it, and what it adds to answers.
"""

import re
import socket

import pytest

import client
import manifest
import network
import nginx
from manifest import ingress, path, rule


SOURCES = ("manifests", "kubernetes")
GATEWAY = dict(http="torii_config torii/settings;")

HOST = "headers.example"

# what a client may send to appear as somebody else
CLAIMS = [
    ("X-Forwarded-For", "1.2.3.4"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Port", "1234"),
    ("X-Forwarded-Proto", "myproto"),
    ("X-Forwarded-Scheme", "myproto"),
    ("X-Forwarded-Prefix", "/evil"),
    ("X-Forwarded-Server", "evil"),
    ("X-Forwarded-User", "root"),
    ("X-Forwarded-Client-Cert", "evil"),
    ("X-Scheme", "myproto"),
    ("X-Real-IP", "1.2.3.4"),
    ("X-Original-URI", "/evil"),
    ("X-Original-URL", "/evil"),
    ("X-Original-Method", "PUT"),
    ("X-Original-Forwarded-For", "5.6.7.8"),
    ("X-Original-Forwarded-Host", "evil.example"),
    ("X-Auth-Request-User", "root"),
    ("X-Auth-Request-Redirect", "/evil"),
    ("Forwarded", "for=1.2.3.4;proto=https"),
    ("Proxy", "http://evil.example"),
]

OWN = re.compile("x-(forwarded|original|auth-request|scheme|real)|forwarded|"
                 "proxy")

BELIEVED = [(name, value) for name, value in CLAIMS
            if name in ("X-Forwarded-For", "X-Forwarded-Host",
                        "X-Forwarded-Port", "X-Forwarded-Proto")]


@pytest.fixture(autouse=True)
def route(gateway, echo):
    """The host, and no settings."""
    configure(gateway)
    gateway.serve(HOST, echo[0], name="headers")


def configure(gateway, **keys):
    """The gateway's ConfigMap, in force: use_http2="true" is "use-http2"."""
    gateway.apply("settings", manifest.config_map(
        "settings", {name.replace("_", "-"): value
                     for name, value in keys.items()}, "torii"))


def sent(gateway, headers=(), target="/", host=HOST, **how):
    """The request as the backend saw it."""
    answer = gateway.get(target, host, headers=headers, **how)
    assert answer.status == 200, answer
    return answer.echo


def check(echo, **wanted):
    found = {name: echo.header(name.replace("_", "-")) for name in wanted}
    assert found == wanted


# Without use-forwarded-headers


WAYS = {"plain": {}, "tls": dict(tls=True), "h2c": dict(h2=True),
        "h2": dict(h2=True, tls=True)}


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


def own(gateway, way, host=HOST):
    """What the gateway tells by itself."""
    scheme = "https" if "tls" in way else "http"
    port = ("443" if "tls" in way else
            str(gateway.h2c if "h2" in way else gateway.plain))
    return dict(host=host, x_forwarded_host=host, x_forwarded_port=port,
                x_forwarded_proto=scheme, x_forwarded_scheme=scheme,
                x_scheme=scheme, x_real_ip="127.0.0.1",
                x_forwarded_for="127.0.0.1")


@pytest.mark.parametrize("host", [HOST, f"{HOST}:8080"])
def test_what_a_backend_is_told(gateway, way, host):
    echo = sent(gateway, host=host, **way)

    check(echo, **own(gateway, way, host), connection=None, upgrade=None,
          proxy=None, x_forwarded_prefix=None, x_original_uri=None,
          x_original_forwarded_for=None, x_original_forwarded_host=None)
    assert re.fullmatch("[0-9a-f]{32}", echo.header("X-Request-ID"))

    names = [name.lower() for name, _ in echo["headers"]]
    assert len(names) == len(set(names)) == 9
    assert echo["version"] == "1.1"


def test_claims_of_a_client_are_not_passed_on(gateway, way):
    echo = sent(gateway, CLAIMS, **way)

    check(echo, **own(gateway, way), x_original_forwarded_for="1.2.3.4",
          x_original_forwarded_host="evil.example")

    told = {*own(gateway, way), "x_original_forwarded_for",
            "x_original_forwarded_host"}
    for name, _ in CLAIMS:
        assert len(echo.all(name)) == (name.lower().replace("-", "_") in told)


@pytest.mark.parametrize("name, value", [c for c in CLAIMS
                                         if c[0] != "Forwarded"])
def test_claims_sent_twice_or_oddly_written(gateway, name, value):
    plain = sent(gateway)
    found = sent(gateway, [(name.upper(), value), (name.lower(), value)])
    seen = {key.lower() for key, _ in found["headers"]}
    more = {"x-forwarded-for": {"x-original-forwarded-for"},
            "x-forwarded-host": {"x-original-forwarded-host"}}

    assert seen - {key.lower() for key, _ in plain["headers"]} == \
        more.get(name.lower(), set())


def test_claims_of_a_client_are_not_passed_to_fastcgi(gateway, fastcgi):
    gateway.serve(HOST, fastcgi.address, name="headers",
                  backend_protocol="FCGI")
    params = gateway.get("/", HOST, headers=CLAIMS).json()["params"]

    wanted = {f"HTTP_{name.upper()}": value
              for name, value in own(gateway, {}).items()}
    wanted["HTTP_X_ORIGINAL_FORWARDED_FOR"] = "1.2.3.4"
    wanted["HTTP_X_ORIGINAL_FORWARDED_HOST"] = "evil.example"
    request_id = params.pop("HTTP_X_REQUEST_ID")

    assert re.fullmatch("[0-9a-f]{32}", request_id)
    assert {name: value for name, value in params.items()
            if name.startswith("HTTP_")} == wanted


def test_claims_of_a_client_are_not_passed_to_grpc(gateway, argo, streams):
    gateway.serve(HOST, argo.address, name="headers", backend_protocol="GRPC")
    answer = streams.call(method="get", port=gateway.h2c, tls=False, host=HOST,
                          metadata={name.lower(): value
                                    for name, value in CLAIMS})
    metadata = answer["replies"][0]["seen"]["metadata"]

    wanted = {name.replace("_", "-"): value
              for name, value in own(gateway, WAYS["h2c"]).items()}
    wanted.update({"x-original-forwarded-for": "1.2.3.4",
                   "x-original-forwarded-host": "evil.example"})
    del wanted["host"]

    assert {name: value for name, value in metadata.items()
            if name in wanted or OWN.match(name)} == wanted


def test_several_forwarded_for_are_joined_in_the_original(gateway):
    echo = sent(gateway, [("X-Forwarded-For", "1.1.1.1"),
                          ("X-Forwarded-For", "2.2.2.2, 3.3.3.3")])
    check(echo, x_forwarded_for="127.0.0.1",
          x_original_forwarded_for="1.1.1.1, 2.2.2.2, 3.3.3.3")


def test_names_with_underscores_are_dropped(gateway):
    echo = sent(gateway, [("X_Forwarded_For", "1.2.3.4"), ("a_b", "c")])
    assert not [name for name, _ in echo["headers"] if "_" in name]


def test_other_headers_pass_untouched(gateway, way):
    headers = [("Accept-Encoding", "br;q=1, gzip"),
               ("Authorization", "Basic x"),
               ("X-Custom", "a, b"), ("X-Custom", "c  d"), ("Cookie", "a=1"),
               ("X-Empty", ""), ("User-Agent", "test/1"), ("Te", "trailers"),
               ("X-Forwarded", "x"), ("Range", "bytes=0-1")]
    echo = sent(gateway, headers, **way)

    for name in {n for n, _ in headers} - {"Te"}:
        assert echo.all(name) == [v for n, v in headers if n == name], name


def test_cookies_of_http2_become_one(gateway):
    echo = sent(gateway, [("cookie", "a=1"), ("cookie", "b=2")], h2=True)
    assert echo.all("Cookie") == ["a=1; b=2"]


def test_upgrade_is_passed_on(gateway):
    echo = sent(gateway, [("Upgrade", "thing/1"), ("Connection", "Upgrade")])
    check(echo, upgrade="thing/1", connection="upgrade")


def test_connection_of_the_client_is_its_own(gateway):
    echo = sent(gateway, [("Connection", "close"), ("Keep-Alive", "x")])
    check(echo, connection=None, keep_alive=None)


def test_request_id_of_the_client_is_kept(gateway, way):
    assert sent(gateway, [("X-Request-ID", "my id")], **way) \
        .header("X-Request-ID") == "my id"


def test_request_ids_differ(gateway):
    ids = {sent(gateway).header("X-Request-ID") for _ in range(20)}
    assert len(ids) == 20


def test_request_ids_are_not_made_when_not_wanted(gateway):
    configure(gateway, generate_request_id="false")
    assert sent(gateway).header("X-Request-ID") is None
    assert sent(gateway, [("X-Request-ID", "1")]).header("X-Request-ID") == "1"


def test_forwarded_prefix_goes_with_a_rewrite_only(gateway, echo):
    gateway.serve(HOST, echo[0], name="headers", x_forwarded_prefix="/api",
                  path_text="/x", type="ImplementationSpecific",
                  rewrite_target="/y")
    assert sent(gateway, target="/x").header("X-Forwarded-Prefix") == "/api"

    gateway.serve(HOST, echo[0], name="headers", x_forwarded_prefix="/api")
    assert sent(gateway, CLAIMS).header("X-Forwarded-Prefix") is None


def test_original_uri_when_wanted(gateway):
    configure(gateway, proxy_add_original_uri_header="true")
    echo = sent(gateway, CLAIMS, target="/a//b%2F?c=d")
    assert echo.all("X-Original-URI") == ["/a//b%2F?c=d"]


# With use-forwarded-headers


def test_trusted_peers_are_believed(gateway, way):
    configure(gateway, use_forwarded_headers="true")
    check(sent(gateway, BELIEVED, **way),
          host="evil.example", x_forwarded_host="evil.example",
          x_forwarded_proto="myproto", x_forwarded_scheme="myproto",
          x_scheme="myproto", x_forwarded_port="1234",
          x_forwarded_for="1.2.3.4", x_real_ip="1.2.3.4",
          x_original_forwarded_for="1.2.3.4",
          x_original_forwarded_host="evil.example")


def test_without_claims_nothing_changes(gateway, way):
    configure(gateway, use_forwarded_headers="true")
    check(sent(gateway, **way), **own(gateway, way),
          x_original_forwarded_for=None, x_original_forwarded_host=None)


def test_forwarded_host_does_not_choose_the_route(gateway, echo):
    configure(gateway, use_forwarded_headers="true")
    gateway.serve("second.example", echo[1], name="second")
    seen = sent(gateway, [("X-Forwarded-Host", "second.example")])
    assert seen["name"] == "http0" and seen.header("Host") == "second.example"


@pytest.mark.parametrize("value", ["a.example, b.example", " a.example ,b"])
def test_first_forwarded_host_counts(gateway, value):
    configure(gateway, use_forwarded_headers="true")
    check(sent(gateway, [("X-Forwarded-Host", value)]), host="a.example",
          x_forwarded_host="a.example")


NETWORK = dict(use_forwarded_headers="true", proxy_real_ip_cidr="127.0.0.2")


def test_others_are_not_believed(gateway):
    configure(gateway, **NETWORK)
    check(sent(gateway, CLAIMS), **own(gateway, {}))
    check(sent(gateway, CLAIMS, source="127.0.0.2"), host="evil.example",
          x_forwarded_proto="myproto", x_real_ip="1.2.3.4")


@pytest.mark.parametrize("chain, found", [
    ("1.1.1.1, 127.0.0.2", "1.1.1.1"),
    ("9.9.9.9, 1.1.1.1", "1.1.1.1"),
    ("9.9.9.9, 1.1.1.1, 127.0.0.2, 127.0.0.2", "1.1.1.1"),
    ("9.9.9.9, junk, 127.0.0.2", "127.0.0.2"),
    ("junk", "127.0.0.2"),
    ("", "127.0.0.2"),
    ("fd00::1", "fd00::1"),
    ("1.1.1.1:4711", "1.1.1.1"),
    ("[fd00::1]:4711", "fd00::1"),
    (" 1.1.1.1 ", "1.1.1.1"),
])
def test_client_is_the_first_untrusted_from_the_right(gateway, chain, found):
    configure(gateway, **NETWORK)
    check(sent(gateway, [("X-Forwarded-For", chain)], source="127.0.0.2"),
          x_real_ip=found, x_forwarded_for=found)


def test_where_all_are_trusted_the_leftmost_is_the_client(gateway):
    configure(gateway, use_forwarded_headers="true")
    check(sent(gateway, [("X-Forwarded-For", "9.9.9.9, 1.1.1.1, 8.8.8.8")]),
          x_real_ip="9.9.9.9")


def test_bad_network_makes_nobody_trusted(gateway):
    configure(gateway, use_forwarded_headers="true",
              proxy_real_ip_cidr="10.0.0.0/8,bad")
    check(sent(gateway, CLAIMS), **own(gateway, {}))
    assert gateway.wait_finding(field="proxy-real-ip-cidr")


def test_address_is_of_one_request_of_a_connection(gateway):
    configure(gateway, use_forwarded_headers="true")
    found = []

    with gateway.http1() as connection:
        for value in ("1.1.1.1", None, "2.2.2.2", None):
            echo = connection.get("/", HOST, x_forwarded_for=value).echo
            found.append(echo.header("X-Real-IP"))

    assert found == ["1.1.1.1", "127.0.0.1", "2.2.2.2", "127.0.0.1"]


def test_full_chain_is_computed_when_wanted(gateway):
    configure(gateway, use_forwarded_headers="true",
              compute_full_forwarded_for="true")
    check(sent(gateway, [("X-Forwarded-For", "1.1.1.1, 2.2.2.2")]),
          x_forwarded_for="1.1.1.1, 2.2.2.2, 127.0.0.1",
          x_real_ip="1.1.1.1")
    check(sent(gateway), x_forwarded_for="127.0.0.1")


def test_full_chain_needs_trust(gateway):
    configure(gateway, compute_full_forwarded_for="true")
    check(sent(gateway, BELIEVED), x_forwarded_for="127.0.0.1")


def test_another_header_carries_the_client(gateway):
    configure(gateway, use_forwarded_headers="true",
              forwarded_for_header="CF-Connecting-IP")
    check(sent(gateway, [("Cf-Connecting-Ip", "1.1.1.1"),
                         ("X-Forwarded-For", "2.2.2.2")]),
          x_real_ip="1.1.1.1", x_forwarded_for="1.1.1.1")


def test_real_ip_alone(gateway):
    configure(gateway, enable_real_ip="true")
    wanted = own(gateway, {})
    wanted.update(x_real_ip="1.2.3.4", x_forwarded_for="1.2.3.4")
    check(sent(gateway, CLAIMS), **wanted)


@pytest.mark.parametrize("trust, status", [
    (dict(), 403), (dict(enable_real_ip="true"), 200),
    (dict(use_forwarded_headers="true"), 200),
    (dict(NETWORK), 403),
    (dict(enable_real_ip="true", proxy_real_ip_cidr="10.0.0.0/8"), 403)])
def test_address_lists_see_the_client_as_far_as_it_is_trusted(
        gateway, echo, trust, status):
    configure(gateway, **trust)
    gateway.serve(HOST, echo[0], name="headers",
                  allowlist_source_range="1.2.3.4")
    assert gateway.get("/", HOST, headers=CLAIMS).status == status


# What follows from the scheme and host


@pytest.mark.parametrize("proto, trust, status", [
    (None, "true", 308), ("http", "true", 308), ("https", "true", 200),
    ("myproto", "true", 200), ("https", "false", 308)])
def test_https_redirect_goes_by_the_forwarded_scheme(gateway, echo, proto,
                                                     trust, status):
    configure(gateway, use_forwarded_headers=trust)
    gateway.serve(HOST, echo[0], name="headers", force_ssl_redirect="true")
    assert gateway.get("/", HOST, x_forwarded_proto=proto).status == status


def test_https_redirect_goes_to_the_forwarded_host(gateway, echo):
    configure(gateway, use_forwarded_headers="true")
    gateway.serve(HOST, echo[0], name="headers", force_ssl_redirect="true")
    answer = gateway.get("/x", HOST, x_forwarded_host="a.example:81, b")
    assert answer.location == "https://a.example/x"


def test_www_redirect_has_the_forwarded_port_and_scheme(gateway, echo):
    configure(gateway, use_forwarded_headers="true")
    gateway.serve(HOST, echo[0], name="headers", from_to_www_redirect="true")
    answer = gateway.get("/x", f"www.{HOST}", x_forwarded_port="8443",
                         x_forwarded_proto="https")
    assert answer.location == f"https://{HOST}:8443/x"


def test_redirect_code(gateway, echo):
    gateway.serve(HOST, echo[0], name="headers", force_ssl_redirect="true")
    for code in 301, 302, 307, 308:
        configure(gateway, http_redirect_code=code)
        assert gateway.get("/", HOST).status == code


# Two hosts in one request


@pytest.mark.parametrize("url, name, host", [
    ("http://absolute.example/x", "http1", "absolute.example"),
    ("http://absolute.example:81/x", "http1", "absolute.example:81"),
    ("http://headers.example/x", "http0", HOST),
    ("HTTP://ABSOLUTE.example/x", "http1", "ABSOLUTE.example"),
])
def test_absolute_target_decides_over_host(gateway, echo, url, name, host):
    gateway.serve("absolute.example", echo[1], name="absolute")

    for given in HOST, "absolute.example", "other.example":
        seen = sent(gateway, target=url, host=given)
        assert seen["name"] == name
        check(seen, host=host, x_forwarded_host=host)


def test_authority_of_http2_is_the_host(gateway):
    check(sent(gateway, h2=True), host=HOST, x_forwarded_host=HOST)


# PROXY protocol


@pytest.fixture
def proxied(start_gateway, echo):
    """A gateway behind a balancer that speaks the PROXY protocol."""
    made = start_gateway(
        listen="listen 127.0.0.1:@plain@ proxy_protocol;",
        http="torii_config torii/settings; real_ip_header proxy_protocol; "
             "set_real_ip_from 127.0.0.1;")
    made.serve(HOST, echo[0], name="headers")
    return made


def through_proxy(gateway, port, headers=(), address="1.2.3.4"):
    with gateway.connect() as sock:
        sock.sendall(f"PROXY TCP4 {address} 5.6.7.8 999 {port}\r\n".encode())
        answer = client.Http1(sock).request("GET", "/", HOST, headers=headers)
    assert answer.status == 200, answer
    return answer.echo


@pytest.mark.parametrize("port, scheme", [(80, "http"), (443, "https")])
def test_proxy_protocol_tells_address_and_port(proxied, port, scheme):
    check(through_proxy(proxied, port, CLAIMS), x_real_ip="1.2.3.4",
          x_forwarded_for="1.2.3.4", x_forwarded_port=str(port),
          x_forwarded_proto=scheme, x_scheme=scheme)


def test_headers_behind_proxy_protocol_are_of_its_address(proxied):
    configure(proxied, use_forwarded_headers="true",
              proxy_real_ip_cidr="1.2.3.4")
    headers = [("X-Forwarded-For", "9.9.9.9"), ("X-Forwarded-Proto", "a")]
    check(through_proxy(proxied, 80, headers), x_real_ip="9.9.9.9",
          x_forwarded_proto="a")
    check(through_proxy(proxied, 80, headers, "1.2.3.5"), x_real_ip="1.2.3.5",
          x_forwarded_proto="http")


# Answers: HSTS


HSTS = "Strict-Transport-Security"


@pytest.mark.parametrize("keys, value", [
    (dict(), "max-age=31536000; includeSubDomains"),
    (dict(hsts_max_age="0"), "max-age=0; includeSubDomains"),
    (dict(hsts_max_age="600", hsts_include_subdomains="false"),
     "max-age=600"),
    (dict(hsts_preload="true"),
     "max-age=31536000; includeSubDomains; preload"),
    (dict(hsts_include_subdomains="false", hsts_preload="true"),
     "max-age=31536000; preload"),
    (dict(hsts="false"), None),
])
def test_hsts(gateway, keys, value):
    configure(gateway, **keys)
    for h2 in False, True:
        assert gateway.get("/", HOST, tls=True, h2=h2).all(HSTS) == \
            ([value] if value else [])
    assert gateway.get("/", HOST).header(HSTS) is None


def test_hsts_needs_tls_not_a_header(gateway):
    configure(gateway, use_forwarded_headers="true")
    assert gateway.get("/", HOST, x_forwarded_proto="https") \
        .header(HSTS) is None


def test_hsts_replaces_that_of_the_backend(gateway):
    answer = gateway.get("/", HOST, tls=True,
                         echo={"headers": {HSTS: "max-age=1"}})
    assert answer.all(HSTS) == ["max-age=31536000; includeSubDomains"]


def test_hsts_of_the_backend_passes_over_plain_http(gateway):
    answer = gateway.get("/", HOST, echo={"headers": {HSTS: "max-age=1"}})
    assert answer.all(HSTS) == ["max-age=1"]


@pytest.mark.parametrize("target, status", [
    ("/none", 503), ("/gone", 301), ("/denied", 403), ("/x", 404),
    ("/dead", 502)])
def test_hsts_is_on_errors_and_redirects_too(gateway, target, status):
    gateway.apply("errors", [
        ingress("none", rule("errors.example", path("/none", "none"))),
        ingress("gone", rule("errors.example", path("/gone", "none")),
                permanent_redirect="https://a.example"),
        ingress("denied", rule("errors.example", path("/denied", "dead")),
                denylist_source_range="0.0.0.0/0"),
        ingress("dead", rule("errors.example", path("/dead", "dead"))),
        manifest.service("none"),
        manifest.backend("dead", manifest.Address(network.POD, 1))])
    answer = gateway.get(target, "errors.example", tls=True)
    assert answer.status == status and answer.header(HSTS)
    assert gateway.get(target, "errors.example").header(HSTS) is None


# Answers: Server and pages


@pytest.mark.parametrize("keys, own_, backend", [
    (dict(), None, None),
    (dict(server_tokens="true"), "nginx/", "nginx/"),
    (dict(allow_backend_server_header="true"), None, "echo"),
    (dict(server_tokens="true", allow_backend_server_header="true"),
     "nginx/", "echo"),
])
def test_server_header(gateway, keys, own_, backend):
    configure(gateway, **keys)
    echo = {"headers": {"Server": "echo"}}

    for h2 in False, True:
        for answer, wanted in (
                (gateway.get("/", "nobody.example", h2=h2), own_),
                (gateway.get("/", HOST, echo=echo, h2=h2), backend)):
            found = answer.header("Server")
            assert (found is None if wanted is None
                    else found.startswith(wanted))


def test_error_pages_tell_no_version(gateway):
    text = gateway.get("/", "nobody.example").text
    assert "nginx" in text and not re.search(r"\d\.\d", text)

    configure(gateway, server_tokens="true")
    assert re.search(r"nginx/\d", gateway.get("/", "nobody.example").text)


def test_bad_requests_tell_no_server(gateway):
    answer = gateway.raw(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ") and b"Server:" not in answer


def test_http_on_the_tls_port_is_400(gateway):
    answer = gateway.get("/", HOST, port=gateway.tls)
    assert answer.status == 400


def test_other_headers_of_the_backend_pass(gateway, way):
    headers = {"X-Powered-By": "echo", "Set-Cookie": ["a=1", "b=2"],
               "X-Accel-Thing": "1", "Vary": "Accept"}
    answer = gateway.get("/", HOST, echo={"headers": headers}, **way)
    for name, value in headers.items():
        assert answer.all(name) == (value if isinstance(value, list)
                                    else [value])


def test_healthz_is_of_hosts_that_no_rule_names(gateway):
    answer = gateway.get("/healthz", "nobody.example")
    assert (answer.status, answer.body) == (200, b"")
    assert gateway.get("/healthz", "").status in (200, 400)
    assert sent(gateway, target="/healthz")["target"] == "/healthz"


def test_healthz_is_not_logged(gateway):
    gateway.get("/healthz", "nobody.example", user_agent="probe")
    gateway.get("/other", "nobody.example", user_agent="probe")

    nginx.wait_until(lambda: [line for line in gateway.access()
                              if "/other" in line and '"probe"' in line],
                     "the access log")
    assert not [line for line in gateway.access() if "/healthz" in line
                and '"probe"' in line]


def test_peers_of_both_families_are_told(start_gateway, echo):
    six = start_gateway(listen="listen [::1]:@plain@;")
    six.serve(HOST, echo[0])

    with socket.create_connection(("::1", six.plain), 5) as sock:
        answer = client.Http1(sock).get("/", HOST)
    check(answer.echo, x_real_ip="::1", x_forwarded_for="::1")
