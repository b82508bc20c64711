"""
"torii dns plan" and "apply" over files, at real servers; and zones that
ExternalDNS has written, which the gateway goes on with.
"""

import json
import subprocess

import pytest
import yaml

import gateway
import manifest
import records
from manifest import ingress, path, rule

TORII = gateway.OBJS.resolve() / "torii"
OWNER = "gateway-a"
ADDRESS = records.ADDRESS
TTL = "external-dns.alpha.kubernetes.io/ttl"
TARGET = "external-dns.alpha.kubernetes.io/target"


@pytest.fixture(scope="module", params=sorted(records.SERVERS))
def server(request):
    made = records.SERVERS[request.param]()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def bind():
    made = records.Bind()
    yield made
    made.stop()


class Folder:
    """Objects, and the tool over them."""

    def __init__(self, path, *secrets):
        self.path = path
        self.secrets = secrets
        self.hosts = {}

    def add(self, host, **annotations):
        self.hosts[host] = annotations

    def run(self, verb, *args, owner=OWNER):
        docs = list(self.secrets)
        docs += manifest.backend("echo", manifest.Address("10.0.0.1", 80))
        for i, (host, annotations) in enumerate(self.hosts.items()):
            docs.append(ingress(f"i{i}", rule(host, path()),
                                annotations=annotations or None))
        (self.path / "all.yaml").write_text(yaml.safe_dump_all(docs))
        self.done = subprocess.run(
            [TORII, "dns", verb, self.path, "--addresses", ADDRESS,
             *(["--owner", owner] if owner else []), *args],
            capture_output=True, text=True, timeout=60)
        return self.done

    def plan(self, *args):
        ran = self.run("plan", "--json", *args)
        return json.loads(ran.stdout)["edits"]

    def apply(self, *args):
        ran = self.run("apply", *args)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran


@pytest.fixture
def folder(tmp_path):
    return lambda zone, **more: Folder(tmp_path, records.of(zone, **more))


def test_plan_shows_and_writes_nothing(server, folder):
    files = folder(server)
    host = f"plan.{server.zone}"
    files.add(host)

    ran = files.run("plan")

    assert ran.returncode == 2, ran.stderr
    assert f"create {host}: it is not there yet" in ran.stdout
    assert f"+ {host} A 300 {ADDRESS}" in ran.stdout
    assert "1 to create" in ran.stderr
    assert server.query(host, "A") == []


def test_apply_creates_changes_and_deletes(server, folder):
    files = folder(server, txt_owner_id="apply")
    host, other = f"a.{server.zone}", f"*.w.{server.zone}"
    files.add(host)
    files.add(other)

    files.apply()
    assert server.query(host, "A") == [ADDRESS]
    assert server.query(f"x.w.{server.zone}", "A") == [ADDRESS]
    assert files.run("plan").returncode == 0

    files.add(host, **{TARGET: "192.0.2.7,2001:db8::7", TTL: "77"})
    (edit,) = files.plan()
    assert edit["what"] == "change" and edit["name"] == host
    files.apply()
    assert server.query(host, "A") == ["192.0.2.7"]
    assert server.query(host, "AAAA") == ["2001:db8::7"]

    del files.hosts[host]
    (edit,) = files.plan()
    assert edit["what"] == "delete" and edit["why"] == "gone"
    assert "1 deleted" in files.apply().stderr
    assert server.query(host, "A") == server.query(host, "AAAA") == []
    assert server.query(f"x.w.{server.zone}", "A") == [ADDRESS]
    assert files.run("apply").returncode == 0


def test_policy_holds_a_deletion(bind, folder):
    files = folder(bind, policy="upsert-only", txt_owner_id="upsert")
    host = f"keep.{bind.zone}"
    files.add(host)
    files.add(f"other.{bind.zone}")
    files.apply()

    del files.hosts[host]
    ran = files.run("plan")
    assert ran.returncode == 0
    assert f"held {host}" in ran.stdout and "[policy]" in ran.stdout
    assert bind.query(host, "A") == [ADDRESS]


def test_brake_holds_many_deletions_until_they_are_let_go(bind, folder):
    files = folder(bind, txt_owner_id="brake", brake_min="2")
    hosts = [f"b{n}.{bind.zone}" for n in range(9)]
    for host in hosts:
        files.add(host)
    files.apply()

    for host in hosts[1:]:
        del files.hosts[host]
    ran = files.run("plan")
    assert "[brake]" in ran.stdout
    assert sum(bool(bind.query(host, "A")) for host in hosts) == 9

    assert len(files.plan("--ack")) == 8
    files.apply("--ack")
    assert [h for h in hosts if bind.query(h, "A")] == hosts[:1]


def test_unreadable_file_deletes_nothing(bind, folder):
    files = folder(bind, txt_owner_id="broken")
    for name in ("one", "two"):
        files.add(f"{name}.{bind.zone}")
    files.apply()

    del files.hosts[f"one.{bind.zone}"]
    (files.path / "broken.yaml").write_text("a: [")
    ran = files.run("apply")

    assert "incomplete" in ran.stdout
    assert bind.query("one", "A") == [ADDRESS]


def test_record_of_others_stays(server, folder):
    files = folder(server)
    files.add(f"foreign.{server.zone}")

    ran = files.run("apply")

    assert "foreign" in ran.stdout
    assert server.query("foreign", "A") == [records.FOREIGN]


def test_record_of_nobody_is_taken_over_by_word_only(bind, folder):
    files = folder(bind, txt_owner_id="adopter")
    host = f"nobody.{bind.zone}"
    bind.put(host, "A", "192.0.2.10")
    files.add(host)
    assert files.plan() == []

    files.apply("--unowned", "--host", host)
    assert any("owner=adopter" in t for t in bind.txt(f"_dnssync.{host}"))
    files.apply()
    assert bind.query(host, "A") == [ADDRESS]


@pytest.mark.parametrize("settings, told", [
    ({"provider": "rfc2137"}, "rfc2137"),
    ({"tsig_secret": "bm90aGluZw=="}, "error"),
    ({"server": "127.0.0.1:1"}, "error"),
])
def test_failing_provider_is_an_error(bind, folder, settings, told):
    files = folder(bind, **settings)
    files.add(f"fails.{bind.zone}")

    ran = files.run("plan")

    assert ran.returncode == 1
    assert told in ran.stdout + ran.stderr
    assert bind.secret not in ran.stdout + ran.stderr


def test_owner_has_to_be_known(bind, folder):
    files = folder(bind)
    ran = files.run("plan", owner=None)
    assert ran.returncode == 1 and "--owner" in ran.stderr


@pytest.mark.parametrize("args", [
    [], ["plan"], ["adopt", "a/b"], ["adopt", "--unowned"], ["status", "x"],
    ["ack", "a", "b", "c"], ["ack", "a b"], ["nonsense"]])
def test_wrong_words_are_refused(args):
    ran = subprocess.run([TORII, "dns", *args], capture_output=True, text=True,
                         timeout=60)
    assert ran.returncode == 1 and "usage: torii dns" in ran.stderr


# Zones of ExternalDNS: what it writes, by its settings

HERITAGE = "heritage=external-dns,external-dns/owner={},external-dns/resource=ingress/default/i0"

FORMATS = {
    "default": ({}, "a-{host}.{zone}"),
    "prefix": ({"txt_prefix": "p."}, "p.a-{host}.{zone}"),
    "template": ({"txt_prefix": "ext-%{record_type}."},
                 "ext-a.{host}.{zone}"),
    "suffix": ({"txt_suffix": "-s"}, "a-{host}-s.{zone}"),
    "old": ({}, "{host}.{zone}"),
}


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_zone_of_externaldns_is_taken_over_without_a_change(server, folder,
                                                            form):
    settings, name = FORMATS[form]
    host = f"x{form}"
    mark = name.format(host=host, zone=server.zone)
    text = HERITAGE.format(form)
    server.put(host, "A", ADDRESS, ttl=300)
    server.put(mark, "TXT", f'"{text}"')

    files = folder(server, registry="txt", txt_owner_id=form,
                   **settings)
    files.add(f"{host}.{server.zone}")
    ran = files.run("plan")
    assert ran.returncode == 0, ran.stdout + ran.stderr

    files.add(f"{host}.{server.zone}", **{TARGET: "192.0.2.77"})
    files.apply()
    assert server.query(host, "A") == ["192.0.2.77"]
    assert any(f"external-dns/owner={form}" in t for t in server.txt(mark))
    assert server.query(f"_dnssync.{host}", "TXT") == []
    assert files.run("plan").returncode == 0


# By DNS over TLS


class Tls(records.Bind):
    names = ("port", "tls_port")

    def __init__(self, pair):
        self.pair = pair
        super().__init__(zone="tls.test")

    def prepare(self):
        super().prepare()
        (self.dir / "chain").write_text(self.pair.chain)
        (self.dir / "pair").write_text(self.pair.key)
        conf = self.dir / "named.conf"
        conf.write_text(
            f'tls own {{ cert-file "{self.dir}/chain"; '
            f'key-file "{self.dir}/pair"; }};\n'
            + conf.read_text().replace(
                "    listen-on-v6", f"    listen-on port {self.tls_port} tls "
                "own { 127.0.0.1; };\n    listen-on-v6"))


def test_zone_is_written_over_tls_to_a_server_that_is_trusted(folder,
                                                              authority):
    zone = Tls(authority.issue("127.0.0.1"))
    try:
        settings = dict(tls="true", server=f"127.0.0.1:{zone.tls_port}")
        files = folder(zone, **settings)
        files.add(f"a.{zone.zone}")
        ran = files.run("plan")
        assert ran.returncode == 1 and "certificate" in ran.stdout.lower()

        files = folder(zone, ca=authority.pem, **settings)
        files.add(f"a.{zone.zone}")
        files.apply()
        assert zone.query("a", "A") == [ADDRESS]
    finally:
        zone.stop()


def test_state_folder_tells_the_owner(bind, folder, tmp_path_factory):
    state = tmp_path_factory.mktemp("state")
    (state / "private/dns").mkdir(parents=True)
    (state / "private/dns/owner").write_text("from-state")
    files = folder(bind)
    files.add(f"state.{bind.zone}")

    ran = files.run("apply", "--state", state, owner=None)

    assert ran.returncode == 0, ran.stderr
    assert any("owner=from-state" in t for t in bind.txt("_dnssync.state"))
