"""
What is told of logins: findings, figures, and lines of logs.
"""

import json
import re

import pytest

import authserver
import manifest
import nginx
import oidc
from logins import as_new, op, site, site_of      # noqa: fixtures
from test_login_gate import API, host_of, logged_in


GATEWAY = dict(workers=2, http="""
    log_format auth '$host [$torii_auth_status] [$torii_auth_reason] '
                    '[$torii_auth_user]';
    access_log @dir@/auth.log auth;""")


@pytest.fixture(scope="module")
def auth():
    server = authserver.AuthServer()
    yield server
    server.stop()


def figures(gateway):
    return dict(re.findall(r"^(torii_\S+(?:{.*})?) (\S+)$",
                           gateway.admin_get("/metrics").text, re.M))


def lines(gateway, host):
    return [line.split(" ", 1)[1]
            for line in (gateway.dir / "auth.log").read_text().splitlines()
            if line.startswith(f"{host} ")]


def test_finding_about_a_setting_tells_no_value(gateway, echo, op):
    value = "hush-hush-hush"
    route = manifest.route("wrong.test", echo[0],
                           annotations={"torii/oauth2": "wrong-login"})
    gateway.apply("wrong", oidc.secret("wrong-login", {
        **op.settings(), "cookie-sekret": value}), route)
    found = gateway.wait_finding(reason="LoginSetting")
    assert (found["object"]["kind"], found["object"]["name"]) == (
        "Secret", "wrong-login")
    assert found["field"] == "cookie-sekret"
    assert "cookie-secret" in found["message"]
    assert value not in gateway.admin_get("/api/findings").text
    gateway.expect("cookie-sekret|LoginSetting")

    # and is gone with its cause
    gateway.apply("wrong", oidc.secret("wrong-login", op.settings()), route)
    nginx.wait_until(lambda: not [f for f in gateway.findings()
                                  if f["reason"] == "LoginSetting"],
                     gateway.report)


def test_figures_by_provider_and_reason(gateway, site, op):
    url = site(host="figures.test", name="figures",
               annotations={"torii/oauth2-allowed-groups": "admins"})
    browser = oidc.Browser(gateway)
    browser.login(f"{url}/", "admin-ann")
    browser.open(f"{url}/", headers=API)
    browser.open(f"{url}/", headers=API)
    oidc.Browser(gateway).login(f"{url}/", "bob")
    oidc.Browser(gateway).open(f"{url}/", headers=API)
    oidc.Browser(gateway).open(f"{url}/oauth2/callback?code=1&state=2")

    of = 'provider="default/figures-login"'
    seen = figures(gateway)
    at = lambda name, more: int(seen[f"torii_{name}{{{of},{more}}}"])
    assert at("login_results_total", 'result="done",reason="ok"') == 2
    assert at("login_results_total", 'result="failed",reason="state"') == 1
    assert at("login_denials_total", 'reason="denied_group"') == 1
    assert at("login_denials_total", 'reason="session_none"') >= 3
    assert at("login_cookies_total", 'result="ok"') >= 3
    assert at("login_sessions_cached_total", 'result="miss"') >= 1
    assert int(seen[f"torii_login_provider_requests_total{{{of}}}"]) >= 2
    assert float(seen[f"torii_login_provider_seconds_total{{{of}}}"]) < 60

    page = json.loads(gateway.admin_get("/api/sessions").text)
    mine, = [p for p in page["providers"]
             if p["name"] == "default/figures-login"]
    assert mine["results_total"]["ok"] == 2
    assert "ann" not in str(page)


def test_figures_of_servers_that_are_asked(gateway, echo, auth):
    before = figures(gateway)
    gateway.serve("asked.test", echo[0], annotations=manifest.annotate(
        {"auth-url": auth.url("/f")}))
    for status in (200, 200, 403, 401, 500):
        auth.set("/f", status)
        gateway.get("/", "asked.test")

    seen = figures(gateway)
    more = [int(seen[f'torii_auth_requests_total{{result="{r}"}}'])
            - int(before[f'torii_auth_requests_total{{result="{r}"}}'])
            for r in ("allowed", "denied", "failed", "cached")]
    assert more == [2, 2, 1, 0]
    assert int(seen["torii_auth_questions_total"]) \
        - int(before["torii_auth_questions_total"]) == 5
    gateway.expect("answered 500")


def test_lines_of_logs(gateway, site):
    host = "lines.test"
    url = site(host=host, name="lines", skip_auth_route="^/open$",
               annotations={"torii/oauth2-allowed-groups": "devs",
                            "torii/oauth2-write-groups": "admins"})
    start = len(lines(gateway, host))
    browser = logged_in(gateway, url)
    browser.open(f"{url}/", headers=API)
    browser.open(f"{url}/", "POST", headers=API)
    oidc.Browser(gateway).open(f"{url}/", headers=API)
    oidc.Browser(gateway).open(f"{url}/open")

    for wanted in ("[ok] [-] [alice]", "[deny] [denied_group] [alice]",
                   "[anon] [session_none] [-]", "[skip] [-] [-]"):
        nginx.wait_until(lambda: wanted in lines(gateway, host)[start:],
                         lambda: f"{wanted}: {lines(gateway, host)[start:]}")

    browser.open(f"{url}/oauth2/sign_out", "POST",
                 headers=[("Origin", url)], body=b"")
    for what in ("logged in", "denied", "logged out"):
        gateway.wait_log(f'user "alice" {what}, login provider '
                         '"default/lines-login"')
