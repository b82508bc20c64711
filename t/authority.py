"""
A certification authority for tests, which speaks ACME: strict about what it is
asked, and failing as a test tells it.
"""

import base64

from cryptography import x509

import nginx
import peer


class Ca(peer.Node):
    """An ACME server: see t/peers/ca.js.  It takes correct requests only, and
    validates nothing unless it is told to.

        ca.set(validity=20, bad_nonce=15)
        ca.fail("newOrder", "problem", status=429, type="rateLimited",
                headers={"Retry-After": "3600"})
        assert ca.count("newOrder") == 1

    directory  its URL;  bundle: PEM of what its own TLS certificate is signed
               by;  roots: PEM texts, what it issues is signed by the first

    set(name=value)
        validate (really ask for challenges, at address, http_port, tls_port
        and, for DNS, resolver), vantage [addresses that http-01 and tls-alpn-01
        are asked from], spoil (and what they get is wrong), validation (ms that it pretends to need),
        validity, backdate (s), profiles {name: validity}, max_names, types
        (dns-persist-01 when it is named), domains and caa (its names, in that
        challenge and in the directory), rejected [names], eab {kid: base64url}, terms (a number),
        bad_nonce (% of good ones), processing (so many polls of an order after
        finalize), retry_after {"order": s, "authz": s}, retry_dates (as dates),
        reuse_authz, reuse_orders, order_life (s), not_after (allowed),
        ari, ari_window (fractions of life), ari_retry (s), skew (s, of its
        clock: Date and what it issues),
        chain: "other key", "other names", "more names", "fewer names",
        "expired", "not yet", "private key", "reversed", "strange issuer",
        "empty", "no PEM", "huge", "broken DER"

    fail(endpoint, kind, times=1, skip=0, name=None, …)
        endpoint is a name of the directory, or account, order, authz,
        challenge, finalize, certificate, or "*"; times 0 is for ever; name
        restricts it to requests about that name.  Kinds: see ca_fault.js.
    """

    def __init__(self, authority, name="127.0.0.1", roots=2, seed=1,
                 **settings):
        pair = authority.issue(name, *({"127.0.0.1"} - {name}))
        super().__init__("ca.js", cert=pair.chain, key=pair.key, name=name,
                         roots=roots, seed=seed, settings=settings)
        self.bundle = authority.pem
        self.directory = self.hello["directory"]
        self.port = self.hello["port"]
        self.roots = self.hello["roots"]

    def ask(self, command, **options):
        answer = super().ask(command=command, **options)
        assert "error" not in answer, answer["error"]
        return answer

    def set(self, **settings):
        self.ask("set", settings=settings)

    def fail(self, endpoint, kind, **options):
        self.ask("fault", fault=dict(options, endpoint=endpoint, kind=kind))

    def clear(self):
        """No faults from now on."""
        self.ask("clear")

    def wait_held(self, n=1):
        """Wait until n requests are held."""
        nginx.wait_until(lambda: self.ask("held")["held"] >= n,
                         lambda: f"{n} held requests; {self.report()}")

    def release(self, drop=False):
        """Go on with what is held, or drop the connections."""
        self.ask("release", drop=drop)

    def reset(self):
        """Default settings, no faults, an empty log; what was made stays."""
        self.ask("reset")

    def forget(self):
        """Lose all accounts and orders."""
        self.ask("forget")

    def give(self, names, account=1):
        """Certificates as if the account had ordered them, one for each list
        of names: serial, ari, chain, key."""
        return self.ask("give", names=names, account=account)["given"]

    def window(self, serial, start, end, explanation=None):
        """Suggest to renew a certificate between two instants."""
        self.ask("window", serial=serial, start=start, end=end,
                 explanation=explanation)

    # What happened

    def log(self, since=0):
        """All requests: n, time, endpoint, method, path, names, account,
        payload, status, error, detail, fault, agent."""
        return self.ask("log", since=since)["log"]

    def count(self, endpoint=None, name=None):
        if name is None:
            counts = self.counts()
            return counts.get(endpoint, 0) if endpoint else sum(counts.values())

        return sum(1 for entry in self.log()
                   if endpoint in (None, entry["endpoint"])
                   and name in entry.get("names", ()))

    def counts(self):
        return self.ask("counts")["counts"]

    def orders(self, name=None):
        """Orders made, those of a name: id, names, status, replaces, profile,
        account, serial."""
        return [o for o in self.ask("orders")["orders"]
                if name is None or name in o["names"]]

    def certs(self, name=None):
        """Certificates issued: serial, names, ari, from, to, revoked, order."""
        return [c for c in self.ask("certs")["certs"]
                if name is None or name in c["names"]]

    def accounts(self):
        return self.ask("accounts")["accounts"]

    def refusals(self):
        """Requests that were wrong: not badNonce, what was scripted, or the
        question whether there is an account."""
        return [entry for entry in self.log()
                if entry.get("error") not in (None, "badNonce")
                and not entry.get("fault")
                and not (entry["endpoint"] == "newAccount" and
                         (entry.get("payload") or {}).get("onlyReturnExisting"))]

    def wait_certs(self, name, n=1, timeout=10):
        """Wait until n certificates were issued for a name; the newest."""
        nginx.wait_until(lambda: len(self.certs(name)) >= n,
                         lambda: f"certificate {n} of {name}; {self.report()}",
                         timeout, every=0.02)
        return self.certs(name)[-1]

    def report(self):
        return "requests:\n" + "\n".join(
            f"{e['method']} {e['path']} {e.get('names')} -> {e.get('status')} "
            f"{e.get('error') or ''} {e.get('detail') or ''} "
            f"{e.get('fault') or ''}" for e in self.log()[-25:])


def serial(cert):
    """As Ca tells it."""
    return f"{cert.serial_number:032x}"


def ari_id(cert):
    """RFC 9773 section 4.1: the name of a certificate for renewal
    information."""
    key = cert.extensions.get_extension_for_class(
        x509.AuthorityKeyIdentifier).value.key_identifier
    size = cert.serial_number.bit_length() // 8 + 1
    octets = cert.serial_number.to_bytes(size, "big")

    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=")
                    for part in (key, octets))
