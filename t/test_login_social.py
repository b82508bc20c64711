"""Logins by GitHub Enterprise, GitLab and Google: strict stand-ins."""

import itertools

import pytest

import idp
import manifest
import oidc
from logins import known


GATEWAY = dict(workers=1)

serial = itertools.count(1)

OCTO = dict(id=583231, login="octo", name="Mona",
            emails=[{"email": "old@example.test", "primary": False,
                     "verified": True},
                    {"email": "mona@example.test", "primary": True,
                     "verified": True}])
LAB = dict(sub="7", email="lab@example.test", email_verified=True,
           preferred_username="labrador")
GOO = dict(sub="110169484474386276334", email="goo@corp.test",
           email_verified=True)


@pytest.fixture(scope="module")
def service():
    made = idp.Social()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def strict(service):
    """Nothing may be asked that a strict service would not have taken."""
    service.clear()
    yield
    assert service.wrong() == []


@pytest.fixture(scope="module")
def made():
    return {}


@pytest.fixture
def site(gateway, echo, authority, service, made):
    """site("github", options) is the URL of a host with a login, the same one
    for the same options."""
    def make(provider, **options):
        key = (provider, *sorted(options.items()))
        if key not in made:
            made[key] = add(provider, options)
        return made[key]

    def add(provider, options):
        host = f"{provider}{next(serial)}.test"
        name = manifest.label(host)
        gateway.apply(name, oidc.secret(f"{name}-login", service.settings(
                          provider, f"{service.base}/{provider}", **options)),
                      manifest.route(host, echo[0], name=name,
                                     tls=authority.issue(host),
                                     annotations={"torii/oauth2":
                                                  f"{name}-login"}))
        url = f"https://{host}:{gateway.tls}"
        known(gateway, url)
        return url
    return make


def login(gateway, url, service, **person):
    service.set(person=person)
    browser = oidc.Browser(gateway)
    page = browser.get(f"{url}/deep?x=1")
    there = idp.cookies(browser, url)
    assert bool(there) == (page.status == 200), (page, there)
    return page


def sent(page, name):
    return dict((k.lower(), v) for k, v in page.echo["headers"]).get(name)


def test_github_user(gateway, site, service):
    page = login(gateway, site("github", github_user="Octo"), service, **OCTO)

    assert page.status == 200 and page.url.endswith("/deep?x=1")
    assert sent(page, "x-forwarded-user") == "octo"
    assert sent(page, "x-forwarded-email") == "mona@example.test"
    assert sent(page, "x-forwarded-preferred-username") == "octo"
    assert "/github/api/v3/user/orgs" not in service.counts()


@pytest.mark.parametrize("options, person, status", [
    ({"github_user": "mona"}, {}, 403),
    ({"github_org": "corp"}, {"orgs": ["Corp"]}, 200),
    ({"github_org": "corp"}, {"orgs": ["corpse"]}, 403),
    ({"github_org": "corp"}, {}, 403),
    ({"github_team": "corp:devs"}, {"teams": ["corp:devs"]}, 200),
    ({"github_team": "corp:devs"}, {"teams": ["evil:devs"]}, 403),
    ({"github_team": "corp:devs"}, {"orgs": ["corp"]}, 403),
    ({"github_org": "corp", "github_team": "devs"},
     {"orgs": ["corp"], "teams": ["corp:devs"]}, 200),
    ({"github_org": "corp", "github_team": "devs"},
     {"orgs": ["corp"], "teams": ["evil:devs"]}, 403),
    ({"github_org": "corp", "github_user": "octo"}, {}, 200),
    ({"allowed_group": "corp:devs"}, {"teams": ["corp:devs"]}, 200),
    ({"allowed_group": "corp"}, {"orgs": ["corp"]}, 200),
    ({"allowed_group": "corp"}, {"orgs": ["other"]}, 403),
    ({"email_domain": "example.test"}, {}, 200),
    ({"email_domain": "other.test"}, {}, 403)])
def test_github_members(gateway, site, service, options, person, status):
    page = login(gateway, site("github", **options), service,
                 **dict(OCTO, **person))
    assert page.status == status, page


@pytest.mark.parametrize("emails", [
    [], [{"email": "a@example.test", "primary": True, "verified": False}],
    [{"email": "a@example.test", "primary": False, "verified": True}]])
def test_github_without_a_verified_address(gateway, site, service, emails):
    page = login(gateway, site("github", email_domain="example.test"), service,
                 **dict(OCTO, emails=emails))
    assert page.status == 403


def test_github_pages(gateway, site, service):
    url = site("github", github_team="last:team", github_org="last")
    teams = [f"org{i}:team" for i in range(149)] + ["last:team"]
    page = login(gateway, url, service, **dict(OCTO, teams=teams))

    assert page.status == 200
    assert service.counts()["/github/api/v3/user/teams"] == 4


def test_github_pages_have_an_end(gateway, site, service):
    url = site("github", github_team="last:team")
    teams = [f"org{i}:team" for i in range(2000)]
    page = login(gateway, url, service, **dict(OCTO, teams=teams))

    assert page.status == 403
    assert service.counts()["/github/api/v3/user/teams"] == 20


def test_all_groups_when_they_are_asked_for(gateway, site, service):
    url = site("github", github_org="corp", pass_all_groups="true")
    page = login(gateway, url, service,
                 **dict(OCTO, orgs=["corp", "club"], teams=["corp:devs"]))

    assert sent(page, "x-forwarded-groups") == "corp,club,corp:devs"


def test_github_error_by_200(gateway, site, service):
    url = site("github", github_user="octo")
    page = login(gateway, url, service, **dict(OCTO, denied=True))

    assert page.status in (403, 502)
    assert "bad_verification_code" not in page.text
    assert "/github/api/v3/user" not in service.counts()


USER = "/github/api/v3/user"
TOKEN = "/github/login/oauth/access_token"


@pytest.mark.parametrize("path, fault, status", [
    (USER, {"status": 503}, 503), (USER, {"status": 429}, 503),
    (USER, {"cut": True, "body": '{"login":'}, 503),
    (USER, {"type": "text/html", "body": "<h1>Unicorn!</h1>"}, 502),
    (USER, {"status": 403, "body": {"message": "rate limit"}}, 502),
    (USER, {"size": 3000000}, 502), (USER, {"body": {"login": "octo"}}, 502),
    (USER, {"body": {"id": "583231", "login": "octo"}}, 502),
    (USER, {"body": '{"id": 1, "login": "mona", "login": "octo"}'}, 502),
    (f"{USER}/emails", {"body": {"email": "a@example.test"}}, 502),
    (f"{USER}/orgs", {"type": "text/html", "body": "<html>"}, 502),
    (f"{USER}/orgs", {"status": 500}, 503),
    (f"{USER}/orgs", {"status": 404, "body": {"message": "no"}}, 502),
    (TOKEN, {"status": 500}, 503), (TOKEN, {"size": 3000000}, 502),
    (TOKEN, {"type": "text/html", "body": "<h1>Hello</h1>"}, 502),
    (TOKEN, {"body": {"token_type": "bearer"}}, 502),
    (TOKEN, {"body": {"access_token": "a\nb", "token_type": "bearer"}}, 502),
    (TOKEN, {"body": {"access_token": "x", "token_type": "mac"}}, 502)])
def test_github_api_that_fails(gateway, site, service, path, fault, status):
    url = site("github", github_org="corp")
    service.set(faults={path: fault})
    page = login(gateway, url, service, **dict(OCTO, orgs=["corp"]))

    assert page.status == status, page


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_token_endpoint_is_not_followed(gateway, site, service, status):
    url = site("github", github_user="octo")
    service.set(faults={TOKEN: {"status": status, "headers": {
        "Location": f"{service.base}/github/elsewhere"}}})
    page = login(gateway, url, service, **OCTO)

    assert page.status in (502, 503)
    assert "/github/elsewhere" not in service.counts()


def test_api_is_not_followed(gateway, site, service):
    url = site("github", github_user="octo")
    service.set(faults={USER: {"status": 302, "headers": {
        "Location": f"{service.base}/github/elsewhere"}}})
    page = login(gateway, url, service, **OCTO)

    assert page.status in (502, 503)
    assert "/github/elsewhere" not in service.counts()


def project(level, **more):
    return {"projects": {"corp/app": dict(level=level, **more)}}


@pytest.mark.parametrize("options, person, status", [
    ({"gitlab_group": "corp/sub"}, {"groups": ["corp/sub"]}, 200),
    ({"gitlab_group": "corp"}, {"groups": ["corp/sub"]}, 403),
    ({"gitlab_group": "corp"}, {}, 403),
    ({"gitlab_project": "corp/app"}, project(20), 200),
    ({"gitlab_project": "corp/app"}, project(10), 403),
    ({"gitlab_project": "corp/app=40"}, project(30), 403),
    ({"gitlab_project": "corp/app=40"}, project(40), 200),
    ({"gitlab_project": "corp/app=40"}, project(40, inherited=True), 200),
    ({"gitlab_project": "corp/app"}, project(50, archived=True), 403),
    ({"gitlab_project": "corp/app"}, {}, 403),
    ({"gitlab_project": "corp/other,corp/app"}, project(20), 200),
    ({"gitlab_project": "corp/app"}, {"groups": ["project:corp/app"]}, 403),
    ({"gitlab_group": "corp", "gitlab_project": "corp/app"},
     project(20), 200)])
def test_gitlab(gateway, site, service, options, person, status):
    page = login(gateway, site("gitlab", **options), service,
                 **dict(LAB, **person))
    assert page.status == status, page


def test_gitlab_api_that_is_down(gateway, site, service):
    url = site("gitlab", gitlab_project="corp/app")
    service.set(faults={"/api/v4/projects/corp%2Fapp": {"status": 502},
                        "/gitlab/api/v4/projects/corp%2Fapp":
                        {"status": 502}})
    page = login(gateway, url, service, **dict(LAB, **project(50)))

    assert page.status == 503


@pytest.mark.parametrize("hd, status", [
    ("corp.test", 200), ("CORP.test", 200), ("evil.test", 403), (None, 403),
    ("corp.test.evil.test", 403), (["corp.test"], 403)])
def test_google_hosted_domain(gateway, site, service, hd, status):
    url = site("google", google_hosted_domain="corp.test")
    person = dict(GOO, hd=hd) if hd else GOO
    page = login(gateway, url, service, **person)

    assert page.status == status, page
    assert service.asked() == "corp.test"


def test_google_of_several_domains(gateway, site, service):
    url = site("google", google_hosted_domain="corp.test,club.test")

    assert login(gateway, url, service,
                 **dict(GOO, hd="club.test")).status == 200
    assert service.asked() == "*"
