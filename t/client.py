"""
An HTTP client for tests: it sends what it is told, byte for byte, and hides
nothing of the answer.  HTTP/1.1 by http.client, HTTP/2 by python3-h2.
"""

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time

import h2.config
import h2.connection
import h2.errors
import h2.events


class Answer:
    """What came back: status, headers (as a list of pairs), body, version."""

    def __init__(self, status, headers, body, version, trailers=()):
        self.status = status
        self.headers = headers
        self.body = body
        self.version = version
        self.trailers = list(trailers)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}>"

    def header(self, name):
        """The header's value, several joined by ", "; None if absent."""
        found = self.all(name)
        return ", ".join(found) if found else None

    def all(self, name):
        name = name.lower()
        return [v for k, v in self.headers if k.lower() == name]

    @property
    def location(self):
        return self.header("Location")

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    @property
    def echo(self):
        """The request as the echo backend saw it: see Echo in peer.py."""
        return Seen(self.json())


class Seen(dict):
    """A request as a backend received it."""

    def header(self, name):
        """The header's value, several joined by ", "; None if absent."""
        found = self.all(name)
        return ", ".join(found) if found else None

    def all(self, name):
        name = name.lower()
        return [v for k, v in self["headers"] if k.lower() == name]


def tls_context(ca=None, alpn=(), cert=None, minimum=None, maximum=None,
                ciphers=None):
    """A client's context: ca is a PEM text to verify by, cert a Pair."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    if ca:
        context.load_verify_locations(cadata=ca)
        context.verify_mode = ssl.CERT_REQUIRED
        context.check_hostname = True
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if cert:
        context.load_cert_chain(*cert.files())
    if minimum:
        context.minimum_version = minimum
    if maximum:
        context.maximum_version = maximum
    if ciphers:
        context.set_ciphers(ciphers)

    return context


def connect(port, tls=False, sni=None, alpn=(), context=None, session=None,
            source=None, timeout=10, address="127.0.0.1"):
    """A connected socket, with TLS if wanted; source is the client's address
    (127.0.0.2 to 127.255.255.254 are there without being configured)."""
    sock = socket.create_connection((address, port), timeout,
                                    (source, 0) if source else None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    if not tls:
        return sock

    context = context or tls_context(alpn=alpn)

    try:
        return context.wrap_socket(sock, server_hostname=sni, session=session)
    except BaseException:
        sock.close()
        raise


def header_list(host, headers, pairs=(), echo=None):
    """Keyword arguments as header fields: x_real_ip=… is "X-Real-Ip: …"."""
    fields = [("Host", host)] if host is not None else []

    for name, value in headers.items():
        if value is not None:
            fields.append((name.replace("_", "-").title(), str(value)))

    if echo is not None:
        fields.append(("X-Echo", json.dumps(echo)))

    return fields + list(pairs)


class _Plain(http.client.HTTPConnection):
    """http.client, which otherwise looks for errors in what tests send."""

    def _validate_path(self, url):
        pass

    def _validate_host(self, host):
        pass


class Http1:
    """One HTTP/1.1 connection, kept alive over requests.

    The body is bytes (sent with Content-Length) or an iterable of bytes
    (sent chunked).  An answer that arrives while the body is being sent ends
    the sending.
    """

    def __init__(self, sock):
        self.sock = sock
        self.conn = _Plain("localhost")
        self.conn.sock = sock
        self.conn.auto_open = 0

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def close(self):
        self.conn.close()
        self.sock.close()

    def send(self, method, target, fields, body=None):
        """Send the request and return the http.client.HTTPResponse, whose
        body is still to be read."""
        names = {name.lower() for name, _ in fields}
        chunked = body is not None and not isinstance(body, (bytes, str))

        if isinstance(body, str):
            body = body.encode()

        self.conn.putrequest(method, target, skip_host=True,
                             skip_accept_encoding=True)
        for name, value in fields:
            self.conn.putheader(name, value)

        if chunked and "transfer-encoding" not in names:
            self.conn.putheader("Transfer-Encoding", "chunked")
        elif body is not None and "content-length" not in names:
            self.conn.putheader("Content-Length", str(len(body)))

        try:
            self.conn.endheaders(body, encode_chunked=chunked)
        except (BrokenPipeError, ConnectionResetError):
            pass

        response = http.client.HTTPResponse(self.sock, method=method)
        self.conn._HTTPConnection__state = "Idle"

        try:
            response.begin()
        except BaseException:
            response.close()
            raise

        return response

    def request(self, method, target="/", host="localhost", body=None,
                headers=(), echo=None, **named):
        response = self.send(method, target,
                             header_list(host, named, headers, echo), body)
        data = response.read()

        return Answer(response.status, response.getheaders(), data,
                      "1.1" if response.version == 11 else "1.0")

    def get(self, target="/", host="localhost", **named):
        return self.request("GET", target, host, **named)


class Http2Reset(Exception):
    """The server reset the stream; code is its error code."""

    def __init__(self, code, answer=None):
        super().__init__(f"stream reset with code {code!r}")
        self.code = code
        self.answer = answer


class Http2:
    """One HTTP/2 connection, one request at a time.

    The body is bytes, or an iterable of bytes; a content-length goes out only
    for bytes.
    """

    def __init__(self, sock):
        self.sock = sock
        config = h2.config.H2Configuration(
            client_side=True, header_encoding="utf-8",
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
            validate_inbound_headers=False)
        self.conn = h2.connection.H2Connection(config)
        self.conn.initiate_connection()
        self.conn.increment_flow_control_window(1 << 30)
        self.closed = None
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def close(self):
        self.sock.close()

    def flush(self):
        data = self.conn.data_to_send()
        if data:
            self.sock.sendall(data)

    def request(self, method, target="/", host="localhost", body=None,
                headers=(), echo=None, scheme="https", **named):
        fields = [(":method", method), (":scheme", scheme),
                  (":authority", host), (":path", target)]
        fields = [f for f in fields if f[1] is not None]
        fields += [(k.lower(), v)
                   for k, v in header_list(None, named, headers, echo)]

        if isinstance(body, str):
            body = body.encode()
        if isinstance(body, bytes):
            fields.append(("content-length", str(len(body))))

        stream = self.conn.get_next_available_stream_id()
        self.state = {"status": None, "headers": [], "body": bytearray(),
                      "trailers": [], "end": False, "reset": None}

        self.conn.send_headers(stream, fields, end_stream=body is None)
        self.flush()

        if body is not None:
            pieces = [body] if isinstance(body, bytes) else body
            try:
                self._send(stream, pieces)
            except (BrokenPipeError, ConnectionResetError):
                pass

        while not self._over():
            self._receive(stream)

        return self._answer()

    def get(self, target="/", host="localhost", **named):
        return self.request("GET", target, host, **named)

    def _over(self):
        s = self.state
        return s["end"] or s["reset"] is not None or self.closed is not None

    def _send(self, stream, pieces):
        for piece in pieces:
            while piece and not self._over():
                room = min(self.conn.local_flow_control_window(stream),
                           self.conn.max_outbound_frame_size, len(piece))
                if room == 0:
                    self._receive(stream)
                    continue
                self.conn.send_data(stream, bytes(piece[:room]))
                piece = piece[room:]
                self.flush()

        if not self._over():
            self.conn.end_stream(stream)
            self.flush()

    def _receive(self, stream):
        data = self.sock.recv(65536)
        if not data:
            self.closed = "closed"
            return

        for event in self.conn.receive_data(data):
            self._event(stream, event)

        self.flush()

    def _event(self, stream, event):
        if isinstance(event, h2.events.ConnectionTerminated):
            self.closed = event.error_code

        if getattr(event, "stream_id", None) != stream:
            return

        if isinstance(event, h2.events.ResponseReceived):
            fields = dict(event.headers)
            self.state["status"] = int(fields[":status"])
            self.state["headers"] = [f for f in event.headers
                                     if not f[0].startswith(":")]
        elif isinstance(event, h2.events.TrailersReceived):
            self.state["trailers"] = event.headers
        elif isinstance(event, h2.events.DataReceived):
            self.state["body"] += event.data
            if event.flow_controlled_length:
                self.conn.acknowledge_received_data(
                    event.flow_controlled_length, stream)
        elif isinstance(event, h2.events.StreamReset):
            self.state["reset"] = event.error_code
        elif isinstance(event, h2.events.StreamEnded):
            self.state["end"] = True

    def _answer(self):
        s = self.state
        answer = None

        if s["status"] is not None:
            answer = Answer(s["status"], s["headers"], bytes(s["body"]), "2",
                            s["trailers"])

        # NO_ERROR after a whole answer asks to stop sending: RFC 9113, 8.1
        if s["end"] or (answer and s["reset"] == h2.errors.ErrorCodes.NO_ERROR):
            return answer
        if s["reset"] is not None:
            raise Http2Reset(s["reset"], answer)

        raise ConnectionError(f"connection ended by {self.closed!r}")


def read_all(sock, timeout=2):
    """All bytes until the peer closes or is silent for timeout seconds."""
    sock.settimeout(timeout)
    data = b""

    try:
        while True:
            piece = sock.recv(65536)
            if not piece:
                return data
            data += piece
    except (TimeoutError, ConnectionResetError):
        return data


class Load:
    """Requests to a host at a rate, on connections kept alive; errors are the
    answers that were not 200, and whatever else went wrong."""

    def __init__(self, gateway, host, rate=500, clients=4):
        self.gateway, self.host = gateway, host
        self.pause = clients / rate
        self.over = threading.Event()
        self.errors = []
        self.done = 0
        self.threads = [threading.Thread(target=self.run)
                        for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *ignored):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def run(self):
        due = time.monotonic()

        with self.gateway.http1() as c:
            while not self.over.is_set():
                due += self.pause
                time.sleep(max(0, due - time.monotonic()))
                try:
                    status = c.get("/", self.host).status
                except (OSError, http.client.HTTPException) as e:
                    self.errors.append(repr(e))
                    return
                self.done += 1
                if status != 200:
                    self.errors.append(status)


@contextlib.contextmanager
def unharmed(gateway, host, rate=100):
    """All requests of the meantime must be answered 200."""
    with Load(gateway, host, rate, clients=2) as load:
        yield
    assert load.errors == [] and load.done > 0
