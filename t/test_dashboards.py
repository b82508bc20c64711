"""
Dashboards behind a login, by a real browser: the objects of deploy/examples.
"""

import base64
import hashlib
import hmac
import secrets
import urllib.parse

import pytest

import authserver
import browsing
import dashboards
import manifest
import nginx
import oidc
import registry as registries


GATEWAY = dict(workers=2)

SHAPES = list(dashboards.PAGES)

API = (("Accept", "application/json"),)


@pytest.fixture(scope="module")
def op():
    provider = oidc.Provider()
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def chromium(op):
    browser = browsing.Browser(op.issuer)
    yield browser
    browser.stop()


@pytest.fixture
def person(chromium):
    """Somebody at a browser of his own."""
    made = chromium.person()
    yield made
    made.close()


@pytest.fixture(scope="module")
def registry():
    made = registries.Registry()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def harbor(registry):
    made = dashboards.Harbor(registry)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def tekton():
    made = dashboards.Tekton()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def triggers():
    made = dashboards.Triggers()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def backends(harbor, argo_server, tekton, triggers):
    return {"harbor-portal": harbor.portal, "harbor-core": harbor.core,
            "argocd-server": argo_server.address,
            "tekton-dashboard": tekton.address, "el-hooks": triggers.address}


@pytest.fixture(scope="module")
def serve(gateway, backends, authority):
    """serve(example, host, change): the URL that it is served at."""
    def apply(name, host=None, change=None):
        gateway.apply(manifest.label(host or name), dashboards.objects(
            name, backends, authority, host, change))
        return f"https://{host or dashboards.host_of(name)}:{gateway.tls}"
    return apply


@pytest.fixture(scope="module")
def sites(gateway, serve, op):
    """URLs of the examples as they are: {name: URL}."""
    gateway.apply("provider", dashboards.provider(op))
    urls = {name: serve(name) for name in SHAPES}
    url = urls["argocd"]
    nginx.wait_until(
        lambda: oidc.Browser(gateway).open(f"{url}/oauth2/start").status
        == 302, lambda: gateway.report())
    return urls


def ask(gateway, url, target, method="GET", headers=API, body=None):
    """A request of a program that has no session."""
    host = urllib.parse.urlsplit(url).netloc
    return gateway.request(method, target, host, tls=True, body=body,
                           headers=headers)


def test_objects_of_the_examples_are_sound(sites, gateway):
    assert [f for f in gateway.findings()
            if f["severity"] in ("error", "warning")] == []


# Logins

@pytest.mark.parametrize("shape", SHAPES)
def test_login_leads_to_the_page_first_asked_for(sites, person, shape):
    target, text = dashboards.PAGES[shape]
    page = person.login(sites[shape] + target, "alice")

    assert page.status == 200, page
    assert page.url == sites[shape] + target
    assert text in page.text


@pytest.mark.parametrize("shape", SHAPES)
def test_objects_for_oauth2_proxy_work_as_they_are(sites, serve, person,
                                                   shape):
    url = serve(shape, f"old-{shape}.test", dashboards.as_for_oauth2_proxy())
    target, text = dashboards.PAGES[shape]
    page = person.login(url + target, "alice")

    assert (page.status, page.url) == (200, url + target), page
    assert text in page.text

    # and its rules about groups
    other = person.browser.person()
    assert other.login(url + target, "guest").status == 403
    other.close()


@pytest.mark.parametrize("shape", SHAPES)
def test_who_is_not_of_the_group_is_told_so(sites, person, shape):
    target, text = dashboards.PAGES[shape]
    page = person.login(sites[shape] + target, "guest")

    assert page.status == 403 and text not in page.text
    assert page.url.startswith(sites[shape])
    assert person.open(sites[shape] + target).status == 403     # and no loop


@pytest.fixture(scope="module")
def auth():
    server = authserver.AuthServer()
    yield server
    server.stop()


@pytest.mark.parametrize("shape", SHAPES)
def test_login_at_a_server_of_somebody_else(serve, person, auth, shape):
    url = serve(shape, f"third-{shape}.test", dashboards.instead(
        auth_url=auth.url(f"/verify/{shape}"),
        auth_signin=auth.url("/signin"),
        auth_response_headers="X-Auth-Request-Email"))
    target, text = dashboards.PAGES[shape]
    auth.set(f"/verify/{shape}", 401)
    auth.set("/signin", 200, body="who are you?")

    page = person.open(url + target)
    assert page.text == "who are you?"
    back, = urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query)["rd"]
    assert back == url + target

    auth.set(f"/verify/{shape}", 200,
             [("X-Auth-Request-Email", "carol@third.test")])
    page = person.open(back)
    assert page.status == 200 and text in page.text

    auth.set(f"/verify/{shape}", 403)
    assert person.open(back).status == 403


def test_two_tabs_each_come_home(sites, op, person):
    url, tab = sites["argocd"], person.tab()

    assert person.open(f"{url}/one").url.startswith(op.issuer)
    assert tab.open(f"{url}/two").url.startswith(op.issuer)
    assert person.enter("alice").url == f"{url}/one"
    page = tab.enter("alice")
    assert (page.status, page.url) == (200, f"{url}/two")


# What a session lives through, and its end

@pytest.fixture(params=["by name", "by auth-url"])
def site(request, sites, serve):
    """The dashboard by either way of asking for a login."""
    if request.param == "by name":
        return sites["tekton-dashboard"]
    return serve("tekton-dashboard", "old-tekton.test",
                 dashboards.as_for_oauth2_proxy())


def test_session_survives(site, gateway, echo, op, person):
    url = site + "/pipelineruns"
    gateway.apply("provider", dashboards.provider(op))
    person.login(url, "alice")

    def inside():
        page = person.open(url)
        return (page.status == 200 and page.url == url and
                '"user":"alice"' in person.fetch("/oauth2/userinfo")[1])

    gateway.reload()
    assert inside()

    gateway.serve(f"{secrets.token_hex(4)}.test", echo[0])
    assert inside()

    old, new = oidc.COOKIE_SECRET, secrets.token_hex(20)
    gateway.apply("provider", dashboards.provider(
        op, cookie_secret=f"{new}\n{old}"))
    assert inside()

    # his was sealed by the old one
    gateway.apply("provider", dashboards.provider(op, cookie_secret=new))
    assert person.run(PROGRAM) == 401
    assert person.login(url, "nobody").url == url   # the provider knows him
    assert inside()


@pytest.mark.parametrize("shape", SHAPES)
def test_session_of_each_shape_lives_on_and_ends(gateway, sites, echo, op,
                                                 person, shape):
    target, text = dashboards.PAGES[shape]
    url = sites[shape] + target
    gateway.apply("provider", dashboards.provider(op))
    person.login(url, "alice")

    def inside():
        page = person.open(url)
        return (page.status, page.url) == (200, url) and text in page.text

    gateway.reload()
    assert inside()

    gateway.serve(f"{secrets.token_hex(4)}.test", echo[0])
    assert inside()

    gateway.apply("provider", dashboards.provider(
        op, cookie_secret=f"{secrets.token_hex(20)}\n{oidc.COOKIE_SECRET}"))
    assert inside()

    person.open(sites[shape] + "/oauth2/sign_out")
    assert not inside()


PROGRAM = """
    return (await fetch('/x', { headers: { Accept: 'application/json' } })
            ).status"""


WATCH = """
    window.watch = new WebSocket(`wss://${location.host}%s`);
    window.over = '';
    watch.onclose = (e) => { window.over = 'closed ' + e.code; };
    return await new Promise((done) => {
        watch.onmessage = (e) => done(e.data);
        watch.onerror = () => done('error');
        %s
    });"""


def test_logout_ends_it_in_all_tabs(site, op, tekton, person, chromium):
    url = site + "/pipelineruns"
    person.login(url, "alice")
    tekton.events()

    assert "ADDED" in person.run(WATCH % ("/apis/x?watch=true", ""))
    person.run("""
        const log = await fetch('/api/v1/namespaces/a/pods/b/log?follow=true');
        log.text().catch(() => {}).then(() => { window.logged = true; });""")

    stranger = chromium.person()
    stranger.login(url, "bob")

    tab = person.tab()
    assert tab.open(url).status == 200              # without a login
    page = tab.open(f"{site}/oauth2/sign_out")
    assert "session/end" in page.url                # the provider's, too
    tab.click("button[value=yes]")

    person.wait("window.over && window.logged")
    tekton.wait_closed("log", "watch")
    assert person.run(PROGRAM) == 401
    assert person.open(url).url.startswith(op.issuer)   # its form is shown
    assert stranger.open(url).status == 200
    stranger.close()


def test_cookie_is_a_host_cookie(sites, person):
    person.login(sites["harbor"] + "/", "alice")
    ours = {name: c for name, c in person.cookies().items()
            if c["domain"] == "harbor.test"}
    (name, cookie), = ours.items()

    assert name.startswith("__Host-")
    assert cookie["secure"] and cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax" and cookie["path"] == "/"
    assert person.run("return document.cookie") == ""


# Harbor

def test_harbor_page_uses_the_api(sites, person):
    person.login(sites["harbor"] + "/harbor/projects", "alice")
    person.wait("document.querySelector('#who').textContent"
                " == 'alice@example.test'")


def test_harbor_registry_is_not_sent_to_a_login(gateway, sites):
    url = sites["harbor"]
    host = urllib.parse.urlsplit(url).netloc
    answer = ask(gateway, url, "/v2/", headers=oidc.Browser.NAVIGATE)

    assert answer.status == 401
    assert answer.header("WWW-Authenticate").startswith(
        f'Bearer realm="https://{host}/service/token"')
    assert ask(gateway, url, "/service/token").status == 401


def test_harbor_api_is_for_robots_too(gateway, sites):
    url = sites["harbor"]
    target = "/api/v2.0/users/current"

    assert gateway.get(target, "harbor.test", tls=True,
                       headers=[basic()]).json()["username"] == "robot"
    assert ask(gateway, url, target).status == 401
    # who says so himself is nobody
    answer = gateway.get(target, "harbor.test", tls=True, headers=[
        *API, ("X-Auth-Request-Email", "root@example.test")])
    assert answer.status == 401


@pytest.mark.parametrize("target", ["/service/notifications/jobs/1",
                                    "/api/internal/x"])
def test_harbor_keeps_its_inside_to_itself(gateway, sites, target):
    assert ask(gateway, sites["harbor"], target).status == 403


def test_harbor_images_are_pushed_and_pulled(gateway, sites, serve, authority,
                                             person, tmp_path):
    serve("harbor", "localhost")
    image = registries.Image(3)
    there = f"docker://localhost:{gateway.tls}/library/x:1"
    by = f"robot:{dashboards.ROBOT}"

    try:
        pushed = registries.skopeo(f"oci:{image.dir}", there, authority.pem,
                                   tmp_path, "--dest-creds", by)
        assert pushed.returncode == 0, pushed.stderr
        pulled = registries.skopeo(there, f"dir:{tmp_path}/back",
                                   authority.pem, tmp_path,
                                   "--src-creds", by)
        assert pulled.returncode == 0, pulled.stderr
        assert set(image.digests) <= registries.contents(tmp_path / "back")

        refused = registries.skopeo(f"oci:{image.dir}", there, authority.pem,
                                    tmp_path, "--dest-creds", "robot:wrong")
        assert refused.returncode != 0
    finally:
        image.remove()

    assert gateway.get("/", "localhost", tls=True,
                       headers=oidc.Browser.NAVIGATE).status == 302


def basic():
    text = base64.b64encode(f"robot:{dashboards.ROBOT}".encode()).decode()
    return "Authorization", f"Basic {text}"


# Argo CD

def test_argocd_streams_and_terminal(sites, person, argo):
    person.login(sites["argocd"] + "/applications", "alice")

    assert person.run("""
        const seen = [];
        const source = new EventSource('/events?count=3&pause=20');
        return await new Promise((done) => {
            source.onmessage = (e) => {
                seen.push(e.data);
                if (seen.length == 3) { source.close(); done(seen); }
            };
            source.onerror = () => done('error');
        });""") == ["event 0", "event 1", "event 2"]

    assert person.run(WATCH % (
        "/terminal", "watch.onopen = () => watch.send('ls');")) == "ls"


def rpc(gateway, url, path):
    """grpc-status of a call with a token of Argo CD's."""
    host = urllib.parse.urlsplit(url).netloc
    with gateway.http2(sni=host.split(":")[0]) as c:
        answer = c.request("POST", path, host, body=b"\0\0\0\0\0", headers=[
            ("content-type", "application/grpc"), ("te", "trailers"),
            ("authorization", "Bearer argo")])
    return dict(answer.headers + answer.trailers)["grpc-status"]


@pytest.mark.parametrize("path, status", [
    ("/application.ApplicationService/List", "12"),     # Argo CD's to answer
    ("/version.VersionService/Version", "12"),
    ("/x/application.ApplicationService/List", "16"),   # ours
    ("/application.ApplicationService/List/x", "16"),
    ("/api/v1/applications", "16")])
def test_argocd_command_line_brings_its_own_token(gateway, sites, path,
                                                  status):
    assert rpc(gateway, sites["argocd"], path) == status


def test_argocd_methods_are_posted(gateway, sites):
    path = "/application.ApplicationService/List"

    assert ask(gateway, sites["argocd"], path).status == 401
    assert ask(gateway, sites["argocd"], path, "POST", body=b"").status != 401


def test_argocd_webhook_and_dex_are_open(gateway, sites):
    url = sites["argocd"]

    for method, target in (("POST", "/api/webhook"), ("GET", "/api/dex/keys")):
        answer = ask(gateway, url, target, method,
                     headers=[*API, ("X-Auth-Request-User", "root")],
                     body=b"{}" if method == "POST" else None)
        assert answer.status == 200 and answer.json()["target"] == target
        assert "x-auth-request-user" not in answer.json()["headers"]

    assert ask(gateway, url, "/api/webhook/x").status == 401
    assert ask(gateway, url, "/api/v1/session").status == 401


# Tekton

@pytest.mark.parametrize("name, status", [("alice", 403), ("admin-ann", 201)])
def test_tekton_writers(sites, person, name, status):
    url = sites["tekton-dashboard"]
    person.login(url + "/pipelineruns", name)
    person.wait("document.querySelector('#runs').textContent == '3'")

    assert person.fetch("/apis/tekton.dev/v1/namespaces/a/pipelineruns",
                        "POST", {"Tekton-Client": "x"})[0] == status


def test_tekton_tells_programs_in_their_words(gateway, sites):
    url = sites["tekton-dashboard"]
    answer = ask(gateway, url, "/apis/tekton.dev/v1/pipelineruns")

    assert answer.status == 401
    assert answer.header("Content-Type") == "application/json"
    assert answer.all("Set-Cookie") == []


def test_tekton_is_not_watched_by_pages_of_others(sites, person):
    person.login(sites["tekton-dashboard"] + "/", "alice")
    person.login(sites["argocd"] + "/", "alice")
    there = urllib.parse.urlsplit(sites["tekton-dashboard"]).netloc

    assert person.run(f"""
        const ws = new WebSocket('wss://{there}/apis/x?watch=true');
        return await new Promise((done) => {{
            ws.onmessage = () => done('watched');
            ws.onerror = () => done('refused');
        }});""") == "refused"


def hook(gateway, url, body, signature, target="/github"):
    return ask(gateway, url, target, "POST", body=body, headers=[
        ("Content-Type", "application/json"),
        ("X-Hub-Signature-256", signature), ("X-Auth-Request-User", "root")])


def test_triggers_take_signed_hooks_and_no_others(gateway, sites, triggers):
    url, body = sites["tekton-triggers"], b'{"ref": "main"}'
    right = "sha256=" + hmac.new(dashboards.HOOK.encode(), body,
                                 hashlib.sha256).hexdigest()
    triggers.runs()

    assert hook(gateway, url, body, right).status == 202
    assert triggers.runs() == [{"target": "/github", "bytes": len(body)}]

    assert hook(gateway, url, body, "sha256=0").status == 401
    for target in ("/", "/other", "/github/", "/github/../other", "//github",
                   "/%67ithub%2f", "/GitHub"):
        assert hook(gateway, url, body, right, target).status == 401, target
    assert hook(gateway, url, b"x" * (11 << 20), right).status == 413
    assert triggers.runs() == []
    assert ask(gateway, url, "/github").status == 401


@pytest.mark.parametrize("name, status", [("alice", 403), ("admin-ann", 202)])
def test_triggers_by_hand(sites, person, triggers, name, status):
    person.login(sites["tekton-triggers"] + "/live", name)
    triggers.runs()

    assert person.fetch("/try", "POST", body="'{}'")[0] == status
    assert [r["by"] for r in triggers.runs()] == (
        [name] if status == 202 else [])
