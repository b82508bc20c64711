"""
The gateway under attack: requests and answers that are made to get past a
policy, to speak in another's name, or to eat a worker.
"""

import concurrent.futures
import json
import socket
import subprocess
import time

import pytest

import client
import gateway as gateways
import manifest
import nginx
import peer


GATEWAY = dict(workers=1, http="""
    underscores_in_headers on;
    keepalive_requests 1000000;""")

# what a worker may take; a sanitizer keeps for a while what was freed
ROOM = (300 if gateways.SANITIZE else 20) << 20

OTHER = "10.1.2.3/32"
TRUSTED = {"use-forwarded-headers": "true", "proxy-real-ip-cidr": "127.0.0.1"}


@pytest.fixture
def start_backend():
    """start_backend(reply): a peer.RawBackend that answers these bytes."""
    started = []

    def start(reply):
        started.append(peer.RawBackend(reply))
        return started[-1]

    yield start

    for backend in started:
        backend.stop()


@pytest.fixture
def accel(gateway, start_backend):
    """accel(target): a request that a backend answers with
    "X-Accel-Redirect: target"."""
    def run(target, gateway=gateway, host="accel.example", **how):
        backend = start_backend(
            b"HTTP/1.1 200 OK\r\nX-Accel-Redirect: " + target.encode()
            + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        gateway.serve(host, backend.address, name="accel", path_text="/go",
                      proxy_connect_timeout=1, proxy_read_timeout=1,
                      proxy_next_upstream_tries=1)
        return gateway.get("/go", host=host, **how)
    return run


def worker(gateway):
    pid, = gateway.worker_pids()
    return pid


# Internal redirects

def test_x_accel_redirect_does_not_pass_the_allow_list_of_a_path(
        gateway, accel, echo):
    gateway.serve("accel.example", echo[0], name="closed",
                  path_text="/closed", whitelist_source_range=OTHER)

    assert accel("/closed/a").status == 403


def test_x_accel_redirect_goes_on_with_the_settings_of_the_other_path(
        gateway, accel, echo):
    gateway.serve("accel.example", echo[0], name="other", path_text="/other",
                  upstream_vhost="other.internal")

    assert accel("/other/a").echo.header("Host") == "other.internal"


def test_x_accel_redirect_keeps_what_a_trusted_proxy_said(
        start_gateway, accel, echo):
    gateway = start_gateway(
        http="torii_config default/torii;",
        manifests={"config": [manifest.config_map("torii", TRUSTED)]})
    gateway.serve("accel.example", echo[0], name="other", path_text="/other")

    seen = accel("/other/a", gateway, x_forwarded_for="10.9.8.7",
                 x_forwarded_proto="https", x_forwarded_port="8443").echo

    assert seen.header("X-Real-IP") == "10.9.8.7"
    assert seen.header("X-Forwarded-Proto") == "https"
    assert seen.header("X-Forwarded-Port") == "8443"
    assert seen.header("X-Original-Forwarded-For") == "10.9.8.7"


def test_x_accel_redirect_keeps_hiding_what_a_stranger_said(
        gateway, accel, echo):
    gateway.serve("accel.example", echo[0], name="other", path_text="/other")

    seen = accel("/other/a", x_forwarded_for="10.9.8.7",
                 x_forwarded_proto="ftp", x_auth_request_user="root").echo

    assert seen.header("X-Forwarded-For") == "127.0.0.1"
    assert seen.header("X-Forwarded-Proto") == "http"
    assert seen.header("X-Auth-Request-User") is None
    assert seen.header("Proxy") is None


@pytest.mark.parametrize("name", [
    "http", "http_stream", "http10", "https", "https_stream", "https10",
    "grpc", "grpcs", "fastcgi", "fastcgi_stream"])
def test_x_accel_redirect_to_a_template_gains_nothing(gateway, accel, name):
    gateway.expect("rewrite or internal redirection cycle|SSL_do_handshake|"
                   "FastCGI|without a backend")

    assert accel(f"@torii_{name}").status >= 500
    assert gateway.get("/healthz", host="nobody.example").status == 200


def test_error_page_is_of_the_request_and_not_of_its_subrequest(
        start_gateway, echo):
    gateway = start_gateway(server="""
        auth_request /sub;
        error_page 502 /error;
        location = /error { internal; return 200 "$torii_path"; }""")
    gateway.serve("sub.example", echo[0], path_text="/sub")
    gateway.serve("sub.example", manifest.Address("127.0.0.1",
                                                  nginx.free_port()),
                  path_text="/dead")

    assert gateway.get("/dead", host="sub.example").text == "/dead"


def test_error_page_of_a_bad_request_may_lead_to_a_route(start_gateway, echo):
    gateway = start_gateway(server="error_page 400 414 494 /bad;")
    gateway.serve(None, echo[0], path_text="/bad")
    host = b"Host: a.example\r\n"

    for data in [b"GET / HTTP/1.1\r\n\r\n",
                 b"\x16\x03\x01\x00\r\n\r\n",
                 b"GET /%00 HTTP/1.1\r\n" + host + b"\r\n",
                 b"GET /../.. HTTP/1.1\r\n" + host + b"\r\n",
                 b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
                 b"GET / HTTP/1.1\r\n" + host + b"\x01: 1\r\n\r\n",
                 b"GET http://[ HTTP/1.1\r\n\r\n",
                 b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\n" + host + b"\r\n",
                 b"GET / HTTP/1.1\r\n" + host + b"A: " + b"a" * 40000
                 + b"\r\n\r\n"]:
        assert gateway.raw(data).startswith(b"HTTP/1.1 4")


# Upgrades

UPGRADED = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
            b"Upgrade: websocket\r\n\r\nafter")


@pytest.mark.parametrize("value", ["h2c", "H2C", "websocket, h2c",
                                   "h2c,websocket"])
def test_upgrade_to_h2c_is_not_passed_on(gateway, raw_backend, value):
    gateway.serve("up.example", raw_backend.address)

    gateway.get("/", host="up.example",
                headers=[("Connection", "Upgrade, HTTP2-Settings"),
                         ("Upgrade", value), ("HTTP2-Settings", "AAMAAABk")])

    seen = raw_backend.requests[-1].lower()
    assert b"\r\nupgrade:" not in seen
    assert b"\r\nconnection: upgrade" not in seen


def test_http2_stream_cannot_be_upgraded(gateway, start_backend, echo):
    gateway.expect("unexpected 101|101")
    backend = start_backend(UPGRADED)
    gateway.serve("up2.example", backend.address)
    gateway.serve("after.example", echo[0])

    with gateway.http2(sni="up2.example") as connection:
        try:
            connection.get("/", "up2.example",
                           headers=[("upgrade", "websocket")])
        except client.Http2Reset:
            pass
        assert connection.get("/", "after.example").status in (200, 308)

    assert not any(b"\r\nupgrade:" in r.lower() for r in backend.requests)


def test_upgrade_that_nobody_asked_for_is_an_error(gateway, start_backend):
    gateway.serve("up5.example", start_backend(UPGRADED).address,
                  ssl_redirect="false")

    assert gateway.get("/", host="up5.example").status == 502


@pytest.mark.parametrize("status", ["100 Continue", "103 Early Hints"])
def test_interim_answer_cannot_answer_the_next_request(
        gateway, start_backend, echo, status):
    forged = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Forged: 1\r\n\r\n"
    backend = start_backend(f"HTTP/1.1 {status}\r\n\r\n".encode()
                            + forged * 2)
    gateway.serve("hint.example", backend.address)
    gateway.serve("next.example", echo[0])

    data = gateway.raw(b"GET / HTTP/1.1\r\nHost: hint.example\r\n\r\n"
                       b"GET / HTTP/1.1\r\nHost: next.example\r\n\r\n")

    # newer versions of nginx pass the interim answer over, and go on
    assert b"next.example" not in data or data.count(b"X-Forged") == 1


def test_http10_client_cannot_upgrade(gateway, raw_backend):
    gateway.serve("up3.example", raw_backend.address)

    gateway.raw(b"GET / HTTP/1.0\r\nHost: up3.example\r\n"
                b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n")

    assert b"\r\nupgrade:" not in raw_backend.requests[-1].lower()


def test_websocket_is_still_upgraded(gateway, start_backend):
    backend = start_backend(UPGRADED)
    gateway.serve("up4.example", backend.address, proxy_buffering="on")

    data = gateway.raw(b"GET / HTTP/1.1\r\nHost: up4.example\r\n"
                       b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n")

    assert data.startswith(b"HTTP/1.1 101 ") and data.endswith(b"after")


# Headers

@pytest.mark.parametrize("name", [
    "X_Forwarded_For", "X_Forwarded_Proto", "X-Forwarded_Host", "X_Real_IP",
    "X_Scheme", "X_Original_URI", "X_Auth_Request_User"])
def test_claim_spelt_with_underscores_is_hidden_too(gateway, echo, name):
    gateway.serve("claim.example", echo[0])

    seen = gateway.get("/", host="claim.example",
                       headers=[(name, "10.9.8.7"), ("X_Word", "1")]).echo

    assert seen.header(name) is None
    assert seen.header("X_Word") == "1"


@pytest.mark.parametrize("host", [
    "port.example:80@evil.example", "port.example:evil", "port.example:80:80",
    "port.example:-1"])
def test_host_with_something_else_for_a_port_is_refused(gateway, echo, host):
    gateway.serve("port.example", echo[0])

    assert gateway.get("/", host=host).status == 400


@pytest.mark.parametrize("host", ["port.example", "port.example:8080",
                                  "PORT.example.", "port.example.:80",
                                  "port.example:"])
def test_host_in_its_proper_forms_is_passed_on_as_it_came(gateway, echo, host):
    gateway.serve("port.example", echo[0])

    assert gateway.get("/", host=host).echo.header("Host") == host


@pytest.mark.parametrize("port", ["", ":80", ":8080"])
def test_absolute_target_may_be_longer_than_the_first_buffer(
        gateway, echo, port):
    gateway.serve("long.example", echo[0])

    with gateway.connect() as sock:
        sock.sendall(f"GET http://long.example{port}/".encode())
        time.sleep(0.05)
        sock.sendall(b"a" * 6000)
        time.sleep(0.05)
        sock.sendall(b" HTTP/1.1\r\nHost: x.example\r\n"
                     b"Connection: close\r\n\r\n")
        answer = client.read_all(sock, 5)

    seen = client.Seen(json.loads(answer.partition(b"\r\n\r\n")[2]
                                  .partition(b"\r\n")[2]
                                  .rpartition(b"\r\n0\r\n")[0] or
                                  answer.partition(b"\r\n\r\n")[2]))
    assert seen.header("Host") == f"long.example{port}"


def test_many_short_headers_do_not_take_much_memory(gateway, echo):
    gateway.serve("many.example", echo[0])
    headers = [("X-Forwarded-For", "1")] * 980

    def run(_):
        return gateway.get("/", host="many.example", headers=headers,
                           echo={"delay": 3000})

    assert gateway.get("/", host="many.example").status == 200
    before = nginx.memory(worker(gateway))

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(run, n) for n in range(20)]
        nginx.wait_until(lambda: echo.count(echo[0]) == 21, "the requests")
        after = nginx.memory(worker(gateway))

    assert {a.result().status for a in answers} == {200}
    assert after - before < ROOM


# Paths

@pytest.mark.parametrize("target", [
    "/closed", "/closed/", "/closed/a", "//closed/a", "/./closed", "/%63losed",
    "/x/../closed/a", "/x/%2e%2e/closed", "/x/..%2fclosed", "/%2fclosed",
    "/closed%2fa", "/closed?/open", "/closed#", "/a//../closed",
    "http://list.example/closed", "http://list.example:80/closed",
    "HTTP://LIST.example./closed"])
@pytest.mark.parametrize("h2", [False, True], ids=["h1", "h2"])
def test_closed_path_is_closed_however_it_is_spelt(gateway, echo, target, h2):
    gateway.serve("list.example", echo[0])
    gateway.serve("list.example", echo[0], path_text="/closed",
                  whitelist_source_range=OTHER)

    if h2 and not target.startswith("/"):
        with pytest.raises((client.Http2Reset, ConnectionError)):
            assert gateway.get(target, host="list.example",
                               h2=True).status in (400, 403)
            raise ConnectionError()
    else:
        answer = gateway.get(target, host="list.example", h2=h2)
        assert answer.status == 403


@pytest.mark.parametrize("host", ["list.example", "LIST.EXAMPLE",
                                  "list.example.", "list.example:80",
                                  "List.Example.:80"])
@pytest.mark.parametrize("h2", [False, True], ids=["h1", "h2"])
def test_closed_path_is_closed_however_its_host_is_spelt(
        gateway, echo, host, h2):
    gateway.serve("list.example", echo[0], path_text="/closed",
                  whitelist_source_range=OTHER)

    assert gateway.get("/closed", host=host, h2=h2).status == 403


# Memory

def test_second_server_block_does_not_take_memory_for_each_request(
        start_gateway, echo):
    gateway = start_gateway(workers=1, http="""
        keepalive_requests 1000000;
        server { listen 127.0.0.1:@h2c@; torii on; }""", listen="""
        listen 127.0.0.1:@plain@;
        listen 127.0.0.1:@tls@ ssl http2;""")
    gateway.serve("two.example")

    assert gateway.get("/", host="two.example").status == 503

    with gateway.http1(port=gateway.h2c) as connection:
        for _ in range(100):
            connection.get("/", "two.example")

        before = nginx.memory(worker(gateway))

        for _ in range(6000):
            assert connection.get("/", "two.example").status == 503

        assert nginx.memory(worker(gateway)) - before < ROOM // 3


# Metrics

@pytest.fixture(scope="module")
def counted(authority):
    """A gateway that has counted for 1,500 hosts: 30 MB of metrics."""
    made = gateways.Gateway(
        workers=1, http="keepalive_requests 100000;",
        manifests={"hosts": manifest.backend("none") + [
            manifest.ingress(f"i{i}", manifest.rule(
                f"h{i}.example", manifest.path("/", "none")))
            for i in range(1500)]})
    try:
        made.start()
        with made.http1() as connection:
            for i in range(1500):
                connection.get("/", f"h{i}.example")
        yield made
    finally:
        made.remove()


def test_metrics_are_whole_whoever_reads_them_how_slowly(counted):
    wanted = counted.admin_get("/metrics").body

    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
        slow.connect(("127.0.0.1", counted.admin))
        slow.sendall(b"GET /metrics HTTP/1.0\r\nHost: a\r\n\r\n")
        time.sleep(0.2)
        answer = client.read_all(slow, 10)

    def series(text):
        return sorted(line.rpartition(b" ")[0]
                      for line in text.partition(b"\r\n\r\n")[2].splitlines())

    assert series(answer) == series(b"\r\n\r\n" + wanted)
    assert len(wanted) > 20 << 20


def test_metrics_that_nobody_waits_for_are_given_up(counted):
    before = nginx.descriptors(worker(counted))["socket"]

    for pause in range(5):
        with counted.connect(port=counted.admin) as sock:
            sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            sock.recv(1000)
            time.sleep(pause / 50)

    nginx.wait_until(
        lambda: nginx.descriptors(worker(counted))["socket"] <= before,
        "the sockets to be closed")


def test_metrics_do_not_keep_others_waiting(counted):
    waits = []

    with concurrent.futures.ThreadPoolExecutor(1) as pool, \
            counted.http1() as connection:
        scrape = pool.submit(subprocess.run, [
            "curl", "-so/dev/null",
            f"http://127.0.0.1:{counted.admin}/metrics"], check=True)

        while not scrape.done():
            begin = time.monotonic()
            connection.get("/", "h1.example")
            waits.append(time.monotonic() - begin)

    assert len(waits) > 5           # in one piece it would be one or two


# Answers

def test_error_for_a_registry_client_is_whole_whatever_it_replaces(
        start_gateway, start_nginx, echo):
    instead = start_nginx("server { listen 127.0.0.1:@plain@; root @dir@; }")
    (instead.dir / "v2").mkdir()
    (instead.dir / "v2" / "big").write_text("x" * 300000)
    gateway = start_gateway(server=f"""
        error_page 503 @instead;
        location @instead {{ proxy_pass http://127.0.0.1:{instead.plain};
                             proxy_buffering off; }}""")
    gateway.serve("registry.example")

    with gateway.http1() as connection:
        for _ in range(3):
            answer = connection.get("/v2/big", "registry.example")
            assert answer.status == 503
            assert json.loads(answer.body)["errors"][0]["code"] == \
                "UNAVAILABLE"


def test_fastcgi_parameter_of_an_absent_header_is_empty(gateway, fastcgi):
    gateway.apply("params", manifest.route(
        "params.example", fastcgi.address, name="params",
        backend_protocol="FCGI", fastcgi_params_configmap="default/params"),
        manifest.config_map("params", {"EMPTY": "$http_absent"}))

    answer = gateway.get("/a.php", host="params.example")

    assert answer.json()["params"]["EMPTY"] == ""
