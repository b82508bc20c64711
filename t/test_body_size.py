"""
The limit of request bodies: however a body is sent, too much of it is answered
413 in a form that the client understands and has time to read, and a byte less
passes whole.
"""

import hashlib
import itertools
import json

import pytest

import client
import manifest


SOURCES = ("manifests", "kubernetes")

LIMIT = 8 * 1024
REGISTRY = "/v2/a/blobs/uploads/1"

NUMBERS = itertools.count(1)

# how a body is sent: request()'s keywords, and whether its length is told
WAYS = {
    "length": (dict(), True),
    "chunked": (dict(), False),
    "tls": (dict(tls=True), True),
    "tls-chunked": (dict(tls=True), False),
    "h2": (dict(tls=True, h2=True), True),
    "h2-no-length": (dict(tls=True, h2=True), False),
    "h2c": (dict(h2=True), True),
    "h2c-no-length": (dict(h2=True), False),
}


class Route:
    """A host of its own with annotations, which bodies are sent to."""

    def __init__(self, gateway, address, **how):
        self.gateway = gateway
        self.name = f"r{next(NUMBERS)}"
        self.host = f"{self.name}.example"
        gateway.serve(self.host, address, name=self.name, **how)

    def post(self, size, way="length", target="/", method="POST", **how):
        keywords, told = WAYS[way]
        body = bytes(size)
        if not told:
            body = [body[i:i + 3000] for i in range(0, size, 3000)]
        return self.gateway.request(method, target, self.host, body=body,
                                    **keywords, **how)

    def told(self):
        return [(f["severity"], f["reason"]) for f in self.gateway.findings()
                if f["object"]["name"] == self.name]


@pytest.fixture
def serve(gateway, echo):
    def route(address=None, **how):
        return Route(gateway, address or echo[0], **how)
    return route


@pytest.fixture(scope="module", params=["on", "off"],
                ids=["buffered", "unbuffered"])
def limited(request, gateway, echo_backend):
    """A Route with a limit of 8k, whose bodies are read ahead, or are not."""
    return Route(gateway, echo_backend[0], proxy_body_size="8k",
                 proxy_request_buffering=request.param)


def is_whole(answer, size):
    return (answer.status == 200 and answer.echo["length"] == size
            and answer.echo["sha256"] == hashlib.sha256(
                bytes(size)).hexdigest())


# The limit

@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [0, 1, LIMIT - 1, LIMIT])
def test_body_up_to_the_limit_passes_whole(limited, echo, way, size):
    assert is_whole(limited.post(size, way), size)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [LIMIT + 1, 10 * LIMIT, 4 << 20])
def test_body_over_the_limit_is_refused(limited, echo, way, size):
    target = f"/{size}/{way}"
    answer = limited.post(size, way, target)

    assert answer.status == 413
    assert answer.header("Server") is None
    assert echo.count(echo[0], target) <= (not WAYS[way][1])


@pytest.mark.parametrize("way", ["length", "h2"])
def test_told_length_over_the_limit_never_reaches_a_backend(limited, echo,
                                                            way):
    target = f"/told/{way}"
    limited.post(LIMIT + 1, way, target)

    assert echo.count(echo[0], target) == 0


def test_refusal_ends_the_connection_and_says_so(limited):
    """What is left of the body could be taken for a request."""
    assert limited.post(LIMIT + 1).header("Connection") == "close"
    assert limited.post(LIMIT).header("Connection") in (None, "keep-alive")


def test_other_streams_of_the_connection_live_on(limited, gateway):
    with gateway.http2(sni=limited.host) as connection:
        for size, status in [(4 << 20, 413), (LIMIT, 200)] * 2:
            answer = connection.request("POST", host=limited.host,
                                        body=[bytes(size)])
            assert answer.status == status


@pytest.mark.parametrize("value, limit", [
    ("1", 1), ("100b", 100), ("2k", 2048), ("2K", 2048), ("1M", 1 << 20),
    ("1m", 1 << 20), (" 2k ", 2048), (None, 1 << 20), ("", 1 << 20),
    ("2x", 1 << 20), ("-1", 1 << 20), ("2kb", 1 << 20), ("1.5k", 1 << 20),
    ("k", 1 << 20), ("99999999999999999999g", 1 << 20),
])
def test_units(serve, value, limit):
    route = serve(proxy_body_size=value)

    assert route.post(limit).status == 200
    assert route.post(limit + 1).status == 413


@pytest.mark.parametrize("value", ["2x", "-1", "2kb", "1.5k", "k",
                                   "99999999999999999999g"])
def test_bad_size_is_told(serve, value):
    assert serve(proxy_body_size=value).told() == [
        ("warning", "InvalidAnnotation")]


@pytest.mark.parametrize("value", ["0", "10g", "10G", "8000m"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("buffering", ["on", "off"])
def test_large_body_passes_where_it_may(serve, value, way, buffering):
    route = serve(proxy_body_size=value, proxy_request_buffering=buffering)

    assert is_whole(route.post(3 << 20, way), 3 << 20)


@pytest.mark.parametrize("protocol", ["HTTPS", "FCGI"])
@pytest.mark.parametrize("way", ["length", "chunked"])
@pytest.mark.parametrize("buffering", ["on", "off"])
def test_limit_holds_for_each_kind_of_backend(serve, echo, fastcgi, protocol,
                                              way, buffering):
    route = serve(echo.https if protocol == "HTTPS" else fastcgi.address,
                  backend_protocol=protocol, proxy_body_size="8k",
                  proxy_request_buffering=buffering)

    assert route.post(LIMIT + 1, way).status == 413
    answer = route.post(LIMIT, way)
    assert (answer.status, answer.json()["length"]) == (200, LIMIT)


@pytest.mark.parametrize("way", ["h2", "h2-no-length", "h2c-no-length"])
def test_limit_holds_for_grpc(serve, argo, way):
    route = serve(argo.address, backend_protocol="GRPC", proxy_body_size="8k")

    assert route.post(LIMIT + 1, way, target="/app.App/Get",
                      content_type="application/grpc").status == 413
    answer = route.post(LIMIT, way, target="/nothing",
                        content_type="application/grpc")
    assert answer.header("grpc-status") == "12"


@pytest.mark.parametrize("buffering", ["on", "off"])
def test_limit_holds_for_http_1_0_backends(serve, buffering):
    route = serve(proxy_body_size="8k", proxy_http_version="1.0",
                  proxy_request_buffering=buffering)

    assert route.post(LIMIT + 1, "chunked").status == 413
    assert is_whole(route.post(LIMIT, "chunked"), LIMIT)


def test_change_of_the_limit_counts_at_once(serve, gateway, echo):
    route = serve(proxy_body_size="1k")

    for size, status in [("1k", 413), ("4k", 200), ("1k", 413), ("0", 200)]:
        gateway.serve(route.host, echo[0], name=route.name,
                      proxy_body_size=size)
        assert route.post(2000).status == status


def test_limit_is_of_the_path(gateway, echo):
    gateway.serve("paths.example", echo[0], name="paths-small",
                  proxy_body_size="1k")
    gateway.serve("paths.example", echo[0], name="paths-large",
                  path_text="/upload", proxy_body_size="8k")

    assert [gateway.post(path, "paths.example", bytes(4000)).status
            for path in ("/", "/upload", "/uploads")] == [413, 200, 413]


# The ConfigMap's default

@pytest.fixture(scope="module")
def configured(make_gateway):
    made = make_gateway(http="torii_config default/torii;")
    try:
        yield made.start()
    finally:
        made.remove()


@pytest.mark.parametrize("default, own, limit", [
    ("2k", None, 2048), ("2k", "4k", 4096), ("2k", "bad", 2048),
    ("2k", "0", None), ("0", None, None), ("0", "2k", 2048),
    ("bad", None, 1 << 20), ("", None, 1 << 20)])
def test_config_map_gives_the_default(configured, echo, default, own, limit):
    configured.apply("config", manifest.config_map(
        "torii", {"proxy-body-size": default}))
    route = Route(configured, echo[0], proxy_body_size=own)

    assert route.post(limit or 3 << 20).status == 200
    if limit:
        assert route.post(limit + 1).status == 413


# What registry clients read

@pytest.mark.parametrize("way", WAYS)
def test_refusal_under_v2_is_an_error_of_a_registry(limited, way):
    answer = limited.post(LIMIT + 1, way, target=REGISTRY, method="PATCH")

    assert answer.status == 413
    assert answer.header("Content-Type") == "application/json"
    error, = json.loads(answer.body)["errors"]
    assert error["code"] == "SIZE_INVALID"
    assert str(LIMIT) in error["message"]
    assert "proxy-body-size" in error["message"]
    if answer.version != "2":
        assert answer.header("Content-Length") == str(len(answer.body))


@pytest.mark.parametrize("target", ["/", "/v2", "/v3/a", "/a/v2/"])
def test_refusal_elsewhere_is_a_page(limited, target):
    answer = limited.post(LIMIT + 1, target=target)

    assert answer.header("Content-Type") == "text/html"
    assert b"413 Request Entity Too Large" in answer.body


@pytest.mark.parametrize("target, status, code", [
    ("/v2/", 502, "UNAVAILABLE"), ("/v2/a", 502, "UNAVAILABLE")])
def test_bad_gateway_under_v2_is_an_error_of_a_registry(serve, echo, target,
                                                        status, code):
    route = serve()
    echo.close(echo[0])

    answer = route.gateway.get(target, route.host)

    assert answer.status == status
    assert answer.json()["errors"][0]["code"] == code


def test_error_of_the_registry_itself_is_left_alone(serve):
    route = serve()

    answer = route.gateway.get("/v2/a", route.host, echo=dict(
        status=404, body='{"errors":[]}'))

    assert (answer.status, answer.body) == (404, b'{"errors":[]}')


@pytest.mark.parametrize("way", ["length", "tls", "h2", "h2c"])
def test_head_has_no_body(limited, way):
    answer = limited.post(LIMIT + 1, way, target=REGISTRY, method="HEAD")

    assert (answer.status, answer.body) == (413, b"")
    assert answer.header("Content-Type") == "application/json"


# A client that sends first and reads later

@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("size", [LIMIT + 1, 16 << 20])
@pytest.mark.parametrize("target", ["/", REGISTRY])
def test_client_that_sends_all_first_reads_the_refusal(limited, gateway, tls,
                                                       size, target):
    """It is refused before it has sent, but its bytes are taken, so that no
    reset removes the answer."""
    with gateway.connect(tls, limited.host) as sock:
        sock.sendall(b"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n"
                     b"\r\n" % (target.encode(), limited.host.encode(), size)
                     + bytes(size))
        assert sock.recv(65536).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("target", ["/", REGISTRY])
def test_chunked_client_that_sends_all_first_reads_the_refusal(
        limited, gateway, tls, target):
    chunk = b"%x\r\n" % 60000 + bytes(60000) + b"\r\n"

    with gateway.connect(tls, limited.host) as sock:
        sock.sendall(b"POST %s HTTP/1.1\r\nHost: %s\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n"
                     % (target.encode(), limited.host.encode())
                     + 40 * chunk + b"0\r\n\r\n")
        assert sock.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_client_that_waits_is_refused_at_once(limited, gateway):
    """Expect: 100-continue: no byte of the body is asked for."""
    with gateway.connect() as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n"
                     b"Expect: 100-continue\r\n\r\n"
                     % (limited.host.encode(), LIMIT + 1))
        assert sock.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_client_that_waits_and_fits_is_asked_to_go_on(limited, gateway):
    with gateway.connect() as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 5\r\n"
                     b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
                     % limited.host.encode())
        assert sock.recv(65536).startswith(b"HTTP/1.1 100 ")
        sock.sendall(b"12345")
        assert client.read_all(sock).startswith(b"HTTP/1.1 200 ")


def test_refused_length_that_does_not_fit_a_number(limited, gateway):
    answer = gateway.raw(b"POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: "
                         b"99999999999999999999999\r\n\r\n"
                         % limited.host.encode())

    assert answer.startswith(b"HTTP/1.1 400 ")


def test_client_that_never_sends_its_body_costs_no_worker(limited, gateway):
    socks = []

    for i in range(20):
        socks.append(gateway.connect())
        socks[i].sendall(b"POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: "
                         b"1000000\r\n\r\n" % limited.host.encode())

    assert gateway.post("/", limited.host, bytes(LIMIT)).status == 200

    for sock in socks:
        assert sock.recv(65536).startswith(b"HTTP/1.1 413 ")
        sock.close()
