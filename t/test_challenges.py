"""
Challenges of ACME, as a CA asks for them: http-01 and tls-alpn-01 out of the
table, whatever else the gateway is told to do with the client.
"""

import datetime
import hashlib
import re
import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import certificate
import client
import manifest
import table


PATH = "/.well-known/acme-challenge/"
TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
ANSWER = TOKEN + ".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
NAME = "new.example"
ADDRESS = "4.3.2.1.in-addr.arpa"

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VERSIONS = pytest.mark.parametrize("version", [TLS12, TLS13],
                                   ids=["TLS1.2", "TLS1.3"])
ACME = ("acme-tls/1",)


def challenge_pair(name):
    """What acme_alpn_cert() makes: DER certificate and key."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME,
                                            "ACME challenge")])
    now = datetime.datetime.utcnow()
    digest = hashlib.sha256(ANSWER.encode()).digest()
    cert = (x509.CertificateBuilder().subject_name(subject)
            .issuer_name(subject).public_key(private.public_key())
            .serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=7))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]),
                           critical=False)
            .add_extension(x509.UnrecognizedExtension(
                x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31"),
                b"\x04\x20" + digest), critical=True)
            .sign(private, hashes.SHA256()))

    return (cert.public_bytes(serialization.Encoding.DER),
            private.private_bytes(serialization.Encoding.DER,
                                  serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption()))


PAIRS = {name: challenge_pair(name) for name in (NAME, ADDRESS)}

# what stands in the way of everybody else: the server of nginx.conf, …
SERVER = f"""
    rewrite ^{PATH}{TOKEN}$ https://elsewhere.example/ permanent;
    deny 127.0.0.9;
    ssl_client_certificate @dir@/ca.pem;
    ssl_verify_client on;
    ssl_reject_handshake on;
    ssl_ecdh_curve X25519;
    ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;
    ssl_session_tickets on;
    ssl_session_cache builtin;
    error_page 404 {PATH}{TOKEN};
"""

# … and routes
BARRED = {
    "tls.example": dict(force_ssl_redirect="true"),
    "list.example": dict(whitelist_source_range="10.0.0.0/8"),
    "away.example": dict(permanent_redirect="https://elsewhere.example/"),
    "bad.example": dict(whitelist_source_range="nonsense"),
    "www.www.example": dict(from_to_www_redirect="true"),
    "regex.example": dict(use_regex="true", rewrite_target="/$1",
                          path_text="/(.*)", type="ImplementationSpecific"),
}


@pytest.fixture(scope="module")
def served(make_gateway, echo_backend, authority):
    """Tables of objects, of a gateway that is stopped."""
    made = make_gateway()
    made.start()
    try:
        for host, how in BARRED.items():
            made.serve(host, echo_backend[0], name=manifest.label(host), **how)
        made.serve("solver.example", echo_backend[0])
        made.serve(NAME, echo_backend[0], tls=authority.issue(NAME))
        made.apply("config", manifest.config_map("torii", {}))
        made.stop()
        yield made
    finally:
        made.remove()


def beside(make_gateway, served, **how):
    """A gateway of the same state without a helper."""
    made = make_gateway(wait=False, http="torii_helper off;"
                        " server { listen 127.0.0.1:@hook@; return 204; }",
                        **how)
    made.state.symlink_to(served.state)
    return made


@pytest.fixture(scope="module")
def gateway(make_gateway, served):
    made = beside(make_gateway, served)
    try:
        yield made.start()
    finally:
        made.remove()


@pytest.fixture(scope="module")
def strict(make_gateway, served, authority):
    made = beside(make_gateway, served, server=SERVER)
    (made.dir / "ca.pem").write_text(authority.pem)
    try:
        yield made.start()
    finally:
        made.remove()


@pytest.fixture(autouse=True)
def challenges(gateway):
    """They are in the table at the beginning of each test."""
    plain = gateway.table()
    table.publish(gateway, table.with_challenges(plain, {TOKEN: ANSWER},
                                                 PAIRS))
    yield plain
    table.publish(gateway, plain)


def count(gateway, kind, result):
    text = gateway.admin_get("/metrics").text
    return int(re.search(r'^torii_acme_challenge_requests_total\{type="'
                         rf'{kind}",result="{result}"\}} (\d+)$', text,
                         re.M)[1])


# http-01

def is_answer(answer):
    return (answer.status == 200 and answer.text == ANSWER
            and answer.header("Content-Type") == "application/octet-stream"
            and answer.header("Cache-Control") == "no-store"
            and answer.header("Content-Length") == str(len(ANSWER)))


@pytest.mark.parametrize("how", [{}, dict(tls=True), dict(h2=True),
                                 dict(tls=True, h2=True)],
                         ids=["http", "https", "h2c", "h2"])
@pytest.mark.parametrize("host", [NAME, "unknown.example", "127.0.0.1",
                                  "[::1]:80", *BARRED])
def test_token_is_answered(gateway, host, how):
    assert is_answer(gateway.get(PATH + TOKEN, host, **how))


def test_token_is_answered_by_http_1_0_without_a_host(gateway):
    answer = gateway.raw(f"GET {PATH}{TOKEN} HTTP/1.0\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\n" + ANSWER.encode())


def test_head_has_no_body(gateway):
    answer = gateway.request("HEAD", PATH + TOKEN, "unknown.example")

    assert answer.status == 200 and answer.body == b""
    assert answer.header("Content-Length") == str(len(ANSWER))


def test_connection_goes_on_after_an_answer(gateway):
    with gateway.http1() as connection:
        for _ in range(3):
            assert is_answer(connection.get(PATH + TOKEN, "a.example"))
            assert connection.get("/", "solver.example").status == 200


@pytest.mark.parametrize("target", [
    f"{PATH}{TOKEN}?a=b", f"/x/..{PATH}{TOKEN}", f"/{PATH}{TOKEN}",
    f"{PATH}%4c{TOKEN[1:]}", f"http://any.example{PATH}{TOKEN}"])
def test_spelling_of_the_path_makes_no_difference(gateway, target):
    assert is_answer(gateway.get(target, "unknown.example"))


def test_server_of_the_operator_does_not_stand_in_the_way(strict):
    host = "solver.example"

    assert is_answer(strict.get(PATH + TOKEN, host, source="127.0.0.9"))
    assert strict.get("/", host, source="127.0.0.9").status == 403


def test_error_page_is_no_question_of_a_ca(strict):
    answer = strict.get("/none", "unknown.example")

    assert answer.location == "https://elsewhere.example/"


@pytest.mark.parametrize("target", [
    f"{PATH}{TOKEN}x", f"{PATH}{TOKEN[:-1]}", f"{PATH}{TOKEN.lower()}",
    f"{PATH}{TOKEN}/", f"{PATH}x/{TOKEN}", PATH, PATH[:-1],
    f"{PATH.upper()}{TOKEN}", f"/x{PATH}{TOKEN}", f"{PATH}{TOKEN}%00",
    f"/{TOKEN}"])
def test_all_else_goes_to_the_routes(gateway, target):
    answer = gateway.get(target, "solver.example")

    assert ANSWER not in answer.text
    assert answer.status == 400 if "%00" in target else (
        answer.echo["target"] == target)
    assert gateway.get(target, "unknown.example").status in (400, 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS", "DELETE"])
def test_other_methods_go_to_the_routes(gateway, method):
    answer = gateway.request(method, PATH + TOKEN, "solver.example")

    assert answer.echo["method"] == method


def test_server_without_torii_answers_as_it_did(gateway):
    assert gateway.get(PATH + TOKEN, port=gateway.hook).status == 204


def test_withdrawn_challenge_is_answered_no_more(gateway, challenges):
    assert is_answer(gateway.get(PATH + TOKEN, "solver.example"))

    table.publish(gateway, challenges)

    assert gateway.get(PATH + TOKEN, "solver.example").echo
    assert gateway.get(PATH + TOKEN, "unknown.example").status == 404


def test_gateway_without_a_table_has_no_answer(make_gateway):
    made = make_gateway(http="torii_helper off;", wait=False)
    try:
        made.start()
        assert made.get(PATH + TOKEN).status == 503
    finally:
        made.remove()


def test_http_01_is_counted_and_logged(gateway):
    known = count(gateway, "http-01", "answered")
    unknown = count(gateway, "http-01", "unknown")

    gateway.get(PATH + TOKEN, "unknown.example")
    gateway.get(PATH + "other", "unknown.example")
    gateway.get("/", "unknown.example")

    assert count(gateway, "http-01", "answered") == known + 1
    assert count(gateway, "http-01", "unknown") == unknown + 1
    assert any(f"GET {PATH}{TOKEN} HTTP/1.1\" 200 " in line
               for line in gateway.access())


@pytest.mark.parametrize("target", ["/", "/api/routes", "/api/findings",
                                    "/api/status", "/metrics"])
def test_admin_shows_no_answer(gateway, target):
    text = gateway.admin_get(target).text

    assert ANSWER not in text and TOKEN not in text


# tls-alpn-01

def validate(gateway, name, protocols=ACME, **how):
    """As a CA does: (certificate, protocol, what came behind it)."""
    context = client.tls_context(alpn=protocols, **how)

    with gateway.connect(tls=True, sni=name, context=context) as sock:
        return (sock.getpeercert(True), sock.selected_alpn_protocol(),
                all_until_closed(sock))


def all_until_closed(sock):
    """All bytes until the server closes; TimeoutError if it does not."""
    data, piece = b"", None

    while piece != b"":
        try:
            piece = sock.recv(65536)
        except ConnectionResetError:
            break
        data += piece

    return data


def is_refused(gateway, name, protocols=ACME, **how):
    with pytest.raises(ssl.SSLError) as error:
        validate(gateway, name, protocols, **how)
    return "alert no application protocol" in str(error.value)


@VERSIONS
@pytest.mark.parametrize("name", [NAME, ADDRESS, NAME.upper()])
def test_validator_gets_the_certificate_and_no_more(gateway, name, version):
    cert, protocol, rest = validate(gateway, name, minimum=version,
                                    maximum=version)

    assert cert == PAIRS[name.lower()][0]
    assert protocol == ACME[0]
    assert rest == b""


@VERSIONS
def test_request_of_a_validator_is_not_read(gateway, version):
    """It comes with the last bytes of the handshake."""
    context = client.tls_context(alpn=ACME, minimum=version, maximum=version)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=NAME)
    before = len(gateway.access())

    with gateway.connect(port=gateway.tls) as sock:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                sock.sendall(outgoing.read())
                incoming.write(sock.recv(65536))

        tls.write(b"GET / HTTP/1.1\r\nHost: solver.example\r\n\r\n")
        sock.sendall(outgoing.read())
        assert b"HTTP" not in _read_tls(tls, incoming, sock)

    assert len(gateway.access()) == before


def _read_tls(tls, incoming, sock):
    incoming.write(all_until_closed(sock))
    incoming.write_eof()

    try:
        return tls.read(65536)
    except ssl.SSLError:
        return b""


@VERSIONS
def test_no_session_is_given(strict, version):
    context = client.tls_context(alpn=ACME, minimum=version, maximum=version)

    with strict.connect(tls=True, sni=NAME, context=context) as sock:
        all_until_closed(sock)
        session = sock.session

    assert session is None or not session.has_ticket

    with strict.connect(tls=True, sni=NAME, context=context,
                         session=session) as sock:
        assert not sock.session_reused


@VERSIONS
def test_session_of_the_name_is_not_resumed(gateway, version):
    context = client.tls_context(minimum=version, maximum=version)

    with gateway.connect(tls=True, sni=NAME, context=context) as sock:
        sock.sendall(f"GET / HTTP/1.0\r\nHost: {NAME}\r\n\r\n".encode())
        client.read_all(sock)
        session = sock.session

    context.set_alpn_protocols(list(ACME))

    with gateway.connect(tls=True, sni=NAME, context=context,
                         session=session) as sock:
        assert not sock.session_reused
        assert sock.getpeercert(True) == PAIRS[NAME][0]


@VERSIONS
@pytest.mark.parametrize("name", ["unknown.example", "solver.example",
                                  "tls.example", f"sub.{NAME}", None])
def test_name_without_a_challenge_is_refused(gateway, name, version):
    assert is_refused(gateway, name, minimum=version, maximum=version)


def test_withdrawn_name_is_refused(gateway, challenges):
    table.publish(gateway, challenges)

    assert is_refused(gateway, NAME)


@pytest.mark.parametrize("protocols, chosen", [
    (("acme-tls/1", "h2"), "h2"), (("http/1.1", "acme-tls/1"), "http/1.1"),
    (("h2",), "h2"), ((), None)])
def test_other_protocols_get_the_own_certificate(gateway, protocols, chosen):
    context = client.tls_context(alpn=protocols)

    with gateway.connect(tls=True, sni=NAME, context=context) as sock:
        assert sock.getpeercert(True) != PAIRS[NAME][0]
        assert sock.selected_alpn_protocol() == chosen


@pytest.mark.parametrize("protocols", [
    ("acme-tls/1", "acme-tls/1"), ("acme-tls/1", "x"), ("acme-tls/10",)])
def test_list_that_is_not_a_validators_is_refused(gateway, protocols):
    assert is_refused(gateway, NAME, protocols)


@VERSIONS
def test_settings_of_the_server_do_not_stand_in_the_way(strict, version):
    cert, protocol, rest = validate(strict, NAME, minimum=version,
                                    maximum=version)

    assert (cert, protocol, rest) == (PAIRS[NAME][0], ACME[0], b"")

    with pytest.raises(ssl.SSLError):
        validate(strict, NAME, ("h2",), minimum=version, maximum=version)


def test_reject_handshake_does_not_stand_in_the_way(start_gateway,
                                                   make_gateway):
    started = start_gateway(http="torii_config default/torii;", manifests={
        "config": [manifest.config_map("torii",
                                       {"ssl-reject-handshake": "true"})]})
    started.stop()
    closed = beside(make_gateway, started)
    try:
        closed.start()
        table.publish(closed, table.with_challenges(closed.table(), {}, PAIRS))

        assert validate(closed, NAME)[:2] == (PAIRS[NAME][0], ACME[0])

        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            validate(closed, NAME, ("h2",))
    finally:
        closed.remove()


@pytest.mark.parametrize("options", [
    (), ("-groups", "P-256:X25519"), ("-tls1_2",), ("-early_data", "/dev/null"),
    ("-status",)])
@pytest.mark.parametrize("name", [NAME, ADDRESS])
def test_openssl_validates(strict, name, options):
    """With a second ClientHello, for instance, where its curve is not ours."""
    out = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{strict.tls}",
         "-alpn", ACME[0], "-servername", name, *options],
        input="", capture_output=True, text=True, timeout=10).stdout
    pem = out[out.index("-----BEGIN"):out.index("-----END")]

    assert "ALPN protocol: acme-tls/1" in out
    assert "Requested Signature Algorithms" not in out
    assert certificate.pem(x509.load_der_x509_certificate(
        PAIRS[name][0])).startswith(pem)


def test_openssl_is_refused(gateway):
    out = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.tls}",
         "-alpn", ACME[0], "-noservername"],
        input="", capture_output=True, text=True, timeout=10)

    assert "alert no application protocol" in out.stderr
    assert "BEGIN CERTIFICATE" not in out.stdout


def test_bytes_that_are_no_certificate_end_the_handshake(gateway, challenges):
    gateway.expect("torii: a certificate of the table cannot be used")
    table.publish(gateway, table.with_challenges(
        challenges, {}, {NAME: (b"not a certificate", b"nor a key")}))

    with pytest.raises(ssl.SSLError) as error:
        validate(gateway, NAME)

    assert error.value.reason == "TLSV1_ALERT_INTERNAL_ERROR"
    assert gateway.get("/", NAME, tls=True).status == 200


def test_tls_alpn_01_is_counted_and_logged(gateway):
    known = count(gateway, "tls-alpn-01", "answered")
    unknown = count(gateway, "tls-alpn-01", "unknown")

    validate(gateway, NAME)
    assert is_refused(gateway, "unknown.example")
    gateway.get("/", NAME, tls=True)

    assert count(gateway, "tls-alpn-01", "answered") == known + 1
    assert count(gateway, "tls-alpn-01", "unknown") == unknown + 1
    assert (f'torii: tls-alpn-01 challenge for "{NAME}" is answered'
            in gateway.log())


# Another solver

@pytest.mark.parametrize("type", ["Exact", "ImplementationSpecific"])
@pytest.mark.parametrize("other", [
    dict(force_ssl_redirect="true"),
    dict(whitelist_source_range="10.0.0.0/8"),
    dict(use_regex="true", path_text="/(.*)", rewrite_target="/$1",
         type="ImplementationSpecific"),
    dict(permanent_redirect="https://elsewhere.example/"),
], ids=["tls", "list", "regex", "away"])
def test_solver_of_cert_manager_goes_on_working(solver_gateway, echo, authority,
                                                type, other):
    gateway, host = solver_gateway, "solver.example"
    other = dict(other)
    path = manifest.path(PATH + TOKEN, "cm-acme-http-solver", type=type)
    gateway.serve(host, echo[1], name="other", tls=authority.issue(host),
                  **other)
    gateway.apply("solver", [
        manifest.backend("cm-acme-http-solver", echo[0]),
        manifest.ingress("cm-acme-http-solver", manifest.rule(host, path),
                         whitelist_source_range="0.0.0.0/0,::/0")])

    answer = gateway.get(PATH + TOKEN, host)

    assert answer.status == 200
    assert answer.echo["name"] == "http0"
    assert answer.echo["target"] == PATH + TOKEN


@pytest.fixture(scope="module", params=[
    {}, {"no-tls-redirect-locations": "/a", "force-ssl-redirect": "true",
         "whitelist-source-range": "10.0.0.0/8",
         "strict-validate-path-type": "true"}], ids=["default", "closed"])
def solver_gateway(request, make_gateway):
    made = make_gateway(http="torii_config default/torii;", manifests={
        "config": [manifest.config_map("torii", request.param)]})
    try:
        yield made.start()
    finally:
        made.remove()
