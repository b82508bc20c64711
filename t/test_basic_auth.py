"""
Passwords of a Secret's users ("auth-type: basic").
"""

import base64
import concurrent.futures
import subprocess

import pytest

import manifest


HOST = "basic.example"

# made by htpasswd and openssl passwd, all of the password "open sesame"
FORMS = {
    "bcrypt": ["htpasswd", "-nbB", "-C", "5"],
    "apr1": ["htpasswd", "-nbm"],
    "sha": ["htpasswd", "-nbs"],
    "crypt-sha256": ["openssl", "passwd", "-5"],
    "crypt-sha512": ["openssl", "passwd", "-6"],
}

WORD = "open sesame"


def hashed(form, word=WORD):
    command = FORMS[form]
    if command[0] == "htpasswd":
        out = subprocess.run([*command, "user", word], check=True, text=True,
                             capture_output=True).stdout
        return out.split(":", 1)[1].strip()
    return subprocess.run([*command, word], check=True, text=True,
                          capture_output=True).stdout.strip()


def basic(user, word=WORD):
    text = base64.b64encode(f"{user}:{word}".encode()).decode()
    return [("Authorization", f"Basic {text}")]


def objects(echo, host, users, form="auth-file", **short):
    name = manifest.label(host)
    if form == "auth-file":
        data = {"auth": "".join(f"{u}:{h}\n" for u, h in users.items())}
    else:
        data = users
    return [
        manifest.secret(f"{name}-users", data),
        *manifest.route(host, echo[0], annotations=manifest.annotate({
            "auth-type": "basic", "auth-secret": f"{name}-users",
            "auth-secret-type": form,
            **{k.replace("_", "-"): v for k, v in short.items()}}))]


@pytest.fixture
def serve(gateway, echo):
    def serve(host, users, **more):
        gateway.apply(manifest.label(host), objects(echo, host, users,
                                                    **more))
        return host
    return serve


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_hashes(gateway, serve, form):
    host = serve(f"{form}.example", {"ali": hashed(form)})
    for i in range(2):
        assert gateway.get("/", host, headers=basic("ali")).status == 200
        assert gateway.get("/", host,
                           headers=basic("ali", "no")).status == 401
    assert gateway.get("/", host, headers=basic("bob")).status == 401


def test_who_is_asked_how(gateway, serve):
    host = serve("realm.example", {"ali": hashed("sha")},
                 auth_realm="Friends only")
    answer = gateway.get("/", host)
    assert answer.status == 401
    assert answer.header("WWW-Authenticate") == 'Basic realm="Friends only"'


def test_password_stays_here(gateway, serve):
    host = serve(HOST, {"ali": hashed("sha")})
    seen = gateway.get("/", host, headers=basic("ali")).echo
    assert seen.all("authorization") == []


def test_users_of_a_map(gateway, serve):
    host = serve("map.example", {"ali": hashed("sha"),
                                 "bob": hashed("apr1", "other")},
                 form="auth-map")
    assert gateway.get("/", host, headers=basic("ali")).status == 200
    assert gateway.get("/", host, headers=basic("bob", "other")).status == 200
    assert gateway.get("/", host, headers=basic("bob")).status == 401


@pytest.mark.parametrize("sent", [
    "Basic", "Basic !!!", "Basic YWxp", "Bearer x", "Basic Og==",
    "Basic " + base64.b64encode(b"ali:" + b"x" * 300).decode(),
    "Basic " + base64.b64encode(b"ali:open sesame\0").decode(),
])
def test_what_is_no_password(gateway, serve, sent):
    host = serve("bad.example", {"ali": hashed("sha")})
    assert gateway.get("/", host,
                       headers=[("Authorization", sent)]).status == 401


def test_users_are_replaced_at_once(gateway, serve):
    host = serve("turn.example", {"ali": hashed("bcrypt")})
    assert gateway.get("/", host, headers=basic("ali")).status == 200
    serve(host, {"ali": hashed("bcrypt", "new")})
    assert gateway.get("/", host, headers=basic("ali")).status == 401
    assert gateway.get("/", host, headers=basic("ali", "new")).status == 200


def test_secret_that_is_missing_lets_nobody_in(gateway, echo):
    gateway.apply("missing", manifest.route(
        "missing.example", echo[0], annotations=manifest.annotate({
            "auth-type": "basic", "auth-secret": "nowhere"})))
    assert gateway.get("/", "missing.example",
                       headers=basic("ali")).status == 503


def test_hash_that_would_take_minutes_is_not_tried(gateway, serve):
    host = serve("costly.example", {
        "ali": "$2y$31$abcdefghijklmnopqrstuuW3nCz3rT9lKVzQO1EYLxkJZ9mF2bq1e"})
    assert gateway.get("/", host, headers=basic("ali")).status == 401
    gateway.expect("too many rounds")


def test_gateway_serves_while_passwords_are_tried(gateway, serve, echo):
    host = serve("slow.example", {"ali": hashed("bcrypt").replace(
        "$05$", "$11$")})
    gateway.serve("free.example", echo[0])

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        tries = [pool.submit(gateway.get, "/", host,
                             headers=basic("ali", f"guess {i}"))
                 for i in range(16)]
        for i in range(20):
            assert gateway.get("/", "free.example").status == 200
        assert {t.result().status for t in tries} == {401}


def test_satisfy_any_and_all_with_a_list(gateway, serve):
    users = {"ali": hashed("sha")}
    host = serve("any.example", users, satisfy="any",
                 whitelist_source_range="127.0.0.0/8")
    assert gateway.get("/", host).status == 200

    host = serve("other.example", users, satisfy="any",
                 whitelist_source_range="10.0.0.0/8")
    assert gateway.get("/", host).status == 401
    assert gateway.get("/", host, headers=basic("ali")).status == 200

    host = serve("all.example", users,
                 whitelist_source_range="10.0.0.0/8")
    assert gateway.get("/", host, headers=basic("ali")).status == 403
