"""
A pod in small: what a kubelet makes of deploy/kubernetes, with namespaces and
mounts instead of images.  The containers run this machine's nginx with the
module under test; user, capabilities, volumes, arguments and environment are
those of the manifest.
"""

import contextlib
import ctypes
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import tempfile

import client
import nginx


CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


class Pod:
    """The pod of a Deployment or DaemonSet.

        pod = Pod(spec, config={"edge.conf": text, …}, module=path)
        pod.secret("token", {"token": "…", "ca.crt": "…"})
        with pod.network():         # programs and sockets made here are in it
            …
        pod.start("control", {"KUBERNETES_SERVICE_HOST": "127.0.0.1"})
        pod.run("edge", "cat /etc/torii/edge.conf")

    Volumes are folders below one that root alone may enter, as a kubelet has
    them: a container reaches what is mounted in it and no more.
    """

    def __init__(self, spec, config, module):
        self.spec = spec
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="torii-pod-"))
        self.dir.chmod(0o755)
        self.volumes = self.dir / "volumes"
        self.volumes.mkdir(mode=0o700)
        self.processes = {}
        self.uid = spec["securityContext"]["runAsUser"]

        modules = self.dir / "prefix/modules"
        modules.mkdir(parents=True)
        shutil.copy(module, modules / module.name)

        for volume in spec["volumes"]:
            (self.volumes / volume["name"]).mkdir()
            if "emptyDir" in volume:
                (self.volumes / volume["name"]).chmod(0o777)
            if volume.get("configMap", {}).get("name") == "torii-nginx":
                self.secret(volume["name"], config)

        self.pause = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up && "
             + " && ".join(f"echo {s['value']} > "
                           f"/proc/sys/{s['name'].replace('.', '/')}"
                           for s in spec["securityContext"]["sysctls"])
             + " && echo up && exec sleep infinity"],
            stdout=subprocess.PIPE, text=True)
        assert self.pause.stdout.readline() == "up\n"

    def secret(self, volume, files):
        """Files of a volume that the cluster fills; root's, but readable."""
        for name, text in files.items():
            (self.volumes / volume / name).write_text(text)

    @contextlib.contextmanager
    def network(self):
        """This thread, for a while, in the network of the pod."""
        with open("/proc/thread-self/ns/net") as own:
            with open(f"/proc/{self.pause.pid}/ns/net") as other:
                assert LIBC.setns(other.fileno(), CLONE_NEWNET) == 0
            try:
                yield
            finally:
                assert LIBC.setns(own.fileno(), CLONE_NEWNET) == 0

    def container(self, name):
        return next(c for c in self.spec["containers"] if c["name"] == name)

    def privileges(self, name):
        """The command that has the rights of a container, and no others."""
        context = self.container(name)["securityContext"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["allowPrivilegeEscalation"] is False

        return (f"setpriv --reuid {self.uid} --regid {self.uid} "
                "--clear-groups --bounding-set=-all --inh-caps=-all "
                "--ambient-caps=-all --no-new-privs")

    def start(self, name, environment=None, arguments=()):
        container = self.container(name)
        script = ["set -eu", "mount -t tmpfs tmpfs /var/lib",
                  "mount -t tmpfs tmpfs /run", "mount -t tmpfs tmpfs /etc"]

        for mount in container["volumeMounts"]:
            path = shlex.quote(mount["mountPath"])
            script += [f"mkdir -p {path}",
                       f"mount --bind {self.volumes / mount['name']} {path}"]
            if mount.get("readOnly"):
                script.append(f"mount -o remount,bind,ro {path}")

        command = " ".join(map(shlex.quote, [
            nginx.BINARY, "-e", "stderr", "-g", "daemon off;",
            "-p", str(self.dir / "prefix"), *container["args"], *arguments]))
        script.append(f"exec {self.privileges(name)} {command}")

        with self.network():
            process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--ipc", "--fork",
                 "--kill-child", "--mount-proc", "sh", "-c",
                 "\n".join(script)],
                env={"PATH": os.environ["PATH"], **(environment or {})},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=open(self.dir / f"{name}.log", "w"))

        if not arguments:
            self.processes[name] = process
        return process

    def log(self, name):
        return (self.dir / f"{name}.log").read_text(errors="replace")

    def run(self, name, command):
        """A shell command as whoever has taken over that container.  Its root
        is the container's too: without, one would be at the root of the mount
        namespace, which is not here if the tests run in a chroot."""
        inner = nginx.children(self.processes[name].pid)[0]
        return subprocess.run(
            f"nsenter -t {inner} --mount --pid --ipc --net --root --wd "
            f"{self.privileges(name)} sh -c {shlex.quote(command)}",
            shell=True, capture_output=True, text=True, timeout=60)

    def request(self, port, target="/", host="localhost"):
        with self.network():
            connection = client.Http1(client.connect(port))
        with connection as c:
            return c.request("GET", target, host)

    def stop(self, name):
        """What a kubelet does after preStop, with the image's STOPSIGNAL."""
        process = self.processes.pop(name)
        for pid in nginx.children(process.pid):
            os.kill(pid, signal.SIGQUIT)
        return process.wait(20)

    def remove(self):
        for process in [*self.processes.values(), self.pause]:
            process.kill()
            process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
