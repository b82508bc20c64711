"""
The test bench for ACME itself: the stub CA takes a correct client and refuses
each error, fails as it is told, and Pebble and BIND work as the tests of the
gateway need them.
"""

import email.utils
import http.client
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding

import account as accounts
import authority as authorities
import bind
import pebble as pebbles
import responder as responders
from account import Account, Refused


EAB_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


def word(value):
    """A parameter in the name of a test, the same in each process."""
    return ",".join(value) if isinstance(value, dict) else str(value)


@pytest.fixture(scope="module")
def stub(authority):
    made = authorities.Ca(authority)
    yield made
    made.stop()


@pytest.fixture
def ca(stub):
    stub.reset()
    stub.forget()
    return stub


@pytest.fixture
def account(ca):
    return Account(ca.directory, ca.bundle).register()


@pytest.fixture(scope="module")
def responder():
    made = responders.Responder()
    yield made
    made.stop()


@pytest.fixture
def start_pebble(authority, responder):
    made = []

    def start(**how):
        made.append(pebbles.Pebble(authority, responder.port, responder.tls,
                                   **how))
        return made[-1]

    yield start

    for one in made:
        one.stop()


@pytest.fixture(scope="module")
def zone():
    made = bind.Bind()
    yield made
    made.stop()


def refused(action, *arguments, **named):
    """The problem of a request that must be refused."""
    with pytest.raises(Refused) as caught:
        action(*arguments, **named)
    return caught.value


def trusted(chain, roots):
    """Whether each certificate signed the one before, and a root the last."""
    tops = [x509.load_pem_x509_certificate(r.encode()) for r in roots]
    for cert, above in zip(chain, chain[1:] + tops):
        key = above.public_key()
        how = ([ec.ECDSA(cert.signature_hash_algorithm)]
               if isinstance(key, ec.EllipticCurvePublicKey)
               else [padding.PKCS1v15(),
                     cert.signature_hash_algorithm])
        key.verify(cert.signature, cert.tbs_certificate_bytes, *how)
    return True


# The stub: what is right

@pytest.mark.parametrize("kind", ["ES256", "ES384", "RS256", "EdDSA"])
def test_certificate_is_issued_to_an_account_of_any_key(ca, kind):
    chain = Account(ca.directory, ca.bundle, kind).register().obtain(
        "a.example", "127.0.0.1", "2001:db8::1")

    assert accounts.names_of(chain[0]) == {"a.example", "127.0.0.1",
                                           "2001:db8::1"}
    assert trusted(chain, ca.roots[:1])
    assert authorities.serial(chain[0]) == ca.certs()[0]["serial"]
    assert ca.refusals() == []


def test_wildcard_and_apex_are_two_authorizations_of_one_name(ca, account):
    _, order = account.order("a.example", "*.a.example")
    seen = [account.post(url).json() for url in order["authorizations"]]

    assert [(a["identifier"]["value"], a.get("wildcard")) for a in seen] == [
        ("a.example", None), ("a.example", True)]
    assert [c["type"] for c in seen[1]["challenges"]] == ["dns-01"]


@pytest.mark.parametrize("kind", ["http-01", "tls-alpn-01"])
@pytest.mark.parametrize("names", [("a.example", "b.example"),
                                   ("127.0.0.1",)])
def test_challenge_is_really_asked_for(ca, account, responder, kind, names):
    ca.set(validate=True, http_port=responder.port, tls_port=responder.tls)

    if names[0][0].isdigit() and kind == "tls-alpn-01":
        # the server name of an address: RFC 8738 section 6
        def answer(authz, challenge, key_auth):
            responder.contexts["1.0.0.127.in-addr.arpa"] = \
                responders.alpn_context(*accounts.alpn_certificate(
                    "127.0.0.1", key_auth))
    else:
        answer = responder.answer

    assert account.obtain(*names, kind=kind, answer=answer)


def test_dns_challenge_is_really_asked_for(ca, account, zone):
    ca.set(validate=True, resolver=zone.address)
    account.obtain("a.dns.test", "*.a.dns.test", kind="dns-01",
                   answer=publish(zone))


def publish(zone):
    def answer(authz, challenge, key_auth):
        name = authz["identifier"]["value"]
        zone.update(f"add _acme-challenge.{name}. 1 TXT "
                    + accounts.txt_value(key_auth))
    return answer


@pytest.mark.parametrize("kind, wrong", [
    ("http-01", lambda r, a, c, k: r.answer(a, c, k + "x")),
    ("http-01", lambda r, a, c, k: None),
    ("tls-alpn-01", lambda r, a, c, k: r.answer(a, c, k + "x")),
    ("tls-alpn-01", lambda r, a, c, k: None),
    ("tls-alpn-01", lambda r, a, c, k: r.contexts.update({
        a["identifier"]["value"]: responders.alpn_context(
            *accounts.alpn_certificate(a["identifier"]["value"], k,
                                       critical=False))})),
    ("tls-alpn-01", lambda r, a, c, k: r.contexts.update({
        a["identifier"]["value"]: responders.alpn_context(
            *accounts.alpn_certificate("other.example", k))})),
], ids=["http wrong", "http none", "alpn wrong", "alpn none",
        "alpn not critical", "alpn other name"])
def test_wrong_answer_fails_the_order(ca, account, responder, kind, wrong):
    ca.set(validate=True, http_port=responder.port, tls_port=responder.tls)
    url, order = account.order("wrong.example")
    responder.contexts.clear()

    with pytest.raises(AssertionError, match="invalid"):
        account.authorize(order, kind, lambda *a: wrong(responder, *a))

    failed = account.post(url).json()
    assert failed["status"] == "invalid"
    assert failed["error"]["subproblems"][0]["identifier"]["value"] == \
        "wrong.example"


def test_external_account_is_bound(ca):
    ca.set(eab={"kid-1": EAB_KEY})
    one = Account(ca.directory, ca.bundle)

    assert refused(one.register).type == "externalAccountRequired"
    assert refused(one.register, eab=("kid-2", EAB_KEY)).status == 403
    assert refused(one.register, eab=("kid-1", EAB_KEY[::-1])).status == 403
    assert one.register(eab=("kid-1", EAB_KEY)).obtain("a.example")


def test_account_is_found_again_by_its_key(ca, account):
    other = Account(ca.directory, ca.bundle)
    asked = {"onlyReturnExisting": True}
    url = account.directory["newAccount"]

    assert account.post(url, asked, jwk=True).location == account.kid
    assert refused(other.post, url, asked, jwk=True).type == \
        "accountDoesNotExist"


def test_key_of_an_account_is_changed(ca, account):
    old = account.private
    account.rollover("ES384")

    assert account.obtain("a.example")
    assert refused(account.post, account.kid, signer=old,
                   protected={"alg": "ES256"}).status == 400


@pytest.mark.parametrize("spoil", [{"nonce": "abc"}, {"kid": "x"},
                                   {"url": "https://other.example/"}])
def test_key_change_with_a_bad_inner_header_is_refused(account, spoil):
    assert refused(account.rollover, **spoil).type == "malformed"


def test_certificate_is_revoked_by_account_or_by_its_key(ca, account):
    key = accounts.make_key("ES256")
    one = account.obtain("a.example")[0]
    two = account.obtain("b.example", key=key)[0]
    stranger = Account(ca.directory, ca.bundle).register()

    assert refused(stranger.revoke, one).type == "unauthorized"
    assert refused(account.revoke, one, reason=3).type == \
        "badRevocationReason"
    account.revoke(one, reason=4)
    account.revoke(two, reason=1, key=key)
    assert refused(account.revoke, one).type == "alreadyRevoked"
    assert [c["revoked"] for c in ca.certs()] == [4, 1]


def test_alternate_chains_end_in_other_roots(ca, account):
    account.obtain("a.example")
    link, = account.downloaded.links("alternate")
    chain = accounts.read_chain(account.post(link).body)

    assert chain[-1].issuer.rfc4514_string() == "CN=Stub Root X2"
    assert trusted(chain, ca.roots[1:])


def test_profile_says_how_long_a_certificate_lives(ca, account):
    ca.set(profiles={"short": 600})

    assert refused(account.order, "a.example", profile="long").type == \
        "invalidProfile"
    cert = account.obtain("a.example", profile="short")[0]
    assert (cert.not_valid_after - cert.not_valid_before).seconds == 600


def test_renewal_information_is_of_each_certificate(ca, account):
    ids = [authorities.ari_id(account.obtain(f"a{n}.example")[0])
           for n in range(8)]
    ca.set(ari_retry=77)
    ca.window(ca.certs()[0]["serial"], 1000000000, 1000000060, "https://x/")
    first = account.renewal(ids[0])

    assert ids == [c["ari"] for c in ca.certs()]
    assert first.headers["Retry-After"] == "77"
    assert first.json() == {"suggestedWindow": {
        "start": "2001-09-09T01:46:40Z", "end": "2001-09-09T01:47:40Z"},
        "explanationURL": "https://x/"}
    assert all(account.renewal(i).status == 200 for i in ids)
    assert refused(account.renewal, "AAAA.AAAA").status == 404


def test_certificate_is_replaced_once(ca, account):
    mark = authorities.ari_id(account.obtain("a.example")[0])
    account.obtain("a.example", replaces=mark)
    again = refused(account.order, "a.example", replaces=mark)

    assert (again.status, again.type) == (409, "alreadyReplaced")
    assert refused(account.order, "b.example", replaces="AA.AA").status == 400


def test_order_that_is_open_is_given_again(ca, account):
    assert account.order("a.example")[0] == account.order("a.example")[0]
    ca.set(reuse_orders=False)
    assert account.order("a.example")[0] != account.order("a.example")[0]


def test_valid_authorization_is_used_again_if_so_set(ca, account):
    account.obtain("a.example")
    assert account.order("a.example")[1]["status"] == "pending"
    ca.set(reuse_authz=True, reuse_orders=False)
    assert account.order("a.example")[1]["status"] == "ready"


def test_retry_after_comes_in_both_forms(ca, account):
    ca.set(retry_after={"order": 3}, processing=2)

    for dates in (False, True):
        ca.set(retry_dates=dates, reuse_orders=False)
        url, order = account.order("a.example")
        account.authorize(order)
        account.post(order["finalize"], {"csr": accounts.encode(
            accounts.request(accounts.make_key("ES256"), ["a.example"]))})
        value = account.post(url).headers["Retry-After"]
        assert value.endswith("GMT") if dates else value == "3"
        account.wait(url, "valid", "processing")


# The stub: what is wrong

@pytest.mark.parametrize("spoil, status, kind", [
    (dict(protected={"nonce": "AAAA"}), 400, "badNonce"),
    (dict(protected={"nonce": None}), 400, "malformed"),
    (dict(protected={"url": "https://127.0.0.1/x"}), 403, "unauthorized"),
    (dict(protected={"kid": None}), 400, "malformed"),
    (dict(protected={"kid": "https://127.0.0.1/account/9"}), 400,
     "accountDoesNotExist"),
    (dict(protected={"jwk": {"kty": "EC"}}), 400, "malformed"),
    (dict(jwk=True), 400, "malformed"),
    (dict(protected={"alg": "none"}), 400, "badSignatureAlgorithm"),
    (dict(protected={"alg": "HS256"}), 400, "badSignatureAlgorithm"),
    (dict(protected={"alg": "RS256"}), 400, "badSignatureAlgorithm"),
    (dict(signer=accounts.make_key("ES256")), 400, "malformed"),
    (dict(headers={"Content-Type": "application/jose+json; charset=utf-8"}),
     415, "malformed"),
    (dict(headers={"Content-Type": "application/json"}), 415, "malformed"),
    (dict(headers={"User-Agent": None}), 400, "malformed"),
    (dict(headers={"Replay-Nonce": "x"}), 400, "malformed"),
    (dict(spoil=lambda j: {**j, "header": {}}), 400, "malformed"),
    (dict(spoil=lambda j: {**j, "signature": j["signature"] + "=="}), 400,
     "malformed"),
    (dict(spoil=lambda j: {k: j[k] for k in ("protected", "signature")}), 400,
     "malformed"),
    (dict(spoil=lambda j: [j]), 400, "malformed"),
], ids=word)
def test_wrong_signed_request_is_refused(account, spoil, status, kind):
    problem = refused(account.post, account.kid, "", **spoil)

    assert (problem.status, problem.type) == (status, kind)
    assert problem.answer.headers["Content-Type"] == "application/problem+json"


def test_nonce_is_good_once(account):
    nonce = account.nonce()
    account.post(account.kid, protected={"nonce": nonce})

    assert refused(account.post, account.kid,
                   protected={"nonce": nonce}).type == "badNonce"


@pytest.mark.parametrize("what, payload", [
    ("order", {}), ("finalize", ""), ("challenge", {"type": "http-01"}),
    ("challenge", {"resource": "challenge"}), ("newOrder", "")])
def test_wrong_form_of_a_payload_is_refused(account, what, payload):
    url, order = account.order("a.example")
    authz = account.post(order["authorizations"][0]).json()
    at = {"order": url, "finalize": order["finalize"],
          "challenge": authz["challenges"][0]["url"],
          "newOrder": account.directory["newOrder"]}[what]

    assert refused(account.post, at, payload).type == "malformed"


@pytest.mark.parametrize("names", [
    [], ["A.example"], ["a.example."], ["a.example", "a.example"], ["a"],
    ["a.*.example"], ["*.*.example"], ["-a.example"], ["a_b.example"],
    ["a" * 64 + ".example"], ["ü.example"]], ids=word)
def test_wrong_names_are_refused(account, names):
    assert refused(account.order, *names).type == "malformed"


@pytest.mark.parametrize("address", ["2001:DB8::1", "2001:db8:0:0:0:0:0:1",
                                     "1.2.3", "127.0.0.01"])
def test_address_is_taken_in_one_form_only(account, address):
    assert refused(account.post, account.directory["newOrder"], {
        "identifiers": [{"type": "ip", "value": address}]}
        ).type == "malformed"


def test_get_of_what_is_read_by_post_is_refused(account):
    assert account.send("GET", account.kid).status == 405
    assert account.send("GET", account.directory["newOrder"]).status == 405


def test_terms_must_be_agreed_to(ca):
    one = Account(ca.directory, ca.bundle)
    problem = refused(one.post, one.directory["newAccount"], {}, jwk=True)

    assert problem.type == "userActionRequired" and problem.body["instance"]


@pytest.mark.parametrize("contact", ["tel:1", "mailto:a", "mailto:a@b.c?d=e",
                                     "mailto:a@b.example,c@d.example"])
def test_wrong_contact_is_refused(ca, contact):
    one = Account(ca.directory, ca.bundle)
    assert "ontact" in refused(one.register, contact=[contact]).type


def test_finalize_before_its_time_is_refused(account):
    _, order = account.order("a.example")
    problem = refused(account.post, order["finalize"], {"csr": "AA"})

    assert (problem.status, problem.type) == (403, "orderNotReady")


@pytest.mark.parametrize("make", [
    lambda a, k: accounts.request(k, ["other.example"]),
    lambda a, k: accounts.request(k, ["a.example", "b.example"]),
    lambda a, k: accounts.request(k, ["a.example"], "other.example"),
    lambda a, k: accounts.request(a.private, ["a.example"]),
    lambda a, k: accounts.request(k, ["a.example"])[:-1] + b"x",
    lambda a, k: accounts.request(k, ["a.example"])[:100],
    lambda a, k: b"",
], ids=["other", "more", "common name", "account key", "signature", "cut",
        "empty"])
def test_wrong_request_for_a_certificate_is_refused(account, make):
    url, order = account.order("a.example")
    account.authorize(order)
    key = accounts.make_key("ES256")

    assert refused(account.post, order["finalize"], {
        "csr": accounts.encode(make(account, key))}).type == "badCSR"
    assert account.post(url).json()["status"] == "ready"
    assert account.finalize(url, order, ["a.example"], key)


def test_what_belongs_to_another_account_is_refused(ca, account):
    url, _ = account.order("a.example")
    stranger = Account(ca.directory, ca.bundle).register()

    assert refused(stranger.post, url).status == 403
    assert refused(stranger.post, account.kid).status == 403


def test_account_that_was_deactivated_is_refused(account):
    account.post(account.kid, {"status": "deactivated"})
    assert refused(account.post, account.kid).status == 401


def test_challenge_is_answered_once(account):
    _, order = account.order("a.example")
    _, challenge, _ = account.challenge(order["authorizations"][0], "http-01")
    account.post(challenge["url"], {})

    assert refused(account.post, challenge["url"], {}).type == "malformed"


# The stub: as it is told

def test_good_nonces_are_refused_now_and_then(ca, account):
    ca.set(bad_nonce=30)
    account.obtain("a.example")
    bad = [e for e in ca.log() if e.get("error") == "badNonce"]

    assert bad and ca.refusals() == []


def test_scripted_problem_comes_as_often_as_told(ca, account):
    ca.fail("newOrder", "problem", skip=1, times=2, status=429,
            type="rateLimited", headers={"Retry-After": "60"})
    account.order("a.example")

    for _ in range(2):
        problem = refused(account.order, "b.example")
        assert problem.type == "rateLimited"
        assert problem.answer.headers["Retry-After"] == "60"

    assert account.order("b.example")


def test_scripted_problem_of_one_name_leaves_others(ca, account):
    ca.fail("newOrder", "problem", name="a.example", times=0, status=500,
            type="serverInternal")

    assert refused(account.order, "a.example").status == 500
    assert account.order("b.example")


@pytest.mark.parametrize("kind, seen", [
    (dict(kind="page", status=503), lambda r: r.status == 503),
    (dict(kind="redirect"), lambda r: r.status == 302 and r.location),
    (dict(kind="big"), lambda r: len(r.body) == 3 << 20),
    (dict(kind="content type"),
     lambda r: r.headers["Content-Type"] == "text/html" and r.json()),
    (dict(kind="body", body="[]"), lambda r: r.json() == []),
    (dict(kind="change", members={"newOrder": 7}),
     lambda r: r.json()["newOrder"] == 7),
], ids=lambda v: v["kind"] if isinstance(v, dict) else "")
def test_broken_answer_is_broken(ca, kind, seen):
    one = Account(ca.directory, ca.bundle)
    ca.fail("directory", **kind)

    assert seen(one.send("GET", ca.directory))
    assert one.send("GET", ca.directory).json()["newOrder"]


def test_garbage_is_no_json(ca, account):
    ca.fail("directory", "garbage")
    with pytest.raises(ValueError):
        account.send("GET", ca.directory).json()


def test_lost_answer_is_of_a_request_that_was_carried_out(ca, account):
    ca.fail("newOrder", "cut")
    with pytest.raises((OSError, http.client.HTTPException)):
        account.order("a.example")
    assert len(ca.orders()) == 1

    ca.fail("newOrder", "refuse")
    with pytest.raises((OSError, http.client.HTTPException)):
        account.order("b.example")
    assert len(ca.orders()) == 1


def test_answer_that_never_ends_is_not_answered(ca, account):
    ca.fail("directory", "endless")
    account.connection.timeout = 0.2
    account.connection.close()
    with pytest.raises(TimeoutError):
        account.send("GET", ca.directory)


def test_held_request_goes_on_when_released(ca, account):
    ca.fail("newOrder", "hold")
    thread = threading.Thread(target=account.order, args=("a.example",))
    thread.start()
    ca.wait_held()

    assert ca.orders() == []
    ca.release()
    thread.join(10)
    assert len(ca.orders()) == 1


def test_clock_of_the_ca_may_be_wrong(ca, account):
    ca.set(skew=-7200)
    seen = account.send("GET", ca.directory).headers["Date"]

    assert abs(time.time() - 7200 - http_date(seen)) < 5


def http_date(text):
    return email.utils.parsedate_to_datetime(text).timestamp()


@pytest.mark.parametrize("kind, wrong", [
    ("other key", lambda c, k: c[0].public_key().public_numbers()
     != k.public_key().public_numbers()),
    ("other names", lambda c, k: "other.example" in accounts.names_of(c[0])),
    ("more names", lambda c, k: len(accounts.names_of(c[0])) == 2),
    ("fewer names", lambda c, k: "a.example" not in accounts.names_of(c[0])),
    ("expired", lambda c, k: c[0].not_valid_after.timestamp() < time.time()),
    ("reversed", lambda c, k: "a.example" in accounts.names_of(c[1])),
    ("strange issuer", lambda c, k: c[1].subject != c[0].issuer),
    ("huge", lambda c, k: len(c) > 50),
    ("empty", lambda c, k: c == []),
    ("no PEM", lambda c, k: c == []),
])
def test_chain_is_as_wrong_as_told(ca, account, kind, wrong):
    key = accounts.make_key("ES256")
    ca.set(chain=kind)

    assert wrong(account.obtain("a.example", key=key), key)


def test_chain_may_carry_a_private_key(ca, account):
    ca.set(chain="private key")
    account.obtain("a.example")
    assert b"PRIVATE KEY" in account.downloaded.body


def test_ca_that_forgot_knows_no_account(ca, account):
    ca.forget()
    assert refused(account.order, "a.example").type == "accountDoesNotExist"


def test_many_certificates_are_issued_quickly(ca, account):
    """More than 200 a second on an idle machine: what counts is that the stub
    is not what a test of 10,000 names waits for."""
    key = accounts.make_key("ES256")
    n = 200

    for i in range(n):
        name = f"h{i}.example"
        _, order = account.order(name)
        _, challenge, _ = account.challenge(order["authorizations"][0],
                                            "http-01")
        account.post(challenge["url"], {})
        done = account.post(order["finalize"], {"csr": accounts.encode(
            accounts.request(key, [name]))}).json()
        account.download(done)

    log = ca.log()
    assert len(ca.certs()) == n
    assert n / (log[-1]["time"] - log[0]["time"]) > 40


# Pebble and BIND

def test_pebble_issues_by_http_and_tls(start_pebble, responder):
    pebble = start_pebble(nonces=15)
    account = Account(pebble.directory, pebble.bundle).register()
    chain = account.obtain("a.test", "b.test", answer=responder.answer)
    account.obtain("c.test", kind="tls-alpn-01", answer=responder.answer)
    account.obtain("127.0.0.1", answer=responder.answer)

    assert accounts.names_of(chain[0]) == {"a.test", "b.test"}
    assert trusted(chain, pebble.roots())
    assert pebble.orders() == 3
    assert pebble.dns.asked("a.test")
    assert pebble.status_of(chain[0].serial_number) == "Valid"
    account.revoke(chain[0])
    assert pebble.status_of(chain[0].serial_number) == "Revoked"


def test_pebble_asks_where_names_lead(start_pebble, responder):
    pebble = start_pebble()
    pebble.dns.add("elsewhere.test", "127.0.0.99")
    account = Account(pebble.directory, pebble.bundle).register()

    with pytest.raises(AssertionError, match="invalid"):
        account.obtain("elsewhere.test", answer=responder.answer)


def test_pebble_has_alternate_chains_of_a_length(start_pebble):
    pebble = start_pebble(validate=False, alternates=2, length=3,
                          validity=1000)
    account = Account(pebble.directory, pebble.bundle).register()
    chain = account.obtain("a.test")
    links = account.downloaded.links("alternate")
    other = accounts.read_chain(account.post(links[1]).body)

    assert len(chain) == 4 and len(links) == 2
    assert trusted(other, pebble.roots()[2:])
    assert (chain[0].not_valid_after
            - chain[0].not_valid_before).total_seconds() in (999, 1000)


def test_pebble_wants_external_accounts_if_so_set(start_pebble):
    pebble = start_pebble(eab={"kid-1": EAB_KEY})
    account = Account(pebble.directory, pebble.bundle)

    assert refused(account.register).type == "externalAccountRequired"
    assert account.register(eab=("kid-1", EAB_KEY)).kid


def test_pebble_forgets_when_it_is_started_again(start_pebble):
    pebble = start_pebble()
    account = Account(pebble.directory, pebble.bundle).register()
    roots = pebble.roots()
    pebble.restart()
    account.close()

    assert refused(account.order, "a.test").type == "accountDoesNotExist"
    assert pebble.roots() != roots


def test_pebble_looks_at_bind(start_pebble, zone):
    pebble = start_pebble(resolver=zone.address)
    account = Account(pebble.directory, pebble.bundle).register()
    chain = account.obtain("dns.test", "*.dns.test", kind="dns-01",
                           answer=publish(zone))

    assert accounts.names_of(chain[0]) == {"dns.test", "*.dns.test"}
    assert len(zone.txt("_acme-challenge")) == 2


def test_bind_takes_changes_that_are_signed(zone):
    zone.update("add new.dns.test. 60 TXT hello")
    assert zone.txt("new") == ["hello"]
    zone.update("delete new.dns.test. TXT")
    assert zone.txt("new") == []
    assert ("adding", "an RR at 'new.dns.test' TXT \"hello\"") \
        in zone.updates()
