"""
From a request to a backend: classes, hosts, path types, regexes, rewrites,
default backends, conflicts, Services and their endpoints.
"""

import collections
import json

import pytest

import manifest
import nameserver
import network
import nginx
from manifest import endpoint_slice, ingress, ingress_class, path, rule, service


SOURCES = ("manifests", "kubernetes")

# one worker, for each goes its own round
GATEWAY = dict(workers=1)


@pytest.fixture(scope="module", autouse=True)
def services(gateway, echo_backend):
    """Services s0 to s5, each of one address of the echo backend, and "none",
    which has no endpoint."""
    gateway.apply("services", echoes(echo_backend), service("none"))


def echoes(echo):
    return [manifest.backend(f"s{i}", address)
            for i, address in enumerate(echo.addresses)]


def who(gateway, host, target="/", **how):
    """The name of the echo address that answers, or the status."""
    answer = gateway.get(target, host, **how)
    return answer.echo["name"] if answer.status == 200 else answer.status


def seen(gateway, host, target, **how):
    """The request target as the backend received it."""
    answer = gateway.get(target, host, **how)
    assert answer.status == 200, answer
    return answer.echo["target"]


def routed(gateway, host, *paths, **more):
    """An Ingress of the host with paths as (text, Service, type), in force."""
    rows = [path(text, name, type=type) for text, name, type in paths]
    gateway.apply(manifest.label(host),
                  ingress(manifest.label(host), rule(host, *rows), **more))


def check_paths(gateway, host, wanted):
    found = {target: who(gateway, host, target) for target in wanted}
    assert found == wanted


def spread(gateway, host, n=12):
    return collections.Counter(who(gateway, host) for _ in range(n))


# Classes


@pytest.fixture
def classes(start_gateway, echo_backend):
    """A gateway that serves class "mine" only, by its name."""
    return start_gateway(http="torii_class mine;", class_name="mine",
                         manifests={"base": echoes(echo_backend)})


@pytest.fixture
def controllers(start_gateway, echo_backend):
    """A gateway that serves classes of a controller of its own."""
    return start_gateway(http="torii_controller example.com/edge;",
                         class_name="ours", manifests={"base": [
                             echoes(echo_backend),
                             ingress_class("ours", "example.com/edge"),
                             ingress_class("theirs", "example.com/other")]})


def classed(name, class_name=None, annotation=None):
    full = {"kubernetes.io/ingress.class": annotation} if annotation else None
    return ingress(name, rule(f"{name}.example", path("/", "s0")),
                   class_name=class_name, annotations=full)


@pytest.mark.parametrize("how, status", [
    (dict(class_name="mine"), 200),
    (dict(class_name="other"), 404),
    (dict(annotation="mine"), 200),
    (dict(annotation="other"), 404),
    (dict(class_name="mine", annotation="other"), 200),
    (dict(class_name="other", annotation="mine"), 404),
    (dict(), 404),
], ids=str)
def test_class_by_name(classes, how, status):
    classes.apply("a", classed("a", **how))
    assert classes.get("/", "a.example").status == status


def test_class_by_the_controller_of_its_ingress_class(controllers):
    controllers.apply("a", classed("a", "ours"), classed("b", "theirs"),
                      classed("c", "unknown"), classed("d"))
    found = [who(controllers, f"{n}.example") for n in "abcd"]
    assert found == ["http0", 404, 404, 404]


def test_ingress_follows_its_class_without_being_touched(controllers):
    controllers.apply("a", classed("a", "late"))
    assert who(controllers, "a.example") == 404

    controllers.apply("late", ingress_class("late", "example.com/edge"))
    assert who(controllers, "a.example") == "http0"

    controllers.remove_objects("late")
    assert who(controllers, "a.example") == 404


def test_ingress_that_changes_class_goes_and_comes(classes):
    for class_name, found in (("mine", "http0"), ("other", 404),
                              ("mine", "http0")):
        classes.apply("a", classed("a", class_name))
        assert who(classes, "a.example") == found


def test_foreign_class_is_a_finding(classes):
    classes.apply("a", classed("a", "other"))
    assert classes.wait_finding(object='"a"', reason="Class")


@pytest.mark.manifests
def test_without_a_class_of_ours_all_are_served(gateway):
    gateway.apply("all", classed("nameless"), classed("named", "whatever"),
                  classed("annotated", annotation="whatever"))
    found = [who(gateway, f"{n}.example")
             for n in ("nameless", "named", "annotated")]
    assert found == ["http0"] * 3


def test_class_of_another_controller_is_left_to_it(gateway):
    gateway.apply("left", ingress_class("traefik", "traefik.io/ingress"),
                  classed("left", "traefik"))
    assert who(gateway, "left.example") == 404


def test_ingress_being_deleted_is_not_served(gateway):
    going = classed("going")
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    gateway.apply("going", going)
    assert who(gateway, "going.example") == 404


def test_watched_namespace(start_gateway, echo_backend):
    gateway = start_gateway(http="torii_watch_namespace default;", manifests={
        "base": [echoes(echo_backend), classed("a"),
                 ingress("b", rule("b.example", path("/", "s0")),
                         namespace="other"),
                 manifest.backend("s0", echo_backend[0], namespace="other")]})
    assert who(gateway, "a.example") == "http0"
    assert who(gateway, "b.example") == 404


# Hosts


def test_unknown_host_is_404_with_nginx_page(gateway):
    answer = gateway.get("/", "nobody.example")
    assert answer.status == 404 and "nginx" in answer.text
    assert answer.header("Server") is None


@pytest.mark.parametrize("host, found", [
    ("wild.example", 404),
    ("a.wild.example", "http0"),
    ("a-b_1.wild.example", "http0"),
    ("A.WILD.example", "http0"),
    ("a.wild.example.", "http0"),
    ("a.wild.example:8443", "http0"),
    ("b.wild.example", "http1"),
    ("x.a.wild.example", 404),
    ("*.wild.example", 400),
    (".wild.example", 404),
])
def test_wildcard_covers_one_label_and_yields_to_the_host(gateway, host,
                                                          found):
    gateway.apply("wild", ingress(
        "wild", rule("*.wild.example", path("/", "s0")),
        rule("b.wild.example", path("/", "s1"))))
    answer = who(gateway, host)
    assert answer == found or (found == 400 and answer == 404)


def test_host_is_compared_without_case_dot_and_port(gateway):
    routed(gateway, "plain.example", ("/", "s0", "Prefix"))
    for host in ("PLAIN.Example", "plain.example.", "plain.example:1"):
        assert who(gateway, host) == "http0", host


def test_host_of_a_rule_may_be_written_in_capitals(gateway):
    routed(gateway, "Capital.EXAMPLE", ("/", "s0", "Prefix"))
    assert who(gateway, "capital.example") == "http0"


def test_rules_without_host_are_for_hosts_that_no_rule_names(start_gateway,
                                                            echo_backend):
    gateway = start_gateway(manifests={"base": [
        echoes(echo_backend),
        ingress("any", rule(None, path("/any", "s0"))),
        ingress("one", rule("one.example", path("/one", "s1")))]})
    assert who(gateway, "nobody.example", "/any") == "http0"
    assert who(gateway, "nobody.example", "/x") == 404
    assert who(gateway, "one.example", "/one") == "http1"
    assert who(gateway, "one.example", "/any") == 404


def test_one_host_of_many_ingresses_and_namespaces(gateway, echo):
    gateway.apply("shared", [
        ingress("here", rule("shared.example", path("/a", "s0"))),
        ingress("there", rule("shared.example", path("/b", "s9")),
                namespace="other"),
        manifest.backend("s9", echo[1], namespace="other")])
    check_paths(gateway, "shared.example", {"/a": "http0", "/b": "http1",
                                            "/": 404})


def test_same_over_http2(gateway):
    routed(gateway, "two.example", ("/a", "s0", "Prefix"))
    assert who(gateway, "two.example", "/a", h2=True) == "http0"
    assert who(gateway, "two.example", "/a", h2=True, tls=True) == "http0"
    assert who(gateway, "two.example", "/b", h2=True) == 404


# Paths


def test_exact(gateway):
    routed(gateway, "exact.example", ("/foo", "s0", "Exact"))
    check_paths(gateway, "exact.example", {
        "/foo": "http0", "/foo?x=/bar": "http0", "/%66oo": "http0",
        "/./foo": "http0", "//foo": "http0", "/x/../foo": "http0",
        "/foo/": 404, "/foobar": 404, "/FOO": 404, "/": 404})


def test_prefix_is_by_whole_segments(gateway):
    routed(gateway, "prefix.example", ("/foo", "s0", "Prefix"))
    check_paths(gateway, "prefix.example", {
        "/foo": "http0", "/foo/": "http0", "/foo/x": "http0",
        "/foo?/": "http0", "/foobar": 404, "/Foo": 404, "/": 404,
        "/foo/../bar": 404, "/bar/../foo/x": "http0", "/%66oo%2Fx": "http0"})


@pytest.mark.parametrize("type", ["ImplementationSpecific", None])
def test_other_path_types_are_prefixes(gateway, type):
    routed(gateway, "other.example", ("/foo", "s0", type))
    check_paths(gateway, "other.example", {
        "/foo": "http0", "/foo/x": "http0", "/foobar": 404})


def test_exact_wins_then_the_longest_prefix(gateway):
    routed(gateway, "order.example",
           ("/", "s0", "Prefix"), ("/a", "s1", "Prefix"),
           ("/a/b/c", "s2", "Prefix"), ("/a/b/c/d", "s3", "Exact"),
           ("/a/b", "s4", "Prefix"))
    check_paths(gateway, "order.example", {
        "/": "http0", "/x": "http0", "/a": "http1", "/a/x": "http1",
        "/a/b": "http4", "/a/b/x": "http4", "/a/bx": "http1",
        "/a/b/c": "http2", "/a/b/c/d": "http3", "/a/b/c/d/": "http2",
        "/a/b/c/dx": "http2", "/a/b/cx": "http4"})


def test_exact_and_prefix_of_one_text(gateway):
    routed(gateway, "both.example", ("/foo", "s0", "Exact"),
           ("/foo", "s1", "Prefix"))
    check_paths(gateway, "both.example", {
        "/foo": "http0", "/foo/": "http1", "/foo/x": "http1"})


@pytest.mark.parametrize("text", ["", None, "/"])
def test_empty_path_is_all(gateway, text):
    routed(gateway, "empty.example", (text, "s0", "Prefix"))
    check_paths(gateway, "empty.example", {"/": "http0", "/x/y": "http0"})


def test_path_that_is_no_regex_is_text(gateway):
    routed(gateway, "text.example",
           ("/a.c", "s0", "ImplementationSpecific"),
           ("/a b", "s1", "ImplementationSpecific"))
    check_paths(gateway, "text.example", {
        "/a.c": "http0", "/abc": 404, "/a%20b": "http1", "/a%20b/x": "http1"})


# The slash that is missing


@pytest.mark.parametrize("type", ["Prefix", "Exact", "ImplementationSpecific"])
@pytest.mark.parametrize("target, location", [
    ("/foo", "http://slash.example/foo/"),
    ("/foo?a=1&b=/", "http://slash.example/foo/?a=1&b=/"),
    ("/./foo", "http://slash.example/foo/"),
])
def test_missing_slash_is_301(gateway, type, target, location):
    routed(gateway, "slash.example", ("/foo/", "s0", type),
           ("/", "s1", "Prefix"))
    answer = gateway.get(target, "slash.example")
    assert (answer.status, answer.location) == (301, location)
    assert who(gateway, "slash.example", "/foo/") == "http0"
    assert who(gateway, "slash.example", "/foobar") == "http1"


def test_missing_slash_has_the_host_without_port_and_the_scheme(gateway):
    routed(gateway, "slash-tls.example", ("/foo/", "s0", "Prefix"))
    answer = gateway.get("/foo", "slash-tls.example:8443", tls=True)
    assert answer.location == "https://slash-tls.example/foo/"


def test_missing_slash_comes_before_ssl_redirect(gateway):
    routed(gateway, "slash-ssl.example", ("/foo/", "s0", "Prefix"),
           force_ssl_redirect="true")
    assert gateway.get("/foo", "slash-ssl.example").status == 301
    assert gateway.get("/foo/", "slash-ssl.example").status == 308


def test_no_slash_is_missing_where_a_rule_has_the_path(gateway):
    routed(gateway, "slash-own.example", ("/foo/", "s0", "Prefix"),
           ("/foo", "s1", "Exact"))
    check_paths(gateway, "slash-own.example", {"/foo": "http1",
                                               "/foo/": "http0"})


def test_no_slash_is_missing_among_regexes(gateway):
    routed(gateway, "slash-regex.example",
           ("/foo/", "s0", "ImplementationSpecific"), use_regex="true")
    assert who(gateway, "slash-regex.example", "/foo") == 404


# Regexes


def test_regex_is_anchored_at_the_start_only_and_caseless(gateway):
    routed(gateway, "id.example",
           ("/id/[0-9]+", "s0", "ImplementationSpecific"),
           ("/three/[0-9]{3}$", "s1", "ImplementationSpecific"),
           use_regex="true")
    check_paths(gateway, "id.example", {
        "/id/1": "http0", "/id/123a": "http0", "/ID/1/x": "http0",
        "/id/aaa": 404, "/x/id/1": 404, "/three/123": "http1",
        "/three/1234": 404, "/three/12": 404})


def test_regexes_are_tried_from_the_longest_text(gateway):
    routed(gateway, "long.example",
           ("/foo/bar/bar", "s0", "ImplementationSpecific"),
           ("/foo/bar/[a-z]{3}", "s1", "ImplementationSpecific"),
           ("/foo", "s2", "ImplementationSpecific"), use_regex="true")
    check_paths(gateway, "long.example", {
        "/foo/bar/bar": "http1", "/foo/bar/1": "http2", "/foobar": "http2"})


def test_regexes_of_one_length_are_tried_backwards(gateway):
    routed(gateway, "tie.example",
           ("/[a-m]", "s0", "ImplementationSpecific"),
           ("/[b-z]", "s1", "ImplementationSpecific"), use_regex="true")
    check_paths(gateway, "tie.example", {
        "/a": "http0", "/b": "http1", "/z": "http1"})


def test_one_regex_makes_all_paths_of_the_host_regexes(gateway):
    gateway.apply("spill", [
        ingress("regex", rule("spill.example", path(
            "/v[0-9]/x", "s0", type="ImplementationSpecific")),
            use_regex="true"),
        ingress("plain", rule("spill.example", path("/foo", "s1"),
                              path("/bar", "s2", type="Exact")))])
    check_paths(gateway, "spill.example", {
        "/v1/x": "http0", "/foo": "http1", "/FOO": "http1",
        "/foobar": "http1", "/bar": "http2", "/barfoo": "http2", "/": 404})


def test_regex_leaves_other_hosts_alone(gateway):
    gateway.apply("alone", ingress(
        "alone-regex", rule("alone-regex.example", path("/x", "s0")),
        use_regex="true"), ingress(
        "alone", rule("alone.example", path("/x", "s1"))))
    assert who(gateway, "alone.example", "/xy") == 404


def test_rewrite_makes_regexes_too(gateway):
    routed(gateway, "implied.example", ("/foo", "s0", "Prefix"),
           rewrite_target="/")
    check_paths(gateway, "implied.example", {"/FOO/x": "http0",
                                             "/foobar": "http0"})


def test_rewrite_to_the_path_itself_is_none(gateway):
    routed(gateway, "itself.example", ("/", "s0", "Prefix"),
           rewrite_target="/")
    assert seen(gateway, "itself.example", "/foo//x") == "/foo//x"

    routed(gateway, "itself.example", ("/foo", "s0", "Exact"),
           rewrite_target="/foo")
    assert seen(gateway, "itself.example", "//foo") == "//foo"


def test_quote_and_space_in_a_regex(gateway):
    routed(gateway, "quote.example",
           ('/a"b', "s0", "ImplementationSpecific"),
           ("/c d", "s1", "ImplementationSpecific"), use_regex="true")
    check_paths(gateway, "quote.example", {"/a%22b": "http0",
                                           "/c%20d": "http1"})


def test_regex_that_does_not_compile_costs_its_own_path(gateway):
    routed(gateway, "broken.example",
           ("/a(", "s0", "ImplementationSpecific"),
           ("/b", "s1", "ImplementationSpecific"), use_regex="true")
    assert who(gateway, "broken.example", "/b") == "http1"
    assert gateway.wait_finding(object="broken-example", severity="error")


# Rewrites


CAP = [("/cap/(.*)", "s0", "ImplementationSpecific")]


@pytest.mark.parametrize("target, received", [
    ("/cap/", "/x/"),
    ("/cap/a?z=2", "/x/a?z=2"),
    ("/cap/a%20b//c?z=2", "/x/a%20b/c?z=2"),
    ("/cap/x%2Fy", "/x/x/y"),
    ("/cap/a%3Fb", "/x/a%3Fb"),
    ("/cap/a%23b%25c", "/x/a%23b%25c"),
    ("/cap/%C3%BC", "/x/%C3%BC"),
    ("/cap/a/../b?q=/../%2F", "/x/b?q=/../%2F"),
    ("/CAP/Big", "/x/Big"),
    ("/cap/a?", "/x/a"),
])
def test_rewrite_builds_the_path_of_the_decoded_one(gateway, target, received):
    routed(gateway, "cap.example", *CAP, rewrite_target="/x/$1")
    assert seen(gateway, "cap.example", target) == received


BREAK = "a%0d%0aX-Evil:%201"


def test_line_breaks_do_not_get_through_a_rewrite(gateway):
    routed(gateway, "crlf.example", ("/cap/([^?]*)", "s0", None),
           rewrite_target="/x/$1")
    assert seen(gateway, "crlf.example", f"/cap/{BREAK}") == \
        "/x/a%0D%0AX-Evil:%201"


def test_line_breaks_do_not_get_into_a_redirect(gateway):
    routed(gateway, "away-crlf.example", ("/go/([^?]*)", "s0", None),
           rewrite_target="https://other.example/$1")
    answer = gateway.get(f"/go/{BREAK}", "away-crlf.example")
    assert answer.header("X-Evil") is None
    assert answer.location == "https://other.example/a%0D%0AX-Evil:%201"


@pytest.mark.parametrize("text, to, target, received", [
    ("/foo", "/bar", "/foo", "/bar"),
    ("/foo", "/bar", "/foo/x?y", "/bar?y"),
    ("/foo", "/", "/foo/x", "/"),
    ("/something(/|$)(.*)", "/$2", "/something", "/"),
    ("/something(/|$)(.*)", "/$2", "/something/", "/"),
    ("/something(/|$)(.*)", "/$2", "/something/new/", "/new/"),
    ("/a/(x)?/b", "/c/$1/d", "/a//b", None),
    ("/a(/x)?/b", "/c$1/d", "/a/b", "/c/d"),
    ("/(\\w+)/(\\w+)", "/$2/$1", "/one/two", "/two/one"),
    ("/(a)(b)(c)(d)(e)(f)(g)(h)(i)", "/$9$8$1", "/abcdefghi", "/iha"),
    ("/v1/(.*)", "/$1/$1", "/v1/p", "/p/p"),
    ("/n/(.*)", "/m/$2", "/n/p", "/m/"),
])
def test_rewrite(gateway, text, to, target, received):
    routed(gateway, "rewrite.example", (text, "s0", "ImplementationSpecific"),
           rewrite_target=to)
    if received is None:
        assert who(gateway, "rewrite.example", target) == 404
    else:
        assert seen(gateway, "rewrite.example", target) == received


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_rewrite_to_another_site_is_302(gateway, scheme):
    routed(gateway, "away.example", ("/go/(.*)", "s0",
                                     "ImplementationSpecific"),
           rewrite_target=f"{scheme}://other.example/$1")
    answer = gateway.get("/go/a%20b%3Fc?x=1&y=/", "away.example")
    assert answer.status == 302
    assert answer.location == f"{scheme}://other.example/a%20b%3Fc?x=1&y=/"


def test_rewrite_over_http2(gateway):
    routed(gateway, "cap-two.example", *CAP, rewrite_target="/x/$1")
    assert seen(gateway, "cap-two.example", "/cap/y?z", h2=True) == "/x/y?z"


# The request target, byte for byte


@pytest.mark.parametrize("h2", [False, True])
@pytest.mark.parametrize("target", [
    "/a", "/a/", "/a?", "/a?x=1&y=%20+%2F", "//a//b", "/a/../a/./b",
    "/a/%2e%2e/a", "/a%2Fb", "/%61", "/a%20b", "/a;v=1/b", "/a%00b",
    "/a/~!$&'()*+,=:@", "/a?q=[]{}|^`\"<>", "/a/\xfc", "/a%c3%28", "/a?%zz",
])
def test_target_reaches_the_backend_as_it_was_sent(gateway, raw_backend, h2,
                                                   target):
    gateway.serve("target.example", raw_backend.address, name="target")
    sent = target.encode("latin-1")

    if h2:
        answer = gateway.get(target, "target.example", h2=True)
        sent = target.encode()
    else:
        answer = gateway.raw(b"GET " + sent + b" HTTP/1.1\r\nHost: "
                             b"target.example\r\nConnection: close\r\n\r\n")

    if raw_backend.requests:
        assert raw_backend.requests[0].split(b"\r\n")[0] == \
            b"GET " + sent + b" HTTP/1.1"
    else:
        assert target == "/a%00b" and "400" in repr(answer)


# Default backends


def test_root_that_no_rule_has_goes_to_the_default_of_the_ingress(gateway):
    gateway.apply("own", [
        ingress("older", rule("own.example", path("/a", "s0")), default="s1",
                created=100),
        ingress("younger", rule("own.example", path("/b", "s2")),
                default="s3", created=200)])
    check_paths(gateway, "own.example", {
        "/a": "http0", "/b": "http2", "/": "http1", "/x": "http1"})
    assert who(gateway, "nobody.example", "/x") == 404


def test_root_that_no_rule_has_carries_the_annotations(gateway):
    routed(gateway, "carried.example", ("/a", "s0", "Prefix"),
           permanent_redirect="https://new.example/")
    assert gateway.get("/x", "carried.example").status == 301


def test_rule_without_paths_has_the_default_only(gateway):
    gateway.apply("pathless", ingress("pathless", rule("pathless.example"),
                                      default="s1"))
    assert who(gateway, "pathless.example", "/any/thing") == "http1"


def test_rule_without_paths_and_default_is_404(gateway):
    gateway.apply("bare", ingress("bare", rule("bare.example")))
    assert who(gateway, "bare.example") == 404


def test_path_to_a_resource_is_skipped(gateway):
    gateway.apply("resource", ingress("resource", rule(
        "resource.example", path("/a", "s0"),
        {"path": "/icons", "pathType": "Prefix", "backend": {"resource": {
            "apiGroup": "k8s.example", "kind": "Bucket", "name": "icons"}}})))
    check_paths(gateway, "resource.example", {"/a": "http0", "/icons": 404})
    assert gateway.wait_finding(reason="ResourceBackend")


def test_default_without_rules_is_for_all_other_hosts(start_gateway,
                                                      echo_backend):
    gateway = start_gateway(manifests={"base": [
        echoes(echo_backend),
        ingress("second", default="s1", created=200),
        ingress("first", default="s0", created=100,
                permanent_redirect="https://new.example/",
                denylist_source_range="127.0.0.9"),
        ingress("one", rule("one.example", path("/a", "s2")))]})
    assert who(gateway, "nobody.example", "/x") == "http0"
    assert who(gateway, "nobody.example", "/x", source="127.0.0.9") == 403
    assert who(gateway, "one.example", "/x") == 404


def test_default_backend_of_the_gateway(start_gateway, echo_backend):
    gateway = start_gateway(
        http="torii_default_backend default/s5;",
        manifests={"base": [
            echoes(echo_backend), service("none"),
            ingress("one", rule("one.example", path("/a", "s0"),
                                path("/none", "none")))]})
    assert who(gateway, "nobody.example", "/x") == "http5"
    assert who(gateway, "one.example", "/x") == "http5"
    assert who(gateway, "one.example", "/a") == "http0"
    assert who(gateway, "one.example", "/none") == 503


def test_default_backend_without_endpoints_is_404(start_gateway, echo_backend):
    gateway = start_gateway(http="torii_default_backend default/late;")
    assert who(gateway, "nobody.example") == 404

    gateway.apply("late", service("late"))
    assert who(gateway, "nobody.example") == 404

    gateway.apply("late", manifest.backend("late", echo_backend[0]))
    assert who(gateway, "nobody.example") == "http0"


def test_missing_service_and_missing_endpoints_are_503(gateway):
    routed(gateway, "gone.example", ("/missing", "missing", "Prefix"),
           ("/none", "none", "Prefix"))
    check_paths(gateway, "gone.example", {"/missing": 503, "/none": 503,
                                          "/": 404})
    assert gateway.wait_finding(reason="ServiceNotFound")
    assert gateway.wait_finding(reason="NoEndpoints")


# Conflicts


def conflict(name, service_, created=None, type="Prefix", namespace="default"):
    return ingress(name, rule("conflict.example",
                              path("/c", service_, type=type)),
                   created=created, namespace=namespace)


def test_oldest_wins_and_the_next_takes_over(gateway):
    gateway.apply("younger", conflict("a-younger", "s1", 2000))
    assert who(gateway, "conflict.example", "/c") == "http1"

    gateway.apply("older", conflict("z-older", "s0", 1000))
    assert who(gateway, "conflict.example", "/c") == "http0"
    assert gateway.wait_finding(reason="PathConflict", object="a-younger")

    gateway.remove_objects("older")
    assert who(gateway, "conflict.example", "/c") == "http1"
    gateway.remove_objects("younger")
    assert who(gateway, "conflict.example", "/c") == 404


def test_of_the_same_age_the_last_by_name_wins(gateway):
    gateway.apply("tie", conflict("tie-a", "s1", 1000),
                  conflict("tie-b", "s0", 1000))
    assert who(gateway, "conflict.example", "/c") == "http0"
    gateway.remove_objects("tie")


def test_other_path_types_do_not_conflict(gateway):
    gateway.apply("types", conflict("types-a", "s0", 1000),
                  conflict("types-b", "s1", 2000, "Exact"))
    check_paths(gateway, "conflict.example", {"/c": "http1", "/c/": "http0"})
    gateway.remove_objects("types")


# Ports


def ported(gateway, wanted, *slices, spec_ports=None, **service_):
    made = service("ported", **service_)
    if spec_ports:
        made["spec"]["ports"] = spec_ports
    gateway.apply("ported", made, *slices, ingress(
        "ported", rule("ported.example", path("/", "ported", wanted))))
    return who(gateway, "ported.example")


def test_port_by_number(gateway, echo):
    assert ported(gateway, 80, endpoint_slice(
        "ported", [network.POD], echo[0].port), port=80) == "http0"


def test_port_by_name(gateway, echo):
    assert ported(gateway, "web", endpoint_slice(
        "ported", [network.POD], echo[1].port, port_name="web"),
        port=80, port_name="web") == "http1"


def test_port_by_its_target_number_or_name(gateway, echo):
    slice_ = endpoint_slice("ported", [network.POD], echo[2].port)
    assert ported(gateway, 8080, slice_, port=80, target=8080) == "http2"
    assert ported(gateway, "pod", slice_, port=80, target="pod") == "http2"


def test_number_of_the_service_comes_before_a_target(gateway, echo):
    slice_ = endpoint_slice("ported", [network.POD], 1, port_name="a")
    slice_["ports"] = [
        {"name": "a", "port": echo[0].port, "protocol": "TCP"},
        {"name": "b", "port": echo[1].port, "protocol": "TCP"}]
    ports = [{"name": "a", "port": 80, "targetPort": 8080},
             {"name": "b", "port": 8080, "targetPort": 9090}]
    assert ported(gateway, 8080, slice_, spec_ports=ports) == "http1"
    assert ported(gateway, 80, slice_, spec_ports=ports) == "http0"


def test_port_that_is_not_defined_is_503(gateway, echo):
    slice_ = endpoint_slice("ported", [network.POD], echo[0].port)
    assert ported(gateway, 81, slice_, port=80) == 503
    assert ported(gateway, "web", slice_, port=80) == 503
    assert gateway.wait_finding(reason="ServicePortNotFound")


def test_port_that_is_not_tcp_is_none(gateway, echo):
    slice_ = endpoint_slice("ported", [network.POD], echo[0].port)
    ports = [{"port": 80, "protocol": "UDP"}]
    assert ported(gateway, 80, slice_, spec_ports=ports) == 503


def test_slice_without_ports_has_the_target(gateway, echo):
    slice_ = endpoint_slice("ported", [network.POD], 1)
    del slice_["ports"]
    assert ported(gateway, 80, slice_, port=80,
                  target=echo[3].port) == "http3"


def test_slice_of_another_port_name_has_the_target(gateway, echo):
    slice_ = endpoint_slice("ported", [network.POD], 1, port_name="else")
    assert ported(gateway, 80, slice_, port=80, port_name="web",
                  target=echo[4].port) == "http4"


# Endpoints


def ended(gateway, *slices, **service_):
    gateway.apply("ended", service("ended", **service_), *slices, ingress(
        "ended", rule("ended.example", path("/", "ended"))))


def local(port, name, **more):
    return endpoint_slice("ended", [network.POD], port, name=name, **more)


def test_slices_are_added_up_and_duplicates_removed(gateway, echo):
    ended(gateway, local(echo[0].port, "one"), local(echo[1].port, "two"),
          local(echo[1].port, "again"))
    assert spread(gateway, "ended.example") == {"http0": 6, "http1": 6}


def test_slices_are_found_by_label_whatever_their_name(gateway, echo):
    ended(gateway, local(echo[0].port, "no-resemblance"))
    assert who(gateway, "ended.example") == "http0"


def test_slice_that_goes_takes_its_endpoints_along(gateway, echo):
    ended(gateway, local(echo[0].port, "one"), local(echo[1].port, "two"))
    ended(gateway, local(echo[1].port, "two"))
    assert spread(gateway, "ended.example") == {"http1": 12}


def test_only_ready_endpoints_are_used(gateway, echo):
    ended(gateway, local(echo[0].port, "ready", conditions={"ready": True}),
          local(echo[1].port, "unset", conditions={}),
          local(echo[2].port, "null", conditions={"ready": None}),
          local(echo[3].port, "not", conditions={"ready": False}))
    assert spread(gateway, "ended.example") == {"http0": 4, "http1": 4,
                                                "http2": 4}


def test_endpoints_that_are_not_ready_are_503(gateway, echo):
    ended(gateway, local(echo[0].port, "not", conditions={"ready": False}))
    assert who(gateway, "ended.example") == 503


def test_terminating_endpoint_goes_at_once(gateway, echo):
    gone = {"ready": False, "serving": True, "terminating": True}
    ended(gateway, local(echo[0].port, "going", conditions=gone),
          local(echo[1].port, "there"))
    assert spread(gateway, "ended.example") == {"http1": 12}


@pytest.mark.manifests
def test_both_families(gateway, echo, start_nginx):
    six = start_nginx("server { listen [::1]:@plain@; return 200 '"
                      + json.dumps({"name": "six"}) + "'; }")
    ended(gateway, local(echo[0].port, "four"),
          endpoint_slice("ended", ["::1"], six.plain, name="six",
                         family="IPv6"))
    assert spread(gateway, "ended.example") == {"http0": 6, "six": 6}


def test_headless_service(gateway, echo):
    ended(gateway, local(echo[0].port, "one"), cluster_ip="None")
    assert who(gateway, "ended.example") == "http0"


@pytest.mark.manifests
def test_plain_endpoints_object_serves_where_there_are_no_slices(gateway,
                                                                 echo):
    gateway.apply("ended", service("ended"), {
        "apiVersion": "v1", "kind": "Endpoints",
        "metadata": manifest.metadata("ended"),
        "subsets": [{"addresses": [{"ip": network.POD}],
                     "ports": [{"port": echo[5].port}]}]},
        ingress("ended", rule("ended.example", path("/", "ended"))))
    assert who(gateway, "ended.example") == "http5"


def test_service_is_of_the_namespace_of_its_ingress(gateway, echo):
    gateway.apply("spaces", manifest.backend("only-there", echo[0],
                                             namespace="there"),
                  ingress("spaces", rule("spaces.example",
                                         path("/", "only-there"))))
    assert who(gateway, "spaces.example") == 503


# service-upstream


@pytest.mark.parametrize("port, port_name", [(80, None), ("web", "web")])
def test_service_upstream_is_the_address_of_the_service(gateway, echo,
                                                        start_nginx, port,
                                                        port_name):
    virtual = start_nginx(f"server {{ listen {network.POD}:@plain@; "
                          "return 200 virtual; }")
    number = virtual.plain
    gateway.apply("direct", [
        service("direct", number, port_name=port_name,
                cluster_ip=network.POD),
        endpoint_slice("direct", [network.POD], echo[0].port,
                       port_name=port_name or ""),
        ingress("direct", rule("direct.example", path(
            "/", "direct", number if port == 80 else port)),
            service_upstream="true")])
    assert gateway.get("/", "direct.example").text == "virtual"


def test_service_upstream_of_a_headless_service_has_its_endpoints(gateway,
                                                                  echo):
    gateway.apply("direct", service("direct", cluster_ip="None"),
                  endpoint_slice("direct", [network.POD], echo[0].port),
                  ingress("direct", rule("direct.example",
                                         path("/", "direct")),
                          service_upstream="true"))
    assert who(gateway, "direct.example") == "http0"


# ExternalName


@pytest.fixture(scope="module")
def names():
    server = nameserver.NameServer(ttl=1)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def named(make_gateway, names):
    """A gateway that asks our name server."""
    made = make_gateway(workers=1,
                        http=f"torii_resolver {names.address};")
    try:
        yield made.start()
    finally:
        made.remove()


def external(gateway, name, port, number=None):
    made = service("ext", number or port, external=name)
    if number is None:
        del made["spec"]["ports"]
    gateway.apply("ext", made, ingress("ext", rule(
        "ext.example", path("/", "ext", port))))


@pytest.mark.parametrize("written", ["web.test", "web.test."])
def test_external_name_is_resolved(named, names, echo, written):
    names.records["web.test"] = [network.POD]
    external(named, written, echo[0].port, echo[0].port)
    assert who(named, "ext.example") == "http0"


def test_external_name_without_ports_has_the_number_of_the_ingress(
        named, names, echo):
    names.records["web.test"] = [network.POD]
    external(named, "web.test", echo[1].port)
    assert who(named, "ext.example") == "http1"


def test_external_name_may_be_an_address(named, echo):
    external(named, network.POD, echo[2].port, echo[2].port)
    assert who(named, "ext.example") == "http2"


@pytest.mark.manifests
def test_external_name_follows_its_records(named, names, start_nginx):
    where = start_nginx("".join(
        f"server {{ listen 127.0.0.{n}:@plain@; return 200 {n}; }}"
        for n in (81, 82)))
    names.records["moves.test"] = ["127.0.0.81"]
    external(named, "moves.test", where.plain, where.plain)
    assert named.get("/", "ext.example").text == "81"

    names.records["moves.test"] = ["127.0.0.82"]
    nginx.wait_until(lambda: named.get("/", "ext.example").text == "82",
                     "the new address", every=0.05)


def test_external_name_that_does_not_exist_is_503(named, echo):
    external(named, "nowhere.test", echo[0].port, echo[0].port)
    assert who(named, "ext.example") == 503
    assert named.wait_finding(reason="NameNotResolved")


def test_external_name_changed_and_removed(named, names, echo):
    names.records["web.test"] = [network.POD]
    external(named, "web.test", echo[0].port, echo[0].port)
    assert who(named, "ext.example") == "http0"

    external(named, "web.test", echo[1].port, echo[1].port)
    assert who(named, "ext.example") == "http1"

    named.apply("ext", ingress("ext", rule("ext.example",
                                           path("/", "ext"))))
    assert who(named, "ext.example") == 503


def test_external_name_with_a_port_name_that_is_not_defined_is_503(named,
                                                                   names):
    names.records["web.test"] = [network.POD]
    external(named, "web.test", "web")
    assert who(named, "ext.example") == 503


# Aliases, app-root and www


def test_server_alias(gateway):
    gateway.apply("alias", [
        ingress("alias", rule("alias.example", path("/a", "s0")),
                server_alias=r"one.alias.example, ~^re[0-9]+\.alias\.example$,"
                             "taken.example,*.any.example"),
        ingress("taken", rule("taken.example", path("/a", "s1")))])
    for host, found in (("one.alias.example", "http0"),
                        ("ONE.alias.example", "http0"),
                        ("re7.alias.example", "http0"),
                        ("rex.alias.example", 404),
                        ("x.any.example", "http0"), ("any.example", 404),
                        ("taken.example", "http1")):
        assert who(gateway, host, "/a") == found, host
    assert who(gateway, "one.alias.example", "/b") == 404


def test_server_alias_of_the_oldest_ingress_counts(gateway):
    gateway.apply("aliases", [
        ingress("aliases-b", rule("aliases.example", path("/b", "s0")),
                server_alias="younger.aliases.example", created=200),
        ingress("aliases-a", rule("aliases.example", path("/a", "s0")),
                server_alias="older.aliases.example", created=100)])
    assert who(gateway, "older.aliases.example", "/b") == "http0"
    assert who(gateway, "younger.aliases.example", "/b") == 404


@pytest.mark.parametrize("target, tls, status, location", [
    ("/", False, 302, "http://root.example/home"),
    ("/?a=1", False, 302, "http://root.example/home"),
    ("/", True, 302, "https://root.example/home"),
    ("/x", False, 200, None),
])
def test_app_root(gateway, target, tls, status, location):
    routed(gateway, "root.example", ("/", "s0", "Prefix"), app_root="/home")
    answer = gateway.get(target, "root.example", tls=tls)
    assert (answer.status, answer.location) == (status, location)


def test_app_root_is_of_the_whole_host(gateway):
    routed(gateway, "root-all.example", ("/x", "s0", "Prefix"),
           app_root="/x", force_ssl_redirect="true")
    answer = gateway.get("/", "root-all.example:8080")
    assert answer.status == 302
    assert answer.location == "http://root-all.example:8080/x"


@pytest.mark.parametrize("host, sibling", [
    ("shop.example", "www.shop.example"), ("www.buy.example", "buy.example")])
@pytest.mark.parametrize("target, rest", [
    ("/foo?a=1", "/foo?a=1"), ("/foo/", "/foo"), ("/", ""),
    ("/a%20b//c", "/a%20b//c")])
def test_from_to_www(gateway, host, sibling, target, rest):
    routed(gateway, host, ("/", "s0", "Prefix"), from_to_www_redirect="true")
    answer = gateway.get(target, sibling)
    assert answer.status == 308
    assert answer.location == f"http://{host}:{gateway.plain}{rest}"
    assert who(gateway, host) == "http0"


def test_from_to_www_over_tls_has_port_443(gateway):
    routed(gateway, "secure.example", ("/", "s0", "Prefix"),
           from_to_www_redirect="true")
    answer = gateway.get("/", "www.secure.example", tls=True)
    assert answer.location == "https://secure.example:443"


def test_from_to_www_yields_to_an_ingress_of_the_sibling(gateway):
    routed(gateway, "has.example", ("/", "s0", "Prefix"),
           from_to_www_redirect="true")
    routed(gateway, "www.has.example", ("/", "s1", "Prefix"))
    assert who(gateway, "www.has.example") == "http1"


# ssl-redirect, to the byte


@pytest.mark.parametrize("target, rest", [
    ("/", ""), ("/a", "/a"), ("/a/", "/a"), ("/a//", "/a/"),
    ("/a?x=/", "/a?x="), ("/a/?x=1", "/a/?x=1"), ("/a%2F", "/a%2F"),
    ("//a/../b", "//a/../b")])
def test_ssl_redirect_cuts_one_slash(gateway, target, rest):
    routed(gateway, "ssl.example", ("/", "s0", "Prefix"),
           force_ssl_redirect="true")
    answer = gateway.get(target, "ssl.example:8080")
    assert answer.status == 308
    assert answer.location == f"https://ssl.example{rest}"


def test_ssl_redirect_is_for_hosts_with_tls(gateway, authority):
    gateway.serve("with-tls.example", tls=authority.issue("with-tls.example"),
                  name="with-tls")
    assert gateway.get("/", "with-tls.example").status == 308
    assert gateway.get("/", "with-tls.example", tls=True).status == 503


def test_ssl_redirect_comes_before_503(gateway):
    routed(gateway, "before.example", ("/", "none", "Prefix"),
           force_ssl_redirect="true")
    assert gateway.get("/", "before.example").status == 308


# One answer, whatever else changes


def test_change_is_seen_by_requests_of_a_living_connection(gateway):
    routed(gateway, "alive.example", ("/", "s0", "Prefix"))

    with gateway.http1() as connection:
        assert connection.get("/", "alive.example").echo["name"] == "http0"
        routed(gateway, "alive.example", ("/", "s1", "Prefix"))
        assert connection.get("/", "alive.example").echo["name"] == "http1"
        gateway.remove_objects("alive-example")
        assert connection.get("/", "alive.example").status == 404
