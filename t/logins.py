"""
Fixtures of tests with logins: a provider, and hosts that ask for one.
"""

import itertools

import pytest

import manifest
import nginx
import oidc


serial = itertools.count(1)


@pytest.fixture(scope="module")
def op():
    provider = oidc.Provider()
    yield provider
    provider.stop()


@pytest.fixture(autouse=True)
def as_new(op):
    op.set(ttl=300, down=False, delay=0, gateway=None)
    op.clear()


@pytest.fixture
def site(gateway, echo, authority, op):
    """site(group="…", settings) is the URL of a host with a login."""
    def make(host=None, name=None, annotations=None, alg="es", **settings):
        host = host or f"s{next(serial)}.test"
        name = name or manifest.label(host)
        notes = {"torii/oauth2": f"{name}-login"}
        notes.update(annotations or {})
        gateway.apply(name, oidc.secret(f"{name}-login",
                                         op.settings(alg, **settings)),
                      manifest.route(host, echo[0], name=name,
                                     tls=authority.issue(host),
                                     annotations=notes))
        url = f"https://{host}:{gateway.tls}"
        known(gateway, url)
        return url
    return make


@pytest.fixture
def site_of(gateway, echo, authority):
    """site_of(name) is a further host of that site's provider."""
    def make(name, host=None):
        host = host or f"s{next(serial)}.test"
        gateway.serve(host, echo[0], tls=authority.issue(host),
                      annotations={"torii/oauth2": f"{name}-login"})
        return f"https://{host}:{gateway.tls}"
    return make


def known(gateway, url):
    """Wait until the issuer is known to the workers."""
    nginx.wait_until(
        lambda: oidc.Browser(gateway).open(f"{url}/oauth2/start").status
        == 302, lambda: gateway.report())
