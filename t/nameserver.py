"""
A name server for tests: what it answers may change at any time, and it keeps
what it was asked.
"""

import ipaddress
import socket
import struct
import threading
import time


A, AAAA = 1, 28
NAME_ERROR = 3


class NameServer:
    """records["a.example"] = ["10.0.0.1", "fd00::1"] is what it answers, with
    ttl; other names do not exist.  silent names get no answer at all.  asked
    is a list of (time, name, type)."""

    def __init__(self, ttl=1, delay=0, address="127.0.0.1", port=0):
        self.records = {}
        self.silent = set()
        self.asked = []
        self.ttl, self.delay = ttl, delay
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.address = "%s:%d" % self.socket.getsockname()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                query, client = self.socket.recvfrom(2000)
            except OSError:
                return

            answer = self.answer(query)

            if answer is None:
                continue

            if self.delay:
                threading.Timer(self.delay, self.send,
                                (answer, client)).start()
            else:
                self.send(answer, client)

    def send(self, answer, client):
        try:
            self.socket.sendto(answer, client)
        except OSError:
            pass

    def answer(self, query):
        labels, end = [], 12

        while query[end]:
            labels.append(query[end + 1:end + 1 + query[end]].decode())
            end += query[end] + 1

        end += 5
        name = ".".join(labels).lower()
        kind, = struct.unpack_from(">H", query, end - 4)

        self.asked.append((time.monotonic(), name, kind))

        if name in self.silent:
            return None

        found = [ipaddress.ip_address(a) for a in self.records.get(name, [])]
        wanted = [a.packed for a in found
                  if kind == (A if a.version == 4 else AAAA)]
        code = 0 if name in self.records else NAME_ERROR

        return query[:2] + struct.pack(">5H", 0x8180 | code, 1, len(wanted),
                                       0, 0) + query[12:end] + b"".join(
            b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, self.ttl, len(data))
            + data for data in wanted)

    def count(self, name, since=0):
        return sum(1 for when, asked, _ in self.asked
                   if asked == name and when > since)

    def most_at_once(self, seconds):
        """The largest number of questions in so short a time."""
        times = [when for when, _, _ in self.asked]
        first = most = 0

        for i, when in enumerate(times):
            while times[first] < when - seconds:
                first += 1
            most = max(most, i - first + 1)

        return most

    def stop(self):
        self.socket.close()
