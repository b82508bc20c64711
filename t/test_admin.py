"""
What the admin listener tells: probes, metrics, findings and routes; and the
access log, in the words of people who come from ingress-nginx.
"""

import json
import math
import re
import time

import pytest

import gateway as gateways
import manifest
import nginx
from manifest import ingress, path, rule


# their log format, and all of their variables
LOG = ('$remote_addr - $remote_user [$time_local] "$request" $status '
       '$body_bytes_sent "$http_referer" "$http_user_agent" $request_length '
       '$request_time [$proxy_upstream_name] '
       '[$proxy_alternative_upstream_name] $upstream_addr '
       '$upstream_response_length $upstream_response_time $upstream_status '
       '$req_id $namespace $ingress_name $service_name $service_port '
       '$location_path')

GATEWAY = dict(http=f"log_format theirs '{LOG}'; "
                    "access_log @dir@/theirs.log theirs;")

PREFIX = "nginx_ingress_controller_"
CONST = {"controller_class", "controller_namespace", "controller_pod"}
REQUEST = CONST | {"status", "method", "path", "namespace", "ingress",
                   "service", "canary", "host"}


# The text format of Prometheus, 0.0.4, without mercy


NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
NUMBER = re.compile(r"[+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|Inf)|NaN")
KINDS = {"counter", "gauge", "histogram"}


class Family:
    def __init__(self, name):
        self.name, self.kind, self.help = name, None, None
        self.samples = {}           # (name, ((label, value), …)): number

    def names(self):
        if self.kind == "histogram":
            return {self.name + end for end in ("_bucket", "_sum", "_count")}
        return {self.name}


def parse(text):
    """{name: Family}, or an AssertionError."""
    families = {}
    current = None

    assert text.endswith("\n")

    for line in text[:-1].split("\n"):
        if line.startswith("# "):
            _, what, name, rest = line.split(" ", 3)
            assert what in ("HELP", "TYPE") and NAME.fullmatch(name), line

            if what == "HELP":
                assert name not in families and rest, line
                current = families[name] = Family(name)
                current.help = rest
            else:
                assert current.name == name and current.kind is None, line
                assert not current.samples and rest in KINDS, line
                current.kind = rest
        else:
            sample(current, line)

    for family in families.values():
        assert family.kind, family.name
        if family.kind == "histogram":
            check_histogram(family)

    return families


def sample(family, line):
    name = NAME.match(line)[0]
    rest = line[len(name):]
    labels = []

    if rest.startswith("{"):
        at = 1
        while rest[at] != "}":
            found = LABEL.match(rest, at)
            assert found, line
            labels.append((found[1], unescape(found[2])))
            at = found.end()
            if rest[at] == ",":
                at += 1
                assert rest[at] != "}", line
            else:
                assert rest[at] == "}", line
        rest = rest[at + 1:]

    assert rest.startswith(" ") and NUMBER.fullmatch(rest[1:]), line
    assert name in family.names(), line
    assert len({n for n, _ in labels}) == len(labels), line

    key = name, tuple(sorted(labels))
    assert key not in family.samples, line
    family.samples[key] = float(rest[1:])


def unescape(text):
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), text)


def check_histogram(family):
    series = {}

    for (name, labels), value in family.samples.items():
        rest = tuple(pair for pair in labels if pair[0] != "le")
        one = series.setdefault(rest, {"le": []})
        if name.endswith("_bucket"):
            one["le"].append((float(dict(labels)["le"]), value))
        else:
            one[name.rpartition("_")[2]] = value

    for labels, one in series.items():
        bounds, counts = zip(*one["le"])
        assert list(bounds) == sorted(set(bounds)), labels
        assert list(counts) == sorted(counts), labels
        assert bounds[-1] == math.inf and counts[-1] == one["count"], labels
        assert one["sum"] >= 0, labels


def metrics(gateway):
    answer = gateway.admin_get("/metrics")
    assert answer.status == 200
    assert answer.header("Content-Type") == \
        "text/plain; version=0.0.4; charset=utf-8"
    return parse(answer.body.decode())


def value(families, name, **labels):
    """The sum of the samples that have these labels."""
    family = families[PREFIX + name]
    found = [v for (_, have), v in family.samples.items()
             if labels.items() <= dict(have).items()]
    return sum(found)


def counted(gateway, n, **labels):
    """Wait until n requests of these labels were counted, and no more: the
    count follows the answer."""
    nginx.wait_until(lambda: value(metrics(gateway), "requests", **labels) >= n,
                     lambda: f"{n} requests of {labels}")
    families = metrics(gateway)
    assert value(families, "requests", **labels) == n
    return families


# Probes


def test_healthz(gateway):
    answer = gateway.admin_get("/healthz")
    assert (answer.status, answer.text) == (200, "ok\n")


def test_readyz_when_ready(gateway):
    answer = gateway.admin_get("/readyz")
    told = answer.json()
    assert answer.status == 200 and told["ready"] and told["synced"]
    assert answer.header("Content-Type") == "application/json"
    assert told["generation"] == gateway.generation
    assert told["helper"]["pid"] == gateway.helper_pid()
    assert abs(told["helper"]["beat"] / 1000 - time.time()) < 30


@pytest.fixture
def unready():
    """A gateway that has no table, and nobody who makes one."""
    made = gateways.Gateway(http="torii_helper off;", wait=False)
    try:
        yield made.start()
    finally:
        made.remove()


def test_all_is_told_before_there_is_a_table(unready):
    assert unready.admin_get("/healthz").status == 200
    assert unready.get("/", "a.example").status == 503

    ready = unready.admin_get("/readyz")
    assert ready.status == 503 and ready.json()["ready"] is False

    for name in "findings", "routes":
        answer = unready.admin_get(f"/api/{name}")
        assert answer.status == 503 and answer.json() == []

    assert value(metrics(unready), "build_info") == 1


def test_readyz_turns_with_the_first_table(start_gateway, unready):
    other = start_gateway()
    unready.state.mkdir(exist_ok=True)
    (unready.state / "table").symlink_to(other.state / "table")
    unready.reload()
    nginx.wait_until(lambda: unready.admin_get("/readyz").status == 200,
                     "to be ready")


# The listener


def test_index_names_the_pages(gateway):
    text = gateway.admin_get("/").text
    assert text.startswith("Torii ")

    for page in re.findall(r"^(/\S*)", text, re.M):
        assert gateway.admin_get(page).status == 200, page


@pytest.mark.parametrize("method, target, status", [
    ("GET", "/nothing", 404), ("GET", "/api", 404), ("GET", "/api/", 404),
    ("POST", "/metrics", 405), ("DELETE", "/api/routes", 405),
    ("HEAD", "/metrics", 200), ("GET", "/healthz?x", 200),
    ("GET", "/%68ealthz", 200), ("GET", "/HEALTHZ", 404)])
def test_what_the_listener_takes(gateway, method, target, status):
    answer = gateway.request(method, target, port=gateway.admin)
    assert answer.status == status
    assert method != "HEAD" or answer.body == b""


def test_gateway_does_not_serve_the_admin_pages(gateway):
    for target in "/metrics", "/readyz", "/api/routes":
        assert gateway.get(target, "127.0.0.1").status == 404


# Metrics: requests


def test_requests_are_counted_with_their_labels(gateway, echo):
    gateway.serve("counted.example", echo[0], path_text="/shop")

    for _ in range(3):
        gateway.get("/shop/any?thing", "counted.example")
    gateway.post("/shop", "COUNTED.example:80", body=b"x")
    gateway.get("/shop", "counted.example", echo={"status": 404})
    gateway.request("REPORT", "/shop", "counted.example")

    families = counted(gateway, 6, host="counted.example")
    labels = dict(next(
        have for _, have in families[PREFIX + "requests"].samples
        if ("host", "counted.example") in have))

    assert set(labels) == REQUEST
    assert labels["path"] in ("/shop", "/shop/")
    assert labels["namespace"] == "default" and labels["canary"] == ""
    assert labels["ingress"] == labels["service"] == "counted-example-shop"

    for wanted, n in (dict(method="GET", status="200"), 3), \
                     (dict(method="POST", status="200"), 1), \
                     (dict(method="GET", status="404"), 1), \
                     (dict(method="other", status="200"), 1), \
                     (dict(status="200"), 5):
        assert value(families, "requests", host="counted.example",
                     **wanted) == n


@pytest.mark.parametrize("more, status, target", [
    (dict(force_ssl_redirect="true"), "308", "/"),
    (dict(denylist_source_range="127.0.0.1"), "403", "/"),
    (dict(permanent_redirect="https://a.example"), "301", "/"),
    (dict(allowlist_source_range="bad"), "503", "/"),
])
def test_answers_of_the_gateway_are_counted(gateway, echo, more, status,
                                            target):
    host = f"own-{status}.example"
    gateway.serve(host, echo[0], **more)
    assert str(gateway.get(target, host).status) == status
    counted(gateway, 1, host=host, status=status)


def test_hosts_that_no_rule_names_are_not_counted(gateway, echo):
    gateway.serve("marked.example", echo[0])
    gateway.get("/", "unknown-to-all.example")
    gateway.get("/", "marked.example")
    counted(gateway, 1, host="marked.example")
    assert value(metrics(gateway), "requests",
                 host="unknown-to-all.example") == 0


def test_all_workers_count_together(gateway, echo):
    gateway.serve("many.example", echo[0])
    for _ in range(50):
        gateway.get("/", "many.example")
    counted(gateway, 50, host="many.example")


def test_counts_outlive_tables_and_a_reload(gateway, echo):
    gateway.serve("living.example", echo[0])
    gateway.get("/", "living.example")
    counted(gateway, 1, host="living.example")

    gateway.serve("living.example", echo[1])
    gateway.reload()
    gateway.get("/", "living.example")
    counted(gateway, 2, host="living.example")


@pytest.mark.parametrize("name", [
    "request_duration_seconds", "response_duration_seconds",
    "connect_duration_seconds", "header_duration_seconds", "request_size",
    "response_size"])
def test_histograms(gateway, echo, name):
    host = name.replace("_", "-") + ".example"
    gateway.serve(host, echo[0])
    for _ in range(3):
        gateway.get("/", host, echo={"delay": 20})

    family = counted(gateway, 3, host=host)[PREFIX + name]
    assert family.kind == "histogram"

    mine = {key: v for key, v in family.samples.items()
            if ("host", host) in key[1]}
    bounds = [dict(labels)["le"] for _, labels in mine if "le" in dict(labels)]
    count = {v for (n, _), v in mine.items() if n.endswith("_count")}
    labels, = {frozenset(dict(key[1])) - {"le"} for key in mine}

    assert labels == REQUEST and count <= {3.0}
    assert bounds == (
        ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5",
         "5", "10", "+Inf"] if name.endswith("seconds") else
        [str(n) for n in range(10, 101, 10)] + ["+Inf"])


def test_label_values_of_any_text(gateway, echo):
    text = '/a"b\\c'
    gateway.apply("quoted", manifest.backend("quoted", echo[0]),
                  ingress("quoted", rule("quoted.example", path(
                      text, "quoted", type="ImplementationSpecific"))))
    assert gateway.get("/a%22b%5cc", "quoted.example").status == 200

    families = counted(gateway, 1, host="quoted.example")
    assert value(families, "requests", host="quoted.example", path=text) == 1


# Metrics: the gateway


def test_names_that_dashboards_ask_for(gateway, authority, echo):
    gateway.serve("dashboard.example", echo[0],
                  tls=authority.issue("dashboard.example"))
    gateway.get("/", "dashboard.example", tls=True)
    families = counted(gateway, 1, host="dashboard.example")

    for name, kind, labels in [
            ("requests", "counter", REQUEST),
            ("request_duration_seconds", "histogram", None),
            ("success", "counter", CONST),
            ("errors", "counter", CONST),
            ("config_hash", "gauge", CONST),
            ("config_last_reload_successful", "gauge", CONST),
            ("config_last_reload_successful_timestamp_seconds", "gauge",
             CONST),
            ("build_info", "gauge",
             CONST | {"release", "build", "repository"}),
            ("nginx_process_connections", "gauge", CONST | {"state"}),
            ("nginx_process_connections_total", "counter", CONST | {"state"}),
            ("nginx_process_requests_total", "counter", CONST),
            ("ssl_expire_time_seconds", "gauge", None)]:
        family = families[PREFIX + name]
        assert family.kind == kind, name
        for _, have in family.samples:
            assert labels is None or {n for n, _ in have} == labels, name

    assert value(families, "config_last_reload_successful") == 1
    assert value(families, "errors") == 0
    assert abs(value(families, "config_last_reload_successful_timestamp_"
                               "seconds") - time.time()) < 60


def test_connections_are_told_by_state(gateway):
    families = metrics(gateway)
    for name, states in (
            ("nginx_process_connections",
             {"active", "reading", "writing", "waiting"}),
            ("nginx_process_connections_total", {"accepted", "handled"})):
        found = {dict(labels)["state"] for _, labels in
                 families[PREFIX + name].samples}
        assert found == states


def test_expiry_of_certificates(gateway, echo, authority):
    pair = authority.issue("expiry.example", days=7)
    gateway.serve("expiry.example", echo[0], tls=pair)
    wanted = pair.x509.not_valid_after
    found = value(metrics(gateway), "ssl_expire_time_seconds",
                  host="expiry.example", namespace="default",
                  secret_name="expiry-example")
    assert found == (wanted - type(wanted)(1970, 1, 1)).total_seconds()


def test_orphans(gateway, echo):
    gateway.apply("orphans", manifest.service("empty"), [
        ingress(name, rule(f"{name}.example", path("/", service_)))
        for name, service_ in (("orphan-a", "missing"),
                               ("orphan-b", "empty"))])
    gateway.serve("no-orphan.example", echo[0])
    families = metrics(gateway)

    for name, kind in ("orphan-a", "no-service"), ("orphan-b", "no-endpoint"):
        assert value(families, "orphan_ingress", namespace="default",
                     ingress=name, type=kind) == 1, name
    assert value(families, "orphan_ingress",
                 ingress="no-orphan-example") == 0


def test_publishes_are_counted(gateway, echo):
    before = value(metrics(gateway), "success")
    gateway.serve("publish.example", echo[0])
    gateway.serve("publish.example", echo[1])
    assert value(metrics(gateway), "success") >= before + 2


# Findings and routes


def test_findings_are_those_of_the_table(gateway, echo):
    gateway.serve("finding.example", echo[0], proxy_body_size="lots",
                  allowlist_source_range="x")
    found = gateway.admin_get("/api/findings").json()
    mine = [f for f in found if "finding-example" in json.dumps(f["object"])]

    assert {f["severity"] for f in mine} == {"error", "warning"}
    for finding in mine:
        assert {"severity", "reason", "object", "file", "field", "value",
                "message"} <= set(finding)
        assert finding["file"].endswith("finding-example.yaml")
        assert "\n" not in finding["message"]
    assert found == gateway.findings(marks=True)

    severities = metrics(gateway)["torii_findings"].samples
    for severity in "error", "warning":
        assert severities["torii_findings", (("severity", severity),)] == \
            sum(f["severity"] == severity for f in found)


def test_routes_are_listed(gateway, echo):
    gateway.serve("listed.example", echo[0], echo[1], path_text="/a",
                  backend_protocol="GRPC", proxy_body_size="8k")
    gateway.serve("denied.example", echo[0], allowlist_source_range="x")

    for query in "listed.example", "LISTED.example", "listed.example&x=1":
        listed = gateway.admin_get(f"/api/routes?host={query}").json()
        assert {r["host"] for r in listed} == {"listed.example"}

    route = next(r for r in listed if not r["auto"])
    assert route["path"] == "/a" and route["pathType"] == "Prefix"
    assert route["namespace"] == "default"
    assert route["ingress"] == route["service"] == "listed-example-a"
    assert route["port"] == "80" and route["protocol"] == "GRPC"
    assert route["endpoints"] == 2 and route["bodySize"] == 8192
    assert route["denied"] is False
    assert route["file"].endswith("listed-example-a.yaml")

    denied = gateway.admin_get("/api/routes?host=denied.example").json()
    assert any(r["denied"] for r in denied)
    assert gateway.admin_get("/api/routes?host=nobody.example").json() == []


def test_thousands_of_routes_are_listed(gateway, echo):
    gateway.apply("thousands", manifest.backend("thousands", echo[0]), [
        ingress(f"t{i}", rule(f"t{i}.thousands.example",
                              path("/", "thousands"))) for i in range(3000)])
    listed = gateway.admin_get("/api/routes").json()
    assert sum(r["host"].endswith(".thousands.example")
               for r in listed) >= 3000
    gateway.remove_objects("thousands")


def test_no_secret_is_told(gateway, echo, authority):
    pair = authority.issue("secret.example")
    gateway.serve("secret.example", echo[0], tls=pair,
                  proxy_ssl_secret="default/secret-example")
    line = pair.key.splitlines()[2].encode()

    for page in "/", "/metrics", "/api/findings", "/api/routes", "/readyz":
        assert line not in gateway.admin_get(page).body
    assert line.decode() not in gateway.log()


# The access log


def test_log_format_of_ingress_nginx(gateway, echo):
    gateway.serve("logged.example", echo[0], path_text="/shop")
    gateway.get("/shop/x", "logged.example", x_request_id="id-1",
                user_agent="test/1")
    file = gateway.dir / "theirs.log"
    line = nginx.wait_until(
        lambda: re.search(".*GET /shop/x .*\n", file.read_text()),
        "the access log")[0]

    name = "logged-example-shop"
    assert re.fullmatch(
        r'127\.0\.0\.1 - - \[[^]]+\] "GET /shop/x HTTP/1\.1" 200 \d+ "-" '
        rf'"test/1" \d+ \d\.\d+ \[default-{name}-80\] \[-?\] '
        rf'{re.escape(echo[0].host)}:{echo[0].port} '
        rf'\d+ \d\.\d+ 200 id-1 default {name} '
        rf'{name} 80 /shop/?\n', line), line


def test_log_of_what_has_no_route(gateway):
    gateway.get("/nowhere", "nobody.example")
    file = gateway.dir / "theirs.log"
    line = nginx.wait_until(
        lambda: re.search(".*GET /nowhere .*\n", file.read_text()),
        "the access log")[0]
    assert " 404 " in line and "[upstream-default-backend]" in line
