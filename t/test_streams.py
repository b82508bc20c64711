"""
What stays open: gRPC in all its shapes, gRPC-web, WebSocket and server-sent
events, through the gateway to a server of Argo CD's shape.
"""

import pytest

import nginx


WEB = "argo.example"
GRPC = "grpc.example"
GRPCS = "grpcs.example"
SLOW = "slow.example"
SLOW_GRPC = "slow-grpc.example"

BIG = 20 << 20


@pytest.fixture(scope="module", autouse=True)
def routes(gateway, argo_server, authority):
    pair = authority.issue(WEB, GRPC, GRPCS, SLOW, SLOW_GRPC)
    plain, secure = argo_server.address, argo_server.grpcs
    free = dict(tls=pair, proxy_body_size="0", ssl_redirect="false")

    gateway.serve(WEB, plain, **free)
    gateway.serve(GRPC, plain, backend_protocol="GRPC", **free)
    gateway.serve(GRPCS, secure, backend_protocol="GRPCS", **free)
    gateway.serve(SLOW, plain, proxy_read_timeout="1", **free)
    gateway.serve(SLOW_GRPC, plain, proxy_read_timeout="1",
                  backend_protocol="GRPC", **free)


@pytest.fixture(params=["tls", "h2c", "grpcs"])
def call(request, gateway, streams):
    """call(method=…, wish=…): a gRPC call by each way to the gateway and to
    the backend; see peers/streams.js."""
    tls = request.param != "h2c"

    def run(**options):
        options.setdefault("host", GRPCS if request.param == "grpcs" else GRPC)
        return streams.call(tls=tls, port=gateway.tls if tls else gateway.h2c,
                            **options)
    return run


def wait_event(argo, wanted):
    seen = []

    def look():
        seen.extend(argo.events())
        return wanted in seen

    nginx.wait_until(look, lambda: f"{wanted!r} in {seen}", timeout=5,
                     every=0.02)


# gRPC

def test_unary_call_carries_metadata_both_ways(call):
    answer = call(method="get", wish=dict(text="a", send=1000, size=5),
                  metadata={"x-word": "1", "x-data-bin": "AAH+/w=="})
    reply = answer["replies"][0]

    assert (answer["code"], reply["text"]) == (0, "a")
    assert (reply["bytes"], reply["size"]) == (1000, 5)
    assert reply["seen"]["path"] == "/app.App/Get"
    assert reply["seen"]["metadata"]["x-word"] == "1"
    assert reply["seen"]["metadata"]["x-data-bin"]["data"] == [0, 1, 254, 255]
    assert answer["initial"]["x-initial"] == "hello"
    assert answer["trailers"]["x-trailer"] == "bye"
    assert answer["trailers"]["x-trailer-bin"] == "AAH+/w=="


def test_backend_sees_forwarded_metadata(call):
    seen = call(method="get")["replies"][0]["seen"]["metadata"]

    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] in ("http", "https")
    assert seen["x-forwarded-host"].endswith(".example")


def test_error_without_an_answer_keeps_code_message_and_trailers(call):
    answer = call(method="get", wish=dict(text="a", fail=9))

    assert answer["replies"] == []
    assert (answer["code"], answer["details"]) == (9, "nö: a")
    assert answer["trailers"]["x-trailer-bin"] == "AAH+/w=="


def test_error_after_answers_keeps_code_message_and_trailers(call):
    answer = call(method="watch", wish=dict(text="a", count=2, fail=13))

    assert [r["text"] for r in answer["replies"]] == ["a0", "a1"]
    assert (answer["code"], answer["details"]) == (13, "nö: a")
    assert answer["trailers"]["x-trailer"] == "bye"


def test_deadline_ends_the_call_at_the_backend_too(call, argo):
    answer = call(method="get", wish=dict(text="late", pause=3000),
                  deadline=200)

    assert answer["code"] == 4
    wait_event(argo, "get late cancelled")


def test_cancel_reaches_the_backend(call, argo):
    answer = call(method="watch", wish=dict(text="w", count=9, pause=500),
                  cancel=100)

    assert answer["code"] == 1
    wait_event(argo, "watch w cancelled")


def test_large_messages_pass_both_ways(call):
    answer = call(method="get", wish=dict(send=BIG, size=BIG))

    assert answer["code"] == 0
    assert answer["replies"][0]["bytes"] == BIG
    assert answer["replies"][0]["size"] == BIG


def test_server_stream_arrives_message_by_message(call):
    answer = call(method="watch", wish=dict(text="w", count=5, pause=150))

    assert answer["code"] == 0
    assert [r["text"] for r in answer["replies"]] == [
        "w0", "w1", "w2", "w3", "w4"]
    assert answer["times"][4] - answer["times"][0] > 450


def test_client_stream_is_counted_to_the_byte(call):
    answer = call(method="collect", wish=dict(send=1 << 20), sends=8)

    assert answer["code"] == 0
    assert answer["replies"][0]["text"] == "8"
    assert answer["replies"][0]["bytes"] == 8 << 20


def test_chat_gets_each_answer_before_the_next_question(call):
    answer = call(method="chat", wish=dict(send=10), sends=5)

    assert answer["code"] == 0
    assert [r["text"] for r in answer["replies"]] == [
        "m0", "m1", "m2", "m3", "m4"]


@pytest.mark.parametrize("method", ["get", "watch"])
def test_silent_grpc_backend_is_given_up_after_the_read_timeout(
        call, method):
    answer = call(method=method, host=SLOW_GRPC,
                  wish=dict(count=1, pause=5000))

    assert answer["code"] != 0
    assert 900 <= answer["took"] < 4000


def test_grpc_without_a_backend_is_an_error_in_grpcs_words(
        gateway, streams, authority):
    gateway.serve("none.example", backend_protocol="GRPC",
                  tls=authority.issue("none.example"))

    answer = streams.call(method="get", tls=True, port=gateway.tls,
                          host="none.example")

    assert answer["code"] == 14


# gRPC-web

@pytest.fixture(params=[("2", True), ("1.1", True), ("1.1", False)],
                ids=["h2", "h1-tls", "h1"])
def web(request, gateway, streams):
    version, tls = request.param

    def run(**options):
        return streams.web(version=version, tls=tls, host=WEB,
                           port=gateway.tls if tls else gateway.plain,
                           **options)
    return run


def test_grpc_web_call_answers_with_its_trailers(web):
    answer = web(method="get", wish=dict(text="a", size=5))

    assert answer["replies"] == [dict(text="a", size=5)]
    assert answer["trailers"]["grpc-status"] == "0"
    assert answer["trailers"]["x-trailer"] == "bye"


def test_grpc_web_error_keeps_code_and_message(web):
    answer = web(method="get", wish=dict(text="a", fail=10))

    assert (answer["code"], answer["message"]) == ("Aborted", "nö: a")


def test_grpc_web_stream_arrives_message_by_message(web):
    answer = web(method="watch", wish=dict(text="w", count=5, pause=100))

    assert [r["text"] for r in answer["replies"]] == [
        "w0", "w1", "w2", "w3", "w4"]
    assert answer["times"][4] - answer["times"][0] > 300


# WebSocket

@pytest.fixture(params=["wss", "ws"])
def socket(request, gateway, streams):
    """socket(sends=…): see peers/streams.js."""
    tls = request.param == "wss"

    def run(**options):
        options.setdefault("host", WEB)
        return streams.socket(tls=tls, **options,
                              port=gateway.tls if tls else gateway.plain)
    return run


def test_websocket_talks_in_the_chosen_subprotocol(socket):
    seen = socket(sends=["a", "ü" * 1000], protocols=["v2.example", "v1"],
                  ping=1)

    assert seen["texts"] == ["a", "ü" * 1000]
    assert seen["protocol"] == "v2.example"
    assert seen["extensions"] == "permessage-deflate"
    assert (seen["pongs"], seen["code"]) == (1, 1000)


def test_websocket_carries_large_messages(socket):
    assert socket(binary=3 << 20)["sizes"] == [3 << 20]


def test_websocket_closes_with_the_backends_code(socket):
    seen = socket(close="4001 bye")

    assert (seen["code"], seen["reason"]) == (4001, "bye")


def test_refused_websocket_gets_the_backends_status(socket):
    assert socket(path="/nothing")["status"] == 400


def test_idle_websocket_is_cut_at_the_read_timeout(socket):
    seen = socket(host=SLOW, idle=6000)

    assert seen["code"] == 1006
    assert 900 <= seen["took"] < 4000


def test_pings_keep_an_idle_websocket_open(socket):
    seen = socket(host=SLOW, idle=2500, every=300)

    assert seen["code"] == 1000


def test_backend_learns_that_a_websocket_client_is_gone(gateway, argo):
    with gateway.connect() as sock:
        sock.sendall(b"GET /terminal HTTP/1.1\r\nHost: argo.example\r\n"
                     b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
                     b"Sec-WebSocket-Version: 13\r\n"
                     b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
        assert sock.recv(4096).startswith(b"HTTP/1.1 101 ")

    wait_event(argo, "ws closed 1006")


# Server-sent events

@pytest.fixture(params=["tls", "plain"])
def sse(request, gateway, streams):
    tls = request.param == "tls"

    def run(**options):
        return streams.sse(tls=tls, host=WEB,
                           port=gateway.tls if tls else gateway.plain,
                           **options)
    return run


def test_events_arrive_one_by_one(sse):
    seen = sse(path="/events?count=5&pause=100")

    assert seen["status"] == 200 and seen["complete"]
    assert seen["events"] == [f"event {i}" for i in range(5)]
    assert seen["times"][4] - seen["times"][0] > 300


def test_log_tail_arrives_line_by_line(sse):
    seen = sse(path="/events?count=5&pause=100&type=text/plain")

    assert seen["times"][4] - seen["times"][0] > 300


def test_backend_learns_that_a_reader_of_events_is_gone(sse, argo):
    sse(path="/events?count=1000&pause=20", abort=300)

    wait_event(argo, "/events aborted")


def test_events_arrive_over_http2(gateway):
    with gateway.http2(sni=WEB) as connection:
        answer = connection.get("/events?count=3&pause=10", WEB)

    assert answer.status == 200
    assert answer.text.count("data: event") == 3
