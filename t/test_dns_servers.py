"""
Torii's DNS driver against servers of several makes and settings.
"""

import base64
import os
import subprocess

import pytest

import bind
import knot
import powerdns
from drive import Drive


ALGORITHMS = ("hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256",
              "hmac-sha384", "hmac-sha512")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", ["tsig-keygen", "keymgr"])
def test_keys_of_each_algorithm_are_understood(kind, algorithm):
    if kind == "tsig-keygen":
        class Server(bind.Bind):
            pass
        text = subprocess.run(["tsig-keygen", "-a", algorithm, "k.test"],
                              capture_output=True, text=True,
                              check=True).stdout
        Server.algorithm = algorithm
        made = Server(key_name="k.test")
    else:
        text = subprocess.run(["keymgr", "-t", "k.test", algorithm],
                              capture_output=True, text=True,
                              check=True).stdout
        made = knot.Knot(key_name="k.test", algorithm=algorithm)

    assert algorithm in text
    try:
        with Drive(made) as driver:
            driver.do("probe")
            driver.do("list")
            driver.do("hosts 2")
            assert driver.apply()[0] == {}
            assert driver.do("update")["sets"] == "8"
    finally:
        made.stop()


def test_one_name_that_may_not_be_changed_keeps_no_other_back():
    class Guarded(bind.Bind):
        def prepare(self):
            super().prepare()
            conf = self.dir / "named.conf"
            conf.write_text(conf.read_text().replace(
                "update-policy { ", f"update-policy {{ deny {self.key_name}. "
                f"name closed.{self.zone}. ANY; "))

    made = Guarded()
    try:
        with Drive(made) as driver:
            driver.do("list")
            driver.set("closed", "A", 60, "192.0.2.1")
            for i in range(20):
                driver.set(f"h{i}", "A", 60, "192.0.2.1")
            assert driver.apply()[0] == {"closed": "refused"}
            driver.set("closed", "A", 60, "192.0.2.1")
            assert driver.apply()[0] == {"closed": "refused"}
    finally:
        made.stop()


class PowerDNS(powerdns.PowerDNS):
    """By RFC 2136, which it can, too; it knows no IXFR."""

    key_name, algorithm = "acme-key", "hmac-sha256"

    def prepare(self):
        super().prepare()
        conf = self.dir / "pdns.conf"
        conf.write_text(conf.read_text() + "dnsupdate=yes\n"
                        "allow-dnsupdate-from=127.0.0.0/8\n")

    def make(self, zone, kind="Master"):
        super().make(zone, kind)
        self.secret = base64.b64encode(os.urandom(32)).decode()
        path = f"/zones/{zone}."
        for method, path, body in (
                ("POST", "/tsigkeys", {
                    "name": self.key_name, "algorithm": self.algorithm,
                    "key": self.secret}),
                ("PUT", path, {"master_tsig_key_ids": [self.key_name + "."]}),
                ("POST", path + "/metadata", {
                    "kind": "TSIG-ALLOW-DNSUPDATE",
                    "metadata": [self.key_name]})):
            status, answer = self.api(method, path, body)
            assert status < 300, answer


def test_powerdns_takes_updates_and_is_read_whole():
    made = PowerDNS()
    zone = made.zone
    try:
        with Drive(made) as driver:
            assert driver.do("list")["sets"] == "2"
            made.set(f"taken.{zone}", "A", "192.0.2.9")
            driver.set("taken", "A", 60, "192.0.2.1")
            driver.set("t", "TXT", 60, "a \"b\"", "x" * 300)
            driver.do("hosts 100")
            assert driver.apply()[0] == {"taken": "lost"}

            driver.do("update")
            assert driver.dump()[f"t.{zone}", 16] == (
                60, [b'a "b"', b"x" * 300])
            assert len(driver.dump()) == 2 + 1 + 1 + 200
            driver.set("t", "TXT", 90, "x" * 300)
            driver.do("nohosts 100")
            assert driver.apply()[0] == {}

            driver.do("update")
            assert driver.dump().keys() == {
                (zone, 2), (f"ns1.{zone}", 1), (f"taken.{zone}", 1),
                (f"t.{zone}", 16)}
            assert driver.dump()[f"t.{zone}", 16] == (90, [b"x" * 300])
    finally:
        made.stop()


def test_a_signed_zone_is_read_without_its_signatures():
    class Signed(knot.Knot):
        def prepare(self):
            super().prepare()
            conf = self.dir / "knot.conf"
            conf.write_text(conf.read_text() + "    dnssec-signing: on\n")

    made = Signed()
    zone = made.zone
    try:
        with Drive(made) as driver:
            driver.do("list")
            kinds = {kind for _, kind in driver.dump()}
            assert kinds & {1, 2, 48} == {1, 2, 48}      # DNSKEY stays
            assert not kinds & {46, 47, 50, 51}
            driver.do("hosts 20")
            driver.set("c", "CNAME", 60, "target.example")
            assert driver.apply()[0] == {}
            assert int(driver.do("update")["bytes"]) > 2000
            assert {kind for name, kind in driver.dump()
                    if name == f"c.{zone}"} == {5}
            driver.do("nohosts 20")
            assert driver.apply()[0] == {}
            driver.do("update")
            read = driver.dump()
            driver.do("list")
            assert driver.dump() == read
    finally:
        made.stop()
