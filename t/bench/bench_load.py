"""
Loads, and what they cost a server: CPU time of its processes, which is steady
where requests per second are not.
"""

import collections
import os
import random
import re
import select
import socket
import ssl
import subprocess
import sys
import time

import bench_world


HERE = os.path.dirname(os.path.abspath(__file__))


def cpu(server):
    """Seconds that the processes of a server have run so far."""
    return cpu_of(server.tree())


def cpu_of(pids):
    total = 0

    for pid in pids:
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                    total += int(f.read().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass

    return total / 1e9


def settle(server):
    """Wait until it does nothing on its own."""
    for i in range(100):
        before = cpu(server)
        time.sleep(0.3)
        if cpu(server) - before < 0.003:
            return


def private(pid):
    """Bytes of a process that no other shares: what is mapped shared, as the
    table and nginx's zones, is there once for all workers."""
    total, own = 0, False

    with open(f"/proc/{pid}/smaps") as f:
        for line in f:
            found = re.match(r"[0-9a-f]+-[0-9a-f]+ ...(.)", line)
            if found:
                own = found.group(1) == "p"
            elif own and line.startswith("Private_"):
                total += int(line.split()[1]) * 1024

    return total


def run(*command):
    return subprocess.run(command, capture_output=True, text=True,
                          timeout=120).stdout


def number(pattern, text):
    found = re.search(pattern, text)
    return float(found.group(1)) if found else 0.0


class Result:
    """One run: microseconds of CPU for each request, requests per second."""

    def __init__(self, spent, done, seconds, bad):
        self.each = spent / max(done, 1) * 1e6
        self.rate = done / seconds
        self.bad = bad


def http1(server, n, seconds):
    """All hosts in turn on 32 connections, HTTP/1.1."""
    before = cpu(server)

    out = run("wrk", "-t1", "-c32", f"-d{seconds}s", "-s",
              os.path.join(HERE, "hosts.lua"),
              f"http://127.0.0.1:{server.plain}/", "--", str(n))

    bad = number(r"Non-2xx or 3xx responses: (\d+)", out)
    bad += sum(map(int, re.findall(r"\d+", "".join(
        re.findall(r"Socket errors: (.*)", out)))))

    return Result(cpu(server) - before, number(r"(\d+) requests in", out),
                  seconds, int(bad))


def http2(server, requests):
    """HTTP/2 over TLS: 16 connections with 10 streams each."""
    before, start = cpu(server), time.monotonic()

    out = run("h2load", "-n", str(requests), "-c16", "-m10",
              f"--connect-to=127.0.0.1:{server.tls}",
              f"https://{bench_world.host(77)}/")

    done = number(r"(\d+) 2xx", out)

    return Result(cpu(server) - before, done, time.monotonic() - start,
                  int(requests - done))


def handshakes(server, names):
    """A full TLS 1.3 handshake for each name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    before, start = cpu(server), time.monotonic()

    for name in names:
        sock = socket.create_connection(("127.0.0.1", server.tls))
        with context.wrap_socket(sock, server_hostname=name):
            pass

    return Result(cpu(server) - before, len(names), time.monotonic() - start,
                  0)


class Client:
    """A connection that is kept; get() gives the answer's status and body, or
    None if the connection is gone."""

    def __init__(self, port, timeout=10):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, host):
        self.sock.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n"
                          % host.encode())

    def receive(self):
        data = b""

        while True:
            more = self.sock.recv(65536)
            if not more:
                return None
            data += more
            head, end, body = data.partition(b"\r\n\r\n")
            if end:
                length = re.search(rb"(?i)content-length: (\d+)", head)
                if length and len(body) >= int(length.group(1)):
                    return int(head[9:12]), body

    def get(self, host):
        self.send(host)
        return self.receive()

    def close(self):
        self.sock.close()


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p))]


def changes(torii, world, count, pause, rate=None):
    """Seconds from a change of the world to the first right answer, of count
    applications; rate a second if given, else one at a time."""
    client = Client(torii.plain)
    latencies = []
    pending = collections.deque()
    names = random.Random(7).sample(range(world.n), count)
    due = time.monotonic()

    while names or pending:
        now = time.monotonic()

        if names and now >= due and (rate or not pending):
            i = names.pop()
            begin = time.monotonic()
            pending.append((i, begin, world.change(i, len(names) % 2)))
            due = due + 1 / rate if rate else begin

        for entry in list(pending):
            i, begin, right = entry
            answer = client.get(world.host(i))
            now = time.monotonic()
            if answer == (200, right):
                latencies.append(now - begin)
                pending.remove(entry)
                if not rate:
                    due = now + pause * random.random()
            elif now - begin > 10:
                raise SystemExit(f"{world.host(i)} is not answered by "
                                 f"{right}: {answer}")

        time.sleep(0.0005)

    client.close()

    return latencies


def keep(port, n, clients, rate):
    """Clients that go on asking on the connections they have, until standard
    input ends; prints how many requests were answered, failed and on how many
    connections nothing came any more."""
    all_clients = [Client(port) for i in range(clients)]
    good = bad = closed = k = 0
    due = time.monotonic()

    while not select.select([sys.stdin], [], [],
                            max(0, due - time.monotonic()))[0]:
        due = max(due + 1 / rate, time.monotonic() - 0.1)
        k += 1
        client = all_clients[k % clients]

        try:
            answer = client.get(bench_world.host(k * 7919 % n))
        except OSError:
            answer = None

        if answer is None:
            closed += 1
            all_clients[k % clients] = Client(port)
        elif answer[0] == 200:
            good += 1
        else:
            bad += 1

    print(good, bad, closed)


if __name__ == "__main__":
    keep(*map(int, sys.argv[1:]))
