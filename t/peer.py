"""
What stands around the gateway in tests: backends and clients.  Those that are
programs of their own end when their standard input does, so that none stays
behind, however the tests end.
"""

import json
import pathlib
import socket
import subprocess
import tempfile
import threading

import network
from manifest import Address


PEERS = pathlib.Path(__file__).resolve().parent / "peers"


def install():
    """npm's packages for the peers, once for each list of them."""
    done = PEERS / "node_modules/.package-lock.json"
    wanted = PEERS / "package-lock.json"

    if not done.exists() or done.stat().st_mtime < wanted.stat().st_mtime:
        npm = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"],
                             cwd=PEERS, timeout=300, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert npm.returncode == 0, f"npm ci in t/peers:\n{npm.stdout}"


def node():
    """The command; npm's, since Debian 12's is too old for oidc-provider,
    and where npm has none for this processor, the one on PATH."""
    return next(map(str, PEERS.glob("node_modules/node-linux-*/bin/node")),
                "node")


class Node:
    """A node program of t/peers that answers one line of JSON to each."""

    def __init__(self, script, **options):
        self.errors = tempfile.TemporaryFile("w+")
        self.lock = threading.Lock()
        self.process = subprocess.Popen(
            [node(), str(PEERS / script), json.dumps(options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            stderr=self.errors, bufsize=1)
        self.hello = self.read()

    def read(self):
        line = self.process.stdout.readline()

        if not line:
            self.errors.seek(0)
            raise AssertionError("peer ended: " + self.errors.read()[-2000:])

        return json.loads(line)

    def ask(self, **command):
        with self.lock:
            self.process.stdin.write(json.dumps(command) + "\n")
            return self.read()

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Echo(Node):
    """The echo backend: several addresses, each answering what it received as
    JSON: name ("http0", …), method, target (raw), version, headers (list of
    pairs as sent), length and sha256 of the body, chunked, remote (port of the
    other end), tls (sni, protocol, client certificate's subject).

    echo[0] … echo[5] are HTTP addresses, echo.https one with TLS (a
    certificate for "backend.example" and its address, signed by the test CA),
    echo.mtls the same asking for a client certificate.

    A request's X-Echo header (echo={…} in this bench's clients) says what to
    do else; set() does it for all requests of an address:

        status, reason, headers {name: value or list}
        body (text), size (answer so many bytes), chunked (no Content-Length)
        chunks, pause (answer in so many pieces, so many ms apart)
        delay (ms before the answer), early (answer without reading the body)
        close (end the connection without an answer), cut (after half of it)
        trailers {name: value}
    """

    def __init__(self, pair, ca, addresses=6):
        super().__init__("echo.js", addresses=addresses, cert=pair.chain,
                         key=pair.key, ca=ca, host=network.POD)
        self.addresses = [Address(network.POD, p) for p in self.hello["http"]]
        self.https = Address(network.POD, self.hello["https"])
        self.mtls = Address(network.POD, self.hello["mtls"])

    def __getitem__(self, n):
        return self.addresses[n]

    def set(self, address, **options):
        """Options for all requests of an address; none: as usual again."""
        self.ask(command="set", port=address.port, options=options)

    def count(self, address, target=None):
        """Requests that arrived at an address since the last reset().  Those of
        a target, where an earlier test's may still be on their way."""
        counts = self.ask(command="count")["counts"].get(str(address.port), {})
        return sum(counts.values()) if target is None else counts.get(target, 0)

    def reset(self):
        """Counters to 0, options as usual, all addresses open."""
        self.ask(command="reset")

    def close(self, address):
        """Refuse connections from now on and cut those that are there."""
        self.ask(command="close", port=address.port)

    def open(self, address):
        self.ask(command="open", port=address.port)


class RawBackend:
    """A backend that keeps the bytes it got: requests is a list of them, one
    of each connection, as far as they arrived.  It answers reply once the
    headers are there, and closes."""

    REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n" \
            b"\r\nok"

    def __init__(self, reply=REPLY):
        self.reply = reply
        self.requests = []
        self.server = socket.create_server((network.POD, 0), backlog=128)
        self.address = Address(*self.server.getsockname()[:2])
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                sock, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,),
                             daemon=True).start()

    def serve(self, sock):
        n = len(self.requests)
        self.requests.append(b"")

        with sock:
            sock.settimeout(10)
            answered = False
            try:
                while True:
                    piece = sock.recv(65536)
                    if not piece:
                        return
                    self.requests[n] += piece
                    if not answered and b"\r\n\r\n" in self.requests[n]:
                        sock.sendall(self.reply)
                        sock.shutdown(socket.SHUT_WR)
                        answered = True
            except OSError:
                return

    def stop(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join(5)


class Argo(Node):
    """A server of Argo CD's shape: see peers/argo.js and app.proto.

    address is its port for gRPC without TLS, gRPC-web, /events (server-sent
    events: ?count=5&pause=100), /terminal (WebSocket); grpcs has gRPC over TLS
    only, with the certificate given.
    """

    def __init__(self, pair):
        super().__init__("argo.js", cert=pair.chain, key=pair.key,
                         host=network.POD)
        self.address = Address(network.POD, self.hello["port"])
        self.grpcs = Address(network.POD, self.hello["tls"])

    def events(self):
        """What happened at the server since the last call: "get x cancelled",
        "/events aborted", "ws closed 1000", …"""
        return self.ask(command="events")["events"]


class Streams(Node):
    """Clients of Argo: see peers/streams.js for what each takes.

        streams.call(port=…, host="grpc.example", tls=True, method="watch",
                     wish=dict(text="a", count=3))["replies"]
    """

    def __init__(self, ca):
        super().__init__("streams.js", ca=ca)

    def __getattr__(self, command):
        def run(**options):
            answer = self.ask(command=command, **options)
            assert "error" not in answer or answer.get("code"), answer
            return answer
        return run


class FastCgi(Node):
    """A FastCGI application: answers {"params": {…}, "length", "sha256"}."""

    def __init__(self):
        super().__init__("fastcgi.js", host=network.POD)
        self.address = Address(network.POD, self.hello["port"])
