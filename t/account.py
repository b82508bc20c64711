"""
A small ACME client for tests: correct unless a test spoils a request.
"""

import base64
import datetime
import hashlib
import hmac
import http.client
import ipaddress
import json
import ssl
import time
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import \
    decode_dss_signature

import nginx


AGENT = "torii-test/1"
PEM_CHAIN = "application/pem-certificate-chain"


class Refused(Exception):
    """The CA's problem: type without its prefix, status, the whole body."""

    def __init__(self, answer):
        self.status = answer.status
        try:
            self.body = answer.json()
        except ValueError:
            self.body = {}
        self.type = self.body.get("type", "").rpartition(":")[2]
        super().__init__(f"{answer.status} {self.type}: "
                         f"{self.body.get('detail', answer.body[:200])}")
        self.answer = answer


class Reply:
    """Of a CA."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    @property
    def location(self):
        return self.headers["Location"]

    def links(self, rel):
        out = []
        for value in self.headers.get_all("Link") or []:
            for link in value.split(","):
                target, _, parameters = link.strip().partition(">")
                if f'rel="{rel}"' in parameters:
                    out.append(target[1:])
        return out


class Account:
    """An account at the CA of a directory; bundle is a PEM text that its TLS
    certificate is signed by.

        account = Account(ca.directory, ca.bundle)
        account.register()
        chain = account.obtain("a.example", answer=responder.answer)

    post() takes what to spoil: protected (members of the header to change, None
    removes one), headers (of the request), spoil (a function of the JWS).
    """

    def __init__(self, directory, bundle, kind="ES256"):
        self.private = make_key(kind)
        self.kind = kind
        self.kid = None
        self.nonces = []
        self.tls = ssl.create_default_context(cadata=bundle)
        self.connection = None
        self.directory = self.send("GET", directory).json()

    # Requests

    def send(self, method, url, body=None, headers=None):
        parts = urllib.parse.urlsplit(url)
        fields = {"User-Agent": AGENT, **(headers or {})}

        if self.connection is None or self.connection.port != parts.port:
            self.close()
            self.connection = http.client.HTTPSConnection(
                parts.hostname, parts.port, context=self.tls, timeout=20)

        try:
            self.connection.request(
                method, parts.path, body,
                {k: v for k, v in fields.items() if v is not None})
            reply = Reply(self.connection.getresponse())
        except (OSError, http.client.HTTPException):
            self.close()
            raise

        if reply.headers["Replay-Nonce"]:
            self.nonces.append(reply.headers["Replay-Nonce"])

        return reply

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def nonce(self):
        if not self.nonces:
            self.send("HEAD", self.directory["newNonce"])
        return self.nonces.pop()

    def post(self, url, payload="", protected=None, headers=None, spoil=None,
             jwk=None, signer=None):
        """POST; payload "" reads.  jwk True signs as newAccount does."""
        fields = {"Content-Type": "application/jose+json", **(headers or {})}

        for attempt in range(50):
            header = {"alg": self.kind, "nonce": self.nonce(), "url": url}
            if jwk or (jwk is None and self.kid is None):
                header["jwk"] = public_jwk(self.private)
            else:
                header["kid"] = self.kid
            header.update(protected or {})
            header = {k: v for k, v in header.items() if v is not None}

            jws = sign(header, payload, signer or self.private)
            body = json.dumps(spoil(jws) if spoil else jws)
            reply = self.send("POST", url, body.encode(), fields)

            if not (reply.status == 400 and b":badNonce" in reply.body
                    and "nonce" not in (protected or {})):
                break

        if reply.status >= 400:
            raise Refused(reply)

        return reply

    def thumbprint(self):
        return thumbprint(self.private)

    # What a client does

    def register(self, eab=None, contact=("mailto:a@example.org",), **spoil):
        """eab is (kid, key), the key in base64url."""
        url = self.directory["newAccount"]
        payload = {"termsOfServiceAgreed": True, "contact": list(contact)}

        if eab:
            payload["externalAccountBinding"] = sign(
                {"alg": "HS256", "kid": eab[0], "url": url},
                public_jwk(self.private), decode(eab[1]))

        self.kid = self.post(url, payload, jwk=True, **spoil).location
        return self

    def order(self, *names, **more):
        """(URL, order)"""
        reply = self.post(self.directory["newOrder"], {
            "identifiers": [identifier(n) for n in names], **more})
        return reply.location, reply.json()

    def challenge(self, url, kind):
        """Of an authorization: (its body, the challenge, its key
        authorization)."""
        authz = self.post(url).json()
        found, = (c for c in authz["challenges"] if c["type"] == kind)
        return authz, found, f"{found['token']}.{self.thumbprint()}"

    def authorize(self, order, kind="http-01", answer=None):
        """Meet the challenges of an order; answer(authz, challenge, key
        authorization) is called for each of them first."""
        pending = []

        for url in order["authorizations"]:
            authz = self.post(url).json()
            if authz["status"] == "pending":
                pending.append((url, *self.challenge(url, kind)))

        for url, authz, challenge, key_auth in pending:
            if answer:
                answer(authz, challenge, key_auth)

        for url, authz, challenge, _ in pending:
            self.post(challenge["url"], {})

        for url, *_ in pending:
            self.wait(url, "valid", "pending", "processing")

    def wait(self, url, wanted, *meanwhile):
        """Poll until the status is the wanted one; the last body."""
        def look():
            body = self.post(url).json()
            assert body["status"] in (wanted, *meanwhile), body
            return body if body["status"] == wanted else None

        # Pebble hangs when it is asked more often
        return nginx.wait_until(look, f"{url} to be {wanted}", 20, every=0.1)

    def finalize(self, url, order, names, key=None, csr=None):
        self.wait(url, "ready", "pending")
        csr = csr or request(key or make_key("ES256"), names)
        self.post(order["finalize"], {"csr": encode(csr)})
        time.sleep(0.1)         # see wait()
        return self.wait(url, "valid", "processing")

    def download(self, order):
        return self.post(order["certificate"], headers={"Accept": PEM_CHAIN})

    def obtain(self, *names, kind="http-01", answer=None, key=None, **more):
        """The chain, a list of certificates; the last reply is kept as
        self.downloaded."""
        url, order = self.order(*names, **more)
        self.authorize(order, kind, answer)
        self.downloaded = self.download(
            self.finalize(url, order, names, key))
        return read_chain(self.downloaded.body)

    def revoke(self, cert, reason=None, key=None):
        payload = {"certificate": encode(
            cert.public_bytes(serialization.Encoding.DER))}
        if reason is not None:
            payload["reason"] = reason

        signed = dict(jwk=True, signer=key, protected={
            "jwk": public_jwk(key)}) if key else {}
        return self.post(self.directory["revokeCert"], payload, **signed)

    def rollover(self, kind="ES256", **spoil):
        """Change the key; spoil changes members of the inner header."""
        new = make_key(kind)
        url = self.directory["keyChange"]
        inner = {"alg": kind, "jwk": public_jwk(new), "url": url, **spoil}

        self.post(url, sign(inner, {"account": self.kid, "oldKey":
                                    public_jwk(self.private)}, new))
        self.private, self.kind = new, kind

    def renewal(self, certificate_id):
        reply = self.send("GET", f"{self.directory['renewalInfo']}/"
                                 f"{certificate_id}")
        if reply.status >= 400:
            raise Refused(reply)
        return reply


# Encodings

def encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def identifier(name):
    try:
        return {"type": "ip", "value": str(ipaddress.ip_address(name))}
    except ValueError:
        return {"type": "dns", "value": name}


def make_key(kind):
    return {"ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
            "RS256": lambda: rsa.generate_private_key(65537, 2048),
            "EdDSA": ed25519.Ed25519PrivateKey.generate}[kind]()


def number(value, size=None):
    return encode(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def public_jwk(private):
    public = private.public_key()

    if isinstance(private, ec.EllipticCurvePrivateKey):
        size = (private.key_size + 7) // 8
        point = public.public_numbers()
        return {"crv": f"P-{private.key_size}", "kty": "EC",
                "x": number(point.x, size), "y": number(point.y, size)}

    if isinstance(private, rsa.RSAPrivateKey):
        return {"e": number(public.public_numbers().e), "kty": "RSA",
                "n": number(public.public_numbers().n)}

    return {"crv": "Ed25519", "kty": "OKP", "x": encode(public.public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw))}


def thumbprint(private):
    text = json.dumps(public_jwk(private), sort_keys=True,
                      separators=(",", ":"))
    return encode(hashlib.sha256(text.encode()).digest())


def sign(header, payload, key):
    """A flattened JWS; key is a private key, or bytes for an HMAC."""
    first = encode(json.dumps(header).encode())
    second = encode(payload.encode() if isinstance(payload, str)
                    else json.dumps(payload).encode())

    return {"protected": first, "payload": second,
            "signature": encode(signature(f"{first}.{second}".encode(), key))}


def signature(data, key):
    if isinstance(key, bytes):
        return hmac.digest(key, data, "sha256")
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)

    size = (key.key_size + 7) // 8
    digest = hashes.SHA256() if size == 32 else hashes.SHA384()
    return b"".join(n.to_bytes(size, "big") for n in decode_dss_signature(
        key.sign(data, ec.ECDSA(digest))))


def request(key, names, common_name=None):
    """A certificate request, DER."""
    subject = ([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)]
               if common_name else [])
    alternatives = [x509.IPAddress(ipaddress.ip_address(n))
                    if identifier(n)["type"] == "ip" else x509.DNSName(n)
                    for n in names]

    return (x509.CertificateSigningRequestBuilder()
            .subject_name(x509.Name(subject))
            .add_extension(x509.SubjectAlternativeName(alternatives), False)
            .sign(key, hashes.SHA256())
            .public_bytes(serialization.Encoding.DER))


def read_chain(text):
    text = text.encode() if isinstance(text, str) else text
    end = b"-----END CERTIFICATE-----\n"
    return [x509.load_pem_x509_certificate(part + end)
            for part in text.split(end) if b"BEGIN CERTIFICATE" in part]


def names_of(cert):
    """A set of texts."""
    found = cert.extensions.get_extension_for_class(
        x509.SubjectAlternativeName).value
    return (set(found.get_values_for_type(x509.DNSName))
            | {str(a) for a in found.get_values_for_type(x509.IPAddress)})


# Answers to challenges

ACME_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")


def alpn_certificate(name, key_auth, critical=True):
    """RFC 8737: (certificate, key), both PEM."""
    key = make_key("ES256")
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "acme")])
    now = datetime.datetime.utcnow()
    day = datetime.timedelta(days=1)
    known = identifier(name)
    alternative = (x509.DNSName(name) if known["type"] == "dns"
                   else x509.IPAddress(ipaddress.ip_address(name)))
    value = b"\x04\x20" + hashlib.sha256(key_auth.encode()).digest()

    cert = (x509.CertificateBuilder()
            .subject_name(subject).issuer_name(subject)
            .public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - day).not_valid_after(now + day)
            .add_extension(x509.SubjectAlternativeName([alternative]), False)
            .add_extension(x509.UnrecognizedExtension(ACME_IDENTIFIER, value),
                           critical)
            .sign(key, hashes.SHA256()))

    return (cert.public_bytes(serialization.Encoding.PEM).decode(),
            key.private_bytes(serialization.Encoding.PEM,
                              serialization.PrivateFormat.PKCS8,
                              serialization.NoEncryption()).decode())


def txt_value(key_auth):
    return encode(hashlib.sha256(key_auth.encode()).digest())
