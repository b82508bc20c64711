"""
The dashboards of deploy/examples as tests serve them: the very objects, with
hosts, certificates and backends of ours.
"""

import pathlib

import yaml

import manifest
import network
import nginx
import peer
from manifest import Address


EXAMPLES = (pathlib.Path(__file__).resolve().parent.parent
            / "deploy/examples")

ROBOT = "the-secret-of-the-robot"
HOOK = "the-secret-of-the-hook"

# where somebody goes first, and what he finds there
PAGES = {
    "harbor": ("/harbor/projects/7/repositories?q=a%2Fb", "Harbor"),
    "argocd": ("/applications/argocd/guestbook?view=tree&resource=",
               '"target":"/applications/argocd/guestbook?view=tree'),
    "tekton-dashboard": ("/pipelineruns?namespace=a%20b", "Tekton Dashboard"),
    "tekton-triggers": ("/live?verbose=1", "eventListener"),
}


class Harbor(peer.Node):
    def __init__(self, registry):
        super().__init__("harbor.js", host=network.POD, secret=ROBOT,
                         registry={"host": registry.address.host,
                                   "port": registry.address.port})
        self.portal = Address(network.POD, self.hello["portal"])
        self.core = Address(network.POD, self.hello["core"])


class Tekton(peer.Node):
    def __init__(self):
        super().__init__("tekton.js", host=network.POD)
        self.address = Address(network.POD, self.hello["port"])

    def events(self):
        """"watch closed", "log closed", since the last call."""
        return self.ask(command="events")["events"]

    def wait_closed(self, *streams):
        """Until each of them has ended."""
        left = {f"{name} closed" for name in streams}

        def over():
            left.difference_update(self.events())
            return not left

        nginx.wait_until(over, lambda: f"{left}")


class Triggers(peer.Node):
    def __init__(self):
        super().__init__("triggers.js", host=network.POD, secret=HOOK)
        self.address = Address(network.POD, self.hello["port"])

    def runs(self):
        """[{target, by, bytes}] of what was triggered since the last call."""
        return self.ask(command="runs")["runs"]


def example(name):
    return list(yaml.safe_load_all((EXAMPLES / f"{name}.yaml").read_text()))


def provider(op, **settings):
    """The example's Secret, at a provider of ours."""
    secret, = example("provider")
    ours = op.settings(**settings)
    del ours["scope"]
    secret["stringData"].update(ours)
    return secret


def host_of(name):
    """Of an example: its first host, under .test."""
    host = example(name)[0]["spec"]["rules"][0]["host"]
    return host.replace(".example.com", ".test")


def paths(docs):
    return [path for ingress in docs for rule in ingress["spec"]["rules"]
            for path in rule["http"]["paths"]]


def objects(name, backends, authority, host=None, change=None):
    """All objects of an example.  backends are {Service's name: address}.  At
    another host all of them have other names, and change(ingress) may alter
    each Ingress."""
    docs = example(name)
    namespace = docs[0]["metadata"]["namespace"]
    suffix = f"-{manifest.label(host)}" if host else ""
    host = host or host_of(name)
    out, secret = {}, docs[0]["spec"]["tls"][0]["secretName"] + suffix

    for ingress in docs:
        ingress["metadata"]["name"] += suffix
        ingress["spec"]["rules"][0]["host"] = host
        ingress["spec"]["tls"] = [{"hosts": [host], "secretName": secret}]
        if change:
            change(ingress)

    for path in paths(docs):
        service = path["backend"]["service"]
        address, port_name = backends[service["name"]], service["port"].get(
            "name")
        service["name"] += suffix
        out[service["name"]] = [
            manifest.service(service["name"], namespace=namespace,
                             port_name=port_name),
            manifest.endpoint_slice(service["name"], [address.host],
                                    address.port, namespace,
                                    port_name or "")]

    return [*docs, *out.values(),
            manifest.tls_secret(secret, authority.issue(host), namespace)]


def annotations(ingress):
    return ingress["metadata"].setdefault("annotations", {})


def instead(**short):
    """A change of Ingresses with a login: other annotations about it.  One
    with an optional login is open to all then."""
    def change(ingress):
        notes = annotations(ingress)
        login = "torii/oauth2" in notes and "torii/oauth2-optional" not in notes
        for key in list(notes):
            if key.startswith("torii/oauth2"):
                del notes[key]
        if login:
            notes.update(manifest.annotate(short))
    return change


def as_for_oauth2_proxy():
    """What the objects were before they named a provider of Torii's."""
    return instead(
        auth_url="https://$host/oauth2/auth?allowed_groups=devs",
        auth_signin="https://$host/oauth2/start?rd=$escaped_request_uri",
        auth_response_headers="X-Auth-Request-User, X-Auth-Request-Email")
