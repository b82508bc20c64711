"""Logins at the edge, by a real OpenID provider."""

import concurrent.futures
import re
import time
import urllib.parse

import pytest

import manifest
import nginx
import oidc
from logins import as_new, known, op, serial, site, site_of   # noqa


GATEWAY = dict(workers=2)


@pytest.mark.parametrize("alg", ["rs", "ps", "es", "ed"])
def test_login_and_back_to_the_page(gateway, site, op, alg):
    url = site(alg=alg)
    page = oidc.Browser(gateway).login(f"{url}/deep/link?a=1&b=%2F", "alice")

    assert page.status == 200, page
    assert page.url == f"{url}/deep/link?a=1&b=%2F"
    assert page.echo["target"] == "/deep/link?a=1&b=%2F"


def test_second_request_needs_no_provider(gateway, site, op):
    url = site()
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    op.set(down=True)

    assert browser.open(f"{url}/other").status == 200


def test_http2(gateway, site):
    url = site()
    page = oidc.Browser(gateway, h2=True).login(f"{url}/x", "alice")

    assert page.status == 200 and page.url == f"{url}/x"


def test_cookie_is_for_this_host_and_no_script(gateway, site):
    url = site()
    browser = oidc.Browser(gateway)
    back = browser.open(browser.callback(f"{url}/", "alice"))
    lines = [line for line in back.all("Set-Cookie") if ".s." not in line]

    assert back.status == 302 and back.header("Cache-Control") == "no-store"
    assert len(lines) == 1 and lines[0].startswith("__Host-")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in lines[0]
    assert "Domain" not in lines[0]


def test_state_cookie_goes_with_the_callback(gateway, site):
    url = site()
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")

    names = browser.jar.names(urllib.parse.urlsplit(url).hostname)
    assert len(names) == 1 and ".s." not in names[0]


def test_group_allowed_and_refused(gateway, site):
    url = site(annotations={"torii/oauth2-allowed-groups": "admins"})

    assert oidc.Browser(gateway).login(f"{url}/", "admin-ann").status == 200

    browser = oidc.Browser(gateway)
    page = browser.login(f"{url}/", "bob")
    assert page.status == 403
    assert browser.open(f"{url}/").status == 403      # and no loop


def test_many_groups_make_a_small_cookie(gateway, site):
    url = site(annotations={"torii/oauth2-allowed-groups": "devs"})
    browser = oidc.Browser(gateway)

    assert browser.login(f"{url}/", "big-bill").status == 200
    assert sum(len(v) for v, _ in browser.jar.cookies.values()) < 4000


def test_provider_policy_gives_no_session(gateway, site):
    url = site(email_domain="example.test")
    browser = oidc.Browser(gateway)

    assert browser.login(f"{url}/", "outsider").status == 403
    assert browser.jar.names(urllib.parse.urlsplit(url).hostname) == []


def test_unverified_address_is_no_address(gateway, site):
    url = site(email_domain="example.test")

    assert oidc.Browser(gateway).login(f"{url}/", "unverified").status == 403


def test_callback_works_once(gateway, site):
    url = site()
    browser = oidc.Browser(gateway)
    callback = browser.callback(f"{url}/", "alice")
    thief = oidc.Browser(gateway)
    thief.jar.cookies = dict(browser.jar.cookies)

    assert browser.open(callback).status == 302
    assert thief.open(callback).status == 403
    assert browser.open(callback).location == "/"      # the back button


def test_callback_of_another_browser(gateway, site, op):
    url = site()
    callback = oidc.Browser(gateway).callback(f"{url}/", "alice")
    op.clear()

    assert oidc.Browser(gateway).open(callback).status == 403
    assert "/token" not in op.counts()


def test_state_of_another_host(gateway, site):
    one, two = site(), site()
    browser = oidc.Browser(gateway)
    callback = browser.callback(f"{one}/", "alice")
    stolen = callback.replace(urllib.parse.urlsplit(one).netloc,
                              urllib.parse.urlsplit(two).netloc)
    host = urllib.parse.urlsplit(two).hostname
    for (_, path, name), value in list(browser.jar.cookies.items()):
        browser.jar.cookies[(host, path, name)] = value

    assert browser.open(stolen).status == 403


@pytest.mark.parametrize("change", [
    {"iss": "https://evil.example"}, {"iss": None},
    {"state": "x" * 43}, {"state": None}, {"code": None}])
def test_callback_that_was_changed(gateway, site, op, change):
    url = site()
    browser = oidc.Browser(gateway)
    callback = oidc.change(browser.callback(f"{url}/", "alice"), **change)
    op.clear()

    assert browser.open(callback).status in (400, 403)
    assert "/token" not in op.counts()


def test_parameter_twice(gateway, site, op):
    url = site()
    browser = oidc.Browser(gateway)
    callback = browser.callback(f"{url}/", "alice")
    op.clear()

    assert browser.open(callback + "&code=other").status == 400
    assert "/token" not in op.counts()


def test_error_text_is_not_shown(gateway, site):
    url = site()
    page = oidc.Browser(gateway).open(
        f"{url}/oauth2/callback?error=access_denied&error_description=pwned"
        "&state=" + "x" * 43)

    assert page.status == 403 and "pwned" not in page.text


@pytest.mark.parametrize("rd", ["//evil.example/", "https://evil.example/",
                                "/\\evil.example", "/oauth2/sign_out"])
def test_no_open_redirect(gateway, site, rd):
    url = site()
    page = oidc.Browser(gateway).login(
        f"{url}/oauth2/start?rd=" + urllib.parse.quote(rd, safe=""), "alice")

    assert page.url == f"{url}/" and page.status == 200


def test_start_comes_back_to_rd(gateway, site):
    url = site()
    page = oidc.Browser(gateway).login(
        f"{url}/oauth2/start?rd=%2Fa%3Fb%3Dc", "alice")

    assert page.url == f"{url}/a?b=c"


def test_rd_to_another_host_of_the_provider(gateway, site, site_of):
    url = site()
    host = urllib.parse.urlsplit(url).hostname
    two = site_of(manifest.label(host))
    answer = oidc.Browser(gateway).login(
        f"{url}/oauth2/start?rd=" + urllib.parse.quote(f"{two}/x?y", safe=""),
        "alice", stop=lambda u: u.startswith(two))

    assert answer.location == f"{two}/x?y"


def test_without_tls_there_is_no_login(gateway, site):
    host = urllib.parse.urlsplit(site()).hostname
    answer = gateway.get("/oauth2/start?rd=%2Fx", host=host)

    assert answer.status == 302 and answer.all("Set-Cookie") == []
    assert answer.location == f"https://{host}/oauth2/start?rd=%2Fx"
    assert gateway.get("/oauth2/callback?code=x&state=y",
                       host=host).status == 400


def test_tabs_each_come_home(gateway, site):
    url = site()
    browser = oidc.Browser(gateway)
    first = browser.open(f"{url}/one")
    second = browser.open(f"{url}/two")

    page = browser.enter(browser.follow(first), "alice")
    assert page.url == f"{url}/one" and page.status == 200
    page = browser.follow(second)
    assert page.url == f"{url}/two" and page.status == 200


def test_state_cookies_are_few(gateway, site):
    url = site()
    browser = oidc.Browser(gateway)
    for n in range(9):
        browser.open(f"{url}/{n}")

    assert len(browser.jar.cookies) == 5


def test_auth_for_other_proxies(gateway, site):
    url = site(annotations={"torii/oauth2-allowed-groups": "devs"})
    browser = oidc.Browser(gateway)

    assert browser.open(f"{url}/oauth2/auth").status == 401
    browser.login(f"{url}/", "alice")
    answer = browser.open(f"{url}/oauth2/auth?allowed_groups=devs,x")
    assert answer.status == 202
    assert answer.header("X-Auth-Request-User") == "alice"
    assert answer.header("X-Auth-Request-Email") == "alice@example.test"
    assert answer.header("X-Auth-Request-Groups") == "devs"
    for query in ("allowed_groups=admins", "allowed_emails=bob@example.test",
                  "allowed_email_domains=other.test", "allowed_group=devs"):
        assert browser.open(f"{url}/oauth2/auth?{query}").status == 403


def test_userinfo(gateway, site):
    url = site()
    browser = oidc.Browser(gateway)

    assert browser.open(f"{url}/oauth2/userinfo").status == 401
    browser.login(f"{url}/", "alice")
    info = browser.open(f"{url}/oauth2/userinfo").json()
    assert info["user"] == "alice" and info["email"] == "alice@example.test"


def test_sign_out_asks_when_another_site_leads_there(gateway, site):
    url = site()
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    page = browser.open(f"{url}/oauth2/sign_out", headers=(
        *oidc.Browser.NAVIGATE, ("Sec-Fetch-Site", "cross-site")))

    assert page.status == 200 and "<form" in page.text
    assert browser.open(f"{url}/").status == 200


def test_sign_out_by_a_form_of_another_site(gateway, site):
    url = site()
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    answer = browser.open(f"{url}/oauth2/sign_out", "POST", b"", headers=(
        *oidc.Browser.NAVIGATE, ("Origin", "https://evil.example")))

    assert answer.status == 403
    assert browser.open(f"{url}/").status == 200


def test_sign_out_ends_the_session_everywhere(gateway, site, op):
    url = site()
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    stolen = oidc.Browser(gateway)
    stolen.jar.cookies = dict(browser.jar.cookies)
    answer = browser.open(f"{url}/oauth2/sign_out", headers=(
        *oidc.Browser.NAVIGATE, ("Sec-Fetch-Site", "same-origin")))

    assert answer.status == 302
    assert answer.location.startswith(op.issuer + "/session/end?")
    assert browser.jar.names(urllib.parse.urlsplit(url).hostname) == []
    assert stolen.open(f"{url}/").status == 302
    nginx.wait_until(lambda: op.counts().get("/token/revocation"),
                     "the refresh token to be taken back")


def test_back_channel_logout(gateway, site, op):
    url = site()
    host = urllib.parse.urlsplit(url).hostname
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    other = oidc.Browser(gateway)
    other.login(f"{url}/", "alice")
    op.set(gateway={"port": gateway.plain, "host": host})

    page = browser.open(f"{op.issuer}/session/end?client_id=app-es")
    xsrf = re.search(r'name="xsrf" value="([^"]+)"', page.text).group(1)
    browser.open(f"{op.issuer}/session/end/confirm", "POST",
                 f"xsrf={xsrf}&logout=yes".encode())

    nginx.wait_until(lambda: op.counts().get("backchannel 200"),
                     lambda: str(op.counts()))
    assert browser.open(f"{url}/").status == 302
    assert other.open(f"{url}/").status == 200        # another session

    again = gateway.post("/oauth2/backchannel-logout", host=host, headers=[
        ("Content-Type", "application/x-www-form-urlencoded")],
        body=op.logout_token().encode())
    assert again.status == 400                        # replayed


@pytest.mark.parametrize("body", [b"", b"logout_token=", b"logout_token=a.b.c",
                                  b"x" * 70000])
def test_back_channel_logout_of_nobody(gateway, site, body):
    host = urllib.parse.urlsplit(site()).hostname
    answer = gateway.post("/oauth2/backchannel-logout", host=host, body=body,
                          headers=[("Content-Type",
                                    "application/x-www-form-urlencoded")])

    assert answer.status in (400, 413)


def test_provider_is_down(gateway, site, op):
    url = site()
    browser = oidc.Browser(gateway)
    callback = browser.callback(f"{url}/", "alice")
    op.set(down=True)
    page = browser.open(callback)

    assert page.status == 503 and page.header("Retry-After")


def test_provider_was_never_there(gateway, echo, authority, op):
    host = f"s{next(serial)}.test"
    name = manifest.label(host)
    settings = op.settings()
    settings["oidc-issuer-url"] = f"http://127.0.0.1:{nginx.free_port()}"
    gateway.apply(name, oidc.secret(name, settings),
                  manifest.route(host, echo[0], name=name,
                                 tls=authority.issue(host),
                                 annotations={"torii/oauth2": name}))
    page = oidc.Browser(gateway).open(f"https://{host}:{gateway.tls}/")

    assert page.status == 503 and page.header("Retry-After")
    gateway.wait_finding(reason="IssuerUnreachable", object=name)


def test_provider_by_tls_of_a_private_authority(gateway, site, authority):
    op = oidc.Provider(pair=authority.issue("127.0.0.1"))
    try:
        url = site(oidc_issuer_url=op.issuer, provider_ca=authority.pem,
                   allow_insecure_loopback="false")
        page = oidc.Browser(gateway).login(f"{url}/x", "alice")
        assert page.status == 200 and page.url == f"{url}/x"
    finally:
        op.stop()


def test_provider_by_tls_of_an_unknown_authority(gateway, echo, authority):
    op = oidc.Provider(pair=authority.issue("127.0.0.1"))
    host = f"s{next(serial)}.test"
    name = manifest.label(host)
    try:
        gateway.apply(name, oidc.secret(name, op.settings()),
                      manifest.route(host, echo[0], name=name,
                                     tls=authority.issue(host),
                                     annotations={"torii/oauth2": name}))
        gateway.wait_finding(reason="IssuerUnreachable", object=name)
        page = oidc.Browser(gateway).open(f"https://{host}:{gateway.tls}/")
        assert page.status == 503
    finally:
        op.stop()


def test_keys_of_the_provider_change(gateway, site):
    first = oidc.Provider()
    url = site(oidc_issuer_url=first.issuer)
    first.stop()
    second = oidc.Provider(port=first.port)
    try:
        page = oidc.Browser(gateway).login(f"{url}/", "alice")
        assert page.status == 200 and page.url == f"{url}/"
    finally:
        second.stop()


def test_one_refresh_of_many_requests(gateway, site, op):
    url = site()
    op.set(ttl=4, delay=300)
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    op.clear()
    time.sleep(2.5)                      # half of the token's life is over

    def ask(n):
        return browser.gateway.get(
            f"/{n}", host=urllib.parse.urlsplit(url).netloc, tls=True,
            sni=urllib.parse.urlsplit(url).hostname,
            headers=[("Cookie", browser.jar.line(
                urllib.parse.urlsplit(url).hostname, "/"))]).status

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(ask, range(200)))

    assert set(statuses) == {200}
    nginx.wait_until(lambda: op.counts().get("refresh_token"),
                     lambda: str(op.counts()))
    assert op.counts()["refresh_token"] == 1
    assert not any(k.startswith("error") for k in op.counts())

    answer = browser.open(f"{url}/")     # the old cookie brings the new one
    assert answer.status == 200 and answer.all("Set-Cookie")


def test_session_outlives_a_provider_that_is_down(gateway, site, op):
    url = site()
    op.set(ttl=2)
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    op.set(down=True)
    time.sleep(2.5)

    assert browser.open(f"{url}/").status == 200


def test_login_at_one_host_for_another(gateway, site, site_of, op):
    center = f"center{next(serial)}.test"
    name = manifest.label(center)
    redirect = f"https://{center}:{gateway.tls}/oauth2/callback"
    site(host=center, name=name, redirect_url=redirect)
    one, two = site_of(name), site_of(name)
    browser = oidc.Browser(gateway)

    page = browser.login(f"{one}/a?b=c", "alice")
    assert page.status == 200 and page.url == f"{one}/a?b=c"
    assert page.echo["target"] == "/a?b=c"

    op.clear()
    page = browser.get(f"{two}/x")       # without another login
    assert page.status == 200 and page.url == f"{two}/x"
    assert op.counts() == {}

    hand = [u for u in browser.seen if "/oauth2/handoff" in u][-1]
    assert oidc.Browser(gateway).open(hand).status == 403
    assert browser.open(hand).location == "/"


def test_one_cookie_for_a_domain(gateway, site, site_of, op):
    domain = f"d{next(serial)}.test"
    center = f"login.{domain}"
    site(host=center, cookie_domain=domain, redirect_url=
         f"https://{center}:{gateway.tls}/oauth2/callback")
    one = site_of(manifest.label(center), f"one.{domain}")
    two = site_of(manifest.label(center), f"two.{domain}")
    browser = oidc.Browser(gateway)

    page = browser.login(f"{one}/a?b=c", "alice")
    assert page.status == 200 and page.url == f"{one}/a?b=c"
    assert browser.open(f"{two}/").status == 200
    assert not any("/oauth2/handoff" in url for url in browser.seen)


def test_hand_over_to_a_host_of_nobody(gateway, site):
    center = f"center{next(serial)}.test"
    url = site(host=center, redirect_url=
               f"https://{center}:{gateway.tls}/oauth2/callback")
    for uri in ("https://evil.example/oauth2/handoff",
                f"https://{center}.evil.example/oauth2/handoff",
                f"https://{center}/elsewhere", f"{url}/oauth2/handoff/../x"):
        answer = oidc.Browser(gateway).open(
            f"{url}/oauth2/start?" + urllib.parse.urlencode(
                {"redirect_uri": uri, "state": "s" * 43}))
        assert answer.status == 400, uri


def test_two_providers_of_one_host(gateway, echo, authority, op):
    host = f"s{next(serial)}.test"
    name = manifest.label(host)
    pair = authority.issue(host)
    gateway.apply(
        name, oidc.secret(f"{name}-a", op.settings("es")),
        oidc.secret(f"{name}-b", op.settings("rs")),
        [manifest.route(host, echo[0], name=f"{name}-{path}", tls=pair,
                        path_text=f"/{path}",
                        annotations={"torii/oauth2": f"{name}-{path}"})
         for path in "ab"])
    url = f"https://{host}:{gateway.tls}"
    known(gateway, url)
    browser = oidc.Browser(gateway)

    assert browser.login(f"{url}/a", "alice").url == f"{url}/a"
    assert browser.open(f"{url}/b").status == 302
    assert browser.login(f"{url}/b", "alice").url == f"{url}/b"
    assert browser.open(f"{url}/a").status == 200
    assert len([n for n in browser.jar.names(host) if ".s." not in n]) == 2


def test_callback_by_form(gateway, site):
    url = site(response_mode="form_post")
    browser = oidc.Browser(gateway)
    page = browser.login(f"{url}/deep", "alice")
    action = re.search(r'action="([^"]+)"', page.text).group(1)
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.text))
    body = urllib.parse.urlencode(fields).encode()
    state = [line for line in browser.jar.cookies if ".s." in line[2]]

    assert oidc.is_callback(action) and len(state) == 1
    assert browser.open(oidc.change(action, **fields)).status == 403
    page = browser.follow(browser.open(action, "POST", body))
    assert page.status == 200 and page.url == f"{url}/deep"
    assert oidc.Browser(gateway).open(action, "POST", body).status == 403


def test_client_goes_while_the_provider_is_asked(gateway, site, op):
    url = site()
    browser = oidc.Browser(gateway)
    callback = browser.callback(f"{url}/", "alice")
    parts = urllib.parse.urlsplit(callback)
    op.set(delay=400)
    op.clear()

    with gateway.connect(tls=True, sni=parts.hostname) as sock:
        sock.sendall((f"GET {parts.path}?{parts.query} HTTP/1.1\r\n"
                      f"Host: {parts.netloc}\r\nCookie: "
                      f"{browser.jar.line(parts.hostname, '/')}\r\n\r\n")
                     .encode())
        nginx.wait_until(lambda: op.counts().get("/token"), "the question")

    nginx.wait_until(lambda: op.counts().get("authorization_code"),
                     "the answer")
    assert browser.open(callback).status == 403       # it was used
    assert browser.login(f"{url}/", "alice").status == 200


def test_reload_during_a_login(gateway, site, op):
    url = site()
    browser = oidc.Browser(gateway)
    callback = browser.callback(f"{url}/", "alice")
    op.set(delay=1500)
    op.clear()

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(browser.open, callback)
        nginx.wait_until(lambda: op.counts().get("/token"), "the question")
        gateway.reload()
        assert answer.result().status == 302

    op.set(delay=0)
    assert browser.open(f"{url}/").status == 200

    stolen = oidc.Browser(gateway)
    stolen.jar.cookies = dict(browser.jar.cookies)
    browser.open(f"{url}/oauth2/sign_out", headers=(
        *oidc.Browser.NAVIGATE, ("Sec-Fetch-Site", "none")))
    gateway.reload()
    assert stolen.open(f"{url}/").status == 302


def test_what_an_issuer_said_outlives_a_restart(start_gateway, echo,
                                                authority):
    op = oidc.Provider()
    gateway = start_gateway()
    host = "a.test"
    gateway.apply("a", oidc.secret("a", op.settings()),
                  manifest.route(host, echo[0], name="a",
                                 tls=authority.issue(host),
                                 annotations={"torii/oauth2": "a"}))
    url = f"https://{host}:{gateway.tls}"
    known(gateway, url)
    op.stop()
    gateway.stop()
    gateway.restart()
    gateway.wait_finding(reason="IssuerUnreachable", severity="warning")

    assert oidc.Browser(gateway).open(f"{url}/").status == 302


def test_numbers_of_logins(gateway, site):
    url = site()
    oidc.Browser(gateway).login(f"{url}/", "alice")
    text = gateway.admin_get("/metrics").text

    found = re.search(r'torii_logins_total{result="done"} (\d+)', text)
    assert int(found.group(1)) >= 1


def test_nothing_secret_is_logged(gateway, site, op):
    url = site()
    browser = oidc.Browser(gateway)
    callback = browser.callback(f"{url}/", "alice")
    browser.open(callback)
    browser.open(callback)
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(callback).query))
    cookies = [v for v, _ in browser.jar.cookies.values() if len(v) > 40]
    text = gateway.log() + "\n".join(gateway.access())

    assert "/oauth2/callback" in text
    for word in (query["code"], query["state"], *cookies, *oidc.SECRETS):
        assert word not in text
