"""
Nothing reloads: routes, endpoints and certificates change under load, helper,
workers and nginx itself are replaced, and nobody who is connected notices.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import threading
import time

import pytest

import manifest
import nginx
from gateway import SANITIZE


WEB = "argo.example"
GRPC = "grpc.example"
KEPT = "kept.example"
MOVED = "moved.example"

# what a worker's memory may grow by in 1,600 changes; a sanitizer keeps more
GROWTH = (200 if SANITIZE else 1) << 20


@pytest.fixture
def gateway(start_gateway, argo_server, echo_backend, authority):
    """A gateway of this test's own, with routes that stay as they are."""
    pair = authority.issue(WEB, GRPC, KEPT)
    plain = argo_server.address
    free = dict(tls=pair, ssl_redirect="false")

    return start_gateway(http="keepalive_requests 1000000;", manifests={
        "web": manifest.route(WEB, plain, **free),
        "grpc": manifest.route(GRPC, plain, backend_protocol="GRPC", **free),
        "kept": manifest.route(KEPT, echo_backend[0], **free),
    })


@pytest.fixture
def held(gateway, streams):
    """held(clients=4): a WebSocket, events, a gRPC chat and so many clients on
    connections kept alive, open until the block ends; none may break, and all
    must have gone on to the end."""
    @contextlib.contextmanager
    def hold(clients=4):
        streams.hold(port=gateway.tls, tls=True, host=WEB, grpc_host=GRPC,
                     grpc_port=gateway.tls, clients=clients)
        try:
            yield
            wait_all_go_on(streams, clients)
        finally:
            seen = streams.release()
        assert seen["errors"] == []
        assert seen["connections"] == clients
    return hold


def wait_all_go_on(streams, clients):
    before = streams.seen()
    names = ["ws", "sse", "chat"] + (["requests"] if clients else [])

    def more():
        now = streams.seen()
        return now["errors"] or all(now[n] > before[n] + 2 for n in names)

    nginx.wait_until(more, lambda: f"more than {before}: {streams.seen()}",
                     every=0.05)


@contextlib.contextmanager
def asking(gateway, host=KEPT):
    """Requests on new connections, one after the other, all of which must be
    answered 200."""
    ended = threading.Event()
    answers = []

    def run():
        while not ended.is_set():
            try:
                answers.append(gateway.get("/", host, port=gateway.plain)
                               .status)
            except OSError as e:
                answers.append(repr(e))

    thread = threading.Thread(target=run)
    thread.start()

    try:
        yield answers
    finally:
        ended.set()
        thread.join()

    assert answers and set(answers) == {200}


def serves(gateway, host, name):
    """Whether the host is answered by the echo address of that name."""
    answer = gateway.get("/", host)
    return answer.status == 200 and answer.echo["name"] == name


def test_2000_changes_under_load_break_nothing(gateway, echo, held):
    workers = gateway.worker_pids()
    first = gateway.generation
    after = {}

    with held(clients=4):
        for i in range(2000):
            gateway.serve(MOVED, echo[i % 2])

            if i % 20 == 0:
                assert serves(gateway, MOVED, f"http{i % 2}")
            if i in (400, 1999):
                after[i] = [(nginx.memory(p), sum(nginx.descriptors(p)
                             .values()), tables(p)) for p in workers]

        assert gateway.worker_pids() == workers

    assert gateway.generation - first >= 2000
    for early, late in zip(after[400], after[1999]):
        assert late[0] - early[0] < GROWTH
        assert late[1] - early[1] < 20
        assert late[2] <= 5             # the newest, and those held open
    assert len(list(gateway.state.glob("table/table.*"))) <= 4


def tables(pid):
    """How many tables a process has mapped."""
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
    return len({line.split()[5] for line in maps.splitlines()
                if "/table/table." in line})


def test_memory_is_given_back_once_held_requests_end(gateway, echo, held):
    with held(clients=1):
        for i in range(20):
            gateway.serve(MOVED, echo[i % 2])

    def one_each():
        gateway.get("/", KEPT)
        return all(tables(p) <= 1 for p in gateway.worker_pids())

    nginx.wait_until(one_each, lambda: f"one table in each worker: "
                     f"{[tables(p) for p in gateway.worker_pids()]}",
                     every=0.02)


def test_burst_of_files_is_in_force_as_a_whole(gateway, echo, held):
    with held():
        marks = [gateway.put(f"burst-{i}", manifest.route(
                    f"burst-{i}.example", echo[i % 4])) for i in range(300)]
        gateway.settle(*marks)

        for i in (0, 1, 150, 299):
            assert serves(gateway, f"burst-{i}.example", f"http{i % 4}")


def test_endpoints_follow_without_a_refused_request(gateway, echo):
    def move(address):
        gateway.apply("moving", manifest.backend("moving", address),
                      manifest.ingress("moving", manifest.rule(
                          MOVED, manifest.path("/", "moving"))))

    move(echo[0])

    with asking(gateway, MOVED) as answers:
        for i in range(100):
            move(echo[i % 3])

    assert len(answers) > 10


def test_helper_killed_comes_back_and_goes_on(gateway, echo, held):
    gateway.expect("exited on signal 9")
    workers = gateway.worker_pids()

    with held(), asking(gateway):
        for i in range(3):
            old = gateway.helper_pid()
            os.kill(old, signal.SIGKILL)
            gateway.serve(MOVED, echo[i])
            assert serves(gateway, MOVED, f"http{i}")
            assert gateway.helper_pid() != old

    assert gateway.worker_pids() == workers


def test_workers_serve_while_the_helper_hangs(gateway, echo, held):
    helper = gateway.helper_pid()
    os.kill(helper, signal.SIGSTOP)

    try:
        with held(), asking(gateway):
            mark = gateway.put("later", manifest.route(MOVED, echo[1]))
            assert gateway.get("/", MOVED).status == 404
    finally:
        os.kill(helper, signal.SIGCONT)

    gateway.settle(mark)
    assert serves(gateway, MOVED, "http1")


def test_worker_killed_is_replaced_with_the_newest_table(gateway, echo):
    gateway.expect("exited on signal 9")
    gateway.serve(MOVED, echo[1])
    old = gateway.worker_pids()

    for pid in old:
        os.kill(pid, signal.SIGKILL)

    nginx.wait_until(lambda: not set(old) & set(gateway.worker_pids())
                     and len(gateway.worker_pids()) == 2, "new workers")
    for i in range(4):
        assert serves(gateway, MOVED, "http1")


def test_reload_keeps_streams_and_changes_flow_on(gateway, echo, held):
    with held(clients=0), asking(gateway):
        for i in range(3):
            gateway.reload()
            gateway.serve(MOVED, echo[i])
            assert serves(gateway, MOVED, f"http{i}")


def test_upgrade_of_the_binary_keeps_streams_and_changes_flow_on(
        gateway, echo, held):
    with held(clients=0), asking(gateway):
        old = gateway.upgrade()
        gateway.serve(MOVED, echo[1])
        assert serves(gateway, MOVED, "http1")

        os.kill(old, signal.SIGQUIT)
        gateway.serve(MOVED, echo[2])
        assert serves(gateway, MOVED, "http2")

    nginx.wait_until(lambda: not nginx.alive(old), "the old master's end")
    gateway.serve(MOVED, echo[3])
    assert serves(gateway, MOVED, "http3")


def test_restart_without_the_folder_serves_the_last_table(gateway, echo):
    gateway.serve(MOVED, echo[1])
    gateway.stop()
    away = gateway.folder.with_name("away")
    gateway.folder.rename(away)

    written = len(gateway.log())
    gateway.restart()
    began = time.monotonic()
    assert serves(gateway, MOVED, "http1")
    assert time.monotonic() - began < 5
    gateway.wait_log("the last table goes on", since=written)
    assert serves(gateway, MOVED, "http1")

    away.rename(gateway.folder)
    gateway.serve(MOVED, echo[2])
    assert serves(gateway, MOVED, "http2")


def test_folder_that_vanishes_takes_no_route_with_it(gateway, echo):
    gateway.serve(MOVED, echo[1])
    away = gateway.folder.with_name("away")
    gateway.folder.rename(away)

    with asking(gateway, MOVED):
        gateway.wait_log("the last table goes on")
        time.sleep(0.3)                 # long enough for a wrong table

    away.rename(gateway.folder)
    gateway.serve(MOVED, echo[2])
    assert serves(gateway, MOVED, "http2")


def test_file_that_does_not_parse_keeps_its_last_good_content(gateway, echo):
    gateway.serve(MOVED, echo[1], name="moved")
    gateway.write("moved.yaml", "kind: [\n")
    finding = gateway.wait_finding(file="moved.yaml")

    assert finding["line"] >= 1 and finding["severity"] == "error"
    assert serves(gateway, MOVED, "http1")

    gateway.serve(MOVED, echo[2], name="moved")
    assert serves(gateway, MOVED, "http2")
    assert not [f for f in gateway.findings() if "moved.yaml" in str(f)]


def test_removed_file_takes_its_routes_with_it(gateway, echo):
    gateway.serve(MOVED, echo[1], name="moved")
    gateway.remove_objects("moved")

    assert gateway.get("/", MOVED).status == 404
    assert gateway.get("/", KEPT).status == 200


def test_mounted_config_map_changes_by_its_symlink(gateway, echo):
    """kubelet's way: ..data is a link to a folder, files are links into it,
    and a change renames a new link over ..data."""
    mount = gateway.folder / "mount"
    mount.mkdir()

    def project(version, address):
        folder = mount / f"..{version}"
        folder.mkdir()
        (folder / "route.yaml").write_text(
            manifest.dump_yaml(manifest.route(MOVED, address)))
        link = mount / "..data_tmp"
        link.symlink_to(folder.name)
        link.rename(mount / "..data")
        if not (mount / "route.yaml").is_symlink():
            (mount / "route.yaml").symlink_to("..data/route.yaml")

    project(1, echo[1])
    nginx.wait_until(lambda: gateway.get("/", MOVED).status == 200,
                     gateway.report)
    assert serves(gateway, MOVED, "http1")

    project(2, echo[2])
    shutil.rmtree(mount / "..1")
    nginx.wait_until(lambda: serves(gateway, MOVED, "http2"), gateway.report)


def test_same_objects_written_again_publish_nothing(gateway, echo):
    gateway.serve(MOVED, echo[1], name="moved")
    before = gateway.generation

    text = (gateway.folder / "moved.yaml").read_text()
    for i in range(5):
        gateway.write("moved.yaml", text)
    gateway.apply("unrelated", [])

    assert gateway.generation == before + 1


def test_certificate_is_replaced_under_open_connections(
        gateway, authority, echo, held):
    serials = set()

    with held():
        for i in range(5):
            pair = authority.issue(MOVED)
            gateway.serve(MOVED, echo[0], tls=pair, name="moved")
            with gateway.connect(tls=True, sni=MOVED) as sock:
                serials.add(sock.getpeercert(True) == pair.der)

    assert serials == {True}


def test_quit_ends_when_the_last_request_does(gateway, echo):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(
        gateway.get("/", KEPT, echo=dict(delay=500))))
    thread.start()
    nginx.wait_until(lambda: echo.count(echo[0]), "the request to arrive")

    gateway.stop(signal.SIGQUIT)
    thread.join()

    assert answers[0].status == 200
