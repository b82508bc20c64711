"""
Knot DNS with a zone that may be changed by RFC 2136, signed by TSIG.
"""

import base64
import os
import subprocess

import daemon


class Knot(daemon.Daemon):
    """knotd, authoritative for dns.test; every name of the zone has the address
    127.0.0.1.

    address    "127.0.0.1:PORT", for resolvers and for updates
    key_name, secret (base64), algorithm
               of the key that may change and transfer the zone
    """

    names = ("port",)

    def __init__(self, zone="dns.test", key_name="acme-key",
                 algorithm="hmac-sha256"):
        self.zone = zone
        self.key_name = key_name
        self.algorithm = algorithm
        self.secret = base64.b64encode(os.urandom(32)).decode()
        self.launch()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def key(self):
        """The key as kdig and knsupdate take it with -y."""
        return f"{self.algorithm}:{self.key_name}:{self.secret}"

    def prepare(self):
        for name in ("run", "db"):
            (self.dir / name).mkdir(exist_ok=True)
        (self.dir / f"{self.zone}.zone").write_text(f"""$ORIGIN {self.zone}.
$TTL 60
@ IN SOA ns1 hostmaster 1 3600 600 86400 1
@ IN NS ns1
@ IN A 127.0.0.1
ns1 IN A 127.0.0.1
* IN A 127.0.0.1
""")
        (self.dir / "knot.conf").write_text(f"""
server:
    rundir: "{self.dir}/run"
    listen: 127.0.0.1@{self.port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: "{self.dir}/db"
    journal-db-max-size: 64M
    kasp-db-max-size: 8M
    timer-db-max-size: 8M
    catalog-db-max-size: 8M
key:
  - id: {self.key_name}
    algorithm: {self.algorithm}
    secret: {self.secret}
acl:
  - id: change
    key: {self.key_name}
    action: [update, transfer]
template:
  - id: default
    storage: "{self.dir}"
    file: "%s.zone"
    zonefile-sync: -1
    zonefile-load: difference-no-serial
    journal-content: all
    journal-max-usage: 32M
zone:
  - domain: {self.zone}
    acl: change
""")

    def command(self):
        return ["knotd", "-c", self.dir / "knot.conf"]

    def ready(self):
        return bool(self.query("ns1", "A"))

    def name(self, name):
        """a is a.dns.test, "" the zone; whole names stay what they are."""
        if name == self.zone or name.endswith("." + self.zone):
            return name
        return f"{name}.{self.zone}" if name else self.zone

    def query(self, name, kind):
        """Values of the records of a name."""
        out = subprocess.run(
            ["kdig", "@127.0.0.1", "-p", str(self.port), "+short", "+time=1",
             "+retry=0", self.name(name), kind], text=True,
            capture_output=True, timeout=10).stdout.split("\n")
        return [line.strip('"') for line in out
                if line and not line.startswith(";")]

    def txt(self, name):
        return self.query(name, "TXT")

    def update(self, *lines):
        """knsupdate's "add a.dns.test. 60 TXT x" and "delete …"."""
        text = "\n".join([f"server 127.0.0.1 {self.port}",
                          f"zone {self.zone}.",
                          *(f"update {line}" for line in lines), "send", ""])
        subprocess.run(["knsupdate", "-y", self.key], input=text, text=True,
                       check=True, capture_output=True, timeout=10)
