"""
Signatures of Route 53's stand-in: it takes what botocore signed, what libcurl
signs of the requests that the driver makes, and nothing else.
"""

import calendar
import http.client
import subprocess
import time

import pytest

import cloud

KEY = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
BASE = "/2013-04-01/hostedzone"
DATE = "20231114T221320Z"

# made with botocore's SigV4Auth: method, target, headers, body, what is signed
SIGNED = [
    ("GET", BASE + "?marker=Z1&maxitems=100", {}, "", "host;x-amz-date",
     "13c189edc486780f948f79caf4869a59b99db74aca0c356c2d01d8c443d29613"),
    ("GET", BASE + "/Z1/rrset?maxitems=300&name=%5C052.example.com.&type=A",
     {"x-amz-security-token": "TOK+/="}, "",
     "host;x-amz-date;x-amz-security-token",
     "bfd5ed6ec9144f16c75f8f230072dfbebb2f20113eb9de20d9d8a3124c01b3a1"),
    ("POST", BASE + "/Z1/rrset/", {"content-type": "text/xml"}, "<x/>",
     "content-type;host;x-amz-date",
     "d624886f41f816b5c9bfefc8adaf2919e08a8bc97ffab0bb5f2718dc8cad3bed"),
]


@pytest.fixture
def route53():
    peer = cloud.Cloud("route53.js")
    peer.zone("Z1", "example.com")
    yield peer
    peer.stop()


def send(peer, method, target, headers, body, signed, signature):
    """As if it were then: the verifier's clock is put back."""
    then = calendar.timegm(time.strptime(DATE, "%Y%m%dT%H%M%SZ"))
    peer.set(skew=then - time.time())

    conn = http.client.HTTPConnection("127.0.0.1", peer.hello["port"])
    conn.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in {
            "host": "route53.amazonaws.com", "x-amz-date": DATE, **headers,
            "authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20231114/"
                             f"us-east-1/route53/aws4_request, SignedHeaders="
                             f"{signed}, Signature={signature}",
            "content-length": str(len(body))}.items():
        conn.putheader(name, value)
    conn.endheaders(body.encode())
    answer = conn.getresponse()
    return answer.status, answer.read().decode()


@pytest.mark.parametrize("request_", SIGNED, ids=["zones", "token", "change"])
def test_what_botocore_signed_is_taken(route53, request_):
    status, text = send(route53, *request_)
    # "<x/>" is no batch, which is found out behind the signature
    assert status == 200 or "InvalidInput" in text, text


@pytest.mark.parametrize("change", [
    {1: BASE + "?marker=Z2&maxitems=100"}, {0: "POST"}, {3: "x"},
    {5: "0" * 64}, {4: "host"}, {2: {"x-amz-meta-more": "1"}}])
def test_what_was_changed_behind_the_signature_is_refused(route53, change):
    request = list(SIGNED[0])
    for i, value in change.items():
        request[i] = value
    status, text = send(route53, *request)
    assert status == 403 and "SignatureDoesNotMatch" in text, text


def curl(route53, target, *options, secret=SECRET, region="us-east-1"):
    run = subprocess.run(
        ["curl", "-s", "-w", "%{http_code}", "-o", "/dev/null",
         "--aws-sigv4", f"aws:amz:{region}:route53", "-u", f"{KEY}:{secret}",
         *options, route53.url + target], capture_output=True, text=True)
    return int(run.stdout)


@pytest.mark.parametrize("target", [
    BASE + "?maxitems=100", BASE + "?marker=Z1&maxitems=100", BASE + "/Z1",
    BASE + "/Z1/rrset?maxitems=300",
    BASE + "/Z1/rrset?maxitems=300&name=a.example.com.&type=TXT",
    BASE + "/Z1/rrset?maxitems=300&name=%5C052.example.com.",
    BASE + "/Z1/rrset?identifier=eu%2F1%20%2B~&maxitems=300"
           "&name=a.example.com.&type=A"])
def test_libcurl_signs_the_targets_of_the_driver(route53, target):
    assert curl(route53, target) == 200


def test_libcurl_signs_the_session_token(route53):
    assert curl(route53, BASE + "/Z1", "-H",
                "x-amz-security-token: TOK+/=") == 200
    assert "x-amz-security-token" in route53.log()[-1]["headers"][
        "authorization"]


def test_libcurl_signs_a_body(route53):
    batch = ('<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws'
             '.com/doc/2013-04-01/"><ChangeBatch><Changes><Change><Action>CREAT'
             'E</Action><ResourceRecordSet><Name>a.example.com.</Name><Type>A<'
             '/Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>192.0'
             '.2.1</Value></ResourceRecord></ResourceRecords></ResourceRecordS'
             'et></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRe'
             'quest>')
    assert curl(route53, BASE + "/Z1/rrset/", "-H", "Content-Type: text/xml",
                "-d", batch) == 200
    assert route53.dump("Z1") == {("a.example.com", "A"): ["192.0.2.1"]}


def test_another_key_and_another_region_are_refused(route53):
    assert curl(route53, BASE, secret="x" * 40) == 403
    assert curl(route53, BASE, region="eu-west-1") == 403


@pytest.mark.parametrize("skew", [-301, 301])
def test_a_clock_that_is_more_than_five_minutes_off_is_refused(route53, skew):
    route53.set(skew=skew)
    assert curl(route53, BASE) == 403
    route53.set(skew=skew * 0.9)
    assert curl(route53, BASE) == 200
