"""
The gateway under test with the Kubernetes API as its source: a stand-in for
the API server, and a Gateway whose objects go there instead of to a folder.
"""

import copy
import itertools
import json
import os
import re
import shutil
import time

import certificate
import client
import gateway as gateways
import kustomize
import manifest
import nginx
import peer

MARK = gateways.MARK
HOSTS = "marks.torii.test"
CONTROLLER = "k8s.io/ingress-nginx"
USER = "torii"
ADDRESS = "203.0.113.7"
PUBLISH = f"torii_publish {ADDRESS};"

BASE = gateways.ROOT / "deploy/kubernetes/base"


def deployed(folder=BASE, user=USER):
    """What deploy/kubernetes grants the gateway, as rules of the stand-in."""
    out = []

    for kind, namespace, name in (objects := kustomize.build(folder)):
        if kind in ("Role", "ClusterRole"):
            for row in objects[kind, namespace, name]["rules"]:
                out += [dict(row, user=user, namespace=namespace,
                             apiGroups=[group], resources=[resource])
                        for group in row["apiGroups"]
                        for resource in row["resources"]]
    return out


def without(resource, *verbs):
    """The same but for a resource, or but for some verbs of it."""
    return [dict(rule, verbs=[v for v in rule["verbs"]
                              if verbs and v not in verbs])
            if rule["resources"] == [resource] else rule
            for rule in deployed()]


# objects of tests are in all namespaces, ConfigMaps that they name as well
ANYWHERE = {"user": USER, "apiGroups": [""], "resources": ["configmaps"],
            "verbs": ["get", "list", "watch"]}


class ApiServer(peer.Node):
    """A stand-in for kube-apiserver 1.36, over HTTPS with HTTP/1.1 and 2.

    apply(), remove() and get() act at once and without its validation (objects
    are older than a rule that would refuse them).  Options, which set()
    changes later:

        rbac         rules, see deployed() and without(); user "admin" may all
        tokens       {"token": "user"}; at first "torii-token", "admin-token"
        bookmarks    ms between bookmarks of a watch, 0 is none
        streaming    "on", "refused" (422) or "ignored": sendInitialEvents
        partial      whether as=PartialObjectMetadata is known
        gone         410 to a watch as "event" after 200, or as "status"
        history      events of a kind that are kept to resume from
        http1        no HTTP/2
        crds         cert-manager's Issuers, ClusterIssuers and Certificates
                     are there; by default they are not
        defaultClass an IngressClass that Ingresses without one get

    fault(do, times, **match) is done to the next requests that match by verb,
    resource, namespace, name, user or path ("watch" is a verb):

        status=429, retryAfter=2; any other status too; status=200, text=…
        html=True    a page of HTML with 200
        close=True   the connection ends without an answer; hang=True: none
        delay=ms     before the answer
        cut=bytes    of the body, then the connection is gone
        slow={"bytes": n, "every": ms}, chunk=bytes a piece
        expire=True  a continue token is 410; error=410: a watch begins so

    Live watches that match: end() (well), cut(how="connection" or "middle" of
    an event), freeze() (silent, and open), inject(text), bookmark().  compact()
    forgets history; down() and up() are the whole server.

    Every request is kept: requests().  One that is not as the API wants it is
    a fault of its sender, and check() says so.
    """

    names = itertools.count(1)

    def __init__(self, authority=None, rbac=None, **options):
        self.authority = authority or certificate.Authority("Cluster CA")
        self.pair = self.authority.issue("127.0.0.1", "kubernetes.default.svc")
        self.forgiven = []
        options.setdefault("tokens", {"torii-token": USER,
                                      "admin-token": "admin"})
        super().__init__(
            "apiserver.js", cert=self.pair.chain, key=self.pair.key,
            ca=self.authority.pem, rbac=self.with_admin(
                deployed() if rbac is None else rbac),
            **options)
        self.port = self.hello["port"]
        self.url = f"https://127.0.0.1:{self.port}"

    def __getattr__(self, command):
        if command.startswith("_"):
            raise AttributeError(command)

        def run(**options):
            return self.command(command, **options)
        return run

    def command(self, command, **options):
        answer = self.ask(command=command, **options)
        assert "error" not in answer, answer["error"]
        return answer

    @staticmethod
    def with_admin(rbac):
        return [*rbac, {"user": "admin"}]

    def rbac(self, rows):
        self.set(rbac=self.with_admin(rows))

    def set(self, **options):
        self.command("set", options=options)

    def apply(self, *docs):
        self.change(manifest.flatten(docs))

    def remove(self, *docs):
        self.change([{"remove": doc} for doc in manifest.flatten(docs)])

    def change(self, steps):
        """Objects, and {"remove": object}, one after the other."""
        return self.command("change", steps=steps)["version"]

    def get(self, resource, name=None, namespace="default"):
        """An object (None if there is none), or all of the resource."""
        found = self.command("get", resource=resource, name=name,
                             namespace=namespace)
        return found["object"] if name else found["objects"]

    def fault(self, times=None, match=None, **do):
        self.command("fault", match=match or {}, do=do,
                     **({} if times is None else {"times": times}))

    def live(self, resource=None):
        """Watches that are open and have been caught up, once, as dicts:
        resource, namespace, user, events, bytes."""
        return [w for w in self.watches()["watches"] if w["live"]
                and (not resource or w["resource"] == resource)]

    def asked(self, clear=False, **match):
        """Requests so far, as dicts: time (ms), method, target, path, user,
        http, verb, group, resource, namespace, name, agent, status, wrong."""
        return [r for r in self.requests(clear=clear)["requests"]
                if all(r[k] == v for k, v in match.items())]

    def count(self, **match):
        return len(self.asked(**match))

    def check(self):
        """Fail if somebody asked what no careful client asks, or for what he
        has no right to, since the last time; see forgive()."""
        bad = [r for r in self.faulty()["requests"]
               if r["wrong"] or not any(re.search(p, r["path"])
                                        for p in self.forgiven)]
        assert not bad, bad[:10]

    def forgive(self, pattern=""):
        """This test takes rights away; paths that match may be refused."""
        self.forgiven.append(pattern)

    def kubeconfig(self, **user):
        """A kubeconfig, as text; user says who: token=…, tokenFile=…."""
        return json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {
                "server": self.url, "certificate-authority-data":
                manifest.secret("", {"x": self.authority.pem})["data"]["x"]}}],
            "users": [{"name": "test", "user": user}],
            "contexts": [{"name": "test", "context": {
                "cluster": "test", "user": "test", "namespace": "torii"}}]})


class Gateway(gateways.Gateway):
    """A gateway.Gateway whose objects go to an API server.

    The marks are of every kind that changed, since each kind comes by a watch
    of its own: an Ingress in the table that leads to a Service and endpoints
    that are known, and where Secrets changed, has a certificate; a key in the
    gateway's ConfigMap that is reported as unknown.

    api          the API server, if it is not this gateway's own
    options      of the API server that it makes, which grants what
                 deploy/kubernetes does
    token        of its kubeconfig
    directives   text for http {} beside torii_kubernetes
    """

    authority = None

    def __init__(self, api=None, options=None, token="torii-token",
                 directives="", environment=None, **how):
        super().__init__(**how)
        self.own = api is None
        self.api = api or ApiServer(**{
            "defaultClass": None if self.class_name else "nginx",
            "rbac": deployed() + [ANYWHERE],
            **(options or {})})
        self.token = token
        self.directives = directives
        self.environment.update(environment or {})
        self.applied = {}
        self.behind = {}
        self.expected = {}
        found = re.search(r"torii_config\s+([^\s;]+)", self.http)
        self.settings = found and found.group(1)
        self.kubeconfig = self.private("kubeconfig", self.api.kubeconfig(
            tokenFile=str(self.private("token", token))))

    def private(self, name, text):
        """A file in its folder for its user only, replaced by a rename."""
        path = self.dir / name
        new = self.dir / (name + ".new")
        new.write_text(text)
        new.chmod(0o600)
        if os.getuid() == 0:
            shutil.chown(new, "www-data", "www-data")
        new.rename(path)
        return path

    def source(self):
        return ("torii_kubernetes kubeconfig=@dir@/kubeconfig;\n    "
                + self.directives)

    def remove(self):
        try:
            super().remove()
        finally:
            if self.own:
                self.api.stop()

    def check(self):
        super().check()
        if self.own and self.api.process.poll() is None:
            self.api.check()

    # Objects

    def write(self, name, text):
        raise AssertionError("there is no folder: @pytest.mark.manifests")

    def put(self, name, *docs):
        """Apply objects and remove those of the last put() of that name that
        are not among them; returns the mark, for settle()."""
        docs = copy.deepcopy(manifest.flatten(docs))
        new = {identity(doc): doc for doc in docs}
        old = self.applied.get(name, {})
        others = [k for n, kept in self.applied.items() if n != name
                  for k in kept]
        gone = [doc for key, doc in old.items()
                if key not in new and key not in others]
        mark = manifest.label(f"m{next(self.serial)}-{self.dir.name}")
        behind, self.behind[name] = self.behind.get(name, []), []

        steps = [*self.marked(mark, docs), *({"remove": g} for g in gone),
                 *self.beside(mark, name, docs + gone)]
        self.behind[name] = [s for s in steps if MARK in json.dumps(s)
                             and s["kind"] not in ("Ingress", "ConfigMap")
                             and s["metadata"]["name"].endswith(mark)]
        self.applied[name] = new
        self.api.change([*steps, *({"remove": b} for b in behind)])
        self.marks[f"{name}.yaml"] = mark
        return mark

    def marked(self, mark, docs):
        """The objects; the gateway's ConfigMap among them gets a mark."""
        for doc in docs:
            if (doc["kind"] == "ConfigMap" and self.settings ==
                    "{namespace}/{name}".format(
                        **{"namespace": "default", **doc["metadata"]})):
                doc.setdefault("data", {})[f"{MARK}-{mark}"] = "x"
                self.expected[mark] = f"{MARK}-{mark}"
        return docs

    def beside(self, mark, name, docs):
        """The mark: objects that follow those that it stands for."""
        kinds = {doc["kind"] for doc in docs}
        label = f"{MARK}-{mark}"
        out = manifest.backend(label, manifest.Address("10.244.255.255", 1))
        class_name = self.class_name
        host = f"{mark}.{HOSTS}"
        tls = None

        if "Secret" in kinds:
            out.append(manifest.tls_secret(label, pair_of_marks()))
            tls = [(label, [host])]
        if "IngressClass" in kinds:
            class_name = label
            out.append(manifest.ingress_class(label, self.controller(docs)))

        out.append(manifest.ingress(
            f"{MARK}-{manifest.label(name)}",
            manifest.rule(host, manifest.path("/", label)),
            class_name=class_name, tls=tls))
        return out

    def controller(self, docs):
        known = docs + [d for kept in self.applied.values()
                        for d in kept.values()]
        return next((d["spec"]["controller"] for d in known
                     if d["kind"] == "IngressClass"
                     and d["metadata"]["name"] == self.class_name), CONTROLLER)

    def remove_objects(self, name):
        """Remove the objects of a put() and wait until they are gone."""
        self.apply(name)
        self.applied.pop(name)

    def settle(self, *marks):
        wanted = list(marks or self.marks.values())
        names = {f"{MARK}-{m}" for m in wanted}

        def there():
            table = self.table()
            if not all(f"{m}.{HOSTS}".encode() in table for m in wanted):
                return False
            told = [json.dumps(f) for f in self.findings(True, table)]
            return (all(any(self.expected[m] in t for t in told)
                        for m in wanted if m in self.expected)
                    and not any(name in t for t in told for name in names
                                if name not in self.expected.values()))

        nginx.wait_until(there, lambda: f"{wanted}; {self.report()}")

        for mark in wanted:
            self.expected.pop(mark, None)

    def report(self):
        last = [(r["target"], r["status"]) for r in self.api.asked()[-12:]]
        return (f"{super().report()}\nwatches: {self.api.live()}\n"
                f"last requests: {last}")

    def rotate(self, token):
        """Another token in the file that the kubeconfig names."""
        self.private("token", token)


def identity(doc):
    meta = doc["metadata"]
    return (doc["apiVersion"], doc["kind"],
            meta.get("namespace", "default"), meta["name"])


def pair_of_marks():
    """One certificate for the marks of all gateways."""
    if Gateway.authority is None:
        Gateway.authority = certificate.Authority("Marks").issue(f"*.{HOSTS}")
    return Gateway.authority


# What tests and benchmarks do with them

def serves(gateway, host, name):
    answer = gateway.get("/", host)
    return answer.status == 200 and answer.echo["name"] == name


def wait_serves(gateway, host, name, timeout=10):
    """Seconds until the host leads to the echo address of that name."""
    begin = time.monotonic()
    nginx.wait_until(lambda: serves(gateway, host, name), lambda: f"{host} "
                     f"at {name}; {gateway.report()}", timeout, 0.01)
    return time.monotonic() - begin


def world(n, echo):
    """n Ingresses and Services, and twice as many EndpointSlices."""
    out = []
    for i in range(n):
        name = f"w{i}"
        out += [manifest.service(name),
                manifest.endpoint_slice(name, [echo[0].host], echo[0].port,
                                        name=f"{name}-a"),
                manifest.endpoint_slice(name, ["10.244.9.9"], 9, name=f"{name}"
                                        "-b", conditions={"ready": False}),
                manifest.ingress(name, manifest.rule(
                    f"{name}.example", manifest.path("/", name)))]
    return out


def slice_of(name, *addresses, **conditions):
    """Slices of addresses whose ports may differ: one of each."""
    return [manifest.endpoint_slice(name, [a.host], a.port,
                                    conditions=conditions or None)
            for a in addresses]


def roll(gateway, echo, rate):
    """A rolling update of three endpoints under load: each new one is ready
    before an old one drains and goes.  Returns the client.Load."""
    route = manifest.ingress("roll", manifest.rule(
        "roll.example", manifest.path("/", "roll")))
    pods = list(echo.addresses[:3])

    def update(ending=None):
        gateway.apply("roll", manifest.service("roll"), route,
                      *slice_of("roll", *pods),
                      *(slice_of("roll", ending, ready=False, serving=True,
                                 terminating=True) if ending else []))

    update()

    with client.Load(gateway, "roll.example", rate) as load:
        for new in echo.addresses[3:6]:
            pods.append(new)
            update()
            old = pods.pop(0)
            update(ending=old)
            time.sleep(0.2)
            echo.close(old)
            update()
            time.sleep(0.2)

    return load


def published(api):
    """The addresses in the status of each Ingress that is no mark."""
    return {i["metadata"]["name"]:
            [a.get("ip") or a.get("hostname") for a in
             i["status"]["loadBalancer"].get("ingress", [])]
            for i in api.get("ingresses") if MARK not in i["metadata"]["name"]}


def wait_published(api, n, timeout=10):
    """Until n Ingresses, and no others, have the address of PUBLISH."""
    nginx.wait_until(lambda: list(published(api).values()) == [[ADDRESS]] * n,
                     lambda: f"status: {published(api)}", timeout, 0.05)
