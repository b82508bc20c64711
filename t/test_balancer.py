"""
The choice of a peer: round robin, retries, endpoints that fail or drain, and
TLS to backends, whose connections must never serve another identity.
"""

import collections
import json

import pytest

import certificate
import manifest
import nginx


# one worker, for each goes its own round
GATEWAY = dict(workers=1)

SECURE = """
    ssl_certificate {cert};
    ssl_certificate_key {key};
    ssl_client_certificate {ca};
    ssl_verify_client optional;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache builtin:100;

    server {{
        listen 127.0.0.1:@tls@ ssl;
        listen [::1]:@tls@ ssl;
        {more}
        return 200 '{{"sni": "$ssl_server_name", "client": "$ssl_client_s_dn",
            "connection": $connection, "reused": "$ssl_session_reused",
            "protocol": "$ssl_protocol", "cipher": "$ssl_cipher"}}';
    }}
"""


def names(gateway, host, n):
    """How often each address answered n requests."""
    return collections.Counter(gateway.get("/", host=host).echo["name"]
                               for _ in range(n))


# Round robin

def test_requests_go_round_all_endpoints(gateway, echo):
    gateway.serve("round.example", echo[0], echo[1], echo[2])

    assert sorted(names(gateway, "round.example", 30).values()) == [10] * 3


def test_a_change_elsewhere_does_not_start_the_round_again(gateway, echo):
    gateway.serve("go-on.example", echo[0], echo[1])

    seen = []
    for n in range(6):
        seen.append(gateway.get("/", host="go-on.example").echo["name"])
        gateway.serve("elsewhere.example", echo[2], proxy_body_size=f"{n + 1}k")

    assert seen[0::2] == [seen[0]] * 3 and seen[1::2] == [seen[1]] * 3
    assert seen[0] != seen[1]


def test_endpoint_that_comes_or_goes_is_used_or_not_at_once(gateway, echo):
    gateway.serve("scaled.example", echo[0])
    assert names(gateway, "scaled.example", 4) == {"http0": 4}

    gateway.serve("scaled.example", echo[0], echo[1])
    assert names(gateway, "scaled.example", 4) == {"http0": 2, "http1": 2}

    gateway.serve("scaled.example", echo[1])
    assert names(gateway, "scaled.example", 4) == {"http1": 4}


def test_service_without_endpoints_is_answered_503(gateway):
    gateway.serve("none.example")

    assert gateway.get("/", host="none.example").status == 503


def test_ipv6_endpoint(gateway, start_nginx):
    six = start_nginx("server { listen [::1]:@plain@; return 200 six; }")
    gateway.serve("six.example", manifest.Address("::1", six.plain))

    assert gateway.get("/", host="six.example").text == "six"


# Draining

def draining(name, gone, *ready):
    docs = manifest.backend(name, *ready)
    docs.append(manifest.endpoint_slice(
        name, [gone.host], gone.port, name=f"{name}-gone",
        conditions={"ready": False, "serving": True, "terminating": True}))
    docs.append(manifest.ingress(name, manifest.rule(
        f"{name}.example", manifest.path("/", name))))
    return docs


def test_draining_endpoint_gets_nothing_while_another_is_there(gateway, echo):
    gateway.apply("drain", draining("drain", echo[0], echo[1], echo[2]))

    assert names(gateway, "drain.example", 10) == {"http1": 5, "http2": 5}


def test_draining_endpoint_serves_when_it_is_the_last(gateway, echo):
    gateway.apply("last", draining("last", echo[0]))

    assert names(gateway, "last.example", 2) == {"http0": 2}


# Retries

def test_a_single_endpoint_is_tried_again(gateway, echo):
    gateway.serve("single.example", echo[0], proxy_next_upstream="http_503")
    echo.set(echo[0], status=503)

    assert gateway.get("/", host="single.example").status == 503
    assert echo.count(echo[0]) == 3


def test_another_endpoint_is_tried_next(gateway, echo):
    gateway.serve("other.example", echo[0], echo[1],
                  proxy_next_upstream="error http_503")
    echo.set(echo[0], status=503)

    assert names(gateway, "other.example", 2) == {"http1": 2}
    assert echo.count(echo[0]) == 1


@pytest.mark.parametrize("tries, requests", [("1", 1), ("2", 2), ("0", 3)])
def test_number_of_tries(gateway, echo, tries, requests):
    gateway.serve("tries.example", echo[0], proxy_next_upstream="http_503",
                  proxy_next_upstream_tries=tries)
    echo.set(echo[0], status=503)

    assert gateway.get("/", host="tries.example").status == 503
    assert echo.count(echo[0]) == requests


def test_retries_can_be_switched_off(gateway, echo):
    gateway.serve("off.example", echo[0], proxy_next_upstream="off")
    echo.set(echo[0], close=True)

    assert gateway.get("/", host="off.example").status == 502
    assert echo.count(echo[0]) == 1


@pytest.mark.parametrize("when, requests", [
    ("error", 1), ("error non_idempotent", 3)])
def test_post_is_repeated_only_if_allowed(gateway, echo, when, requests):
    gateway.serve("post.example", echo[0], proxy_next_upstream=when)
    echo.set(echo[0], close=True)

    assert gateway.post("/", host="post.example", body=b"x").status == 502
    assert echo.count(echo[0]) == requests


def test_post_that_was_not_sent_goes_elsewhere(gateway, echo):
    gateway.serve("unsent.example", echo[0], echo[1])
    echo.close(echo[0])

    answers = [gateway.post("/", host="unsent.example", body=b"x")
               for _ in range(4)]

    assert [a.status for a in answers] == [200] * 4


def test_read_timeout(gateway, echo):
    gateway.serve("slow.example", echo[0], proxy_read_timeout="1",
                  proxy_next_upstream="off")

    assert gateway.get("/", host="slow.example",
                       echo={"delay": 3000}).status == 504


# Failed endpoints

def wait_round(gateway, host, *wanted):
    """Wait until requests go round the endpoints of these names again."""
    nginx.wait_until(lambda: names(gateway, host, 2) == dict.fromkeys(wanted,
                                                                      1),
                     f"{host} to be served by {wanted}", every=0.1)


def test_dead_endpoint_costs_no_request(gateway, echo):
    gateway.serve("dead.example", *(echo[i] for i in range(3)))
    echo.close(echo[0])

    assert set(names(gateway, "dead.example", 20)) == {"http1", "http2"}


def test_failed_endpoint_is_passed_over_and_then_tried_again(gateway, echo):
    gateway.serve("back.example", echo[0], echo[1])
    echo.close(echo[0])
    assert names(gateway, "back.example", 4) == {"http1": 4}

    echo.open(echo[0])
    assert names(gateway, "back.example", 4) == {"http1": 4}

    # what a worker knows of an endpoint outlives the table
    gateway.serve("next-table.example", echo[2])
    assert names(gateway, "back.example", 4) == {"http1": 4}

    wait_round(gateway, "back.example", "http0", "http1")


def test_when_all_have_failed_all_are_tried(gateway, echo):
    gateway.serve("all.example", echo[0], echo[1])
    echo.close(echo[0])
    echo.close(echo[1])
    assert gateway.get("/", host="all.example").status == 502

    echo.open(echo[0])
    echo.open(echo[1])
    assert sum(names(gateway, "all.example", 10).values()) == 10
    wait_round(gateway, "all.example", "http0", "http1")


def test_answers_of_503_count_only_after_several(gateway, echo):
    gateway.serve("several.example", echo[0], echo[1],
                  proxy_next_upstream="http_503")
    echo.set(echo[0], status=503)

    assert names(gateway, "several.example", 12) == {"http1": 12}
    assert echo.count(echo[0]) == 3


def test_connections_cut_by_a_restart_are_no_failure(gateway, echo):
    gateway.serve("cut.example", echo[0], echo[1])
    names(gateway, "cut.example", 4)

    echo.close(echo[0])
    echo.open(echo[0])

    assert names(gateway, "cut.example", 8) == {"http0": 4, "http1": 4}


# Buffers

def test_buffer_size_is_the_limit_of_response_headers(gateway, echo):
    gateway.serve("small.example", echo[0], proxy_buffer_size="4k")
    gateway.serve("large.example", echo[0], proxy_buffer_size="32k")
    echo.set(echo[0], headers={"X-Long": "x" * 10000})

    assert gateway.get("/", host="small.example").status == 502
    assert gateway.get("/", host="large.example").status == 200


@pytest.mark.parametrize("buffering", ["on", "off"])
@pytest.mark.parametrize("number, size", [("1", "1k"), ("8", "64k")])
def test_any_buffers_pass_a_large_answer(gateway, echo, buffering, number,
                                         size):
    gateway.serve("buffers.example", echo[0], proxy_buffering=buffering,
                  proxy_buffers_number=number, proxy_buffer_size=size)

    answer = gateway.get("/", host="buffers.example",
                         echo={"size": 3 << 20})

    assert answer.status == 200 and len(answer.body) == 3 << 20


# TLS to backends

@pytest.fixture(scope="module")
def secure_backend(start_nginx, authority):
    def start(more=""):
        cert, key = authority.issue("good.example", kind="rsa").files()
        return start_nginx(SECURE.format(cert=cert, key=key, more=more,
                                         ca=authority.file()))
    return start


@pytest.fixture(scope="module")
def secure_nginx(secure_backend):
    return secure_backend()


@pytest.fixture(params=["127.0.0.1", "::1"])
def secure(request, secure_nginx):
    """The address of a backend that tells how its TLS came about."""
    return manifest.Address(request.param, secure_nginx.tls)


@pytest.fixture(scope="module")
def secrets(gateway, authority):
    """Secrets for proxy-ssl-secret: one, two (clients), stranger (another
    authority), no-ca (a client without one)."""
    stranger = certificate.Authority("Stranger")
    one, two, alone = (authority.issue(name, client=True)
                       for name in ("one", "two", "alone"))

    gateway.apply("secrets", [
        manifest.tls_secret("one", one, ca=authority.pem),
        manifest.tls_secret("two", two, ca=authority.pem),
        manifest.tls_secret("stranger", one, ca=stranger.pem),
        manifest.tls_secret("no-ca", alone)])


def serve_secure(gateway, host, address, secret=None, **short):
    if secret:
        short.update(proxy_ssl_secret=f"default/{secret}")

    gateway.serve(host, address, backend_protocol="HTTPS", **short)


def ask(gateway, host):
    answer = gateway.get("/", host=host)
    assert answer.status == 200, answer
    return json.loads(answer.body)


def test_backend_is_not_verified_without_a_secret(gateway, secure):
    serve_secure(gateway, "plain.example", secure)

    seen = ask(gateway, "plain.example")

    assert (seen["sni"], seen["client"]) == ("", "")
    assert seen["protocol"] == "TLSv1.3"


def test_connections_are_kept_alive(gateway, secure, secrets):
    serve_secure(gateway, "kept.example", secure, "one", proxy_ssl_verify="on",
                 proxy_ssl_name="good.example")

    seen = {ask(gateway, "kept.example")["connection"] for _ in range(4)}

    assert len(seen) == 1


def test_wrong_name_is_refused_where_the_right_one_is_connected(
        gateway, secure, secrets):
    for name in ("good.example", "bad.example"):
        serve_secure(gateway, name, secure, "one", proxy_ssl_verify="on",
                     proxy_ssl_name=name)

    assert ask(gateway, "good.example")
    assert gateway.get("/", host="bad.example").status == 502
    assert ask(gateway, "good.example")


def test_wrong_name_is_refused_where_an_unverified_one_is_connected(
        gateway, secure, secrets):
    serve_secure(gateway, "blind.example", secure, "one",
                 proxy_ssl_name="bad.example")
    serve_secure(gateway, "sharp.example", secure, "one",
                 proxy_ssl_verify="on", proxy_ssl_name="bad.example")

    assert ask(gateway, "blind.example")
    assert gateway.get("/", host="sharp.example").status == 502


def test_no_client_gets_the_certificate_of_another(gateway, secure, secrets):
    for name in ("one", "two"):
        serve_secure(gateway, f"{name}.example", secure, name)
    serve_secure(gateway, "nobody.example", secure)

    for _ in range(2):
        assert ask(gateway, "one.example")["client"] == "CN=one"
        assert ask(gateway, "two.example")["client"] == "CN=two"
        assert ask(gateway, "nobody.example")["client"] == ""


def test_certificate_of_another_authority_is_refused(gateway, secure, secrets):
    serve_secure(gateway, "known.example", secure, "one",
                 proxy_ssl_verify="on", proxy_ssl_name="good.example")
    serve_secure(gateway, "strange.example", secure, "stranger",
                 proxy_ssl_verify="on", proxy_ssl_name="good.example")

    assert ask(gateway, "known.example")
    assert gateway.get("/", host="strange.example").status == 502


@pytest.mark.parametrize("secret", [None, "no-ca"])
def test_verification_without_an_authority_is_503(gateway, secure, secrets,
                                                  secret):
    serve_secure(gateway, "unverifiable.example", secure, secret,
                 proxy_ssl_verify="on", proxy_ssl_name="good.example")

    assert gateway.get("/", host="unverifiable.example").status == 503


def test_server_name_is_the_host_unless_given(gateway, secure, secrets):
    serve_secure(gateway, "sni.example", secure, "one",
                 proxy_ssl_server_name="on")
    serve_secure(gateway, "given.example", secure, "one",
                 proxy_ssl_server_name="on", proxy_ssl_name="good.example")

    assert ask(gateway, "sni.example")["sni"] == "sni.example"
    assert ask(gateway, "given.example")["sni"] == "good.example"


def test_protocols_and_ciphers(gateway, secure, secrets):
    cipher = "ECDHE-RSA-AES256-GCM-SHA384"
    serve_secure(gateway, "old.example", secure, "one",
                 proxy_ssl_ciphers=cipher)
    serve_secure(gateway, "new.example", secure, "one",
                 proxy_ssl_protocols="TLSv1.3")

    old, new = ask(gateway, "old.example"), ask(gateway, "new.example")

    assert (old["protocol"], old["cipher"]) == ("TLSv1.2", cipher)
    assert new["protocol"] == "TLSv1.3"


@pytest.mark.parametrize("protocol", ["TLSv1.2", "TLSv1.3"])
def test_sessions_are_resumed_by_the_same_identity_only(
        gateway, secure_backend, secrets, protocol):
    closing = secure_backend("keepalive_timeout 0;")
    address = manifest.Address("127.0.0.1", closing.tls)

    for name in ("one", "two"):
        serve_secure(gateway, f"{name}-resumed.example", address, name,
                     proxy_ssl_protocols=protocol)

    seen = [ask(gateway, f"{name}-resumed.example")
            for name in ("one", "one", "two", "two")]

    assert [s["reused"] for s in seen] == [".", "r", ".", "r"]
    assert [s["client"] for s in seen] == ["CN=one"] * 2 + ["CN=two"] * 2


def test_a_new_certificate_is_used_at_once(gateway, secure, authority):
    for name in ("first", "second"):
        pair = authority.issue(name, client=True)
        gateway.apply("renewed", manifest.tls_secret("renewed", pair,
                                                     ca=authority.pem))
        serve_secure(gateway, "renewed.example", secure, "renewed")

        assert ask(gateway, "renewed.example")["client"] == f"CN={name}"
