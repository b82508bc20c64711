"""
TLS of the gateway: which certificate is served to whom, and what a handshake
agrees on.
"""

import itertools
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

import certificate
import client
import manifest


SOURCES = ("manifests", "kubernetes")

NUMBERS = itertools.count(1)
MANY = 2000

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
OLD = "ALL:@SECLEVEL=0"


def name():
    return f"h{next(NUMBERS)}"


def served(gateway, sni, **how):
    """The certificate of a handshake."""
    with gateway.connect(tls=True, sni=sni, **how) as sock:
        return x509.load_der_x509_certificate(sock.getpeercert(True))


def common_name(cert):
    return cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


def is_fake(cert):
    return common_name(cert).endswith("Fake Certificate")


def handshake(gateway, sni, **options):
    """What a handshake agreed on: (version, cipher)."""
    context = client.tls_context(**options)
    with gateway.connect(tls=True, sni=sni, context=context) as sock:
        return sock.version(), sock.cipher()[0]


def told(gateway, host_name):
    return {f["reason"] for f in gateway.findings()
            if f["object"]["name"] == host_name}


# By name

def test_certificate_of_the_exact_name(gateway, echo, authority):
    pairs = {f"{name()}.example": None for _ in range(3)}
    for host in pairs:
        pairs[host] = authority.issue(host)
        gateway.serve(host, echo[0], tls=pairs[host])

    assert all(served(gateway, host) == pairs[host].x509 for host in pairs)


def test_certificate_of_a_wildcard_covers_one_label(gateway, echo, authority):
    base = f"{name()}.example"
    wild = authority.issue(f"*.{base}")
    exact = authority.issue(f"exact.{base}")
    gateway.serve(f"*.{base}", echo[0], tls=wild)
    gateway.serve(f"exact.{base}", echo[0], tls=exact)

    assert served(gateway, f"a.{base}") == wild.x509
    assert served(gateway, f"exact.{base}") == exact.x509
    assert is_fake(served(gateway, f"a.b.{base}"))
    assert is_fake(served(gateway, base))


@pytest.mark.parametrize("spell", [str.upper, lambda host: host + "."],
                         ids=["upper", "dot"])
def test_spelling_of_a_name_makes_no_difference(gateway, echo, authority,
                                                spell):
    host = f"{name()}.example"
    pair = authority.issue(host)
    gateway.serve(host, echo[0], tls=pair)

    assert served(gateway, spell(host)) == pair.x509
    assert gateway.get("/", spell(host), tls=True, sni=host).status == 200


@pytest.mark.parametrize("sni", ["unknown.example", None])
def test_fake_certificate_serves_all_other_names(gateway, sni):
    certs = [served(gateway, sni) for _ in range(8)]
    fake = certs[0]
    alternatives = fake.extensions.get_extension_for_class(
        x509.SubjectAlternativeName).value

    assert common_name(fake) == ("Kubernetes Ingress Controller Fake "
                                 "Certificate")
    assert alternatives.get_values_for_type(x509.DNSName) == ["ingress.local"]
    assert all(c == fake for c in certs)


def test_name_of_the_handshake_and_of_the_request_may_differ(gateway, echo,
                                                             authority):
    one, two = f"{name()}.example", f"{name()}.example"
    for i, host in enumerate((one, two)):
        gateway.serve(host, echo[i], tls=authority.issue(host))

    assert gateway.get("/", two, tls=True, sni=one).echo["name"] == "http1"


def test_chain_is_sent_whole(gateway, echo):
    root = certificate.Authority("Root of a chain")
    low = certificate.Authority("Low", parent=certificate.Authority(
        "Middle", parent=root))
    host = f"{name()}.example"
    gateway.serve(host, echo[0], tls=low.issue(host))

    assert handshake(gateway, host, ca=root.pem)


@pytest.mark.parametrize("kind", ["ec", "rsa"])
@pytest.mark.parametrize("form", ["PKCS8", "TraditionalOpenSSL"])
def test_forms_of_keys(gateway, echo, authority, kind, form):
    host = f"{name()}.example"
    pair = authority.issue(host, kind=kind)
    pair.key = pair.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat[form],
        serialization.NoEncryption()).decode()
    gateway.serve(host, echo[0], tls=pair)

    assert served(gateway, host) == pair.x509


def test_secret_may_be_listed_without_hosts(gateway, echo, authority):
    host = f"{name()}.example"
    pair = authority.issue(host)
    short = manifest.label(host)
    gateway.apply(short, [
        manifest.backend(short, echo[0]), manifest.tls_secret(short, pair),
        manifest.ingress(short, manifest.rule(host, manifest.path(
            "/", short)), tls=[{"secretName": short}])])

    assert served(gateway, host) == pair.x509


# RSA and ECDSA

def test_rsa_and_ecdsa_of_one_host(gateway, echo, authority):
    host = f"{name()}.example"
    short = manifest.label(host)
    rsa = authority.issue(host, kind="rsa")
    ec = authority.issue(host)
    gateway.apply(short, [
        manifest.backend(short, echo[0]),
        manifest.tls_secret(f"{short}-rsa", rsa),
        manifest.tls_secret(f"{short}-ec", ec),
        manifest.ingress(short, manifest.rule(host, manifest.path(
            "/", short)), tls=[(f"{short}-rsa", [host]),
                               (f"{short}-ec", [host])])])

    def cert(ciphers):
        return served(gateway, host, context=client.tls_context(
            maximum=TLS12, ciphers=ciphers))

    assert cert("ECDHE-RSA-AES128-GCM-SHA256") == rsa.x509
    assert cert("ECDHE-ECDSA-AES128-GCM-SHA256") == ec.x509
    assert served(gateway, host) in (ec.x509, rsa.x509)


# Parsed certificates that a worker keeps

@pytest.mark.parametrize("kept", [1, 2, 100])
def test_cache_of_any_size_serves_each_its_own(start_gateway, echo, authority,
                                               kept):
    gateway = start_gateway(http=f"torii_certificate_cache {kept};")
    pairs = {host: authority.issue(host)
             for host in (f"{name()}.example" for i in range(5))}
    for host, pair in pairs.items():
        gateway.serve(host, echo[0], tls=pair)

    for i in range(3):
        for host, pair in [*pairs.items(), *reversed(pairs.items())]:
            assert served(gateway, host) == pair.x509


# The default certificate

@pytest.fixture
def with_default(start_gateway):
    return start_gateway(http="torii_default_certificate default/standard;")


def test_default_certificate(with_default, echo, authority):
    gateway, host = with_default, "lost.example"
    short = manifest.label(host)
    assert is_fake(served(gateway, host))

    for _ in range(2):
        pair = authority.issue("standard.example")
        gateway.apply("standard", manifest.tls_secret("standard", pair))
        gateway.apply(short, [
            manifest.backend(short, echo[0]),
            manifest.ingress(short, manifest.rule(host, manifest.path(
                "/", short)), tls=[("missing", [host])])])

        assert served(gateway, "unknown.example") == pair.x509
        assert served(gateway, None) == pair.x509
        assert served(gateway, host) == pair.x509

    gateway.remove_objects("standard")

    assert is_fake(served(gateway, host))
    assert gateway.wait_finding(reason="DefaultCertificate")


# Replaced

def test_certificate_is_replaced_without_a_reload(gateway, echo, authority):
    host = f"{name()}.example"
    workers = set(gateway.worker_pids())
    old = authority.issue(host)
    gateway.serve(host, echo[0], tls=old)

    with gateway.http1(tls=True, sni=host) as kept:
        assert kept.get("/", host).status == 200

        for _ in range(3):
            new = authority.issue(host)
            gateway.serve(host, echo[0], tls=new)

            assert {served(gateway, host) for _ in range(6)} == {new.x509}
            assert kept.get("/", host).status == 200

        assert kept.sock.getpeercert(True) == old.der

    assert set(gateway.worker_pids()) == workers


def test_secret_that_comes_later_is_served(gateway, echo, authority):
    host = f"{name()}.example"
    short = manifest.label(host)
    pair = authority.issue(host)
    gateway.apply(short, [
        manifest.backend(short, echo[0]),
        manifest.ingress(short, manifest.rule(host, manifest.path(
            "/", short)), tls=[(f"{short}-tls", [host])])])
    assert is_fake(served(gateway, host))

    gateway.apply(f"{short}-tls", manifest.tls_secret(f"{short}-tls", pair))
    assert served(gateway, host) == pair.x509

    gateway.remove_objects(f"{short}-tls")
    assert is_fake(served(gateway, host))


# Secrets that are no good

def broken(kind, authority, host):
    """The data of a Secret for a host, with something wrong."""
    good = authority.issue(host)
    other = authority.issue(host)

    return {
        "no-key": {"tls.crt": good.chain},
        "no-cert": {"tls.key": good.key},
        "empty": {},
        "no-pem": {"tls.crt": "nonsense", "tls.key": "nonsense"},
        "damaged": {"tls.crt": good.chain.replace("MII", "!!!"),
                    "tls.key": good.key},
        "cut": {"tls.crt": good.chain[:200], "tls.key": good.key},
        "binary": {"tls.crt": bytes(range(256)), "tls.key": good.key},
        "mismatch": {"tls.crt": good.chain, "tls.key": other.key},
        "swapped": {"tls.crt": good.key, "tls.key": good.chain},
    }[kind]


@pytest.mark.parametrize("kind", ["no-key", "no-cert", "empty", "no-pem",
                                  "damaged", "cut", "binary", "mismatch",
                                  "swapped"])
def test_unusable_secret_serves_the_default_and_is_told(
        gateway, echo, authority, kind):
    host = f"{name()}.example"
    short = manifest.label(host)
    neighbour = authority.issue(f"x-{host}")
    gateway.serve(f"x-{host}", echo[0], tls=neighbour)
    gateway.apply(short, [
        manifest.backend(short, echo[0]),
        manifest.secret(short, broken(kind, authority, host),
                        type="kubernetes.io/tls"),
        manifest.ingress(short, manifest.rule(host, manifest.path(
            "/", short)), tls=[(short, [host])])])

    assert is_fake(served(gateway, host))
    assert gateway.get("/", host, tls=True).status == 200
    assert "CertificateInvalid" in told(gateway, short)
    assert served(gateway, f"x-{host}") == neighbour.x509


@pytest.mark.parametrize("tls, reason", [
    ([("missing", ["HOST"])], "SecretNotFound"),
    ([{"hosts": ["HOST"]}], None),
    ([("other-names", ["HOST"])], "CertificateHostMismatch"),
    ([{"secretName": "other-names"}], "DefaultCertificate"),
    ([{}], "DefaultCertificate"),
])
def test_host_without_its_certificate_still_has_tls(gateway, echo, authority,
                                                    tls, reason):
    host = f"{name()}.example"
    short = manifest.label(host)
    tls = [tuple([t[0], [host]]) if isinstance(t, tuple) else
           {k: [host] if k == "hosts" else v for k, v in t.items()}
           for t in tls]
    gateway.apply(short, [
        manifest.backend(short, echo[0]),
        manifest.tls_secret("other-names", authority.issue("a.b.example")),
        manifest.ingress(short, manifest.rule(host, manifest.path(
            "/", short)), tls=tls)])

    answer = gateway.get("/a", host)

    assert (answer.status, answer.location) == (308, f"https://{host}/a")
    assert is_fake(served(gateway, host))
    secure = gateway.get("/", host, tls=True)
    assert secure.status == 200
    assert secure.header("Strict-Transport-Security") == (
        "max-age=31536000; includeSubDomains")
    assert not reason or reason in told(gateway, short)


def test_secret_of_another_namespace_is_not_taken(gateway, echo, authority):
    host = f"{name()}.example"
    short = manifest.label(host)
    pair = authority.issue(host)
    gateway.apply(short, [
        manifest.backend(short, echo[0]),
        manifest.tls_secret(short, pair, namespace="other"),
        manifest.ingress(short, manifest.rule(host, manifest.path(
            "/", short)), tls=[(short, [host])])])

    assert is_fake(served(gateway, host))
    assert "SecretNotFound" in told(gateway, short)


@pytest.mark.parametrize("dates, reason", [
    (dict(days=-2, start=-10), "CertificateExpired"),
    (dict(days=30, start=2), "CertificateNotYetValid"),
    (dict(days=30), None)])
def test_certificate_out_of_date_is_served_and_told(gateway, echo, authority,
                                                    dates, reason):
    host = f"{name()}.example"
    short = manifest.label(host)
    pair = authority.issue(host, **dates)
    gateway.serve(host, echo[0], tls=pair, name=short)

    assert served(gateway, host) == pair.x509
    assert told(gateway, short) == ({reason} if reason else set())


# What a handshake agrees on

@pytest.fixture(scope="module")
def secure(gateway, echo_backend, authority):
    """A host with TLS."""
    host = "secure.example"
    gateway.serve(host, echo_backend[0], tls=authority.issue(host))
    return host


@pytest.mark.parametrize("offered, chosen", [
    (["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"),
    (["http/1.1"], "http/1.1"), (["h2"], "h2"), ([], None)])
def test_alpn(gateway, secure, offered, chosen):
    with gateway.connect(tls=True, sni=secure, alpn=offered) as sock:
        assert sock.selected_alpn_protocol() == chosen


def test_h2_and_http1_serve_the_same(gateway, secure):
    answers = [gateway.get("/", secure, tls=True, h2=h2) for h2 in (0, 1)]

    assert [(a.status, a.version) for a in answers] == [(200, "1.1"),
                                                       (200, "2")]


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_versions_that_are_served(gateway, secure, version):
    agreed, _ = handshake(gateway, secure, minimum=version, maximum=version)

    assert agreed.replace(".", "_") == version.name


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1,
                                     ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_versions_that_are_refused(gateway, secure, version):
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        handshake(gateway, secure, minimum=version, maximum=version,
                  ciphers=OLD)


@pytest.mark.parametrize("cipher", ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA",
                                    "ECDHE-ECDSA-AES128-SHA256"])
def test_ciphers_that_are_refused(gateway, secure, cipher):
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        handshake(gateway, secure, maximum=TLS12, ciphers=cipher)


def test_operator_decides_about_versions(start_gateway, echo, authority):
    gateway = start_gateway(server="ssl_protocols TLSv1.3;")
    gateway.serve("new.example", echo[0], tls=authority.issue("new.example"))

    assert handshake(gateway, "new.example")[0] == "TLSv1.3"
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        handshake(gateway, "new.example", maximum=TLS12)


def test_plain_http_on_the_tls_port(gateway):
    with gateway.connect(port=gateway.tls) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert client.read_all(sock).startswith(b"HTTP/1.1 400 ")


AES128 = "ECDHE-ECDSA-AES128-GCM-SHA256"
AES256 = "ECDHE-ECDSA-AES256-GCM-SHA384"


def serve_ciphers(gateway, echo, authority, **short):
    host = f"{name()}.example"
    gateway.serve(host, echo[0], tls=authority.issue(host),
                  name=manifest.label(host), **short)
    return host


def test_ssl_ciphers_of_a_host(gateway, echo, authority, secure):
    host = serve_ciphers(gateway, echo, authority, ssl_ciphers=AES256)

    assert handshake(gateway, host, maximum=TLS12)[1] == AES256
    assert handshake(gateway, secure, maximum=TLS12,
                     ciphers=AES128)[1] == AES128
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        handshake(gateway, host, maximum=TLS12, ciphers=AES128)


def test_ssl_ciphers_of_the_oldest_ingress_win(gateway, echo, authority):
    host = f"{name()}.example"
    for age, (short, ciphers) in enumerate([("b", AES256), ("a", AES128)]):
        gateway.serve(host, echo[0], tls=authority.issue(host),
                      name=f"{manifest.label(host)}-{short}",
                      path_text=f"/{short}", created=1000 + age,
                      ssl_ciphers=ciphers)

    assert handshake(gateway, host, maximum=TLS12)[1] == AES256


@pytest.mark.parametrize("prefer, agreed", [
    (None, AES256), ("true", AES256), ("false", AES128), ("on", AES256)])
def test_ssl_prefer_server_ciphers(gateway, echo, authority, prefer, agreed):
    host = serve_ciphers(gateway, echo, authority,
                         ssl_ciphers=f"{AES256}:{AES128}",
                         ssl_prefer_server_ciphers=prefer)

    assert handshake(gateway, host, maximum=TLS12,
                     ciphers=f"{AES128}:{AES256}")[1] == agreed


@pytest.mark.parametrize("value", ["A;B", "AES\r\nX: y", "", "$ciphers"])
def test_bad_ssl_ciphers_deny(gateway, echo, authority, value):
    host = serve_ciphers(gateway, echo, authority, ssl_ciphers=value)

    assert gateway.get("/", host, tls=True).status == 503
    assert "InvalidAnnotation" in told(gateway, manifest.label(host))


def test_ssl_ciphers_that_name_none_refuse(gateway, echo, authority, secure):
    host = serve_ciphers(gateway, echo, authority, ssl_ciphers="NONE-SUCH")

    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        handshake(gateway, host, maximum=TLS12)
    assert handshake(gateway, secure)


# Resumption

def resume(gateway, first, second, version):
    """Whether a session of the first name is resumed with the second."""
    context = client.tls_context(minimum=version, maximum=version)

    with gateway.http1(tls=True, sni=first, context=context) as connection:
        assert connection.get("/", first).status == 200
        session = connection.sock.session

    assert session is not None

    with gateway.http1(tls=True, sni=second, context=context,
                       session=session) as connection:
        assert connection.get("/", first).status == 200
        return connection.sock.session_reused


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_session_is_resumed_with_the_same_name_only(
        gateway, echo, authority, secure, version):
    wild = authority.issue("*.resumed.example")
    for host in ("a.resumed.example", "b.resumed.example"):
        gateway.serve(host, echo[0], tls=wild)

    assert resume(gateway, "a.resumed.example", "a.resumed.example", version)
    assert not resume(gateway, "a.resumed.example", "b.resumed.example",
                      version)
    assert not resume(gateway, "a.resumed.example", secure, version)
    assert not resume(gateway, "a.resumed.example", None, version)
    assert resume(gateway, secure, secure, version)


# Names that are not served

@pytest.fixture
def with_config(start_gateway):
    return start_gateway(http="torii_config default/torii;")


def test_ssl_reject_handshake(with_config, echo, authority):
    gateway = with_config
    host = "known.example"
    pair = authority.issue(host)
    wild = authority.issue("*.wild.example")
    gateway.serve(host, echo[0], tls=pair)
    gateway.serve("*.wild.example", echo[0], tls=wild)

    for on in ("true", "false"):
        gateway.apply("config", manifest.config_map(
            "torii", {"ssl-reject-handshake": on}))

        for sni in ("unknown.example", "a.b.wild.example", None):
            if on == "true":
                with pytest.raises((ssl.SSLError, ConnectionResetError)):
                    served(gateway, sni)
            else:
                assert is_fake(served(gateway, sni))

        assert served(gateway, host) == pair.x509
        assert served(gateway, "a.wild.example") == wild.x509


# Many

def test_more_certificates_than_a_worker_keeps(gateway, echo, authority):
    pairs = {f"c{i}.many.example": authority.issue(f"c{i}.many.example")
             for i in range(MANY)}
    docs = manifest.backend("many", echo[0])
    for i, (host, pair) in enumerate(pairs.items()):
        docs += [manifest.tls_secret(f"many-{i}", pair),
                 manifest.ingress(f"many-{i}", manifest.rule(
                     host, manifest.path("/", "many")),
                     tls=[(f"many-{i}", [host])])]
    gateway.apply("many", docs)

    context = client.tls_context()
    hosts = list(pairs)

    for host in hosts + hosts[::20] + hosts[:20]:
        with gateway.connect(tls=True, sni=host, context=context) as sock:
            assert sock.getpeercert(True) == pairs[host].der

    assert gateway.get("/", hosts[7], tls=True).status == 200
    gateway.remove_objects("many")
    assert is_fake(served(gateway, hosts[7]))
