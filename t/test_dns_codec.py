"""
Torii's DNS driver against BIND and Knot: what it reads is what dig and kdig
read, what it writes is what they show, and what others write is never lost.
"""

import random
import socket
import struct
import threading

import pytest

import bind
import knot
from drive import TYPES, Drive, transferred


def same(read, shown):
    def comparable(sets):
        return {key: (ttl, values if key[1] in (1, 5, 16, 28)
                      else len(values))
                for key, (ttl, values) in sets.items()}
    return comparable(read) == comparable(shown)


@pytest.fixture(scope="module", params=["bind", "knot"])
def server(request):
    made = bind.Bind() if request.param == "bind" else knot.Knot()
    yield made
    made.stop()


@pytest.fixture
def fresh(server):
    """The server, and nothing in its zone but what it began with."""
    yield server
    words = {number: word for word, number in TYPES.items()}
    zone = server.zone
    lines = [f"delete {name}. {words[kind]}" for name, kind in
             transferred(server).keys() - {(zone, 2), (zone, 1),
                                           (f"ns1.{zone}", 1),
                                           (f"*.{zone}", 1)}]
    for i in range(0, len(lines), 200):
        server.update(*lines[i:i + 200])


@pytest.fixture
def drive(fresh):
    with Drive(fresh) as driver:
        yield driver


def records(zone):
    return [
        f"add a.{zone}. 60 A 192.0.2.1", f"add a.{zone}. 60 A 192.0.2.2",
        f"add a.{zone}. 60 AAAA 2001:db8::1:0:0:2",
        f"add a.{zone}. 60 AAAA ::ffff:192.0.2.1",
        f"add Mixed.CASE.{zone}. 300 A 192.0.2.3",
        f"add *.w.{zone}. 60 A 192.0.2.4",
        f"add alias.{zone}. 60 CNAME Target.Example.",
        f'add t.{zone}. 60 TXT "one" "two"',
        f'add t.{zone}. 60 TXT "onetwo"',
        f'add t.{zone}. 60 TXT "quo\\"te and \\\\ and \\009 and \\255"',
        f'add long.{zone}. 60 TXT "{"x" * 255}" "{"y" * 255}" "z"',
        f'add empty.{zone}. 60 TXT ""',
        f"add {zone}. 60 MX 10 mail.{zone}.",
        f"add _s._tcp.{zone}. 60 SRV 1 2 3 a.{zone}.",
        f'add {zone}. 60 CAA 0 issue "ca.example"',
        f"add sub.{zone}. 60 NS ns.elsewhere.example.",
        f"add x\\046y.{zone}. 60 TXT dot",
        f"add \\042.{zone}. 60 TXT star",
    ]


def test_a_zone_is_read_as_dig_and_kdig_read_it(fresh, drive):
    fresh.update(*records(fresh.zone))
    drive.do("list")
    assert same(drive.dump(), transferred(fresh, "dig"))
    assert same(drive.dump(), transferred(fresh, "kdig"))


def test_what_is_written_is_what_they_show(fresh, drive):
    drive.do("list")
    drive.set("a", "A", 60, "192.0.2.1", "192.0.2.2")
    drive.set("a", "AAAA", 60, "2001:db8::1")
    drive.set("*.wild", "A", 90, "192.0.2.3")
    drive.set("c", "CNAME", 60, "target.example")
    drive.set("t", "TXT", 60, 'a "quoted" text', "x" * 700)
    assert drive.apply()[0] == {}

    shown = transferred(fresh)
    zone = fresh.zone
    assert shown[f"a.{zone}", 1] == (60, [b"192.0.2.1", b"192.0.2.2"])
    assert shown[f"a.{zone}", 28] == (60, [b"2001:db8::1"])
    assert shown[f"*.wild.{zone}", 1] == (90, [b"192.0.2.3"])
    assert shown[f"c.{zone}", 5] == (60, [b"target.example"])
    assert shown[f"t.{zone}", 16] == (60, [b'a "quoted" text', b"x" * 700])

    drive.do("update")
    drive.set("a", "A", 120, "192.0.2.2", "192.0.2.9")      # value and TTL
    drive.set("a", "AAAA", 60)                              # gone
    drive.set("t", "TXT", 60, "y", "x" * 700)
    drive.set("c", "CNAME", 60, "other.example")
    assert drive.apply()[0] == {}

    shown = transferred(fresh)
    assert shown[f"a.{zone}", 1] == (120, [b"192.0.2.2", b"192.0.2.9"])
    assert (f"a.{zone}", 28) not in shown
    assert shown[f"t.{zone}", 16] == (60, [b"x" * 700, b"y"])
    assert shown[f"c.{zone}", 5] == (60, [b"other.example"])

    drive.do("update")
    assert same(drive.dump(), shown)


def test_what_another_hand_wrote_can_be_changed(fresh, drive):
    """Texts cut in pieces, names in capitals."""
    zone = fresh.zone
    fresh.update(f'add t.{zone}. 60 TXT "one" "two"',
                 f'add t.{zone}. 60 TXT "ours"',
                 f"add C.{zone}. 60 CNAME Some.Where.Example.",
                 f"add HOST.{zone}. 60 A 192.0.2.1")
    drive.do("list")
    drive.set("t", "TXT", 60, "onetwo", "new")
    drive.set("c", "CNAME", 60, "else.where.example")
    drive.set("host", "A", 60, "192.0.2.2")
    assert drive.apply()[0] == {}
    assert sorted(fresh.txt("t")) == ["new", 'one" "two']

    drive.do("update")
    drive.set("t", "TXT", 120, "onetwo")
    assert drive.apply()[0] == {}
    assert transferred(fresh)[f"t.{zone}", 16] == (120, [b"onetwo"])

    drive.do("update")
    drive.set("t", "TXT", 60)
    assert drive.apply()[0] == {}
    assert fresh.query("c", "CNAME") == ["else.where.example."]
    assert fresh.query("host", "A") == ["192.0.2.2"]
    assert (f"t.{zone}", 16) not in transferred(fresh)


def test_what_changed_meanwhile_is_lost_and_the_rest_is_done(fresh, drive):
    zone = fresh.zone
    fresh.update(f"add mine.{zone}. 60 A 192.0.2.1")
    drive.do("list")
    fresh.update(f"add taken.{zone}. 60 A 192.0.2.9",
                 f"add alias.{zone}. 60 CNAME foreign.example.",
                 f"add mine.{zone}. 60 A 192.0.2.8")

    for i in range(50):
        drive.set(f"h{i}", "A", 60, "192.0.2.1")
    drive.set("taken", "A", 60, "192.0.2.1")
    drive.set("alias", "A", 60, "192.0.2.1")
    drive.set("mine", "A", 60, "192.0.2.2")
    for i in range(50, 100):
        drive.set(f"h{i}", "A", 60, "192.0.2.1")

    assert drive.apply()[0] == {"taken": "lost", "alias": "lost",
                                "mine": "lost"}
    shown = transferred(fresh)
    assert all((f"h{i}.{zone}", 1) in shown for i in range(100))
    assert shown[f"taken.{zone}", 1][1] == [b"192.0.2.9"]
    assert shown[f"alias.{zone}", 5][1] == [b"foreign.example"]
    assert shown[f"mine.{zone}", 1][1] == [b"192.0.2.1", b"192.0.2.8"]


def test_changes_are_read_by_ixfr(fresh, drive):
    """Two hundred versions of changes at random, read now and then."""
    dice = random.Random(7)
    zone = fresh.zone
    fresh.update(*(f"add r{i}.{zone}. 60 A 192.0.2.1" for i in range(300)))
    whole = int(drive.do("list")["bytes"])

    for turn in range(40):
        for _ in range(dice.randrange(1, 9)):
            host = f"r{dice.randrange(400)}.{zone}."
            address = f"192.0.2.{dice.randrange(1, 5)}"
            fresh.update(dice.choice([
                f"add {host} {dice.choice([60, 60, 300])} A {address}",
                f"add {host} 60 TXT \"a\" \"{dice.randrange(3)}\"",
                f"delete {host} A {address}", f"delete {host} TXT",
                f"delete {host}"]))
        figures = drive.do("update")
        assert same(drive.dump(), transferred(fresh)), turn
        assert figures["messages"] == "1", turn     # no AXFR was needed
        assert int(figures["bytes"]) < whole, turn

    assert "same" not in drive.do("probe")
    assert drive.do("update")["sets"] == "0"


def test_a_host_of_ten_thousand_is_written_in_three_seconds(fresh, drive):
    drive.do("list")
    drive.do("hosts 10000")
    lost, figures = drive.apply()
    assert lost == {}
    assert int(figures["ms"]) <= 3000, figures

    before = int(drive.do("rss")["kb"])
    listed = drive.do("list")
    assert listed["sets"] == "20004"
    assert int(drive.do("rss")["kb"]) - before < 16000

    fresh.update(f"add one.{fresh.zone}. 60 A 192.0.2.1")
    assert int(drive.do("update")["bytes"]) < 2000

    drive.do("nohosts 10000")
    lost, figures = drive.apply()
    assert lost == {}
    assert drive.do("list")["sets"] == "5"


def test_a_challenge_comes_and_goes(fresh, drive):
    name = f"_acme-challenge.x.{fresh.zone}"
    fresh.update(f"add {name}. 60 TXT other")
    drive.do(f"challenge add {name} token")
    assert sorted(fresh.txt(name)) == ["other", "token"]
    drive.do(f"challenge remove {name} token")
    assert fresh.txt(name) == ["other"]


@pytest.mark.parametrize("settings, trouble, text", [
    ({"tsig_secret": "b3RoZXI="}, "denied", "BADSIG"),
    ({"tsig_key_name": "nobody"}, "denied", "BADKEY"),
    ({"zones": "absent.test"}, "denied", ""),
    ({"server": "127.0.0.1:1"}, "down", "")])
def test_a_setting_that_is_wrong_is_told(fresh, settings, trouble, text):
    with Drive(fresh, **settings) as driver:
        for command in ("list", "zones", "probe"):
            said = driver.fails(command)
            assert f"= failed {trouble}" in said and text in said
            assert fresh.secret not in said and "b3RoZXI=" not in said
        driver.do("hosts 1")
        assert f"= failed {trouble}" in driver.fails("apply")


def test_without_a_key_nothing_is_allowed(fresh):
    with Drive(fresh, tsig_key_name=None, tsig_secret=None,
               tsig_algorithm=None, insecure="true") as driver:
        assert "= failed denied" in driver.fails("list")
        driver.do("hosts 3")
        assert "= failed denied" in driver.fails("apply")


def test_the_next_server_is_asked_when_one_is_silent(fresh):
    with Drive(fresh, server=f"127.0.0.1:1,{fresh.address}") as driver:
        assert driver.do("list")["messages"] == "2"
        assert driver.do("list")["messages"] == "1"


class Between:
    """A man in the middle: hands on TCP messages, each through change()."""

    def __init__(self, port, change):
        self.port, self.change = port, change
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, socket.create_connection(("127.0.0.1",
                                                   self.port)) as server:
                server.settimeout(2)
                server.sendall(self.frame(self.message(client)))
                self.answers(client, server)

    def answers(self, client, server):
        number = 0
        while True:
            try:
                message = self.message(server)
            except (OSError, struct.error):
                return
            message = self.change(number, message)
            number += 1
            if message is None:
                return
            try:
                client.sendall(self.frame(message))
            except OSError:
                return

    @staticmethod
    def message(sock):
        def exactly(size):
            data = b""
            while len(data) < size:
                more = sock.recv(size - len(data))
                if not more:
                    raise OSError("end")
                data += more
            return data
        return exactly(struct.unpack(">H", exactly(2))[0])

    @staticmethod
    def frame(message):
        return struct.pack(">H", len(message)) + message

    def stop(self):
        self.listener.close()


def flipped(message, where):
    return message[:where] + bytes([message[where] ^ 1]) + message[where + 1:]


@pytest.mark.parametrize("what, change", [
    ("a byte of the second message",
     lambda n, m: flipped(m, len(m) // 2) if n == 1 else m),
    ("the connection after one message", lambda n, m: m if n == 0 else None),
    ("half of a message", lambda n, m: m if n == 0 else m[:len(m) // 2]),
    ("its id", lambda n, m: flipped(m, 0)),
    ("the signature",
     lambda n, m: m[:11] + bytes([m[11] - 1]) + m[12:])])
def test_a_transfer_that_was_tampered_with_is_none(fresh, what, change):
    with Drive(fresh) as driver:
        driver.do("hosts 1000")
        driver.apply()
    between = Between(fresh.port, change)
    try:
        with Drive(fresh, server=between.address) as driver:
            assert "= failed" in driver.fails("list"), what
            assert driver.dump() == {}
    finally:
        between.stop()


def test_an_answer_that_is_lost_leaves_edits_unsure(fresh):
    """They are done all the same, and are found to be when read."""
    between = Between(fresh.port, lambda n, m: None)
    try:
        with Drive(fresh, server=between.address,
                   transfer_server=fresh.address) as driver:
            driver.do("list")
            driver.do("hosts 2")
            assert "= failed down" in driver.fails("apply")
            assert [line.split()[1] for line in driver.lines()[:-1]] == [
                "unsure", "unsure"]
            assert driver.do("update")["sets"] == "8"
    finally:
        between.stop()
