"""
Certificates for tests: an authority of our own and what it signs.
"""

import datetime
import functools
import ipaddress
import os
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


class Pair:
    """A certificate and its key: chain and key are PEM texts, x509 the leaf."""

    def __init__(self, cert, private, issuers=()):
        self.x509 = cert
        self.private = private
        self.chain = "".join(pem(c) for c in (cert, *issuers))
        self.key = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()).decode()

    @property
    def serial(self):
        return self.x509.serial_number

    @property
    def der(self):
        return self.x509.public_bytes(serialization.Encoding.DER)

    @functools.lru_cache(maxsize=None)
    def files(self):
        """Paths of the chain and the key, for programs that want files."""
        return tuple(_temporary(text) for text in (self.chain, self.key))


class Authority:
    """An authority; issue() signs with it, pem is its certificate."""

    def __init__(self, name="Torii Test CA", parent=None, kind="ec"):
        self.private = new_key(kind)
        self.parent = parent
        subject = _name(name)
        builder = _builder(subject, parent.cert.subject if parent else subject,
                           self.private, 365)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.cert = builder.sign(parent.private if parent else self.private,
                                 hashes.SHA256())
        self.pem = pem(self.cert)

    def issue(self, *names, kind="ec", days=30, client=False, cn=None,
              start=-1):
        """A Pair for DNS names or addresses; kind is "ec" or "rsa"; days may be
        negative and start counts days from now, for a certificate that is no
        longer or not yet valid."""
        private = new_key(kind)
        subject = _name(cn or names[0])
        usage = (ExtendedKeyUsageOID.CLIENT_AUTH if client
                 else ExtendedKeyUsageOID.SERVER_AUTH)
        builder = _builder(subject, self.cert.subject, private, days, start)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)

        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_alternative(n) for n in names]),
                critical=False)

        issuers = []
        above = self
        while above.parent:
            issuers.append(above.cert)
            above = above.parent

        return Pair(builder.sign(self.private, hashes.SHA256()), private,
                    issuers)

    @functools.lru_cache(maxsize=None)
    def file(self):
        return _temporary(self.pem)


def new_key(kind):
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


def pem(cert):
    return cert.public_bytes(serialization.Encoding.PEM).decode()


def _name(cn):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])


def _alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(subject, issuer, private, days, start=-1):
    now = datetime.datetime.utcnow()
    begin = now + datetime.timedelta(days=min(start, days - 1))

    return (x509.CertificateBuilder()
            .subject_name(subject).issuer_name(issuer)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(now + datetime.timedelta(days=days)))


def _temporary(text):
    fd, name = tempfile.mkstemp(prefix="torii-", suffix=".pem")
    os.write(fd, text.encode())
    os.close(fd)
    _files.append(name)
    return name


_files = []


def remove_files():
    while _files:
        os.unlink(_files.pop())
