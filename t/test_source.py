"""
The way to the Kubernetes API: who we are there and whom we trust, servers that
go away, answer wrongly or not at all, rights that are missing.  Whatever
happens, what was known goes on being served, and it is said what is wrong.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal

import pytest

import certificate
import cluster
import manifest
import network
import nginx


SOURCES = ("kubernetes",)
HOST = "a.example"
POD = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")


@pytest.fixture
def make():
    """make(…): a cluster.Gateway that the test starts itself."""
    with contextlib.ExitStack() as stack:
        def make(**how):
            made = cluster.Gateway(**how)
            stack.callback(made.remove)
            if "api" not in how:
                made.api.apply(namespace("torii"))
            return made
        yield make


def kubeconfig(gateway, change=lambda config: None, **user):
    """Replace the gateway's kubeconfig by one that was changed."""
    config = json.loads(gateway.api.kubeconfig(
        **(user or {"tokenFile": str(gateway.dir / "token")})))
    change(config)
    gateway.private("kubeconfig", json.dumps(config))


def server_of(config):
    return config["clusters"][0]["cluster"]


def namespace(name):
    return {"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name}}


def granted(group, resource, *verbs):
    """Options of an API server that grants this, too."""
    return dict(rbac=[*cluster.deployed(), cluster.ANYWHERE, {
        "user": cluster.USER, "apiGroups": [group], "resources": [resource],
        "verbs": list(verbs)}])


def base64(text):
    return manifest.secret("", {"x": text})["data"]["x"]


def source(gateway):
    return json.loads(gateway.admin_get("/api/source").body)


def resource(gateway, name):
    for row in source(gateway).get("resources", ()):
        if row["resource"] == name:
            return row
    return {"state": None}


def wait_state(gateway, state, name=None):
    def there():
        now = resource(gateway, name) if name else source(gateway)
        return now.get("state") == state
    nginx.wait_until(there, lambda: f"{name} {state}; {source(gateway)}\n"
                     f"{gateway.report()}", timeout=20)


def answer(gateway, host=HOST):
    """Name of the backend that answers, or else the status."""
    got = gateway.get("/", host)
    return got.echo["name"] if got.status == 200 else got.status


def metric(gateway, name):
    text = gateway.admin_get("/metrics").body.decode()
    return {match[1]: float(match[2]) for match in
            re.finditer(rf"^{name}{{(.*)}} (\S+)$", text, re.M)}


# Who we are


def test_rotated_token_is_used(make, echo):
    gateway = make().start()
    gateway.serve(HOST, echo[0])
    gateway.api.forgive()                       # 401, until it is read

    gateway.rotate("second-token")
    gateway.api.tokens(tokens={"second-token": cluster.USER})
    gateway.api.cut(match={}, how="connection")
    gateway.serve(HOST, echo[1])

    assert answer(gateway) == "http1"


def test_revoked_token_is_told_and_nothing_is_lost(make, echo):
    gateway = make().start()
    gateway.serve(HOST, echo[0])
    gateway.api.forgive()

    gateway.api.tokens(tokens={"other": cluster.USER})
    gateway.api.cut(match={}, how="connection")
    gateway.wait_log("ingresses may be stale: .* 401")
    wait_state(gateway, "stale", "ingresses")

    assert answer(gateway) == "http0"
    stale = metric(gateway, "torii_source_stale_seconds")
    assert stale['resource="ingresses"'] > 0

    gateway.rotate("other")
    wait_state(gateway, "complete")
    gateway.serve(HOST, echo[1])
    assert answer(gateway) == "http1"


def test_token_is_never_written_anywhere(make, echo):
    gateway = make(token="torii-token").start()
    gateway.serve(HOST, echo[0])

    assert "torii-token" not in gateway.log()
    assert "torii-token" not in gateway.admin_get("/api/source").body.decode()
    for pid in gateway.tree():
        assert "torii-token" not in nginx.title(pid)


def test_client_certificate_is_an_identity(make, echo):
    gateway = make()
    pair = gateway.api.authority.issue(cluster.USER, client=True)
    kubeconfig(gateway, **{"client-certificate-data": base64(pair.chain),
                           "client-key-data": base64(pair.key)})
    gateway.start()
    gateway.serve(HOST, echo[0])

    assert answer(gateway) == "http0"


def test_key_of_another_certificate_is_told(make, authority):
    gateway = make(wait=False)
    one, two = (authority.issue("x", client=True) for _ in range(2))
    kubeconfig(gateway, **{"client-certificate-data": base64(one.chain),
                           "client-key-data": base64(two.key)})
    gateway.start()

    gateway.wait_log("client key is no PEM key, or not of the certificate")


# Whom we trust


def test_wrong_authority_is_told_and_mended(make, echo):
    gateway = make(wait=False)
    other = base64(certificate.Authority("Another").pem)
    kubeconfig(gateway, lambda c: server_of(c).update(
        {"certificate-authority-data": other}))
    gateway.start()

    gateway.wait_log("ingresses are not known: .*certificate")
    assert gateway.generation == 0
    assert gateway.admin_get("/readyz").status == 503
    wait_state(gateway, "syncing")

    kubeconfig(gateway)
    gateway.wait_log("configuration read again")
    gateway.serve(HOST, echo[0])
    assert answer(gateway) == "http0"


def test_expired_certificate_is_told_and_nothing_is_lost(make, echo):
    gateway = make().start()
    gateway.serve(HOST, echo[0])
    api = gateway.api

    old = api.authority.issue("127.0.0.1", days=-1)
    api.certificate(cert=old.chain, key=old.key, ca=api.authority.pem)
    api.down()
    api.up()
    gateway.wait_log("ingresses may be stale: .*expired")
    assert answer(gateway) == "http0"

    api.certificate(cert=api.pair.chain, key=api.pair.key,
                    ca=api.authority.pem)
    gateway.serve(HOST, echo[1])
    assert answer(gateway) == "http1"


def test_replaced_authority_is_trusted(make, echo):
    gateway = make().start()
    gateway.serve(HOST, echo[0])
    api = gateway.api

    new = certificate.Authority("Second CA")
    pair = new.issue("127.0.0.1")
    kubeconfig(gateway, lambda c: server_of(c).update(
        {"certificate-authority-data": base64(new.pem)}))
    gateway.wait_log("configuration read again")
    api.certificate(cert=pair.chain, key=pair.key, ca=new.pem)
    api.down()
    api.up()

    gateway.serve(HOST, echo[1])
    assert answer(gateway) == "http1"


def test_name_to_verify_may_be_another(make, echo):
    gateway = make(wait=False)
    kubeconfig(gateway, lambda c: server_of(c).update(
        {"tls-server-name": "other.example"}))
    gateway.start()
    gateway.wait_log("are not known: .*other.example")

    kubeconfig(gateway, lambda c: server_of(c).update(
        {"tls-server-name": "kubernetes.default.svc"}))
    gateway.serve(HOST, echo[0])
    assert answer(gateway) == "http0"


def test_insecure_must_be_allowed(make, echo):
    gateway = make(wait=False)

    def insecure(config):
        server = server_of(config)
        server.pop("certificate-authority-data")
        server["insecure-skip-tls-verify"] = True

    kubeconfig(gateway, insecure)
    gateway.start()
    gateway.wait_log("insecure-skip-tls-verify; .* insecure=on")
    assert gateway.api.count() == 0

    gateway.stop()
    text = gateway.text().replace("@dir@", str(gateway.dir))
    (gateway.dir / "nginx.conf").write_text(
        text.replace("/kubeconfig;", "/kubeconfig insecure=on;"))
    gateway.restart()
    gateway.serve(HOST, echo[0])
    assert answer(gateway) == "http0"


# Where the configuration comes from


@pytest.mark.parametrize("text", ["", "{", "<html>",
                                  '{"current-context": "x"}'])
def test_broken_kubeconfig_is_told_and_mended(make, echo, text):
    gateway = make(wait=False)
    gateway.private("kubeconfig", text)
    gateway.start()
    gateway.wait_log("cannot use the API server's configuration: .+")

    kubeconfig(gateway)
    gateway.serve(HOST, echo[0])
    assert answer(gateway) == "http0"
    assert source(gateway)["error"] == ""


def test_broken_kubeconfig_later_changes_nothing(make, echo):
    gateway = make().start()
    gateway.private("kubeconfig", "{")
    gateway.wait_log("the last one stays in force")
    nginx.wait_until(lambda: source(gateway)["error"], "the error")

    gateway.serve(HOST, echo[0])
    assert answer(gateway) == "http0"


def test_executed_plugins_are_refused(make):
    gateway = make(wait=False)
    kubeconfig(gateway, exec={"command": "aws"})
    gateway.start()

    gateway.wait_log("plugins that are executed are not supported")


def test_context_is_chosen(make, echo):
    gateway = make()

    def two(config):
        config["contexts"].append({"name": "right", "context": dict(
            config["contexts"][0]["context"])})
        config["contexts"][0]["context"]["cluster"] = "nowhere"

    kubeconfig(gateway, two)
    gateway.source = lambda: ("torii_kubernetes kubeconfig=@dir@/kubeconfig "
                              "context=right;")
    gateway.start()
    gateway.serve(HOST, echo[0])
    assert answer(gateway) == "http0"


@pytest.mark.skipif(os.getuid() != 0 or POD.exists(),
                    reason="needs the folder of a pod")
def test_pod_finds_its_service_account(make, echo):
    gateway = make(environment={
        "KUBERNETES_SERVICE_HOST": "127.0.0.1", "POD_NAME": "torii-1",
        "POD_NAMESPACE": "torii"})
    gateway.environment["KUBERNETES_SERVICE_PORT"] = str(gateway.api.port)
    gateway.source = lambda: "torii_kubernetes;"

    POD.mkdir(parents=True)
    try:
        (POD / "token").write_text("torii-token\n")
        (POD / "ca.crt").write_text(gateway.api.authority.pem)
        (POD / "namespace").write_text("other")

        gateway.start()
        gateway.serve(HOST, echo[0])
        assert answer(gateway) == "http0"
        nginx.wait_until(lambda: source(gateway)["leader"]["self"],
                         "the Lease")

        lease = gateway.api.get("leases", "torii", namespace="torii")
        assert lease["spec"]["holderIdentity"].startswith("torii-1_")

        gateway.reload()                        # the environment is kept
        gateway.serve(HOST, echo[1])
        assert answer(gateway) == "http1"
    finally:
        shutil.rmtree(POD)


@pytest.mark.parametrize("http, told", [
    ("torii_kubernetes;", "this is no pod"),
    ("torii_kubernetes context=x;", "has a context, but no kubeconfig"),
    ("torii_kubernetes kubeconfig=/x file=/y;", "not \"file=/y\""),
    ("torii_kubernetes kubeconfig=/x; torii_manifests /y;",
     "has two sources of objects"),
    ("torii_kubernetes kubeconfig=/x; torii_publish service=x;",
     "service=NAMESPACE/NAME"),
    ("torii_kubernetes kubeconfig=/x; torii_publish nodes=x;",
     "not \"nodes=x\""),
    ("torii_kubernetes kubeconfig=/x; torii_leader x;",
     "takes NAMESPACE/NAME, not \"x\""),
    ("", "has no source of objects"),
])
def test_configuration_is_checked(make, http, told):
    gateway = make(wait=False)
    gateway.source = lambda: http
    for name in gateway.names:
        setattr(gateway, name, nginx.free_port())
    (gateway.dir / "temp").mkdir()
    (gateway.dir / "nginx.conf").write_text(gateway.text())

    result = gateway.launch("-t")
    assert result.returncode != 0 and told in result.stderr
    gateway.expect("emerg")


# Servers that go away


def test_server_that_is_gone_loses_nothing(make, echo):
    gateway = make().start()
    gateway.serve(HOST, echo[0])

    gateway.api.down()
    wait_state(gateway, "stale")
    assert answer(gateway) == "http0"

    gateway.api.remove(manifest.route(HOST, echo[0]))
    gateway.api.up()
    gateway.serve("b.example", echo[1])
    assert answer(gateway, "b.example") == "http1"
    nginx.wait_until(lambda: gateway.get("/", HOST).status == 404,
                     gateway.report)
    wait_state(gateway, "complete")


def test_restart_without_a_server_serves_the_last_table(make, echo):
    gateway = make().start()
    gateway.serve(HOST, echo[0])
    gateway.stop()
    gateway.api.down()
    gateway.restart()

    assert answer(gateway) == "http0"
    gateway.wait_log("ingresses are not known: no answer")
    wait_state(gateway, "syncing")
    assert answer(gateway) == "http0"
    assert gateway.admin_get("/readyz").status == 200

    gateway.api.up()
    gateway.serve(HOST, echo[1])
    assert answer(gateway) == "http1"


def test_nothing_is_published_before_all_is_known(make, echo):
    gateway = make().start()
    gateway.serve(HOST, echo[0])
    gateway.stop()

    gateway.api.fault(match={"resource": "endpointslices"}, status=500,
                      text="")
    before = gateway.generation
    gateway.restart()
    gateway.wait_log("endpointslices are not known: the server answered 500")
    wait_state(gateway, "complete", "ingresses")

    assert gateway.generation == before
    assert answer(gateway) == "http0"

    gateway.api.heal()
    gateway.serve(HOST, echo[1])
    assert answer(gateway) == "http1"


def test_silent_server_is_given_up(make, echo):
    """One that takes connections and requests and never answers."""
    gateway = make(wait=False, directives="torii_leader off;")
    gateway.api.fault(match={"resource": "ingresses"}, hang=True, times=1)
    gateway.start()

    gateway.settle_timeout = 30
    nginx.wait_until(lambda: gateway.generation > 0, gateway.report, 30)
    gateway.serve(HOST, echo[0])
    assert answer(gateway) == "http0"


@pytest.mark.parametrize("http1", [False, True])
def test_half_open_connection_is_noticed(make, echo, http1):
    """A server that is stopped keeps its connections open and says nothing;
    the Lease, which is asked about all the time, tells."""
    gateway = make(options=dict(http1=http1)).start()
    gateway.serve(HOST, echo[0])
    nginx.wait_until(lambda: source(gateway)["leader"]["self"], "the Lease")

    process = gateway.api.process.pid
    os.kill(process, signal.SIGSTOP)
    try:
        gateway.wait_log("leader election: .*", timeout=20)
        assert answer(gateway) == "http0"
    finally:
        os.kill(process, signal.SIGCONT)

    gateway.serve(HOST, echo[1])
    assert answer(gateway) == "http1"


def test_server_that_answers_with_html_is_told(make, echo):
    gateway = make().start()
    gateway.serve(HOST, echo[0])

    gateway.api.fault(match={"resource": "ingresses"}, html=True)
    gateway.api.cut(match={"resource": "ingresses"}, how="connection")
    gateway.wait_log("is this an API server")
    assert answer(gateway) == "http0"

    gateway.api.heal()
    gateway.serve(HOST, echo[1])
    assert answer(gateway) == "http1"


def test_trouble_is_not_asked_about_in_a_loop(make, echo):
    gateway = make(directives="torii_leader off;").start()
    gateway.serve(HOST, echo[0])

    gateway.api.fault(match={"resource": "services"}, status=500, text="")
    gateway.api.asked(clear=True)
    gateway.api.cut(match={"resource": "services"}, how="connection")
    gateway.wait_log("services may be stale: the server answered 500")
    nginx.wait_until(lambda: gateway.api.count(resource="services") >= 3,
                     "three attempts", 20)
    asked = gateway.api.asked(resource="services")

    assert asked[2]["time"] - asked[0]["time"] > 2000
    assert len(re.findall("services may be stale", gateway.log())) == 1


# Rights


def test_missing_right_to_secrets_is_a_finding(make, echo):
    gateway = make(options=dict(rbac=cluster.without("secrets")), wait=False)
    gateway.api.forgive("secrets")
    gateway.start()
    nginx.wait_until(lambda: gateway.generation, gateway.report)
    docs = manifest.route(HOST, echo[0])
    gateway.api.apply(docs)

    nginx.wait_until(lambda: answer(gateway) == "http0", gateway.report)
    assert resource(gateway, "secrets")["state"] == "forbidden"
    gateway.wait_log("secrets are not known: .*403.*cannot")


def test_missing_right_to_ingresses_publishes_nothing(make, echo):
    gateway = make(options=dict(rbac=cluster.without("ingresses")),
                   wait=False)
    gateway.api.forgive("ingresses")
    gateway.start()
    wait_state(gateway, "forbidden", "ingresses")
    wait_state(gateway, "complete", "services")

    assert gateway.generation == 0
    assert gateway.admin_get("/readyz").status == 503


# The leader


def test_lease_is_given_back_at_the_end(make, echo):
    gateway = make(directives="torii_leader edge/leader;", options=granted(
        "coordination.k8s.io", "leases", "get", "create", "update"))
    gateway.api.apply(namespace("edge"))
    gateway.start()
    nginx.wait_until(lambda: source(gateway)["leader"]["self"], "the Lease")
    lease = gateway.api.get("leases", "leader", namespace="edge")
    assert lease["spec"]["holderIdentity"] == source(gateway)["leader"][
        "holder"]
    status = metric(gateway, "nginx_ingress_controller_leader_election_status")
    assert [v for k, v in status.items() if "edge/leader" in k] == [1]

    gateway.stop()
    lease = gateway.api.get("leases", "leader", namespace="edge")
    assert not lease["spec"]["holderIdentity"]


def test_reload_keeps_leading(make, echo):
    gateway = make().start()
    nginx.wait_until(lambda: source(gateway)["leader"]["self"], "the Lease")
    before = source(gateway)["leader"]["holder"]

    gateway.reload()
    nginx.wait_until(lambda: source(gateway)["leader"]["self"]
                     and source(gateway)["leader"]["holder"] != before,
                     "the new helper's Lease")


def test_one_of_two_leads(make, echo):
    one = make().start()
    nginx.wait_until(lambda: source(one)["leader"]["self"], "the Lease")
    two = make(api=one.api, class_name="other", wait=False).start()
    nginx.wait_until(lambda: source(two).get("leader", {}).get("holder"),
                     "the holder's name")

    assert not source(two)["leader"]["self"]
    assert source(two)["leader"]["holder"] == source(one)["leader"]["holder"]
    one.stop()
    nginx.wait_until(lambda: source(two)["leader"]["self"], "the next leader")


def test_no_leader_asks_for_no_lease(make, echo):
    gateway = make(directives="torii_leader off; torii_publish 192.0.2.1;")
    gateway.start()
    gateway.serve(HOST, echo[0])

    assert gateway.api.count(resource="leases") == 0
    assert "leader" not in source(gateway)


@pytest.mark.parametrize("publish, expected", [
    ("192.0.2.1 lb.example", [{"ip": "192.0.2.1"},
                              {"hostname": "lb.example"}]),
    ("service=default/lb", [{"ip": "192.0.2.9"}]),
    ("node", [{"ip": "192.0.2.7"}]),
    ("interface=lo", [{"ip": "127.0.0.1"}]),
])
def test_addresses_are_published(make, echo, publish, expected):
    balancer = manifest.service("lb")
    balancer["spec"].update(type="LoadBalancer", clusterIP="10.96.0.9")
    balancer["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}]}}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"},
            "status": {"addresses": [
                {"type": "InternalIP", "address": "10.0.0.7"},
                {"type": "ExternalIP", "address": "192.0.2.7"},
                {"type": "Hostname", "address": "n1"}]}}

    gateway = make(directives=f"torii_publish {publish};",
                   environment={"NODE_NAME": "n1"},
                   options=granted("", "nodes", "get"))
    gateway.api.apply(balancer, node)
    gateway.start()
    gateway.serve(HOST, echo[0])

    def there():
        name = manifest.label(f"{HOST}/")
        found = gateway.api.get("ingresses", name)
        wrote = found.get("status", {}).get("loadBalancer", {}).get("ingress")
        return wrote and wrote[:len(expected)] == expected

    nginx.wait_until(there, lambda: f"{expected}; {gateway.report()}")


def test_changed_addresses_of_an_interface_are_told_at_once(make, echo):
    """Not at the next look, in a minute."""
    gateway = make(directives="torii_publish interface=lo;").start()
    gateway.serve(HOST, echo[0])

    def published():
        found = gateway.api.get("ingresses", manifest.label(f"{HOST}/"))
        told = found.get("status", {}).get("loadBalancer", {})
        return {a.get("ip") for a in told.get("ingress", [])}

    def wait(*addresses):
        nginx.wait_until(lambda: published() == before | {*addresses},
                         lambda: f"{published()}, not {addresses}", 10,
                         every=0.05)

    before = nginx.wait_until(published, "the status")
    with network.another_address("127.77.77.79"):
        wait("127.77.77.79")
        with network.another_address("127.77.77.80"):
            wait("127.77.77.79", "127.77.77.80")
        wait("127.77.77.79")
    wait()
    assert "they are looked at instead" not in gateway.log()


def test_quiet_cluster_is_asked_for_the_lease_only(make, echo):
    gateway = make(directives="torii_publish 192.0.2.1;",
                   options=dict(crds=True)).start()
    gateway.serve(HOST, echo[0])
    nginx.wait_until(lambda: gateway.api.count(verb="patch"), "the status")
    nginx.wait_until(lambda: gateway.api.count(resource="leases") > 4,
                     "the Lease", 20)
    gateway.api.asked(clear=True)
    nginx.wait_until(lambda: gateway.api.count(resource="leases") > 2,
                     "the Lease", 20)

    assert {r["resource"] for r in gateway.api.asked()} == {"leases"}
