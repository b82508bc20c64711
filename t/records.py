"""
Servers whose zones the gateway writes to, all the same for a test: what they
hold, and what a Secret says of them.
"""

import bind
import knot
import manifest
import nginx
import powerdns

ADDRESS = "192.0.2.80"
FOREIGN = "192.0.2.9"


def secret(name="dns", namespace="default", **settings):
    """The Secret of a provider; None leaves a setting out."""
    data = {"interval": "5", "policy": "sync", "delete-delay": "1"}
    data.update({k.replace("_", "-"): v for k, v in settings.items()})
    return {"apiVersion": "v1", "kind": "Secret",
            "type": "torii/dns-provider",
            "metadata": manifest.metadata(name, namespace),
            "stringData": {k: v for k, v in data.items() if v is not None}}


def ours_only(path):
    """Nothing that answers for every host, and a record of somebody else."""
    text = path.read_text().replace("* IN A 127.0.0.1\n", "")
    text = text.replace("@ IN A 127.0.0.1\n", "")
    path.write_text(text + f"foreign IN A {FOREIGN}\n")


class Bind(bind.Bind):
    def prepare(self):
        super().prepare()
        ours_only(self.dir / "zone")

    def settings(self):
        return {"provider": "rfc2136", "server": self.address,
                "zones": self.zone, "tsig_key_name": self.key_name,
                "tsig_algorithm": self.algorithm, "tsig_secret": self.secret}

    def put(self, name, kind, value, ttl=60):
        self.update(f"add {self.name(name)}. {ttl} {kind} {value}")


class Knot(knot.Knot):
    settings = Bind.settings
    put = Bind.put

    def prepare(self):
        super().prepare()
        ours_only(self.dir / f"{self.zone}.zone")


class PowerDNS(powerdns.PowerDNS):
    key_name = "key"

    def __init__(self, **how):
        super().__init__(**how)
        self.put("foreign", "A", FOREIGN)

    def settings(self):
        return {"provider": "powerdns", "pdns_server": self.url,
                "pdns_api_key": self.key, "zones": self.zone}

    name = bind.Bind.name

    def query(self, name, kind):
        return [value.strip('"')
                for value in super().query(self.name(name), kind)]

    def txt(self, name):
        return self.query(name, "TXT")

    def put(self, name, kind, value, ttl=60):
        self.set(self.name(name), kind, value, ttl=ttl)


SERVERS = {"bind": Bind, "knot": Knot, "powerdns": PowerDNS}


def of(zone, name="dns", **more):
    """The Secret of a zone's server."""
    return secret(name, **{**zone.settings(), **more})


def has(zone, name, *values, kind="A", timeout=15):
    """Wait until the zone has these values, in any order."""
    nginx.wait_until(
        lambda: sorted(zone.query(name, kind)) == sorted(values),
        lambda: f"{name} {kind} {values}, not {zone.query(name, kind)}; "
                f"{zone.log()[-2000:]}", timeout, every=0.05)
