"""
Pebble, the small sister of Let's Encrypt's CA, with the name server that comes
with it.

Versions before 2.11 hang for ever when an order is polled at the moment that
its certificate is stored, or when several orders are made at once: keep to two
orders in flight, poll every 100 ms at most, and have a fresh one for each file.
A watchdog ends one that hangs, with a dump in its log.
"""

import json
import signal
import ssl
import subprocess
import threading
import urllib.error
import urllib.request

import daemon
import nginx


PATIENCE = 10


class Names(daemon.Daemon):
    """pebble-challtestsrv: every name has the address 127.0.0.1, unless told
    otherwise.  address is the name server's."""

    names = ("dns", "port")

    def __init__(self):
        # renamed in 2.10
        usage = subprocess.run(["pebble-challtestsrv", "-h"], text=True,
                               capture_output=True).stderr
        self.flag = "-dnsserver" if "-dnsserver" in usage else "-dns01"
        self.launch()

    @property
    def address(self):
        return f"127.0.0.1:{self.dns}"

    def command(self):
        # without an IPv6 address: Pebble would prefer it
        return ["pebble-challtestsrv", "-management", f"127.0.0.1:{self.port}",
                self.flag, self.address, "-http01", "", "-https01", "",
                "-tlsalpn01", "", "-defaultIPv4", "127.0.0.1",
                "-defaultIPv6", ""]

    def ready(self):
        try:
            self.tell("clear-request-history", host="x", type="dns")
            return True
        except OSError:
            return False

    def tell(self, command, **members):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/{command}",
            json.dumps(members).encode())
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return reply.read()

    def add(self, name, *addresses):
        """A and AAAA records of a name."""
        four = [a for a in addresses if ":" not in a]
        six = [a for a in addresses if ":" in a]
        self.tell("add-a", host=name, addresses=four)
        if six:
            self.tell("add-aaaa", host=name, addresses=six)

    def txt(self, name, value):
        """One more TXT record."""
        self.tell("set-txt", host=name + ".", value=value)

    def cname(self, name, target):
        self.tell("set-cname", host=name, target=target)

    def servfail(self, name):
        self.tell("set-servfail", host=name)

    def clear(self, name):
        """As if nothing had been said of the name."""
        for command in ("clear-a", "clear-aaaa", "clear-cname",
                        "clear-servfail"):
            self.tell(command, host=name)
        self.tell("clear-txt", host=name + ".")

    def asked(self, name):
        """Questions for a name, as challtestsrv tells them."""
        return json.loads(self.tell("dns-request-history", host=name) or "[]")


class Pebble(daemon.Daemon):
    """Pebble, for the test CA of certificate.Authority, which signs its TLS
    certificate.

        pebble = Pebble(authority, http=gateway.plain, tls=gateway.tls)

    directory   the URL;  bundle: what its TLS certificate is signed by
    http, tls   ports where challenges are asked for
    resolver    "ADDRESS:PORT" of the name server; without one pebble.dns is a
                Names of its own
    nonces      % of good nonces that are refused
    eab         {kid: key in base64url}: external accounts are needed
    alternates  further chains;  length: intermediates of a chain
    reuse       % of valid authorizations that are used again
    validity    of certificates, in seconds
    validate    False: every challenge passes
    """

    names = ("port", "management")

    def __init__(self, authority, http, tls, resolver=None, nonces=0, eab=None,
                 alternates=0, length=1, reuse=0, validity=90 * 86400,
                 validate=True, blocked=("blocked.test",)):
        self.pair = authority.issue("localhost", "127.0.0.1")
        self.bundle = authority.pem
        self.web = ssl.create_default_context(cadata=authority.pem)
        self.alternates = alternates
        self.dns = None if resolver else Names()
        self.resolver = resolver or self.dns.address
        self.variables = {
            "PEBBLE_VA_NOSLEEP": "1",
            "PEBBLE_VA_ALWAYS_VALID": "0" if validate else "1",
            "PEBBLE_WFE_NONCEREJECT": str(nonces),
            "PEBBLE_AUTHZREUSE": str(reuse),
            "PEBBLE_ALTERNATE_ROOTS": str(alternates),
            "PEBBLE_CHAIN_LENGTH": str(length),
        }
        self.settings = {
            "httpPort": http, "tlsPort": tls, "ocspResponderURL": "",
            "domainBlocklist": list(blocked),
            "externalAccountBindingRequired": eab is not None,
            "externalAccountMACKeys": eab or {},
            "certificateValidityPeriod": validity,      # until 2.6
            "profiles": {"default": {"description": "the only one",
                                     "validityPeriod": validity}},
        }
        self.end = threading.Event()
        self.hung = False

        try:
            self.launch()
        except BaseException:
            if self.dns:
                self.dns.stop()
            raise

        self.watchdog = threading.Thread(target=self.watch, daemon=True)
        self.watchdog.start()

    def prepare(self):
        (self.dir / "pebble.pem").write_text(self.pair.chain)
        (self.dir / "pebble.key").write_text(self.pair.key)
        (self.dir / "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": "pebble.pem", "privateKey": "pebble.key",
            **self.settings}}))
        self.directory = f"https://127.0.0.1:{self.port}/dir"

    def command(self):
        return ["pebble", "-config", "pebble.json", "-strict",
                "-dnsserver", self.resolver]

    def environment(self):
        return self.variables

    def ready(self):
        try:
            return self.status_of(1) is None and self.fetch(self.directory)
        except OSError:
            return False

    def fetch(self, url):
        request = urllib.request.Request(url, headers={"User-Agent": "test"})
        with urllib.request.urlopen(request, timeout=PATIENCE,
                                    context=self.web) as reply:
            return reply.read().decode()

    def manage(self, path):
        return self.fetch(f"https://127.0.0.1:{self.management}/{path}")

    def roots(self):
        """PEM texts; those behind the first are of the alternate chains."""
        return [self.manage(f"roots/{n}") for n in range(self.alternates + 1)]

    def intermediate(self, n=0):
        """The one that signs leaves of chain n."""
        return self.manage(f"intermediates/{n}")

    def status_of(self, serial):
        """"Valid", "Revoked", or None of a certificate that is not its own."""
        try:
            return json.loads(self.manage(
                f"cert-status-by-serial/{serial:x}"))["Status"]
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 404:
                raise
            return None

    def orders(self):
        """How many orders were made."""
        return self.log().count("Added order")

    def watch(self):
        # asks for what needs the lock that it hangs in
        while not self.end.wait(1):
            try:
                self.status_of(1)
            except TimeoutError:
                self.hung = True
                self.process.send_signal(signal.SIGQUIT)
                return
            except OSError:
                pass

    def restart(self):
        """As after a failure: it has forgotten all, roots too."""
        self.kill()
        self.run()
        nginx.wait_until(self.ready, lambda: self.log()[-2000:], 20)

    def stop(self):
        self.end.set()
        self.watchdog.join(2 * PATIENCE)
        log = self.log()
        super().stop()
        if self.dns:
            self.dns.stop()
        assert not self.hung, "pebble hung:\n" + log[-4000:]
