"""
Namespaces that are served by their labels: torii_watch_namespace selector=….
"""

import pytest

import cluster
import gateway as gateways
import manifest
import nginx
from manifest import ingress, path, rule


SOURCES = ("manifests", "kubernetes")
NAMES = ("a", "b", "c", "d")
GRANTED = {"user": cluster.USER, "apiGroups": [""],
           "resources": ["namespaces"], "verbs": ["list", "watch"]}


def namespace(name, **labels):
    return {"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": labels}}


def world(echo, *names):
    """In each namespace an Ingress with a host of its name."""
    return [[manifest.backend("s", address, namespace=name),
             ingress("i", rule(f"{name}.example", path("/", "s")),
                     namespace=name)]
            for name, address in zip(names, echo.addresses)]


def who(gateway):
    return {name for name in NAMES
            if gateway.get("/", f"{name}.example").status == 200}


def wait_who(gateway, *names):
    nginx.wait_until(lambda: who(gateway) == set(names),
                     lambda: f"{names}; {who(gateway)}; {gateway.report()}")


@pytest.fixture
def start(source):
    """start(selector, *objects): a gateway with that selector.  The harness
    waits for an Ingress in "default", so that must be selected."""
    made = []

    def start(selector, *objects):
        how = dict(http=f"torii_watch_namespace 'selector={selector}';",
                   manifests={"base": objects})
        made.append(gateways.Gateway(**how) if source == "manifests"
                    else cluster.Gateway(options=dict(rbac=[
                        *cluster.deployed(), cluster.ANYWHERE, GRANTED]),
                        **how))
        return made[-1].start()

    yield start
    for one in made:
        one.remove()


@pytest.mark.parametrize("selector, default, names", [
    ("edge=on", {"edge": "on"}, "ab"),
    ("edge in (on, off)", {"edge": "off"}, "abc"),
    ("edge!=on", {}, "c"),
    ("edge notin (off),edge", {"edge": "x"}, "ab"),
    ("edge,env", {"edge": "x", "env": "x"}, "b"),
    ("!edge", {}, ""),
])
def test_selected_namespaces_are_served(start, source, echo, selector, default,
                                        names):
    gateway = start(selector, namespace("default", **default),
                    namespace("a", edge="on"),
                    namespace("b", edge="on", env="test"),
                    namespace("c", edge="off"), world(echo, *NAMES))

    # a cluster has an object for each namespace, a folder need not
    if source == "kubernetes" and selector in ("edge!=on", "!edge"):
        names += "d"
    wait_who(gateway, *names)
    told = [f for f in gateway.findings() if f["severity"] != "info"]
    assert not told


def test_labels_change_without_a_reload(start, echo):
    gateway = start("edge=on", namespace("default", edge="on"),
                    namespace("a", edge="on"), namespace("b"),
                    world(echo, "a", "b"))
    wait_who(gateway, "a")

    gateway.apply("base", namespace("default", edge="on"), namespace("a"),
                  namespace("b", edge="on"), world(echo, "a", "b"))
    wait_who(gateway, "b")

    gateway.apply("base", namespace("default", edge="on"),
                  world(echo, "a", "b"))
    wait_who(gateway)


def test_namespaces_are_not_asked_for_without_a_selector():
    gateway = cluster.Gateway()
    try:
        gateway.start()
        assert gateway.api.count(resource="ingresses")
        assert not gateway.api.count(resource="namespaces")
    finally:
        gateway.remove()


@pytest.mark.parametrize("http, told", [
    ("torii_watch_namespace selector=;", "has a key that no label can have"),
    ("torii_watch_namespace selector=a=b,;", "has a key that no label can"),
    ("torii_watch_namespace 'selector=a b';", "is no selector of labels"),
    ("torii_watch_namespace a; torii_watch_namespace selector=a;",
     "is duplicate"),
])
def test_configuration_is_checked(http, told):
    gateway = gateways.Gateway(http=http)
    try:
        (gateway.dir / "temp").mkdir()
        for name in gateway.names:
            setattr(gateway, name, nginx.free_port())
        (gateway.dir / "nginx.conf").write_text(gateway.text())

        result = gateway.launch("-t")
        assert result.returncode != 0 and told in result.stderr
        gateway.expect("emerg")
    finally:
        gateway.remove()
