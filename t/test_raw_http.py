"""
Bytes that no client should send.  Each case goes to the gateway and to an
nginx without it, configured by hand: the gateway may not forward what nginx
refuses, and the backends of both must see the same.
"""

import re
import socket

import hpack
import pytest
from hyperframe.frame import (ContinuationFrame, DataFrame, Frame, GoAwayFrame,
                              HeadersFrame, PingFrame, PriorityFrame,
                              RstStreamFrame, SettingsFrame,
                              WindowUpdateFrame)

import client
import nginx
import peer


HOST = "raw.example"

BY_HAND = """
    map $http_upgrade $connection_upgrade {{
        ""       "";
        default  upgrade;
    }}
    server {{
        listen 127.0.0.1:@plain@;
        listen 127.0.0.1:@h2c@ http2;
        return 404;
    }}
    server {{
        listen 127.0.0.1:@plain@;
        listen 127.0.0.1:@h2c@ http2;
        server_name raw.example;
        location / {{
            proxy_pass http://{host}:{port};
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header Proxy "";
        }}
    }}
"""

# what the gateway adds, takes away or, for Host, is tested elsewhere
OWN = re.compile(rb"host|forwarded|x-(forwarded|original|real-ip|request-id|"
                 rb"scheme|auth-request).*")


class Side:
    """One of the two servers, with a backend of its own."""

    def __init__(self, server, backend):
        self.server = server
        self.backend = backend

    def start_case(self):
        self.backend.requests.clear()

    def seen(self):
        return [parts(r) for r in list(self.backend.requests)]


def parts(request):
    """A request as the backend saw it: its line, its header fields except the
    gateway's own, its body."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    return line, sorted(f for f in fields
                        if not OWN.fullmatch(f.lower().partition(b":")[0])), \
        body


def whole(request):
    head, there, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
    return there and len(body) >= int(length[1] if length else 0)


@pytest.fixture(scope="module")
def sides(gateway, start_nginx):
    """The server by hand and the gateway."""
    backends = peer.RawBackend(), peer.RawBackend()
    gateway.serve(HOST, backends[1].address)
    by_hand = start_nginx(BY_HAND.format(**backends[0].address._asdict()))
    yield Side(by_hand, backends[0]), Side(gateway, backends[1])
    for backend in backends:
        backend.stop()


def compare(sides, exchange):
    """Run exchange(server) on both and return what it gave, which must be the
    same, as must be what arrived at the backends."""
    for side in sides:
        side.start_case()

    by_hand, ours = (exchange(side.server) for side in sides)

    nginx.wait_until(lambda: all(whole(r) for side in sides
                                 for r in list(side.backend.requests)),
                     "the requests at the backends", timeout=3)

    assert ours == by_hand
    assert sides[1].seen() == sides[0].seen()
    return ours


# HTTP/1


END = f"GET /end HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()

G = b"GET / HTTP/1.1\r\nHost: raw.example\r\n"
P = b"POST / HTTP/1.1\r\nHost: raw.example\r\n"
CHUNKED = P + b"Transfer-Encoding: chunked\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: raw.example\r\n\r\n"


def statuses(server, data, cut=False):
    """Statuses of all that comes back until the server closes."""
    with server.connect(timeout=5) as sock:
        try:
            sock.sendall(data)
            if cut:
                sock.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = client.read_all(sock, 5)

    return [int(n) for n in re.findall(rb"HTTP/1\.[01] (\d{3})", answer)]


OK, BAD = [200, 200], [400]

# A Host with a bad port and an upgrade to h2c are refused: test_attack.py.

HTTP1 = [
    ("plain", G + b"\r\n", OK),
    ("get-body", G + b"Content-Length: 3\r\n\r\nabc", OK),
    ("post", P + b"Content-Length: 3\r\n\r\nabc", OK),
    ("chunked", CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", OK),
    ("length-and-chunked",
     P + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"0\r\n\r\n" + SMUGGLED, BAD),
    ("chunked-and-length",
     P + b"Transfer-Encoding: chunked\r\nContent-Length: 50\r\n\r\n"
         b"0\r\n\r\n" + SMUGGLED, BAD),
    ("two-lengths", P + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
     BAD),
    ("two-different-lengths",
     P + b"Content-Length: 3\r\nContent-Length: 0\r\n\r\nabc", BAD),
    ("length-list", P + b"Content-Length: 3, 3\r\n\r\nabc", BAD),
    ("length-plus", P + b"Content-Length: +3\r\n\r\nabc", BAD),
    ("length-minus", P + b"Content-Length: -3\r\n\r\nabc", BAD),
    ("length-hex", P + b"Content-Length: 0x3\r\n\r\nabc", BAD),
    ("length-empty", P + b"Content-Length:\r\n\r\n", BAD),
    ("length-blanks", P + b"Content-Length:   3  \r\n\r\nabc", OK),
    ("length-tab", P + b"Content-Length:\t3\r\n\r\nabc", None),
    ("length-overflow",
     P + b"Content-Length: 99999999999999999999\r\n\r\nabc", BAD),
    ("te-xchunked", P + b"Transfer-Encoding: xchunked\r\n\r\n", [501]),
    ("te-vt", P + b"Transfer-Encoding: \x0bchunked\r\n\r\n", [501]),
    ("te-twice", P + b"Transfer-Encoding: chunked\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", BAD),
    ("te-list", P + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
     [501]),
    ("te-chunked-list",
     P + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", [501]),
    ("te-identity", P + b"Transfer-Encoding: identity\r\n\r\n", [501]),
    ("te-empty", P + b"Transfer-Encoding:\r\n\r\n", None),
    ("te-case", P + b"TRANSFER-encoding: CHUNKED\r\n\r\n0\r\n\r\n", OK),
    ("te-underscore", P + b"Transfer_Encoding: chunked\r\n"
                          b"Content-Length: 5\r\n\r\n0\r\n\r\n", OK),
    ("te-http10",
     b"POST / HTTP/1.0\r\nHost: raw.example\r\n"
     b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", BAD),
    ("space-before-colon", G + b"X-A : b\r\n\r\n", BAD),
    ("te-space-before-colon",
     P + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", BAD),
    ("folded", G + b"X-A: b\r\n c\r\n\r\n", BAD),
    ("folded-first", b"GET / HTTP/1.1\r\n Host: raw.example\r\n\r\n", BAD),
    ("folded-te", P + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", BAD),
    ("bare-lf", b"GET / HTTP/1.1\nHost: raw.example\n\n", OK),
    ("bare-cr-in-value", G + b"X-A: b\rc\r\n\r\n", None),
    ("bare-cr-te", G + b"X-A: b\rTransfer-Encoding: chunked\r\n\r\n", None),
    ("nul-in-value", G + b"X-A: b\0c\r\n\r\n", BAD),
    ("nul-in-name", G + b"X\0A: b\r\n\r\n", BAD),
    ("control-in-value", G + b"X-A: b\x01\x7fc\r\n\r\n", None),
    ("control-in-name", G + b"X\x01A: b\r\n\r\n", BAD),
    ("no-colon", G + b"XA\r\n\r\n", None),
    ("empty-name", G + b": b\r\n\r\n", None),
    ("odd-name", G + b"X(A): b\r\n\r\n", None),
    ("high-name", G + b"X-\xfc: b\r\n\r\n", None),
    ("high-value", G + b"X-A: \xfc\r\n\r\n", OK),
    ("no-host", b"GET / HTTP/1.1\r\n\r\n", BAD),
    ("no-host-10", b"GET / HTTP/1.0\r\n\r\n", [404]),
    ("empty-host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", None),
    ("two-hosts", G + b"Host: raw.example\r\n\r\n", BAD),
    ("host-slash", b"GET / HTTP/1.1\r\nHost: raw.example/x\r\n\r\n", BAD),
    ("host-nul", b"GET / HTTP/1.1\r\nHost: raw.example\0\r\n\r\n", BAD),
    ("host-space", b"GET / HTTP/1.1\r\nHost: raw .example\r\n\r\n", None),
    ("host-user", b"GET / HTTP/1.1\r\nHost: a@raw.example\r\n\r\n", None),
    ("host-dots", b"GET / HTTP/1.1\r\nHost: raw..example\r\n\r\n", BAD),
    ("host-dot", b"GET / HTTP/1.1\r\nHost: raw.example.\r\n\r\n", OK),
    ("host-port", b"GET / HTTP/1.1\r\nHost: raw.example:99999\r\n\r\n", OK),
    ("host-bracket", b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", None),
    ("absolute", b"GET http://raw.example/x HTTP/1.1\r\nHost: a\r\n\r\n", OK),
    ("absolute-other", b"GET http://b/x HTTP/1.1\r\nHost: raw.example\r\n\r\n",
     [404, 200]),
    ("absolute-bare", b"GET http://raw.example HTTP/1.1\r\nHost: a\r\n\r\n",
     OK),
    ("absolute-query", b"GET http://raw.example?x HTTP/1.1\r\nHost: a\r\n\r\n",
     None),
    ("absolute-user",
     b"GET http://a@raw.example/ HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
    ("absolute-ftp", b"GET ftp://raw.example/ HTTP/1.1\r\nHost: a\r\n\r\n",
     None),
    ("above-root", b"GET /../x HTTP/1.1\r\nHost: raw.example\r\n\r\n", BAD),
    ("above-root-escaped",
     b"GET /%2e%2e/x HTTP/1.1\r\nHost: raw.example\r\n\r\n", BAD),
    ("dots", b"GET /a//b/../%2e/c HTTP/1.1\r\nHost: raw.example\r\n\r\n", OK),
    ("escape-cut", b"GET /%4 HTTP/1.1\r\nHost: raw.example\r\n\r\n", BAD),
    ("escape-bad", b"GET /%zz HTTP/1.1\r\nHost: raw.example\r\n\r\n", BAD),
    ("escape-nul", b"GET /%00 HTTP/1.1\r\nHost: raw.example\r\n\r\n", BAD),
    ("fragment", b"GET /a#b HTTP/1.1\r\nHost: raw.example\r\n\r\n", OK),
    ("backslash", b"GET /a\\..\\b HTTP/1.1\r\nHost: raw.example\r\n\r\n", OK),
    ("space-in-target", b"GET /a b HTTP/1.1\r\nHost: raw.example\r\n\r\n",
     BAD),
    ("tab-in-target", b"GET /a\tb HTTP/1.1\r\nHost: raw.example\r\n\r\n",
     None),
    ("control-in-target", b"GET /a\x01 HTTP/1.1\r\nHost: raw.example\r\n\r\n",
     None),
    ("no-slash", b"GET x HTTP/1.1\r\nHost: raw.example\r\n\r\n", BAD),
    ("star", b"OPTIONS * HTTP/1.1\r\nHost: raw.example\r\n\r\n", BAD),
    ("connect", b"CONNECT raw.example:80 HTTP/1.1\r\nHost: raw.example\r\n"
                b"\r\n", None),
    ("trace", b"TRACE / HTTP/1.1\r\nHost: raw.example\r\n\r\n", None),
    ("lower-case", b"get / HTTP/1.1\r\nHost: raw.example\r\n\r\n", BAD),
    ("unknown-method", b"BREW / HTTP/1.1\r\nHost: raw.example\r\n\r\n", OK),
    ("odd-method", b"GE(T / HTTP/1.1\r\nHost: raw.example\r\n\r\n", BAD),
    ("version-20", b"GET / HTTP/2.0\r\nHost: raw.example\r\n\r\n", [505]),
    ("version-12", b"GET / HTTP/1.2\r\nHost: raw.example\r\n\r\n", None),
    ("version-odd", b"GET / HTTP/1.1x\r\nHost: raw.example\r\n\r\n", BAD),
    ("version-http", b"GET / http/1.1\r\nHost: raw.example\r\n\r\n", BAD),
    ("many-spaces", b"GET  /  HTTP/1.1\r\nHost: raw.example\r\n\r\n", None),
    ("leading-line", b"\r\n\r\n" + G + b"\r\n", OK),
    ("preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None),
    ("tls", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 64, BAD),
    ("long-target",
     b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\nHost: raw.example\r\n\r\n",
     [414]),
    ("long-header", G + b"X-A: " + b"a" * 40000 + b"\r\n\r\n", BAD),
    ("many-headers", G + b"X-A: b\r\n" * 6000 + b"\r\n", BAD),
    ("chunk-size-odd", CHUNKED + b"3x\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk-size-hex", CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk-size-minus", CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk-size-empty", CHUNKED + b"\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk-size-overflow",
     CHUNKED + b"ffffffffffffffffff\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk-size-huge", CHUNKED + b"7fffffffffffffff\r\nabc\r\n", None),
    ("chunk-too-short", CHUNKED + b"5\r\nabc\r\n0\r\n\r\n", None),
    ("chunk-too-long", CHUNKED + b"2\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk-bare-lf", CHUNKED + b"3\nabc\n0\n\n", None),
    ("chunk-extension", CHUNKED + b"3;a=\"b\"\r\nabc\r\n0\r\n\r\n", OK),
    ("chunk-extension-lf", CHUNKED + b"3;a\nabc\r\n0\r\n\r\n", None),
    ("chunk-zeros", CHUNKED + b"0000003\r\nabc\r\n000\r\n\r\n", OK),
    ("chunk-trailers",
     CHUNKED + b"0\r\nContent-Length: 9\r\nX-A: b\r\n\r\n", OK),
    ("chunk-trailers-bad", CHUNKED + b"0\r\nno colon\r\n\r\n", None),
    ("expect", P + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
     [100, 200, 200]),
    ("expect-odd", P + b"Expect: tea\r\nContent-Length: 3\r\n\r\nabc", None),
    ("connection-names", G + b"Connection: keep-alive, X-A\r\nX-A: b\r\n\r\n",
     OK),
    ("connection-host", G + b"Connection: Host\r\n\r\n", OK),
    ("te-header", G + b"TE: trailers, deflate\r\n\r\n", OK),
    ("httpoxy", G + b"Proxy: http://evil\r\n\r\n", OK),
    ("underscores", G + b"a_b: c\r\nContent_Length: 5\r\n\r\n", OK),
    ("method-override", G + b"X-HTTP-Method-Override: DELETE\r\n\r\n", OK),
    ("range", G + b"Range: bytes=0-,0-,0-,0-\r\n\r\n", OK),
]


@pytest.mark.parametrize("data, wanted", [c[1:] for c in HTTP1],
                         ids=[c[0] for c in HTTP1])
def test_http1(sides, data, wanted):
    found = compare(sides, lambda server: statuses(server, data + END))
    assert wanted is None or found == wanted


@pytest.mark.parametrize("data", [
    P + b"Content-Length: 10\r\n\r\nabc",
    CHUNKED + b"5\r\nabc",
    CHUNKED + b"3\r\nabc\r\n",
    CHUNKED,
    G,
    b"GET / HT",
], ids=["length", "in-chunk", "between-chunks", "no-chunk", "header", "line"])
def test_http1_cut_short(sides, data):
    compare(sides, lambda server: statuses(server, data, cut=True))
    assert sides[1].seen() == []


def test_nothing_smuggled_reached_the_backend(sides):
    for name, data, _ in HTTP1:
        if SMUGGLED in data:
            compare(sides, lambda server: statuses(server, data + END))
            assert not [s for s in sides[1].seen() if b"smuggled" in s[0]]


def test_pipelined_requests_are_answered_in_order(sides):
    data = b"".join(b"GET /%d HTTP/1.1\r\nHost: raw.example\r\n\r\n" % n
                    for n in range(20))
    found = compare(sides, lambda server: statuses(server, data + END))
    assert found == [200] * 21
    assert [s[0].split()[1] for s in sides[1].seen()] == \
        [b"/%d" % n for n in range(20)] + [b"/end"]


def test_bytes_one_by_one(sides):
    def slowly(server):
        with server.connect(timeout=5) as sock:
            for byte in CHUNKED + b"3\r\nabc\r\n0\r\n\r\n" + END:
                sock.sendall(bytes([byte]))
            return re.findall(rb"HTTP/1.1 (\d+)", client.read_all(sock, 5))

    assert compare(sides, slowly) == [b"200", b"200"]


# HTTP/2


REQUEST = [(":method", "GET"), (":scheme", "http"), (":authority", HOST),
           (":path", "/")]
POST = [(":method", "POST")] + REQUEST[1:]


def but(**changes):
    """The request with pseudo-headers changed, or left out if None."""
    fields = dict(REQUEST)
    fields.update({f":{name}": value for name, value in changes.items()})
    return [(n, v) for n, v in fields.items() if v is not None]


def block(fields):
    """An HPACK block of literals, which any bytes may be in."""
    out = b""
    for field in fields:
        out += b"\0"
        for text in field:
            data = text.encode() if isinstance(text, str) else text
            out += hpack.hpack.encode_integer(len(data), 7) + data
    return bytes(out)


def headers(stream, fields=REQUEST, end=True, flags=()):
    frame = HeadersFrame(stream, block(fields),
                         flags=["END_HEADERS", *flags])
    if end:
        frame.flags.add("END_STREAM")
    return frame.serialize()


def data(stream, text, end=True):
    return DataFrame(stream, text,
                     flags=["END_STREAM"] if end else []).serialize()


def raw(kind, flags, stream, payload=b""):
    """A frame as it should not be."""
    return (len(payload).to_bytes(3, "big") + bytes([kind, flags])
            + stream.to_bytes(4, "big") + payload)


class Frames:
    """What came back on a connection: {stream: [what happened]}."""

    def __init__(self, server):
        self.sock = server.connect(port=server.h2c, timeout=3)
        self.decoder = hpack.Decoder()
        self.decoder.max_header_list_size = 1 << 20
        self.buffer = b""
        self.streams = {}
        self.end = None

    def send(self, what):
        try:
            self.sock.sendall(what)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def over(self, streams):
        return self.end is not None or all(
            any(h == "end" or h.startswith("reset")
                for h in self.streams.get(s, [])) for s in streams)

    def read(self, streams):
        """Read until the streams are over, or the connection is."""
        while not self.over(streams):
            try:
                piece = self.sock.recv(65536)
            except ConnectionResetError:
                piece = b""
            except socket.timeout:
                self.end = "silence"
                return
            if not piece:
                self.end = "closed"
                return
            self.buffer += piece
            self.parse()

    def parse(self):
        while len(self.buffer) >= 9:
            frame, length = Frame.parse_frame_header(
                memoryview(self.buffer[:9]))
            if len(self.buffer) < 9 + length:
                return
            frame.parse_body(memoryview(self.buffer[9:9 + length]))
            self.buffer = self.buffer[9 + length:]
            self.frame(frame)

    def frame(self, frame):
        happened = self.streams.setdefault(frame.stream_id, [])

        if isinstance(frame, HeadersFrame):
            fields = dict(self.decoder.decode(frame.data))
            happened.append("status " + fields[":status"])
        elif isinstance(frame, RstStreamFrame) and "end" not in happened:
            happened.append(f"reset {frame.error_code}")
        elif isinstance(frame, GoAwayFrame):
            self.end = f"goaway {frame.error_code}"

        if "END_STREAM" in frame.flags:
            happened.append("end")

    def result(self):
        return self.end, {s: h for s, h in self.streams.items() if s and h}

    def close(self):
        self.sock.close()


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SettingsFrame().serialize()


def frames(server, case, wait):
    """Send a case, then a sound request on stream 99, and tell what came
    back."""
    connection = Frames(server)
    connection.send(PREFACE + case)
    connection.read(wait)
    if connection.end is None:
        connection.send(headers(99))
        connection.read([99])
    connection.close()
    return connection.result()


SOUND = {99: ["status 200", "end"]}

# a connection that breaks may or may not take its requests along, so these
# have no backend
NOBODY = but(authority="nobody.example")


def only(*happened):
    """The stream ends so, and the connection goes on."""
    return None, {1: list(happened), **SOUND}


def broken(code):
    return f"goaway {code}", {}


REFUSED = only("status 400", "end")
RESET = only("reset 1")


# name, frames, streams that something happens to, what: None is "whatever"
HTTP2 = [
    ("plain", headers(1), [1], only("status 200", "end")),
    ("body", headers(1, POST, False) + data(1, b"abc"), [1], None),
    ("padded", HeadersFrame(1, block(REQUEST), pad_length=9, flags=[
        "END_HEADERS", "END_STREAM", "PADDED"]).serialize(), [1], None),
    ("padding-too-long", raw(1, 0x0d, 1, b"\xff" + block(REQUEST)), [], None),
    ("continuation", HeadersFrame(1, block(REQUEST)[:9], flags=["END_STREAM"])
     .serialize() + ContinuationFrame(1, block(REQUEST)[9:], flags=[
         "END_HEADERS"]).serialize(), [1], None),
    ("continuation-alone", raw(9, 4, 1, block(REQUEST)), [], broken(1)),
    ("continuation-other", raw(1, 1, 1, block(REQUEST)[:9])
     + raw(9, 4, 3, block(REQUEST)[9:]), [], None),
    ("upper-case", headers(1, REQUEST + [("X-Upper", "a")]), [1], RESET),
    ("even-stream", headers(2), [], broken(1)),
    ("stream-0", raw(1, 5, 0, block(REQUEST)), [], None),
    ("stream-backwards", headers(5, NOBODY) + headers(3), [], None),
    ("window-overflow", raw(8, 0, 0, b"\x7f\xff\xff\xff"), [], broken(3)),
    ("window-zero", raw(8, 0, 0, b"\0\0\0\0"), [], None),
    ("window-length", raw(8, 0, 0, b"\0\0\1"), [], None),
    ("hpack-index", raw(1, 5, 1, b"\xff\xff\xff\x0f"), [], broken(9)),
    ("hpack-cut", raw(1, 5, 1, block(REQUEST)[:-1]), [], None),
    ("hpack-size", raw(1, 5, 1, b"\x3f\xff\xff\x7f" + block(REQUEST)), [],
     None),
    ("hpack-huffman", raw(1, 5, 1, b"\0\x84\xff\xff\xff\xff\0"), [], None),
    ("connection", headers(1, REQUEST + [("connection", "close")]), [1], None),
    ("te-gzip", headers(1, REQUEST + [("te", "gzip")]), [1], None),
    ("te-chunked", headers(1, POST + [("transfer-encoding", "chunked")],
                           False) + data(1, b"0\r\n\r\n"), [1], None),
    ("length-short", headers(1, POST + [("content-length", "9")], False)
     + data(1, b"abc"), [1], REFUSED),
    ("length-long", headers(1, POST + [("content-length", "1")], False)
     + data(1, b"abc"), [1], REFUSED),
    ("length-twice", headers(1, POST + [("content-length", "3")] * 2, False)
     + data(1, b"abc"), [1], None),
    ("length-odd", headers(1, POST + [("content-length", "+3")], False)
     + data(1, b"abc"), [1], REFUSED),
    ("no-path", headers(1, but(path=None)), [1], REFUSED),
    ("no-method", headers(1, but(method=None)), [1], REFUSED),
    ("no-scheme", headers(1, but(scheme=None)), [1], None),
    ("no-authority", headers(1, but(authority=None)), [1], None),
    ("empty-path", headers(1, but(path="")), [1], None),
    ("path-no-slash", headers(1, but(path="x")), [1], REFUSED),
    ("path-star", headers(1, but(method="OPTIONS", path="*")), [1], None),
    ("path-absolute", headers(1, but(path="http://b/x")), [1], None),
    ("path-space", headers(1, but(path="/a b HTTP/1.1\r\nX: y")), [1], None),
    ("path-lf", headers(1, but(path="/a\nb")), [1], RESET),
    ("path-nul", headers(1, but(path="/a\0b")), [1], RESET),
    ("path-above", headers(1, but(path="/../x")), [1], REFUSED),
    ("path-twice", headers(1, REQUEST + [(":path", "/b")]), [1], REFUSED),
    ("method-space", headers(1, but(method="GET /x")), [1], None),
    ("method-lf", headers(1, but(method="GET\r\n")), [1], None),
    ("method-lower", headers(1, but(method="get")), [1], REFUSED),
    ("connect", headers(1, [(":method", "CONNECT"), (":authority", HOST)]),
     [1], REFUSED),
    ("pseudo-unknown", headers(1, REQUEST + [(":protocol", "websocket")]),
     [1], None),
    ("pseudo-late", headers(1, REQUEST[:3] + [("a", "b")] + REQUEST[3:]),
     [1], None),
    ("pseudo-status", headers(1, REQUEST + [(":status", "200")]), [1], None),
    ("host-other", headers(1, REQUEST + [("host", "other.example")]), [1],
     REFUSED),
    ("host-alone", headers(1, but(authority=None) + [("host", HOST)]), [1],
     None),
    ("authority-odd", headers(1, but(authority="raw.example/x")), [1], REFUSED),
    ("authority-user", headers(1, but(authority="a@raw.example")), [1], None),
    ("value-crlf", headers(1, REQUEST + [("a", "b\r\nx-evil: 1")]), [1], None),
    ("value-lf", headers(1, REQUEST + [("a", "b\nc")]), [1], RESET),
    ("value-nul", headers(1, REQUEST + [("a", "b\0c")]), [1], RESET),
    ("value-cr", headers(1, REQUEST + [("a", "b\rc")]), [1], RESET),
    ("name-colon", headers(1, REQUEST + [("a: b\r\nc", "d")]), [1], None),
    ("name-space", headers(1, REQUEST + [("a b", "c")]), [1], RESET),
    ("name-empty", headers(1, REQUEST + [("", "c")]), [1], None),
    ("name-underscore", headers(1, REQUEST + [("a_b", "c")]), [1], None),
    ("trailers", headers(1, POST, False) + data(1, b"abc", False)
     + headers(1, [("x-trailer", "a")]), [1], None),
    ("headers-large", headers(1, REQUEST + [("a", "b" * 9000)]), [1], None),
    ("data-idle", data(1, b"abc"), [], None),
    ("data-stream-0", raw(0, 0, 0, b"abc"), [], None),
    ("data-closed", headers(1, NOBODY) + data(1, b"abc"), [1], None),
    ("frame-too-large", raw(0, 0, 1, b"x" * 20000), [], None),
    ("frame-unknown", raw(0x77, 0xff, 1, b"abc") + headers(1), [1], None),
    ("priority-self", PriorityFrame(1, depends_on=1).serialize(), [], None),
    ("priority-length", raw(2, 0, 1, b"abc"), [], None),
    ("reset-idle", raw(3, 0, 1, b"\0\0\0\0"), [], None),
    ("reset-length", raw(3, 0, 1, b"\0"), [], None),
    ("settings-length", raw(4, 0, 0, b"abc"), [], None),
    ("settings-stream", raw(4, 0, 1), [], None),
    ("settings-ack", raw(4, 1, 0, b"\0\3\0\0\0\1"), [], None),
    ("settings-push", raw(4, 0, 0, b"\0\2\0\0\0\2"), [], broken(1)),
    ("settings-window", raw(4, 0, 0, b"\0\4\xff\xff\xff\xff"), [], None),
    ("settings-frame-size", raw(4, 0, 0, b"\0\5\0\0\0\1"), [], None),
    ("ping", PingFrame(0, b"12345678").serialize(), [], None),
    ("ping-length", raw(6, 0, 0, b"abc"), [], broken(6)),
    ("ping-stream", raw(6, 0, 1, b"12345678"), [], None),
    ("push", raw(5, 4, 1, b"\0\0\0\2" + block(REQUEST)), [], None),
    ("goaway", raw(7, 0, 0, b"\0" * 8), [], None),
    ("goaway-stream", raw(7, 0, 1, b"\0" * 8), [], None),
]


@pytest.mark.parametrize("case, wait, wanted", [c[1:] for c in HTTP2],
                         ids=[c[0] for c in HTTP2])
def test_http2(sides, case, wait, wanted):
    found = compare(sides, lambda server: frames(server, case, wait))
    assert wanted is None or found == wanted


def test_http2_without_a_preface(sides):
    found = compare(sides, lambda server: server.raw(
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", port=server.h2c))
    assert b"HTTP/1.1 200" not in found


def test_rapid_reset_leaves_the_gateway_alive(gateway, sides):
    connection = Frames(gateway)
    connection.send(PREFACE + b"".join(
        headers(s) + RstStreamFrame(s, error_code=8).serialize()
        for s in range(1, 601, 2)))
    connection.close()

    workers = gateway.worker_pids()
    assert [gateway.get("/", HOST).status for _ in range(4)] == [200] * 4
    assert gateway.worker_pids() == workers


def test_window_updates_without_end(gateway, sides):
    connection = Frames(gateway)
    connection.send(PREFACE + headers(1) + WindowUpdateFrame(
        0, window_increment=1).serialize() * 5000)
    connection.read([1])
    connection.close()
    assert gateway.get("/", HOST).status == 200
