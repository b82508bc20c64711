"""
An image of 200 MB pushed through the gateway to Docker's registry, and pulled
back: what people put an ingress before a registry for.
"""

import hashlib
import re

import pytest

import manifest
import nginx
import registry as registries


HOST = "localhost"          # a name that skopeo can resolve
LARGE = (150, 50)
SMALL = (3,)


@pytest.fixture(scope="module")
def registry():
    made = registries.Registry()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def pair(authority):
    return authority.issue(HOST, "127.0.0.1")


@pytest.fixture
def image():
    """image(*megabytes, compressed=True): see registry.Image."""
    made = []

    def make(*megabytes, **how):
        made.append(registries.Image(*megabytes, **how))
        return made[-1]

    yield make

    for one in made:
        one.remove()


@pytest.fixture
def serve(gateway, registry, pair):
    """Route the host to the registry, with these annotations."""
    def route(**annotations):
        gateway.serve(HOST, registry.address, tls=pair, name="registry",
                      **annotations)
    return route


@pytest.fixture
def copy(gateway, authority, tmp_path):
    """copy(source, target): skopeo, with REGISTRY/ for the gateway."""
    def run(source, target):
        there = f"docker://{HOST}:{gateway.tls}/"
        return registries.skopeo(source.replace("REGISTRY/", there),
                                 target.replace("REGISTRY/", there),
                                 authority.pem, tmp_path)
    return run


@pytest.mark.parametrize("annotations, megabytes, compressed", [
    (dict(proxy_body_size="0"), LARGE, True),
    (dict(proxy_body_size="512m"), LARGE, True),
    (dict(proxy_body_size="0"), LARGE, False),
    (dict(proxy_body_size="512m", proxy_request_buffering="off"), LARGE, True),
    (dict(proxy_body_size="0", proxy_request_buffering="off"), SMALL, False),
    (dict(proxy_body_size="512m"), SMALL, False),
    (dict(proxy_body_size="512m", proxy_buffering="on"), SMALL, True),
], ids=str)
def test_image_is_pushed_and_pulled_back_intact(
        serve, copy, image, tmp_path, request, annotations, megabytes,
        compressed):
    serve(**annotations)
    made = image(*megabytes, compressed=compressed)
    name = f"REGISTRY/a/{manifest.label(request.node.name)}:1"

    pushed = copy(f"oci:{made.dir}", name)
    assert pushed.returncode == 0, pushed.stderr

    pulled = copy(name, f"dir:{tmp_path}/back")
    assert pulled.returncode == 0, pulled.stderr

    assert set(made.digests) <= registries.contents(tmp_path / "back")


@pytest.mark.parametrize("compressed", [True, False],
                         ids=["length", "chunked"])
@pytest.mark.parametrize("buffering", ["on", "off"])
def test_layer_over_the_default_limit_is_refused_in_words(
        serve, copy, image, compressed, buffering):
    serve(proxy_request_buffering=buffering)
    made = image(*SMALL, compressed=compressed)

    pushed = copy(f"oci:{made.dir}", "REGISTRY/b/refused:1")

    assert pushed.returncode != 0
    assert "size invalid" in pushed.stderr.lower(), pushed.stderr


def test_image_is_pushed_as_soon_as_the_limit_is_lifted(
        serve, copy, image):
    made = image(*SMALL)

    serve(proxy_body_size="1m")
    assert copy(f"oci:{made.dir}", "REGISTRY/c/lifted:1").returncode != 0

    serve(proxy_body_size="10m")
    assert copy(f"oci:{made.dir}", "REGISTRY/c/lifted:1").returncode == 0


def test_layer_reaches_the_registry_while_it_is_sent(
        gateway, registry, serve):
    serve(proxy_body_size="0", proxy_request_buffering="off")
    before = registry.uploaded()
    upload = start_upload(gateway)

    def body():
        yield b"x" * (4 << 20)
        nginx.wait_until(lambda: registry.uploaded() - before >= 3 << 20,
                         "bytes of the layer in the registry")
        yield b"y" * 1000

    answer = gateway.request("PATCH", upload, HOST, tls=True, body=body())

    assert answer.status == 202
    assert answer.header("Range") == f"0-{(4 << 20) + 999}"


def start_upload(gateway, **headers):
    answer = gateway.post("/v2/d/direct/blobs/uploads/", **headers,
                          host=f"{HOST}:{gateway.tls}", tls=True)
    assert answer.status == 202
    return re.sub(r"^https://[^/]+", "", answer.location)


@pytest.mark.parametrize("spoofed", [
    dict(forwarded="host=evil.example;proto=http"),
    dict(x_forwarded_host="evil.example"),
    dict(x_forwarded_proto="http"),
    dict(x_forwarded_proto="https, http"),
    {},
], ids=str)
def test_upload_url_is_the_gateways_whatever_the_client_says(
        gateway, serve, spoofed):
    serve(proxy_body_size="0")

    answer = gateway.post("/v2/d/direct/blobs/uploads/", tls=True,
                          host=f"{HOST}:{gateway.tls}", **spoofed)

    assert answer.status == 202
    assert answer.location.startswith(f"https://{HOST}:{gateway.tls}/v2/d/")


@pytest.fixture
def blob(gateway, serve):
    """The path of a blob of 1,000 bytes in the registry."""
    serve(proxy_body_size="0")
    upload = start_upload(gateway)
    data = bytes(range(250)) * 4
    digest = "sha256%3A" + hashlib.sha256(data).hexdigest()
    answer = gateway.request("PUT", f"{upload}&digest={digest}", HOST,
                             tls=True, body=data)
    assert answer.status == 201
    return "/v2/d/direct/blobs/" + digest.replace("%3A", ":"), data


def test_part_of_a_blob_is_a_206(gateway, blob):
    path, data = blob

    answer = gateway.get(path, HOST, tls=True, range="bytes=100-199")

    assert answer.status == 206
    assert answer.header("Content-Range") == "bytes 100-199/1000"
    assert answer.body == data[100:200]


@pytest.mark.parametrize("h2", [False, True], ids=["h1", "h2"])
def test_head_tells_the_size_of_a_blob(gateway, blob, h2):
    path, data = blob

    answer = gateway.request("HEAD", path, HOST, tls=True, h2=h2)

    assert answer.status == 200
    assert answer.header("Content-Length") == "1000"
    assert answer.header("Docker-Content-Digest").startswith("sha256:")
