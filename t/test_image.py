"""
The container image: built by buildah, run by podman and runc with a read-only
root and no capabilities, alone and as the pair of deploy/kubernetes.
"""

import contextlib
import json
import pathlib
import resource
import shutil
import subprocess
import tempfile
import threading
import time

import pytest

import cgroups
import gateway as gateways
import kustomize
import manifest
import nginx
import outside


OBJS = gateways.OBJS.resolve()
IMAGE = "localhost/torii:test"
HOST = "a.example"

def limit(name):
    return resource.getrlimit(name)[1]


class Podman:
    """podman on the storage that the image was built into."""

    base = ["podman", "--root", str(OBJS / "containers"), "--runroot",
            str(OBJS / "containers-run"), "--cgroup-manager", "cgroupfs",
            "--runtime", "runc"]

    # limits that runc may set; none is above what we have ourselves
    options = ["--detach", "--read-only", "--cap-drop", "all",
               "--security-opt", "no-new-privileges", "--pids-limit", "50",
               "--ulimit", "nproc=4096:4096", "--ulimit",
               "nofile={0}:{0}".format(limit(resource.RLIMIT_NOFILE)),
               "--memory", "256m"]

    # ports below 1024 for everybody, in the container's own network only
    network = ["--network", "none", "--sysctl",
               "net.ipv4.ip_unprivileged_port_start=0"]

    def __init__(self):
        self.started = []

    def __call__(self, *arguments, check=True):
        answer = subprocess.run([*self.base, *arguments], text=True,
                                capture_output=True, timeout=120)
        assert not check or answer.returncode == 0, answer.stderr
        return answer.stdout.strip()

    def run(self, name, *arguments, command=(), network=None):
        self.started.append(name)
        self("run", "--name", name, *self.options,
             *(self.network if network is None else network), *arguments,
             IMAGE, *command)
        return name

    def pid(self, name):
        return int(self("inspect", "-f", "{{.State.Pid}}", name))

    def inside(self, name, *command):
        """A program of this machine in the network of a container."""
        return subprocess.run(
            ["nsenter", "-t", str(self.pid(name)), "--net", *command],
            capture_output=True, text=True, timeout=60)

    def shell(self, name, command):
        """What whoever has taken over a container sees.  Unlike podman exec's,
        the root is the container's where these tests run in a chroot, too."""
        return subprocess.run(
            ["nsenter", "-t", str(self.pid(name)), "--all", "--root", "--wd",
             "setpriv", "--reuid", "101", "--regid", "101", "--clear-groups",
             "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all",
             "--no-new-privs", "sh", "-c", command],
            capture_output=True, text=True, timeout=60).stdout

    def status(self, name, url, host=HOST):
        return self.inside(name, "curl", "-sk", "-o", "/dev/null", "-w",
                           "%{http_code}", "-H", f"Host: {host}",
                           url).stdout

    def remove(self):
        for name in reversed(self.started):
            self("rm", "--force", "--volumes", "--time", "0", name,
                 check=False)


@pytest.fixture(scope="module")
def image():
    cgroups.mount()
    subprocess.run([*outside.prefix(), gateways.ROOT / "deploy/image", OBJS,
                    IMAGE], check=True, timeout=900, stdout=subprocess.DEVNULL)
    return IMAGE


@pytest.fixture
def podman(image):
    podman = Podman()
    yield podman
    podman.remove()


@pytest.fixture
def folder():
    """A folder that containers may mount, and that goes with the test."""
    with contextlib.ExitStack() as stack:
        path = pathlib.Path(tempfile.mkdtemp(prefix="torii-image-"))
        stack.callback(shutil.rmtree, path, ignore_errors=True)
        path.chmod(0o755)
        yield path


def wait_status(podman, name, url, wanted="302"):
    nginx.wait_until(lambda: podman.status(name, url) == wanted,
                     lambda: podman("logs", name, check=False), 30, 0.1)


def redirect():
    """A route that needs no backend."""
    return manifest.dump_yaml(manifest.ingress(
        "site", manifest.rule(HOST, manifest.path()),
        temporal_redirect="https://other.example/"))


def test_image_says_how_it_runs(podman):
    config = json.loads(podman("inspect", "--type", "image",
                               IMAGE))[0]["Config"]
    assert config["User"] == "101:101"
    assert config["StopSignal"] == "SIGQUIT"
    assert config["Entrypoint"] == ["nginx", "-e", "stderr", "-g",
                                    "daemon off;"]
    assert config["Cmd"] == ["-c", "/etc/torii/nginx.conf"]


def test_image_holds_no_compiler(podman):
    name = podman.run("torii-tools", "--entrypoint", "sh", command=[
        "-c", "for c in gcc make cc ld; do command -v $c; done; "
        "ls /src /usr/share/nginx/src; command -v torii; true"])
    podman("wait", name)
    assert podman("logs", name).splitlines()[0] == "/usr/local/bin/torii"


def test_image_serves_a_folder_of_manifests(podman, folder):
    (folder / "site.yaml").write_text(redirect())
    name = podman.run("torii-alone", "-v", f"{folder}:/etc/torii/manifests:ro")

    wait_status(podman, name, "http://127.0.0.1/")
    assert podman.status(name, "https://127.0.0.1/") == "302"
    assert podman.status(name, "http://127.0.0.1/", "b.example") == "404"
    assert f'"GET / HTTP/1.1" 302' in podman("logs", name)

    (folder / "site.yaml").write_text(redirect().replace(HOST, "b.example"))
    wait_status(podman, name, "http://127.0.0.1/", "404")


def test_processes_have_no_rights(podman, folder):
    (folder / "site.yaml").write_text(redirect())
    name = podman.run("torii-rights", "-v",
                      f"{folder}:/etc/torii/manifests:ro")
    wait_status(podman, name, "http://127.0.0.1/")

    master = podman.pid(name)
    for pid in [master, *nginx.children(master)]:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in text.splitlines())
        assert fields["Uid"].split() == ["101"] * 4
        assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == 0
        assert fields["NoNewPrivs"] == "1"

    assert podman.inside(name, "true").returncode == 0
    podman("exec", name, "sh", "-c", "! touch /etc/torii/x /usr/x 2>&1")


def test_stop_lets_a_request_finish(podman, folder):
    """The client is in the middle of its request when the container stops."""
    (folder / "site.yaml").write_text(redirect())
    name = podman.run("torii-stop", "-v", f"{folder}:/etc/torii/manifests:ro")
    wait_status(podman, name, "http://127.0.0.1/")

    client = subprocess.Popen(
        ["nsenter", "-t", str(podman.pid(name)), "--net", "bash", "-c",
         "exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET / HTTP/1.1\\r\\n' >&3; "
         "echo sent; read go; "
         f"printf 'Host: {HOST}\\r\\nConnection: close\\r\\n\\r\\n' >&3; "
         "cat <&3"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert client.stdout.readline() == "sent\n"
    time.sleep(0.2)         # until nginx has read the first line

    stopping = threading.Thread(target=podman, args=("stop", "-t", "20", name))
    stopping.start()
    nginx.wait_until(lambda: "gracefully shutting down"
                     in podman("logs", name, check=False)
                     or podman.status(name, "http://127.0.0.1/") == "000",
                     "the end to begin", 20, 0.1)

    answer, _ = client.communicate("go\n", 20)
    stopping.join()
    assert answer.startswith("HTTP/1.1 302")
    assert podman("inspect", "-f", "{{.State.ExitCode}}", name) == "0"


def test_pair_shares_the_table_and_nothing_else(podman, folder):
    """control.conf and edge.conf in two containers; the folder of manifests
    stands for the cluster, and a file for the token."""
    objects = kustomize.build(gateways.ROOT / "deploy/kubernetes")
    config = objects["ConfigMap", "torii", "torii-nginx"]["data"]
    config["control.conf"] = config["control.conf"].replace(
        "torii_kubernetes;", "torii_manifests /run/manifests;")
    config["publish.conf"] = ""

    for name in ("conf", "table", "private", "token", "manifests"):
        (folder / name).mkdir()
        (folder / name).chmod(0o777)
    for name, text in config.items():
        (folder / "conf" / name).write_text(text)
    (folder / "token/token").write_text("secret")
    (folder / "manifests/site.yaml").write_text(
        redirect().replace("spec:", "spec:\n  ingressClassName: nginx", 1))

    token = "/var/run/secrets/kubernetes.io/serviceaccount"
    edge = podman.run("torii-edge", "-v", f"{folder}/conf:/etc/torii:ro",
                      "-v", f"{folder}/table:/var/lib/torii/table:ro",
                      command=["-c", "/etc/torii/edge.conf"])
    control = podman.run(
        "torii-control", "-v", f"{folder}/conf:/etc/torii:ro",
        "-v", f"{folder}/table:/var/lib/torii/table",
        "-v", f"{folder}/private:/var/lib/torii/private",
        "-v", f"{folder}/manifests:/run/manifests:ro",
        "-v", f"{folder}/token:{token}:ro",
        network=["--network", f"container:{edge}"],
        command=["-c", "/etc/torii/control.conf"])

    wait_status(podman, edge, "http://127.0.0.1/")
    assert podman.status(edge, "http://127.0.0.1:9180/readyz") == "200"
    assert podman.status(edge, "http://127.0.0.1:9181/healthz") == "200"

    test = ("cat {0}/token; ls /var/lib/torii/private; "
            "echo x > /var/lib/torii/table/x; find / -name token -o "
            "-path '*/private/lock' | grep -v /proc/sys").format(token)
    seen = podman.shell(control, test)
    assert "secret" in seen and "lock" in seen
    assert podman.shell(edge, test) == ""
