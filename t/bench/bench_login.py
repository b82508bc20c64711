"""
Logins: what the gate costs a request, against none and against another server
that is asked (auth_request); many requests of a session that is due for a
refresh; and the memory that ten thousand people take.
"""

import concurrent.futures
import os
import pathlib
import statistics
import subprocess
import time
import urllib.parse

import certificate
import gateway
import manifest
import nginx
import oidc
import peer

import bench_load
import bench_server


OBJS = pathlib.Path(os.environ.get("TORII_OBJS", "objs")).resolve()
HERE = pathlib.Path(__file__).resolve().parent

COOKIE = "bench"
LOGIN, OPEN = "login.test", "open.test"
REFRESH = 200       # requests at once


class AuthRequest(bench_server.Quiet):
    """nginx by hand that asks a server of its own, on a kept connection."""

    title = "auth_request"

    def __init__(self, backend):
        super().__init__(workers=1, http=bench_server.QUIET + f"""
            upstream bench {{
                server 127.0.0.1:{backend.plain};
                keepalive 320; keepalive_requests 10000;
            }}
            upstream auth {{
                server 127.0.0.1:@admin@;
                keepalive 320; keepalive_requests 10000000;
            }}
            server {{ listen 127.0.0.1:@admin@; return 202; }}
            server {{
                listen 127.0.0.1:@plain@;
                location / {{
                    auth_request /auth;
                    auth_request_set $user $upstream_http_x_user;
                    proxy_pass http://bench;
                    proxy_http_version 1.1;
                    proxy_buffering off;
                    proxy_set_header Connection "";
                    proxy_set_header X-User $user;
                }}
                location = /auth {{
                    internal;
                    proxy_pass http://auth;
                    proxy_http_version 1.1;
                    proxy_pass_request_body off;
                    proxy_set_header Content-Length "";
                    proxy_set_header Connection "";
                }}
            }}""")


class World:
    """A gateway whose host LOGIN has a login, and OPEN none."""

    def __init__(self, backend, authority, op):
        address = manifest.Address("127.0.0.1", backend.plain)
        self.op = op
        self.gateway = gateway.Gateway(workers=1, server=bench_server.QUIET)
        self.gateway.start()
        # its log has errors only, as that of a server in use would
        conf = self.gateway.dir / "nginx.conf"
        conf.write_text(conf.read_text().replace("error.log info",
                                                 "error.log error")
                        .replace(f"access_log {self.gateway.dir}/access.log",
                                 "access_log off"))
        self.gateway.reload()

        quiet = manifest.annotate({"ssl-redirect": "false"})
        self.gateway.apply(
            "bench", oidc.secret("bench", op.settings(cookie_name=COOKIE)),
            manifest.route(OPEN, address, tls=authority.issue(OPEN),
                           annotations=quiet),
            manifest.route(LOGIN, address, tls=authority.issue(LOGIN),
                           annotations={**quiet, "torii/oauth2": "bench"}))
        self.url = f"https://{LOGIN}:{self.gateway.tls}"
        nginx.wait_until(
            lambda: oidc.Browser(self.gateway).open(f"{self.url}/oauth2/start")
            .status == 302, self.gateway.report)

    def cookies(self, n, name):
        """A file of n people's cookies."""
        out = subprocess.run(
            [OBJS / "bench_session", oidc.COOKIE_SECRET, COOKIE, LOGIN,
             "default/bench", str(n)], check=True, capture_output=True)
        path = self.gateway.dir / name
        path.write_bytes(out.stdout)
        return path


def load(server, host, cookies, seconds):
    """Requests with each cookie in turn on 32 connections, HTTP/1.1."""
    before = bench_load.cpu(server)
    out = bench_load.run("wrk", "-t1", "-c32", f"-d{seconds}s", "-s",
                         str(HERE / "cookies.lua"),
                         f"http://127.0.0.1:{server.plain}/", "--",
                         str(cookies), host)
    bad = bench_load.number(r"Non-2xx or 3xx responses: (\d+)", out)

    return bench_load.Result(bench_load.cpu(server) - before,
                             bench_load.number(r"(\d+) requests in", out),
                             seconds, int(bad))


def gate(world, asked, one, many, quick, row):
    """In rounds that alternate, of which the first is not counted."""
    seconds, rounds = (1, 3) if quick else (2, 7)
    runs = {
        "open": lambda: load(world.gateway, OPEN, one, seconds),
        "one": lambda: load(world.gateway, LOGIN, one, seconds),
        "many": lambda: load(world.gateway, LOGIN, many, seconds),
        "asked": lambda: load(asked, LOGIN, one, seconds),
    }
    results = {name: [] for name in runs}

    for i in range(rounds + 1):
        for name, run in runs.items():
            result = run()
            assert result.bad == 0, f"{name}: {result.bad} failed requests"
            if i:
                results[name].append(result.each)

    def each(name):
        return statistics.median(results[name])

    def more(name):
        return statistics.median(
            a - b for a, b in zip(results[name], results["open"]))

    row("CPU per request with a session", each("one"), "µs", "no login",
        each("open"))
    row("  the same, against a server that is asked", each("one"), "µs",
        "auth_request", each("asked"), "<= 0.75", 0.75)
    row("  of it for the login", more("one"), "µs", hold="<= 5", ok=5)
    row("  the same, all of 10,000 people in turn", more("many"), "µs",
        hold="<= 10", ok=10)


def memory(world, many, before, row):
    for _ in range(2):
        load(world.gateway, LOGIN, many, 2)

    worker, = world.gateway.worker_pids()
    row("  private memory of the worker for them",
        (bench_load.private(worker) - before) / 1e6, "MB", hold="<= 12", ok=12)


def refresh(world, row):
    """All at once, when the access token's life is over."""
    op, made = world.op, world.gateway
    op.set(ttl=2, delay=300)
    browser = oidc.Browser(made)
    page = browser.login(f"{world.url}/", "alice")
    assert page.status == 200, page
    op.clear()
    time.sleep(2.5)

    place = urllib.parse.urlsplit(world.url)
    line = browser.jar.line(place.hostname, "/")

    def ask(n):
        begin = time.monotonic()
        status = made.get(f"/{n}", host=place.netloc, tls=True,
                          sni=place.hostname,
                          headers=[("Cookie", line)]).status
        return status, time.monotonic() - begin

    with concurrent.futures.ThreadPoolExecutor(REFRESH) as pool:
        answers = list(pool.map(ask, range(REFRESH)))

    nginx.wait_until(lambda: op.counts().get("refresh_token"),
                     lambda: str(op.counts()))
    op.set(ttl=300, delay=0)

    row(f"{REFRESH} requests at once, the access token is over: refreshes",
        op.counts()["refresh_token"], "", hold="1", ok=1)
    row("  failed requests", sum(s != 200 for s, _ in answers), "", hold="0",
        ok=0)
    row("  the slowest answer, the provider takes 300 ms",
        max(t for _, t in answers) * 1e3, "ms")


def measure(n, quick, row):
    peer.install()

    authority = certificate.Authority("Bench CA")
    started = []

    try:
        backend = bench_server.Backend().start()
        started.append(backend.remove)
        op = oidc.Provider()
        started.append(op.stop)
        asked = AuthRequest(backend).start()
        started.append(asked.remove)
        world = World(backend, authority, op)
        started.append(world.gateway.remove)

        one, many = world.cookies(1, "one"), world.cookies(n, "many")
        load(world.gateway, LOGIN, one, 1)
        bench_load.settle(world.gateway)
        worker, = world.gateway.worker_pids()
        before = bench_load.private(worker)

        gate(world, asked, one, many, quick, row)
        memory(world, many, before, row)
        refresh(world, row)
    finally:
        for stop in reversed(started):
            stop()
        certificate.remove_files()
