"""
Certificates as users ask for them, and how tests look at what the gateway made
of it: issuers and Certificates as cert-manager has them, the admin API, what a
handshake shows.
"""

import base64
import datetime
import json
import re
import subprocess
import time

from cryptography import x509

import account
import gateway as gateways
import manifest
import nginx


PREFIX = "cert-manager.io/"
HTTP = {"http01": {"ingress": {"ingressClassName": "nginx"}}}
ALPN = {"torii/acme-challenge": "tls-alpn-01"}

# what http {} of a gateway has: certificates are asked for at once
EAGER = "torii_acme eager;"


# Objects

def issuer(name, ca=None, kind="ClusterIssuer", namespace="default",
           solvers=(HTTP,), annotations=None, spec=None, **acme):
    """An issuer for an authority.Ca or a pebble.Pebble; more members of
    spec.acme as keywords.  spec is that of one of another type."""
    meta = manifest.metadata(name, namespace, annotations)

    if kind == "ClusterIssuer":
        del meta["namespace"]

    if spec is None:
        spec = {"acme": {
            "server": ca.directory, "email": "admin@example.org",
            "privateKeySecretRef": {"name": f"{name}-account"},
            "caBundle": base64.b64encode(ca.bundle.encode()).decode(),
            "solvers": list(solvers), **acme}}

    return {"apiVersion": "cert-manager.io/v1", "kind": kind,
            "metadata": meta, "spec": spec}


def rfc2136(bind, secret="tsig", **selector):
    """A solver that writes into a zone of bind.Bind, and the Secret of its key
    as tsig()."""
    out = {"dns01": {"rfc2136": {
        "nameserver": bind.address, "tsigKeyName": bind.key_name,
        "tsigAlgorithm": bind.algorithm.upper().replace("-", ""),
        "tsigSecretSecretRef": {"name": secret, "key": "secret"}}}}
    return {**out, "selector": selector} if selector else out


def tsig(bind, name="tsig", namespace="default"):
    return manifest.secret(name, {"secret": bind.secret}, namespace)


def certificate(name, names, issuer_name, kind="ClusterIssuer",
                namespace="default", secret=None, **spec):
    return {"apiVersion": "cert-manager.io/v1", "kind": "Certificate",
            "metadata": manifest.metadata(name, namespace),
            "spec": {"secretName": secret or name, "dnsNames": list(names),
                     "issuerRef": {"name": issuer_name, "kind": kind,
                                   "group": "cert-manager.io"}, **spec}}


def site(host, *addresses, by, hosts=None, secret=None, kind="cluster-issuer",
         annotations=None, **route):
    """A host with TLS by an issuer, as an Ingress with annotations says it:
    the Secret is named after the host."""
    annotations = {PREFIX + kind: by, **(annotations or {})}
    docs = manifest.route(host, *addresses, annotations=annotations, **route)
    docs[-1]["spec"]["tls"] = [{"hosts": list(hosts or [host]),
                                "secretName": secret or secret_of(host)}]
    return docs


def secret_of(host):
    return manifest.label(host) + "-tls"


def managed_secret(host, pair, by, kind="ClusterIssuer", namespace="default"):
    """As cert-manager leaves it."""
    name = secret_of(host)
    out = manifest.tls_secret(name, pair, namespace)
    out["metadata"]["labels"] = {"controller.cert-manager.io/fao": "true"}
    out["metadata"]["annotations"] = {
        PREFIX + "certificate-name": name, PREFIX + "issuer-name": by,
        PREFIX + "issuer-kind": kind, PREFIX + "issuer-group":
            "cert-manager.io", PREFIX + "alt-names": host,
        PREFIX + "common-name": "", PREFIX + "ip-sans": "",
        PREFIX + "uri-sans": ""}
    return out


# What is served

def served(gateway, sni, **how):
    """The certificate of a handshake."""
    with gateway.connect(tls=True, sni=sni, **how) as sock:
        return x509.load_der_x509_certificate(sock.getpeercert(True))


def is_default(cert):
    return "Fake Certificate" in cert.subject.rfc4514_string()


def wait_served(gateway, host, unlike=None, sni=None, timeout=15):
    """Wait for a handshake that shows a certificate for the host, another than
    unlike; workers must live through it."""
    workers = set(gateway.worker_pids())

    def look():
        cert = served(gateway, sni or host)
        return (cert if not is_default(cert) and cert != unlike
                and host in account.names_of(cert) else None)

    cert = nginx.wait_until(
        look, lambda: f"a certificate of {host}; {report(gateway)}", timeout,
        every=0.02)
    assert set(gateway.worker_pids()) == workers, "workers were replaced"
    return cert


# What an operator asks for

def ask(gateway, *words):
    """torii certificates."""
    subprocess.run([gateways.OBJS / "torii", "certificates", *words,
                    "--state", gateway.state], check=True,
                   stdout=subprocess.DEVNULL)


def renew(gateway, secret, namespace="default"):
    ask(gateway, "renew", f"{namespace}/{secret}")


def revoke(gateway, secret, namespace="default"):
    ask(gateway, "revoke", f"{namespace}/{secret}")


# The admin listener

def certificates(gateway):
    """/api/certificates, by "namespace/secret": namespace, secret, names,
    issuer, state, notAfter, renewal, nextAttempt, failures, serial, and reason
    and error after a failure."""
    answer = gateway.admin_get("/api/certificates")
    assert answer.status == 200, answer
    return {f"{c['namespace']}/{c['secret']}": c
            for c in answer.json()["certificates"]}


def wait_state(gateway, secret, check, namespace="default", timeout=15):
    """Wait until check(entry of /api/certificates) is true; check may be a
    state.  Returns the entry."""
    def look():
        entry = certificates(gateway).get(f"{namespace}/{secret}")
        if entry is None:
            return None
        good = (entry["state"].lower() == check if isinstance(check, str)
                else check(entry))
        return entry if good else None

    return nginx.wait_until(
        look, lambda: f"{secret}; {report(gateway)}", timeout, every=0.02)


def wait_failure(gateway, secret, **how):
    """Wait until an attempt has failed; the entry, which says why."""
    return wait_state(gateway, secret,
                      lambda e: e.get("error") and e.get("reason"), **how)


def instant(value):
    """Seconds since 1970 of an instant of the API."""
    if isinstance(value, str):
        return datetime.datetime.fromisoformat(
            value.replace("Z", "+00:00")).timestamp()
    return value / 1000 if value > 1e11 else value


def serial(text):
    """A serial number as texts have it: with or without colons and zeroes."""
    return int(text.replace(":", ""), 16)


def wait_told(gateway, *texts):
    """Wait for a finding that has all these texts somewhere."""
    return nginx.wait_until(
        lambda: next((f for f in gateway.findings()
                      if all(text in json.dumps(f) for text in texts)), None),
        lambda: f"{texts}; {report(gateway)}", every=0.02)


def metric(gateway, what, **labels):
    """The value of a metric, None if there is none with these labels."""
    for line in gateway.admin_get("/metrics").text.splitlines():
        found = re.fullmatch(rf"{what}(?:\{{(.*)\}})? (\S+)", line)
        if not found:
            continue
        own = dict(re.findall(r'(\w+)="([^"]*)"', found.group(1) or ""))
        if labels.items() <= own.items():
            return float(found.group(2))
    return None


def report(gateway):
    answer = gateway.admin_get("/api/certificates")
    return f"certificates: {answer.text}\n{gateway.report()}"


# What nobody may see

def private_texts(gateway, *more):
    """Lines of all private keys of the state folder, and more texts."""
    out = set(more)

    for path in (gateway.state / "private").rglob("*"):
        text = path.read_text(errors="replace") if path.is_file() else ""
        for block in re.findall(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
                                r"(.*?)-----END", text, re.S):
            # the first line of a key is the same for all keys of its kind
            out.update(line for line in re.split(r"\s+|\\n", block)[2:]
                       if len(line) >= 24)
    return out


def public_texts(gateway):
    """All that operators and their collectors read."""
    pages = ("/", "/metrics", "/api/certificates", "/api/findings",
             "/api/routes", "/api/source")
    return {"error log": gateway.log(), "access log":
            "\n".join(gateway.access()),
            **{page: gateway.admin_get(page).text for page in pages}}


def check_nothing_leaked(gateway, *more):
    secrets = private_texts(gateway, *more)
    assert len(secrets) > len(more), "no keys were found to look for"

    for where, text in public_texts(gateway).items():
        assert not any(one in text for one in secrets), f"a key in {where}"
        assert "PRIVATE KEY" not in text, where


def state_file(gateway, secret, namespace="default"):
    return (gateway.state / "private/certificates" / namespace
            / f"{secret}.pem")


class Watch:
    """How long something took: with Watch() as w: …; w.seconds"""

    def __enter__(self):
        self.begin = time.monotonic()
        return self

    def __exit__(self, *ignored):
        self.seconds = time.monotonic() - self.begin
