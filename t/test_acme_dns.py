"""
dns-01 by the solvers of an issuer: name servers that are changed by RFC 2136,
and providers by their APIs, with the credentials that cert-manager's objects
name.  What a provider holds is shown to the CA by BIND.
"""

import itertools
import threading

import pytest

import bind
import cloud
import issuing
import knot
import manifest
import nginx
import pebble as pebbles
import provider


GATEWAY = dict(http="torii_dns off;" + issuing.EAGER)
NUMBERS = itertools.count(1)

ZONE = "dns.test"
AWS_KEY = "AKIDEXAMPLE"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
CHALLENGE = "_acme-challenge."


def key(secret, name):
    return {"name": secret, "key": name}


# Providers: a stand-in, the solver for it and what its Secret has

class Cloudflare:
    wrong = {"token": "not-this-very-token"}

    def __init__(self):
        self.made = provider.Cloudflare(ZONE)

    def solver(self, secret):
        return {"cloudflare": {"apiTokenSecretRef": key(secret, "token")}}

    def secret(self):
        return {"token": self.made.token, "cloudflare-api-url": self.made.api}

    def records(self):
        return {name: values for (name, kind), values
                in self.made.sets(ZONE).items() if kind == "TXT"}


class Cloud:
    def __init__(self):
        self.made = cloud.Cloud(self.script)
        self.made.zone(self.id, ZONE)

    def records(self):
        return {name: [value.strip('"') for value in values]
                for (name, kind), values in self.made.dump(self.id).items()
                if kind == "TXT"}


class Route53(Cloud):
    script, id = "route53.js", "Z1"
    wrong = {"secret": "not-this-very-secret"}

    def solver(self, secret):
        return {"route53": {"region": "us-east-1", "hostedZoneID": "Z1",
                            "accessKeyID": AWS_KEY,
                            "secretAccessKeySecretRef": key(secret, "secret")}}

    def secret(self):
        return {"secret": AWS_SECRET, "api-url": self.made.url}


class Google(Cloud):
    script, id = "google_dns.js", "zone-1"

    def solver(self, secret):
        return {"cloudDNS": {"project": "project-1", "serviceAccountSecretRef":
                             key(secret, "key.json")}}

    def secret(self):
        return {"key.json": self.made.ask("account")["json"],
                "api-url": self.made.url}


class Azure(Cloud):
    script, id = "azure_dns.js", ZONE
    wrong = {"password": "not-this-very-password"}

    def solver(self, secret):
        return {"azureDNS": {
            "subscriptionID": "sub-1", "resourceGroupName": "group-1",
            "tenantID": "tenant-1", "clientID": "client-1",
            "hostedZoneName": ZONE, "environment": "AzurePublicCloud",
            "clientSecretSecretRef": key(secret, "password")}}

    def secret(self):
        return {"password": "client-secret", "api-url": self.made.url,
                "azure-authority-host": self.made.url}


class DigitalOcean:
    wrong = {"token": "not-this-very-token"}

    def __init__(self):
        self.made = provider.DigitalOcean(ZONE)

    def solver(self, secret):
        return {"digitalocean": {"tokenSecretRef": key(secret, "token")}}

    def secret(self):
        return {"token": self.made.token,
                "digitalocean-api-url": self.made.url}

    def records(self):
        return {name if name.endswith(ZONE) else f"{name}.{ZONE}": values
                for (name, kind), values in self.made.sets(ZONE).items()
                if kind == "TXT"}


PROVIDERS = [Cloudflare, Route53, Google, Azure, DigitalOcean]


class Mirror:
    """BIND has the challenges that a provider has."""

    def __init__(self, zone, made):
        self.zone, self.made, self.seen = zone, made, {}
        self.end = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.end.wait(0.1):
            now = {name: sorted(values) for name, values
                   in self.made.records().items()
                   if name.startswith(CHALLENGE)}
            lines = [f"delete {name}. TXT" for name in self.seen]
            lines += [f"add {name}. 60 TXT {value}" for name in now
                      for value in now[name]]
            if now != self.seen:
                self.zone.update(*lines)
                self.seen = now

    def stop(self):
        self.end.set()
        self.thread.join(10)


@pytest.fixture(scope="module")
def zone():
    made = bind.Bind(ZONE)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def ca(gateway, authority, zone):
    made = pebbles.Pebble(authority, gateway.plain, gateway.tls,
                          resolver=zone.address)
    yield made
    made.stop()


@pytest.fixture(params=PROVIDERS, ids=lambda cls: cls.__name__.lower())
def made(request):
    one = request.param()
    yield one
    one.made.stop()


@pytest.fixture
def shown(made, zone):
    """The provider, with what it holds in BIND."""
    mirror = Mirror(zone, made)
    yield made
    mirror.stop()


def apply_issuer(gateway, name, ca, solver, secret, nameserver=None, **more):
    dns = {**solver, **({"nameservers": [nameserver]} if nameserver else {})}
    docs = [issuing.issuer(name, ca, kind="Issuer",
                           solvers=[{"dns01": dns}], **more)]
    if secret:
        docs.append(manifest.secret(f"{name}-dns", secret))
    gateway.apply(name, *docs)


def obtain(gateway, echo, host, by):
    gateway.apply(manifest.label(host), issuing.site(
        host, echo[0], by=by, kind="issuer",
        annotations={"torii/acme-challenge": "dns-01"}))
    return issuing.wait_served(gateway, host)


def test_certificate_by_the_api_of(shown, gateway, echo, ca, zone):
    name = f"p{next(NUMBERS)}"
    host = f"{name}.{ZONE}"
    apply_issuer(gateway, name, ca, shown.solver(f"{name}-dns"),
                 shown.secret(), zone.address)

    obtain(gateway, echo, host, name)

    assert any(CHALLENGE + host in text for what, text in zone.updates()
               if what == "adding")
    nginx.wait_until(lambda: not shown.records(),
                     lambda: f"challenges left: {shown.records()}")


def test_credentials_that_are_wrong_are_told_at_once_and_not_shown(
        made, gateway, echo, ca, zone):
    if not hasattr(made, "wrong"):
        return
    name = f"p{next(NUMBERS)}"
    host = f"{name}.{ZONE}"
    apply_issuer(gateway, name, ca, made.solver(f"{name}-dns"),
                 {**made.secret(), **made.wrong}, zone.address)
    gateway.apply(name + "-site", issuing.site(
        host, echo[0], by=name, kind="issuer",
        annotations={"torii/acme-challenge": "dns-01"}))

    entry = issuing.wait_failure(gateway, issuing.secret_of(host))

    assert "TXT record" in entry["error"], entry
    for where, text in issuing.public_texts(gateway).items():
        assert not any(secret in text for secret in made.wrong.values()), where


def test_a_new_secret_is_taken_up(gateway, echo, ca, zone):
    made = Cloudflare()
    mirror = Mirror(zone, made)
    name = f"p{next(NUMBERS)}"
    host = f"{name}.{ZONE}"
    try:
        apply_issuer(gateway, name, ca, made.solver(f"{name}-dns"),
                     {**made.secret(), **made.wrong}, zone.address)
        gateway.apply(name + "-site", issuing.site(
            host, echo[0], by=name, kind="issuer",
            annotations={"torii/acme-challenge": "dns-01"}))
        issuing.wait_failure(gateway, issuing.secret_of(host))

        apply_issuer(gateway, name, ca, made.solver(f"{name}-dns"),
                     made.secret(), zone.address)
        issuing.renew(gateway, issuing.secret_of(host))
        issuing.wait_served(gateway, host)
    finally:
        mirror.stop()
        made.made.stop()


def test_a_solver_that_nobody_knows_says_what_would_help(gateway, echo, ca):
    name = f"p{next(NUMBERS)}"
    host = f"{name}.{ZONE}"
    apply_issuer(gateway, name, ca, {"webhook": {
        "groupName": "acme.example", "solverName": "x"}}, None)
    gateway.apply(name + "-site", issuing.site(
        host, echo[0], by=name, kind="issuer",
        annotations={"torii/acme-challenge": "dns-01"}))

    entry = issuing.wait_failure(gateway, issuing.secret_of(host))
    assert "torii/dns-provider" in entry["error"], entry


def test_certificate_by_rfc2136_from_knot(start_gateway, authority, echo):
    zone = knot.Knot(ZONE)
    gateway = start_gateway(**GATEWAY)
    ca = pebbles.Pebble(authority, gateway.plain, gateway.tls,
                        resolver=zone.address)
    try:
        gateway.apply("knot", issuing.tsig(zone), issuing.issuer(
            "knot", ca, kind="Issuer", solvers=[issuing.rfc2136(zone)]))
        obtain(gateway, echo, f"*.{ZONE}".replace("*.", "k."), "knot")
        nginx.wait_until(lambda: zone.txt(CHALLENGE + "k") == [],
                         lambda: f"{zone.txt(CHALLENGE + 'k')}")
    finally:
        ca.stop()
        zone.stop()


@pytest.mark.parametrize("solver", ["default/dns", "dns"])
def test_webhook_of_our_group_is_an_account_of_dns(start_gateway, authority,
                                                   echo, solver):
    zone = bind.Bind(ZONE)
    gateway = start_gateway(http="torii_publish 127.0.0.1; torii_dns owner=a;"
                            + issuing.EAGER)
    ca = pebbles.Pebble(authority, gateway.plain, gateway.tls,
                        resolver=zone.address)
    try:
        data = {"provider": "rfc2136", "server": zone.address, "zones": ZONE,
                "tsig-key-name": zone.key_name, "policy": "create-only",
                "tsig-algorithm": zone.algorithm, "tsig-secret": zone.secret}
        gateway.apply("dns", {
            "apiVersion": "v1", "kind": "Secret", "type": "torii/dns-provider",
            "metadata": manifest.metadata("dns", "default"),
            "stringData": data})
        apply_issuer(gateway, "own", ca, {"webhook": {
            "groupName": "torii", "solverName": solver}}, None)
        obtain(gateway, echo, f"w.{ZONE}", "own")
    finally:
        ca.stop()
        zone.stop()
