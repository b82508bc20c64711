"""Sessions in Redis: tickets, and what several gateways know of each other."""

import concurrent.futures
import signal
import time
import urllib.parse

import pytest

from logins import known, op, as_new, site     # noqa: F401 (fixtures)
import manifest
import nginx
import oidc
import redis as redis_server


GATEWAY = dict(workers=2)

SIGN_OUT = (*oidc.Browser.NAVIGATE, ("Sec-Fetch-Site", "same-origin"))


@pytest.fixture(scope="module")
def redis():
    server = redis_server.Redis()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def empty(redis):
    redis.clear()


@pytest.fixture
def stored(site, redis):
    """stored(settings) is the URL of a host whose sessions lie in Redis."""
    def make(**settings):
        settings.setdefault("redis_connection_url", redis.url)
        return site(session_store_type="redis", **settings)
    return make


@pytest.fixture
def two(gateway, start_gateway, echo, authority, op, redis):
    """two(settings): URLs of one host at two gateways, and the other one."""
    other = start_gateway(workers=2)

    def make(**settings):
        host = f"{manifest.label(redis.dir.name)}-{len(gateway.marks)}.test"
        name = manifest.label(host)
        docs = (oidc.secret(name, op.settings(
                    "es", session_store_type="redis",
                    redis_connection_url=redis.url, **settings)),
                manifest.route(host, echo[0], name=name,
                               tls=authority.issue(host),
                               annotations={"torii/oauth2": name}))
        for one in (gateway, other):
            one.apply(name, *docs)
            known(one, f"https://{host}:{one.tls}")
        return (f"https://{host}:{gateway.tls}",
                f"https://{host}:{other.tls}", other)
    return make


def at(gateway, browser):
    """The same browser, at another gateway."""
    there = oidc.Browser(gateway)
    there.jar = browser.jar
    return there


def cookies(browser, url):
    host = urllib.parse.urlsplit(url).hostname
    return {name: value for (of, _, name), (value, _)
            in browser.jar.cookies.items() if of == host}


def test_cookie_is_a_small_ticket(gateway, stored, redis):
    url = stored(pass_access_token="true", pass_authorization_header="true")
    browser = oidc.Browser(gateway)
    page = browser.login(f"{url}/deep?x=1", "alice")

    assert page.status == 200 and page.url == f"{url}/deep?x=1"
    assert len(cookies(browser, url)) == 1
    assert all(len(v) < 250 for v in cookies(browser, url).values())
    assert len(redis.sessions()) == 1
    assert 0 < int(redis.ask("TTL", redis.sessions()[0])[0]) <= 12 * 3600


def test_http2(gateway, stored):
    url = stored()
    browser = oidc.Browser(gateway, h2=True)
    page = browser.open(browser.callback(f"{url}/x", "alice"))

    assert page.status == 302
    for _ in range(4):
        assert browser.open(f"{url}/x").status == 200
    assert browser.open(f"{url}/x", "POST", b"a=b").status == 200


def test_what_is_stored_tells_nothing(gateway, stored, redis):
    url = stored(pass_access_token="true")
    oidc.Browser(gateway).login(f"{url}/", "alice")
    value = redis.raw(redis.sessions()[0])

    assert len(value) > 200
    for text in (b"alice", b"devs", b"example.test", b"eyJ"):
        assert text not in value


def test_large_session(gateway, stored):
    url = stored(pass_access_token="true", pass_authorization_header="true")
    browser = oidc.Browser(gateway)
    page = browser.login(f"{url}/", "big-bill")

    assert page.status == 200
    assert all(len(v) < 250 for v in cookies(browser, url).values())
    headers = {k.lower(): v for k, v in page.echo["headers"]}
    assert len(headers["authorization"]) > 4096


def test_each_login_is_a_new_ticket(gateway, stored, redis):
    url = stored()
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    first = cookies(browser, url)
    browser.login(f"{url}/oauth2/start?rd=/", "alice")

    assert cookies(browser, url) != first and len(redis.sessions()) == 2


@pytest.mark.parametrize("where", [0, 20, 60, 100, -1])
def test_ticket_that_was_changed(gateway, stored, where):
    url = stored()
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    (key, (value, domain)), = [
        (k, v) for k, v in browser.jar.cookies.items()
        if k[0] == urllib.parse.urlsplit(url).hostname]
    letters = list(value)
    letters[where] = "A" if letters[where] != "A" else "Q"
    browser.jar.cookies[key] = ("".join(letters), domain)

    assert browser.open(f"{url}/").status == 302


def test_value_that_was_changed(gateway, stored, redis):
    url = stored()
    browser = oidc.Browser(gateway)
    callback = browser.callback(f"{url}/", "alice")
    assert browser.open(callback).status == 302      # no worker has seen it
    key, = redis.sessions()
    value = bytearray(redis.raw(key))
    value[-1] ^= 1
    redis.ask("SET", key, data=bytes(value))

    assert browser.open(f"{url}/").status == 302


def test_values_of_two_people_exchanged(gateway, stored, redis):
    url = stored()
    one, other = oidc.Browser(gateway), oidc.Browser(gateway)
    assert one.open(one.callback(f"{url}/", "alice")).status == 302
    mine, = redis.sessions()
    assert other.open(other.callback(f"{url}/", "bob")).status == 302
    his, = set(redis.sessions()) - {mine}
    redis.ask("COPY", his, mine, "REPLACE")

    assert one.open(f"{url}/").status == 302
    assert other.open(f"{url}/").status == 200


def test_sign_out_deletes(gateway, stored, redis):
    url = stored()
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    stolen = oidc.Browser(gateway)
    stolen.jar.cookies = dict(browser.jar.cookies)

    assert browser.open(f"{url}/oauth2/sign_out",
                        headers=SIGN_OUT).status == 302
    assert stolen.open(f"{url}/").status == 302
    nginx.wait_until(lambda: redis.sessions() == [], "the session to go")


def test_use_lengthens_the_life(gateway, stored, redis):
    url = stored(cookie_idle="20s")
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    key, = redis.sessions()
    redis.ask("EXPIRE", key, "7")                    # as if time had passed

    def lengthened():
        assert browser.open(f"{url}/").status == 200
        return int(redis.ask("TTL", key)[0]) > 10

    nginx.wait_until(lengthened, "its time to be longer", 15, every=0.2)


def test_not_used_for_too_long(gateway, stored, redis):
    url = stored(cookie_idle="2s")
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    nginx.wait_until(lambda: redis.sessions() == [], "the end of it")

    nginx.wait_until(lambda: browser.open(f"{url}/").status == 302,
                     "a worker to know it", 5)


def test_auth_and_userinfo(gateway, stored):
    url = stored()
    browser = oidc.Browser(gateway)

    assert browser.open(f"{url}/oauth2/auth").status == 401
    browser.login(f"{url}/", "alice")
    for _ in range(4):                               # whatever the worker
        assert browser.open(f"{url}/oauth2/auth").status == 202
        assert browser.open(f"{url}/oauth2/userinfo").json()["user"] == "alice"


def test_two_gateways_share_a_session(gateway, two):
    url, there, other = two()
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")

    assert at(other, browser).open(f"{there}/").status == 200


def test_sign_out_at_one_gateway_is_known_at_the_other(gateway, two):
    url, there, other = two()
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    stolen = oidc.Browser(other)
    stolen.jar.cookies = dict(browser.jar.cookies)
    assert stolen.open(f"{there}/").status == 200    # it is kept there now

    assert browser.open(f"{url}/oauth2/sign_out",
                        headers=SIGN_OUT).status == 302
    nginx.wait_until(lambda: stolen.open(f"{there}/").status == 302,
                     "the other gateway to ask again", 20)


def test_revoked_by_what_is_in_redis_alone(gateway, two, redis):
    url, there, other = two()
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    key, = redis.sessions()
    value = redis.raw(key)
    stolen = oidc.Browser(other)
    stolen.jar.cookies = dict(browser.jar.cookies)

    assert browser.open(f"{url}/oauth2/sign_out",
                        headers=SIGN_OUT).status == 302
    nginx.wait_until(lambda: redis.sessions() == [], "the session to go")
    redis.ask("SET", key, data=value)                # written back by somebody

    assert stolen.open(f"{there}/").status == 302


def test_callback_works_once_over_all_gateways(gateway, two, op):
    url, there, other = two()
    browser = oidc.Browser(gateway)
    callback = browser.callback(f"{url}/", "alice")
    thief = oidc.Browser(other)
    thief.jar.cookies = dict(browser.jar.cookies)
    op.clear()

    assert browser.open(callback).status == 302
    assert thief.open(callback.replace(url, there)).status == 403
    assert op.counts()["/token"] == 1


def test_logout_token_works_once_over_all_gateways(gateway, two, op):
    url, there, other = two()
    host = urllib.parse.urlsplit(url).hostname
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    stolen = oidc.Browser(other)
    stolen.jar.cookies = dict(browser.jar.cookies)
    op.set(gateway={"port": gateway.plain, "host": host})
    page = browser.open(f"{op.issuer}/session/end?client_id=app-es")
    xsrf = page.text.partition('name="xsrf" value="')[2].partition('"')[0]
    browser.open(f"{op.issuer}/session/end/confirm", "POST",
                 f"xsrf={xsrf}&logout=yes".encode())
    nginx.wait_until(lambda: op.counts().get("backchannel 200"),
                     lambda: str(op.counts()))

    assert stolen.open(f"{there}/").status == 302
    answer = other.post("/oauth2/backchannel-logout", host=host, headers=[
        ("Content-Type", "application/x-www-form-urlencoded")],
        body=op.logout_token().encode())
    assert answer.status == 400


def test_one_refresh_for_all_gateways(gateway, two, op):
    op.set(ttl=4, delay=300)
    url, there, other = two(pass_access_token="true")
    browser = oidc.Browser(gateway)
    first = browser.login(f"{url}/", "alice")
    op.clear()
    here, away = (urls for urls in ((gateway, url), (other, there)))

    def ask(where):
        return at(where[0], browser).open(f"{where[1]}/")

    def token(page):
        return {k.lower(): v for k, v in page.echo["headers"]}[
            "x-forwarded-access-token"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        nginx.wait_until(
            lambda: all(p.status == 200 and token(p) != token(first)
                        for p in pool.map(ask, [here, away] * 4)),
            lambda: str(op.counts()), 20)
        op.set(ttl=300)
    assert op.counts()["refresh_token"] <= 2, op.counts()


def test_redis_stopped_and_started(gateway, stored, redis):
    url = stored()
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    old = oidc.Browser(gateway)
    old.jar.cookies = dict(browser.jar.cookies)
    late = oidc.Browser(gateway)
    callback = late.callback(f"{url}/", "bob")
    gateway.expect("torii: Redis .* is out of reach")
    gateway.expect("failed: provider_down")

    redis.kill()
    try:
        # who was here a moment ago, may still be known
        statuses = {browser.open(f"{url}/").status for _ in range(6)}
        assert statuses <= {200, 503}
        assert late.open(callback).status == 503
        assert oidc.Browser(gateway).open(f"{url}/").status == 302
        over = browser.open(f"{url}/oauth2/sign_out",
                            headers=SIGN_OUT).status
        assert over in (302, 503)       # 503: by a worker that knows nothing
    finally:
        redis.start()

    # a ticket for what has gone; a worker may know it for 15 s, unless it is
    # revoked
    assert over == 503 or old.open(f"{url}/").status == 302
    nginx.wait_until(lambda: old.open(f"{url}/").status == 302,
                     "the session's end", 20, every=0.2)
    assert oidc.Browser(gateway).login(f"{url}/", "alice").status == 200


def test_session_whose_redis_is_away(gateway, stored, redis):
    url = stored()
    browser = oidc.Browser(gateway)
    assert browser.open(browser.callback(f"{url}/", "alice")).status == 302
    gateway.expect("torii: Redis .* is out of reach")

    redis.kill()
    try:
        page = browser.open(f"{url}/")
        assert page.status == 503
        assert page.all("Set-Cookie") == []          # it is kept
    finally:
        redis.start()


def test_redis_that_hangs(gateway, stored, redis):
    url = stored()
    browser = oidc.Browser(gateway)
    assert browser.open(browser.callback(f"{url}/", "alice")).status == 302
    gateway.expect("torii: Redis .* is out of reach: there is no answer")

    redis.process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert browser.open(f"{url}/").status == 503
        assert time.monotonic() - began < 8
    finally:
        redis.process.send_signal(signal.SIGCONT)

    redis.forgiven()                   # what it answers late, is for nobody
    assert browser.open(f"{url}/").status == 200


def test_wrong_password(gateway, stored, redis):
    url = stored(redis_connection_url=f"redis://:wrong@127.0.0.1:{redis.port}")
    browser = oidc.Browser(gateway)
    gateway.expect("torii: Redis .* is out of reach: it refuses the password")
    gateway.expect("failed: provider_down")

    assert browser.open(browser.callback(f"{url}/", "alice")).status == 503
    assert "wrong" not in gateway.log()


def test_no_secret_in_the_log(gateway, stored, redis):
    url = stored()
    oidc.Browser(gateway).login(f"{url}/", "alice")

    assert redis_server.PASSWORD not in gateway.log()


@pytest.fixture
def secure(authority):
    server = redis_server.Redis(tls=authority.issue("localhost"))
    yield server
    server.stop()


def test_tls(gateway, stored, secure, authority):
    url = stored(redis_connection_url=secure.url, redis_ca=authority.pem)
    page = oidc.Browser(gateway).login(f"{url}/", "alice")

    assert page.status == 200 and len(secure.sessions()) == 1


@pytest.fixture
def hosts(monkeypatch, tmp_path):
    """hosts(text): /etc/hosts for those nginx that are started from now on."""
    def make(text):
        (tmp_path / "hosts").write_text(text)
        script = tmp_path / "nginx"
        script.write_text(f"""#!/bin/sh
            export PRELOAD="$LD_PRELOAD"
            unset LD_PRELOAD
            exec unshare --mount sh -c '
                mount --bind {tmp_path}/hosts /etc/hosts || exit 1
                [ -z "$PRELOAD" ] || export LD_PRELOAD="$PRELOAD"
                exec {nginx.BINARY} "$@"' sh "$@"
            """)
        script.chmod(0o755)
        monkeypatch.setattr(nginx, "BINARY", str(script))
    return make


def test_name_of_which_one_address_is_dead(start_gateway, hosts, echo,
                                           authority, op, redis):
    hosts("127.0.0.1 localhost\n::1 redis.test\n127.0.0.1 redis.test\n")
    gateway = start_gateway()
    host = "several.test"
    settings = op.settings("es", session_store_type="redis",
                           redis_connection_url=redis.url.replace(
                               "127.0.0.1", "redis.test"))
    gateway.apply("several", oidc.secret("several-login", settings),
                  manifest.route(host, echo[0], tls=authority.issue(host),
                                 annotations={"torii/oauth2":
                                              "several-login"}))
    url = f"https://{host}:{gateway.tls}"
    known(gateway, url)

    assert oidc.Browser(gateway).login(f"{url}/", "alice").status == 200


def test_tls_of_somebody_else(gateway, stored, secure):
    url = stored(redis_connection_url=secure.url)
    browser = oidc.Browser(gateway)
    gateway.expect("torii: Redis .* is out of reach: "
                   "(its certificate is not trusted|TLS does not come about)")
    gateway.expect("SSL_do_handshake|certificate verify failed")
    gateway.expect("failed: provider_down")

    assert browser.open(browser.callback(f"{url}/", "alice")).status == 503


def test_stream_ends_with_what_is_stored(gateway, argo, authority, op, redis):
    host = "events.test"
    settings = op.settings("es", session_store_type="redis",
                           redis_connection_url=redis.url)
    gateway.apply("events", oidc.secret("events-login", settings),
                  manifest.route(host, argo.address, tls=authority.issue(host),
                                 annotations={"torii/oauth2": "events-login"}))
    url = f"https://{host}:{gateway.tls}"
    known(gateway, url)
    browser = oidc.Browser(gateway)
    assert browser.open(browser.callback(f"{url}/", "alice")).status == 302

    with gateway.connect(tls=True, sni=host) as sock:
        sock.sendall((f"GET /events?count=100000&pause=50 HTTP/1.1\r\n"
                      f"Host: {host}\r\n"
                      f"Cookie: {browser.jar.line(host, '/')}\r\n\r\n"
                      ).encode())
        assert sock.recv(4096).startswith(b"HTTP/1.1 200")
        redis.clear()
        sock.settimeout(10)
        while sock.recv(4096):
            pass


def test_reload(gateway, stored):
    url = stored()
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "alice")
    old = gateway.worker_pids()
    gateway.reload()
    nginx.wait_until(lambda: not set(old) & set(nginx.children(gateway.pid)),
                     "the old workers to end")

    assert browser.open(f"{url}/").status == 200
    assert "open socket" not in gateway.log()
