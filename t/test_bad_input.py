"""
Objects and files that are wrong in every way: each is a finding, costs what it
is about and nothing else, and the process that reads them lives on.
"""

import copy
import json
import os

import pytest
import yaml
from cryptography import x509

import manifest
import nginx
from gateway import SANITIZE
from manifest import ingress, path, rule, service


GOOD = "good.example"
HOST = "bad.example"

# what the helper may grow by when the same bad files come again and again
GROWTH = (200 if SANITIZE else 4) << 20


@pytest.fixture(scope="module", autouse=True)
def helper(gateway):
    """The helper may not end, whatever it reads."""
    pid = gateway.helper_pid()
    yield pid
    assert gateway.helper_pid() == pid
    assert gateway.control().restarts == 0
    assert gateway.control().failures == 0


@pytest.fixture
def bad(gateway, echo):
    """bad(text, name="bad.yaml"): put a file beside good ones.  After the test
    the good ones are served, and the file goes with all that it caused."""
    gateway.apply("good", manifest.route(GOOD, echo[0], name="good"),
                  manifest.backend("none", echo[0]))
    files = []

    def write(text, name="bad.yaml"):
        files.append(name)
        gateway.write(name, text)

    yield write

    gateway.serve("after.example", echo[1], name="after")
    for host in GOOD, "after.example":
        assert gateway.get("/", host).status == 200

    for name in files:
        if os.path.lexists(gateway.folder / name):
            (gateway.folder / name).unlink()
    nginx.wait_until(lambda: not found(gateway)
                     and HOST.encode() not in gateway.table(),
                     lambda: f"all of it to go: {found(gateway)}")


def found(gateway):
    """Findings about the bad files and objects."""
    return [f for f in gateway.findings() if "good" not in json.dumps(f)]


def dump(*objects):
    return yaml.safe_dump_all(objects, allow_unicode=True)


# Files that do not parse


DOC = dump(ingress("x", rule(HOST, path("/", "x"))))

BROKEN = {
    "cut": DOC[:-20] + "\n  - {",
    "tabs": "kind: Ingress\n\tmetadata: {}\n",
    "quote": 'kind: "Ingress\nmetadata: {}\n',
    "indent": "kind: Ingress\n  name: x\n",
    "two-values": "a: b: c\n",
    "alias-of-none": "kind: *nobody\n",
    "alias-of-itself": "kind: Ingress\nmetadata: &a\n  labels: *a\n",
    "cycle": "a: &a [*b]\nb: &b [*a]\n",
    "laughs": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n"
        for a, b in zip("abcdefghijk", "bcdefghijkl")),
    "deep": "a: " + "[" * 20000 + "]" * 20000 + "\n",
    "deep-blocks": "".join(" " * i + "a:\n" for i in range(2000)),
    "utf-8": "kind: Ingress\nmetadata: {name: \"\udcff\udcfe\"}\n",
    "cut-utf-8": "kind: Ingress\nmetadata: {name: \"\udcc3\"}\n",
    "long-utf-8": "kind: Ingress\nmetadata: {name: \"\udcc0\udcaf\"}\n",
    "surrogate": "kind: Ingress\nmetadata: {name: \"\udced\udca0\udc80\"}\n",
    "nul": "kind: Ingress\0\nmetadata: {}\n",
    "control": "kind: Ing\x01ress\n",
    "binary": "".join(chr(0xdc00 + b) if b > 127 else chr(b)
                      for b in range(256)) * 40,
    "duplicate-key": "kind: Ingress\nkind: Service\n",
    "merge-cycle": "a: &a\n  <<: *a\n",
    "tag": "kind: !!python/object:os.system x\n",
    "directive": "%YAML 9.9\n---\nkind: Ingress\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_file_that_is_no_object_is_a_finding(gateway, bad, text):
    bad(text.encode("utf-8", "surrogateescape"))
    finding = gateway.wait_finding(file="/bad.yaml")
    assert finding["severity"] == "error"
    assert finding["file"] == str(gateway.folder / "bad.yaml")


@pytest.mark.parametrize("text", [
    "{", "[1, 2", '{"kind": "Ingress", "kind": "Service"}', "nul",
    '{"kind": "\udcff"}', '{"kind": "\\ud800"}', "{}{}",
    '{"a": ' + "[" * 20000 + "]" * 20000 + "}"],
    ids=lambda text: text[:20].encode("ascii", "replace").decode())
def test_json_that_is_no_object_is_a_finding(gateway, bad, text):
    bad(text.encode("utf-8", "surrogateescape"), "bad.json")
    assert gateway.wait_finding(file="/bad.json")["severity"] == "error"


@pytest.mark.parametrize("text", ["a text", "42", "- a\n- b", "{}", "a: b",
                                  "kind: ''", "kind: [Ingress]"])
def test_document_that_is_no_object_is_a_finding(gateway, bad, text):
    bad(text)
    assert gateway.wait_finding(file="/bad.yaml", reason="NoObject")


@pytest.mark.parametrize("text", [
    "", "\n\n", "# nothing\n", "---\n---\n---\n", "\ufeff", "null\n",
    "--- \n" * 1000], ids=repr)
def test_file_without_objects_is_no_mistake(gateway, bad, text):
    bad(text)
    gateway.apply("beside", [])
    assert not [f for f in found(gateway) if f["severity"] == "error"]


def test_finding_tells_line_and_column(gateway, bad):
    bad("kind: Ingress\nmetadata:\n  name: x\n   labels: {\n")
    finding = gateway.wait_finding(reason="ParseError")
    assert finding["line"] == 4


def test_broken_file_keeps_its_last_good_content(gateway, bad, echo):
    docs = manifest.route(HOST, echo[2], name="kept")
    bad(dump(*docs))
    nginx.wait_until(lambda: gateway.get("/", HOST).status == 200, "the host")

    for text in "kind: {", DOC[:-20] + "{", "\0":
        gateway.write("bad.yaml", text)
        gateway.wait_finding(file="/bad.yaml", message="stays in force")
        assert gateway.get("/", HOST).echo["name"] == "http2"

    gateway.write("bad.yaml", dump(*docs))
    nginx.wait_until(lambda: not found(gateway), "the finding to go")
    assert gateway.get("/", HOST).echo["name"] == "http2"


def test_bad_object_costs_not_its_file(gateway, bad, echo):
    broken = ingress("broken", rule("broken.example", path("/", "x")))
    broken["spec"]["rules"] = "all"
    bad(dump(broken, *manifest.route(HOST, echo[2], name="beside"),
             {"kind": "Ingress"}, {"nothing": "else"}))
    nginx.wait_until(lambda: gateway.get("/", HOST).status == 200, "the host")
    assert gateway.wait_finding(file="/bad.yaml", reason="WrongType")


# Files that are no files


def test_file_larger_than_the_limit(gateway, bad):
    bad(b"# " + b"x" * (65 << 20) + b"\n")
    assert gateway.wait_finding(file="/bad.yaml", reason="TooLarge")


def test_pipe_device_and_loops_block_nothing(gateway, bad):
    os.mkfifo(gateway.folder / "pipe.yaml")
    os.mkdir(gateway.folder / "folder.yaml")
    for name, target in (("zero.yaml", "/dev/zero"), ("dot.yaml", "."),
                         ("self.yaml", "self.yaml"), ("up", ".."),
                         ("dangling.yaml", "/nonexistent")):
        (gateway.folder / name).symlink_to(target)

    try:
        bad(DOC)
        assert gateway.wait_finding(file="/bad.yaml")
    finally:
        for name in "pipe", "zero", "dot", "self", "dangling":
            (gateway.folder / f"{name}.yaml").unlink()
        (gateway.folder / "folder.yaml").rmdir()
        (gateway.folder / "up").unlink()


def test_file_that_may_not_be_read(gateway, bad):
    bad(DOC)
    (gateway.folder / "bad.yaml").chmod(0)
    gateway.write("other.yaml", "")
    finding = gateway.wait_finding(file="/bad.yaml", reason="Unreadable")
    assert "www-data" in json.dumps(finding)
    (gateway.folder / "other.yaml").unlink()


# Objects


def setting(*keys):
    """setting("spec", "rules", 0, "host", value): change one place."""
    *way, last, new = keys

    def change(thing):
        for key in way:
            thing = thing[key]
        thing[last] = new
    return change


SPEC = ("spec", "rules", 0)
PATH = (*SPEC, "http", "paths", 0)
PORT = (*PATH, "backend", "service", "port")

CHANGES = {
    "metadata-text": setting("metadata", "x"),
    "metadata-list": setting("metadata", []),
    "name-missing": setting("metadata", {"namespace": "default"}),
    "name-number": setting("metadata", "name", 5),
    "name-map": setting("metadata", "name", {}),
    "name-empty": setting("metadata", "name", ""),
    "name-long": setting("metadata", "name", "n" * 300),
    "name-slash": setting("metadata", "name", "../../etc"),
    "name-control": setting("metadata", "name", "a\nb"),
    "namespace-slash": setting("metadata", "namespace", "a/b"),
    "time": setting("metadata", "creationTimestamp", "yesterday"),
    "annotations-text": setting("metadata", "annotations", "x"),
    "annotation-map": setting("metadata", "annotations",
                              {manifest.PREFIX + "app-root": {}}),
    "annotation-control": setting("metadata", "annotations",
                                  {manifest.PREFIX + "app-root": "/a\x01b"}),
    "annotation-lines": setting(
        "metadata", "annotations",
        {manifest.PREFIX + "upstream-vhost": "a\r\nX-Evil: 1"}),
    "spec-missing": setting("spec", None),
    "spec-text": setting("spec", "x"),
    "rules-map": setting("spec", "rules", {}),
    "rule-text": setting("spec", "rules", ["x"]),
    "rule-null": setting("spec", "rules", [None]),
    "host-number": setting(*SPEC, "host", 5),
    "host-list": setting(*SPEC, "host", []),
    "host-control": setting(*SPEC, "host", "a\x01.example"),
    "host-lines": setting(*SPEC, "host", "a.example\r\nb"),
    "host-space": setting(*SPEC, "host", "a b.example"),
    "host-port": setting(*SPEC, "host", "a.example:80"),
    "host-slash": setting(*SPEC, "host", "a.example/x"),
    "host-dots": setting(*SPEC, "host", "a..example"),
    "host-star": setting(*SPEC, "host", "a.*.example"),
    "host-stars": setting(*SPEC, "host", "*.*.example"),
    "host-long": setting(*SPEC, "host", "a." * 200 + "example"),
    "host-unicode": setting(*SPEC, "host", "b\u00fccher.example"),
    "host-quote": setting(*SPEC, "host", 'a"; }.example'),
    "http-text": setting(*SPEC, "http", "x"),
    "paths-map": setting(*SPEC, "http", {"paths": {}}),
    "path-number": setting(*PATH, "path", 5),
    "path-relative": setting(*PATH, "path", "x"),
    "path-control": setting(*PATH, "path", "/a\x01"),
    "path-lines": setting(*PATH, "path", "/a {\n}\n"),
    "path-long": setting(*PATH, "path", "/" + "a" * 10000),
    "path-type": setting(*PATH, "pathType", "Regex"),
    "path-type-number": setting(*PATH, "pathType", 1),
    "backend-text": setting(*PATH, "backend", "x"),
    "backend-missing": setting(*PATH, "backend", None),
    "service-text": setting(*PATH, "backend", "service", "x"),
    "service-slash": setting(*PATH, "backend", "service", "name", "a/b"),
    "port-zero": setting(*PORT, "number", 0),
    "port-large": setting(*PORT, "number", 65536),
    "port-minus": setting(*PORT, "number", -1),
    "port-huge": setting(*PORT, "number", 10 ** 30),
    "port-float": setting(*PORT, "number", 80.5),
    "port-word": setting(*PORT, "number", "eighty"),
    "port-map": setting(*PORT, "number", {}),
    "port-text": setting(*PATH, "backend", "service", "port", "x"),
    "tls-text": setting("spec", "tls", "x"),
    "tls-secret": setting("spec", "tls", [{"secretName": 5,
                                           "hosts": ["a"]}]),
    "tls-hosts": setting("spec", "tls", [{"secretName": "a", "hosts": "x"}]),
    "default-text": setting("spec", "defaultBackend", "x"),
    "class-number": setting("spec", "ingressClassName", {}),
    "version": setting("apiVersion", "networking.k8s.io/v1beta1"),
    "version-missing": setting("apiVersion", ""),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_wrong_ingress_is_a_finding(gateway, bad, change):
    wrong = copy.deepcopy(ingress("wrong", rule(HOST, path("/", "none"))))
    change(wrong)
    bad(dump(wrong))
    gateway.wait_finding(file="/bad.yaml")


SERVICE = {
    "ports-text": setting("spec", "ports", "x"),
    "port-large": setting("spec", "ports", [{"port": 70000}]),
    "port-missing": setting("spec", "ports", [{}]),
    "port-twice": setting("spec", "ports", [{"port": 80, "targetPort": []}]),
    "type": setting("spec", "type", "Strange"),
    "external": setting("spec", {"type": "ExternalName",
                                 "externalName": "a\nb"}),
    "address": setting("spec", "clusterIP", "1.2.3.400"),
}

SLICE = {
    "address": setting("endpoints", [{"addresses": ["1.2.3.400"]}]),
    "address-lines": setting("endpoints", [{"addresses": ["1.2.3.4\n"]}]),
    "addresses": setting("endpoints", [{"addresses": "x"}]),
    "endpoints": setting("endpoints", "x"),
    "conditions": setting("endpoints", [{"addresses": ["1.2.3.4"],
                                         "conditions": {"ready": "maybe"}}]),
    "port": setting("ports", [{"port": 0}]),
    "port-huge": setting("ports", [{"port": 2 ** 40}]),
}


@pytest.mark.parametrize("change", SERVICE.values(), ids=SERVICE)
def test_wrong_service_is_a_finding(gateway, bad, change):
    wrong = service("fine")
    change(wrong)
    bad(dump(wrong))
    gateway.wait_finding(file="/bad.yaml", object='"Service"')


@pytest.mark.parametrize("change", SLICE.values(), ids=SLICE)
def test_wrong_slice_is_a_finding(gateway, bad, change):
    wrong = manifest.endpoint_slice("fine", ["1.2.3.4"], 80)
    change(wrong)
    bad(dump(wrong, service("fine")))
    gateway.wait_finding(file="/bad.yaml", object="fine-80")


# Too much


def test_annotation_of_10_megabytes(gateway, bad):
    bad(json.dumps(ingress("huge", rule(HOST, path("/", "none")),
                           app_root="/" + "a" * (10 << 20))), "bad.json")
    finding = gateway.wait_finding(object='"huge"')
    assert len(json.dumps(finding)) < 2000


def test_100000_paths_in_one_object(gateway, bad, echo):
    many = ingress("many", rule(HOST, *(
        path(f"/p{i}", "many") for i in range(100000))))
    bad(json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        many, *manifest.backend("many", echo[3])]}), "bad.json")

    def answered():
        answers = [gateway.get(f"/p{i}/x", HOST).status
                   for i in (0, 50000, 99999)]
        return answers == [200] * 3 or found(gateway)

    nginx.wait_until(answered, "the paths, or a finding", timeout=60,
                     every=0.1)


def test_thousands_of_findings_are_counted_and_cut(gateway, bad):
    bad(dump(*(ingress(f"n{i}", rule(f"n{i}.example", path("/", "none")),
                       proxy_body_size="x") for i in range(3000))))
    gateway.wait_finding(object='"n0"')
    assert len(gateway.findings()) <= 11000
    assert gateway.admin_get("/api/findings").status == 200


def test_names_that_repeat(gateway, bad, echo):
    docs = manifest.route(HOST, echo[2], name="twice")
    bad(dump(*docs, *docs, ingress("hosts", rule("h.example"),
                                   rule("h.example", path("/", "twice")),
                                   rule("h.example", path("/", "twice")))))
    assert gateway.wait_finding(file="/bad.yaml", reason="DuplicateObject")
    assert gateway.get("/", HOST).echo["name"] == "http2"
    assert gateway.get("/", "h.example").echo["name"] == "http2"


# Regular expressions


@pytest.mark.parametrize("text", [
    "/(a+)+$", "/(a|a)*$", "/(.*)*x(.*)*y(.*)*z", "/([a-z]+)*=",
    "/(?:(?:a*)*)*b"])
def test_regex_that_explodes_is_cut_off(gateway, bad, echo, text):
    bad(dump(*manifest.backend("explodes", echo[2]),
             ingress("explodes", rule(HOST, path(
                 text, "explodes", type="ImplementationSpecific")),
                 use_regex="true")))
    nginx.wait_until(lambda: HOST.encode() in gateway.table(), "the host")
    answer = gateway.get("/" + "a" * 3000 + "!", HOST, timeout=5)
    assert answer.status in (404, 503)


@pytest.mark.parametrize("text", [
    "/(((((((((a{1000}){1000}){1000}", "/[", "/(?P<", "/\\", "/(?C)", "/(?R)",
    "/a{99999}", "/(?1)", "/\\C", "/(*LIMIT_MATCH=1)", "/" + "(" * 3000,
    "/" + "(a|b)" * 700, "/(?<n>a)(?<n>b)"])
def test_regex_that_is_none_costs_its_path(gateway, bad, echo, text):
    bad(dump(ingress("strange", rule(
        HOST, path(text, "none", type="ImplementationSpecific"),
        path("/fine", "none", type="ImplementationSpecific")),
        use_regex="true")))
    nginx.wait_until(lambda: HOST.encode() in gateway.table(), "the host")
    assert gateway.get("/a" * 50, HOST, timeout=5).status in (200, 404, 503)
    assert gateway.get("/fine", HOST).status == 200


@pytest.mark.parametrize("alias", ["~(a+)+$", "~[", "~^.*$", "~", "a b", "*",
                                   "\u00fc.example", "~^(.*)*x(.*)*y$"])
def test_aliases_that_are_none(gateway, bad, echo, alias):
    bad(dump(*manifest.route(HOST, echo[2], name="alias",
                             server_alias=alias)))
    nginx.wait_until(lambda: HOST.encode() in gateway.table(), "the host")
    assert gateway.get("/", HOST).status == 200
    answer = gateway.get("/", "a" * 60 + ".example", timeout=5)
    assert answer.status in (200, 404, 503)


# Secrets


def served(gateway, host):
    """The serial number of the certificate that a client is shown."""
    with gateway.connect(tls=True, sni=host) as sock:
        return x509.load_der_x509_certificate(
            sock.getpeercert(True)).serial_number


def secure(bad, secret):
    bad(dump(secret, ingress("secure", rule(HOST, path("/", "none")),
                             tls=[("secure", [HOST])])))


def test_key_of_another_certificate(gateway, bad, authority):
    pair, other = authority.issue(HOST), authority.issue(HOST)
    secure(bad, manifest.secret("secure", {"tls.crt": pair.chain,
                                           "tls.key": other.key},
                                type="kubernetes.io/tls"))
    finding = gateway.wait_finding(reason="CertificateInvalid")
    assert other.key[40:80] not in json.dumps(finding)
    assert served(gateway, HOST) not in (pair.serial, other.serial)


@pytest.mark.parametrize("more, reason", [
    (dict(days=-1, start=-3), "CertificateExpired"),
    (dict(days=30, start=2), "CertificateNotYetValid")])
def test_certificate_of_another_time_is_served(gateway, bad, authority, more,
                                               reason):
    pair = authority.issue(HOST, **more)
    secure(bad, manifest.tls_secret("secure", pair))
    assert gateway.wait_finding(reason=reason)
    assert served(gateway, HOST) == pair.serial


@pytest.mark.parametrize("data", [
    {"tls.crt": "junk", "tls.key": "junk"},
    {"tls.crt": "", "tls.key": ""},
    {},
    {"tls.crt": b"\0" * 5000, "tls.key": b"\xff" * 5000},
    {"tls.crt": "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
     "tls.key": "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----"},
    {"tls.crt": "-----BEGIN CERTIFICATE-----\n" * 1000, "tls.key": "x"},
])
def test_secret_that_holds_none(gateway, bad, data):
    secure(bad, manifest.secret("secure", data, type="kubernetes.io/tls"))
    assert gateway.wait_finding(reason="CertificateInvalid")
    assert served(gateway, HOST)


@pytest.mark.parametrize("data", ["x", 5, [], {"tls.crt": "%%%"},
                                  {"tls.crt": 5}, {"tls.crt": {}}], ids=str)
def test_secret_of_the_wrong_form(gateway, bad, data):
    secret = manifest.tls_secret("secure", type("", (), dict(
        chain="x", key="private")))
    secret["data"] = data
    secure(bad, secret)
    assert gateway.wait_finding(file="/bad.yaml", severity="error")
    assert served(gateway, HOST)


# Again and again


def test_memory_does_not_grow(gateway, bad, echo, authority):
    wrong = []

    for n, change in enumerate(CHANGES.values()):
        one = copy.deepcopy(ingress(f"w{n}", rule(f"w{n}.example",
                                                  path("/", "none"))))
        change(one)
        wrong.append(one)

    pair = authority.issue(HOST)
    texts = [dump(*wrong), dump(*wrong[:5]),
             dump(manifest.secret("secure", {"tls.crt": pair.chain,
                                             "tls.key": "x"}),
                  ingress("secure", rule(HOST, path("/", "none")),
                          tls=[("secure", [HOST])]))]
    texts += [BROKEN[name] for name in ("laughs", "deep", "cycle")]
    early = None

    for turn in range(40):
        for n, text in enumerate(texts):
            bad(text, f"bad-{n}.yaml")
        gateway.serve("turn.example", echo[turn % 2], name="turn")

        if turn == 15:
            early = nginx.memory(gateway.helper_pid())

    assert nginx.memory(gateway.helper_pid()) - early < GROWTH
