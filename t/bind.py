"""
BIND with a zone that may be changed by RFC 2136, signed by TSIG.
"""

import base64
import os
import re
import subprocess

import daemon


class Bind(daemon.Daemon):
    """named, authoritative for dns.test; every name of the zone has the address
    127.0.0.1.

    address    "127.0.0.1:PORT", for resolvers and for updates
    key_name, secret (base64), algorithm
               of the key that may change the zone
    """

    names = ("port",)
    algorithm = "hmac-sha256"

    def __init__(self, zone="dns.test", key_name="acme-key"):
        self.zone = zone
        self.key_name = key_name
        self.secret = base64.b64encode(os.urandom(32)).decode()
        self.launch()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def prepare(self):
        (self.dir / "zone").write_text(f"""$ORIGIN {self.zone}.
$TTL 60
@ IN SOA ns1 hostmaster 1 3600 600 86400 1
@ IN NS ns1
@ IN A 127.0.0.1
ns1 IN A 127.0.0.1
* IN A 127.0.0.1
""")
        (self.dir / "key").write_text(
            f'key "{self.key_name}" {{ algorithm {self.algorithm}; '
            f'secret "{self.secret}"; }};\n')
        (self.dir / "named.conf").write_text(f"""
include "{self.dir}/key";
options {{
    directory "{self.dir}";
    pid-file "{self.dir}/named.pid";
    session-keyfile "{self.dir}/session.key";
    listen-on port {self.port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    recursion no;
    notify no;
    dnssec-validation no;
    allow-transfer {{ none; }};
}};
controls {{ }};
zone "{self.zone}" {{
    type primary;
    file "zone";
    update-policy {{ grant {self.key_name}. zonesub ANY; }};
    allow-transfer {{ key {self.key_name}.; }};
}};
""")

    def command(self):
        return ["named", "-g", "-4", "-n", "1", "-c", self.dir / "named.conf"]

    def ready(self):
        return f"zone {self.zone}/IN: loaded" in self.log() and bool(
            self.query("ns1", "A"))

    def name(self, name):
        """a is a.dns.test, "" the zone; whole names stay what they are."""
        if name == self.zone or name.endswith("." + self.zone):
            return name
        return f"{name}.{self.zone}" if name else self.zone

    def query(self, name, kind):
        """Values of the records of a name."""
        out = subprocess.run(
            ["dig", "@127.0.0.1", "-p", str(self.port), "+short", "+time=1",
             "+tries=1", self.name(name), kind], text=True,
            capture_output=True, timeout=10).stdout.split("\n")
        return [line.strip('"') for line in out
                if line and not line.startswith(";")]

    def txt(self, name):
        return self.query(name, "TXT")

    def update(self, *lines):
        """nsupdate's "add a.dns.test. 60 TXT x" and "delete …"."""
        text = "\n".join([f"server 127.0.0.1 {self.port}",
                          f"zone {self.zone}.",
                          *(f"update {line}" for line in lines), "send", ""])
        subprocess.run(["nsupdate", "-k", str(self.dir / "key")], input=text,
                       text=True, check=True, capture_output=True, timeout=10)

    def updates(self):
        """What was changed, as ("adding" or "deleting", text of the log)."""
        return re.findall(r"updating zone '[^']*': (adding|deleting) (.*)",
                          self.log())
