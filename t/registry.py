"""
A container registry and images to push to it.
"""

import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import urllib.request

from manifest import Address
import nginx


class Registry:
    """Docker's registry on a free port, with its own storage."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="torii-registry-"))
        self.errors = open(self.dir / "log", "wb")

        for attempt in range(5):
            self.address = Address("127.0.0.1", nginx.free_port())
            self.start()
            if self.ready():
                return

        raise AssertionError((self.dir / "log").read_text()[-2000:])

    def start(self):
        config = {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory":
                                       str(self.dir / "data")},
                        "delete": {"enabled": True}},
            "http": {"addr": f"127.0.0.1:{self.address.port}",
                     "secret": "not secret"},
        }
        path = self.dir / "config.yml"
        path.write_text(json.dumps(config))
        self.process = subprocess.Popen(
            ["docker-registry", "serve", str(path)], stdout=self.errors,
            stderr=self.errors, stdin=subprocess.DEVNULL)

    def ready(self):
        url = f"http://127.0.0.1:{self.address.port}/v2/"

        def answers():
            if self.process.poll() is not None:
                return "ended"
            try:
                return urllib.request.urlopen(url, timeout=5).status == 200
            except OSError:
                return False

        return nginx.wait_until(answers, "the registry") is True

    def uploaded(self):
        """Bytes of uploads that are not finished."""
        files = self.dir.glob("data/docker/registry/v2/repositories/**/"
                              "_uploads/*/data")
        return sum(f.stat().st_size for f in files)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.errors.close()
        shutil.rmtree(self.dir, ignore_errors=True)


class Image:
    """An image of random layers in the OCI layout, each made anew, so that no
    client can know any blob of it.  Compressed layers travel with a
    Content-Length, others are compressed on the way and travel chunked.
    digests are those of the layers, uncompressed."""

    MEDIA = "application/vnd.oci.image"

    def __init__(self, *megabytes, compressed=True):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="torii-image-"))
        self.blobs = self.dir / "blobs/sha256"
        self.blobs.mkdir(parents=True)
        self.compressed = compressed
        self.digests = []

        layers = [self.layer(size) for size in megabytes]
        config = self.blob(json.dumps({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": self.digests},
        }).encode(), "config.v1+json")
        top = self.blob(json.dumps({
            "schemaVersion": 2, "config": config, "layers": layers,
            "mediaType": self.MEDIA + ".manifest.v1+json",
        }).encode(), "manifest.v1+json")

        (self.dir / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        (self.dir / "index.json").write_text(json.dumps({
            "schemaVersion": 2, "manifests": [top]}))

    def layer(self, megabytes):
        out = io.BytesIO()

        with tarfile.open(fileobj=out, mode="w") as tar:
            info = tarfile.TarInfo("data")
            info.size = megabytes << 20
            tar.addfile(info, io.BytesIO(os.urandom(info.size)))

        data = out.getvalue()
        self.digests.append("sha256:" + hashlib.sha256(data).hexdigest())

        if not self.compressed:
            return self.blob(data, "layer.v1.tar")

        return self.blob(gzip.compress(data, 0), "layer.v1.tar+gzip")

    def blob(self, data, kind):
        digest = hashlib.sha256(data).hexdigest()
        (self.blobs / digest).write_bytes(data)

        return {"mediaType": f"{self.MEDIA}.{kind}", "size": len(data),
                "digest": "sha256:" + digest}

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def skopeo(source, target, ca, folder, *options):
    """skopeo copy, trusting the CA; returns subprocess' result."""
    certs = pathlib.Path(folder) / "certs"
    certs.mkdir(exist_ok=True)
    (certs / "ca.crt").write_text(ca)

    return subprocess.run(
        ["skopeo", "copy", "--quiet", "--insecure-policy",
         "--src-cert-dir", str(certs), "--dest-cert-dir", str(certs),
         *options, source, target],
        capture_output=True, text=True, timeout=300,
        stdin=subprocess.DEVNULL)


def contents(folder):
    """What "skopeo copy … dir:FOLDER" brought: digests of all blobs as they are
    when unpacked, to compare with an Image's."""
    out = set()

    for path in pathlib.Path(folder).iterdir():
        data = path.read_bytes()
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
        out.add("sha256:" + hashlib.sha256(data).hexdigest())

    return out
