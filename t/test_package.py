"""
The Debian packages: built, installed on a clean Debian, used and removed.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

import gateway as gateways
import outside


DEPLOY = gateways.ROOT / "deploy"
MODULE = "/usr/lib/nginx/modules/ngx_http_torii_module.so"
ENABLED = "/etc/nginx/modules-enabled/50-mod-http-torii.conf"


@pytest.fixture(scope="module")
def packages():
    subprocess.run([DEPLOY / "deb", gateways.OBJS], check=True, timeout=600,
                   stdout=subprocess.DEVNULL)
    return sorted((gateways.OBJS / "deb").glob("*.deb"))


class Machine:
    """A root of its own, in which commands run with chroot."""

    def __init__(self, folder):
        self.root = folder / "root"
        self.root.mkdir()
        self.root.chmod(0o755)

        archive = gateways.OBJS / "rootfs.tar"
        subprocess.run([*outside.prefix(), DEPLOY / "rootfs", archive],
                       check=True, timeout=600)
        subprocess.run(["tar", "-C", self.root, "--exclude=./dev/*", "-xf",
                        archive], check=True)

        self.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")

    def path(self, name):
        return self.root / name.lstrip("/")

    def write(self, name, text, mode=0o644):
        self.path(name).write_text(text)
        self.path(name).chmod(mode)

    def run(self, command, check=True):
        """A shell command; the mounts it needs go with it."""
        script = (f"mount --rbind /dev {self.root}/dev && "
                  f"mount -t proc proc {self.root}/proc && "
                  f"exec chroot {self.root} sh -c \"$0\"")
        answer = subprocess.run(
            [*outside.prefix(), "unshare", "--mount", "--pid", "--fork",
             "--kill-child", "sh", "-c", script, command],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
                 "DEBIAN_FRONTEND": "noninteractive",
                 **{k: v for k, v in os.environ.items()
                    if k.lower().endswith("_proxy")}},
            capture_output=True, text=True, timeout=300)
        output = answer.stdout + answer.stderr
        assert not check or answer.returncode == 0, output[-4000:]
        return output


@pytest.fixture(scope="module")
def machine(packages):
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="torii-deb-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        machine = Machine(folder)

        for package in packages:
            shutil.copy(package, machine.path("/tmp"))

        machine.run("apt-get -q update && apt-get -q install -y "
                    "--no-install-recommends nginx /tmp/*.deb")
        yield machine


def test_two_packages_are_made(packages):
    assert [p.name.split("_")[0] for p in packages] == [
        "libnginx-mod-http-torii", "torii"]


def test_packages_ask_for_the_very_nginx(packages):
    fields = subprocess.run(["dpkg-deb", "-f", packages[0], "Depends"],
                            check=True, capture_output=True, text=True).stdout
    assert "nginx-abi-" in fields
    assert "libjansson4" in fields and "libcurl4" in fields


def test_module_is_loaded_when_installed(machine):
    assert machine.path(MODULE).stat().st_mode & 0o777 == 0o644
    assert (machine.path(ENABLED)).is_symlink()
    assert "load_module modules/ngx_http_torii_module.so;" in machine.run(
        "nginx -T")


def test_tool_is_there(machine):
    assert "torii" in machine.run("torii version")


def test_service_is_there_and_off(machine):
    assert machine.path("/lib/systemd/system/torii.service").is_file()
    assert not list(machine.path("/etc/systemd/system").glob(
        "*.wants/torii.service"))


def test_the_service_runs_as_its_user(machine):
    """What torii.service does, but for systemd: folders, user, command."""
    machine.write("/etc/torii/manifests/site.yaml", SITE)
    answer = machine.run(
        "set -e; sed -i 's/listen  80;/listen  127.0.0.1:18480;/; "
        "s/listen  443/listen  127.0.0.1:18443/; s/:9180/:19180/' "
        "/etc/torii/nginx.conf; "
        "for d in run lib log; do install -d -o www-data -m 700 "
        "/$( [ $d = run ] || echo var/ )$d/torii; done; "
        "setpriv --reuid www-data --regid www-data --clear-groups "
        "nginx -e stderr -c /etc/torii/nginx.conf; "
        "for i in $(seq 100); do perl -MIO::Socket -e '"
        "$s = IO::Socket::INET->new(\"127.0.0.1:18480\") or exit 1; "
        "print $s \"GET / HTTP/1.0\\r\\nHost: site.example\\r\\n\\r\\n\"; "
        "$_ = <$s>; print; exit !/ 302/' && break; sleep 0.1; done; "
        "kill -QUIT $(cat /run/torii/nginx.pid)")
    assert "HTTP/1.1 302" in answer, answer


def test_purging_leaves_no_trace_but_the_state(machine):
    machine.run("rm /etc/torii/manifests/site.yaml; apt-get -q purge -y "
                "libnginx-mod-http-torii torii")
    assert not machine.path(MODULE).exists()
    assert not machine.path(ENABLED).is_symlink()
    assert not machine.path("/etc/torii").exists()
    assert not machine.path("/usr/bin/torii").exists()
    assert "torii" not in machine.run("nginx -T")


SITE = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: site
  annotations:
    nginx.ingress.kubernetes.io/temporal-redirect: https://other.example/
spec:
  rules:
    - host: site.example
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: site, port: {number: 80}}}
"""
