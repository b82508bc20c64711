"""
cert-manager's objects: read where their CRDs are, and no trouble where they
are not.
"""

import contextlib
import json
import time

import pytest

import cluster
import manifest
import nginx


HOST = "a.example"
KINDS = ("issuers", "clusterissuers", "certificates")


@pytest.fixture
def make():
    """make(…): a cluster.Gateway that serves HOST."""
    with contextlib.ExitStack() as stack:
        def make(echo, **how):
            made = cluster.Gateway(**how)
            stack.callback(made.remove)
            made.start()
            made.serve(HOST, echo[0])
            return made
        yield make


def of_group(kind, name, spec, namespace="default"):
    return {"apiVersion": "cert-manager.io/v1", "kind": kind,
            "metadata": manifest.metadata(name, namespace) if namespace
            else {"name": name}, "spec": spec}


def acme(**more):
    return {"acme": {"server": "https://ca.example/directory",
                     "privateKeySecretRef": {"name": "account"}, **more}}


def resources(gateway):
    rows = json.loads(gateway.admin_get("/api/source").body)["resources"]
    return {row["resource"]: row for row in rows}


def asked(gateway, **match):
    return [r for r in gateway.api.asked(**match)
            if r["path"].split("/")[-1] in KINDS]


def secret(name, namespace="default"):
    return manifest.secret(name, {"tls.key": "x"}, namespace)


def test_cluster_without_the_crds_is_well(make, echo):
    gateway = make(echo)
    assert cluster.serves(gateway, HOST, "http0")
    assert not [f for f in gateway.findings() if "cert-manager" in str(f)]
    assert not set(KINDS) & set(resources(gateway))
    assert {r["status"] for r in asked(gateway)} == {404}
    assert "cert-manager" not in gateway.log()


def test_secrets_that_issuers_name_are_read(make, echo):
    gateway = make(echo, options=dict(crds=True))
    gateway.api.apply(
        secret("account"), secret("account", "cert-manager"),
        secret("web-tls"), secret("other"),
        of_group("Issuer", "le", acme()),
        of_group("ClusterIssuer", "le", acme(), namespace=None),
        of_group("Certificate", "web", {
            "secretName": "web-tls", "dnsNames": [HOST],
            "issuerRef": {"name": "le"}}))

    def names():
        return {(r["namespace"], r["name"]) for r in gateway.api.asked(
            verb="get", resource="secrets")}

    wanted = {("default", "account"), ("cert-manager", "account"),
              ("default", "web-tls")}
    nginx.wait_until(lambda: wanted <= names(), names)
    assert ("default", "other") not in names()
    assert resources(gateway)["issuers"]["objects"] == 1


def test_secrets_of_cluster_issuers_elsewhere(make, echo):
    gateway = make(echo, options=dict(crds=True), directives=(
        "torii_cluster_resource_namespace kube-system;"))
    gateway.api.apply(secret("account", "kube-system"), of_group(
        "ClusterIssuer", "le", acme(), namespace=None))
    nginx.wait_until(lambda: gateway.api.count(
        verb="get", resource="secrets", namespace="kube-system"),
        gateway.report)


def test_broken_issuer_is_a_finding_and_no_stop(make, echo):
    gateway = make(echo, options=dict(crds=True))
    gateway.api.apply(of_group("Issuer", "le", acme(
        server="http://ca.example", externalAccountBinding="hunter2")))
    nginx.wait_until(lambda: [f for f in gateway.findings()
                              if f["reason"] == "BadURL"], gateway.report)
    assert "hunter2" not in str(gateway.findings()) + gateway.log()
    assert cluster.serves(gateway, HOST, "http0")


def test_crds_come_and_go(make, echo):
    gateway = make(echo)
    begin = time.monotonic()
    gateway.api.set(crds=True)
    gateway.api.apply(of_group("Issuer", "le", acme()))

    def there():
        return resources(gateway).get("issuers", {}).get("objects")

    nginx.wait_until(there, gateway.report, timeout=60)
    assert time.monotonic() - begin > 15

    gateway.api.set(crds=False)
    nginx.wait_until(lambda: not there(), gateway.report, timeout=20)
    assert not [f for f in gateway.findings() if "issuers" in str(f)]
    gateway.api.check()
