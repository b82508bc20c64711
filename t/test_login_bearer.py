"""
Programs that bring an access token instead of a cookie (RFC 6750).
"""

import concurrent.futures
import secrets
import time

import pytest

import manifest
import nginx
import oidc
from logins import as_new, known, op, site, site_of      # noqa: fixtures
from test_login_gate import API, host_of, logged_in


GATEWAY = dict(workers=2)

NOW = int(time.time())


@pytest.fixture
def api(site):
    """The URL of a host that takes tokens for "api"."""
    return site(host="api.test", name="api", skip_jwt_bearer_tokens="true",
                oidc_extra_audience="api")


@pytest.fixture(scope="module")
def sessions():
    return {}


def ask(gateway, url, token, cookie=None):
    headers = [*API, ("Authorization", f"Bearer {token}")]
    if cookie:
        headers.append(("Cookie", cookie))
    return gateway.get("/", host_of(url), tls=True, sni=host_of(url),
                       headers=headers)


@pytest.mark.parametrize("by", ["rs", "ps", "es", "ed"])
def test_token_is_as_good_as_a_session(gateway, api, op, by):
    token = op.sign(by)
    for _ in range(3):
        answer = ask(gateway, api, token)
        assert answer.status == 200
        assert answer.echo.all("x-auth-request-user") == ["alice"]
        assert answer.all("Set-Cookie") == []


@pytest.mark.parametrize("header, claims", [
    ({"alg": "none"}, {}), ({"alg": "None"}, {}), ({"alg": "HS256"}, {}),
    ({"alg": "RS256"}, {}), ({"typ": "logout+jwt"}, {}),
    ({"typ": "dpop+jwt"}, {}), ({"crit": ["exp"]}, {}), ({"zip": "DEF"}, {}),
    ({}, {"aud": "other"}), ({}, {"aud": None}), ({}, {"aud": []}),
    ({}, {"aud": "app-es"}), ({"typ": "JWT"}, {"aud": "app-es"}),
    ({}, {"aud": "API"}), ({}, {"aud": "api "}), ({}, {"at_hash": "x"}),
    ({}, {"iss": "https://other.test"}), ({}, {"iss": None}),
    ({}, {"exp": NOW - 400}), ({}, {"exp": None}), ({}, {"exp": "soon"}),
    ({}, {"nbf": NOW + 4000}), ({}, {"iat": NOW + 4000}),
    ({}, {"sub": None}), ({}, {"sub": ""}), ({}, {"sub": 1}),
    ({"kid": "unknown"}, {}),
])
def test_what_is_no_token_of_ours(gateway, api, op, sessions, header, claims):
    browser = sessions.get(api) or logged_in(gateway, api)
    sessions[api] = browser
    token = op.sign("es", header, **claims)
    for cookie in (None, browser.jar.line(host_of(api), "/")):
        answer = ask(gateway, api, token, cookie)
        assert answer.status == 401
        assert b'"target"' not in answer.body
        assert 'error="invalid_token"' in answer.header("WWW-Authenticate")


def test_signature_counts_each_time(gateway, api, op):
    good = op.sign()
    assert ask(gateway, api, good).status == 200

    head, claims, signature = good.split(".")
    other = op.sign(sub="admin-eve").split(".")
    for token in (f"{head}.{other[1]}.{signature}", f"{head}.{claims}.",
                  f"{head}.{claims}.{signature[:-4]}AAAA", f"{head}.{claims}",
                  f"{head}.{claims}.{other[2]}", good + "=", good + ".x", "",
                  good.replace("-", "+").replace("_", "/") + "A"):
        assert ask(gateway, api, token).status == 401, token


def test_token_of_one_host_is_no_session_elsewhere(gateway, api, site, op):
    closed = site(host="closed.test", name="closed")
    assert ask(gateway, closed, op.sign()).status == 401
    other = site(host="audience.test", name="audience",
                 skip_jwt_bearer_tokens="true", oidc_extra_audience="other")
    assert ask(gateway, api, op.sign()).status == 200
    assert ask(gateway, other, op.sign()).status == 401


def test_groups_of_a_token(gateway, site, op):
    url = site(host="groups.test", name="groups",
               skip_jwt_bearer_tokens="true", oidc_extra_audience="api",
               annotations={"torii/oauth2-allowed-groups": "admins"})
    assert ask(gateway, url, op.sign()).status == 403
    assert ask(gateway, url, op.sign(groups=["admins"])).status == 200
    assert ask(gateway, url, op.sign(groups=None)).status == 403


def test_flood_of_unknown_keys_asks_the_provider_once(gateway, api, op):
    head = op.sign("es").split(".")
    tokens = [op.sign("es", {"kid": secrets.token_hex(8)})
              for _ in range(100)]
    op.clear()
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda t: ask(gateway, api, t).status,
                                tokens))
    assert set(answers) == {401}
    assert op.counts().get("/jwks", 0) <= 1
    assert ask(gateway, api, ".".join(head)).status == 200


@pytest.fixture(scope="module")
def partner():
    """A further issuer, whose audience is "robots": nobody logs in there."""
    provider = oidc.Provider()
    yield provider
    provider.stop()


@pytest.fixture
def wide(gateway, site, partner):
    """The URL of a host that takes tokens of both."""
    url = site(host="wide.test", name="wide", skip_jwt_bearer_tokens="true",
               oidc_extra_audience="api",
               extra_jwt_issuers=f"{partner.issuer}=robots,"
                                 f"{partner.issuer}=carts")
    taken(gateway, url, partner)
    return url


def taken(gateway, url, partner):
    """Wait until the keys of a further issuer are known to the workers."""
    nginx.wait_until(
        lambda: all(ask(gateway, url, partner.sign(aud="robots")).status == 200
                    for _ in range(4)), lambda: gateway.report(), every=0.05)


@pytest.mark.parametrize("by", ["rs", "ps", "es", "ed"])
def test_token_of_a_further_issuer(gateway, wide, op, partner, by):
    for token in (partner.sign(by, aud="robots", sub="bob"),
                  partner.sign(by, aud=["x", "carts"], sub="bob")):
        answer = ask(gateway, wide, token)
        assert answer.status == 200
        assert answer.echo.all("x-auth-request-user") == ["bob"]
        assert answer.all("Set-Cookie") == []
    assert ask(gateway, wide, op.sign(by)).status == 200


@pytest.mark.parametrize("header, claims", [
    ({}, {"aud": "api"}), ({}, {"aud": "app-es"}), ({}, {"aud": "ROBOTS"}),
    ({}, {"aud": None}), ({}, {"aud": []}), ({}, {"exp": NOW - 400}),
    ({}, {"exp": None}), ({}, {"sub": None}), ({}, {"iss": None}),
    ({}, {"iss": "https://other.test"}), ({}, {"iss": ["https://other.test"]}),
    ({}, {"at_hash": "x"}), ({"alg": "none"}, {}), ({"alg": "HS256"}, {}),
    ({"kid": "unknown"}, {}),
])
def test_what_is_no_token_of_a_further_issuer(gateway, wide, partner, header,
                                              claims):
    token = partner.sign("es", header, **{"aud": "robots", **claims})
    answer = ask(gateway, wide, token)
    assert answer.status == 401
    assert b'"target"' not in answer.body
    assert 'error="invalid_token"' in answer.header("WWW-Authenticate")


def test_issuers_do_not_speak_for_each_other(gateway, wide, api, op, partner):
    for token in (partner.sign(iss=op.issuer, aud="api"),
                  partner.sign(iss=op.issuer, aud="robots"),
                  partner.sign(iss=partner.issuer + "/", aud="robots"),
                  op.sign(iss=partner.issuer, aud="robots"),
                  op.sign(aud="robots")):
        assert ask(gateway, wide, token).status == 401

    # a key of one with the name of the other's
    kid = oidc.header_of(op.sign())["kid"]
    assert ask(gateway, wide, partner.sign("es", {"kid": kid}, aud="api",
                                           iss=op.issuer)).status == 401

    assert ask(gateway, wide, partner.sign(aud="robots")).status == 200
    assert ask(gateway, api, partner.sign(aud="robots")).status == 401
    assert ask(gateway, api, partner.sign(aud="api")).status == 401


def test_groups_of_a_further_issuer(gateway, site, partner):
    url = site(host="herd.test", name="herd", skip_jwt_bearer_tokens="true",
               extra_jwt_issuers=f"{partner.issuer}=robots",
               annotations={"torii/oauth2-allowed-groups": "devs"})
    taken(gateway, url, partner)
    token = partner.sign(aud="robots", groups=["guests"])
    assert ask(gateway, url, token).status == 403
    token = partner.sign(aud="robots", groups=None)
    assert ask(gateway, url, token).status == 403


def test_further_issuer_is_down_at_first(gateway, site, op):
    port = nginx.free_port()
    issuer = f"http://127.0.0.1:{port}"
    url = site(host="late.test", name="late", skip_jwt_bearer_tokens="true",
               oidc_extra_audience="api",
               extra_jwt_issuers=f"{issuer}=robots")
    gateway.wait_finding(reason="IssuerUnreachable", severity="warning",
                         field="extra-jwt-issuers", object="late-login")
    assert ask(gateway, url, op.sign()).status == 200
    assert ask(gateway, url, op.sign(iss=issuer, aud="robots")).status == 401

    late = oidc.Provider(port=port)
    try:
        assert late.issuer == issuer
        taken(gateway, url, late)
    finally:
        late.stop()


def test_further_issuer_outlives_a_restart_and_goes(start_gateway, echo,
                                                    authority, op):
    partner = oidc.Provider()
    gateway = start_gateway()
    url = f"https://a.test:{gateway.tls}"

    def apply(**more):
        settings = op.settings(skip_jwt_bearer_tokens="true",
                               oidc_extra_audience="api", **more)
        gateway.apply("a", oidc.secret("a", settings),
                      manifest.route("a.test", echo[0], name="a",
                                     tls=authority.issue("a.test"),
                                     annotations={"torii/oauth2": "a"}))

    def kept():
        return list(gateway.state.glob("private/oauth2/default/a@*.json"))

    try:
        apply(extra_jwt_issuers=f"{partner.issuer}=robots")
        known(gateway, url)
        taken(gateway, url, partner)
        assert kept()
        partner.set(down=True)
        gateway.stop()
        gateway.restart()
        taken(gateway, url, partner)

        partner.set(down=False)
        apply()
        nginx.wait_until(lambda: ask(gateway, url, partner.sign(aud="robots"))
                         .status == 401, lambda: gateway.report())
        assert ask(gateway, url, op.sign()).status == 200
        nginx.wait_until(lambda: not kept(), "what was kept is dropped")
    finally:
        partner.stop()
