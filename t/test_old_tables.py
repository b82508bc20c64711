"""
Streams outlive the tables that they were routed with: the files are let go
while the streams go on, and what is said of them at their end is right.
"""

import contextlib
import pathlib
import re
import select
import socket

import pytest

import manifest
import nginx
from gateway import SANITIZE


STREAMS = 200
ROUTES = 10000                          # a table of some MB

WEBSOCKET = ("GET /terminal HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\n"
             "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
EVENTS = ("GET /events?count=100000&pause=500 HTTP/1.1\r\nHost: {}\r\n"
          "Origin: https://o.example\r\n\r\n")

# words of the access log, all of them out of the table, and what they must be
LOG = ("$host $status $namespace $ingress_name $service_name $service_port "
       "$location_path $proxy_upstream_name $torii_service "
       "$upstream_addr $sent_http_access_control_allow_methods")


@pytest.fixture
def gateway(start_gateway):
    return start_gateway(http=f"log_format words '{LOG}';", workers=1,
                         server="access_log @dir@/words.log words;",
                         manifests={"many": many()})


def many():
    rules = [manifest.rule(f"many-{i}.example", manifest.path("/", "many"))
             for i in range(ROUTES)]
    return [manifest.service("many")] + [
        manifest.ingress(f"many-{i}", *rules[i:i + 100])
        for i in range(0, ROUTES, 100)]


def held(gateway):
    """How many files of old tables the worker has mapped."""
    worker, = gateway.worker_pids()
    maps = pathlib.Path(f"/proc/{worker}/maps").read_text()
    files = set(re.findall(r"/table/table\.(\d+)", maps))
    return len(files - {str(gateway.generation)})


def wait_let_go(gateway):
    """By time only: no request comes that could have a hand in it."""
    nginx.wait_until(lambda: held(gateway) == 0,
                     lambda: f"{held(gateway)} old tables to go",
                     timeout=60 if SANITIZE else 15, every=0.1)


def open_stream(gateway, host, request):
    """A stream that has begun: 101 or an event came."""
    sock = gateway.connect()
    sock.sendall(request.format(host).encode())
    answer = b""

    while b"\r\n\r\n" not in answer:
        answer += sock.recv(4096)

    assert answer.split()[1] in (b"101", b"200"), answer
    return sock


def say(sock, text):
    """A WebSocket's text comes back from the backend."""
    sock.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
    echo = b""

    while len(echo) < len(text) + 2:
        piece = sock.recv(4096)
        assert piece, echo
        echo += piece

    assert echo == bytes([0x81, len(text)]) + text


def count(gateway, host, status):
    text = gateway.admin_get("/metrics").text
    found = re.search(r"^nginx_ingress_controller_requests\{"
                      rf'(?=[^}}]*host="{re.escape(host)}")'
                      rf'(?=[^}}]*status="{status}")'
                      r'(?=[^}]*ingress="moving")(?=[^}]*path="/")'
                      r'(?=[^}]*service="moving")[^}]*\} (\d+)', text, re.M)
    return int(found[1]) if found else 0


def test_streams_of_200_tables_hold_no_file(gateway, argo_server, echo):
    worker, = gateway.worker_pids()
    kinds = [(101, WEBSOCKET), (200, EVENTS)]
    streams = []

    with contextlib.ExitStack() as stack:
        for i in range(STREAMS):
            host = f"stream-{i}.example"
            gateway.serve(host, argo_server.address, name="moving",
                          proxy_read_timeout="600", enable_cors="true",
                          cors_allow_methods=f"GET, X{i}")
            sock = open_stream(gateway, host, kinds[i % 2][1])
            streams.append(stack.enter_context(sock))

        gateway.serve("last.example", echo[0], name="moving")
        wait_let_go(gateway)

        for sock in streams[::2]:
            say(sock, b"still there")
        for sock in streams[1::2]:
            assert sock.recv(65536)
        for sock in streams[1::2]:
            assert select.select([sock], [], [], 5)[0]

    nginx.wait_until(lambda: len(words(gateway)) == STREAMS,
                     lambda: f"{STREAMS} lines: {words(gateway)}")
    assert sorted(words(gateway)) == sorted(
        f"stream-{i}.example {kinds[i % 2][0]} default moving moving 80 / "
        f"default-moving-80 moving {argo_server.address.host}:"
        f"{argo_server.address.port} GET, X{i}" for i in range(STREAMS))

    for i in range(0, STREAMS, 7):
        assert count(gateway, f"stream-{i}.example", kinds[i % 2][0]) == 1

    assert gateway.worker_pids() == [worker]
    assert gateway.get("/", "last.example").status == 200


def words(gateway):
    try:
        return (gateway.dir / "words.log").read_text().splitlines()
    except FileNotFoundError:
        return []


def test_many_streams_of_one_table_hold_no_file(gateway, argo_server):
    gateway.serve("one.example", argo_server.address, name="moving")

    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(open_stream(gateway, "one.example",
                                                   WEBSOCKET))
                   for i in range(50)]
        gateway.serve("other.example", argo_server.address, name="moving")
        gateway.get("/", "other.example")
        wait_let_go(gateway)

        for sock in streams:
            say(sock, b"still there")

    nginx.wait_until(lambda: len(words(gateway)) == 51, "51 lines")
    assert count(gateway, "one.example", 101) == 50


def test_request_goes_on_to_another_endpoint_of_an_old_table(gateway, echo):
    """Neither endpoint has answered when the table's file is let go."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0)))
                   for i in range(2)]
        gateway.serve("slow.example", *(type(echo[0])(*s.getsockname())
                                        for s in servers), name="moving")
        client = stack.enter_context(gateway.connect())
        client.sendall(b"GET / HTTP/1.1\r\nHost: slow.example\r\n\r\n")

        first, = select.select(servers, [], [], 5)[0]
        peer = stack.enter_context(first.accept()[0])
        peer.recv(4096)

        gateway.serve("last.example", echo[0], name="moving")
        gateway.get("/", "last.example")
        wait_let_go(gateway)

        servers.remove(first)
        peer.close()
        peer = stack.enter_context(servers[0].accept()[0])
        peer.recv(4096)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")

    nginx.wait_until(lambda: count(gateway, "slow.example", 200) == 1,
                     "the count")


def test_worker_without_requests_lets_go_of_its_table(gateway, echo):
    """It looks for a new table by itself, more and more seldom."""
    gateway.get("/", "many-1.example")

    for i in range(2):
        gateway.serve("last.example", echo[i])
        assert held(gateway) == 1
        wait_let_go(gateway)
