"""
What an operator installs: manifests, nginx.conf files, the systemd unit; and
the pod of the manifests, run for real with its two nginx.
"""

import json
import re
import shutil
import subprocess
import sys

import pytest
import yaml

import client
import cluster
import gateway as gateways
import kustomize
import manifest
import nginx
import pod as pods


DEPLOY = gateways.ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
VARIANTS = {"": KUBERNETES,
            **{n: KUBERNETES / "overlays" / n
               for n in ("acme", "daemonset", "dns", "namespaced-secrets",
                         "namespace-selector", "webhook")}}

# Who may do what: (role, its namespace or None) to (group, resource, names,
# verbs).  A right that is not here is too much, one that is missing too little.
BASE = {
    ("torii", None): {
        ("networking.k8s.io", "ingresses", "", "list watch"),
        ("networking.k8s.io", "ingressclasses", "", "list watch"),
        ("networking.k8s.io", "ingresses/status", "", "patch"),
        ("", "services", "", "list watch"),
        ("discovery.k8s.io", "endpointslices", "", "list watch"),
        ("cert-manager.io", "issuers", "", "list watch"),
        ("cert-manager.io", "clusterissuers", "", "list watch"),
        ("cert-manager.io", "certificates", "", "list watch"),
        ("events.k8s.io", "events", "", "create patch")},
    ("torii", "torii"): {
        ("", "configmaps", "", "get list watch"),
        ("coordination.k8s.io", "leases", "", "create"),
        ("coordination.k8s.io", "leases", "torii", "get update")}}
SECRETS = {("", "secrets", "", "get list watch")}
RIGHTS = {
    "": {**BASE, ("torii-secrets", None): SECRETS},
    "webhook": {**BASE, ("torii-secrets", None): SECRETS},
    "acme": {**BASE, ("torii-secrets", None): SECRETS,
             ("torii-acme", None): {("", "secrets", "", "create patch")},
             ("torii-acme", "torii"): {
                 ("", "secrets", "", "create delete get list patch watch")},
             ("torii-acme", "kube-system"): {
                 ("coordination.k8s.io", "leases", "cert-manager-controller",
                  "get")}},
    "daemonset": {**BASE, ("torii-secrets", None): SECRETS,
                  ("torii-node", None): {("", "nodes", "", "get")}},
    "dns": {**BASE, ("torii-secrets", None): SECRETS,
            ("torii-dns", None): {("", "namespaces", "kube-system", "get")}},
    "namespace-selector": {**BASE, ("torii-secrets", None): SECRETS,
                           ("torii-namespaces", None): {
                               ("", "namespaces", "", "list watch")}},
    "namespaced-secrets": {**BASE, ("torii-secrets", "default"): SECRETS}}

HOST = "a.example"
BACKEND = manifest.Address("10.244.0.5", 8081)
TOKEN = "torii-token"

variants = pytest.mark.parametrize("variant", VARIANTS)


def build(variant):
    return kustomize.build(VARIANTS[variant])


def workload(objects):
    return next(o for k, o in objects.items()
                if k[0] in ("Deployment", "DaemonSet"))


def pod_spec(objects):
    return workload(objects)["spec"]["template"]["spec"]


def containers(objects):
    return {c["name"]: c for c in pod_spec(objects)["containers"]}


def configuration(objects):
    return objects["ConfigMap", "torii", "torii-nginx"]["data"]


# Manifests


@variants
def test_kubectl_reads_the_manifests_as_we_do(variant):
    ours = build(variant)

    if shutil.which("kubectl") is None:
        return

    text = subprocess.run(["kubectl", "kustomize", VARIANTS[variant]],
                          check=True, capture_output=True, text=True).stdout
    theirs = {kustomize.key(o): o
              for o in yaml.safe_load_all(kustomize.unhash(text))}
    assert theirs == ours


@variants
def test_rights_are_those_and_no_others(variant):
    objects = build(variant)
    found = {}

    for (kind, namespace, name), obj in objects.items():
        if kind in ("ClusterRole", "Role"):
            found[name, namespace] = {
                (group, resource, " ".join(rule.get("resourceNames", [])),
                 " ".join(sorted(rule["verbs"])))
                for rule in obj["rules"] for group in rule["apiGroups"]
                for resource in rule["resources"]}

    assert found == RIGHTS[variant]


@variants
def test_each_role_is_bound_to_the_account(variant):
    objects = build(variant)
    roles = [k for k in objects if k[0] in ("ClusterRole", "Role")]

    for kind, namespace, name in roles:
        binding = objects[kind + "Binding", namespace, name]
        assert binding["roleRef"] == {
            "apiGroup": "rbac.authorization.k8s.io", "kind": kind,
            "name": name}
        assert binding["subjects"] == [{
            "kind": "ServiceAccount", "name": "torii", "namespace": "torii"}]

    assert len(roles) == sum("Binding" in k[0] for k in objects)


@variants
def test_what_manifests_name_is_there(variant):
    objects = build(variant)
    spec = pod_spec(objects)
    labels = workload(objects)["spec"]["template"]["metadata"]["labels"]

    assert objects["ServiceAccount", "torii", spec["serviceAccountName"]]
    assert workload(objects)["spec"]["selector"]["matchLabels"] == labels

    for (kind, namespace, name), obj in objects.items():
        if kind == "Service":
            ports = {p["name"] for c in spec["containers"]
                     for p in c.get("ports", [])}
            assert obj["spec"]["selector"] == labels
            assert {p["targetPort"] for p in obj["spec"]["ports"]} <= ports
        if kind == "PodDisruptionBudget":
            assert obj["spec"]["selector"]["matchLabels"] == labels

    names = {v["name"] for v in spec["volumes"]}
    used = {m["name"] for c in spec["containers"] for m in c["volumeMounts"]}
    assert names == used


@variants
def test_token_and_private_state_are_for_control_alone(variant):
    objects = build(variant)
    spec = pod_spec(objects)
    mounts = {name: {m["name"]: m for m in c["volumeMounts"]}
              for name, c in containers(objects).items()}

    assert spec["automountServiceAccountToken"] is False
    account = objects["ServiceAccount", "torii", "torii"]
    assert account["automountServiceAccountToken"] is False

    assert set(mounts["edge"]) & set(mounts["control"]) == {"nginx", "table"}
    assert mounts["edge"]["table"]["readOnly"] is True
    assert not mounts["control"]["table"].get("readOnly")
    assert {"token", "private"} <= set(mounts["control"])
    assert "env" not in containers(objects)["edge"]
    assert not spec.get("shareProcessNamespace")


@variants
def test_pods_have_no_privileges(variant):
    objects = build(variant)
    spec = pod_spec(objects)

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 101
    assert spec["securityContext"]["seccompProfile"] == {
        "type": "RuntimeDefault"}
    assert not any(spec.get(k) for k in
                   ("hostNetwork", "hostPID", "hostIPC", "initContainers"))

    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]}}

    level = objects["Namespace", None, "torii"]["metadata"]["labels"][
        "pod-security.kubernetes.io/enforce"]
    host_ports = any("hostPort" in p for c in spec["containers"]
                     for p in c["ports"])
    assert level == ("privileged" if host_ports else "restricted")


@variants
def test_probes_and_draining(variant):
    objects = build(variant)
    spec, both = pod_spec(objects), containers(objects)
    stop = both["edge"]["lifecycle"]["preStop"]["exec"]["command"][-1]
    wait, quit_command, _ = stop.split("; ")
    shutdown = int(re.search(r"worker_shutdown_timeout\s+(\d+)s",
                             configuration(objects)["edge.conf"]).group(1))

    assert both["edge"]["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert both["edge"]["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert both["control"]["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert quit_command == ("nginx " + " ".join(both["edge"]["args"])
                            + " -s quit")
    assert (int(wait.removeprefix("sleep ")) + shutdown
            < spec["terminationGracePeriodSeconds"])


@variants
def test_ports_are_those_that_nginx_listens_on(variant):
    objects = build(variant)
    config = configuration(objects)

    for name, container in containers(objects).items():
        text = "".join(config[k] for k in sorted(config)
                       if k.startswith(name))
        listens = re.findall(r"^\s*listen\s+(?:\S+:)?(\d+)", text, re.M)
        assert (sorted(int(p) for p in listens)
                == sorted(p["containerPort"] for p in container["ports"]))


def test_webhook_never_stands_in_the_way():
    hook, = build("webhook")["ValidatingWebhookConfiguration", None,
                             "torii"]["webhooks"]
    assert hook["failurePolicy"] == "Ignore"
    assert hook["sideEffects"] == "None"
    assert hook["timeoutSeconds"] <= 5
    assert hook["admissionReviewVersions"] == ["v1"]


# Files for one machine


def test_version_is_one(tmp_path):
    version = re.search(r'TORII_VERSION\s+"(.*)"',
                        (gateways.ROOT / "lib/torii.h").read_text()).group(1)
    base = (KUBERNETES / "base/kustomization.yaml").read_text()

    assert f'newTag: "{version}"' in base
    assert (DEPLOY / "debian/changelog").read_text().startswith(
        f"torii ({version}-")


def test_unit_is_sound():
    unit = DEPLOY / "systemd/torii.service"
    answer = subprocess.run(["systemd-analyze", "verify", unit],
                            capture_output=True, text=True)
    assert answer.stderr == "" and answer.returncode == 0

    answer = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", unit],
        capture_output=True, text=True)
    level = re.search(r"exposure level .*: ([\d.]+)", answer.stdout)
    assert float(level.group(1)) < 2


# The pod


@pytest.fixture
def make_pod():
    made = []

    def make(variant=""):
        objects = build(variant)
        made.append(pods.Pod(pod_spec(objects), configuration(objects),
                             gateways.MODULE))
        return made[-1]

    yield make

    for pod in made:
        pod.remove()


@pytest.fixture
def pod(make_pod, authority, request):
    """The pod in a cluster of its own, both containers started; the variant of
    the manifests is the fixture's parameter."""
    variant = getattr(request, "param", "")
    pod = make_pod(variant)
    granted = rules(build(variant))

    with pod.network():
        subprocess.run(["ip", "addr", "add", f"{BACKEND.host}/32", "dev",
                        "lo"], check=True)
        pod.api = cluster.ApiServer(authority, rbac=granted)
        backend = subprocess.Popen(
            [sys.executable, "-m", "http.server", "--bind", BACKEND.host,
             str(BACKEND.port)], cwd=pod.dir / "prefix",
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    pod.secret("token", {"token": TOKEN, "ca.crt": authority.pem,
                         "namespace": "torii"})
    pod.api.apply(manifest.ingress_class("nginx"),
                  manifest.config_map("torii", {}, namespace="torii"))
    try:
        start(pod, "control")
        start(pod, "edge")
        yield pod
        pod.api.check()
    finally:
        pod.api.stop()
        backend.kill()
        backend.wait()


def rules(objects):
    """Roles of the manifests, as the stand-in of the API wants them."""
    return [{"user": cluster.USER, "namespace": namespace, **rule}
            for (kind, namespace, name), obj in objects.items()
            if kind in ("ClusterRole", "Role") for rule in obj["rules"]]


def start(pod, name):
    pod.start(name, {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(pod.api.port),
        "POD_NAME": "torii-1", "POD_NAMESPACE": "torii",
        "NODE_NAME": "node-1"} if name == "control" else {})


def serves(pod, host=HOST):
    try:
        return pod.request(80, "/", host).status == 200
    except OSError:
        return False


def wait_route(pod, host=HOST):
    nginx.wait_until(lambda: serves(pod, host),
                     lambda: pod.log("control") + pod.log("edge"))


def test_pod_serves_what_the_cluster_has(pod):
    pod.api.apply(manifest.route(HOST, BACKEND, class_name="nginx"))
    wait_route(pod)

    assert pod.request(9180, "/readyz").status == 200
    assert pod.request(9181, "/healthz").status == 200


def test_edge_reaches_neither_token_nor_private_state(pod):
    pod.api.apply(manifest.route(HOST, BACKEND, class_name="nginx"))
    wait_route(pod)

    def find(name, what):
        return pod.run(name, f"for d in /run /var/lib /etc {pod.volumes}; do "
                       f"find $d /proc/[0-9]*/root$d {what} 2>/dev/null; "
                       "done").stdout

    token = f"-type f -size -100k -exec grep -sl '^{TOKEN}$' {{}} +"
    private = "-path '*private/*'"

    # so the search finds what can be found
    assert "serviceaccount/token" in find("control", token)
    assert "private/lock" in find("control", private)

    assert find("edge", token) == ""
    assert find("edge", private) == ""
    assert pod.run("edge", "env").stdout.count("KUBERNETES") == 0


def test_edge_cannot_write_what_it_reads(pod):
    pod.api.apply(manifest.route(HOST, BACKEND, class_name="nginx"))
    wait_route(pod)

    for command in ("echo x > /var/lib/torii/table/control",
                    "touch /var/lib/torii/table/x",
                    "rm /var/lib/torii/table/control",
                    "mount -o remount,rw /var/lib/torii/table"):
        assert pod.run("edge", command).returncode != 0, command

    status = pod.run("edge", "grep -E 'Cap|NoNewPrivs' /proc/self/status")
    values = dict(line.split(":\t") for line in status.stdout.splitlines())
    assert values.pop("NoNewPrivs") == "1"
    assert {int(v, 16) for v in values.values()} == {0}


def test_edge_serves_while_control_is_away(pod):
    pod.api.apply(manifest.route(HOST, BACKEND, class_name="nginx"))
    wait_route(pod)
    pod.stop("control")
    pod.stop("edge")

    start(pod, "edge")
    wait_route(pod)

    start(pod, "control")
    pod.api.apply(manifest.route("b.example", BACKEND, class_name="nginx"))
    wait_route(pod, "b.example")


@pytest.mark.parametrize("pod", ["webhook"], indirect=True)
def test_webhook_takes_its_certificate_when_there_is_one(pod, authority):
    name = "torii-webhook.torii.svc"
    faulty = manifest.ingress("faulty", manifest.rule(HOST, manifest.path()),
                              class_name="nginx",
                              whitelist_source_range="10.0.0.0/33")
    body = json.dumps({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "networking.k8s.io", "version": "v1",
                     "kind": "Ingress"},
            "operation": "CREATE", "object": faulty}}).encode()

    pod.api.apply(manifest.route("b.example", BACKEND, class_name="nginx"))
    wait_route(pod, "b.example")

    with pytest.raises(OSError), pod.network():
        client.connect(9443, tls=True, sni=name)

    pair = authority.issue(name)
    pod.secret("webhook", {"tls.crt": pair.chain, "tls.key": pair.key})

    with pod.network():
        sock = client.connect(9443, tls=True, sni=name, context=client.
                              tls_context(ca=authority.pem))
    with client.Http1(sock) as connection:
        answer = connection.request(
            "POST", "/", name, body=body,
            headers=[("Content-Type", "application/json")])

    assert answer.status == 200
    assert answer.json()["response"]["allowed"] is False


@variants
def test_nginx_takes_the_configuration(make_pod, variant):
    pod = make_pod(variant)
    environment = {"KUBERNETES_SERVICE_HOST": "127.0.0.1",
                   "KUBERNETES_SERVICE_PORT": "6443"}

    for name in ("edge", "control"):
        process = pod.start(name, environment, ["-t"])
        assert process.wait(30) == 0, pod.log(name)
        assert "emerg" not in pod.log(name)


def test_nginx_takes_the_configuration_of_one_machine(tmp_path):
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / gateways.MODULE.name).symlink_to(gateways.MODULE)
    for name in ("run", "log", "state", "manifests"):
        (tmp_path / name).mkdir()

    text = (DEPLOY / "nginx.conf").read_text()
    for path, name in (("/run/torii", "run"), ("/var/log/torii", "log"),
                       ("/var/lib/torii", "state"),
                       ("/etc/torii/manifests", "manifests")):
        text = text.replace(path, str(tmp_path / name))
    (tmp_path / "nginx.conf").write_text(text)

    answer = subprocess.run(
        ["unshare", "--net", nginx.BINARY, "-t", "-e", "stderr", "-p",
         tmp_path, "-c", tmp_path / "nginx.conf"],
        capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
