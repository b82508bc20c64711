"""
Fixtures of the integration tests.

    def test_body_over_the_limit_is_refused(gateway, echo):
        gateway.serve("a.example", echo[0], proxy_body_size="1k")
        assert gateway.post(host="a.example", body=b"x" * 2000).status == 413

A test file may say how its gateway is made: GATEWAY = dict(http="…"), see
gateway.Gateway; and where its objects come from, each test once with each:
SOURCES = ("manifests", "kubernetes").  @pytest.mark.manifests is a test of a
folder, or of what no API server takes.  After each test the error logs of all
nginx that run are looked through: a crash, an alert or a sanitizer's report
fails the test that caused it, unless it said so by gateway.expect("pattern").

TORII_OBJS names the folder of the module, TORII_SANITIZE=1 wants the one with
sanitizers, TORII_KEEP=1 keeps the folders of the nginx that ran.
"""

import contextlib
import ctypes
import os
import signal

import pytest

import certificate
import cluster
import gateway as gateways
import network
import nginx as nginxes
import peer


PR_SET_CHILD_SUBREAPER = 36


def pytest_sessionstart(session):
    # daemons that tests start become ours, not init's: see the end
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    peer.install()
    network.enter()


def pytest_configure(config):
    config.addinivalue_line("markers", "manifests: a test of objects in files")


def pytest_generate_tests(metafunc):
    sources = getattr(metafunc.module, "SOURCES", None)

    if sources and "source" in metafunc.fixturenames:
        if metafunc.definition.get_closest_marker("manifests"):
            sources = ["manifests"]
        metafunc.parametrize("source", sources, indirect=True, scope="module")


def pytest_sessionfinish(session):
    certificate.remove_files()

    for pid in nginxes.children(os.getpid()):
        if "nginx" in nginxes.title(pid):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def authority():
    """The authority that all test certificates come from."""
    return certificate.Authority()


@pytest.fixture(scope="session")
def echo_backend(authority):
    pair = authority.issue("backend.example", network.POD)
    backend = peer.Echo(pair, authority.pem)
    yield backend
    backend.stop()


@pytest.fixture
def echo(echo_backend):
    """The echo backend, as fresh: see peer.Echo."""
    yield echo_backend
    echo_backend.reset()


@pytest.fixture(scope="session")
def argo_server(authority):
    backend = peer.Argo(authority.issue("backend.example", network.POD))
    yield backend
    backend.stop()


@pytest.fixture
def argo(argo_server):
    """A server of Argo CD's shape: see peer.Argo."""
    argo_server.events()
    return argo_server


@pytest.fixture(scope="session")
def streams(authority):
    """Clients for argo: see peer.Streams."""
    clients = peer.Streams(authority.pem)
    yield clients
    clients.stop()


@pytest.fixture(scope="session")
def fastcgi():
    """A FastCGI application: see peer.FastCgi."""
    application = peer.FastCgi()
    yield application
    application.stop()


@pytest.fixture(scope="module")
def source(request):
    """Where objects come from: "manifests" or "kubernetes"."""
    return getattr(request, "param", "manifests")


@pytest.fixture(scope="module")
def make_gateway(source):
    """make_gateway(http=…) is one that is not started yet."""
    return (cluster.Gateway if source == "kubernetes" else gateways.Gateway)


@pytest.fixture(scope="module")
def gateway(request, make_gateway):
    """The gateway of this test file, made once."""
    made = make_gateway(**getattr(request.module, "GATEWAY", {}))
    try:
        yield made.start()
    finally:
        made.remove()


@pytest.fixture
def start_gateway(make_gateway):
    """start_gateway(http=…, manifests=…) for a test that needs its own."""
    with contextlib.ExitStack() as stack:
        def start(**how):
            made = make_gateway(**how)
            stack.callback(made.remove)
            return made.start()
        yield start


@pytest.fixture
def api():
    """A stand-in for an API server: see cluster.ApiServer."""
    made = cluster.ApiServer(defaultClass="nginx")
    yield made
    made.stop()


@pytest.fixture
def start(api):
    """start(user="torii", …): a gateway at the API server; its end is not
    disturbed by the API server's, which ends later."""
    with contextlib.ExitStack() as stack:
        def run(user=cluster.USER, **how):
            made = cluster.Gateway(api=api, token=f"{user}-token", **how)
            stack.callback(made.remove)
            return made.start()
        yield run
        api.heal()


@pytest.fixture(scope="module")
def start_nginx():
    """start_nginx("server { listen 127.0.0.1:@plain@; … }"): an nginx without
    the module, which lives as long as the test file runs."""
    with contextlib.ExitStack() as stack:
        def start(http, **how):
            made = nginxes.Nginx(http, **how)
            stack.callback(made.remove)
            return made.start()
        yield start


@pytest.fixture
def raw_backend():
    """A backend that keeps the bytes it got: see peer.RawBackend."""
    backend = peer.RawBackend()
    yield backend
    backend.stop()


@pytest.fixture(autouse=True)
def sound():
    """No test may leave a crash or an alert behind in a log."""
    yield
    for one in list(nginxes.running):
        try:
            one.check()
        finally:
            one.allowed.clear()
