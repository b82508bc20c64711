"""
What must never be lost: records of others and of hosts that are wanted, while
helpers are killed, folders vanish, state is damaged, name servers go back in
time, and another gateway takes itself for this one.
"""

import os
import random
import shutil
import signal
import subprocess
import time

import pytest

import gateway as gateways
import nginx
import test_dns_helper as helper
from test_dns_helper import (ADDRESS, DNS, OWNER, Zone, has, provider, site,
                             state)

GATEWAY = dict(http=DNS)
FOREIGN = {"foreign": ["192.0.2.9"], "theirs": ["198.51.100.7"]}
MARK = '"heritage=torii,owner=somebody-else,types=A"'


class Lab:
    """A zone of BIND with records of others in it, and a gateway."""

    def __init__(self, gateway, echo, n=0, **settings):
        self.gateway, self.zone, self.echo = gateway, Zone(), echo
        self.zone.update(f"add theirs.{self.zone.zone}. 60 A 198.51.100.7",
                         f"add _dnssync.theirs.{self.zone.zone}. 60 TXT "
                         f"{MARK}")
        self.gateway.apply("provider", provider(self.zone, **settings))
        self.wanted = set()
        self.add(*(f"h{i}" for i in range(n)))

    def docs(self, name):
        return site(f"{name}.{self.zone.zone}", self.echo)

    def add(self, *names, wait=True):
        for name in names:
            self.gateway.put(name, *self.docs(name))
        self.wanted.update(names)
        if wait:
            for name in names:
                has(self.zone, name, ADDRESS)
            helper.wait_quiet(self.gateway)

    def drop(self, *names):
        for name in names:
            for path in self.gateway.folder.glob(f"{name}.*"):
                path.unlink()
            self.wanted.discard(name)

    def kill(self):
        """The helper; nginx starts another one."""
        pid = self.gateway.helper_pid()
        self.gateway.expect("exited on signal 9")
        os.kill(pid, signal.SIGKILL)
        return pid

    def back(self, pid):
        wait_helper(self.gateway, pid)

    def lost(self, since=0):
        """What was removed of what should never be."""
        zone = self.zone.zone
        never = ([f"{name}.{zone}" for name in self.wanted]
                 + [f"_dnssync.{name}.{zone}" for name in self.wanted]
                 + [f"{name}.{zone}" for name in FOREIGN]
                 + [f"_dnssync.theirs.{zone}"])
        return [text for what, text in self.zone.updates()[since:]
                if what == "deleting"
                and any(f"'{name}" in text or f" {name}" in text
                        or f"at {name}" in text for name in never)]

    def check(self):
        for name, values in FOREIGN.items():
            assert self.zone.query(name, "A") == values, name
        assert self.zone.txt("_dnssync.theirs")
        for name in self.wanted:
            assert self.zone.query(name, "A") == [ADDRESS], name

    def stop(self):
        self.zone.stop()


def wait_helper(gateway, pid):
    nginx.wait_until(lambda: gateway.helper_pid() not in (pid, 0, None),
                     "another helper", 15, every=0.02)


@pytest.fixture(scope="module")
def lab(gateway, echo_backend):
    """One for all tests; each leaves it as it was, but for more hosts."""
    made = Lab(gateway, echo_backend, 14)
    yield made
    made.stop()


def test_helper_that_is_killed_at_any_moment_loses_nothing(lab):
    dice = random.Random(7)
    kept = set(lab.wanted)
    before = len(lab.zone.updates())

    for n in range(4):
        lab.add(f"k{n}", f"g{n}", wait=False)
        if n:
            lab.drop(f"g{n - 1}")
        time.sleep(dice.random() * 0.6)
        pid = lab.kill()
        lab.back(pid)

    for name in sorted(lab.wanted):
        has(lab.zone, name, ADDRESS, timeout=30)
    assert kept <= lab.wanted
    for n in range(3):
        has(lab.zone, f"g{n}", timeout=30)
    assert lab.lost(before) == []
    lab.check()


def test_folder_that_cannot_be_read_deletes_nothing(lab):
    folder = lab.gateway.folder
    away = folder.with_name("away")
    file = next(folder.glob("h1.*"))
    before = len(lab.zone.updates())

    def check():
        lab.gateway.reload()
        time.sleep(1.2)         # a wrong deletion waits for one
        assert lab.lost(before) == []

    folder.rename(away)
    check()
    away.rename(folder)

    mode = folder.stat().st_mode
    folder.chmod(0)
    check()
    folder.chmod(mode)

    mode = file.stat().st_mode
    file.chmod(0)
    check()
    file.chmod(mode)

    lab.add("later-folder")
    assert lab.lost(before) == []
    lab.check()


def test_folder_that_is_emptied_is_held_by_the_brake(lab):
    before = len(lab.zone.updates())
    away = lab.gateway.folder.with_name("away")
    away.mkdir()
    for file in lab.gateway.folder.glob("h*"):
        shutil.move(file, away / file.name)

    nginx.wait_until(
        lambda: any("Held" in f["reason"] or "Brake" in f["reason"]
                    or "held" in f["message"]
                    for f in lab.gateway.findings()),
        lambda: f"{lab.gateway.findings()} {state(lab.gateway)['zones']}", 15)
    assert lab.lost(before) == []

    for file in away.iterdir():
        shutil.move(file, lab.gateway.folder / file.name)
    lab.add("later-brake")
    assert lab.lost(before) == []
    lab.check()


def test_state_that_is_damaged_is_but_a_hint(lab):
    folder = lab.gateway.state / "private/dns"
    before = len(lab.zone.updates())
    nginx.wait_until(lambda: any(folder.glob("zone-*")), "state", 40,
                     every=0.05)
    good = {file: file.read_bytes() for file in folder.iterdir()}

    def forge(file, data):
        file.write_bytes(data.replace(b"owner=somebody-else",
                                      b"owner=gateway-a"))

    def cut(file, data):
        if file.name.startswith("zone-"):
            file.write_bytes(data[:len(data) // 2])
        else:
            file.unlink()

    for damage in (forge, cut):
        for file, data in good.items():
            file.write_bytes(data)
            damage(file, data)
        lab.back(lab.kill())
        wait_listed(lab.gateway)
        assert lab.lost(before) == []

    lab.add("later")
    assert lab.lost(before) == []
    lab.check()


def wait_listed(gateway):
    """The helper of now has read the zone."""
    started = gateway.control().started

    def look():
        return any(1000 * z.get("listed", 0) >= started
                   for z in state(gateway)["zones"])

    nginx.wait_until(look, lambda: f"{started} {state(gateway)['zones']}",
                     15, every=0.05)


def test_zone_that_goes_back_in_time_is_brought_up_to_date(lab):
    before = len(lab.zone.updates())
    lab.zone.update(f"add late.{lab.zone.zone}. 60 A 192.0.2.77")
    lab.zone.kill(signal.SIGKILL)

    for file in lab.zone.dir.glob("zone*"):
        file.unlink()
    lab.zone.prepare()
    lab.zone.run()
    assert lab.zone.answers()
    lab.zone.update(f"add theirs.{lab.zone.zone}. 60 A 198.51.100.7",
                    f"add _dnssync.theirs.{lab.zone.zone}. 60 TXT {MARK}")
    assert lab.zone.query("h0", "A") == []

    for name in sorted(lab.wanted):
        has(lab.zone, name, ADDRESS, timeout=30)
    assert lab.lost(before) == []
    lab.check()


def locks(zone):
    return [text for text in zone.txt(f"_dnssync-lock.{zone.zone}")
            if f"owner={OWNER}," in text]


def test_gateways_with_one_owner_do_not_delete_in_turn(start_gateway, echo):
    lab = Lab(start_gateway(http=DNS), echo, 2)
    try:
        before = len(lab.zone.updates())
        other = start_gateway(http=DNS)
        other.apply("provider", provider(lab.zone))
        other.apply("other", site(f"other.{lab.zone.zone}", lab.echo))

        other.wait_finding(reason="DnsTwoWriters")
        lab.gateway.wait_finding(reason="DnsTwoWriters")
        lab.wanted.add("other")
        has(lab.zone, "other", ADDRESS)
        assert len(locks(lab.zone)) == 2

        # nor when the helpers are others; a host that neither wants stays

        lab.drop("h1")
        lab.wanted.add("h1")
        for gateway in (lab.gateway, other):
            pid = gateway.helper_pid()
            gateway.expect("exited on signal 9")
            os.kill(pid, signal.SIGKILL)
            wait_helper(gateway, pid)
            wait_listed(gateway)
            time.sleep(2.5)     # a wrong deletion waits for two
            gateway.wait_finding(reason="DnsTwoWriters")
        assert lab.lost(before) == []
        lab.check()
    finally:
        lab.stop()


def test_lock_that_is_off_keeps_nobody_from_deleting(start_gateway, echo):
    lab = Lab(start_gateway(http=DNS), echo, 2, lock="false")
    try:
        before = len(lab.zone.updates())
        assert locks(lab.zone) == []
        lab.add("goes")
        other = start_gateway(http=DNS)
        other.apply("provider", provider(lab.zone, lock="false"))
        other.apply("other", site(f"other.{lab.zone.zone}", lab.echo))

        nginx.wait_until(lambda: lab.lost(before), "a fight", 20, every=0.05)
    finally:
        lab.stop()


def test_lock_is_no_change_that_is_planned(start_gateway, echo):
    lab = Lab(start_gateway(http=DNS), echo, 2, delete_delay="600")
    try:
        def dns(verb):
            return subprocess.run(
                [gateways.OBJS.resolve() / "torii", "dns", verb,
                 lab.gateway.folder, "--addresses", ADDRESS, "--owner",
                 OWNER], capture_output=True, text=True, timeout=60)

        (lock,) = locks(lab.zone)
        before = len(lab.zone.updates())
        for _ in range(2):
            ran = dns("plan")
            assert ran.returncode == 0, ran.stdout + ran.stderr

        # what the gateway is about to do is seen, and left to it

        lab.drop("h1")
        ran = dns("plan")
        assert ran.returncode == 2 and "1 to delete" in ran.stderr
        ran = dns("apply")
        assert ran.returncode == 0 and "[writers]" in ran.stdout, ran.stdout
        assert lab.zone.updates()[before:] == []
        assert locks(lab.zone) == [lock]
    finally:
        lab.stop()
