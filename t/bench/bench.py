#!/usr/bin/python3
"""
bench.py OBJS: measures the gateway side by side with others and prints one
table; the numbers go to OBJS/bench.json too.  QUICK=1 in the environment is
for a first look.

CPU time for each request or handshake is what is compared, in rounds that
alternate between the servers, each with one worker or thread; the ratio is the
median of the rounds' ratios.
"""

import collections
import json
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import bench_acme                                           # noqa: E402
import bench_cluster                                        # noqa: E402
import bench_dns                                            # noqa: E402
import bench_load                                           # noqa: E402
import bench_login                                          # noqa: E402
import bench_server                                         # noqa: E402
import bench_world                                          # noqa: E402
import certificate                                          # noqa: E402
import nginx                                                # noqa: E402


QUICK = bool(os.environ.get("QUICK"))
N = 10000

Row = collections.namedtuple("Row", "what value unit peer other ratio hold ok")
rows = []


def row(what, value, unit, peer="", other=None, hold="", ok=None):
    """ok is a number that the ratio, or the value where there is nothing to
    compare with, must not exceed."""
    ratio = value / other if other else None
    rows.append(Row(what, value, unit, peer, other, ratio, hold,
                    None if ok is None else (ratio or value) <= ok))
    note(f"{what}: {value:.5g} {unit}")


def note(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def alternate(servers, load, rounds):
    """Results of each server, measured in turn; the first round is not
    counted."""
    results = {server: [] for server in servers}

    for i in range(rounds + 1):
        for server in servers:
            result = load(server)
            if result.bad:
                note(f"{server.title}: {result.bad} failed requests")
            if i:
                results[server].append(result)

    return results


def compare(what, results, torii, holds):
    ours = results[torii]

    for server, theirs in results.items():
        if server is torii:
            continue

        ratio = statistics.median(a.each / b.each
                                  for a, b in zip(ours, theirs))
        value = statistics.median(r.each for r in ours)
        hold = holds.get(server.title)
        row(what, value, "µs", server.title, value / ratio,
            f"<= {hold}" if hold else "", hold)


# What a proxied request costs

def proxy(torii, hand, foreign):
    seconds, requests, rounds = (1, 10000, 3) if QUICK else (2, 30000, 7)
    servers = [torii, hand] + foreign

    compare("CPU per request, HTTP/1.1, all of 10,000 hosts in turn",
            alternate(servers, lambda s: bench_load.http1(s, N, seconds),
                      rounds),
            torii, {"nginx by hand": 1.03, "HAProxy": 1.0})

    compare("CPU per request, HTTP/1.1, 10 of them",
            alternate([torii, hand],
                      lambda s: bench_load.http1(s, 10, seconds), rounds),
            torii, {"nginx by hand": 1.03})

    compare("CPU per request, HTTP/2 + TLS",
            alternate(servers, lambda s: bench_load.http2(s, requests),
                      rounds),
            torii, {"nginx by hand": 1.03, "HAProxy": 1.0})


def memory(torii, hand):
    idle = bench_server.Idle().start()

    try:
        private = [bench_load.private(s.worker_pids()[0]) / 1e6
                   for s in (torii, hand, idle)]
    finally:
        idle.remove()

    row("table of 10,000 hosts", torii.table() / 1e6, "MB", hold="<= 10",
        ok=10)
    row("private memory of a loaded worker over an idle nginx's",
        private[0] - private[2], "MB", hold="<= 8", ok=8)
    row("  the same of nginx by hand", private[1] - private[2], "MB")


# Changes

def change(torii, world):
    alone = bench_load.changes(torii, world, 30 if QUICK else 100, 0.05)

    row("change to first answer, alone: p50",
        bench_load.percentile(alone, 0.5) * 1e3, "ms")
    row("  p99", bench_load.percentile(alone, 0.99) * 1e3, "ms",
        hold="<= 50", ok=50)

    seconds, rate = (3, 100) if QUICK else (10, 100)

    keepers = subprocess.Popen(
        [sys.executable, HERE / "bench_load.py",
         *map(str, (torii.plain, world.n, 16, 500))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    helper = [p for p in nginx.children(torii.pid)
              if "helper" in nginx.title(p)]

    before, begin = torii.control(), time.monotonic()
    ran = bench_load.cpu_of(helper)
    many = bench_load.changes(torii, world, seconds * rate, 0, rate)
    spent, after = time.monotonic() - begin, torii.control()
    ran = bench_load.cpu_of(helper) - ran

    good, bad, closed = map(int, keepers.communicate()[0].split())

    row(f"  {rate} changes a second for {seconds} s, under load: p50",
        bench_load.percentile(many, 0.5) * 1e3, "ms")
    row("  p99", bench_load.percentile(many, 0.99) * 1e3, "ms",
        hold="<= 50", ok=50)
    row("  changes in force", len(many) / spent, "/s")
    row("  tables published", (after[6] - before[6]) / spent, "/s")
    row("  the helper's CPU per table", ran / (after[6] - before[6]) * 1e3,
        "ms")
    row(f"  failed requests of {good}", bad, "", hold="0", ok=0)
    row("  closed connections of 16", closed, "", hold="0", ok=0)


# Start

def first_answer(torii, right):
    begin, answer = time.monotonic(), None
    torii.launch()

    while True:
        try:
            client = bench_load.Client(torii.plain)
            answer = client.get(bench_world.host(4321))
            client.close()
            if answer == (200, right):
                return time.monotonic() - begin
        except OSError:
            pass

        if time.monotonic() - begin > 60:
            raise SystemExit(f"{answer} after start: {torii.tail()}")

        time.sleep(0.001)


def start(torii, what, rounds, hold=None):
    """The gateway runs afterwards, and has nothing left to do."""
    cold, warm = [], []

    for times, wipe in ((cold, True), (warm, False)):
        for i in range(rounds):
            torii.stop()
            if wipe:
                shutil.rmtree(torii.dir / "state")
            times.append(first_answer(torii, b"a"))
            torii.started(subprocess.CompletedProcess([], 0, "", ""))

    bench_load.settle(torii)

    row(f"start to first answer, 10,000 Ingresses{what}",
        statistics.median(cold), "s", hold="<= 1" if hold else "", ok=hold)
    row("  from the last table", statistics.median(warm) * 1e3, "ms",
        hold="<= 100", ok=100)


# TLS

def tls(torii, hand, cases):
    """Names drawn evenly from few hosts and from all."""
    each, rounds = (200, 3) if QUICK else (500, 7)
    draw = random.Random(3)

    for what, pool, warm, hold in cases:
        hosts = draw.sample(range(N), pool)

        def load(server):
            return bench_load.handshakes(
                server, [bench_world.host(draw.choice(hosts))
                         for i in range(each)])

        for server in (torii, hand):
            bench_load.handshakes(server, [*map(bench_world.host,
                                                hosts[:warm])])

        results = alternate([torii, hand], load, rounds)

        compare(f"CPU per full handshake, 10,000 certificates, {what}",
                results, torii, {"nginx by hand": hold} if hold else {})


# The C benches

def programs(objs):
    for name in ("bench_route", "bench_compile", "bench_session"):
        out = subprocess.run([os.path.abspath(objs / name)], cwd=objs,
                             capture_output=True, text=True, timeout=120)
        print(f"{name}:\n{out.stdout}{out.stderr}")

        for line in out.stdout.splitlines():
            found = re.match(r"(.*?\S)[:\s]\s*([0-9.]+) (ns|us|ms)\b", line)
            if found:
                text = re.sub(r"\s+", " ", found.group(1))
                rows.append(Row(f"{name}: {text}", float(found.group(2)),
                                found.group(3), "", None, None, "", None))


# All of it

def foreigners(backend, pair):
    out = []

    for server in (bench_server.Haproxy, bench_server.Caddy):
        if shutil.which(server.title.lower()):
            out.append(server(backend, pair, N).start())
        else:
            note(f"{server.title} is not installed and left out")

    return out


def measure(folder):
    authority = certificate.Authority("Bench CA")
    pair = authority.issue("localhost", *map(bench_world.host, [77]))
    running = []

    def begin(server):
        running.append(server)
        return server.start()

    try:
        backend = begin(bench_server.Backend())
        answers = backend.plain, backend.admin

        note("10,000 Ingresses")
        world = bench_world.World(folder / "plain", N, *answers)
        torii = begin(bench_server.Torii(folder / "plain"))
        start(torii, "", 1 if QUICK else 3, 1)

        hand = begin(bench_server.Hand(backend, pair))
        foreign = foreigners(backend, pair)
        running.extend(foreign)

        proxy(torii, hand, foreign)
        memory(torii, hand)
        change(torii, world)

        note("10,000 certificates")
        torii.stop()
        bench_world.World(folder / "tls", N, *answers, authority)
        torii = begin(bench_server.Torii(folder / "tls"))
        start(torii, " with a certificate each", 1)
        tls(torii, hand, [("100 names asked for", 100, 100, 1.03),
                          ("all asked for evenly", N, 200, None)])
        row("table of 10,000 hosts with a certificate each",
            torii.table() / 1e6, "MB")

        torii.stop()
        torii = begin(bench_server.Torii(
            folder / "tls", http=f"torii_certificate_cache {N};"))
        bench_load.settle(torii)
        tls(torii, hand, [("all asked for evenly, all kept", N, N, 1.03)])
    finally:
        for server in reversed(running):
            server.remove()
        certificate.remove_files()


def table():
    print(f"{'':62}{'Torii':>9}      {'against':24}{'ratio':>6}  hold")

    for r in rows:
        if r.what.startswith("bench_"):
            continue

        other = f"{r.peer} {r.other:.4g}" if r.other else ""
        ratio = f"{r.ratio:.3f}" if r.ratio else ""
        verdict = "" if r.ok is None else "  ok" if r.ok else "  MISSED"
        print(f"{r.what:62}{r.value:9.4g} {r.unit:4} {other:24}{ratio:>6}  "
              f"{r.hold}{verdict}")


def main():
    objs = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "objs")
    load = os.getloadavg()[0]
    begin = time.monotonic()

    with tempfile.TemporaryDirectory(prefix="torii-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        measure(folder)

    note("certificates by ACME")
    bench_acme.measure(N, QUICK, row)

    note("10,000 hosts in DNS")
    bench_dns.measure(N, QUICK, row)

    note("logins")
    bench_login.measure(N, QUICK, row)

    # in the end: this process has a network of its own then
    note("10,000 Ingresses from the Kubernetes API")
    bench_cluster.measure(N, QUICK, row)

    programs(objs)
    table()

    print(f"\n{os.cpu_count()} processors, load {load:.1f} before, "
          f"{os.getloadavg()[0]:.1f} after; "
          f"{time.monotonic() - begin:.0f} s"
          f"{'; QUICK: few rounds' if QUICK else ''}")

    (objs / "bench.json").write_text(json.dumps(
        {"processors": os.cpu_count(), "load": load, "quick": QUICK,
         "rows": [r._asdict() for r in rows]}, indent=1) + "\n")


if __name__ == "__main__":
    main()
