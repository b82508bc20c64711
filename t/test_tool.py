"""
The command-line tool, run as its users run it: over files, for their eyes and
for programs.
"""

import collections
import json
import os
import subprocess

import pytest
import yaml

import gateway
import manifest
from manifest import Address, ingress, path, rule, service


TORII = gateway.OBJS.resolve() / "torii"

Ran = collections.namedtuple("Ran", "code out err")


def torii(*args, stdin=None):
    done = subprocess.run([TORII, *map(str, args)], input=stdin, text=True,
                          capture_output=True, timeout=60)
    return Ran(done.returncode, done.stdout, done.stderr)


class Folder:
    """A folder of objects that the tool is run over."""

    def __init__(self, path):
        self.path = path

    def write(self, *objects, name="all.yaml"):
        text = objects[0] if isinstance(objects[0], str) else \
            yaml.safe_dump_all(objects)
        (self.path / name).write_text(text)
        return self

    def check(self, *args):
        return torii("check", self.path, *args)

    def reasons(self, *args):
        found = json.loads(self.check("--json", *args).out)
        return sorted(f["reason"] for f in found)

    def explain(self, *request):
        """The text as a dictionary of its lines, and the exit code."""
        ran = torii("explain", *request, "--manifests", self.path)
        facts = dict(line.split(None, 1) for line in ran.out.splitlines()
                     if " " in line.strip())
        facts["code"] = ran.code
        return facts

    def explain_json(self, *request):
        ran = torii("explain", *request, "--manifests", self.path, "--json")
        return json.loads(ran.out)


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def shop(*paths, **more):
    """An Ingress of shop.example whose Service has two endpoints."""
    return [ingress("shop", rule("shop.example", *(paths or [path()])), **more),
            *manifest.backend("echo", Address("10.0.0.1", 8080),
                              Address("10.0.0.2", 8080))]


# The command line


@pytest.mark.parametrize("args, code, said", [
    ([], 2, "usage"),
    (["nonsense"], 2, "no command \"nonsense\""),
    (["check"], 2, "no file or folder"),
    (["check", "/nonexistent"], 2, "No such file"),
    (["check", "--nonsense", "/tmp"], 2, "usage: torii check"),
    (["explain"], 2, "usage: torii explain"),
    (["explain", "a.example", "foo", "--table", "x"], 2, "starts with \"/\""),
    (["explain", "a.example/a", "/b", "--table", "x"], 2, "two paths"),
    (["explain", "ftp://a.example/"], 2, "neither http nor https"),
    (["explain", "a.example", "/%0", "--table", "x"], 2, "hexadecimal"),
    (["explain", "a.example", "/../x", "--table", "x"], 2, "leads above"),
    (["explain", "a.example", "--table", "/nonexistent"], 2, "No such file"),
    (["explain", "a.example", "--state", "/nonexistent"], 2, "--manifests"),
    (["explain", "a.example", "--table", "x", "--state", "y"], 2, "one of"),
    (["explain", "a.example", "--table", "x", "--class", "y"], 2, "go with"),
    (["explain", "a.example", "--table", "x", "-l", "y"], 2, "go with"),
    (["check", ".", "--selector", "a b"], 2, "is no selector of labels"),
    (["annotations", "no-such-name"], 1, "no name has \"no-such-name\""),
    (["help", "nonsense"], 2, "no command \"nonsense\""),
])
def test_wrong_use_is_told_on_stderr(args, code, said):
    ran = torii(*args)
    assert ran.code == code and said in ran.err and not ran.out.strip("[] \n")


@pytest.mark.parametrize("args", [
    ["help"], ["--help"], ["help", "check"], ["check", "--help"],
    ["explain", "-h"], ["help", "annotations"], ["version"], ["--version"],
])
def test_help_and_version_go_to_stdout(args):
    ran = torii(*args)
    assert ran.code == 0 and ran.out and not ran.err
    assert all(len(line) <= 80 for line in ran.out.splitlines())


def test_a_full_disk_is_no_success():
    with open("/dev/full", "w") as full:
        done = subprocess.run([TORII, "help"], stdout=full)
    assert done.returncode == 2


# torii check


def test_sound_objects_have_no_findings(folder):
    ran = folder.write(*shop()).check()
    assert ran.code == 0 and ran.out == ""
    assert ran.err.startswith("0 errors, 0 warnings, 0 notes in ")


@pytest.mark.parametrize("objects, reason, code", [
    (shop(proxy_bodysize="1m"), "UnknownAnnotation", 0),
    (shop(proxy_body_size="lots"), "InvalidAnnotation", 0),
    (shop(allowlist_source_range="10.0.0.300"), "InvalidAnnotation", 1),
    (shop(path("/a", "missing")), "ServiceNotFound", 0),
    (shop(tls=[("missing", ["shop.example"])]), "SecretNotFound", 0),
    ([ingress("b", rule("shop.example", path()))] + shop(), "PathConflict", 1),
    ([dict(shop()[0], apiVersion="extensions/v1beta1")], "DeprecatedAPI", 1),
], ids=lambda value: value if isinstance(value, str) else "")
def test_each_kind_of_mistake_is_found(folder, objects, reason, code):
    folder.write(*objects)
    assert reason in folder.reasons()
    assert folder.check().code == code


def test_a_finding_tells_file_and_line(folder):
    folder.write("kind: Ingress\n  apiVersion: {\n", name="bad.yaml")
    ran = folder.check()
    assert ran.code == 1
    assert ran.out.startswith(f"{folder.path}/bad.yaml:2: error: ")


def test_findings_come_file_by_file_from_the_top(folder):
    for name in "c.yaml", "a.yaml", "b.yaml":
        folder.write(ingress(name[0], rule(f"{name[0]}.example", path()),
                             nonsense="1", bad="2"), name=name)
    places = [line.split(": ")[0] for line in folder.check().out.splitlines()]
    files = [place.rsplit(":", 1)[0] for place in places]
    assert files == sorted(files) and len(set(files)) == 3


def test_quiet_prints_errors_only(folder):
    folder.write(*shop(nonsense="1", allowlist_source_range="x"))
    ran = folder.check("--quiet")
    assert ran.code == 1 and ran.err == ""
    assert ran.out and all(": error: " in line for line in
                           ran.out.splitlines())


def test_json_is_an_array_also_of_nothing(folder):
    assert json.loads(folder.write(*shop()).check("--json").out) == []


def test_class_selects_ingresses(folder):
    folder.write(*shop(class_name="mine"), manifest.ingress_class("mine"),
                 ingress("other", rule("b.example", path()), nonsense="1",
                         class_name="theirs"))
    assert "UnknownAnnotation" in folder.reasons()
    assert "UnknownAnnotation" not in folder.reasons("--class", "mine")


def test_config_is_read(folder):
    config = {"apiVersion": "v1", "kind": "ConfigMap",
              "metadata": manifest.metadata("settings", "torii"),
              "data": {"no-such-key": "1"}}
    folder.write(*shop(), config)
    assert folder.reasons() == []
    assert len(folder.reasons("--config", "torii/settings")) == 1


def test_standard_input_is_a_file(folder):
    text = yaml.safe_dump_all(shop(proxy_bodysize="1m"))
    ran = torii("check", "-", stdin=text)
    assert ran.code == 0
    assert ran.out.startswith("stdin:") and "UnknownAnnotation" in ran.out


def test_broken_standard_input_is_an_error():
    ran = torii("check", "-", stdin="a: {\n")
    assert ran.code == 1 and ran.out.startswith("stdin:")


def test_several_paths_are_one_world(folder, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir(), two.mkdir()
    objects = shop()
    Folder(one).write(objects[0])
    Folder(two).write(*objects[1:])
    assert "ServiceNotFound" in torii("check", one).out
    assert torii("check", one, two).out == ""


# torii explain


@pytest.mark.parametrize("request_, path_, how", [
    (["shop.example", "/cart"], "/cart", "exact"),
    (["shop.example", "/cart/x"], "/cart/", "the longest prefix"),
    (["SHOP.example.:8443", "/cart/x"], "/cart/", "the longest prefix"),
    (["http://shop.example/cart%2Fx?y#z"], "/cart/", "the longest prefix"),
    (["shop.example/a/..//cart/./x"], "/cart/", "the longest prefix"),
    (["shop.example", "/cartoon"], "/", "the longest prefix"),
])
def test_the_path_that_matches_is_named(folder, request_, path_, how):
    folder.write(*shop(path("/cart"), path("/")))
    facts = folder.explain(*request_)
    assert facts["path"] == f"{path_} ({how})" and facts["code"] == 0
    assert facts["answer"] == "from default-echo-80"


def test_everything_about_a_route_is_told(folder):
    folder.write(*shop(path("/cart"), proxy_body_size="8m",
                       allowlist_source_range="10.0.0.0/8,fd00::/8",
                       backend_protocol="GRPC"))
    facts = folder.explain("shop.example", "/cart")
    assert facts["ingress"] == "default/shop"
    assert facts["file"].startswith(f"{folder.path}/all.yaml:")
    assert facts["rule"] == "shop.example/cart (Prefix)"
    assert facts["service"] == "echo:80"
    assert facts["endpoints"] == "10.0.0.1:8080, 10.0.0.2:8080"
    assert facts["protocol"] == "GRPC"
    assert facts["body"] == "size     at most 8m"
    assert facts["allow"] == "10.0.0.0/8, fd00::/8"


@pytest.mark.parametrize("host, how", [
    ("shop.example", "shop.example (exact)"),
    ("x.shop.example", "*.shop.example (wildcard)"),
    ("alias.example", "shop.example (server-alias)"),
    ("re1.example", "shop.example (server-alias by regular expression)"),
    ("other.example", "_ (the catch-all: no rule has this host)"),
])
def test_the_host_that_matches_is_named(folder, host, how):
    folder.write(*shop(server_alias=r"alias.example,~^re[0-9]\.example$"),
                 ingress("wild", rule("*.shop.example", path())))
    assert folder.explain(host, "/")["host"] == how


@pytest.mark.parametrize("url, answer, objects", [
    ("http://shop.example/a/", "308 https://shop.example/a (ssl-redirect)",
     shop(tls=[("tls", ["shop.example"])])),
    ("http://shop.example/a", "308 https://shop.example/a "
     "(force-ssl-redirect)", shop(force_ssl_redirect="true")),
    ("http://shop.example/dir?x=1", "301 http://shop.example/dir/?x=1 "
     "(the path of the rule ends in a slash)", shop(path("/dir/"))),
    ("http://shop.example/", "302 http://shop.example/home (app-root)",
     shop(app_root="/home")),
    ("http://shop.example/x", "301 https://new.example "
     "(permanent-redirect or temporal-redirect)",
     shop(permanent_redirect="https://new.example")),
    ("http://www.shop.example/x", "308 http://shop.example:80/x "
     "(from-to-www-redirect)", shop(from_to_www_redirect="true")),
    ("http://shop.example/go/1", "302 https://new.example/1 (rewrite-target)",
     shop(path("/go/(.*)", type="ImplementationSpecific"),
          rewrite_target="https://new.example/$1")),
    ("http://shop.example/go/a%20b%0A?x=1",
     "302 https://new.example/a%20b%0A?x=1 (rewrite-target)",
     shop(path("/go/([^?]*)", type="ImplementationSpecific"),
          rewrite_target="https://new.example/$1")),
])
def test_redirects_are_told_with_their_reason(folder, url, answer, objects):
    facts = folder.write(*objects).explain(url)
    assert facts["answer"] == answer and facts["code"] == 0


@pytest.mark.parametrize("url, answer, objects", [
    ("shop.example/x", "404 no route: no rule covers this path",
     shop(path("/a"))),
    ("other.example/x", "404 no route: no rule covers this host", shop()),
    ("shop.example/", "503 the Service has no ready endpoint",
     [shop()[0], service("echo")]),
    ("shop.example/", "503 denied: a security setting of the Ingress is "
     "invalid", shop(allowlist_source_range="x")),
    ("shop.example/", "503 denied: the Ingress asks for protection that this "
     "version does not provide", shop(auth_tls_secret="default/ca")),
])
def test_what_is_not_served_is_told_with_its_reason(folder, url, answer,
                                                    objects):
    facts = folder.write(*objects).explain(url)
    assert facts["answer"].startswith(answer) and facts["code"] == 1


def test_a_rewritten_path_is_shown(folder):
    folder.write(*shop(path("/api(/|$)(.*)", type="ImplementationSpecific"),
                       rewrite_target="/$2"))
    facts = folder.explain_json("shop.example", "/api/a%20b/c")
    assert facts["rewritten_to"] == "/a b/c"


def test_an_external_name_needs_no_resolver(folder):
    folder.write(shop()[0], service("echo", external="www.example.org"))
    facts = folder.explain("shop.example")
    assert facts["answer"].startswith("from www.example.org")
    assert facts["code"] == 0


def test_json_has_the_same_facts(folder):
    facts = folder.write(*shop()).explain_json("https://shop.example/x")
    assert facts["status"] is None and facts["ingress"] == "default/shop"
    assert facts["host"] == "shop.example" and facts["host_how"] == "exact"
    assert facts["endpoints"] == ["10.0.0.1:8080", "10.0.0.2:8080"]


def test_the_table_of_a_running_gateway_is_read(start_gateway):
    gateway = start_gateway()
    gateway.serve("shop.example", Address("10.0.0.1", 8080))
    ran = torii("explain", "shop.example", "/x", "--state", gateway.state)
    assert ran.code == 0 and "10.0.0.1:8080" in ran.out


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "table.7").write_bytes(os.urandom(4096))
    ran = torii("explain", "a.example", "--state", tmp_path)
    assert ran.code == 2 and "table.7\" cannot be used: it is not a" in ran.err


def test_a_state_folder_without_a_table_is_told(tmp_path):
    (tmp_path / "table").mkdir()
    ran = torii("explain", "a.example", "--state", tmp_path)
    assert ran.code == 2 and "there is no table in" in ran.err


# torii annotations


def test_annotations_are_listed():
    lines = torii("annotations").out.splitlines()
    names = [line.split()[0] for line in lines]
    assert names == sorted(names) and "rewrite-target" in names
    assert len(names) > 100


def test_annotations_are_found_by_a_part_of_their_name():
    for name in "body-size", "nginx.ingress.kubernetes.io/proxy-body-size":
        found = json.loads(torii("annotations", name, "--json").out)
        assert [f["name"] for f in found] == ["proxy-body-size"]
        assert found[0]["state"] == "enforced" and found[0]["help"]


def test_annotations_about_certificates_are_listed_too():
    found = json.loads(torii("annotations", "-c", "--json").out)
    names = [f["name"] for f in found]
    assert names == sorted(names) and "cert-manager.io/issuer" in names


def test_annotations_about_logins_are_listed_too():
    found = json.loads(torii("annotations", "--logins", "--json").out)
    names = [f["name"] for f in found]
    assert names == sorted(names) and "torii/oauth2" in names


def test_keys_of_the_configmap_are_listed_too():
    assert "use-forwarded-headers" in torii("annotations", "--config").out


# Logins


LOGIN = {"torii/oauth2": "sso", "torii/oauth2-allowed-groups": "ops,devs",
         "torii/oauth2-skip-auth-routes": "GET=^/health$"}


def provider(**settings):
    return manifest.secret("sso", {
        "provider": "oidc", "oidc-issuer-url": "https://id.example",
        "client-id": "gateway", "client-secret": "hush-hush",
        "cookie-secret": "e5c2f0c1a7b94d6e8f3a2b1c0d9e8f7a",
        **{name.replace("_", "-"): value for name, value in
           settings.items()}}, type="torii/oauth2-provider")


def login(annotations=LOGIN, **short):
    return shop(tls=[{"hosts": ["shop.example"]}], annotations=annotations,
                **short)


def test_explain_tells_who_may_enter_and_no_secret(folder):
    folder.write(provider(), *login())
    facts = folder.explain_json("https://shop.example/")
    assert facts["login"] == "by default/sso"
    assert facts["groups"] == "ops, devs"
    assert facts["without_login"] == "GET=^/health$"
    assert "hush" not in torii("explain", "https://shop.example/",
                               "--manifests", folder.path).out


def test_explain_tells_which_server_is_asked(folder):
    folder.write(*login(None, auth_url="https://id.example/check?h=$host",
                        auth_signin="https://id.example/in"))
    facts = folder.explain_json("https://shop.example/")
    assert facts["login"] == "another server is asked, by GET"
    assert facts["asked"] == "https://id.example/check?h=${host}"
    assert facts["sign_in"] == "https://id.example/in"


def test_explain_tells_of_passwords(folder):
    folder.write(manifest.secret("users", {"auth": "a:$apr1$x\nb:{SHA}y"}),
                 *login(None, auth_type="basic", auth_secret="users",
                        allowlist_source_range="10.0.0.0/8", satisfy="any"))
    facts = folder.explain_json("https://shop.example/")
    assert facts["passwords"] == "of default/users, 2 users"
    assert facts["satisfy"].startswith("one of")


def test_check_is_content_with_a_login(folder):
    ran = folder.write(provider(), *login()).check()
    assert (ran.code, ran.out) == (0, "")


@pytest.mark.parametrize("settings, annotations, reason, field", [
    (dict(cookie_secrt="x"), LOGIN, "LoginSetting", "cookie-secrt"),
    (dict(cookie_secure="perhaps"), LOGIN, "LoginSetting", "cookie-secure"),
    ({}, {**LOGIN, "torii/oauth2-skip-auth-routes": "!=^/x"}, "LoginSetting",
     "torii/oauth2-skip-auth-routes"),
    ({}, {"torii/oauth2": "other"}, "Login", "torii/oauth2"),
    ({}, {**LOGIN, "torii/oauth2-alowed-groups": "x"}, "UnknownAnnotation",
     "torii/oauth2-alowed-groups"),
])
def test_check_tells_what_is_wrong_about_a_login(folder, settings, annotations,
                                                 reason, field):
    folder.write(provider(**settings), *login(annotations))
    ran = folder.check("--json")
    found = [f for f in json.loads(ran.out) if f["severity"] == "error"]
    assert [(f["reason"], f["field"]) for f in found] == [(reason, field)]
    assert ran.code == 1 and "hush" not in ran.out


# Objects of cert-manager, and namespaces


def certificates():
    group = "cert-manager.io/v1"
    return [
        {"apiVersion": group, "kind": "ClusterIssuer",
         "metadata": {"name": "le"}, "spec": {"acme": {
             "server": "https://ca.example/dir",
             "privateKeySecretRef": {"name": "key"},
             "solvers": [{"http01": {"ingress": {}}}]}}},
        {"apiVersion": group, "kind": "Issuer", "metadata": {"name": "own"},
         "spec": {"selfSigned": {}}},
        {"apiVersion": group, "kind": "Certificate",
         "metadata": {"name": "web"}, "spec": {
             "secretName": "web-tls", "dnsNames": ["a.example"],
             "issuerRef": {"name": "own"}}}]


def test_check_counts_objects_of_cert_manager_in_silence(folder):
    ran = folder.write(*certificates()).check()
    assert ran.code == 0 and ran.out == ""
    assert "0 warnings, 0 notes in 3 objects" in ran.err


def test_check_tells_what_is_wrong_about_them(folder):
    issuer, own, cert = certificates()
    issuer["spec"]["acme"]["server"] = "http://ca.example/dir"
    own["spec"] = {"vault": {"path": "x"}}
    cert["spec"]["dnsNames"] = ["a b"]
    assert folder.write(issuer, own, cert).reasons() == [
        "BadHost", "BadURL", "IssuerType"]


@pytest.mark.parametrize("annotations, options, reasons, code", [
    ({"cert-manager.io/issuer": "own"}, [], [], 0),
    ({"cert-manager.io/issuer": "other"}, [], ["IssuerNotFound"], 0),
    ({"cert-manager.io/issuer": "own", "cert-manager.io/duration": "90d"}, [],
     ["BadConfig"], 1),
    ({"kubernetes.io/tls-acme": "true"}, [], ["BadConfig"], 0),
    ({"kubernetes.io/tls-acme": "true"}, ["--issuer", "ClusterIssuer/le"], [],
     0),
])
def test_check_tells_what_keeps_a_certificate_from_being_issued(
        folder, annotations, options, reasons, code):
    objects = shop(tls=[("shop-tls", ["shop.example"])])
    objects[0]["metadata"].setdefault("annotations", {}).update(annotations)
    folder.write(*certificates(), *objects)
    found = [reason for reason in folder.reasons(*options)
             if reason != "SecretNotFound"]
    assert found == reasons
    ran = folder.check(*options)
    assert ran.code == code
    assert ("is to issue it" in ran.out) == (reasons == [])


def test_annotations_of_cert_manager_are_no_finding(folder):
    objects = shop()
    objects[0]["metadata"].setdefault("annotations", {}).update({
        "cert-manager.io/cluster-issuer": "le",
        "cert-manager.io/unheard-of": "x"})
    before = folder.write(*shop()).reasons()
    assert folder.write(*objects).reasons() == before


@pytest.mark.parametrize("name, known", [
    ("certificate-key", True), ("acme-challenge", True), ("issuers", True),
    ("renew-now", True), ("renew-never", False)])
def test_annotations_of_torii_are_known(folder, name, known):
    objects = shop()
    objects[0]["metadata"].setdefault("annotations", {})[f"torii/{name}"] = "x"
    found = folder.write(*objects).reasons()

    assert ("UnknownAnnotation" in found) is not known


def test_explain_tells_of_a_namespace_that_is_not_selected(folder):
    folder.write({"apiVersion": "v1", "kind": "Namespace",
                  "metadata": {"name": "default", "labels": {"edge": "on"}}},
                 *shop())
    args = ("shop.example", "/", "--selector")
    assert "unserved" not in folder.explain(*args, "edge=on")
    facts = folder.explain(*args, "edge=off")
    assert facts["code"] == 1
    assert "namespace is not one of those" in facts["unserved"]
    assert folder.reasons("--selector", "edge=off") == []
