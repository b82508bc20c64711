"""
The helper process: it is restarted, replaced and starved, its files are taken
away and its disk runs full, and the last good table goes on serving.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

import gateway as gateways
import manifest
import nameserver
import network
import nginx


HOST = "a.example"
KEPT_FILES = 3
ONE_PROCESS = dict(main="master_process off;", workers=0)


class Foreground(gateways.Gateway):
    """An nginx that does not leave its parent, as in a container."""

    def launch(self, *arguments):
        if arguments:
            return super().launch(*arguments)

        self.process = subprocess.Popen(
            [nginx.BINARY, "-p", str(self.dir), "-c",
             str(self.dir / "nginx.conf"), "-e", str(self.log_file)],
            env=self.environment, stdin=subprocess.DEVNULL)

        return subprocess.CompletedProcess([], 0, "", "")

    def remove(self):
        super().remove()
        self.process.wait(10)


@pytest.fixture
def make_gateway():
    """make_gateway(…): a gateway that the test starts itself."""
    with contextlib.ExitStack() as stack:
        def make(kind=gateways.Gateway, **how):
            made = kind(**how)
            stack.callback(made.remove)
            return made
        yield make


@pytest.fixture
def small_disk(make_gateway):
    """A gateway whose state lives on a disk of 1 MB of its own."""
    made = make_gateway(wait=False)
    made.state.mkdir()
    mount("-t", "tmpfs", "-o", "size=1m,mode=755", "torii", made.state)
    yield made
    if made in nginx.running:
        made.stop()
    subprocess.run(["umount", "-l", made.state], check=True)


@pytest.fixture
def names():
    server = nameserver.NameServer()
    yield server
    server.stop()


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


def wait_helper(gateway, other_than=None):
    return nginx.wait_until(
        lambda: gateway.helper_pid() not in (None, other_than)
        and gateway.helper_pid(), lambda: f"a helper; {gateway.report()}")


def kill_helper(gateway):
    gateway.expect("exited on signal 9")
    old = wait_helper(gateway)
    os.kill(old, signal.SIGKILL)
    return wait_helper(gateway, old)


def wait_beat(gateway):
    """Until the helper has the lock and is at work."""
    nginx.wait_until(lambda: gateway.control().helper_pid
                     == gateway.helper_pid(), gateway.report)


def table_files(gateway):
    return sorted(p.name for p in (gateway.state / "table").glob("table.*"))


def answers(gateway, name, host=HOST):
    answer = gateway.get("/", host)
    return answer.status == 200 and answer.echo["name"] == name


# Life and death


def test_killed_helper_is_restarted_and_goes_on(start_gateway, echo):
    gateway = start_gateway()
    gateway.serve(HOST, echo[0])
    before = gateway.generation

    kill_helper(gateway)
    assert answers(gateway, "http0")

    gateway.serve(HOST, echo[1])
    assert answers(gateway, "http1")
    assert gateway.generation > before


def test_helper_that_dies_again_and_again_waits_longer(start_gateway, echo):
    gateway = start_gateway()
    gateway.serve(HOST, echo[0])
    began = time.monotonic()

    for deaths in range(1, 6):
        kill_helper(gateway)
        nginx.wait_until(lambda: gateway.control().restarts == deaths,
                         gateway.report)
        wait_beat(gateway)
        gateway.wait_log(f"died .* {deaths} in a row")

    gateway.serve(HOST, echo[1])
    assert time.monotonic() - began > 0.8       # 50 ms << 4
    assert answers(gateway, "http1")


def test_reload_is_no_crash(start_gateway, echo):
    gateway = start_gateway()

    for n in range(3):
        old = wait_helper(gateway)
        gateway.reload()
        wait_helper(gateway, old)
        gateway.serve(HOST, echo[n % 2])

    assert gateway.control().restarts == 0
    assert gateway.control().helper_pid == gateway.helper_pid()


def test_reload_publishes_nothing_when_nothing_changed(start_gateway, echo):
    gateway = start_gateway()
    gateway.serve(HOST, echo[0])
    before = gateway.generation, wait_helper(gateway)

    gateway.reload()
    wait_helper(gateway, before[1])
    wait_beat(gateway)
    nginx.wait_until(lambda: gateway.control().synced
                     >= gateway.control().started, gateway.report)

    assert gateway.generation == before[0]


def test_orphaned_helper_exits(start_gateway):
    gateway = start_gateway()
    helper, workers = wait_helper(gateway), gateway.worker_pids()

    gateway.kill(signal.SIGKILL)
    nginx.wait_until(lambda: not nginx.alive(helper), "the helper's end")

    for pid in workers:
        os.kill(pid, signal.SIGKILL)


def test_cache_of_nginx_does_not_disturb(start_gateway, echo):
    gateway = start_gateway(
        http="proxy_cache_path @dir@/cache keys_zone=z:1m manager_sleep=1ms;")
    gateway.serve(HOST, echo[0])
    assert wait_helper(gateway)


def test_one_process_does_it_all(make_gateway, echo):
    gateway = make_gateway(**ONE_PROCESS).start()
    gateway.serve(HOST, echo[0])
    assert answers(gateway, "http0")


def test_files_of_another_user_are_taken_over(make_gateway, echo):
    gateway = make_gateway(**ONE_PROCESS).start()       # as root
    gateway.serve(HOST, echo[0])
    gateway.stop()

    gateway.main, gateway.workers = "", 1
    (gateway.dir / "nginx.conf").write_text(gateway.text())
    gateway.restart()
    gateway.serve(HOST, echo[1])

    assert answers(gateway, "http1")


def test_nginx_in_the_foreground(make_gateway, echo):
    gateway = make_gateway(Foreground, main="daemon off;").start()
    gateway.serve(HOST, echo[0])
    assert answers(gateway, "http0")


def test_helper_off_serves_what_another_publishes(start_gateway, make_gateway,
                                                  echo):
    first = start_gateway()
    second = make_gateway(http="torii_helper off;", wait=False)
    second.state.symlink_to(first.state)
    second.start()

    first.serve(HOST, echo[0])
    assert answers(second, "http0")
    assert second.helper_pid() is None


def test_helper_off_needs_no_right_to_write(make_gateway, start_gateway, echo):
    first = start_gateway()
    first.serve(HOST, echo[0])

    second = make_gateway(http="torii_helper off;", wait=False)
    second.state.mkdir()
    mount("--bind", "-o", "ro", first.state, second.state)
    try:
        second.start()
        assert answers(second, "http0")
        second.stop()
    finally:
        subprocess.run(["umount", "-l", second.state], check=True)


def test_configuration_test_leaves_no_trace(make_gateway):
    gateway = make_gateway(wait=False)
    gateway.start()
    gateway.stop()
    shutil.rmtree(gateway.state)

    assert gateway.launch("-t").returncode == 0
    assert not gateway.state.exists()


# Files


def test_state_is_for_nginx_alone(start_gateway, echo):
    gateway = start_gateway()
    gateway.serve(HOST, echo[0])

    for path in (gateway.state, *gateway.state.rglob("*")):
        mode = path.stat().st_mode & 0o777
        assert mode == (0o700 if path.is_dir() else 0o600), path
        assert path.owner() == "www-data", path


def test_only_the_last_tables_are_kept(start_gateway, echo):
    gateway = start_gateway()
    (gateway.state / "table/table.9999.tmp").write_text("left behind")

    for n in range(8):
        gateway.serve(HOST, echo[n % 2])
    kill_helper(gateway)
    gateway.serve(HOST, echo[2])

    last = gateway.generation
    assert table_files(gateway) == sorted(
        f"table.{g}" for g in range(last - KEPT_FILES + 1, last + 1))


def test_touched_file_publishes_nothing(start_gateway, echo):
    gateway = start_gateway()
    gateway.serve(HOST, echo[0])
    before = gateway.generation
    path = next(gateway.folder.glob("a-example*.yaml"))

    path.touch()
    gateway.write(path.name, path.read_bytes())
    gateway.apply("other", [])

    assert gateway.generation == before + 1


def test_burst_of_changes_makes_few_tables(start_gateway, echo):
    gateway = start_gateway()
    before, begin = gateway.control().publishes, time.monotonic()

    for n in range(500):
        gateway.put("burst", manifest.route(HOST, echo[n % 2]))
    gateway.settle()

    gaps = (time.monotonic() - begin) / 0.005       # the least between two

    assert answers(gateway, "http1")
    assert 0 < gateway.control().publishes - before <= min(gaps + 2, 500)


def test_thousand_files_at_once_are_one_change(start_gateway, echo):
    gateway = start_gateway()
    gateway.apply("backend", manifest.backend("echo", echo[0]))
    before = gateway.control().publishes
    many = gateway.dir / "many"
    many.mkdir()

    for n in range(1000):
        (many / f"{n}.json").write_text(manifest.dump_json(manifest.ingress(
            f"i{n}", manifest.rule(f"h{n}.example", manifest.path()))))
    many.rename(gateway.folder / "many")

    nginx.wait_until(lambda: gateway.get("/", "h999.example").status == 200,
                     gateway.report)
    assert gateway.get("/", "h0.example").status == 200
    assert gateway.control().publishes == before + 1


def test_damaged_table_falls_back_to_the_one_before(start_gateway, echo):
    gateway = start_gateway()
    gateway.serve("b.example", echo[1])
    gateway.serve(HOST, echo[0])
    gateway.stop()

    last = gateway.state / f"table/table.{gateway.generation}"
    last.write_bytes(last.read_bytes()[:-1] + b"?")
    gateway.folder.rename(gateway.dir / "away")
    gateway.restart()

    assert answers(gateway, "http1", "b.example")
    gateway.wait_log("table .* is refused")

    (gateway.dir / "away").rename(gateway.folder)
    nginx.wait_until(lambda: answers(gateway, "http0"), gateway.report)


def test_lost_control_page_is_made_from_the_tables(start_gateway, echo):
    gateway = start_gateway()
    gateway.serve(HOST, echo[0])
    gateway.stop()
    before = gateway.generation

    (gateway.state / "table/control").write_bytes(b"?" * 100)
    gateway.restart()
    nginx.wait_until(lambda: answers(gateway, "http0"), gateway.report)

    gateway.serve(HOST, echo[1])
    assert gateway.generation > before


def test_removed_state_is_made_again(start_gateway, echo):
    gateway = start_gateway(workers=1)
    gateway.serve(HOST, echo[0])
    assert answers(gateway, "http0")

    shutil.rmtree(gateway.state / "table")
    shutil.rmtree(gateway.state / "private")
    assert answers(gateway, "http0")

    gateway.serve(HOST, echo[1])
    nginx.wait_until(lambda: answers(gateway, "http1"), gateway.report)


def test_full_disk_keeps_the_last_table(small_disk, echo):
    gateway = small_disk.start()
    gateway.serve(HOST, echo[0])
    filler = gateway.state / "filler"

    with contextlib.suppress(OSError), open(filler, "wb", 0) as f:
        while True:
            f.write(b"x" * 4096)

    gateway.put("next", manifest.route("b.example", echo[1]))
    gateway.wait_log("No space left")
    assert gateway.control().failures > 0
    assert answers(gateway, "http0")

    filler.unlink()
    gateway.settle()
    assert answers(gateway, "http1", "b.example")


def test_read_only_disk_serves_the_last_table(small_disk, echo):
    gateway = small_disk.start()
    gateway.serve(HOST, echo[0])
    gateway.stop()

    mount("-o", "remount,ro", gateway.state)
    gateway.restart()
    gateway.wait_log("Read-only file system")
    assert answers(gateway, "http0")

    mount("-o", "remount,rw", gateway.state)
    gateway.serve(HOST, echo[1])
    assert answers(gateway, "http1")


# The source


def test_folder_gone_at_start_keeps_the_last_table(start_gateway, echo):
    gateway = start_gateway()
    gateway.serve(HOST, echo[0])
    gateway.stop()
    before = gateway.generation

    gateway.folder.rename(gateway.dir / "away")
    gateway.restart()
    gateway.wait_log(f"cannot open .*{gateway.folder}")
    assert answers(gateway, "http0")
    assert gateway.generation == before

    (gateway.dir / "away").rename(gateway.folder)
    gateway.serve(HOST, echo[1])
    assert answers(gateway, "http1")


def test_folder_that_vanishes_takes_nothing_with_it(start_gateway, echo):
    gateway = start_gateway()
    gateway.serve(HOST, echo[0])

    gateway.folder.rename(gateway.dir / "away")
    gateway.wait_log(f"cannot open .*{gateway.folder}")
    assert answers(gateway, "http0")

    (gateway.dir / "away").rename(gateway.folder)
    gateway.serve(HOST, echo[1])
    assert answers(gateway, "http1")


def test_empty_folder_is_an_empty_table(start_gateway, echo):
    gateway = start_gateway()
    gateway.serve(HOST, echo[0])
    gateway.stop()

    for path in gateway.folder.glob("*"):
        path.unlink()
    gateway.restart()

    nginx.wait_until(lambda: gateway.get("/", HOST).status == 404,
                     gateway.report)


def test_error_is_logged_once(start_gateway, echo):
    gateway = start_gateway()
    gateway.write("bad.yaml", "kind: [\n")
    gateway.wait_log(r"\[warn\].*bad\.yaml")
    count = gateway.log().count("bad.yaml")

    gateway.serve(HOST, echo[0])
    gateway.serve(HOST, echo[1])

    assert gateway.log().count("bad.yaml") == count


# Names


def external(host, name, address):
    """Objects that lead a host to an ExternalName Service."""
    label = manifest.label(host)
    return [manifest.service(label, address.port, external=name),
            manifest.ingress(label, manifest.rule(host, manifest.path(
                service=label, port=address.port)))]


def endpoint(address, port):
    """A record of the table, ingress_table_endpoint_t."""
    return (b"\0" * 10 + b"\xff\xff" + socket.inet_aton(address)
            + port.to_bytes(2, "little"))


def wait_endpoint(gateway, address, port=80):
    nginx.wait_until(lambda: endpoint(address, port) in gateway.table(),
                     lambda: f"{address}; {gateway.report()}")


def resolver(names):
    return f"torii_resolver {names.address};"


BACKEND = manifest.Address("", 80)


def test_external_name_is_resolved_before_it_serves(start_gateway, names,
                                                    echo):
    names.records["echo.test"] = [network.POD]
    names.delay = 0.02
    gateway = start_gateway(http=resolver(names))

    gateway.apply("ext", external(HOST, "echo.test", echo[0]))

    assert answers(gateway, "http0")


def test_external_name_follows_its_addresses(start_gateway, names):
    names.records["db.test"] = ["10.1.0.1"]
    gateway = start_gateway(http=resolver(names))
    gateway.apply("ext", external(HOST, "db.test", BACKEND))
    wait_endpoint(gateway, "10.1.0.1")

    names.records["db.test"] = ["10.1.0.2", "10.1.0.3"]
    wait_endpoint(gateway, "10.1.0.2")
    wait_endpoint(gateway, "10.1.0.3")
    assert endpoint("10.1.0.1", 80) not in gateway.table()


def test_last_good_address_serves_while_the_name_fails(start_gateway, names,
                                                       echo):
    names.records["echo.test"] = [network.POD]
    gateway = start_gateway(http=resolver(names))
    gateway.apply("ext", external(HOST, "echo.test", echo[0]))

    del names.records["echo.test"]
    gateway.wait_log('cannot resolve "echo.test"')
    gateway.serve("other.example", echo[1])
    assert answers(gateway, "http0")

    kill_helper(gateway)
    gateway.serve("other.example", echo[2])
    assert answers(gateway, "http0")

    names.records["echo.test"] = [network.POD]
    gateway.wait_log('"echo.test" is resolved again')


def test_hosts_file_counts(start_gateway, names, start_nginx):
    local = start_nginx("server { listen 127.0.0.1:@plain@; return 200 local;"
                        " }")
    gateway = start_gateway(http=resolver(names))
    gateway.apply("ext", external(HOST, "localhost",
                                  manifest.Address("", local.plain)))
    assert gateway.get("/", HOST).text == "local"


def test_silent_name_server_holds_nobody_up(start_gateway, names, echo):
    names.silent.update(f"dead{n}.test" for n in range(40))
    names.records["good.test"] = ["10.1.0.1"]
    gateway = start_gateway(http=resolver(names))

    for n in range(40):
        gateway.put(f"dead{n}", external(f"d{n}.example", f"dead{n}.test",
                                         BACKEND))
    gateway.settle()
    gateway.wait_log('cannot resolve "dead')

    began = time.monotonic()
    gateway.serve(HOST, echo[0])
    assert time.monotonic() - began < 4     # and not for 40 timeouts
    gateway.apply("good", external("g.example", "good.test", BACKEND))
    wait_endpoint(gateway, "10.1.0.1")


def test_name_that_is_gone_is_asked_for_no_more(start_gateway, names):
    names.records.update({"a.test": ["10.1.0.1"], "b.test": ["10.1.0.2"]})
    gateway = start_gateway(http=resolver(names))
    gateway.apply("a", external("a.example", "a.test", BACKEND))
    gateway.apply("b", external("b.example", "b.test", BACKEND))

    gateway.remove_objects("a")
    since = time.monotonic() + 2        # what is under way may arrive
    nginx.wait_until(lambda: names.count("b.test", since) >= 4,
                     gateway.report)

    assert names.count("a.test", since) == 0


def test_thousand_names_come_in_no_burst(start_gateway, names):
    names.delay = 0.02
    names.ttl = 300
    docs = []

    for n in range(1000):
        names.records[f"n{n}.test"] = [f"10.2.{n // 250}.{n % 250}"]
        docs.append(external(f"h{n}.example", f"n{n}.test", BACKEND))

    gateway = start_gateway(http=resolver(names))
    gateway.apply("many", docs)
    wait_endpoint(gateway, "10.2.3.249")

    nginx.wait_until(lambda: gateway.table().count(
                         b"\0" * 10 + b"\xff\xff\x0a\x02") == 1000,
                     gateway.report)
    assert names.most_at_once(names.delay / 2) <= 32
