"""Logins whose provider is a Secret of a cluster, named by an Ingress."""

import urllib.parse

import pytest

import idp
import manifest
import nginx
import oidc
from logins import known


SOURCES = ("kubernetes",)
GATEWAY = dict(workers=1)

ANN = dict(sub="ann", email="ann@example.test", email_verified=True)


@pytest.fixture(scope="module")
def fake():
    made = idp.Fake()
    yield made
    made.stop()


@pytest.fixture
def docs(echo, authority, fake):
    """docs(host, settings) is a provider and an Ingress that names it."""
    fake.clear()
    fake.set(person=ANN)

    def make(host, namespace="default", type="torii/oauth2-provider",
             **settings):
        name = manifest.label(host)
        values = dict(fake.settings("oidc", fake.issuer, email_domain="*"),
                      **{k.replace("_", "-"): v for k, v in settings.items()})
        return [manifest.secret(f"{name}-login", values, namespace, type=type),
                *manifest.flatten([manifest.route(
                    host, echo[0], name=name, tls=authority.issue(host),
                    annotations={"torii/oauth2": f"{name}-login"})])]
    return make


def test_login(gateway, docs, fake):
    gateway.apply("a", docs("a.test"))
    url = f"https://a.test:{gateway.tls}"
    known(gateway, url)
    page = oidc.Browser(gateway).get(f"{url}/deep")

    assert page.status == 200 and page.echo["target"] == "/deep"
    assert fake.wrong() == []


def test_settings_that_change(gateway, docs):
    """A session is under the rules that are there now."""
    gateway.apply("b", docs("b.test"))
    url = f"https://b.test:{gateway.tls}"
    known(gateway, url)
    browser = oidc.Browser(gateway)
    assert browser.get(f"{url}/").status == 200

    gateway.apply("b", docs("b.test", email_domain="other.test"))
    nginx.wait_until(lambda: browser.open(f"{url}/").status == 403,
                     gateway.report)

    gateway.apply("b", docs("b.test", email_domain="example.test"))
    nginx.wait_until(lambda: browser.open(f"{url}/").status == 200,
                     gateway.report)


def test_secret_that_goes(gateway, docs):
    """Nobody passes a login whose provider is not there."""
    both = docs("c.test")
    gateway.apply("c", both)
    url = f"https://c.test:{gateway.tls}"
    known(gateway, url)
    browser = oidc.Browser(gateway)
    assert browser.get(f"{url}/").status == 200

    gateway.apply("c", both[1:])
    nginx.wait_until(lambda: browser.open(f"{url}/").status == 503,
                     gateway.report)

    gateway.apply("c", both)
    known(gateway, url)
    assert browser.open(f"{url}/").status == 200


def test_secret_of_another_type(gateway, docs):
    gateway.apply("d", docs("d.test", type="Opaque"))
    browser = oidc.Browser(gateway)

    nginx.wait_until(
        lambda: browser.open(f"https://d.test:{gateway.tls}/").status == 503,
        gateway.report)


def test_secrets_are_in_no_log(gateway):
    text = gateway.log() + str(gateway.findings()) + gateway.admin_get(
        "/api/findings").text
    for secret in oidc.SECRETS:
        assert secret not in text
        assert urllib.parse.quote(secret) not in text
