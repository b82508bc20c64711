"""Logins by a provider that does wrong: no session, a page, a word in the
log."""

import concurrent.futures
import itertools
import os
import signal
import time
import urllib.parse

import pytest

import idp
import manifest
import nginx
import oidc
from logins import known


GATEWAY = dict(workers=1)

serial = itertools.count(1)

ANN = dict(sub="ann", email="ann@example.test", email_verified=True)


@pytest.fixture(scope="module")
def fake():
    made = idp.Fake()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def as_new(fake):
    fake.clear()
    fake.set(person=ANN)


@pytest.fixture
def make(gateway, echo, authority, fake):
    """make(options) is the URL of a host of its own; of another provider, which
    need not be known at once."""
    def make(other=None, **options):
        host = f"op{next(serial)}.test"
        name = manifest.label(host)
        settings = fake.settings("oidc", (other or fake).issuer,
                                 email_domain="*")
        settings.update({k.replace("_", "-"): v for k, v in options.items()})
        gateway.apply(name, oidc.secret(f"{name}-login", settings),
                      manifest.route(host, echo[0], name=name,
                                     tls=authority.issue(host),
                                     annotations={"torii/oauth2":
                                                  f"{name}-login"}))
        url = f"https://{host}:{gateway.tls}"
        if other is None:
            known(gateway, url)
        return url
    return make


@pytest.fixture(scope="module")
def shared():
    return {}


@pytest.fixture
def url(make, shared):
    """One site for all tests that do not change the provider's keys."""
    if "url" not in shared:
        shared["url"] = make()
    return shared["url"]


def refused(gateway, url, word, status):
    """A login that has to fail so."""
    since = len(gateway.log())
    browser = oidc.Browser(gateway)
    page = browser.get(f"{url}/secret")

    assert page.status == status, (page, gateway.log()[since:])
    assert idp.cookies(browser, url) == []
    gateway.wait_log(f"failed: {word}", since=since)
    assert browser.open(f"{url}/secret").status == 302
    return page


def test_good(gateway, url, fake):
    page = oidc.Browser(gateway).get(f"{url}/secret")

    assert page.status == 200 and page.echo["target"] == "/secret"
    assert fake.wrong() == []


def test_token_that_is_too_large(gateway, url, fake):
    fake.set(how={"claims": {"pad": "x" * 70000}})
    refused(gateway, url, "provider_answer", 502)


NOW = int(time.time())


@pytest.mark.parametrize("how, word", [
    ({"sign": "none"}, "token_form|token_signature"),
    ({"sign": "none", "header": {"alg": "none"}}, "token_alg|token_form"),
    ({"sign": "none", "header": {"alg": "None"}}, "token_alg|token_form"),
    ({"header": {"alg": "none"}}, "token_alg"),
    ({"sign": "hmac", "header": {"alg": "HS256"}}, "token_alg"),
    ({"sign": "other"}, "token_signature"),
    ({"sign": "zero"}, "token_signature"),
    ({"sign": "der"}, "token_signature"),
    ({"header": {"alg": "ES384"}}, "token_(alg|key|signature)"),
    ({"header": {"alg": None}}, "token_(alg|form)"),
    ({"header": {"crit": ["exp"]}}, "token_crit"),
    ({"header": {"typ": "logout+jwt"}}, "claim_typ"),
    ({"header": {"typ": "at+jwt"}}, "claim_typ"),
    ({"claims": {"iss": None}}, "claim_iss"),
    ({"claims": {"iss": "https://evil.test"}}, "claim_iss"),
    ({"claims": {"iss": 1}}, "claim_iss"),
    ({"claims": {"aud": None}}, "claim_aud"),
    ({"claims": {"aud": "another"}}, "claim_aud"),
    ({"claims": {"aud": []}}, "claim_aud"),
    ({"claims": {"aud": {"app": 1}}}, "claim_aud"),
    ({"claims": {"aud": ["app", 1]}}, "claim_aud"),
    ({"claims": {"aud": ["app", "another"]}}, "claim_a(ud|zp)"),
    ({"claims": {"azp": "another"}}, "claim_azp"),
    ({"claims": {"nonce": None}}, "claim_nonce"),
    ({"claims": {"nonce": "x" * 43}}, "claim_nonce"),
    ({"claims": {"nonce": 7}}, "claim_nonce"),
    ({"claims": {"exp": None}}, "claim_exp"),
    ({"claims": {"exp": NOW - 3600}}, "claim_exp"),
    ({"claims": {"exp": "soon"}}, "claim_exp"),
    ({"claims": {"exp": -1}}, "claim_exp"),
    ({"claims": {"iat": None}}, "claim_iat"),
    ({"claims": {"iat": NOW + 3600}}, "claim_iat"),
    ({"claims": {"nbf": NOW + 3600}}, "claim_nbf"),
    ({"claims": {"sub": None}}, "claim_sub"),
    ({"claims": {"sub": ""}}, "claim_sub"),
    ({"claims": {"sub": 5}}, "claim_sub"),
    ({"claims": {"sub": "x" * 300}}, "claim_sub"),
    ({"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}}, "claim_at_hash"),
    ({"twice": "sub"}, "claim_form"),
    ({"twice": "zzz", "claims": {"zzz": 1}}, "claim_form"),
    ({"clock": -500}, "claim_exp"),
    ({"clock": 90}, "claim_iat")])
def test_token_that_is_wrong(gateway, url, fake, how, word):
    fake.set(how=how)
    refused(gateway, url, f"({word})", 403)


@pytest.mark.parametrize("clock", [-90, 50, -50])
def test_clock_that_is_a_little_wrong(gateway, url, fake, clock):
    fake.set(how={"clock": clock})

    assert oidc.Browser(gateway).get(f"{url}/").status == 200


@pytest.mark.parametrize("fault, word, status", [
    ({"status": 500, "body": "oops"}, "provider_down", 503),
    ({"status": 503}, "provider_down", 503),
    ({"status": 429}, "provider_down", 503),
    ({"cut": True, "body": '{"access_token":"x"'}, "provider_down", 503),
    ({"body": '{"access_token":"x"'}, "provider_answer", 502),
    ({"body": ""}, "provider_answer", 502),
    ({"body": "[]"}, "provider_answer", 502),
    ({"type": "text/html", "body": "<h1>Sign in</h1>"}, "provider_answer",
     502),
    ({"size": 3000000}, "provider_answer", 502),
    ({"body": {"access_token": "x", "token_type": "Bearer"}},
     "provider_answer", 502),
    ({"body": {"access_token": "x", "access_token ": 1, "id_token": "a.b",
               "token_type": "Bearer"}}, "token_form", 403),
    ({"status": 400, "body": {"error": "invalid_grant"}}, "grant", 403),
    ({"status": 401, "body": {"error": "invalid_client"}}, "client", 502),
    ({"status": 400, "body": {"error": "<script>alert(1)</script>"}},
     "provider_answer|grant", None),
    ({"status": 302, "headers": {"Location": "/elsewhere"}},
     "provider_answer", 502)])
def test_token_endpoint_that_fails(gateway, url, fake, fault, word, status):
    fake.set(faults={"/token": fault})
    since = len(gateway.log())
    browser = oidc.Browser(gateway)
    page = browser.get(f"{url}/secret")

    assert page.status == (status or page.status) and page.status >= 400, page
    assert idp.cookies(browser, url) == []
    gateway.wait_log(f"failed: ({word})", since=since)
    assert "<script>" not in page.text and "<h1>Sign in" not in page.text
    assert "/elsewhere" not in fake.counts()


def test_slow_token_answer(gateway, url, fake):
    fake.set(faults={"/token": {"delay": 60000}})
    browser = oidc.Browser(gateway)
    back = browser.follow(browser.open(f"{url}/"), stop=oidc.is_callback).next
    parts = urllib.parse.urlsplit(back)
    began = time.monotonic()
    page = gateway.get(f"{parts.path}?{parts.query}", host=parts.netloc,
                       tls=True, sni=parts.hostname, timeout=20, headers=[
                           ("Cookie", browser.jar.line(parts.hostname, "/"))])

    assert page.status == 503 and page.header("Retry-After")
    assert 5 < time.monotonic() - began < 15
    assert all(".s." in line for line in page.all("Set-Cookie"))


@pytest.mark.parametrize("info", [{"sub": "eve"}, {"sub": None}, {"sub": 1}])
def test_userinfo_of_somebody_else(gateway, url, fake, info):
    fake.set(person={"sub": "ann"}, how={"userinfo": info})
    refused(gateway, url, "userinfo_sub", 403)


def test_userinfo_tells_the_rest(gateway, url, fake):
    fake.set(person={"sub": "ann"},
             how={"userinfo": {"email": "ann@example.test",
                               "email_verified": True}})
    page = oidc.Browser(gateway).get(f"{url}/")

    assert page.status == 200
    assert ["x-forwarded-email", "ann@example.test"] in [
        [k.lower(), v] for k, v in page.echo["headers"]]




@pytest.mark.parametrize("jwks, statuses", [
    ("twice", {200}), ("other", {403}), ("huge", {502, 503})])
def test_keys(gateway, make, jwks, statuses):
    """Two of one name are tried both; more than can be, are none."""
    other = idp.Fake()
    try:
        other.set(person=ANN, how={"jwks": jwks})
        url = make(other)
        nginx.wait_until(lambda: "/jwks" in other.counts(), gateway.report)
        if jwks in ("twice", "other"):
            known(gateway, url)

        browser = oidc.Browser(gateway)
        page = browser.get(f"{url}/")
        assert page.status in statuses, page
        assert bool(idp.cookies(browser, url)) == (page.status == 200)
        assert other.counts()["/jwks"] <= 2
    finally:
        other.stop()


def test_unknown_keys_do_not_flood(gateway, url, fake):
    """A thousand tokens with keys of their own, from nobody in particular."""
    fake.set(how={"kids": True, "header": {"typ": "logout+jwt"}})
    tokens = [fake.sign(sub="ann", jti=f"j{i}", events={
        "http://schemas.openid.net/event/backchannel-logout": {}})
        for i in range(1000)]
    host = urllib.parse.urlsplit(url).hostname
    before = fake.counts().get("/jwks", 0)

    def post(some):
        with gateway.http1(tls=True, sni=host) as client:
            return [client.request("POST", "/oauth2/backchannel-logout",
                                   host=host, headers=[(
                                       "Content-Type",
                                       "application/x-www-form-urlencoded")],
                                   body=f"logout_token={token}".encode())
                    .status for token in some]

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = sum(pool.map(post, [tokens[i::50] for i in range(50)]), [])
    took = time.monotonic() - began

    assert len(answers) == 1000 and took < 10
    assert set(answers) <= {400, 403, 429, 503}
    assert fake.counts().get("/jwks", 0) - before <= 1 + took / 60

    fake.set(how={})
    assert oidc.Browser(gateway).get(f"{url}/").status == 200


def test_logins_that_do_not_last(gateway, make, fake):
    """A browser that loses its cookie is not sent around for ever."""
    url = make()
    host = urllib.parse.urlsplit(url).hostname
    since = len(gateway.log())

    def login(path):
        browser = oidc.Browser(gateway)
        return browser.get(url + path)

    assert [login("/page").status for _ in range(6)] == [200] * 5 + [403]
    gateway.wait_log(f"failed: session_loop.*{host}", since=since)
    assert login("/another").status == 200
    fake.set(person=dict(ANN, sub="bob"))
    assert login("/page").status == 200


def test_refresh_token_that_is_spent(gateway, make, fake):
    """The provider is asked once, and the cookie tells from then on."""
    url = make(scope="openid offline_access")
    fake.set(how={"refresh": "a-token", "expires": 1})
    browser = oidc.Browser(gateway)
    assert browser.get(f"{url}/").status == 200
    fake.set(faults={"/token": {"status": 400,
                                "body": {"error": "invalid_grant"}}})
    before = fake.counts()["/token"]
    since = len(gateway.log())
    line = browser.jar.line(urllib.parse.urlsplit(url).hostname, "/")

    def marked():
        page = browser.open(f"{url}/")
        assert page.status == 200
        return browser.jar.line(urllib.parse.urlsplit(url).hostname,
                                "/") != line

    nginx.wait_until(marked, lambda: gateway.tail(), every=0.05)
    gateway.wait_log("not refreshed: grant", since=since)
    assert fake.counts()["/token"] == before + 1
    assert browser.open(f"{url}/").status == 200
    assert fake.counts()["/token"] == before + 1


def test_worker_that_dies_within_a_refresh(gateway, make, fake):
    """Nobody is logged out by it, and nothing stays locked."""
    url = make(scope="openid offline_access")
    fake.set(how={"refresh": "another-token", "expires": 1})
    browser = oidc.Browser(gateway)
    assert browser.get(f"{url}/").status == 200

    fake.set(faults={"/token": {"delay": 60000}})
    before = fake.counts()["/token"]

    def asked():
        assert browser.open(f"{url}/").status == 200
        return fake.counts()["/token"] == before + 1

    nginx.wait_until(asked, gateway.tail, every=0.05)

    gateway.expect("exited on signal 9")
    worker, = gateway.worker_pids()
    os.kill(worker, signal.SIGKILL)
    nginx.wait_until(lambda: gateway.worker_pids() not in ([], [worker]),
                     gateway.tail)

    assert [browser.open(f"{url}/").status for _ in range(20)] == [200] * 20
    assert fake.counts()["/token"] == before + 1
